//! The permissions of a deployment, and the roles that are built in.

use super::Services;
use crate::error::ServiceError;
use hallpass_domain::{
    name::DisplayName,
    permission::{CatalogueEntry, Permission, PermissionSet, Risk, Source},
    role::{BuiltInRole, Role, RolePermissions},
};

/// What the settings say about permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatalogueSettings {
    /// The product's permissions; none leaves what the store has, or the example where it has nothing.
    pub permissions: Vec<CatalogueEntry>,
    /// What members hold. None leaves what the store has, or nothing when `permissions` are named.
    pub member: Option<PermissionSet>,
    /// What viewers hold. The same.
    pub viewer: Option<PermissionSet>,
}

/// What a new deployment begins with until somebody names the product's permissions. Viewers get the first.
const EXAMPLE: [(&str, &str, Risk); 2] = [
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
];

fn example_permissions() -> Vec<CatalogueEntry> {
    EXAMPLE
        .iter()
        .filter_map(|(name, description, risk)| {
            Some(CatalogueEntry {
                permission: Permission::parse(name).ok()?,
                description: (*description).to_owned(),
                risk: *risk,
                source: Source::Api,
            })
        })
        .collect()
}

/// The catalogue that comes of what there was and of what the settings file names now.
fn merged(before: &[CatalogueEntry], named: &[CatalogueEntry]) -> Vec<CatalogueEntry> {
    let own = CatalogueEntry::of_product();
    let is_in = |all: &[CatalogueEntry], entry: &CatalogueEntry| {
        all.iter().any(|other| other.permission == entry.permission)
    };
    let mut all: Vec<CatalogueEntry> = if named.is_empty() && before.is_empty() {
        example_permissions()
    } else {
        let kept = before.iter().filter(|entry| match entry.source {
            Source::Product => false,
            Source::File => named.is_empty(),
            Source::Api => !is_in(named, entry),
        });
        // Of what no file speaks any more, the API may speak.
        let kept = kept.cloned().map(|entry| CatalogueEntry {
            source: Source::Api,
            ..entry
        });
        kept.chain(named.iter().cloned()).collect()
    };
    all.retain(|entry| !is_in(&own, entry));
    all.extend(own);
    all.sort_by(|one, other| one.permission.cmp(&other.permission));
    all
}

impl Services {
    /// Makes the catalogue and the built-in roles what the settings say. Acts at once on every token.
    ///
    /// # Errors
    /// The store's.
    pub async fn put_catalogue(&self, settings: &CatalogueSettings) -> Result<(), ServiceError> {
        let before = self.store.catalogue().await?;
        let after = merged(&before, &settings.permissions);
        let roles = self.built_in_roles(settings, before.is_empty()).await?;
        let stored = self.store.roles().await?;
        let as_stored = |role: &Role| {
            stored.iter().any(|stored| {
                Role {
                    version: 0,
                    ..stored.clone()
                } == *role
            })
        };
        if before == after && roles.iter().all(as_stored) {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        let mut changed = vec![tx.put_catalogue(&before, &after).await?];
        for role in roles.iter().filter(|role| !as_stored(role)) {
            changed.push(tx.put_built_in_role(role).await?);
        }
        let seq = tx.commit(&changed).await?;
        self.reach(seq).await
    }

    async fn built_in_roles(
        &self,
        settings: &CatalogueSettings,
        is_new: bool,
    ) -> Result<Vec<Role>, ServiceError> {
        let mut roles = Vec::with_capacity(BuiltInRole::ALL.len());
        for built_in in BuiltInRole::ALL {
            let stored = self.store.find_role(built_in.id()).await?;
            let permissions = match built_in.fixed_permissions() {
                Some(fixed) => fixed,
                None => given_permissions(built_in, settings, stored.as_ref(), is_new),
            };
            // What somebody said of it through the API stays.
            if let Some(stored) = stored.filter(|_| built_in.fixed_permissions().is_none()) {
                roles.push(Role {
                    permissions,
                    version: 0,
                    ..stored
                });
                continue;
            }
            roles.push(Role {
                id: built_in.id(),
                organization: None,
                name: DisplayName::parse(built_in.name())
                    .map_err(|error| ServiceError::Internal(error.to_string()))?,
                description: built_in.description().to_owned(),
                permissions,
                tokens_by_default: built_in.tokens_by_default(),
                version: 0,
            });
        }
        Ok(roles)
    }
}

/// What the deployment gives to members or viewers.
fn given_permissions(
    built_in: BuiltInRole,
    settings: &CatalogueSettings,
    stored: Option<&Role>,
    is_new: bool,
) -> RolePermissions {
    let (named, of_example) = match built_in {
        BuiltInRole::Viewer => (&settings.viewer, 1),
        _ => (&settings.member, EXAMPLE.len()),
    };
    match (named, stored) {
        (Some(named), _) => RolePermissions::Named(named.clone()),
        (None, Some(stored)) => stored.permissions.clone(),
        // Who names the product's permissions also says who holds them; until then, nobody but superusers and admins.
        (None, None) if is_new && settings.permissions.is_empty() => RolePermissions::Named(
            example_permissions()
                .into_iter()
                .take(of_example)
                .map(|entry| entry.permission)
                .collect(),
        ),
        (None, None) => RolePermissions::Named(PermissionSet::default()),
    }
}
