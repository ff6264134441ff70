//! `hallpass policy …`.

use super::{desk::Office, this_second};
use crate::{
    arguments::keys::{PolicyCommand, PolicySet, Wanted},
    exit::{Exit, Failure, clean},
    output::{
        self, Screen, Tone,
        rows::{self, Fact, count, joined},
        tokens::{both, exact, key_values},
    },
    prompt,
};
use hallpass_wire::{Policies, Policy, PolicyLifetime, PolicyPreview, PreviewPolicy, PutPolicy};

/// Does what was asked.
pub(super) fn run(command: PolicyCommand) -> Result<Exit, Failure> {
    match command {
        PolicyCommand::Show(within) => {
            let office = Office::enter(&within)?;
            let policies: Policies = office.desk.client.get(&office.path("/policy"))?;
            if within.report.json {
                output::print_json(&policies)?;
            } else {
                output::print(&told(&policies, &office, Screen::of_process()))?;
            }
            Ok(Exit::Done)
        }
        PolicyCommand::Set(arguments) => set(&arguments),
        PolicyCommand::Withdraw(within) => {
            let office = Office::enter(&within)?;
            office.desk.client.delete(&office.path("/policy/change"))?;
            rows::say("Withdrawn. The policy stays as it is now.", within.report);
            Ok(Exit::Done)
        }
    }
}

fn set(arguments: &PolicySet) -> Result<Exit, Failure> {
    let office = Office::enter(&arguments.within)?;
    let policies: Policies = office.desk.client.get(&office.path("/policy"))?;
    let (before, planned_at) = begun_from(policies, arguments)?;
    let policy = changed(&before, &arguments.wanted)?;
    let enforce_at = arguments
        .from
        .map(|from| from.after(this_second()).to_string())
        .or(planned_at);
    let question = PreviewPolicy {
        policy: policy.clone(),
        enforce_at: enforce_at.clone(),
    };
    let preview: PolicyPreview = office
        .desk
        .client
        .post(&office.path("/policy/preview"), &question)?;
    if arguments.dry_run {
        if arguments.within.report.json {
            output::print_json(&preview)?;
        } else {
            show(&preview)?;
        }
        return Ok(Exit::Done);
    }
    if !arguments.consent.yes {
        show(&preview)?;
    }
    let when = enforce_at
        .as_deref()
        .map_or_else(|| "at once".to_owned(), exact);
    prompt::consent(
        arguments.consent.yes,
        &format!("{} In force: {when}.", effects(&preview)),
        "Decide this policy?",
    )?;
    let decision = PutPolicy {
        policy,
        enforce_at: enforce_at.clone(),
        expected: preview.effect,
        replaces_planned: arguments.amend || arguments.replace,
    };
    let after: Policies = office.desk.client.put(&office.path("/policy"), &decision)?;
    if arguments.within.report.json {
        output::print_json(&after)?;
    }
    let told = format!("Decided; in force: {when}. {}", effects(&preview));
    rows::say(&told, arguments.within.report);
    Ok(Exit::Done)
}

/// The policy that is changed, and from when on the changed one holds if nothing is said: what is in force, or, for who
/// amends it, what is planned.
fn begun_from(
    policies: Policies,
    arguments: &PolicySet,
) -> Result<(Policy, Option<String>), Failure> {
    match policies.next {
        Some(next) if arguments.amend => Ok((next.policy, Some(next.enforce_at))),
        Some(next) if !arguments.replace && !arguments.dry_run => Err(Failure::usage(format!(
            "a change of the policy is planned for {}",
            exact(&next.enforce_at)
        ))
        .next(
            "Add --amend to change what is planned, or --replace to forget it for this change of what is in force",
        )),
        None if arguments.amend => Err(Failure::usage("no change of the policy is planned")
            .next("Leave out --amend: this changes what is in force")),
        _ => Ok((policies.now, None)),
    }
}

fn lifetime(
    before: &PolicyLifetime,
    days: Option<crate::arguments::keys::Days>,
    never: bool,
    no_never: bool,
) -> PolicyLifetime {
    PolicyLifetime {
        days_max: days.map_or(before.days_max, |days| days.0),
        may_never_expire: (before.may_never_expire || never) && !no_never,
    }
}

/// The policy with what was asked for.
fn changed(before: &Policy, wanted: &Wanted) -> Result<Policy, Failure> {
    let mut forbidden = before.forbidden_permissions.clone();
    for text in &wanted.permit {
        if !forbidden.contains(text) {
            return Err(Failure::usage(format!("{} is not forbidden", clean(text)))
                .next(format!("Forbidden are: {}", clean(&joined(&forbidden)))));
        }
        forbidden.retain(|held| held != text);
    }
    for text in &wanted.forbid {
        if !forbidden.contains(text) {
            forbidden.push(text.clone());
        }
    }
    let allowed_addresses = match (wanted.any_address, wanted.allow.is_empty()) {
        (true, _) => Vec::new(),
        (false, true) => before.allowed_addresses.clone(),
        (false, false) => wanted.allow.clone(),
    };
    Ok(Policy {
        personal_access_tokens: lifetime(
            &before.personal_access_tokens,
            wanted.max_days,
            wanted.never,
            wanted.no_never,
        ),
        api_keys: lifetime(
            &before.api_keys,
            wanted.key_max_days,
            wanted.key_never,
            wanted.no_key_never,
        ),
        forbidden_permissions: forbidden,
        unused_days_max: wanted
            .unused_days
            .map_or(before.unused_days_max, |days| days.0),
        allowed_addresses,
        owners_may_lift: wanted.owners_may_lift.unwrap_or(before.owners_may_lift),
    })
}

