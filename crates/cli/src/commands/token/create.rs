//! `hallpass token create`.

use super::PATH;
use crate::{
    arguments::tokens::Create,
    client::Client,
    commands::{login, now, sign_in, this_second},
    exit::{Exit, Failure, clean},
    limits::TOKEN_DAYS_DEFAULT,
    moment::Expires,
    output::{self, tokens},
};
use hallpass_domain::{
    permission::{Permission, PermissionSet},
    time::Timestamp,
};
use hallpass_wire::{CreateToken, Permissions, PersonalAccessToken};
use zeroize::Zeroize as _;

/// Makes a token. Its secret alone goes to standard output, so that `hallpass token create ci > FILE` works.
pub(super) fn run(arguments: &Create) -> Result<Exit, Failure> {
    let signed_in = sign_in(&arguments.server)?;
    let client = &signed_in.client;
    let asker: PersonalAccessToken = client.get(&format!("{PATH}/self"))?;
    let (expiration_date, cut) = expiration(arguments.expires, &asker, this_second());
    let wish = CreateToken {
        name: arguments.name.clone(),
        user_aware_token_never_expires: expiration_date.is_none().then_some(true),
        expiration_date,
        scope: Some(scope(arguments, &asker, client)?),
        // A token makes none that may be used from more places than itself.
        allowed_addresses: asker.allowed_addresses.clone(),
        denied_addresses: asker.denied_addresses.clone(),
        ..CreateToken::default()
    };
    let made = client.post(PATH, &wish).map_err(|failure: Failure| {
        if failure.has_code("name_taken") {
            failure.next("`hallpass token list` shows your tokens.")
        } else {
            failure
        }
    });
    let mut made: PersonalAccessToken = made?;
    if arguments.report.json {
        let printed = output::print_json(&made);
        made.secret.zeroize();
        printed.map_err(|failure| lost(failure, &made.prefix))?;
        return Ok(Exit::Done);
    }
    if !arguments.report.quiet {
        tell(&made, cut, now());
    }
    let token = login::secret(made)?;
    output::print(token.expose())
        .and_then(|()| output::print("\n"))
        .map_err(|failure| lost(failure, token.prefix().as_str()))?;
    Ok(Exit::Done)
}

/// When the token is to end, and whether the default was cut to the asking token's own end.
fn expiration(
    wanted: Option<Expires>,
    asker: &PersonalAccessToken,
    now: Timestamp,
) -> (Option<String>, bool) {
    match wanted {
        Some(Expires::Never) => (None, false),
        Some(Expires::On(moment)) => (Some(moment.after(now).to_string()), false),
        None => {
            let usual = now.plus_days(TOKEN_DAYS_DEFAULT);
            match asker
                .expiration_date
                .as_deref()
                .and_then(|date| Timestamp::parse(date).ok())
            {
                Some(end) if end < usual => (Some(end.to_string()), true),
                _ => (Some(usual.to_string()), false),
            }
        }
    }
}

/// What the token may do, which is always said: whoever says nothing gets nothing, and is told what there is.
fn scope(
    arguments: &Create,
    asker: &PersonalAccessToken,
    client: &Client,
) -> Result<Vec<String>, Failure> {
    if !arguments.permissions.is_empty() {
        return Ok(arguments.permissions.clone());
    }
    let catalogue: Permissions = client.get("/v1/permissions")?;
    let held: Vec<&str> = catalogue
        .items
        .iter()
        .filter(|entry| entry.held)
        .map(|entry| entry.name.as_str())
        .collect();
    let all = all_of(&held, asker.scope.as_deref())?;
    if arguments.all_permissions {
        return Ok(all);
    }
    let failure = Failure::usage(
        "say what the new token may do: --permission PERMISSION, or --all-permissions",
    )
    .next(format!("It could be given: {}", clean_list(&all)));
    Err(if all.len() < held.len() {
        failure.next("Your role holds more than the token of this command line; for that, sign in again with `hallpass login`.")
    } else {
        failure
    })
}

fn clean_list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| clean(text)).collect();
    texts.join(", ")
}

