//! Roles of an organization's own, and the two built-in ones that the deployment fills.

use super::{
    RequestContext, Services,
    acting::{Actor, Noted},
};
use crate::error::{InvalidField, ServiceError};
use hallpass_domain::{
    audit::Action,
    id::RoleId,
    limits::ROLE_DESCRIPTION_BYTES_MAX,
    name::DisplayName,
    permission::{Permission, PermissionSet},
    role::{BuiltInRole, Role, RolePermissions},
};
use hallpass_store::{FeedKey, RoleUse, RoleWritten};
use serde_json::{Value, json};

/// What a role is to be.
#[derive(Clone, Debug)]
pub struct RoleWish {
    /// Its name.
    pub name: DisplayName,
    /// What it is for.
    pub description: String,
    /// What it holds, wildcards among it.
    pub permissions: PermissionSet,
    /// Whether who gets it may have tokens, unless somebody says otherwise.
    pub tokens_by_default: bool,
}

/// A sentence that describes a role.
///
/// # Errors
/// [`InvalidField`] when it is too long, or not one line.
pub fn parse_description(text: &str) -> Result<String, InvalidField> {
    if text.len() > ROLE_DESCRIPTION_BYTES_MAX || text.chars().any(hallpass_domain::name::is_hidden)
    {
        let way_out = format!(
            "at most {ROLE_DESCRIPTION_BYTES_MAX} bytes in one line, and no invisible characters"
        );
        return Err(InvalidField::new(
            "description",
            "description_malformed",
            way_out,
        ));
    }
    Ok(text.trim().to_owned())
}

fn shown(role: &Role) -> Value {
    json!({
        "name": role.name.as_str(),
        "description": role.description,
        "permissions": role.permissions.named().map(PermissionSet::to_text),
        "tokensByDefault": role.tokens_by_default,
    })
}

impl Services {
    /// The roles of the actor's organization.
    ///
    /// # Errors
    /// [`ServiceError::RoleLacks`] without `hallpass:members` or `hallpass:roles`.
    pub async fn list_roles(&self, actor: &Actor) -> Result<Vec<RoleUse>, ServiceError> {
        // Who gives roles must see them.
        if !actor.may(Permission::MEMBERS) && !actor.may(Permission::KEYS) {
            actor.require(Permission::ROLES)?;
        }
        Ok(self.store.list_roles(actor.organization.id).await?)
    }

