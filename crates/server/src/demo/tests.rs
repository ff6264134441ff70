use super::{tables::*, *};
use crate::{
    clock::Clock,
    entropy::SystemEntropy,
    observe::Metrics,
    service::{Parts, Person, RequestContext, follower::Follower},
};
use hallpass_domain::{
    access_token::TokenState,
    limits::{EXPIRY_WARNING_DAYS, USE_AGENT_BYTES_MAX, USE_PATH_BYTES_MAX},
    time::{SECONDS_PER_DAY, SECONDS_PER_HOUR},
    token::{Brand, Pepper, PepperId, Peppers, Scheme},
};
use hallpass_engine::Engine;
use hallpass_store::{Database, Store, TokenQuery, TokenSort, TokenWithUse};
use std::{net::IpAddr, sync::Arc};
use tempfile::TempDir;
use zeroize::Zeroizing;

mod audit;

async fn empty() -> (Arc<Services>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&Database::Sqlite(folder.path().join("hallpass.db")))
        .await
        .unwrap();
    let pepper = Pepper::new(PepperId::parse("first").unwrap(), &Zeroizing::new([7; 32]));
    let mut tx = store.begin().await.unwrap();
    tx.insert_pepper("first", &[1; 32]).await.unwrap();
    tx.commit(&[]).await.unwrap();
    let parts = Parts {
        store,
        peppers: Peppers::new(pepper, Vec::new()),
        clock: Clock::fixed(Timestamp::parse("2026-11-22T10:15:20Z").unwrap()),
        entropy: SystemEntropy::seeded(4),
        metrics: Arc::new(Metrics::new("0")),
        brand: Brand::DEFAULT,
        scheme: Scheme::HmacSha256,
    };
    let services = Services::start(parts).await.unwrap();
    // As every start does, before anything is filled.
    services
        .put_catalogue(&CatalogueSettings::default())
        .await
        .unwrap();
    (services, folder)
}

async fn filled() -> (Arc<Services>, TempDir) {
    let (services, folder) = empty().await;
    fill(&services).await.unwrap();
    (services, folder)
}

async fn sign_in(services: &Services, person: &DemoPerson) -> Option<Person> {
    services
        .sign_in(
            person.email,
            person.password,
            None,
            &RequestContext::default(),
        )
        .await
        .ok()
        .map(|started| started.person)
}

async fn tokens_of(services: &Services, person: &Person) -> Vec<TokenWithUse> {
    let now = services.clock.now();
    let query = TokenQuery {
        state: None,
        unused_since: None,
        search: String::new(),
        sort: TokenSort::Created,
        descending: false,
        after: None,
        limit: 100,
        now,
        recent_since: now.plus_days(-7),
    };
    services.list_tokens(person, &query).await.unwrap().items
}

/// Two keys, one of them with an old secret beside the current one.
const SECRETS_OF_KEYS: u64 = 3;

#[tokio::test]
async fn it_fills_what_is_empty_and_nothing_else() {
    let (services, _folder) = filled().await;
    let (users, tokens, head) = (
        services.store.count_users().await.unwrap(),
        services.store.count_tokens().await.unwrap(),
        services.store.head().await.unwrap(),
    );
    assert_eq!(
        (users, tokens),
        (
            PEOPLE.len() as u64,
            PEOPLE
                .iter()
                .map(|person| person.tokens.len() as u64)
                .sum::<u64>()
                + SECRETS_OF_KEYS
        )
    );
    assert!(matches!(fill(&services).await, Err(RunError::DemoOnData)));
    assert_eq!(services.store.count_tokens().await.unwrap(), tokens);
    assert_eq!(
        services.store.head().await.unwrap(),
        head,
        "a refused demo leaves the catalogue alone too"
    );
}

