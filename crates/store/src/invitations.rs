//! Invitations, found by the digest of their code.

use crate::{Store, StoreError, Tx, on, rows, sql, tx::execute};
use hallpass_domain::{
    id::{InvitationId, OrganizationId, RoleId, TokenId, UserId},
    limits::INVITATIONS_OPEN_MAX,
    name::Email,
    time::Timestamp,
    token::Digest,
};

/// An open invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// To which organization.
    pub organization: OrganizationId,
    /// Whom.
    pub email: Email,
    /// To which role.
    pub role: RoleId,
    /// What that role is called.
    pub role_name: String,
    /// Whether they may have tokens.
    pub may_have_tokens: bool,
    /// When it was made.
    pub created: Timestamp,
    /// The first moment at which it no longer works.
    pub expires_at: Timestamp,
    /// The user who made it; none if a key did.
    pub inviter: Option<UserId>,
    /// The token or key that made it, if not a session.
    pub inviter_token: Option<TokenId>,
}

/// An invitation to be made.
#[derive(Clone, Debug)]
pub struct NewInvitation<'a> {
    /// The invitation.
    pub invitation: &'a Invitation,
    /// The digest of its code.
    pub digest: Digest,
}

type Row = (
    Vec<u8>,
    Vec<u8>,
    String,
    Vec<u8>,
    bool,
    i64,
    i64,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    String,
);

fn invitation(
    (
        id,
        organization,
        email,
        role,
        may_have_tokens,
        created,
        expires,
        inviter,
        inviter_token,
        role_name,
    ): Row,
) -> Result<Invitation, StoreError> {
    Ok(Invitation {
        id: rows::id(&id, InvitationId::from_bytes)?,
        organization: rows::id(&organization, OrganizationId::from_bytes)?,
        email: rows::email(&email)?,
        role: rows::id(&role, RoleId::from_bytes)?,
        role_name,
        may_have_tokens,
        created: rows::moment(created),
        expires_at: rows::moment(expires),
        inviter: rows::id_option(inviter.as_deref(), UserId::from_bytes)?,
        inviter_token: rows::id_option(inviter_token.as_deref(), TokenId::from_bytes)?,
    })
}

impl Store {
    /// The open invitations of an organization, the latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_invitations(
        &self,
        organization: OrganizationId,
        now: Timestamp,
    ) -> Result<Vec<Invitation>, StoreError> {
        let found: Vec<Row> = on!(&self.read, pool => {
            sqlx::query_as(sql::INVITATIONS_OPEN)
                .bind(&organization.bytes()[..])
                .bind(now.micros())
                .bind(i64::from(INVITATIONS_OPEN_MAX))
                .fetch_all(pool)
                .await?
        });
        found.into_iter().map(invitation).collect()
    }

    /// One invitation that was neither accepted nor withdrawn.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_invitation(
        &self,
        organization: OrganizationId,
        id: InvitationId,
    ) -> Result<Option<Invitation>, StoreError> {
        let found: Option<Row> = on!(&self.read, pool => sqlx::query_as(sql::INVITATION_ONE).bind(&organization.bytes()[..]).bind(&id.bytes()[..]).fetch_optional(pool).await?);
        found.map(invitation).transpose()
    }

    /// The open invitation whose code has this digest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_invitation_by_digest(
        &self,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<Invitation>, StoreError> {
        let found: Option<Row> = on!(&self.read, pool => sqlx::query_as(sql::INVITATION_BY_DIGEST).bind(&digest.bytes()[..]).bind(now.micros()).fetch_optional(pool).await?);
        found.map(invitation).transpose()
    }
}

impl Tx {
    /// Adds an invitation; an open one for the same address is withdrawn. False when there are too many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_invitation(&mut self, new: &NewInvitation<'_>) -> Result<bool, StoreError> {
        let invitation = new.invitation;
        let organization = &invitation.organization.bytes()[..];
        let now = invitation.created.micros();
        self.hold_organization(invitation.organization).await?;
        execute!(
            self,
            sql::INVITATION_WITHDRAW_OTHERS,
            organization,
            invitation.email.key(),
            now
        );
        let open: i64 = on!(&mut self.on, tx => sqlx::query_scalar(sql::INVITATIONS_COUNT).bind(organization).bind(now).fetch_one(&mut **tx).await?);
        if open >= i64::from(INVITATIONS_OPEN_MAX) {
            return Ok(false);
        }
        execute!(
            self,
            sql::INVITATION_INSERT,
            &invitation.id.bytes()[..],
            organization,
            invitation.email.as_str(),
            invitation.email.key(),
            &invitation.role.bytes()[..],
            invitation.may_have_tokens,
            &new.digest.bytes()[..],
            now,
            invitation.expires_at.micros(),
            invitation.inviter.as_ref().map(|id| &id.bytes()[..]),
            invitation.inviter_token.as_ref().map(|id| &id.bytes()[..]),
        );
        Ok(true)
    }

    /// Takes an invitation back. False when there is no open one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn withdraw_invitation(
        &mut self,
        organization: OrganizationId,
        id: InvitationId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let withdrawn = execute!(
            self,
            sql::INVITATION_WITHDRAW,
            &organization.bytes()[..],
            &id.bytes()[..],
            now.micros()
        );
        Ok(withdrawn == 1)
    }

    /// Takes back the open invitation for an address, if there is one, and says which.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn withdraw_invitation_to(
        &mut self,
        organization: OrganizationId,
        email: &Email,
        now: Timestamp,
    ) -> Result<Option<InvitationId>, StoreError> {
        let found: Option<Vec<u8>> = on!(&mut self.on, tx => sqlx::query_scalar(sql::INVITATION_WITHDRAW_TO).bind(&organization.bytes()[..]).bind(email.key()).bind(now.micros()).fetch_optional(&mut **tx).await?);
        rows::id_option(found.as_deref(), InvitationId::from_bytes)
    }

    /// Takes back every open invitation that `user` made.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn withdraw_invitations_of(
        &mut self,
        organization: OrganizationId,
        user: UserId,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        Ok(execute!(
            self,
            sql::INVITATIONS_WITHDRAW_OF,
            &organization.bytes()[..],
            &user.bytes()[..],
            now.micros()
        ))
    }

    /// Accepts an invitation, once. False when somebody did before, or its time is over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn accept_invitation(
        &mut self,
        id: InvitationId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let accepted = execute!(self, sql::INVITATION_ACCEPT, &id.bytes()[..], now.micros());
        Ok(accepted == 1)
    }
}
