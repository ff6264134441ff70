//! `hallpass key …`.

use super::{desk::Office, pages, this_second, token::suspend};
use crate::{
    arguments::keys::{KeyCommand, KeyCreate, KeyRevoke, KeyRotate, Overlap},
    exit::{Exit, Failure, clean},
    moment::{Expires, Moment},
    output::{
        self, rows,
        tokens::{both, exact, told},
    },
    prompt,
};
use hallpass_domain::{id::TokenId, name::TokenName, time::Timestamp};
use hallpass_wire::{ApiKey, CreateApiKey, PersonalAccessToken, Role, RotateKey};
use zeroize::{Zeroize as _, Zeroizing};

/// Does what was asked.
pub(super) fn run(command: KeyCommand) -> Result<Exit, Failure> {
    match command {
        KeyCommand::List(arguments) => {
            let office = Office::enter(&arguments.within)?;
            let filters = [
                ("state", arguments.state.as_deref()),
                ("search", arguments.search.as_deref()),
            ];
            let items: Vec<ApiKey> =
                pages::all(&office.desk.client, &office.path("/api-keys"), &filters)?;
            let none = if filters.iter().all(|(_, value)| value.is_none()) {
                "No API keys. `hallpass key create NAME --role ROLE --expires WHEN` makes one."
            } else {
                "No API key is like that. `hallpass key list` shows all."
            };
            rows::list(&items, none, arguments.within.report, office.desk.now)
        }
        KeyCommand::Show(arguments) => {
            let office = Office::enter(&arguments.within)?;
            let key = find(&office, &arguments.key)?;
            rows::one(&key, arguments.within.report, office.desk.now)
        }
        KeyCommand::Create(arguments) => create(arguments),
        KeyCommand::Rotate(arguments) => rotate(&arguments),
        KeyCommand::Suspend(arguments) => suspend::suspend_key(&arguments),
        KeyCommand::Resume(arguments) => suspend::resume_key(&arguments),
        KeyCommand::Revoke(arguments) => revoke(&arguments),
    }
}

fn path(office: &Office, id: &str) -> String {
    office.path(&format!("/api-keys/{}", pages::segment(id)))
}

/// The key that a name, a prefix or an id means; a name means the key that has it now.
pub(super) fn find(office: &Office, text: &str) -> Result<ApiKey, Failure> {
    let client = &office.desk.client;
    if TokenId::parse(text).is_ok() {
        return client.get(&path(office, text));
    }
    let all: Vec<ApiKey> = pages::all(client, &office.path("/api-keys"), &[])?;
    let (live, dead): (Vec<_>, Vec<_>) = all.into_iter().partition(|key| key.revoked.is_none());
    let name = |text: &str| TokenName::parse(text).ok().map(|name| name.key());
    let wanted = name(text);
    let is_it = |key: &ApiKey| {
        key.secrets.iter().any(|secret| secret.prefix == text)
            || key.prefix == text
            || (wanted.is_some() && name(&key.name) == wanted)
    };
    pages::meant(
        live.into_iter().chain(dead).collect(),
        text,
        "API key with the name, prefix or id",
        "`hallpass key list` shows those of the organization.",
        is_it,
    )
}

fn some(texts: Vec<String>) -> Option<Vec<String>> {
    Some(texts).filter(|texts| !texts.is_empty())
}

/// All that the role holds. A token that is narrowed itself makes no key that is not, so there it is named one by one.
fn all_of(office: &Office, role: &Role) -> Option<Vec<String>> {
    let asker = office
        .desk
        .client
        .get::<PersonalAccessToken>("/v1/personal-access-tokens/self");
    match asker {
        Ok(token) if token.scope.is_none() => None,
        _ => Some(role.permissions.clone()),
    }
}

fn create(arguments: KeyCreate) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let ends = match arguments.expires {
        Some(Expires::On(moment)) if !arguments.never_expires => {
            Some(moment.after(this_second()).to_string())
        }
        _ => None,
    };
    let role = office.role(&arguments.role)?;
    let scope = match some(arguments.permissions) {
        None if role.permissions.is_empty() => {
            return Err(Failure::usage(format!(
                "the role “{}” holds nothing, so a key with it could do nothing",
                clean(&role.name)
            ))
            .next(
                "`hallpass role list` shows what roles hold; `hallpass role create` makes one.",
            ));
        }
        None => all_of(&office, &role),
        said => said,
    };
    let wish = CreateApiKey {
        role: role.id,
        name: arguments.name,
        user_aware_token_never_expires: ends.is_none().then_some(true),
        expiration_date: ends,
        scope,
        allowed_addresses: some(arguments.allow),
        ..CreateApiKey::default()
    };
    let made = office.desk.client.post(&office.path("/api-keys"), &wish);
    let made: ApiKey = made.map_err(|failure: Failure| {
        if failure.has_code("name_taken") {
            failure.next("`hallpass key list` shows the keys.")
        } else {
            failure
        }
    })?;
    let ends = match &made.expiration_date {
        Some(date) => format!("ends {}", both(date, office.desk.now)),
        None => "never ends".to_owned(),
    };
    let sentence = format!(
        "Made the API key {} with the role {}; it {ends}.",
        named(&made),
        clean(&made.role.name)
    );
    hand_over(made, &sentence, &office)
}

