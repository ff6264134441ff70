//! The audit: its chain over real rows, what is done to them behind its back, and its pages.

mod disguised;
mod listing;
mod together;

use crate::{
    both_engines,
    world::{ACME, ADA, BOB, Counting, NOW, World, token_id},
};
use hallpass_domain::{
    audit::{Action, Finding, Found, Report, Wrong},
    id::{OrganizationId, UserId},
    token::{Pepper, PepperId, Peppers},
};
use hallpass_store::{AuditEntry, FeedKey, Store, StoreError, Tx};

both_engines!(
    a_chain_of_real_rows_verifies,
    an_empty_audit_is_good,
    every_column_that_is_edited_is_noticed,
    a_row_that_cannot_be_read_is_named,
    a_removed_line_is_named,
    an_inserted_line_is_named,
    swapped_lines_are_named,
    a_cut_end_is_named,
    a_line_without_a_number_is_noticed,
    a_pepper_that_is_gone_is_named,
    lines_from_before_are_counted,
    a_dropped_transaction_leaves_no_gap,
    a_chain_without_an_end_takes_no_line,
    what_agrees_without_a_seal_is_named,
    a_forged_end_is_never_sealed_again,
    the_start_is_sealed_once,
);

fn pepper_of(id: &str, byte: u8) -> Pepper {
    Pepper::new(PepperId::parse(id).unwrap(), &[byte; 32].into())
}

fn peppers() -> Peppers {
    Peppers::new(pepper_of("p1", 1), Vec::new())
}

fn entry<'a>(
    organization: Option<OrganizationId>,
    actor: UserId,
    action: Action,
) -> AuditEntry<'a> {
    AuditEntry {
        at: NOW,
        organization,
        actor: Some(actor),
        token: None,
        action,
        target: Some("target".to_owned()),
        address: Some("192.0.2.1"),
        agent: Some("curl"),
        before: None,
        after: Some("{\"name\":\"é\"}".to_owned()),
        detail: None,
    }
}

fn append(tx: &mut Tx, entropy: &Counting, entry: &AuditEntry<'_>) {
    tx.append_audit(entropy, &pepper_of("p1", 1), entry);
}

