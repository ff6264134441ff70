//! Real sockets, where the wire matters.

use super::Server;
use hallpass_server::{
    gateway,
    listen::{self, Listener, Options, Trigger, with_peer, with_service},
    observe::ListenerName,
    run::people_router,
};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Listeners that serve until this is dropped.
pub(crate) struct Served {
    pub(crate) people: SocketAddr,
    pub(crate) gateway: SocketAddr,
    _trigger: Trigger,
}

impl Server {
    pub(crate) fn serve(&self) -> Served {
        let (trigger, shutdown) = listen::shutdown();
        let bind = || Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let (people, gateway) = (bind(), bind());
        let served = Served {
            people: people.address(),
            gateway: gateway.address(),
            _trigger: trigger,
        };
        let options = |name| Options {
            metrics: Some(self.services.metrics.listener(name)),
            ..Options::default()
        };
        tokio::spawn(people.serve(
            with_peer(people_router(&self.app)),
            options(ListenerName::People),
            shutdown.clone(),
        ));
        tokio::spawn(gateway.serve(
            with_service(gateway::service(&self.app)),
            options(ListenerName::Gateway),
            shutdown,
        ));
        served
    }
}

/// Sends bytes and reads until the other side closes. The request should say `Connection: close`.
pub(crate) async fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
