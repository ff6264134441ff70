//! What stands around the demo's people: a role of the organization's own, an open invitation, a second organization.

use super::{
    Filling, ago, misprint, permissions,
    tables::{
        INVITED, INVITED_AGO, PEOPLE, ROLE, SECOND, SECOND_AGE, SECOND_SUPERUSER, STOPPED_AGO,
    },
};
use crate::run::RunError;
use hallpass_domain::{
    Entropy,
    audit::Action,
    id::{InvitationId, OrganizationId, RoleId, UserId},
    limits::INVITATION_SECONDS,
    member::Membership,
    name::{DisplayName, Email},
    organization::{Organization, Standing},
    role::{BuiltInRole, Role, RolePermissions},
};
use hallpass_store::{Invitation, NewAccount, NewInvitation, RoleWritten};
use serde_json::json;

impl Filling<'_> {
    pub(super) async fn add_around(&mut self, accounts: &[NewAccount]) -> Result<(), RunError> {
        let Some(ada) = accounts.first().map(|account| account.user.id) else {
            return Ok(());
        };
        let role = self.add_role().await?;
        self.add_invitation(&role, ada).await?;
        self.add_keys(&role, ada).await?;
        self.add_policy(ada).await?;
        self.note_members(accounts, ada);
        let dorothy = accounts
            .iter()
            .find(|account| account.user.email.as_str() == SECOND_SUPERUSER);
        if let Some(dorothy) = dorothy {
            self.add_second(dorothy.user.id, ada).await?;
        }
        self.tx.recount_superusers(self.organization).await?;
        Ok(())
    }

    /// What became of those who have tokens and may not use them.
    fn note_members(&mut self, accounts: &[NewAccount], by: UserId) {
        for (person, account) in PEOPLE.iter().zip(accounts) {
            let is_suspended = !person.membership.is_active();
            if person.tokens.is_empty() || person.may_have_tokens && !is_suspended {
                continue;
            }
            let action = if is_suspended {
                Action::MemberSuspended
            } else {
                Action::MemberChanged
            };
            let state = |standing: Standing, open| json!({ "role": person.role.name(), "standing": standing.word(), "mayHaveTokens": open });
            let at = ago(self.now, STOPPED_AGO);
            self.audit(at, by, action, account.user.id.to_string(), None);
            let after = state(person.membership, person.may_have_tokens);
            self.changed(Some(state(Standing::Active, true)), Some(after));
        }
    }

    async fn add_role(&mut self) -> Result<Role, RunError> {
        let (name, description, holds) = ROLE;
        let role = Role {
            id: RoleId::generate(&self.services.entropy, self.now),
            organization: Some(self.organization),
            name: DisplayName::parse(name).map_err(misprint)?,
            description: description.to_owned(),
            permissions: RolePermissions::Named(permissions(holds)?),
            tokens_by_default: true,
            version: 0,
        };
        match self.tx.insert_role(self.organization, &role).await? {
            RoleWritten::Done(changed) => self.changed.push(changed),
            refused => return Err(misprint(format!("{name}: {refused:?}")).into()),
        }
        Ok(role)
    }

    /// Nobody has its link: the code is drawn and dropped.
    async fn add_invitation(&mut self, role: &Role, inviter: UserId) -> Result<(), RunError> {
        let created = ago(self.now, INVITED_AGO);
        let invitation = Invitation {
            id: InvitationId::generate(&self.services.entropy, created),
            organization: self.organization,
            email: Email::parse(INVITED).map_err(misprint)?,
            role: role.id,
            role_name: role.name.to_string(),
            may_have_tokens: true,
            created,
            expires_at: created.plus_seconds(INVITATION_SECONDS),
            inviter: Some(inviter),
            inviter_token: None,
        };
        let mut code = [0; 32];
        self.services.entropy.fill(&mut code);
        let new = NewInvitation {
            invitation: &invitation,
            digest: self.services.peppers.current().seal("invitation", &code),
        };
        self.tx.insert_invitation(&new).await?;
        let target = invitation.id.to_string();
        self.audit(created, inviter, Action::InvitationCreated, target, None);
        Ok(())
    }

    async fn add_second(&mut self, superuser: UserId, member: UserId) -> Result<(), RunError> {
        let at = ago(self.now, SECOND_AGE);
        let organization = Organization {
            id: OrganizationId::generate(&self.services.entropy, at),
            name: DisplayName::parse(SECOND).map_err(misprint)?,
            standing: Standing::Active,
            host: false,
        };
        self.changed
            .push(self.tx.insert_organization(&organization, at).await?);
        for (user, role) in [
            (superuser, BuiltInRole::Superuser),
            (member, BuiltInRole::Member),
        ] {
            let membership = Membership {
                organization: organization.id,
                user,
                role: role.id(),
                standing: Standing::Active,
                may_have_tokens: true,
            };
            self.changed
                .push(self.tx.put_membership(&membership, at).await?);
        }
        self.tx.recount_superusers(organization.id).await?;
        Ok(())
    }
}
