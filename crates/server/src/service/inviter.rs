//! Whether who invited could invite so today. An invitation lives for a week, and gives no more than its inviter could give
//! at the moment when it is accepted, whatever became of them, of their role, or of the one that they offered.

use super::{
    Services, Via,
    acting::{Actor, Bearer},
    presented::Presented,
};
use crate::error::ServiceError;
use hallpass_domain::{
    access_token::Expiration,
    id::{OrganizationId, TokenId, UserId},
    permission::Permission,
    token::Prefix,
    verdict::{DenyReason, Question, Verdict, decide},
};
use hallpass_store::Invitation;

impl Services {
    /// Whether the inviter may still give the role that they offered.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn could_still_invite(
        &self,
        invitation: &Invitation,
    ) -> Result<bool, ServiceError> {
        let organization = invitation.organization;
        // Where the inviter may belong: there, or to the organization that runs the deployment.
        let homes = [Some(organization), self.store.find_host().await?];
        for home in homes.into_iter().flatten() {
            let found = match (invitation.inviter, invitation.inviter_token) {
                (Some(user), None) => self.person_at(user, home).await?,
                (user, Some(token)) => self.token_at(token, user, home).await?,
                (None, None) => None,
            };
            if let Some(actor) = found
                && is_yes(self.may_offer(&actor, invitation).await)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn may_offer(&self, actor: &Actor, invitation: &Invitation) -> Result<(), ServiceError> {
        let actor = self.act_in(actor, invitation.organization).await?;
        actor.require(Permission::MEMBERS)?;
        self.role_to_give(&actor, invitation.role).await.map(drop)
    }

    async fn person_at(
        &self,
        user: UserId,
        home: OrganizationId,
    ) -> Result<Option<Actor>, ServiceError> {
        let found = self.find_person(user, home, Via::Nothing).await?;
        Ok(found.as_ref().map(Actor::of_session))
    }

    /// A token, or a key by its current secret, that would be let in at `home`.
    async fn token_at(
        &self,
        token: TokenId,
        user: Option<UserId>,
        home: OrganizationId,
    ) -> Result<Option<Actor>, ServiceError> {
        let now = self.clock.now();
        let secret = match user {
            Some(_) => Prefix::parse("hpp_000000")
                .ok()
                .map(|prefix| (token, prefix)),
            None => {
                let key = self.store.find_key(home, token, now).await?;
                let current = key.and_then(|found| found.key.current().cloned());
                current.map(|secret| (secret.id, secret.prefix))
            }
        };
        let Some((secret, prefix)) = secret else {
            return Ok(None);
        };
        let Some(view) = self.engine.view(secret, prefix) else {
            return Ok(None);
        };
        let question = Question {
            needed: None,
            address: None,
            now,
        };
        // From where it is used is not known here, and is no reason.
        let works = matches!(
            decide(Some(*view.facts()), &question),
            Verdict::Allow | Verdict::Deny(DenyReason::AddressNotAllowed)
        );
        if !works || view.organization_id() != home {
            return Ok(None);
        }
        let bearer = Bearer {
            id: token,
            organization: home,
            user,
            role: view.role_id(),
            expiration: view.expires_at().map_or(Expiration::Never, Expiration::At),
        };
        self.actor_of_token(&bearer, Presented::of(&view, None, None))
            .await
    }
}

/// A refusal is a no.
fn is_yes(asked: Result<(), ServiceError>) -> Result<bool, ServiceError> {
    match asked {
        Ok(()) => Ok(true),
        Err(ServiceError::NotFound(_)) => Ok(false),
        Err(error) if error.is_refusal() => Ok(false),
        Err(error) => Err(error),
    }
}
