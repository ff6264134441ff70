//! Organizations, members, invitations, roles, permissions and users, as people read them.

use super::{
    Tone,
    rows::{Fact, Shown, Text, joined, plain, state, yes_no},
    tokens::{both, told},
};
use crate::limits::PERMISSIONS_IN_TABLE_MAX;
use hallpass_domain::time::Timestamp;
use hallpass_wire::{
    CatalogueEntry, Invitation, Member, Organization, OwnOrganization, Role, User,
};

fn fact(name: &'static str, (text, tone): Text) -> Fact {
    (name, text, tone)
}

impl Shown for Organization {
    const HEADS: &'static [&'static str] = &["NAME", "STATE", "MEMBERS", "CREATED", "ID"];

    fn id(&self) -> &str {
        &self.id
    }

    fn row(&self, now: Timestamp) -> Vec<Text> {
        let name = if self.host {
            format!("{} (runs the deployment)", self.name)
        } else {
            self.name.clone()
        };
        vec![
            plain(name),
            state(&self.standing),
            plain(self.members.to_string()),
            plain(told(&self.created, now)),
            (self.id.clone(), Tone::Quiet),
        ]
    }

    fn card(&self, now: Timestamp) -> Vec<Fact> {
        vec![
            fact("name", plain(&self.name)),
            fact("id", plain(&self.id)),
            fact("state", state(&self.standing)),
            fact("runs the deployment", yes_no(self.host)),
            fact("members", plain(self.members.to_string())),
            fact("created", plain(both(&self.created, now))),
        ]
    }
}

impl Shown for OwnOrganization {
    const HEADS: &'static [&'static str] = &["NAME", "ROLE", "CURRENT", "ID"];

    fn id(&self) -> &str {
        &self.id
    }

    fn row(&self, _: Timestamp) -> Vec<Text> {
        let current = if self.current {
            ("current".to_owned(), Tone::Good)
        } else {
            plain("")
        };
        vec![
            plain(&self.name),
            plain(&self.role),
            current,
            (self.id.clone(), Tone::Quiet),
        ]
    }

    fn card(&self, _: Timestamp) -> Vec<Fact> {
        vec![
            fact("name", plain(&self.name)),
            fact("id", plain(&self.id)),
            fact("role", plain(&self.role)),
            fact("current", yes_no(self.current)),
        ]
    }
}

/// The standing of a membership, or of the user where that says more.
fn standing(member: &Member) -> Text {
    if member.user_standing == "active" {
        state(&member.standing)
    } else {
        ("suspended everywhere".to_owned(), Tone::Warning)
    }
}

impl Shown for Member {
    const HEADS: &'static [&'static str] = &[
        "ADDRESS",
        "NAME",
        "ROLE",
        "STATE",
        "MAY HAVE TOKENS",
        "TOKENS",
    ];

    fn id(&self) -> &str {
        &self.user
    }

    fn row(&self, _: Timestamp) -> Vec<Text> {
        vec![
            plain(&self.email),
            plain(&self.name),
            plain(&self.role.name),
            standing(self),
            yes_no(self.may_have_tokens),
            plain(self.tokens.to_string()),
        ]
    }

    fn card(&self, now: Timestamp) -> Vec<Fact> {
        vec![
            fact("name", plain(&self.name)),
            fact("address", plain(&self.email)),
            fact("id", plain(&self.user)),
            fact("role", plain(&self.role.name)),
            fact("state", standing(self)),
            fact("may have tokens", yes_no(self.may_have_tokens)),
            fact("live tokens", plain(self.tokens.to_string())),
            fact("joined", plain(both(&self.joined, now))),
        ]
    }
}

