//! `/v1/organizations/{organization}/tokens`.

use super::{
    export::{self, Format, Pages, Record},
    parameters::{self, Parameters},
    shapes::texts,
};
use crate::{
    app::App,
    caller::{Acting, Context},
    error::ServiceError,
    problem::{ApiError, Json},
    service::{
        acting::Actor,
        inventory::{After, Inventoried, Sought},
    },
};
use axum::{
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use hallpass_domain::{id::TokenId, organization::Organization};
use hallpass_store::InventoryOwner;
use hallpass_wire::{
    InventoryFilter, InventoryItem, InventoryList, InventorySuspension, Owner, Problem,
};
use utoipa::IntoParams;

const TAG: &str = "Inventory";
const LIST: &str = "inventory";

/// The parameters of a filter, for the description.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "read by the description of the API alone; the values are parsed one by one, so that each error names its parameter"
)]
pub(super) struct FilterParameters {
    /// `personal_access_token` or `api_key`.
    kind: Option<String>,
    /// The id of the user whose they are.
    owner: Option<String>,
    /// `active`, `expired`, `revoked` or `suspended`.
    state: Option<String>,
    /// A permission they hold now.
    permission: Option<String>,
    /// Neither used nor made at or after this moment.
    #[param(format = DateTime)]
    unused_since: Option<String>,
    /// Made before this moment.
    #[param(format = DateTime)]
    made_before: Option<String>,
    /// That end before this moment.
    #[param(format = DateTime)]
    ends_before: Option<String>,
    /// With `true`, only those that never expire.
    never_expires: Option<bool>,
    /// With this in their name, their prefix, their owner's address or the address of their last use.
    #[param(max_length = 100)]
    search: Option<String>,
}

const FILTER: [&str; 9] = [
    "kind",
    "owner",
    "state",
    "permission",
    "unusedSince",
    "madeBefore",
    "endsBefore",
    "neverExpires",
    "search",
];

fn sought(parameters: &Parameters) -> Result<Sought, ServiceError> {
    Sought::parse(&InventoryFilter {
        kind: parameters.text("kind"),
        owner: parameters.text("owner"),
        state: parameters.text("state"),
        permission: parameters.text("permission"),
        unused_since: parameters.text("unusedSince"),
        made_before: parameters.text("madeBefore"),
        ends_before: parameters.text("endsBefore"),
        never_expires: parameters.boolean("neverExpires")?,
        search: parameters.text("search"),
    })
}

