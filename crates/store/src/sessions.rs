//! Sessions, found by the digest of their value.

use crate::{Store, StoreError, Tx, on, rows, sql, tx::execute};
use hallpass_domain::{
    id::{OrganizationId, SessionId, UserId},
    limits::SESSIONS_PER_USER_MAX,
    time::Timestamp,
    token::Digest,
};

/// A session to be begun.
#[derive(Clone, Debug)]
pub struct NewSession<'a> {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// The organization in force.
    pub organization: OrganizationId,
    /// The digest of its value.
    pub digest: Digest,
    /// When it begins.
    pub now: Timestamp,
    /// When it ends, whatever happens.
    pub expires_at: Timestamp,
    /// From which address.
    pub address: Option<&'a str>,
    /// By which `User-Agent`.
    pub agent: Option<&'a str>,
}

/// A session as it is found by its value.
#[derive(Clone, Debug)]
pub struct SessionRecord {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// The organization in force.
    pub organization: OrganizationId,
    /// When it began.
    pub created: Timestamp,
    /// When the person last proved to be present.
    pub signed_in_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// When it ends, whatever happens.
    pub expires_at: Timestamp,
}

/// A session as its owner sees it.
#[derive(Clone, Debug)]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// When it began.
    pub created: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// When it ends, whatever happens.
    pub expires_at: Timestamp,
    /// From which address it began.
    pub address: Option<String>,
    /// By which `User-Agent`.
    pub agent: Option<String>,
}

type RecordRow = (Vec<u8>, Vec<u8>, Vec<u8>, i64, i64, i64, i64);
type ViewRow = (Vec<u8>, i64, i64, i64, Option<String>, Option<String>);

impl Store {
    /// The session with this digest, ended by time or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_session(&self, digest: &Digest) -> Result<Option<SessionRecord>, StoreError> {
        let found: Option<RecordRow> = on!(&self.read, pool => sqlx::query_as(sql::SESSION_BY_DIGEST).bind(&digest.bytes()[..]).fetch_optional(pool).await?);
        let Some((id, user, organization, created, signed_in, seen, expires)) = found else {
            return Ok(None);
        };
        Ok(Some(SessionRecord {
            id: rows::id(&id, SessionId::from_bytes)?,
            user: rows::id(&user, UserId::from_bytes)?,
            organization: rows::id(&organization, OrganizationId::from_bytes)?,
            created: rows::moment(created),
            signed_in_at: rows::moment(signed_in),
            seen_at: rows::moment(seen),
            expires_at: rows::moment(expires),
        }))
    }

    /// The open sessions of `user`, the latest used first: not past their end at `now`, and used after
    /// `idle_since`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_sessions(
        &self,
        user: UserId,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<Vec<SessionView>, StoreError> {
        let found: Vec<ViewRow> = on!(&self.read, pool => {
            sqlx::query_as(sql::SESSIONS_OF_USER)
                .bind(&user.bytes()[..])
                .bind(now.micros())
                .bind(idle_since.micros())
                .bind(i64::from(SESSIONS_PER_USER_MAX))
                .fetch_all(pool)
                .await?
        });
        found
            .into_iter()
            .map(|(id, created, seen, expires, address, agent)| {
                Ok(SessionView {
                    id: rows::id(&id, SessionId::from_bytes)?,
                    created: rows::moment(created),
                    seen_at: rows::moment(seen),
                    expires_at: rows::moment(expires),
                    address,
                    agent,
                })
            })
            .collect()
    }

    /// Notes that a session is in use.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn touch_session(&self, id: SessionId, now: Timestamp) -> Result<(), StoreError> {
        on!(&self.write, pool => sqlx::query(sql::SESSION_TOUCH).bind(&id.bytes()[..]).bind(now.micros()).execute(pool).await?.rows_affected());
        Ok(())
    }

    /// Removes sessions that ended by time: past their end at `now`, or not used since `idle_since`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn trim_sessions(
        &self,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<u64, StoreError> {
        Ok(
            on!(&self.write, pool => sqlx::query(sql::SESSIONS_TRIM).bind(now.micros()).bind(idle_since.micros()).execute(pool).await?.rows_affected()),
        )
    }
}

impl Tx {
    /// Begins a session. Past the limit, the user's sessions that rested longest give way.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_session(&mut self, session: &NewSession<'_>) -> Result<(), StoreError> {
        // Sign-ins at once would each spare what the other ends.
        execute!(self, sql::USER_HOLD, &session.user.bytes()[..]);
        execute!(
            self,
            sql::SESSION_INSERT,
            &session.id.bytes()[..],
            &session.user.bytes()[..],
            &session.organization.bytes()[..],
            &session.digest.bytes()[..],
            session.now.micros(),
            session.now.micros(),
            session.now.micros(),
            session.expires_at.micros(),
            session.address,
            session.agent,
        );
        execute!(
            self,
            sql::SESSIONS_END_OLDEST,
            &session.user.bytes()[..],
            i64::from(SESSIONS_PER_USER_MAX) - 1,
            &session.id.bytes()[..],
        );
        Ok(())
    }

    /// Holds an open session of `user` until the transaction ends. False when it is over: past its end at `now`,
    /// not used since `idle_since`, or gone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold_session(
        &mut self,
        id: SessionId,
        user: UserId,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<bool, StoreError> {
        let held = execute!(
            self,
            sql::SESSION_HOLD,
            &id.bytes()[..],
            &user.bytes()[..],
            now.micros(),
            idle_since.micros(),
        );
        Ok(held == 1)
    }

    /// Notes that the person behind a session has just proved to be present. False when the session is gone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn prove_session(
        &mut self,
        id: SessionId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, sql::SESSION_PROVED, &id.bytes()[..], now.micros()) == 1)
    }

    /// Ends one session of `user`. False when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_session(&mut self, id: SessionId, user: UserId) -> Result<bool, StoreError> {
        Ok(execute!(self, sql::SESSION_END, &id.bytes()[..], &user.bytes()[..]) == 1)
    }

    /// Ends every session of `user` and says how many there were.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_sessions(&mut self, user: UserId) -> Result<u64, StoreError> {
        Ok(execute!(self, sql::SESSIONS_END, &user.bytes()[..]))
    }
}
