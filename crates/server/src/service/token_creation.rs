//! Making a personal access token.

use super::{
    Person, RequestContext, Services,
    access_tokens::{check_scope_held, parse_scope},
    acting::Noted,
};
use crate::error::{InvalidField, ServiceError};
use hallpass_domain::{
    Entropy,
    access_token::{Expiration, PersonalAccessToken},
    audit::Action,
    id::TokenId,
    limits::{IDEMPOTENCY_KEY_BYTES_MAX, IDEMPOTENCY_SECONDS, PREFIX_DRAWS_MAX},
    name::TokenName,
    permission::PermissionSet,
    time::Timestamp,
    token::{BcryptHash, Kind, PlainToken, Scheme},
};
use hallpass_store::{FeedKey, Inserted, NewToken, Stored};
use hallpass_wire::CreateToken;
use sha2::{Digest as _, Sha256};

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

/// An `Idempotency-Key` and what it was sent with.
#[derive(Clone, Copy, Debug)]
struct Repeatable<'a> {
    key: &'a str,
    request: [u8; 32],
}

impl<'a> Repeatable<'a> {
    fn parse(key: Option<&'a str>, request: &CreateToken) -> Result<Option<Self>, ServiceError> {
        let Some(key) = key else { return Ok(None) };
        if key.is_empty() || key.len() > IDEMPOTENCY_KEY_BYTES_MAX {
            let detail =
                format!("Idempotency-Key must have 1 to {IDEMPOTENCY_KEY_BYTES_MAX} characters");
            return Err(ServiceError::BadRequest {
                code: "idempotency_key_malformed",
                detail,
            });
        }
        let request = request_digest(request)?;
        Ok(Some(Self { key, request }))
    }
}

