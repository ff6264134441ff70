//! What keeps the copy in memory up to date with the store: read on in the feed, read again what it names, apply.

use super::Services;
use hallpass_domain::{
    id::UserId, limits::REFUSED_TOKENS_REMEMBERED_DAYS, permission::PermissionSet, role::Role,
    time::Timestamp, token::Kind,
};
use hallpass_engine::{Change, Engine, Owner, Stored, TokenRecord};
use hallpass_store::{FeedKey, LoadedToken, Store, StoreError};
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::Mutex;

/// Where the copy stands.
#[derive(Debug)]
pub struct Follower {
    /// Held while applying: changes are applied one after the other, in the order of the feed.
    turn: Mutex<()>,
    applied: AtomicI64,
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
            apply(
                engine,
                Change::Organization {
                    id: organization.id,
                    name: organization.name,
                    active: organization.standing.is_active(),
                },
            )?;
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
        let since = now.plus_days(-REFUSED_TOKENS_REMEMBERED_DAYS);
        store
            .load_tokens(since, |token| apply(engine, Change::Token(record(token)?)))
            .await?;
        Ok(Self {
            turn: Mutex::new(()),
            applied: AtomicI64::new(head),
        })
    }

    /// The number of the last change that is applied.
    pub fn applied(&self) -> i64 {
        self.applied.load(Ordering::Acquire)
    }
}

impl Services {
    /// Returns when the change with this number is applied in memory: from then on, verification sees it.
    ///
    /// # Errors
    /// The store's. The change is lasting all the same, and is applied as soon as the store can be read again.
    pub async fn reach(&self, seq: Option<i64>) -> Result<(), StoreError> {
        match seq {
            Some(seq) if self.follower.applied() < seq => self.catch_up().await,
            _ => Ok(()),
        }
    }

    /// Applies everything that has been committed.
    ///
    /// # Errors
    /// The store's; then the same rows are tried again next time.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        let _turn = self.follower.turn.lock().await;
        loop {
            let entries = self.store.feed_after(self.follower.applied()).await?;
            let Some(last) = entries.last() else {
                return Ok(());
            };
            for entry in &entries {
                apply_key(&self.store, &self.engine, entry.key).await?;
            }
            self.follower.applied.store(last.seq, Ordering::Release);
        }
    }
}

async fn apply_key(store: &Store, engine: &Engine, key: FeedKey) -> Result<(), StoreError> {
    match key {
        FeedKey::Catalogue | FeedKey::Role(_) => apply_roles(store, engine).await,
        FeedKey::Organization(id) => match store.find_organization(id).await? {
            Some(found) => apply(
                engine,
                Change::Organization {
                    id,
                    name: found.name,
                    active: found.standing.is_active(),
                },
            ),
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
            match store.find_membership(organization, user).await? {
                Some(found) => {
                    // The row may name what a later row of the feed brings; both are there already.
                    apply_person(store, engine, user).await?;
                    apply(engine, membership_change(&found))
                }
                None => apply(engine, Change::MembershipGone { organization, user }),
            }
        }
        FeedKey::Token(id) => match store.load_token(id).await? {
            Some(found) => apply(engine, Change::Token(record(found)?)),
            None => apply(engine, Change::TokenGone(id)),
        },
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

/// What a role holds depends on the catalogue, so both are read whenever one changes.
async fn apply_roles(store: &Store, engine: &Engine) -> Result<(), StoreError> {
    let catalogue: PermissionSet = store
        .catalogue()
        .await?
        .into_iter()
        .map(|entry| entry.permission)
        .collect();
    for Role {
        id,
        name,
        permissions,
    } in store.roles().await?
    {
        apply(
            engine,
            Change::Role {
                id,
                name,
                permissions: permissions.within(&catalogue),
            },
        )?;
    }
    Ok(())
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
    })
}

fn apply(engine: &Engine, change: Change) -> Result<(), StoreError> {
    engine.apply(change).map_err(|error| {
        // The copy is no longer what the store holds. Better no answer than a wrong one.
        engine.set_answering(false);
        tracing::error!(%error, "a change cannot be applied in memory; this node stops answering");
        StoreError::Malformed("reference")
    })
}
