//! `hallpass config`.

use crate::{
    arguments::Config,
    commands::serve::load,
    exit::{Exit, Failure},
    output::{self, Screen, Tone},
};
use hallpass_server::config::Source;
use serde::Serialize;

#[derive(Serialize)]
struct Setting<'a> {
    key: &'a str,
    value: &'a str,
    source: &'a str,
}

/// Prints the settings in force, secrets masked.
pub(super) fn run(arguments: &Config) -> Result<Exit, Failure> {
    let config = load(&arguments.settings)?;
    if arguments.form.json {
        let rows: Vec<Setting<'_>> = config
            .effective()
            .iter()
            .map(|row| Setting {
                key: row.key,
                value: &row.value,
                source: row.source.word(),
            })
            .collect();
        output::print_json(&rows)?;
    } else {
        let screen = Screen::of_process();
        let mut table = screen.table(&["SETTING", "VALUE", "SOURCE"]);
        for row in config.effective() {
            let tone = if row.source == Source::Default {
                Tone::Quiet
            } else {
                Tone::Plain
            };
            let value = if row.value.is_empty() {
                "-"
            } else {
                &row.value
            };
            table.add_row(vec![
                screen.cell(row.key, Tone::Plain),
                screen.cell(value, tone),
                screen.cell(row.source.word(), tone),
            ]);
        }
        output::print(&output::lines(table))?;
    }
    // The table is printed even so: it shows where the contradiction comes from.
    config
        .check()
        .map_err(|error| Failure::usage(error.to_string().trim_end_matches('.')))?;
    Ok(Exit::Done)
}
