//! Invitations: for a week, for one address, once.

use crate::{
    both_engines,
    world::{ACME, ADA, GLOBEX, NOW, World, digest, token_id},
};
use hallpass_domain::{
    id::{InvitationId, OrganizationId},
    limits::{INVITATION_SECONDS, INVITATIONS_OPEN_MAX},
    name::Email,
    role::BuiltInRole,
    time::Timestamp,
};
use hallpass_store::{Invitation, NewInvitation};
use tokio::task::JoinSet;

both_engines!(
    an_invitation_comes_back,
    an_invitation_lives_for_a_week,
    an_invitation_is_accepted_once,
    a_newer_one_takes_the_place_of_the_one_before,
    a_withdrawn_one_does_not_work,
    another_organization_has_its_own,
    there_is_room_for_so_many,
);

fn id(number: u32) -> InvitationId {
    InvitationId::from_bytes(*token_id(number).bytes())
}

fn invitation(number: u32, email: &str, created: Timestamp) -> Invitation {
    Invitation {
        id: id(number),
        organization: ACME,
        email: Email::parse(email).unwrap(),
        role: BuiltInRole::Member.id(),
        role_name: "Member".to_owned(),
        may_have_tokens: true,
        created,
        expires_at: created.plus_seconds(INVITATION_SECONDS),
        inviter: Some(ADA),
        inviter_token: None,
    }
}

async fn invite(world: &World, number: u32, invitation: &Invitation) -> bool {
    let mut tx = world.begin().await;
    let new = NewInvitation {
        invitation,
        digest: digest(number),
    };
    let done = tx.insert_invitation(&new).await.unwrap();
    tx.commit(&[]).await.unwrap();
    done
}

async fn listed(world: &World, organization: OrganizationId, now: Timestamp) -> Vec<InvitationId> {
    let list = world.store.list_invitations(organization, now).await;
    list.unwrap().iter().map(|open| open.id).collect()
}

async fn by_code(world: &World, number: u32, now: Timestamp) -> Option<InvitationId> {
    let code = digest(number);
    let found = world.store.find_invitation_by_digest(&code, now);
    found.await.unwrap().map(|open| open.id)
}

async fn accept(world: &World, number: u32, now: Timestamp) -> bool {
    let mut tx = world.begin().await;
    let accepted = tx.accept_invitation(id(number), now).await.unwrap();
    tx.commit(&[]).await.unwrap();
    accepted
}

async fn an_invitation_comes_back(world: World) {
    let by_person = invitation(1, "Eve@acme.example", NOW);
    let by_key = Invitation {
        role: BuiltInRole::Viewer.id(),
        role_name: "Viewer".to_owned(),
        may_have_tokens: false,
        inviter: None,
        inviter_token: Some(token_id(7)),
        ..invitation(2, "mal@acme.example", NOW.plus_seconds(1))
    };
    assert!(invite(&world, 1, &by_person).await);
    let mut tx = world.begin().await;
    let new = NewInvitation {
        invitation: &by_key,
        digest: digest(2),
    };
    assert!(tx.insert_invitation(&new).await.unwrap());
    tx.commit(&[]).await.unwrap();
    let list = world.store.list_invitations(ACME, NOW).await.unwrap();
    assert_eq!(list, [by_key, by_person.clone()], "the latest first");
    let found = world.store.find_invitation(ACME, id(1)).await.unwrap();
    assert_eq!(found.as_ref(), Some(&by_person));
    let found = world.store.find_invitation_by_digest(&digest(1), NOW).await;
    assert_eq!(found.unwrap(), Some(by_person));
    assert_eq!(by_code(&world, 9, NOW).await, None);
}

async fn an_invitation_lives_for_a_week(world: World) {
    let open = invitation(1, "eve@acme.example", NOW);
    assert!(invite(&world, 1, &open).await);
    let end = NOW.plus_days(7);
    let last = Timestamp::from_micros(end.micros() - 1);
    assert_eq!(by_code(&world, 1, last).await, Some(id(1)));
    assert_eq!(by_code(&world, 1, end).await, None);
    assert_eq!(listed(&world, ACME, last).await, [id(1)]);
    assert!(listed(&world, ACME, end).await.is_empty());
    assert!(!accept(&world, 1, end).await);
    assert!(accept(&world, 1, last).await);
}

async fn an_invitation_is_accepted_once(world: World) {
    let open = invitation(1, "eve@acme.example", NOW);
    assert!(invite(&world, 1, &open).await);
    world.warm_up().await;
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let store = world.store.clone();
        tasks.spawn(async move {
            let mut tx = store.begin().await.unwrap();
            let first = tx.accept_invitation(id(1), NOW).await.unwrap();
            tx.commit(&[]).await.unwrap();
            first
        });
    }
    let all = tasks.join_all().await;
    assert_eq!(all.iter().filter(|first| **first).count(), 1);
    assert_eq!(by_code(&world, 1, NOW).await, None);
    assert!(listed(&world, ACME, NOW).await.is_empty());
    let found = world.store.find_invitation(ACME, id(1)).await.unwrap();
    assert_eq!(found, None);
    let mut tx = world.begin().await;
    let withdrawn = tx.withdraw_invitation(ACME, id(1), NOW).await.unwrap();
    assert!(!withdrawn, "what was accepted is not taken back");
    assert!(!tx.accept_invitation(id(9), NOW).await.unwrap());
}

