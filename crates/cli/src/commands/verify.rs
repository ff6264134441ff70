//! `hallpass verify`.

use crate::{
    arguments::Verify,
    commands::{now, sign_in},
    exit::{Exit, Failure, clean},
    output::{self, Screen, Tone, tokens},
    prompt,
};
use hallpass_wire::{VerifyAnswer, VerifyQuestion};
use zeroize::Zeroize as _;

/// Asks whether the token on standard input may do what the flags say.
pub(super) fn run(arguments: &Verify) -> Result<Exit, Failure> {
    let signed_in = sign_in(&arguments.asking.server)?;
    let secret = if arguments.input.is_none() && prompt::somebody_is_there() {
        prompt::ask_secret("Token")?
    } else {
        prompt::read_secret("a token")?
    };
    let mut question = VerifyQuestion {
        token: secret.trim().to_owned(),
        permission: arguments.permission.clone(),
        method: arguments.method.clone(),
        path: arguments.path.clone(),
        ..VerifyQuestion::default()
    };
    let answer = signed_in.client.post("/v1/verify", &question);
    question.token.zeroize();
    let answer: VerifyAnswer = answer?;
    if arguments.asking.form.json {
        output::print_json(&answer)?;
    } else {
        output::print(&told(&answer, arguments.permission.as_deref()))?;
    }
    Ok(if answer.active {
        Exit::Done
    } else {
        Exit::Refused
    })
}

fn told(answer: &VerifyAnswer, permission: Option<&str>) -> String {
    let verdict = match (answer.active, &answer.reason) {
        (true, _) => ("allowed".to_owned(), Tone::Good),
        (false, Some(reason)) => (format!("refused: {}", clean(reason)), Tone::Bad),
        (false, None) => ("refused".to_owned(), Tone::Bad),
    };
    let mut rows = vec![("verdict", verdict.0, verdict.1)];
    let mut row =
        |name, value: Option<String>| rows.extend(value.map(|value| (name, value, Tone::Plain)));
    row("asked for", permission.map(str::to_owned));
    row("token", answer.prefix.clone());
    row("name", answer.name.clone());
    row(
        "owner",
        answer.owner.as_ref().map(|owner| owner.name.clone()),
    );
    row(
        "organization",
        answer
            .organization
            .as_ref()
            .map(|organization| organization.name.clone()),
    );
    row(
        "permissions",
        answer.permissions.as_ref().map(|all| all.join(", ")),
    );
    row(
        "expires",
        answer
            .expiration_date
            .as_ref()
            .map(|date| tokens::both(date, now())),
    );
    tokens::key_values(&rows, Screen::of_process())
}
