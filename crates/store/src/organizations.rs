//! Organizations, as they are listed and changed.

use crate::{FeedKey, Store, StoreError, Tx, on, rows, sql, tx::execute};
use hallpass_domain::{
    id::{OrganizationId, UserId},
    limits::REVOKED_ROWS_PER_WRITE,
    name::DisplayName,
    organization::{Organization, Standing},
    time::Timestamp,
};

/// An organization and what a list says besides.
#[derive(Clone, Debug)]
pub struct OrganizationRow {
    /// The organization.
    pub organization: Organization,
    /// When it was made.
    pub created: Timestamp,
    /// How many members it has.
    pub members: u64,
}

type Row = (Vec<u8>, String, String, bool, i64, i64);

fn row((id, name, standing, host, created, members): Row) -> Result<OrganizationRow, StoreError> {
    Ok(OrganizationRow {
        organization: Organization {
            id: rows::id(&id, OrganizationId::from_bytes)?,
            name: rows::display_name(&name)?,
            standing: Standing::from_word(&standing),
            host,
        },
        created: rows::moment(created),
        members: rows::count(members),
    })
}

impl Store {
    /// The organization that runs the deployment; none before it is set up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_host(&self) -> Result<Option<OrganizationId>, StoreError> {
        let found: Option<Vec<u8>> = on!(&self.read, pool => sqlx::query_scalar(sql::ORGANIZATION_HOST).fetch_optional(pool).await?);
        found
            .map(|id| rows::id(&id, OrganizationId::from_bytes))
            .transpose()
    }

    /// A page of organizations, the oldest first, after the one made then with that id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_organizations(
        &self,
        search: &str,
        after: Option<(Timestamp, OrganizationId)>,
        limit: u32,
    ) -> Result<Vec<OrganizationRow>, StoreError> {
        if rows::finds_nothing(search, "") {
            return Ok(Vec::new());
        }
        let (at, id) = after.map_or((i64::MIN, [0; 16]), |(at, id)| (at.micros(), *id.bytes()));
        let found: Vec<Row> = on!(&self.read, pool => {
            sqlx::query_as(sql::ORGANIZATIONS_PAGE)
                .bind(rows::pattern(search))
                .bind(at)
                .bind(id.to_vec())
                .bind(i64::from(limit))
                .fetch_all(pool)
                .await?
        });
        found.into_iter().map(row).collect()
    }

    /// One organization with its number of members.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn summarize_organization(
        &self,
        id: OrganizationId,
    ) -> Result<Option<OrganizationRow>, StoreError> {
        let found: Option<Row> = on!(&self.read, pool => sqlx::query_as(sql::ORGANIZATION_SUMMARY).bind(&id.bytes()[..]).fetch_optional(pool).await?);
        found.map(row).transpose()
    }
}

impl Store {
    /// Marks some of the tokens that were revoked together, so that lists and names need not look further. They are
    /// refused already; this is tidying. How many there were.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn settle_revoked(&self) -> Result<u64, StoreError> {
        let most = i64::from(REVOKED_ROWS_PER_WRITE);
        let mut settled = 0;
        for (waiting, statement) in [
            (
                sql::TOKENS_UNSETTLED_ORGANIZATIONS,
                sql::TOKENS_SETTLE_ORGANIZATIONS,
            ),
            (sql::TOKENS_UNSETTLED_MEMBERS, sql::TOKENS_SETTLE_MEMBERS),
        ] {
            // Nearly always there is nothing to do, and then the writer is left to others.
            let waiting: i64 =
                on!(&self.read, pool => sqlx::query_scalar(waiting).fetch_one(pool).await?);
            if waiting == 0 {
                continue;
            }
            settled += on!(&self.write, pool => sqlx::query(statement).bind(most).execute(pool).await?.rows_affected());
        }
        Ok(settled)
    }
}

