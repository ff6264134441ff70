//! How tokens are recognized: digests under peppers, bcrypt; and prefixes that never collide.

use crate::kit::{Engine, NEXT_MONTH, Plan, Server, TOKENS, pepper, start, wish};
use hallpass_domain::{
    Entropy,
    access_token::Expiration,
    id::TokenId,
    name::TokenName,
    role::BuiltInRole,
    token::{Brand, Kind, Peppers, PlainToken, Prefix, Scheme},
};
use hallpass_engine::Answer as Seen;
use hallpass_server::{
    clock::Clock,
    config::Config,
    entropy::SystemEntropy,
    run::{self, RunError},
    service::verification::Asked,
};
use hallpass_store::{FeedKey, Inserted, NewToken, Stored};
use serde_json::json;
use std::{collections::BTreeMap, path::Path};

async fn allows(server: &Server, secret: &str) -> bool {
    server.gateway().bearing(secret).get("/auth").await.status == 204
}

/// Whether the engine would have to compare by bcrypt.
fn is_slow(server: &Server, secret: &str) -> bool {
    let token = PlainToken::parse(secret.as_bytes()).unwrap();
    matches!(
        server.services.engine.verify(
            &token,
            &server.services.peppers,
            &Asked::default().question(None, server.services.clock.now())
        ),
        Seen::Slow(_)
    )
}

/// Draws the prefix it is told, and a secret of zeros.
struct Told(Vec<u8>);

impl Entropy for Told {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
        bytes[..self.0.len()].copy_from_slice(&self.0);
    }
}

fn with_prefix(prefix: &str) -> PlainToken {
    const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let digits = prefix[4..]
        .bytes()
        .map(|c| u8::try_from(BASE62.iter().position(|digit| *digit == c).unwrap()).unwrap());
    PlainToken::generate(
        Brand::DEFAULT,
        Kind::PersonalAccessToken,
        &Told(digits.collect()),
    )
}

#[tokio::test]
async fn a_bcrypt_token_is_compared_once_and_then_remembered() {
    let mut plan = Plan::new(Engine::Sqlite);
    plan.scheme = Scheme::Bcrypt;
    let server = plan.start().await;
    let token = server.ada.token(wish("ci")).await;
    assert!(is_slow(&server, &token.secret));
    assert!(allows(&server, &token.secret).await);
    assert!(!is_slow(&server, &token.secret), "remembered");
    assert!(allows(&server, &token.secret).await);
    // Another text that begins so is nobody's, before and after.
    let guess = with_prefix(&token.prefix);
    assert_eq!(guess.prefix().as_str(), token.prefix);
    assert!(!allows(&server, guess.expose()).await);
    server.ada.delete(&token.path).await.is(204);
    let refused = server.gateway().bearing(&token.secret).get("/auth").await;
    assert_eq!(
        (refused.status, refused.header("x-hallpass-error")),
        (401, "revoked")
    );
    let other = server.ada.token(wish("other")).await;
    assert!(allows(&server, &other.secret).await);
    let (database, _folder) = server.stop().await;
    let mut plan = Plan::over(database);
    plan.scheme = Scheme::HmacSha256;
    let server = plan.again().await;
    assert!(
        is_slow(&server, &other.secret) && allows(&server, &other.secret).await,
        "what was made under the other scheme goes on"
    );
    assert!(!is_slow(&server, &other.secret));
    assert!(!allows(&server, &token.secret).await);
}

#[tokio::test]
async fn a_retired_pepper_verifies_until_it_is_removed_and_what_was_used_goes_on() {
    let server = Server::sqlite().await;
    let (used, idle) = (
        server.ada.token(wish("used")).await,
        server.ada.token(wish("idle")).await,
    );
    let cookie = server.ada.clone();
    let (database, _folder) = server.stop().await;
    let mut plan = Plan::over(database);
    plan.peppers = Peppers::new(pepper("p2"), vec![pepper("p1")]);
    let server = plan.again().await;
    assert!(allows(&server, &used.secret).await);
    assert_eq!(server.services.redigest_waiting().await.unwrap(), 1);
    assert!(allows(&server, &used.secret).await);
    assert_eq!(
        server.services.redigest_waiting().await.unwrap(),
        0,
        "once is enough"
    );
    let fresh = server.ada_again().await.token(wish("fresh")).await;
    server
        .anon()
        .with("cookie", cookie.header("cookie"))
        .get("/v1/caller")
        .await
        .is(200);
    let (database, _) = server.stop().await;
    let mut plan = Plan::over(database);
    plan.peppers = Peppers::new(pepper("p2"), Vec::new());
    let server = plan.again().await;
    assert!(allows(&server, &used.secret).await && allows(&server, &fresh.secret).await);
    let gone = server.gateway().bearing(&idle.secret).get("/auth").await;
    assert_eq!(
        (gone.status, gone.header("x-hallpass-error")),
        (401, "unknown")
    );
}

