//! Which lines of the audit are shown: to and from an address.

use super::{address, form::Fields, unknown::Unknown};
use hallpass_domain::{
    audit::Action,
    id::{OrganizationId, TokenId, UserId},
    limits::PAGE_ROWS_DEFAULT,
    name::Email,
    time::{SECONDS_PER_DAY, Timestamp},
};
use hallpass_store::AuditQuery;

/// Where the audit is.
pub(super) const PATH: &str = "/settings/organization/audit";

/// Which lines. What a query does not say is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) actor: String,
    /// The address of who did it, as it was typed.
    pub(super) person: String,
    pub(super) token: String,
    pub(super) action: String,
    pub(super) target: String,
    pub(super) address: String,
    /// The first day.
    pub(super) since: String,
    /// The last day.
    pub(super) until: String,
    /// Of all organizations.
    pub(super) whole: bool,
    /// Before the line with this number.
    pub(super) before: String,
    /// What it says and no list knows: nothing is found by it.
    pub(super) unknown: Unknown,
}

fn day(text: &str) -> Option<Timestamp> {
    Timestamp::parse(&format!("{text}T00:00:00Z")).ok()
}

impl Filter {
    pub(super) fn read(fields: &Fields) -> Self {
        let mut unknown = Unknown::default();
        let mut kept = |name, what, is: fn(&str) -> bool| unknown.keep(fields, (name, what), is);
        Self {
            actor: kept("actor", "user", |id| UserId::parse(id).is_ok()),
            person: kept("person", "e-mail address", |text| {
                Email::parse(text).is_ok()
            }),
            token: kept("token", "token", |id| TokenId::parse(id).is_ok()),
            action: kept("action", "action", |word| Action::from_word(word).is_some()),
            target: kept("target", "id", |text| !text.contains('\0')),
            address: kept("address", "address", |text| !text.contains('\0')),
            since: kept("since", "day", |text| day(text).is_some()),
            until: kept("until", "day", |text| day(text).is_some()),
            whole: kept("scope", "scope", |word| word == "deployment") == "deployment",
            before: Some(fields.get("before"))
                .filter(|seq| seq.parse::<i64>().is_ok())
                .unwrap_or_default()
                .to_owned(),
            unknown,
        }
    }

    fn scope(&self) -> String {
        if self.whole { "deployment" } else { "" }.to_owned()
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        vec![
            ("actor", self.actor.clone()),
            ("person", self.person.clone()),
            ("token", self.token.clone()),
            ("action", self.action.clone()),
            ("target", self.target.clone()),
            ("address", self.address.clone()),
            ("since", self.since.clone()),
            ("until", self.until.clone()),
            ("scope", self.scope()),
        ]
    }

    pub(super) fn href(&self) -> String {
        let mut pairs = self.pairs();
        pairs.push(("before", self.before.clone()));
        address(PATH, &pairs)
    }

    /// The same lines, those before a number.
    pub(super) fn from(&self, before: Option<i64>) -> Self {
        Self {
            before: before.map(|seq| seq.to_string()).unwrap_or_default(),
            ..self.clone()
        }
    }

    pub(super) fn narrows(&self) -> bool {
        !self.unknown.is_empty() || self.pairs().iter().any(|(_, value)| !value.is_empty())
    }

    /// The last day is a whole one.
    fn end(&self) -> Option<Timestamp> {
        day(&self.until).map(|day| day.plus_seconds(SECONDS_PER_DAY))
    }

    /// Where the same is as a file.
    pub(super) fn export_href(&self, organization: OrganizationId, format: &str) -> String {
        let said = |moment: Option<Timestamp>| moment.map(|at| at.to_string()).unwrap_or_default();
        let mut pairs = self.pairs();
        pairs.retain(|(name, _)| *name != "person");
        for (name, value) in &mut pairs {
            match *name {
                "since" => *value = said(day(&self.since)),
                "until" => *value = said(self.end()),
                _ => {}
            }
        }
        pairs.push(("format", format.to_owned()));
        address(
            &format!("/v1/organizations/{organization}/audit/export"),
            &pairs,
        )
    }

    /// The same lines, those of one user.
    pub(super) fn of_actor(&self, user: UserId) -> Self {
        Self {
            actor: user.to_string(),
            ..self.clone()
        }
    }

    /// What the service is asked.
    pub(super) fn store_query(&self) -> AuditQuery {
        let said = |text: &String| (!text.is_empty()).then(|| text.clone());
        AuditQuery {
            actor_user: UserId::parse(&self.actor).ok(),
            actor_token: TokenId::parse(&self.token).ok(),
            actions: Action::from_word(&self.action).into_iter().collect(),
            target: said(&self.target),
            address: said(&self.address),
            since: day(&self.since),
            until: self.end(),
            before: self.before.parse().ok(),
            ..AuditQuery::all(None, PAGE_ROWS_DEFAULT)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_the_lines_it_was_made_for() {
        let id = "019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6a";
        let all = format!(
            "actor={id}&person=ada%40acme.example&token={id}&action=token.created&target=x&address=192.0.2.7&since=2026-11-01&until=2026-11-22&scope=deployment&before=17"
        );
        for query in ["", "action=refused", all.as_str()] {
            let filter = Filter::read(&Fields::parse(query.as_bytes()));
            let href = filter.href();
            let again = href.split_once('?').map_or("", |(_, query)| query);
            assert_eq!(Filter::read(&Fields::parse(again.as_bytes())), filter);
            assert_eq!(filter.narrows(), !query.is_empty());
        }
    }

    #[test]
    fn the_last_day_is_a_whole_one_and_what_is_strange_is_ignored() {
        let filter = Filter::read(&Fields::parse(b"since=2026-11-01&until=2026-11-22"));
        let query = filter.store_query();
        assert_eq!(query.until.unwrap().to_string(), "2026-11-23T00:00:00Z");
        let strange = Filter::read(&Fields::parse(b"before=z&utm=1"));
        assert_eq!(strange, Filter::default());
        for query in [
            "actor=x",
            "token=y",
            "action=gone",
            "since=May",
            "scope=all",
            "person=ada",
        ] {
            let filter = Filter::read(&Fields::parse(query.as_bytes()));
            assert!(!filter.unknown.is_empty() && filter.narrows(), "{query}");
        }
    }
}