impl Tx {
    /// Gives an organization another name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rename_organization(
        &mut self,
        id: OrganizationId,
        name: &DisplayName,
    ) -> Result<FeedKey, StoreError> {
        execute!(
            self,
            sql::ORGANIZATION_RENAME,
            &id.bytes()[..],
            name.as_str(),
            name.key()
        );
        Ok(FeedKey::Organization(id))
    }

    /// Holds an organization's row until the transaction ends, so that whoever counts its members counts what all
    /// others have committed. Before the members are changed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold_organization(&mut self, id: OrganizationId) -> Result<bool, StoreError> {
        Ok(execute!(self, sql::ORGANIZATION_HOLD, &id.bytes()[..]) == 1)
    }

    /// Counts the active superusers again, under [`Self::hold_organization`]. False when there would be none where
    /// there was one: then the transaction cannot go on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recount_superusers(&mut self, id: OrganizationId) -> Result<bool, StoreError> {
        let counted: Result<_, sqlx::Error> = on!(&mut self.on, tx => sqlx::query(sql::ORGANIZATION_RECOUNT).bind(&id.bytes()[..]).execute(&mut **tx).await.map(|_| ()));
        match counted {
            Ok(()) => Ok(true),
            Err(sqlx::Error::Database(error)) if error.is_check_violation() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The whole millisecond after all that was made until `now`: after the newest token too, which a clock that was
    /// set back, or a wait for a lock, may have let be made later than `now`.
    async fn after_all(
        &mut self,
        organization: OrganizationId,
        user: Option<UserId>,
        now: Timestamp,
    ) -> Result<Timestamp, StoreError> {
        let organization = &organization.bytes()[..];
        let newest: i64 = match user {
            Some(user) => {
                on!(&mut self.on, tx => sqlx::query_scalar(sql::TOKENS_NEWEST_OF_USER).bind(organization).bind(&user.bytes()[..]).fetch_one(&mut **tx).await?)
            }
            None => {
                on!(&mut self.on, tx => sqlx::query_scalar(sql::TOKENS_NEWEST).bind(organization).fetch_one(&mut **tx).await?)
            }
        };
        Ok(now.max(rows::moment(newest)).next_millisecond())
    }

    /// Revokes every token of the organization that there is: one row, however many tokens. Under
    /// [`Self::hold_organization`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke_all_of_organization(
        &mut self,
        id: OrganizationId,
        now: Timestamp,
    ) -> Result<FeedKey, StoreError> {
        let before = self.after_all(id, None, now).await?;
        self.revoke_tokens_of_organization(id, before).await
    }

    /// Revokes every token of one user there that there is, the same way.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke_all_of_member(
        &mut self,
        organization: OrganizationId,
        user: UserId,
        now: Timestamp,
    ) -> Result<FeedKey, StoreError> {
        let before = self.after_all(organization, Some(user), now).await?;
        self.revoke_tokens_of_member(organization, user, before)
            .await
    }

    /// Revokes every token of the organization that was made before `before`, which is a whole millisecond: one row,
    /// however many tokens there are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke_tokens_of_organization(
        &mut self,
        id: OrganizationId,
        before: Timestamp,
    ) -> Result<FeedKey, StoreError> {
        execute!(
            self,
            sql::ORGANIZATION_REVOKE_TOKENS,
            &id.bytes()[..],
            before.micros()
        );
        Ok(FeedKey::Organization(id))
    }

    /// The same for the tokens of one user there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke_tokens_of_member(
        &mut self,
        organization: OrganizationId,
        user: UserId,
        before: Timestamp,
    ) -> Result<FeedKey, StoreError> {
        execute!(
            self,
            sql::MEMBER_REVOKE_TOKENS,
            &organization.bytes()[..],
            &user.bytes()[..],
            before.micros()
        );
        Ok(FeedKey::Membership(organization, user))
    }

    /// How many tokens and keys one of the two above would revoke, counted where nothing comes in between.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_doomed(
        &mut self,
        organization: OrganizationId,
        owner: Option<UserId>,
        made_before: Option<Timestamp>,
    ) -> Result<u64, StoreError> {
        let id = &organization.bytes()[..];
        let before = made_before.map_or(i64::MAX, Timestamp::micros);
        let count: i64 = on!(&mut self.on, tx => {
            match &owner {
                None => sqlx::query_scalar(sql::TOKENS_DOOMED_COUNT).bind(id).bind(before).fetch_one(&mut **tx).await?,
                Some(owner) => sqlx::query_scalar(sql::TOKENS_DOOMED_COUNT_OF_USER).bind(id).bind(before).bind(&owner.bytes()[..]).fetch_one(&mut **tx).await?,
            }
        });
        Ok(rows::count(count))
    }

    /// The first moment at which a token of `user` there, or a key if there is no user, can be made: those from
    /// before are revoked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tokens_floor(
        &mut self,
        organization: OrganizationId,
        user: Option<UserId>,
    ) -> Result<Timestamp, StoreError> {
        let user = user.map_or([0; 16], |user| *user.bytes());
        let floor: i64 = on!(&mut self.on, tx => sqlx::query_scalar(sql::TOKENS_FLOOR).bind(&organization.bytes()[..]).bind(user.to_vec()).fetch_one(&mut **tx).await?);
        Ok(rows::moment(floor))
    }
}