impl Shown for Invitation {
    const HEADS: &'static [&'static str] = &[
        "ADDRESS",
        "ROLE",
        "MAY HAVE TOKENS",
        "CREATED",
        "EXPIRES",
        "ID",
    ];

    fn id(&self) -> &str {
        &self.id
    }

    fn row(&self, now: Timestamp) -> Vec<Text> {
        vec![
            plain(&self.email),
            plain(&self.role.name),
            yes_no(self.may_have_tokens),
            plain(told(&self.created, now)),
            plain(told(&self.expires, now)),
            (self.id.clone(), Tone::Quiet),
        ]
    }

    fn card(&self, now: Timestamp) -> Vec<Fact> {
        vec![
            fact("address", plain(&self.email)),
            fact("id", plain(&self.id)),
            fact("role", plain(&self.role.name)),
            fact("may have tokens", yes_no(self.may_have_tokens)),
            fact("created", plain(both(&self.created, now))),
            fact("expires", plain(both(&self.expires, now))),
        ]
    }
}

/// What a role is told to hold: what it names, or that it names nothing and holds what there is.
fn held(role: &Role, most: Option<usize>) -> String {
    let Some(named) = &role.named else {
        return format!("{} of the catalogue", role.permissions.len());
    };
    let shown = most.unwrap_or(usize::MAX).min(named.len());
    let mut text = joined(&named[..shown]);
    if shown < named.len() {
        text.push_str(&format!(" and {} more", named.len() - shown));
    }
    text
}

impl Shown for Role {
    const HEADS: &'static [&'static str] = &["NAME", "MEMBERS", "KEYS", "PERMISSIONS", "ID"];

    fn id(&self) -> &str {
        &self.id
    }

    fn row(&self, _: Timestamp) -> Vec<Text> {
        let name = if self.built_in {
            format!("{} (built in)", self.name)
        } else {
            self.name.clone()
        };
        vec![
            plain(name),
            plain(self.members.to_string()),
            plain(self.keys.to_string()),
            plain(held(self, Some(PERMISSIONS_IN_TABLE_MAX))),
            (self.id.clone(), Tone::Quiet),
        ]
    }

    fn card(&self, _: Timestamp) -> Vec<Fact> {
        vec![
            fact("name", plain(&self.name)),
            fact("id", plain(&self.id)),
            fact("description", plain(&self.description)),
            fact("built in", yes_no(self.built_in)),
            fact("names", plain(held(self, None))),
            fact("holds now", plain(joined(&self.permissions))),
            fact("tokens by default", yes_no(self.tokens_by_default)),
            fact("members", plain(self.members.to_string())),
            fact("API keys", plain(self.keys.to_string())),
        ]
    }
}

fn risk(word: &str) -> Text {
    let tone = match word {
        "high" => Tone::Bad,
        "medium" => Tone::Warning,
        _ => Tone::Plain,
    };
    (word.to_owned(), tone)
}

impl Shown for CatalogueEntry {
    const HEADS: &'static [&'static str] = &["NAME", "RISK", "SET BY", "HELD", "DESCRIPTION"];

    fn id(&self) -> &str {
        &self.name
    }

    fn row(&self, _: Timestamp) -> Vec<Text> {
        vec![
            plain(&self.name),
            risk(&self.risk),
            (self.source.clone(), Tone::Quiet),
            yes_no(self.held),
            plain(&self.description),
        ]
    }

    fn card(&self, _: Timestamp) -> Vec<Fact> {
        vec![
            fact("name", plain(&self.name)),
            fact("description", plain(&self.description)),
            fact("risk", risk(&self.risk)),
            fact("set by", plain(&self.source)),
            fact("you hold it", yes_no(self.held)),
        ]
    }
}

impl Shown for User {
    const HEADS: &'static [&'static str] = &["ADDRESS", "NAME", "STATE", "ID"];

    fn id(&self) -> &str {
        &self.id
    }

    fn row(&self, _: Timestamp) -> Vec<Text> {
        vec![
            plain(&self.email),
            plain(&self.name),
            state(&self.standing),
            (self.id.clone(), Tone::Quiet),
        ]
    }

    fn card(&self, _: Timestamp) -> Vec<Fact> {
        vec![
            fact("name", plain(&self.name)),
            fact("address", plain(&self.email)),
            fact("id", plain(&self.id)),
            fact("state", state(&self.standing)),
        ]
    }
}
