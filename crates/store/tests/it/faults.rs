//! Rows that this program would not have written, and a database that fails.

use crate::{
    both_engines,
    world::{self, ACME, ADA, Draft, Engine, NOW, Raw, World, all, token_id},
};
use hallpass_domain::name::Email;
use hallpass_store::{Database, Store, StoreError};
use hallpass_testkit::Postgres;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

both_engines!(
    malformed_tokens_are_errors,
    malformed_directories_are_errors,
    a_malformed_feed_is_an_error,
    a_missing_table_does_not_pass,
);

#[track_caller]
fn is_malformed<T>(result: Result<T, StoreError>, expected: &str) {
    match result {
        Err(StoreError::Malformed(what)) => assert_eq!(what, expected),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a malformed {expected} was taken"),
    }
}

async fn malformed_tokens_are_errors(world: World) {
    world.insert_all(&[Draft::new(1, "a")]).await;
    for (set, undo, what) in [
        ("scope = 'no permission'", "scope = null", "permission"),
        ("prefix = '----------'", "prefix = 'hpp_000001'", "prefix"),
        ("name = 'a\u{200b}b'", "name = 'a'", "token name"),
        ("name = ' '", "name = 'a'", "token name"),
    ] {
        world.execute(&format!("update token set {set}")).await;
        is_malformed(
            world.store.find_token(ACME, ADA, token_id(1), NOW).await,
            what,
        );
        is_malformed(world.store.list_tokens(ACME, ADA, &all()).await, what);
        is_malformed(world.store.load_token(token_id(1)).await, what);
        is_malformed(world.store.load_tokens(NOW, |_| Ok(())).await, what);
        world.execute(&format!("update token set {undo}")).await;
        world.find(token_id(1)).await;
    }
    let garbage = "x".repeat(60);
    world
        .execute(&format!(
            "update token set digest = null, pepper_id = null, bcrypt = '{garbage}'"
        ))
        .await;
    is_malformed(world.store.load_token(token_id(1)).await, "bcrypt hash");
    // Moments past the calendar become its ends, and stay comparable.
    world
        .execute(
            "update token set expires_at = 9223372036854775807, created_at = -9223372036854775807",
        )
        .await;
    let token = world.find(token_id(1)).await.token;
    assert_eq!(token.created, hallpass_domain::time::Timestamp::MIN);
    world
        .execute("update token set prefix = '----------'")
        .await;
    let mut tx = world.begin().await;
    is_malformed(tx.name_holder(ACME, ADA, &world::name("a")).await, "prefix");
}

async fn malformed_directories_are_errors(world: World) {
    world
        .execute("update app_user set email = 'nobody'; update organization set name = 'a\u{202e}'; update role set permissions = 'x'")
        .await;
    is_malformed(world.store.users().await, "e-mail address");
    is_malformed(world.store.find_user(ADA).await, "e-mail address");
    let email = Email::parse("ada@acme.example").unwrap();
    is_malformed(world.store.find_sign_in(&email).await, "e-mail address");
    is_malformed(world.store.organizations().await, "name");
    is_malformed(world.store.find_organization(ACME).await, "name");
    is_malformed(world.store.roles().await, "permission");
    world
        .execute("insert into catalogue (name, description, risk) values ('a b:c', '', 'low')")
        .await;
    is_malformed(world.store.catalogue().await, "permission");
}

async fn a_malformed_feed_is_an_error(world: World) {
    for (kind, bytes, what) in [
        ("token", &[1, 2, 3][..], "id"),
        ("membership", &[1; 15], "feed row"),
        ("membership", &[1; 31], "id"),
        ("catalogue", &[], ""),
    ] {
        let key = world.blob(bytes);
        world
            .execute(&format!(
                "insert into feed (seq, position, kind, key) values (2, 0, '{kind}', {key})"
            ))
            .await;
        let read = world.store.feed_after(1).await;
        if what.is_empty() {
            assert_eq!(read.unwrap().len(), 1);
        } else {
            is_malformed(read, what);
        }
        assert!(world.store.feed_after(2).await.is_ok());
        world.execute("delete from feed where seq = 2").await;
    }
}

