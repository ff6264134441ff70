//! Members and users: their lists, their changes, and how somebody leaves.

use crate::{
    both_engines,
    world::{
        ACME, ADA, BOB, Draft, GLOBEX, NOW, World, account, digest, member, person, superuser,
        token_id,
    },
};
use hallpass_domain::{
    id::{OrganizationId, RoleId, SessionId, UserId},
    member::Membership,
    name::Email,
    organization::Standing,
    role::BuiltInRole,
    time::Timestamp,
};
use hallpass_store::{FeedKey, MemberQuery, MemberRow, NewSession, Tx};

both_engines!(
    who_was_changed_meanwhile_is_not_removed,
    a_list_is_read_page_by_page,
    a_search_means_what_it_says,
    a_list_is_filtered,
    a_row_says_who_and_how_many_tokens,
    a_change_is_for_the_membership_it_was_made_for,
    a_member_is_added_once,
    names_of_those_with_a_role,
    a_removed_user_leaves_an_address_and_no_password,
    sessions_end_where_somebody_leaves,
    a_session_moves_with_its_user,
);

fn everyone() -> MemberQuery {
    MemberQuery {
        limit: 100,
        ..MemberQuery::default()
    }
}

async fn listed(world: &World, query: &MemberQuery) -> Vec<MemberRow> {
    world.store.list_members(ACME, query, NOW).await.unwrap()
}

async fn addresses(world: &World, query: &MemberQuery) -> Vec<String> {
    let rows = listed(world, query).await;
    rows.iter().map(MemberRow::sort_key).collect()
}

async fn join(world: &World, number: u8, called: &str) -> UserId {
    let user = world.add_person(number, called).await;
    world.put_membership(&member(ACME, user)).await;
    user
}

async fn a_list_is_read_page_by_page(world: World) {
    for number in (1..=5).rev() {
        join(&world, number, "Somebody").await;
    }
    world.add_person(6, "Not a member").await;
    let mut expected = vec!["ada@acme.example".to_owned(), "bob@acme.example".to_owned()];
    expected.extend((1..=5).map(|number| format!("p{number:03}@acme.example")));
    for limit in 1..=8 {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let query = MemberQuery {
                after: after.clone(),
                limit,
                ..MemberQuery::default()
            };
            let page = addresses(&world, &query).await;
            assert!(page.len() <= limit as usize);
            let Some(last) = page.last() else { break };
            after.clone_from(last);
            assert!(all.len() < 100, "a list that does not end");
            all.extend(page);
        }
        assert_eq!(all, expected, "{limit}");
    }
    let mut users = Vec::new();
    loop {
        let after = users.last().map(Email::key).unwrap_or_default();
        let page = world.store.list_users("", &after, 3).await.unwrap();
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        assert!(users.len() < 100, "a list that does not end");
        users.extend(page.into_iter().map(|user| user.email));
    }
    expected.push("p006@acme.example".to_owned());
    let users: Vec<String> = users.iter().map(Email::key).collect();
    assert_eq!(users, expected);
}

/// 1 and 2 rest: the membership of the one, the user of the other. Ada is a superuser.
async fn settle(world: &World) {
    join(world, 1, "100% Cotton").await;
    join(world, 2, "Under_Score").await;
    join(world, 3, "Back\\Slash").await;
    world.put_membership(&superuser(ACME, ADA)).await;
    let suspended = Membership {
        standing: Standing::Suspended,
        ..member(ACME, person(1))
    };
    world.put_membership(&suspended).await;
    let mut tx = world.begin().await;
    tx.set_user_standing(person(2), Standing::Suspended)
        .await
        .unwrap();
    tx.commit(&[]).await.unwrap();
}

