//! Personal access tokens to be made.

use super::{ACME, ADA, LATER, NOW};
use hallpass_domain::{
    access_token::{Expiration, Suspension},
    id::{OrganizationId, TokenId, UserId},
    name::TokenName,
    network::AddressRules,
    permission::PermissionSet,
    role::BuiltInRole,
    time::Timestamp,
    token::{Digest, PepperId, Prefix},
};
use hallpass_store::{NewToken, Stored, TokenQuery, TokenSort};

pub(crate) fn name(text: &str) -> TokenName {
    TokenName::parse(text).unwrap()
}

/// The token with this number; ids sort as the numbers do.
pub(crate) fn token_id(number: u32) -> TokenId {
    let mut bytes = [0; 16];
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    TokenId::from_bytes(bytes)
}

pub(crate) fn prefix(number: u32) -> Prefix {
    Prefix::parse(&format!("hpp_{number:06}")).unwrap()
}

pub(crate) fn digest(number: u32) -> Digest {
    let mut bytes = [0xd1; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Digest::from_bytes(bytes)
}

pub(crate) fn pepper() -> PepperId {
    PepperId::parse("p1").unwrap()
}

/// A token to be added, with all it borrows.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) id: TokenId,
    pub(crate) organization: OrganizationId,
    pub(crate) owner: UserId,
    pub(crate) name: TokenName,
    pub(crate) prefix: Prefix,
    pub(crate) stored: Stored,
    pub(crate) scope: Option<PermissionSet>,
    pub(crate) created: Timestamp,
    pub(crate) expiration: Expiration,
    pub(crate) valid_from: Option<Timestamp>,
    pub(crate) address_rules: Option<AddressRules>,
}

impl Draft {
    /// Ada's in Acme, made now, for 30 days.
    pub(crate) fn new(number: u32, called: &str) -> Self {
        Self {
            id: token_id(number),
            organization: ACME,
            owner: ADA,
            name: name(called),
            prefix: prefix(number),
            stored: Stored::Digest(digest(number), pepper()),
            scope: None,
            created: NOW,
            expiration: Expiration::At(LATER),
            valid_from: None,
            address_rules: None,
        }
    }

    /// `count` of them with names of their own, from this number on.
    pub(crate) fn several(from: u32, count: u32) -> Vec<Self> {
        let new = |number| Self::new(number, &format!("Token {number}"));
        (from..from + count).map(new).collect()
    }

    pub(crate) fn as_new(&self) -> NewToken<'_> {
        NewToken {
            id: self.id,
            organization: self.organization,
            owner: self.owner,
            role: BuiltInRole::Member.id(),
            name: &self.name,
            prefix: self.prefix,
            stored: &self.stored,
            scope: self.scope.as_ref(),
            created: self.created,
            expiration: self.expiration,
            never_expires_acknowledged: self.expiration == Expiration::Never,
            valid_from: self.valid_from,
            address_rules: self.address_rules.as_ref(),
        }
    }
}

/// A rest without an end that somebody else began.
pub(crate) fn rest(since: Timestamp) -> Suspension {
    Suspension {
        since,
        until: None,
        reason: String::new(),
        by_owner: false,
    }
}

/// Everything, by the moment of making, up to 100 at once.
pub(crate) fn all() -> TokenQuery {
    TokenQuery {
        state: None,
        unused_since: None,
        search: String::new(),
        sort: TokenSort::Created,
        descending: false,
        after: None,
        limit: 100,
        now: NOW,
        recent_since: NOW,
    }
}
