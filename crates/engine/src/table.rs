//! The table: open addressing over lines of 64 bytes, in shards that grow one by one.
//!
//! A line's home is told by the first 32 bits of its key, which for a digest are as random as can be. Readers
//! hold a shard only for the time of one search. The writer fills empty lines, gives lines up, and now and then
//! puts a roomier shard in the place of a full one. A reader that still holds the old shard answers as of that
//! moment: its question was asked before the change that it misses was made.

use crate::line::{Key, Line, Seen, Snapshot};
use arc_swap::ArcSwap;
use hallpass_domain::id::TokenId;
use std::sync::Arc;

/// Growing copies one shard, and only writers wait for it: about a millisecond at ten million tokens.
pub(crate) const SHARDS: usize = 256;
const LINES_MIN: usize = 8;
/// Lines in use, given up ones among them, for each hundred: beyond, the shard grows. Runs of full lines grow
/// quickly past 80 %: an unknown token is then 13 lines away from its answer, and 50 at 90 %.
const USED_PERCENT_MAX: usize = 80;
/// Lines in use for each hundred just after growth, so that a shard has on average 1.4 lines a token.
const USED_PERCENT_GROWN: usize = 66;
/// The same for a table whose size is known before: some shards get more tokens than others.
const USED_PERCENT_LOADED: usize = 72;

#[derive(Debug)]
pub(crate) struct Table {
    shards: Box<[ArcSwap<Box<[Line]>>]>,
}

/// What the writer knows of a shard.
#[derive(Clone, Copy, Debug, Default)]
struct Fill {
    live: usize,
    /// Live lines and lines given up.
    used: usize,
}

/// The writer's part of the table.
#[derive(Debug)]
pub(crate) struct Fills(Vec<Fill>);

/// Where a line is, until its shard grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    shard: usize,
    at: usize,
}

const fn shard_of(top: u32) -> usize {
    (top >> 24) as usize
}

/// The home of a key among `len` lines: its 24 bits after those of the shard, scaled.
#[inline]
const fn home(top: u32, len: usize) -> usize {
    ((top & 0x00ff_ffff) as usize * len) >> 24
}

fn lines(count: usize) -> Arc<Box<[Line]>> {
    Arc::new((0..count.max(LINES_MIN)).map(|_| Line::default()).collect())
}

impl Table {
    pub(crate) fn with_capacity(tokens: usize) -> (Self, Fills) {
        let count = (tokens / SHARDS) * 100 / USED_PERCENT_LOADED;
        let shards = (0..SHARDS).map(|_| ArcSwap::new(lines(count))).collect();
        (Self { shards }, Fills(vec![Fill::default(); SHARDS]))
    }

    #[inline]
    pub(crate) fn find(&self, key: &Key) -> Option<Snapshot> {
        let shard = self.shards[shard_of(key.top())].load();
        let (before, after) = shard.split_at_checked(home(key.top(), shard.len()))?;
        for line in after.iter().chain(before) {
            match line.see(key) {
                Seen::Token(snapshot) => return Some(snapshot),
                Seen::Empty => return None,
                Seen::Other => {}
            }
        }
        None
    }

    /// Live lines whose key begins with `top`.
    pub(crate) fn places(&self, top: u32) -> impl Iterator<Item = Place> {
        let shard = shard_of(top);
        let all = self.shards[shard].load_full();
        let (start, len) = (home(top, all.len()), all.len());
        (start..start + len)
            .map(move |at| if at < len { at } else { at - len })
            .map(move |at| (at, all[at].tag(), all[at].top()))
            .take_while(|(_, tag, _)| !tag.is_empty())
            .filter(move |(_, tag, found)| tag.is_live() && *found == top)
            .map(move |(at, ..)| Place { shard, at })
    }

    /// The lines of this token whose key begins with `top`.
    pub(crate) fn places_of(&self, top: u32, id: &TokenId) -> impl Iterator<Item = Place> {
        self.places(top).filter(|place| self.with(*place, |line| line.is_of(id)))
    }

    pub(crate) fn with<R>(&self, place: Place, look: impl FnOnce(&Line) -> R) -> R {
        look(&self.shards[place.shard].load()[place.at])
    }

    /// Every live line, shard by shard. Places stay good until something is inserted.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Key, Snapshot)> {
        self.shards.iter().flat_map(|shard| {
            let all = shard.load_full();
            (0..all.len()).filter_map(move |at| all[at].read())
        })
    }

    /// Makes room for one more line with this key. Places in its shard may move.
    pub(crate) fn reserve(&self, fills: &mut Fills, key: &Key) {
        let shard = shard_of(key.top());
        let fill = &mut fills.0[shard];
        let old = self.shards[shard].load_full();
        if (fill.used + 1) * 100 <= old.len() * USED_PERCENT_MAX {
            return;
        }
        let new = lines((fill.live + 1) * 100 / USED_PERCENT_GROWN);
        for (key, snapshot) in old.iter().filter_map(Line::read) {
            put(&new, &key, &snapshot);
        }
        fill.used = fill.live;
        self.shards[shard].store(new);
    }

    /// Puts a line into the room that [`Self::reserve`] made.
    pub(crate) fn insert(&self, fills: &mut Fills, key: &Key, snapshot: &Snapshot) {
        let shard = shard_of(key.top());
        put(&self.shards[shard].load(), key, snapshot);
        fills.0[shard].live += 1;
        fills.0[shard].used += 1;
    }

    pub(crate) fn remove(&self, fills: &mut Fills, place: Place) {
        self.with(place, Line::give_up);
        fills.0[place.shard].live -= 1;
    }

    pub(crate) fn bytes(&self) -> usize {
        let lines: usize = self.shards.iter().map(|shard| size_of_val(&**shard.load_full())).sum();
        size_of_val(&*self.shards) + lines
    }
}

