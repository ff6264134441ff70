//! The engine against a model that is a map and a call of `decide`.

use crate::world::*;
use hallpass_domain::{
    id::TokenId,
    name::TokenName,
    network::{AddressRules, NetworkSet},
    permission::{Permission, PermissionSet},
    time::Timestamp,
    token::{Digest, Peppers, PlainToken},
    verdict::{Bearer, Facts, MembershipFacts, Question, Verdict, decide},
};
use hallpass_engine::{
    Answer, ApplyError, Change, Engine, OrganizationRules, Owner, Stored, TokenRecord, TokenView,
};
use proptest::prelude::*;
use std::collections::HashMap;

const TEXTS: u64 = 5;

#[derive(Default)]
struct Model {
    tokens: HashMap<TokenId, TokenRecord>,
    remembered: HashMap<TokenId, Digest>,
    organization: Organization,
    /// By user: before which millisecond all tokens were revoked.
    revoked: HashMap<u32, u32>,
    users: HashMap<u32, bool>,
    roles: HashMap<u32, PermissionSet>,
    /// By user: role, active, may have tokens.
    members: HashMap<u32, (u32, bool, bool)>,
}

/// Organization 0 as it is.
#[derive(Clone, Debug, Default)]
struct Organization {
    active: bool,
    host: bool,
    networks: NetworkSet,
    forbidden: PermissionSet,
    revoked: u32,
}

impl Organization {
    fn change(&self) -> Change {
        Change::Organization {
            id: organization(0),
            name: name("Organization 0"),
            active: self.active,
            host: self.host,
            rules: OrganizationRules {
                networks: self.networks.clone(),
                forbidden: self.forbidden.clone(),
            },
            tokens_revoked_before: (self.revoked > 0).then(|| millisecond(self.revoked)),
        }
    }
}

#[derive(Debug, PartialEq)]
enum Said {
    Unknown,
    Slow(TokenId),
    /// Id, verdict, pepper, name, permissions and the same as one text.
    Known(TokenId, Verdict, usize, String, PermissionSet, String),
}

impl Model {
    fn holder(&self, digest: Digest) -> Option<&TokenRecord> {
        self.tokens.values().find(|token| {
            token.stored == Stored::Digest(digest)
                || self.remembered.get(&token.id) == Some(&digest)
        })
    }

    fn slow(&self, text: &PlainToken) -> Option<&TokenRecord> {
        self.tokens.values().find(|token| {
            matches!(token.stored, Stored::Bcrypt(_)) && token.prefix == text.prefix()
        })
    }

    fn put(&mut self, record: TokenRecord) -> Result<(), ApplyError> {
        let taken = match &record.stored {
            Stored::Digest(digest) => self
                .holder(*digest)
                .is_some_and(|other| other.id != record.id),
            Stored::Bcrypt(_) => self.tokens.values().any(|other| {
                other.id != record.id
                    && matches!(other.stored, Stored::Bcrypt(_))
                    && other.prefix == record.prefix
            }),
        };
        if taken {
            return Err(ApplyError::Taken(record.id));
        }
        let same = |old: &TokenRecord| {
            let stored = matches!((&old.stored, &record.stored), (Stored::Bcrypt(old), Stored::Bcrypt(new)) if old == new);
            stored
                && (old.prefix, old.bearer, old.kind) == (record.prefix, record.bearer, record.kind)
        };
        if !self.tokens.get(&record.id).is_some_and(same) {
            self.remembered.remove(&record.id);
        }
        self.tokens.insert(record.id, record);
        Ok(())
    }

    fn say(&self, text: &PlainToken, peppers: &Peppers, needed: &str) -> Said {
        for (number, pepper) in peppers.iter().enumerate() {
            if let Some(token) = self.holder(pepper.digest(text)) {
                return self.with_facts(token, |facts| {
                    let permissions = facts.permissions();
                    let text = facts.permitted().map(Permission::as_str);
                    Said::Known(
                        token.secret_of.unwrap_or(token.id),
                        decide(Some(facts), &from(&permission(needed))),
                        number,
                        token.name.to_string(),
                        permissions.clone(),
                        text.collect::<Vec<_>>().join(" "),
                    )
                });
            }
        }
        self.slow(text)
            .map_or(Said::Unknown, |token| Said::Slow(token.id))
    }

    fn is_revoked(&self, token: &TokenRecord) -> bool {
        let made = |id: TokenId| u32::from(id.bytes()[5]);
        let ids = [Some(token.id), token.secret_of];
        let made = ids.into_iter().flatten().map(made).min();
        let of_user = match token.bearer {
            Owner::User(id) => self.revoked.get(&u32::from(id.bytes()[15])).copied(),
            Owner::Organization(_) => None,
        };
        token.revoked || made < of_user.max(Some(self.organization.revoked))
    }

