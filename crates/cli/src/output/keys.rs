//! API keys, as people read them.

use super::{
    Tone,
    rows::{Fact, Shown, Text, joined, plain, state},
    tokens::{both, told},
};
use hallpass_domain::time::Timestamp;
use hallpass_wire::{ApiKey, KeySecret};

fn when(moment: Option<&String>, now: Timestamp) -> String {
    moment.map_or_else(|| "never".to_owned(), |moment| told(moment, now))
}

fn ends(key: &ApiKey, now: Timestamp) -> Text {
    // When a revoked key would have ended helps nobody.
    if key.revoked.is_some() {
        ("-".to_owned(), Tone::Quiet)
    } else {
        plain(when(key.expiration_date.as_ref(), now))
    }
}

/// One secret of a key, in a line.
fn secret(secret: &KeySecret, now: Timestamp) -> String {
    let mut text = format!(
        "{}, since {}, last used {}",
        secret.prefix,
        told(&secret.since, now),
        when(secret.last_used.as_ref(), now)
    );
    match (&secret.until, secret.works) {
        (_, false) => text.push_str(", works no longer"),
        (Some(until), true) => text.push_str(&format!(
            ", replaced, works until {} at most",
            told(until, now)
        )),
        (None, true) => text.push_str(", current"),
    }
    text
}

impl Shown for ApiKey {
    const HEADS: &'static [&'static str] = &[
        "NAME",
        "PREFIX",
        "ROLE",
        "STATE",
        "EXPIRES",
        "LAST USED",
        "SECRETS",
    ];

    fn id(&self) -> &str {
        &self.id
    }

    fn row(&self, now: Timestamp) -> Vec<Text> {
        let working = self.secrets.iter().filter(|secret| secret.works).count();
        vec![
            plain(&self.name),
            plain(&self.prefix),
            plain(&self.role.name),
            state(&self.state),
            ends(self, now),
            plain(when(self.last_used.as_ref(), now)),
            plain(working.to_string()),
        ]
    }

    fn card(&self, now: Timestamp) -> Vec<Fact> {
        let (state, tone) = state(&self.state);
        let scope = self
            .scope
            .as_ref()
            .map_or_else(|| "all of the role".to_owned(), |scope| joined(scope));
        let mut facts = vec![
            ("name", self.name.clone(), Tone::Plain),
            ("id", self.id.clone(), Tone::Plain),
            ("state", state, tone),
            ("organization", self.organization.name.clone(), Tone::Plain),
            ("role", self.role.name.clone(), Tone::Plain),
            ("permissions", scope, Tone::Plain),
            ("created", both(&self.created, now), Tone::Plain),
            (
                "expires",
                self.expiration_date
                    .as_ref()
                    .map_or_else(|| "never".to_owned(), |date| both(date, now)),
                Tone::Plain,
            ),
        ];
        if let Some(reason) = &self.suspended_reason {
            facts.push(("suspended", reason.clone(), Tone::Warning));
        }
        if let Some(allowed) = &self.allowed_addresses {
            facts.push(("used from", joined(allowed), Tone::Plain));
        }
        for one in &self.secrets {
            let tone = if one.works { Tone::Plain } else { Tone::Quiet };
            facts.push(("secret", secret(one, now), tone));
        }
        facts
    }
}