/// What came of one try to write a token.
enum Tried {
    Made(Box<PersonalAccessToken>),
    PrefixTaken,
    MadeBefore([u8; 32], TokenId),
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
        let repeatable = Repeatable::parse(idempotency_key, request)?;
        // Looked up first: what was made stays made, whatever the date in the request has become since.
        if let Some(repeatable) = &repeatable {
            let since = now.plus_seconds(-IDEMPOTENCY_SECONDS);
            let before = self
                .store
                .find_idempotency_key(person.user.id, repeatable.key, since)
                .await?;
            if let Some((first, id)) = before {
                return self.replay(person, repeatable.request == first, id).await;
            }
        }
        let noted = Noted::new(Action::TokenCreated, person.user.id);
        self.attempt_own(person, context, noted, async {
            if !person.membership.may_have_tokens {
                return Err(ServiceError::TokensNotAllowed);
            }
            let wish = Wish::parse(request, now)?;
            check_scope_held(person, wish.scope.as_ref())?;
            self.check_may_make(person, wish.scope.as_ref(), wish.expiration)
                .await?;
            self.draw_until_free(person, &wish, repeatable, context, now)
                .await
        })
        .await
    }

    /// Draws secrets until one has a prefix that is free.
    async fn draw_until_free(
        &self,
        person: &Person,
        wish: &Wish,
        repeatable: Option<Repeatable<'_>>,
        context: &RequestContext,
        now: Timestamp,
    ) -> Result<Created, ServiceError> {
        for _ in 0..PREFIX_DRAWS_MAX {
            let secret = PlainToken::generate(self.brand, Kind::PersonalAccessToken, &self.entropy);
            // Before the transaction: a slow hash must not hold the writer.
            let stored = self.stored_form(&secret).await?;
            match self
                .try_to_write(person, wish, &secret, &stored, repeatable, context, now)
                .await?
            {
                Tried::Made(token) => {
                    let secret = Some(secret);
                    return Ok(Created {
                        token: *token,
                        secret,
                    });
                }
                Tried::MadeBefore(first, id) => {
                    let same = repeatable.is_some_and(|repeatable| repeatable.request == first);
                    return self.replay(person, same, id).await;
                }
                Tried::PrefixTaken => {}
            }
        }
        let fault = format!("{PREFIX_DRAWS_MAX} prefixes in a row were taken");
        Err(ServiceError::Internal(fault))
    }

    /// One use case, one transaction.
    #[expect(
        clippy::too_many_arguments,
        reason = "what is written, for whom, by what, when: no two of them belong together"
    )]
    async fn try_to_write(
        &self,
        person: &Person,
        wish: &Wish,
        secret: &PlainToken,
        stored: &Stored,
        repeatable: Option<Repeatable<'_>>,
        context: &RequestContext,
        now: Timestamp,
    ) -> Result<Tried, ServiceError> {
        let token = wish.token(person, TokenId::generate(&self.entropy, now), secret, now);
        let mut tx = self.begin_change().await?;
        self.hold_asker(&mut tx, person, now).await?;
        if let Some(Repeatable { key, request }) = &repeatable {
            let forget = now.plus_seconds(-IDEMPOTENCY_SECONDS);
            let before = tx
                .claim_idempotency_key(person.user.id, key, request, token.id, now, forget)
                .await?;
            if let Some((first, id)) = before {
                return Ok(Tried::MadeBefore(first, id));
            }
        }
        let new = NewToken {
            id: token.id,
            organization: token.organization,
            owner: token.owner,
            role: person.role.id,
            name: &token.name,
            prefix: token.prefix,
            stored,
            scope: token.scope.as_ref(),
            created: now,
            expiration: token.expiration,
            never_expires_acknowledged: token.never_expires_acknowledged,
            valid_from: token.valid_from,
            address_rules: token.address_rules.as_ref(),
        };
        match tx.insert_token(&new).await? {
            Inserted::Done => {}
            Inserted::PrefixTaken => return Ok(Tried::PrefixTaken),
            Inserted::NotAllowed => return Err(ServiceError::TokensNotAllowed),
            Inserted::TooMany => return Err(ServiceError::TooManyTokens),
            Inserted::TooManyToday => return Err(ServiceError::TooManyTokensToday),
            Inserted::NameTaken(prefix) => return Err(ServiceError::NameTaken(prefix)),
        }
        self.audit_token(&mut tx, person, &token, Action::TokenCreated, context, now);
        let seq = tx.commit(&[FeedKey::Token(token.id)]).await?;
        // The token is lasting and its secret is shown only now: it is shown even if it does not work this instant.
        if let Err(error) = self.reach(seq).await {
            tracing::warn!(%error, "a new token is not known in memory yet");
        }
        Ok(Tried::Made(Box::new(token)))
    }

    async fn stored_form(&self, secret: &PlainToken) -> Result<Stored, ServiceError> {
        match self.scheme {
            Scheme::HmacSha256 => {
                let pepper = self.peppers.current();
                Ok(Stored::Digest(pepper.digest(secret), pepper.id().clone()))
            }
            Scheme::Bcrypt => {
                let mut salt = [0; 16];
                self.entropy.fill(&mut salt);
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
}

impl Wish {
    fn token(
        &self,
        person: &Person,
        id: TokenId,
        secret: &PlainToken,
        now: Timestamp,
    ) -> PersonalAccessToken {
        PersonalAccessToken {
            id,
            organization: person.organization.id,
            owner: person.user.id,
            name: self.name.clone(),
            prefix: secret.prefix(),
            scope: self.scope.clone(),
            created: now,
            expiration: self.expiration,
            never_expires_acknowledged: self.acknowledged,
            revoked: None,
            suspension: None,
            valid_from: None,
            address_rules: None,
            last_use: None,
        }
    }
}

/// What tells two requests with one key apart. The request holds no secret.
fn request_digest(request: &CreateToken) -> Result<[u8; 32], ServiceError> {
    let text =
        serde_json::to_vec(request).map_err(|error| ServiceError::Internal(error.to_string()))?;
    Ok(Sha256::digest(text).into())
}
