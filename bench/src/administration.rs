//! Whether administering takes longer the more tokens it concerns: whole calls of the product's services, over SQLite on
//! disk, from the request to the moment at which the change is in force.

use anyhow::{Context, ensure};
use clap::Args;
use hallpass_bench::{
    measure::{Median, clock},
    people::peppers,
};
use hallpass_domain::{
    id::{OrganizationId, UserId},
    member::{Membership, User},
    name::{DisplayName, Email},
    organization::{Organization, Standing},
    role::BuiltInRole,
    time::Timestamp,
    token::{Brand, Scheme},
};
use hallpass_server::{
    clock::Clock,
    entropy::SystemEntropy,
    observe::Metrics,
    service::{
        Parts, RequestContext, Services, Via, acting::Actor, catalogue::CatalogueSettings,
        members::MemberChange, organizations::OrganizationChange, revocations::Doomed,
        set_up::SetUp,
    },
};
use hallpass_store::{Database, FeedKey, NewAccount, Store};
use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
use std::{
    io::{Write, stdout},
    path::Path,
    sync::Arc,
};

/// Tokens of the two users, one organization each, and of the organization that is revoked as a whole.
const FEW: u32 = 10;
const MANY: u32 = 100_000;
const HUGE: u32 = 1_000_000;
/// What a call may take with many tokens, of what it takes with few.
const RATIO_MAX: f64 = 1.5;

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Rounds; in each, every change is made and taken back once for few tokens and once for many
    #[arg(long, default_value_t = 60)]
    rounds: usize,
}

/// An organization with one user who has tokens.
#[derive(Clone, Copy, Debug)]
struct Subject {
    organization: OrganizationId,
    user: UserId,
    tokens: u32,
}

/// A change and its opposite.
#[derive(Clone, Copy, Debug)]
enum Change {
    Role(BuiltInRole),
    Standing(Standing),
    Gate(bool),
    OrganizationStanding(Standing),
}

const CHANGES: [(&str, [Change; 2]); 4] = [
    (
        "another role",
        [
            Change::Role(BuiltInRole::Viewer),
            Change::Role(BuiltInRole::Member),
        ],
    ),
    (
        "the member suspended",
        [
            Change::Standing(Standing::Suspended),
            Change::Standing(Standing::Active),
        ],
    ),
    ("the gate closed", [Change::Gate(false), Change::Gate(true)]),
    (
        "the organization suspended",
        [
            Change::OrganizationStanding(Standing::Suspended),
            Change::OrganizationStanding(Standing::Active),
        ],
    ),
];

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(measure(options.rounds))
}

async fn measure(rounds: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("hallpass.db");
    let first = open(&file).await?;
    let actor = set_up(&first).await?;
    let mut subjects = Vec::new();
    for tokens in [FEW, MANY, HUGE] {
        subjects.push(add_subject(&first, tokens).await?);
    }
    first.store.close().await;
    add_tokens(&file, &subjects).await?;
    let started = clock();
    let services = open(&file).await?;
    let mut out = stdout().lock();
    writeln!(
        out,
        "{} tokens loaded from SQLite in {:.2} s\n",
        services.engine.len(),
        started.elapsed().as_secs_f64()
    )?;
    writeln!(
        out,
        "A call that concerns {FEW} tokens and one that concerns {MANY}, {rounds} interleaved rounds, SQLite on disk\n\n{:<40} {:>22} {:>22}",
        "", "ms, many", "÷ few, goal: ≤ 1.5"
    )?;
    for (name, changes) in CHANGES {
        let [few, many] = [&subjects[0], &subjects[1]];
        let (time, ratio) = compare(&services, &actor, [few, many], changes, rounds).await?;
        writeln!(
            out,
            "{name:<40} {:>22} {:>22}",
            time.to_string(),
            ratio.to_string()
        )?;
        ensure!(
            ratio.value <= RATIO_MAX,
            "{name} takes longer with more tokens"
        );
    }
    let here = services.act_in(&actor, subjects[2].organization).await?;
    revoke_everything(&services, &here, &mut out).await
}

async fn revoke_everything(
    services: &Services,
    here: &Actor,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let started = clock();
    services
        .revoke_many(here, &Doomed::Everything, None, &RequestContext::default())
        .await?;
    let seconds = started.elapsed().as_secs_f64();
    writeln!(
        out,
        "\nAn organization of {HUGE} tokens revoked in {seconds:.3} s; goal: < 1 s"
    )?;
    ensure!(seconds < 1.0, "revoking an organization takes too long");
    Ok(())
}

async fn open(file: &Path) -> anyhow::Result<Arc<Services>> {
    let store = Store::open(&Database::Sqlite(file.to_owned())).await?;
    let peppers = peppers()?;
    let mut tx = store.begin().await?;
    for pepper in peppers.iter() {
        tx.insert_pepper(
            pepper.id().as_str(),
            pepper.seal("pepper", b"bench").bytes(),
        )
        .await?;
    }
    tx.commit(&[]).await?;
    let parts = Parts {
        store,
        peppers,
        clock: Clock::Wall,
        entropy: SystemEntropy::seeded(7),
        metrics: Arc::new(Metrics::new("bench")),
        brand: Brand::DEFAULT,
        scheme: Scheme::HmacSha256,
    };
    let services = Services::start(parts).await?;
    services
        .put_catalogue(&CatalogueSettings::default())
        .await?;
    Ok(services)
}