#[tokio::test]
async fn somebody_without_a_token_is_data_as_well() {
    let (services, _folder) = empty().await;
    let set_up = crate::service::set_up::SetUp {
        organization: "Real Rockets".to_owned(),
        name: "Mary".to_owned(),
        email: "mary@real.example".to_owned(),
        password: "wind tunnel at mach three".to_owned(),
    };
    services
        .set_up(&set_up, &RequestContext::default())
        .await
        .unwrap();
    let head = services.store.head().await.unwrap();
    assert!(matches!(fill(&services).await, Err(RunError::DemoOnData)));
    assert_eq!(services.store.count_users().await.unwrap(), 1);
    assert_eq!(
        services.store.head().await.unwrap(),
        head,
        "their catalogue stays theirs"
    );
}

#[tokio::test]
async fn memory_holds_all_of_it_now_and_after_the_next_start() {
    let (services, _folder) = filled().await;
    let tokens = services.store.count_tokens().await.unwrap();
    assert_eq!(services.engine.len() as u64, tokens);
    let again = Engine::with_capacity(0);
    Follower::load(&services.store, &again, services.clock.now())
        .await
        .unwrap();
    assert_eq!(again.len() as u64, tokens);
}

#[tokio::test]
async fn what_is_printed_signs_in() {
    let (services, _folder) = filled().await;
    let printed = how_to_sign_in("https://tokens.acme.example");
    assert!(
        printed.contains("https://tokens.acme.example/sign-in\n")
            && printed.contains("passwords are public"),
        "{printed}"
    );
    let mut names = Vec::new();
    for line in printed.lines().filter(|line| line.contains('@')) {
        let mut words = line.split_whitespace();
        let (email, password) = (words.next().unwrap(), words.next().unwrap());
        let signed_in = services
            .sign_in(email, password, None, &RequestContext::default())
            .await;
        names.push((
            email.split('@').next().unwrap().to_owned(),
            signed_in.ok().map(|started| {
                (
                    started.person.user.name.to_string(),
                    started.person.membership.may_have_tokens,
                )
            }),
        ));
    }
    let in_as = |name: &str, may_have_tokens| Some((name.to_owned(), may_have_tokens));
    let expected = [
        ("ada", in_as("Ada Lovelace", true)),
        ("grace", in_as("Grace Hopper", true)),
        ("alan", in_as("Alan Turing", false)),
        ("katherine", None),
        ("margaret", in_as("Margaret Hamilton", true)),
        ("dorothy", in_as("Dorothy Vaughan", false)),
    ];
    assert_eq!(
        names,
        expected.map(|(email, person)| (email.to_owned(), person))
    );
}

#[test]
fn the_passwords_would_be_taken_from_anyone() {
    for person in PEOPLE {
        let password = Password::typed(person.password).unwrap();
        assert_eq!(
            password.check(&[person.name, person.email, ORGANIZATION]),
            Ok(()),
            "{}",
            person.name
        );
    }
}

#[tokio::test]
async fn ada_has_a_token_in_every_state() {
    let (services, _folder) = filled().await;
    let ada = sign_in(&services, &PEOPLE[0]).await.unwrap();
    assert_eq!(ada.role.name.as_str(), "Superuser");
    let counts = services.count_tokens_by_state(&ada).await.unwrap();
    for state in TokenState::ALL {
        assert!(
            counts
                .iter()
                .any(|(found, count)| *found == state && *count > 0),
            "{state:?} in {counts:?}"
        );
    }
}

/// Whether a token that works is of a kind, at a moment.
type Is = fn(&TokenWithUse, Timestamp) -> bool;

fn days_left(found: &TokenWithUse, now: Timestamp) -> Option<i64> {
    found
        .token
        .expiration
        .date()
        .map(|end| end.seconds_since(now) / SECONDS_PER_DAY)
}

fn unused_for(found: &TokenWithUse, now: Timestamp) -> Option<i64> {
    found
        .token
        .last_use
        .as_ref()
        .map(|last| now.seconds_since(last.at))
}

