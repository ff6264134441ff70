//! Every token and key of the organization in force: found, looked at, exported.

use super::{
    PageError, cut,
    inventory_filter::{Filter, PATH},
    page,
    view::{End, Frame, LastUseView, Moment, Scope, colour},
    visitor::{Asked, Visitor},
    words,
};
use crate::{
    app::App,
    error::ServiceError,
    service::{
        acting::Actor,
        inventory::{Inventoried, Sought},
        revocations::Doomed,
    },
};
use askama::Template;
use axum::{extract::State, response::Response};
use hallpass_domain::{
    access_token::TokenState, limits::PAGE_ROWS_DEFAULT, permission::Permission, time::Timestamp,
    token::Kind,
};
use hallpass_store::{AtRest, InventoryOwner, InventoryRow};

/// A token or key.
#[derive(Debug)]
pub(super) struct RowView {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) prefix: String,
    pub(super) kind: &'static str,
    pub(super) owner: String,
    /// The list of what its owner has.
    pub(super) owner_href: String,
    pub(super) scope: Scope,
    pub(super) created: Moment,
    pub(super) created_day: String,
    pub(super) end: End,
    pub(super) last_use: Option<LastUseView>,
    /// The word and the colour.
    pub(super) state: (&'static str, &'static str),
    pub(super) is_active: bool,
    pub(super) suspended: bool,
    pub(super) revocable: bool,
    /// Why it rests without a word of its own.
    pub(super) rests: Option<&'static str>,
}

impl RowView {
    pub(super) fn of(row: &InventoryRow, role: Option<&str>, now: Timestamp) -> Self {
        let state = row.state(now);
        let rests = row.at_rest(now).map(rests);
        let (owner, owner_href) = match &row.owner {
            InventoryOwner::User { id, name, .. } => (name.to_string(), Filter::of_owner(id)),
            InventoryOwner::Organization { .. } => (
                "the organization".to_owned(),
                format!("{PATH}?kind={}", Kind::ApiKey.word()),
            ),
        };
        Self {
            id: row.id.to_string(),
            name: row.name.to_string(),
            prefix: row.prefix.to_string(),
            kind: kind(row.kind),
            owner,
            owner_href,
            scope: Scope::by_role(row.scope.as_ref(), role.unwrap_or("its role")),
            created: Moment::past(row.created, now),
            created_day: words::day(row.created),
            end: End::at(row.revoked, row.expiration, now),
            last_use: row.last_use.as_ref().map(|last| LastUseView::of(last, now)),
            state: match rests {
                Some(_) if state == TokenState::Active => ("at rest", "warn"),
                _ => (state.word(), colour(state)),
            },
            is_active: state == TokenState::Active,
            suspended: state == TokenState::Suspended,
            revocable: state != TokenState::Revoked,
            rests,
        }
    }

    pub(super) fn all(found: &[Inventoried], now: Timestamp) -> Vec<Self> {
        let view = |found: &Inventoried| Self::of(&found.row, found.role.as_deref(), now);
        found.iter().map(view).collect()
    }
}

/// What keeps it from working that is no word of its own.
const fn rests(around: AtRest) -> &'static str {
    match around {
        AtRest::Organization => "The organization is suspended.",
        AtRest::Account => "Its owner’s account is suspended.",
        AtRest::Member => "Its owner is suspended here.",
        AtRest::Gate => "Its owner may not have tokens here.",
    }
}

/// What it is, in words.
pub(super) const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::ApiKey => "API key",
        Kind::PersonalAccessToken | Kind::ShortLived => "Personal access token",
    }
}

/// A choice of a filter: its value, its words, whether it is chosen.
type Choice = (&'static str, &'static str, bool);

