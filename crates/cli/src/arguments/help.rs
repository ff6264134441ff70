//! What the help of each command says besides its arguments: how it is used, and what --quiet leaves of it.

use super::Arguments;
use clap::{Command, CommandFactory as _, FromArgMatches as _};

/// What this process was asked to do.
///
/// # Errors
/// What clap has to show: a help text, the version, or what it did not understand.
pub(crate) fn parse() -> Result<Arguments, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Arguments::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// The whole command line, with examples for every command.
pub(crate) fn command() -> Command {
    dressed(Arguments::command(), "")
}

fn dressed(command: Command, path: &str) -> Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|one| one.get_name().to_owned())
        .collect();
    if names.is_empty() {
        return leaf(command, path.trim_start());
    }
    names.into_iter().fold(command, |command, name| {
        let below = format!("{path} {name}");
        command.mut_subcommand(name, |one| dressed(one, &below))
    })
}

fn leaf(command: Command, path: &str) -> Command {
    let has_quiet = command.get_arguments().any(|one| one.get_id() == "quiet");
    let command = match quiet(path).filter(|_| has_quiet) {
        Some(text) => command.mut_arg("quiet", |argument| argument.help(text)),
        None => command,
    };
    let command = match path {
        // A policy has no id.
        "policy show" => command.mut_arg("quiet", |argument| argument.hide(true)),
        _ => command,
    };
    let examples = EXAMPLES.iter().find(|(name, _)| *name == path);
    let lines = examples.map_or(&[][..], |(_, lines)| lines);
    let s = if lines.len() == 1 { "" } else { "s" };
    let mut text = NOTES
        .iter()
        .find(|(name, _)| *name == path)
        .map_or_else(String::new, |(_, note)| format!("{note}\n\n"));
    text.push_str(&format!("Example{s}:"));
    for line in lines {
        text.push_str(&format!("\n  hallpass {path}{line}"));
    }
    command.after_help(text)
}

/// What --quiet leaves, where it is not a list of ids.
fn quiet(path: &str) -> Option<&'static str> {
    Some(match path {
        "token create" | "key create" | "key rotate" => {
            "Print the secret alone, and say nothing of what was done"
        }
        "member invite" => "Print the link alone, and say nothing of what was done",
        "org create" | "role create" | "user create" => {
            "Print the new id alone, and say nothing of what was done"
        }
        "permission list" => "Print names alone, one a line",
        "audit verify" => "Print the end alone, as --expected takes it",
        "inventory export" | "audit export" => "Say nothing of what was written",
        "permission apply" => "Say nothing of the difference and of what was done",
        listed if listed.ends_with(" list") || listed == "member invitations" => return None,
        shown if shown.ends_with(" show") => "Print the id alone",
        _ => "Say nothing of what was done",
    })
}

/// What has to be known before a command is used.
const NOTES: &[(&str, &str)] = &[
    (
        "token create",
        "There is no default for what the token may do: say --permission, or --all-permissions.",
    ),
    (
        "key create",
        "A key made with the token of `hallpass login` ends no later than that token, and is narrowed to what its role \
         holds now. One that lives longer, or that follows its role as it grows, is made on the page API keys or with a \
         session (POST /v1/sessions).",
    ),
];