async fn a_search_means_what_it_says(world: World) {
    settle(&world).await;
    let search = async |text: &str| {
        let query = MemberQuery {
            search: text.to_owned(),
            ..everyone()
        };
        let users = world.store.list_users(text, "", 100).await.unwrap();
        let users: Vec<String> = users.iter().map(|user| user.email.key()).collect();
        let members = addresses(&world, &query).await;
        assert_eq!(members, users);
        let short = |address: String| address.split('@').next().unwrap().to_owned();
        members.into_iter().map(short).collect::<Vec<String>>()
    };
    assert_eq!(search("%").await, ["p001"]);
    assert_eq!(search("_").await, ["p002"]);
    assert_eq!(search("\\").await, ["p003"]);
    assert_eq!(search("score").await, ["p002"]);
    assert_eq!(search("da@acme").await, ["ada"]);
    assert_eq!(search("p00").await, ["p001", "p002", "p003"]);
    assert!(search("b\0").await.is_empty());
}

async fn a_list_is_filtered(world: World) {
    settle(&world).await;
    let query = |role: Option<RoleId>, standing| MemberQuery {
        role,
        standing,
        ..everyone()
    };
    let count = async |role, standing| listed(&world, &query(role, standing)).await.len();
    let (super_role, member_role) = (BuiltInRole::Superuser.id(), BuiltInRole::Member.id());
    assert_eq!(count(Some(super_role), None).await, 1);
    assert_eq!(count(Some(member_role), None).await, 4);
    assert_eq!(count(Some(BuiltInRole::Viewer.id()), None).await, 0);
    assert_eq!(count(None, Some(Standing::Active)).await, 3);
    // By the membership, and by the user.
    assert_eq!(count(None, Some(Standing::Suspended)).await, 2);
    assert_eq!(count(Some(member_role), Some(Standing::Active)).await, 2);
    let both = MemberQuery {
        search: "cotton".to_owned(),
        ..query(Some(member_role), Some(Standing::Suspended))
    };
    assert_eq!(addresses(&world, &both).await, ["p001@acme.example"]);
    let globex = world.store.list_members(GLOBEX, &everyone(), NOW).await;
    assert_eq!(globex.unwrap().len(), 1);
}

async fn a_row_says_who_and_how_many_tokens(world: World) {
    let mut drafts = Draft::several(1, 4);
    drafts[1].expiration = hallpass_domain::access_token::Expiration::Never;
    drafts[3].expiration = hallpass_domain::access_token::Expiration::At(NOW);
    drafts[3].created = NOW.plus_days(-1);
    world.insert_all(&drafts).await;
    let elsewhere = Draft {
        organization: GLOBEX,
        ..Draft::new(5, "Elsewhere")
    };
    world.insert_all(&[elsewhere]).await;
    world.revoke(token_id(3), NOW).await;
    let row = world.store.find_member(ACME, ADA, NOW).await.unwrap();
    let row = row.unwrap();
    assert_eq!(row.membership, member(ACME, ADA));
    assert_eq!(row.user, account(ADA, "Ada@acme.example").user);
    assert_eq!((row.role_name.as_str(), row.joined), ("Member", NOW));
    assert_eq!(row.tokens, 2, "neither the revoked nor the expired one");
    let first = listed(&world, &everyone()).await.remove(0);
    assert_eq!((first.membership, first.tokens), (row.membership, 2));
    let nobody = world.store.find_member(GLOBEX, BOB, NOW).await.unwrap();
    assert!(nobody.is_none());
}

