//! An organization from a terminal: organizations, members, roles, permissions, users.

use crate::world::{EMAIL, PASSWORD, World, items};

#[test]
fn an_organization_is_made_peopled_suspended_and_resumed() {
    let world = World::signed_in();
    let made = world.run(&["org", "create", "Initech"]).with(0);
    let id = made.out().trim_end().to_owned();
    assert!(id.len() == 36 && made.err().contains("Initech") && !made.err().contains("\"id\""));

    let own = items(&world.run(&["org", "list", "--json"]).with(0));
    assert_eq!(
        (&own[0]["name"], &own[0]["current"]),
        (&"Acme".into(), &true.into())
    );
    let all = world.run(&["org", "list", "--all"]).with(0).out();
    assert!(
        all.contains("Acme (runs the deployment)") && all.contains(&id),
        "{all}"
    );
    assert_eq!(
        world
            .run(&["org", "list", "--all", "--quiet", "--search", "initech"])
            .with(0)
            .out(),
        format!("{id}\n")
    );

    let there = ["--organization", id.as_str()];
    let link = world
        .run(
            &[
                &[
                    "member",
                    "invite",
                    "Eve@initech.example",
                    "--role",
                    "superuser",
                ],
                &there[..],
            ]
            .concat(),
        )
        .with(0);
    let code = link.out().trim_end().to_owned();
    assert!(code.contains("/invitation?code=") && code.lines().count() == 1);
    assert!(!link.err().contains("code="), "{}", link.err());
    let again = ["member", "invite", "eve@initech.example", "--role"];
    world
        .run(&[&again[..], &["nosuch"], &there[..]].concat())
        .with(5)
        .says("hallpass role list");
    let second = world
        .run(&[&again[..], &["Superuser"], &there[..]].concat())
        .with(0);
    assert!(!link.err().contains("withdrawn"), "{}", link.err());
    assert!(
        second
            .err()
            .contains("was open for this address is withdrawn"),
        "{}",
        second.err()
    );
    let open = items(
        &world
            .run(&[&["member", "invitations", "--json"], &there[..]].concat())
            .with(0),
    );
    assert_eq!(open[0]["role"]["name"], "Superuser");
    assert!(open[0].get("link").is_none());
    world
        .run(&[&["member", "withdraw", "eve@initech.example"], &there[..]].concat())
        .with(0);
    world
        .run(&[&["member", "withdraw", "eve@initech.example"], &there[..]].concat())
        .with(5);

    world
        .run(&[&["org", "rename", "Initrode"], &there[..]].concat())
        .with(0);
    let unasked = world
        .run(&[&["org", "suspend"], &there[..]].concat())
        .with(2);
    assert!(
        unasked.err().contains("--yes") && unasked.err().contains("Initrode"),
        "{}",
        unasked.err()
    );
    world
        .run(&[&["org", "suspend", "--yes"], &there[..]].concat())
        .with(0);
    let shown = world
        .run(&[&["org", "show", "--json"], &there[..]].concat())
        .with(0)
        .json();
    assert_eq!(
        (&shown["name"], &shown["standing"]),
        (&"Initrode".into(), &"suspended".into())
    );
    world
        .run(&[&["org", "resume", "-q"], &there[..]].concat())
        .with(0);
    world.run(&["org", "suspend", "--yes"]).with(6);
    let resumed = world.run(&["org", "resume"]).with(0);
    resumed.says("Nothing changed: “Acme” is active already.");
    let own = world
        .run(&["org", "show", "-q", "--organization", "ACME"])
        .with(0)
        .out();
    assert_eq!(own, world.run(&["org", "show", "-q"]).with(0).out());
    world
        .run(&["org", "show", "--organization", "Initrode", "--quiet"])
        .with(0);
    let unknown = world
        .run(&["org", "show", "--organization", "Umbrella"])
        .with(5);
    assert!(
        unknown.err().contains("hallpass org list --all"),
        "{}",
        unknown.err()
    );
    world
        .run(&[
            "org",
            "show",
            "--organization",
            "019abc00-0000-7000-8000-000000000009",
        ])
        .with(5);
}

