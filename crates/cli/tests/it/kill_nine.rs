//! `kill -9` at random moments under a load of creations and revocations: what was acknowledged is there after the
//! restart, and nothing is half there.

use hallpass_testkit::{Program, free_port, temp_dir};
use std::{
    collections::BTreeMap,
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

const KILLS: u32 = 50;
const CLIENTS: usize = 4;
const EMAIL: &str = "ada@acme.example";
const PASSWORD: &str = "a long walk along the sea";
const READY: Duration = Duration::from_secs(30);

/// What a client knows of a token, by what the server has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// Its creation was acknowledged and nobody asked for more.
    Live,
    /// Its revocation was asked for, and no answer came.
    RevokeAsked,
    /// Its revocation was acknowledged.
    Revoked,
}

type Tokens = Arc<Mutex<BTreeMap<String, (String, Known)>>>;

struct Server {
    program: Program,
    people: u16,
    gateway: u16,
}

impl Server {
    fn start(data: &Path) -> Self {
        let [people, gateway, operations] = [free_port(), free_port(), free_port()];
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
        command
            .arg("serve")
            .arg("--data")
            .arg(data)
            .current_dir(data.parent().unwrap());
        for (flag, port) in [
            ("--listen", people),
            ("--gateway-listen", gateway),
            ("--ops-listen", operations),
        ] {
            command.arg(flag).arg(format!("127.0.0.1:{port}"));
        }
        let program = Program::start(&mut command);
        program.wait_for_line(|line| line.contains("Operations"), READY);
        Self {
            program,
            people,
            gateway,
        }
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(20)))
        .build()
        .into()
}

/// A session: its cookie and the value that goes with changes.
#[derive(Clone)]
struct Session {
    cookie: String,
    csrf: String,
}

fn sign_in(server: &Server) -> Session {
    let url = format!("http://127.0.0.1:{}/v1/sessions", server.people);
    let mut answer = agent()
        .post(&url)
        .send_json(serde_json::json!({"email": EMAIL, "password": PASSWORD}))
        .unwrap();
    assert_eq!(
        answer.status(),
        201,
        "{}",
        answer.body_mut().read_to_string().unwrap()
    );
    let cookies = answer
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|line| line.to_str().unwrap().split(';').next().unwrap().to_owned());
    let cookie = cookies.collect::<Vec<_>>().join("; ");
    let body: serde_json::Value = answer.body_mut().read_json().unwrap();
    Session {
        cookie,
        csrf: body["csrf"].as_str().unwrap().to_owned(),
    }
}

/// Makes tokens and revokes most of them until the server is gone.
fn load(people: u16, session: &Session, tokens: &Tokens, names: &str, stop: &AtomicBool) {
    let agent = agent();
    let url = format!("http://127.0.0.1:{people}/v1/personal-access-tokens");
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let body = serde_json::json!({"name": format!("{names}-{number}"), "userAwareTokenNeverExpires": true});
        let made = agent
            .post(&url)
            .header("cookie", &session.cookie)
            .header("x-hallpass-csrf", &session.csrf)
            .send_json(&body);
        let Ok(mut made) = made else { return };
        assert_eq!(
            made.status(),
            201,
            "{}",
            made.body_mut().read_to_string().unwrap_or_default()
        );
        let Ok(made) = made.body_mut().read_json::<serde_json::Value>() else {
            return;
        };
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        tokens
            .lock()
            .unwrap()
            .insert(text("id"), (text("secret"), Known::Live));
        if number % 8 == 0 {
            continue;
        }
        let mark = |known| tokens.lock().unwrap().get_mut(&text("id")).unwrap().1 = known;
        mark(Known::RevokeAsked);
        let revoked = agent
            .delete(format!("{url}/{}", text("id")))
            .header("cookie", &session.cookie)
            .header("x-hallpass-csrf", &session.csrf)
            .call();
        let Ok(revoked) = revoked else { return };
        assert_eq!(revoked.status(), 204);
        mark(Known::Revoked);
    }
}

fn is_accepted(agent: &ureq::Agent, gateway: u16, secret: &str) -> bool {
    let answer = agent
        .get(format!("http://127.0.0.1:{gateway}/auth"))
        .header("authorization", format!("Bearer {secret}"))
        .call()
        .unwrap();
    assert!(
        matches!(answer.status().as_u16(), 204 | 401),
        "{}",
        answer.status()
    );
    answer.status() == 204
}

