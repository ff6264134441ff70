//! The flags of `serve`, `init` and `config`, made from the server's table of settings: nothing is listed twice.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};
use hallpass_server::config::{SETTINGS, Setting, Shape};
use std::collections::BTreeMap;

/// The settings that were given as flags, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SettingFlags(pub(crate) BTreeMap<&'static str, String>);

impl Args for SettingFlags {
    fn augment_args(command: Command) -> Command {
        given_as_flags().fold(command, |command, setting| command.arg(argument(setting)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut this = Self::default();
        this.update_from_arg_matches(matches)?;
        Ok(this)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        for setting in given_as_flags() {
            if let Some(values) = matches.get_many::<String>(setting.key) {
                let values: Vec<&str> = values.map(String::as_str).collect();
                self.0.insert(setting.key, values.join(","));
            }
        }
        Ok(())
    }
}

fn given_as_flags() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| setting.flag)
}

fn argument(setting: &'static Setting) -> Arg {
    let mut help = setting.help.to_owned();
    help.push_str(&format!(" [env: {}]", setting.env));
    if !setting.default.is_empty() {
        help.push_str(&format!(" [default: {}]", setting.default));
    }
    let argument = Arg::new(setting.key)
        .long(setting.key)
        .help(help)
        .help_heading("Settings");
    match setting.shape {
        Shape::Text => argument.value_name(setting.value_name),
        Shape::List => argument
            .value_name(setting.value_name)
            .action(ArgAction::Append),
        Shape::Switch => argument
            .value_name("true|false")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(["true", "false"]),
    }
}
