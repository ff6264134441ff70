//! Personal access tokens: when they end, what state they are in.

use crate::{
    id::{OrganizationId, TokenId, UserId},
    name::TokenName,
    network::AddressRules,
    permission::PermissionSet,
    time::{MalformedTimestamp, Timestamp},
    token::Prefix,
};

/// When a token ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiration {
    /// At this moment, the first at which it no longer works.
    At(Timestamp),
    /// Never; its maker said that they know.
    Never,
}

/// Why a wish for an expiration is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpirationRefused {
    /// Neither a date nor the acknowledgement that there is none.
    #[error(
        "send expirationDate, a future date-time, or userAwareTokenNeverExpires: true for a token that never expires"
    )]
    Required,
    /// Not later than now.
    #[error("expirationDate must lie in the future")]
    NotInFuture,
    /// Not a date-time.
    #[error("expirationDate is {0}")]
    Malformed(#[from] MalformedTimestamp),
}

impl Expiration {
    /// What the two fields `expirationDate` and `userAwareTokenNeverExpires` ask for together. A date is a
    /// date whatever the acknowledgement says; without a date, the acknowledgement must be true.
    ///
    /// # Errors
    /// [`ExpirationRefused`].
    pub fn from_request(
        date: Option<&str>,
        acknowledged: Option<bool>,
        now: Timestamp,
    ) -> Result<Self, ExpirationRefused> {
        let Some(date) = date else {
            return if acknowledged == Some(true) {
                Ok(Self::Never)
            } else {
                Err(ExpirationRefused::Required)
            };
        };
        let date = Timestamp::parse(date)?;
        if date > now {
            Ok(Self::At(date))
        } else {
            Err(ExpirationRefused::NotInFuture)
        }
    }

    /// The date, if there is one.
    pub const fn date(self) -> Option<Timestamp> {
        match self {
            Self::At(date) => Some(date),
            Self::Never => None,
        }
    }

    /// Whether a token with this expiration outlives one with `other`.
    pub fn outlives(self, other: Self) -> bool {
        match (self, other) {
            (_, Self::Never) => false,
            (Self::Never, Self::At(_)) => true,
            (Self::At(this), Self::At(other)) => this > other,
        }
    }
}

/// What a token's row says at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    /// It works, as far as the token itself is concerned.
    Active,
    /// Its time is over.
    Expired,
    /// It was destroyed.
    Revoked,
    /// It rests.
    Suspended,
}

impl TokenState {
    /// What a credential's row says at `now`.
    pub fn of(
        revoked: Option<Timestamp>,
        expiration: Expiration,
        suspended: bool,
        now: Timestamp,
    ) -> Self {
        if revoked.is_some() {
            Self::Revoked
        } else if expiration.date().is_some_and(|end| now >= end) {
            Self::Expired
        } else if suspended {
            Self::Suspended
        } else {
            Self::Active
        }
    }

    /// Every state.
    pub const ALL: [Self; 4] = [Self::Active, Self::Expired, Self::Revoked, Self::Suspended];

    /// The word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
        }
    }

    /// The state that `word` names, if it names one.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// The rest of a token: refused, but not destroyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// Since when.
    pub since: Timestamp,
    /// Until when; without it, until somebody lifts it.
    pub until: Option<Timestamp>,
    /// Why, in one sentence.
    pub reason: String,
    /// Whether its owner began it, and not somebody who answers for the organization.
    pub by_owner: bool,
}

/// How a token was last used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// When.
    pub at: Timestamp,
    /// The request's method, if the door was told.
    pub method: Option<String>,
    /// The request's path, without its query.
    pub path: Option<String>,
    /// The client's address.
    pub address: Option<String>,
    /// The client's `User-Agent`.
    pub agent: Option<String>,
}

/// A personal access token, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonalAccessToken {
    /// Its id.
    pub id: TokenId,
    /// The organization it works in.
    pub organization: OrganizationId,
    /// Whose it is.
    pub owner: UserId,
    /// What its owner calls it.
    pub name: TokenName,
    /// How it begins.
    pub prefix: Prefix,
    /// What it is narrowed to; `None` is all that the owner's role allows at the time.
    pub scope: Option<PermissionSet>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expiration: Expiration,
    /// What its maker said about never expiring; changes nothing else.
    pub never_expires_acknowledged: bool,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// Its rest, if it rests.
    pub suspension: Option<Suspension>,
    /// The first moment at which it works, if not from the beginning.
    pub valid_from: Option<Timestamp>,
    /// From where it may be used.
    pub address_rules: Option<AddressRules>,
    /// How it was last used.
    pub last_use: Option<LastUse>,
}

impl PersonalAccessToken {
    /// What the token's row says at `now`. Whether it is *allowed* to do a thing is said by
    /// [`crate::verdict::decide`] alone.
    pub fn state(&self, now: Timestamp) -> TokenState {
        TokenState::of(
            self.revoked,
            self.expiration,
            self.suspension.is_some(),
            now,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the design, line by line.
    #[test]
    fn expiration_and_acknowledgement() {
        let now = Timestamp::parse("2026-11-22T10:00:00Z").unwrap();
        let future = "2026-11-22T10:00:00.000001Z";
        let ask = |date, acknowledged| Expiration::from_request(date, acknowledged, now);
        assert_eq!(ask(None, Some(true)), Ok(Expiration::Never));
        assert_eq!(ask(None, Some(false)), Err(ExpirationRefused::Required));
        assert_eq!(ask(None, None), Err(ExpirationRefused::Required));
        for acknowledged in [None, Some(false), Some(true)] {
            assert_eq!(
                ask(Some(future), acknowledged),
                Ok(Expiration::At(Timestamp::parse(future).unwrap()))
            );
            assert_eq!(
                ask(Some("2026-11-22T10:00:00Z"), acknowledged),
                Err(ExpirationRefused::NotInFuture)
            );
            assert_eq!(
                ask(Some("2020-01-01T00:00:00Z"), acknowledged),
                Err(ExpirationRefused::NotInFuture)
            );
            assert_eq!(
                ask(Some("next week"), acknowledged),
                Err(ExpirationRefused::Malformed(MalformedTimestamp))
            );
            assert_eq!(
                ask(Some(""), acknowledged),
                Err(ExpirationRefused::Malformed(MalformedTimestamp))
            );
        }
        assert!(
            ask(Some("9999-12-31T23:59:59Z"), None).is_ok(),
            "there is no upper limit"
        );
    }

    #[test]
    fn never_outlives_every_date() {
        let [one, two] = [1, 2].map(|micros| Expiration::At(Timestamp::from_micros(micros)));
        assert!(Expiration::Never.outlives(two) && two.outlives(one));
        assert!(!one.outlives(two) && !one.outlives(one) && !one.outlives(Expiration::Never));
        assert!(!Expiration::Never.outlives(Expiration::Never));
    }
}
