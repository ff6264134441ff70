//! One token in one cache line: all that most verdicts need, read by one trip to memory.
//!
//! # How a change stays whole
//! A change may concern two words, the state (end, revoked, suspended) and the link (narrowing, first moment,
//! addresses, name). A reader that saw one old and one new could allow what neither the old token nor the new one allows.
//! So the writer stores four times, each a release:
//!
//! 1. the state that is **both** the old and the new one (the earlier end, revoked if either is), so from here
//!    on nothing is allowed that one of the two states refuses;
//! 2. the tag with the next version;
//! 3. the new link;
//! 4. the new state.
//!
//! The reader loads, each an acquire: tag, state, link, tag again, and starts over when the tag has changed. If
//! the two tags are the old version, the link is the old one (whoever saw the new link would then see the new
//! tag), with the old state or the common one. If they are the new version, the state is the common one or the
//! new one, and the new one only together with the new link, since the state is loaded *before* the link and
//! stored *after* it. In each case what is allowed is allowed by the old token or by the new one.
//!
//! A reader starts over only because a change of this very token went through, never because one is under
//! way: nobody waits. Keys and ids never change, and a line that was given up is not used again, so those need
//! no check; the table leaves them behind when it next grows. The tests play every interleaving of these very
//! loads and stores.

use hallpass_domain::{
    id::TokenId,
    time::Timestamp,
    token::{Digest, Kind, Prefix},
};
use std::sync::atomic::{AtomicU64, Ordering};

const TAG: usize = 0;
const STATE: usize = 1;
const LINK: usize = 2;
const ID: usize = 3;
const KEY: usize = 5;
const WORDS: usize = 8;

/// A token's place in the table: 64 bytes, so that one cache line holds it.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct Line([AtomicU64; WORDS]);

/// What a line is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    words: [u64; 3],
    slow: bool,
}

impl Key {
    /// The first 24 of a digest's 32 bytes. A token has 190 random bits, so 192 bits of its HMAC leave nobody
    /// a better chance than guessing the token; the 8 bytes saved hold half the token's id.
    #[inline]
    pub(crate) fn of_digest(digest: &Digest) -> Self {
        let mut words = [0; 3];
        for (word, bytes) in words.iter_mut().zip(digest.bytes().as_chunks::<8>().0) {
            *word = u64::from_be_bytes(*bytes);
        }
        Self { words, slow: false }
    }

    /// The key of a token that cannot be found by a digest. Prefixes are unique in a deployment.
    pub(crate) fn of_prefix(prefix: Prefix) -> Self {
        let mut bytes = [0; 16];
        bytes[..10].copy_from_slice(prefix.as_str().as_bytes());
        let [low, high] = halves(&bytes);
        Self {
            words: [mix(low ^ mix(high)), low, high],
            slow: true,
        }
    }

    /// The line of its group, of eight, in which it would rather stand.
    #[inline]
    pub(crate) const fn favourite(&self) -> usize {
        (self.words[0] & 7) as usize
    }

    pub(crate) const fn is_slow(&self) -> bool {
        self.slow
    }

    /// The 32 bits that say where the search begins.
    #[inline]
    pub(crate) const fn top(&self) -> u32 {
        (self.words[0] >> 32) as u32
    }
}

/// Spreads a number over 64 bits (the finalizer of SplitMix64).
pub(crate) const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

pub(crate) fn halves(bytes: &[u8; 16]) -> [u64; 2] {
    let (parts, _) = bytes.as_chunks::<8>();
    [u64::from_be_bytes(parts[0]), u64::from_be_bytes(parts[1])]
}

/// What never changes about a line, and its version.
///
/// Bits 0–1: empty, live, given up. 2: found by prefix. 3: a remembered copy. 4–5: kind. 6–31: version.
/// 32–63: the bearer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tag(u64);

impl Tag {
    const LIVE: u64 = 1;
    const GONE: u64 = 2;
    const PRESENCE: u64 = 3;
    const SLOW: u64 = 1 << 2;
    const REMEMBERED: u64 = 1 << 3;
    const VERSION: u64 = ((1 << 26) - 1) << 6;

