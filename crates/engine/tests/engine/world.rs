//! A small deployment to try things on.

use hallpass_domain::{
    Entropy,
    id::{OrganizationId, RoleId, TokenId, UserId},
    name::{DisplayName, TokenName},
    network::{AddressRules, NetworkSet},
    permission::{Permission, PermissionSet},
    time::Timestamp,
    token::{BcryptHash, Brand, Kind, Pepper, PepperId, Peppers, PlainToken},
    verdict::{DenyReason, Question, Verdict},
};
use hallpass_engine::{
    Answer, Change, Engine, OrganizationRules, Owner, Stored, TokenRecord, TokenView,
};
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

/// Made in the millisecond of its number.
pub(crate) fn token_id(number: u32) -> TokenId {
    let mut bytes = bytes(1, number);
    bytes[..2].fill(0);
    bytes[2..6].copy_from_slice(&number.to_be_bytes());
    TokenId::from_bytes(bytes)
}

pub(crate) fn millisecond(number: u32) -> Timestamp {
    Timestamp::from_micros(i64::from(number) * 1_000)
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
        host: false,
        rules: OrganizationRules::default(),
        tokens_revoked_before: None,
    }
}

/// Organization 0 with these rules, and perhaps with every token revoked that was made before a millisecond.
pub(crate) fn organization_asks(
    host: bool,
    networks: &str,
    forbidden: &str,
    before: Option<u32>,
) -> Change {
    Change::Organization {
        id: organization(0),
        name: name("Organization 0"),
        active: true,
        host,
        rules: OrganizationRules {
            networks: networks_of(networks),
            forbidden: set(forbidden),
        },
        tokens_revoked_before: before.map(millisecond),
    }
}

pub(crate) fn networks_of(text: &str) -> NetworkSet {
    NetworkSet::parse(text.split_whitespace()).unwrap()
}

pub(crate) fn addresses(allow: &str, deny: &str) -> Option<AddressRules> {
    Some(AddressRules {
        allow: networks_of(allow),
        deny: networks_of(deny),
    })
}

pub(crate) fn user_revoked(number: u32, before: u32) -> Change {
    Change::TokensRevoked {
        organization: organization(0),
        user: user(number),
        before: millisecond(before),
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
        address_rules: None,
        secret_of: None,
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

/// For `needed` at [`NOW`], from nowhere.
pub(crate) fn asked(needed: Option<&Permission>) -> Question<'_> {
    Question {
        needed,
        address: None,
        now: NOW,
    }
}

/// What the engine says to `text` for `needed` at [`NOW`], when it knows the token or knows that there is none.
pub(crate) fn ask(engine: &Engine, text: &PlainToken, needed: &str) -> Verdict {
    let needed = (!needed.is_empty()).then(|| permission(needed));
    engine
        .verify(text, &peppers(), &asked(needed.as_ref()))
        .verdict()
        .expect("an answer")
}

/// The same for anything at all, from an address.
pub(crate) fn ask_from(engine: &Engine, text: &PlainToken, address: &str) -> Verdict {
    let question = Question {
        address: Some(address.parse().unwrap()),
        ..asked(None)
    };
    let answer = engine.verify(text, &peppers(), &question);
    answer.verdict().expect("an answer")
}

/// What the engine shows of the token with this text.
pub(crate) fn view<'e>(engine: &'e Engine, token: &PlainToken) -> TokenView<'e> {
    match engine.verify(token, &peppers(), &asked(None)) {
        Answer::Known { token, .. } => token,
        other => panic!("not known: {other:?}"),
    }
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
