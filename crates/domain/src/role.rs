//! Roles: named sets of permissions.

use crate::{id::RoleId, permission::PermissionSet};

/// A role that every organization has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltInRole {
    /// Holds every permission of the catalogue, always.
    Superuser,
    /// Holds what the deployment's settings give to members.
    Member,
}

impl BuiltInRole {
    /// Every built-in role.
    pub const ALL: [Self; 2] = [Self::Superuser, Self::Member];

    /// Its id, the same in every deployment.
    pub const fn id(self) -> RoleId {
        let last = match self {
            Self::Superuser => 1,
            Self::Member => 2,
        };
        RoleId::from_bytes([0, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, last])
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Superuser => "Superuser",
            Self::Member => "Member",
        }
    }
}

/// What a role holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RolePermissions {
    /// Every permission of the catalogue, also those added later.
    All,
    /// These, of which the catalogue's count.
    Named(PermissionSet),
}

impl RolePermissions {
    /// The permissions of `catalogue` that the role holds: what no catalogue lists, nobody holds.
    #[must_use]
    pub fn within(&self, catalogue: &PermissionSet) -> PermissionSet {
        match self {
            Self::All => catalogue.clone(),
            Self::Named(named) => catalogue.narrowed_to(named),
        }
    }
}

/// A named set of permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// Its name, for people.
    pub name: String,
    /// What it holds.
    pub permissions: RolePermissions,
}
