//! Roles that all organizations have, and roles of their own.

use crate::{
    both_engines,
    world::{
        ACME, ADA, BOB, GLOBEX, KeyDraft, NOW, World, built_in, member, role_of, scope, token_id,
    },
};
use hallpass_domain::{
    api_key::Overlap,
    id::{InvitationId, OrganizationId, RoleId},
    limits::ROLES_PER_ORGANIZATION_MAX,
    member::Membership,
    name::{DisplayName, Email},
    role::{BuiltInRole, Role, RolePermissions},
};
use hallpass_store::{FeedKey, Invitation, NewInvitation, RoleWritten};
use tokio::task::JoinSet;

both_engines!(
    the_built_in_ones_come_first_and_then_its_own_by_name,
    every_kind_of_permissions_comes_back,
    a_role_of_another_organization_is_not_found,
    names_are_unique_without_regard_to_case,
    a_name_is_given_once,
    there_is_room_for_so_many,
    a_change_is_for_the_version_it_was_made_for,
    a_deleted_role_takes_its_keys_along,
    members_are_moved_together,
    a_role_in_use_is_known,
);

async fn write(world: &World, organization: OrganizationId, role: &Role) -> RoleWritten {
    let mut tx = world.begin().await;
    let written = tx.insert_role(organization, role).await.unwrap();
    tx.commit(&[]).await.unwrap();
    written
}

async fn change(world: &World, organization: OrganizationId, role: &Role) -> RoleWritten {
    let mut tx = world.begin().await;
    let written = tx.change_role(organization, role).await.unwrap();
    tx.commit(&[]).await.unwrap();
    written
}

fn named(role: &Role, name: &str) -> Role {
    Role {
        name: DisplayName::parse(name).unwrap(),
        ..role.clone()
    }
}

#[expect(clippy::too_many_lines, reason = "every count")]
async fn the_built_in_ones_come_first_and_then_its_own_by_name(world: World) {
    for (number, name) in [(1, "beta"), (2, "Alpha"), (3, "Étage")] {
        world.add_role(&role_of(ACME, number, name)).await;
    }
    world.add_role(&role_of(GLOBEX, 4, "Theirs")).await;
    let role = role_of(ACME, 1, "beta");
    let betas = Membership {
        role: role.id,
        ..member(ACME, ADA)
    };
    world.put_membership(&betas).await;
    let keys = [1, 2, 3].map(|number| {
        let draft = KeyDraft::new(number, &format!("Key {number}"));
        draft.with_role(&role)
    });
    world.insert_keys(&keys).await;
    world.rotate(1, 10, Overlap::None, NOW).await;
    let mut tx = world.begin().await;
    let revoked = tx.revoke_key(ACME, token_id(3), NOW).await.unwrap();
    assert!(revoked.is_some());
    tx.commit(&[]).await.unwrap();
    let listed = async |organization| {
        let list = world.store.list_roles(organization).await.unwrap();
        let line = |used: hallpass_store::RoleUse| {
            let name = used.role.name.to_string();
            (name, used.members, used.keys)
        };
        list.into_iter().map(line).collect::<Vec<_>>()
    };
    let line = |name: &str, members, keys| (name.to_owned(), members, keys);
    let acme = [
        line("Superuser", 0, 0),
        line("Admin", 0, 0),
        line("Member", 1, 0),
        line("Viewer", 0, 0),
        line("Alpha", 0, 0),
        line("beta", 1, 2),
        line("Étage", 0, 0),
    ];
    assert_eq!(listed(ACME).await, acme);
    let globex = listed(GLOBEX).await;
    assert_eq!(globex.len(), 5);
    assert_eq!(globex[4], line("Theirs", 0, 0));
    // Revoking everything together is seen here too.
    let mut tx = world.begin().await;
    tx.revoke_tokens_of_organization(ACME, NOW.plus_seconds(1))
        .await
        .unwrap();
    tx.commit(&[]).await.unwrap();
    assert_eq!(listed(ACME).await[5], line("beta", 1, 0));
    assert_eq!(world.store.roles().await.unwrap().len(), 8);
}

