//! Listeners: own accept loops, since every wait on a stranger needs an end and `axum::serve` has none.
//!
//! What is bounded, by [`Limits`]: connections; the time for a TLS handshake, for the first bytes, for each
//! request's head and for the whole request; the size of the head and its lines; idle connections of both
//! protocols; HTTP/2 streams, windows and resets; and the time a stop waits. One task a connection, one timer
//! each; a request that is answered at once sets none.
//!
//! Several listeners run side by side under one [`Shutdown`]:
//!
//! ```no_run
//! # async fn main_() -> std::io::Result<()> {
//! use hallpass_server::listen::{self, Listener, Options};
//! let (trigger, shutdown) = listen::shutdown();
//! let people = Listener::bind("127.0.0.1:4377".parse().unwrap())?;
//! let gateway = Listener::bind("127.0.0.1:4378".parse().unwrap())?;
//! let router = axum::Router::<()>::new();
//! let both = async {
//!     tokio::join!(
//!         people.serve(listen::with_peer(router.clone()), Options::default(), shutdown.clone()),
//!         gateway.serve(listen::with_peer(router), Options::default(), shutdown),
//!     )
//! };
//! // On SIGTERM: trigger.fire();
//! # drop(trigger); both.await; Ok(()) }
//! ```

mod accept;
mod activity;
mod connection;
mod door;
mod io;

pub use door::RequestBody;

use crate::{observe::ListenerMetrics, tls::Certificates};
use bytes::Bytes;
use hallpass_domain::limits;
use http::{Request, Response};
use hyper::body::Body;
use hyper_util::service::TowerToHyperService;
use std::{convert::Infallible, error::Error, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
};

/// Connections that the kernel holds for us while all of ours are taken.
const BACKLOG: u32 = 1_024;

/// Who is at the other end of a connection; in the extensions of each request that [`with_peer`] passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address: of a proxy, if one is in between. IPv4 in IPv6 is told as IPv4.
    pub address: SocketAddr,
    /// Whether it speaks TLS to us.
    pub tls: bool,
}

/// The bounds of a listener.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections open at once; more wait in the kernel's queue.
    pub connections: usize,
    /// For a TLS handshake, for a new connection's first request, and for each further request's head once it
    /// has begun.
    pub header: Duration,
    /// Bytes of a request's head.
    pub header_bytes: usize,
    /// Lines of a request's head.
    pub header_lines: usize,
    /// For a request to be read and answered.
    pub request: Duration,
    /// For a connection without a request.
    pub idle: Duration,
    /// For requests under way when the listener stops.
    pub drain: Duration,
    /// Streams open at once on one HTTP/2 connection.
    pub http2_streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: limits::CONNECTIONS_MAX,
            header: Duration::from_secs(limits::HEADER_SECONDS_MAX),
            header_bytes: limits::HEADER_BYTES_MAX,
            header_lines: limits::HEADER_LINES_MAX,
            request: Duration::from_secs(limits::REQUEST_SECONDS_MAX),
            idle: Duration::from_secs(limits::IDLE_SECONDS_MAX),
            drain: Duration::from_secs(limits::DRAIN_SECONDS_MAX),
            http2_streams: limits::HTTP2_STREAMS_MAX,
        }
    }
}

/// How a listener serves.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Its bounds.
    pub limits: Limits,
    /// The certificate, if it speaks TLS.
    pub tls: Option<Arc<Certificates>>,
    /// Where it counts.
    pub metrics: Option<Arc<ListenerMetrics>>,
}

/// What a listener did, told when it has stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Connections it accepted.
    pub accepted: u64,
    /// Connections that were cut in the middle of a request, since the time for draining was over.
    pub cut: usize,
}

/// What answers requests.
pub trait Service:
    hyper::service::Service<
        Request<RequestBody>,
        Response = Response<Self::Reply>,
        Error = Infallible,
        Future: Send,
    > + Send
    + Sync
    + Unpin
    + 'static
{
    /// The body of its answers.
    type Reply: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static;
}

impl<S, B> Service for S
where
    S: hyper::service::Service<
            Request<RequestBody>,
            Response = Response<B>,
            Error = Infallible,
            Future: Send,
        > + Send
        + Sync
        + Unpin
        + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    type Reply = B;
}

/// Makes of an axum router what [`Listener::serve`] takes: each connection gets a router that puts its
/// [`Peer`] into the extensions of every request.
pub fn with_peer(
    router: axum::Router,
) -> impl Fn(Peer) -> TowerToHyperService<axum::Router> + Send + Sync + 'static {
    move |peer| TowerToHyperService::new(router.clone().layer(axum::Extension(peer)))
}

/// Makes of a service that needs no [`Peer`] what [`Listener::serve`] takes.
pub fn with_service<S: Service + Clone>(service: S) -> impl Fn(Peer) -> S + Send + Sync + 'static {
    move |_| service.clone()
}

/// The signal to stop, for any number of listeners. Dropping it is the same as firing it.
#[derive(Debug)]
pub struct Trigger(watch::Sender<bool>);

impl Trigger {
    /// Stops every listener that holds the other half.
    pub fn fire(&self) {
        self.0.send_replace(true);
    }
}

/// The other half of a [`Trigger`].
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// Waits for the signal.
    pub async fn fired(&mut self) {
        // An error means that nobody is left who could fire.
        let _ = self.0.wait_for(|fired| *fired).await;
    }
}

/// A signal to stop and what waits for it.
pub fn shutdown() -> (Trigger, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (Trigger(sender), Shutdown(receiver))
}

/// A bound address, not yet served.
#[derive(Debug)]
pub struct Listener {
    inner: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Binds `address`; port 0 takes any free one. From here on connections queue up.
    ///
    /// # Errors
    /// What the system says: the address is in use, or not ours.
    pub fn bind(address: SocketAddr) -> std::io::Result<Self> {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        // A restart must not wait for the last minute's connections to be forgotten.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let inner = socket.listen(BACKLOG)?;
        let address = inner.local_addr()?;
        Ok(Self { inner, address })
    }

    /// The address that was bound, with its port.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves connections, each with a service of its own from `make`, until `shutdown`; then waits for the
    /// requests under way, for [`Limits::drain`] at most.
    pub async fn serve<M, S>(self, make: M, options: Options, shutdown: Shutdown) -> Report
    where
        M: Fn(Peer) -> S + Send + Sync + 'static,
        S: Service,
    {
        accept::serve(self, make, options, shutdown).await
    }
}

impl accept::Accept for Listener {
    type Io = TcpStream;

    async fn accept(&self) -> std::io::Result<(TcpStream, SocketAddr)> {
        let (stream, address) = self.inner.accept().await?;
        // Answers are small and whole: waiting to join them with more would only delay them.
        stream.set_nodelay(true)?;
        Ok((
            stream,
            SocketAddr::new(address.ip().to_canonical(), address.port()),
        ))
    }
}

#[cfg(test)]
mod tests;
