//! The engine against a model that is a map and a call of `decide`.

use crate::world::*;
use hallpass_domain::{
    id::TokenId,
    permission::PermissionSet,
    time::Timestamp,
    token::{Digest, Peppers, PlainToken},
    verdict::{Bearer, Facts, MembershipFacts, Verdict, decide},
};
use hallpass_engine::{Answer, ApplyError, Change, Engine, Owner, Stored, TokenRecord};
use proptest::prelude::*;
use std::collections::HashMap;

const TEXTS: u64 = 5;

#[derive(Default)]
struct Model {
    tokens: HashMap<TokenId, TokenRecord>,
    remembered: HashMap<TokenId, Digest>,
    organizations: HashMap<u32, bool>,
    users: HashMap<u32, bool>,
    roles: HashMap<u32, PermissionSet>,
    /// By user: role, active, may have tokens.
    members: HashMap<u32, (u32, bool, bool)>,
}

#[derive(Debug, PartialEq)]
enum Said {
    Unknown,
    Slow(TokenId),
    Known(TokenId, Verdict, usize, String),
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
                return Said::Known(
                    token.id,
                    self.verdict(token, needed),
                    number,
                    token.name.to_string(),
                );
            }
        }
        self.slow(text)
            .map_or(Said::Unknown, |token| Said::Slow(token.id))
    }

    fn verdict(&self, token: &TokenRecord, needed: &str) -> Verdict {
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
            revoked: token.revoked,
            expires_at: token.expires_at,
            valid_from: token.valid_from,
            suspended: token.suspended,
            organization_active: self.organizations[&0],
            bearer,
            role: role.map_or(&none, |role| &self.roles[&role]),
            scope: token.scope.as_ref(),
        };
        decide(Some(facts), Some(&permission(needed)), NOW)
    }
}

#[derive(Clone, Debug)]
enum Step {
    Token(TokenRecord),
    Gone(u32),
    /// Remembers text under pepper 1 or 2, if it is found by prefix.
    Remember(u64, u8),
    Organization(bool),
    User(u32, bool),
    Role(u32, &'static str),
    Member(u32, u32, bool, bool),
    NoMember(u32),
    /// Goes on with a compacted engine.
    Compact,
}

fn some_set() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "a:x", "a:y", "a:x a:y", "a:*", "b:x"])
}

fn some_moment() -> impl Strategy<Value = Option<Timestamp>> {
    prop::option::of((-1..=1_i64).prop_map(|off| Timestamp::from_micros(NOW.micros() + off)))
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
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
        "[a-c]{1,20}",
    )
        .prop_map(
            |(
                number,
                (seed, way),
                bearer,
                scope,
                (expires_at, valid_from),
                revoked,
                suspended,
                name,
            )| {
                let text = text(seed);
                let good = record(number, &text, &pepper(1 + way % 2));
                let hash = ['a', 'b'][usize::from(way % 2)];
                let stored = if way < 2 {
                    good.stored.clone()
                } else {
                    Stored::Bcrypt(some_hash(hash))
                };
                let name = hallpass_domain::name::TokenName::parse(&name).unwrap();
                TokenRecord {
                    stored,
                    bearer,
                    scope: scope.map(set),
                    expires_at,
                    valid_from,
                    revoked,
                    suspended,
                    name,
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
        1 => any::<bool>().prop_map(Step::Organization),
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
        Step::Organization(active) => {
            model.organizations.insert(0, active);
            engine.apply(organization_is(0, active)).unwrap();
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
            engine
                .apply(Change::MembershipGone {
                    organization: organization(0),
                    user: user(number),
                })
                .unwrap();
        }
        Step::Compact => {
            *engine = engine.compacted().unwrap();
            engine.set_answering(true);
        }
    }
}

fn remember(engine: &Engine, model: &mut Model, seed: u64, under: u8) {
    let digest = pepper(under).digest(&text(seed));
    let answer = engine.verify(&text(seed), &Peppers::new(pepper(9), Vec::new()), None, NOW);
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_says_what_the_model_says(steps in prop::collection::vec(step(), 1..60)) {
        let mut engine = Engine::default();
        engine.set_answering(true);
        let mut model = Model::default();
        let start = [Step::Organization(true), Step::Role(0, "a:x a:y"), Step::Role(1, "a:x"), Step::User(0, true), Step::User(1, true), Step::Member(0, 0, true, true)];
        for step in start.into_iter().chain(steps) {
            play(&mut engine, &mut model, step);
            for seed in 0..TEXTS {
                for (all, needed) in [(peppers(), "a:x"), (Peppers::new(pepper(1), vec![]), "a:y")] {
                    let said = match engine.verify(&text(seed), &all, Some(&permission(needed)), NOW) {
                        Answer::NotAnswering => panic!("it was told to answer"),
                        Answer::Unknown => Said::Unknown,
                        Answer::Slow(candidate) => Said::Slow(candidate.id()),
                        Answer::Known { verdict, token, pepper } => Said::Known(token.id(), verdict, pepper, token.name().to_string()),
                    };
                    assert_eq!(said, model.say(&text(seed), &all, needed));
                }
            }
            assert_eq!(engine.len(), model.tokens.len());
            assert_eq!(engine.sizes().remembered_tokens, model.remembered.len());
        }
    }
}
