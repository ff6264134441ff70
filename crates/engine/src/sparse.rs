//! Words by number, of which nearly all are 0: what few have takes room for those few.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

/// Words that come into being together.
const PAGE: usize = 64;
/// Pages in the first chunk; each further chunk has twice as many.
const FIRST: usize = 16;
/// Chunks for all numbers of 32 bits.
const CHUNKS: usize = 23;

type Page = OnceLock<Box<[AtomicU64]>>;

/// The words. Everyone reads; they only rise, whoever raises them.
#[derive(Debug)]
pub(crate) struct Sparse([OnceLock<Box<[Page]>>; CHUNKS]);

impl Sparse {
    pub(crate) const fn new() -> Self {
        Self([const { OnceLock::new() }; CHUNKS])
    }

    pub(crate) fn get(&self, number: u32) -> u64 {
        let (chunk, page, at) = place(number);
        let page = self.0[chunk].get().and_then(|pages| pages[page].get());
        page.map_or(0, |page| page[at].load(Ordering::Acquire))
    }

    /// Raises the word to `to`; one that is higher already stays.
    pub(crate) fn raise(&self, number: u32, to: u64) {
        let (chunk, page, at) = place(number);
        let pages =
            self.0[chunk].get_or_init(|| (0..FIRST << chunk).map(|_| OnceLock::new()).collect());
        let page = pages[page].get_or_init(|| (0..PAGE).map(|_| AtomicU64::new(0)).collect());
        page[at].fetch_max(to, Ordering::AcqRel);
    }

    pub(crate) fn bytes(&self) -> usize {
        let pages = |pages: &[Page]| {
            let used = pages.iter().filter(|page| page.get().is_some()).count();
            size_of_val(pages) + used * PAGE * size_of::<AtomicU64>()
        };
        self.0
            .iter()
            .filter_map(OnceLock::get)
            .map(|chunk| pages(chunk))
            .sum()
    }
}

/// The chunk of a number, the page in it, and the place in that.
const fn place(number: u32) -> (usize, usize, usize) {
    let (page, at) = (number as usize / PAGE, number as usize % PAGE);
    let chunk = (page / FIRST + 1).ilog2() as usize;
    (chunk, page - FIRST * ((1 << chunk) - 1), at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_place_of_its_own() {
        let all = (0..200_000).chain((0..32).flat_map(|bit| {
            let power = 1_u64 << bit;
            [power - 1, power, power + PAGE as u64]
        }));
        let all = all
            .chain([u64::from(u32::MAX)])
            .filter_map(|number| u32::try_from(number).ok());
        for number in all {
            let (chunk, page, at) = place(number);
            assert!(
                chunk < CHUNKS && page < FIRST << chunk && at < PAGE,
                "{number}"
            );
            let before = FIRST * ((1 << chunk) - 1) + page;
            assert_eq!(before * PAGE + at, number as usize);
        }
    }

    #[test]
    fn words_only_rise_and_take_room_only_when_they_are_there() {
        let sparse = Sparse::new();
        assert_eq!(
            (sparse.get(0), sparse.get(u32::MAX), sparse.bytes()),
            (0, 0, 0)
        );
        sparse.raise(100_000, 7);
        sparse.raise(100_000, 3);
        assert_eq!(sparse.get(100_000), 7);
        sparse.raise(100_000, 9);
        sparse.raise(3, 1);
        let neighbours = [3, 4, 99_999, 100_000, 100_001].map(|number| sparse.get(number));
        assert_eq!(neighbours, [1, 0, 0, 9, 0]);
        assert!(sparse.bytes() < 40_000, "{}", sparse.bytes());
    }
}
