//! Opening and closing: migrations, and only one at a time.

use crate::{
    both_engines,
    world::{self, Draft, Engine, NOW, World, new_database},
};
use hallpass_store::{Database, Store, StoreError};

both_engines!(
    migrations_run_again_harmlessly,
    a_newer_or_changed_database_is_refused,
    a_second_opening_is_refused_until_the_first_is_closed,
    a_dropped_store_lets_others_in,
    an_empty_database_has_nobody,
);

async fn migrations_run_again_harmlessly(world: World) {
    world.insert_all(&Draft::several(1, 3)).await;
    let (database, _folder) = world.close().await;
    for _ in 0..2 {
        let store = Store::open(&database).await.unwrap();
        assert_eq!(store.head().await.unwrap(), 1);
        assert_eq!(store.count_tokens().await.unwrap(), 3);
        store.close().await;
    }
}

async fn a_newer_or_changed_database_is_refused(world: World) {
    let blob = world.blob(&[1; 48]);
    let (database, _folder) = world.close().await;
    let mut raw = world::raw(&database).await.unwrap();
    raw.execute(&format!(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (9999, 'later', true, {blob}, 0)"
    ))
    .await
    .unwrap();
    let refused = |error| matches!(error, StoreError::Migration(_));
    assert!(refused(Store::open(&database).await.unwrap_err()));
    raw.execute("delete from _sqlx_migrations where version = 9999")
        .await
        .unwrap();
    Store::open(&database).await.unwrap().close().await;
    raw.execute(&format!("update _sqlx_migrations set checksum = {blob}"))
        .await
        .unwrap();
    assert!(refused(Store::open(&database).await.unwrap_err()));
}

async fn a_second_opening_is_refused_until_the_first_is_closed(world: World) {
    world.store.is_still_sole().await.unwrap();
    for _ in 0..2 {
        let error = Store::open(&world.database).await.unwrap_err();
        assert!(matches!(&error, StoreError::InUse(_)), "{error}");
        assert!(error.to_string().contains("another hallpass"), "{error}");
        assert!(!error.to_string().contains("postgres://"), "{error}");
    }
    world.store.is_still_sole().await.unwrap();
    // Asked without need, it stays as it is.
    world.store.become_sole().await.unwrap();
    world.store.is_still_sole().await.unwrap();
    world.store.close().await;
    assert!(world.store.ping().await.is_err());
    let store = Store::open(&world.database).await.unwrap();
    store.is_still_sole().await.unwrap();
    store.close().await;
}

/// As after an error at the start, when nobody closes.
async fn a_dropped_store_lets_others_in(world: World) {
    let database = world.database.clone();
    let World {
        store,
        folder: _folder,
        ..
    } = world;
    drop(store);
    // PostgreSQL notices a cut connection when it pleases.
    let opened = tokio::time::timeout(std::time::Duration::from_secs(30), async {
        loop {
            match Store::open(&database).await {
                Err(StoreError::InUse(_)) => tokio::task::yield_now().await,
                other => break other.unwrap(),
            }
        }
    });
    opened.await.unwrap().close().await;
}

async fn an_empty_database_has_nobody(world: World) {
    let (database, _folder) = new_database(world.engine);
    let store = Store::open(&database).await.unwrap();
    store.ping().await.unwrap();
    assert_eq!(store.count_users().await.unwrap(), 0);
    assert_eq!(store.head().await.unwrap(), 0);
    assert!(store.feed_after(0).await.unwrap().is_empty());
    let mut tx = store.begin().await.unwrap();
    assert!(tx.is_empty_and_held().await.unwrap());
    let key = tx
        .insert_organization(&world::organization(world::ACME, "Acme"), NOW)
        .await
        .unwrap();
    tx.insert_user(&world::account(world::ADA, "ada@acme.example"), NOW)
        .await
        .unwrap();
    assert_eq!(
        tx.commit(&[key]).await.unwrap(),
        Some(1),
        "no number is lost"
    );
    let mut tx = store.begin().await.unwrap();
    assert!(!tx.is_empty_and_held().await.unwrap());
    drop(tx);
    assert_eq!(store.head().await.unwrap(), 1);
    store.close().await;
}

