//! What keeps the copy in memory up to date with the store: read on in the feed, read again what it names, apply.

use super::Services;
use crate::error::ServiceError;
use hallpass_domain::{
    id::{OrganizationId, RoleId, UserId},
    limits::REFUSED_TOKENS_REMEMBERED_DAYS,
    permission::PermissionSet,
    role::Role,
    time::Timestamp,
    token::Kind,
};
use hallpass_engine::{Change, Engine, OrganizationRules, Owner, Stored, TokenRecord};
use hallpass_store::{FeedKey, LoadedOrganization, LoadedToken, Store, StoreError, Tx};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use tokio::sync::Mutex;

/// Where the copy stands, and whether it may be answered from.
#[derive(Debug)]
pub struct Follower {
    /// Held while applying: changes are applied one after the other, in the order of the feed.
    turn: Mutex<()>,
    applied: AtomicI64,
    /// The last change that this process is known to have committed.
    committed: AtomicI64,
    /// This process keeps all others out of the store.
    sole: AtomicBool,
    /// Nothing that is known to be committed is missing in memory.
    current: AtomicBool,
    /// A change could not be understood or applied: the copy is wrong until it is loaded anew.
    broken: AtomicBool,
}

impl Follower {
    /// Reads everything into `engine`.
    ///
    /// # Errors
    /// The store's.
    pub async fn load(store: &Store, engine: &Engine, now: Timestamp) -> Result<Self, StoreError> {
        // What changes while the rows are read has a higher number, and is read again by the first catch-up.
        let head = store.head().await?;
        for organization in store.organizations().await? {
            apply(engine, organization_change(organization))?;
        }
        apply_roles(store, engine).await?;
        for user in store.users().await? {
            apply(
                engine,
                Change::User {
                    id: user.id,
                    name: user.name,
                    active: user.standing.is_active(),
                },
            )?;
        }
        for membership in store.memberships().await? {
            apply(engine, membership_change(&membership))?;
        }
        for (organization, user, before) in store.tokens_revoked().await? {
            let change = Change::TokensRevoked {
                organization,
                user,
                before,
            };
            apply(engine, change)?;
        }
        let since = now.plus_days(-REFUSED_TOKENS_REMEMBERED_DAYS);
        store
            .load_tokens(since, |token| apply(engine, Change::Token(record(token)?)))
            .await?;
        Ok(Self {
            turn: Mutex::new(()),
            applied: AtomicI64::new(head),
            committed: AtomicI64::new(head),
            sole: AtomicBool::new(true),
            current: AtomicBool::new(true),
            broken: AtomicBool::new(false),
        })
    }

    /// The number of the last change that is applied.
    pub fn applied(&self) -> i64 {
        self.applied.load(Ordering::Acquire)
    }
}

impl Services {
    /// Begins a transaction that changes something. While this process may not answer from memory it changes
    /// nothing either: it could not see to it that the change is in force.
    ///
    /// # Errors
    /// [`ServiceError::NotAnswering`], or the store's.
    pub async fn begin_change(&self) -> Result<Tx, ServiceError> {
        if !self.engine.is_answering() {
            return Err(ServiceError::NotAnswering);
        }
        Ok(self.store.begin().await?)
    }

    /// Returns when the change with this number is applied in memory: from then on, verification sees it.
    ///
    /// # Errors
    /// [`ServiceError::NotYetInForce`]: the change is lasting, and this node answers nothing until it has applied it.
    pub async fn reach(&self, seq: Option<i64>) -> Result<(), ServiceError> {
        let Some(seq) = seq else { return Ok(()) };
        self.follower.committed.fetch_max(seq, Ordering::AcqRel);
        if self.follower.applied() < seq {
            self.catch_up().await?;
        }
        Ok(())
    }

    /// Applies everything that has been committed. If that fails while a committed change is known to be missing,
    /// or for good, nothing is answered from memory until it succeeds.
    ///
    /// # Errors
    /// [`ServiceError::NotYetInForce`]; the same rows are tried again next time.
    pub async fn catch_up(&self) -> Result<(), ServiceError> {
        let follower = &self.follower;
        let turn = follower.turn.lock().await;
        let caught_up = self.apply_feed().await;
        // What was committed while the feed was read is for its own request to reach.
        let current =
            caught_up.is_ok() || follower.applied() >= follower.committed.load(Ordering::Acquire);
        follower.current.store(current, Ordering::Release);
        if let Err(error) = &caught_up
            && !error.is_passing()
        {
            tracing::error!(%error, "the copy in memory is no longer what the database holds: this node stops answering until it is started again");
            follower.broken.store(true, Ordering::Release);
        }
        self.settle();
        drop(turn);
        caught_up.map_err(ServiceError::NotYetInForce)
    }

    /// Says whether this process keeps all others out of the store.
    pub fn set_sole(&self, sole: bool) {
        self.follower.sole.store(sole, Ordering::Release);
        self.settle();
    }

    /// Answers from memory if, and only if, all that it takes is there.
    fn settle(&self) {
        let is = |flag: &AtomicBool| flag.load(Ordering::Acquire);
        let follower = &self.follower;
        let may_answer = is(&follower.sole) && is(&follower.current) && !is(&follower.broken);
        self.engine.set_answering(may_answer);
    }

    async fn apply_feed(&self) -> Result<(), StoreError> {
        let follower = &self.follower;
        loop {
            let mut applied = follower.applied();
            let entries = self.store.feed_after(applied).await?;
            if entries.is_empty() {
                return Ok(());
            }
            for entry in entries {
                // Numbers have no gaps: a missing one was trimmed, and with it a change that is not known here.
                if entry.seq > applied + 1 {
                    return Err(StoreError::Malformed("feed: a change is missing"));
                }
                apply_key(&self.store, &self.engine, entry.key).await?;
                applied = entry.seq;
            }
            follower.applied.store(applied, Ordering::Release);
        }
    }
}

