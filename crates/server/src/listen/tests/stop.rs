use super::*;

#[tokio::test(start_paused = true)]
async fn a_stop_lets_requests_finish_and_closes_what_is_idle() {
    let server = Server::start(Options::default());
    let (mut fresh, mut idle, mut busy) = (server.connect(), server.connect(), server.connect());
    ask(&mut idle, GET).await;
    busy.write_all(b"GET /sleep/15 HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    sleep(Duration::from_secs(1)).await;
    let start = Instant::now();
    let stopped = tokio::spawn(server.stop());
    assert!(closed_after(&mut fresh, start).await < 0.1);
    assert!(closed_after(&mut idle, start).await < 0.1);
    let said = answer(&mut busy).await;
    assert!(
        said.ends_with("slept") && said.contains("connection: close\r\n"),
        "{said}"
    );
    assert_eq!(
        stopped.await.unwrap(),
        Report {
            accepted: 3,
            cut: 0
        }
    );
    assert!(
        is_about(start.elapsed().as_secs_f64(), 14.0),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_head_that_has_begun_is_still_answered() {
    let server = Server::start(Options::default());
    let mut client = server.connect();
    ask(&mut client, GET).await;
    client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let stopped = tokio::spawn(server.stop());
    sleep(Duration::from_secs(1)).await;
    let said = ask(&mut client, "host: x\r\n\r\n").await;
    assert!(said.ends_with("ok"), "{said}");
    assert_eq!(stopped.await.unwrap().cut, 0);
}

#[tokio::test(start_paused = true)]
async fn what_takes_longer_than_the_drain_is_cut_and_counted() {
    let server = Server::start(Options::default());
    let (mut slow, _silent) = (server.connect(), server.connect());
    slow.write_all(b"GET /sleep/25 HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    sleep(Duration::from_secs(1)).await;
    let start = Instant::now();
    let report = server.stop().await;
    assert_eq!(
        report,
        Report {
            accepted: 2,
            cut: 1
        }
    );
    assert!(is_about(start.elapsed().as_secs_f64(), 20.0));
    assert_eq!(answer(&mut slow).await, "");
}

#[tokio::test(start_paused = true)]
async fn http2_finishes_its_streams_and_takes_no_more() {
    let server = Server::start(Options::default());
    let (mut client, connection) = hyper::client::conn::http2::handshake(
        hyper_util::rt::TokioExecutor::new(),
        hyper_util::rt::TokioIo::new(server.connect()),
    )
    .await
    .unwrap();
    let connection = tokio::spawn(connection);
    let mut other = client.clone();
    let busy = tokio::spawn(async move { http2::get_path(&mut other, "/sleep/5").await });
    http2::get_path(&mut client, "/").await;
    let report = server.stop().await;
    assert_eq!(report.cut, 0);
    assert_eq!(busy.await.unwrap(), (200, "slept".to_owned()));
    connection.await.unwrap().unwrap();
    let request = Request::builder()
        .uri("http://x/")
        .body(http_body_util::Empty::<Bytes>::new())
        .unwrap();
    assert!(client.send_request(request).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn dropping_the_trigger_stops_too() {
    let server = Server::start(Options::default());
    drop(server.trigger);
    assert_eq!(server.served.await.unwrap(), Report::default());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_its_client_is_still_reading_is_not_cut_short() {
    let server = Server::start(Options::default());
    let mut client = server.connect();
    client
        .write_all(b"GET /big HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    sleep(Duration::from_secs(1)).await;
    let stopped = tokio::spawn(server.stop());
    sleep(Duration::from_secs(10)).await;
    let mut said = Vec::new();
    client.read_to_end(&mut said).await.unwrap();
    assert!(said.len() > 8 * 1024 * 1024, "{}", said.len());
    assert_eq!(stopped.await.unwrap().cut, 0);
}
