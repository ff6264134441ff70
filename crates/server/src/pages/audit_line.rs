//! A line of the audit, in words.

use super::{
    audit_filter::Filter,
    audit_names::{Link, Names},
    view::Moment,
    words,
};
use crate::service::audit::AuditedLine;
use hallpass_domain::{
    audit::{Action, Action as A, Line},
    time::Timestamp,
};
use serde_json::{Map, Value};

/// What was done, as people say it, in the order of the filter.
pub(super) const ACTIONS: &[(Action, &str)] = &[
    (A::TokenCreated, "Token made"),
    (A::TokenChanged, "Token changed"),
    (A::TokenRevoked, "Token revoked"),
    (A::TokensRevoked, "Many tokens revoked"),
    (A::TokenSuspended, "Token suspended"),
    (A::TokenResumed, "Token resumed"),
    (A::KeyCreated, "API key made"),
    (A::KeySecretRotated, "API key rotated"),
    (A::KeySecretEnded, "Old secret of an API key ended"),
    (A::KeyRevoked, "API key revoked"),
    (A::KeySuspended, "API key suspended"),
    (A::KeyResumed, "API key resumed"),
    (A::MemberAdded, "Member added"),
    (A::MemberChanged, "Member changed"),
    (A::MemberSuspended, "Member suspended"),
    (A::MemberResumed, "Member resumed"),
    (A::MemberRemoved, "Member removed"),
    (A::InvitationCreated, "Invitation made"),
    (A::InvitationWithdrawn, "Invitation withdrawn"),
    (A::InvitationAccepted, "Invitation accepted"),
    (A::RoleCreated, "Role made"),
    (A::RoleChanged, "Role changed"),
    (A::RoleDeleted, "Role deleted"),
    (A::CatalogueChanged, "Permissions changed"),
    (A::PolicyChangeScheduled, "Policy decided for a day"),
    (A::PolicyChangeWithdrawn, "Change of policy withdrawn"),
    (A::PolicyEnforced, "Policy came into force"),
    (A::OrganizationCreated, "Organization made"),
    (A::OrganizationChanged, "Organization renamed"),
    (A::OrganizationSuspended, "Organization suspended"),
    (A::OrganizationResumed, "Organization resumed"),
    (A::UserCreated, "Account made"),
    (A::UserSuspended, "Account suspended"),
    (A::UserResumed, "Account resumed"),
    (A::UserRemoved, "Account removed"),
    (A::SignedIn, "Signed in"),
    (A::SignInFailed, "Sign-in failed"),
    (A::SessionEnded, "Signed out"),
    (A::SessionsEnded, "Signed out everywhere"),
    (
        A::SessionOrganizationChanged,
        "Went over to another organization",
    ),
    (A::AuditExported, "Audit exported"),
    (A::InventoryExported, "Tokens exported"),
    (A::Refused, "Refused"),
    (A::DeploymentSetUp, "Hallpass set up"),
];

/// What an action is called; a newer program's keeps its word.
fn said(word: &str) -> String {
    let known = ACTIONS.iter().find(|(action, _)| action.word() == word);
    known.map_or(word, |(_, label)| label).to_owned()
}

/// A part of what was changed: its name, how it was, how it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) name: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// A line.
#[derive(Debug)]
pub(super) struct LineView {
    pub(super) seq: i64,
    pub(super) when: Moment,
    pub(super) exact: String,
    /// Who, and the lines of theirs alone.
    pub(super) who: Option<(String, String)>,
    /// The token with which they did it.
    pub(super) with: Option<Link>,
    pub(super) what: String,
    /// Why it was not done.
    pub(super) refused: Option<String>,
    /// To what.
    pub(super) target: Option<Link>,
    pub(super) address: Option<String>,
    pub(super) device: Option<(String, String)>,
    pub(super) changed: Vec<Changed>,
}

impl LineView {
    pub(super) fn of(found: &AuditedLine, filter: &Filter, names: &Names, now: Timestamp) -> Self {
        let line = &found.line;
        let [before, after, detail] = [&line.before, &line.after, &line.detail].map(read);
        let name = [&detail, &after, &before].into_iter().find_map(name_in);
        let who = line.actor_user.map(|id| {
            let only = Filter {
                actor: id.to_string(),
                person: String::new(),
                ..filter.from(None)
            };
            let name = found.actor.as_ref().map(|user| user.name.to_string());
            (
                name.unwrap_or_else(|| "somebody removed since".to_owned()),
                only.href(),
            )
        });
        let is_refused = line.action == Action::Refused.word();
        Self {
            seq: line.seq,
            when: Moment::past(line.at, now),
            exact: words::exact(line.at),
            who,
            with: line.actor_token.map(|id| names.token(id)),
            what: if is_refused {
                attempted(&detail)
            } else {
                said(&line.action)
            },
            refused: is_refused.then(|| why(&detail)),
            target: target(line, name, names),
            address: line.address.clone(),
            device: line
                .agent
                .clone()
                .map(|agent| (words::device(&agent), agent)),
            changed: changes(&before, &after, &detail),
        }
    }
}