impl Fills {
    pub(crate) fn live(&self) -> usize {
        self.0.iter().map(|fill| fill.live).sum()
    }
}

fn put(lines: &[Line], key: &Key, snapshot: &Snapshot) {
    let (before, after) = lines.split_at(home(key.top(), lines.len()));
    if let Some(line) = after.iter().chain(before).find(|line| line.tag().is_empty()) {
        line.fill(key, snapshot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Link, State, Tag, mix};
    use hallpass_domain::token::{Digest, Kind};

    fn digest(number: u64) -> Digest {
        let mut bytes = [0; 32];
        for (at, chunk) in bytes.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            *chunk = mix(number * 4 + at as u64).to_be_bytes();
        }
        Digest::from_bytes(bytes)
    }

    fn snapshot(number: u64) -> Snapshot {
        let mut id = [0; 16];
        id[8..].copy_from_slice(&number.to_be_bytes());
        let tag = Tag::new(Kind::ApiKey, number as u32, false, false);
        Snapshot { tag, state: State::new(false, false, None), link: Link::new(0, false, None), id: TokenId::from_bytes(id) }
    }

    fn insert(table: &Table, fills: &mut Fills, digest: &Digest, number: u64) {
        table.reserve(fills, &Key::of_digest(digest));
        table.insert(fills, &Key::of_digest(digest), &snapshot(number));
    }

    #[test]
    fn what_was_put_in_is_found_while_it_grows_and_shrinks() {
        let (table, mut fills) = Table::with_capacity(0);
        for number in 0..20_000 {
            insert(&table, &mut fills, &digest(number), number);
            if number % 3 == 0 {
                let key = Key::of_digest(&digest(number / 3));
                let place = table.places_of(key.top(), &snapshot(number / 3).id).next().unwrap();
                table.remove(&mut fills, place);
            }
        }
        let gone = 20_000_u64.div_ceil(3);
        for number in 0..20_000 {
            let found = table.find(&Key::of_digest(&digest(number)));
            assert_eq!(found, (number >= gone).then(|| snapshot(number)), "{number}");
        }
        assert_eq!(table.find(&Key::of_digest(&digest(20_001))), None);
        assert_eq!(fills.live() as u64, 20_000 - gone);
        assert_eq!(table.all().count() as u64, 20_000 - gone);
    }

    #[test]
    fn keys_with_one_home_at_the_end_of_a_shard_run_on_at_its_beginning() {
        let (table, mut fills) = Table::with_capacity(0);
        for number in 0..50_u8 {
            let mut bytes = [0xff; 32];
            bytes[20] = number;
            insert(&table, &mut fills, &Digest::from_bytes(bytes), u64::from(number));
        }
        for number in 0..50_u8 {
            let mut bytes = [0xff; 32];
            bytes[20] = number;
            let key = Key::of_digest(&Digest::from_bytes(bytes));
            assert_eq!(table.find(&key), Some(snapshot(u64::from(number))));
            assert!(table.places_of(u32::MAX, &snapshot(u64::from(number)).id).count() == 1);
        }
        assert_eq!(table.places(u32::MAX).count(), 50);
        assert_eq!(table.places(u32::MAX - 1).count(), 0);
    }

    #[test]
    fn lines_given_up_make_room_when_the_shard_is_full() {
        let (table, mut fills) = Table::with_capacity(0);
        let key = |number: u64| {
            let mut bytes = *digest(number).bytes();
            bytes[0] = 0;
            Digest::from_bytes(bytes)
        };
        for number in 0..5_000 {
            insert(&table, &mut fills, &key(number), number);
            if let Some(old) = number.checked_sub(5) {
                let place = table.places_of(Key::of_digest(&key(old)).top(), &snapshot(old).id).next().unwrap();
                table.remove(&mut fills, place);
            }
        }
        assert!(table.bytes() < 400 * 1024, "{}", table.bytes());
        assert!((4_995..5_000).all(|number| table.find(&Key::of_digest(&key(number))).is_some()));
    }

    #[test]
    fn a_table_of_known_size_does_not_grow() {
        let (table, mut fills) = Table::with_capacity(100_000);
        let before = table.bytes();
        assert!(before < 100_000 * 92, "{before}");
        for number in 0..100_000 {
            insert(&table, &mut fills, &digest(number), number);
        }
        assert!(table.bytes() < before * 105 / 100, "{}", table.bytes());
    }
}
