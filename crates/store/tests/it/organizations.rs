//! Organizations: their list, their names, the host, and the superuser who must stay.

mod revoked;

use crate::{
    both_engines,
    world::{ACME, ADA, BOB, GLOBEX, NOW, World, member, organization, person, superuser},
};
use hallpass_domain::{
    id::{OrganizationId, UserId},
    member::Membership,
    name::DisplayName,
    organization::{Organization, Standing},
};
use hallpass_store::{FeedKey, OrganizationRow, StoreError, Tx};
use tokio::task::JoinSet;

both_engines!(
    a_list_is_read_page_by_page,
    a_search_means_what_it_says,
    an_organization_is_renamed,
    there_is_one_host,
    the_last_superuser_stays,
    superusers_are_counted_from_the_first_one_on,
    of_eight_superusers_who_go_at_once_one_stays,
);

fn numbered(number: u8) -> OrganizationId {
    OrganizationId::from_bytes([number; 16])
}

async fn found(world: &World, search: &str) -> Vec<String> {
    let list = world.store.list_organizations(search, None, 100).await;
    let names = list.unwrap();
    let name = |row: &OrganizationRow| row.organization.name.to_string();
    names.iter().map(name).collect()
}

async fn a_list_is_read_page_by_page(world: World) {
    let mut tx = world.begin().await;
    // Two of the same moment, and one from before all others.
    for (number, at) in [(1, NOW), (2, NOW.plus_days(1)), (3, NOW.plus_days(-1))] {
        let made = organization(numbered(number), &format!("Number {number}"));
        let key = tx.insert_organization(&made, at).await.unwrap();
        assert_eq!(key, FeedKey::Organization(made.id));
    }
    tx.commit(&[]).await.unwrap();
    let expected = [numbered(3), numbered(1), GLOBEX, ACME, numbered(2)];
    for limit in 1..=6 {
        let (mut after, mut ids) = (None, Vec::new());
        loop {
            let page = world.store.list_organizations("", after, limit).await;
            let page = page.unwrap();
            assert!(page.len() <= limit as usize);
            let Some(last) = page.last() else { break };
            after = Some((last.created, last.organization.id));
            assert!(ids.len() < 100, "a list that does not end");
            ids.extend(page.iter().map(|row| row.organization.id));
        }
        assert_eq!(ids, expected, "{limit}");
    }
    let summary = world.store.summarize_organization(ACME).await.unwrap();
    let summary = summary.unwrap();
    assert_eq!(summary.organization, organization(ACME, "Acme"));
    assert_eq!((summary.created, summary.members), (NOW, 2));
    let listed = world.store.list_organizations("", None, 100).await.unwrap();
    let members: Vec<u64> = listed.iter().map(|row| row.members).collect();
    assert_eq!(members, [0, 0, 1, 2, 0]);
    assert_eq!(listed[3].organization, organization(ACME, "Acme"));
    let nowhere = world.store.summarize_organization(numbered(9)).await;
    assert!(nowhere.unwrap().is_none());
}

async fn a_search_means_what_it_says(world: World) {
    let mut tx = world.begin().await;
    for (number, name) in [(1, "50% off"), (2, "under_score"), (3, "back\\slash")] {
        let made = organization(numbered(number), name);
        tx.insert_organization(&made, NOW).await.unwrap();
    }
    tx.commit(&[]).await.unwrap();
    assert_eq!(found(&world, "%").await, ["50% off"]);
    assert_eq!(found(&world, "_").await, ["under_score"]);
    assert_eq!(found(&world, "\\").await, ["back\\slash"]);
    assert_eq!(found(&world, "acm").await, ["Acme"]);
    assert_eq!(found(&world, "m").await, ["Acme"]);
    assert!(found(&world, "acme ").await.is_empty());
    assert!(found(&world, "a\0").await.is_empty());
    assert_eq!(found(&world, "").await.len(), 5);
}

async fn an_organization_is_renamed(world: World) {
    let mut tx = world.begin().await;
    let name = DisplayName::parse("Ácme & Söhne").unwrap();
    let key = tx.rename_organization(ACME, &name).await.unwrap();
    assert_eq!(key, FeedKey::Organization(ACME));
    tx.commit(&[]).await.unwrap();
    let acme = world.store.find_organization(ACME).await.unwrap().unwrap();
    assert_eq!(acme.name, name);
    assert!(acme.host);
    let globex = world.store.find_organization(GLOBEX).await.unwrap();
    assert_eq!(globex, Some(organization(GLOBEX, "Globex")));
}

async fn there_is_one_host(world: World) {
    let mut tx = world.begin().await;
    let second = Organization {
        host: true,
        ..organization(numbered(1), "Second")
    };
    let refused = tx.insert_organization(&second, NOW).await;
    assert!(
        matches!(refused, Err(StoreError::Database(_))),
        "{refused:?}"
    );
    drop(tx);
    let all = world.store.organizations().await.unwrap();
    let hosts = all.iter().filter(|loaded| loaded.organization.host);
    assert_eq!(hosts.count(), 1);
}

