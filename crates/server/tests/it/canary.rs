//! Secrets that were given to the server appear nowhere: not in a log of any level, not in the database's files, not
//! in the numbers, not in an answer but the one.

use crate::kit::{
    Actor, Answer, Engine, NEXT_MONTH, PASSWORD, Plan, Server, TOKENS, exchange, stranger,
};
use hallpass_domain::token::Scheme;
use hallpass_store::Database;
use hallpass_testkit::Postgres;
use serde_json::json;
use std::{
    fs, io,
    sync::{Arc, Mutex},
};
use tracing_subscriber::{fmt::MakeWriter, util::SubscriberInitExt};

const WRONG_PASSWORD: &str = "mistyped canary password";

/// Where every event goes, as it is: nothing hides a secret here.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    /// Every event of this thread, until the guard is dropped.
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(self.clone())
            .finish()
            .set_default()
    }
}

/// A runtime all of whose threads are heard.
fn run<F: Future<Output = ()>>(log: &Log, scenario: F) {
    let ear = log.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .on_thread_start(move || std::mem::forget(ear.listen()))
        .build()
        .unwrap();
    let _heard = log.listen();
    runtime.block_on(scenario);
}

struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    /// A secret as it is, and as other encodings would show it.
    fn keep(&mut self, what: &'static str, secret: &str) {
        assert!(secret.len() >= 15, "{what}");
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        let base64 =
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD_NO_PAD, secret);
        let base64 = base64[..base64.len() - 2].to_owned();
        self.0
            .extend([(what, secret.to_owned()), (what, hex), (what, base64)]);
    }

    #[track_caller]
    fn absent(&self, place: &str, bytes: &[u8]) {
        let found = self.0.iter().find(|(_, secret)| {
            bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes())
        });
        if let Some((what, secret)) = found {
            let at = bytes
                .windows(secret.len())
                .position(|window| window == secret.as_bytes())
                .unwrap();
            panic!(
                "{what} in {place}: …{}",
                String::from_utf8_lossy(&bytes[at.saturating_sub(200)..at])
            );
        }
    }
}

/// Uses every secret in every way that is right, and in many that are wrong.
async fn use_them(server: &Server, secrets: &mut Secrets, answers: &mut Vec<Answer>) {
    let anon = server.anon();
    let sign_in = |password: &str| json!({"email": "ada@acme.example", "password": password});
    let signed = anon.post("/v1/sessions", &sign_in(PASSWORD)).await;
    let csrf = signed.is(201)["csrf"].as_str().unwrap().to_owned();
    let set: Vec<String> = signed
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|line| line.to_str().unwrap().split(';').next().unwrap().to_owned())
        .collect();
    secrets.keep("the session's value", set[0].split_once('=').unwrap().1);
    secrets.keep("the device's value", set[1].split_once('=').unwrap().1);
    secrets.keep("the session's csrf", &csrf);
    let ada = anon
        .with("cookie", set.join("; "))
        .with("x-hallpass-csrf", &csrf);
    let token = ada.with("idempotency-key", "canary").token(json!({"name": "canary", "expirationDate": NEXT_MONTH, "scope": ["hallpass:verify", "hallpass:own-tokens", "repo:read"]})).await;
    // Its prefix is public; what comes after is not.
    secrets.keep("the token", &token.secret[10..42]);
    let unknown = stranger();
    secrets.keep("an unknown token", &unknown[10..42]);
    let bearer = server.bearer(&token.secret);
    let asked = json!({"token": token.secret, "path": format!("/{}?access_token={}", token.secret.replace('_', "%5F"), token.secret), "method": "GET"});
    answers.extend([
        ada.with("idempotency-key", "canary").post(TOKENS, &json!({"name": "canary", "expirationDate": NEXT_MONTH, "scope": ["hallpass:verify", "hallpass:own-tokens", "repo:read"]})).await,
        ada.get(TOKENS).await,
        ada.get("/v1/sessions").await,
        bearer.post("/v1/verify", &asked).await,
        bearer.post("/v1/verify", &json!({"token": unknown})).await,
        bearer.get(&format!("{TOKENS}/self")).await,
        server.gateway().bearing(&token.secret).get("/auth").await,
        server.gateway().bearing(&unknown).get("/auth").await,
        server.gateway().bearing(&token.secret).with("x-original-uri", format!("/x?t={}", token.secret)).get("/auth").await,
    ]);
    // A page's forms carry the session's csrf, to the one who has it; what is kept of it is looked at.
    ada.get("/settings/tokens").await;
    misuse(server, &ada, &token.secret, answers).await;
    answers.extend([
        ada.patch(&token.path, &json!({"name": "other"})).await,
        ada.delete(&token.path).await,
        bearer.get("/v1/caller").await,
        ada.delete("/v1/sessions").await,
    ]);
}

