//! The one way in which things of the server are printed: many as a table, one as a card, both as JSON or ids alone.

use super::{Screen, Tone, lines, print, print_json, tell, tokens::key_values};
use crate::{
    arguments::within::Report,
    exit::{Exit, Failure, clean},
};
use comfy_table::Row;
use hallpass_domain::time::Timestamp;
use serde::Serialize;
use serde_json::json;

/// A text and what it means to the reader.
pub(crate) type Text = (String, Tone);

/// A line of a card.
pub(crate) type Fact = (&'static str, String, Tone);

/// What can be printed.
pub(crate) trait Shown: Serialize {
    /// What the columns of a table are headed.
    const HEADS: &'static [&'static str];

    /// What names it alone.
    fn id(&self) -> &str;

    /// Its line in a table.
    fn row(&self, now: Timestamp) -> Vec<Text>;

    /// All there is to say of it.
    fn card(&self, now: Timestamp) -> Vec<Fact>;
}

/// A text without a meaning of its own.
pub(crate) fn plain(text: impl Into<String>) -> Text {
    (text.into(), Tone::Plain)
}

/// A standing or a state.
pub(crate) fn state(word: &str) -> Text {
    let tone = match word {
        "active" => Tone::Good,
        "suspended" => Tone::Warning,
        "revoked" => Tone::Bad,
        _ => Tone::Quiet,
    };
    (word.to_owned(), tone)
}

/// `yes` or `no`.
pub(crate) fn yes_no(value: bool) -> Text {
    if value {
        plain("yes")
    } else {
        ("no".to_owned(), Tone::Quiet)
    }
}

/// The texts with commas between them; a dash when there are none.
pub(crate) fn joined(texts: &[String]) -> String {
    if texts.is_empty() {
        "-".to_owned()
    } else {
        texts.join(", ")
    }
}

/// Prints many; `none` is what people read when there are none.
///
/// # Errors
/// As [`print()`].
pub(crate) fn list<T: Shown>(
    items: &[T],
    none: &str,
    report: Report,
    now: Timestamp,
) -> Result<Exit, Failure> {
    if report.json {
        print_json(&json!({ "items": items, "nextCursor": null }))?;
    } else if report.quiet {
        let ids: String = items
            .iter()
            .map(|item| format!("{}\n", clean(item.id())))
            .collect();
        print(&ids)?;
    } else if items.is_empty() {
        print(&format!("{none}\n"))?;
    } else {
        print(&table(items, now, Screen::of_process()))?;
    }
    Ok(Exit::Done)
}

/// The table of many.
pub(crate) fn table<T: Shown>(items: &[T], now: Timestamp, screen: Screen) -> String {
    let mut table = screen.table(T::HEADS);
    for item in items {
        let cells = item.row(now);
        table.add_row(Row::from(
            cells
                .iter()
                .map(|(text, tone)| screen.cell(text, *tone))
                .collect::<Vec<_>>(),
        ));
    }
    lines(table)
}

/// Prints one.
///
/// # Errors
/// As [`print()`].
pub(crate) fn one<T: Shown>(item: &T, report: Report, now: Timestamp) -> Result<Exit, Failure> {
    if report.json {
        print_json(item)?;
    } else if report.quiet {
        print(&format!("{}\n", clean(item.id())))?;
    } else {
        print(&key_values(&item.card(now), Screen::of_process()))?;
    }
    Ok(Exit::Done)
}

/// Tells that something was made; its id goes to standard output, where a script finds it.
///
/// # Errors
/// As [`print()`].
pub(crate) fn made<T: Shown>(item: &T, told: &str, report: Report) -> Result<Exit, Failure> {
    if report.json {
        print_json(item)?;
    } else {
        say(told, report);
        print(&format!("{}\n", clean(item.id())))?;
    }
    Ok(Exit::Done)
}

/// Tells that something was changed, and how it is now.
///
/// # Errors
/// As [`print()`].
pub(crate) fn changed<T: Shown>(item: &T, told: &str, report: Report) -> Result<Exit, Failure> {
    if report.json {
        print_json(item)?;
    } else {
        say(told, report);
    }
    Ok(Exit::Done)
}

/// Tells what was done, unless nobody wants to know.
pub(crate) fn say(told: &str, report: Report) {
    if !report.quiet && !report.json {
        tell(told);
    }
}

/// `1 token`, `3 tokens`.
pub(crate) fn count(number: u64, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {what}{s}")
}
