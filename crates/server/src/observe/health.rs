//! Whether this node may be sent requests.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

/// What a node is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It answers.
    Ready,
    /// It does not answer, for this reason; it may yet.
    NotReady(String),
    /// It is stopping; it will not answer again.
    Draining,
}

/// In the words of the log.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::NotReady(why) => write!(f, "not ready: {why}"),
            Self::Draining => f.write_str("draining"),
        }
    }
}

/// The state that readiness tells. It is ready only when somebody said so.
#[derive(Debug)]
pub struct Health(Mutex<State>);

impl Default for Health {
    fn default() -> Self {
        Self(Mutex::new(State::NotReady("starting".to_owned())))
    }
}

impl Health {
    /// What the node is doing.
    pub fn state(&self) -> State {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether the node answers.
    pub fn is_ready(&self) -> bool {
        self.state() == State::Ready
    }

    /// The node answers from now on, unless it is stopping.
    pub fn set_ready(&self) {
        self.set(State::Ready);
    }

    /// The node does not answer until further notice.
    pub fn set_not_ready(&self, reason: impl Into<String>) {
        self.set(State::NotReady(reason.into()));
    }

    /// The node stops; nothing changes that.
    pub fn drain(&self) {
        self.set(State::Draining);
    }

    fn set(&self, next: State) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *state != State::Draining && *state != next {
            tracing::info!(from = %*state, to = %next, "readiness changed");
            *state = next;
        }
    }
}
