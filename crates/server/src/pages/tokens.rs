//! The list of one's tokens.

use super::{
    PageError,
    form::Fields,
    list_query::{ListQuery, Sort, Tab},
    page, page_with,
    view::{Frame, TokenView},
    visitor::{Asked, Visitor},
};
use crate::{
    app::App,
    error::{ServiceError, capitalized, one_of},
};
use askama::Template;
use axum::{extract::State, response::Response};
use hallpass_domain::{access_token::TokenState, id::TokenId};
use http::StatusCode;

/// What stands above the list.
#[derive(Debug)]
pub(super) enum Banner {
    None,
    Revoked {
        name: String,
        prefix: String,
    },
    Made {
        name: String,
        prefix: String,
        secret: Shown,
    },
    MadeBefore {
        name: String,
        prefix: String,
    },
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
    who: String,
}

pub(super) async fn list(
    State(app): State<App>,
    visitor: Visitor,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    if let Some(refused) = not_allowed(&app, &visitor).await? {
        return Ok(refused);
    }
    let banner = revoked_banner(&app, &visitor, asked.get("revoked")).await?;
    show(&app, &visitor, &asked, banner).await
}

/// The page for someone who may not have tokens.
pub(super) async fn not_allowed(
    app: &App,
    visitor: &Visitor,
) -> Result<Option<Response>, PageError> {
    if visitor.person().membership.may_have_tokens {
        return Ok(None);
    }
    let organization = visitor.person().organization.id;
    let names = app.services.gatekeepers(organization).await?;
    page_with(
        StatusCode::FORBIDDEN,
        &NotAllowedPage {
            frame: Frame::new(visitor, "tokens"),
            who: capitalized(&one_of(&names)),
        },
    )
    .map(Some)
}

/// Says that a token was revoked if it truly was: an address proves nothing.
async fn revoked_banner(app: &App, visitor: &Visitor, id: &str) -> Result<Banner, ServiceError> {
    let Ok(id) = TokenId::parse(id) else {
        return Ok(Banner::None);
    };
    match app.services.get_token(visitor.person(), id).await {
        Ok(found) if found.token.revoked.is_some() => Ok(Banner::Revoked {
            name: found.token.name.to_string(),
            prefix: found.token.prefix.to_string(),
        }),
        Ok(_) | Err(ServiceError::NotFound(_)) => Ok(Banner::None),
        Err(error) => Err(error),
    }
}

/// The list with `banner` above it.
pub(super) async fn show(
    app: &App,
    visitor: &Visitor,
    asked: &Fields,
    banner: Banner,
) -> Result<Response, PageError> {
    let (query, now, person) = (
        ListQuery::read(asked),
        app.services.clock.now(),
        visitor.person(),
    );
    let counts = app.services.count_tokens_by_state(person).await?;
    let found = app
        .services
        .list_tokens(person, &query.store_query(now))
        .await?;
    let change = app.services.policy_to_come(person.organization.id).await?;
    let rows = found
        .items
        .iter()
        .map(|item| TokenView::with_notice(item, change.as_ref(), now))
        .collect();
    let frame = Frame::new(visitor, "tokens");
    page(&TokensPage::new(
        frame, banner, &query, &counts, rows, found.next,
    ))
}

impl TokensPage {
    fn new(
        frame: Frame,
        banner: Banner,
        query: &ListQuery,
        counts: &[(TokenState, u64)],
        rows: Vec<TokenView>,
        next: Option<(String, TokenId)>,
    ) -> Self {
        let clear = ListQuery {
            search: String::new(),
            ..query.at_its_beginning()
        };
        Self {
            frame,
            banner,
            has_none: counts.iter().all(|(_, count)| *count == 0),
            tabs: query.tabs(counts),
            kept: clear.pairs(),
            clear_href: clear.href(),
            state_word: query.state.word(),
            empty: empty(query.state),
            sorts: query.sorts(),
            table_label: format!("Your {} tokens", query.state.word()),
            rows,
            search: query.search.clone(),
            more_href: next.map(|next| {
                ListQuery {
                    after: Some(next),
                    ..query.clone()
                }
                .href()
            }),
            first_href: query
                .after
                .is_some()
                .then(|| query.at_its_beginning().href()),
        }
    }
}

const fn empty(state: TokenState) -> (&'static str, &'static str) {
    match state {
        TokenState::Active => (
            "No active tokens",
            "All of your tokens have ended. Make a new one when something needs it.",
        ),
        TokenState::Expired => (
            "No expired tokens",
            "A token comes here when its time is over. From then on it is refused.",
        ),
        TokenState::Revoked => (
            "No revoked tokens",
            "A token that you take back comes here, so that you can still see what it was and who used it last.",
        ),
        TokenState::Suspended => (
            "No suspended tokens",
            "A suspended token rests: it is refused until it is resumed.",
        ),
    }
}
