//! From settings to a running server, and back.

mod announce;
mod open;

use crate::{
    app::{App, AppParts},
    clock::Clock,
    config::{Config, ConfigError},
    entropy::SystemEntropy,
    error::ServiceError,
    gateway, http as people,
    jobs::Jobs,
    listen::{self, Limits, Listener, Options, Shutdown, with_peer, with_service},
    observe::{Health, ListenerName},
    operations, pages,
    problem::ApiError,
    rest,
    service::{RequestContext, Services, set_up::SetUp},
    tls::{Certificates, TlsError},
};
use axum::{Router, extract::DefaultBodyLimit, middleware};
use hallpass_domain::limits::{BODY_BYTES_MAX, CONNECTIONS_MAX, REQUEST_SECONDS_MAX};
use hallpass_store::StoreError;
use http::StatusCode;
use ipnet::IpNet;
use rustix::process::{Resource, getrlimit};
use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::signal::unix::{SignalKind, signal};
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};

pub use announce::announce;
pub use open::{Opened, open};

/// Why the server does not start, or did not stop well.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A setting.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys.
    #[error(transparent)]
    Pepper(#[from] crate::peppers::PepperError),
    /// The keys are not those that the database was used with.
    #[error("{0}")]
    WrongPepper(String),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The log.
    #[error(transparent)]
    Log(#[from] crate::observe::LogError),
    /// An address.
    #[error(
        "cannot listen on {address}: {error}; is another hallpass running? Stop it, or choose other addresses with --listen, --gateway-listen and --ops-listen"
    )]
    Bind {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// The data directory, or a signal.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// A use case.
    #[error("{}", .0.detail())]
    Service(#[from] ServiceError),
    /// `--demo` on data that is not empty.
    #[error(
        "--demo fills an empty data directory, and this one is in use; give it its own with --data"
    )]
    DemoOnData,
    /// `--demo` where strangers could reach it.
    #[error(
        "--demo has public passwords, so it listens on this machine alone; leave --listen at a loopback address"
    )]
    DemoInPublic,
}

/// The set-up without a browser.
#[derive(Debug)]
pub struct Init {
    /// What the organization is called.
    pub organization: String,
    /// What the person is called; the part of the address before the `@` if nothing is said.
    pub name: Option<String>,
    /// Where they get mail.
    pub email: String,
    /// Their password.
    pub password: zeroize::Zeroizing<String>,
}

/// Makes the first organization and its superuser, and stops.
///
/// # Errors
/// [`RunError`].
pub async fn init(config: &Config, init: Init) -> Result<(), RunError> {
    let opened = open(config, Clock::Wall, SystemEntropy::Os).await?;
    let name = init
        .name
        .unwrap_or_else(|| init.email.split('@').next().unwrap_or_default().to_owned());
    let set_up = SetUp {
        organization: init.organization,
        name,
        email: init.email,
        password: init.password.to_string(),
    };
    let done = opened
        .services
        .set_up(&set_up, &RequestContext::default())
        .await;
    opened.services.store.close().await;
    done?;
    Ok(())
}

/// Serves until SIGTERM or SIGINT, then drains and writes what is left.
///
/// # Errors
/// [`RunError`].
pub async fn serve(config: &Config, demo: bool) -> Result<(), RunError> {
    crate::observe::install(config.log_format, &config.log_level)?;
    crate::observe::log_panics();
    if demo && !config.listen.ip().is_loopback() {
        return Err(RunError::DemoInPublic);
    }
    let (trigger, shutdown) = listen::shutdown();
    let opened = open(config, Clock::Wall, SystemEntropy::Os).await?;
    if demo {
        crate::demo::fill(&opened.services).await?;
    }
    let bound = Bound::bind(config)?;
    let app = app(config, &opened.services, bound.people.address());
    announce(config, &app, &opened, &bound.addresses(), demo).await?;
    let certificates = config.tls.clone().map(Certificates::load).transpose()?;
    let stopping = tokio::spawn(wait_for_stop(
        trigger,
        Arc::clone(&app.health),
        certificates.clone(),
    )?);
    let jobs = Jobs::start(&opened.services, &app.health);
    app.health.set_ready();
    bound.serve(&app, certificates, &shutdown).await;
    stopping.abort();
    jobs.finish().await;
    opened.services.store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// Three bound addresses.
#[derive(Debug)]
pub struct Bound {
    people: Listener,
    gateway: Listener,
    operations: Listener,
}

/// What was bound, with its ports.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// People, REST, OAuth and the dialects.
    pub people: SocketAddr,
    /// Gateways.
    pub gateway: SocketAddr,
    /// Operations.
    pub operations: SocketAddr,
}

impl Bound {
    /// Binds the three addresses of `config`. From here on connections queue up.
    ///
    /// # Errors
    /// [`RunError::Bind`].
    pub fn bind(config: &Config) -> Result<Self, RunError> {
        let bind =
            |address| Listener::bind(address).map_err(|error| RunError::Bind { address, error });
        Ok(Self {
            people: bind(config.listen)?,
            gateway: bind(config.gateway_listen)?,
            operations: bind(config.ops_listen)?,
        })
    }

    /// What was bound.
    pub const fn addresses(&self) -> Addresses {
        Addresses {
            people: self.people.address(),
            gateway: self.gateway.address(),
            operations: self.operations.address(),
        }
    }

