//! From the domain's types to the wire's.

use crate::service::Person;
use hallpass_domain::{
    access_token::PersonalAccessToken, permission::PermissionSet, time::Timestamp,
    token::PlainToken,
};
use hallpass_wire::{Caller, OrganizationReference, Owner};

pub(super) fn texts(set: &PermissionSet) -> Vec<String> {
    set.iter().map(ToString::to_string).collect()
}

pub(super) fn organization(person: &Person) -> OrganizationReference {
    OrganizationReference {
        id: person.organization.id.to_string(),
        name: person.organization.name.to_string(),
    }
}

fn owner(person: &Person) -> Owner {
    Owner {
        kind: "user".to_owned(),
        id: person.user.id.to_string(),
        name: person.user.name.to_string(),
    }
}

/// A token of `person`. This is the one place where a secret enters an answer.
pub(super) fn token(
    token: &PersonalAccessToken,
    secret: Option<&PlainToken>,
    person: &Person,
    now: Timestamp,
) -> hallpass_wire::PersonalAccessToken {
    let last = token.last_use.as_ref();
    hallpass_wire::PersonalAccessToken {
        id: token.id.to_string(),
        name: token.name.to_string(),
        prefix: token.prefix.to_string(),
        secret: secret.map(|secret| secret.expose().to_owned()),
        scope: token.scope.as_ref().map(texts),
        owner: owner(person),
        organization: organization(person),
        created: token.created.to_string(),
        expiration_date: token.expiration.date().map(|date| date.to_string()),
        user_aware_token_never_expires: token.never_expires_acknowledged,
        last_used: last.map(|last| last.at.to_string()),
        last_used_method: last.and_then(|last| last.method.clone()),
        last_used_path: last.and_then(|last| last.path.clone()),
        last_used_address: last.and_then(|last| last.address.clone()),
        last_used_agent: last.and_then(|last| last.agent.clone()),
        state: token.state(now).word().to_owned(),
        revoked: token.revoked.map(|at| at.to_string()),
    }
}

pub(super) fn caller(person: &Person) -> Caller {
    Caller {
        owner: owner(person),
        email: Some(person.user.email.to_string()),
        organization: organization(person),
        role: person.role.name.to_string(),
        may_have_tokens: person.membership.may_have_tokens,
        permissions: texts(&person.permissions),
    }
}
