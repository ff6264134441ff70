//! The list of one's tokens.

use super::{
    PageError,
    form::Fields,
    page, page_with,
    view::{Frame, TokenView},
    visitor::{Asked, Visitor},
};
use crate::{
    app::App,
    error::ServiceError,
    service::access_tokens::RECENT_USES_DAYS,
};
use askama::Template;
use axum::{extract::State, response::Response};
use hallpass_domain::{
    access_token::TokenState,
    id::TokenId,
    limits::{PAGE_ROWS_DEFAULT, SEARCH_CHARS_MAX},
    name::fold_search,
    time::Timestamp,
};
use hallpass_store::{TokenQuery, TokenSort};
use http::StatusCode;

/// Characters of an id in a cursor; what follows is the sort key.
const ID_CHARS: usize = 36;

/// What stands above the list.
#[derive(Debug)]
pub(super) enum Banner {
    None,
    Revoked { name: String, prefix: String },
    Made { name: String, prefix: String, secret: Shown },
    MadeBefore { name: String, prefix: String },
}

/// The text of a token on its way into the one page that shows it.
pub(super) struct Shown(pub(super) hallpass_domain::token::PlainToken);

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shown(…)")
    }
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.expose())
    }
}

/// Which part of the list, in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ListQuery {
    state: TokenState,
    search: String,
    sort: TokenSort,
    descending: bool,
    after: Option<(String, TokenId)>,
}

struct SortColumn {
    sort: TokenSort,
    word: &'static str,
    label: &'static str,
    class: &'static str,
    /// The direction of the first click: new and long unused first, names and ends from their beginning.
    descending: bool,
}

const SORTS: [SortColumn; 4] = [
    SortColumn { sort: TokenSort::Name, word: "name", label: "Token", class: "who", descending: false },
    SortColumn { sort: TokenSort::Created, word: "created", label: "Created", class: "when", descending: true },
    SortColumn { sort: TokenSort::LastUsed, word: "last-used", label: "Last used", class: "used", descending: true },
    SortColumn { sort: TokenSort::Expiration, word: "expires", label: "Expires", class: "when", descending: false },
];

impl ListQuery {
    const DEFAULT_SORT: TokenSort = TokenSort::Created;

    /// What a query does not say, or says wrongly, is as in the list that opens first.
    fn read(fields: &Fields) -> Self {
        let column = SORTS.iter().find(|column| column.word == fields.get("sort"));
        let (sort, first) = column.map_or((Self::DEFAULT_SORT, true), |column| (column.sort, column.descending));
        Self {
            state: TokenState::from_word(fields.get("state")).unwrap_or(TokenState::Active),
            search: fields.get("search").trim().chars().take(SEARCH_CHARS_MAX).collect(),
            sort,
            descending: match fields.get("order") {
                "up" => false,
                "down" => true,
                _ => first,
            },
            after: fields.get("after").split_at_checked(ID_CHARS).and_then(|(id, key)| Some((key.to_owned(), TokenId::parse(id).ok()?))),
        }
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let column = SORTS.iter().find(|column| column.sort == self.sort);
        let sort = column.filter(|_| self.sort != Self::DEFAULT_SORT || !self.descending).map(|column| [("sort", column.word.to_owned()), ("order", if self.descending { "down" } else { "up" }.to_owned())]);
        let state = (self.state != TokenState::Active).then(|| ("state", self.state.word().to_owned()));
        let search = (!self.search.is_empty()).then(|| ("search", self.search.clone()));
        let after = self.after.as_ref().map(|(key, id)| ("after", format!("{id}{key}")));
        state.into_iter().chain(search).chain(sort.into_iter().flatten()).chain(after).collect()
    }