async fn a_change_is_for_the_membership_it_was_made_for(world: World) {
    let before = member(ACME, ADA);
    let after = Membership {
        role: BuiltInRole::Admin.id(),
        standing: Standing::Suspended,
        may_have_tokens: false,
        ..before.clone()
    };
    let others = [
        Membership {
            role: BuiltInRole::Viewer.id(),
            ..before.clone()
        },
        Membership {
            standing: Standing::Suspended,
            ..before.clone()
        },
        Membership {
            may_have_tokens: false,
            ..before.clone()
        },
        member(GLOBEX, BOB),
    ];
    let mut tx = world.begin().await;
    for other in &others {
        let changed = tx.change_membership(other, &after).await.unwrap();
        assert_eq!(changed, None, "{other:?}");
    }
    let changed = tx.change_membership(&before, &after).await.unwrap();
    assert_eq!(changed, Some(FeedKey::Membership(ACME, ADA)));
    let again = tx.change_membership(&before, &after).await.unwrap();
    assert_eq!(again, None);
    tx.commit(&[]).await.unwrap();
    let found = world.store.find_membership(ACME, ADA).await.unwrap();
    assert_eq!(found, Some(after));
    let bob = world.store.find_membership(ACME, BOB).await.unwrap();
    assert_eq!(bob, Some(member(ACME, BOB)));
    let elsewhere = world.store.find_membership(GLOBEX, ADA).await.unwrap();
    assert_eq!(elsewhere, Some(member(GLOBEX, ADA)));
}

async fn a_member_is_added_once(world: World) {
    let mut tx = world.begin().await;
    let added = tx.insert_membership(&superuser(ACME, ADA), NOW).await;
    assert_eq!(added.unwrap(), None);
    let added = tx.insert_membership(&member(GLOBEX, BOB), NOW).await;
    assert_eq!(added.unwrap(), Some(FeedKey::Membership(GLOBEX, BOB)));
    tx.commit(&[]).await.unwrap();
    let found = world.store.find_membership(ACME, ADA).await.unwrap();
    assert_eq!(found, Some(member(ACME, ADA)), "as it was");
}

async fn names_of_those_with_a_role(world: World) {
    for (number, days) in [(1, 3), (2, 1), (3, 2), (4, 4), (5, 5)] {
        let user = world.add_person(number, &format!("Person {number}")).await;
        let mut tx = world.begin().await;
        let joined = NOW.plus_days(days);
        let membership = superuser(ACME, user);
        tx.insert_membership(&membership, joined).await.unwrap();
        if number == 4 {
            let standing = Standing::Suspended;
            tx.set_user_standing(user, standing).await.unwrap();
        }
        tx.commit(&[]).await.unwrap();
    }
    let resting = Membership {
        standing: Standing::Suspended,
        ..superuser(ACME, person(5))
    };
    world.put_membership(&resting).await;
    let named = async |organization, role: BuiltInRole, limit| {
        let names = world.store.names_with_role(organization, role.id(), limit);
        names.await.unwrap()
    };
    let role = BuiltInRole::Superuser;
    let longest_first = ["Person 2", "Person 3", "Person 1"];
    assert_eq!(named(ACME, role, 10).await, longest_first);
    assert_eq!(named(ACME, role, 2).await, longest_first[..2]);
    assert!(named(GLOBEX, role, 10).await.is_empty());
    assert_eq!(named(ACME, BuiltInRole::Member, 10).await.len(), 2);
}

async fn a_removed_user_leaves_an_address_and_no_password(world: World) {
    let mut tx = world.begin().await;
    let removed = tx.remove_user(ADA, NOW).await.unwrap();
    assert_eq!(removed, Some(FeedKey::User(ADA)));
    assert_eq!(tx.remove_user(ADA, NOW).await.unwrap(), None);
    assert_eq!(tx.remove_user(person(1), NOW).await.unwrap(), None);
    // Nobody brings them back.
    tx.set_user_standing(ADA, Standing::Active).await.unwrap();
    tx.set_password_hash(ADA, "$argon2id$new").await.unwrap();
    tx.commit(&[]).await.unwrap();
    let email = Email::parse("ada@acme.example").unwrap();
    assert!(world.store.find_sign_in(&email).await.unwrap().is_none());
    let left = world.store.find_sign_in_of(ADA).await.unwrap().unwrap();
    assert_eq!(left.password_hash, None);
    assert_eq!(left.user.standing, Standing::Suspended);
    assert_eq!(left.user.email.key(), email.key(), "for what names them");
    assert!(world.store.is_removed(ADA).await.unwrap());
    assert!(!world.store.is_removed(BOB).await.unwrap());
    let users = world.store.list_users("", "", 100).await.unwrap();
    assert_eq!(users.len(), 1);
    let mut tx = world.begin().await;
    let new = account(person(1), "ADA@acme.example");
    let added = tx.insert_user(&new, NOW).await.unwrap();
    assert_eq!(added, Some(FeedKey::User(person(1))));
    tx.commit(&[]).await.unwrap();
    let found = world.store.find_sign_in(&email).await.unwrap().unwrap();
    assert_eq!(found.user.id, person(1));
    let mut tx = world.begin().await;
    let removed = tx.remove_user(person(1), NOW).await.unwrap();
    assert_eq!(removed, Some(FeedKey::User(person(1))), "as often as it is");
}

