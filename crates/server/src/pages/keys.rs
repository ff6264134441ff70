//! The API keys of the organization in force.

use super::{
    PageError, address,
    form::Fields,
    page, searched,
    unknown::Unknown,
    view::{End, Frame, LastUseView, Moment, Scope, colour},
    visitor::{Asked, Visitor},
    words,
};
use crate::{app::App, service::access_tokens::RECENT_USES_DAYS};
use askama::Template;
use axum::{extract::State, response::Response};
use hallpass_domain::{
    access_token::TokenState, id::TokenId, limits::PAGE_ROWS_DEFAULT, name::fold_search,
    time::Timestamp,
};
use hallpass_store::{KeyQuery, KeyWithUse};

/// Where the list is.
pub(super) const PATH: &str = "/settings/organization/keys";
/// Characters of an id in a cursor; what follows is the name.
const ID_CHARS: usize = 36;

/// Which keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Filter {
    search: String,
    state: Option<TokenState>,
    after: Option<(String, TokenId)>,
    /// What it says and no list knows.
    unknown: Unknown,
}

impl Filter {
    fn read(fields: &Fields) -> Self {
        let after = fields.get("after").split_at_checked(ID_CHARS);
        let mut unknown = Unknown::default();
        Self {
            search: searched(fields),
            state: unknown.read(fields, ("state", "state"), TokenState::from_word),
            unknown,
            after: after.and_then(|(id, name)| Some((name.to_owned(), TokenId::parse(id).ok()?))),
        }
    }

    fn href(&self) -> String {
        let state = self.state.map(TokenState::word).unwrap_or_default();
        let after = self.after.as_ref().map(|(name, id)| format!("{id}{name}"));
        let pairs = [
            ("search", self.search.clone()),
            ("state", state.to_owned()),
            ("after", after.unwrap_or_default()),
        ];
        address(PATH, &pairs)
    }

    fn store_query(&self, now: Timestamp) -> KeyQuery {
        KeyQuery {
            state: self.state,
            search: fold_search(&self.search),
            after: self.after.clone(),
            limit: PAGE_ROWS_DEFAULT,
            now,
            recent_since: now.plus_days(-RECENT_USES_DAYS),
        }
    }
}

/// A key.
#[derive(Debug)]
pub(super) struct KeyView {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) prefix: String,
    pub(super) role: String,
    pub(super) scope: Scope,
    pub(super) created: Moment,
    pub(super) created_day: String,
    pub(super) end: End,
    pub(super) last_use: Option<LastUseView>,
    pub(super) recent_uses: String,
    /// The word and the colour.
    pub(super) state: (&'static str, &'static str),
    pub(super) is_active: bool,
    pub(super) suspended: bool,
    pub(super) revocable: bool,
    /// Whether an older secret works beside the current one.
    pub(super) overlaps: bool,
}

impl KeyView {
    pub(super) fn of(found: &KeyWithUse, now: Timestamp) -> Self {
        let key = &found.key;
        let state = key.state(now);
        let working = key.secrets.iter().filter(|secret| secret.works(now));
        Self {
            id: key.id.to_string(),
            name: key.name.to_string(),
            prefix: key
                .current()
                .map(|secret| secret.prefix.to_string())
                .unwrap_or_default(),
            role: found.role_name.clone(),
            scope: Scope::by_role(key.scope.as_ref(), &found.role_name),
            created: Moment::past(key.created, now),
            created_day: words::day(key.created),
            end: End::at(key.revoked, key.expiration, now),
            last_use: key.last_use().map(|last| LastUseView::of(last, now)),
            recent_uses: words::times(found.recent_uses),
            state: (state.word(), colour(state)),
            is_active: state == TokenState::Active,
            suspended: state == TokenState::Suspended,
            revocable: state != TokenState::Revoked,
            overlaps: state == TokenState::Active && working.count() > 1,
        }
    }
}

#[derive(Template)]
#[template(path = "keys.html")]
struct KeysPage {
    frame: Frame,
    revoked: bool,
    search: String,
    states: [(&'static str, &'static str, bool); 5],
    narrowed: bool,
    /// What the address asks for and there is not.
    unknown: Option<String>,
    rows: Vec<KeyView>,
    more_href: Option<String>,
    first_href: Option<String>,
}

pub(super) async fn list(
    State(app): State<App>,
    visitor: Visitor,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let (filter, now) = (Filter::read(&asked), app.services.clock.now());
    let query = filter.store_query(now);
    let (mut found, mut more) = app.services.list_keys(&visitor.actor(), &query).await?;
    if !filter.unknown.is_empty() {
        (found, more) = (Vec::new(), false);
    }
    let mut list = KeysPage::new(&visitor, &filter, &found, now);
    list.revoked = asked.get("done") == "revoked";
    let last = found.last().filter(|_| more).map(|last| &last.key);
    let next = last.map(|key| Filter {
        after: Some((key.name.key().to_owned(), key.id)),
        ..filter
    });
    list.more_href = next.map(|next| next.href());
    page(&list)
}

impl KeysPage {
    fn new(visitor: &Visitor, filter: &Filter, found: &[KeyWithUse], now: Timestamp) -> Self {
        let first = Filter {
            after: None,
            ..filter.clone()
        };
        let state = |word, label, is| (word, label, filter.state == is);
        Self {
            frame: Frame::new(visitor, "keys"),
            revoked: false,
            states: [
                state("", "In any state", None),
                state("active", "Active", Some(TokenState::Active)),
                state("suspended", "Suspended", Some(TokenState::Suspended)),
                state("expired", "Expired", Some(TokenState::Expired)),
                state("revoked", "Revoked", Some(TokenState::Revoked)),
            ],
            narrowed: first != Filter::default(),
            unknown: filter.unknown.said(),
            rows: found.iter().map(|found| KeyView::of(found, now)).collect(),
            more_href: None,
            first_href: filter.after.is_some().then(|| first.href()),
            search: filter.search.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_the_list_it_was_made_for() {
        for query in [
            "",
            "search=%D7%A9+x&state=suspended",
            "state=revoked&after=019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6aa%26b%3Dc",
        ] {
            let filter = Filter::read(&Fields::parse(query.as_bytes()));
            let href = filter.href();
            let again = href.split_once('?').map_or("", |(_, query)| query);
            assert_eq!(Filter::read(&Fields::parse(again.as_bytes())), filter);
        }
        assert_eq!(Filter::default().href(), PATH);
    }
}