/// A key in a sentence.
pub(super) fn named(key: &ApiKey) -> String {
    format!("“{}” ({})", clean(&key.name), clean(&key.prefix))
}

/// The secret alone goes to standard output.
fn hand_over(mut key: ApiKey, sentence: &str, office: &Office) -> Result<Exit, Failure> {
    let report = office.desk.report;
    let name = named(&key);
    let lost = |failure: Failure| {
        failure.next(format!("It is done, and the secret of {name} is lost: rotate the key with --leaked, or revoke it."))
    };
    if report.json {
        let printed = output::print_json(&key);
        key.secret.zeroize();
        printed.map_err(lost)?;
        return Ok(Exit::Done);
    }
    let Some(secret) = key.secret.take().map(Zeroizing::new) else {
        return Err(lost(Failure::new(
            Exit::Trouble,
            "the server did not tell the secret",
        )));
    };
    rows::say(sentence, report);
    rows::say(
        "This is its secret. It is shown this once and stored nowhere:",
        report,
    );
    output::print(&Zeroizing::new(format!("{}\n", *secret))).map_err(lost)?;
    Ok(Exit::Done)
}

/// What becomes of the old secret, for the server and for people.
fn overlap(asked: Overlap, now: Timestamp) -> Result<(RotateKey, String), Failure> {
    let mut wish = RotateKey::default();
    let told = match asked {
        Overlap { leaked: true, .. } => {
            wish.overlap = Some("none".to_owned());
            "The old secret is refused from now on".to_owned()
        }
        Overlap {
            overlap_until: Some(moment),
            ..
        } => {
            let until = moment.after(now).to_string();
            wish.overlap = Some("until".to_owned());
            let told = format!("The old secret works until {}", exact(&until));
            wish.until = Some(until);
            told
        }
        Overlap {
            until_quiet: Some(Moment::Span(seconds)),
            ..
        } => {
            wish.overlap = Some("quiet".to_owned());
            wish.quiet_for_seconds = Some(seconds);
            "The old secret works until nothing used it for so long, and 30 days at most".to_owned()
        }
        _ => {
            return Err(Failure::usage(
                "--until-quiet takes a span such as 24h or 7d",
            ));
        }
    };
    Ok((wish, told))
}

fn rotate(arguments: &KeyRotate) -> Result<Exit, Failure> {
    let (wish, old) = overlap(arguments.overlap, this_second())?;
    let office = Office::enter(&arguments.within)?;
    let key = find(&office, &arguments.key)?;
    if arguments.overlap.leaked {
        let used = key
            .last_used
            .as_deref()
            .map_or_else(|| "never".to_owned(), |at| told(at, office.desk.now));
        prompt::consent(
            arguments.consent.yes,
            &format!(
                "What uses {} stops working at once; it was last used: {used}.",
                named(&key)
            ),
            "End the old secret now?",
        )?;
    }
    let rotated = format!("{}/rotate", path(&office, &key.id));
    let after: ApiKey = office.desk.client.post(&rotated, &wish)?;
    let sentence = format!("Rotated the API key {}. {old}.", named(&after));
    hand_over(after, &sentence, &office)
}

fn revoke(arguments: &KeyRevoke) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let key = find(&office, &arguments.key)?;
    let name = named(&key);
    if key.revoked.is_some() {
        rows::say(
            &format!("The API key {name} is revoked already."),
            arguments.within.report,
        );
        return Ok(Exit::Done);
    }
    let used = key
        .last_used
        .as_deref()
        .map_or_else(|| "never".to_owned(), |at| told(at, office.desk.now));
    prompt::consent(
        arguments.consent.yes,
        &format!(
            "What uses {name} stops working at once, and this cannot be undone; it was last used: {used}."
        ),
        "Revoke it?",
    )?;
    office.desk.client.delete(&path(&office, &key.id))?;
    rows::say(
        &format!("Revoked the API key {name}. It is refused from now on."),
        arguments.within.report,
    );
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_of_the_old_secret_is_sent_as_it_was_said() {
        let now = Timestamp::parse("2026-11-22T10:15:00Z").unwrap();
        let nothing = Overlap {
            overlap_until: None,
            until_quiet: None,
            leaked: false,
        };
        let day = Some(Moment::Span(86_400));
        let sent = |asked| overlap(asked, now).map(|(wish, _)| wish);
        let wish = sent(Overlap {
            leaked: true,
            ..nothing
        })
        .unwrap();
        assert_eq!(
            (wish.overlap.as_deref(), wish.until, wish.quiet_for_seconds),
            (Some("none"), None, None)
        );
        let wish = sent(Overlap {
            overlap_until: day,
            ..nothing
        })
        .unwrap();
        assert_eq!(
            (wish.overlap.as_deref(), wish.until.as_deref()),
            (Some("until"), Some("2026-11-23T10:15:00Z"))
        );
        let wish = sent(Overlap {
            until_quiet: day,
            ..nothing
        })
        .unwrap();
        assert_eq!(
            (wish.overlap.as_deref(), wish.quiet_for_seconds),
            (Some("quiet"), Some(86_400))
        );
        let date = Some(Moment::At(now));
        assert_eq!(
            sent(Overlap {
                until_quiet: date,
                ..nothing
            })
            .unwrap_err()
            .exit,
            Exit::Usage
        );
    }
}
