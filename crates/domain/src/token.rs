//! The token: its text, and what is stored of it.
//!
//! ```text
//! hp p _ 7Kd2mQ v9XwB4nT1cRz8LpY3sHf6JgU5aEoNiW0 x2Vb7q
//! │  │   │      │                                └ CRC-32 of the 42 characters before, 6 base62
//! │  │   │      └ secret, 32 base62 (190 bits)
//! │  │   └ 6 base62 that complete the prefix, unique in the deployment
//! │  └ kind
//! └ brand
//! ```
//!
//! [`plain`] is the text while it is with its bearer, [`digest`] what stays with us.

pub mod digest;
pub mod mask;
pub mod plain;

pub use digest::{BcryptHash, Digest, Pepper, PepperId, Peppers, Scheme};
pub use plain::{Brand, MalformedToken, PlainToken, Prefix};

/// What a credential is, told by the third character of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Owned by one user, bound to the organization it was made in.
    PersonalAccessToken,
    /// Owned by an organization.
    ApiKey,
    /// Made for minutes, from another credential.
    ShortLived,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::PersonalAccessToken, Self::ApiKey, Self::ShortLived];

    /// The character in the token's text.
    pub const fn letter(self) -> u8 {
        match self {
            Self::PersonalAccessToken => b'p',
            Self::ApiKey => b'k',
            Self::ShortLived => b't',
        }
    }

    /// The kind with this letter, if there is one.
    pub fn from_letter(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.letter() == letter)
    }

    /// The word used in the database and on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::PersonalAccessToken => "personal_access_token",
            Self::ApiKey => "api_key",
            Self::ShortLived => "short_lived",
        }
    }

    /// The kind that `word` names, if it names one.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}
