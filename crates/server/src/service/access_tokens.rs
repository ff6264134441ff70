//! Personal access tokens: making, listing, finding, revoking. Changing is in [`super::token_change`].

use super::{Person, RequestContext, Services, Via};
use crate::error::{InvalidField, ServiceError};
use hallpass_domain::{
    access_token::{Expiration, PersonalAccessToken, TokenState},
    audit::Action,
    id::TokenId,
    limits::{IDEMPOTENCY_KEY_BYTES_MAX, IDEMPOTENCY_SECONDS, PREFIX_DRAWS_MAX},
    name::TokenName,
    permission::{Permission, PermissionSet},
    time::Timestamp,
    token::{BcryptHash, Kind, PlainToken, Scheme},
};
use hallpass_store::{
    AuditEntry, Inserted, NewToken, Stored, TokenPage, TokenQuery, TokenWithUse, Tx,
};
use hallpass_wire::CreateToken;
use sha2::{Digest as _, Sha256};

/// Days over which uses are shown as recent.
pub const RECENT_USES_DAYS: i64 = 7;

/// A token that was made.
#[derive(Debug)]
pub struct Created {
    /// The token.
    pub token: PersonalAccessToken,
    /// Its text, unless this repeats an earlier answer: it is shown once.
    pub secret: Option<PlainToken>,
}

/// A wish for a token, parsed.
#[derive(Debug)]
struct Wish {
    name: TokenName,
    expiration: Expiration,
    acknowledged: bool,
    scope: Option<PermissionSet>,
}

impl Wish {
    fn parse(request: &CreateToken, now: Timestamp) -> Result<Self, ServiceError> {
        let name =
            TokenName::parse(&request.name).map_err(|error| InvalidField::name("name", error));
        let expiration = Expiration::from_request(
            request.expiration_date.as_deref(),
            request.user_aware_token_never_expires,
            now,
        )
        .map_err(InvalidField::expiration);
        let scope = parse_scope(request.scope.as_deref());
        match (name, expiration, scope) {
            (Ok(name), Ok(expiration), Ok(scope)) => Ok(Self {
                name,
                expiration,
                acknowledged: request.user_aware_token_never_expires.unwrap_or(false),
                scope,
            }),
            (name, expiration, scope) => Err(ServiceError::Invalid(
                [name.err(), expiration.err(), scope.err()]
                    .into_iter()
                    .flatten()
                    .collect(),
            )),
        }
    }
}

/// Parses what a token is to be narrowed to. An empty list is refused: such a token could do nothing.
pub(super) fn parse_scope(texts: Option<&[String]>) -> Result<Option<PermissionSet>, InvalidField> {
    let Some(texts) = texts else {
        return Ok(None);
    };
    if texts.is_empty() {
        return Err(InvalidField::new(
            "scope",
            "scope_empty",
            "name at least one permission, or leave scope out for all that your role allows",
        ));
    }
    PermissionSet::parse(texts.iter().map(String::as_str))
        .map(Some)
        .map_err(|error| InvalidField::scope(&error))
}

/// Whether a role that holds `held` can give `permission` to a token. A wildcard is good when the role holds
/// anything of its resource: it is looked at again at each request, and never gives more than the role.
fn can_give(held: &PermissionSet, permission: &Permission) -> bool {
    permission.as_str() == Permission::OWN_TOKENS
        || held.covers(permission)
        || (permission.is_wildcard()
            && held
                .iter()
                .any(|held| held.resource() == permission.resource()))
}

/// Checks that `person`'s role can give every permission of `scope`.
pub(super) fn check_scope_held(
    person: &Person,
    scope: Option<&PermissionSet>,
) -> Result<(), ServiceError> {
    let missing: Vec<InvalidField> = scope
        .into_iter()
        .flatten()
        .filter(|permission| !can_give(&person.permissions, permission))
        .map(InvalidField::not_held)
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(ServiceError::Invalid(missing))
    }
}

