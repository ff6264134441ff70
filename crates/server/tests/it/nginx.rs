//! A real nginx asks about each request before it passes it on to what stands behind.

use crate::kit::{NEXT_MONTH, Server, exchange};
use hallpass_testkit::{Nginx, free_port, nginx};
use serde_json::json;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

/// What stands behind: answers everything and keeps what it was sent.
async fn back_end() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let note = Arc::clone(&seen);
    let router = axum::Router::new().fallback(async move |request: axum::extract::Request| {
        note.lock().unwrap().push(format!(
            "{} {} {:?}",
            request.method(),
            request.uri(),
            request.headers()
        ));
        "behind"
    });
    tokio::spawn(async move { axum_serve(listener, router).await });
    (address, seen)
}

async fn axum_serve(listener: tokio::net::TcpListener, router: axum::Router) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = hyper_util::service::TowerToHyperService::new(router.clone());
        let stream = hyper_util::rt::TokioIo::new(stream);
        tokio::spawn(async move {
            hyper::server::conn::http1::Builder::new()
                .serve_connection(stream, service)
                .await
        });
    }
}

/// The shape that the manual shows: ask first, take the identity from the answer, keep the token to ourselves.
fn configuration(port: u16, gateway: SocketAddr, back_end: SocketAddr) -> String {
    format!(
        r#"
    server {{
        listen 127.0.0.1:{port};

        location / {{
            auth_request /_hallpass;
            auth_request_set $hallpass_user $upstream_http_x_hallpass_user_id;
            auth_request_set $hallpass_token $upstream_http_x_hallpass_token_id;
            auth_request_set $hallpass_permissions $upstream_http_x_hallpass_permissions;
            proxy_set_header X-Hallpass-User-Id $hallpass_user;
            proxy_set_header X-Hallpass-Token-Id $hallpass_token;
            proxy_set_header X-Hallpass-Permissions $hallpass_permissions;
            proxy_set_header Authorization "";
            proxy_set_header X-API-Key "";
            proxy_set_header PRIVATE-TOKEN "";
            proxy_pass http://{back_end};
        }}

        location = /_hallpass {{
            internal;
            proxy_pass http://{gateway}/auth;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header X-Original-URI $request_uri;
            proxy_set_header X-Original-Method $request_method;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Hallpass-Permission "repo:read";
        }}
    }}
"#
    )
}

struct Case {
    server: Server,
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    _nginx: Nginx,
    _served: crate::kit::Served,
}

impl Case {
    async fn new() -> Self {
        let server = Server::sqlite().await;
        let served = server.serve();
        let (back_end, seen) = back_end().await;
        let port = free_port();
        let configuration = configuration(port, served.gateway, back_end);
        let nginx = tokio::task::spawn_blocking(move || nginx(&configuration, port))
            .await
            .unwrap();
        Self {
            server,
            port,
            seen,
            _nginx: nginx,
            _served: served,
        }
    }

