//! A small deployment to try things on.

use hallpass_domain::{
    Entropy,
    id::{OrganizationId, RoleId, TokenId, UserId},
    name::{DisplayName, TokenName},
    permission::{Permission, PermissionSet},
    time::Timestamp,
    token::{BcryptHash, Brand, Kind, Pepper, PepperId, Peppers, PlainToken},
    verdict::{DenyReason, Verdict},
};
use hallpass_engine::{Answer, Change, Engine, Owner, Stored, TokenRecord};
use std::cell::Cell;
use zeroize::Zeroizing;

pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

pub(crate) struct Seeded(Cell<u64>);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let next = self
                .0
                .get()
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            self.0.set(next);
            *byte = (next >> 56) as u8;
        }
    }
}

pub(crate) fn text(seed: u64) -> PlainToken {
    PlainToken::generate(
        Brand::DEFAULT,
        Kind::PersonalAccessToken,
        &Seeded(Cell::new(seed)),
    )
}

pub(crate) fn bytes(kind: u8, number: u32) -> [u8; 16] {
    let mut bytes = [kind; 16];
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    bytes
}

pub(crate) fn token_id(number: u32) -> TokenId {
    TokenId::from_bytes(bytes(1, number))
}

pub(crate) fn organization(number: u32) -> OrganizationId {
    OrganizationId::from_bytes(bytes(2, number))
}

pub(crate) fn user(number: u32) -> UserId {
    UserId::from_bytes(bytes(3, number))
}

pub(crate) fn role(number: u32) -> RoleId {
    RoleId::from_bytes(bytes(4, number))
}

pub(crate) fn set(text: &str) -> PermissionSet {
    PermissionSet::parse(text.split_whitespace()).unwrap()
}

pub(crate) fn permission(text: &str) -> Permission {
    Permission::parse(text).unwrap()
}

pub(crate) fn pepper(number: u8) -> Pepper {
    Pepper::new(
        PepperId::parse(&format!("p{number}")).unwrap(),
        &Zeroizing::new([number; 32]),
    )
}

/// Pepper 2 in use, pepper 1 retired.
pub(crate) fn peppers() -> Peppers {
    Peppers::new(pepper(2), vec![pepper(1)])
}

/// A hash that no text has: comparing takes long, and most tests need no comparison.
pub(crate) fn some_hash(letter: char) -> BcryptHash {
    BcryptHash::parse(&format!("$2b$10${}", String::from(letter).repeat(53))).unwrap()
}

pub(crate) fn name(text: &str) -> DisplayName {
    DisplayName::parse(text).unwrap()
}

pub(crate) fn organization_is(number: u32, active: bool) -> Change {
    Change::Organization {
        id: organization(number),
        name: name(&format!("Organization {number}")),
        active,
    }
}

pub(crate) fn user_is(number: u32, active: bool) -> Change {
    Change::User {
        id: user(number),
        name: name(&format!("User {number}")),
        active,
    }
}

pub(crate) fn role_holds(number: u32, permissions: &str) -> Change {
    Change::Role {
        id: role(number),
        name: format!("Role {number}"),
        permissions: set(permissions),
    }
}

pub(crate) fn member(number: u32, role_number: u32, active: bool, may_have_tokens: bool) -> Change {
    Change::Membership {
        organization: organization(0),
        user: user(number),
        role: role(role_number),
        active,
        may_have_tokens,
    }
}

/// A token of user 0 in organization 0, with this text under this pepper.
pub(crate) fn record(number: u32, text: &PlainToken, under: &Pepper) -> TokenRecord {
    TokenRecord {
        id: token_id(number),
        kind: Kind::PersonalAccessToken,
        stored: Stored::Digest(under.digest(text)),
        prefix: text.prefix(),
        organization: organization(0),
        bearer: Owner::User(user(0)),
        name: TokenName::parse(&format!("token {number}")).unwrap(),
        scope: None,
        expires_at: None,
        valid_from: None,
        revoked: false,
        suspended: false,
    }
}

/// Organization 0, users 0 and 1, role 0 (`repo:read repo:write`), role 1 (`repo:read`); user 0 is a member.
pub(crate) fn people() -> [Change; 6] {
    [
        organization_is(0, true),
        role_holds(0, "repo:read repo:write"),
        role_holds(1, "repo:read"),
        user_is(0, true),
        user_is(1, true),
        member(0, 0, true, true),
    ]
}

pub(crate) fn engine() -> Engine {
    let engine = Engine::default();
    engine.apply_all(people()).unwrap();
    engine.set_answering(true);
    engine
}

/// What the engine says to `text` for `needed` at [`NOW`], when it knows the token or knows that there is none.
pub(crate) fn ask(engine: &Engine, text: &PlainToken, needed: &str) -> Verdict {
    let needed = (!needed.is_empty()).then(|| permission(needed));
    engine
        .verify(text, &peppers(), needed.as_ref(), NOW)
        .verdict()
        .expect("an answer")
}

pub(crate) fn deny(why: DenyReason) -> Verdict {
    Verdict::Deny(why)
}

pub(crate) fn slow(answer: Answer<'_>) -> hallpass_engine::SlowCandidate {
    match answer {
        Answer::Slow(candidate) => candidate,
        other => panic!("not slow: {other:?}"),
    }
}
