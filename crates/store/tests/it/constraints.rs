//! What the code forgets, the database refuses: each rule is tried past the code.

mod row;

use crate::{
    both_engines,
    world::{ACME, ADA, Draft, World},
};
use hallpass_domain::role::BuiltInRole;
use row::{Row, refuses, refuses_twice};
use sqlx::error::ErrorKind::{
    CheckViolation as Check, ForeignKeyViolation as Foreign, NotNullViolation as NotNull,
    UniqueViolation as Unique,
};

both_engines!(tokens, people, everything_else);

fn token(world: &World) -> Row {
    Row::new(
        "token",
        [
            ("id", &world.blob(&[1; 16])),
            ("kind", "'personal_access_token'"),
            ("organization_id", &world.blob(ACME.bytes())),
            ("user_id", &world.blob(ADA.bytes())),
            ("name", "'a'"),
            ("name_key", "'a'"),
            ("prefix", "'hpp_aaaaaa'"),
            ("digest", &world.blob(&[1; 32])),
            ("pepper_id", "'p1'"),
            ("created_at", "0"),
            ("expires_at", "5"),
            ("never_expires_acknowledged", "false"),
        ],
    )
}

#[expect(clippy::too_many_lines, reason = "one table of rules")]
async fn tokens(world: World) {
    let role = world.blob(BuiltInRole::Member.id().bytes());
    let [short, long] = [31, 33].map(|length| world.blob(&vec![1; length]));
    let unknown = world.blob(&[7; 16]);
    let hash = format!("'{}'", "h".repeat(60));
    let personal = token(&world);
    refuses(
        &world,
        &personal,
        &[
            (&[("id", "null")], NotNull),
            (&[("id", &short)], Check),
            (&[("kind", "'short_lived'")], Check),
            (&[("kind", "'other'")], Check),
            (&[("kind", "null")], NotNull),
            (&[("user_id", "null")], Check),
            (&[("role_id", &role)], Check),
            (&[("kind", "'api_key'")], Check),
            (&[("kind", "'api_key'"), ("role_id", &role)], Check),
            (&[("kind", "'api_key'"), ("user_id", "null")], Check),
            (&[("organization_id", "null")], NotNull),
            (&[("organization_id", &unknown)], Foreign),
            (&[("user_id", &unknown)], Foreign),
            (&[("pepper_id", "'p9'")], Foreign),
            (&[("name", "''")], Check),
            (&[("name_key", "''")], Check),
            (&[("prefix", "'hpp_aaaaa'")], Check),
            (&[("prefix", "'hpp_aaaaaaa'")], Check),
            (&[("digest", &short)], Check),
            (&[("digest", &long)], Check),
            (&[("digest", "null"), ("pepper_id", "null")], Check),
            (&[("bcrypt", &hash)], Check),
            (&[("bcrypt", &hash), ("digest", "null")], Check),
            (&[("pepper_id", "null")], Check),
            (
                &[
                    ("digest", "null"),
                    ("pepper_id", "null"),
                    ("bcrypt", "'short'"),
                ],
                Check,
            ),
            (&[("expires_at", "null")], Check),
            (&[("never_expires_acknowledged", "null")], NotNull),
            (&[("version", "null")], NotNull),
            (&[("created_at", "null")], NotNull),
        ],
    )
    .await;
    let bob = world.blob(crate::world::BOB.bytes());
    let others = [
        ("id", world.blob(&[2; 16])),
        ("prefix", "'hpp_bbbbbb'".to_owned()),
        ("digest", world.blob(&[2; 32])),
    ];
    let others: Vec<(&'static str, &str)> = others
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    for free in [
        ("name_key", "'b'"),
        ("user_id", bob.as_str()),
        ("revoked_at", "1"),
    ] {
        let free = [&others[..], &[free]].concat();
        refuses_twice(&world, &personal, &free, Unique).await;
    }
    let key = personal.with(&[
        ("kind", "'api_key'"),
        ("user_id", "null"),
        ("role_id", &role),
        ("expires_at", "null"),
        ("valid_from", "null"),
    ]);
    refuses(&world, &key, &[(&[("role_id", &unknown)], Foreign)]).await;
    let globex = world.blob(crate::world::GLOBEX.bytes());
    for free in [
        ("name_key", "'b'"),
        ("organization_id", globex.as_str()),
        ("revoked_at", "1"),
    ] {
        let free = [&others[..], &[free]].concat();
        refuses_twice(&world, &key, &free, Unique).await;
    }
    world.insert_all(&[Draft::new(1, "still works")]).await;
}

#[expect(clippy::too_many_lines, reason = "one table of rules")]
async fn people(world: World) {
    let (one, two) = (world.blob(&[1; 16]), world.blob(&[2; 16]));
    let (short, ada, acme) = (
        world.blob(&[1; 15]),
        world.blob(ADA.bytes()),
        world.blob(ACME.bytes()),
    );
    let member = world.blob(BuiltInRole::Member.id().bytes());
    let user = Row::new(
        "app_user",
        [
            ("id", &one),
            ("email", "'Eve@x.example'"),
            ("email_key", "'eve@x.example'"),
            ("name", "'Eve'"),
            ("password_hash", "'$argon2id$v=19'"),
            ("standing", "'active'"),
            ("created_at", "0"),
        ],
    );
    refuses(
        &world,
        &user,
        &[
            (&[("id", "null")], NotNull),
            (&[("id", &short)], Check),
            (&[("email", "''")], Check),
            (&[("email_key", "''")], Check),
            (&[("email_key", "'ada@acme.example'")], Unique),
            (&[("id", &ada)], Unique),
            (&[("name", "''")], Check),
            (&[("password_hash", "'secret'")], Check),
            (&[("password_hash", "'$2b$10$'")], Check),
            (&[("standing", "'gone'")], Check),
            (&[("standing", "null")], NotNull),
        ],
    )
    .await;
    refuses_twice(&world, &user, &[("id", &two), ("email_key", "'e'")], Unique).await;
    let organization = Row::new(
        "organization",
        [
            ("id", one.as_str()),
            ("name", "'a'"),
            ("standing", "'active'"),
            ("created_at", "0"),
        ],
    );
    refuses(
        &world,
        &organization,
        &[
            (&[("id", "null")], NotNull),
            (&[("id", &short)], Check),
            (&[("id", &acme)], Unique),
            (&[("name", "''")], Check),
            (&[("standing", "''")], Check),
        ],
    )
    .await;
    let globex = world.blob(crate::world::GLOBEX.bytes());
    let bob = world.blob(crate::world::BOB.bytes());
    let membership = Row::new(
        "membership",
        [
            ("organization_id", globex.as_str()),
            ("user_id", &bob),
            ("role_id", &member),
            ("standing", "'active'"),
            ("may_have_tokens", "true"),
            ("created_at", "0"),
        ],
    );
    refuses(
        &world,
        &membership,
        &[
            (&[("organization_id", &acme)], Unique),
            (&[("organization_id", &one)], Foreign),
            (&[("user_id", &one)], Foreign),
            (&[("role_id", &one)], Foreign),
            (&[("standing", "'other'")], Check),
            (&[("may_have_tokens", "null")], NotNull),
        ],
    )
    .await;
    let role = Row::new(
        "role",
        [
            ("id", one.as_str()),
            ("name", "'r'"),
            ("grants_all", "false"),
            ("permissions", "''"),
        ],
    );
    refuses(
        &world,
        &role,
        &[
            (&[("id", "null")], NotNull),
            (&[("id", &short)], Check),
            (&[("id", &member)], Unique),
            (&[("organization_id", &two)], Foreign),
            (&[("name", "''")], Check),
            (&[("permissions", "null")], NotNull),
        ],
    )
    .await;
}

#[expect(clippy::too_many_lines, reason = "one table of rules")]
async fn everything_else(world: World) {
    let mut raw = world.raw().await;
    for (sql, reason) in [
        ("insert into head (id, seq) values (2, 0)", Check),
        ("insert into head (id, seq) values (1, 0)", Unique),
        ("insert into head (id, seq) values (null, 0)", NotNull),
        ("update head set seq = -1", Check),
        ("update app_user set token_writes = null", NotNull),
        ("delete from app_user", Foreign),
        ("delete from organization", Foreign),
        ("delete from role", Foreign),
    ] {
        let Err(sqlx::Error::Database(error)) = raw.execute(sql).await else {
            // SQLite numbers the row of a BIGINT key without a value by itself only for INTEGER keys.
            panic!("not refused: {sql}")
        };
        assert_eq!(error.kind(), reason, "{error}: {sql}");
    }
    let (one, two, ada, acme) = (
        world.blob(&[1; 16]),
        world.blob(&[2; 16]),
        world.blob(ADA.bytes()),
        world.blob(ACME.bytes()),
    );
    let (digest, other, short) = (
        world.blob(&[1; 32]),
        world.blob(&[2; 32]),
        world.blob(&[1; 31]),
    );
    let feed = Row::new(
        "feed",
        [
            ("seq", "9"),
            ("position", "0"),
            ("kind", "'token'"),
            ("key", &one),
        ],
    );
    refuses(
        &world,
        &feed,
        &[
            (&[("kind", "'other'")], Check),
            (&[("key", "null")], NotNull),
            (&[("seq", "1")], Unique),
            (&[("seq", "null")], NotNull),
            (&[("position", "null")], NotNull),
        ],
    )
    .await;
    let pepper = Row::new("pepper", [("id", "'p2'"), ("proof", &digest)]);
    refuses(
        &world,
        &pepper,
        &[
            (&[("id", "'p1'")], Unique),
            (&[("id", "''")], Check),
            (&[("id", "null")], NotNull),
            (&[("id", "'12345678901234567'")], Check),
            (&[("proof", &short)], Check),
        ],
    )
    .await;
    let entry = Row::new(
        "catalogue",
        [("name", "'a:b'"), ("description", "''"), ("risk", "'low'")],
    );
    refuses(
        &world,
        &entry,
        &[
            (&[("name", "'a'")], Check),
            (&[("name", "':b'")], Check),
            (&[("name", "'a:'")], Check),
            (&[("name", "null")], NotNull),
            (&[("risk", "'none'")], Check),
            (&[("risk", "null")], NotNull),
        ],
    )
    .await;
    let session = Row::new(
        "session",
        [
            ("id", one.as_str()),
            ("user_id", &ada),
            ("organization_id", &acme),
            ("digest", &digest),
            ("created_at", "0"),
            ("signed_in_at", "0"),
            ("seen_at", "0"),
            ("expires_at", "0"),
        ],
    );
    refuses(
        &world,
        &session,
        &[
            (&[("id", "null")], NotNull),
            (&[("user_id", &one)], Foreign),
            (&[("organization_id", &one)], Foreign),
            (&[("digest", &short)], Check),
            (&[("digest", "null")], NotNull),
        ],
    )
    .await;
    refuses_twice(
        &world,
        &session,
        &[("id", &two), ("digest", &other)],
        Unique,
    )
    .await;
    let claim = Row::new(
        "idempotency",
        [
            ("user_id", ada.as_str()),
            ("key", "'k'"),
            ("request", &digest),
            ("token_id", &one),
            ("created_at", "0"),
        ],
    );
    refuses(
        &world,
        &claim,
        &[
            (&[("user_id", &one)], Foreign),
            (&[("request", &short)], Check),
            (&[("key", "null")], NotNull),
        ],
    )
    .await;
    refuses_twice(&world, &claim, &[("key", "'k2'")], Unique).await;
    let used = Row::new("token_use", [("token_id", one.as_str()), ("at", "0")]);
    refuses(
        &world,
        &used,
        &[
            (&[("token_id", "null")], NotNull),
            (&[("at", "null")], NotNull),
        ],
    )
    .await;
    let hour = Row::new(
        "token_use_hour",
        [
            ("token_id", one.as_str()),
            ("hour", "0"),
            ("allowed", "0"),
            ("refused", "0"),
        ],
    );
    refuses(
        &world,
        &hour,
        &[(&[("allowed", "-1")], Check), (&[("refused", "-1")], Check)],
    )
    .await;
    let audit = Row::new(
        "audit",
        [("id", one.as_str()), ("at", "0"), ("action", "'a'")],
    );
    refuses(
        &world,
        &audit,
        &[
            (&[("id", "null")], NotNull),
            (&[("id", &short)], Check),
            (&[("action", "null")], NotNull),
        ],
    )
    .await;
}
