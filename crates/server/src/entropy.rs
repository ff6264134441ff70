//! The one place that opens the system's source of randomness.

use hallpass_domain::Entropy;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// Where unpredictable bytes come from. Clones draw from the same source.
#[derive(Clone)]
pub enum SystemEntropy {
    /// The operating system's.
    Os,
    /// The same bytes at every run: for tests and demonstrations, never for secrets that matter.
    Seeded(Arc<Mutex<ChaCha20Rng>>),
}

impl SystemEntropy {
    /// A source that gives the same bytes for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(ChaCha20Rng::seed_from_u64(seed))))
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        match self {
            Self::Os => fill_from_system(bytes),
            Self::Seeded(source) => source
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .fill_bytes(bytes),
        }
    }
}

impl fmt::Debug for SystemEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Os => "Os",
            Self::Seeded(_) => "Seeded",
        })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that opens the system's source"
)]
fn fill_from_system(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        // Going on would mean handing out predictable secrets; unwinding could be caught on the way.
        tracing::error!(%error, "the system gives no random bytes; the server ends rather than hand out guessable tokens");
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(source: &SystemEntropy) -> [u8; 32] {
        let mut bytes = [0; 32];
        source.fill(&mut bytes);
        bytes
    }

    #[test]
    fn one_seed_gives_one_sequence() {
        let source = SystemEntropy::seeded(7);
        let first = drawn(&source);
        assert_ne!(
            drawn(&source.clone()),
            first,
            "clones go on where the other stopped"
        );
        assert_eq!(drawn(&SystemEntropy::seeded(7)), first);
        assert_ne!(drawn(&SystemEntropy::seeded(8)), first);
    }

    #[test]
    fn the_system_never_repeats_itself() {
        assert_ne!(drawn(&SystemEntropy::Os), drawn(&SystemEntropy::Os));
    }
}
