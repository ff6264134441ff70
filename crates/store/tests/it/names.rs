//! What things are called, by their ids.

use crate::{
    both_engines,
    world::{ACME, ADA, Draft, GLOBEX, KeyDraft, NOW, World, account, token_id},
};
use hallpass_domain::role::BuiltInRole;
use hallpass_store::{Named, NamedKind};

both_engines!(an_organization_knows_its_own, places_of_a_user);

fn named(kind: NamedKind, name: &str, prefix: Option<&str>) -> Option<Named> {
    Some(Named {
        kind,
        name: name.to_owned(),
        prefix: prefix.map(str::to_owned),
    })
}

async fn an_organization_knows_its_own(world: World) {
    let theirs = Draft {
        organization: GLOBEX,
        ..Draft::new(2, "theirs")
    };
    world.insert_all(&[Draft::new(1, "laptop"), theirs]).await;
    world.insert_keys(&[KeyDraft::new(3, "robot")]).await;
    let role = BuiltInRole::Viewer.id();
    let ids = [
        *token_id(1).bytes(),
        *token_id(2).bytes(),
        *token_id(3).bytes(),
        *ADA.bytes(),
        *role.bytes(),
        *ACME.bytes(),
        *GLOBEX.bytes(),
        [9; 16],
    ];
    let mut found = world.store.names(ACME, &ids).await.unwrap();
    let mut name = |id: &[u8; 16]| found.remove(id);
    assert_eq!(
        name(&ids[0]),
        named(NamedKind::Token, "laptop", Some("hpp_000001"))
    );
    assert_eq!(
        name(&ids[2]),
        named(NamedKind::Key, "robot", Some("hpk_000003"))
    );
    let ada = account(ADA, "Ada@acme.example").user.name;
    assert_eq!(name(&ids[3]), named(NamedKind::Member, ada.as_str(), None));
    assert_eq!(name(&ids[4]), named(NamedKind::Role, "Viewer", None));
    assert_eq!(name(&ids[5]).unwrap().kind, NamedKind::Organization);
    assert!(found.is_empty(), "{found:?}");
    assert!(world.store.names(ACME, &[]).await.unwrap().is_empty());
    let mut tx = world.begin().await;
    tx.delete_membership(ACME, ADA).await.unwrap();
    tx.commit(&[]).await.unwrap();
    let found = world.store.names(ACME, &[*ADA.bytes()]).await.unwrap();
    assert_eq!(found[ADA.bytes()].kind, NamedKind::Stranger);
}

async fn places_of_a_user(world: World) {
    world.insert_all(&[Draft::new(1, "laptop")]).await;
    let places = world.store.places_of(ADA, 10, NOW).await.unwrap();
    let here = places.iter().find(|(place, _)| place.id == ACME).unwrap();
    assert_eq!((here.1.user.id, here.1.tokens), (ADA, 1));
    assert!(world.store.places_of(ADA, 0, NOW).await.unwrap().is_empty());
}
