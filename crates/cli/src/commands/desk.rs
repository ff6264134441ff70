//! Where those sit who administer: signed in, in one organization.

use super::{now, pages, sign_in};
use crate::{
    arguments::within::{Deployment, Report, Within},
    client::Client,
    exit::Failure,
};
use hallpass_domain::{
    id::{OrganizationId, UserId},
    limits::SEARCH_CHARS_MAX,
    time::Timestamp,
};
use hallpass_wire::{Caller, Member, Role, User};

/// Who administers, where, and how they are answered.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) client: Client,
    pub(super) report: Report,
    pub(super) now: Timestamp,
}

impl Desk {
    /// One for what concerns the deployment.
    pub(super) fn of_deployment(asked: &Deployment) -> Result<Self, Failure> {
        Ok(Self {
            client: sign_in(&asked.server)?.client,
            report: asked.report,
            now: now(),
        })
    }
}

/// A desk in an organization.
#[derive(Debug)]
pub(super) struct Office {
    pub(super) desk: Desk,
    /// The organization's id.
    pub(super) organization: String,
}

impl Office {
    /// One in the organization that is named, else in the one in force.
    pub(super) fn enter(asked: &Within) -> Result<Self, Failure> {
        let named = match &asked.organization {
            Some(text) => {
                let id = OrganizationId::parse(text).map_err(|_| {
                    Failure::usage("--organization takes an id")
                        .next("`hallpass org list --all` shows the ids.")
                });
                Some(id?.to_string())
            }
            None => None,
        };
        let client = sign_in(&asked.server)?.client;
        let organization = match named {
            Some(named) => named,
            None => client.get::<Caller>("/v1/caller")?.organization.id,
        };
        let desk = Desk {
            client,
            report: asked.report,
            now: now(),
        };
        Ok(Self { desk, organization })
    }

    /// The address of something in the organization.
    pub(super) fn path(&self, rest: &str) -> String {
        format!("/v1/organizations/{}{rest}", self.organization)
    }

    /// The member that an id or an address means.
    pub(super) fn member(&self, text: &str) -> Result<Member, Failure> {
        let client = &self.desk.client;
        if UserId::parse(text).is_ok() {
            return client.get(&self.path(&format!("/members/{text}")));
        }
        let found = pages::all(
            client,
            &self.path("/members"),
            &[("search", Some(&cut(text)))],
        )?;
        pages::meant(
            found,
            text,
            "member",
            "`hallpass member list` shows the members; name one by address or id.",
            |member: &Member| is_address(&member.email, text),
        )
    }

    /// The id of the member that an id or an address means; an id may be that of somebody who is gone.
    pub(super) fn member_id(&self, text: &str) -> Result<String, Failure> {
        match UserId::parse(text) {
            Ok(id) => Ok(id.to_string()),
            Err(_) => self.member(text).map(|member| member.user),
        }
    }

    /// The role that a name or an id means.
    pub(super) fn role(&self, text: &str) -> Result<Role, Failure> {
        let all = pages::whole(&self.desk.client, &self.path("/roles"))?;
        pages::meant(
            all,
            text,
            "role",
            "`hallpass role list` shows the roles.",
            |role: &Role| role.id == text || is_name(&role.name, text),
        )
    }
}

/// The user of the deployment that an id or an address means.
pub(super) fn user(client: &Client, text: &str) -> Result<User, Failure> {
    if UserId::parse(text).is_ok() {
        return client.get(&format!("/v1/users/{text}"));
    }
    let found = pages::all(client, "/v1/users", &[("search", Some(&cut(text)))])?;
    pages::meant(
        found,
        text,
        "user",
        "`hallpass user list` shows the users; `hallpass user create` makes one.",
        |user: &User| is_address(&user.email, text),
    )
}

/// As much of a text as can be searched for.
fn cut(text: &str) -> String {
    text.trim().chars().take(SEARCH_CHARS_MAX).collect()
}

/// Whether two addresses are the same, without regard to case.
pub(super) fn is_address(address: &str, text: &str) -> bool {
    address.to_lowercase() == text.trim().to_lowercase()
}

/// Whether two names are the same, without regard to case.
pub(super) fn is_name(name: &str, text: &str) -> bool {
    let key = |text: &str| {
        hallpass_domain::name::DisplayName::parse(text)
            .ok()
            .map(|name| name.key())
    };
    key(name).is_some_and(|name| key(text) == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_compared_without_regard_to_case() {
        assert!(is_address("Eve@Acme.example", " eve@acme.EXAMPLE"));
        assert!(!is_address("eve@acme.example", "eve@acme"));
        assert!(is_name("Release crew", "release CREW") && is_name("Ä", "ä"));
        assert!(!is_name("Member", "Members") && !is_name("", ""));
    }
}