/// All of the role that the asking token may do: it makes none wider than itself.
fn all_of(held: &[&str], own: Option<&[String]>) -> Result<Vec<String>, Failure> {
    let own = own
        .map(|own| PermissionSet::parse(own.iter().map(String::as_str)))
        .transpose();
    let own = own.map_err(|error| {
        Failure::new(
            Exit::Trouble,
            format!("the server gave this command line's token odd permissions: {error}"),
        )
    })?;
    let covers = |name: &str| {
        Permission::parse(name)
            .is_ok_and(|permission| own.as_ref().is_none_or(|own| own.covers(&permission)))
    };
    let both: Vec<String> = held
        .iter()
        .filter(|name| covers(name))
        .map(|name| (*name).to_owned())
        .collect();
    if both.is_empty() {
        return Err(Failure::new(Exit::Refused, "this command line may do nothing that it could pass on to a token")
            .next("Your role holds no permission, or the token you signed in with names none: `hallpass whoami` shows it."));
    }
    Ok(both)
}

fn tell(made: &PersonalAccessToken, cut: bool, now: Timestamp) {
    let ends = match &made.expiration_date {
        Some(date) => format!("ends {}", tokens::both(date, now)),
        None => "never ends".to_owned(),
    };
    output::tell(&format!(
        "Made the token “{}” ({}); it {ends}.",
        clean(&made.name),
        clean(&made.prefix)
    ));
    if cut {
        output::tell(
            "That is when the token of this command line ends; it makes none that lives longer.",
        );
    }
    if let Some(scope) = &made.scope {
        output::tell(&format!("It may do: {}.", clean(&scope.join(", "))));
    }
    output::tell("This is its secret. It is shown this once and stored nowhere:");
}

/// The token exists, but nobody has its secret.
fn lost(failure: Failure, prefix: &str) -> Failure {
    failure.next(format!(
        "The token was made, and its secret is lost. Revoke it: hallpass token revoke {}",
        clean(prefix)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{moment::Moment, output::tokens::tests::token};

    #[test]
    fn a_token_ends_when_its_maker_says_else_in_thirty_days_or_with_the_asker() {
        let now = Timestamp::parse("2026-11-22T10:15:00Z").unwrap();
        let mut asker = token("cli", "hpp_aaaaaa", "active");
        asker.expiration_date = Some("2027-02-20T10:15:00Z".into());
        assert_eq!(
            expiration(None, &asker, now),
            (Some("2026-12-22T10:15:00Z".into()), false)
        );
        assert_eq!(expiration(Some(Expires::Never), &asker, now), (None, false));
        let span = Expires::On(Moment::Span(3_600));
        assert_eq!(
            expiration(Some(span), &asker, now),
            (Some("2026-11-22T11:15:00Z".into()), false)
        );
        asker.expiration_date = Some("2026-11-23T10:15:00Z".into());
        assert_eq!(
            expiration(None, &asker, now),
            (Some("2026-11-23T10:15:00Z".into()), true)
        );
        assert_eq!(
            expiration(Some(Expires::On(Moment::Span(864_000))), &asker, now)
                .0
                .unwrap(),
            "2026-12-02T10:15:00Z",
            "what was asked for is not changed"
        );
        asker.expiration_date = None;
        assert_eq!(
            expiration(None, &asker, now),
            (Some("2026-12-22T10:15:00Z".into()), false)
        );
    }

    #[test]
    fn all_is_what_role_and_asker_have_in_common() {
        let own = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        let whole = own(&["hallpass:own-tokens", "repo:*", "user:read"]);
        assert_eq!(
            all_of(&["repo:read", "user:read"], Some(&whole)).unwrap(),
            ["repo:read", "user:read"]
        );
        assert_eq!(all_of(&["repo:read"], None).unwrap(), ["repo:read"]);
        let narrow = own(&["hallpass:own-tokens", "repo:read"]);
        assert_eq!(
            all_of(&["repo:read", "repo:write"], Some(&narrow)).unwrap(),
            ["repo:read"]
        );
        assert_eq!(
            all_of(&["user:read"], Some(&narrow)).unwrap_err().exit,
            Exit::Refused
        );
        assert!(
            all_of(&[], Some(&narrow)).is_err(),
            "a token that may do nothing is not made"
        );
    }
}
