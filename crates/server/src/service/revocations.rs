//! Revoking many tokens at once.

use super::{
    Person, RequestContext, Services,
    acting::{Actor, Noted},
    inventory::{Inventoried, Sought},
    suspensions::named,
};
use crate::error::{InvalidField, ServiceError};
use hallpass_domain::{
    audit::Action,
    id::{TokenId, UserId},
    limits::PREVIEW_ROWS,
    permission::Permission,
    time::Timestamp,
};
use hallpass_store::{FeedKey, InventoryFilter, Tx};
use serde_json::{Value, json};

/// Which tokens are to be revoked.
#[derive(Clone, Debug)]
pub enum Doomed {
    /// Those that are found so.
    Sought(Box<Sought>),
    /// Every token of this member.
    OfUser(UserId),
    /// Every token and key made before this moment.
    MadeBefore(Timestamp),
    /// Every token and key.
    Everything,
}

impl Doomed {
    /// Reads a wish: exactly one of its four ways.
    ///
    /// # Errors
    /// [`ServiceError::BadRequest`], or [`ServiceError::Invalid`] that names what is wrong.
    pub fn parse(wish: &hallpass_wire::Revocation, now: Timestamp) -> Result<Self, ServiceError> {
        let everything = wish.everything == Some(true);
        match (&wish.filter, &wish.user, &wish.made_before, everything) {
            (Some(filter), None, None, false) => by_filter(filter),
            (None, Some(user), None, false) => UserId::parse(user)
                .map(Self::OfUser)
                .map_err(|_| ServiceError::NotFound("member")),
            (None, None, Some(before), false) => made_before(before, now),
            (None, None, None, true) => Ok(Self::Everything),
            _ => Err(ServiceError::BadRequest {
                code: "revocation_unclear",
                detail: "say which tokens: exactly one of filter, user, madeBefore and everything"
                    .to_owned(),
            }),
        }
    }

    /// Goes on only if the actor may: ending all that was made before now is ending everything, and whoever ends keys
    /// must be one who manages them.
    fn check(&self, actor: &Actor) -> Result<(), ServiceError> {
        match self {
            Self::Everything | Self::MadeBefore(_) => actor.require(Permission::ORGANIZATION),
            Self::OfUser(_) => actor.require(Permission::TOKENS),
            Self::Sought(sought) => {
                actor.require(Permission::TOKENS)?;
                if sought.finds_keys() {
                    actor.require(Permission::KEYS)?;
                }
                Ok(())
            }
        }
    }

    fn told(&self) -> Value {
        match self {
            Self::Sought(sought) => json!({ "filter": sought.told() }),
            Self::OfUser(user) => json!({ "user": user.to_string() }),
            Self::MadeBefore(before) => json!({ "madeBefore": before.to_string() }),
            Self::Everything => json!({ "everything": true }),
        }
    }

    fn noted(&self, actor: &Actor) -> Noted {
        match self {
            Self::OfUser(user) => Noted::new(Action::TokensRevoked, user),
            _ => Noted::new(Action::TokensRevoked, actor.organization.id),
        }
    }
}

fn by_filter(filter: &hallpass_wire::InventoryFilter) -> Result<Doomed, ServiceError> {
    let sought = Sought::parse(filter)?;
    if sought.is_everything() {
        return Err(InvalidField::new(
            "filter",
            "filter_empty",
            "name at least one thing; to revoke all tokens, send everything: true",
        )
        .into());
    }
    Ok(Doomed::Sought(Box::new(sought)))
}

fn made_before(text: &str, now: Timestamp) -> Result<Doomed, ServiceError> {
    let field = |code, why: &dyn std::fmt::Display| InvalidField::new("madeBefore", code, why);
    let before = Timestamp::parse(text).map_err(|error| field("date_malformed", &error))?;
    if before > now {
        let why = "what has not been made yet cannot be revoked: name a moment that is past";
        return Err(field("date_in_future", &why).into());
    }
    Ok(Doomed::MadeBefore(before))
}

/// The first whole millisecond not before this moment: what was made within it is revoked rather than left.
const fn whole_millisecond(moment: Timestamp) -> Timestamp {
    const MICROS: i64 = 1_000;
    let short = moment.micros().rem_euclid(MICROS);
    if short == 0 {
        moment
    } else {
        Timestamp::from_micros(moment.micros() - short + MICROS)
    }
}

impl Services {
    /// How many tokens would be revoked, and the latest of them.
    ///
    /// # Errors
    /// [`ServiceError::RoleLacks`], [`ServiceError::NotFound`].
    pub async fn preview_revocation(
        &self,
        actor: &Actor,
        doomed: &Doomed,
    ) -> Result<(u64, Vec<Inventoried>), ServiceError> {
        doomed.check(actor)?;
        let filter = self.doomed_filter(actor, doomed).await?;
        let (organization, now) = (actor.organization.id, self.clock.now());
        let count = self
            .store
            .count_inventory(organization, &filter, now)
            .await?;
        let first = self
            .read_inventory(actor, &filter, None, PREVIEW_ROWS)
            .await?;
        Ok((count, first))
    }

    /// The tokens concerned that are not revoked yet.
    async fn doomed_filter(
        &self,
        actor: &Actor,
        doomed: &Doomed,
    ) -> Result<InventoryFilter, ServiceError> {
        let mut filter = match doomed {
            Doomed::Sought(sought) => self.inventory_filter(actor, sought).await?,
            Doomed::OfUser(user) => {
                // Whoever is no member has no token here that works: leaving revoked them.
                self.find_member(actor.organization.id, *user).await?;
                InventoryFilter {
                    owner: Some(*user),
                    ..InventoryFilter::default()
                }
            }
            Doomed::MadeBefore(before) => InventoryFilter {
                made_before: Some(whole_millisecond(*before)),
                ..InventoryFilter::default()
            },
            Doomed::Everything => InventoryFilter::default(),
        };
        filter.unrevoked = true;
        Ok(filter)
    }

