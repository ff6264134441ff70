//! From the domain's types to the wire's.

use crate::service::{
    Person,
    acting::Actor,
    policy::Consequence,
    policy_losses::{Coming, notice},
};
use hallpass_domain::{
    access_token::{PersonalAccessToken, Suspension},
    api_key::KeySecret,
    network::NetworkSet,
    permission::{Permission, PermissionSet},
    role::RolePermissions,
    time::Timestamp,
    token::PlainToken,
};
use hallpass_store::{KeyWithUse, MemberRow, OrganizationRow, RoleUse};
use hallpass_wire::{
    Caller, KeyMaker, KeyRole, OrganizationReference, Owner, PolicyNotice, RoleReference,
};

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

/// A token of `person`, under the policy that is to come. Here and in [`key`] secrets enter answers, and nowhere else.
pub(super) fn token(
    token: &PersonalAccessToken,
    secret: Option<&PlainToken>,
    person: &Person,
    to_come: Option<&Coming>,
    now: Timestamp,
) -> hallpass_wire::PersonalAccessToken {
    let last = token.last_use.as_ref();
    let (rest, rules) = (token.suspension.as_ref(), token.address_rules.as_ref());
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
        suspended_at: rest.map(|rest| rest.since.to_string()),
        suspended_until: rest.and_then(|rest| rest.until).map(|at| at.to_string()),
        suspended_reason: rest.map(|rest| rest.reason.clone()),
        suspended_by_owner: rest.map(|rest| rest.by_owner),
        not_before: token.valid_from.map(|at| at.to_string()),
        allowed_addresses: rules.and_then(|rules| networks(&rules.allow)),
        denied_addresses: rules.and_then(|rules| networks(&rules.deny)),
        policy_notice: to_come.and_then(|coming| policy_notice(coming, token, now)),
    }
}

/// What a policy that is to come will do to a token.
fn policy_notice(
    coming: &Coming,
    token: &PersonalAccessToken,
    now: Timestamp,
) -> Option<PolicyNotice> {
    let told = notice(coming, token, now)?;
    let (effect, end) = match told.consequence {
        Some(Consequence::Shortened(end)) => ("shortened", Some(end.to_string())),
        Some(Consequence::Revoked) => ("revoked", None),
        Some(Consequence::Unused) => ("revoked_unless_used", None),
        None => ("kept", None),
    };
    Some(PolicyNotice {
        enforce_at: coming.change.enforce_at.to_string(),
        effect: effect.to_owned(),
        expiration_date: end,
        loses_permissions: told.loses.iter().map(Permission::to_string).collect(),
        used_from_outside: told.outside,
    })
}

/// A list of networks; none for none.
fn networks(set: &NetworkSet) -> Option<Vec<String>> {
    (!set.is_empty()).then(|| set.iter().map(ToString::to_string).collect())
}

pub(super) fn suspension(rest: &Suspension) -> hallpass_wire::Suspension {
    hallpass_wire::Suspension {
        since: rest.since.to_string(),
        until: rest.until.map(|at| at.to_string()),
        reason: rest.reason.clone(),
        by_owner: rest.by_owner,
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
        csrf: None,
    }
}

/// The organization in which somebody acts, as the owner of its keys.
pub(super) fn organization_of(actor: &Actor) -> Owner {
    Owner {
        kind: "organization".to_owned(),
        id: actor.organization.id.to_string(),
        name: actor.organization.name.to_string(),
    }
}

/// A key of the actor's organization; with the secret that it just got, if it did.
pub(super) fn key(
    found: &KeyWithUse,
    secret: Option<&PlainToken>,
    actor: &Actor,
    now: Timestamp,
) -> hallpass_wire::ApiKey {
    let key = &found.key;
    let (rest, rules) = (key.suspension.as_ref(), key.address_rules.as_ref());
    let organization = OrganizationReference {
        id: actor.organization.id.to_string(),
        name: actor.organization.name.to_string(),
    };
    let current = key.current().map(|secret| secret.prefix.to_string());
    hallpass_wire::ApiKey {
        id: key.id.to_string(),
        name: key.name.to_string(),
        prefix: current.unwrap_or_default(),
        secret: secret.map(|secret| secret.expose().to_owned()),
        role: KeyRole {
            id: key.role.to_string(),
            name: found.role_name.clone(),
        },
        scope: key.scope.as_ref().map(texts),
        owner: organization_of(actor),
        organization,
        created_by: KeyMaker {
            user: key.maker_user.map(|user| user.to_string()),
            token: key.maker_token.map(|token| token.to_string()),
        },
        created: key.created.to_string(),
        expiration_date: key.expiration.date().map(|date| date.to_string()),
        user_aware_token_never_expires: key.never_expires_acknowledged,
        last_used: key.last_use().map(|last| last.at.to_string()),
        state: key.state(now).word().to_owned(),
        revoked: key.revoked.map(|at| at.to_string()),
        suspended_at: rest.map(|rest| rest.since.to_string()),
        suspended_until: rest.and_then(|rest| rest.until).map(|at| at.to_string()),
        suspended_reason: rest.map(|rest| rest.reason.clone()),
        suspended_by_owner: rest.map(|rest| rest.by_owner),
        not_before: key.valid_from.map(|at| at.to_string()),
        allowed_addresses: rules.and_then(|rules| networks(&rules.allow)),
        denied_addresses: rules.and_then(|rules| networks(&rules.deny)),
        secrets: key.secrets.iter().map(|one| key_secret(one, now)).collect(),
    }
}