    pub(crate) fn new(kind: Kind, bearer: u32, slow: bool, remembered: bool) -> Self {
        let kind = match kind {
            Kind::PersonalAccessToken => 0,
            Kind::ApiKey => 1,
            Kind::ShortLived => 2,
        };
        let flags =
            if slow { Self::SLOW } else { 0 } | if remembered { Self::REMEMBERED } else { 0 };
        Self(Self::LIVE | flags | kind << 4 | u64::from(bearer) << 32)
    }

    pub(crate) const fn kind(self) -> Kind {
        match self.0 >> 4 & 3 {
            0 => Kind::PersonalAccessToken,
            1 => Kind::ApiKey,
            _ => Kind::ShortLived,
        }
    }

    pub(crate) const fn bearer(self) -> u32 {
        (self.0 >> 32) as u32
    }

    pub(crate) const fn is_live(self) -> bool {
        self.0 & Self::PRESENCE == Self::LIVE
    }

    pub(crate) const fn is_slow(self) -> bool {
        self.0 & Self::SLOW != 0
    }

    pub(crate) const fn is_remembered(self) -> bool {
        self.0 & Self::REMEMBERED != 0
    }

    /// The same line, given up.
    const fn gone(self) -> Self {
        Self(self.0 & !Self::PRESENCE | Self::GONE)
    }

    /// The same line, changed. The version comes round after 67 million changes of one token, all of which
    /// would have to happen between two loads.
    const fn next(self) -> Self {
        let version = self.0.wrapping_add(1 << 6) & Self::VERSION;
        Self(self.0 & !Self::VERSION | version)
    }

    /// Whether the other tag is this one but for the version.
    pub(crate) const fn is_same_line(self, other: Self) -> bool {
        self.0 & !Self::VERSION == other.0 & !Self::VERSION
    }
}

/// The end of a token and whether it was revoked (bit 0) or suspended (bit 1). The other bits are the
/// microseconds from [`Timestamp::MIN`] to the end, all of them set if there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct State(u64);

impl State {
    const REVOKED: u64 = 1;
    const SUSPENDED: u64 = 2;
    const NEVER: u64 = u64::MAX >> 2;

    pub(crate) fn new(revoked: bool, suspended: bool, end: Option<Timestamp>) -> Self {
        let end = end.map_or(Self::NEVER, |end| {
            end.micros().abs_diff(Timestamp::MIN.micros())
        });
        Self(end << 2 | u64::from(revoked) | u64::from(suspended) << 1)
    }

    pub(crate) const fn revoked(self) -> bool {
        self.0 & Self::REVOKED != 0
    }

    pub(crate) const fn suspended(self) -> bool {
        self.0 & Self::SUSPENDED != 0
    }

    #[inline]
    pub(crate) const fn end(self) -> Option<Timestamp> {
        match self.0 >> 2 {
            Self::NEVER => None,
            micros => Some(Timestamp::from_micros(
                Timestamp::MIN.micros().saturating_add_unsigned(micros),
            )),
        }
    }

    /// What refuses whenever either of the two refuses.
    fn both(self, other: Self) -> Self {
        let end = (self.0 >> 2).min(other.0 >> 2);
        Self(end << 2 | (self.0 | other.0) & (Self::REVOKED | Self::SUSPENDED))
    }
}

/// Where the rest of a token is. Bits 0–31: its string in the arena. 32: that string holds something
/// that verdicts ask for. 33–63: its narrowing, all of them set if it has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Link(u64);

impl Link {
    const NO_SCOPE: u32 = u32::MAX >> 1;

    pub(crate) fn new(record: u32, more: bool, scope: Option<u32>) -> Self {
        let scope = scope.unwrap_or(Self::NO_SCOPE);
        Self(u64::from(record) | u64::from(more) << 32 | u64::from(scope) << 33)
    }

    pub(crate) const fn record(self) -> u32 {
        self.0 as u32
    }

    pub(crate) const fn has_more(self) -> bool {
        self.0 >> 32 & 1 != 0
    }

    #[inline]
    pub(crate) const fn scope(self) -> Option<u32> {
        match (self.0 >> 33) as u32 {
            Self::NO_SCOPE => None,
            scope => Some(scope),
        }
    }
}

