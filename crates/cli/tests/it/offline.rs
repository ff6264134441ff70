//! What needs no server.

use crate::world::{hallpass, run};
use hallpass_testkit::{free_port, temp_dir};

/// The shape of a token, cut: enough to be refused.
const LIKE_A_TOKEN: &str = "hpp_7Kd2mQv9XwB4nT1cRz8LpY3sHf6JgU5aEoNiW0x2Vb7q";

#[test]
fn a_token_as_an_argument_is_refused_before_anything_else_and_not_repeated() {
    let home = temp_dir();
    for arguments in [
        vec!["verify", LIKE_A_TOKEN],
        vec!["login", "--token", LIKE_A_TOKEN],
        vec!["no-such-command", "--x=hpp_7Kd2mQv9XwB4nT1cRz8"],
        vec!["--help", LIKE_A_TOKEN],
    ] {
        let ended = run(hallpass(&home).args(arguments), "").with(2);
        let told = ended.err();
        assert!(
            told.starts_with("error: ")
                && told.contains("hpp_7Kd2mQ…")
                && told.contains("history")
                && told.contains("revoke"),
            "{told}"
        );
        assert!(
            !told.contains("v9XwB4nT1") && ended.out().is_empty(),
            "{told}"
        );
    }
}

#[test]
fn a_key_as_an_argument_is_told_how_a_key_is_revoked() {
    let home = temp_dir();
    for (argument, told) in [
        (
            "hpk_7Kd2mQv9XwB4nT1cRz8",
            "hallpass key revoke hpk_7Kd2mQ\n",
        ),
        (
            "ack_7Kd2mQv9XwB4nT1cRz8Lp",
            "hallpass key revoke ack_7Kd2mQ\n",
        ),
        (
            "hpp_7Kd2mQv9XwB4nT1cRz8",
            "hallpass token revoke hpp_7Kd2mQ\n",
        ),
    ] {
        run(hallpass(&home).args(["verify", argument]), "")
            .with(2)
            .says(told);
    }
}

#[test]
fn every_list_of_the_audit_has_a_line_at_least() {
    let home = temp_dir();
    for limit in ["0", "20001", "-1"] {
        run(
            hallpass(&home).args(["audit", "list", &format!("--limit={limit}")]),
            "",
        )
        .with(2)
        .says("1..=20000");
    }
}

#[test]
fn what_is_not_understood_ends_with_two_and_help_with_nothing() {
    let home = temp_dir();
    run(hallpass(&home).arg("serv"), "").with(2);
    run(&mut hallpass(&home), "").with(2);
    assert!(
        run(hallpass(&home).arg("--help"), "")
            .with(0)
            .out()
            .contains("Exit codes:")
    );
    assert!(
        run(hallpass(&home).arg("--version"), "")
            .with(0)
            .out()
            .starts_with("hallpass ")
    );
    assert!(
        run(hallpass(&home).args(["completions", "bash"]), "")
            .with(0)
            .out()
            .contains("whoami")
    );
}

#[test]
fn who_is_not_signed_in_is_told_how() {
    let home = temp_dir();
    for arguments in [
        vec!["whoami"],
        vec!["token", "list"],
        vec!["token", "create", "ci"],
        vec!["verify", "-"],
    ] {
        let ended = run(hallpass(&home).args(arguments), "x").with(4);
        assert!(ended.err().contains("hallpass login"), "{}", ended.err());
    }
    let ended = run(
        hallpass(&home)
            .arg("whoami")
            .env("HALLPASS_TOKEN", "hpp_not_a_token_but_secret"),
        "",
    )
    .with(4);
    assert!(!ended.err().contains("secret"), "{}", ended.err());
    run(hallpass(&home).arg("logout"), "").with(0);
}

#[test]
fn a_server_that_is_not_there_cannot_be_reached() {
    let home = temp_dir();
    let host = format!("http://127.0.0.1:{}", free_port());
    let ended = run(
        hallpass(&home).args([
            "login",
            "--email",
            "a@b.example",
            "--password-stdin",
            "--host",
            &host,
        ]),
        "pass word",
    )
    .with(3);
    assert!(
        ended.err().contains(&host) && ended.err().contains("hallpass serve"),
        "{}",
        ended.err()
    );
    assert!(!ended.err().contains("pass word"));
}

