//! The engine itself: what it is made of, and how a change gets in.

use crate::{
    arena::{Arena, words_for},
    change::{ApplyError, Change, Stored, TokenRecord},
    directory::{Directory, Registers},
    index::Index,
    joined::Joined,
    line::{Key, Line, Link, Snapshot, State, Tag},
    record::{self, Record, Rest},
    table::{Fills, Place, Table},
    verify::SlowCandidate,
};
use hallpass_domain::{
    id::{RoleId, TokenId},
    time::Timestamp,
    token::Digest,
};
use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// Every live token of a deployment, with all that verdicts on them hang on.
///
/// Any number of threads ask ([`Engine::verify`]) and none of them ever waits; changes go in one after the
/// other ([`Engine::apply`]). When `apply` returns, every verification that begins afterwards, on any thread,
/// sees the change.
#[derive(Debug)]
pub struct Engine {
    pub(crate) table: Table,
    pub(crate) arena: Arena,
    pub(crate) directory: Directory,
    pub(crate) joined: Joined,
    pub(crate) answering: AtomicBool,
    /// Counts the times a token came to stand under another key. A search that found nothing is good only if
    /// this stood still: the token may have gone from the place searched last to the one searched first.
    pub(crate) moves: AtomicU64,
    /// Tokens found by prefix.
    pub(crate) slow: AtomicU64,
    writer: Mutex<Writer>,
}

/// What only the writer needs.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) fills: Fills,
    pub(crate) index: Index,
    pub(crate) registers: Registers,
    pub(crate) tokens: usize,
    pub(crate) remembered: usize,
    /// Words of the arena that no token needs any more.
    pub(crate) garbage: usize,
    scratch: Vec<u8>,
}

/// A token with its references resolved and its record not yet stored.
struct Entry {
    key: Key,
    id: TokenId,
    tag: Tag,
    state: State,
    scope: Option<u32>,
    has_more: bool,
}

impl Default for Engine {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl Engine {
    /// An engine that knows nothing and does not answer, with room for this many tokens.
    pub fn with_capacity(tokens: usize) -> Self {
        let (table, fills) = Table::with_capacity(tokens);
        let writer = Writer {
            fills,
            index: Index::with_capacity(tokens),
            registers: Registers::default(),
            tokens: 0,
            remembered: 0,
            garbage: 0,
            scratch: Vec::new(),
        };
        Self {
            table,
            arena: Arena::new(),
            directory: Directory::new(),
            joined: Joined::new(),
            answering: AtomicBool::new(false),
            moves: AtomicU64::new(0),
            slow: AtomicU64::new(0),
            writer: Mutex::new(writer),
        }
    }

    /// Says whether verifications are answered. A new engine does not until its owner knows that it is whole.
    pub fn set_answering(&self, answering: bool) {
        self.answering.store(answering, Ordering::Release);
    }

    /// Whether this role was made known.
    pub fn knows_role(&self, role: RoleId) -> bool {
        self.writer().registers.knows_role(role)
    }

    /// Whether verifications are answered.
    pub fn is_answering(&self) -> bool {
        self.answering.load(Ordering::Acquire)
    }

    /// Applies one change.
    ///
    /// # Errors
    /// [`ApplyError`]; nothing was changed then.
    pub fn apply(&self, change: Change) -> Result<(), ApplyError> {
        self.apply_to(&mut self.writer(), change)
    }

    /// Applies many changes in their order. For loading: other writers wait until all are done.
    ///
    /// # Errors
    /// The first [`ApplyError`]; the changes before it were applied.
    pub fn apply_all(&self, changes: impl IntoIterator<Item = Change>) -> Result<(), ApplyError> {
        let mut writer = self.writer();
        changes
            .into_iter()
            .try_for_each(|change| self.apply_to(&mut writer, change))
    }

