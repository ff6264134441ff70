//! Keys, policy, inventory, revocation of many, explanations and the audit from a terminal.

use crate::world::{World, items, run};

#[test]
fn a_key_is_made_rotated_and_revoked_and_its_secrets_are_told_once() {
    let world = World::signed_in();
    world
        .run(&["role", "create", "Crew", "--permission", "repo:*"])
        .with(0);
    world
        .run(&["key", "create", "deploy", "--role", "Crew"])
        .with(2);
    let made = world
        .run(&[
            "key",
            "create",
            "deploy",
            "--role",
            "Crew",
            "--expires",
            "30d",
            "--permission",
            "repo:read",
        ])
        .with(0);
    let first = made.out().trim_end().to_owned();
    assert!(first.len() == 48 && first.starts_with("hpk_") && !made.err().contains(&first[10..]));
    world.run_with(&["verify", "-"], &first).with(0);

    world.run(&["key", "rotate", "deploy"]).with(2);
    let second = world
        .run(&["key", "rotate", "deploy", "--until-quiet", "7d"])
        .with(0)
        .out()
        .trim_end()
        .to_owned();
    assert_ne!(first, second);
    world.run_with(&["verify", "-"], &first).with(0);
    world.run_with(&["verify", "-"], &second).with(0);
    let key = world
        .run(&["key", "show", &first[..10], "--json"])
        .with(0)
        .json();
    assert_eq!(
        (&key["name"], key["secrets"].as_array().unwrap().len()),
        (&"deploy".into(), 2)
    );
    assert!(
        world
            .run(&["key", "rotate", "deploy", "--leaked"])
            .with(2)
            .err()
            .contains("--yes")
    );
    let third = world
        .run(&["key", "rotate", "deploy", "--leaked", "--yes"])
        .with(0)
        .out()
        .trim_end()
        .to_owned();
    world.run_with(&["verify", "-"], &second).with(1);
    world.run_with(&["verify", "-"], &third).with(0);

    world
        .run(&["token", "suspend", &third[..10], "--reason", "Odd use"])
        .with(0)
        .says("Suspended the API key “deploy”");
    assert!(
        world
            .run_with(&["verify", "-"], &third)
            .with(1)
            .out()
            .contains("suspended")
    );
    world
        .run(&["token", "resume", &third[..10]])
        .with(0)
        .says("Resumed the API key “deploy”");
    world
        .run(&["token", "resume", &third[..10]])
        .with(0)
        .says("Nothing changed: the API key “deploy”");
    world.run_with(&["verify", "-"], &third).with(0);
    let rest = ["key", "suspend", "DEPLOY", "--reason", "Odd", "--until"];
    let rest = world.run(&[&rest[..], &["7d"]].concat()).with(0).err();
    assert!(
        rest.contains("Suspended the API key “deploy”") && rest.contains(" UTC."),
        "{rest}"
    );
    world
        .run(&["explain", "deploy"])
        .with(1)
        .tells("refused: suspended");
    world.run(&["key", "resume", "deploy"]).with(0);
    world
        .run(&["key", "resume", "deploy"])
        .with(0)
        .says("Nothing changed");
    world.run_with(&["verify", "-"], &third).with(0);
    world.run(&["explain", "neither"]).with(5).says(
        "you have no token with the name, prefix or id “neither”, and see no API key with it",
    );
    let shown = world.run(&["key", "show", "deploy"]).with(0).out();
    assert!(
        shown.contains(" UTC)") && !shown.contains("Z)"),
        "moments are told to the minute: {shown}"
    );
    world.run(&["key", "revoke", "deploy", "--yes"]).with(0);
    world.run_with(&["verify", "-"], &third).with(1);
    let listed = world.run(&["key", "list"]).with(0).out();
    let line = listed
        .lines()
        .find(|line| line.starts_with("deploy"))
        .unwrap();
    assert!(line.contains(" -  ") && !line.contains(" in "), "{line}");
}

#[test]
fn a_policy_is_shown_before_it_is_decided() {
    let world = World::signed_in();
    world.create(&["long", "--expires", "60d", "--permission", "repo:read"]);
    let shown = world
        .run(&["policy", "set", "--max-days", "30", "--dry-run", "--json"])
        .with(0)
        .json();
    assert!(
        shown["effect"]["shortened"].as_u64().unwrap() >= 1,
        "{shown}"
    );
    let set = ["policy", "set", "--max-days", "30", "--from", "14d"];
    assert!(world.run(&set).with(2).err().contains("shortened"));
    let policies = |world: &World| world.run(&["policy", "show", "--json"]).with(0).json();
    assert!(
        policies(&world)["next"].is_null(),
        "nothing was decided without a yes"
    );
    world.run(&[&set[..], &["--yes"]].concat()).with(0);
    assert_eq!(
        policies(&world)["next"]["policy"]["personalAccessTokens"]["daysMax"],
        30
    );
    world.run(&["policy", "withdraw"]).with(0);
    assert!(policies(&world)["next"].is_null());
    world.run(&["policy", "withdraw"]).with(5);
}