const KINDS: &[(&str, Is)] = &[
    ("ends soon", |found, now| {
        days_left(found, now).is_some_and(|days| days == 4 && days < EXPIRY_WARNING_DAYS)
    }),
    ("never ends", |found, _| {
        found.token.expiration == Expiration::Never && found.token.never_expires_acknowledged
    }),
    ("never used", |found, _| {
        found.token.last_use.is_none() && found.recent_uses == 0
    }),
    ("used seconds ago", |found, now| {
        unused_for(found, now).is_some_and(|seconds| seconds < 60) && found.recent_uses > 1_000
    }),
    ("used hours ago", |found, now| {
        unused_for(found, now)
            .is_some_and(|seconds| (SECONDS_PER_HOUR..SECONDS_PER_DAY).contains(&seconds))
            && found.recent_uses > 0
    }),
    ("used months ago", |found, now| {
        unused_for(found, now).is_some_and(|seconds| seconds > 90 * SECONDS_PER_DAY)
            && found.recent_uses == 0
    }),
    ("narrowed", |found, _| found.token.scope.is_some()),
    ("not narrowed", |found, _| found.token.scope.is_none()),
    ("a long name", |found, _| {
        found.token.name.as_str().chars().count() > 75
    }),
    ("a name from right to left", |found, _| {
        found.token.name.as_str().starts_with('\u{5d2}')
    }),
    ("last used over IPv6", |found, _| {
        found
            .token
            .last_use
            .as_ref()
            .and_then(|last| last.address.as_deref())
            .is_some_and(|address| address.contains("2001:db8:"))
    }),
];