#[test]
fn members_are_found_by_address_and_lose_and_regain_their_tokens() {
    let world = World::signed_in();
    let eve = "eve@acme.example";
    world
        .run_with(
            &["user", "create", eve, "--name", "Eve", "--password-stdin"],
            PASSWORD,
        )
        .with(0);
    world
        .run(&["user", "create", "EVE@acme.example", "--name", "Eve"])
        .with(6);
    world
        .run(&["member", "add", eve, "--role", "Member"])
        .with(0);

    let member = |world: &World| {
        world
            .run(&["member", "show", "EVE@Acme.example", "--json"])
            .with(0)
            .json()
    };
    assert_eq!(
        (
            &member(&world)["role"]["name"],
            &member(&world)["mayHaveTokens"]
        ),
        (&"Member".into(), &true.into())
    );
    assert!(
        world
            .run(&["member", "role", eve, "Viewer"])
            .with(0)
            .err()
            .contains("was Member")
    );
    assert_eq!(member(&world)["role"]["name"], "Viewer");

    let unasked = world.run(&["member", "forbid-tokens", eve]).with(2).err();
    assert!(
        unasked.contains("0 live tokens") && unasked.contains("--yes"),
        "{unasked}"
    );
    assert_eq!(
        member(&world)["mayHaveTokens"],
        true,
        "nothing was changed without a yes"
    );
    let nothing = |arguments: &[&str], told: &str| {
        let told = format!("Nothing changed: Eve (eve@acme.example) {told} already.");
        world.run(arguments).with(0).says(&told);
    };
    nothing(&["member", "allow-tokens", eve], "may have tokens");
    nothing(&["member", "resume", eve], "is an active member");
    nothing(&["user", "resume", eve], "is active");
    world
        .run(&["member", "forbid-tokens", eve, "--yes"])
        .with(0)
        .says("0 live tokens stopped working");
    nothing(&["member", "forbid-tokens", eve], "may not have tokens");
    assert_eq!(member(&world)["mayHaveTokens"], false);
    world.run(&["member", "allow-tokens", eve]).with(0);
    assert_eq!(member(&world)["mayHaveTokens"], true);

    world.run(&["member", "suspend", eve, "--yes"]).with(0);
    nothing(&["member", "suspend", eve], "is suspended here");
    let suspended = items(
        &world
            .run(&["member", "list", "--suspended", "--json"])
            .with(0),
    );
    assert_eq!((suspended.len(), &suspended[0]["email"]), (1, &eve.into()));
    world.run(&["member", "resume", eve]).with(0);
    assert!(
        world
            .run(&["member", "list", "--suspended"])
            .with(0)
            .out()
            .contains("No member is like that")
    );
    let table = world
        .run(&["member", "list", "--role", "viewer"])
        .with(0)
        .out();
    assert!(table.contains(eve) && !table.contains(EMAIL), "{table}");

    world.run(&["member", "remove", eve, "--yes"]).with(0);
    let gone = world.run(&["member", "show", eve]).with(5).err();
    assert!(gone.contains("hallpass member list"), "{gone}");
    let last = world
        .run(&["member", "role", EMAIL, "Member"])
        .with(6)
        .err();
    assert!(
        last.contains("hallpass member role USER Superuser"),
        "{last}"
    );

    world.run(&["user", "suspend", eve, "--yes"]).with(0);
    nothing(&["user", "suspend", eve], "is suspended everywhere");
    assert_eq!(
        world.run(&["user", "show", eve, "--json"]).with(0).json()["standing"],
        "suspended"
    );
    world.run(&["user", "resume", eve]).with(0);
    world.run(&["user", "remove", eve]).with(2);
    world.run(&["user", "remove", eve, "--yes"]).with(0);
    assert!(!world.run(&["user", "list"]).with(0).out().contains(eve));
}