    fn with_facts<T>(&self, token: &TokenRecord, then: impl FnOnce(Facts<'_>) -> T) -> T {
        let (bearer, role) = match token.bearer {
            Owner::Organization(id) => (Bearer::Organization, Some(u32::from(id.bytes()[15]))),
            Owner::User(id) => {
                let number = u32::from(id.bytes()[15]);
                let member = self.members.get(&number);
                let membership = member.map(|(_, active, may_have_tokens)| MembershipFacts {
                    active: *active,
                    may_have_tokens: *may_have_tokens,
                });
                (
                    Bearer::Person {
                        user_active: self.users[&number],
                        membership,
                    },
                    member.map(|(role, ..)| *role),
                )
            }
        };
        let none = PermissionSet::default();
        let facts = Facts {
            revoked: self.is_revoked(token),
            expires_at: token.expires_at,
            valid_from: token.valid_from,
            suspended: token.suspended,
            organization_active: self.organization.active,
            host: self.organization.host,
            organization_networks: Some(&self.organization.networks),
            address_rules: token.address_rules.as_ref(),
            bearer,
            role: role.map_or(&none, |role| &self.roles[&role]),
            scope: token.scope.as_ref(),
            forbidden: Some(&self.organization.forbidden),
        };
        then(facts)
    }
}

fn from(needed: &Permission) -> Question<'_> {
    Question {
        address: Some("10.1.0.1".parse().unwrap()),
        ..asked(Some(needed))
    }
}

#[derive(Clone, Debug)]
enum Step {
    Token(TokenRecord),
    Gone(u32),
    /// Remembers text under pepper 1 or 2, if it is found by prefix.
    Remember(u64, u8),
    Organization(Organization),
    Revoked(u32, u32),
    User(u32, bool),
    Role(u32, &'static str),
    Member(u32, u32, bool, bool),
    NoMember(u32),
    /// Goes on with a compacted engine.
    Compact,
}

fn some_set() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "a:x",
        "a:y",
        "a:x a:y",
        "a:*",
        "b:x",
        "a:x hallpass:deployment",
        "hallpass:*",
    ])
}

fn some_moment() -> impl Strategy<Value = Option<Timestamp>> {
    prop::option::of((-1..=1_i64).prop_map(|off| Timestamp::from_micros(NOW.micros() + off)))
}

fn some_networks() -> impl Strategy<Value = NetworkSet> {
    prop::sample::select(vec!["", "", "", "10.0.0.0/8", "10.2.0.0/16", "10.1.0.1"])
        .prop_map(networks_of)
}

fn some_organization() -> impl Strategy<Value = Organization> {
    let forbidden = prop::sample::select(vec!["", "", "a:x", "b:*"]);
    let is = (prop::bool::weighted(0.8), any::<bool>());
    let revoked = prop_oneof![4 => Just(0), 1 => 0..5_u32];
    (is, some_networks(), forbidden, revoked).prop_map(
        |((active, host), networks, forbidden, revoked)| Organization {
            active,
            host,
            networks,
            forbidden: set(forbidden),
            revoked,
        },
    )
}

fn some_extras() -> impl Strategy<Value = (Option<AddressRules>, Option<TokenId>)> {
    let rules = (some_networks(), some_networks());
    let rules = rules.prop_map(|(allow, deny)| AddressRules { allow, deny });
    let key = prop::option::weighted(0.2, (0..4_u32).prop_map(token_id));
    (prop::option::weighted(0.3, rules), key)
}

fn some_token() -> impl Strategy<Value = TokenRecord> {
    let stored = (0..TEXTS, 0..4_u8);
    let bearer = prop_oneof![
        (0..2_u32).prop_map(|number| Owner::User(user(number))),
        (0..2_u32).prop_map(|number| Owner::Organization(role(number)))
    ];
    let times = (some_moment(), some_moment());
    (
        0..4_u32,
        stored,
        bearer,
        prop::option::of(some_set()),
        times,
        (prop::bool::weighted(0.2), prop::bool::weighted(0.2)),
        "[a-c]{1,20}",
        some_extras(),
    )
        .prop_map(
            |(
                number,
                (seed, way),
                bearer,
                scope,
                (expires_at, valid_from),
                (revoked, suspended),
                name,
                (address_rules, secret_of),
            )| {
                let text = text(seed);
                let good = record(number, &text, &pepper(1 + way % 2));
                let hash = ['a', 'b'][usize::from(way % 2)];
                let stored = if way < 2 {
                    good.stored.clone()
                } else {
                    Stored::Bcrypt(some_hash(hash))
                };
                TokenRecord {
                    stored,
                    bearer,
                    scope: scope.map(set),
                    expires_at,
                    valid_from,
                    revoked,
                    suspended,
                    name: TokenName::parse(&name).unwrap(),
                    address_rules,
                    secret_of,
                    ..good
                }
            },
        )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => some_token().prop_map(Step::Token),
        2 => (0..4_u32).prop_map(Step::Gone),
        3 => (0..TEXTS, 1..3_u8).prop_map(|(seed, pepper)| Step::Remember(seed, pepper)),
        2 => some_organization().prop_map(Step::Organization),
        1 => (0..2_u32, 0..5_u32).prop_map(|(user, before)| Step::Revoked(user, before)),
        1 => (0..2_u32, any::<bool>()).prop_map(|(user, active)| Step::User(user, active)),
        1 => (0..2_u32, some_set()).prop_map(|(role, set)| Step::Role(role, set)),
        2 => (0..2_u32, 0..2_u32, prop::bool::weighted(0.8), prop::bool::weighted(0.8)).prop_map(|(user, role, active, may)| Step::Member(user, role, active, may)),
        1 => (0..2_u32).prop_map(Step::NoMember),
        1 => Just(Step::Compact),
    ]
}

