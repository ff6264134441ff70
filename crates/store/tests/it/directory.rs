//! Organizations, people, roles, the catalogue, peppers.

use crate::{
    both_engines,
    world::{ACME, ADA, BOB, GLOBEX, NOW, World, account, built_in, member, organization, scope},
};
use hallpass_domain::{
    id::{OrganizationId, RoleId, UserId},
    member::Membership,
    name::Email,
    network::NetworkSet,
    organization::Standing,
    permission::{CatalogueEntry, Permission, Risk, Source},
    role::{BuiltInRole, Role, RolePermissions},
};
use hallpass_store::{FeedKey, LoadedOrganization};

both_engines!(
    people_are_found_by_address_without_regard_to_case,
    one_address_one_person,
    standings_and_passwords_change,
    memberships_are_put_and_removed,
    organizations_are_found,
    roles_are_put,
    the_catalogue_becomes_what_is_given,
    a_pepper_is_proved_once,
    only_one_set_up_sees_an_empty_house,
);

fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

async fn people_are_found_by_address_without_regard_to_case(world: World) {
    for spelled in ["Ada@acme.example", "ADA@ACME.EXAMPLE", "ada@acme.example"] {
        let found = world
            .store
            .find_sign_in(&email(spelled))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.user, account(ADA, "Ada@acme.example").user);
        let expected = account(ADA, "a@b").password_hash;
        assert_eq!(found.password_hash, expected);
        assert!(!format!("{found:?}").contains("argon2"), "{found:?}");
    }
    assert!(
        world
            .store
            .find_sign_in(&email("eve@acme.example"))
            .await
            .unwrap()
            .is_none()
    );
    let found = world.store.find_sign_in_of(BOB).await.unwrap().unwrap();
    assert_eq!(found.user.email.as_str(), "bob@acme.example");
    assert!(
        world
            .store
            .find_sign_in_of(UserId::from_bytes([1; 16]))
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(world.store.count_users().await.unwrap(), 2);
    assert_eq!(world.store.users().await.unwrap().len(), 2);
    world
        .execute("update app_user set password_hash = null")
        .await;
    let found = world.store.find_sign_in_of(BOB).await.unwrap().unwrap();
    assert_eq!(found.password_hash, None);
}

async fn one_address_one_person(world: World) {
    let mut tx = world.begin().await;
    let twin = account(UserId::from_bytes([1; 16]), "aDA@acme.EXAMPLE");
    assert_eq!(tx.insert_user(&twin, NOW).await.unwrap(), None);
    let other = account(UserId::from_bytes([1; 16]), "ada2@acme.example");
    let key = tx.insert_user(&other, NOW).await.unwrap();
    assert_eq!(key, Some(FeedKey::User(other.user.id)));
    tx.commit(&[]).await.unwrap();
    assert_eq!(
        world.store.find_user(other.user.id).await.unwrap(),
        Some(other.user)
    );
}

async fn standings_and_passwords_change(world: World) {
    let mut tx = world.begin().await;
    let key = tx
        .set_user_standing(ADA, Standing::Suspended)
        .await
        .unwrap();
    assert_eq!(key, FeedKey::User(ADA));
    let key = tx
        .set_organization_standing(ACME, Standing::Suspended)
        .await
        .unwrap();
    assert_eq!(key, FeedKey::Organization(ACME));
    tx.set_password_hash(ADA, "$argon2id$other").await.unwrap();
    tx.commit(&[]).await.unwrap();
    let ada = world.store.find_sign_in_of(ADA).await.unwrap().unwrap();
    assert_eq!(ada.user.standing, Standing::Suspended);
    assert_eq!(ada.password_hash.as_deref(), Some("$argon2id$other"));
    let bob = world.store.find_sign_in_of(BOB).await.unwrap().unwrap();
    assert!(bob.user.standing.is_active());
    assert_ne!(bob.password_hash, ada.password_hash);
    for (id, standing) in [(ACME, Standing::Suspended), (GLOBEX, Standing::Active)] {
        let found = world.store.find_organization(id).await.unwrap().unwrap();
        assert_eq!(found.standing, standing);
    }
}

async fn memberships_are_put_and_removed(world: World) {
    let changed = Membership {
        role: BuiltInRole::Superuser.id(),
        standing: Standing::Suspended,
        may_have_tokens: false,
        ..member(ACME, ADA)
    };
    world.put_membership(&changed).await;
    assert_eq!(
        world.store.find_membership(ACME, ADA).await.unwrap(),
        Some(changed.clone())
    );
    assert_eq!(
        world.store.find_membership(ACME, BOB).await.unwrap(),
        Some(member(ACME, BOB))
    );
    assert_eq!(
        world.store.find_membership(GLOBEX, BOB).await.unwrap(),
        None
    );
    assert_eq!(world.store.memberships().await.unwrap().len(), 3);
    let adas = world.store.memberships_of(ADA).await.unwrap();
    assert_eq!(
        adas,
        [member(GLOBEX, ADA), changed],
        "made at one moment, so by organization"
    );
    let mut tx = world.begin().await;
    let key = tx.delete_membership(ACME, ADA).await.unwrap();
    assert_eq!(key, FeedKey::Membership(ACME, ADA));
    tx.commit(&[]).await.unwrap();
    assert_eq!(world.store.find_membership(ACME, ADA).await.unwrap(), None);
    assert_eq!(
        world.store.memberships_of(ADA).await.unwrap(),
        [member(GLOBEX, ADA)]
    );
}