/// Asks about every token, forgets those that are settled, and revokes some of the rest so that there is room.
fn check(server: &Server, session: &Session, tokens: &Tokens) -> usize {
    let agent = agent();
    let mut tokens = tokens.lock().unwrap();
    let mut asked = 0;
    for (id, (secret, known)) in tokens.iter_mut() {
        let accepted = is_accepted(&agent, server.gateway, secret);
        asked += 1;
        match known {
            Known::Live => assert!(accepted, "the creation of {id} was acknowledged"),
            Known::Revoked => assert!(!accepted, "the revocation of {id} was acknowledged"),
            // It may have happened or not; what is there now stays.
            Known::RevokeAsked => {
                *known = if accepted {
                    Known::Live
                } else {
                    Known::Revoked
                }
            }
        }
    }
    let live: Vec<String> = tokens
        .iter()
        .filter(|(_, (_, known))| *known == Known::Live)
        .map(|(id, _)| id.clone())
        .collect();
    for id in live.iter().take(live.len().saturating_sub(30)) {
        let url = format!(
            "http://127.0.0.1:{}/v1/personal-access-tokens/{id}",
            server.people
        );
        let answer = agent
            .delete(url)
            .header("cookie", &session.cookie)
            .header("x-hallpass-csrf", &session.csrf)
            .call()
            .unwrap();
        assert_eq!(answer.status(), 204);
        tokens.get_mut(id).unwrap().1 = Known::Revoked;
    }
    // Three hundred of each are enough to ask about each time.
    let settled: Vec<String> = tokens
        .iter()
        .filter(|(_, (_, known))| *known == Known::Revoked)
        .map(|(id, _)| id.clone())
        .collect();
    for id in settled.iter().take(settled.len().saturating_sub(300)) {
        tokens.remove(id);
    }
    asked
}

/// Each token has its line in the audit, each revocation its own, each change its number in the feed.
fn nothing_is_half_there(data: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(data.join("hallpass.db"));
        let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
        let intact: String = sqlx::query_scalar("pragma integrity_check").fetch_one(&pool).await.unwrap();
        assert_eq!(intact, "ok");
        for (what, query) in [
            ("tokens made", "select (select count(*) from token) - (select count(*) from audit where action = 'token.created')"),
            ("tokens revoked", "select (select count(*) from token where revoked_at is not null) - (select count(*) from audit where action = 'token.revoked')"),
            ("changes in the feed", "select (select count(distinct seq) from feed) - (select seq from head)"),
        ] {
            let difference: i64 = sqlx::query_scalar(query).fetch_one(&pool).await.unwrap();
            assert_eq!(difference, 0, "{what}");
        }
        pool.close().await;
    });
}

#[test]
fn what_was_acknowledged_survives_fifty_kills() {
    let folder = temp_dir();
    let data = folder.path().join("data");
    let mut init = Command::new(env!("CARGO_BIN_EXE_hallpass"));
    init.args([
        "init",
        "--organization",
        "Acme",
        "--email",
        EMAIL,
        "--password-stdin",
        "--data",
    ])
    .arg(&data)
    .current_dir(folder.path());
    let mut child = init.stdin(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), PASSWORD.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());

    let tokens: Tokens = Arc::default();
    let (mut asked, mut chance) = (0, 0x9e37_79b9_7f4a_7c15_u64);
    let mut session: Option<Session> = None;
    for kill in 0..KILLS {
        let mut server = Server::start(&data);
        // Making tokens needs a sign-in of the last five minutes; otherwise the session survives the kills too.
        if kill % 10 == 0 {
            session = Some(sign_in(&server));
        }
        let session = session.clone().unwrap();
        asked += check(&server, &session, &tokens);
        let stop = AtomicBool::new(false);
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        let moment = Duration::from_micros(20_000 + chance % 300_000);
        thread::scope(|scope| {
            for client in 0..CLIENTS {
                let (tokens, session, stop) = (&tokens, &session, &stop);
                let people = server.people;
                scope.spawn(move || {
                    load(people, session, tokens, &format!("{kill}-{client}"), stop)
                });
            }
            thread::sleep(moment);
            server.program.kill9();
            stop.store(true, Ordering::Relaxed);
        });
        nothing_is_half_there(&data);
    }
    let server = Server::start(&data);
    asked += check(&server, &sign_in(&server), &tokens);
    assert!(
        asked > 500,
        "the load was too small to say anything: {asked} tokens asked about"
    );
}
