//! How much there is.

use crate::engine::Engine;
use std::sync::atomic::Ordering;

/// How much there is; for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Tokens.
    pub tokens: usize,
    /// Tokens found by prefix, whose first use is slow.
    pub slow_tokens: usize,
    /// Tokens found by prefix that were used since and are found by HMAC as well.
    pub remembered_tokens: usize,
    /// Organizations.
    pub organizations: usize,
    /// Users.
    pub users: usize,
    /// Roles.
    pub roles: usize,
    /// Distinct sets of permissions that any role or token has or had.
    pub permission_sets: usize,
    /// Bytes of names and records that were replaced and still take room: see [`Engine::compacted`].
    pub garbage_bytes: usize,
    /// Bytes in all, nearly.
    pub bytes: usize,
}

impl Engine {
    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.writer().tokens
    }

    /// Whether there are no tokens.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes taken, nearly: what permissions and the writer's maps own elsewhere is estimated.
    pub fn bytes(&self) -> usize {
        self.sizes().bytes
    }

    /// How much there is of what.
    pub fn sizes(&self) -> Sizes {
        let writer = self.writer();
        Sizes {
            tokens: writer.tokens,
            slow_tokens: usize::try_from(self.slow.load(Ordering::Relaxed)).unwrap_or(usize::MAX),
            remembered_tokens: writer.remembered,
            organizations: self.directory.organizations.len() as usize,
            users: self.directory.users.len() as usize,
            roles: self.directory.roles.len() as usize,
            permission_sets: self.directory.sets.len() as usize,
            garbage_bytes: (writer.garbage + writer.registers.garbage) * 8,
            bytes: size_of::<Self>()
                + self.table.bytes()
                + self.arena.bytes()
                + self.directory.bytes()
                + self.joined.bytes()
                + writer.index.bytes()
                + writer.registers.bytes(),
        }
    }
}