    fn href(&self) -> String {
        let pairs = self.pairs();
        if pairs.is_empty() {
            return "/settings/tokens".to_owned();
        }
        format!("/settings/tokens?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
    }

    fn store_query(&self, now: Timestamp) -> TokenQuery {
        TokenQuery {
            state: Some(self.state),
            unused_since: None,
            search: fold_search(&self.search),
            sort: self.sort,
            descending: self.descending,
            after: self.after.clone(),
            limit: PAGE_ROWS_DEFAULT,
            now,
            recent_since: now.plus_days(-RECENT_USES_DAYS),
        }
    }

    fn tabs(&self, counts: &[(TokenState, u64)]) -> Vec<Tab> {
        let count = |state| counts.iter().find(|(counted, _)| *counted == state).map_or(0, |(_, count)| *count);
        let tab = |state, label| Tab { href: Self { state, after: None, ..self.clone() }.href(), label, count: super::words::grouped(count(state)), current: state == self.state };
        let mut tabs = vec![tab(TokenState::Active, "Active"), tab(TokenState::Expired, "Expired"), tab(TokenState::Revoked, "Revoked")];
        if count(TokenState::Suspended) > 0 || self.state == TokenState::Suspended {
            tabs.push(tab(TokenState::Suspended, "Suspended"));
        }
        tabs
    }

    fn sorts(&self) -> Vec<Sort> {
        SORTS
            .iter()
            .map(|column| {
                let current = column.sort == self.sort;
                let descending = if current { !self.descending } else { column.descending };
                let (arrow, aria) = if self.descending { (" ↓", "descending") } else { (" ↑", "ascending") };
                Sort {
                    href: Self { sort: column.sort, descending, after: None, ..self.clone() }.href(),
                    label: if column.sort == TokenSort::Expiration && self.state == TokenState::Revoked { "Ended" } else { column.label },
                    class: column.class,
                    arrow: if current { arrow } else { "" },
                    aria,
                    current,
                }
            })
            .collect()
    }
}

struct Tab {
    href: String,
    label: &'static str,
    count: String,
    current: bool,
}

struct Sort {
    href: String,
    label: &'static str,
    class: &'static str,
    arrow: &'static str,
    aria: &'static str,
    current: bool,
}

#[derive(Template)]
#[template(path = "tokens.html")]
struct TokensPage {
    frame: Frame,
    banner: Banner,
    has_none: bool,
    tabs: Vec<Tab>,
    kept: Vec<(&'static str, String)>,
    search: String,
    state_word: &'static str,
    clear_href: String,
    empty: (&'static str, &'static str),
    sorts: Vec<Sort>,
    table_label: String,
    rows: Vec<TokenView>,
    more_href: Option<String>,
    first_href: Option<String>,
}

#[derive(Template)]
#[template(path = "not_allowed.html")]
struct NotAllowedPage {
    frame: Frame,
}

pub(super) async fn list(State(app): State<App>, visitor: Visitor, Asked(asked): Asked) -> Result<Response, PageError> {
    if let Some(refused) = not_allowed(&visitor)? {
        return Ok(refused);
    }
    let banner = revoked_banner(&app, &visitor, asked.get("revoked")).await?;
    show(&app, &visitor, &asked, banner).await
}

/// The page for someone who may not have tokens.
pub(super) fn not_allowed(visitor: &Visitor) -> Result<Option<Response>, PageError> {
    if visitor.person().membership.may_have_tokens {
        return Ok(None);
    }
    page_with(StatusCode::FORBIDDEN, &NotAllowedPage { frame: Frame::new(&visitor.present, "tokens") }).map(Some)
}

/// Says that a token was revoked if it truly was: an address proves nothing.
async fn revoked_banner(app: &App, visitor: &Visitor, id: &str) -> Result<Banner, ServiceError> {
    let Ok(id) = TokenId::parse(id) else {
        return Ok(Banner::None);
    };
    match app.services.get_token(visitor.person(), id).await {
        Ok(found) if found.token.revoked.is_some() => Ok(Banner::Revoked { name: found.token.name.to_string(), prefix: found.token.prefix.to_string() }),
        Ok(_) | Err(ServiceError::NotFound(_)) => Ok(Banner::None),
        Err(error) => Err(error),
    }
}

/// The list with `banner` above it.
pub(super) async fn show(app: &App, visitor: &Visitor, asked: &Fields, banner: Banner) -> Result<Response, PageError> {
    let (query, now, person) = (ListQuery::read(asked), app.services.clock.now(), visitor.person());
    let counts = app.services.count_tokens_by_state(person).await?;
    let found = app.services.list_tokens(person, &query.store_query(now)).await?;
    let clear = ListQuery { search: String::new(), after: None, ..query.clone() };
    let more_href = found.next.map(|next| ListQuery { after: Some(next), ..query.clone() }.href());
    let first_href = query.after.is_some().then(|| ListQuery { after: None, ..query.clone() }.href());
    page(&TokensPage {
        frame: Frame::new(&visitor.present, "tokens"),
        banner,
        has_none: counts.iter().all(|(_, count)| *count == 0),
        tabs: query.tabs(&counts),
        kept: clear.pairs(),
        clear_href: clear.href(),
        state_word: query.state.word(),
        empty: empty(query.state),
        sorts: query.sorts(),
        table_label: format!("Your {} tokens", query.state.word()),
        rows: found.items.iter().map(|item| TokenView::of(item, now)).collect(),
        search: query.search,
        more_href,
        first_href,
    })
}

const fn empty(state: TokenState) -> (&'static str, &'static str) {
    match state {
        TokenState::Active => ("No active tokens", "All of your tokens have ended. Make a new one when something needs it."),
        TokenState::Expired => ("No expired tokens", "A token comes here when its time is over. From then on it is refused."),
        TokenState::Revoked => ("No revoked tokens", "A token that you take back comes here, so that you can still see what it was and who used it last."),
        TokenState::Suspended => ("No suspended tokens", "A suspended token rests: it is refused until it is resumed."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> ListQuery {
        ListQuery::read(&Fields::parse(query.as_bytes()))
    }

    #[test]
    fn a_link_leads_to_the_list_it_was_made_for() {
        for query in [
            "",
            "state=expired",
            "search=%D7%A9%D7%9C%D7%95%D7%9D&sort=name&order=down",
            "sort=created&order=up",
            "state=revoked&sort=last-used&order=up&after=019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6aa%26b%3Dc",
        ] {
            let query = read(query);
            let href = query.href();
            assert_eq!(read(href.split_once('?').map_or("", |(_, query)| query)), query, "{href}");
        }
        assert_eq!(read("").href(), "/settings/tokens", "the list that opens first has a short address");
    }

    #[test]
    fn what_is_strange_is_ignored() {
        assert_eq!(read("state=gone&sort=secret&order=sideways&after=x&utm=1"), read(""));
        assert_eq!(read(&format!("search={}", "a".repeat(1_000))).search.len(), SEARCH_CHARS_MAX);
    }

    #[test]
    fn a_second_click_turns_the_order_round() {
        let by_name = read("sort=name&order=up");
        let sorts = by_name.sorts();
        assert!(sorts[0].current && sorts[0].href.contains("order=down") && sorts[0].arrow == " ↑");
        assert!(!sorts[2].current && sorts[2].href.contains("sort=last-used&order=down"));
    }

    #[test]
    fn suspended_has_a_tab_only_when_there_are_any() {
        let labels = |counts: &[(TokenState, u64)]| read("").tabs(counts).iter().map(|tab| tab.label).collect::<Vec<_>>();
        assert_eq!(labels(&[(TokenState::Active, 3)]), ["Active", "Expired", "Revoked"]);
        assert_eq!(labels(&[(TokenState::Suspended, 1)]).last(), Some(&"Suspended"));
    }
}
