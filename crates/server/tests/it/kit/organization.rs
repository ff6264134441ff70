//! People with roles, other organizations, and the addresses under an organization.

use super::{Actor, PASSWORD, Server};
use hallpass_domain::id::{OrganizationId, UserId};
use serde_json::json;

impl Server {
    /// An address under the organization.
    pub(crate) fn path(&self, rest: &str) -> String {
        under(self.organization, rest)
    }

    /// The address of a member of the organization.
    pub(crate) fn member_path(&self, user: UserId) -> String {
        self.path(&format!("members/{user}"))
    }

    /// Somebody with this role, made by Ada through the API, with a session.
    pub(crate) async fn person(&self, name: &str, role: &str) -> (Actor, UserId) {
        let id = self.user(name).await;
        self.ada
            .post(
                &self.path("members"),
                &json!({"user": id.to_string(), "role": role}),
            )
            .await
            .is(201);
        (self.session_of(id).await, id)
    }

    /// A user who is a member of nothing. Their password is everybody's.
    pub(crate) async fn user(&self, name: &str) -> UserId {
        let email = format!("{}@acme.example", name.to_lowercase().replace(' ', "-"));
        let made = self
            .ada
            .post(
                "/v1/users",
                &json!({"name": name, "email": email, "password": PASSWORD}),
            )
            .await
            .is(201);
        UserId::parse(made["id"].as_str().unwrap()).unwrap()
    }

    /// A session of somebody in the only organization they are in.
    pub(crate) async fn session_in_other(&self, user: UserId) -> Actor {
        let memberships = self.services.store.memberships_of(user).await.unwrap();
        let session = self.begin_in(user, memberships[0].organization).await;
        self.anon().signed_in(&self.app, &session)
    }

    /// Another organization, in which Zoe is the superuser; with her session there.
    pub(crate) async fn other_organization(&self) -> (OrganizationId, Actor, UserId) {
        let made = self
            .ada
            .post("/v1/organizations", &json!({"name": "Zenith"}))
            .await
            .is(201);
        let id = OrganizationId::parse(made["id"].as_str().unwrap()).unwrap();
        let zoe = self.user("Zoe").await;
        self.ada
            .post(
                &under(id, "members"),
                &json!({"user": zoe.to_string(), "role": "superuser"}),
            )
            .await
            .is(201);
        let session = self.begin_in(zoe, id).await;
        (id, self.anon().signed_in(&self.app, &session), zoe)
    }
}

/// An address under an organization.
pub(crate) fn under(organization: OrganizationId, rest: &str) -> String {
    format!("/v1/organizations/{organization}/{rest}")
}
