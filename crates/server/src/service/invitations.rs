//! Invitations: a link that works once, for a week.

use super::{
    RequestContext, Services,
    acting::{Actor, Noted},
    sessions::Started,
    users::NewUser,
};
use crate::error::{InvalidField, ServiceError};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hallpass_domain::{
    Entropy,
    audit::Action,
    id::{InvitationId, RoleId},
    limits::INVITATION_SECONDS,
    member::{Membership, User},
    name::{DisplayName, Email},
    organization::{Organization, Standing},
    permission::Permission,
    role::Role,
    time::Timestamp,
    token::Digest,
};
use hallpass_store::{AuditEntry, FeedKey, Invitation, NewInvitation, Tx};
use serde_json::json;
use zeroize::Zeroizing;

const INVITATION_LABEL: &str = "invitation";
/// Characters of a code: 256 random bits.
const CODE_CHARS: usize = 43;

/// Who is to come.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Their address.
    pub email: Email,
    /// The role they get.
    pub role: RoleId,
    /// Whether they may have tokens; as the role says if nothing is said.
    pub may_have_tokens: Option<bool>,
}

/// An invitation that was just made.
#[derive(Debug)]
pub struct Invited {
    /// The invitation.
    pub invitation: Invitation,
    /// Its code, shown once.
    pub code: Zeroizing<String>,
}

/// An invitation as whoever holds its code sees it.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The invitation.
    pub invitation: Invitation,
    /// To where.
    pub organization: Organization,
    /// To which role.
    pub role: Role,
    /// The account that has the address already.
    pub account: Option<User>,
}

/// What somebody says who accepts and has no account yet.
#[derive(Clone)]
pub struct NewPerson {
    /// Their name.
    pub name: String,
    /// The password they choose.
    pub password: String,
}