#[derive(Template)]
#[template(path = "inventory.html")]
struct InventoryPage {
    frame: Frame,
    revoked: bool,
    filter: Filter,
    kinds: [Choice; 3],
    states: [Choice; 5],
    unused: [Choice; 5],
    permissions: Vec<(String, bool)>,
    narrowed: bool,
    /// What the address asks for and there is not.
    unknown: Option<String>,
    /// Whose tokens are asked for, if there are any.
    owner: Option<String>,
    exports: [(&'static str, String); 2],
    rows: Vec<RowView>,
    more_href: Option<String>,
    first_href: Option<String>,
    /// How many a revocation of what is found would end: its words and where it is asked for.
    these: Option<(String, String)>,
    may_revoke_all: bool,
}

pub(super) async fn list(
    State(app): State<App>,
    visitor: Visitor,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let (filter, actor) = (Filter::read(&asked), visitor.actor());
    let now = app.services.clock.now();
    let sought = Sought::parse(&filter.wish(now))?;
    if !filter.unknown.is_empty() {
        actor.require(Permission::TOKENS)?;
        let mut list = InventoryPage::new(&visitor, &filter, &[], now);
        list.permissions = permissions(&app, &filter).await?;
        return page(&list);
    }
    let mut found = app
        .services
        .list_inventory(&actor, &sought, filter.after(), PAGE_ROWS_DEFAULT + 1)
        .await?;
    let more = cut(&mut found);
    let mut list = InventoryPage::new(&visitor, &filter, &found, now);
    list.permissions = permissions(&app, &filter).await?;
    list.these = these(&app, &actor, &filter, sought).await?;
    let last = found.last().filter(|_| more);
    list.more_href = last.map(|last| filter.after_row(&last.row).href());
    list.revoked = asked.get("done") == "revoked";
    page(&list)
}

/// The catalogue, to choose from.
async fn permissions(app: &App, filter: &Filter) -> Result<Vec<(String, bool)>, ServiceError> {
    let catalogue = app.services.store.catalogue().await?;
    let mut names: Vec<String> = catalogue
        .iter()
        .map(|entry| entry.permission.to_string())
        .collect();
    if !filter.permission.is_empty() && !names.contains(&filter.permission) {
        names.insert(0, filter.permission.clone());
    }
    let choice = |name: String| {
        let chosen = name == filter.permission;
        (name, chosen)
    };
    Ok(names.into_iter().map(choice).collect())
}

/// Only what was narrowed down is offered for revoking: for all there is a button of its own.
async fn these(
    app: &App,
    actor: &Actor,
    filter: &Filter,
    sought: Sought,
) -> Result<Option<(String, String)>, ServiceError> {
    if sought.is_everything() {
        return Ok(None);
    }
    let doomed = Doomed::Sought(Box::new(sought));
    let (count, _) = match app.services.preview_revocation(actor, &doomed).await {
        Ok(previewed) => previewed,
        // Keys are among them, which others manage: they may be looked at all the same.
        Err(ServiceError::RoleLacks(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let label = match count {
        0 => return Ok(None),
        1 => "Revoke this one…".to_owned(),
        many => format!("Revoke these {}…", words::grouped(many)),
    };
    Ok(Some((label, filter.revoke_href())))
}

impl InventoryPage {
    fn new(visitor: &Visitor, filter: &Filter, found: &[Inventoried], now: Timestamp) -> Self {
        let rows = RowView::all(found, now);
        let organization = visitor.person().organization.id;
        let export = |format| filter.export_href(organization, format, now);
        let choice = |value, label, asked: &str| (value, label, value == asked);
        Self {
            frame: Frame::new(visitor, "all-tokens"),
            revoked: false,
            kinds: [
                ("", "Tokens and keys"),
                ("personal_access_token", "Personal access tokens"),
                ("api_key", "API keys"),
            ]
            .map(|(value, label)| choice(value, label, &filter.kind)),
            states: [
                ("", "In any state"),
                ("active", "Active"),
                ("suspended", "Suspended"),
                ("expired", "Expired"),
                ("revoked", "Revoked"),
            ]
            .map(|(value, label)| choice(value, label, &filter.state)),
            unused: [
                ("", "Used or not"),
                ("30", "Unused for 30 days"),
                ("90", "Unused for 90 days"),
                ("180", "Unused for 180 days"),
                ("365", "Unused for a year"),
            ]
            .map(|(value, label)| choice(value, label, &filter.unused)),
            permissions: Vec::new(),
            narrowed: filter.narrows() || !filter.unknown.is_empty(),
            unknown: filter.unknown.said(),
            owner: rows
                .first()
                .filter(|_| !filter.owner.is_empty())
                .map(|row| row.owner.clone()),
            exports: [("CSV", export("csv")), ("JSON", export("json"))],
            rows,
            more_href: None,
            first_href: (!filter.after.is_empty()).then(|| filter.at_its_beginning().href()),
            these: None,
            may_revoke_all: visitor.actor().may(Permission::ORGANIZATION),
            filter: filter.clone(),
        }
    }
}
