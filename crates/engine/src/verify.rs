//! The question and its answer.

use crate::{
    engine::Engine,
    line::{Key, Snapshot},
    record::Record,
    view::TokenView,
};
use hallpass_domain::{
    id::TokenId,
    token::{BcryptHash, Peppers, PlainToken, Prefix},
    verdict::{DenyReason, Question, Verdict, decide},
};
use std::sync::atomic::Ordering;

/// What the engine says to a token.
#[derive(Clone, Debug)]
pub enum Answer<'e> {
    /// Nothing: the engine may not answer now, and whoever asks must not take that for a yes or a no.
    NotAnswering,
    /// There is no such token.
    Unknown,
    /// The token is known.
    Known {
        /// Whether it may do what was asked.
        verdict: Verdict,
        /// What it is.
        token: TokenView<'e>,
        /// Under which of [`Peppers::iter`] it was found; all but 0 are retired.
        pepper: usize,
    },
    /// A token with this prefix exists, and only a slow comparison can tell whether it is this one.
    Slow(SlowCandidate),
}

impl Answer<'_> {
    /// The verdict, if there is one yet.
    pub const fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::NotAnswering | Self::Slow(_) => None,
            Self::Unknown => Some(Verdict::Deny(DenyReason::Unknown)),
            Self::Known { verdict, .. } => Some(*verdict),
        }
    }
}

/// What is needed to compare a token with its bcrypt hash away from the threads that answer.
#[derive(Clone, Debug)]
pub struct SlowCandidate {
    id: TokenId,
    hash: BcryptHash,
}

impl SlowCandidate {
    /// The token it may be.
    pub const fn id(&self) -> TokenId {
        self.id
    }

    pub(crate) const fn hash(&self) -> &BcryptHash {
        &self.hash
    }

    /// Compares, for about 60 ms. After a yes, call [`Engine::remember`] and ask again.
    pub fn matches(&self, token: &PlainToken) -> bool {
        self.hash.matches(token)
    }
}

impl Engine {
    /// Says whether `token` may do what is asked. Nothing is allocated, but for a [`Answer::Slow`], and nothing is
    /// waited for.
    pub fn verify<'e>(
        &'e self,
        token: &PlainToken,
        peppers: &Peppers,
        question: &Question<'_>,
    ) -> Answer<'e> {
        if !self.answering.load(Ordering::Acquire) {
            return Answer::NotAnswering;
        }
        loop {
            let moves = self.moves.load(Ordering::Acquire);
            for (pepper, key) in peppers.iter().enumerate() {
                if let Some(seen) = self.table.find(&Key::of_digest(&key.digest(token))) {
                    return self.known(seen, token.prefix(), question, pepper);
                }
            }
            if let Some(candidate) = self.slow_candidate(token) {
                return Answer::Slow(candidate);
            }
            if self.moves.load(Ordering::Acquire) == moves {
                return Answer::Unknown;
            }
        }
    }

    fn slow_candidate(&self, token: &PlainToken) -> Option<SlowCandidate> {
        if self.slow.load(Ordering::Acquire) == 0 {
            return None;
        }
        let seen = self.table.find(&Key::of_prefix(token.prefix()))?;
        let hash = Record::read(&self.arena, seen.link.record()).hash()?;
        Some(SlowCandidate { id: seen.id, hash })
    }

    fn known(
        &self,
        seen: Snapshot,
        prefix: Prefix,
        question: &Question<'_>,
        pepper: usize,
    ) -> Answer<'_> {
        // A number that leads nowhere cannot be; if it were, the token would be refused.
        let Some(token) = self.view_of(seen, prefix) else {
            return Answer::Unknown;
        };
        Answer::Known {
            verdict: decide(Some(*token.facts()), question),
            token,
            pepper,
        }
    }
}
