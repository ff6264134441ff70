//! One note of use, as large as it can get from the beginning: it is copied, never allocated.

use hallpass_domain::{
    access_token::LastUse,
    id::TokenId,
    limits::{USE_AGENT_BYTES_MAX, USE_METHOD_BYTES_MAX, USE_PATH_BYTES_MAX},
    time::Timestamp,
    token::mask,
};
use std::{fmt, net::IpAddr};

/// What came of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was allowed.
    Allowed,
    /// It was refused.
    Refused,
}

/// That a token was shown to us: when, for what, and by whom.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UseNote {
    token: TokenId,
    at: Timestamp,
    outcome: Outcome,
    address: Option<IpAddr>,
    method: Line<USE_METHOD_BYTES_MAX>,
    path: Line<USE_PATH_BYTES_MAX>,
    agent: Line<USE_AGENT_BYTES_MAX>,
}

impl UseNote {
    /// A note without particulars.
    pub const fn new(token: TokenId, at: Timestamp, outcome: Outcome) -> Self {
        Self {
            token,
            at,
            outcome,
            address: None,
            method: Line::EMPTY,
            path: Line::EMPTY,
            agent: Line::EMPTY,
        }
    }

    /// With the method of the request.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method.set(method);
        self
    }

    /// With the path of the request; a query and a fragment are left out.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        let end = path
            .bytes()
            .position(|byte| byte == b'?' || byte == b'#')
            .unwrap_or(path.len());
        self.path.set(&path[..end]);
        self
    }

    /// With the address of the client.
    #[must_use]
    pub const fn address(self, address: IpAddr) -> Self {
        Self {
            address: Some(address),
            ..self
        }
    }

    /// With the client's `User-Agent`.
    #[must_use]
    pub fn agent(mut self, agent: &str) -> Self {
        self.agent.set(agent);
        self
    }

    pub(crate) const fn token(&self) -> TokenId {
        self.token
    }

    pub(crate) const fn at(&self) -> Timestamp {
        self.at
    }

    pub(crate) const fn outcome(&self) -> Outcome {
        self.outcome
    }

    pub(crate) const fn client(&self) -> Option<IpAddr> {
        self.address
    }

    /// Method, path and agent; empty ones were not given.
    pub(crate) fn texts(&self) -> [&str; 3] {
        [self.method.text(), self.path.text(), self.agent.text()]
    }

    /// As the last use of its token.
    pub fn last_use(&self) -> LastUse {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        // Somebody may have put a token where it does not belong; it must not be stored.
        let hidden = |hidden: &str| text(&mask::hide_in(hidden));
        LastUse {
            at: self.at,
            method: text(self.method.text()),
            path: hidden(self.path.text()),
            address: self.address.map(|address| address.to_string()),
            agent: hidden(self.agent.text()),
        }
    }
}

impl fmt::Debug for UseNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the texts: they come from strangers and are not for logs.
        f.debug_struct("UseNote")
            .field("token", &self.token)
            .field("at", &self.at)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// At most `N` bytes of text on one line. No limit is beyond what a byte can count.
#[derive(Clone, Copy)]
struct Line<const N: usize> {
    bytes: [u8; N],
    len: u8,
}

/// What stands behind the text does not count.
impl<const N: usize> PartialEq for Line<N> {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl<const N: usize> Eq for Line<N> {}

impl<const N: usize> Line<N> {
    const EMPTY: Self = {
        assert!(N <= u8::MAX as usize);
        Self {
            bytes: [0; N],
            len: 0,
        }
    };

    /// As much of `text` as fits, cut between two characters, each control character replaced by U+FFFD: what
    /// is shown to people later must not break out of its line.
    fn set(&mut self, text: &str) {
        if let Some(room) = self.bytes.get_mut(..text.len())
            && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        {
            room.copy_from_slice(text.as_bytes());
            self.len = text.len() as u8;
            return;
        }
        let mut len = 0;
        for character in text.chars() {
            let character = if hallpass_domain::name::is_hidden(character) {
                char::REPLACEMENT_CHARACTER
            } else {
                character
            };
            let Some(room) = self.bytes.get_mut(len..len + character.len_utf8()) else {
                break;
            };
            character.encode_utf8(room);
            len += character.len_utf8();
        }
        self.len = len as u8;
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}