/// Ends the sessions that hold the lock of the world's database.
async fn cut_the_lock(world: &World) {
    let mut raw = world.raw().await;
    let cut = "select count(pg_terminate_backend(pid)) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())";
    assert_eq!(raw.number(cut).await, 1);
}

#[test]
fn the_lock_is_lost_with_its_session() {
    world::run(Engine::Postgres, async |world: World| {
        cut_the_lock(&world).await;
        let lost = world.store.is_still_sole().await;
        assert!(lost.is_err(), "{lost:?}");
        // The rest still works, which is why it must be asked.
        world.store.ping().await.unwrap();
        let other = Store::open(&world.database).await.unwrap();
        for _ in 0..2 {
            let refused = world.store.become_sole().await.unwrap_err();
            assert!(matches!(refused, StoreError::InUse(_)), "{refused}");
            assert!(world.store.is_still_sole().await.is_err());
        }
        other.is_still_sole().await.unwrap();
        other.close().await;
        // The server takes its time to notice that the other is gone.
        while world.store.become_sole().await.is_err() {}
        world.store.is_still_sole().await.unwrap();
        let refused = Store::open(&world.database).await.unwrap_err();
        assert!(matches!(refused, StoreError::InUse(_)), "{refused}");
    });
}

/// Another session's lock under the same number is not this one's.
#[test]
fn a_lock_that_another_took_is_noticed() {
    world::run(Engine::Postgres, async |world: World| {
        let mut raw = world.raw().await;
        cut_the_lock(&world).await;
        let take = "select pg_try_advisory_lock(x'68616c6c70617373'::bigint)::int::bigint";
        while raw.number(take).await == 0 {}
        assert!(world.store.is_still_sole().await.is_err());
        let refused = Store::open(&world.database).await.unwrap_err();
        assert!(matches!(refused, StoreError::InUse(_)), "{refused}");
    });
}

#[cfg(unix)]
#[test]
fn files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    world::run(Engine::Sqlite, async |world: World| {
        let check = |database: &Database| {
            let Database::Sqlite(path) = database else {
                panic!("SQLite was asked for")
            };
            let folder = std::fs::read_dir(path.parent().unwrap()).unwrap();
            let mut names = Vec::new();
            for file in folder {
                let file = file.unwrap();
                let mode = file.metadata().unwrap().permissions().mode() & 0o777;
                assert_eq!(mode, 0o600, "{:?}", file.path());
                names.push(file.file_name().into_string().unwrap());
            }
            names.sort();
            names
        };
        let open = [
            "hallpass.db",
            "hallpass.db-shm",
            "hallpass.db-wal",
            "hallpass.lock",
        ];
        assert_eq!(check(&world.database), open);
        let (database, _folder) = world.close().await;
        assert_eq!(check(&database), ["hallpass.db", "hallpass.lock"]);
        // A file that was made readable is closed again, and so is what is made beside it.
        let Database::Sqlite(path) = &database else {
            panic!("SQLite was asked for")
        };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let store = Store::open(&database).await.unwrap();
        assert_eq!(check(&database), open);
        store.close().await;
    });
}

#[test]
fn addresses_are_read() {
    for good in [
        "sqlite:a.db",
        "sqlite:///var/lib/a.db",
        "sqlite:a folder/ä.db",
    ] {
        assert!(
            matches!(Database::parse(good), Ok(Database::Sqlite(_))),
            "{good}"
        );
    }
    assert_eq!(
        Database::parse("sqlite:///a.db").unwrap(),
        Database::Sqlite("/a.db".into())
    );
    for good in ["postgres://u:secret@h/d", "postgresql://h"] {
        let database = Database::parse(good).unwrap();
        assert_eq!(database, Database::Postgres(good.to_owned()));
        assert_eq!(format!("{database:?}"), "postgres://…");
    }
    for bad in [
        "",
        "a.db",
        "sqlite:",
        "sqlite::memory:",
        "sqlite:a?mode=ro",
        "mysql://h",
        "postgres://u:secret@h:port/d",
    ] {
        let error = Database::parse(bad).unwrap_err();
        assert!(matches!(error, StoreError::Address(_)), "{bad}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