async fn every_kind_of_permissions_comes_back(world: World) {
    let kinds = [
        RolePermissions::All,
        RolePermissions::AllBut(scope("hallpass:organization orders:*")),
        RolePermissions::Named(scope("")),
        RolePermissions::Named(scope("orders:read users:*")),
    ];
    for (number, permissions) in (1..).zip(kinds) {
        let role = Role {
            permissions,
            tokens_by_default: number % 2 == 0,
            ..role_of(ACME, number, &format!("Role {number}"))
        };
        world.add_role(&role).await;
        let found = world.store.find_role(role.id).await.unwrap();
        assert_eq!(found, Some(role.clone()));
        let listed = world.store.list_roles(ACME).await.unwrap();
        assert!(listed.iter().any(|used| used.role == role));
    }
    for role in BuiltInRole::ALL {
        let found = world.store.find_role(role.id()).await.unwrap();
        assert_eq!(found, Some(built_in(role)));
    }
}

async fn a_role_of_another_organization_is_not_found(world: World) {
    let role = role_of(ACME, 1, "Ours");
    world.add_role(&role).await;
    let find = async |organization, id| world.store.find_role_in(organization, id).await.unwrap();
    assert_eq!(find(ACME, role.id).await, Some(role.clone()));
    assert_eq!(find(GLOBEX, role.id).await, None);
    assert_eq!(find(GLOBEX, RoleId::from_bytes([9; 16])).await, None);
    let viewer = built_in(BuiltInRole::Viewer);
    assert_eq!(find(GLOBEX, viewer.id).await, Some(viewer));
    let mut tx = world.begin().await;
    let deleted = tx.delete_role(GLOBEX, &role, NOW).await.unwrap();
    assert_eq!(deleted, None);
    tx.commit(&[]).await.unwrap();
    let renamed = named(&role, "Stolen");
    assert_eq!(change(&world, GLOBEX, &renamed).await, RoleWritten::Changed);
    assert_eq!(find(ACME, role.id).await, Some(role));
    let built_in = named(&built_in(BuiltInRole::Viewer), "Stolen");
    assert_eq!(change(&world, ACME, &built_in).await, RoleWritten::Changed);
    let mut tx = world.begin().await;
    let deleted = tx.delete_role(ACME, &built_in, NOW).await.unwrap();
    assert_eq!(deleted, None);
}

async fn names_are_unique_without_regard_to_case(world: World) {
    let first = role_of(ACME, 1, "Straße É");
    world.add_role(&first).await;
    for same in ["Straße É", "STRAßE é", "straße E\u{301}", "SUPERuser"] {
        let written = write(&world, ACME, &role_of(ACME, 2, same)).await;
        assert_eq!(written, RoleWritten::NameTaken, "{same}");
    }
    let written = write(&world, GLOBEX, &role_of(GLOBEX, 2, "straße é")).await;
    assert_eq!(
        written,
        RoleWritten::Done(FeedKey::Role(RoleId::from_bytes([2; 16])))
    );
    let other = role_of(ACME, 3, "Other");
    world.add_role(&other).await;
    for same in ["straße é", "viewer"] {
        let written = change(&world, ACME, &named(&other, same)).await;
        assert_eq!(written, RoleWritten::NameTaken, "{same}");
    }
    let own = change(&world, ACME, &named(&other, "oTHER")).await;
    assert_eq!(own, RoleWritten::Done(FeedKey::Role(other.id)));
    let mut tx = world.begin().await;
    let deleted = tx.delete_role(ACME, &first, NOW).await.unwrap();
    assert!(deleted.is_some());
    tx.commit(&[]).await.unwrap();
    let again = write(&world, ACME, &role_of(ACME, 4, "straße é")).await;
    assert_eq!(
        again,
        RoleWritten::Done(FeedKey::Role(RoleId::from_bytes([4; 16])))
    );
    // An id is given once.
    let twin = write(&world, ACME, &role_of(ACME, 4, "Twin")).await;
    assert_eq!(twin, RoleWritten::NameTaken);
}