/// List an organization's tokens and keys
///
/// Every personal access token and API key, the latest first, revoked and expired ones too unless you ask for a `state`.
/// Needs `hallpass:tokens`.
#[utoipa::path(get, path = "/v1/organizations/{organization}/tokens", tag = TAG, operation_id = "listInventory",
    params(
        ("organization" = String, Path, description = "The organization's id"), FilterParameters,
        ("limit" = Option<u32>, Query, description = "Tokens in one answer: 1 to 100, 50 if nothing is said"),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the answer before"),
    ),
    responses(
        (status = 200, body = InventoryList),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`kind_unknown`, `id_malformed`, `state_unknown`, `permission_malformed`, `date_malformed`, `boolean_malformed`, `search_malformed`, `limit_malformed`, `cursor_malformed`, `parameter_unknown`, `parameter_doubled`"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`, also for organizations of others"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn list(
    State(app): State<App>,
    Acting(actor): Acting,
    RawQuery(query): RawQuery,
) -> Result<Json<InventoryList>, ApiError> {
    let known = [&FILTER[..], &["limit", "cursor"]].concat();
    let parameters = Parameters::read(query.as_deref(), &known, &[])?;
    let limit = parameters.limit()?;
    let after = parameters.cursor(LIST, |place| parameters::read_place(place, TokenId::parse))?;
    let found = app
        .services
        .list_inventory(&actor, &sought(&parameters)?, after, limit + 1)
        .await?;
    let (found, next_cursor) = parameters::page(found, limit, |last| {
        parameters::cursor(LIST, &parameters::place(last.row.created, last.row.id))
    });
    Ok(Json(InventoryList {
        next_cursor,
        items: items(&found, &actor.organization),
    }))
}

/// Export an organization's tokens and keys
///
/// The same as a file, the latest first, at most 100000 of them: go on with `madeBefore`. In CSV, a cell that a
/// spreadsheet would take for a formula has a `'` before it. The export is in the audit. Needs `hallpass:tokens`.
#[utoipa::path(get, path = "/v1/organizations/{organization}/tokens/export", tag = TAG, operation_id = "exportInventory",
    params(
        ("organization" = String, Path, description = "The organization's id"), FilterParameters,
        ("format" = Option<String>, Query, description = "`csv` or `json`; `csv` if nothing is said"),
    ),
    responses(
        (status = 200, description = "The file", content((String = "text/csv"), (Vec<InventoryItem> = "application/json"))),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`format_unknown`, and as in the list"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`, `invalid_token`"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`permission_missing`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`, also for organizations of others"),
    ), security(("session" = []), ("token" = [])))]
pub(super) async fn export(
    State(app): State<App>,
    Acting(actor): Acting,
    Context(context): Context,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let known = [&FILTER[..], &["format"]].concat();
    let parameters = Parameters::read(query.as_deref(), &known, &[])?;
    let formats = [("csv", Format::Csv), ("json", Format::Json)];
    let format = parameters.word("format", "format_unknown", &formats, Format::Csv)?;
    let sought = sought(&parameters)?;
    app.services
        .begin_inventory_export(&actor, &sought, format.word(), &context)
        .await?;
    let pages = InventoryPages {
        app,
        actor,
        sought,
        after: None,
    };
    Ok(export::file("tokens", format, pages).into_response())
}

struct InventoryPages {
    app: App,
    actor: Actor,
    sought: Sought,
    after: Option<After>,
}

impl Pages for InventoryPages {
    type Row = InventoryItem;

    async fn next(&mut self, most: u32) -> Result<Vec<InventoryItem>, ServiceError> {
        let found = self
            .app
            .services
            .list_inventory(&self.actor, &self.sought, self.after, most)
            .await?;
        if let Some(last) = found.last() {
            self.after = Some((last.row.created, last.row.id));
        }
        Ok(items(&found, &self.actor.organization))
    }
}

impl Record for InventoryItem {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "kind",
        "name",
        "prefix",
        "ownerType",
        "ownerId",
        "ownerName",
        "ownerEmail",
        "role",
        "scope",
        "permissions",
        "created",
        "expirationDate",
        "state",
        "atRest",
        "revoked",
        "suspendedSince",
        "suspendedUntil",
        "suspensionReason",
        "lastUsed",
        "lastUsedMethod",
        "lastUsedPath",
        "lastUsedAddress",
    ];

    fn cells(&self) -> Vec<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let suspension = self.suspension.as_ref();
        vec![
            self.id.clone(),
            self.kind.clone(),
            self.name.clone(),
            self.prefix.clone(),
            self.owner.kind.clone(),
            self.owner.id.clone(),
            self.owner.name.clone(),
            text(&self.owner_email),
            text(&self.role),
            self.scope
                .as_ref()
                .map_or(String::new(), |scope| scope.join(" ")),
            self.permissions.join(" "),
            self.created.clone(),
            text(&self.expiration_date),
            self.state.clone(),
            self.at_rest.to_string(),
            text(&self.revoked),
            suspension.map_or(String::new(), |rest| rest.since.clone()),
            suspension.map_or(String::new(), |rest| text(&rest.until)),
            suspension.map_or(String::new(), |rest| rest.reason.clone()),
            text(&self.last_used),
            text(&self.last_used_method),
            text(&self.last_used_path),
            text(&self.last_used_address),
        ]
    }
}

pub(super) fn items(found: &[Inventoried], organization: &Organization) -> Vec<InventoryItem> {
    let item = |found| item(found, organization);
    found.iter().map(item).collect()
}

pub(super) fn owner(owner: &InventoryOwner, organization: &Organization) -> Owner {
    match owner {
        InventoryOwner::User { id, name, .. } => Owner {
            kind: "user".to_owned(),
            id: id.to_string(),
            name: name.to_string(),
        },
        InventoryOwner::Organization { .. } => Owner {
            kind: "organization".to_owned(),
            id: organization.id.to_string(),
            name: organization.name.to_string(),
        },
    }
}

fn item(found: &Inventoried, organization: &Organization) -> InventoryItem {
    let (row, last) = (&found.row, found.row.last_use.as_ref());
    let email = match &row.owner {
        InventoryOwner::User { email, .. } => Some(email.to_string()),
        InventoryOwner::Organization { .. } => None,
    };
    InventoryItem {
        id: row.id.to_string(),
        kind: row.kind.word().to_owned(),
        name: row.name.to_string(),
        prefix: row.prefix.to_string(),
        owner: owner(&row.owner, organization),
        owner_email: email,
        role: found.role.clone(),
        scope: row.scope.as_ref().map(texts),
        permissions: texts(&found.permissions),
        created: row.created.to_string(),
        expiration_date: row.expiration.date().map(|date| date.to_string()),
        state: found.state.word().to_owned(),
        at_rest: found.at_rest.is_some(),
        revoked: row.revoked.map(|at| at.to_string()),
        suspension: row.suspension.as_ref().map(|rest| InventorySuspension {
            since: rest.since.to_string(),
            until: rest.until.map(|until| until.to_string()),
            reason: rest.reason.clone(),
            by_owner: rest.by_owner,
        }),
        last_used: last.map(|last| last.at.to_string()),
        last_used_method: last.and_then(|last| last.method.clone()),
        last_used_path: last.and_then(|last| last.path.clone()),
        last_used_address: last.and_then(|last| last.address.clone()),
    }
}