async fn organizations_are_found(world: World) {
    let mut all = world.store.organizations().await.unwrap();
    all.sort_by_key(|loaded| loaded.organization.id);
    let loaded = |id, name| LoadedOrganization {
        organization: organization(id, name),
        tokens_revoked_before: None,
        networks: NetworkSet::default(),
        forbidden: scope(""),
    };
    assert_eq!(all, [loaded(GLOBEX, "Globex"), loaded(ACME, "Acme")]);
    let acme = world.store.find_organization(ACME).await.unwrap();
    assert_eq!(acme, Some(organization(ACME, "Acme")));
    let nowhere = OrganizationId::from_bytes([1; 16]);
    assert_eq!(world.store.find_organization(nowhere).await.unwrap(), None);
}

async fn roles_are_put(world: World) {
    let mut all = world.store.roles().await.unwrap();
    all.sort_by_key(|role| role.id);
    let mut expected = BuiltInRole::ALL.map(built_in);
    expected.sort_by_key(|role| role.id);
    assert_eq!(all, expected);
    let mut empty = Role {
        permissions: RolePermissions::Named(scope("")),
        ..built_in(BuiltInRole::Superuser)
    };
    let mut tx = world.begin().await;
    assert_eq!(
        tx.put_built_in_role(&empty).await.unwrap(),
        FeedKey::Role(empty.id)
    );
    tx.commit(&[]).await.unwrap();
    empty.version = 1;
    assert_eq!(world.store.find_role(empty.id).await.unwrap(), Some(empty));
    assert_eq!(
        world
            .store
            .find_role(RoleId::from_bytes([9; 16]))
            .await
            .unwrap(),
        None
    );
}

async fn the_catalogue_becomes_what_is_given(world: World) {
    let entry = |name: &str, description: &str, risk| CatalogueEntry {
        permission: Permission::parse(name).unwrap(),
        description: description.to_owned(),
        risk,
        source: Source::File,
    };
    // In the order of bytes, whatever the language of the database.
    let one = [
        entry("a:read", "one's", Risk::Low),
        entry("a_b:read", "", Risk::Medium),
        entry("ab:read", "two", Risk::High),
    ];
    let other = [
        one[0].clone(),
        entry("ab:read", "changed", Risk::Low),
        entry("c:*", "", Risk::High),
    ];
    let mut before: &[CatalogueEntry] = &[];
    for after in [&one[..], &other, &[], &one] {
        let mut tx = world.begin().await;
        assert_eq!(
            tx.put_catalogue(before, after).await.unwrap(),
            FeedKey::Catalogue
        );
        tx.commit(&[]).await.unwrap();
        let mut expected = after.to_vec();
        expected.sort_by(|one, other| one.permission.as_str().cmp(other.permission.as_str()));
        assert_eq!(world.store.catalogue().await.unwrap(), expected);
        before = after;
    }
}

async fn a_pepper_is_proved_once(world: World) {
    let mut tx = world.begin().await;
    tx.insert_pepper("p1", &[9; 32]).await.unwrap();
    tx.insert_pepper("p2", &[2; 32]).await.unwrap();
    tx.commit(&[]).await.unwrap();
    let mut proofs = world.store.pepper_proofs().await.unwrap();
    proofs.sort();
    assert_eq!(
        proofs,
        [("p1".to_owned(), [1; 32]), ("p2".to_owned(), [2; 32])]
    );
}

async fn only_one_set_up_sees_an_empty_house(world: World) {
    world
        .execute("delete from membership; delete from app_user")
        .await;
    world.warm_up().await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 1..=8 {
        let store = world.store.clone();
        tasks.spawn(async move {
            let mut tx = store.begin().await.unwrap();
            let first = tx.is_empty_and_held().await.unwrap();
            if first {
                let account = account(
                    UserId::from_bytes([number; 16]),
                    &format!("u{number}@acme.example"),
                );
                let key = tx.insert_user(&account, NOW).await.unwrap().unwrap();
                tx.commit(&[key]).await.unwrap();
            }
            first
        });
    }
    let first = tasks
        .join_all()
        .await
        .into_iter()
        .filter(|first| *first)
        .count();
    assert_eq!(first, 1);
    assert_eq!(world.store.head().await.unwrap(), 2);
}
