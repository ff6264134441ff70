//! What changed, in order.

use crate::{Store, StoreError, on, rows, sql};
use hallpass_domain::{
    id::{OrganizationId, RoleId, TokenId, UserId},
    time::Timestamp,
};

/// Rows of the feed read at once.
const FEED_ROWS_MAX: i64 = 1_000;

/// What to read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FeedKey {
    /// The catalogue, and with it what every role holds.
    Catalogue,
    /// An organization.
    Organization(OrganizationId),
    /// A role.
    Role(RoleId),
    /// A user.
    User(UserId),
    /// A membership; gone if there is no row.
    Membership(OrganizationId, UserId),
    /// A token.
    Token(TokenId),
    /// The tokens of an organization that one change went through together, at this moment.
    Bulk(OrganizationId, Timestamp),
}

/// One row of the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedEntry {
    /// Its number; several rows may share one.
    pub seq: i64,
    /// What to read again.
    pub key: FeedKey,
}

impl FeedKey {
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Catalogue => "catalogue",
            Self::Organization(_) => "organization",
            Self::Role(_) => "role",
            Self::User(_) => "user",
            Self::Membership(..) => "membership",
            Self::Token(_) => "token",
            Self::Bulk(..) => "bulk",
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Catalogue => Vec::new(),
            Self::Organization(id) => id.bytes().to_vec(),
            Self::Role(id) => id.bytes().to_vec(),
            Self::User(id) => id.bytes().to_vec(),
            Self::Membership(organization, user) => {
                [&organization.bytes()[..], user.bytes()].concat()
            }
            Self::Token(id) => id.bytes().to_vec(),
            Self::Bulk(organization, at) => {
                [&organization.bytes()[..], &at.micros().to_be_bytes()].concat()
            }
        }
    }

    fn read(kind: &str, key: &[u8]) -> Result<Self, StoreError> {
        Ok(match kind {
            "catalogue" => Self::Catalogue,
            "organization" => Self::Organization(rows::id(key, OrganizationId::from_bytes)?),
            "role" => Self::Role(rows::id(key, RoleId::from_bytes)?),
            "user" => Self::User(rows::id(key, UserId::from_bytes)?),
            "membership" => {
                let (organization, user) = key
                    .split_at_checked(16)
                    .ok_or(StoreError::Malformed("feed row"))?;
                Self::Membership(
                    rows::id(organization, OrganizationId::from_bytes)?,
                    rows::id(user, UserId::from_bytes)?,
                )
            }
            "bulk" => {
                let (organization, at) = key
                    .split_at_checked(16)
                    .ok_or(StoreError::Malformed("feed row"))?;
                let at = at
                    .try_into()
                    .map_err(|_| StoreError::Malformed("feed row"))?;
                Self::Bulk(
                    rows::id(organization, OrganizationId::from_bytes)?,
                    Timestamp::from_micros(i64::from_be_bytes(at)),
                )
            }
            "token" => Self::Token(rows::id(key, TokenId::from_bytes)?),
            _ => return Err(StoreError::Malformed("feed row")),
        })
    }
}

impl Store {
    /// The number of the last change.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn head(&self) -> Result<i64, StoreError> {
        Ok(on!(&self.read, pool => sqlx::query_scalar(sql::HEAD).fetch_one(pool).await?))
    }

    /// The next rows of the feed after the number `applied`, in order; whole numbers only, so that what
    /// committed together is applied together. Empty when there are none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn feed_after(&self, applied: i64) -> Result<Vec<FeedEntry>, StoreError> {
        let mut limit = FEED_ROWS_MAX;
        loop {
            let found: Vec<(i64, String, Vec<u8>)> = on!(&self.read, pool => sqlx::query_as(sql::FEED_AFTER).bind(applied).bind(limit).fetch_all(pool).await?);
            let cut = i64::try_from(found.len()).is_ok_and(|found| found == limit);
            let last = found.last().map(|(seq, ..)| *seq);
            let mut entries = Vec::with_capacity(found.len());
            for (seq, kind, key) in &found {
                if !cut || Some(*seq) != last {
                    entries.push(FeedEntry {
                        seq: *seq,
                        key: FeedKey::read(kind, key)?,
                    });
                }
            }
            if !cut || !entries.is_empty() {
                return Ok(entries);
            }
            // One number has more rows than were asked for.
            limit *= 10;
        }
    }

    /// Forgets the feed below `seq`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn trim_feed(&self, seq: i64) -> Result<u64, StoreError> {
        Ok(
            on!(&self.write, pool => sqlx::query(sql::FEED_TRIM).bind(seq).execute(pool).await?.rows_affected()),
        )
    }
}