async fn misuse(server: &Server, ada: &Actor, secret: &str, answers: &mut Vec<Answer>) {
    let anon = server.anon();
    for body in [
        json!({"email": "ada@acme.example", "password": WRONG_PASSWORD}),
        json!({"email": PASSWORD, "password": [PASSWORD]}),
        json!({"email": "ada@acme.example", "password": WRONG_PASSWORD, WRONG_PASSWORD: 1}),
    ] {
        // A misfit may be told to its sender, who knows it; only what is kept is looked at.
        anon.post("/v1/sessions", &body).await;
    }
    for path in [
        format!("/v1/caller?t={secret}"),
        format!("/{secret}"),
        format!("{TOKENS}/{secret}"),
        format!("/auth/{secret}"),
        format!("/{}", secret.replace('_', "%5F")),
        format!("/auth/{}", secret.replace('_', "%255f")),
    ] {
        answers.push(ada.get(&path).await);
        answers.push(server.gateway().get(&path).await);
    }
    for (name, value) in [
        ("authorization", format!("Bearer {secret}, {secret}")),
        ("authorization", format!("Token {secret} {secret}")),
        ("x-api-key", format!("{secret}x")),
        ("cookie", format!("hallpass={secret}")),
        ("user-agent", "curl".to_owned()),
    ] {
        answers.push(anon.with(name, &value).get("/v1/caller").await);
        answers.push(server.gateway().with(name, &value).get("/auth").await);
    }
    for body in [
        json!({"token": {"x": secret}}),
        json!({"token": "x", secret: 1}),
        json!({"token": "x", "permission": secret}),
        json!({"token": "x", "address": secret}),
    ] {
        answers.push(server.bearer(secret).post("/v1/verify", &body).await);
    }
    let served = server.serve();
    for address in [served.people, served.gateway] {
        let path = if address == served.people {
            "/v1/caller"
        } else {
            "/auth"
        };
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {secret}\r\nCookie: {}\r\n\r\n",
            ada.header("cookie")
        );
        exchange(address, head.as_bytes()).await;
    }
}

/// Everything that the database holds, by the place it was found in.
fn kept(server: &Server) -> Vec<(String, Vec<u8>)> {
    let Database::Postgres(url) = &server.plan.database else {
        let folder = server.file().parent().unwrap().to_owned();
        let files = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        return files
            .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
            .collect();
    };
    let tables = Postgres::shared().run(
        url,
        "select table_name from information_schema.tables where table_schema = 'public'",
    );
    tables
        .lines()
        .map(|table| {
            (
                table.to_owned(),
                Postgres::shared()
                    .run(url, &format!("select t::text from {table} t"))
                    .into_bytes(),
            )
        })
        .collect()
}

fn nothing_leaks(engine: Engine, scheme: Scheme) {
    let log = Log::default();
    run(&log, async {
        let mut plan = Plan::new(engine);
        plan.scheme = scheme;
        let server = plan.start().await;
        let mut secrets = Secrets(Vec::new());
        let mut answers = Vec::new();
        secrets.keep("the password", PASSWORD);
        secrets.keep("the mistyped password", WRONG_PASSWORD);
        secrets.keep("the set-up code", server.services.set_up_code.expose());
        use_them(&server, &mut secrets, &mut answers).await;
        server.flush_uses().await;
        for answer in &answers {
            secrets.absent("an answer", &answer.body);
            secrets.absent(
                "an answer's head",
                format!("{:?}", answer.headers).as_bytes(),
            );
        }
        secrets.absent("the numbers", server.services.metrics.render().as_bytes());
        secrets.absent(
            "what is printed of the services",
            format!("{:?}", server.app).as_bytes(),
        );
        let kept = kept(&server);
        assert!(
            kept.iter().any(
                |(place, bytes)| (place.ends_with("-wal") || place == "audit")
                    && bytes.windows(13).any(|window| window == b"token.created")
            ),
            "the audit was found"
        );
        for (place, bytes) in kept {
            secrets.absent(&place, &bytes);
        }
        let heard = log.0.lock().unwrap().clone();
        // SQLite works on a thread of its own, whose words are not heard here.
        let said = if engine == Engine::Postgres {
            "sqlx::query"
        } else {
            "hallpass::access"
        };
        assert!(
            String::from_utf8_lossy(&heard).contains(said),
            "the log was heard"
        );
        secrets.absent("the log", &heard);
    });
}

#[test]
fn no_secret_is_kept_or_told() {
    nothing_leaks(Engine::Sqlite, Scheme::HmacSha256);
}

#[test]
fn no_secret_is_kept_or_told_with_bcrypt() {
    nothing_leaks(Engine::Sqlite, Scheme::Bcrypt);
}

#[test]
fn no_secret_is_kept_or_told_on_postgres() {
    nothing_leaks(Engine::Postgres, Scheme::HmacSha256);
}
