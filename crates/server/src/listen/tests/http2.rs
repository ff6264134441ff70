use super::*;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

type Client = SendRequest<Empty<Bytes>>;

/// A client, and a task that ends when the connection does.
async fn client(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> (Client, JoinHandle<hyper::Result<()>>) {
    let (client, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(io))
        .await
        .unwrap();
    (client, tokio::spawn(connection))
}

async fn get_with(
    client: &mut Client,
    path: &str,
    lines: impl Iterator<Item = (String, String)>,
) -> (u16, String) {
    let mut request = Request::builder().uri(format!("http://x{path}"));
    for (name, value) in lines {
        request = request.header(name, value);
    }
    let response = client
        .send_request(request.body(Empty::new()).unwrap())
        .await
        .unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

pub(super) async fn get_path(client: &mut Client, path: &str) -> (u16, String) {
    get_with(client, path, std::iter::empty()).await
}

#[tokio::test(start_paused = true)]
async fn http2_is_spoken_by_prior_knowledge() {
    let server = Server::start(Options::default());
    let (mut client, _connection) = client(server.connect()).await;
    assert_eq!(get_path(&mut client, "/").await, (200, "ok".to_owned()));
    assert_eq!(
        get_path(&mut client, "/peer").await,
        (200, "192.0.2.1 false".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_told_to_go() {
    let server = Server::start(Options::default());
    let (mut client, connection) = client(server.connect()).await;
    for _ in 0..3 {
        get_path(&mut client, "/").await;
        sleep(Duration::from_secs(74)).await;
    }
    get_path(&mut client, "/").await;
    let start = Instant::now();
    timeout(Duration::from_secs(3600), connection)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let seconds = start.elapsed().as_secs_f64();
    assert!(is_about(seconds, 75.0), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_go_is_cut() {
    let server = Server::start(Options::default());
    let client = server.connect();
    let start = Instant::now();
    let (mut from, mut to) = tokio::io::split(client);
    to.write_all(&[PREFACE, SETTINGS].concat()).await.unwrap();
    // Pings keep nothing open.
    let pings = tokio::spawn(async move {
        const PING: [u8; 17] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
        while to.write_all(&PING).await.is_ok() {
            sleep(Duration::from_secs(5)).await;
        }
    });
    let seconds = closed_after(&mut from, start).await;
    assert!((75.0..76.1).contains(&seconds), "{seconds}");
    drop(from);
    pings.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_answered_in_time() {
    let server = Server::start(Options::default());
    let (mut client, _connection) = client(server.connect()).await;
    let start = Instant::now();
    let (status, body) = get_path(&mut client, "/sleep/99").await;
    assert!(
        status == 503 && body.contains("\"code\":\"busy\""),
        "{body}"
    );
    assert!(is_about(start.elapsed().as_secs_f64(), 30.0));
    assert_eq!(
        get_path(&mut client, "/").await.0,
        200,
        "the connection is still good"
    );
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_too_large_is_answered_with_431() {
    let server = Server::start(Options::default());
    let (mut client, _connection) = client(server.connect()).await;
    for (count, bytes, status) in [
        (100, 1, 200),
        (101, 1, 431),
        (1, 60 * 1024, 200),
        (5, 14 * 1024, 431),
    ] {
        let lines = (0..count).map(|n| (format!("a{n}"), "b".repeat(bytes)));
        assert_eq!(
            get_with(&mut client, "/", lines).await.0,
            status,
            "{count} lines of {bytes} bytes"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn streams_that_are_opened_and_reset_end_the_connection() {
    let server = Server::start(Options::default());
    let mut client = server.connect();
    let mut said = [PREFACE, SETTINGS].concat();
    for stream in (1_u8..=251).step_by(2) {
        // HEADERS of GET http / with END_HEADERS and END_STREAM, then RST_STREAM with CANCEL.
        said.extend([0, 0, 3, 1, 5, 0, 0, 0, stream, 0x82, 0x86, 0x84]);
        said.extend([0, 0, 4, 3, 0, 0, 0, 0, stream, 0, 0, 0, 8]);
    }
    client.write_all(&said).await.unwrap();
    let start = Instant::now();
    let mut heard = Vec::new();
    let _ = timeout(Duration::from_secs(60), client.read_to_end(&mut heard)).await;
    assert!(start.elapsed() < Duration::from_secs(2), "it is still open");
    let goaway = [0, 0, 0, 0x0b];
    assert!(
        heard.windows(4).any(|window| window == goaway),
        "told ENHANCE_YOUR_CALM"
    );
}
