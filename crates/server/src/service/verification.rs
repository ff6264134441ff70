//! "May this token do this now?", for every door.

use super::Services;
use crate::observe::{Door, Outcome};
use hallpass_domain::{
    id::{OrganizationId, TokenId},
    permission::Permission,
    time::Timestamp,
    token::{Digest, PlainToken},
    verdict::{DenyReason, Question, Verdict},
};
use hallpass_engine::{Answer, Outcome as UseOutcome, SlowCandidate, TokenView, UseNote};
use std::net::IpAddr;

/// What a door knows of the request that a token came with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// The method.
    pub method: Option<&'a str>,
    /// The path; a query is left out.
    pub path: Option<&'a str>,
    /// The client's address.
    pub address: Option<IpAddr>,
    /// The client's `User-Agent`.
    pub agent: Option<&'a str>,
    /// The organization of whoever asks, where its tokens are all there are for them; none for a gateway, and for those
    /// who run the deployment.
    pub within: Option<OrganizationId>,
}

impl Asked<'_> {
    /// For whoever asks within one organization, tokens of others are not there.
    fn kept_within<'e>(&self, verified: Verified<'e>) -> Verified<'e> {
        let (Verified::Allowed(view) | Verified::Refused(_, Some(view))) = &verified else {
            return verified;
        };
        if self
            .within
            .is_none_or(|within| within == view.organization_id())
        {
            verified
        } else {
            Verified::Refused(DenyReason::Unknown, None)
        }
    }

    /// The question about the token that came with it.
    pub const fn question<'q>(
        &self,
        needed: Option<&'q Permission>,
        now: Timestamp,
    ) -> Question<'q> {
        Question {
            needed,
            address: self.address,
            now,
        }
    }
}

/// What the services say to a token.
#[derive(Clone, Copy, Debug)]
pub enum Verified<'e> {
    /// It may.
    Allowed(TokenView<'e>),
    /// It may not. The view is there when the token is known.
    Refused(DenyReason, Option<TokenView<'e>>),
    /// Nothing: this node may not answer now, or too much is waiting. Not a yes.
    Unavailable,
}

impl Services {
    /// Verifies `token` for what is `needed`, and notes the use. From memory: the store is not asked.
    ///
    /// Only the first use of a bcrypt token after a start waits, for a comparison on a thread of its own.
    pub async fn verify(
        &self,
        door: Door,
        token: &PlainToken,
        needed: Option<&Permission>,
        asked: &Asked<'_>,
    ) -> Verified<'_> {
        let now = self.clock.now();
        let question = asked.question(needed, now);
        let verified = match self.engine.verify(token, &self.peppers, &question) {
            Answer::Slow(candidate) => self.verify_slowly(token, candidate, &question).await,
            answer => self.verified(token, answer),
        };
        self.noted(door, asked.kept_within(verified), now, asked)
    }

    /// The same without ever waiting; nothing when [`Self::verify`] would.
    pub fn verify_at_once(
        &self,
        door: Door,
        token: &PlainToken,
        needed: Option<&Permission>,
        asked: &Asked<'_>,
    ) -> Option<Verified<'_>> {
        let now = self.clock.now();
        let question = asked.question(needed, now);
        match self.engine.verify(token, &self.peppers, &question) {
            Answer::Slow(_) => None,
            answer => {
                let verified = asked.kept_within(self.verified(token, answer));
                Some(self.noted(door, verified, now, asked))
            }
        }
    }

    fn noted<'e>(
        &'e self,
        door: Door,
        verified: Verified<'e>,
        now: Timestamp,
        asked: &Asked<'_>,
    ) -> Verified<'e> {
        self.note_use(&verified, now, asked);
        self.metrics.verified(door, verified.outcome());
        verified
    }

    fn verified<'e>(&'e self, token: &PlainToken, answer: Answer<'e>) -> Verified<'e> {
        match answer {
            Answer::NotAnswering | Answer::Slow(_) => Verified::Unavailable,
            Answer::Unknown => Verified::Refused(DenyReason::Unknown, None),
            Answer::Known {
                verdict: Verdict::Deny(reason),
                token: view,
                ..
            } => Verified::Refused(reason, Some(view)),
            Answer::Known {
                verdict: Verdict::Allow,
                token: view,
                pepper,
            } => {
                if pepper > 0 {
                    self.redigests
                        .ask(view.secret_id(), token, pepper, &self.peppers);
                }
                Verified::Allowed(view)
            }
        }
    }

    async fn verify_slowly(
        &self,
        token: &PlainToken,
        candidate: SlowCandidate,
        question: &Question<'_>,
    ) -> Verified<'_> {
        let (compared, plain) = (candidate.clone(), token.clone());
        match self.comparisons.run(move || compared.matches(&plain)).await {
            Ok(true) => {
                self.engine
                    .remember(&candidate, self.peppers.current().digest(token));
                self.verified(token, self.engine.verify(token, &self.peppers, question))
            }
            Ok(false) => Verified::Refused(DenyReason::Unknown, None),
            Err(_) => Verified::Unavailable,
        }
    }

    fn note_use(&self, verified: &Verified<'_>, now: Timestamp, asked: &Asked<'_>) {
        let (view, outcome) = match verified {
            Verified::Allowed(view) => (view, UseOutcome::Allowed),
            Verified::Refused(_, Some(view)) => (view, UseOutcome::Refused),
            Verified::Refused(_, None) | Verified::Unavailable => return,
        };
        let mut note = UseNote::new(view.secret_id(), now, outcome);
        if let Some(method) = asked.method {
            note = note.method(method);
        }
        if let Some(path) = asked.path {
            note = note.path(path);
        }
        if let Some(address) = asked.address {
            note = note.address(address);
        }
        if let Some(agent) = asked.agent {
            note = note.agent(agent);
        }
        self.uses.note(&note);
    }
}

