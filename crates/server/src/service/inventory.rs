//! Every token and key of an organization, for those who answer for it.

use super::{
    RequestContext, Services,
    acting::{Actor, Noted},
};
use crate::error::{InvalidField, ServiceError};
use hallpass_domain::{
    access_token::TokenState,
    audit::Action,
    id::{TokenId, UserId},
    limits::SEARCH_CHARS_MAX,
    name::fold_search,
    permission::{Permission, PermissionSet},
    time::Timestamp,
    token::Kind,
};
use hallpass_store::{AtRest, InventoryFilter, InventoryRow};
use serde_json::{Value, json};

/// Where a page of the inventory begins: after the token made then, with that id.
pub type After = (Timestamp, TokenId);

/// Which tokens and keys somebody asks for.
#[derive(Clone, Debug)]
pub struct Sought {
    filter: InventoryFilter,
    permission: Option<Permission>,
    /// As it was asked, for the audit.
    told: Value,
}

/// A token or key with what it may do now.
#[derive(Clone, Debug)]
pub struct Inventoried {
    /// What is stored of it.
    pub row: InventoryRow,
    /// What it is now.
    pub state: TokenState,
    /// What around it keeps it from working.
    pub at_rest: Option<AtRest>,
    /// The name of the role by which it works.
    pub role: Option<String>,
    /// What it may do; nothing once it has ended.
    pub permissions: PermissionSet,
}

impl Sought {
    /// Reads a wish.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] that names what is wrong.
    pub fn parse(wish: &hallpass_wire::InventoryFilter) -> Result<Self, ServiceError> {
        let filter = InventoryFilter {
            kind: wish.kind.as_deref().map(kind).transpose()?,
            owner: wish.owner.as_deref().map(owner).transpose()?,
            state: wish.state.as_deref().map(state).transpose()?,
            permission: None,
            unused_since: moment("unusedSince", wish.unused_since.as_deref())?,
            made_before: moment("madeBefore", wish.made_before.as_deref())?,
            ends_before: moment("endsBefore", wish.ends_before.as_deref())?,
            endless: wish.never_expires == Some(true),
            unrevoked: false,
            search: search(wish.search.as_deref().unwrap_or_default())?,
        };
        let permission = wish.permission.as_deref().map(permission).transpose()?;
        let told = serde_json::to_value(wish)
            .map_err(|error| ServiceError::Internal(error.to_string()))?;
        Ok(Self {
            filter,
            permission,
            told,
        })
    }

    /// Whether API keys are among what may be found.
    pub fn finds_keys(&self) -> bool {
        self.filter.owner.is_none() && self.filter.kind.is_none_or(|kind| kind == Kind::ApiKey)
    }

    /// Whether it names nothing, and so finds everything.
    pub fn is_everything(&self) -> bool {
        let Self {
            filter, permission, ..
        } = self;
        let dates = [filter.unused_since, filter.made_before, filter.ends_before];
        filter.kind.is_none()
            && filter.owner.is_none()
            && filter.state.is_none()
            && permission.is_none()
            && dates.iter().all(Option::is_none)
            && !filter.endless
            && filter.search.is_empty()
    }

    /// As it was asked.
    pub const fn told(&self) -> &Value {
        &self.told
    }
}

fn kind(text: &str) -> Result<Kind, InvalidField> {
    Kind::from_word(text)
        .filter(|kind| *kind != Kind::ShortLived)
        .ok_or_else(|| {
            InvalidField::new(
                "kind",
                "kind_unknown",
                "one of personal_access_token, api_key",
            )
        })
}

fn owner(text: &str) -> Result<UserId, InvalidField> {
    UserId::parse(text).map_err(|error| InvalidField::new("owner", "id_malformed", error))
}

fn state(text: &str) -> Result<TokenState, InvalidField> {
    TokenState::from_word(text).ok_or_else(|| {
        InvalidField::new(
            "state",
            "state_unknown",
            "one of active, expired, revoked, suspended",
        )
    })
}

fn permission(text: &str) -> Result<Permission, InvalidField> {
    let malformed = |why: String| InvalidField::new("permission", "permission_malformed", why);
    let parsed = Permission::parse(text).map_err(|error| malformed(error.to_string()))?;
    if parsed.is_wildcard() {
        return Err(malformed("name one permission, without a *".to_owned()));
    }
    Ok(parsed)
}

