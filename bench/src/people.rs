//! A deployment of believable shape: who there is, and the tokens they hold.

use crate::measure::Chance;
use anyhow::Context;
use hallpass_domain::{
    id::{OrganizationId, RoleId, TokenId, UserId},
    name::{DisplayName, TokenName},
    permission::PermissionSet,
    time::Timestamp,
    token::{Brand, Digest, Kind, Pepper, PepperId, Peppers, PlainToken},
};
use hallpass_engine::{Change, Owner, Stored, TokenRecord};
use zeroize::Zeroizing;

pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
const ORGANIZATIONS: usize = 200;
const ROLES: usize = 12;
const SCOPES: usize = 64;
const TOKENS_PER_USER: usize = 10;
const WORDS: [&str; 12] =
    ["deploy", "ci", "laptop", "backup", "nightly", "terraform", "grafana", "release", "import", "staging", "cron", "mirror"];

/// The deployment: changes to load, and the texts of the tokens.
pub(crate) struct Deployment {
    pub(crate) peppers: Peppers,
    pub(crate) changes: Vec<Change>,
    pub(crate) tokens: Vec<PlainToken>,
}

pub(crate) fn peppers() -> anyhow::Result<Peppers> {
    let id = PepperId::parse("p1").context("a good name")?;
    Ok(Peppers::new(Pepper::new(id, &Zeroizing::new([7; 32])), Vec::new()))
}

/// The permissions that the tokens are about: `r0:read`, `r0:write`, …
fn some_permissions(chance: &Chance, count: usize) -> anyhow::Result<PermissionSet> {
    let texts: Vec<String> =
        (0..count).map(|_| format!("r{}:{}", chance.below(20), if chance.below(2) == 0 { "read" } else { "write" })).collect();
    Ok(PermissionSet::parse(texts.iter().map(String::as_str).chain(["r0:read"]))?)
}

pub(crate) fn deployment(count: usize) -> anyhow::Result<Deployment> {
    let chance = Chance::new(2);
    let peppers = peppers()?;
    let ids = |chance: &Chance| OrganizationId::generate(chance, NOW);
    let organizations: Vec<_> = (0..ORGANIZATIONS).map(|_| ids(&chance)).collect();
    let roles: Vec<_> = (0..ROLES).map(|_| RoleId::generate(&chance, NOW)).collect();
    let users: Vec<_> = (0..count.div_ceil(TOKENS_PER_USER)).map(|_| UserId::generate(&chance, NOW)).collect();
    let scopes: Vec<_> = (0..SCOPES).map(|_| some_permissions(&chance, 6)).collect::<anyhow::Result<_>>()?;
    let mut changes = Vec::with_capacity(count + 3 * users.len() + 1_000);
    for (number, id) in organizations.iter().enumerate() {
        changes.push(Change::Organization { id: *id, name: DisplayName::parse(&format!("Organization {number}"))?, active: true });
    }
    for (number, id) in roles.iter().enumerate() {
        changes.push(Change::Role { id: *id, name: format!("Role {number}"), permissions: some_permissions(&chance, 25)? });
    }
    for (number, id) in users.iter().enumerate() {
        let (organization, role) = (organizations[number % ORGANIZATIONS], roles[number % ROLES]);
        changes.push(Change::User { id: *id, name: DisplayName::parse(&format!("Ada Lovelace {number}"))?, active: true });
        changes.push(Change::Membership { organization, user: *id, role, active: true, may_have_tokens: true });
    }
    let mut tokens = Vec::with_capacity(count);
    for number in 0..count {
        let user = number % users.len();
        let is_key = number % 10 == 9;
        let kind = if is_key { Kind::ApiKey } else { Kind::PersonalAccessToken };
        let token = PlainToken::generate(Brand::DEFAULT, kind, &chance);
        let bearer = if is_key { Owner::Organization(roles[user % ROLES]) } else { Owner::User(users[user]) };
        let record = Fresh { chance: &chance, scopes: &scopes, organization: organizations[user % ORGANIZATIONS], bearer, number };
        changes.push(Change::Token(record.record(&token, peppers.current().digest(&token))?));
        tokens.push(token);
    }
    Ok(Deployment { peppers, changes, tokens })
}

struct Fresh<'a> {
    chance: &'a Chance,
    scopes: &'a [PermissionSet],
    organization: OrganizationId,
    bearer: Owner,
    number: usize,
}

impl Fresh<'_> {
    /// Half of the tokens are narrowed, four of five end, names have 8 to 24 characters.
    fn record(&self, token: &PlainToken, digest: Digest) -> anyhow::Result<TokenRecord> {
        let chance = self.chance;
        let [first, second] = [WORDS[chance.below(WORDS.len())], WORDS[chance.below(WORDS.len())]];
        let days = 1 + chance.below(365) as i64;
        Ok(TokenRecord {
            id: TokenId::generate(chance, NOW),
            kind: token.kind(),
            stored: Stored::Digest(digest),
            prefix: token.prefix(),
            organization: self.organization,
            bearer: self.bearer,
            name: TokenName::parse(&format!("{first} {second} {}", self.number / 100_000))?,
            scope: (chance.below(2) == 0).then(|| self.scopes[chance.below(SCOPES)].clone()),
            expires_at: (chance.below(5) > 0).then(|| NOW.plus_days(days)),
            valid_from: None,
            revoked: false,
            suspended: false,
        })
    }
}
