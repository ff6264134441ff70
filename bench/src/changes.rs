//! Whether a change takes longer the more tokens it concerns.

use anyhow::ensure;
use hallpass_bench::{
    measure::{Chance, Median, nanoseconds},
    people::{NOW, peppers},
};
use hallpass_domain::{
    id::{OrganizationId, RoleId, TokenId, UserId},
    name::{DisplayName, TokenName},
    permission::PermissionSet,
    token::{Brand, Kind, Peppers, PlainToken},
    verdict::{DenyReason, Question, Verdict},
};
use hallpass_engine::{Change, Engine, OrganizationRules, Owner, Stored, TokenRecord};
use std::io::{Write, stdout};

/// Tokens under one user, one role and one organization.
const FEW: usize = 10;
const MANY: usize = 100_000;
/// Times that each change is made in a round, and taken back as often.
const TIMES: usize = 2_000;

/// What is changed.
const SORTS: [&str; 6] = [
    "another role",
    "what the role holds",
    "a user suspended",
    "the gate shut",
    "an organization suspended",
    "an organization's tokens revoked",
];

/// One user with one role in one organization.
struct Subject {
    organization: OrganizationId,
    user: UserId,
    roles: [RoleId; 2],
    token: PlainToken,
}

pub(crate) fn run(rounds: usize) -> anyhow::Result<()> {
    let (engine, peppers) = (Engine::with_capacity(FEW + MANY), peppers()?);
    let chance = Chance::new(5);
    let few = Subject::load(&engine, &peppers, &chance, FEW)?;
    let many = Subject::load(&engine, &peppers, &chance, MANY)?;
    engine.set_answering(true);
    let mut out = stdout().lock();
    writeln!(
        out,
        "\nA change that concerns {FEW} tokens and one that concerns {MANY}; {rounds} rounds, {TIMES} changes and as many back in a round\n"
    )?;
    writeln!(
        out,
        "{:<40} {:>22} {:>22}",
        "", "ns, many", "÷ few, goal: ≤ 1.5"
    )?;
    for (sort, name) in SORTS.iter().enumerate() {
        let (time, ratio) = compare(&engine, [&few, &many], sort, rounds)?;
        writeln!(
            out,
            "{name:<40} {:>22} {:>22}",
            time.to_string(),
            ratio.to_string()
        )?;
    }
    for subject in [&few, &many] {
        let question = Question {
            needed: None,
            address: None,
            now: NOW,
        };
        let verdict = engine.verify(&subject.token, &peppers, &question).verdict();
        ensure!(
            verdict == Some(Verdict::Deny(DenyReason::Revoked)),
            "the changes did not reach the tokens"
        );
    }
    Ok(())
}

/// Nanoseconds for a change of the second, and how often those of the first go into them.
fn compare(
    engine: &Engine,
    [few, many]: [&Subject; 2],
    sort: usize,
    rounds: usize,
) -> anyhow::Result<(Median, Median)> {
    let (mut times, mut ratios) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        // They take turns in going first, so that neither always finds warm caches.
        let (of_few, of_many);
        if round % 2 == 0 {
            of_few = few.time(engine, sort, round)?;
            of_many = many.time(engine, sort, round)?;
        } else {
            of_many = many.time(engine, sort, round)?;
            of_few = few.time(engine, sort, round)?;
        }
        times.push(of_many);
        ratios.push(of_many / of_few);
    }
    Ok((Median::of(&times), Median::of(&ratios)))
}

impl Subject {
    fn load(
        engine: &Engine,
        peppers: &Peppers,
        chance: &Chance,
        tokens: usize,
    ) -> anyhow::Result<Self> {
        let fresh = || PlainToken::generate(Brand::DEFAULT, Kind::PersonalAccessToken, chance);
        let subject = Self {
            organization: OrganizationId::generate(chance, NOW),
            user: UserId::generate(chance, NOW),
            roles: [(); 2].map(|()| RoleId::generate(chance, NOW)),
            token: fresh(),
        };
        engine.apply(subject.organization(true, 0)?)?;
        engine.apply(subject.role(0, "r0:read")?)?;
        engine.apply(subject.role(1, "r0:read r0:write")?)?;
        engine.apply(subject.user(true)?)?;
        engine.apply(subject.member(0, true))?;
        for number in 0..tokens {
            let token = if number == 0 {
                subject.token.clone()
            } else {
                fresh()
            };
            engine.apply(Change::Token(TokenRecord {
                id: TokenId::generate(chance, NOW),
                kind: token.kind(),
                stored: Stored::Digest(peppers.current().digest(&token)),
                prefix: token.prefix(),
                organization: subject.organization,
                bearer: Owner::User(subject.user),
                name: TokenName::parse("deploy")?,
                scope: None,
                expires_at: None,
                valid_from: None,
                revoked: false,
                suspended: false,
                address_rules: None,
                secret_of: None,
            }))?;
        }
        Ok(subject)
    }

    fn organization(&self, active: bool, revoked_seconds: usize) -> anyhow::Result<Change> {
        let before = (revoked_seconds > 0).then(|| NOW.plus_seconds(revoked_seconds as i64));
        Ok(Change::Organization {
            id: self.organization,
            name: DisplayName::parse("Analytical Engines")?,
            active,
            host: false,
            rules: OrganizationRules::default(),
            tokens_revoked_before: before,
        })
    }

    fn role(&self, which: usize, permissions: &str) -> anyhow::Result<Change> {
        Ok(Change::Role {
            id: self.roles[which],
            name: "Engineer".to_owned(),
            permissions: PermissionSet::parse(permissions.split_whitespace())?,
        })
    }

    fn user(&self, active: bool) -> anyhow::Result<Change> {
        Ok(Change::User {
            id: self.user,
            name: DisplayName::parse("Ada Lovelace")?,
            active,
        })
    }

    fn member(&self, role: usize, may_have_tokens: bool) -> Change {
        Change::Membership {
            organization: self.organization,
            user: self.user,
            role: self.roles[role],
            active: true,
            may_have_tokens,
        }
    }

    /// A change of a sort and the one that takes it back, for the `turn`th time.
    fn pair(&self, sort: usize, turn: usize) -> anyhow::Result<[Change; 2]> {
        Ok(match sort {
            0 => [self.member(1, true), self.member(0, true)],
            1 => [self.role(0, "r0:write")?, self.role(0, "r0:read")?],
            2 => [self.user(false)?, self.user(true)?],
            3 => [self.member(0, false), self.member(0, true)],
            4 => [self.organization(false, 0)?, self.organization(true, 0)?],
            // Nothing takes it back: it goes on.
            _ => [
                self.organization(true, 2 * turn + 1)?,
                self.organization(true, 2 * turn + 2)?,
            ],
        })
    }

    /// Nanoseconds for one change of this sort.
    fn time(&self, engine: &Engine, sort: usize, round: usize) -> anyhow::Result<f64> {
        let mut changes = Vec::with_capacity(2 * TIMES);
        for turn in 0..TIMES {
            changes.extend(self.pair(sort, round * TIMES + turn)?);
        }
        let mut applied = Ok(());
        let time = nanoseconds(changes.len(), || {
            applied = changes
                .into_iter()
                .try_for_each(|change| engine.apply(change));
        });
        applied?;
        Ok(time)
    }
}