async fn a_missing_table_does_not_pass(world: World) {
    world.execute("alter table token rename to gone").await;
    let error = world.store.count_tokens().await.unwrap_err();
    assert!(matches!(error, StoreError::Database(_)), "{error}");
    assert!(!error.is_passing());
}

#[test]
fn a_stopped_server_passes() {
    let server = Postgres::start();
    let database = Database::Postgres(server.database());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Store::open(&database).await.unwrap();
        let tx = store.begin().await.unwrap();
        server.stop_immediate();
        let failed = tx.commit(&[hallpass_store::FeedKey::Catalogue]).await;
        assert!(
            failed.as_ref().is_err_and(StoreError::is_passing),
            "{failed:?}"
        );
        let lost = store.is_still_sole().await;
        assert!(lost.as_ref().is_err_and(StoreError::is_passing), "{lost:?}");
        let (read, write) = tokio::join!(store.head(), store.begin());
        assert!(read.as_ref().is_err_and(StoreError::is_passing), "{read:?}");
        assert!(
            write.as_ref().is_err_and(StoreError::is_passing),
            "{write:?}"
        );
        server.start_again();
        store.ping().await.unwrap();
        assert!(
            store.is_still_sole().await.is_err(),
            "the lock went with the server"
        );
    });
}

#[test]
fn a_statement_that_was_stopped_passes() {
    world::run(Engine::Postgres, async |world: World| {
        let mut raw = world.raw().await;
        raw.execute("set statement_timeout = 1").await.unwrap();
        let stopped = StoreError::from(raw.execute("select pg_sleep(10)").await.unwrap_err());
        assert!(stopped.is_passing(), "{stopped}");
        raw.execute("set statement_timeout = 0; set lock_timeout = 1; begin")
            .await
            .unwrap();
        let mut other = world.raw().await;
        other.execute("begin; lock table token").await.unwrap();
        let waited = StoreError::from(raw.execute("lock table token").await.unwrap_err());
        assert!(waited.is_passing(), "{waited}");
        let mut third = world.raw().await;
        third
            .execute("set default_transaction_read_only = on")
            .await
            .unwrap();
        let read_only = StoreError::from(third.execute("delete from feed").await.unwrap_err());
        assert!(read_only.is_passing(), "{read_only}");
        let wrong = StoreError::from(third.execute("select missing").await.unwrap_err());
        assert!(!wrong.is_passing(), "{wrong}");
    });
}

/// A connection to the file that gives up at once.
async fn impatient(world: &World) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(world.path())
        .busy_timeout(std::time::Duration::ZERO);
    SqliteConnection::connect_with(&options).await.unwrap()
}

#[test]
fn a_busy_or_full_file_passes() {
    world::run(Engine::Sqlite, async |world: World| {
        let tx = world.begin().await;
        let mut other = impatient(&world).await;
        let busy = sqlx::query("delete from feed").execute(&mut other).await;
        let busy = StoreError::from(busy.unwrap_err());
        assert!(busy.is_passing(), "{busy}");
        drop(tx);
        world.begin().await.commit(&[]).await.unwrap();

        let pages: i64 = sqlx::query_scalar("pragma page_count")
            .fetch_one(&mut other)
            .await
            .unwrap();
        let limit = AssertSqlSafe(format!("pragma max_page_count = {pages}"));
        sqlx::query(limit).execute(&mut other).await.unwrap();
        let filling =
            "insert into feed (seq, position, kind, key) values (2, 0, 'token', zeroblob(1000000))";
        let full = sqlx::query(filling).execute(&mut other).await;
        let full = StoreError::from(full.unwrap_err());
        assert!(full.is_passing(), "{full}");
        assert!(full.to_string().contains("full"), "{full}");

        let mut raw = Raw::Sqlite(other);
        let read_only = raw
            .execute("pragma query_only = on; delete from feed")
            .await;
        assert!(StoreError::from(read_only.unwrap_err()).is_passing());
        let wrong = StoreError::from(raw.execute("select missing").await.unwrap_err());
        assert!(!wrong.is_passing(), "{wrong}");
    });
}