/// What a line was about: as it was called then, or is now.
fn target(line: &Line, name: Option<String>, names: &Names) -> Option<Link> {
    let (found, written) = (names.target(line), line.target.clone());
    // A session has no name; its id says nothing to people.
    let is_bare = name.is_none() && found.is_none();
    if is_bare && line.action.starts_with("session") {
        return None;
    }
    let (now, page) = found.unwrap_or_default();
    let then = name.or_else(|| (!now.is_empty()).then_some(now));
    Some((then.or(written)?, page))
}

/// What somebody tried who was refused.
fn attempted(detail: &Map<String, Value>) -> String {
    let word = detail.get("attempted").and_then(Value::as_str);
    match (word, detail.get("unwritten")) {
        (Some(word), _) => said(word),
        (None, Some(number)) => format!("{number} more attempts"),
        (None, None) => said(Action::Refused.word()),
    }
}

/// Why it was refused.
fn why(detail: &Map<String, Value>) -> String {
    match detail.get("code").and_then(Value::as_str) {
        Some("permission_missing") => "the role holds too little".to_owned(),
        Some("recent_sign_in_required") => "the password was not asked for again".to_owned(),
        Some("not_found") => "there is no such thing".to_owned(),
        Some(code) => code.replace('_', " "),
        None => "not written one by one".to_owned(),
    }
}

/// What is no JSON was not written by this program, and is shown as it is.
fn read(text: &Option<String>) -> Map<String, Value> {
    let Some(text) = text else { return Map::new() };
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => fields,
        Ok(other) => Map::from_iter([("value".to_owned(), other)]),
        Err(_) => Map::from_iter([("text".to_owned(), Value::String(text.clone()))]),
    }
}

fn name_in(fields: &Map<String, Value>) -> Option<String> {
    let name = fields.get("name")?.as_str()?;
    let prefix = fields.get("prefix").and_then(Value::as_str);
    Some(prefix.map_or_else(|| name.to_owned(), |prefix| format!("{name} ({prefix})")))
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(true) => Some("yes".to_owned()),
        Value::Bool(false) => Some("no".to_owned()),
        other => Some(other.to_string()),
    }
}

/// What was otherwise before, or is since, and what else was written down.
fn changes(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    detail: &Map<String, Value>,
) -> Vec<Changed> {
    let mut names: Vec<&String> = before.keys().collect();
    names.extend(after.keys().filter(|name| !before.contains_key(*name)));
    let of = |fields: &Map<String, Value>, name: &String| fields.get(name).and_then(shown);
    let parts = names.into_iter().map(|name| Changed {
        name: name.clone(),
        before: of(before, name),
        after: of(after, name),
    });
    // What it is called stands above already.
    let named = name_in(detail).is_some();
    let told = move |name: &&String| !(named && ["name", "prefix"].contains(&name.as_str()));
    let more = detail.keys().filter(told).map(|name| Changed {
        name: name.clone(),
        before: None,
        after: of(detail, name),
    });
    parts
        .chain(more)
        .filter(|part| part.before != part.after)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_its_words() {
        for action in Action::ALL {
            assert_ne!(said(action.word()), action.word(), "{action:?}");
        }
        assert_eq!(ACTIONS.len(), Action::ALL.len(), "once each");
        assert_eq!(said("moon.landed"), "moon.landed");
    }

    #[test]
    fn a_refusal_says_what_was_refused_and_why() {
        let read = |text: &str| read(&Some(text.to_owned()));
        let detail = read(r#"{"attempted":"member.changed","code":"above_actor"}"#);
        assert_eq!(attempted(&detail), "Member changed");
        assert_eq!(why(&detail), "above actor");
        let lacking = read(r#"{"attempted":"role.created","code":"permission_missing"}"#);
        assert_eq!(why(&lacking), "the role holds too little");
        let many = read(r#"{"unwritten":7,"since":"x"}"#);
        assert_eq!(attempted(&many), "7 more attempts");
    }

    #[test]
    fn what_is_the_same_is_not_told() {
        let read = |text: &str| read(&Some(text.to_owned()));
        let told = changes(
            &read(r#"{"name":"ci","days":90,"open":false}"#),
            &read(r#"{"name":"ci","days":30,"open":true}"#),
            &read(r#"{"count":3,"nothing":null}"#),
        );
        let told: Vec<_> = told
            .iter()
            .map(|part| {
                (
                    part.name.as_str(),
                    part.before.as_deref(),
                    part.after.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("days", Some("90"), Some("30")),
                ("open", Some("no"), Some("yes")),
                ("count", None, Some("3"))
            ]
        );
        let named = read(r#"{"name":"ci","prefix":"hpp_b81XaP","count":3}"#);
        let told = changes(&Map::new(), &Map::new(), &named);
        assert_eq!(told.len(), 1, "its name stands above");
        assert_eq!(read("not json")["text"], "not json");
        assert_eq!(
            name_in(&read(r#"{"name":"ci","prefix":"hpp_b81XaP"}"#)).unwrap(),
            "ci (hpp_b81XaP)"
        );
    }
}
