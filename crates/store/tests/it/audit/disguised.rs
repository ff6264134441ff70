//! Lines that read as they were written, and are not: stored as something else, or there twice where two pages meet.

use super::{append, entry, five, is_bad, is_good, peppers};
use crate::{
    both_engines,
    world::{ACME, ADA, Counting, Engine, World, token_id},
};
use hallpass_domain::audit::{Action, Wrong};
use hallpass_store::AuditEntry;

both_engines!(
    what_is_stored_as_something_else_is_noticed,
    a_number_that_is_none_is_noticed,
    a_double_between_two_pages_is_named,
);

/// As many lines as are verified at once.
const PAGE: i64 = 500;

/// Every column of the line holds something.
fn full() -> AuditEntry<'static> {
    AuditEntry {
        token: Some(token_id(1)),
        before: Some("{}".to_owned()),
        detail: Some("{}".to_owned()),
        ..entry(Some(ACME), ADA, Action::UserRemoved)
    }
}

/// SQLite keeps in a column whatever it is given; PostgreSQL refuses.
async fn what_is_stored_as_something_else_is_noticed(world: World) {
    if world.engine == Engine::Postgres {
        five(&world).await;
        return is_good(&world, 5).await;
    }
    let entropy = five(&world).await;
    super::write(&world.store, &entropy, &[full()]).await;
    is_good(&world, 6).await;
    for (column, kind) in [
        ("id", "text"),
        ("organization_id", "text"),
        ("actor_user_id", "text"),
        ("actor_token_id", "text"),
        ("code", "text"),
        ("at", "blob"),
        ("action", "blob"),
        ("target", "blob"),
        ("address", "blob"),
        ("agent", "blob"),
        ("before_state", "blob"),
        ("after_state", "blob"),
        ("detail", "blob"),
        ("pepper_id", "blob"),
    ] {
        world
            .execute("create table kept as select * from audit")
            .await;
        // A text is shorter than its bytes: the column's own check would keep some out, and is as easily left out.
        let edit = format!(
            "pragma ignore_check_constraints = on; update audit set {column} = cast({column} as {kind}) where seq = 6"
        );
        is_bad(&world, &edit, 6, Wrong::Edited).await;
        world
            .execute("delete from audit; insert into audit select * from kept; drop table kept")
            .await;
        is_good(&world, 6).await;
    }
}

/// The last line's number as bytes: it sorts behind all numbers, and no list shows it.
async fn a_number_that_is_none_is_noticed(world: World) {
    five(&world).await;
    match world.engine {
        Engine::Sqlite => {
            let edit = "update audit set seq = cast(seq as blob) where seq = 5";
            is_bad(&world, edit, 5, Wrong::Edited).await;
        }
        Engine::Postgres => is_good(&world, 5).await,
    }
}

async fn a_double_between_two_pages_is_named(world: World) {
    world.store.seal_audit_start(&peppers()).await.unwrap();
    let entropy = Counting::new();
    let mut tx = world.store.begin().await.unwrap();
    for _ in 0..PAGE {
        append(&mut tx, &entropy, &full());
    }
    tx.commit(&[]).await.unwrap();
    is_good(&world, 500).await;
    world.execute("drop index audit_seq").await;
    let id = world.blob(&[7; 16]);
    let forge =
        format!("insert into audit (id, at, action, seq) values ({id}, 0, 'user.removed', {PAGE})");
    is_bad(&world, &forge, PAGE, Wrong::Doubled).await;
    // So it is with lines behind it.
    let forged = format!("delete from audit where id = {id}");
    world.execute(&forged).await;
    is_good(&world, 500).await;
    super::write(&world.store, &entropy, &[full(), full()]).await;
    is_good(&world, 502).await;
    is_bad(&world, &forge, PAGE, Wrong::Doubled).await;
}
