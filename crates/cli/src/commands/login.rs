//! `hallpass login`.

use crate::{
    arguments::Login,
    client::{Client, Proof},
    commands::{desk::is_name, pages, server, stored_credentials, this_second, variable},
    credentials::{Credentials, Place, SystemKeyring, TOKEN_VARIABLE},
    exit::{Exit, Failure, clean},
    host::Host,
    limits::{LOGIN_DAYS, LOGIN_NAMES_MAX},
    output, prompt,
};
use hallpass_domain::{
    limits::SCOPE_PERMISSIONS_MAX, name::TokenName, permission::Permission, token::PlainToken,
};
use hallpass_wire::{
    Caller, CreateToken, NewSession, OwnOrganization, PersonalAccessToken, SignIn,
    SwitchOrganization,
};
use std::collections::BTreeSet;
use zeroize::{Zeroize as _, Zeroizing};

const TOKENS: &str = "/v1/personal-access-tokens";

/// Signs in and stores a token.
pub(super) fn run(arguments: &Login) -> Result<Exit, Failure> {
    let mut credentials = stored_credentials()?;
    let mut host = server(&arguments.server, &credentials)?;
    let (token, caller, own) = if arguments.with_token {
        let token = given_token()?;
        let caller: Caller =
            Client::new(host.clone(), Proof::Token(token.clone())).get("/v1/caller")?;
        (token, caller, false)
    } else {
        if arguments.server.host.is_none()
            && variable("HALLPASS_HOST").is_none()
            && !arguments.password_stdin
            && prompt::somebody_is_there()
        {
            host = Host::parse(&prompt::ask("Address of the server", Some(host.as_str()))?)?;
        }
        let (token, caller) = make_token(arguments, &host, &credentials)?;
        (token, caller, true)
    };
    let stored = credentials.store(&host, &token, own, arguments.insecure_storage);
    let place = stored.map_err(|failure| match own {
        true => take_back(&host, &token, failure),
        false => failure,
    })?;
    tell(&caller, &host, &token, &place, own);
    Ok(Exit::Done)
}

fn given_token() -> Result<PlainToken, Failure> {
    let text = if prompt::somebody_is_there() {
        prompt::ask_secret("Token")?
    } else {
        prompt::read_secret("a token")?
    };
    PlainToken::parse(text.trim().as_bytes()).map_err(|error| {
        Failure::usage(format!(
            "what came from standard input is no token: {error}"
        ))
    })
}

/// Signs in, makes a token for this command line, and signs out.
fn make_token(
    arguments: &Login,
    host: &Host,
    credentials: &Credentials<SystemKeyring>,
) -> Result<(PlainToken, Caller), Failure> {
    let mut request = read_sign_in(arguments)?;
    let client = Client::new(host.clone(), Proof::Nobody);
    let answer = client.post_for_cookies("/v1/sessions", &request);
    request.password.zeroize();
    let (session, cookies): (NewSession, _) = answer?;
    let with = |csrf: String| {
        client.with_proof(Proof::Session {
            cookies: cookies.clone(),
            csrf: Zeroizing::new(csrf),
        })
    };
    let mut signed_in = with(session.csrf);
    let made = match &arguments.organization {
        None => Ok(session.caller),
        Some(wanted) => go_to(&signed_in, session.caller, wanted),
    }
    .and_then(|mut caller| {
        // The session's value is another one in another organization.
        if let Some(csrf) = caller.csrf.take() {
            signed_in = with(csrf);
        }
        revoke_earlier(host, credentials);
        create(&signed_in, &caller).map(|token| (token, caller))
    });
    if signed_in.delete("/v1/sessions/current").is_err() {
        output::tell("note: the session could not be ended; it ends by itself");
    }
    made
}

/// Takes the session to another of the person's organizations, named by its name or id.
fn go_to(client: &Client, caller: Caller, wanted: &str) -> Result<Caller, Failure> {
    if caller.organization.id == wanted {
        return Ok(caller);
    }
    let all: Vec<OwnOrganization> = pages::whole(client, "/v1/caller/organizations")?;
    let names: Vec<String> = all.iter().map(|one| clean(&one.name)).collect();
    let ids: Vec<String> = all
        .iter()
        .filter(|one| is_name(&one.name, wanted))
        .map(|one| one.id.clone())
        .collect();
    let by_name = ids.len();
    if by_name > 1 && all.iter().all(|one| one.id != wanted) {
        return Err(Failure::usage(format!(
            "you are in {by_name} organizations that are called “{}”",
            clean(wanted)
        ))
        .next(format!("Name one by its id: {}", clean(&ids.join(", ")))));
    }
    let hint = format!("You are in: {}", names.join(", "));
    let there = pages::meant(all, wanted, "organization of yours called", &hint, |one| {
        one.id == wanted || is_name(&one.name, wanted)
    })?;
    client.put(
        "/v1/sessions/current/organization",
        &SwitchOrganization {
            organization: there.id,
        },
    )
}

fn read_sign_in(arguments: &Login) -> Result<SignIn, Failure> {
    let asked = prompt::somebody_is_there();
    let nobody = |flag: &str| {
        // A token stays where it was made: with one nobody gets to another organization.
        let or = match arguments.organization {
            None => ", or --with-token and a token on standard input",
            Some(_) => "",
        };
        Failure::usage("nobody can be asked here").next(format!("Give {flag}{or}."))
    };
    let email = match &arguments.email {
        Some(email) => email.clone(),
        None if asked && !arguments.password_stdin => prompt::ask("E-mail address", None)?,
        None => return Err(nobody("--email ADDRESS --password-stdin")),
    };
    let mut password = match arguments.password_stdin {
        true => prompt::read_secret("a password")?,
        false if asked => prompt::ask_secret("Password")?,
        false => return Err(nobody("--password-stdin")),
    };
    Ok(SignIn {
        email,
        password: std::mem::take(&mut *password),
    })
}