#[test]
fn what_there_is_is_listed_exported_explained_and_revoked_together() {
    let world = World::signed_in();
    let secret = world.create(&["ci", "--permission", "repo:read"]);
    let prefix = &secret[..10];
    let table = world
        .run(&["inventory", "list", "--search", "ci"])
        .with(0)
        .out();
    assert!(
        table.contains(prefix) && table.contains("ada@acme.example"),
        "{table}"
    );

    world
        .run(&["inventory", "export", "--output", "tokens.csv"])
        .with(0)
        .says("Wrote tokens.csv: 2 tokens and keys.");
    let json = ["inventory", "export", "--format", "json", "--kind", "token"];
    world
        .run(&[&json[..], &["--output", "tokens.json"]].concat())
        .with(0)
        .says("Wrote tokens.json: 2 tokens.");
    let file = std::fs::read_to_string(world.home.path().join("tokens.csv")).unwrap();
    assert!(
        file.starts_with("id,kind,name") && file.contains(prefix),
        "{file}"
    );
    assert!(!world.home.path().join("tokens.csv.part").exists());
    let json = world
        .run(&["inventory", "export", "--format", "json", "--search", "ci"])
        .with(0)
        .json();
    assert_eq!(json.as_array().unwrap().len(), 1);

    let explained = world
        .run(&["explain", "ci", "--permission", "repo:read"])
        .with(0)
        .out();
    assert!(
        explained.contains("allowed") && explained.contains('✓'),
        "{explained}"
    );
    let refused = world
        .run(&["explain", prefix, "--permission", "repo:write"])
        .with(1)
        .out();
    assert!(
        refused.contains("refused: permission_missing") && refused.contains('✗'),
        "{refused}"
    );

    world
        .run(&["explain", prefix, "--permission", "no:such"])
        .with(1)
        .tells("Nobody holds no:such: there is no such permission.")
        .tells("check before it failed: whether the policy forbids the permission.");

    world.run(&["revoke"]).with(2);
    let preview = ["revoke", "--search", "ci", "--state", "active"];
    let dry = world
        .run(&[&preview[..], &["--dry-run", "--json"]].concat())
        .with(0)
        .json();
    assert_eq!((&dry["count"], &dry["preview"]), (&1.into(), &true.into()));
    let unasked = world.run(&preview).with(2).err();
    assert!(unasked.contains("--yes"), "{unasked}");
    world.run_with(&["verify", "-"], &secret).with(0);
    world.run(&[&preview[..], &["--yes"]].concat()).with(0);
    world.run_with(&["verify", "-"], &secret).with(1);
    world.run(&["whoami"]).with(0);
    let all = world
        .run(&["revoke", "--everything", "--yes"])
        .with(0)
        .err();
    assert!(all.contains("hallpass login"), "{all}");
    world.run(&["whoami"]).with(4);
}

#[test]
fn the_audit_is_listed_exported_and_verified_against_what_was_noted_down() {
    let world = World::signed_in();
    world.create(&["ci", "--permission", "repo:read"]);
    let lines = world
        .run(&[
            "audit",
            "list",
            "--action",
            "token.created",
            "--limit",
            "1",
            "--json",
        ])
        .with(0)
        .json();
    assert_eq!(lines["items"].as_array().unwrap().len(), 1);
    assert_eq!(lines["items"][0]["action"], "token.created");
    let by = world
        .run(&[
            "audit",
            "list",
            "--actor",
            "ada@acme.example",
            "--since",
            "1h",
        ])
        .with(0)
        .out();
    assert!(by.contains("token.created"), "{by}");
    let bob = "bob@acme.example";
    let to_bob = ["audit", "list", "--target", bob];
    world
        .run(&to_bob)
        .with(5)
        .says("there is no member “bob@acme.example”");
    let narrow = world.create(&["narrow", "--permission", "repo:read"]);
    run(
        world
            .command(&["user", "create", bob, "--name", "Bob"])
            .env("HALLPASS_TOKEN", &narrow),
        "",
    )
    .with(1);
    world.run(&to_bob).with(0).tells("refused");
    world.run(&["user", "create", bob, "--name", "Bob"]).with(0);
    world
        .run(&["member", "add", bob, "--role", "Member"])
        .with(0);
    world.run(&["member", "role", bob, "Viewer"]).with(0);
    world
        .run(&to_bob)
        .with(0)
        .tells("refused")
        .tells("member.added")
        .tells("member.changed");
    let newest = [&to_bob[..], &["--limit", "1", "--json"]].concat();
    let newest = items(&world.run(&newest).with(0));
    assert_eq!(
        (newest.len(), &newest[0]["action"]),
        (1, &"member.changed".into())
    );
    world
        .run(&[
            "audit",
            "export",
            "--format",
            "jsonl",
            "--output",
            "audit.jsonl",
        ])
        .with(0);
    let file = std::fs::read_to_string(world.home.path().join("audit.jsonl")).unwrap();
    for line in file.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    assert!(file.lines().count() >= 2);

    let end = world
        .run(&["audit", "verify", "--quiet"])
        .with(0)
        .out()
        .trim_end()
        .to_owned();
    assert!(end.contains(':'), "{end}");
    let told = world
        .run(&["audit", "verify", "--expected", &end])
        .with(0)
        .out();
    assert!(
        told.contains("first bad line") && told.contains("none"),
        "{told}"
    );
    let (seq, code) = end.split_once(':').unwrap();
    let blank = format!("{seq} {code}");
    for expected in [&[blank.as_str()][..], &[seq, code][..]] {
        world
            .run(&[&["audit", "verify", "--expected"], expected].concat())
            .with(0)
            .tells("none");
    }
    let other = format!(
        "{seq}:{}{}",
        if code.starts_with('0') { '1' } else { '0' },
        &code[1..]
    );
    let bad = world
        .run(&["audit", "verify", "--expected", &other])
        .with(1)
        .err();
    assert!(bad.contains(&format!("line {seq}")), "{bad}");
}