    /// Remembers a token found by prefix under the HMAC of its text, after the slow comparison with
    /// `candidate` succeeded: its next use is as quick as any other's. False when the token was given another
    /// hash, or taken away, while the comparison ran. Either way, what the token may do is for the next
    /// [`Engine::verify`] to say.
    pub fn remember(&self, candidate: &SlowCandidate, digest: Digest) -> bool {
        let mut guard = self.writer();
        let writer = &mut *guard;
        let [slow, remembered] = self.lines(writer, &candidate.id());
        let Some((_, seen)) = slow.and_then(|place| self.table.with(place, Line::read)) else {
            return false;
        };
        let same = Record::read(&self.arena, seen.link.record())
            .hash()
            .as_ref()
            == Some(candidate.hash());
        let key = Key::of_digest(&digest);
        if !seen.tag.is_slow()
            || !same
            || self
                .table
                .find(&key)
                .is_some_and(|found| found.id != seen.id)
        {
            return false;
        }
        if let Some(place) = remembered {
            self.forget(writer, place);
        }
        let tag = Tag::new(seen.tag.kind(), seen.tag.bearer(), false, true);
        self.table.reserve(&mut writer.fills, &key);
        self.put(writer, &key, &Snapshot { tag, ..seen });
        writer.remembered += 1;
        true
    }

    pub(crate) fn writer(&self) -> MutexGuard<'_, Writer> {
        // Nothing in here panics half way; and refusing every change would be no safer than going on.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply_to(&self, writer: &mut Writer, change: Change) -> Result<(), ApplyError> {
        let (directory, arena, registers) = (&self.directory, &self.arena, &mut writer.registers);
        match change {
            Change::Organization {
                id,
                name,
                active,
                host,
                rules,
                tokens_revoked_before,
            } => {
                let (named, is) = ((id, name.as_str()), (active, host));
                let before = tokens_revoked_before.map_or(0, millisecond);
                registers.put_organization(directory, arena, named, is, rules, before)
            }
            Change::Role {
                id,
                name,
                permissions,
            } => registers.put_role(directory, arena, id, &name, permissions),
            Change::User { id, name, active } => {
                registers.put_user(directory, arena, id, name.as_str(), active)
            }
            Change::Membership {
                organization,
                user,
                role,
                active,
                may_have_tokens,
            } => registers.put_member(
                directory,
                (organization, user),
                role,
                active,
                may_have_tokens,
            ),
            Change::MembershipGone { organization, user } => {
                registers.end_member(directory, organization, user);
                Ok(())
            }
            Change::TokensRevoked {
                organization,
                user,
                before,
            } => registers.revoke(directory, organization, user, millisecond(before)),
            Change::Token(record) => self.apply_token(writer, record),
            Change::TokenGone(id) => {
                self.drop_token(writer, &id);
                Ok(())
            }
        }
    }

    fn apply_token(&self, writer: &mut Writer, record: TokenRecord) -> Result<(), ApplyError> {
        let entry = self.resolve(writer, record)?;
        if self
            .table
            .find(&entry.key)
            .is_some_and(|found| found.id != entry.id)
        {
            return Err(ApplyError::Taken(entry.id));
        }
        let [line, remembered] = self.lines(writer, &entry.id);
        let old = line.and_then(|place| self.table.with(place, Line::read));
        let Some((place, (key, seen))) = line.zip(old) else {
            return self.insert_token(writer, &entry);
        };
        let before = Record::read(&self.arena, seen.link.record());
        let record = self.keep_record(writer, &before, seen.link.record())?;
        let link = Link::new(record, entry.has_more, entry.scope);
        if key == entry.key && seen.tag.is_same_line(entry.tag) {
            let rehashed = before.hash() != Record::read(&self.arena, record).hash();
            match remembered {
                // It was remembered for a text that is the token's no longer.
                Some(copy) if rehashed => self.forget(writer, copy),
                Some(copy) => self.table.with(copy, |line| line.change(entry.state, link)),
                None => {}
            }
            self.table
                .with(place, |line| line.change(entry.state, link));
            return Ok(());
        }
        self.move_token(writer, &entry, link);
        Ok(())
    }

    /// Resolves what a record names, and writes its string into the scratch.
    fn resolve(&self, writer: &mut Writer, record: TokenRecord) -> Result<Entry, ApplyError> {
        let bearer =
            writer
                .registers
                .bearer(&self.directory, record.organization, record.bearer)?;
        let scope = record
            .scope
            .map(|scope| writer.registers.intern(&self.directory, scope))
            .transpose()?;
        let addresses = record.address_rules.unwrap_or_default();
        let addresses = writer
            .registers
            .intern_addresses(&self.directory, addresses)?;
        let (key, hash) = match &record.stored {
            Stored::Digest(digest) => (Key::of_digest(digest), None),
            Stored::Bcrypt(hash) => (Key::of_prefix(record.prefix), Some(hash)),
        };
        let rest = Rest {
            starts: record.valid_from,
            addresses,
            secret_of: record.secret_of,
            hash,
            name: record.name.as_str(),
        };
        record::write(&mut writer.scratch, &rest);
        Ok(Entry {
            key,
            id: record.id,
            tag: Tag::new(record.kind, bearer, hash.is_some(), false),
            state: State::new(record.revoked, record.suspended, record.expires_at),
            scope,
            has_more: rest.has_more(),
        })
    }

