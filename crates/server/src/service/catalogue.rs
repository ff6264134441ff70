//! The permissions of a deployment, and the roles that are built in.

use super::Services;
use crate::error::ServiceError;
use hallpass_domain::{
    permission::{CatalogueEntry, Permission, PermissionSet, Risk},
    role::{BuiltInRole, Role, RolePermissions},
};

/// What the settings say about permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatalogueSettings {
    /// The product's permissions; none leaves what the store has, or the example where it has nothing.
    pub permissions: Vec<CatalogueEntry>,
    /// What members hold. None leaves what the store has, or nothing when `permissions` are named.
    pub member: Option<PermissionSet>,
}

/// The product's own permissions, in every catalogue.
fn own_permissions() -> Vec<CatalogueEntry> {
    entries(&[(
        Permission::VERIFY,
        "Ask Hallpass whether a token may do something",
        Risk::Medium,
    )])
}

/// What a new deployment begins with until its settings name the product's permissions.
fn example_permissions() -> Vec<CatalogueEntry> {
    entries(&[
        (
            "api:read",
            "Read through the API what you can see",
            Risk::Low,
        ),
        (
            "api:write",
            "Change through the API what you can change",
            Risk::Medium,
        ),
    ])
}

fn entries(all: &[(&str, &str, Risk)]) -> Vec<CatalogueEntry> {
    all.iter()
        .filter_map(|(name, description, risk)| {
            let permission = Permission::parse(name).ok()?;
            Some(CatalogueEntry {
                permission,
                description: (*description).to_owned(),
                risk: *risk,
            })
        })
        .collect()
}

impl Services {
    /// Makes the catalogue and the built-in roles what the settings say. Acts at once on every token.
    ///
    /// # Errors
    /// The store's.
    pub async fn put_catalogue(&self, settings: &CatalogueSettings) -> Result<(), ServiceError> {
        let before = self.store.catalogue().await?;
        let own = own_permissions();
        let is_own =
            |entry: &CatalogueEntry| own.iter().any(|own| own.permission == entry.permission);
        let mut product: Vec<CatalogueEntry> = match &settings.permissions[..] {
            [] if before.is_empty() => example_permissions(),
            [] => before
                .iter()
                .filter(|entry| !is_own(entry))
                .cloned()
                .collect(),
            named => named
                .iter()
                .filter(|entry| !is_own(entry))
                .cloned()
                .collect(),
        };
        let of_product: PermissionSet = product
            .iter()
            .map(|entry| entry.permission.clone())
            .collect();
        product.extend(own);
        product.sort_by(|one, other| one.permission.cmp(&other.permission));
        let roles = self.built_in_roles(settings, of_product).await?;
        let stored = self.store.roles().await?;
        if before == product && roles.iter().all(|role| stored.contains(role)) {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        let mut changed = vec![tx.put_catalogue(&before, &product).await?];
        for role in &roles {
            changed.push(tx.put_built_in_role(role).await?);
        }
        let seq = tx.commit(&changed).await?;
        self.reach(seq).await
    }

    async fn built_in_roles(
        &self,
        settings: &CatalogueSettings,
        of_product: PermissionSet,
    ) -> Result<[Role; 2], ServiceError> {
        let stored = self
            .store
            .find_role(BuiltInRole::Member.id())
            .await?
            .map(|role| role.permissions);
        let member = match (&settings.member, stored) {
            (Some(member), _) => RolePermissions::Named(member.clone()),
            (None, Some(stored)) if settings.permissions.is_empty() => stored,
            (None, _) if settings.permissions.is_empty() => RolePermissions::Named(of_product),
            // Who names the product's permissions also says what members hold; until then, nothing.
            (None, _) => RolePermissions::Named(PermissionSet::default()),
        };
        let role = |built_in: BuiltInRole, permissions| Role {
            id: built_in.id(),
            name: built_in.name().to_owned(),
            permissions,
        };
        Ok([
            role(BuiltInRole::Superuser, RolePermissions::All),
            role(BuiltInRole::Member, member),
        ])
    }
}
