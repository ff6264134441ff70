//! The same over real sockets: binding, TLS, and several listeners at once.

use super::*;
use crate::{config::TlsFiles, tls::Certificates};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

fn bind() -> Listener {
    Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap()
}

#[tokio::test]
async fn three_listeners_run_side_by_side_until_one_signal() {
    let (trigger, shutdown) = shutdown();
    let listeners = [bind(), bind(), bind()];
    let addresses = listeners.each_ref().map(Listener::address);
    let served = listeners.map(|listener| {
        tokio::spawn(listener.serve(with_peer(router()), Options::default(), shutdown.clone()))
    });
    let mut clients = Vec::new();
    for address in addresses {
        let mut client = TcpStream::connect(address).await.unwrap();
        let said = ask(&mut client, "GET /peer HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(said.ends_with("127.0.0.1 false"), "{said}");
        clients.push(client);
    }
    trigger.fire();
    for listener in served {
        assert_eq!(
            listener.await.unwrap(),
            Report {
                accepted: 1,
                cut: 0
            }
        );
    }
    drop(clients);
    for address in addresses {
        TcpStream::connect(address).await.unwrap_err();
        // Although the system still remembers a connection that we closed there.
        Listener::bind(address).unwrap();
    }
}

#[tokio::test]
async fn an_address_in_use_is_an_error() {
    let first = bind();
    assert_eq!(
        Listener::bind(first.address()).unwrap_err().kind(),
        io::ErrorKind::AddrInUse
    );
}

#[tokio::test]
async fn a_refused_client_gets_to_read_why_even_if_it_sent_more() {
    let (_trigger, shutdown) = shutdown();
    let listener = bind();
    let address = listener.address();
    tokio::spawn(listener.serve(with_peer(router()), Options::default(), shutdown));
    // What fits into the sockets' buffers would hide that nobody reads it.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(16 * 1024).unwrap();
    let mut client = socket.connect(address).await.unwrap();
    let head = format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "b".repeat(900 * 1024));
    let said = ask(&mut client, &head).await;
    assert!(said.starts_with("HTTP/1.1 431"), "{said:?}");
}

/// Writes a new certificate into `folder` and gives it back.
fn new_certificate(folder: &std::path::Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("c.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("k.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.der().clone()
}

async fn connect_tls(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
    protocol: &str,
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let tcp = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config))
        .connect(ServerName::try_from("localhost").unwrap(), tcp)
        .await
}

#[tokio::test]
async fn tls_is_spoken_and_a_new_certificate_is_used_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = new_certificate(folder.path());
    let certificates = Certificates::load(TlsFiles {
        certificate: folder.path().join("c.pem"),
        key: folder.path().join("k.pem"),
    })
    .unwrap();
    let (trigger, shutdown) = shutdown();
    let listener = bind();
    let address = listener.address();
    let options = Options {
        tls: Some(Arc::clone(&certificates)),
        ..Options::default()
    };
    let served = tokio::spawn(listener.serve(with_peer(router()), options, shutdown));

    let mut old = connect_tls(address, &first, "http/1.1").await.unwrap();
    let peer = "GET /peer HTTP/1.1\r\nhost: x\r\n\r\n";
    assert!(ask(&mut old, peer).await.ends_with("127.0.0.1 true"));
    let stream = connect_tls(address, &first, "h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut client, connection) = hyper::client::conn::http2::handshake(
        hyper_util::rt::TokioExecutor::new(),
        hyper_util::rt::TokioIo::new(stream),
    )
    .await
    .unwrap();
    tokio::spawn(connection);
    assert_eq!(
        http2::get_path(&mut client, "/peer").await.1,
        "127.0.0.1 true"
    );

    let second = new_certificate(folder.path());
    certificates.reload().unwrap();
    connect_tls(address, &first, "http/1.1").await.unwrap_err();
    let mut new = connect_tls(address, &second, "http/1.1").await.unwrap();
    assert!(ask(&mut new, peer).await.ends_with("true"));
    assert!(
        ask(&mut old, peer).await.ends_with("true"),
        "open connections keep the old one"
    );

    drop((old, new, client));
    trigger.fire();
    assert_eq!(
        served.await.unwrap(),
        Report {
            accepted: 4,
            cut: 0
        }
    );
}

#[tokio::test]
async fn plain_http_on_a_tls_listener_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    new_certificate(folder.path());
    let certificates = Certificates::load(TlsFiles {
        certificate: folder.path().join("c.pem"),
        key: folder.path().join("k.pem"),
    })
    .unwrap();
    let (_trigger, shutdown) = shutdown();
    let listener = bind();
    let address = listener.address();
    tokio::spawn(listener.serve(
        with_peer(router()),
        Options {
            tls: Some(certificates),
            ..Options::default()
        },
        shutdown,
    ));
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(GET.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    let _ = client.read_to_end(&mut said).await;
    assert!(!said.starts_with(b"HTTP"), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_never_ends_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    new_certificate(folder.path());
    let certificates = Certificates::load(TlsFiles {
        certificate: folder.path().join("c.pem"),
        key: folder.path().join("k.pem"),
    })
    .unwrap();
    let server = Server::start(Options {
        tls: Some(certificates),
        ..Options::default()
    });
    let mut client = server.connect();
    let start = Instant::now();
    client.write_all(&[0x16, 3, 1]).await.unwrap();
    let seconds = closed_after(&mut client, start).await;
    assert!(is_about(seconds, 10.0), "{seconds}");
}
