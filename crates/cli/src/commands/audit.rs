//! `hallpass audit …`.

use super::{
    desk::{Office, user},
    export::{self, Counted},
    inventory, pages,
};
use crate::{
    arguments::audit::{AuditCommand, AuditFilter, AuditList, AuditVerify},
    exit::{Exit, Failure, clean},
    output::{self, Screen, Tone, rows, tokens::key_values},
};
use hallpass_domain::id::TokenId;
use hallpass_wire::{AuditExpected, AuditLine, AuditReport};

/// Does what was asked.
pub(super) fn run(command: AuditCommand) -> Result<Exit, Failure> {
    match command {
        AuditCommand::List(arguments) => list(&arguments),
        AuditCommand::Export(arguments) => {
            let office = Office::enter(&arguments.within)?;
            let target = targets(&office, &arguments.filter)?.0.swap_remove(0);
            let asked = parameters(&office, &arguments.filter, target)?;
            let mut asked: Vec<_> = asked
                .iter()
                .map(|(name, value)| (*name, value.as_deref()))
                .collect();
            asked.push(("format", Some(arguments.format.as_str())));
            let path = pages::address(&office.path("/audit/export"), &asked);
            let counted = Counted::of(&arguments.format, "line");
            export::run(&office.desk, &path, arguments.output.as_deref(), counted)
        }
        AuditCommand::Verify(arguments) => verify(&arguments),
    }
}

fn list(arguments: &AuditList) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let most = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let mut items = Vec::new();
    let (targets, unknown) = targets(&office, &arguments.filter)?;
    for target in targets {
        let asked = parameters(&office, &arguments.filter, target)?;
        let asked: Vec<_> = asked
            .iter()
            .map(|(name, value)| (*name, value.as_deref()))
            .collect();
        let path = office.path("/audit");
        let found: Vec<AuditLine> = pages::some(&office.desk.client, &path, &asked, most)?;
        items.extend(found);
    }
    if let (true, Some(failure)) = (items.is_empty(), unknown) {
        return Err(failure);
    }
    items.sort_by_key(|line| std::cmp::Reverse(line.seq));
    items.truncate(most);
    let none = "Nothing like that was done.";
    rows::list(&items, none, arguments.within.report, office.desk.now)
}

/// What is asked for as target, and why it may be that there is no such thing. Lines about a person name their id; only
/// what was refused names an address.
fn targets(
    office: &Office,
    filter: &AuditFilter,
) -> Result<(Vec<Option<String>>, Option<Failure>), Failure> {
    let as_it_is = vec![filter.target.clone()];
    let Some(text) = filter.target.as_ref().filter(|text| text.contains('@')) else {
        return Ok((as_it_is, None));
    };
    let user = || user(&office.desk.client, text).map(|user| user.id);
    match office.member_id(text) {
        Ok(id) => Ok((vec![Some(id), Some(text.clone())], None)),
        Err(failure) if failure.exit == Exit::NotFound => Ok(match user() {
            Ok(id) => (vec![Some(id), Some(text.clone())], None),
            Err(_) => (as_it_is, Some(failure)),
        }),
        Err(failure) => Err(failure),
    }
}

fn parameters(
    office: &Office,
    filter: &AuditFilter,
    target: Option<String>,
) -> Result<Vec<(&'static str, Option<String>)>, Failure> {
    let now = office.desk.now;
    let actor = filter.actor.as_deref();
    let with = match filter.with.as_deref() {
        Some(text) if TokenId::parse(text).is_err() => Some(inventory::find(office, text)?.id),
        id => id.map(str::to_owned),
    };
    let actions = Some(filter.actions.join(",")).filter(|actions| !actions.is_empty());
    Ok(vec![
        (
            "actor",
            actor.map(|actor| office.member_id(actor)).transpose()?,
        ),
        ("token", with),
        ("action", actions),
        ("target", target),
        ("address", filter.address.clone()),
        ("since", filter.since.map(|at| at.before(now).to_string())),
        ("until", filter.until.map(|at| at.before(now).to_string())),
        ("scope", filter.deployment.then(|| "deployment".to_owned())),
    ])
}