    /// Serves all three until `shutdown`, and waits for what is under way.
    pub async fn serve(
        self,
        app: &App,
        certificates: Option<Arc<Certificates>>,
        shutdown: &Shutdown,
    ) {
        // On loopback the two inner listeners speak plain http: what talks to them is on this machine.
        let inner =
            |address: SocketAddr| certificates.clone().filter(|_| !address.ip().is_loopback());
        let (gateway_tls, operations_tls) = (
            inner(self.gateway.address()),
            inner(self.operations.address()),
        );
        let options = |name, tls| Options {
            limits: Limits {
                connections: connections(name),
                ..Limits::default()
            },
            tls,
            metrics: Some(app.services.metrics.listener(name)),
        };
        let people = self.people.serve(
            with_peer(people_router(app)),
            options(ListenerName::People, certificates.clone()),
            shutdown.clone(),
        );
        let gateway = self.gateway.serve(
            with_service(gateway::service(app)),
            options(ListenerName::Gateway, gateway_tls),
            shutdown.clone(),
        );
        let operations = self.operations.serve(
            with_peer(operations::router().with_state(app.clone())),
            options(ListenerName::Operations, operations_tls),
            shutdown.clone(),
        );
        let (people, gateway, operations) = tokio::join!(people, gateway, operations);
        let cut = people.cut + gateway.cut + operations.cut;
        if cut > 0 {
            tracing::warn!(cut, "connections were cut in the middle of a request");
        }
    }
}

/// How many connections a listener may hold, so that a flood on one leaves files for the others and the database.
fn connections(name: ListenerName) -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let files = usize::try_from(files).unwrap_or(usize::MAX);
    let share = match name {
        ListenerName::Operations => files / 16,
        ListenerName::People | ListenerName::Gateway => files / 3,
    };
    if share < CONNECTIONS_MAX && name == ListenerName::People {
        tracing::warn!(
            files,
            connections = share,
            "the limit on open files bounds the connections; raise it with ulimit -n or LimitNOFILE"
        );
    }
    share.min(CONNECTIONS_MAX)
}

/// What handlers are given.
pub fn app(config: &Config, services: &Arc<Services>, bound: SocketAddr) -> App {
    App::new(AppParts {
        services: Arc::clone(services),
        secure_cookies: config.cookies_secure(),
        base_url: config.base_url(bound).into(),
        trusted_proxies: trusted_proxies(config).into(),
        gateway_secret: config.gateway_secret.clone(),
        health: Arc::new(Health::default()),
    })
}

/// Behind a proxy that nobody named it is the one on this machine: else all its clients would be one address, and one
/// of them could keep all others from signing in.
fn trusted_proxies(config: &Config) -> Vec<IpNet> {
    if config.behind_tls_proxy && config.trusted_proxies.is_empty() {
        tracing::warn!(
            "no --trusted-proxies: X-Forwarded-For counts only from a proxy on this machine"
        );
        return [
            IpAddr::from([127, 0, 0, 1]),
            IpAddr::from(Ipv6Addr::LOCALHOST),
        ]
        .map(IpNet::from)
        .to_vec();
    }
    config.trusted_proxies.clone()
}

/// Everything that people and programs reach on the first listener.
pub fn people_router(app: &App) -> Router {
    Router::new()
        .merge(rest::router())
        .merge(pages::router(app))
        .fallback(not_found)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            Duration::from_secs(REQUEST_SECONDS_MAX),
        ))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(app.clone(), people::watch))
        .with_state(app.clone())
}

/// No such address: in the words of the door it would have been behind.
async fn not_found(
    axum::extract::State(app): axum::extract::State<App>,
    request: axum::extract::Request,
) -> axum::response::Response {
    if people::is_api(request.uri().path()) {
        return axum::response::IntoResponse::into_response(ApiError(ServiceError::NotFound(
            "address",
        )));
    }
    pages::missing(&app, request).await
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    // The panic itself is logged where it happens.
    let fault = ServiceError::Internal("a handler panicked".to_owned());
    let mut response = axum::response::IntoResponse::into_response(ApiError(fault));
    people::guard_data(response.headers_mut());
    response
}

/// Waits for SIGTERM or SIGINT, then stops everything; SIGHUP reads the certificate again.
fn wait_for_stop(
    trigger: listen::Trigger,
    health: Arc<Health>,
    certificates: Option<Arc<Certificates>>,
) -> Result<impl Future<Output = ()>, RunError> {
    let on = |kind| {
        signal(kind).map_err(|error| RunError::Io {
            what: "cannot wait for signals".to_owned(),
            error,
        })
    };
    let (mut terminate, mut interrupt, mut hang_up) = (
        on(SignalKind::terminate())?,
        on(SignalKind::interrupt())?,
        on(SignalKind::hangup())?,
    );
    if let Some(certificates) = &certificates {
        tokio::spawn(Arc::clone(certificates).watch());
    }
    Ok(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hang_up.recv() => {
                    if let Some(certificates) = &certificates
                        && let Err(error) = certificates.reload()
                    {
                        tracing::error!(%error, "the certificate cannot be read; the one before stays");
                    }
                }
            }
        }
        tracing::info!("stopping: no new connections, requests under way are answered");
        health.drain();
        trigger.fire();
        // The trigger must outlive the listeners: dropping it fires too, but says nothing else.
        std::future::pending::<()>().await;
    })
}