/// How somebody stops being an active superuser.
#[derive(Clone, Copy, Debug)]
enum Way {
    Demoted,
    MembershipSuspended,
    UserSuspended,
    MembershipRemoved,
    UserRemoved,
}

const WAYS: [Way; 5] = [
    Way::Demoted,
    Way::MembershipSuspended,
    Way::UserSuspended,
    Way::MembershipRemoved,
    Way::UserRemoved,
];

async fn goes(tx: &mut Tx, user: UserId, way: Way) {
    let before = superuser(ACME, user);
    let suspended = Membership {
        standing: Standing::Suspended,
        ..before.clone()
    };
    match way {
        Way::Demoted => {
            let changed = tx.change_membership(&before, &member(ACME, user)).await;
            assert_eq!(changed.unwrap(), Some(FeedKey::Membership(ACME, user)));
        }
        Way::MembershipSuspended => {
            let changed = tx.change_membership(&before, &suspended).await;
            assert_eq!(changed.unwrap(), Some(FeedKey::Membership(ACME, user)));
        }
        Way::UserSuspended => {
            let standing = Standing::Suspended;
            tx.set_user_standing(user, standing).await.unwrap();
        }
        Way::MembershipRemoved => {
            tx.delete_membership(ACME, user).await.unwrap();
        }
        Way::UserRemoved => {
            let removed = tx.remove_user(user, NOW).await.unwrap();
            assert_eq!(removed, Some(FeedKey::User(user)));
        }
    }
}

const COUNTED: &str = "select coalesce(superusers, 0) from organization where name = 'Acme'";

async fn recount(world: &World) {
    let mut tx = world.begin().await;
    assert!(tx.hold_organization(ACME).await.unwrap());
    assert!(tx.recount_superusers(ACME).await.unwrap());
    tx.commit(&[]).await.unwrap();
}

async fn the_last_superuser_stays(world: World) {
    for user in [ADA, BOB] {
        world.put_membership(&superuser(ACME, user)).await;
    }
    // Those of another organization do not help.
    world.put_membership(&superuser(GLOBEX, ADA)).await;
    recount(&world).await;
    assert_eq!(world.count(COUNTED).await, 2);
    for first in WAYS {
        for second in WAYS {
            let mut tx = world.begin().await;
            assert!(tx.hold_organization(ACME).await.unwrap());
            goes(&mut tx, ADA, first).await;
            assert!(tx.recount_superusers(ACME).await.unwrap(), "{first:?}");
            goes(&mut tx, BOB, second).await;
            let last = tx.recount_superusers(ACME).await.unwrap();
            assert!(!last, "{first:?}, {second:?}");
        }
    }
    let mut tx = world.begin().await;
    goes(&mut tx, BOB, Way::Demoted).await;
    assert!(tx.recount_superusers(ACME).await.unwrap());
    tx.commit(&[]).await.unwrap();
    assert_eq!(world.count(COUNTED).await, 1);
    // Whoever comes back counts again.
    world.put_membership(&superuser(ACME, BOB)).await;
    recount(&world).await;
    assert_eq!(world.count(COUNTED).await, 2);
    let mut tx = world.begin().await;
    assert!(!tx.hold_organization(numbered(9)).await.unwrap());
}

async fn superusers_are_counted_from_the_first_one_on(world: World) {
    recount(&world).await;
    assert_eq!(world.count(COUNTED).await, 0, "there has not been one yet");
    world.put_membership(&superuser(ACME, ADA)).await;
    recount(&world).await;
    assert_eq!(world.count(COUNTED).await, 1);
    let mut tx = world.begin().await;
    goes(&mut tx, ADA, Way::Demoted).await;
    assert!(!tx.recount_superusers(ACME).await.unwrap());
    drop(tx);
    let globex = "select count(*) from organization where superusers is not null";
    assert_eq!(world.count(globex).await, 1);
}

async fn of_eight_superusers_who_go_at_once_one_stays(world: World) {
    for number in 1..=8 {
        let user = world.add_person(number, "Super").await;
        world.put_membership(&superuser(ACME, user)).await;
    }
    recount(&world).await;
    world.warm_up().await;
    let mut tasks = JoinSet::new();
    for number in 1..=8_u8 {
        let store = world.store.clone();
        tasks.spawn(async move {
            let mut tx = store.begin().await.unwrap();
            assert!(tx.hold_organization(ACME).await.unwrap());
            let way = WAYS[usize::from(number) % WAYS.len()];
            goes(&mut tx, person(number), way).await;
            let allowed = tx.recount_superusers(ACME).await.unwrap();
            if allowed {
                tx.commit(&[]).await.unwrap();
            }
            allowed
        });
    }
    let all = tasks.join_all().await;
    assert_eq!(all.iter().filter(|allowed| **allowed).count(), 7);
    assert_eq!(world.count(COUNTED).await, 1);
    let mut active = 0;
    for number in 1..=8 {
        let row = world.store.find_member(ACME, person(number), NOW).await;
        active += usize::from(row.unwrap().is_some_and(|row| {
            row.membership == superuser(ACME, person(number)) && row.user.standing.is_active()
        }));
    }
    assert_eq!(active, 1);
}