impl std::fmt::Debug for NewPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewPerson")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Services {
    fn invitation_digests(&self, code: &str) -> Vec<Digest> {
        if code.len() != CODE_CHARS {
            return Vec::new();
        }
        self.peppers
            .iter()
            .map(|pepper| pepper.seal(INVITATION_LABEL, code.as_bytes()))
            .collect()
    }

    /// The open invitations of the actor's organization.
    ///
    /// # Errors
    /// [`ServiceError::RoleLacks`] without `hallpass:members`.
    pub async fn list_invitations(&self, actor: &Actor) -> Result<Vec<Invitation>, ServiceError> {
        actor.require(Permission::MEMBERS)?;
        let now = self.clock.now();
        Ok(self
            .store
            .list_invitations(actor.organization.id, now)
            .await?)
    }

    /// Invites somebody. An open invitation for the same address is withdrawn.
    ///
    /// # Errors
    /// [`ServiceError::AboveActor`], [`ServiceError::AlreadyMember`], [`ServiceError::TooMany`].
    pub async fn invite(
        &self,
        actor: &Actor,
        wish: &Wish,
        context: &RequestContext,
    ) -> Result<Invited, ServiceError> {
        let noted = Noted::new(Action::InvitationCreated, &wish.email);
        self.attempt(actor, context, noted, async {
            actor.require(Permission::MEMBERS)?;
            let role = self.role_to_give(actor, wish.role).await?;
            self.check_no_member(actor, &wish.email).await?;
            let now = self.clock.now();
            let mut random = Zeroizing::new([0; 32]);
            self.entropy.fill(&mut random[..]);
            let code = Zeroizing::new(URL_SAFE_NO_PAD.encode(&random[..]));
            let invitation = self.invitation(actor, wish, &role, now);
            let digest = self
                .peppers
                .current()
                .seal(INVITATION_LABEL, code.as_bytes());
            let mut tx = self.begin_acting(actor, now).await?;
            let new = NewInvitation {
                invitation: &invitation,
                digest,
            };
            if !tx.hold_role(&role).await? {
                return Err(ServiceError::ChangedMeanwhile);
            }
            if !tx.insert_invitation(&new).await? {
                return Err(ServiceError::TooMany("open invitations"));
            }
            let noted =
                Noted::new(Action::InvitationCreated, invitation.id).made(shown(&invitation));
            self.note(&mut tx, actor, context, noted, now);
            tx.commit(&[]).await?;
            Ok(Invited { invitation, code })
        })
        .await
    }

    fn invitation(&self, actor: &Actor, wish: &Wish, role: &Role, now: Timestamp) -> Invitation {
        Invitation {
            id: InvitationId::generate(&self.entropy, now),
            organization: actor.organization.id,
            email: wish.email.clone(),
            role: role.id,
            role_name: role.name.to_string(),
            may_have_tokens: wish.may_have_tokens.unwrap_or(role.tokens_by_default),
            created: now,
            expires_at: now.plus_seconds(INVITATION_SECONDS),
            inviter: actor.user,
            inviter_token: actor.token(),
        }
    }

    async fn check_no_member(&self, actor: &Actor, email: &Email) -> Result<(), ServiceError> {
        let Some(account) = self.store.find_sign_in(email).await? else {
            return Ok(());
        };
        let organization = actor.organization.id;
        let member = self
            .store
            .find_membership(organization, account.user.id)
            .await?;
        match member {
            Some(_) => Err(ServiceError::AlreadyMember),
            None => Ok(()),
        }
    }

    /// Takes an invitation back.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] when there is no open one.
    pub async fn withdraw_invitation(
        &self,
        actor: &Actor,
        id: InvitationId,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let noted = Noted::new(Action::InvitationWithdrawn, id);
        self.attempt(actor, context, noted.clone(), async {
            actor.require(Permission::MEMBERS)?;
            let organization = actor.organization.id;
            let found = self.store.find_invitation(organization, id).await?;
            let invitation = found.ok_or(ServiceError::NotFound("invitation"))?;
            let now = self.clock.now();
            let mut tx = self.begin_acting(actor, now).await?;
            if !tx.withdraw_invitation(organization, id, now).await? {
                return Err(ServiceError::NotFound("invitation"));
            }
            self.note(&mut tx, actor, context, noted.gone(shown(&invitation)), now);
            tx.commit(&[]).await?;
            Ok(())
        })
        .await
    }

    /// What a code offers.
    ///
    /// # Errors
    /// [`ServiceError::InvitationWrong`], the same whatever is wrong.
    pub async fn look_at_invitation(&self, code: &str) -> Result<Offer, ServiceError> {
        let now = self.clock.now();
        for digest in self.invitation_digests(code) {
            let found = self.store.find_invitation_by_digest(&digest, now).await?;
            let Some(invitation) = found else { continue };
            let organization = self
                .store
                .find_organization(invitation.organization)
                .await?
                .filter(|organization| organization.standing.is_active());
            let role = self
                .store
                .find_role_in(invitation.organization, invitation.role)
                .await?;
            if let (Some(organization), Some(role)) = (organization, role)
                && self.could_still_invite(&invitation).await?
            {
                let account = self.store.find_sign_in(&invitation.email).await?;
                return Ok(Offer {
                    invitation,
                    organization,
                    role,
                    account: account.map(|account| account.user),
                });
            }
        }
        Err(ServiceError::InvitationWrong)
    }

    /// Accepts an invitation as the person who has its address: by their password if they have an account, else by the
    /// name and the password they choose. They are signed in there.
    ///
    /// # Errors
    /// [`ServiceError::InvitationWrong`], [`ServiceError::SignInFailed`], what is wrong with name or password.
    pub async fn accept_invitation(
        &self,
        code: &str,
        person: &NewPerson,
        device: Option<&str>,
        context: &RequestContext,
    ) -> Result<Started, ServiceError> {
        let offer = self.look_at_invitation(code).await?;
        let user = match &offer.account {
            Some(user) => {
                // Signing in proves who they are, and counts failures as every sign-in does.
                self.prove_password(user, &person.password, device, context)
                    .await?;
                self.join_by_invitation(&offer, user.clone(), None, context)
                    .await?
            }
            None => {
                let name = DisplayName::parse(&person.name)
                    .map_err(|error| InvalidField::name("name", error))?;
                let account = self
                    .new_account(NewUser {
                        email: offer.invitation.email.clone(),
                        name,
                        password: Some(person.password.clone()),
                    })
                    .await?;
                let user = account.user.clone();
                self.join_by_invitation(&offer, user, Some(&account), context)
                    .await?
            }
        };
        self.begin_session(&user, offer.organization.id, context)
            .await
    }

    async fn join_by_invitation(
        &self,
        offer: &Offer,
        user: User,
        account: Option<&hallpass_store::NewAccount>,
        context: &RequestContext,
    ) -> Result<User, ServiceError> {
        let now = self.clock.now();
        let mut tx = self.begin_change().await?;
        tx.hold_organization(offer.organization.id).await?;
        let still = self.could_still_invite(&offer.invitation).await?;
        if !still || !tx.accept_invitation(offer.invitation.id, now).await? {
            return Err(ServiceError::InvitationWrong);
        }
        let mut changed: Vec<FeedKey> = Vec::new();
        if let Some(account) = account {
            let added = tx.insert_user(account, now).await?;
            changed.push(added.ok_or(ServiceError::EmailTaken)?);
        }
        let membership = Membership {
            organization: offer.organization.id,
            user: user.id,
            role: offer.role.id,
            standing: Standing::Active,
            may_have_tokens: offer.invitation.may_have_tokens,
        };
        changed.push(self.join(&mut tx, &membership, &offer.role, now).await?);
        self.note_acceptance(&mut tx, offer, &user, context, now);
        self.finish(tx, &changed).await?;
        Ok(user)
    }

    fn note_acceptance(
        &self,
        tx: &mut Tx,
        offer: &Offer,
        user: &User,
        context: &RequestContext,
        now: Timestamp,
    ) {
        let address = context.address_text();
        let entry = AuditEntry {
            at: now,
            organization: Some(offer.organization.id),
            actor: Some(user.id),
            token: None,
            action: Action::InvitationAccepted,
            target: Some(offer.invitation.id.to_string()),
            address: address.as_deref(),
            agent: context.agent.as_deref(),
            before: None,
            after: Some(shown(&offer.invitation).to_string()),
            detail: None,
        };
        tx.append_audit(&self.entropy, self.peppers.current(), &entry);
    }
}

fn shown(invitation: &Invitation) -> serde_json::Value {
    json!({
        "email": invitation.email.as_str(),
        "role": invitation.role_name,
        "mayHaveTokens": invitation.may_have_tokens,
        "expires": invitation.expires_at.to_string(),
    })
}
