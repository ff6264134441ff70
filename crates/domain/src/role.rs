//! Roles: named sets of permissions.

use crate::{
    id::{OrganizationId, RoleId},
    name::DisplayName,
    permission::{Permission, PermissionSet},
};

/// A role that every organization has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltInRole {
    /// Holds every permission of the catalogue, always.
    Superuser,
    /// Holds every permission of the catalogue but what concerns the organization as a whole.
    Admin,
    /// Holds what the deployment gives to members.
    Member,
    /// Holds what the deployment gives to those who only look.
    Viewer,
}

impl BuiltInRole {
    /// Every built-in role, the mightiest first.
    pub const ALL: [Self; 4] = [Self::Superuser, Self::Admin, Self::Member, Self::Viewer];

    /// Its id, the same in every deployment.
    pub const fn id(self) -> RoleId {
        let last = match self {
            Self::Superuser => 1,
            Self::Member => 2,
            Self::Admin => 3,
            Self::Viewer => 4,
        };
        RoleId::from_bytes([0, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, last])
    }

    /// The built-in role with this id, if one has it.
    pub fn of(id: RoleId) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.id() == id)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Superuser => "Superuser",
            Self::Admin => "Admin",
            Self::Member => "Member",
            Self::Viewer => "Viewer",
        }
    }

    /// What it is for, in one sentence.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Superuser => "Everything, always. An organization keeps at least one.",
            Self::Admin => "Everything but what concerns the organization as a whole.",
            Self::Member => "What people who work here need.",
            Self::Viewer => "Looking, not changing.",
        }
    }

    /// The word in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Superuser => "superuser",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }

    /// Whether who gets it may have personal access tokens, unless somebody says otherwise.
    pub const fn tokens_by_default(self) -> bool {
        !matches!(self, Self::Viewer)
    }

    /// What is always so, whatever the settings say; `None` where they decide.
    pub fn fixed_permissions(self) -> Option<RolePermissions> {
        match self {
            Self::Superuser => Some(RolePermissions::All),
            Self::Admin => Some(RolePermissions::AllBut(
                [Permission::ORGANIZATION, Permission::DEPLOYMENT]
                    .into_iter()
                    .filter_map(|text| Permission::parse(text).ok())
                    .collect(),
            )),
            Self::Member | Self::Viewer => None,
        }
    }
}

/// What a role holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RolePermissions {
    /// Every permission of the catalogue, also those added later.
    All,
    /// The same without these.
    AllBut(PermissionSet),
    /// These, of which the catalogue's count.
    Named(PermissionSet),
}

impl RolePermissions {
    /// The permissions of `catalogue` that the role holds: what no catalogue lists, nobody holds.
    #[must_use]
    pub fn within(&self, catalogue: &PermissionSet) -> PermissionSet {
        match self {
            Self::All => catalogue.clone(),
            Self::AllBut(exceptions) => catalogue
                .iter()
                .filter(|permission| !exceptions.covers(permission))
                .cloned()
                .collect(),
            Self::Named(named) => catalogue.narrowed_to(named),
        }
    }

    /// The first thing that `other` holds, or would hold in another catalogue, and this does not.
    pub fn first_beyond(&self, other: &Self) -> Option<Permission> {
        let own = || Permission::parse(Permission::ORGANIZATION).ok();
        match (self, other) {
            (Self::All, _) => None,
            (Self::AllBut(mine), Self::All) => mine.iter().next().cloned(),
            (Self::AllBut(mine), Self::AllBut(theirs)) => {
                mine.iter().find(|one| !theirs.covers(one)).cloned()
            }
            (Self::AllBut(mine), Self::Named(theirs)) => {
                theirs.iter().find(|one| mine.forbids(one)).cloned()
            }
            (Self::Named(_), Self::All) => own(),
            (Self::Named(_), Self::AllBut(theirs)) => theirs.iter().next().cloned().or_else(own),
            (Self::Named(mine), Self::Named(theirs)) => {
                theirs.iter().find(|one| !mine.covers(one)).cloned()
            }
        }
    }

    /// What of this would hold more in a larger catalogue: a wildcard, or `everything` for what is not named at all.
    pub fn growing(&self, everything: &Permission) -> Option<Permission> {
        match self {
            Self::All | Self::AllBut(_) => Some(everything.clone()),
            Self::Named(named) => named
                .iter()
                .find(|permission| permission.is_wildcard())
                .cloned(),
        }
    }

