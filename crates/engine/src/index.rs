//! From a token's id to its lines, for the writer alone: a change names a token, not its digest, and a token
//! that got a new digest must not keep working under the old one.
//!
//! It keeps no ids. An entry is 5 bytes: 8 bits of a hash of the id, and the first 32 bits of the line's key,
//! by which the line is found and its id compared.

use crate::{
    line::{halves, mix},
    table::{Place, Table},
};
use hallpass_domain::id::TokenId;

const SHARDS: usize = 256;
const ENTRIES_MIN: usize = 8;
const USED_PERCENT_MAX: usize = 87;
const USED_PERCENT_GROWN: usize = 70;
const USED_PERCENT_LOADED: usize = 80;
const EMPTY: u8 = 0;
const GONE: u8 = 1;

#[derive(Debug)]
pub(crate) struct Index(Vec<Shard>);

#[derive(Debug)]
struct Shard {
    marks: Box<[u8]>,
    tops: Box<[u32]>,
    /// Entries that are not empty, those given up among them.
    used: usize,
    live: usize,
}

/// Where an id is looked for.
struct Spot {
    shard: usize,
    place: u32,
    mark: u8,
}

fn spot(id: &TokenId) -> Spot {
    let [first, second] = halves(id.bytes());
    let hash = mix(first ^ mix(second));
    Spot {
        shard: (hash >> 56) as usize,
        place: (hash >> 24) as u32,
        mark: (hash as u8).max(GONE + 1),
    }
}

impl Shard {
    fn new(entries: usize) -> Self {
        let entries = entries.max(ENTRIES_MIN);
        Self {
            marks: vec![EMPTY; entries].into(),
            tops: vec![0; entries].into(),
            used: 0,
            live: 0,
        }
    }

    /// The entries at which this id may be, in order, up to the first empty one.
    fn entries(&self, spot: &Spot) -> impl Iterator<Item = usize> + use<> {
        let len = self.marks.len();
        let start = ((u64::from(spot.place) * len as u64) >> 32) as usize;
        (start..start + len).map(move |at| if at < len { at } else { at - len })
    }

    fn matching(&self, spot: &Spot) -> impl Iterator<Item = usize> {
        let mark = spot.mark;
        self.entries(spot)
            .take_while(|at| self.marks[*at] != EMPTY)
            .filter(move |at| self.marks[*at] == mark)
    }

    fn put(&mut self, spot: &Spot, top: u32) {
        if let Some(at) = self.entries(spot).find(|at| self.marks[*at] == EMPTY) {
            self.marks[at] = spot.mark;
            self.tops[at] = top;
            self.used += 1;
            self.live += 1;
        }
    }
}

impl Index {
    pub(crate) fn with_capacity(tokens: usize) -> Self {
        Self(
            (0..SHARDS)
                .map(|_| Shard::new(tokens / SHARDS * 100 / USED_PERCENT_LOADED))
                .collect(),
        )
    }

    /// The lines of a token: one, or two if it was remembered as well.
    pub(crate) fn find(&self, id: &TokenId, table: &Table) -> [Option<Place>; 2] {
        let spot = spot(id);
        let shard = &self.0[spot.shard];
        let mut found = [None; 2];
        // Two entries may lead to the same lines: both keys can begin alike.
        for place in shard
            .matching(&spot)
            .flat_map(|at| table.places_of(shard.tops[at], id))
        {
            if !found.contains(&Some(place))
                && let Some(free) = found.iter_mut().find(|found| found.is_none())
            {
                *free = Some(place);
            }
        }
        found
    }

    /// Notes that a token has a line whose key begins with `top`. The line is in the table already.
    pub(crate) fn insert(&mut self, id: &TokenId, top: u32, table: &Table) {
        let spot = spot(id);
        let shard = &self.0[spot.shard];
        if (shard.used + 1) * 100 > shard.marks.len() * USED_PERCENT_MAX {
            self.0[spot.shard] = grown(shard, spot.shard, table);
            // It was found in the table like all others.
            if self.0[spot.shard]
                .matching(&spot)
                .any(|at| self.0[spot.shard].tops[at] == top)
            {
                return;
            }
        }
        self.0[spot.shard].put(&spot, top);
    }

    pub(crate) fn remove(&mut self, id: &TokenId, top: u32) {
        let spot = spot(id);
        let shard = &mut self.0[spot.shard];
        let found = shard.matching(&spot).find(|at| shard.tops[*at] == top);
        if let Some(at) = found {
            shard.marks[at] = GONE;
            shard.live -= 1;
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0
            .iter()
            .map(|shard| size_of::<Shard>() + shard.marks.len() * 5)
            .sum()
    }
}

/// The same entries with more room. Two lines can share the first 32 bits of their keys, so the ids are asked
/// of every line with these bits, once.
fn grown(old: &Shard, number: usize, table: &Table) -> Shard {
    let mut tops: Vec<u32> = old
        .marks
        .iter()
        .zip(&old.tops)
        .filter(|(mark, _)| **mark > GONE)
        .map(|(_, top)| *top)
        .collect();
    tops.sort_unstable();
    tops.dedup();
    let mut new = Shard::new((old.live + 1) * 100 / USED_PERCENT_GROWN);
    for top in tops {
        for place in table.places(top) {
            let Some((_, snapshot)) = table.with(place, crate::line::Line::read) else {
                continue;
            };
            let spot = spot(&snapshot.id);
            if spot.shard == number {
                new.put(&spot, top);
            }
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Key, Line, Link, Snapshot, State, Tag};
    use hallpass_domain::token::{Digest, Kind};

    const COUNT: u64 = 2_000;

    fn id(number: u64) -> TokenId {
        let mut bytes = [0; 16];
        bytes[8..].copy_from_slice(&number.to_be_bytes());
        TokenId::from_bytes(bytes)
    }

    /// Keys that begin alike, three ways: what chance does once in four billion.
    fn key(number: u64) -> Key {
        let mut bytes = [0; 32];
        bytes[3] = (number % 3) as u8;
        bytes[8..16].copy_from_slice(&number.to_be_bytes());
        Key::of_digest(&Digest::from_bytes(bytes))
    }

    #[test]
    fn tokens_are_found_by_id_though_their_keys_begin_alike() {
        let (table, mut fills) = Table::with_capacity(0);
        let mut index = Index::with_capacity(0);
        for number in 0..COUNT {
            let tag = Tag::new(Kind::ApiKey, 0, false, false);
            let (state, link) = (State::new(false, false, None), Link::new(0, false, None));
            table.reserve(&mut fills, &key(number));
            table.insert(
                &mut fills,
                &key(number),
                &Snapshot {
                    tag,
                    state,
                    link,
                    id: id(number),
                },
            );
            index.insert(&id(number), key(number).top(), &table);
        }
        assert_eq!(
            index.0.iter().map(|shard| shard.live as u64).sum::<u64>(),
            COUNT
        );
        for number in (0..COUNT).step_by(2) {
            let [place, _] = index.find(&id(number), &table);
            table.remove(&mut fills, place.unwrap());
            index.remove(&id(number), key(number).top());
        }
        for number in 0..COUNT {
            let [first, second] = index.find(&id(number), &table);
            let found = first
                .and_then(|place| table.with(place, Line::read))
                .map(|(key, _)| key);
            assert_eq!(found, (number % 2 == 1).then(|| key(number)), "{number}");
            assert_eq!(second, None);
        }
        assert_eq!(index.find(&id(COUNT), &table), [None; 2]);
    }
}