/// What it would do, in a sentence.
fn effect(preview: &PolicyPreview) -> String {
    let effect = preview.effect;
    format!(
        "{} shortened, {} revoked, {} revoked for want of use.",
        count(effect.shortened, "token"),
        effect.revoked,
        effect.unused
    )
}

/// The same, with what it takes away besides, and what to beware of.
fn effects(preview: &PolicyPreview) -> String {
    let mut told = effect(preview);
    if preview.narrowed > 0 {
        let tokens = count(preview.narrowed, "token");
        told.push_str(&format!(
            " {tokens} would go on without a permission that it forbids."
        ));
    }
    if preview.used_from_outside > 0 {
        let tokens = count(preview.used_from_outside, "token");
        told.push_str(&format!(" {tokens} would be refused from where last used."));
    }
    if let Some(at) = &preview.replaces_planned {
        let at = exact(at);
        told.push_str(&format!(" What is planned for {at} is replaced."));
    }
    if preview.asker_refused {
        told.push_str(
            " It would refuse this very token from this address: only the page could then undo it.",
        );
    }
    told
}

fn ends(date: Option<&str>, none: &str) -> String {
    date.map_or_else(|| none.to_owned(), exact)
}

fn show(preview: &PolicyPreview) -> Result<(), Failure> {
    let screen = Screen::of_process();
    let mut table = screen.table(&[
        "EFFECT",
        "PREFIX",
        "NAME",
        "OWNER",
        "ENDS TODAY",
        "WOULD END",
    ]);
    for token in &preview.tokens {
        let tone = if token.effect == "shortened" {
            Tone::Warning
        } else {
            Tone::Bad
        };
        table.add_row(vec![
            screen.cell(&token.effect, tone),
            screen.cell(&token.prefix, Tone::Plain),
            screen.cell(&token.name, Tone::Plain),
            screen.cell(&token.owner.name, Tone::Plain),
            screen.cell(
                &ends(token.expiration_date.as_deref(), "never"),
                Tone::Plain,
            ),
            screen.cell(
                &ends(token.new_expiration_date.as_deref(), "-"),
                Tone::Plain,
            ),
        ]);
    }
    if !preview.tokens.is_empty() {
        output::print(&output::lines(table))?;
    }
    output::print(&format!("{}\n", effects(preview)))
}

fn days(days: Option<i64>) -> String {
    days.map_or_else(
        || "no limit".to_owned(),
        |days| count(days.unsigned_abs(), "day"),
    )
}

fn facts(policy: &Policy) -> Vec<Fact> {
    let lives = |life: &PolicyLifetime| {
        let never = if life.may_never_expire && life.days_max.is_none() {
            ", may never expire"
        } else {
            ", must end"
        };
        format!("{}{never}", days(life.days_max))
    };
    let addresses = if policy.allowed_addresses.is_empty() {
        "anywhere".to_owned()
    } else {
        joined(&policy.allowed_addresses)
    };
    vec![
        (
            "tokens live at most",
            lives(&policy.personal_access_tokens),
            Tone::Plain,
        ),
        ("keys live at most", lives(&policy.api_keys), Tone::Plain),
        (
            "tokens may not carry",
            joined(&policy.forbidden_permissions),
            Tone::Plain,
        ),
        (
            "revoked unused after",
            days(policy.unused_days_max),
            Tone::Plain,
        ),
        ("used from", addresses, Tone::Plain),
        (
            "owners may lift",
            if policy.owners_may_lift { "yes" } else { "no" }.to_owned(),
            Tone::Plain,
        ),
    ]
}

fn told(policies: &Policies, office: &Office, screen: Screen) -> String {
    let mut text = key_values(&facts(&policies.now), screen);
    if let Some(next) = &policies.next {
        text.push_str(&format!(
            "\nTo come {}:\n\n",
            both(&next.enforce_at, office.desk.now)
        ));
        text.push_str(&key_values(&facts(&next.policy), screen));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::keys::Days;

    #[test]
    fn what_is_not_said_stays() {
        let before = Policy {
            personal_access_tokens: PolicyLifetime {
                days_max: Some(30),
                may_never_expire: true,
            },
            api_keys: PolicyLifetime {
                days_max: None,
                may_never_expire: true,
            },
            forbidden_permissions: vec!["deploy:*".into()],
            unused_days_max: Some(60),
            allowed_addresses: vec!["192.0.2.0/24".into()],
            owners_may_lift: true,
        };
        assert_eq!(changed(&before, &Wanted::default()), Ok(before.clone()));
        let wanted = Wanted {
            max_days: Some(Days(None)),
            no_key_never: true,
            forbid: vec!["repo:write".into()],
            permit: vec!["deploy:*".into()],
            any_address: true,
            ..Wanted::default()
        };
        let after = changed(&before, &wanted).unwrap();
        assert_eq!(
            after.personal_access_tokens,
            PolicyLifetime {
                days_max: None,
                may_never_expire: true
            }
        );
        assert!(!after.api_keys.may_never_expire && after.allowed_addresses.is_empty());
        assert_eq!(after.forbidden_permissions, ["repo:write"]);
        assert_eq!(
            (after.unused_days_max, after.owners_may_lift),
            (Some(60), true)
        );
        let wanted = Wanted {
            permit: vec!["x:y".into()],
            ..Wanted::default()
        };
        assert_eq!(changed(&before, &wanted).unwrap_err().exit, Exit::Usage);
    }
}
