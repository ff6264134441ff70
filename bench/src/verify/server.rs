//! The process that serves: the real services with their jobs, over a database in a folder of its own.

use anyhow::{Context, ensure};
use axum::{Router, routing::any};
use futures_util::FutureExt;
use hallpass_bench::people;
use hallpass_domain::token::PlainToken;
use hallpass_server::{
    app::App,
    clock::Clock,
    config::Config,
    entropy::SystemEntropy,
    gateway::{self, Answer, Gateway, Said},
    jobs::Jobs,
    listen::{self, Listener, Options, Report, Shutdown, with_peer, with_service},
    observe::ListenerName,
    run,
};
use http::{HeaderValue, Request, StatusCode, header, request::Parts};
use hyper::service::Service;
use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    process::{self, Command, Stdio},
    sync::Arc,
};
use tokio::task::JoinHandle;

/// The key of [`people::peppers`].
const PEPPER: &str = "p1:AQgPFh0kKzI5QEdOVVxjanF4f4aNlJuiqbC3vsXM09o=";

/// The serving process; it ends with this value.
pub(super) struct Child {
    process: process::Child,
    /// As [`super::NAMES`] says.
    pub(super) addresses: [SocketAddr; super::NAMES.len()],
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
        let addresses = line.split_whitespace().map(str::parse);
        let addresses: Vec<SocketAddr> = addresses.collect::<Result<_, _>>()?;
        let addresses = addresses
            .try_into()
            .ok()
            .context("the server did not say where it listens")?;
        Ok(Self { process, addresses })
    }
}

impl Child {
    /// Processor time that the process has taken since its start, in seconds.
    pub(super) fn processor_seconds(&self) -> anyhow::Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // proc_pid_stat(5): after the name, which ends with the last parenthesis, fields 14 and 15 are the ticks spent
        // in the program and in the system.
        let (_, fields) = stat.rsplit_once(')').context("not the form of stat")?;
        let ticks: u64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(str::parse::<u64>)
            .sum::<Result<_, _>>()?;
        Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
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
    let deployment = people::deployment(tokens)?;
    opened.services.engine.apply_all(deployment.changes)?;
    let bind = || Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)));
    let listeners = [bind()?, bind()?, bind()?, bind()?, bind()?];
    let addresses = listeners.each_ref().map(Listener::address);
    let app = run::app(&config, &opened.services, addresses[0]);
    let token = deployment.tokens.first().context("no tokens")?;
    let repeat = same_headers(&app, token)?;
    let (_trigger, shutdown) = listen::shutdown();
    let _jobs = Jobs::start(&opened.services, &app.health);
    let options = Options {
        metrics: Some(opened.services.metrics.listener(ListenerName::Gateway)),
        ..Options::default()
    };
    let [verifying, routing, answering, repeating, again] = listeners;
    let routed = with_peer(Router::new().route("/auth", any(async || StatusCode::NO_CONTENT)));
    let serving = [
        tokio::spawn(routing.serve(routed, options.clone(), shutdown.clone())),
        start(verifying, gateway::service(&app), &options, &shutdown),
        start(
            answering,
            Gateway::new(without_looking),
            &options,
            &shutdown,
        ),
        start(repeating, Gateway::new(repeat), &options, &shutdown),
        start(again, gateway::service(&app), &options, &shutdown),
    ];
    let addresses = addresses.map(|address| address.to_string()).join(" ");
    writeln!(std::io::stdout(), "{addresses}")?;
    // The asking process closes our input when it ends, however it ends.
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()))
        .await??;
    drop(serving);
    drop(Arc::clone(&opened.services));
    Ok(())
}

fn start(
    listener: Listener,
    service: impl listen::Service + Clone,
    options: &Options,
    shutdown: &Shutdown,
) -> JoinHandle<Report> {
    tokio::spawn(listener.serve(with_service(service), options.clone(), shutdown.clone()))
}

/// The same stack, without the work.
fn without_looking(_: &Parts) -> Said {
    let mut nothing = Answer::default();
    *nothing.status_mut() = StatusCode::NO_CONTENT;
    Said::Now(nothing)
}

/// The same stack with the same headers, always those of one token.
fn same_headers(
    app: &App,
    token: &PlainToken,
) -> anyhow::Result<impl Fn(&Parts) -> Said + Clone + use<>> {
    let request = Request::builder()
        .uri("/auth")
        .header(header::AUTHORIZATION, format!("Bearer {}", token.expose()))
        .body(())?;
    let answer = gateway::service(app)
        .call(request)
        .now_or_never()
        .context("it waits")??;
    ensure!(answer.status() == StatusCode::NO_CONTENT, "it is refused");
    let mut headers = answer.headers().clone();
    for value in headers.values_mut() {
        // Leaked, since counting references to it would be work.
        *value = HeaderValue::from_static(value.to_str()?.to_owned().leak());
    }
    Ok(move |_: &Parts| {
        let mut answer = Answer::default();
        *answer.status_mut() = StatusCode::NO_CONTENT;
        *answer.headers_mut() = headers.clone();
        Said::Now(answer)
    })
}