fn key_secret(secret: &KeySecret, now: Timestamp) -> hallpass_wire::KeySecret {
    let last = secret.last_use.as_ref();
    hallpass_wire::KeySecret {
        prefix: secret.prefix.to_string(),
        works: secret.works(now),
        since: secret.since.to_string(),
        retired: secret.retired.map(|at| at.to_string()),
        until: secret.until.map(|at| at.to_string()),
        quiet_for_seconds: secret.quiet_seconds,
        last_used: last.map(|last| last.at.to_string()),
        last_used_method: last.and_then(|last| last.method.clone()),
        last_used_path: last.and_then(|last| last.path.clone()),
        last_used_address: last.and_then(|last| last.address.clone()),
        last_used_agent: last.and_then(|last| last.agent.clone()),
    }
}

/// A key that asks who it is.
pub(super) fn key_caller(actor: &Actor) -> Caller {
    let organization = OrganizationReference {
        id: actor.organization.id.to_string(),
        name: actor.organization.name.to_string(),
    };
    Caller {
        owner: Owner {
            kind: "organization".to_owned(),
            id: organization.id.clone(),
            name: organization.name.clone(),
        },
        email: None,
        organization,
        role: actor.role.name.to_string(),
        may_have_tokens: false,
        permissions: texts(&actor.permissions),
        csrf: None,
    }
}

pub(super) fn organization_row(row: &OrganizationRow) -> hallpass_wire::Organization {
    hallpass_wire::Organization {
        id: row.organization.id.to_string(),
        name: row.organization.name.to_string(),
        standing: row.organization.standing.word().to_owned(),
        host: row.organization.host,
        created: row.created.to_string(),
        members: row.members,
    }
}

pub(super) fn member(row: &MemberRow) -> hallpass_wire::Member {
    let membership = &row.membership;
    hallpass_wire::Member {
        user: row.user.id.to_string(),
        name: row.user.name.to_string(),
        email: row.user.email.to_string(),
        role: RoleReference {
            id: membership.role.to_string(),
            name: row.role_name.clone(),
        },
        standing: membership.standing.word().to_owned(),
        user_standing: row.user.standing.word().to_owned(),
        may_have_tokens: membership.may_have_tokens,
        tokens: row.tokens,
        joined: row.joined.to_string(),
    }
}

/// Without its code, which is in the answer that makes it alone.
pub(super) fn invitation(invitation: &hallpass_store::Invitation) -> hallpass_wire::Invitation {
    hallpass_wire::Invitation {
        id: invitation.id.to_string(),
        email: invitation.email.to_string(),
        role: RoleReference {
            id: invitation.role.to_string(),
            name: invitation.role_name.clone(),
        },
        may_have_tokens: invitation.may_have_tokens,
        created: invitation.created.to_string(),
        expires: invitation.expires_at.to_string(),
        link: None,
        code: None,
    }
}

/// A role as an organization sees it, the one that runs the deployment or another.
pub(super) fn role(used: &RoleUse, catalogue: &PermissionSet, host: bool) -> hallpass_wire::Role {
    let role = &used.role;
    let named = match &role.permissions {
        RolePermissions::Named(named) => Some(texts(named)),
        RolePermissions::All | RolePermissions::AllBut(_) => None,
    };
    hallpass_wire::Role {
        id: role.id.to_string(),
        name: role.name.to_string(),
        description: role.description.clone(),
        built_in: role.organization.is_none(),
        named,
        permissions: texts(&role.holds(catalogue, host)),
        tokens_by_default: role.tokens_by_default,
        members: used.members,
        keys: used.keys,
    }
}

pub(super) fn user(user: &hallpass_domain::member::User) -> hallpass_wire::User {
    hallpass_wire::User {
        id: user.id.to_string(),
        name: user.name.to_string(),
        email: user.email.to_string(),
        standing: user.standing.word().to_owned(),
    }
}
