use super::*;

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_closed_after_the_time_for_a_head() {
    let server = Server::start(Options::default());
    for said in ["", "G", "GET / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\nSM"] {
        let mut client = server.connect();
        let start = Instant::now();
        client.write_all(said.as_bytes()).await.unwrap();
        let seconds = closed_after(&mut client, start).await;
        assert!(is_about(seconds, 10.0), "{said:?}: {seconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_drips_is_closed_just_as_soon() {
    let server = Server::start(Options::default());
    for first in ["", GET] {
        let client = server.connect();
        let (mut from, mut to) = tokio::io::split(client);
        if !first.is_empty() {
            to.write_all(first.as_bytes()).await.unwrap();
            assert!(answer(&mut from).await.starts_with("HTTP/1.1 200"));
            // The connection was idle for a while, and its timer is set for later than the head's limit.
            sleep(Duration::from_secs(33)).await;
        }
        let start = Instant::now();
        let drip = tokio::spawn(async move {
            while to.write_all(b"a").await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        });
        let seconds = closed_after(&mut from, start).await;
        assert!(is_about(seconds, 10.0), "{first:?}: {seconds}");
        drop(from);
        drip.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_kept_for_the_idle_time_after_its_last_answer() {
    let server = Server::start(Options::default());
    let mut client = server.connect();
    for _ in 0..3 {
        assert!(ask(&mut client, GET).await.ends_with("\r\n\r\nok"));
        sleep(Duration::from_secs(74)).await;
    }
    assert!(ask(&mut client, GET).await.ends_with("ok"));
    let seconds = closed_after(&mut client, Instant::now()).await;
    assert!(is_about(seconds, 75.0), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_http_is_refused_at_once() {
    let server = Server::start(Options::default());
    for garbage in [
        "\u{16}\u{3}\u{1}\0\0\r\n\r\n",
        "hello\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        "GET / HTTP/1.1\r\na b: c\r\n\r\n",
    ] {
        let mut client = server.connect();
        let start = Instant::now();
        let said = ask(&mut client, garbage).await;
        assert!(said.starts_with("HTTP/1.1 400"), "{garbage:?}: {said:?}");
        assert!(closed_after(&mut client, start).await < 1.5, "{garbage:?}");
    }
}

/// A head with one line of so many bytes.
fn line_of(bytes: usize) -> String {
    format!(
        "GET / HTTP/1.1\r\nhost: x\r\na: {}\r\n\r\n",
        "b".repeat(bytes)
    )
}

/// A head of so many lines.
fn lines(count: usize) -> String {
    format!(
        "GET / HTTP/1.1\r\nhost: x\r\n{}\r\n",
        "a: b\r\n".repeat(count - 1)
    )
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_too_large_is_answered_with_431() {
    let server = Server::start(Options::default());
    for (request, status) in [
        (line_of(63 * 1024), 200),
        (line_of(64 * 1024), 431),
        (line_of(200 * 1024), 431),
        (lines(100), 200),
        (lines(101), 431),
    ] {
        let mut client = server.connect();
        let said = ask(&mut client, &request).await;
        assert!(
            said.starts_with(&format!("HTTP/1.1 {status}")),
            "{} bytes: {said}",
            request.len()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn limits_of_a_head_are_those_of_the_listener() {
    let server = Server::start(Options::default());
    let mut endless = server.connect();
    let said = ask(&mut endless, line_of(65 * 1024).trim_end()).await;
    assert!(
        said.starts_with("HTTP/1.1 431"),
        "without waiting for the head's end: {said}"
    );
    let smaller = Server::with_limits(|limits| limits.header_bytes = 1024);
    assert!(
        ask(&mut smaller.connect(), &line_of(900))
            .await
            .starts_with("HTTP/1.1 200")
    );
    assert!(
        ask(&mut smaller.connect(), &line_of(1024))
            .await
            .starts_with("HTTP/1.1 431")
    );
    let fewer = Server::with_limits(|limits| limits.header_lines = 3);
    assert!(
        ask(&mut fewer.connect(), &lines(3))
            .await
            .starts_with("HTTP/1.1 200")
    );
    assert!(
        ask(&mut fewer.connect(), &lines(4))
            .await
            .starts_with("HTTP/1.1 431")
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_answered_in_time() {
    let server = Server::start(Options::default());
    for (request, status) in [
        (
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nfour",
            408,
        ),
        (
            "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfour\r\n",
            408,
        ),
        (
            "POST /sleep/99 HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nfour",
            503,
        ),
        ("GET /sleep/99 HTTP/1.1\r\nhost: x\r\n\r\n", 503),
    ] {
        let mut client = server.connect();
        let start = Instant::now();
        let said = ask(&mut client, request).await;
        assert!(
            said.starts_with(&format!("HTTP/1.1 {status} "))
                && said.contains("application/problem+json"),
            "{request}: {said}"
        );
        assert!(
            said.ends_with('}') && said.contains(&format!("\"status\":{status},")),
            "{said}"
        );
        assert!(is_about(start.elapsed().as_secs_f64(), 30.0), "{request}");
        if status == 408 {
            assert!(
                closed_after(&mut client, start).await < 31.0,
                "the rest of the body is not waited for"
            );
        } else {
            assert!(
                ask(&mut client, GET).await.ends_with("ok"),
                "the connection is still good"
            );
        }
    }
    assert!(
        ask(
            &mut server.connect(),
            "GET /sleep/29 HTTP/1.1\r\nhost: x\r\n\r\n"
        )
        .await
        .ends_with("slept")
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_its_answer_is_cut() {
    let server = Server::start(Options::default());
    let mut client = server.connect();
    client
        .write_all(b"GET /big HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let start = Instant::now();
    while client.write_all(b"").await.is_ok() && client.write_u8(b'x').await.is_ok() {
        sleep(Duration::from_secs(1)).await;
        assert!(
            start.elapsed() < Duration::from_secs(32),
            "it is still open"
        );
    }
    assert!(
        start.elapsed() > Duration::from_secs(30),
        "it was given the time of a request"
    );
}

#[tokio::test(start_paused = true)]
async fn one_connection_too_many_waits_until_another_ends() {
    let server = Server::with_limits(|limits| limits.connections = 2);
    let (mut first, mut second, mut third) = (server.connect(), server.connect(), server.connect());
    assert!(ask(&mut first, GET).await.ends_with("ok"));
    assert!(ask(&mut second, GET).await.ends_with("ok"));
    third.write_all(GET.as_bytes()).await.unwrap();
    timeout(Duration::from_secs(60), answer(&mut third))
        .await
        .unwrap_err();
    drop(first);
    assert!(
        timeout(Duration::from_secs(1), answer(&mut third))
            .await
            .unwrap()
            .ends_with("ok")
    );
    assert_eq!(server.stop().await.accepted, 3);
}

#[tokio::test(start_paused = true)]
async fn failing_to_accept_is_survived_without_spinning() {
    const EMFILE: i32 = 24;
    let server = Server::start(Options::default());
    let start = Instant::now();
    for _ in 0..3 {
        server
            .wires
            .send(Err(io::Error::from_raw_os_error(EMFILE)))
            .unwrap();
    }
    server
        .wires
        .send(Err(io::ErrorKind::ConnectionAborted.into()))
        .unwrap();
    assert!(ask(&mut server.connect(), GET).await.ends_with("ok"));
    assert!(
        is_about(start.elapsed().as_secs_f64(), 0.350),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn requests_and_connections_are_counted() {
    let metrics = crate::observe::Metrics::new("0");
    let server = Server::start(Options {
        metrics: Some(metrics.listener(crate::observe::ListenerName::Gateway)),
        ..Options::default()
    });
    let mut client = server.connect();
    ask(&mut client, GET).await;
    ask(&mut client, "DELETE / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let open = "hallpass_http_connections{listener=\"gateway\"}";
    assert!(metrics.render().contains(&format!("{open} 1\n")));
    drop(client);
    server.stop().await;
    let text = metrics.render();
    for line in [
        format!("{open} 0"),
        "hallpass_http_requests_total{listener=\"gateway\",method=\"GET\",status=\"2xx\"} 1"
            .to_owned(),
        "hallpass_http_requests_total{listener=\"gateway\",method=\"DELETE\",status=\"4xx\"} 1"
            .to_owned(),
        "hallpass_http_request_seconds_count{listener=\"gateway\"} 2".to_owned(),
    ] {
        assert!(text.contains(&format!("{line}\n")), "{line}\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn idle_time_begins_when_the_answer_has_been_read() {
    let server = Server::start(Options::default());
    let mut client = server.connect();
    client
        .write_all(b"GET /big HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    sleep(Duration::from_secs(20)).await;
    assert!(answer(&mut client).await.len() > 8 * 1024 * 1024);
    let seconds = closed_after(&mut client, Instant::now()).await;
    assert!(is_about(seconds, 75.0), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_ends_is_cut() {
    let server = Server::start(Options::default());
    let mut client = server.connect();
    let start = Instant::now();
    assert!(
        ask(&mut client, "GET /endless HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 200")
    );
    let seconds = closed_after(&mut client, start).await;
    assert!((30.0..46.0).contains(&seconds), "{seconds}");
}

/// Two servers that read one head differently can be led to see two requests where one was sent.
#[tokio::test(start_paused = true)]
async fn a_head_that_could_be_read_in_two_ways_is_refused_and_the_connection_closed() {
    let server = Server::start(Options::default());
    for head in [
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n",
        "GET / HTTP/1.1\r\nhost: a b\r\n",
        "GET / HTTP/1.1\r\nhost: a/b@c\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, chunked\r\n",
    ] {
        let said = ask(&mut server.connect(), &format!("{head}\r\n")).await;
        assert!(said.starts_with("HTTP/1.1 400"), "{head}: {said}");
        assert!(
            said.to_lowercase().contains("connection: close"),
            "{head}: {said}"
        );
    }
    for head in [
        "GET / HTTP/1.0\r\n",
        "GET / HTTP/1.1\r\nhost: [::1]:4377\r\n",
    ] {
        let said = ask(&mut server.connect(), &format!("{head}\r\n")).await;
        assert!(said.contains(" 200"), "{head}: {said}");
    }
}