async fn sign_in(tx: &mut Tx, number: u8, user: UserId, organization: OrganizationId) {
    let session = NewSession {
        id: SessionId::from_bytes([number; 16]),
        user,
        organization,
        digest: digest(u32::from(number)),
        now: NOW,
        expires_at: NOW.plus_days(7),
        address: None,
        agent: None,
    };
    tx.insert_session(&session).await.unwrap();
}

async fn sessions_end_where_somebody_leaves(world: World) {
    let mut tx = world.begin().await;
    sign_in(&mut tx, 1, ADA, ACME).await;
    sign_in(&mut tx, 2, ADA, ACME).await;
    sign_in(&mut tx, 3, ADA, GLOBEX).await;
    sign_in(&mut tx, 4, BOB, ACME).await;
    assert_eq!(tx.end_sessions_in(ACME, ADA).await.unwrap(), 2);
    assert_eq!(tx.end_sessions_in(ACME, ADA).await.unwrap(), 0);
    tx.commit(&[]).await.unwrap();
    let open = async |user| {
        let list = world.store.list_sessions(user, NOW, Timestamp::MIN).await;
        let ids = list.unwrap();
        ids.iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(open(ADA).await, [SessionId::from_bytes([3; 16])]);
    assert_eq!(open(BOB).await, [SessionId::from_bytes([4; 16])]);
    let mut tx = world.begin().await;
    assert_eq!(tx.end_sessions(ADA).await.unwrap(), 1);
    tx.commit(&[]).await.unwrap();
    assert!(open(ADA).await.is_empty());
}

async fn a_session_moves_with_its_user(world: World) {
    let mut tx = world.begin().await;
    sign_in(&mut tx, 1, ADA, ACME).await;
    let id = SessionId::from_bytes([1; 16]);
    assert!(!tx.move_session(id, BOB, GLOBEX).await.unwrap());
    let other = SessionId::from_bytes([2; 16]);
    assert!(!tx.move_session(other, ADA, GLOBEX).await.unwrap());
    tx.commit(&[]).await.unwrap();
    let at = async || {
        let found = world.store.find_session(&digest(1)).await.unwrap();
        found.unwrap().organization
    };
    assert_eq!(at().await, ACME);
    let mut tx = world.begin().await;
    assert!(tx.move_session(id, ADA, GLOBEX).await.unwrap());
    tx.commit(&[]).await.unwrap();
    assert_eq!(at().await, GLOBEX);
}

async fn who_was_changed_meanwhile_is_not_removed(world: World) {
    let before = member(ACME, BOB);
    let after = Membership {
        may_have_tokens: !before.may_have_tokens,
        ..before.clone()
    };
    let mut tx = world.begin().await;
    assert!(
        tx.change_membership(&before, &after)
            .await
            .unwrap()
            .is_some()
    );
    assert!(tx.remove_membership(&before).await.unwrap().is_none());
    assert!(tx.remove_membership(&after).await.unwrap().is_some());
}
