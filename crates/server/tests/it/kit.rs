//! A server in memory: services over a fresh store, a clock that stands still, actors who ask.

mod actor;
mod answer;
mod case;
mod organization;
mod others;
pub(crate) mod page;
mod plan;
mod wire;

pub(crate) use actor::{Actor, Token};
pub(crate) use answer::Answer;
pub(crate) use case::Case;
pub(crate) use organization::under;
pub(crate) use plan::{Plan, pepper};
pub(crate) use wire::{Served, exchange};

use axum::{Router, body::Body};
use hallpass_domain::{
    access_token::Suspension,
    id::{OrganizationId, TokenId, UserId},
    member::{Membership, User},
    name::{DisplayName, Email},
    organization::Standing,
    permission::{CatalogueEntry, Permission, PermissionSet, Risk, Source},
    role::BuiltInRole,
    time::Timestamp,
    token::{Brand, Kind, PlainToken},
};
use hallpass_server::{
    app::App,
    entropy::SystemEntropy,
    gateway,
    jobs::Flush,
    run::people_router,
    service::{RequestContext, Services, catalogue::CatalogueSettings, sessions::Started},
};
use hallpass_store::{Database, FeedKey, NewAccount, Tx};
use hallpass_testkit::TempDir;
use http::Request;
use hyper::service::Service as _;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{path::PathBuf, sync::Arc};
use tower::service_fn;

/// Ada's password, and everybody's.
pub(crate) const PASSWORD: &str = "correct horse battery";
/// A date-time a month after the clock's start.
pub(crate) const NEXT_MONTH: &str = "2026-12-22T12:00:00Z";
/// Where tokens are.
pub(crate) const TOKENS: &str = "/v1/personal-access-tokens";

