//! Tokens, as people read them.

use super::{Screen, Tone, lines};
use crate::{exit::clean, limits::PERMISSIONS_IN_TABLE_MAX, moment::relative};
use comfy_table::Row;
use hallpass_domain::{
    limits::EXPIRY_WARNING_DAYS,
    time::{SECONDS_PER_DAY, Timestamp},
};
use hallpass_wire::PersonalAccessToken;

/// A table of tokens.
///
/// `filtered`: there may be others.
pub(crate) fn table(
    tokens: &[PersonalAccessToken],
    filtered: bool,
    now: Timestamp,
    screen: Screen,
) -> String {
    if tokens.is_empty() {
        return if filtered {
            "No token is like that. `hallpass token list` shows all.\n"
        } else {
            "No tokens. `hallpass token create NAME` makes one.\n"
        }
        .to_owned();
    }
    let mut table = screen.table(&[
        "NAME",
        "PREFIX",
        "STATE",
        "EXPIRES",
        "LAST USED",
        "PERMISSIONS",
    ]);
    for token in tokens {
        // When a revoked token would have ended helps nobody.
        let (expires, tone) = if token.revoked.is_some() {
            ("-".to_owned(), Tone::Quiet)
        } else {
            expires(token, now)
        };
        table.add_row(Row::from(vec![
            screen.cell(&token.name, Tone::Plain),
            screen.cell(&token.prefix, Tone::Plain),
            screen.cell(&token.state, state_tone(&token.state)),
            screen.cell(&expires, tone),
            screen.cell(&last_used(token, now, false), Tone::Plain),
            screen.cell(
                &permissions(token, Some(PERMISSIONS_IN_TABLE_MAX)),
                Tone::Plain,
            ),
        ]));
    }
    lines(table)
}

/// Everything about one token, a line each.
pub(crate) fn card(token: &PersonalAccessToken, now: Timestamp, screen: Screen) -> String {
    let (expires, tone) = expires(token, now);
    let mut rows = vec![
        ("name", token.name.clone(), Tone::Plain),
        ("prefix", token.prefix.clone(), Tone::Plain),
        ("id", token.id.clone(), Tone::Plain),
        ("state", token.state.clone(), state_tone(&token.state)),
        ("owner", token.owner.name.clone(), Tone::Plain),
        ("organization", token.organization.name.clone(), Tone::Plain),
        ("permissions", permissions(token, None), Tone::Plain),
        ("created", both(&token.created, now), Tone::Plain),
        (
            "expires",
            with_exact(expires, token.expiration_date.as_deref()),
            tone,
        ),
        (
            "last used",
            with_exact(last_used(token, now, true), token.last_used.as_deref()),
            Tone::Plain,
        ),
    ];
    if let Some(agent) = &token.last_used_agent {
        rows.push(("last used by", agent.clone(), Tone::Plain));
    }
    if let Some(revoked) = &token.revoked {
        rows.push(("revoked", both(revoked, now), Tone::Bad));
    }
    key_values(&rows, screen)
}

/// Names and values, a line each.
pub(crate) fn key_values(rows: &[(&str, String, Tone)], screen: Screen) -> String {
    let mut table = screen.bare_table();
    for (name, value, tone) in rows {
        table.add_row(Row::from(vec![
            screen.cell(name, Tone::Quiet),
            screen.cell(value, *tone),
        ]));
    }
    lines(table)
}

/// When, by whom and for what a token was last used, for a sentence or a cell.
pub(crate) fn last_used(token: &PersonalAccessToken, now: Timestamp, whole: bool) -> String {
    let Some(used) = &token.last_used else {
        return "never".to_owned();
    };
    let mut text = told(used, now);
    if let (Some(method), Some(path)) = (&token.last_used_method, &token.last_used_path) {
        text.push_str(&format!(", {method} {path}"));
    }
    if let (true, Some(address)) = (whole, &token.last_used_address) {
        text.push_str(&format!(" from {address}"));
    }
    clean(&text)
}

/// When a token ends, and how that is to be shown.
pub(crate) fn expires(token: &PersonalAccessToken, now: Timestamp) -> (String, Tone) {
    let Some(date) = &token.expiration_date else {
        return ("never".to_owned(), Tone::Plain);
    };
    let left = Timestamp::parse(date).map_or(i64::MAX, |date| date.seconds_since(now));
    let soon = left < EXPIRY_WARNING_DAYS * SECONDS_PER_DAY;
    if token.state == "active" && soon {
        (format!("{} !", told(date, now)), Tone::Warning)
    } else {
        (told(date, now), Tone::Plain)
    }
}

/// What a token is narrowed to, at most `most` of it.
pub(crate) fn permissions(token: &PersonalAccessToken, most: Option<usize>) -> String {
    let Some(scope) = &token.scope else {
        return "all of the role".to_owned();
    };
    let shown = most.unwrap_or(usize::MAX).min(scope.len());
    let mut text = scope[..shown].join(", ");
    if shown < scope.len() {
        text.push_str(&format!(" and {} more", scope.len() - shown));
    }
    text
}

fn state_tone(state: &str) -> Tone {
    match state {
        "active" => Tone::Good,
        "suspended" => Tone::Warning,
        "revoked" => Tone::Bad,
        _ => Tone::Quiet,
    }
}

