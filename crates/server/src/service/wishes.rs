//! What somebody wants a token or a key to be: parsed, held against the policy, and against what asks for it.

use super::access_tokens::parse_scope;
use crate::error::{InvalidField, ServiceError};
use hallpass_domain::{
    access_token::{Expiration, PersonalAccessToken},
    api_key::ApiKey,
    name::TokenName,
    network::{AddressRules, MalformedNetworks, NetworkSet},
    permission::{Permission, PermissionSet},
    policy::{Lifetime, LifetimeRefused, Policy},
    time::Timestamp,
};
use hallpass_wire::{CreateApiKey, CreateToken, TokenPatch};

/// A wish as it was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent<'a> {
    name: &'a str,
    expiration_date: Option<&'a str>,
    acknowledged: Option<bool>,
    scope: Option<&'a [String]>,
    not_before: Option<&'a str>,
    allowed: Option<&'a [String]>,
    denied: Option<&'a [String]>,
}

macro_rules! sent_of {
    ($($shape:ty),*) => {
        $(impl<'a> From<&'a $shape> for Sent<'a> {
            fn from(sent: &'a $shape) -> Self {
                Self {
                    name: &sent.name,
                    expiration_date: sent.expiration_date.as_deref(),
                    acknowledged: sent.user_aware_token_never_expires,
                    scope: sent.scope.as_deref(),
                    not_before: sent.not_before.as_deref(),
                    allowed: sent.allowed_addresses.as_deref(),
                    denied: sent.denied_addresses.as_deref(),
                }
            }
        })*
    };
}
sent_of!(CreateToken, CreateApiKey, TokenPatch);

/// A wish, parsed.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) name: TokenName,
    pub(super) expiration: Expiration,
    pub(super) acknowledged: bool,
    pub(super) scope: Option<PermissionSet>,
    pub(super) valid_from: Option<Timestamp>,
    pub(super) address_rules: Option<AddressRules>,
}

impl Wish {
    /// Parses a wish for something new, or for a change of what is there.
    pub(super) fn parse(
        sent: &Sent<'_>,
        before: Option<&PersonalAccessToken>,
        now: Timestamp,
    ) -> Result<Self, ServiceError> {
        let name = TokenName::parse(sent.name).map_err(|error| InvalidField::name("name", error));
        let expiration = Expiration::from_request(sent.expiration_date, sent.acknowledged, now)
            .map_err(InvalidField::expiration);
        let scope = parse_scope(sent.scope).and_then(|scope| match before {
            Some(before) => narrower(scope, before.scope.as_ref()),
            None => Ok(scope),
        });
        let valid_from = parse_not_before(sent.not_before, expiration.as_ref().ok());
        let allow = parse_addresses("allowedAddresses", sent.allowed);
        let deny = parse_addresses("deniedAddresses", sent.denied);
        match (name, expiration, scope, valid_from, allow, deny) {
            (Ok(name), Ok(expiration), Ok(scope), Ok(valid_from), Ok(allow), Ok(deny)) => {
                Ok(Self {
                    name,
                    expiration,
                    acknowledged: sent.acknowledged.unwrap_or(false),
                    scope,
                    valid_from,
                    address_rules: Some(AddressRules { allow, deny })
                        .filter(|rules| !rules.is_empty()),
                })
            }
            (name, expiration, scope, valid_from, allow, deny) => {
                let wrong = [
                    name.err(),
                    expiration.err(),
                    scope.err(),
                    valid_from.err(),
                    allow.err(),
                    deny.err(),
                ];
                Err(ServiceError::Invalid(wrong.into_iter().flatten().collect()))
            }
        }
    }

    /// What whoever bears it will have.
    pub(super) fn reach(&self) -> Reach<'_> {
        Reach {
            scope: self.scope.as_ref(),
            expiration: self.expiration,
            address_rules: self.address_rules.as_ref(),
        }
    }

    /// Whether whoever holds a copy of the token gains by what it becomes: it would work longer, earlier, or from more
    /// places. Of permissions it never gets more.
    pub(super) fn widens(&self, before: &PersonalAccessToken) -> bool {
        self.expiration.outlives(before.expiration)
            || self.valid_from < before.valid_from
            || !are_within(self.address_rules.as_ref(), before.address_rules.as_ref())
    }
}

/// A token's permissions only become fewer: who holds a copy of it must not gain by what its owner does.
fn narrower(
    after: Option<PermissionSet>,
    before: Option<&PermissionSet>,
) -> Result<Option<PermissionSet>, InvalidField> {
    let widens = match (&after, before) {
        (None, Some(_)) => true,
        (Some(after), Some(before)) => !before.covers_all(after),
        // All that the role allows never included the one that must be named.
        (Some(after), None) => after.names_text(Permission::OWN_TOKENS),
        (None, None) => false,
    };
    if widens {
        return Err(InvalidField::new(
            "scope",
            "scope_widened",
            "a token's permissions can only become fewer; make a new token for more",
        ));
    }
    Ok(after)
}

