//! The table: open addressing over lines of 64 bytes, in shards that grow one by one.
//!
//! A line's home is told by the first 32 bits of its key, which for a digest are as random as can be. Lines
//! stand in groups of eight; each group has one word of marks, a byte for each line, so that a search reads the
//! small and nearby marks and then, but for one time in thirty, no other line than the right one. An unknown
//! token is mostly known as such without reading a line at all.
//!
//! Readers hold a shard only for the time of one search. The writer fills empty lines, gives lines up, and now
//! and then puts a roomier shard in the place of a full one. A reader that still holds the old shard answers as
//! of that moment: its question was asked before the change that it misses was made.

use crate::line::{Key, Line, Snapshot};
use arc_swap::ArcSwap;
use hallpass_domain::id::TokenId;
use std::{
    hint::black_box,
    iter::successors,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Growing copies one shard, and only writers wait for it: about a millisecond at ten million tokens.
pub(crate) const SHARDS: usize = 256;
/// Lines whose marks are read at once.
const GROUP: usize = 8;
/// Lines in use, given up ones among them, for each hundred: beyond, the shard grows. Further up, whole groups
/// in a row are full and unknown tokens take ever longer.
const USED_PERCENT_MAX: usize = 88;
/// Lines in use for each hundred just after growth, so that there are on average 1.25 lines a token.
const USED_PERCENT_GROWN: usize = 72;
/// The same for a table whose size is known before: some shards get more tokens than others.
const USED_PERCENT_LOADED: usize = 82;

#[derive(Debug)]
pub(crate) struct Table {
    shards: Box<[ArcSwap<Shard>]>,
}

#[derive(Debug)]
struct Shard {
    /// A byte for each line: 0 while it is empty, and from then on for good its key's mark.
    marks: Box<[AtomicU64]>,
    lines: Box<[Line]>,
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

/// The byte that stands for a key, never 0.
#[inline]
const fn mark(top: u32) -> u64 {
    if top & 0xff == 0 {
        1
    } else {
        top as u64 & 0xff
    }
}

/// The high bit of each byte of `word` that is 0, and perhaps of some above the first such byte.
#[inline]
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(EACH) & !word & EACH << 7
}

/// A 1 in each byte.
const EACH: u64 = 0x0101_0101_0101_0101;

impl Shard {
    fn new(lines: usize) -> Self {
        let groups = lines.div_ceil(GROUP).max(1);
        Self {
            marks: (0..groups).map(|_| AtomicU64::new(0)).collect(),
            lines: (0..groups * GROUP).map(|_| Line::default()).collect(),
        }
    }

    /// The lines at which a key with this beginning may stand, in the order of search.
    #[inline]
    fn candidates(&self, top: u32) -> impl Iterator<Item = usize> {
        let wanted = mark(top) * EACH;
        let (count, mut group) = (self.marks.len(), self.home(top));
        let mut groups = 0;
        let mut hits = 0;
        let mut last = false;
        std::iter::from_fn(move || {
            while hits == 0 {
                if last || groups == count {
                    return None;
                }
                if groups > 0 {
                    group = if group + 1 == count { 0 } else { group + 1 };
                }
                groups += 1;
                let word = self.marks[group].load(Ordering::Acquire);
                hits = zeros(word ^ wanted);
                last = zeros(word) != 0;
            }
            let at = group * GROUP + hits.trailing_zeros() as usize / 8;
            hits &= hits - 1;
            Some(at)
        })
    }

    /// The home group: the 24 bits after those of the shard, scaled.
    #[inline]
    fn home(&self, top: u32) -> usize {
        ((top & 0x00ff_ffff) as usize * self.marks.len()) >> 24
    }

    /// For the writer: fills the first empty line from the home on. The mark is seen only after the line.
    fn put(&self, key: &Key, snapshot: &Snapshot) {
        let count = self.marks.len();
        let next = |group: &usize| Some((group + 1) % count);
        for group in successors(Some(self.home(key.top())), next).take(count) {
            let word = self.marks[group].load(Ordering::Relaxed);
            let empty = zeros(word);
            if empty != 0 {
                let favourite = key.favourite();
                let is_free = word >> (8 * favourite) & 0xff == 0;
                let at = if is_free {
                    favourite
                } else {
                    empty.trailing_zeros() as usize / 8
                };
                self.lines[group * GROUP + at].fill(key, snapshot);
                self.marks[group].store(word | mark(key.top()) << (8 * at), Ordering::Release);
                return;
            }
        }
    }
}

impl Table {
    pub(crate) fn with_capacity(tokens: usize) -> (Self, Fills) {
        let count = (tokens / SHARDS) * 100 / USED_PERCENT_LOADED;
        let shards = (0..SHARDS)
            .map(|_| ArcSwap::from_pointee(Shard::new(count)))
            .collect();
        (Self { shards }, Fills(vec![Fill::default(); SHARDS]))
    }

    #[inline]
    pub(crate) fn find(&self, key: &Key) -> Option<Snapshot> {
        let shard = self.shards[shard_of(key.top())].load();
        // The line where the token most likely stands is fetched while its mark is still on the way.
        black_box(shard.lines[shard.home(key.top()) * GROUP + key.favourite()].tag());
        shard
            .candidates(key.top())
            .find_map(|at| shard.lines[at].see(key))
    }

    /// The lines whose key begins with `top`.
    pub(crate) fn places(&self, top: u32) -> Vec<Place> {
        let number = shard_of(top);
        let shard = self.shards[number].load();
        let right = |at: &usize| shard.lines[*at].tag().is_live() && shard.lines[*at].top() == top;
        shard
            .candidates(top)
            .filter(right)
            .map(|at| Place { shard: number, at })
            .collect()
    }

    /// The lines of this token whose key begins with `top`.
    pub(crate) fn places_of(&self, top: u32, id: &TokenId) -> impl Iterator<Item = Place> {
        self.places(top)
            .into_iter()
            .filter(|place| self.with(*place, |line| line.is_of(id)))
    }

    pub(crate) fn with<R>(&self, place: Place, look: impl FnOnce(&Line) -> R) -> R {
        look(&self.shards[place.shard].load().lines[place.at])
    }

    /// Every live line, shard by shard.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Key, Snapshot)> {
        self.shards.iter().flat_map(|shard| {
            let all = shard.load_full();
            (0..all.lines.len()).filter_map(move |at| all.lines[at].read())
        })
    }

    /// Makes room for one more line with this key. Places in its shard may move.
    pub(crate) fn reserve(&self, fills: &mut Fills, key: &Key) {
        let shard = shard_of(key.top());
        let fill = &mut fills.0[shard];
        let old = self.shards[shard].load_full();
        if (fill.used + 1) * 100 <= old.lines.len() * USED_PERCENT_MAX {
            return;
        }
        let new = Shard::new((fill.live + 1) * 100 / USED_PERCENT_GROWN);
        for (key, snapshot) in old.lines.iter().filter_map(Line::read) {
            new.put(&key, &snapshot);
        }
        fill.used = fill.live;
        self.shards[shard].store(Arc::new(new));
    }

    /// Puts a line into the room that [`Self::reserve`] made.
    pub(crate) fn insert(&self, fills: &mut Fills, key: &Key, snapshot: &Snapshot) {
        let shard = shard_of(key.top());
        self.shards[shard].load().put(key, snapshot);
        fills.0[shard].live += 1;
        fills.0[shard].used += 1;
    }

    pub(crate) fn remove(&self, fills: &mut Fills, place: Place) {
        self.with(place, Line::give_up);
        fills.0[place.shard].live -= 1;
    }

    pub(crate) fn bytes(&self) -> usize {
        let bytes = |shard: &ArcSwap<Shard>| shard.load().lines.len() * (size_of::<Line>() + 1);
        size_of_val(&*self.shards) + self.shards.iter().map(bytes).sum::<usize>()
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
        Snapshot {
            tag,
            state: State::new(false, false, None),
            link: Link::new(0, false, None),
            id: TokenId::from_bytes(id),
        }
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
                let place = table
                    .places_of(key.top(), &snapshot(number / 3).id)
                    .next()
                    .unwrap();
                table.remove(&mut fills, place);
            }
        }
        let gone = 20_000_u64.div_ceil(3);
        for number in 0..20_000 {
            let found = table.find(&Key::of_digest(&digest(number)));
            assert_eq!(
                found,
                (number >= gone).then(|| snapshot(number)),
                "{number}"
            );
        }
        assert_eq!(table.find(&Key::of_digest(&digest(20_001))), None);
        assert_eq!(
            fills.0.iter().map(|fill| fill.live as u64).sum::<u64>(),
            20_000 - gone
        );
        assert_eq!(table.all().count() as u64, 20_000 - gone);
    }

    #[test]
    fn keys_with_one_home_at_the_end_of_a_shard_run_on_at_its_beginning() {
        let (table, mut fills) = Table::with_capacity(0);
        for number in 0..50_u8 {
            let mut bytes = [0xff; 32];
            bytes[20] = number;
            insert(
                &table,
                &mut fills,
                &Digest::from_bytes(bytes),
                u64::from(number),
            );
        }
        for number in 0..50_u8 {
            let mut bytes = [0xff; 32];
            bytes[20] = number;
            let key = Key::of_digest(&Digest::from_bytes(bytes));
            assert_eq!(table.find(&key), Some(snapshot(u64::from(number))));
            assert!(
                table
                    .places_of(u32::MAX, &snapshot(u64::from(number)).id)
                    .count()
                    == 1
            );
        }
        assert_eq!(table.places(u32::MAX).len(), 50);
        assert_eq!(table.places(u32::MAX - 1).len(), 0);
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
                let place = table
                    .places_of(Key::of_digest(&key(old)).top(), &snapshot(old).id)
                    .next()
                    .unwrap();
                table.remove(&mut fills, place);
            }
        }
        assert!(table.bytes() < 400 * 1024, "{}", table.bytes());
        let lines = table.shards[0].load().lines.len();
        assert!(
            fills.0[0].used <= lines,
            "what was left behind is not counted any more"
        );
        assert!((4_995..5_000).all(|number| table.find(&Key::of_digest(&key(number))).is_some()));
    }

    #[test]
    fn a_table_of_known_size_does_not_grow() {
        let (table, mut fills) = Table::with_capacity(100_000);
        let before = table.bytes();
        assert!(before < 100_000 * 82, "{before}");
        for number in 0..100_000 {
            insert(&table, &mut fills, &digest(number), number);
        }
        assert!(table.bytes() < before * 105 / 100, "{}", table.bytes());
    }
}