/// A moment of the server, relative to now; as it is when it is none.
pub(crate) fn told(moment: &str, now: Timestamp) -> String {
    Timestamp::parse(moment).map_or_else(|_| clean(moment), |moment| relative(moment, now))
}

/// A moment of the server, relative to now and exact.
pub(crate) fn both(moment: &str, now: Timestamp) -> String {
    with_exact(told(moment, now), Some(moment))
}

/// A moment of the server to the minute, `2027-02-20 22:18 UTC`; as it is when it is none.
pub(crate) fn exact(moment: &str) -> String {
    Timestamp::parse(moment).map_or_else(
        |_| clean(moment),
        |moment| {
            let text = moment.to_string().replace('T', " ");
            let minute: String = text.chars().take("2027-02-20 22:18".len()).collect();
            format!("{minute} UTC")
        },
    )
}

fn with_exact(text: String, moment: Option<&str>) -> String {
    match moment {
        Some(moment) => format!("{text} ({})", exact(moment)),
        None => text,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use hallpass_wire::{OrganizationReference, Owner};

    const NOW: &str = "2026-11-22T10:15:00Z";
    const PAPER: Screen = Screen {
        width: None,
        colours: false,
    };

    fn now() -> Timestamp {
        Timestamp::parse(NOW).unwrap()
    }

    pub(crate) fn token(name: &str, prefix: &str, state: &str) -> PersonalAccessToken {
        PersonalAccessToken {
            id: format!("019abc00-0000-7000-8000-{:0>12}", prefix.len()),
            name: name.into(),
            prefix: prefix.into(),
            secret: None,
            scope: Some(vec!["repo:read".into()]),
            owner: Owner {
                kind: "user".into(),
                id: "u".into(),
                name: "Ada".into(),
            },
            organization: OrganizationReference {
                id: "o".into(),
                name: "Acme".into(),
            },
            created: "2026-11-01T10:15:00Z".into(),
            expiration_date: Some("2026-12-22T10:15:00Z".into()),
            user_aware_token_never_expires: false,
            last_used: None,
            last_used_method: None,
            last_used_path: None,
            last_used_address: None,
            last_used_agent: None,
            state: state.into(),
            revoked: None,
            suspended_at: None,
            suspended_until: None,
            suspended_reason: None,
            suspended_by_owner: None,
            not_before: None,
            allowed_addresses: None,
            denied_addresses: None,
            policy_notice: None,
        }
    }

    fn examples() -> Vec<PersonalAccessToken> {
        let mut used = token("laptop", "hpp_b81XaP", "active");
        used.last_used = Some("2026-11-22T10:12:00Z".into());
        used.last_used_method = Some("GET".into());
        used.last_used_path = Some("/repos/octo".into());
        used.last_used_address = Some("192.0.2.7".into());
        used.last_used_agent = Some("curl/8.9\u{1b}[2J".into());
        used.expiration_date = Some("2026-11-25T10:15:00Z".into());
        let mut gone = token("old deploy", "hpp_000000", "revoked");
        gone.scope = Some(
            ["a:b", "c:d", "e:f", "g:h", "i:j"]
                .map(str::to_owned)
                .to_vec(),
        );
        gone.revoked = Some("2026-11-21T10:15:00Z".into());
        let mut whole = token("tout", "hpp_ZZZZZZ", "active");
        whole.scope = None;
        whole.expiration_date = None;
        vec![used, gone, whole]
    }

    #[test]
    fn a_table_for_a_pipe() {
        insta::assert_snapshot!(table(&examples(), false, now(), PAPER));
    }

    #[test]
    fn a_table_fits_a_narrow_terminal() {
        let text = table(
            &examples(),
            false,
            now(),
            Screen {
                width: Some(72),
                colours: false,
            },
        );
        assert!(
            text.lines().all(|line| line.chars().count() <= 72),
            "{text}"
        );
        insta::assert_snapshot!(text);
    }

    #[test]
    fn colours_only_when_wanted_and_never_those_of_the_server() {
        let coloured = table(
            &examples(),
            false,
            now(),
            Screen {
                width: Some(120),
                colours: true,
            },
        );
        assert!(coloured.contains("\u{1b}["));
        for plain in [
            table(&examples(), false, now(), PAPER),
            card(&examples()[0], now(), PAPER),
        ] {
            assert!(!plain.contains('\u{1b}'), "{plain}");
        }
    }

    #[test]
    fn a_card() {
        insta::assert_snapshot!(card(&examples()[0], now(), PAPER));
        assert!(card(&examples()[1], now(), PAPER).contains("1 day ago (2026-11-21 10:15 UTC)"));
    }

    #[test]
    fn moments_are_told_to_the_minute() {
        for (moment, told) in [
            ("2027-02-20T22:18:59.123456Z", "2027-02-20 22:18 UTC"),
            ("2027-02-20T22:18:00+01:00", "2027-02-20 21:18 UTC"),
            ("soon\u{1b}", "soon\u{fffd}"),
        ] {
            assert_eq!(exact(moment), told);
        }
    }

    #[test]
    fn nothing_is_told_as_nothing() {
        assert_eq!(
            table(&[], false, now(), PAPER),
            "No tokens. `hallpass token create NAME` makes one.\n"
        );
        assert_eq!(
            table(&[], true, now(), PAPER),
            "No token is like that. `hallpass token list` shows all.\n"
        );
    }
}