    /// The status and the whole answer.
    async fn ask(&self, request: &str) -> (u16, String) {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let answer = exchange(address, request.replace('\n', "\r\n").as_bytes()).await;
        (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
    }

    fn last_seen(&self) -> Option<String> {
        self.seen.lock().unwrap().last().cloned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_passes_on_what_is_allowed_and_nothing_else() {
    let case = Case::new().await;
    let good = case
        .server
        .ada
        .token(json!({"name": "good", "expirationDate": NEXT_MONTH, "scope": ["repo:*"]}))
        .await;
    let narrow = case
        .server
        .ada
        .token(json!({"name": "narrow", "expirationDate": NEXT_MONTH, "scope": ["report:read"]}))
        .await;
    let get = |credential: String| {
        format!(
            "GET /repos/octo?page=2 HTTP/1.1\nHost: app\nConnection: close\nX-Hallpass-User-Id: forged\n{credential}\n"
        )
    };
    for credential in [
        format!("Authorization: Bearer {}\n", good.secret),
        format!("X-API-Key: {}\n", good.secret),
        format!("PRIVATE-TOKEN: {}\n", good.secret),
    ] {
        let (status, answer) = case.ask(&get(credential)).await;
        assert!(status == 200 && answer.ends_with("behind"), "{answer}");
        let seen = case.last_seen().unwrap();
        assert!(seen.starts_with("GET /repos/octo?page=2 "), "{seen}");
        assert!(
            seen.contains(&format!(
                "\"x-hallpass-user-id\": \"{}\"",
                case.server.ada_id
            )) && !seen.contains("forged"),
            "{seen}"
        );
        assert!(
            seen.contains(&good.id)
                && seen.contains("\"x-hallpass-permissions\": \"repo:read repo:write\""),
            "{seen}"
        );
        assert!(
            !seen.contains(&good.secret[10..42]),
            "the token stays in front: {seen}"
        );
    }
    let reached = case.seen.lock().unwrap().len();
    for (credential, expected, challenge) in [
        (String::new(), 401, "Bearer realm=\"hallpass\"\r\n"),
        (
            format!("Authorization: Bearer {}\n", narrow.secret),
            403,
            "",
        ),
        (
            format!("Authorization: Bearer {}x\n", &good.secret[..47]),
            401,
            "error=\"invalid_token\"",
        ),
        (
            format!(
                "Authorization: Bearer {}\nX-API-Key: {}\n",
                good.secret, narrow.secret
            ),
            401,
            "error=\"invalid_request\"",
        ),
        (
            "Authorization: Bearer\n".to_owned(),
            401,
            "error=\"invalid_request\"",
        ),
    ] {
        let (status, answer) = case.ask(&get(credential)).await;
        assert!(
            status == expected && answer.contains(challenge),
            "{expected} {answer}"
        );
    }
    let (status, _) = case
        .ask(&format!(
            "GET /x?token={} HTTP/1.1\nHost: app\nConnection: close\nAuthorization: Bearer {}\n\n",
            good.secret, good.secret
        ))
        .await;
    assert_eq!(status, 401, "a token in the address");
    let (status, _) = case
        .ask(&format!(
            "GET /_hallpass HTTP/1.1\nHost: app\nConnection: close\nAuthorization: Bearer {}\n\n",
            good.secret
        ))
        .await;
    assert_eq!(status, 404, "the way to ask is internal");
    assert_eq!(
        case.seen.lock().unwrap().len(),
        reached,
        "none of these reached the back end"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_nginx_a_revocation_acts_on_the_very_next_request_and_the_last_use_is_shown() {
    let case = Case::new().await;
    let token = case
        .server
        .ada
        .token(json!({"name": "ci", "expirationDate": NEXT_MONTH}))
        .await;
    let post = format!(
        "POST /repos?x=1 HTTP/1.1\nHost: app\nConnection: close\nAuthorization: Bearer {}\nUser-Agent: curl/8.9\nContent-Length: 4\n\nbody",
        token.secret
    );
    assert_eq!(case.ask(&post).await.0, 200);
    case.server.flush_uses().await;
    let shown = case.server.ada.get(&token.path).await.is(200);
    let uses = [
        "lastUsedMethod",
        "lastUsedPath",
        "lastUsedAddress",
        "lastUsedAgent",
    ]
    .map(|field| shown[field].as_str().unwrap().to_owned());
    assert_eq!(uses, ["POST", "/repos", "127.0.0.1", "curl/8.9"]);
    case.server.ada.delete(&token.path).await.is(204);
    let reached = case.seen.lock().unwrap().len();
    for _ in 0..3 {
        assert_eq!(case.ask(&post).await.0, 401);
    }
    assert_eq!(case.seen.lock().unwrap().len(), reached);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_nginx_no_answer_is_never_a_yes() {
    let case = Case::new().await;
    let token = case
        .server
        .ada
        .token(json!({"name": "ci", "expirationDate": NEXT_MONTH}))
        .await;
    case.server.services.engine.set_answering(false);
    let (status, _) = case
        .ask(&format!(
            "GET / HTTP/1.1\nHost: app\nConnection: close\nAuthorization: Bearer {}\n\n",
            token.secret
        ))
        .await;
    assert_eq!(status, 500, "nginx has no other word for it");
    assert_eq!(case.last_seen(), None);
}