async fn a_name_is_given_once(world: World) {
    world.warm_up().await;
    let mut tasks = JoinSet::new();
    for number in 1..=8 {
        let store = world.store.clone();
        let spelled = if number % 2 == 0 { "Deploy" } else { "dePLOY" };
        tasks.spawn(async move {
            let mut tx = store.begin().await.unwrap();
            let role = role_of(ACME, number, spelled);
            let written = tx.insert_role(ACME, &role).await.unwrap();
            tx.commit(&[]).await.unwrap();
            written == RoleWritten::NameTaken
        });
    }
    let all = tasks.join_all().await;
    assert_eq!(all.iter().filter(|taken| **taken).count(), 7);
}

async fn there_is_room_for_so_many(world: World) {
    let most = u8::try_from(ROLES_PER_ORGANIZATION_MAX).unwrap();
    let role = |organization, number: u8| role_of(organization, number, &format!("Role {number}"));
    let mut tx = world.begin().await;
    for number in 1..=most {
        let written = tx.insert_role(ACME, &role(ACME, number)).await.unwrap();
        assert!(matches!(written, RoleWritten::Done(_)), "{number}");
    }
    tx.commit(&[]).await.unwrap();
    let one_more = role(ACME, most + 1);
    assert_eq!(write(&world, ACME, &one_more).await, RoleWritten::TooMany);
    world.add_role(&role(GLOBEX, most + 2)).await;
    let mut tx = world.begin().await;
    tx.delete_role(ACME, &role(ACME, 1), NOW).await.unwrap();
    tx.commit(&[]).await.unwrap();
    world.add_role(&one_more).await;
}

async fn a_change_is_for_the_version_it_was_made_for(world: World) {
    let before = role_of(ACME, 1, "Before");
    world.add_role(&before).await;
    let mut after = Role {
        description: "Another.".to_owned(),
        permissions: RolePermissions::Named(scope("users:write")),
        tokens_by_default: false,
        ..named(&before, "After")
    };
    for wrong in [-1, 1] {
        let wrong = Role {
            version: wrong,
            ..after.clone()
        };
        assert_eq!(change(&world, ACME, &wrong).await, RoleWritten::Changed);
    }
    let hold = async |role: &Role| world.begin().await.hold_role(role).await.unwrap();
    assert!(hold(&before).await);
    let done = RoleWritten::Done(FeedKey::Role(before.id));
    assert_eq!(change(&world, ACME, &after).await, done);
    assert_eq!(change(&world, ACME, &after).await, RoleWritten::Changed);
    assert!(!hold(&before).await);
    after.version = 1;
    assert!(hold(&after).await);
    assert_eq!(world.store.find_role(after.id).await.unwrap(), Some(after));
}

