//! What an organization's tokens must keep to.

use crate::{
    access_token::Expiration, limits::POLICY_DAYS_MAX, network::NetworkSet,
    permission::PermissionSet, time::Timestamp,
};

/// How long a credential may live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Days from its making at most; `None` is as long as one likes.
    pub days_max: Option<u32>,
    /// Whether it may have no end at all. With `days_max` it may not, whatever this says.
    pub may_never_expire: bool,
}

impl Lifetime {
    /// As long as one likes.
    pub const ANY: Self = Self {
        days_max: None,
        may_never_expire: true,
    };

    /// The last moment at which something made at `made` may end, if there is one.
    pub fn latest_end(self, made: Timestamp) -> Option<Timestamp> {
        self.days_max.map(|days| made.plus_days(i64::from(days)))
    }

    /// Whether something made at `made` may end so.
    ///
    /// # Errors
    /// [`LifetimeRefused`] with what is allowed.
    pub fn check(self, expiration: Expiration, made: Timestamp) -> Result<(), LifetimeRefused> {
        match (expiration, self.days_max) {
            (Expiration::Never, Some(days)) => Err(LifetimeRefused::TooLong { days }),
            (Expiration::Never, None) if !self.may_never_expire => Err(LifetimeRefused::MustExpire),
            (Expiration::At(end), Some(days)) if end > made.plus_days(i64::from(days)) => {
                Err(LifetimeRefused::TooLong { days })
            }
            _ => Ok(()),
        }
    }

    /// What becomes of something made at `made` that is to end so, when this is enforced at `now`.
    pub fn enforce(self, expiration: Expiration, made: Timestamp, now: Timestamp) -> Enforced {
        if self.check(expiration, made).is_ok() {
            return Enforced::Kept;
        }
        match self.latest_end(made) {
            Some(end) if end > now => Enforced::Shortened(end),
            _ => Enforced::Revoked,
        }
    }
}

/// What becomes of a credential when a policy is enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforced {
    /// Nothing.
    Kept,
    /// It ends at this moment instead.
    Shortened(Timestamp),
    /// It has lived longer than it may, or may not live without an end.
    Revoked,
}

/// Why a credential may not live so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LifetimeRefused {
    /// It would live too long.
    #[error(
        "the policy of this organization allows at most {days} days; choose an earlier expirationDate"
    )]
    TooLong {
        /// Days allowed.
        days: u32,
    },
    /// It would never end.
    #[error(
        "the policy of this organization does not allow what never expires; choose an expirationDate"
    )]
    MustExpire,
}

/// What an organization's tokens must keep to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long personal access tokens may live.
    pub personal: Lifetime,
    /// How long API keys may live.
    pub key: Lifetime,
    /// Permissions that personal access tokens may not carry, wildcards among them.
    pub forbidden: PermissionSet,
    /// Days without a use after which a token is revoked.
    pub unused_days_max: Option<u32>,
    /// Where tokens may be used from; empty is anywhere.
    pub networks: NetworkSet,
    /// Whether the owner of a token may lift a suspension that somebody else began.
    pub owner_may_lift: bool,
}

impl Default for Policy {
    /// No rule but one: what an admin suspended, an admin lifts.
    fn default() -> Self {
        Self {
            personal: Lifetime::ANY,
            key: Lifetime::ANY,
            forbidden: PermissionSet::default(),
            unused_days_max: None,
            networks: NetworkSet::default(),
            owner_may_lift: false,
        }
    }
}

/// A number of days that a policy can name: 1 to [`POLICY_DAYS_MAX`].
pub fn is_days(days: i64) -> bool {
    (1..=POLICY_DAYS_MAX).contains(&days)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE: Timestamp = Timestamp::from_micros(0);

    #[test]
    fn what_is_within_the_limit_is_kept_and_what_is_not_is_refused() {
        let ninety = Lifetime {
            days_max: Some(90),
            may_never_expire: true,
        };
        let end = |days| Expiration::At(MADE.plus_days(days));
        assert_eq!(ninety.check(end(90), MADE), Ok(()));
        assert_eq!(
            ninety.check(Expiration::At(MADE.plus_days(90).plus_seconds(1)), MADE),
            Err(LifetimeRefused::TooLong { days: 90 })
        );
        assert_eq!(
            ninety.check(Expiration::Never, MADE),
            Err(LifetimeRefused::TooLong { days: 90 }),
            "a longest lifetime is one also for what would never end"
        );
        let must = Lifetime {
            days_max: None,
            may_never_expire: false,
        };
        assert_eq!(must.check(end(100_000), MADE), Ok(()));
        assert_eq!(
            must.check(Expiration::Never, MADE),
            Err(LifetimeRefused::MustExpire)
        );
        assert_eq!(Lifetime::ANY.check(Expiration::Never, MADE), Ok(()));
    }

    #[test]
    fn enforcing_shortens_or_revokes() {
        let ninety = Lifetime {
            days_max: Some(90),
            may_never_expire: false,
        };
        let now = MADE.plus_days(50);
        assert_eq!(
            ninety.enforce(Expiration::At(MADE.plus_days(60)), MADE, now),
            Enforced::Kept
        );
        assert_eq!(
            ninety.enforce(Expiration::Never, MADE, now),
            Enforced::Shortened(MADE.plus_days(90))
        );
        assert_eq!(
            ninety.enforce(Expiration::Never, MADE, MADE.plus_days(90)),
            Enforced::Revoked,
            "its last moment has come"
        );
        let must = Lifetime {
            days_max: None,
            may_never_expire: false,
        };
        assert_eq!(
            must.enforce(Expiration::Never, MADE, now),
            Enforced::Revoked
        );
    }
}