#[test]
fn roles_are_made_changed_and_deleted_with_their_members_moved() {
    let world = World::signed_in();
    world
        .run(&[
            "role",
            "create",
            "Crew",
            "--permission",
            "repo:*",
            "--description",
            "Releases.",
        ])
        .with(0);
    let role = |world: &World| {
        world
            .run(&["role", "show", "crew", "--json"])
            .with(0)
            .json()
    };
    assert_eq!(role(&world)["named"], serde_json::json!(["repo:*"]));
    world
        .run(&["role", "create", "crew", "--permission", "repo:read"])
        .with(6);
    world
        .run(&["role", "change", "Crew", "--remove", "repo:read"])
        .with(2);

    world
        .run(&["user", "create", "eve@acme.example", "--name", "Eve"])
        .with(0);
    world
        .run(&[
            "member",
            "add",
            "eve@acme.example",
            "--role",
            "Crew",
            "--no-tokens",
        ])
        .with(0);
    let change = [
        "role",
        "change",
        "Crew",
        "--remove",
        "repo:*",
        "--add",
        "repo:read",
    ];
    let unasked = world.run(&change).with(2).err();
    assert!(
        unasked.contains("1 member") && unasked.contains("repo:*"),
        "{unasked}"
    );
    world
        .run(&[&change[..], &["--yes", "--name", "Hands"]].concat())
        .with(0);
    let after = world
        .run(&["role", "show", "Hands", "--json"])
        .with(0)
        .json();
    assert_eq!(
        (&after["named"], &after["description"]),
        (&serde_json::json!(["repo:read"]), &"Releases.".into())
    );

    let in_use = world
        .run(&["role", "delete", "Hands", "--yes"])
        .with(6)
        .err();
    assert!(in_use.contains("--move-members-to"), "{in_use}");
    world
        .run(&[
            "role",
            "delete",
            "Hands",
            "--move-members-to",
            "Viewer",
            "--yes",
        ])
        .with(0);
    let table = world.run(&["role", "list"]).with(0).out();
    assert!(
        table.contains("Superuser (built in)") && !table.contains("Hands"),
        "{table}"
    );
    let eve = world
        .run(&["member", "show", "eve@acme.example", "--json"])
        .with(0)
        .json();
    assert_eq!(eve["role"]["name"], "Viewer");
    assert_eq!(eve["mayHaveTokens"], false);
}

#[test]
fn who_is_in_two_organizations_switches_with_their_password() {
    let world = World::signed_in();
    let id = world
        .run(&["org", "create", "Initech"])
        .with(0)
        .out()
        .trim_end()
        .to_owned();
    world
        .run(&[
            "member",
            "add",
            EMAIL,
            "--role",
            "Superuser",
            "--organization",
            &id,
        ])
        .with(0);
    let nobody = world.run(&["org", "switch", "Initech"]).with(2).err();
    assert!(
        nobody.contains("--password-stdin") && !nobody.contains("--with-token"),
        "{nobody}"
    );
    let unknown = world
        .run_with(&["org", "switch", "Umbrella", "--password-stdin"], PASSWORD)
        .with(5)
        .err();
    assert!(unknown.contains("You are in: Acme, Initech"), "{unknown}");
    world.run(&["whoami"]).with(0);
    let told = world
        .run_with(&["org", "switch", "initech", "--password-stdin"], PASSWORD)
        .with(0)
        .err();
    assert!(
        told.contains("(Initech)") && !told.contains(PASSWORD),
        "{told}"
    );
    assert_eq!(
        world.run(&["whoami", "--json"]).with(0).json()["organization"]["id"],
        id.as_str()
    );
    let back = [
        "login",
        "--host",
        &world.host,
        "--email",
        EMAIL,
        "--password-stdin",
        "--organization",
        "Acme",
    ];
    world.run_with(&back, PASSWORD).with(0);
    assert_eq!(
        world.run(&["whoami", "--json"]).with(0).json()["organization"]["name"],
        "Acme"
    );
}
