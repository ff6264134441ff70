//! Which tokens and keys of the organization are shown: to and from an address.

use super::{address, form::Fields, searched, unknown::Unknown};
use crate::service::inventory::After;
use hallpass_domain::{
    access_token::TokenState,
    id::{OrganizationId, TokenId, UserId},
    permission::Permission,
    policy::is_days,
    time::Timestamp,
    token::Kind,
};
use hallpass_store::InventoryRow;
use hallpass_wire::InventoryFilter;

/// Where the list is.
pub(super) const PATH: &str = "/settings/organization/tokens";

/// Which tokens and keys. What a query does not say is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) kind: String,
    pub(super) owner: String,
    pub(super) state: String,
    pub(super) permission: String,
    /// Days without a use.
    pub(super) unused: String,
    pub(super) endless: bool,
    pub(super) search: String,
    /// Where the page begins.
    pub(super) after: String,
    /// What it says and no list knows: nothing is found by it.
    pub(super) unknown: Unknown,
}

impl Filter {
    pub(super) fn read(fields: &Fields) -> Self {
        let mut unknown = Unknown::default();
        let mut kept = |name, what, is: fn(&str) -> bool| unknown.keep(fields, (name, what), is);
        Self {
            kind: kept("kind", "kind", |word| {
                Kind::from_word(word).is_some_and(|kind| kind != Kind::ShortLived)
            }),
            owner: kept("owner", "owner", |id| UserId::parse(id).is_ok()),
            state: kept("state", "state", |word| {
                TokenState::from_word(word).is_some()
            }),
            permission: kept("permission", "permission", is_one_permission),
            unused: kept("unused", "number of days", |days| {
                days.parse().is_ok_and(is_days)
            }),
            endless: kept("endless", "choice", |word| word == "1") == "1",
            search: searched(fields).replace('\0', ""),
            after: Some(fields.get("after"))
                .filter(|place| read_place(place).is_some())
                .unwrap_or_default()
                .to_owned(),
            unknown,
        }
    }

    /// The list of what somebody has.
    pub(super) fn of_owner(id: &UserId) -> String {
        format!("{PATH}?owner={id}")
    }

    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        let endless = if self.endless { "1" } else { "" };
        vec![
            ("kind", self.kind.clone()),
            ("owner", self.owner.clone()),
            ("state", self.state.clone()),
            ("permission", self.permission.clone()),
            ("unused", self.unused.clone()),
            ("endless", endless.to_owned()),
            ("search", self.search.clone()),
        ]
    }

    pub(super) fn href(&self) -> String {
        let mut pairs = self.pairs();
        pairs.push(("after", self.after.clone()));
        address(PATH, &pairs)
    }

    /// Where the revocation of all that is found is asked for.
    pub(super) fn revoke_href(&self) -> String {
        let mut pairs = self.pairs();
        pairs.insert(0, ("what", "found".to_owned()));
        address(&format!("{PATH}/revoke"), &pairs)
    }

    /// Where the same is as a file.
    pub(super) fn export_href(
        &self,
        organization: OrganizationId,
        format: &str,
        now: Timestamp,
    ) -> String {
        let wish = self.wish(now);
        let never = wish.never_expires.map(|_| "true".to_owned());
        let pairs = [
            ("kind", wish.kind),
            ("owner", wish.owner),
            ("state", wish.state),
            ("permission", wish.permission),
            ("unusedSince", wish.unused_since),
            ("neverExpires", never),
            ("search", wish.search),
            ("format", Some(format.to_owned())),
        ]
        .map(|(name, value)| (name, value.unwrap_or_default()));
        address(
            &format!("/v1/organizations/{organization}/tokens/export"),
            &pairs,
        )
    }

    pub(super) fn narrows(&self) -> bool {
        self.pairs().iter().any(|(_, value)| !value.is_empty())
    }

    /// The same list from its beginning.
    pub(super) fn at_its_beginning(&self) -> Self {
        Self {
            after: String::new(),
            ..self.clone()
        }
    }

    /// The part that follows a row.
    pub(super) fn after_row(&self, row: &InventoryRow) -> Self {
        Self {
            after: format!("{}.{}", row.created.micros(), row.id),
            ..self.clone()
        }
    }

    pub(super) fn after(&self) -> Option<After> {
        read_place(&self.after)
    }

    /// What the service is asked.
    pub(super) fn wish(&self, now: Timestamp) -> InventoryFilter {
        let said = |text: &String| (!text.is_empty()).then(|| text.clone());
        let since = self
            .unused
            .parse()
            .ok()
            .map(|days: i64| now.plus_days(-days));
        InventoryFilter {
            kind: said(&self.kind),
            owner: said(&self.owner),
            state: said(&self.state),
            permission: said(&self.permission),
            unused_since: since.map(|since| since.to_string()),
            never_expires: self.endless.then_some(true),
            search: said(&self.search),
            ..InventoryFilter::default()
        }
    }
}

/// A list is of what may do one thing: `repo:*` is no such thing.
fn is_one_permission(name: &str) -> bool {
    Permission::parse(name).is_ok_and(|permission| !permission.is_wildcard())
}

fn read_place(text: &str) -> Option<After> {
    let (made, id) = text.split_once('.')?;
    let made = Timestamp::from_micros(made.parse().ok()?);
    Some((made, TokenId::parse(id).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6a";

    #[test]
    fn a_link_leads_to_the_list_it_was_made_for() {
        let all = format!(
            "kind=api_key&owner={ID}&state=active&permission=repo%3Aread&unused=90&endless=1&search=%D7%A9&after=17.{ID}"
        );
        for query in ["", "endless=1", all.as_str()] {
            let filter = Filter::read(&Fields::parse(query.as_bytes()));
            let href = filter.href();
            let again = href.split_once('?').map_or("", |(_, query)| query);
            assert_eq!(Filter::read(&Fields::parse(again.as_bytes())), filter);
            assert_eq!(filter.narrows(), !query.is_empty());
        }
        assert_eq!(Filter::default().href(), PATH);
    }

    #[test]
    fn what_no_list_knows_is_told_and_what_is_no_filter_is_ignored() {
        let read = |query: &str| Filter::read(&Fields::parse(query.as_bytes()));
        assert_eq!(read("after=1.x&utm=1"), Filter::default());
        for query in [
            "kind=short_lived",
            "kind=key",
            "owner=x",
            "state=zzz",
            "permission=*",
            "permission=repo:*",
            "unused=0",
            "endless=2",
        ] {
            let filter = read(query);
            let value = query.split_once('=').unwrap().1;
            assert!(filter.unknown.said().unwrap().contains(value), "{query}");
            assert!(!filter.narrows(), "{query}");
        }
    }
}