#[tokio::test]
async fn what_was_made_and_revoked_stays_so_over_a_restart() {
    let server = Server::sqlite().await;
    let (live, revoked) = (
        server.ada.token(wish("live")).await,
        server.ada.token(wish("revoked")).await,
    );
    server.ada.delete(&revoked.path).await.is(204);
    let (database, _folder) = server.stop().await;
    let server = Plan::over(database).again().await;
    assert!(allows(&server, &live.secret).await);
    let refused = server.gateway().bearing(&revoked.secret).get("/auth").await;
    assert_eq!(
        (refused.status, refused.header("x-hallpass-error")),
        (401, "revoked")
    );
}

/// Servers of one seed draw the same; in the last the prefix is taken beforehand.
#[tokio::test]
async fn a_prefix_that_is_taken_is_drawn_again() {
    let body = json!({"name": "ci", "expirationDate": NEXT_MONTH});
    let first = Server::sqlite().await.ada.token(body.clone()).await;
    let same = Server::sqlite().await.ada.token(body.clone()).await;
    assert_eq!(same.secret, first.secret, "the same draws");
    let server = Server::sqlite().await;
    let taken = with_prefix(&first.prefix);
    let (id, now, name) = (
        TokenId::from_bytes([7; 16]),
        server.services.clock.now(),
        TokenName::parse("taken").unwrap(),
    );
    let pepper = server.services.peppers.current();
    let stored = Stored::Digest(pepper.digest(&taken), pepper.id().clone());
    let new = NewToken {
        id,
        organization: server.organization,
        owner: server.ada_id,
        role: BuiltInRole::Superuser.id(),
        name: &name,
        prefix: Prefix::parse(&first.prefix).unwrap(),
        stored: &stored,
        scope: None,
        created: now,
        expiration: Expiration::Never,
        never_expires_acknowledged: true,
        valid_from: None,
        address_rules: None,
    };
    server
        .change(async |tx| {
            assert_eq!(tx.insert_token(&new).await.unwrap(), Inserted::Done);
            vec![FeedKey::Token(id)]
        })
        .await;
    let second = server.ada.token(body).await;
    assert_ne!(second.prefix, first.prefix);
    assert!(allows(&server, &second.secret).await && allows(&server, taken.expose()).await);
    assert_eq!(
        server.ada.get(TOKENS).await.is(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

async fn open(data: &Path, peppers: Option<&str>) -> Result<run::Opened, RunError> {
    let flags = BTreeMap::from([("data", data.join("data").display().to_string())]);
    let env = |name: &str| {
        peppers
            .filter(|_| name == "HALLPASS_PEPPERS")
            .map(str::to_owned)
    };
    let config = Config::resolve(&flags, env, None).unwrap();
    run::open(&config, Clock::fixed(start()), SystemEntropy::seeded(3)).await
}

#[tokio::test]
async fn a_start_with_a_wrong_key_is_refused() {
    let folder = hallpass_testkit::temp_dir();
    let key = |byte: u8| {
        base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            std::array::from_fn::<u8, 32, _>(|n| 7 * u8::try_from(n).unwrap() + byte),
        )
    };
    let (right, wrong) = (format!("k1:{}", key(1)), format!("k1:{}", key(2)));
    open(folder.path(), Some(&right))
        .await
        .unwrap()
        .services
        .store
        .close()
        .await;
    let refused = open(folder.path(), Some(&wrong)).await.unwrap_err();
    assert!(matches!(refused, RunError::WrongPepper(_)), "{refused}");
    assert!(
        refused.to_string().contains("k1") && !refused.to_string().contains(&key(2)),
        "{refused}"
    );
    let both = format!("k2:{},{right}", key(2));
    open(folder.path(), Some(&both))
        .await
        .unwrap()
        .services
        .store
        .close()
        .await;
    open(folder.path(), Some(&right))
        .await
        .unwrap()
        .services
        .store
        .close()
        .await;
}

#[tokio::test]
async fn a_key_file_that_is_gone_is_not_made_anew_over_old_data() {
    let folder = hallpass_testkit::temp_dir();
    let opened = open(folder.path(), None).await.unwrap();
    let file = opened.key_file_created.clone().unwrap();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions())
            & 0o777,
        0o600
    );
    opened.services.store.close().await;
    std::fs::remove_file(&file).unwrap();
    let refused = open(folder.path(), None).await.unwrap_err();
    assert!(matches!(refused, RunError::Pepper(_)), "{refused}");
    assert!(!file.exists());
}

#[tokio::test]
async fn a_second_process_on_the_same_data_is_refused() {
    let folder = hallpass_testkit::temp_dir();
    let first = open(folder.path(), None).await.unwrap();
    let refused = open(folder.path(), None).await.unwrap_err();
    assert!(
        matches!(
            &refused,
            RunError::Store(hallpass_store::StoreError::InUse(_))
        ),
        "{refused}"
    );
    first.services.store.close().await;
    drop(first);
    open(folder.path(), None).await.unwrap();
}
