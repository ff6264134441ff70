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
use hallpass_engine::{Change, OrganizationRules, Owner, Stored, TokenRecord};
use zeroize::Zeroizing;

pub const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
const ORGANIZATIONS: usize = 200;
const ROLES: usize = 12;
const SCOPES: usize = 64;
const TOKENS_PER_USER: usize = 10;
const WORDS: [&str; 12] = [
    "deploy",
    "ci",
    "laptop",
    "backup",
    "nightly",
    "terraform",
    "grafana",
    "release",
    "import",
    "staging",
    "cron",
    "mirror",
];

/// The deployment: changes to load, and the texts of the tokens.
#[derive(Debug)]
pub struct Deployment {
    pub peppers: Peppers,
    pub changes: Vec<Change>,
    pub tokens: Vec<PlainToken>,
}

pub fn peppers() -> anyhow::Result<Peppers> {
    let id = PepperId::parse("p1").context("a good name")?;
    Ok(Peppers::new(
        Pepper::new(
            id,
            &Zeroizing::new(std::array::from_fn(|place| 7 * place as u8 + 1)),
        ),
        Vec::new(),
    ))
}

/// The permissions that the tokens are about: `r0:read`, `r0:write`, …
fn some_permissions(chance: &Chance, count: usize) -> anyhow::Result<PermissionSet> {
    let texts: Vec<String> = (0..count)
        .map(|_| {
            format!(
                "r{}:{}",
                chance.below(20),
                if chance.below(2) == 0 {
                    "read"
                } else {
                    "write"
                }
            )
        })
        .collect();
    Ok(PermissionSet::parse(
        texts.iter().map(String::as_str).chain(["r0:read"]),
    )?)
}

pub fn deployment(count: usize) -> anyhow::Result<Deployment> {
    let chance = Chance::new(2);
    let peppers = peppers()?;
    let people = People::new(&chance, count.div_ceil(TOKENS_PER_USER));
    let scopes: Vec<_> = (0..SCOPES)
        .map(|_| some_permissions(&chance, 6))
        .collect::<anyhow::Result<_>>()?;
    let mut changes = people.changes(&chance)?;
    let mut tokens = Vec::with_capacity(count);
    for number in 0..count {
        let user = number % people.users.len();
        let is_key = number % 10 == 9;
        let kind = if is_key {
            Kind::ApiKey
        } else {
            Kind::PersonalAccessToken
        };
        let token = PlainToken::generate(Brand::DEFAULT, kind, &chance);
        let key = Owner::Organization(people.roles[user % ROLES]);
        let fresh = Fresh {
            chance: &chance,
            scopes: &scopes,
            organization: people.organizations[user % ORGANIZATIONS],
            bearer: if is_key {
                key
            } else {
                Owner::User(people.users[user])
            },
            number,
        };
        changes.push(Change::Token(
            fresh.record(&token, peppers.current().digest(&token))?,
        ));
        tokens.push(token);
    }
    Ok(Deployment {
        peppers,
        changes,
        tokens,
    })
}

struct People {
    organizations: Vec<OrganizationId>,
    roles: Vec<RoleId>,
    users: Vec<UserId>,
}

impl People {
    fn new(chance: &Chance, users: usize) -> Self {
        Self {
            organizations: (0..ORGANIZATIONS)
                .map(|_| OrganizationId::generate(chance, NOW))
                .collect(),
            roles: (0..ROLES).map(|_| RoleId::generate(chance, NOW)).collect(),
            users: (0..users).map(|_| UserId::generate(chance, NOW)).collect(),
        }
    }

    fn changes(&self, chance: &Chance) -> anyhow::Result<Vec<Change>> {
        let mut changes = Vec::new();
        for (number, id) in self.organizations.iter().enumerate() {
            let name = DisplayName::parse(&format!("Organization {number}"))?;
            changes.push(Change::Organization {
                id: *id,
                name,
                active: true,
                host: number == 0,
                rules: OrganizationRules::default(),
                tokens_revoked_before: None,
            });
        }
        for (number, id) in self.roles.iter().enumerate() {
            let permissions = some_permissions(chance, 25)?;
            changes.push(Change::Role {
                id: *id,
                name: format!("Role {number}"),
                permissions,
            });
        }
        for (number, id) in self.users.iter().enumerate() {
            let name = DisplayName::parse(&format!("Ada Lovelace {number}"))?;
            changes.push(Change::User {
                id: *id,
                name,
                active: true,
            });
            changes.push(Change::Membership {
                organization: self.organizations[number % ORGANIZATIONS],
                user: *id,
                role: self.roles[number % ROLES],
                active: true,
                may_have_tokens: true,
            });
        }
        Ok(changes)
    }
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
        let [first, second] = [
            WORDS[chance.below(WORDS.len())],
            WORDS[chance.below(WORDS.len())],
        ];
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
            address_rules: None,
            secret_of: None,
        })
    }
}
