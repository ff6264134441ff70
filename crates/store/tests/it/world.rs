//! A database with a few people in it, and raw SQL beside the store.

mod drafts;
mod keys;
mod people;
mod raw;

pub(crate) use drafts::{Draft, all, digest, name, pepper, prefix, rest, token_id};
pub(crate) use keys::{KeyDraft, key_prefix};
pub(crate) use people::{
    account, built_in, member, organization, person, role_of, scope, superuser,
};
pub(crate) use raw::{Raw, raw};

use hallpass_domain::{
    Entropy,
    id::{OrganizationId, TokenId, UserId},
    member::Membership,
    role::BuiltInRole,
    time::Timestamp,
};
use hallpass_store::{Database, FeedKey, Inserted, Store, TokenQuery, TokenWithUse, Tx};
use hallpass_testkit::{Postgres, TempDir, temp_dir};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::task::JoinHandle;

/// As many as the store opens; one of them holds its lock.
const POSTGRES_CONNECTIONS: u32 = 20;

pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);
pub(crate) const LATER: Timestamp = NOW.plus_days(30);

/// Ada and Bob are members of Acme; Ada also is one of Globex.
pub(crate) const ACME: OrganizationId = OrganizationId::from_bytes([0xac; 16]);
pub(crate) const GLOBEX: OrganizationId = OrganizationId::from_bytes([0x61; 16]);
pub(crate) const ADA: UserId = UserId::from_bytes([0xad; 16]);
pub(crate) const BOB: UserId = UserId::from_bytes([0xb0; 16]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

pub(crate) struct World {
    pub(crate) store: Arc<Store>,
    pub(crate) database: Database,
    pub(crate) engine: Engine,
    /// Goes away with the world.
    pub(crate) folder: Option<TempDir>,
}

/// Runs a case in a new world, with threads enough for real races.
pub(crate) fn run<F: Future<Output = ()>>(engine: Engine, case: impl FnOnce(World) -> F) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap()
        .block_on(async { case(World::new(engine).await).await });
}

/// Bytes that never repeat and are the same in every run.
pub(crate) struct Counting(AtomicU64);

impl Counting {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(1))
    }
}

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
        let number = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (to, from) in bytes.iter_mut().rev().zip(number.iter().rev()) {
            *to = *from;
        }
    }
}

/// A place for a database that does not exist yet, or is empty.
pub(crate) fn new_database(engine: Engine) -> (Database, Option<TempDir>) {
    match engine {
        Engine::Sqlite => {
            let folder = temp_dir();
            let path = folder.path().join("hallpass.db");
            (Database::Sqlite(path), Some(folder))
        }
        Engine::Postgres => (Database::Postgres(Postgres::shared().database()), None),
    }
}

impl World {
    pub(crate) async fn new(engine: Engine) -> Self {
        let (database, folder) = new_database(engine);
        let store = Store::open(&database).await.unwrap();
        let world = Self {
            store: Arc::new(store),
            database,
            engine,
            folder,
        };
        world.settle().await;
        world
    }

    /// The first commit: number 1.
    async fn settle(&self) {
        let mut tx = self.begin().await;
        tx.insert_pepper("p1", &[1; 32]).await.unwrap();
        for role in BuiltInRole::ALL {
            tx.put_built_in_role(&built_in(role)).await.unwrap();
        }
        for (id, name) in [(ACME, "Acme"), (GLOBEX, "Globex")] {
            let organization = organization(id, name);
            tx.insert_organization(&organization, NOW).await.unwrap();
        }
        for (id, email) in [(ADA, "Ada@acme.example"), (BOB, "bob@acme.example")] {
            assert!(
                tx.insert_user(&account(id, email), NOW)
                    .await
                    .unwrap()
                    .is_some()
            );
        }
        for (organization, user) in [(ACME, ADA), (ACME, BOB), (GLOBEX, ADA)] {
            tx.put_membership(&member(organization, user), NOW)
                .await
                .unwrap();
        }
        let seq = tx.commit(&[FeedKey::Organization(ACME)]).await.unwrap();
        assert_eq!(seq, Some(1));
    }

