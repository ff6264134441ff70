//! Organizations, people and roles.

use super::ACME;
use hallpass_domain::{
    id::{OrganizationId, UserId},
    member::{Membership, User},
    name::{DisplayName, Email},
    organization::{Organization, Standing},
    permission::PermissionSet,
    role::{BuiltInRole, Role, RolePermissions},
};
use hallpass_store::NewAccount;

pub(crate) fn built_in(role: BuiltInRole) -> Role {
    let named = || {
        RolePermissions::Named(scope(match role {
            BuiltInRole::Member => "orders:read orders:write",
            _ => "orders:read",
        }))
    };
    Role {
        id: role.id(),
        organization: None,
        name: DisplayName::parse(role.name()).unwrap(),
        description: role.description().to_owned(),
        permissions: role.fixed_permissions().unwrap_or_else(named),
        tokens_by_default: role.tokens_by_default(),
        version: 0,
    }
}

pub(crate) fn organization(id: OrganizationId, name: &str) -> Organization {
    Organization {
        id,
        name: DisplayName::parse(name).unwrap(),
        standing: Standing::Active,
        host: id == ACME,
    }
}

pub(crate) fn account(id: UserId, email: &str) -> NewAccount {
    NewAccount {
        user: User {
            id,
            email: Email::parse(email).unwrap(),
            name: DisplayName::parse("Somebody").unwrap(),
            standing: Standing::Active,
        },
        password_hash: Some("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA".to_owned()),
    }
}

pub(crate) fn member(organization: OrganizationId, user: UserId) -> Membership {
    Membership {
        organization,
        user,
        role: BuiltInRole::Member.id(),
        standing: Standing::Active,
        may_have_tokens: true,
    }
}

pub(crate) fn scope(text: &str) -> PermissionSet {
    PermissionSet::parse(text.split_ascii_whitespace()).unwrap()
}
