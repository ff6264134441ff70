//! API keys: owned by the organization, with a role of their own, and with several secrets while they are rotated.

use crate::{
    access_token::{Expiration, LastUse, Suspension, TokenState},
    id::{OrganizationId, RoleId, TokenId, UserId},
    limits::KEY_OVERLAP_DAYS_MAX,
    name::TokenName,
    network::AddressRules,
    permission::PermissionSet,
    time::{SECONDS_PER_DAY, Timestamp},
    token::Prefix,
};

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id, the same through all rotations.
    pub id: TokenId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Its role, from the beginning to the end.
    pub role: RoleId,
    /// What it is called.
    pub name: TokenName,
    /// What it is narrowed to; `None` is all that its role allows.
    pub scope: Option<PermissionSet>,
    /// When it was made.
    pub created: Timestamp,
    /// The first moment at which it works, if not from the beginning.
    pub valid_from: Option<Timestamp>,
    /// When it ends.
    pub expiration: Expiration,
    /// What its maker said about never expiring.
    pub never_expires_acknowledged: bool,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// Its rest, if it rests.
    pub suspension: Option<Suspension>,
    /// From where it may be used.
    pub address_rules: Option<AddressRules>,
    /// The person who made it, if one did.
    pub maker_user: Option<UserId>,
    /// The credential that made it, if not a session.
    pub maker_token: Option<TokenId>,
    /// Its secrets, the current one first.
    pub secrets: Vec<KeySecret>,
}

/// One secret of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySecret {
    /// Its own id, by which uses are noted.
    pub id: TokenId,
    /// How it begins.
    pub prefix: Prefix,
    /// Since when there is this secret.
    pub since: Timestamp,
    /// When another took its place; `None` for the current one.
    pub retired: Option<Timestamp>,
    /// The first moment at which it no longer works, while the key does.
    pub until: Option<Timestamp>,
    /// It ends earlier when it was quiet for so many seconds.
    pub quiet_seconds: Option<i64>,
    /// How it was last used.
    pub last_use: Option<LastUse>,
}

impl KeySecret {
    /// Whether it works at `now`, as far as the secret itself is concerned.
    pub fn works(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl ApiKey {
    /// What the key's row says at `now`.
    pub fn state(&self, now: Timestamp) -> TokenState {
        TokenState::of(
            self.revoked,
            self.expiration,
            self.suspension.is_some(),
            now,
        )
    }

    /// The secret that new places get. A key has one as long as it lives.
    pub fn current(&self) -> Option<&KeySecret> {
        self.secrets.iter().find(|secret| secret.retired.is_none())
    }

    /// How any of its secrets was last used.
    pub fn last_use(&self) -> Option<&LastUse> {
        let uses = self
            .secrets
            .iter()
            .filter_map(|secret| secret.last_use.as_ref());
        uses.max_by_key(|last| last.at)
    }
}

/// What becomes of the old secret when a key gets a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// It ends at once: it was leaked.
    None,
    /// It works until this moment.
    Until(Timestamp),
    /// It works until it was quiet for so many seconds, and [`KEY_OVERLAP_DAYS_MAX`] days at most.
    UntilQuiet(i64),
}

/// Why an overlap is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverlapRefused {
    /// It would last too long.
    #[error("the old secret can keep working for at most {KEY_OVERLAP_DAYS_MAX} days")]
    TooLong,
    /// It would be over already.
    #[error("choose a moment in the future, or no overlap at all")]
    NotInFuture,
}

impl Overlap {
    /// Whether it may last so long, from `now`.
    ///
    /// # Errors
    /// [`OverlapRefused`].
    pub fn check(self, now: Timestamp) -> Result<(), OverlapRefused> {
        let longest = now.plus_days(KEY_OVERLAP_DAYS_MAX);
        match self {
            Self::Until(until) if until > longest => Err(OverlapRefused::TooLong),
            Self::Until(until) if until <= now => Err(OverlapRefused::NotInFuture),
            Self::UntilQuiet(seconds) if seconds > KEY_OVERLAP_DAYS_MAX * SECONDS_PER_DAY => {
                Err(OverlapRefused::TooLong)
            }
            Self::UntilQuiet(seconds) if seconds <= 0 => Err(OverlapRefused::NotInFuture),
            _ => Ok(()),
        }
    }

    /// The first moment at which the old secret no longer works, whatever happens.
    pub fn until(self, now: Timestamp) -> Timestamp {
        match self {
            Self::None => now,
            Self::Until(until) => until,
            Self::UntilQuiet(_) => now.plus_days(KEY_OVERLAP_DAYS_MAX),
        }
    }

    /// How long it must be quiet to end earlier, if it can.
    pub const fn quiet_seconds(self) -> Option<i64> {
        match self {
            Self::UntilQuiet(seconds) => Some(seconds),
            Self::None | Self::Until(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlap_lasts_thirty_days_at_most() {
        let now = Timestamp::from_micros(0);
        let until = |days| Overlap::Until(now.plus_days(days));
        assert_eq!(until(30).check(now), Ok(()));
        assert_eq!(
            Overlap::Until(now.plus_days(30).plus_seconds(1)).check(now),
            Err(OverlapRefused::TooLong)
        );
        assert_eq!(until(0).check(now), Err(OverlapRefused::NotInFuture));
        assert_eq!(Overlap::None.check(now), Ok(()));
        assert_eq!(Overlap::None.until(now), now, "a leak ends at once");
        assert_eq!(
            Overlap::UntilQuiet(3_600).until(now),
            now.plus_days(30),
            "what never falls quiet ends all the same"
        );
        assert_eq!(
            Overlap::UntilQuiet(31 * 86_400).check(now),
            Err(OverlapRefused::TooLong)
        );
        assert_eq!(
            Overlap::UntilQuiet(0).check(now),
            Err(OverlapRefused::NotInFuture)
        );
    }
}