    pub(crate) async fn begin(&self) -> Tx {
        self.store.begin().await.unwrap()
    }

    /// Adds one token in its own transaction.
    pub(crate) async fn insert(&self, draft: &Draft) -> Inserted {
        let mut tx = self.begin().await;
        let inserted = tx.insert_token(&draft.as_new()).await.unwrap();
        tx.commit(&[]).await.unwrap();
        inserted
    }

    /// Adds tokens that must all be taken, in one transaction.
    pub(crate) async fn insert_all(&self, drafts: &[Draft]) {
        let mut tx = self.begin().await;
        for draft in drafts {
            let inserted = tx.insert_token(&draft.as_new()).await.unwrap();
            assert_eq!(inserted, Inserted::Done, "{}", draft.name);
        }
        tx.commit(&[]).await.unwrap();
    }

    pub(crate) async fn put_membership(&self, membership: &Membership) {
        let mut tx = self.begin().await;
        tx.put_membership(membership, NOW).await.unwrap();
        tx.commit(&[]).await.unwrap();
    }

    pub(crate) async fn revoke(&self, id: TokenId, now: Timestamp) {
        let mut tx = self.begin().await;
        let revoked = tx.revoke_token(ACME, ADA, id, now).await.unwrap();
        assert_eq!(revoked, Some(FeedKey::Token(id)));
        tx.commit(&[]).await.unwrap();
    }

    pub(crate) async fn find(&self, id: TokenId) -> TokenWithUse {
        let found = self.store.find_token(ACME, ADA, id, NOW).await.unwrap();
        found.expect("Ada has this token in Acme")
    }

    /// Every page of a list, and how many tokens each held.
    pub(crate) async fn walk(&self, mut query: TokenQuery) -> (Vec<TokenWithUse>, Vec<usize>) {
        let (mut all, mut sizes) = (Vec::new(), Vec::new());
        loop {
            let page = self.store.list_tokens(ACME, ADA, &query).await.unwrap();
            sizes.push(page.items.len());
            all.extend(page.items);
            assert!(sizes.len() < 200, "a list that does not end");
            match page.next {
                Some(next) => query.after = Some(next),
                None => return (all, sizes),
            }
        }
    }

    /// Opens every connection there may be, so that those who race start together.
    pub(crate) async fn warm_up(&self) {
        if self.engine == Engine::Postgres {
            let mut open = Vec::new();
            for _ in 0..POSTGRES_CONNECTIONS - 1 {
                open.push(self.begin().await);
            }
        }
    }

    /// Comes back when `task` waits for a transaction that the test has open. On SQLite it cannot even begin.
    pub(crate) async fn until_it_waits<T>(&self, task: &JoinHandle<T>) {
        if self.engine == Engine::Postgres {
            let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
            let mut raw = self.raw().await;
            while raw.number(waiting).await == 0 {
                assert!(!task.is_finished(), "it did not wait");
            }
        }
    }

    /// A connection of its own, past the store.
    pub(crate) async fn raw(&self) -> Raw {
        raw(&self.database).await.unwrap()
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.raw().await.execute(sql).await.unwrap();
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        self.raw().await.number(sql).await
    }

    /// `bytes` as this engine writes them.
    pub(crate) fn blob(&self, bytes: &[u8]) -> String {
        use std::fmt::Write;
        let mut hex = String::new();
        for byte in bytes {
            write!(hex, "{byte:02x}").unwrap();
        }
        match self.engine {
            Engine::Sqlite => format!("x'{hex}'"),
            Engine::Postgres => format!("'\\x{hex}'::bytea"),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        match &self.database {
            Database::Sqlite(path) => path.clone(),
            Database::Postgres(_) => panic!("PostgreSQL has no file"),
        }
    }

    /// Closes the store and gives back what it was opened with.
    pub(crate) async fn close(self) -> (Database, Option<TempDir>) {
        Arc::into_inner(self.store).unwrap().close().await;
        (self.database, self.folder)
    }
}