/// The token of the last `login` here is nobody else's: without this, each sign-in would leave one behind.
fn revoke_earlier(host: &Host, credentials: &Credentials<SystemKeyring>) {
    if let Ok(Some(stored)) = credentials.find(host)
        && stored.own
    {
        // It may have ended long ago, which is as good.
        revoke(host, stored.token).ok();
    }
}

/// A token that could not be stored is of no use to anyone, and must not live on.
fn take_back(host: &Host, token: &PlainToken, failure: Failure) -> Failure {
    let prefix = token.prefix();
    failure.next(match revoke(host, token.clone()) {
        Ok(()) => format!("The token {prefix}… that was made for it is revoked."),
        Err(_) => format!(
            "The token {prefix}… that was made for it could not be revoked: do so on the page Personal access tokens."
        ),
    })
}

fn revoke(host: &Host, token: PlainToken) -> Result<(), Failure> {
    Client::new(host.clone(), Proof::Token(token)).delete(&format!("{TOKENS}/self"))
}

fn create(client: &Client, caller: &Caller) -> Result<PlainToken, Failure> {
    let name = name_of_this_machine();
    let mut wish = CreateToken {
        expiration_date: Some(this_second().plus_days(LOGIN_DAYS).to_string()),
        scope: Some(scope(&caller.permissions)),
        ..CreateToken::default()
    };
    for number in 1..=LOGIN_NAMES_MAX {
        wish.name = numbered(&name, number);
        match client.post::<PersonalAccessToken>(TOKENS, &wish) {
            Ok(made) => return secret(made),
            Err(failure) if failure.has_code("name_taken") => {}
            Err(failure) => return Err(failure),
        }
    }
    Err(Failure::new(
        Exit::Conflict,
        format!("there are already {LOGIN_NAMES_MAX} tokens named “{name}”"),
    )
    .next("Revoke those that you no longer need, on the page Personal access tokens."))
}

/// The secret of a token just made.
pub(super) fn secret(made: PersonalAccessToken) -> Result<PlainToken, Failure> {
    let text = made.secret.map(Zeroizing::new);
    let token = text.and_then(|text| PlainToken::parse(text.as_bytes()).ok());
    token.ok_or_else(|| {
        Failure::new(
            Exit::Trouble,
            "the server made a token and did not tell its secret",
        )
        .next(format!("Revoke it: hallpass token revoke {}", made.prefix))
    })
}

/// All that the caller may do, by name, and managing their tokens, which no role gives. When that is more than a
/// token can name, whole resources are named: that never gives more than the role does.
fn scope(permissions: &[String]) -> Vec<String> {
    let own = Permission::OWN_TOKENS.to_owned();
    let mut all: BTreeSet<String> = permissions.iter().cloned().collect();
    all.insert(own.clone());
    if all.len() > SCOPE_PERMISSIONS_MAX {
        all = permissions
            .iter()
            .filter_map(|text| text.split_once(':'))
            .map(|(resource, _)| format!("{resource}:*"))
            .collect();
        all.insert(own);
    }
    all.into_iter().collect()
}

fn name_of_this_machine() -> String {
    let system = rustix::system::uname();
    let machine = system.nodename().to_string_lossy().into_owned();
    // Room for a number; and what the server would not take as a name is left out.
    let machine: String = machine
        .chars()
        .filter(|c| c.is_ascii_graphic())
        .take(50)
        .collect();
    let name = format!("hallpass-cli on {machine}");
    TokenName::parse(&name).map_or_else(
        |_| "hallpass-cli".to_owned(),
        |name| name.as_str().to_owned(),
    )
}

fn numbered(name: &str, number: u32) -> String {
    if number == 1 {
        name.to_owned()
    } else {
        format!("{name} {number}")
    }
}

fn tell(caller: &Caller, host: &Host, token: &PlainToken, place: &Place, own: bool) {
    let who = clean(&caller.owner.name);
    output::tell(&format!(
        "Signed in to {host} as {who} ({}).",
        clean(&caller.organization.name)
    ));
    let until = if own {
        format!(" It works for {LOGIN_DAYS} days.")
    } else {
        String::new()
    };
    output::tell(&format!(
        "The token {}… is in {place}.{until}",
        token.prefix()
    ));
    if matches!(place, Place::File(_)) {
        output::tell("There it is not encrypted; only your user can read the file.");
    }
    if variable(TOKEN_VARIABLE).is_some() {
        output::tell(&format!(
            "note: {TOKEN_VARIABLE} is set; the commands use that token instead"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_token_names_what_the_caller_may_do() {
        let permissions = ["repo:read".to_owned(), "hallpass:own-tokens".to_owned()];
        assert_eq!(scope(&permissions), ["hallpass:own-tokens", "repo:read"]);
        assert_eq!(scope(&[]), ["hallpass:own-tokens"]);
        let many: Vec<String> = (0..300)
            .map(|index| format!("r{}:a{index}", index % 2))
            .collect();
        assert_eq!(scope(&many), ["hallpass:own-tokens", "r0:*", "r1:*"]);
        assert_eq!(
            scope(&many[..SCOPE_PERMISSIONS_MAX - 1]).len(),
            SCOPE_PERMISSIONS_MAX
        );
    }

    #[test]
    fn names_are_names() {
        let name = name_of_this_machine();
        assert!(
            TokenName::parse(&numbered(&name, LOGIN_NAMES_MAX)).is_ok(),
            "{name}"
        );
        assert_eq!(
            (numbered("a", 1), numbered("a", 2)),
            ("a".to_owned(), "a 2".to_owned())
        );
    }
}