    /// The line of a token, and the one by which it is remembered.
    pub(crate) fn lines(&self, writer: &Writer, id: &TokenId) -> [Option<Place>; 2] {
        let [first, second] = writer.index.find(id, &self.table);
        let remembered =
            first.is_some_and(|place| self.table.with(place, |line| line.tag().is_remembered()));
        if remembered {
            [second, first]
        } else {
            [first, second]
        }
    }

    fn insert_token(&self, writer: &mut Writer, entry: &Entry) -> Result<(), ApplyError> {
        let link = Link::new(
            self.arena.append(&writer.scratch)?,
            entry.has_more,
            entry.scope,
        );
        self.table.reserve(&mut writer.fills, &entry.key);
        self.put(writer, &entry.key, &entry.snapshot(link));
        self.count_slow(entry.key.is_slow(), true);
        writer.tokens += 1;
        Ok(())
    }

    /// The place of the string in the scratch: the old one if nothing in it changed.
    fn keep_record(
        &self,
        writer: &mut Writer,
        before: &Record,
        place: u32,
    ) -> Result<u32, ApplyError> {
        if before.bytes() == writer.scratch {
            return Ok(place);
        }
        let new = self.arena.append(&writer.scratch)?;
        writer.garbage += words_for(before.bytes().len()) as usize;
        Ok(new)
    }

    /// Puts a token under another key, or in another's name. The new line is there before the old ones go, and
    /// the count of moves lies in between, so that a reader finds one of them or looks again.
    fn move_token(&self, writer: &mut Writer, entry: &Entry, link: Link) {
        self.table.reserve(&mut writer.fills, &entry.key);
        let old = self.lines(writer, &entry.id);
        let slow = old[0].is_some_and(|place| self.table.with(place, |line| line.tag().is_slow()));
        self.count_slow(entry.key.is_slow(), true);
        self.put(writer, &entry.key, &entry.snapshot(link));
        self.moves.fetch_add(1, Ordering::AcqRel);
        if let Some(place) = old[0] {
            self.take(writer, place);
        }
        if let Some(place) = old[1] {
            self.forget(writer, place);
        }
        self.count_slow(slow, false);
    }

    fn drop_token(&self, writer: &mut Writer, id: &TokenId) {
        let [line, remembered] = self.lines(writer, id);
        if let Some(place) = remembered {
            self.forget(writer, place);
        }
        let Some((key, seen)) = line.and_then(|place| self.table.with(place, Line::read)) else {
            return;
        };
        if let Some(place) = line {
            self.take(writer, place);
        }
        self.count_slow(key.is_slow(), false);
        writer.garbage +=
            words_for(Record::read(&self.arena, seen.link.record()).bytes().len()) as usize;
        writer.tokens -= 1;
    }

    pub(crate) fn put(&self, writer: &mut Writer, key: &Key, snapshot: &Snapshot) {
        self.table.insert(&mut writer.fills, key, snapshot);
        writer.index.insert(&snapshot.id, key.top(), &self.table);
    }

    fn take(&self, writer: &mut Writer, place: Place) {
        let read = self.table.with(place, Line::read);
        self.table.remove(&mut writer.fills, place);
        if let Some((key, seen)) = read {
            writer.index.remove(&seen.id, key.top());
        }
    }

    fn forget(&self, writer: &mut Writer, place: Place) {
        self.take(writer, place);
        writer.remembered -= 1;
    }

    pub(crate) fn count_slow(&self, slow: bool, more: bool) {
        if slow && more {
            self.slow.fetch_add(1, Ordering::AcqRel);
        } else if slow {
            self.slow.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// The millisecond since 1970 before which something was; within one, the later: it is about revoking.
fn millisecond(moment: Timestamp) -> u64 {
    let micros = u64::try_from(moment.micros()).unwrap_or(0);
    micros.div_ceil(1_000)
}

impl Entry {
    fn snapshot(&self, link: Link) -> Snapshot {
        Snapshot {
            tag: self.tag,
            state: self.state,
            link,
            id: self.id,
        }
    }
}