    /// What is stored and shown: the permissions that are named, be it as what the role holds or as what it does not.
    pub fn named(&self) -> Option<&PermissionSet> {
        match self {
            Self::All => None,
            Self::AllBut(set) | Self::Named(set) => Some(set),
        }
    }
}

/// A named set of permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// Whose it is; `None` for a built-in one, which every organization has.
    pub organization: Option<OrganizationId>,
    /// Its name, for people.
    pub name: DisplayName,
    /// What it is for, in one sentence; may be empty.
    pub description: String,
    /// What it holds.
    pub permissions: RolePermissions,
    /// Whether who gets it may have personal access tokens, unless somebody says otherwise.
    pub tokens_by_default: bool,
    /// Counts its changes; a change names the version it was made for.
    pub version: i64,
}

impl Role {
    /// Which built-in role it is, if it is one.
    pub fn built_in(&self) -> Option<BuiltInRole> {
        BuiltInRole::of(self.id)
    }

    /// What it holds of `catalogue` in an organization: what concerns the deployment is held in the host alone.
    #[must_use]
    pub fn holds(&self, catalogue: &PermissionSet, host: bool) -> PermissionSet {
        let mut held = self.permissions.within(catalogue);
        if !host {
            held = held
                .iter()
                .filter(|permission| permission.as_str() != Permission::DEPLOYMENT)
                .cloned()
                .collect();
        }
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> PermissionSet {
        PermissionSet::parse(text.split_whitespace()).unwrap()
    }

    #[test]
    fn an_admin_holds_all_but_the_organization_itself() {
        let catalogue = set("repo:read hallpass:members hallpass:organization hallpass:deployment");
        let admin = BuiltInRole::Admin.fixed_permissions().unwrap();
        assert_eq!(
            admin.within(&catalogue),
            set("repo:read hallpass:members"),
            "what is excepted is not held"
        );
        assert_eq!(RolePermissions::All.within(&catalogue), catalogue);
        assert_eq!(
            RolePermissions::Named(set("repo:* gone:read")).within(&catalogue),
            set("repo:read")
        );
    }

    #[test]
    fn what_is_beyond_stays_beyond_whatever_the_catalogue_becomes() {
        let named = |text| RolePermissions::Named(set(text));
        let but = |text| RolePermissions::AllBut(set(text));
        let all = RolePermissions::All;
        for (mine, theirs, beyond) in [
            (&all, &all, None),
            (&all, &named("repo:*"), None),
            (
                &named("repo:read repo:write"),
                &named("repo:*"),
                Some("repo:*"),
            ),
            (
                &named("repo:*"),
                &named("repo:read gone:read"),
                Some("gone:read"),
            ),
            (&named("repo:*"), &named("repo:* repo:read"), None),
            (
                &but("hallpass:organization"),
                &all,
                Some("hallpass:organization"),
            ),
            (
                &but("hallpass:organization"),
                &named("hallpass:*"),
                Some("hallpass:*"),
            ),
            (&but("hallpass:organization"), &named("repo:*"), None),
            (&but("a:b"), &but("a:b c:d"), None),
            (&but("a:b c:d"), &but("a:b"), Some("c:d")),
            (&named("repo:*"), &but("a:b"), Some("a:b")),
        ] {
            let found = mine.first_beyond(theirs).map(|found| found.to_string());
            assert_eq!(found.as_deref(), beyond, "{mine:?} {theirs:?}");
        }
    }

    #[test]
    fn only_the_host_holds_what_concerns_the_deployment() {
        let catalogue = set("repo:read hallpass:deployment");
        let role = Role {
            id: BuiltInRole::Superuser.id(),
            organization: None,
            name: DisplayName::parse("Superuser").unwrap(),
            description: String::new(),
            permissions: RolePermissions::All,
            tokens_by_default: true,
            version: 0,
        };
        assert_eq!(role.holds(&catalogue, true), catalogue);
        assert_eq!(role.holds(&catalogue, false), set("repo:read"));
    }

    #[test]
    fn ids_and_roles_name_each_other() {
        for role in BuiltInRole::ALL {
            assert_eq!(BuiltInRole::of(role.id()), Some(role));
        }
        assert_eq!(BuiltInRole::of(RoleId::from_bytes([9; 16])), None);
    }
}
