//! The life of a token from a terminal.

use crate::world::{EMAIL, PASSWORD, World, hallpass, run};
use hallpass_testkit::temp_dir;
use std::os::unix::fs::PermissionsExt as _;

/// What signs in with a password on standard input.
fn login(host: &str) -> [&str; 6] {
    [
        "login",
        "--host",
        host,
        "--email",
        EMAIL,
        "--password-stdin",
    ]
}

#[test]
fn made_listed_shown_verified_revoked_and_refused() {
    let mut world = World::signed_in();
    let secret = world.create(&["ci", "--permission", "repo:read", "--expires", "30h"]);
    let prefix = &secret[..10];

    let listed = world
        .run(&["token", "list", "--search", "ci", "--json"])
        .with(0)
        .json();
    let item = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["name"] == "ci")
        .unwrap()
        .clone();
    assert_eq!(
        (&item["prefix"], &item["state"], &item["scope"]),
        (
            &prefix.into(),
            &"active".into(),
            &serde_json::json!(["repo:read"])
        )
    );
    assert!(item.get("secret").is_none() && listed["nextCursor"].is_null());
    let table = world.run(&["token", "list"]).with(0).out();
    let line = table
        .lines()
        .find(|line| line.starts_with("ci "))
        .unwrap_or_else(|| panic!("{table}"));
    assert!(
        line.contains(prefix) && line.contains("active") && line.contains("in 1 day !"),
        "{line}"
    );

    for name in ["ci", "CI", prefix, item["id"].as_str().unwrap()] {
        let shown = world.run(&["token", "show", name, "--json"]).with(0).json();
        assert_eq!(shown["id"], item["id"], "{name}");
    }

    let verify = [
        "verify",
        "-",
        "--permission",
        "repo:read",
        "--method",
        "GET",
        "--path",
        "/repos/octo",
    ];
    assert!(
        world
            .run_with(&verify, &format!("{secret}\n"))
            .with(0)
            .out()
            .contains("allowed")
    );
    let refused = world
        .run_with(
            &["verify", "-", "--permission", "repo:write", "--json"],
            &secret,
        )
        .with(1)
        .json();
    assert_eq!(
        (&refused["active"], &refused["reason"]),
        (&false.into(), &"permission_missing".into())
    );

    let unasked = world.run(&["token", "revoke", "ci"]).with(2);
    assert!(unasked.err().contains("--yes"), "{}", unasked.err());
    world.run_with(&["verify", "-"], &secret).with(0);
    assert!(
        world
            .run(&["token", "revoke", "ci", "--yes"])
            .with(0)
            .err()
            .contains(prefix)
    );
    assert!(
        world
            .run_with(&["verify", "-"], &secret)
            .with(1)
            .out()
            .contains("refused: revoked")
    );
    world.run(&["token", "revoke", prefix, "--yes"]).with(0);
    let active = world
        .run(&["token", "list", "--state", "active", "--json"])
        .with(0)
        .json();
    assert!(
        active["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|item| item["name"] != "ci")
    );

    let log = world.stop();
    assert!(
        !log.contains(&secret[10..]) && !log.contains(PASSWORD),
        "{log}"
    );
    world.run(&["whoami"]).with(3);
}

