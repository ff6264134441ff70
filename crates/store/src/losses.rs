//! What the live tokens of an organization carry and where they were last used from, each counted once: what a policy would
//! take from them is reckoned from these.

use crate::{Store, StoreError, on, rows, sql};
use hallpass_domain::{
    id::{OrganizationId, RoleId},
    limits::LOSS_GROUPS_MAX,
    permission::PermissionSet,
    time::Timestamp,
};
use std::net::IpAddr;

/// So many personal access tokens that carry the same, of members with the same role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// What they are narrowed to; none: all that the role holds.
    pub scope: Option<PermissionSet>,
    /// The role of their owners.
    pub role: RoleId,
    /// How many.
    pub tokens: u64,
}

impl Store {
    /// What the live personal access tokens of an organization carry; the [`LOSS_GROUPS_MAX`] most usual.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn carried(
        &self,
        organization: OrganizationId,
        now: Timestamp,
    ) -> Result<Vec<Carried>, StoreError> {
        let found: Vec<(Option<String>, Vec<u8>, i64)> = on!(&self.read, pool => sqlx::query_as(sql::TOKENS_CARRIED).bind(&organization.bytes()[..]).bind(now.micros()).bind(i64::from(LOSS_GROUPS_MAX)).fetch_all(pool).await?);
        found
            .iter()
            .map(|(scope, role, tokens)| {
                Ok(Carried {
                    scope: rows::scope(scope.as_deref())?,
                    role: rows::id(role, RoleId::from_bytes)?,
                    tokens: rows::count(*tokens),
                })
            })
            .collect()
    }

    /// From where the live tokens and keys of an organization were last used, and how many from there; the
    /// [`LOSS_GROUPS_MAX`] most usual.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn used_from(
        &self,
        organization: OrganizationId,
        now: Timestamp,
    ) -> Result<Vec<(IpAddr, u64)>, StoreError> {
        let found: Vec<(String, i64)> = on!(&self.read, pool => sqlx::query_as(sql::TOKENS_USED_FROM).bind(&organization.bytes()[..]).bind(now.micros()).bind(i64::from(LOSS_GROUPS_MAX)).fetch_all(pool).await?);
        Ok(found
            .iter()
            .filter_map(|(address, tokens)| Some((address.parse().ok()?, rows::count(*tokens))))
            .collect())
    }
}
