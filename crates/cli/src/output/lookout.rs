//! The inventory and the audit, as people read them.

use super::{
    Tone,
    rows::{Fact, Shown, Text, joined, plain, state},
    tokens::{both, told},
};
use hallpass_domain::time::Timestamp;
use hallpass_wire::{AuditLine, InventoryItem};

fn kind(word: &str) -> Text {
    plain(match word {
        "personal_access_token" => "token",
        "api_key" => "key",
        other => other,
    })
}

fn ends(item: &InventoryItem, now: Timestamp) -> Text {
    match &item.expiration_date {
        // When a revoked token would have ended helps nobody.
        _ if item.revoked.is_some() => ("-".to_owned(), Tone::Quiet),
        Some(date) => plain(told(date, now)),
        None => plain("never"),
    }
}

fn used(item: &InventoryItem, now: Timestamp) -> String {
    let Some(used) = &item.last_used else {
        return "never".to_owned();
    };
    let mut text = told(used, now);
    if let Some(address) = &item.last_used_address {
        text.push_str(&format!(" from {address}"));
    }
    text
}

impl Shown for InventoryItem {
    const HEADS: &'static [&'static str] = &[
        "PREFIX",
        "KIND",
        "NAME",
        "OWNER",
        "ROLE",
        "STATE",
        "EXPIRES",
        "LAST USED",
    ];

    fn id(&self) -> &str {
        &self.id
    }

    fn row(&self, now: Timestamp) -> Vec<Text> {
        vec![
            plain(&self.prefix),
            kind(&self.kind),
            plain(&self.name),
            plain(self.owner_email.as_ref().unwrap_or(&self.owner.name)),
            plain(self.role.as_deref().unwrap_or("-")),
            state(&self.state),
            ends(self, now),
            plain(used(self, now)),
        ]
    }

    fn card(&self, now: Timestamp) -> Vec<Fact> {
        let mut facts = vec![
            ("name", self.name.clone(), Tone::Plain),
            ("prefix", self.prefix.clone(), Tone::Plain),
            ("id", self.id.clone(), Tone::Plain),
            ("owner", self.owner.name.clone(), Tone::Plain),
            ("permissions", joined(&self.permissions), Tone::Plain),
            ("created", both(&self.created, now), Tone::Plain),
            ("last used", used(self, now), Tone::Plain),
        ];
        let (text, tone) = state(&self.state);
        facts.insert(3, ("state", text, tone));
        let (text, tone) = ends(self, now);
        facts.push(("expires", text, tone));
        facts
    }
}

/// Who did it: a person, or a token or key alone, or the server itself.
fn actor(line: &AuditLine) -> String {
    match (&line.actor, &line.token) {
        (Some(actor), _) => actor
            .email
            .clone()
            .or_else(|| actor.name.clone())
            .unwrap_or_else(|| actor.id.clone()),
        (None, Some(token)) => format!("key {token}"),
        (None, None) => "-".to_owned(),
    }
}

impl Shown for AuditLine {
    const HEADS: &'static [&'static str] = &["NUMBER", "WHEN", "WHO", "ACTION", "TARGET", "FROM"];

    fn id(&self) -> &str {
        &self.id
    }

    fn row(&self, now: Timestamp) -> Vec<Text> {
        let tone = if self.action == "refused" {
            Tone::Warning
        } else {
            Tone::Plain
        };
        vec![
            plain(self.seq.to_string()),
            plain(told(&self.at, now)),
            plain(actor(self)),
            (self.action.clone(), tone),
            plain(self.target.as_deref().unwrap_or("-")),
            plain(self.address.as_deref().unwrap_or("-")),
        ]
    }

    fn card(&self, now: Timestamp) -> Vec<Fact> {
        vec![
            ("number", self.seq.to_string(), Tone::Plain),
            ("when", both(&self.at, now), Tone::Plain),
            ("who", actor(self), Tone::Plain),
            ("action", self.action.clone(), Tone::Plain),
        ]
    }
}