impl Services {
    /// Makes a token for `person`.
    ///
    /// # Errors
    /// [`ServiceError::RecentSignInRequired`] in a session whose sign-in is not recent,
    /// [`ServiceError::WiderThanAsker`] for a token that asks for more than it is, and what is wrong with the wish.
    pub async fn create_token(
        &self,
        person: &Person,
        request: &CreateToken,
        idempotency_key: Option<&str>,
        context: &RequestContext,
    ) -> Result<Created, ServiceError> {
        let now = self.clock.now();
        if idempotency_key
            .is_some_and(|key| key.is_empty() || key.len() > IDEMPOTENCY_KEY_BYTES_MAX)
        {
            let detail =
                format!("Idempotency-Key must have 1 to {IDEMPOTENCY_KEY_BYTES_MAX} characters");
            return Err(ServiceError::BadRequest {
                code: "idempotency_key_malformed",
                detail,
            });
        }
        if !person.membership.may_have_tokens {
            return Err(ServiceError::TokensNotAllowed);
        }
        let wish = Wish::parse(request, now)?;
        check_scope_held(person, wish.scope.as_ref())?;
        self.check_may_make(person, wish.scope.as_ref(), wish.expiration)
            .await?;

        let id = TokenId::generate(&self.entropy, now);
        let mut tx = self.store.begin().await?;
        if let Some(key) = idempotency_key {
            let digest = request_digest(request)?;
            let before = tx
                .claim_idempotency_key(
                    person.user.id,
                    key,
                    &digest,
                    id,
                    now,
                    now.plus_seconds(-IDEMPOTENCY_SECONDS),
                )
                .await?;
            if let Some((first_digest, first)) = before {
                drop(tx);
                return self.replay(person, digest == first_digest, first).await;
            }
        }
        let (secret, token) = self.insert_token(&mut tx, person, id, wish, now).await?;
        self.audit_token(&mut tx, person, &token, Action::TokenCreated, context, now)
            .await?;
        let seq = tx.commit(&[hallpass_store::FeedKey::Token(id)]).await?;
        self.reach(seq).await?;
        Ok(Created {
            token,
            secret: Some(secret),
        })
    }