#[test]
fn nothing_goes_over_plain_http_to_another_machine() {
    let home = temp_dir();
    let ended = run(
        hallpass(&home).args([
            "login",
            "--email",
            "a@b.example",
            "--password-stdin",
            "--host",
            "http://192.0.2.7",
        ]),
        "pass word",
    )
    .with(2);
    assert!(
        ended.err().contains("can be read on the way"),
        "{}",
        ended.err()
    );
    run(
        hallpass(&home)
            .args(["login", "--email", "a@b.example", "--password-stdin"])
            .env("HALLPASS_HOST", "http://192.0.2.7"),
        "pass word",
    )
    .with(2);
}

#[test]
fn nobody_is_asked_where_nobody_is() {
    let home = temp_dir();
    run(
        hallpass(&home).args(["login", "--host", "http://127.0.0.1:1"]),
        "",
    )
    .with(2);
    run(
        hallpass(&home).args(["init", "--organization", "A", "--email", "a@b.example"]),
        "",
    )
    .with(2);
    run(
        hallpass(&home).args([
            "init",
            "--organization",
            "A",
            "--email",
            "a@b.example",
            "--password-stdin",
        ]),
        "",
    )
    .with(2);
}

#[test]
fn settings_come_from_flags_before_the_environment_before_the_file() {
    let home = temp_dir();
    let config = |flags: &[&str]| {
        let mut command = hallpass(&home);
        command.args(["config", "--json"]).args(flags);
        command
    };
    let row = |rows: &serde_json::Value, key: &str| {
        rows.as_array()
            .unwrap()
            .iter()
            .find(|row| row["key"] == key)
            .unwrap()
            .clone()
    };
    std::fs::write(
        home.path().join("hallpass.toml"),
        "listen = \"127.0.0.1:1111\"\nlog-level = \"debug\"\n",
    )
    .unwrap();

    let rows = run(&mut config(&[]), "").with(0).json();
    assert_eq!(
        row(&rows, "listen"),
        serde_json::json!({"key": "listen", "value": "127.0.0.1:1111", "source": "file"})
    );
    assert_eq!(row(&rows, "gateway-listen")["source"], "default");

    let rows = run(config(&[]).env("HALLPASS_LISTEN", "127.0.0.1:2222"), "")
        .with(0)
        .json();
    assert_eq!(
        (
            &row(&rows, "listen")["value"],
            &row(&rows, "listen")["source"]
        ),
        (&"127.0.0.1:2222".into(), &"environment".into())
    );

    let rows = run(
        config(&["--listen", "127.0.0.1:3333"]).env("HALLPASS_LISTEN", "127.0.0.1:2222"),
        "",
    )
    .with(0)
    .json();
    assert_eq!(
        (
            &row(&rows, "listen")["value"],
            &row(&rows, "listen")["source"]
        ),
        (&"127.0.0.1:3333".into(), &"flag".into())
    );
    assert_eq!(row(&rows, "log-level")["source"], "file");

    let table = run(hallpass(&home).args(["config", "--log-level", "warn"]), "")
        .with(0)
        .out();
    assert!(
        table.lines().any(
            |line| line.split_whitespace().collect::<Vec<_>>() == ["log-level", "warn", "flag"]
        ),
        "{table}"
    );
}

#[test]
fn settings_that_cannot_be_gone_by_are_shown_and_refused_without_their_secrets() {
    let home = temp_dir();
    let canary = "canary-0123456789-0123456789-0123456789";
    let ended = run(
        hallpass(&home)
            .args(["config", "--listen", "0.0.0.0:4377"])
            .env(
                "HALLPASS_DATABASE",
                "postgres://ada:canary-password@db.example/hallpass",
            )
            .env("HALLPASS_GATEWAY_SECRET", canary),
        "",
    )
    .with(2);
    assert!(
        ended.err().contains("unencrypted") && ended.out().contains("0.0.0.0:4377"),
        "{}",
        ended.err()
    );
    for text in [ended.out(), ended.err()] {
        assert!(!text.contains("canary"), "{text}");
    }
    let ended = run(
        hallpass(&home).args([
            "config",
            "--database",
            "postgres://ada:canary@db.example/hallpass",
        ]),
        "",
    )
    .with(2);
    assert!(
        ended.err().contains("never an argument") && !ended.err().contains("canary"),
        "{}",
        ended.err()
    );
    run(hallpass(&home).args(["config", "--listen", "nowhere"]), "").with(2);
    run(
        hallpass(&home).args(["serve", "--listen", "0.0.0.0:4377"]),
        "",
    )
    .with(2);
}