async fn apply_key(store: &Store, engine: &Engine, key: FeedKey) -> Result<(), StoreError> {
    match key {
        FeedKey::Catalogue => apply_roles(store, engine).await,
        FeedKey::Role(id) => apply_role(store, engine, id).await,
        FeedKey::Organization(id) => match store.load_organization(id).await? {
            Some(found) => apply(engine, organization_change(found)),
            None => Ok(()),
        },
        FeedKey::User(id) => match store.find_user(id).await? {
            Some(found) => apply(
                engine,
                Change::User {
                    id,
                    name: found.name,
                    active: found.standing.is_active(),
                },
            ),
            None => Ok(()),
        },
        FeedKey::Membership(organization, user) => {
            apply_membership(store, engine, organization, user).await
        }
        FeedKey::Bulk(organization, at) => {
            let take = |token| apply(engine, Change::Token(record(token)?));
            store.load_bulk(organization, at, take).await
        }
        FeedKey::Token(id) => match store.load_token(id).await? {
            Some(found) => apply(engine, Change::Token(record(found)?)),
            None => apply(engine, Change::TokenGone(id)),
        },
    }
}

async fn apply_membership(
    store: &Store,
    engine: &Engine,
    organization: OrganizationId,
    user: UserId,
) -> Result<(), StoreError> {
    // The row may name what a later row of the feed brings; all of it is there already.
    apply_person(store, engine, user).await?;
    // Before the membership: who comes back must not find old tokens alive for an instant.
    if let Some(before) = store.tokens_revoked_of(organization, user).await? {
        let change = Change::TokensRevoked {
            organization,
            user,
            before,
        };
        apply(engine, change)?;
    }
    match store.find_membership(organization, user).await? {
        Some(found) => {
            // The row may name a role that a later row of the feed brings.
            if !engine.knows_role(found.role) {
                apply_role(store, engine, found.role).await?;
            }
            apply(engine, membership_change(&found))
        }
        None => apply(engine, Change::MembershipGone { organization, user }),
    }
}

async fn apply_person(store: &Store, engine: &Engine, id: UserId) -> Result<(), StoreError> {
    match store.find_user(id).await? {
        Some(found) => apply(
            engine,
            Change::User {
                id,
                name: found.name,
                active: found.standing.is_active(),
            },
        ),
        None => Ok(()),
    }
}

/// What a role holds depends on the catalogue, so all are read again when it changes.
async fn apply_roles(store: &Store, engine: &Engine) -> Result<(), StoreError> {
    let catalogue = catalogue(store).await?;
    for role in store.roles().await? {
        apply(engine, role_change(&role, &catalogue))?;
    }
    Ok(())
}

async fn apply_role(store: &Store, engine: &Engine, id: RoleId) -> Result<(), StoreError> {
    let change = match store.find_role(id).await? {
        Some(role) => role_change(&role, &catalogue(store).await?),
        // Deleted: whatever still names it may do nothing.
        None => Change::Role {
            id,
            name: "deleted role".to_owned(),
            permissions: PermissionSet::default(),
        },
    };
    apply(engine, change)
}

async fn catalogue(store: &Store) -> Result<PermissionSet, StoreError> {
    let entries = store.catalogue().await?;
    Ok(entries.into_iter().map(|entry| entry.permission).collect())
}

fn role_change(role: &Role, catalogue: &PermissionSet) -> Change {
    Change::Role {
        id: role.id,
        name: role.name.to_string(),
        permissions: role.permissions.within(catalogue),
    }
}

fn organization_change(found: LoadedOrganization) -> Change {
    Change::Organization {
        id: found.organization.id,
        name: found.organization.name,
        active: found.organization.standing.is_active(),
        host: found.organization.host,
        rules: OrganizationRules {
            networks: found.networks,
            forbidden: found.forbidden,
        },
        tokens_revoked_before: found.tokens_revoked_before,
    }
}

fn membership_change(membership: &hallpass_domain::member::Membership) -> Change {
    Change::Membership {
        organization: membership.organization,
        user: membership.user,
        role: membership.role,
        active: membership.standing.is_active(),
        may_have_tokens: membership.may_have_tokens,
    }
}

fn record(token: LoadedToken) -> Result<TokenRecord, StoreError> {
    let owner = match (token.kind, token.user, token.role) {
        (Kind::PersonalAccessToken, Some(user), None) => Owner::User(user),
        (Kind::ApiKey, None, Some(role)) => Owner::Organization(role),
        _ => return Err(StoreError::Malformed("token")),
    };
    Ok(TokenRecord {
        id: token.id,
        kind: token.kind,
        stored: match token.stored {
            Ok(digest) => Stored::Digest(digest),
            Err(hash) => Stored::Bcrypt(hash),
        },
        prefix: token.prefix,
        organization: token.organization,
        bearer: owner,
        name: token.name,
        scope: token.scope,
        expires_at: token.expires_at,
        valid_from: token.valid_from,
        revoked: token.revoked,
        suspended: token.suspended,
        address_rules: token.address_rules,
        secret_of: token.secret_of,
    })
}

fn apply(engine: &Engine, change: Change) -> Result<(), StoreError> {
    engine.apply(change).map_err(|error| {
        tracing::error!(%error, "a change cannot be applied in memory");
        StoreError::Malformed("reference")
    })
}