impl Verified<'_> {
    const fn outcome(&self) -> Outcome {
        match self {
            Self::Allowed(_) => Outcome::Verdict(Verdict::Allow),
            Self::Refused(reason, _) => Outcome::Verdict(Verdict::Deny(*reason)),
            Self::Unavailable => Outcome::Unavailable,
        }
    }
}

/// A token that was met under a retired pepper, to be kept under the current one.
#[derive(Clone, Copy, Debug)]
pub struct Redigest {
    /// Which token.
    pub id: TokenId,
    /// Its digest under the retired pepper.
    pub old: Digest,
    /// Its digest under the current one.
    pub new: Digest,
}

/// Those that wait. One more than fits is met again by its next use.
#[derive(Debug)]
pub struct Redigests {
    sender: tokio::sync::mpsc::Sender<Redigest>,
    receiver: tokio::sync::Mutex<tokio::sync::mpsc::Receiver<Redigest>>,
}

/// Tokens that wait to be kept under the current pepper.
const REDIGESTS_WAITING_MAX: usize = 1_024;

impl Default for Redigests {
    fn default() -> Self {
        let (sender, receiver) = tokio::sync::mpsc::channel(REDIGESTS_WAITING_MAX);
        Self {
            sender,
            receiver: tokio::sync::Mutex::new(receiver),
        }
    }
}

impl Redigests {
    fn ask(
        &self,
        id: TokenId,
        token: &PlainToken,
        pepper: usize,
        peppers: &hallpass_domain::token::Peppers,
    ) {
        let Some(retired) = peppers.iter().nth(pepper) else {
            return;
        };
        let _ = self.sender.try_send(Redigest {
            id,
            old: retired.digest(token),
            new: peppers.current().digest(token),
        });
    }
}

impl Services {
    /// Writes what waits to be kept under the current pepper.
    ///
    /// # Errors
    /// The store's; what was being written is met again by its next use.
    pub async fn redigest_waiting(&self) -> Result<usize, crate::error::ServiceError> {
        let mut receiver = self.redigests.receiver.lock().await;
        let mut done = 0;
        while let Ok(waiting) = receiver.try_recv() {
            let mut tx = self.begin_change().await?;
            if let Some(changed) = tx
                .redigest_token(
                    waiting.id,
                    &waiting.old,
                    &waiting.new,
                    self.peppers.current().id(),
                )
                .await?
            {
                let seq = tx.commit(&[changed]).await?;
                self.reach(seq).await?;
                done += 1;
            }
        }
        Ok(done)
    }
}