    /// One of them.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn get_role(&self, actor: &Actor, id: RoleId) -> Result<RoleUse, ServiceError> {
        let all = self.list_roles(actor).await?;
        all.into_iter()
            .find(|used| used.role.id == id)
            .ok_or(ServiceError::NotFound("role"))
    }

    /// The role of the actor's organization with this id or, without regard to case, this name.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn resolve_role(&self, actor: &Actor, text: &str) -> Result<RoleId, ServiceError> {
        let organization = actor.organization.id;
        if let Ok(id) = RoleId::parse(text) {
            let found = self.store.find_role_in(organization, id).await?;
            return found.map_or(Err(ServiceError::NotFound("role")), |role| Ok(role.id));
        }
        let key = DisplayName::parse(text).map(|name| name.key());
        let all = self.store.list_roles(organization).await?;
        let found = all.into_iter().find(|used| Ok(used.role.name.key()) == key);
        found.map_or(Err(ServiceError::NotFound("role")), |used| Ok(used.role.id))
    }

    /// Every permission that is named must be in the catalogue, or cover one that is: a mistyped one would silently
    /// give nothing.
    fn check_named(
        permissions: &PermissionSet,
        catalogue: &PermissionSet,
    ) -> Result<(), ServiceError> {
        let unknown: Vec<InvalidField> = permissions
            .iter()
            .filter(|named| !catalogue.iter().any(|known| named.covers(known)))
            .map(|named| {
                InvalidField::new(
                    "permissions",
                    "permission_unknown",
                    format!("there is no permission {named}; see the catalogue"),
                )
            })
            .collect();
        if unknown.is_empty() {
            Ok(())
        } else {
            Err(ServiceError::Invalid(unknown))
        }
    }

    /// Makes a role.
    ///
    /// # Errors
    /// [`ServiceError::AboveActor`], [`ServiceError::NameInUse`], [`ServiceError::TooMany`].
    pub async fn create_role(
        &self,
        actor: &Actor,
        wish: RoleWish,
        context: &RequestContext,
    ) -> Result<RoleUse, ServiceError> {
        let now = self.clock.now();
        let role = Role {
            id: RoleId::generate(&self.entropy, now),
            organization: Some(actor.organization.id),
            name: wish.name,
            description: wish.description,
            permissions: RolePermissions::Named(wish.permissions),
            tokens_by_default: wish.tokens_by_default,
            version: 0,
        };
        let noted = Noted::new(Action::RoleCreated, role.id);
        self.attempt(actor, context, noted.clone(), async {
            actor.require(Permission::ROLES)?;
            check_name(&role.name)?;
            let catalogue = self.catalogue_set().await?;
            let named = role.permissions.named().cloned().unwrap_or_default();
            Self::check_named(&named, &catalogue)?;
            actor.require_all(&role.holds(&catalogue, actor.organization.host))?;
            self.require_enclosed(actor, &role.permissions).await?;
            let mut tx = self.begin_acting(actor, now).await?;
            let written = tx.insert_role(actor.organization.id, &role).await?;
            let changed = written_role(written)?;
            self.note(&mut tx, actor, context, noted.made(shown(&role)), now);
            self.finish(tx, &[changed]).await
        })
        .await?;
        self.get_role(actor, role.id).await
    }

    /// Changes a role. Acts at once on everybody who has it, and on their tokens. A built-in role that the deployment
    /// fills is changed, for all organizations, by those who hold `hallpass:deployment`.
    ///
    /// # Errors
    /// [`ServiceError::AboveActor`] when it holds, or is to hold, more than the actor; [`ServiceError::RoleBuiltIn`].
    pub async fn change_role(
        &self,
        actor: &Actor,
        id: RoleId,
        wish: RoleWish,
        context: &RequestContext,
    ) -> Result<RoleUse, ServiceError> {
        let noted = Noted::new(Action::RoleChanged, id);
        self.attempt(actor, context, noted.clone(), async {
            actor.require(Permission::ROLES)?;
            check_name(&wish.name)?;
            let (before, held) = self.role_with_permissions(actor, id).await?;
            if let Some(built_in) = before.built_in() {
                check_built_in(actor, built_in, &before, &wish)?;
            }
            let after = Role {
                name: wish.name,
                description: wish.description,
                permissions: RolePermissions::Named(wish.permissions),
                tokens_by_default: wish.tokens_by_default,
                ..before.clone()
            };
            let catalogue = self.catalogue_set().await?;
            let named = after.permissions.named().cloned().unwrap_or_default();
            let kept = before.permissions.named().cloned().unwrap_or_default();
            // What the catalogue lost meanwhile may stay named.
            let new = named
                .iter()
                .filter(|one| !kept.names(one))
                .cloned()
                .collect();
            Self::check_named(&new, &catalogue)?;
            self.require_enclosed(actor, &RolePermissions::Named(new))
                .await?;
            actor.require_all(&held)?;
            self.require_enclosed(actor, &before.permissions).await?;
            actor.require_all(&after.holds(&catalogue, actor.organization.host))?;
            let now = self.clock.now();
            let mut tx = self.begin_acting(actor, now).await?;
            let changed = if before.built_in().is_none() {
                written_role(tx.change_role(actor.organization.id, &after).await?)?
            } else if tx.hold_role(&before).await? {
                tx.put_built_in_role(&after).await?
            } else {
                return Err(ServiceError::ChangedMeanwhile);
            };
            let noted = noted.changed(shown(&before), shown(&after));
            self.note(&mut tx, actor, context, noted, now);
            self.finish(tx, &[changed]).await
        })
        .await?;
        self.get_role(actor, id).await
    }

    /// Deletes a role. Its members move to another one with the same change; API keys that have it are revoked, since a
    /// key's role never changes. How many keys that were.
    ///
    /// # Errors
    /// [`ServiceError::RoleInUse`] when somebody has it and no other is named, [`ServiceError::RoleBuiltIn`].
    pub async fn delete_role(
        &self,
        actor: &Actor,
        id: RoleId,
        move_members_to: Option<RoleId>,
        context: &RequestContext,
    ) -> Result<u64, ServiceError> {
        let noted = Noted::new(Action::RoleDeleted, id);
        self.attempt(actor, context, noted.clone(), async {
            actor.require(Permission::ROLES)?;
            let (role, held) = self.role_with_permissions(actor, id).await?;
            if role.organization.is_none() {
                return Err(ServiceError::RoleBuiltIn("it cannot be deleted"));
            }
            actor.require_all(&held)?;
            self.require_enclosed(actor, &role.permissions).await?;
            let organization = actor.organization.id;
            let to = match move_members_to {
                Some(to) if to != id => {
                    // Members are changed with it.
                    actor.require(Permission::MEMBERS)?;
                    Some(self.role_to_give(actor, to).await?)
                }
                _ => None,
            };
            let now = self.clock.now();
            let mut tx = self.begin_acting(actor, now).await?;
            let mut changed: Vec<FeedKey> = Vec::new();
            if let Some(to) = &to {
                if !tx.hold_role(to).await? {
                    return Err(ServiceError::ChangedMeanwhile);
                }
                changed = tx.move_members(organization, id, to.id).await?;
            }
            if tx.is_role_in_use(id, now).await? {
                return Err(ServiceError::RoleInUse);
            }
            let moved = changed.len();
            let mark = tx.bulk_moment(organization, now).await?;
            let deleted = tx.delete_role(organization, &role, mark).await?;
            let (keys, gone) = deleted.ok_or(ServiceError::ChangedMeanwhile)?;
            changed.extend(gone);
            self.recount(&mut tx, organization).await?;
            let noted = noted.gone(shown(&role)).with(json!({
                "membersMoved": moved,
                "membersMovedTo": to.map(|to| to.name.to_string()),
                "keysRevoked": keys,
            }));
            self.note(&mut tx, actor, context, noted, now);
            self.finish(tx, &changed).await?;
            Ok(keys)
        })
        .await
    }
}

/// A role is named by its id or by its name: a name that looks like an id would be taken for another role.
fn check_name(name: &DisplayName) -> Result<(), InvalidField> {
    if RoleId::parse(name.as_str()).is_ok() {
        let why = "a role cannot be named like an id";
        return Err(InvalidField::new("name", "name_malformed", why));
    }
    Ok(())
}

fn written_role(written: RoleWritten) -> Result<FeedKey, ServiceError> {
    match written {
        RoleWritten::Done(changed) => Ok(changed),
        RoleWritten::NameTaken => Err(ServiceError::NameInUse("role")),
        RoleWritten::TooMany => Err(ServiceError::TooMany("roles")),
        RoleWritten::Changed => Err(ServiceError::ChangedMeanwhile),
    }
}

fn check_built_in(
    actor: &Actor,
    built_in: BuiltInRole,
    before: &Role,
    wish: &RoleWish,
) -> Result<(), ServiceError> {
    if built_in.fixed_permissions().is_some() {
        return Err(ServiceError::RoleBuiltIn(
            "what it holds is always the same",
        ));
    }
    if wish.name != before.name {
        return Err(ServiceError::RoleBuiltIn("it keeps its name"));
    }
    actor.require(Permission::DEPLOYMENT)
}
