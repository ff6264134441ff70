//! One connection, from the handshake to its end.

use super::{
    Limits, Options, Peer, Service,
    activity::{Activity, Next, Protocol, Watch, Why},
    door::{Door, Reply},
    io::{FirstBytes, Watched},
};
use hyper::{
    rt::{Read, Write},
    server::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{
    fmt,
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{Instant, sleep_until, timeout},
};
use tokio_rustls::TlsAcceptor;

/// Bytes an HTTP/2 client may send ahead, on one stream and on all: a stream gets further once what it sent
/// has been read.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 256 * 1024;
/// Bytes of an answer that wait for a slow client, for each stream.
const STREAM_SEND_BYTES: usize = 64 * 1024;
/// Streams a client may open and reset before we have looked at them (CVE-2023-44487).
const PENDING_RESETS_MAX: usize = 20;
/// Streams that we had to reset since the client broke the protocol on them.
const OWN_RESETS_MAX: usize = 100;
/// The least that HTTP/1 buffers.
const HTTP1_BUFFER_BYTES_MIN: usize = 8 * 1024;
/// What a refused request still sends is thrown away, so that its client gets to read the refusal.
const LINGER_BYTES_MAX: u64 = 1024 * 1024;
const LINGER: Duration = Duration::from_secs(1);

/// How a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// The client was done, or we were and said so.
    Clean,
    /// The handshake failed.
    Handshake(std::io::Error),
    /// We had enough.
    Ours(Why),
    /// The socket or the protocol failed.
    Failed(hyper::Error),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clean => f.write_str("in good order"),
            Self::Handshake(error) => write!(f, "in the handshake: {error}"),
            Self::Ours(why) => why.fmt(f),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

/// Serves one connection until it ends.
pub(super) async fn run<I, M, S>(
    io: I,
    address: SocketAddr,
    make: &M,
    options: &Options,
    activity: Arc<Activity>,
) -> End
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    M: Fn(Peer) -> S,
    S: Service,
{
    let peer = Peer {
        address,
        tls: options.tls.is_some(),
    };
    let Some(certificates) = &options.tls else {
        return serve(io, make(peer), peer, &options.limits, activity).await;
    };
    let handshake = TlsAcceptor::from(certificates.current()).accept(io);
    match before_stop(handshake, &activity, options.limits.header).await {
        Ok(Ok(io)) => Box::pin(serve(io, make(peer), peer, &options.limits, activity)).await,
        Ok(Err(error)) => {
            tracing::info!(peer = %address, %error, "a TLS handshake failed");
            End::Handshake(error)
        }
        Err(why) => End::Ours(why),
    }
}

/// `future`, if it is done within `limit` and before a stop.
async fn before_stop<F: Future>(
    future: F,
    activity: &Activity,
    limit: Duration,
) -> Result<F::Output, Why> {
    let mut future = pin!(timeout(limit, future));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(done.map_err(|_| Why::SlowHead)),
        Poll::Pending if activity.is_stopping(cx.waker()) => Poll::Ready(Err(Why::Stopped)),
        Poll::Pending => Poll::Pending,
    })
    .await
}

async fn serve<I, S>(
    mut io: I,
    service: S,
    peer: Peer,
    limits: &Limits,
    activity: Arc<Activity>,
) -> End
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service,
{
    let first = match before_stop(FirstBytes::read(&mut io), &activity, limits.header).await {
        Ok(Ok(Some(first))) => first,
        Ok(Ok(None) | Err(_)) => return End::Clean,
        Err(why) => return End::Ours(why),
    };
    let protocol = if first.are_http2() {
        Protocol::Http2
    } else {
        Protocol::Http1
    };
    let door = Door::new(service, peer, protocol, limits, Arc::clone(&activity));
    let io = TokioIo::new(Watched::new(io, first, Arc::clone(&activity)));
    let watch = Watch::new(&activity, limits, protocol);
    match protocol {
        Protocol::Http1 => serve_http1(io, door, watch, limits).await,
        Protocol::Http2 => {
            let mut connection = pin!(http2_builder(limits).serve_connection(io, door));
            drive(connection.as_mut(), watch, &activity).await
        }
    }
}

async fn serve_http1<I, S>(
    io: TokioIo<Watched<I>>,
    door: Door<S>,
    watch: Watch<'_>,
    limits: &Limits,
) -> End
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service,
{
    let activity = door.activity();
    let mut connection = http1_builder(limits).serve_connection(io, door);
    let end = drive(Pin::new(&mut connection), watch, &activity).await;
    if matches!(&end, End::Failed(error) if error.is_parse() || error.is_parse_too_large()) {
        linger(connection.into_parts().io.into_inner().into_inner()).await;
    }
    end
}

/// Closes a connection on which a request was refused before all of it was read. Closing at once would make
/// the system throw away the refusal too.
async fn linger<I: AsyncRead + AsyncWrite + Unpin>(mut io: I) {
    let _ = timeout(LINGER, async {
        io.shutdown().await?;
        tokio::io::copy(&mut io.take(LINGER_BYTES_MAX), &mut tokio::io::sink()).await
    })
    .await;
}

fn http1_builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    // Our own watch bounds the head, since hyper's would also end idle connections after the same time.
    builder.header_read_timeout(None);
    builder.max_header_size(limits.header_bytes);
    builder.max_buf_size(limits.header_bytes.max(HTTP1_BUFFER_BYTES_MIN));
    // Saying what is the default anyway would cost an allocation for each request.
    if limits.header_lines != hallpass_domain::limits::HEADER_LINES_MAX {
        builder.max_headers(limits.header_lines);
    }
    builder
}

fn http2_builder(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .max_concurrent_streams(limits.http2_streams)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(STREAM_SEND_BYTES)
        .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
        .max_local_error_reset_streams(OWN_RESETS_MAX);
    builder
}

/// A connection of either protocol.
trait Connection: Future<Output = hyper::Result<()>> {
    /// Takes no further requests, and ends when those under way are answered.
    fn say_goodbye(self: Pin<&mut Self>);
}

impl<I: Read + Write + Unpin + 'static, S: Service> Connection for http1::Connection<I, Door<S>> {
    fn say_goodbye(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I: Read + Write + Unpin + 'static, S: Service> Connection
    for http2::Connection<I, Door<S>, TokioExecutor>
where
    Reply<S::Reply>: Send,
{
    fn say_goodbye(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// Polls a connection until it ends, the watch ends it, or a stop has let it finish.
async fn drive<C: Connection>(
    mut connection: Pin<&mut C>,
    mut watch: Watch<'_>,
    activity: &Activity,
) -> End {
    let mut timer = pin!(sleep_until(Instant::now()));
    let (mut stopping, mut said_goodbye) = (false, false);
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(result) = connection.as_mut().poll(cx) {
                return Poll::Ready(result.map_or_else(End::Failed, |()| End::Clean));
            }
            stopping = stopping || activity.is_stopping(cx.waker());
            if stopping && !said_goodbye && watch.may_say_goodbye() {
                said_goodbye = true;
                connection.as_mut().say_goodbye();
                continue;
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            match watch.next(Instant::now()) {
                Next::LookAt(then) => timer.as_mut().reset(then),
                Next::SayGoodbye => connection.as_mut().say_goodbye(),
                Next::Close(why) => return Poll::Ready(End::Ours(why)),
            }
        }
    })
    .await
}