#[tokio::test]
async fn ada_has_a_token_of_every_kind() {
    let (services, _folder) = filled().await;
    let ada = sign_in(&services, &PEOPLE[0]).await.unwrap();
    let (now, tokens) = (services.clock.now(), tokens_of(&services, &ada).await);
    for (kind, is) in KINDS {
        assert!(
            tokens
                .iter()
                .any(|found| found.token.state(now) == TokenState::Active && is(found, now)),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn everybody_elses_tokens_are_there_whatever_became_of_them() {
    let (services, _folder) = filled().await;
    let grace = sign_in(&services, &PEOPLE[1]).await.unwrap();
    let permissions: Vec<&str> = grace.permissions.iter().map(Permission::as_str).collect();
    assert_eq!(
        permissions,
        [
            "build:run",
            "deploy:read",
            "member:read",
            "package:read",
            "repo:read",
            "repo:write",
            "report:read",
            "report:write",
            "telemetry:read"
        ]
    );
    assert_eq!(tokens_of(&services, &grace).await.len(), 2);
    let alan = sign_in(&services, &PEOPLE[2]).await.unwrap();
    assert_eq!(tokens_of(&services, &alan).await.len(), 1);
    let email = Email::parse(PEOPLE[3].email).unwrap();
    let katherine = services
        .store
        .find_sign_in(&email)
        .await
        .unwrap()
        .unwrap()
        .user;
    let counts = services
        .store
        .count_tokens_by_state(grace.organization.id, katherine.id, services.clock.now())
        .await
        .unwrap();
    assert_eq!(counts, [(TokenState::Active, 1)]);
    let membership = services
        .store
        .find_membership(grace.organization.id, katherine.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(membership.standing, Standing::Suspended);
}

#[tokio::test]
async fn the_catalogue_is_the_demos() {
    let (services, _folder) = filled().await;
    let catalogue = services.store.catalogue().await.unwrap();
    assert_eq!(
        catalogue.len(),
        PERMISSIONS.len() + CatalogueEntry::of_product().len(),
        "and the product's own"
    );
    assert!(
        catalogue
            .iter()
            .all(|entry| entry.permission.resource() != "api" && !entry.description.is_empty())
    );
}

/// Nobody could have made a token that their role does not allow, nor used one outside its life.
#[test]
fn the_tables_make_sense() {
    let all: PermissionSet = permissions(
        &PERMISSIONS
            .iter()
            .map(|(name, ..)| *name)
            .collect::<Vec<_>>(),
    )
    .unwrap();
    let members = all.narrowed_to(&permissions(MEMBER_HOLDS).unwrap());
    for person in PEOPLE {
        let held = if person.role == hallpass_domain::role::BuiltInRole::Member {
            &members
        } else {
            &all
        };
        for token in person.tokens {
            let name = token.name;
            for wanted in &permissions(token.scope.unwrap_or_default()).unwrap() {
                assert!(
                    wanted.as_str() == Permission::OWN_TOKENS
                        || held.iter().any(|held| wanted.covers(held)),
                    "{name} {wanted}"
                );
            }
            let stopped = match token.fate {
                Fate::Kept => token.ends.map_or(0, |ends| (-ends).max(0)),
                Fate::Revoked(since) | Fate::Suspended(since) => since,
            };
            assert!(
                token.created <= person.joined && stopped < token.created,
                "{name}"
            );
            if let Some(last) = token.last {
                assert!((stopped..token.created).contains(&last.ago), "{name}");
                assert!(last.address.parse::<IpAddr>().is_ok(), "{name}");
                assert!(
                    last.agent.len() <= USE_AGENT_BYTES_MAX
                        && last.request.1.len() <= USE_PATH_BYTES_MAX,
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn hours_lie_in_the_life_of_their_token() {
    let now = Timestamp::parse("2026-11-22T10:15:20Z").unwrap();
    let entropy = SystemEntropy::seeded(1);
    let id = TokenId::generate(&entropy, now);
    let mut refused = 0;
    for token in PEOPLE.iter().flat_map(|person| person.tokens) {
        let hours = uses::hours(token, id, now, &entropy);
        let last = uses::last(token, id, now);
        assert!(
            hours.windows(2).all(|pair| pair[0].hour < pair[1].hour),
            "{}",
            token.name
        );
        assert!(
            hours
                .iter()
                .all(|count| count.hour == count.hour.start_of_hour()
                    && count.hour <= now
                    && count.allowed + count.refused > 0)
        );
        let made = ago(now, token.created).start_of_hour();
        assert!(
            hours.iter().all(|count| count.hour >= made),
            "{}",
            token.name
        );
        let last_allowed = hours
            .iter()
            .filter(|count| count.allowed > 0)
            .map(|count| count.hour)
            .next_back();
        let in_sight = last
            .map(|last| last.at.start_of_hour())
            .filter(|hour| now.seconds_since(*hour) <= uses::COUNTED);
        assert_eq!(last_allowed, in_sight, "{}", token.name);
        refused += hours.iter().filter(|count| count.refused > 0).count();
        assert_eq!(
            hours.iter().any(|count| count.refused > 0),
            token.still_tried,
            "{}",
            token.name
        );
    }
    assert!(refused > 50);
}

#[tokio::test]
async fn there_is_something_to_see_of_an_organization() {
    let (services, _folder) = filled().await;
    let ada = sign_in(&services, &PEOPLE[0]).await.unwrap();
    let places: Vec<(String, String)> = services
        .organizations_of(ada.user.id)
        .await
        .unwrap()
        .into_iter()
        .map(|(organization, role)| (organization.name.to_string(), role))
        .collect();
    let place = |name: &str, role: &str| (name.to_owned(), role.to_owned());
    assert_eq!(
        places,
        [place(ORGANIZATION, "Superuser"), place(SECOND, "Member")]
    );
    let actor = crate::service::acting::Actor::of_session(&ada);
    let open = services.list_invitations(&actor).await.unwrap();
    assert_eq!(open[0].email.as_str(), INVITED);
    let roles = services.list_roles(&actor).await.unwrap();
    assert_eq!(roles.last().unwrap().role.name.as_str(), ROLE.0);
    assert_eq!(open[0].role, roles.last().unwrap().role.id);
}
