//! Making a personal access token.

use super::{
    Person, RequestContext, Services,
    access_tokens::check_scope_held,
    acting::Noted,
    secrets::Draws,
    wishes::{Sent, Wish, check_allowed, check_lifetime},
};
use crate::error::ServiceError;
use hallpass_domain::{
    access_token::PersonalAccessToken,
    audit::Action,
    id::{OrganizationId, TokenId},
    limits::{IDEMPOTENCY_KEY_BYTES_MAX, IDEMPOTENCY_SECONDS},
    policy::Policy,
    time::Timestamp,
    token::{Kind, PlainToken},
};
use hallpass_store::{FeedKey, Inserted, NewToken, Stored, Tx};
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

/// An `Idempotency-Key` and what it was sent with.
#[derive(Clone, Debug)]
struct Repeatable {
    /// With the organization: what was sent in one has nothing to do with what is sent in another.
    key: String,
    request: [u8; 32],
}

impl Repeatable {
    fn parse(
        key: Option<&str>,
        organization: OrganizationId,
        request: &CreateToken,
    ) -> Result<Option<Self>, ServiceError> {
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
        let key = format!("{organization} {key}");
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
        let repeatable = Repeatable::parse(idempotency_key, person.organization.id, request)?;
        // Looked up first: what was made stays made, whatever the date in the request has become since.
        if let Some(repeatable) = &repeatable {
            let since = now.plus_seconds(-IDEMPOTENCY_SECONDS);
            let before = self
                .store
                .find_idempotency_key(person.user.id, &repeatable.key, since)
                .await?;
            if let Some((first, id)) = before {
                return self.replay(person, repeatable.request == first, id).await;
            }
        }
        let noted = Noted::new(Action::TokenCreated, person.user.id);
        let work = Box::pin(async {
            if !person.membership.may_have_tokens {
                return Err(self.tokens_not_allowed(person.organization.id).await);
            }
            let wish = Wish::parse(&Sent::from(request), None, now)?;
            check_scope_held(person, wish.scope.as_ref())?;
            self.check_may_make(person, wish.reach()).await?;
            self.draw_until_free(person, &wish, repeatable.as_ref(), context, now)
                .await
        });
        self.attempt_own(person, context, noted, work).await
    }

    /// Draws secrets until one has a prefix that is free.
    async fn draw_until_free(
        &self,
        person: &Person,
        wish: &Wish,
        repeatable: Option<&Repeatable>,
        context: &RequestContext,
        now: Timestamp,
    ) -> Result<Created, ServiceError> {
        let mut draws = Draws::of(Kind::PersonalAccessToken);
        loop {
            let (secret, stored) = self.draw(&mut draws).await?;
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
    }

    /// Why somebody may not have tokens, with the names of some who can allow it.
    pub(super) async fn tokens_not_allowed(&self, organization: OrganizationId) -> ServiceError {
        match self.gatekeepers(organization).await {
            Ok(names) => ServiceError::TokensNotAllowed(names),
            Err(error) => error,
        }
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
        repeatable: Option<&Repeatable>,
        context: &RequestContext,
        now: Timestamp,
    ) -> Result<Tried, ServiceError> {
        let organization = person.organization.id;
        let mut tx = self.begin_own(person, now).await?;
        let floor = tx.tokens_floor(organization, Some(person.user.id)).await?;
        let made = now.max(floor);
        let token = wish.token(person, TokenId::generate(&self.entropy, made), secret, made);
        if let Some(Repeatable { key, request }) = repeatable {
            let forget = now.plus_seconds(-IDEMPOTENCY_SECONDS);
            let before = tx
                .claim_idempotency_key(person.user.id, key, request, token.id, now, forget)
                .await?;
            if let Some((first, id)) = before {
                return Ok(Tried::MadeBefore(first, id));
            }
        }
        wish.check_policy(&tx.policy_now(organization).await?, made)?;
        match insert(&mut tx, person, &token, stored).await? {
            Inserted::Done => {}
            Inserted::PrefixTaken => return Ok(Tried::PrefixTaken),
            Inserted::NotAllowed => {
                drop(tx);
                return Err(self.tokens_not_allowed(organization).await);
            }
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

async fn insert(
    tx: &mut Tx,
    person: &Person,
    token: &PersonalAccessToken,
    stored: &Stored,
) -> Result<Inserted, ServiceError> {
    let new = NewToken {
        id: token.id,
        organization: token.organization,
        owner: token.owner,
        role: person.role.id,
        name: &token.name,
        prefix: token.prefix,
        stored,
        scope: token.scope.as_ref(),
        created: token.created,
        expiration: token.expiration,
        never_expires_acknowledged: token.never_expires_acknowledged,
        valid_from: token.valid_from,
        address_rules: token.address_rules.as_ref(),
    };
    Ok(tx.insert_token(&new).await?)
}

impl Wish {
    /// Holds a wish for a new token against the policy.
    fn check_policy(&self, policy: &Policy, made: Timestamp) -> Result<(), ServiceError> {
        let checks = [
            check_lifetime(policy.personal, self.expiration, made),
            check_allowed(policy, self.scope.as_ref()),
        ];
        let wrong: Vec<_> = checks.into_iter().filter_map(Result::err).collect();
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(ServiceError::Invalid(wrong))
        }
    }

    fn token(
        &self,
        person: &Person,
        id: TokenId,
        secret: &PlainToken,
        made: Timestamp,
    ) -> PersonalAccessToken {
        PersonalAccessToken {
            id,
            organization: person.organization.id,
            owner: person.user.id,
            name: self.name.clone(),
            prefix: secret.prefix(),
            scope: self.scope.clone(),
            created: made,
            expiration: self.expiration,
            never_expires_acknowledged: self.acknowledged,
            revoked: None,
            suspension: None,
            valid_from: self.valid_from,
            address_rules: self.address_rules.clone(),
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
