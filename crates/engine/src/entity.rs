//! Organizations, users and roles: what has an id and a name and changes in place.

use crate::{
    arena::{Arena, words_for},
    change::ApplyError,
    slab::Slab,
};
use std::{
    collections::HashMap,
    hash::Hash,
    sync::atomic::{AtomicU64, Ordering},
};

/// Something with an id, a name, and one number that verdicts ask for: 1 or 0 for a user in good standing or not, the
/// set of permissions of a role, the [`Standing`] of an organization. Name and number stand in one word and so change
/// together. `more` is what an organization has beside.
#[derive(Debug)]
pub(crate) struct Entity<I, M = ()> {
    pub(crate) id: I,
    word: AtomicU64,
    pub(crate) more: M,
}

impl<I, M> Entity<I, M> {
    fn word(number: u32, name: u32) -> u64 {
        u64::from(number) | u64::from(name) << 32
    }

    #[inline]
    pub(crate) fn number(&self) -> u32 {
        self.word.load(Ordering::Acquire) as u32
    }

    /// Where the name is in the arena.
    pub(crate) fn name(&self) -> u32 {
        (self.word.load(Ordering::Acquire) >> 32) as u32
    }
}

/// Puts an entity into its list, or changes the one that is there. `prepare` is called before anyone can see the new
/// number.
pub(crate) fn put<I: Copy + Eq + Hash, M: Default>(
    list: &Slab<Entity<I, M>>,
    register: &mut HashMap<I, u32>,
    (id, number, name): (I, u32, &str),
    arena: &Arena,
    prepare: impl Fn(&M),
) -> Result<usize, ApplyError> {
    let Some(entity) = register.get(&id).and_then(|index| list.get(*index)) else {
        let more = M::default();
        prepare(&more);
        let word = Entity::<I, M>::word(number, arena.append(name.as_bytes())?);
        let word = AtomicU64::new(word);
        register.insert(id, list.push(Entity { id, word, more })?);
        return Ok(0);
    };
    let old = arena.text(entity.name());
    let (place, garbage) = if old == name {
        (entity.name(), 0)
    } else {
        (arena.append(name.as_bytes())?, words_for(old.len()))
    };
    prepare(&entity.more);
    entity
        .word
        .store(Entity::<I, M>::word(number, place), Ordering::Release);
    Ok(garbage as usize)
}

/// What verdicts ask of an organization, in one number. Bit 0: it is in good standing; 1: it runs the deployment.
/// 2–31: its rules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing(pub(crate) u32);

impl Standing {
    pub(crate) const RULES: u32 = 1 << 30;

    pub(crate) const fn new(active: bool, host: bool, rules: u32) -> Self {
        Self(active as u32 | (host as u32) << 1 | rules << 2)
    }

    #[inline]
    pub(crate) const fn is_active(self) -> bool {
        self.0 & 1 != 0
    }

    #[inline]
    pub(crate) const fn is_host(self) -> bool {
        self.0 & 2 != 0
    }

    #[inline]
    pub(crate) const fn rules(self) -> u32 {
        self.0 >> 2
    }
}

/// Before which millisecond since 1970 every token was revoked; 0 if none was. It only rises: what was revoked does not
/// come back.
#[derive(Debug, Default)]
pub(crate) struct RevokedBefore(AtomicU64);

impl RevokedBefore {
    #[inline]
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn raise(&self, to: u64) {
        self.0.fetch_max(to, Ordering::AcqRel);
    }
}