/// Writes `entries` in a transaction of their own.
async fn write(store: &Store, entropy: &Counting, entries: &[AuditEntry<'_>]) {
    let mut tx = store.begin().await.unwrap();
    for entry in entries {
        append(&mut tx, entropy, entry);
    }
    tx.commit(&[]).await.unwrap();
}

/// Five lines, two of them in one transaction.
async fn five(world: &World) -> Counting {
    world.store.seal_audit_start(&peppers()).await.unwrap();
    let entropy = Counting::new();
    let of = |action| entry(Some(ACME), ADA, action);
    write(&world.store, &entropy, &[of(Action::TokenCreated)]).await;
    let (one, other) = (of(Action::TokenChanged), of(Action::TokenSuspended));
    write(&world.store, &entropy, &[one, other]).await;
    // Its clock ran behind.
    let early = AuditEntry {
        at: NOW.plus_seconds(-60),
        ..of(Action::TokenResumed)
    };
    write(&world.store, &entropy, &[early]).await;
    write(&world.store, &entropy, &[of(Action::TokenRevoked)]).await;
    entropy
}

async fn verify(world: &World) -> Report {
    world.store.verify_audit(&peppers()).await.unwrap()
}

async fn is_good(world: &World, lines: u64) {
    let report = verify(world).await;
    assert_eq!(report.first_bad(), None);
    assert_eq!((report.unchained, report.verified), (0, lines));
}

/// Does `sql` behind the store's back, and sees the line named.
async fn is_bad(world: &World, sql: &str, seq: i64, wrong: Wrong) {
    world.execute(sql).await;
    let broken = verify(world).await.broken;
    assert_eq!(broken, Some(Finding { seq, wrong }), "{sql}");
}

async fn a_chain_of_real_rows_verifies(world: World) {
    let entropy = five(&world).await;
    is_good(&world, 5).await;
    let head = world.store.audit_head().await.unwrap();
    assert_eq!((head.seq, head.chained_after, head.unnumbered), (5, 0, 0));
    let mut seen = Vec::new();
    for from in [0, 3, 5, 6] {
        let found = world.store.audit_lines(from, 2).await.unwrap();
        seen.push(found.iter().map(Found::seq).collect::<Vec<_>>());
        for found in found {
            let Found::Line(sealed) = found else {
                panic!("{found:?}")
            };
            assert_eq!(sealed.seal.unwrap().pepper, "p1");
            assert_eq!(sealed.line.after.as_deref(), Some("{\"name\":\"é\"}"));
            assert_eq!(sealed.line.before, None);
        }
    }
    assert_eq!(seen, [vec![1, 2], vec![3, 4], vec![5], vec![]]);
    // Every field comes back as it was written: the code says so.
    let full = AuditEntry {
        token: Some(token_id(1)),
        before: Some(String::new()),
        detail: Some("{}".to_owned()),
        ..entry(None, BOB, Action::PolicyEnforced)
    };
    write(&world.store, &entropy, &[full]).await;
    is_good(&world, 6).await;
}

async fn an_empty_audit_is_good(world: World) {
    assert!(world.store.seal_audit_start(&peppers()).await.unwrap());
    is_good(&world, 0).await;
    world
        .begin()
        .await
        .commit(&[FeedKey::Catalogue])
        .await
        .unwrap();
    is_good(&world, 0).await;
}

async fn every_column_that_is_edited_is_noticed(world: World) {
    five(&world).await;
    let blob = world.blob(&[7; 16]);
    let code = world.blob(&[7; 32]);
    for (column, value) in [
        ("id", blob.as_str()),
        ("at", "at + 1"),
        ("organization_id", &blob),
        ("organization_id", "null"),
        ("actor_user_id", &blob),
        ("actor_token_id", &blob),
        ("action", "'token.created'"),
        ("target", "null"),
        ("address", "'192.0.2.2'"),
        ("agent", "''"),
        ("before_state", "'{}'"),
        ("before_state", "''"),
        ("after_state", "'{}'"),
        ("detail", "'{}'"),
        ("code", &code),
        ("code", "null"),
        ("pepper_id", "null"),
    ] {
        world
            .execute("create table kept as select * from audit")
            .await;
        let edit = format!("update audit set {column} = {value} where seq = 3");
        is_bad(&world, &edit, 3, Wrong::Edited).await;
        world
            .execute("delete from audit; insert into audit select * from kept; drop table kept")
            .await;
        is_good(&world, 5).await;
    }
}

async fn a_row_that_cannot_be_read_is_named(world: World) {
    five(&world).await;
    for (edit, back) in [
        ("at = 9223372036854775807", format!("at = {}", NOW.micros())),
        (
            "actor_user_id = substr(id, 1, 3)",
            format!("actor_user_id = {}", world.blob(ADA.bytes())),
        ),
    ] {
        let edit = format!("update audit set {edit} where seq = 2");
        is_bad(&world, &edit, 2, Wrong::Edited).await;
        let listed = world
            .store
            .list_audit(&hallpass_store::AuditQuery::all(None, 9))
            .await;
        assert!(matches!(listed, Err(StoreError::Malformed(_))));
        world
            .execute(&format!("update audit set {back} where seq = 2"))
            .await;
        is_good(&world, 5).await;
    }
    // SQLite takes what is no text for one.
    if world.engine == crate::world::Engine::Sqlite {
        is_bad(
            &world,
            "update audit set action = x'00' where seq = 4",
            4,
            Wrong::Edited,
        )
        .await;
    }
}

async fn a_removed_line_is_named(world: World) {
    five(&world).await;
    is_bad(&world, "delete from audit where seq = 2", 2, Wrong::Missing).await;
    // The gap is closed.
    for seq in 3..=5 {
        world
            .execute(&format!("update audit set seq = seq - 1 where seq = {seq}"))
            .await;
    }
    is_bad(&world, "update audit_head set seq = 4", 2, Wrong::Edited).await;
}

async fn an_inserted_line_is_named(world: World) {
    five(&world).await;
    for seq in [5, 4, 3] {
        world
            .execute(&format!("update audit set seq = seq + 1 where seq = {seq}"))
            .await;
    }
    let id = world.blob(&[7; 16]);
    let insert = |seq| {
        format!(
            "insert into audit (id, at, organization_id, actor_user_id, action, pepper_id, code, seq) \
             select {id}, at, organization_id, actor_user_id, action, pepper_id, code, {seq} from audit where seq = 2"
        )
    };
    is_bad(&world, &insert("3"), 3, Wrong::Edited).await;
    world.execute("delete from audit where seq = 3").await;
    for seq in [4, 5, 6] {
        world
            .execute(&format!("update audit set seq = seq - 1 where seq = {seq}"))
            .await;
    }
    is_good(&world, 5).await;
    is_bad(&world, &insert("6"), 6, Wrong::Edited).await;
}

async fn swapped_lines_are_named(world: World) {
    five(&world).await;
    world
        .execute("update audit set seq = 100 where seq = 2; update audit set seq = 2 where seq = 4")
        .await;
    is_bad(
        &world,
        "update audit set seq = 4 where seq = 100",
        2,
        Wrong::Edited,
    )
    .await;
}

async fn a_cut_end_is_named(world: World) {
    five(&world).await;
    is_bad(&world, "delete from audit where seq > 3", 4, Wrong::CutOff).await;
    is_bad(&world, "update audit_head set seq = 3", 3, Wrong::Head).await;
    is_bad(&world, "update audit_head set seq = 2", 3, Wrong::Beyond).await;
    is_bad(&world, "delete from audit", 1, Wrong::CutOff).await;
}

async fn a_line_without_a_number_is_noticed(world: World) {
    five(&world).await;
    let id = world.blob(&[7; 16]);
    let insert =
        |seq| format!("insert into audit (id, at, action, seq) values ({id}, 0, 'refused', {seq})");
    for seq in ["null", "0", "-3"] {
        is_bad(&world, &insert(seq), 0, Wrong::Unnumbered(1)).await;
        world
            .execute(&format!("delete from audit where id = {id}"))
            .await;
    }
    is_good(&world, 5).await;
}

async fn a_pepper_that_is_gone_is_named(world: World) {
    let entropy = five(&world).await;
    let both = Peppers::new(pepper_of("p2", 2), vec![pepper_of("p1", 1)]);
    assert!(world.store.seal_audit_start(&both).await.unwrap());
    let mut tx = world.begin().await;
    tx.append_audit(
        &entropy,
        &pepper_of("p2", 2),
        &entry(None, BOB, Action::Refused),
    );
    tx.commit(&[]).await.unwrap();
    let report = world.store.verify_audit(&both).await.unwrap();
    assert_eq!((report.verified, report.first_bad()), (6, None));
    let report = verify(&world).await;
    let wrong = Wrong::UnknownPepper("p2".to_owned());
    assert_eq!((report.verified, report.unknown), (5, 1));
    assert_eq!(report.first_unknown, Some(Finding { seq: 6, wrong }));
    assert_eq!(report.broken, None);
}

async fn lines_from_before_are_counted(world: World) {
    let (one, other) = (world.blob(&[7; 16]), world.blob(&[8; 16]));
    world
        .execute(&format!(
            "insert into audit (id, at, action, seq) values ({one}, 0, 'token.created', 1), ({other}, 1, 'token.revoked', 2); \
             update audit_head set seq = 2, chained_after = 2"
        ))
        .await;
    assert!(world.store.seal_audit_start(&peppers()).await.unwrap());
    let report = verify(&world).await;
    assert_eq!((report.unchained, report.verified), (2, 0));
    assert_eq!(report.first_bad(), None);
    five(&world).await;
    let report = verify(&world).await;
    assert_eq!((report.unchained, report.verified), (2, 5));
    assert_eq!(report.first_bad(), None);
    is_bad(
        &world,
        "update audit_head set chained_after = 1",
        2,
        Wrong::Edited,
    )
    .await;
    is_bad(
        &world,
        "update audit_head set chained_after = 3",
        3,
        Wrong::Edited,
    )
    .await;
    world
        .execute("update audit_head set chained_after = 2")
        .await;
    is_bad(&world, "delete from audit where seq = 1", 1, Wrong::Missing).await;
}

async fn a_dropped_transaction_leaves_no_gap(world: World) {
    let entropy = five(&world).await;
    let line = entry(Some(ACME), BOB, Action::MemberRemoved);
    let mut tx = world.begin().await;
    append(&mut tx, &entropy, &line);
    drop(tx);
    is_good(&world, 5).await;
    // The commit that fails after its lines were written takes them along.
    world.execute("alter table feed rename to gone").await;
    let mut tx = world.begin().await;
    append(&mut tx, &entropy, &line);
    tx.commit(&[FeedKey::Catalogue]).await.unwrap_err();
    world.execute("alter table gone rename to feed").await;
    is_good(&world, 5).await;
    write(&world.store, &entropy, &[line]).await;
    is_good(&world, 6).await;
    assert_eq!(world.store.audit_head().await.unwrap().seq, 6);
}

async fn a_chain_without_an_end_takes_no_line(world: World) {
    let entropy = five(&world).await;
    let line = entry(None, BOB, Action::Refused);
    for spoil in [
        "update audit_head set code = null",
        "delete from audit_head",
    ] {
        world.execute(spoil).await;
        let mut tx = world.begin().await;
        append(&mut tx, &entropy, &line);
        let refused = tx.commit(&[]).await;
        assert!(
            matches!(refused, Err(StoreError::Malformed(_))),
            "{refused:?}"
        );
        assert_eq!(world.count("select count(*) from audit").await, 5);
    }
    assert!(world.store.audit_head().await.is_err());
}

const ALL_OLD: &str = "update audit set code = null, pepper_id = null; update audit_head set chained_after = seq, code = null";
const CUT: &str = "delete from audit where seq = 5; update audit_head set seq = 4, code = (select code from audit where seq = 4)";

async fn what_agrees_without_a_seal_is_named(world: World) {
    five(&world).await;
    is_bad(&world, CUT, 4, Wrong::Unsealed).await;
    is_bad(&world, ALL_OLD, 4, Wrong::Unsealed).await;
    let unsealed = "update audit_head set seal = null, seal_pepper = null";
    is_bad(&world, unsealed, 4, Wrong::Unsealed).await;
}

/// Lines go on, but neither they nor a start make a forged end good.
async fn a_forged_end_is_never_sealed_again(world: World) {
    let entropy = five(&world).await;
    world.execute(CUT).await;
    let line = entry(Some(ACME), BOB, Action::MemberRemoved);
    for seq in [5, 6] {
        write(&world.store, &entropy, std::slice::from_ref(&line)).await;
        assert!(!world.store.seal_audit_start(&peppers()).await.unwrap());
        is_bad(&world, "select 1", seq, Wrong::Unsealed).await;
    }
    let unsealed = "update audit_head set seal = null, seal_pepper = null";
    is_bad(&world, unsealed, 6, Wrong::Unsealed).await;
    write(&world.store, &entropy, &[line]).await;
    assert!(!world.store.seal_audit_start(&peppers()).await.unwrap());
    is_bad(&world, "select 1", 7, Wrong::Unsealed).await;
}

async fn the_start_is_sealed_once(world: World) {
    let seal = async || world.store.seal_audit_start(&peppers()).await.unwrap();
    assert_eq!(
        verify(&world).await.broken,
        Some(Finding {
            seq: 0,
            wrong: Wrong::Unsealed
        })
    );
    assert!(seal().await && seal().await);
    five(&world).await;
    assert!(seal().await);
    is_good(&world, 5).await;
    // A pepper is retired: the end is sealed under the one in use, and only if it was good.
    let newer = Peppers::new(pepper_of("p2", 2), vec![pepper_of("p1", 1)]);
    assert!(world.store.seal_audit_start(&newer).await.unwrap());
    let sealed = world.store.audit_head().await.unwrap().seal.unwrap();
    assert_eq!(sealed.pepper, "p2");
    assert!(!seal().await, "p2 is not here");
    // One code is left somewhere: this is no start.
    world.execute(ALL_OLD).await;
    world
        .execute("update audit_head set seal = null, seal_pepper = null")
        .await;
    let code = world.blob(&[7; 32]);
    world
        .execute(&format!("update audit set code = {code} where seq = 1"))
        .await;
    assert!(!seal().await);
    world.execute("update audit set code = null").await;
    world.execute("delete from audit where seq = 2").await;
    assert!(!seal().await);
}
