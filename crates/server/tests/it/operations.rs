//! What the listener for operations tells, and how.

use crate::kit::{Actor, Server, exchange};
use hallpass_server::operations;

fn operator(server: &Server) -> Actor {
    Actor::new(operations::router().with_state(server.app.clone()))
}

#[tokio::test]
async fn a_node_that_does_not_answer_is_not_ready() {
    let server = Server::sqlite().await;
    let operator = operator(&server);
    let ready = async || {
        let answer = operator.get("/readyz").await;
        (answer.status, answer.text())
    };
    assert_eq!(
        ready().await,
        (503, "not ready: starting\n".to_owned()),
        "nobody said so yet"
    );
    server.app.health.set_ready();
    assert_eq!(ready().await, (200, "ready\n".to_owned()));
    server.services.engine.set_answering(false);
    assert_eq!(
        ready().await,
        (
            503,
            "not ready: verifications are not answered\n".to_owned()
        )
    );
    assert_eq!(operator.get("/healthz").await.status, 200, "it lives");
    server.services.engine.set_answering(true);
    assert_eq!(ready().await.0, 200);
}

#[tokio::test]
async fn no_browser_does_anything_with_its_answers() {
    let server = Server::sqlite().await;
    let operator = operator(&server);
    for (method, path, status) in [
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 503),
        ("GET", "/metrics", 200),
        ("POST", "/metrics", 405),
        ("GET", "/nothing", 404),
    ] {
        let answer = operator.send(method, path, None, "").await;
        assert_eq!(answer.status, status, "{method} {path}");
        answer.does_nothing_in_a_browser();
    }
}

#[tokio::test]
async fn a_request_is_counted_once() {
    let server = Server::sqlite().await;
    let served = server.serve();
    for (address, path) in [(served.people, "/v1/me"), (served.gateway, "/auth")] {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: hallpass.test\r\nConnection: close\r\n\r\n");
        let answer = exchange(address, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    let metrics = operator(&server).get("/metrics").await.text();
    for listener in ["people", "gateway"] {
        for line in [
            format!(
                "hallpass_http_requests_total{{listener=\"{listener}\",method=\"GET\",status=\"4xx\"}} 1"
            ),
            format!("hallpass_http_request_seconds_count{{listener=\"{listener}\"}} 1"),
        ] {
            assert!(metrics.lines().any(|told| told == line), "no {line}");
        }
    }
}