    /// Revokes them. When this returns, no verification accepts one, also if the asking token was among them. Says how
    /// many there were, if that was counted.
    ///
    /// # Errors
    /// [`ServiceError::PreviewOutdated`] when there are not as many as expected, [`ServiceError::RoleLacks`],
    /// [`ServiceError::NotFound`].
    pub async fn revoke_many(
        &self,
        actor: &Actor,
        doomed: &Doomed,
        expected: Option<u64>,
        context: &RequestContext,
    ) -> Result<Option<u64>, ServiceError> {
        self.attempt(actor, context, doomed.noted(actor), async {
            doomed.check(actor)?;
            let filter = self.doomed_filter(actor, doomed).await?;
            let now = self.clock.now();
            let mut tx = self.begin_acting(actor, now).await?;
            let counted = match (doomed, expected) {
                (Doomed::Sought(_), _) | (_, None) => None,
                (_, Some(_)) => Some(count_doomed(&mut tx, actor, &filter).await?),
            };
            let (counted, changed) = match doomed {
                Doomed::Sought(_) => {
                    let mark = tx.bulk_moment(actor.organization.id, now).await?;
                    let (count, changed) = tx
                        .revoke_inventory(actor.organization.id, &filter, mark)
                        .await?;
                    (Some(count), changed)
                }
                _ => (
                    counted,
                    self.raise_floor(&mut tx, actor, doomed, now).await?,
                ),
            };
            check_expected(expected, counted)?;
            let mut told = doomed.told();
            told["count"] = json!(counted);
            self.note(&mut tx, actor, context, doomed.noted(actor).with(told), now);
            self.finish(tx, &[changed]).await?;
            Ok(counted)
        })
        .await
    }

    /// Revokes any token or key of the actor's organization. When this returns, no verification accepts it. Revoking one
    /// that is revoked does nothing and succeeds.
    ///
    /// # Errors
    /// [`ServiceError::RoleLacks`] without `hallpass:tokens`, or `hallpass:keys` for a key; [`ServiceError::NotFound`].
    pub async fn revoke_any(
        &self,
        actor: &Actor,
        id: TokenId,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let noted = Noted::new(Action::TokenRevoked, id);
        self.attempt(actor, context, noted.clone(), async {
            let standing = self.any_standing(actor, id).await?;
            let (now, organization) = (self.clock.now(), actor.organization.id);
            let mut tx = self.begin_acting(actor, now).await?;
            let (noted, changed) = match standing.owner {
                Some(owner) => {
                    let changed = tx.revoke_token(organization, owner, id, now).await?;
                    (noted, changed.map(|changed| vec![changed]))
                }
                None => (
                    Noted::new(Action::KeyRevoked, id),
                    tx.revoke_key(organization, id, now).await?,
                ),
            };
            let Some(changed) = changed else {
                drop(tx);
                // It was revoked before, perhaps a moment ago and not yet applied here.
                return self.catch_up().await;
            };
            self.note(&mut tx, actor, context, noted.with(named(&standing)), now);
            self.finish(tx, &changed).await
        })
        .await
    }

    /// One row, however many tokens there are.
    async fn raise_floor(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        doomed: &Doomed,
        now: Timestamp,
    ) -> Result<FeedKey, ServiceError> {
        let organization = actor.organization.id;
        Ok(match doomed {
            Doomed::OfUser(user) => tx.revoke_all_of_member(organization, *user, now).await?,
            Doomed::MadeBefore(before) => {
                let before = whole_millisecond(*before);
                tx.revoke_tokens_of_organization(organization, before)
                    .await?
            }
            Doomed::Everything | Doomed::Sought(_) => {
                tx.revoke_all_of_organization(organization, now).await?
            }
        })
    }

    /// Revokes all of `person`'s tokens in the organization in force, the asking one among them.
    ///
    /// # Errors
    /// The store's.
    pub async fn revoke_own_tokens(
        &self,
        person: &Person,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let (organization, user) = (person.organization.id, person.user.id);
        let noted = Noted::new(Action::TokensRevoked, user)
            .with(json!({ "user": user.to_string(), "count": null }));
        let work = Box::pin(async {
            let now = self.clock.now();
            let mut tx = self.begin_own(person, now).await?;
            let changed = tx.revoke_all_of_member(organization, user, now).await?;
            let actor = Actor::of_session(person);
            self.note(&mut tx, &actor, context, noted.clone(), now);
            self.finish(tx, &[changed]).await
        });
        self.attempt_own(person, context, noted.clone(), work).await
    }
}

/// Inside the transaction that revokes them, so that none is made in between.
async fn count_doomed(
    tx: &mut Tx,
    actor: &Actor,
    filter: &InventoryFilter,
) -> Result<u64, ServiceError> {
    Ok(tx
        .count_doomed(actor.organization.id, filter.owner, filter.made_before)
        .await?)
}

fn check_expected(expected: Option<u64>, counted: Option<u64>) -> Result<(), ServiceError> {
    match (expected, counted) {
        (Some(expected), Some(found)) if expected != found => {
            Err(ServiceError::PreviewOutdated { expected, found })
        }
        _ => Ok(()),
    }
}
