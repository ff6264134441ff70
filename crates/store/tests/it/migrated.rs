//! A database of the first kind opens under the second.

use crate::{
    both_engines,
    world::{ACME, ADA, BOB, GLOBEX, NOW, Raw, World, digest, new_database, person, raw, token_id},
};
use hallpass_domain::{
    id::{OrganizationId, UserId},
    permission::Source,
    role::BuiltInRole,
    time::Timestamp,
};
use hallpass_store::{Database, FeedKey, Store};
use sqlx::migrate::Migrator;
use std::borrow::Cow;

both_engines!(a_database_of_the_first_kind_opens);

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// As the first version of the program left it.
async fn migrate_once(raw: &mut Raw) {
    let first = Migrator {
        migrations: Cow::Owned(MIGRATIONS.migrations[..1].to_vec()),
        ..Migrator::DEFAULT
    };
    match raw {
        Raw::Sqlite(on) => first.run(on).await.unwrap(),
        Raw::Postgres(on) => first.run(on).await.unwrap(),
    }
}

struct Rows<'a> {
    world: &'a World,
    raw: Raw,
}

impl Rows<'_> {
    async fn add(&mut self, table: &str, values: String) {
        let sql = format!("insert into {table} values ({values})");
        self.raw.execute(&sql).await.unwrap();
    }

    fn id(&self, bytes: &[u8]) -> String {
        self.world.blob(bytes)
    }

    async fn organization(&mut self, id: OrganizationId, name: &str, created: Timestamp) {
        let values = format!(
            "{}, '{name}', 'active', {}",
            self.id(id.bytes()),
            created.micros()
        );
        self.add("organization", values).await;
    }

    async fn user(&mut self, id: UserId, name: &str, standing: &str) {
        let id = self.id(id.bytes());
        let values = format!(
            "{id}, '{name}@acme.example', '{name}@acme.example', '{name}', '$argon2id$x', '{standing}', 1, 3"
        );
        self.add("app_user", values).await;
    }

    async fn member(
        &mut self,
        at: OrganizationId,
        user: UserId,
        role: BuiltInRole,
        standing: &str,
    ) {
        let [at, user, role] = [at.bytes(), user.bytes(), role.id().bytes()].map(|id| self.id(id));
        let values = format!("{at}, {user}, {role}, '{standing}', true, 1, 2");
        self.add("membership", values).await;
    }

    async fn token(&mut self, number: u32, owner: Option<UserId>) {
        let role = BuiltInRole::Member.id();
        let [id, at, digest] = [
            &token_id(number).bytes()[..],
            ACME.bytes(),
            digest(number).bytes(),
        ]
        .map(|bytes| self.id(bytes));
        let (kind, user, role) = match owner {
            Some(user) => (
                "personal_access_token",
                self.id(user.bytes()),
                "null".to_owned(),
            ),
            None => ("api_key", "null".to_owned(), self.id(role.bytes())),
        };
        let end = NOW.plus_days(1).micros();
        let values = format!(
            "{id}, '{kind}', {at}, {user}, {role}, 'T{number}', 't{number}', 'hpp_{number:06}', {digest}, 'p1', null, 'orders:read', 5, {end}, false, null, null, null, 4"
        );
        self.add("token", values).await;
    }

    async fn line(&mut self, number: u8, at: i64) {
        let id = self.id(&[number; 16]);
        let acme = self.id(ACME.bytes());
        let values =
            format!("{id}, {at}, {acme}, null, null, 'token.made', 'n{number}', null, null, null");
        self.add("audit", values).await;
    }
}

