//! Organizations: made, named, suspended; and the one that a session is in.

use super::{
    Person, RequestContext, Services, Via,
    acting::{Actor, Noted},
};
use crate::error::ServiceError;
use hallpass_domain::{
    audit::Action,
    id::{OrganizationId, UserId},
    limits::PAGE_ROWS_DEFAULT,
    name::DisplayName,
    organization::{Organization, Standing},
    permission::Permission,
    time::Timestamp,
};
use hallpass_store::{FeedKey, MemberRow, OrganizationRow};
use serde_json::{Value, json};

/// What is to change about an organization; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct OrganizationChange {
    /// Its name.
    pub name: Option<DisplayName>,
    /// Whether it is in good standing.
    pub standing: Option<Standing>,
}

fn changed_how(before: &Organization, after: &Organization) -> Action {
    match (before.standing.is_active(), after.standing.is_active()) {
        (true, false) => Action::OrganizationSuspended,
        (false, true) => Action::OrganizationResumed,
        _ => Action::OrganizationChanged,
    }
}

fn shown(organization: &Organization) -> Value {
    json!({ "name": organization.name.as_str(), "standing": organization.standing.word() })
}

impl Services {
    /// A page of all organizations.
    ///
    /// # Errors
    /// [`ServiceError::RoleLacks`] without `hallpass:deployment`.
    pub async fn list_organizations(
        &self,
        actor: &Actor,
        search: &str,
        after: Option<(Timestamp, OrganizationId)>,
        limit: u32,
    ) -> Result<Vec<OrganizationRow>, ServiceError> {
        actor.require(Permission::DEPLOYMENT)?;
        Ok(self.store.list_organizations(search, after, limit).await?)
    }

    /// The organization in which the actor acts.
    ///
    /// # Errors
    /// The store's.
    pub async fn show_organization(&self, actor: &Actor) -> Result<OrganizationRow, ServiceError> {
        let found = self
            .store
            .summarize_organization(actor.organization.id)
            .await?;
        found.ok_or(ServiceError::NotFound("organization"))
    }

    /// Makes an organization. Nobody is in it yet.
    ///
    /// # Errors
    /// [`ServiceError::RoleLacks`] without `hallpass:deployment`.
    pub async fn create_organization(
        &self,
        actor: &Actor,
        name: DisplayName,
        context: &RequestContext,
    ) -> Result<OrganizationRow, ServiceError> {
        let now = self.clock.now();
        let organization = Organization {
            id: OrganizationId::generate(&self.entropy, now),
            name,
            standing: Standing::Active,
            host: false,
        };
        let noted = Noted::new(Action::OrganizationCreated, organization.id);
        self.attempt(actor, context, noted.clone(), async {
            actor.require(Permission::DEPLOYMENT)?;
            let mut tx = self.begin_acting(actor, now).await?;
            let changed = tx.insert_organization(&organization, now).await?;
            let noted = noted.made(json!({ "name": organization.name.as_str() }));
            self.note(&mut tx, actor, context, noted, now);
            self.finish(tx, &[changed]).await
        })
        .await?;
        Ok(OrganizationRow {
            organization,
            created: now,
            members: 0,
        })
    }

    /// Renames, suspends or resumes the actor's organization. Suspended, nothing in it works and nobody in it can sign
    /// in; somebody of the organization that runs the deployment resumes it.
    ///
    /// # Errors
    /// [`ServiceError::RoleLacks`] without `hallpass:organization`; the one that runs the deployment is not suspended.
    pub async fn change_organization(
        &self,
        actor: &Actor,
        change: &OrganizationChange,
        context: &RequestContext,
    ) -> Result<OrganizationRow, ServiceError> {
        let id = actor.organization.id;
        let noted = Noted::new(Action::OrganizationChanged, id);
        self.attempt(actor, context, noted, async {
            actor.require(Permission::ORGANIZATION)?;
            let now = self.clock.now();
            let mut tx = self.begin_acting(actor, now).await?;
            // Under its hold: as it is, not as it was when the request began.
            let before = self.store.find_organization(id).await?;
            let before = before.ok_or(ServiceError::NotFound("organization"))?;
            let after = Organization {
                name: change.name.clone().unwrap_or_else(|| before.name.clone()),
                standing: change.standing.unwrap_or(before.standing),
                ..before.clone()
            };
            if before.host && !after.standing.is_active() {
                return Err(ServiceError::HostStays);
            }
            if before == after {
                drop(tx);
                // Perhaps since a moment ago, and not yet in force here.
                return self.catch_up().await;
            }
            if before.name != after.name {
                tx.rename_organization(id, &after.name).await?;
            }
            if before.standing != after.standing {
                tx.set_organization_standing(id, after.standing).await?;
            }
            let noted =
                Noted::new(changed_how(&before, &after), id).changed(shown(&before), shown(&after));
            self.note(&mut tx, actor, context, noted, now);
            self.finish(tx, &[FeedKey::Organization(id)]).await
        })
        .await?;
        self.show_organization(actor).await
    }

    /// The organizations in which a person can be: active ones where they are an active member, the longest first, with
    /// the names of their roles.
    ///
    /// # Errors
    /// The store's.
    pub async fn organizations_of(
        &self,
        user: UserId,
    ) -> Result<Vec<(Organization, String)>, ServiceError> {
        let mut found = Vec::new();
        for membership in self.store.memberships_of(user).await? {
            if !membership.standing.is_active() {
                continue;
            }
            let organization = self
                .store
                .find_organization(membership.organization)
                .await?;
            let role = self.store.find_role(membership.role).await?;
            if let (Some(organization), Some(role)) = (organization, role)
                && organization.standing.is_active()
            {
                found.push((organization, role.name.to_string()));
            }
        }
        Ok(found)
    }

    /// The organizations that a user is in, in whatever standing: one more than a page holds at most.
    ///
    /// # Errors
    /// [`ServiceError::RoleLacks`] without `hallpass:deployment`.
    pub async fn places_of(
        &self,
        actor: &Actor,
        user: UserId,
    ) -> Result<Vec<(Organization, MemberRow)>, ServiceError> {
        actor.require(Permission::DEPLOYMENT)?;
        let most = PAGE_ROWS_DEFAULT + 1;
        Ok(self.store.places_of(user, most, self.clock.now()).await?)
    }

    /// Brings a person's session to another of their organizations.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] when they are no active member there.
    pub async fn switch_organization(
        &self,
        person: &Person,
        to: OrganizationId,
        context: &RequestContext,
    ) -> Result<Person, ServiceError> {
        let Via::Session { id, .. } = person.via else {
            return Err(ServiceError::SignInRequired);
        };
        let there = self
            .find_person(person.user.id, to, person.via.clone())
            .await?
            .ok_or(ServiceError::NotFound("organization"))?;
        if to == person.organization.id {
            return Ok(there);
        }
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        if !tx.move_session(id, person.user.id, to).await? {
            return Err(ServiceError::SignInRequired);
        }
        let noted = Noted::new(Action::SessionOrganizationChanged, id)
            .with(json!({ "from": person.organization.id.to_string() }));
        self.note(&mut tx, &Actor::of_session(&there), context, noted, now);
        tx.commit(&[]).await?;
        Ok(there)
    }
}