/// One token as a reader saw it at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) tag: Tag,
    pub(crate) state: State,
    pub(crate) link: Link,
    pub(crate) id: TokenId,
}

impl Line {
    /// A line that is complete; for a table that nobody reads yet, or to be put into place by [`Self::fill`].
    pub(crate) fn fill(&self, key: &Key, seen: &Snapshot) {
        for (at, word) in halves(seen.id.bytes()).into_iter().enumerate() {
            self.0[ID + at].store(word, Ordering::Relaxed);
        }
        for (at, word) in key.words.into_iter().enumerate() {
            self.0[KEY + at].store(word, Ordering::Relaxed);
        }
        self.0[STATE].store(seen.state.0, Ordering::Relaxed);
        self.0[LINK].store(seen.link.0, Ordering::Relaxed);
        self.0[TAG].store(seen.tag.0, Ordering::Release);
    }

    /// The token, if this line is the one looked for.
    #[inline]
    pub(crate) fn see(&self, key: &Key) -> Option<Snapshot> {
        see(|word| self.0[word].load(Ordering::Acquire), key)
    }

    /// For the writer: what stands here, and under which key.
    pub(crate) fn read(&self) -> Option<(Key, Snapshot)> {
        let load = |word: usize| self.0[word].load(Ordering::Acquire);
        let tag = Tag(load(TAG));
        let key = Key {
            words: [load(KEY), load(KEY + 1), load(KEY + 2)],
            slow: tag.is_slow(),
        };
        let seen = Snapshot {
            tag,
            state: State(load(STATE)),
            link: Link(load(LINK)),
            id: id(load),
        };
        tag.is_live().then_some((key, seen))
    }

    pub(crate) fn tag(&self) -> Tag {
        Tag(self.0[TAG].load(Ordering::Acquire))
    }

    /// The first bits of its key: see [`Key::top`].
    pub(crate) fn top(&self) -> u32 {
        (self.0[KEY].load(Ordering::Acquire) >> 32) as u32
    }

    pub(crate) fn is_of(&self, id: &TokenId) -> bool {
        let [first, second] = halves(id.bytes());
        self.0[ID].load(Ordering::Acquire) == first
            && self.0[ID + 1].load(Ordering::Acquire) == second
    }

    /// For the one writer.
    pub(crate) fn change(&self, state: State, link: Link) {
        let old = State(self.0[STATE].load(Ordering::Relaxed));
        for (word, value) in stores(self.tag(), old, state, link) {
            self.0[word].store(value, Ordering::Release);
        }
    }

    /// For the one writer.
    pub(crate) fn give_up(&self) {
        self.0[TAG].store(self.tag().gone().0, Ordering::Release);
    }
}

/// The stores of a change, in order. See the top of this file.
fn stores(tag: Tag, old: State, state: State, link: Link) -> [(usize, u64); 4] {
    [
        (STATE, old.both(state).0),
        (TAG, tag.next().0),
        (LINK, link.0),
        (STATE, state.0),
    ]
}

/// The loads of a reader, in order. See the top of this file.
#[inline]
fn see(mut load: impl FnMut(usize) -> u64, key: &Key) -> Option<Snapshot> {
    let mut tag = Tag(load(TAG));
    loop {
        // No early end: how many bytes agree is nobody's business.
        let difference = (0..3).fold(0, |found, at| found | (load(KEY + at) ^ key.words[at]));
        if difference != 0 || !tag.is_live() || tag.is_slow() != key.slow {
            return None;
        }
        let state = State(load(STATE));
        let link = Link(load(LINK));
        let again = Tag(load(TAG));
        if again == tag {
            return Some(Snapshot {
                tag,
                state,
                link,
                id: id(load),
            });
        }
        tag = again;
    }
}

#[inline]
fn id(mut load: impl FnMut(usize) -> u64) -> TokenId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&load(ID).to_be_bytes());
    bytes[8..].copy_from_slice(&load(ID + 1).to_be_bytes());
    TokenId::from_bytes(bytes)
}

#[cfg(test)]
mod tests;