/// When the clock starts.
pub(crate) fn start() -> Timestamp {
    Timestamp::parse("2026-11-22T12:00:00Z").unwrap()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// What the product can be asked for: members may read and write repositories.
pub(crate) fn catalogue() -> CatalogueSettings {
    let entry = |name: &str, risk| CatalogueEntry {
        permission: Permission::parse(name).unwrap(),
        description: format!("May {name}"),
        risk,
        source: Source::File,
    };
    CatalogueSettings {
        permissions: vec![
            entry("deploy:run", Risk::High),
            entry("repo:read", Risk::Low),
            entry("repo:write", Risk::Medium),
            entry("report:read", Risk::Low),
        ],
        member: Some(PermissionSet::parse(["repo:read", "repo:write"]).unwrap()),
        viewer: Some(PermissionSet::parse(["repo:read"]).unwrap()),
    }
}

/// A server that is set up, in memory.
pub(crate) struct Server {
    pub(crate) ada: Actor,
    pub(crate) ada_id: UserId,
    pub(crate) organization: OrganizationId,
    pub(crate) services: Arc<Services>,
    pub(crate) app: App,
    pub(crate) plan: Plan,
}

impl Server {
    pub(crate) async fn new(engine: Engine) -> Self {
        Plan::new(engine).start().await
    }

    pub(crate) async fn sqlite() -> Self {
        Self::new(Engine::Sqlite).await
    }

    /// Somebody without credentials, at the listener for people.
    pub(crate) fn anon(&self) -> Actor {
        Actor::new(people_router(&self.app))
    }

    /// Somebody without credentials, at the listener for gateways.
    pub(crate) fn gateway(&self) -> Actor {
        let gateway = gateway::service(&self.app);
        let service = service_fn(move |request: Request<Body>| gateway.call(request));
        Actor::new(Router::new().fallback_service(service))
    }

    /// Whoever holds this secret, at the listener for people.
    pub(crate) fn bearer(&self, secret: &str) -> Actor {
        self.anon().bearing(secret)
    }

    /// Moves the clock.
    pub(crate) fn later(&self, seconds: i64) {
        self.services.clock.advance_seconds(seconds);
    }

    /// A new session of Ada, as from a fresh sign-in.
    pub(crate) async fn ada_again(&self) -> Actor {
        self.session_of(self.ada_id).await
    }

    pub(crate) async fn session_of(&self, user: UserId) -> Actor {
        self.anon().signed_in(&self.app, &self.begin(user).await)
    }

    pub(crate) async fn begin(&self, user: UserId) -> Started {
        self.begin_in(user, self.organization).await
    }

    /// A session in an organization.
    pub(crate) async fn begin_in(&self, user: UserId, organization: OrganizationId) -> Started {
        let user = self.services.store.find_user(user).await.unwrap().unwrap();
        self.services
            .begin_session(&user, organization, &RequestContext::default())
            .await
            .unwrap()
    }

    /// A member of Acme with a session. Their password is Ada's.
    pub(crate) async fn member(&self, name: &str) -> (Actor, UserId) {
        let ada = self
            .services
            .store
            .find_sign_in_of(self.ada_id)
            .await
            .unwrap()
            .unwrap();
        let id = UserId::generate(&self.services.entropy, self.services.clock.now());
        let user = User {
            id,
            email: Email::parse(&format!("{}@acme.example", name.to_lowercase())).unwrap(),
            name: DisplayName::parse(name).unwrap(),
            standing: Standing::Active,
        };
        let account = NewAccount {
            user,
            password_hash: ada.password_hash,
        };
        let now = self.services.clock.now();
        let membership = self.membership(id);
        self.change(async |tx| {
            vec![
                tx.insert_user(&account, now).await.unwrap().unwrap(),
                tx.put_membership(&membership, now).await.unwrap(),
            ]
        })
        .await;
        (self.session_of(id).await, id)
    }

    /// An active member who may have tokens.
    pub(crate) fn membership(&self, user: UserId) -> Membership {
        Membership {
            organization: self.organization,
            user,
            role: BuiltInRole::Member.id(),
            standing: Standing::Active,
            may_have_tokens: true,
        }
    }

    /// Changes what `membership` says, and returns when verification sees it.
    pub(crate) async fn put(&self, membership: Membership) {
        let now = self.services.clock.now();
        self.change(async |tx| vec![tx.put_membership(&membership, now).await.unwrap()])
            .await;
    }

    /// Changes the store as another part of the product will, and returns when verification sees it.
    pub(crate) async fn change(&self, change: impl AsyncFnOnce(&mut Tx) -> Vec<FeedKey>) {
        let mut tx = self.services.store.begin().await.unwrap();
        let keys = change(&mut tx).await;
        let seq = tx.commit(&keys).await.unwrap();
        self.services.reach(seq).await.unwrap();
    }

    /// The address of something of Acme's.
    pub(crate) fn of_acme(&self, rest: &str) -> String {
        format!("/v1/organizations/{}/{rest}", self.organization)
    }

    /// Suspends a token as an administrator does, or lifts that.
    pub(crate) async fn suspend(&self, token: &Token, since: Option<Timestamp>) {
        let (organization, id) = (self.organization, TokenId::parse(&token.id).unwrap());
        self.change(async |tx| {
            let Some(since) = since else {
                return tx.lift_suspension(organization, id, false).await.unwrap();
            };
            let suspension = Suspension {
                since,
                until: None,
                reason: "test".to_owned(),
                by_owner: false,
            };
            tx.suspend_token(organization, id, &suspension)
                .await
                .unwrap()
        })
        .await;
    }

    /// Whoever may ask `/v1/verify`.
    pub(crate) async fn verifier(&self) -> Actor {
        let name = format!("verifier {}", self.services.engine.len());
        let token = self.ada_again().await.token(json!({"name": name, "expirationDate": "2030-01-01T00:00:00Z", "scope": ["hallpass:verify"]})).await;
        self.bearer(&token.secret)
    }

    /// What `/v1/verify` says: `allow` or the reason.
    pub(crate) async fn verdict(
        &self,
        verifier: &Actor,
        secret: &str,
        permission: Option<&str>,
    ) -> String {
        let answer = verifier
            .post(
                "/v1/verify",
                &json!({"token": secret, "permission": permission}),
            )
            .await
            .is(200);
        if answer["active"] == true {
            "allow".to_owned()
        } else {
            answer["reason"].as_str().unwrap().to_owned()
        }
    }

    /// What a gateway is told of a token, which needs nobody's permission to ask: `allow` or the reason.
    pub(crate) async fn said_at_the_gateway(
        &self,
        secret: &str,
        permission: Option<&str>,
    ) -> String {
        let mut door = self.gateway().bearing(secret);
        if let Some(permission) = permission {
            door = door.with("x-hallpass-permission", permission);
        }
        let answer = door.get("/auth").await;
        match answer.status {
            204 => "allow".to_owned(),
            _ => answer.header("x-hallpass-error").to_owned(),
        }
    }

    /// Writes what was noted of uses, as the job does each second.
    pub(crate) async fn flush_uses(&self) {
        let mut uses = Flush::new(Arc::clone(&self.services));
        uses.fold();
        uses.write_all().await;
        assert_eq!(uses.waiting(), 0);
    }

    /// The database's file, on SQLite.
    pub(crate) fn file(&self) -> PathBuf {
        let Database::Sqlite(path) = &self.plan.database else {
            panic!("PostgreSQL has no file")
        };
        path.clone()
    }

    /// Closes the database, so that another process can open it; its folder stays as long as what is returned.
    pub(crate) async fn stop(self) -> (Database, Option<TempDir>) {
        self.services.store.close().await;
        (self.plan.database, self.plan.folder)
    }
}

/// A connection beside the store's, on SQLite.
pub(crate) async fn beside(server: &Server) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(server.file());
    options.connect().await.unwrap()
}

/// One column of what the database answers, as text. Beside the store, on SQLite.
pub(crate) async fn rows(server: &Server, sql: &'static str) -> Vec<String> {
    let mut connection = SqliteConnectOptions::new()
        .filename(server.file())
        .read_only(true)
        .connect()
        .await
        .unwrap();
    let found: Vec<Option<String>> = sqlx::query_scalar(sql)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    found.into_iter().flatten().collect()
}

/// What was written down, in order.
pub(crate) async fn audit_actions(server: &Server) -> Vec<String> {
    rows(server, "select action from audit order by rowid").await
}

/// A token of the right shape and checksum that nobody made.
pub(crate) fn stranger() -> String {
    PlainToken::generate(
        Brand::DEFAULT,
        Kind::PersonalAccessToken,
        &SystemEntropy::seeded(99),
    )
    .expose()
    .to_owned()
}

/// A wish for a token that names nothing but itself and an end.
pub(crate) fn wish(name: &str) -> Value {
    json!({"name": name, "expirationDate": NEXT_MONTH})
}
