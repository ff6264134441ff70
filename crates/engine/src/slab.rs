//! A list that only grows, read without locks: an element never moves and never changes place.

use std::sync::{
    OnceLock,
    atomic::{AtomicU32, AtomicU64, Ordering},
};

/// Elements in the first chunk; each further chunk is as large as all before it together.
const FIRST: usize = 64;
/// Chunks at most: 64 · 2^25 elements, more than 32-bit indices could name twice over.
const CHUNKS: usize = 26;

/// The list. `push` is for one writer at a time, `get` for everyone at any time.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    chunks: [OnceLock<Box<[OnceLock<T>]>>; CHUNKS],
    len: AtomicU32,
}

/// The list holds as many elements as it can name.
#[derive(Debug)]
pub(crate) struct SlabFull;

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Self {
            chunks: [const { OnceLock::new() }; CHUNKS],
            len: AtomicU32::new(0),
        }
    }

    /// Appends. Two writers at once would not lose an element, but one of them may be told that the list is
    /// full: the engine has one writer.
    pub(crate) fn push(&self, value: T) -> Result<u32, SlabFull> {
        let index = self.len.load(Ordering::Relaxed);
        let (chunk, at, size) = place(index);
        let chunk = self.chunks.get(chunk).ok_or(SlabFull)?;
        let chunk = chunk.get_or_init(|| (0..size).map(|_| OnceLock::new()).collect());
        chunk
            .get(at)
            .ok_or(SlabFull)?
            .set(value)
            .map_err(|_| SlabFull)?;
        self.len.store(index + 1, Ordering::Release);
        Ok(index)
    }

    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        let (chunk, at, _) = place(index);
        self.chunks.get(chunk)?.get()?.get(at)?.get()
    }

    pub(crate) fn len(&self) -> u32 {
        self.len.load(Ordering::Acquire)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Bytes of the chunks, without what the elements own elsewhere.
    pub(crate) fn bytes(&self) -> usize {
        self.chunks
            .iter()
            .filter_map(OnceLock::get)
            .map(|chunk| size_of_val(&**chunk))
            .sum()
    }
}

/// A list of single words that change in place, 8 bytes each and nothing beside them, so that many fit into the
/// processor's caches.
#[derive(Debug)]
pub(crate) struct Words {
    chunks: [OnceLock<Box<[AtomicU64]>>; CHUNKS],
    len: AtomicU32,
}

impl Words {
    pub(crate) const fn new() -> Self {
        Self {
            chunks: [const { OnceLock::new() }; CHUNKS],
            len: AtomicU32::new(0),
        }
    }

    /// Appends; for one writer at a time.
    pub(crate) fn push(&self, word: u64) -> Result<u32, SlabFull> {
        let index = self.len.load(Ordering::Relaxed);
        let (chunk, at, size) = place(index);
        let chunk = self.chunks.get(chunk).ok_or(SlabFull)?;
        let chunk = chunk.get_or_init(|| (0..size).map(|_| AtomicU64::new(0)).collect());
        chunk
            .get(at)
            .ok_or(SlabFull)?
            .store(word, Ordering::Release);
        self.len.store(index + 1, Ordering::Release);
        Ok(index)
    }

    /// The word of an index that was given out; of another one perhaps a zero.
    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<&AtomicU64> {
        let (chunk, at, _) = place(index);
        self.chunks.get(chunk)?.get()?.get(at)
    }

    pub(crate) fn len(&self) -> u32 {
        self.len.load(Ordering::Acquire)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.chunks
            .iter()
            .filter_map(OnceLock::get)
            .map(|chunk| size_of_val(&**chunk))
            .sum()
    }
}

/// The chunk of an index, the place in it, and the chunk's size: chunk 0 has `FIRST` elements, chunk n
/// `FIRST · 2^(n-1)`.
#[inline]
const fn place(index: u32) -> (usize, usize, usize) {
    let index = index as usize;
    let chunk = (usize::BITS - (index / FIRST).leading_zeros()) as usize;
    if chunk == 0 {
        return (0, index, FIRST);
    }
    let size = FIRST << (chunk - 1);
    (chunk, index - size, size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pushed_stays_where_it_was() {
        let slab = Slab::new();
        let count = u32::try_from(FIRST).unwrap() * 9 + 5;
        for number in 0..count {
            assert_eq!(slab.push(u64::from(number) * 3).unwrap(), number);
        }
        for number in 0..count {
            assert_eq!(slab.get(number), Some(&(u64::from(number) * 3)));
        }
        assert_eq!(slab.get(count), None);
        assert_eq!(slab.get(u32::MAX), None);
        assert_eq!(slab.len(), count);
        assert_eq!(slab.iter().count(), count as usize);
    }

    #[test]
    fn words_stay_where_they_were() {
        let words = Words::new();
        for number in 0..1_000 {
            assert_eq!(u64::from(words.push(number).unwrap()), number);
        }
        assert!(
            (0..1_000)
                .all(|number| words.get(number).unwrap().load(Ordering::Relaxed)
                    == u64::from(number))
        );
        assert!(words.get(u32::MAX).is_none());
    }

    #[test]
    fn readers_see_whole_elements_while_it_grows() {
        let slab: Slab<Box<[u32]>> = Slab::new();
        std::thread::scope(|threads| {
            threads.spawn(|| {
                for number in 0..5_000_u32 {
                    slab.push(vec![number; 4].into()).unwrap();
                }
            });
            for _ in 0..20_000 {
                if let Some(last) = slab.len().checked_sub(1) {
                    assert_eq!(slab.get(last).unwrap()[..], [last; 4]);
                }
            }
        });
    }
}