/// Every command, and how it is used.
const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "serve",
        &["", " --listen 127.0.0.1:4377 --data ./hallpass-data"],
    ),
    (
        "init",
        &[" --organization Acme --email ada@acme.example --password-stdin < password.txt"],
    ),
    ("config", &["", " --json"]),
    (
        "login",
        &[
            "",
            " --host https://tokens.example.com --email ada@acme.example",
            " --with-token < ci.token",
        ],
    ),
    ("logout", &["", " --keep"]),
    ("whoami", &["", " --json"]),
    (
        "token create",
        &[
            " ci --permission repo:read --expires 60d > ci.token",
            " laptop --permission repo:* --permission deploy:staging > laptop.token",
            " everything --all-permissions --expires 12h > everything.token",
        ],
    ),
    ("token list", &["", " --unused-since 90d --sort lastUsed"]),
    ("token show", &[" laptop", " hpp_7Kd2mQ --json"]),
    ("token revoke", &[" laptop", " --self --yes"]),
    (
        "token suspend",
        &[" laptop --reason \"left on a train\" --until 7d"],
    ),
    ("token resume", &[" laptop"]),
    ("verify", &[" - --permission repo:read < ci.token"]),
    ("org list", &["", " --all --search ini"]),
    ("org show", &["", " --organization Initech --json"]),
    ("org create", &[" Initech"]),
    ("org rename", &[" Initrode --organization Initech"]),
    ("org suspend", &[" --organization Initech"]),
    ("org resume", &[" --organization Initech"]),
    ("org switch", &[" Initech"]),
    ("member list", &[" --role Admin", " --suspended"]),
    ("member show", &[" eve@acme.example"]),
    (
        "member invite",
        &[" eve@acme.example --role Member > invitation.link"],
    ),
    ("member invitations", &[""]),
    ("member withdraw", &[" eve@acme.example"]),
    (
        "member add",
        &[" eve@acme.example --role Member --no-tokens"],
    ),
    ("member role", &[" eve@acme.example Viewer"]),
    ("member allow-tokens", &[" eve@acme.example"]),
    ("member forbid-tokens", &[" eve@acme.example"]),
    ("member suspend", &[" eve@acme.example"]),
    ("member resume", &[" eve@acme.example"]),
    ("member remove", &[" eve@acme.example --yes"]),
    ("role list", &[""]),
    ("role show", &[" Deployer"]),
    (
        "role create",
        &[" Deployer --permission deploy:* --permission repo:read"],
    ),
    (
        "role change",
        &[" Deployer --remove deploy:* --add deploy:staging"],
    ),
    ("role delete", &[" Deployer --move-members-to Member"]),
    ("permission list", &[""]),
    (
        "permission set",
        &[" deploy:production --description \"Deploy to production\" --risk high"],
    ),
    ("permission delete", &[" deploy:production"]),
    (
        "permission apply",
        &[" permissions.toml --dry-run", " permissions.toml --prune"],
    ),
    ("user list", &[" --search acme"]),
    ("user show", &[" eve@acme.example"]),
    ("user create", &[" eve@acme.example --name Eve"]),
    ("user suspend", &[" eve@acme.example"]),
    ("user resume", &[" eve@acme.example"]),
    ("user remove", &[" eve@acme.example --yes"]),
    ("key list", &["", " --state active --search deploy"]),
    ("key show", &[" deploy"]),
    (
        "key create",
        &[
            " deploy --role Deployer --expires 60d > deploy.key",
            " backup --role Viewer --expires 30d --allow-address 192.0.2.0/24 > backup.key",
        ],
    ),
    (
        "key rotate",
        &[
            " deploy --until-quiet 7d > deploy.key",
            " deploy --leaked > deploy.key",
        ],
    ),
    ("key suspend", &[" deploy --reason \"odd use\" --until 12h"]),
    ("key resume", &[" deploy"]),
    ("key revoke", &[" deploy"]),
    ("policy show", &[""]),
    (
        "policy set",
        &[
            " --max-days 90 --no-never --dry-run",
            " --max-days 90 --no-never --from 14d",
            " --forbid deploy:* --unused-days 60",
        ],
    ),
    ("policy withdraw", &[""]),
    (
        "inventory list",
        &[
            " --unused-since 90d --state active",
            " --owner eve@acme.example",
        ],
    ),
    ("inventory export", &[" --format csv --output tokens.csv"]),
    (
        "revoke",
        &[
            " --user eve@acme.example",
            " --made-before 2026-11-01",
            " --kind token --never-expires --unused-since 180d --dry-run",
        ],
    ),
    (
        "explain",
        &[
            " hpp_7Kd2mQ --permission repo:read",
            " deploy --permission deploy:staging --address 192.0.2.7",
        ],
    ),
    (
        "audit list",
        &[
            " --action token.revoked --since 7d",
            " --actor eve@acme.example --limit 200",
        ],
    ),
    (
        "audit export",
        &[" --format jsonl --since 2026-01-01 --output audit.jsonl"],
    ),
    ("audit verify", &["", " --expected 82:25ffc6"]),
    (
        "completions",
        &[" bash > ~/.local/share/bash-completion/completions/hallpass"],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    /// The commands that do something, with what leads to them.
    fn leaves(command: &Command, path: &str, found: &mut Vec<(String, Command)>) {
        for one in command.get_subcommands() {
            let below = format!("{path} {}", one.get_name());
            if one.has_subcommands() {
                leaves(one, &below, found);
            } else {
                found.push((below.trim_start().to_owned(), one.clone()));
            }
        }
    }

    fn all() -> Vec<(String, Command)> {
        let mut found = Vec::new();
        leaves(&command(), "", &mut found);
        found
    }

    /// The words of a line as a shell has them, without what it redirects.
    fn words(line: &str) -> Vec<String> {
        let line = line.split(['<', '>']).next().unwrap();
        let quoted = line.split('"').enumerate();
        quoted
            .flat_map(|(index, piece)| match index % 2 {
                0 => piece.split_whitespace().map(str::to_owned).collect(),
                _ => vec![piece.to_owned()],
            })
            .collect()
    }

    #[test]
    fn every_command_has_examples_that_are_understood() {
        let leaves = all();
        assert!(leaves.len() > 50, "{}", leaves.len());
        for (path, command) in &leaves {
            let help = command.clone().render_long_help().to_string();
            let (_, examples) = help
                .split_once("Example")
                .unwrap_or_else(|| panic!("{path} --help has no example"));
            let lines: Vec<&str> = examples.lines().skip(1).collect();
            assert!(!lines.is_empty(), "{path} --help has no example");
            for line in lines {
                assert!(
                    line.starts_with(&format!("  hallpass {path}")),
                    "{path}: {line}"
                );
                let parsed = Arguments::try_parse_from(words(line));
                assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
            }
        }
        for (path, _) in EXAMPLES {
            assert!(leaves.iter().any(|(name, _)| name == path), "{path}");
        }
        for (path, _) in NOTES {
            assert!(leaves.iter().any(|(name, _)| name == path), "{path}");
        }
    }

    #[test]
    fn every_argument_says_what_can_be_given() {
        for (path, command) in all() {
            for argument in command.get_arguments() {
                let help = argument.get_help().map(ToString::to_string);
                let help = help.unwrap_or_default();
                let is_known = ["help", "version"].contains(&argument.get_id().as_str());
                assert!(
                    is_known || help.len() >= "Its name".len(),
                    "{path} {}: {help:?}",
                    argument.get_id()
                );
            }
        }
    }

    #[test]
    fn quiet_says_what_is_left() {
        let told = |path: &str| {
            let (_, command) = all().into_iter().find(|(name, _)| name == path).unwrap();
            let quiet = command.get_arguments().find(|one| one.get_id() == "quiet");
            quiet.unwrap().get_help().unwrap().to_string()
        };
        for (path, text) in [
            ("token list", "Print ids alone"),
            ("token create", "Print the secret alone"),
            ("key rotate", "Print the secret alone"),
            ("member invite", "Print the link alone"),
            ("member invitations", "Print ids alone"),
            ("permission list", "Print names alone"),
            ("role show", "Print the id alone"),
            ("org create", "Print the new id alone"),
            ("audit verify", "Print the end alone"),
            ("member remove", "Say nothing"),
            ("token revoke", "Say nothing"),
        ] {
            assert!(told(path).starts_with(text), "{path}: {}", told(path));
        }
    }
}
