//! The catalogue of permissions, as it is changed through the API and on pages. What the settings file names is changed
//! there.

use super::{
    RequestContext, Services,
    acting::{Actor, Noted},
};
use crate::error::{InvalidField, ServiceError};
use hallpass_domain::{
    audit::Action,
    limits::{CATALOGUE_PERMISSIONS_MAX, PERMISSION_DESCRIPTION_BYTES_MAX},
    permission::{CatalogueEntry, OWN_RESOURCE, Permission, Risk, Source},
};
use serde_json::{Value, json};

/// A permission that can stand in the catalogue.
///
/// # Errors
/// [`InvalidField`] that says why it cannot.
pub fn parse_entry(
    name: &str,
    description: &str,
    risk: Option<&str>,
) -> Result<CatalogueEntry, ServiceError> {
    let permission = Permission::parse(name)
        .map_err(|error| InvalidField::new("name", "permission_malformed", error))?;
    let refused = |why: &str| InvalidField::new("name", "permission_malformed", why);
    if permission.is_wildcard() {
        return Err(refused(
            "a wildcard is no permission of its own: list each action; roles may then hold the wildcard",
        )
        .into());
    }
    if permission.resource() == OWN_RESOURCE {
        return Err(refused("hallpass:… belongs to the product: choose another resource").into());
    }
    let too_long = description.len() > PERMISSION_DESCRIPTION_BYTES_MAX;
    if too_long || description.chars().any(hallpass_domain::name::is_hidden) {
        let way_out = format!(
            "at most {PERMISSION_DESCRIPTION_BYTES_MAX} bytes in one line, and no invisible characters"
        );
        return Err(InvalidField::new("description", "description_malformed", way_out).into());
    }
    let risk = risk.map_or(Some(Risk::default()), Risk::from_word);
    let risk =
        risk.ok_or_else(|| InvalidField::new("risk", "risk_unknown", "one of low, medium, high"))?;
    Ok(CatalogueEntry {
        permission,
        description: description.trim().to_owned(),
        risk,
        source: Source::Api,
    })
}

fn shown(entry: &CatalogueEntry) -> Value {
    json!({ "description": entry.description, "risk": entry.risk.word() })
}

impl Services {
    /// Adds a permission to the catalogue, or changes what is said of it. Whether it is new.
    ///
    /// # Errors
    /// [`ServiceError::SetByFile`], [`ServiceError::TooMany`], [`ServiceError::RoleLacks`] without
    /// `hallpass:deployment`.
    pub async fn put_permission(
        &self,
        actor: &Actor,
        entry: CatalogueEntry,
        context: &RequestContext,
    ) -> Result<bool, ServiceError> {
        let noted = Noted::new(Action::CatalogueChanged, &entry.permission);
        self.attempt(actor, context, noted.clone(), async {
            actor.require(Permission::DEPLOYMENT)?;
            let before = self.store.catalogue().await?;
            let old = before
                .iter()
                .find(|other| other.permission == entry.permission);
            if old.is_some_and(|old| old.source == Source::File) {
                return Err(ServiceError::SetByFile(entry.permission.to_string()));
            }
            if old.is_none() && before.len() >= CATALOGUE_PERMISSIONS_MAX {
                return Err(ServiceError::TooMany("permissions"));
            }
            let noted = match old {
                Some(old) => noted.changed(shown(old), shown(&entry)),
                None => noted.made(shown(&entry)),
            };
            let is_new = old.is_none();
            let mut after: Vec<CatalogueEntry> = before
                .iter()
                .filter(|other| other.permission != entry.permission)
                .cloned()
                .collect();
            after.push(entry);
            self.write_catalogue(actor, &before, &after, noted, context)
                .await?;
            Ok(is_new)
        })
        .await
    }

    /// Takes a permission out of the catalogue: from then on nobody holds it, whatever their role or token names.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::SetByFile`], [`ServiceError::PermissionBuiltIn`].
    pub async fn delete_permission(
        &self,
        actor: &Actor,
        permission: &Permission,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let noted = Noted::new(Action::CatalogueChanged, permission);
        self.attempt(actor, context, noted.clone(), async {
            actor.require(Permission::DEPLOYMENT)?;
            let before = self.store.catalogue().await?;
            let old = before.iter().find(|other| other.permission == *permission);
            let old = old.ok_or(ServiceError::NotFound("permission"))?;
            match old.source {
                Source::Api => {}
                Source::File => return Err(ServiceError::SetByFile(permission.to_string())),
                Source::Product => {
                    return Err(ServiceError::PermissionBuiltIn(permission.to_string()));
                }
            }
            let noted = noted.gone(shown(old));
            let after: Vec<CatalogueEntry> = before
                .iter()
                .filter(|other| other.permission != *permission)
                .cloned()
                .collect();
            self.write_catalogue(actor, &before, &after, noted, context)
                .await
        })
        .await
    }

    async fn write_catalogue(
        &self,
        actor: &Actor,
        before: &[CatalogueEntry],
        after: &[CatalogueEntry],
        noted: Noted,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let now = self.clock.now();
        let mut tx = self.begin_acting(actor, now).await?;
        let changed = tx.put_catalogue(before, after).await?;
        self.note(&mut tx, actor, context, noted, now);
        self.finish(tx, &[changed]).await
    }
}