fn play(engine: &mut Engine, model: &mut Model, step: Step) {
    match step {
        Step::Token(record) => assert_eq!(
            engine.apply(Change::Token(record.clone())),
            model.put(record)
        ),
        Step::Gone(number) => {
            model.tokens.remove(&token_id(number));
            model.remembered.remove(&token_id(number));
            engine.apply(Change::TokenGone(token_id(number))).unwrap();
        }
        Step::Remember(seed, under) => remember(engine, model, seed, under),
        Step::Organization(now) => {
            engine.apply(now.change()).unwrap();
            let revoked = model.organization.revoked.max(now.revoked);
            model.organization = Organization { revoked, ..now };
        }
        Step::Revoked(number, before) => {
            let revoked = model.revoked.get(&number).copied().unwrap_or(0);
            model.revoked.insert(number, revoked.max(before));
            engine.apply(user_revoked(number, before)).unwrap();
        }
        Step::User(number, active) => {
            model.users.insert(number, active);
            engine.apply(user_is(number, active)).unwrap();
        }
        Step::Role(number, permissions) => {
            model.roles.insert(number, set(permissions));
            engine.apply(role_holds(number, permissions)).unwrap();
        }
        Step::Member(number, role, active, may) => {
            model.members.insert(number, (role, active, may));
            engine.apply(member(number, role, active, may)).unwrap();
        }
        Step::NoMember(number) => {
            model.members.remove(&number);
            let (organization, user) = (organization(0), user(number));
            let gone = Change::MembershipGone { organization, user };
            engine.apply(gone).unwrap();
        }
        Step::Compact => {
            *engine = engine.compacted().unwrap();
            engine.set_answering(true);
        }
    }
}

fn remember(engine: &Engine, model: &mut Model, seed: u64, under: u8) {
    let digest = pepper(under).digest(&text(seed));
    let answer = engine.verify(
        &text(seed),
        &Peppers::new(pepper(9), Vec::new()),
        &asked(None),
    );
    let found = model.slow(&text(seed)).map(|token| token.id);
    let Answer::Slow(candidate) = answer else {
        assert_eq!(found, None);
        return;
    };
    assert_eq!(Some(candidate.id()), found);
    let free = model
        .holder(digest)
        .is_none_or(|holder| holder.id == candidate.id());
    assert_eq!(engine.remember(&candidate, digest), free);
    if free {
        model.remembered.insert(candidate.id(), digest);
    }
}

fn joined(token: &TokenView<'_>) -> String {
    let mut bytes = Vec::new();
    token.append_permissions(&mut bytes);
    String::from_utf8(bytes).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_says_what_the_model_says(steps in prop::collection::vec(step(), 1..60)) {
        let mut engine = Engine::default();
        engine.set_answering(true);
        let mut model = Model::default();
        let start = [Step::Organization(Organization { active: true, ..Organization::default() }), Step::Role(0, "a:x a:y"), Step::Role(1, "a:x"), Step::User(0, true), Step::User(1, true), Step::Member(0, 0, true, true)];
        for step in start.into_iter().chain(steps) {
            play(&mut engine, &mut model, step);
            for seed in 0..TEXTS {
                for (all, needed) in [(peppers(), "a:x"), (peppers(), "hallpass:deployment"), (Peppers::new(pepper(1), vec![]), "a:y")] {
                    let said = match engine.verify(&text(seed), &all, &from(&permission(needed))) {
                        Answer::NotAnswering => panic!("it was told to answer"),
                        Answer::Unknown => Said::Unknown,
                        Answer::Slow(candidate) => Said::Slow(candidate.id()),
                        Answer::Known { verdict, token, pepper } => Said::Known(token.id(), verdict, pepper, token.name().to_string(), token.permissions(), joined(&token)),
                    };
                    assert_eq!(said, model.say(&text(seed), &all, needed));
                }
            }
            assert_eq!(engine.len(), model.tokens.len());
            assert_eq!(engine.sizes().remembered_tokens, model.remembered.len());
        }
    }
}
