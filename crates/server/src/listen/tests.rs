//! What strangers may do to a listener, and for how long. Time stands still here but for what is waited for,
//! and the wires are in memory, so each limit is met to the microsecond.

use super::{accept::Accept, *};
use axum::{Extension, Router, extract::Path, routing::get};
use std::{io, sync::atomic::AtomicU16};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream},
    sync::{Mutex, mpsc},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

mod http1;
mod http2;
mod sockets;
mod stop;

const GET: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
/// Bytes that a wire in memory holds.
const WIRE_BYTES: usize = 256 * 1024;

fn endless() -> futures_util::stream::Pending<io::Result<Bytes>> {
    futures_util::stream::pending()
}

fn router() -> Router {
    let sleeps = |Path(seconds): Path<u64>| async move {
        sleep(Duration::from_secs(seconds)).await;
        "slept"
    };
    Router::new()
        .route(
            "/",
            get(|| async { "ok" }).post(|body: Bytes| async move { body.len().to_string() }),
        )
        .route(
            "/sleep/{seconds}",
            get(sleeps).post(move |path, _body: Bytes| sleeps(path)),
        )
        .route(
            "/endless",
            get(|| async { axum::body::Body::from_stream(endless()) }),
        )
        .route("/big", get(|| async { "x".repeat(8 * 1024 * 1024) }))
        .route(
            "/peer",
            get(|Extension(peer): Extension<Peer>| async move {
                format!("{} {}", peer.address.ip(), peer.tls)
            }),
        )
}

/// Where the listener under test gets its connections, and failures to get one.
struct Wires(
    Mutex<mpsc::UnboundedReceiver<io::Result<DuplexStream>>>,
    AtomicU16,
);

impl Accept for Wires {
    type Io = DuplexStream;

    async fn accept(&self) -> io::Result<(DuplexStream, SocketAddr)> {
        let next = self.0.lock().await.recv().await;
        let Some(next) = next else {
            return std::future::pending().await;
        };
        let port = self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok((next?, SocketAddr::from(([192, 0, 2, 1], port))))
    }
}

struct Server {
    wires: mpsc::UnboundedSender<io::Result<DuplexStream>>,
    trigger: Trigger,
    served: JoinHandle<Report>,
}

impl Server {
    fn start(options: Options) -> Self {
        let (wires, receiver) = mpsc::unbounded_channel();
        let (trigger, shutdown) = shutdown();
        let source = Wires(Mutex::new(receiver), AtomicU16::new(1));
        let served = tokio::spawn(accept::serve(
            source,
            with_peer(router()),
            options,
            shutdown,
        ));
        Self {
            wires,
            trigger,
            served,
        }
    }

    fn with_limits(change: impl FnOnce(&mut Limits)) -> Self {
        let mut options = Options::default();
        change(&mut options.limits);
        Self::start(options)
    }

    fn connect(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(WIRE_BYTES);
        self.wires.send(Ok(theirs)).unwrap();
        ours
    }

    async fn stop(self) -> Report {
        self.trigger.fire();
        self.served.await.unwrap()
    }
}

/// Reads one answer: its head and as much body as that announces.
async fn answer(io: &mut (impl AsyncRead + Unpin)) -> String {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        let Ok(byte) = io.read_u8().await else {
            return text;
        };
        text.push(char::from(byte));
    }
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    io.read_exact(&mut body).await.unwrap();
    text + std::str::from_utf8(&body).unwrap()
}

async fn ask(io: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> String {
    io.write_all(request.as_bytes()).await.unwrap();
    answer(io).await
}

/// Seconds from `since` until the other end closes; what it still sends is thrown away.
async fn closed_after(io: &mut (impl AsyncRead + Unpin), since: Instant) -> f64 {
    // Whether it closes in good order or not is told elsewhere; an hour stands for never.
    let _ = timeout(
        Duration::from_secs(3600),
        tokio::io::copy(io, &mut tokio::io::sink()),
    )
    .await;
    since.elapsed().as_secs_f64()
}

/// Whether `seconds` is `limit`, but for the timer's grain of a millisecond for each time it is set.
fn is_about(seconds: f64, limit: f64) -> bool {
    (limit - 0.001..limit + 0.05).contains(&seconds)
}