async fn settle(rows: &mut Rows<'_>) {
    let proof = rows.id(&[1; 32]);
    rows.add("pepper", format!("'p1', {proof}")).await;
    for (role, name, all) in [
        (BuiltInRole::Superuser, "Superuser", true),
        (BuiltInRole::Member, "Member", false),
    ] {
        let id = rows.id(role.id().bytes());
        let values = format!("{id}, null, '{name}', {all}, ''");
        rows.add("role", values).await;
    }
    rows.organization(GLOBEX, "GLÖBEX", NOW).await;
    rows.organization(ACME, "Acme", NOW.plus_days(-1)).await;
    rows.user(ADA, "ada", "active").await;
    rows.user(BOB, "bob", "suspended").await;
    rows.user(person(3), "eve", "active").await;
    rows.user(person(4), "MÄL", "active").await;
    use BuiltInRole::{Member, Superuser};
    rows.member(ACME, ADA, Superuser, "active").await;
    rows.member(ACME, BOB, Superuser, "active").await;
    rows.member(ACME, person(3), Superuser, "suspended").await;
    rows.member(ACME, person(4), Member, "active").await;
    rows.member(GLOBEX, ADA, Member, "active").await;
    rows.token(1, Some(ADA)).await;
    rows.token(2, None).await;
    rows.add("catalogue", "'orders:read', 'See orders', 'low'".to_owned())
        .await;
    for (number, at) in [(9, 10), (2, 20), (1, 20), (3, 5)] {
        rows.line(number, at).await;
    }
    let id = rows.id(ADA.bytes());
    rows.add("feed", format!("1, 0, 'user', {id}")).await;
    rows.raw.execute("update head set seq = 1").await.unwrap();
}

async fn check_people(store: &Store, raw: &mut Raw) {
    for loaded in store.organizations().await.unwrap() {
        let oldest = loaded.organization.id == ACME;
        assert_eq!(loaded.organization.host, oldest);
        assert_eq!(loaded.tokens_revoked_before, None);
    }
    let acme = "select superusers from organization where name = 'Acme'";
    assert_eq!(raw.number(acme).await, 1, "Ada alone is active in all ways");
    let globex = "select count(*) from organization where name = 'GLÖBEX' and superusers is null";
    assert_eq!(raw.number(globex).await, 1);
    let found = store.list_users("mäl", "", 9).await.unwrap();
    assert_eq!(found.len(), 1, "old names are folded too");
    let found = store.list_organizations("glö", None, 9).await.unwrap();
    assert_eq!(found.len(), 1);
    let mut tx = store.begin().await.unwrap();
    assert!(tx.hold_organization(ACME).await.unwrap());
    tx.delete_membership(ACME, ADA).await.unwrap();
    assert!(!tx.recount_superusers(ACME).await.unwrap());
    drop(tx);
    let row = store.find_member(ACME, ADA, NOW).await.unwrap().unwrap();
    assert_eq!((row.role_name.as_str(), row.tokens), ("Superuser", 1));
    let built_in = "select count(*) from role where (built_in = 'superuser' and grants_all) or (built_in = 'member' and not grants_all)";
    assert_eq!(raw.number(built_in).await, 2);
    let catalogue = store.catalogue().await.unwrap();
    assert_eq!(catalogue[0].source, Source::File);
}

async fn a_database_of_the_first_kind_opens(world: World) {
    let (database, _folder) = new_database(world.engine);
    if let Database::Sqlite(path) = &database {
        std::fs::write(path, []).unwrap();
    }
    let mut rows = Rows {
        world: &world,
        raw: raw(&database).await.unwrap(),
    };
    migrate_once(&mut rows.raw).await;
    settle(&mut rows).await;
    drop(rows);
    let store = Store::open(&database).await.unwrap();
    let mut raw = raw(&database).await.unwrap();
    check_people(&store, &mut raw).await;

    let numbered = "select count(*) from audit where (target, seq) in (('n3', 1), ('n9', 2), ('n1', 3), ('n2', 4))";
    assert_eq!(raw.number(numbered).await, 4, "by moment, then by id");
    let head =
        "select count(*) from audit_head where seq = 4 and chained_after = 4 and code is null";
    assert_eq!(raw.number(head).await, 1);

    let token = store
        .find_token(ACME, ADA, token_id(1), NOW)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((token.version, token.token.suspension), (4, None));
    let key = store
        .find_key(ACME, token_id(2), NOW)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(key.key.secrets.len(), 1);
    assert_eq!(key.key.current().unwrap().since, Timestamp::from_micros(5));
    let entries = store.feed_after(0).await.unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].seq, entries[0].key), (1, FeedKey::User(ADA)));
    let tx = store.begin().await.unwrap();
    let bulk = FeedKey::Bulk(ACME, NOW);
    assert_eq!(tx.commit(&[bulk]).await.unwrap(), Some(2));
    assert_eq!(store.feed_after(1).await.unwrap()[0].key, bulk);
    store.close().await;
    Store::open(&database).await.unwrap().close().await;
}
