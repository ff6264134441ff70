use super::{tokens::*, *};
use crate::moment::{Expires, Moment};
use clap::CommandFactory as _;
use hallpass_server::config::SETTINGS;

fn parsed(line: &str) -> Result<Command, clap::Error> {
    Arguments::try_parse_from(std::iter::once("hallpass").chain(line.split_whitespace()))
        .map(|arguments| arguments.command)
}

#[test]
fn the_definition_is_sound() {
    Arguments::command().debug_assert();
}

#[test]
fn every_setting_that_may_be_a_flag_is_one_and_no_secret_is() {
    for name in ["serve", "init", "config"] {
        let command = Arguments::command();
        let command = command.find_subcommand(name).unwrap();
        for setting in SETTINGS {
            let given = command
                .get_arguments()
                .any(|argument| argument.get_long() == Some(setting.key));
            assert_eq!(given, setting.flag, "{name} --{}", setting.key);
            assert!(!(given && setting.secret), "{name} --{}", setting.key);
        }
    }
}

#[test]
fn settings_are_handed_on_by_key() {
    let Ok(Command::Serve(serve)) = parsed(
        "serve --listen 127.0.0.1:1 --behind-tls-proxy --trusted-proxies 10.0.0.0/8 --trusted-proxies ::1/128,::2/128 --demo",
    ) else {
        panic!("serve is parsed");
    };
    let given: Vec<(&str, &str)> = serve
        .settings
        .0
        .iter()
        .map(|(key, value)| (*key, value.as_str()))
        .collect();
    assert_eq!(
        given,
        [
            ("behind-tls-proxy", "true"),
            ("listen", "127.0.0.1:1"),
            ("trusted-proxies", "10.0.0.0/8,::1/128,::2/128")
        ]
    );
    assert!(serve.demo);
    let Ok(Command::Config(config)) = parsed("config --behind-tls-proxy=false --json") else {
        panic!("config is parsed");
    };
    assert_eq!(
        config
            .settings
            .0
            .get("behind-tls-proxy")
            .map(String::as_str),
        Some("false")
    );
    assert!(parsed("serve --behind-tls-proxy=perhaps").is_err());
    assert!(parsed("serve").is_ok_and(
        |command| matches!(command, Command::Serve(serve) if serve.settings.0.is_empty())
    ));
}

#[test]
fn a_secret_is_no_flag() {
    for line in [
        "login --token x",
        "login --password x",
        "init --organization A --email a@b.c --password x",
        "token create ci --token x",
        "verify --token x",
        "verify x",
        "serve --gateway-secret x",
        "serve --peppers x",
    ] {
        assert_eq!(parsed(line).unwrap_err().exit_code(), 2, "{line}");
    }
    for command in Arguments::command().get_subcommands() {
        let flags = command.get_arguments().filter_map(|argument| {
            argument
                .get_long()
                .map(|long| (long, argument.get_action().takes_values()))
        });
        for (flag, takes_a_value) in flags {
            assert!(
                !takes_a_value || !["token", "secret", "password"].contains(&flag),
                "{} --{flag}",
                command.get_name()
            );
        }
    }
}

#[test]
fn tokens() {
    let Ok(Command::Token(Token::Create(create))) = parsed(
        "token create ci --expires never --permission repo:read --permission repo:write --json",
    ) else {
        panic!("create is parsed");
    };
    assert_eq!(
        (create.name.as_str(), create.expires),
        ("ci", Some(Expires::Never))
    );
    assert_eq!(create.permissions, ["repo:read", "repo:write"]);
    let Ok(Command::Token(Token::List(list))) =
        parsed("token list --sort -lastUsed --unused-since 90d --state revoked --search la")
    else {
        panic!("list is parsed");
    };
    assert_eq!(list.sort.as_deref(), Some("-lastUsed"));
    assert_eq!(list.unused_since, Some(Moment::Span(90 * 86_400)));
    for good in [
        "token show hpp_7Kd2mQ",
        "token revoke ci --yes",
        "token revoke --self",
        "verify -",
        "verify",
        "login --with-token",
        "logout --keep",
        "whoami",
        "completions fish",
    ] {
        assert!(parsed(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "token",
        "token create",
        "token create ci --expires 3m",
        "token create ci --permission a:b --all-permissions",
        "token list --sort size",
        "token list --state asleep",
        "token revoke",
        "token revoke ci --self",
        "login --with-token --email a@b.c",
        "completions tcsh",
    ] {
        assert_eq!(parsed(bad).unwrap_err().exit_code(), 2, "{bad}");
    }
}

#[test]
fn administration() {
    for good in [
        "org list --all --search x",
        "org switch Initech --password-stdin",
        "member invite a@b.c --role Member --no-tokens",
        "member forbid-tokens a@b.c -y --organization o",
        "role create Crew --permission a:b --permission c:*",
        "role change Crew --add a:b --remove c:*",
        "permission apply - --yes",
        "user create a@b.c --name A",
        "key create ci --role Crew --never-expires",
        "key rotate ci --overlap-until 7d",
        "policy set --max-days none --from 14d",
        "inventory export --format json -o x",
        "revoke --user a@b.c --dry-run",
        "token suspend ci --reason odd --until 12h",
        "audit verify --expected 3:ab",
        "explain ci --permission a:b",
    ] {
        assert!(parsed(good).is_ok(), "{good}: {:?}", parsed(good));
    }
    for bad in [
        "org",
        "org list --search x",
        "member invite a@b.c",
        "member invite a@b.c --role R --tokens --no-tokens",
        "member list --json --quiet",
        "role create Crew",
        "permission set a:b --risk huge",
        "key create ci --role Crew",
        "key create ci --role Crew --expires 1d --never-expires",
        "key rotate ci",
        "key rotate ci --leaked --until-quiet 7d",
        "policy set",
        "policy set --from 14d",
        "policy set --max-days 0",
        "policy set --never --no-never",
        "revoke --user a@b.c --everything",
        "revoke --everything --kind key",
        "revoke --everything --dry-run --yes",
        "audit list --deployment --organization o",
        "token suspend ci",
    ] {
        assert_eq!(parsed(bad).map(|_| ()).unwrap_err().exit_code(), 2, "{bad}");
    }
}

#[test]
fn the_exit_codes_are_in_the_help() {
    let help = Arguments::command().render_long_help().to_string();
    for exit in Exit::ALL {
        assert!(help.contains(&format!("\n  {}  ", exit.code())), "{help}");
    }
}