/// Prints what was verified, and the end to note down.
fn verify(arguments: &AuditVerify) -> Result<Exit, Failure> {
    let expected = match arguments.expected.join(" ") {
        none if none.is_empty() => AuditExpected::default(),
        text => parse_end(&text)?,
    };
    let office = Office::enter(&arguments.within)?;
    let report: AuditReport = office
        .desk
        .client
        .post(&office.path("/audit/verify"), &expected)?;
    if arguments.within.report.json {
        output::print_json(&report)?;
    } else if arguments.within.report.quiet {
        output::print(&format!("{}\n", end(&report)))?;
    } else {
        output::print(&told(&report, Screen::of_process()))?;
    }
    match &report.first_bad {
        None => Ok(Exit::Done),
        Some(bad) => Err(Failure::new(
            Exit::Refused,
            format!("line {} of the audit is bad: {}", bad.seq, clean(&bad.what)),
        )
        .next(clean(&bad.detail))
        .next("What comes after it proves nothing. Compare with a backup before you go on.")),
    }
}

/// The end of the audit as it is noted down.
fn end(report: &AuditReport) -> String {
    match &report.head.code {
        Some(code) => format!("{}:{}", report.head.seq, clean(code)),
        None => report.head.seq.to_string(),
    }
}

/// The same, read back.
fn parse_end(text: &str) -> Result<AuditExpected, Failure> {
    // The page shows it with a blank between the two.
    let (seq, code) = match text.trim().split_once([':', ' ']) {
        Some((seq, code)) => (seq, Some(code.trim().to_owned())),
        None => (text, None),
    };
    let seq = seq.trim().parse().map_err(|_| {
        Failure::usage(
            "--expected takes what an earlier `hallpass audit verify` printed as the end",
        )
    })?;
    Ok(AuditExpected {
        expected_seq: Some(seq),
        expected_code: code,
    })
}

fn told(report: &AuditReport, screen: Screen) -> String {
    let mut facts = vec![("lines verified", report.verified.to_string(), Tone::Plain)];
    if report.chained_after > 0 {
        let text = format!(
            "lines up to {} are older than the chain",
            report.chained_after
        );
        facts.push(("not verified", text, Tone::Warning));
    }
    if report.unknown > 0 {
        let text = format!(
            "{} under peppers that are not here: only their place is verified",
            rows::count(report.unknown, "line")
        );
        facts.push(("in part", text, Tone::Warning));
    }
    facts.push(match &report.first_bad {
        None => ("first bad line", "none".to_owned(), Tone::Good),
        Some(bad) => ("first bad line", bad.seq.to_string(), Tone::Bad),
    });
    facts.push(("end", end(report), Tone::Plain));
    let mut text = key_values(&facts, screen);
    if report.first_bad.is_none() {
        text.push_str(&format!(
            "\nNote the end down elsewhere, and next time: hallpass audit verify --expected {}\n",
            end(report)
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_wire::AuditHead;

    #[test]
    fn the_end_is_read_as_it_is_printed() {
        let report = AuditReport {
            verified: 3,
            chained_after: 0,
            unknown: 0,
            head: AuditHead {
                seq: 3,
                code: Some("ab12".into()),
            },
            first_bad: None,
        };
        let read = parse_end(&end(&report)).unwrap();
        assert_eq!(
            (read.expected_seq, read.expected_code.as_deref()),
            (Some(3), Some("ab12"))
        );
        for text in ["3 ab12", " 3  ab12 ", "3: ab12"] {
            assert_eq!(parse_end(text), Ok(read.clone()), "{text}");
        }
        let paper = Screen {
            width: None,
            colours: false,
        };
        let text = told(&report, paper);
        assert!(
            text.contains("first bad line  none") && text.contains("--expected 3:ab12"),
            "{text}"
        );
        assert_eq!(parse_end("x:ab").unwrap_err().exit, Exit::Usage);
    }
}