async fn a_newer_one_takes_the_place_of_the_one_before(world: World) {
    let first = invitation(1, "Eve@acme.example", NOW);
    let other = invitation(2, "mal@acme.example", NOW);
    let second = invitation(3, "eVE@acme.example", NOW.plus_seconds(1));
    for (number, one) in [(1, &first), (2, &other), (3, &second)] {
        assert!(invite(&world, number, one).await);
    }
    assert_eq!(listed(&world, ACME, NOW).await, [id(3), id(2)]);
    assert_eq!(by_code(&world, 1, NOW).await, None);
    assert!(!accept(&world, 1, NOW).await);
    assert!(accept(&world, 3, NOW).await);
    // Also one that has expired gives way, and one that was accepted stays as it is.
    let late = invitation(4, "mal@acme.example", NOW.plus_days(8));
    assert!(invite(&world, 4, &late).await);
    let again = invitation(5, "eve@acme.example", NOW.plus_days(8));
    assert!(invite(&world, 5, &again).await);
    let then = NOW.plus_days(8);
    assert_eq!(listed(&world, ACME, then).await, [id(5), id(4)]);
    let accepted =
        "select count(*) from invitation where accepted_at is not null and withdrawn_at is null";
    assert_eq!(world.count(accepted).await, 1);
}

async fn a_withdrawn_one_does_not_work(world: World) {
    let open = invitation(1, "eve@acme.example", NOW);
    assert!(invite(&world, 1, &open).await);
    let withdraw = async |organization| {
        let mut tx = world.begin().await;
        let done = tx.withdraw_invitation(organization, id(1), NOW).await;
        tx.commit(&[]).await.unwrap();
        done.unwrap()
    };
    assert!(!withdraw(GLOBEX).await);
    assert_eq!(by_code(&world, 1, NOW).await, Some(id(1)));
    assert!(withdraw(ACME).await);
    assert!(!withdraw(ACME).await);
    assert_eq!(by_code(&world, 1, NOW).await, None);
    assert!(!accept(&world, 1, NOW).await);
    assert!(listed(&world, ACME, NOW).await.is_empty());
    let found = world.store.find_invitation(ACME, id(1)).await.unwrap();
    assert_eq!(found, None);
}

async fn another_organization_has_its_own(world: World) {
    let ours = invitation(1, "eve@acme.example", NOW);
    let theirs = Invitation {
        organization: GLOBEX,
        ..invitation(2, "eve@acme.example", NOW)
    };
    assert!(invite(&world, 1, &ours).await);
    assert!(invite(&world, 2, &theirs).await);
    assert_eq!(listed(&world, ACME, NOW).await, [id(1)]);
    assert_eq!(listed(&world, GLOBEX, NOW).await, [id(2)]);
    let found = world.store.find_invitation(GLOBEX, id(1)).await.unwrap();
    assert_eq!(found, None);
}

async fn there_is_room_for_so_many(world: World) {
    let mut rows = Vec::new();
    for number in 1..INVITATIONS_OPEN_MAX {
        let of = |bytes: &[u8]| world.blob(bytes);
        rows.push(format!(
            "({}, {}, 'x', 'x{number}', {}, true, {}, {}, {})",
            of(id(number).bytes()),
            of(ACME.bytes()),
            of(BuiltInRole::Member.id().bytes()),
            of(digest(number).bytes()),
            NOW.micros(),
            NOW.plus_days(7).micros(),
        ));
    }
    world
        .execute(&format!(
            "insert into invitation (id, organization_id, email, email_key, role_id, may_have_tokens, digest, created_at, expires_at) values {}",
            rows.join(", ")
        ))
        .await;
    let last = invitation(2_000, "last@acme.example", NOW);
    assert!(invite(&world, 2_000, &last).await);
    let one_more = invitation(2_001, "more@acme.example", NOW);
    assert!(!invite(&world, 2_001, &one_more).await);
    let again = invitation(2_002, "LAST@acme.example", NOW);
    assert!(invite(&world, 2_002, &again).await, "in its own place");
    let theirs = Invitation {
        organization: GLOBEX,
        ..one_more.clone()
    };
    assert!(invite(&world, 2_001, &theirs).await);
    let then = NOW.plus_days(7);
    let later = invitation(2_003, "more@acme.example", then);
    assert!(invite(&world, 2_003, &later).await, "the others are over");
}
