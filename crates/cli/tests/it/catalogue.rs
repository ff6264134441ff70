//! The catalogue of permissions from a terminal, and what a login holds of it.

use crate::world::{World, items, run};

#[test]
fn a_file_becomes_the_catalogue_after_showing_the_difference() {
    let world = World::signed_in();
    world
        .run(&[
            "permission",
            "set",
            "deploy:old",
            "--description",
            "Gone soon.",
        ])
        .with(0);
    world
        .run(&["permission", "set", "deploy:old", "--risk", "high"])
        .with(0);
    let find = |world: &World, name: &str| {
        let all = items(&world.run(&["permission", "list", "--json"]).with(0));
        all.into_iter().find(|entry| entry["name"] == name)
    };
    let old = find(&world, "deploy:old").unwrap();
    assert_eq!(
        (&old["description"], &old["risk"]),
        (&"Gone soon.".into(), &"high".into()),
        "what is not said stays"
    );

    let file = world.home.path().join("permissions.toml");
    std::fs::write(
        &file,
        "[[permission]]\nname = \"deploy:run\"\nrisk = \"medium\"\n",
    )
    .unwrap();
    let apply = ["permission", "apply", "permissions.toml", "--prune"];
    let shown = world
        .run(&[&apply[..], &["--dry-run"]].concat())
        .with(1)
        .out();
    assert_eq!(shown, "+ deploy:run (medium): \n- deploy:old\n");
    world.run(&apply).with(2);
    assert!(
        find(&world, "deploy:run").is_none(),
        "nothing was changed without a yes"
    );
    world.run(&[&apply[..], &["--yes"]].concat()).with(0);
    assert!(find(&world, "deploy:run").is_some() && find(&world, "deploy:old").is_none());
    assert!(
        find(&world, "repo:read").is_some(),
        "what the settings list is left alone"
    );
    world.run(&[&apply[..], &["--dry-run"]].concat()).with(0);

    let by_file = world
        .run(&["permission", "set", "repo:read", "--risk", "high"])
        .with(6)
        .err();
    assert!(
        by_file
            .to_lowercase()
            .contains("the settings file names repo:read")
            && by_file.lines().count() == 1,
        "it is said once: {by_file}"
    );
    world
        .run(&["permission", "delete", "deploy:run", "--yes"])
        .with(0);
    world
        .run(&["permission", "delete", "deploy:run", "--yes"])
        .with(5);
}

#[test]
fn a_file_is_checked_as_a_whole_and_what_only_adds_does_not_ask() {
    let world = World::signed_in();
    let write = |text: &str| {
        std::fs::write(world.home.path().join("permissions.toml"), text).unwrap();
    };
    let entry = |name: &str, more: &str| format!("[[permission]]\nname = \"{name}\"\n{more}\n");
    let apply = ["permission", "apply", "permissions.toml"];
    let names = |world: &World| world.run(&["permission", "list", "-q"]).with(0).out();
    let before = names(&world);
    for (bad, told) in [
        (entry("deploy", ""), "deploy (line 4): "),
        (entry("deploy:*", ""), "deploy:* (line 4): a wildcard"),
        (
            entry("deploy:x", "risk = \"huge\""),
            "deploy:x (line 4): the risk is one of",
        ),
        (
            entry("deploy:run", ""),
            "deploy:run (line 4): the file lists it twice",
        ),
        (
            entry("hallpass:x", ""),
            "hallpass:x (line 4): hallpass:… belongs to the product",
        ),
    ] {
        write(&format!("{}{bad}", entry("deploy:run", "")));
        for how in ["--dry-run", "--yes"] {
            world.run(&[&apply[..], &[how]].concat()).with(2).says(told);
        }
        assert_eq!(names(&world), before, "nothing was changed");
    }

    write(&entry("deploy:run", ""));
    world
        .run(&apply)
        .with(0)
        .says("This login does not hold deploy:run yet: run `hallpass login` again.");
    assert!(names(&world).contains("deploy:run\n"));
    let added = entry("deploy:two", "");
    world
        .run_with(&["permission", "apply", "-"], &added)
        .with(0);
    write(&entry("deploy:run", "risk = \"high\""));
    world.run(&apply).with(2).says("--yes");
    let other = entry("deploy:two", "risk = \"high\"");
    world
        .run_with(&["permission", "apply", "-"], &other)
        .with(2)
        .says("--yes");

    let own = world
        .run(&["permission", "delete", "hallpass:audit", "--yes"])
        .with(6)
        .err();
    assert!(
        own.starts_with("error: hallpass:audit belongs to the product and cannot be deleted"),
        "{own}"
    );
}

#[test]
fn a_login_from_before_is_told_to_sign_in_again_and_a_token_of_the_environment_is_not() {
    let world = World::signed_in();
    let narrow = world.create(&["narrow", "--permission", "repo:read"]);
    let added = world
        .run(&["permission", "set", "deploy:run"])
        .with(0)
        .says("This login does not hold deploy:run yet");
    assert!(added.out().is_empty());
    let changed = world
        .run(&["permission", "set", "deploy:run", "--risk", "high"])
        .with(0)
        .err();
    assert!(!changed.contains("hallpass login"), "{changed}");
    let quiet = world
        .run(&["permission", "set", "deploy:two", "-q"])
        .with(0)
        .err();
    assert!(quiet.is_empty(), "{quiet}");

    let hint = "run `hallpass login` again to take in what was added since";
    let role = ["role", "create", "Crew", "--permission", "deploy:run"];
    world.run(&role).with(1).says(hint);
    let token = ["token", "create", "x", "--permission", "deploy:run"];
    world.run(&token).with(1).says(hint);
    let refused = run(world.command(&role).env("HALLPASS_TOKEN", &narrow), "")
        .with(1)
        .err();
    assert!(!refused.contains("hallpass login"), "{refused}");
    world.login().with(0);
    world.run(&role).with(0);
}