fn parse_not_before(
    text: Option<&str>,
    expiration: Option<&Expiration>,
) -> Result<Option<Timestamp>, InvalidField> {
    let Some(text) = text else { return Ok(None) };
    let refused = |code, why: &dyn std::fmt::Display| InvalidField::new("notBefore", code, why);
    let at = Timestamp::parse(text)
        .map_err(|error| refused("not_before_malformed", &format!("notBefore is {error}")))?;
    let end = expiration.and_then(|expiration| expiration.date());
    if end.is_some_and(|end| at >= end) {
        return Err(refused(
            "not_before_too_late",
            &"notBefore must lie before expirationDate",
        ));
    }
    Ok(Some(at))
}

/// Parses a list of networks. An empty one is refused where it could be read as "from nowhere".
pub(super) fn parse_addresses(
    field: &'static str,
    texts: Option<&[String]>,
) -> Result<NetworkSet, InvalidField> {
    let Some(texts) = texts else {
        return Ok(NetworkSet::default());
    };
    if texts.is_empty() {
        let way_out = "name at least one network, or leave the list out for no rule";
        return Err(InvalidField::new(field, "addresses_empty", way_out));
    }
    NetworkSet::parse(texts.iter().map(String::as_str)).map_err(|error| {
        let code = match error {
            MalformedNetworks::Network { .. } => "addresses_malformed",
            MalformedNetworks::TooMany => "addresses_too_many",
        };
        InvalidField::new(field, code, error)
    })
}

/// What a credential gives to whoever bears it, but for what its role or its owner's holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach<'a> {
    pub(super) scope: Option<&'a PermissionSet>,
    pub(super) expiration: Expiration,
    pub(super) address_rules: Option<&'a AddressRules>,
}

impl<'a> From<&'a PersonalAccessToken> for Reach<'a> {
    fn from(token: &'a PersonalAccessToken) -> Self {
        Self {
            scope: token.scope.as_ref(),
            expiration: token.expiration,
            address_rules: token.address_rules.as_ref(),
        }
    }
}

impl<'a> From<&'a ApiKey> for Reach<'a> {
    fn from(key: &'a ApiKey) -> Self {
        Self {
            scope: key.scope.as_ref(),
            expiration: key.expiration,
            address_rules: key.address_rules.as_ref(),
        }
    }
}

impl Reach<'_> {
    /// A credential makes none wider or longer-lived than itself, nor one that works from more places. What `self` is
    /// narrowed to is looked at by the caller, where no narrowing may be meant.
    pub(super) fn check_within(self, asker: Reach<'_>) -> Result<(), ServiceError> {
        let narrow_enough = match (self.scope, asker.scope) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(scope), Some(own)) => own.covers_all(scope),
        };
        if !narrow_enough {
            return Err(ServiceError::WiderThanAsker(
                "a token cannot make one that may do more than itself, nor let one live longer: name in scope only permissions that this token names",
            ));
        }
        if self.expiration.outlives(asker.expiration) {
            return Err(ServiceError::WiderThanAsker(
                "a token cannot make one that lives longer than itself: choose an expirationDate no later than its own",
            ));
        }
        if !are_within(self.address_rules, asker.address_rules) {
            return Err(ServiceError::WiderThanAsker(
                "a token cannot make one that may be used from more places than itself: send its own allowedAddresses and deniedAddresses, or narrower ones",
            ));
        }
        Ok(())
    }
}

fn are_within(inner: Option<&AddressRules>, outer: Option<&AddressRules>) -> bool {
    let none = AddressRules::default();
    inner.unwrap_or(&none).are_within(outer.unwrap_or(&none))
}

/// Holds a lifetime against the policy.
pub(super) fn check_lifetime(
    lifetime: Lifetime,
    expiration: Expiration,
    made: Timestamp,
) -> Result<(), InvalidField> {
    lifetime.check(expiration, made).map_err(|error| {
        let code = match error {
            LifetimeRefused::TooLong { .. } => "policy_lifetime",
            LifetimeRefused::MustExpire => "policy_never_expires",
        };
        InvalidField::new("expirationDate", code, error)
    })
}

/// Holds what a personal access token names against the policy.
pub(super) fn check_allowed(
    policy: &Policy,
    scope: Option<&PermissionSet>,
) -> Result<(), InvalidField> {
    let mut named = scope.into_iter().flatten();
    match named.find(|permission| policy.forbidden.forbids(permission)) {
        None => Ok(()),
        Some(permission) => Err(InvalidField::new(
            "scope",
            "policy_forbids_permission",
            format!(
                "the policy of this organization does not let personal access tokens carry {permission}; leave it out, or ask for an API key"
            ),
        )),
    }
}