async fn a_deleted_role_takes_its_keys_along(world: World) {
    let role = role_of(ACME, 1, "Short-lived");
    world.add_role(&role).await;
    let keys = [1, 2, 3].map(|number| {
        let draft = KeyDraft::new(number, &format!("Key {number}"));
        draft.with_role(&role)
    });
    world.insert_keys(&keys).await;
    world.insert_keys(&[KeyDraft::new(4, "Other role")]).await;
    let until = Overlap::Until(NOW.plus_days(1));
    world.rotate(1, 10, until, NOW).await;
    let mut tx = world.begin().await;
    tx.revoke_key(ACME, token_id(3), NOW).await.unwrap();
    tx.commit(&[]).await.unwrap();
    let later = NOW.plus_seconds(1);
    let mut tx = world.begin().await;
    let old = Role {
        version: 1,
        ..role.clone()
    };
    assert_eq!(tx.delete_role(ACME, &old, later).await.unwrap(), None);
    let deleted = tx.delete_role(ACME, &role, later).await.unwrap();
    let feed = vec![FeedKey::Role(role.id), FeedKey::Bulk(ACME, later)];
    assert_eq!(deleted, Some((2, feed)), "keys, not their secrets");
    assert_eq!(tx.delete_role(ACME, &role, later).await.unwrap(), None);
    tx.commit(&[]).await.unwrap();
    assert_eq!(world.revoked_rows().await, [1, 2, 3, 10].map(token_id));
    let key = world.find_key(1).await;
    assert_eq!(key.key.revoked, Some(later));
    assert_eq!(
        key.role_name, "Short-lived",
        "what has ended names its role"
    );
    assert_eq!(world.find_key(3).await.key.revoked, Some(NOW));
    let mut bulk = Vec::new();
    let take = |token: hallpass_store::LoadedToken| {
        bulk.push(token.id);
        Ok(())
    };
    world.store.load_bulk(ACME, later, take).await.unwrap();
    bulk.sort_unstable();
    assert_eq!(bulk, [1, 2, 10].map(token_id));
    assert_eq!(world.store.find_role(role.id).await.unwrap(), None);
    assert_eq!(world.store.list_roles(ACME).await.unwrap().len(), 4);
    // Its keys still name it, so it is still known, and holds nothing.
    let all = world.store.roles().await.unwrap();
    assert_eq!(all.len(), 5);
    let kept = all.iter().find(|kept| kept.id == role.id).unwrap();
    assert!(kept.permissions.named().unwrap().is_empty());
    assert!(!world.begin().await.hold_role(&role).await.unwrap());
}

async fn members_are_moved_together(world: World) {
    let (from, to) = (BuiltInRole::Member.id(), BuiltInRole::Viewer.id());
    let mut tx = world.begin().await;
    let mut moved = tx.move_members(ACME, from, to).await.unwrap();
    tx.commit(&[]).await.unwrap();
    moved.sort_by_key(|key| format!("{key:?}"));
    let expected = [ADA, BOB].map(|user| FeedKey::Membership(ACME, user));
    assert_eq!(moved, expected);
    for user in [ADA, BOB] {
        let found = world.store.find_membership(ACME, user).await.unwrap();
        assert_eq!(found.unwrap().role, to);
    }
    let elsewhere = world.store.find_membership(GLOBEX, ADA).await.unwrap();
    assert_eq!(elsewhere, Some(member(GLOBEX, ADA)));
}

async fn a_role_in_use_is_known(world: World) {
    let role = role_of(ACME, 1, "Used");
    world.add_role(&role).await;
    let end = NOW.plus_days(7);
    let in_use = async |at| {
        world
            .begin()
            .await
            .is_role_in_use(role.id, at)
            .await
            .unwrap()
    };
    assert!(!in_use(NOW).await);
    let invitation = Invitation {
        id: InvitationId::from_bytes([1; 16]),
        organization: ACME,
        email: Email::parse("eve@acme.example").unwrap(),
        role: role.id,
        role_name: "Used".to_owned(),
        may_have_tokens: true,
        created: NOW,
        expires_at: end,
        inviter: None,
        inviter_token: None,
    };
    let mut tx = world.begin().await;
    let new = NewInvitation {
        invitation: &invitation,
        digest: crate::world::digest(1),
    };
    assert!(tx.insert_invitation(&new).await.unwrap());
    tx.commit(&[]).await.unwrap();
    assert!(in_use(NOW).await);
    assert!(!in_use(end).await, "its time is over");
    let mut tx = world.begin().await;
    let withdrawn = tx.withdraw_invitation(ACME, invitation.id, NOW).await;
    assert!(withdrawn.unwrap());
    tx.commit(&[]).await.unwrap();
    assert!(!in_use(NOW).await);
    let has_it = Membership {
        role: role.id,
        ..member(ACME, ADA)
    };
    world.put_membership(&has_it).await;
    assert!(in_use(end).await);
}
