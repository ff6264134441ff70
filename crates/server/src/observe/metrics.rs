//! Numbers for Prometheus. Everything that is counted on the way of a request has its own handle from the
//! start: counting is an addition, without a look-up, a lock or an allocation.

use super::{histogram::Histogram, sharded::Count};
use hallpass_domain::verdict::{DenyReason, Verdict};
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::{Registry, Unit},
};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

type Labels<const N: usize> = [(&'static str, &'static str); N];

/// A list of words that a label can have.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant),* }

        impl $name {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The value of the label.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }
    };
}

words! {
    /// Through which door a verification was asked for.
    Door {
        /// `POST /v1/verify`.
        Rest = "rest",
        /// Forward-auth over HTTP.
        Gateway = "gateway",
        /// Envoy's ext_authz over gRPC.
        ExtAuthz = "ext_authz",
        /// OAuth's introspection.
        OAuth = "oauth",
        /// A request to Hallpass itself.
        Own = "own",
    }
}

words! {
    /// A listener.
    ListenerName {
        /// People, REST, OAuth and the dialects.
        People = "people",
        /// Gateways.
        Gateway = "gateway",
        /// Operations.
        Operations = "operations",
    }
}

words! {
    /// How a sign-in ended.
    SignIn {
        /// The person is in.
        Accepted = "accepted",
        /// Wrong address or password.
        Refused = "refused",
        /// Too many failures before.
        Throttled = "throttled",
        /// Too many sign-ins at once.
        Busy = "busy",
    }
}

/// How a verification ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There was a verdict.
    Verdict(Verdict),
    /// There was none, since this node may not answer now.
    Unavailable,
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        Self::Verdict(verdict)
    }
}

impl Outcome {
    const COUNT: usize = DenyReason::ALL.len() + 2;

    const fn index(self) -> usize {
        match self {
            Self::Verdict(Verdict::Allow) => 0,
            Self::Unavailable => 1,
            Self::Verdict(Verdict::Deny(reason)) => 2 + reason as usize,
        }
    }

    fn word(index: usize) -> &'static str {
        match index {
            0 => "allow",
            1 => "unavailable",
            reason => DenyReason::ALL
                .get(reason - 2)
                .map_or("", |reason| reason.word()),
        }
    }
}

const METHODS: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other",
];
const STATUSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The numbers of one listener.
#[derive(Clone, Debug)]
pub struct ListenerMetrics {
    requests: [[Count; STATUSES.len()]; METHODS.len()],
    seconds: Histogram,
    connections: Gauge,
}

impl ListenerMetrics {
    /// A request was answered with `status` after `time`.
    pub fn answered(&self, method: &http::Method, status: http::StatusCode, time: Duration) {
        let method = METHODS
            .iter()
            .position(|known| *known == method.as_str())
            .unwrap_or(METHODS.len() - 1);
        let status = usize::from(status.as_u16() / 100).clamp(1, STATUSES.len()) - 1;
        self.requests[method][status].inc();
        self.seconds.observe(time);
    }

    /// A connection was accepted.
    pub fn opened(&self) {
        self.connections.inc();
    }

    /// A connection has ended.
    pub fn closed(&self) {
        self.connections.dec();
    }
}

/// What the engine tells about itself, once a scrape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EngineFigures {
    /// Tokens held in memory.
    pub tokens: u64,
    /// Bytes of everything held in memory.
    pub bytes: u64,
    /// The last row of the feed that was applied.
    pub applied: u64,
    /// Notes of use that found their buffer full, since the start.
    pub uses_dropped: u64,
}

/// Every number there is.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    verifications: [[Count; Outcome::COUNT]; Door::ALL.len()],
    listeners: [Arc<ListenerMetrics>; ListenerName::ALL.len()],
    sign_ins: [Counter; SignIn::ALL.len()],
    tokens: Gauge,
    engine_bytes: Gauge,
    feed_applied: Gauge,
    uses_dropped: Counter,
}