#[test]
fn login_keeps_a_token_of_its_own_and_logout_revokes_it() {
    let world = World::start();
    let wrong = world
        .run_with(&login(&world.host), "not the right password")
        .with(4);
    assert!(!wrong.err().contains("not the right password"));

    let told = world.login().with(0).err();
    assert!(
        told.contains("Signed in") && told.contains("credentials.toml") && !told.contains(PASSWORD),
        "{told}"
    );
    let file = world.credentials_file();
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let text = std::fs::read_to_string(&file).unwrap();
    let token = text
        .split('"')
        .find(|piece| piece.len() == 48 && piece.starts_with("hpp_"))
        .unwrap()
        .to_owned();
    assert!(!told.contains(&token));

    let caller = world.run(&["whoami", "--json"]).with(0).json();
    assert_eq!(
        (
            &caller["email"],
            &caller["owner"]["name"],
            &caller["organization"]["name"]
        ),
        (&EMAIL.into(), &"Ada".into(), &"Acme".into())
    );
    assert!(
        world
            .run(&["whoami"])
            .with(0)
            .out()
            .contains("hallpass:own-tokens")
    );

    // Signing in again leaves no second token behind.
    world.login().with(0);
    let live = world
        .run(&["token", "list", "--state", "active", "--json"])
        .with(0)
        .json();
    let names: Vec<&str> = live["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect();
    assert!(
        names.len() == 1 && names[0].starts_with("hallpass-cli on "),
        "{names:?}"
    );

    // On another machine of that name it gets a number.
    let other = temp_dir();
    run(hallpass(&other).args(login(&world.host)), PASSWORD).with(0);
    let shown = world
        .run(&["token", "show", &format!("{} 2", names[0])])
        .with(0);
    assert!(shown.out().contains("active"));

    let second = std::fs::read_to_string(&file)
        .unwrap()
        .split('"')
        .find(|piece| piece.len() == 48)
        .unwrap()
        .to_owned();
    world.run(&["logout"]).with(0);
    assert!(!std::fs::read_to_string(&file).unwrap().contains("hpp_"));
    world.run(&["whoami", "--host", &world.host]).with(4);
    let refused = run(
        world
            .command(&["whoami", "--host", &world.host])
            .env("HALLPASS_TOKEN", &second),
        "",
    )
    .with(4);
    assert!(refused.err().contains("revoked"), "{}", refused.err());
}

#[test]
fn a_token_that_cannot_be_stored_is_revoked() {
    let world = World::start();
    let broken = temp_dir();
    // To read, no file is there; to write, the folder cannot be made.
    std::os::unix::fs::symlink(broken.path().join("gone"), broken.path().join("config")).unwrap();
    let login = login(&world.host);
    let told = run(hallpass(&broken).args(login), PASSWORD).with(7).err();
    assert!(
        told.contains("cannot write") && told.contains("is revoked"),
        "{told}"
    );
    world.login().with(0);
    let count = |state: &str| {
        let listed = world
            .run(&["token", "list", "--state", state, "--json"])
            .with(0)
            .json();
        listed["items"].as_array().unwrap().len()
    };
    assert_eq!((count("active"), count("revoked")), (1, 1));
}

#[test]
fn a_token_from_standard_input_signs_in_and_the_environment_goes_first() {
    let world = World::signed_in();
    let narrow = world.create(&[
        "narrow",
        "--permission",
        "repo:read",
        "--permission",
        "hallpass:own-tokens",
        "--expires",
        "12h",
    ]);
    let other = temp_dir();
    let login = ["login", "--with-token", "--host", &world.host];
    run(hallpass(&other).args(login), "hpp_nonsense").with(2);
    run(hallpass(&other).args(login), &narrow).with(0);

    // What the token lacks is refused, and who says nothing is asked to say what they want.
    let asked = run(hallpass(&other).args(["token", "create", "x"]), "").with(2);
    assert!(
        asked.err().contains("It could be given: repo:read\n")
            && asked.err().contains("Your role holds more"),
        "{}",
        asked.err()
    );
    let wider = run(
        hallpass(&other).args(["token", "create", "x", "--permission", "repo:write"]),
        "",
    )
    .with(1);
    assert!(
        wider.err().contains("none wider or longer-lived"),
        "{}",
        wider.err()
    );
    let longer = run(
        hallpass(&other).args([
            "token",
            "create",
            "x",
            "--permission",
            "repo:read",
            "--expires",
            "never",
        ]),
        "",
    )
    .with(1);
    assert!(longer.err().contains("longer"), "{}", longer.err());
    run(
        hallpass(&other).args(["token", "create", "x", "--all-permissions"]),
        "",
    )
    .with(0);
    run(hallpass(&other).args(["verify", "-"]), &narrow).with(1);

    // The environment's token comes before the stored one, and a stored one goes to its own server alone.
    let cannot = world.create(&["cannot manage", "--permission", "repo:read"]);
    let refused = run(
        world
            .command(&["token", "list"])
            .env("HALLPASS_TOKEN", &cannot),
        "",
    )
    .with(1);
    assert!(
        refused.err().contains("hallpass:own-tokens"),
        "{}",
        refused.err()
    );
    run(
        hallpass(&other)
            .arg("whoami")
            .env("HALLPASS_HOST", "http://localhost:1"),
        "",
    )
    .with(4);
}

#[test]
fn json_has_the_secret_of_a_new_token_and_revoking_oneself_signs_out() {
    let world = World::signed_in();
    let made = world
        .run(&["token", "create", "ci", "--all-permissions", "--json"])
        .with(0)
        .json();
    assert_eq!(made["secret"].as_str().unwrap().len(), 48);
    let mut held = world.run(&["whoami", "--json"]).with(0).json()["permissions"].take();
    let held = held.as_array_mut().unwrap();
    held.retain(|permission| permission != "hallpass:own-tokens");
    assert!(held.contains(&"repo:write".into()), "{held:?}");
    assert_eq!(made["scope"].as_array().unwrap(), held);
    assert!(
        world
            .run(&["token", "revoke", "--self"])
            .with(2)
            .err()
            .contains("--yes")
    );
    world.run(&["token", "revoke", "--self", "--yes"]).with(0);
    world.run(&["whoami", "--host", &world.host]).with(4);
    world.run_with(&login(&world.host), PASSWORD).with(0);
    world
        .run(&[
            "token",
            "list",
            "--unused-since",
            "1h",
            "--sort",
            "-lastUsed",
        ])
        .with(0);
}
