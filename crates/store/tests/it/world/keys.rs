//! API keys to be made.

use super::{ACME, LATER, NOW, World, built_in, digest, name, pepper, token_id};
use hallpass_domain::{
    access_token::Expiration,
    api_key::{ApiKey, Overlap},
    id::{OrganizationId, TokenId},
    role::{BuiltInRole, Role},
    time::Timestamp,
    token::Prefix,
};
use hallpass_store::{KeyInserted, KeyWithUse, NewKey, NewSecret, Rotated, Stored};

/// A key to be added, with all it borrows.
#[derive(Clone)]
pub(crate) struct KeyDraft {
    pub(crate) key: ApiKey,
    pub(crate) role: Role,
    pub(crate) prefix: Prefix,
    pub(crate) stored: Stored,
}

pub(crate) fn key_prefix(number: u32) -> Prefix {
    Prefix::parse(&format!("hpk_{number:06}")).unwrap()
}

impl KeyDraft {
    /// Acme's, made now, for 30 days, with the role of members.
    pub(crate) fn new(number: u32, called: &str) -> Self {
        Self {
            key: ApiKey {
                id: token_id(number),
                organization: ACME,
                role: BuiltInRole::Member.id(),
                name: name(called),
                scope: None,
                created: NOW,
                valid_from: None,
                expiration: Expiration::At(LATER),
                never_expires_acknowledged: false,
                revoked: None,
                suspension: None,
                address_rules: None,
                maker_user: None,
                maker_token: None,
                secrets: Vec::new(),
            },
            role: built_in(BuiltInRole::Member),
            prefix: key_prefix(number),
            stored: Stored::Digest(digest(number), pepper()),
        }
    }

    pub(crate) fn of(mut self, organization: OrganizationId) -> Self {
        self.key.organization = organization;
        self
    }

    pub(crate) fn made(mut self, at: Timestamp) -> Self {
        self.key.created = at;
        self
    }

    pub(crate) fn ends(mut self, expiration: Expiration) -> Self {
        self.key.expiration = expiration;
        self
    }

    pub(crate) fn with_role(mut self, role: &Role) -> Self {
        self.key.role = role.id;
        self.role = role.clone();
        self
    }

    pub(crate) fn as_new(&self) -> NewKey<'_> {
        NewKey {
            key: &self.key,
            role: &self.role,
            prefix: self.prefix,
            stored: &self.stored,
        }
    }
}

impl World {
    /// Adds one key in its own transaction.
    pub(crate) async fn try_key(&self, draft: &KeyDraft) -> KeyInserted {
        let mut tx = self.begin().await;
        let inserted = tx.insert_key(&draft.as_new()).await.unwrap();
        tx.commit(&[]).await.unwrap();
        inserted
    }

    /// Adds keys that must all be taken.
    pub(crate) async fn insert_keys(&self, drafts: &[KeyDraft]) {
        for draft in drafts {
            let inserted = self.try_key(draft).await;
            assert_eq!(inserted, KeyInserted::Done, "{}", draft.key.name);
        }
    }

    pub(crate) async fn find_key(&self, number: u32) -> KeyWithUse {
        let found = self.store.find_key(ACME, token_id(number), NOW).await;
        found.unwrap().expect("Acme has this key")
    }

    /// Gives Acme's key a secret with the id, prefix and digest of this number, if it is as it is found.
    pub(crate) async fn rotate(
        &self,
        key: u32,
        secret: u32,
        overlap: Overlap,
        now: Timestamp,
    ) -> Rotated {
        let version = self.find_key(key).await.version;
        let mut tx = self.begin().await;
        let stored = Stored::Digest(digest(secret), pepper());
        let new = NewSecret {
            id: token_id(secret),
            prefix: key_prefix(secret),
            stored: &stored,
            overlap,
            now,
        };
        let rotated = tx.rotate_key(ACME, token_id(key), version, &new).await;
        tx.commit(&[]).await.unwrap();
        rotated.unwrap()
    }

    /// Ids of Acme's key and its further secrets that are revoked.
    pub(crate) async fn revoked_rows(&self) -> Vec<TokenId> {
        let mut revoked = Vec::new();
        let take = |token: hallpass_store::LoadedToken| {
            if token.revoked {
                revoked.push(token.id);
            }
            Ok(())
        };
        self.store.load_tokens(Timestamp::MIN, take).await.unwrap();
        revoked.sort_unstable();
        revoked
    }
}