    /// A page of `person`'s tokens in the organization in force.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_tokens(
        &self,
        person: &Person,
        query: &TokenQuery,
    ) -> Result<TokenPage, ServiceError> {
        Ok(self
            .store
            .list_tokens(person.organization.id, person.user.id, query)
            .await?)
    }

    /// How many tokens `person` has in each state.
    ///
    /// # Errors
    /// The store's.
    pub async fn count_tokens_by_state(
        &self,
        person: &Person,
    ) -> Result<Vec<(TokenState, u64)>, ServiceError> {
        Ok(self
            .store
            .count_tokens_by_state(person.organization.id, person.user.id, self.clock.now())
            .await?)
    }

    /// One of `person`'s tokens.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also for other people's.
    pub async fn get_token(
        &self,
        person: &Person,
        id: TokenId,
    ) -> Result<TokenWithUse, ServiceError> {
        let since = self.clock.now().plus_days(-RECENT_USES_DAYS);
        self.store
            .find_token(person.organization.id, person.user.id, id, since)
            .await?
            .ok_or(ServiceError::NotFound("token"))
    }

    /// Revokes one of `person`'s tokens. When this returns, no verification accepts it. Revoking a revoked token
    /// does nothing and succeeds.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also for other people's.
    pub async fn revoke_token(
        &self,
        person: &Person,
        id: TokenId,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let token = self.get_token(person, id).await?.token;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let Some(changed) = tx
            .revoke_token(person.organization.id, person.user.id, id, now)
            .await?
        else {
            drop(tx);
            // It was revoked before, perhaps a moment ago and not yet applied here.
            return Ok(self.catch_up().await?);
        };
        self.audit_token(&mut tx, person, &token, Action::TokenRevoked, context, now)
            .await?;
        let seq = tx.commit(&[changed]).await?;
        Ok(self.reach(seq).await?)
    }

    /// A token never counts as a person being present. In a session, the sign-in must be recent; a token makes
    /// none wider or longer-lived than itself.
    pub(super) async fn check_may_make(
        &self,
        person: &Person,
        scope: Option<&PermissionSet>,
        expiration: Expiration,
    ) -> Result<(), ServiceError> {
        let Via::Token { id } = person.via else {
            return if self.is_recent(person) {
                Ok(())
            } else {
                Err(ServiceError::RecentSignInRequired)
            };
        };
        let asker = self.get_token(person, id).await?.token;
        let narrow_enough =
            scope.is_some_and(|scope| asker.scope.as_ref().is_none_or(|own| own.covers_all(scope)));
        if !narrow_enough {
            return Err(ServiceError::WiderThanAsker(
                "a token cannot make one that may do more than itself, nor let one live longer: name in scope only permissions that this token names",
            ));
        }
        if expiration.outlives(asker.expiration) {
            return Err(ServiceError::WiderThanAsker(
                "a token cannot make one that lives longer than itself: choose an expirationDate no later than its own",
            ));
        }
        Ok(())
    }

    /// Draws secrets until one has a prefix that is free, and writes the token.
    async fn insert_token(
        &self,
        tx: &mut Tx,
        person: &Person,
        id: TokenId,
        wish: Wish,
        now: Timestamp,
    ) -> Result<(PlainToken, PersonalAccessToken), ServiceError> {
        for _ in 0..PREFIX_DRAWS_MAX {
            let secret = PlainToken::generate(self.brand, Kind::PersonalAccessToken, &self.entropy);
            let new = NewToken {
                id,
                organization: person.organization.id,
                owner: person.user.id,
                role: person.role.id,
                name: &wish.name,
                prefix: secret.prefix(),
                stored: &self.stored_form(&secret).await?,
                scope: wish.scope.as_ref(),
                created: now,
                expiration: wish.expiration,
                never_expires_acknowledged: wish.acknowledged,
            };
            match tx.insert_token(&new).await? {
                Inserted::Done => {
                    let token = PersonalAccessToken {
                        id,
                        organization: person.organization.id,
                        owner: person.user.id,
                        name: wish.name,
                        prefix: secret.prefix(),
                        scope: wish.scope,
                        created: now,
                        expiration: wish.expiration,
                        never_expires_acknowledged: wish.acknowledged,
                        revoked: None,
                        suspended: None,
                        last_use: None,
                    };
                    return Ok((secret, token));
                }
                Inserted::NotAllowed => return Err(ServiceError::TokensNotAllowed),
                Inserted::TooMany => return Err(ServiceError::TooManyTokens),
                Inserted::NameTaken(prefix) => return Err(ServiceError::NameTaken(prefix)),
                Inserted::PrefixTaken => {}
            }
        }
        Err(ServiceError::Internal(format!(
            "{PREFIX_DRAWS_MAX} prefixes in a row were taken"
        )))
    }

    async fn stored_form(&self, secret: &PlainToken) -> Result<Stored, ServiceError> {
        match self.scheme {
            Scheme::HmacSha256 => {
                let pepper = self.peppers.current();
                Ok(Stored::Digest(pepper.digest(secret), pepper.id().clone()))
            }
            Scheme::Bcrypt => {
                let mut salt = [0; 16];
                hallpass_domain::Entropy::fill(&self.entropy, &mut salt);
                let secret = secret.clone();
                let hash = self
                    .comparisons
                    .run(move || BcryptHash::of(&secret, salt))
                    .await?;
                hash.map(Stored::Bcrypt)
                    .ok_or_else(|| ServiceError::Internal("bcrypt failed".to_owned()))
            }
        }
    }

    async fn replay(
        &self,
        person: &Person,
        same: bool,
        first: TokenId,
    ) -> Result<Created, ServiceError> {
        if !same {
            return Err(ServiceError::IdempotencyKeyReused);
        }
        let token = self.get_token(person, first).await?.token;
        Ok(Created {
            token,
            secret: None,
        })
    }

    pub(super) async fn audit_token(
        &self,
        tx: &mut Tx,
        person: &Person,
        token: &PersonalAccessToken,
        action: Action,
        context: &RequestContext,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let detail = serde_json::json!({
            "name": token.name.as_str(),
            "prefix": token.prefix.as_str(),
            "expirationDate": token.expiration.date().map(|date| date.to_string()),
            "scope": token.scope.as_ref().map(PermissionSet::to_text),
        });
        let address = context.address_text();
        let entry = AuditEntry {
            at: now,
            organization: Some(person.organization.id),
            actor: Some(person.user.id),
            token: person.token(),
            action,
            target: Some(token.id.to_string()),
            address: address.as_deref(),
            agent: context.agent.as_deref(),
            detail: Some(detail.to_string()),
        };
        Ok(tx.append_audit(&self.entropy, &entry).await?)
    }
}

/// What tells two requests with one key apart. The request holds no secret.
fn request_digest(request: &CreateToken) -> Result<[u8; 32], ServiceError> {
    let text =
        serde_json::to_vec(request).map_err(|error| ServiceError::Internal(error.to_string()))?;
    Ok(Sha256::digest(text).into())
}
