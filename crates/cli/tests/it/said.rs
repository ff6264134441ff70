//! What commands about tokens say, and what they do not.

use crate::world::{EMAIL, PASSWORD, World, items};

#[test]
fn what_cannot_be_ends_with_its_code() {
    let world = World::signed_in();
    let unsaid = world.run(&["token", "create", "ci"]).with(2);
    assert!(
        unsaid
            .err()
            .contains("--permission PERMISSION, or --all-permissions")
            && unsaid.err().contains("repo:read, repo:write")
            && unsaid.out().is_empty(),
        "{}",
        unsaid.err()
    );
    let made = items(&world.run(&["token", "list", "--json"]));
    assert_eq!(made.len(), 1, "nothing was made");
    world.create(&["ci", "--permission", "repo:read"]);
    let taken = world
        .run(&["token", "create", "CI", "--all-permissions"])
        .with(6);
    assert!(
        taken.err().contains("already have a token with this name") && taken.out().is_empty(),
        "{}",
        taken.err()
    );
    world
        .run(&[
            "token",
            "create",
            "past",
            "--permission",
            "repo:read",
            "--expires",
            "2001-01-01",
        ])
        .with(2)
        .says("error: --expires must lie in the future\n");
    world
        .run(&["token", "create", "odd", "--permission", "not a permission"])
        .with(2);
    world
        .run(&["token", "create", "odd", "--permission", "nobody:has"])
        .with(2);
    world.run(&["token", "show", "nobody"]).with(5);
    world.run(&["token", "revoke", "nobody", "--yes"]).with(5);
    world
        .run(&["token", "show", "019abc00-0000-7000-8000-000000000000"])
        .with(5);
    let twice = [
        "init",
        "--organization",
        "Other",
        "--email",
        EMAIL,
        "--password-stdin",
    ];
    assert!(
        world.run_with(&twice, PASSWORD).code() > 1,
        "a folder in use is not set up again"
    );
}

#[test]
fn quiet_leaves_the_secret_the_id_or_nothing() {
    let world = World::signed_in();
    let made = world
        .run(&["token", "create", "ci", "--permission", "repo:read", "-q"])
        .with(0);
    assert_eq!((made.out().len(), made.err().as_str()), (49, ""));
    let id = world.run(&["token", "show", "ci", "-q"]).with(0).out();
    let listed = world.run(&["token", "list", "-q"]).with(0).out();
    assert!(id.len() == 37 && listed.contains(&id), "{listed}");
    world
        .run(&["token", "resume", "ci"])
        .with(0)
        .says("Nothing changed: the token “ci”");
    for arguments in [
        &["token", "suspend", "ci", "--reason", "x", "-q"][..],
        &["token", "resume", "ci", "-q"],
        &["token", "revoke", "ci", "--yes", "-q"],
    ] {
        let ended = world.run(arguments).with(0);
        assert_eq!((ended.out(), ended.err()), Default::default());
    }
}
