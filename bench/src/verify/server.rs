//! The process that serves: the real services with their jobs, over a database in a folder of its own.

use anyhow::Context;
use axum::{Router, routing::any};
use hallpass_bench::people;
use hallpass_server::{
    app::App,
    clock::Clock,
    config::Config,
    entropy::SystemEntropy,
    jobs::Jobs,
    listen::{self, Listener, Options, with_peer},
    run,
};
use http::StatusCode;
use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    process::{self, Command, Stdio},
    sync::Arc,
};

/// The key of [`people::peppers`].
const PEPPER: &str = "p1:AQgPFh0kKzI5QEdOVVxjanF4f4aNlJuiqbC3vsXM09o=";

/// The serving process; it ends with this value.
pub(super) struct Child {
    process: process::Child,
    pub(super) verifying: SocketAddr,
    pub(super) answering: SocketAddr,
    pub(super) verifying_again: SocketAddr,
}

impl Child {
    pub(super) fn start(tokens: usize) -> anyhow::Result<Self> {
        let mut process = Command::new(env::current_exe()?)
            .args(["verify-serve", "--tokens", &tokens.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("no output")?).read_line(&mut line)?;
        let mut addresses = line.split_whitespace().map(str::parse);
        let mut next = || {
            addresses
                .next()
                .context("the server did not say where it listens")
        };
        let (verifying, answering, verifying_again) = (next()??, next()??, next()??);
        Ok(Self {
            process,
            verifying,
            answering,
            verifying_again,
        })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(super) fn serve(tokens: usize) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(serve_until_closed(tokens))
}

async fn serve_until_closed(tokens: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data").display().to_string();
    // The tokens of the deployment are made under this pepper.
    let pepper = |name: &str| (name == "HALLPASS_PEPPERS").then(|| PEPPER.to_owned());
    let config = Config::resolve(&BTreeMap::from([("data", data)]), pepper, None)?;
    let opened = run::open(&config, Clock::Wall, SystemEntropy::Os).await?;
    opened
        .services
        .engine
        .apply_all(people::deployment(tokens)?.changes)?;
    let [verifying, answering, verifying_again] =
        [(); 3].map(|()| Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))));
    let [verifying, answering, verifying_again] = [verifying?, answering?, verifying_again?];
    let app = run::app(&config, &opened.services, verifying.address());
    let (_trigger, shutdown) = listen::shutdown();
    let _jobs = Jobs::start(&opened.services, &app.health);
    writeln!(
        std::io::stdout(),
        "{} {} {}",
        verifying.address(),
        answering.address(),
        verifying_again.address()
    )?;
    let serve = |listener: Listener, router: Router| {
        tokio::spawn(listener.serve(with_peer(router), Options::default(), shutdown.clone()))
    };
    let serving = [
        serve(verifying, run::gateway_router(&app)),
        serve(answering, answers(&app)),
        serve(verifying_again, run::gateway_router(&app)),
    ];
    // The asking process closes our input when it ends, however it ends.
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()))
        .await??;
    drop(serving);
    drop(Arc::clone(&opened.services));
    Ok(())
}

/// The same stack, without the work.
fn answers(app: &App) -> Router {
    let nothing = any(async || StatusCode::NO_CONTENT);
    let router = Router::new()
        .route("/auth", nothing.clone())
        .route("/auth/{*rest}", nothing);
    run::guarded(router).with_state(app.clone())
}
