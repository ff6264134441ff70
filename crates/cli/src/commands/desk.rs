//! Where those sit who administer: signed in, in one organization.

use super::{now, pages, sign_in};
use crate::{
    arguments::within::{Deployment, Report, Within},
    client::Client,
    exit::{Exit, Failure, clean},
};
use hallpass_domain::{
    id::{OrganizationId, UserId},
    limits::SEARCH_CHARS_MAX,
    time::Timestamp,
};
use hallpass_wire::{Caller, Member, Organization, OwnOrganization, Role, User};
use std::collections::BTreeSet;

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
        let client = sign_in(&asked.server)?.client;
        let organization = match &asked.organization {
            Some(text) => organization(&client, text)?,
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

    /// The id of the role that a name or an id means.
    pub(super) fn role_id(&self, text: &str) -> Result<String, Failure> {
        self.role(text).map(|role| role.id)
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

/// The id of the organization that an id or a name means: one of the caller's, or for those who manage the deployment
/// any.
fn organization(client: &Client, text: &str) -> Result<String, Failure> {
    if let Ok(id) = OrganizationId::parse(text) {
        return Ok(id.to_string());
    }
    // A token is told of its own organization alone, and of all if it may manage them.
    let own: Caller = client.get("/v1/caller")?;
    let own = (own.organization.id, own.organization.name);
    let others: Vec<OwnOrganization> =
        pages::whole(client, "/v1/caller/organizations").unwrap_or_default();
    let others = others.into_iter().map(|one| (one.id, one.name));
    let search = cut(text);
    let all: Vec<Organization> =
        pages::all(client, "/v1/organizations", &[("search", Some(&search))]).unwrap_or_default();
    let all = all.into_iter().map(|one| (one.id, one.name));
    let found: BTreeSet<String> = std::iter::once(own)
        .chain(others)
        .chain(all)
        .filter(|(_, name)| is_name(name, text))
        .map(|(id, _)| id)
        .collect();
    the_one(found, text)
}

fn the_one(mut found: BTreeSet<String>, text: &str) -> Result<String, Failure> {
    if found.len() > 1 {
        let ids: Vec<String> = found.iter().map(|id| clean(id)).collect();
        return Err(Failure::usage(format!(
            "{} organizations are called “{}”",
            ids.len(),
            clean(text)
        ))
        .next(format!("Name one by its id: {}", ids.join(", "))));
    }
    found.pop_first().ok_or_else(|| {
        Failure::new(
            Exit::NotFound,
            format!("you see no organization that is called “{}”", clean(text)),
        )
        .next("`hallpass org list` shows yours; for those who manage the deployment, `hallpass org list --all` shows all.")
    })
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
    fn a_name_of_several_organizations_is_asked_about() {
        let found = |ids: &[&str]| the_one(ids.iter().map(|id| (*id).to_owned()).collect(), "x");
        assert_eq!(found(&["a"]), Ok("a".to_owned()));
        assert_eq!(found(&[]).unwrap_err().exit, Exit::NotFound);
        let several = found(&["a", "b"]).unwrap_err();
        assert_eq!(several.exit, Exit::Usage);
        assert!(several.to_string().ends_with("id: a, b"), "{several}");
    }

    #[test]
    fn addresses_and_names_are_compared_without_regard_to_case() {
        assert!(is_address("Eve@Acme.example", " eve@acme.EXAMPLE"));
        assert!(!is_address("eve@acme.example", "eve@acme"));
        assert!(is_name("Release crew", "release CREW") && is_name("Ä", "ä"));
        assert!(!is_name("Member", "Members") && !is_name("", ""));
    }
}
