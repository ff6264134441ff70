//! Permissions: `resource:action`. `resource:*` covers every action on the resource.

mod catalogue;

pub use self::catalogue::{CatalogueEntry, Risk, Source};

use crate::limits::{PERMISSION_BYTES_MAX, SCOPE_PERMISSIONS_MAX};
use std::fmt;

/// The product's own permissions live under this resource.
pub const OWN_RESOURCE: &str = "hallpass";

/// One permission, `resource:action` or `resource:*`.
///
/// Both parts are 1 or more of `a`–`z`, `0`–`9`, `-`, `_`, `.` and `/`, beginning with a letter or digit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission(Box<str>);

/// Why a text is no permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a permission such as repo:read or repo:*: lower-case letters, digits and - _ . / on both sides of one colon, at most {PERMISSION_BYTES_MAX} characters"
)]
pub struct MalformedPermission;

impl Permission {
    /// May ask `/v1/verify` about tokens.
    pub const VERIFY: &'static str = "hallpass:verify";
    /// Lets a credential manage its owner's tokens. Only a token that names it has it: no wildcard and no
    /// role gives it.
    pub const OWN_TOKENS: &'static str = "hallpass:own-tokens";
    /// May invite, change, suspend and remove members.
    pub const MEMBERS: &'static str = "hallpass:members";
    /// May make and change the organization's own roles.
    pub const ROLES: &'static str = "hallpass:roles";
    /// May make, rotate and revoke API keys.
    pub const KEYS: &'static str = "hallpass:keys";
    /// May see, suspend and revoke the tokens of everyone in the organization.
    pub const TOKENS: &'static str = "hallpass:tokens";
    /// May change what the organization's tokens must keep to.
    pub const POLICY: &'static str = "hallpass:policy";
    /// May read who did what.
    pub const AUDIT: &'static str = "hallpass:audit";
    /// May change the organization itself.
    pub const ORGANIZATION: &'static str = "hallpass:organization";
    /// May change what concerns every organization. Only in the organization that runs the deployment does it give
    /// anything.
    pub const DEPLOYMENT: &'static str = "hallpass:deployment";

    /// Parses `resource:action` or `resource:*`.
    ///
    /// # Errors
    /// [`MalformedPermission`].
    pub fn parse(text: &str) -> Result<Self, MalformedPermission> {
        let (resource, action) = text.split_once(':').ok_or(MalformedPermission)?;
        let good = text.len() <= PERMISSION_BYTES_MAX
            && is_part(resource)
            && (action == "*" || is_part(action));
        if good {
            Ok(Self(text.into()))
        } else {
            Err(MalformedPermission)
        }
    }

    /// The text, `resource:action`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is acted upon: all before the colon.
    pub fn resource(&self) -> &str {
        self.0.split_once(':').map_or("", |(resource, _)| resource)
    }

    /// Whether this is `resource:*`.
    pub fn is_wildcard(&self) -> bool {
        self.0.ends_with(":*")
    }

    /// Whether holding this gives `other`: the same, or the wildcard of its resource. No wildcard gives
    /// [`Self::OWN_TOKENS`].
    pub fn covers(&self, other: &Self) -> bool {
        self == other
            || (self.is_wildcard()
                && self.resource() == other.resource()
                && other.as_str() != Self::OWN_TOKENS)
    }
}

fn is_part(text: &str) -> bool {
    let inner = |byte: u8| {
        byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || matches!(byte, b'-' | b'_' | b'.' | b'/')
    };
    text.bytes().all(inner)
        && text
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_lowercase() || first.is_ascii_digit())
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A set of permissions, sorted, without doubles.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PermissionSet(Box<[Permission]>);

/// Why a list of texts is no set of permissions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedSet {
    /// One of them is no permission.
    #[error("“{text}” is {source}")]
    Permission {
        /// What was given.
        text: String,
        /// Why it is none.
        source: MalformedPermission,
    },
    /// There are too many.
    #[error("at most {SCOPE_PERMISSIONS_MAX} permissions can be named")]
    TooMany,
}

impl PermissionSet {
    /// Parses a list of texts; order and doubles do not matter.
    ///
    /// # Errors
    /// The first text that is no permission, or too many of them.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, MalformedSet> {
        let mut permissions = Vec::new();
        for text in texts {
            if permissions.len() == SCOPE_PERMISSIONS_MAX {
                return Err(MalformedSet::TooMany);
            }
            permissions.push(Permission::parse(text).map_err(|source| {
                MalformedSet::Permission {
                    text: text.to_owned(),
                    source,
                }
            })?);
        }
        Ok(permissions.into_iter().collect())
    }

    /// Whether holding this set gives `needed`.
    pub fn covers(&self, needed: &Permission) -> bool {
        self.names(needed)
            || self
                .0
                .iter()
                .any(|held| held.is_wildcard() && held.covers(needed))
    }

    /// Whether `permission` stands in the set itself, wildcards aside.
    pub fn names(&self, permission: &Permission) -> bool {
        self.0.binary_search(permission).is_ok()
    }

    /// Whether `text` stands in the set itself, wildcards aside.
    pub fn names_text(&self, text: &str) -> bool {
        self.0
            .binary_search_by(|held| held.as_str().cmp(text))
            .is_ok()
    }

    /// Whether every permission of `other` is covered here.
    pub fn covers_all(&self, other: &Self) -> bool {
        other.iter().all(|permission| self.covers(permission))
    }

    /// Whether whoever may have nothing of this set may not have `permission`: it stands in the set, or a wildcard on
    /// either side takes in the other. Here a wildcard takes in [`Permission::OWN_TOKENS`] too.
    pub fn forbids(&self, permission: &Permission) -> bool {
        self.names(permission)
            || self.0.iter().any(|named| {
                (named.is_wildcard() || permission.is_wildcard())
                    && named.resource() == permission.resource()
            })
    }

    /// The permissions of this set that `narrowing` covers.
    #[must_use]
    pub fn narrowed_to(&self, narrowing: &Self) -> Self {
        self.iter()
            .filter(|permission| narrowing.covers(permission))
            .cloned()
            .collect()
    }

    /// The permissions in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Permission> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The permissions in order, joined by one blank: as stored, and as RFC 6749 section 3.3 writes a scope.
    pub fn to_text(&self) -> String {
        let texts: Vec<&str> = self.iter().map(Permission::as_str).collect();
        texts.join(" ")
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        let mut all: Vec<Permission> = permissions.into_iter().collect();
        all.sort_unstable();
        all.dedup();
        Self(all.into_boxed_slice())
    }
}

impl<'a> IntoIterator for &'a PermissionSet {
    type Item = &'a Permission;
    type IntoIter = std::slice::Iter<'a, Permission>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.to_text())
    }
}

#[cfg(test)]
mod tests;