/// A moment that a request names.
pub(crate) fn moment(
    field: &'static str,
    text: Option<&str>,
) -> Result<Option<Timestamp>, InvalidField> {
    text.map(Timestamp::parse)
        .transpose()
        .map_err(|error| InvalidField::new(field, "date_malformed", error))
}

fn search(text: &str) -> Result<String, InvalidField> {
    if text.chars().count() > SEARCH_CHARS_MAX || text.contains('\0') {
        return Err(InvalidField::new(
            "search",
            "search_malformed",
            format!("at most {SEARCH_CHARS_MAX} characters that can be seen"),
        ));
    }
    Ok(fold_search(text))
}

impl Services {
    /// A page of the tokens and keys of the actor's organization, the latest first.
    ///
    /// # Errors
    /// [`ServiceError::RoleLacks`] without `hallpass:tokens`.
    pub async fn list_inventory(
        &self,
        actor: &Actor,
        sought: &Sought,
        after: Option<After>,
        limit: u32,
    ) -> Result<Vec<Inventoried>, ServiceError> {
        actor.require(Permission::TOKENS)?;
        let filter = self.inventory_filter(actor, sought).await?;
        self.read_inventory(actor, &filter, after, limit).await
    }

    pub(super) async fn read_inventory(
        &self,
        actor: &Actor,
        filter: &InventoryFilter,
        after: Option<After>,
        limit: u32,
    ) -> Result<Vec<Inventoried>, ServiceError> {
        let (organization, now) = (actor.organization.id, self.clock.now());
        let rows = self
            .store
            .list_inventory(organization, filter, after, limit, now)
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| self.inventoried(row, now))
            .collect())
    }

    fn inventoried(&self, row: InventoryRow, now: Timestamp) -> Inventoried {
        let state = row.state(now);
        let view = self.engine.view(row.id, row.prefix);
        let role = view
            .as_ref()
            .and_then(|view| view.role_name())
            .map(|name| name.to_string());
        let has_ended = matches!(state, TokenState::Revoked | TokenState::Expired);
        Inventoried {
            role: role.or_else(|| stored_role(&row)),
            permissions: view
                .filter(|_| !has_ended)
                .map(|view| view.permissions())
                .unwrap_or_default(),
            state,
            at_rest: row.at_rest(now),
            row,
        }
    }

    /// Which roles hold the permission is looked up now, and so is whether personal access tokens may carry it.
    pub(super) async fn inventory_filter(
        &self,
        actor: &Actor,
        sought: &Sought,
    ) -> Result<InventoryFilter, ServiceError> {
        let mut filter = sought.filter.clone();
        let Some(needed) = &sought.permission else {
            return Ok(filter);
        };
        let organization = &actor.organization;
        let catalogue = self.catalogue_set().await?;
        let mut roles = Vec::new();
        for used in self.store.list_roles(organization.id).await? {
            if used
                .role
                .holds(&catalogue, organization.host)
                .covers(needed)
            {
                roles.push(used.role.id);
            }
        }
        let loaded = self.store.load_organization(organization.id).await?;
        if loaded.is_some_and(|loaded| loaded.forbidden.forbids(needed)) {
            match filter.kind {
                None => filter.kind = Some(Kind::ApiKey),
                Some(Kind::ApiKey) => {}
                Some(_) => roles.clear(),
            }
        }
        filter.permission = Some((needed.clone(), roles));
        Ok(filter)
    }

    /// Begins an export: that it was asked for is written down before the first row leaves.
    ///
    /// # Errors
    /// [`ServiceError::RoleLacks`] without `hallpass:tokens`.
    pub async fn begin_inventory_export(
        &self,
        actor: &Actor,
        sought: &Sought,
        format: &'static str,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let noted = Noted::new(Action::InventoryExported, actor.organization.id)
            .with(json!({ "format": format, "filter": sought.told() }));
        self.begin_export(actor, Permission::TOKENS, noted, context)
            .await
    }

    pub(super) async fn begin_export(
        &self,
        actor: &Actor,
        needed: &'static str,
        noted: Noted,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        self.attempt(actor, context, noted.clone(), async {
            actor.require(needed)?;
            let now = self.clock.now();
            let mut tx = self.begin_acting(actor, now).await?;
            self.note(&mut tx, actor, context, noted, now);
            self.finish(tx, &[]).await
        })
        .await
    }
}

fn stored_role(row: &InventoryRow) -> Option<String> {
    match &row.owner {
        hallpass_store::InventoryOwner::Organization { name, .. } => Some(name.clone()),
        hallpass_store::InventoryOwner::User { .. } => None,
    }
}