impl Metrics {
    /// All numbers at zero.
    pub fn new(version: &'static str) -> Self {
        let mut registry = Registry::with_prefix("hallpass");
        registry.register(
            "build",
            "The version that runs",
            Info::new([("version", version)]),
        );
        Self {
            verifications: register_verifications(&mut registry),
            listeners: register_listeners(&mut registry),
            sign_ins: register_sign_ins(&mut registry),
            tokens: gauge(&mut registry, "tokens", "Tokens held in memory"),
            engine_bytes: gauge(
                &mut registry,
                "engine_bytes",
                "Memory held by what verifications look at, in bytes",
            ),
            feed_applied: gauge(
                &mut registry,
                "feed_applied",
                "The last change that this node has applied",
            ),
            uses_dropped: {
                let counter = Counter::default();
                registry.register(
                    "uses_dropped",
                    "Notes of use that found no room",
                    counter.clone(),
                );
                counter
            },
            registry,
        }
    }

    /// A verification ended.
    pub fn verified(&self, door: Door, outcome: impl Into<Outcome>) {
        self.verifications[door as usize][outcome.into().index()].inc();
    }

    /// A sign-in ended.
    pub fn signed_in(&self, how: SignIn) {
        self.sign_ins[how as usize].inc();
    }

    /// The numbers of one listener.
    pub fn listener(&self, name: ListenerName) -> Arc<ListenerMetrics> {
        Arc::clone(&self.listeners[name as usize])
    }

    /// Takes over what the engine tells, before [`Self::render`].
    pub fn set_engine(&self, figures: EngineFigures) {
        let whole = |figure: u64| i64::try_from(figure).unwrap_or(i64::MAX);
        self.tokens.set(whole(figures.tokens));
        self.engine_bytes.set(whole(figures.bytes));
        self.feed_applied.set(whole(figures.applied));
        self.uses_dropped
            .inner()
            .store(figures.uses_dropped, Ordering::Relaxed);
    }

    /// All numbers as OpenMetrics text; its media type is [`Self::MEDIA_TYPE`].
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// The media type of [`Self::render`].
    pub const MEDIA_TYPE: &'static str =
        "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}

fn register_verifications(registry: &mut Registry) -> [[Count; Outcome::COUNT]; Door::ALL.len()] {
    let family = Family::<Labels<2>, Count>::default();
    registry.register(
        "verifications",
        "Verifications by door and verdict",
        family.clone(),
    );
    std::array::from_fn(|door| {
        std::array::from_fn(|outcome| {
            family.get_or_create_owned(&[
                ("door", Door::ALL[door].word()),
                ("verdict", Outcome::word(outcome)),
            ])
        })
    })
}

fn register_listeners(registry: &mut Registry) -> [Arc<ListenerMetrics>; ListenerName::ALL.len()] {
    let requests = Family::<Labels<3>, Count>::default();
    let seconds = Family::<Labels<1>, Histogram>::default();
    let connections = Family::<Labels<1>, Gauge>::default();
    registry.register(
        "http_requests",
        "Requests that were answered",
        requests.clone(),
    );
    registry.register_with_unit(
        "http_request",
        "Time from a request's head to the end of its answer",
        Unit::Seconds,
        seconds.clone(),
    );
    registry.register(
        "http_connections",
        "Connections that are open",
        connections.clone(),
    );
    std::array::from_fn(|index| {
        let listener = ("listener", ListenerName::ALL[index].word());
        Arc::new(ListenerMetrics {
            requests: std::array::from_fn(|method| {
                std::array::from_fn(|status| {
                    requests.get_or_create_owned(&[
                        listener,
                        ("method", METHODS[method]),
                        ("status", STATUSES[status]),
                    ])
                })
            }),
            seconds: seconds.get_or_create_owned(&[listener]),
            connections: connections.get_or_create_owned(&[listener]),
        })
    })
}

fn register_sign_ins(registry: &mut Registry) -> [Counter; SignIn::ALL.len()] {
    let family = Family::<Labels<1>, Counter>::default();
    registry.register("sign_ins", "Sign-ins by how they ended", family.clone());
    std::array::from_fn(|index| {
        family.get_or_create_owned(&[("outcome", SignIn::ALL[index].word())])
    })
}
