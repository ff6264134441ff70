//! Organizations, people and roles.

use super::{ACME, NOW, World};
use hallpass_domain::{
    id::{OrganizationId, RoleId, UserId},
    member::{Membership, User},
    name::{DisplayName, Email},
    organization::{Organization, Standing},
    permission::PermissionSet,
    role::{BuiltInRole, Role, RolePermissions},
};
use hallpass_store::{FeedKey, NewAccount, RoleWritten};

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

pub(crate) fn superuser(organization: OrganizationId, user: UserId) -> Membership {
    Membership {
        role: BuiltInRole::Superuser.id(),
        ..member(organization, user)
    }
}

/// Somebody besides Ada and Bob.
pub(crate) fn person(number: u8) -> UserId {
    UserId::from_bytes([number; 16])
}

/// A role of an organization's own.
pub(crate) fn role_of(organization: OrganizationId, number: u8, called: &str) -> Role {
    Role {
        id: RoleId::from_bytes([number; 16]),
        organization: Some(organization),
        name: DisplayName::parse(called).unwrap(),
        description: format!("What {called} is for."),
        permissions: RolePermissions::Named(scope("orders:read")),
        tokens_by_default: true,
        version: 0,
    }
}

impl World {
    /// Adds a person who is called so, with an address of their number.
    pub(crate) async fn add_person(&self, number: u8, called: &str) -> UserId {
        let mut account = account(person(number), &format!("p{number:03}@acme.example"));
        account.user.name = DisplayName::parse(called).unwrap();
        let mut tx = self.begin().await;
        let added = tx.insert_user(&account, NOW).await.unwrap();
        assert_eq!(added, Some(FeedKey::User(account.user.id)));
        tx.commit(&[]).await.unwrap();
        account.user.id
    }

    /// Adds a role of an organization's own.
    pub(crate) async fn add_role(&self, role: &Role) {
        let mut tx = self.begin().await;
        let whose = role.organization.unwrap();
        let written = tx.insert_role(whose, role).await.unwrap();
        assert_eq!(written, RoleWritten::Done(FeedKey::Role(role.id)));
        tx.commit(&[]).await.unwrap();
    }
}

pub(crate) fn scope(text: &str) -> PermissionSet {
    PermissionSet::parse(text.split_ascii_whitespace()).unwrap()
}