async fn set_up(services: &Services) -> anyhow::Result<Actor> {
    let wish = SetUp {
        organization: "Bench".to_owned(),
        name: "Ada".to_owned(),
        email: "ada@bench.example".to_owned(),
        password: "measured twice, cut once".to_owned(),
    };
    let started = services.set_up(&wish, &RequestContext::default()).await?;
    let mut actor = Actor::of_session(&started.person);
    actor.via = Via::Session {
        id: started.id,
        signed_in_at: services.clock.now(),
    };
    Ok(actor)
}

async fn add_subject(services: &Services, tokens: u32) -> anyhow::Result<Subject> {
    let now = services.clock.now();
    let organization = Organization {
        id: OrganizationId::generate(&services.entropy, now),
        name: DisplayName::parse(&format!("Organization of {tokens}"))?,
        standing: Standing::Active,
        host: false,
    };
    let user = User {
        id: UserId::generate(&services.entropy, now),
        email: Email::parse(&format!("user-{tokens}@bench.example"))?,
        name: DisplayName::parse("User")?,
        standing: Standing::Active,
    };
    let subject = Subject {
        organization: organization.id,
        user: user.id,
        tokens,
    };
    let membership = Membership {
        organization: organization.id,
        user: user.id,
        role: BuiltInRole::Member.id(),
        standing: Standing::Active,
        may_have_tokens: true,
    };
    let account = NewAccount {
        user,
        password_hash: None,
    };
    let mut tx = services.store.begin().await?;
    tx.insert_organization(&organization, now).await?;
    tx.insert_user(&account, now).await?;
    tx.put_membership(&membership, now).await?;
    let changed = [
        FeedKey::Organization(subject.organization),
        FeedKey::User(subject.user),
        FeedKey::Membership(subject.organization, subject.user),
    ];
    services.finish(tx, &changed).await?;
    Ok(subject)
}

/// Straight into the table: the product lets nobody make so many in a day.
async fn add_tokens(file: &Path, subjects: &[Subject]) -> anyhow::Result<()> {
    const ROWS: &str = "with recursive n(i) as (select 1 union all select i + 1 from n where i < $1) \
        insert into token (id, kind, organization_id, user_id, name, name_key, prefix, digest, pepper_id, created_at, expires_at, never_expires_acknowledged) \
        select unhex(hex($2) || hex(randomblob(10))), 'personal_access_token', $3, $4, 'token ' || i, 'token ' || i, printf('hp%s_%06d', $5, i - 1), randomblob(32), (select id from pepper limit 1), $6, null, 1 from n";
    let mut connection = SqliteConnectOptions::new().filename(file).connect().await?;
    let made = Timestamp::parse("2026-01-01T00:00:00Z")?;
    // The first six bytes of a version 7 id are its milliseconds.
    let millis = made.millis().to_be_bytes()[2..].to_vec();
    for (subject, kind) in subjects.iter().zip(["p", "k", "t"]) {
        sqlx::query(ROWS)
            .bind(i64::from(subject.tokens))
            .bind(&millis)
            .bind(subject.organization.bytes().to_vec())
            .bind(subject.user.bytes().to_vec())
            .bind(kind)
            .bind(made.micros())
            .execute(&mut connection)
            .await
            .context("tokens cannot be written")?;
    }
    Ok(())
}

async fn compare(
    services: &Services,
    actor: &Actor,
    subjects: [&Subject; 2],
    changes: [Change; 2],
    rounds: usize,
) -> anyhow::Result<(Median, Median)> {
    let (mut times, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let mut taken = [0.0; 2];
        for change in changes {
            for (subject, taken) in subjects.iter().zip(&mut taken) {
                let here = services.act_in(actor, subject.organization).await?;
                let started = clock();
                make(services, &here, subject, change).await?;
                *taken += started.elapsed().as_secs_f64() * 1_000.0;
            }
        }
        times.push(taken[1] / 2.0);
        ratios.push(taken[1] / taken[0]);
    }
    Ok((Median::of(&times), Median::of(&ratios)))
}

async fn make(
    services: &Services,
    actor: &Actor,
    subject: &Subject,
    change: Change,
) -> anyhow::Result<()> {
    let context = RequestContext::default();
    let mut member = MemberChange::default();
    match change {
        Change::Role(role) => member.role = Some(role.id()),
        Change::Standing(standing) => member.standing = Some(standing),
        Change::Gate(open) => member.may_have_tokens = Some(open),
        Change::OrganizationStanding(standing) => {
            let change = OrganizationChange {
                name: None,
                standing: Some(standing),
            };
            services
                .change_organization(actor, &change, &context)
                .await?;
            return Ok(());
        }
    }
    services
        .change_member(actor, subject.user, member, &context)
        .await?;
    Ok(())
}
