//! `hallpass explain`.

use super::{desk::Office, key, sign_in, token};
use crate::{
    arguments::{
        inventory::Explain,
        within::{Report, Within},
    },
    client::Client,
    exit::{Exit, Failure, clean},
    output::{self, Screen, Tone, rows::joined, tokens::key_values},
};
use hallpass_domain::{id::TokenId, token::Prefix};
use hallpass_wire::{ExplainQuestion, Explanation};

/// Prints the verdict and each check that led to it. Ends with 1 when the token may not.
pub(super) fn run(arguments: &Explain) -> Result<Exit, Failure> {
    let client = sign_in(&arguments.asking.server)?.client;
    let question = ExplainQuestion {
        token: meant(&client, arguments)?,
        permission: arguments.permission.clone(),
        address: arguments.address.clone(),
    };
    let found: Explanation = client.post("/v1/explain", &question)?;
    if arguments.asking.form.json {
        output::print_json(&found)?;
    } else {
        output::print(&told(&found, Screen::of_process()))?;
    }
    Ok(if found.verdict == "allow" {
        Exit::Done
    } else {
        Exit::Refused
    })
}

/// The id or prefix of the token or key in question.
fn meant(client: &Client, arguments: &Explain) -> Result<String, Failure> {
    let text = &arguments.token;
    if TokenId::parse(text).is_ok() || Prefix::parse(text).is_ok() {
        return Ok(text.clone());
    }
    let mut failure = match token::find::find(client, text) {
        Ok(token) => return Ok(token.id),
        Err(failure) => failure,
    };
    if failure.exit == Exit::NotFound {
        failure.what.push_str(", and see no API key with it");
    }
    // What is no name of a token may be that of a key, for those who see the keys.
    let within = Within {
        organization: None,
        server: arguments.asking.server.clone(),
        report: Report {
            json: arguments.asking.form.json,
            quiet: false,
        },
    };
    match Office::enter(&within).and_then(|office| key::find(&office, text)) {
        Ok(key) => Ok(key.id),
        Err(_) => Err(failure),
    }
}

fn told(found: &Explanation, screen: Screen) -> String {
    let verdict = if found.verdict == "allow" {
        ("allowed".to_owned(), Tone::Good)
    } else {
        (format!("refused: {}", found.verdict), Tone::Bad)
    };
    let token = format!("{} ({})", found.token.name, found.token.prefix);
    let rows = [
        ("verdict", verdict.0, verdict.1),
        ("token", token, Tone::Plain),
        ("owner", found.owner.name.clone(), Tone::Plain),
        (
            "role",
            found.role.clone().unwrap_or_else(|| "none".into()),
            Tone::Plain,
        ),
        ("may do now", joined(&found.permissions), Tone::Plain),
    ];
    let mut table = screen.bare_table();
    for step in &found.steps {
        let (sign, tone) = match step.outcome.as_str() {
            "holds" => ("✓", Tone::Good),
            "fails" => ("✗", Tone::Bad),
            _ => ("·", Tone::Quiet),
        };
        table.add_row(vec![
            screen.cell(sign, tone),
            screen.cell(
                &clean(&step.sentence),
                if sign == "·" {
                    Tone::Quiet
                } else {
                    Tone::Plain
                },
            ),
        ]);
    }
    format!("{}\n{}", key_values(&rows, screen), output::lines(table))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_wire::{ExplainStep, ExplainedToken, Owner};

    #[test]
    fn each_check_is_told_in_its_order() {
        let step = |outcome: &str, sentence: &str| ExplainStep {
            check: "x".into(),
            outcome: outcome.into(),
            sentence: sentence.into(),
        };
        let found = Explanation {
            verdict: "suspended".into(),
            token: ExplainedToken {
                id: "i".into(),
                prefix: "hpp_7Kd2mQ".into(),
                name: "ci".into(),
                kind: "personal_access_token".into(),
            },
            owner: Owner {
                kind: "user".into(),
                id: "u".into(),
                name: "Eve".into(),
            },
            role: None,
            permissions: Vec::new(),
            steps: vec![
                step("holds", "It is known."),
                step("fails", "It rests.\u{1b}[2J"),
                step("not_reached", "Its owner."),
            ],
        };
        let paper = Screen {
            width: None,
            colours: false,
        };
        let text = told(&found, paper);
        assert!(
            text.starts_with("verdict     refused: suspended\n"),
            "{text}"
        );
        assert!(
            text.ends_with("\n\n✓  It is known.\n✗  It rests.\u{fffd}[2J\n·  Its owner.\n"),
            "{text}"
        );
    }
}
