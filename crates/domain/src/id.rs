//! Identifiers: version 7 UUIDs (RFC 9562 section 5.7), one type per thing so that they cannot be swapped.

use crate::{Entropy, time::Timestamp};
use std::fmt;
use uuid::Uuid;

/// Not a UUID in its usual 36 characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id such as 019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6a")]
pub struct MalformedId;

/// Characters of an id.
pub const ID_CHARS: usize = 36;

macro_rules! ids {
    ($($(#[$about:meta])* $name:ident)*) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id that sorts after those made before `now`.
            pub fn generate(entropy: &impl Entropy, now: Timestamp) -> Self {
                let mut random = [0; 10];
                entropy.fill(&mut random);
                let millis = u64::try_from(now.millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// The moment at which it was made, to the millisecond (RFC 9562 section 5.7).
            pub fn made(&self) -> Timestamp {
                let mut millis = [0; 8];
                millis[2..].copy_from_slice(&self.0.as_bytes()[..6]);
                Timestamp::from_micros(i64::from_be_bytes(millis).saturating_mul(1_000))
            }

            /// The id with these 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The 16 bytes, in network order.
            pub const fn bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// Writes the hyphenated form, for where [`Display`](fmt::Display) would be slow.
            pub fn encode<'b>(&self, buffer: &'b mut [u8; ID_CHARS]) -> &'b str {
                self.0.hyphenated().encode_lower(buffer)
            }

            /// Parses the hyphenated form.
            ///
            /// # Errors
            /// [`MalformedId`] for anything else, other spellings of a UUID among them.
            pub fn parse(text: &str) -> Result<Self, MalformedId> {
                if text.len() != ID_CHARS {
                    return Err(MalformedId);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| MalformedId)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    )*};
}

ids! {
    /// An organization.
    OrganizationId
    /// A person, across organizations.
    UserId
    /// A named set of permissions.
    RoleId
    /// A personal access token or an API key.
    TokenId
    /// One signed-in browser or program.
    SessionId
    /// One line of the audit.
    AuditId
    /// An invitation to an organization.
    InvitationId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_spellings_are_refused() {
        let id = TokenId::from_bytes([7; 16]);
        assert_eq!(TokenId::parse(&id.to_string()), Ok(id));
        for bad in [
            "",
            "07070707070707070707070707070707",
            "{07070707-0707-0707-0707-070707070707}",
            "urn:uuid:07070707-0707-0707-0707-070707070707",
            "07070707-0707-0707-0707-07070707070g",
        ] {
            assert_eq!(TokenId::parse(bad), Err(MalformedId), "{bad}");
        }
    }
}
