//! Byte strings that never change, packed one behind the other: names, and what a token needs only rarely.
//! A million small allocations would cost more than their content.
//!
//! Nothing is freed in place, since a reader may still hold the place of a string; the writer counts what is
//! no longer named, and [`crate::Engine::compacted`] leaves it behind.

use std::sync::{
    OnceLock,
    atomic::{AtomicU32, AtomicU64, Ordering},
};

/// Words of 8 bytes in a block, 1 MiB.
const BLOCK_WORDS: u32 = 1 << 17;
/// Blocks at most, 8 GiB in all.
const BLOCKS: usize = 1 << 13;
/// Bytes in one string at most; the length takes the first two bytes of the first word.
pub(crate) const STRING_BYTES_MAX: usize = 1_024;

/// The strings. `append` is for one writer at a time, reading for everyone at any time.
#[derive(Debug)]
pub(crate) struct Arena {
    blocks: Box<[OnceLock<Box<[AtomicU64]>>]>,
    /// The first word that was never written.
    next: AtomicU32,
}

/// There is no room for one more string.
#[derive(Debug)]
pub(crate) struct ArenaFull;

/// Words that a string of `bytes` bytes takes.
pub(crate) const fn words_for(bytes: usize) -> u32 {
    (bytes + 2).div_ceil(8) as u32
}

impl Arena {
    pub(crate) fn new() -> Self {
        Self {
            blocks: (0..BLOCKS).map(|_| OnceLock::new()).collect(),
            next: AtomicU32::new(0),
        }
    }

    /// Appends `bytes` and says where they are. They become visible to whoever learns the place through an
    /// acquiring load.
    pub(crate) fn append(&self, bytes: &[u8]) -> Result<u32, ArenaFull> {
        if bytes.len() > STRING_BYTES_MAX {
            return Err(ArenaFull);
        }
        let mut start = self.next.load(Ordering::Relaxed);
        let words = words_for(bytes.len());
        if start % BLOCK_WORDS + words > BLOCK_WORDS {
            start = (start / BLOCK_WORDS + 1) * BLOCK_WORDS;
        }
        let block = self
            .blocks
            .get((start / BLOCK_WORDS) as usize)
            .ok_or(ArenaFull)?;
        let block = block.get_or_init(|| (0..BLOCK_WORDS).map(|_| AtomicU64::new(0)).collect());
        let mut word = [0; 8];
        let head = bytes.len().min(6);
        word[..2].copy_from_slice(&(bytes.len() as u16).to_le_bytes());
        word[2..2 + head].copy_from_slice(&bytes[..head]);
        let at = (start % BLOCK_WORDS) as usize;
        block[at].store(u64::from_le_bytes(word), Ordering::Relaxed);
        for (cell, chunk) in block[at + 1..].iter().zip(bytes[head..].chunks(8)) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            cell.store(u64::from_le_bytes(word), Ordering::Relaxed);
        }
        self.next.store(start + words, Ordering::Release);
        Ok(start)
    }

    /// The length of the string at `start`, the bytes of it that stand beside the length, and the words of the
    /// others; nothing when nothing was ever put there.
    fn find(&self, start: u32) -> Option<(usize, [u8; 8], &[AtomicU64])> {
        let block = self.blocks.get((start / BLOCK_WORDS) as usize)?.get()?;
        let (first, words) = block.get((start % BLOCK_WORDS) as usize..)?.split_first()?;
        let first = first.load(Ordering::Relaxed).to_le_bytes();
        let len = usize::from(u16::from_le_bytes([first[0], first[1]])).min(STRING_BYTES_MAX);
        Some((len, first, words))
    }

    /// Appends the string at `start` to `bytes`.
    pub(crate) fn append_to(&self, start: u32, bytes: &mut Vec<u8>) {
        let Some((len, first, words)) = self.find(start) else {
            return;
        };
        let end = bytes.len() + len;
        bytes.extend_from_slice(&first[2..]);
        for word in words.iter().take(len.saturating_sub(6).div_ceil(8)) {
            bytes.extend_from_slice(&word.load(Ordering::Relaxed).to_le_bytes());
        }
        bytes.truncate(end);
    }

    /// Copies the string at `start` into `buffer`; empty when nothing was ever put there.
    pub(crate) fn read<'b>(&self, start: u32, buffer: &'b mut [u8; STRING_BYTES_MAX]) -> &'b [u8] {
        let Some((len, first, words)) = self.find(start) else {
            return &[];
        };
        let head = len.min(6);
        buffer[..head].copy_from_slice(&first[2..2 + head]);
        for (chunk, word) in buffer[head..len].chunks_mut(8).zip(words) {
            chunk.copy_from_slice(&word.load(Ordering::Relaxed).to_le_bytes()[..chunk.len()]);
        }
        &buffer[..len]
    }

    /// The string at `start` as text.
    pub(crate) fn text(&self, start: u32) -> String {
        let mut bytes = Vec::new();
        self.append_to(start, &mut bytes);
        into_text(bytes)
    }

    pub(crate) fn bytes(&self) -> usize {
        let blocks = self
            .blocks
            .iter()
            .filter(|block| block.get().is_some())
            .count();
        size_of_val(&*self.blocks) + blocks * BLOCK_WORDS as usize * 8
    }
}

/// What was written as text, which is all that is ever written.
pub(crate) fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_every_length_come_back() {
        let arena = Arena::new();
        let text: Vec<u8> = (0..=255).cycle().take(STRING_BYTES_MAX).collect();
        let mut places = Vec::new();
        for round in 0..40 {
            for len in 0..STRING_BYTES_MAX {
                if len % 13 == round % 13 {
                    places.push((len, arena.append(&text[..len]).unwrap()));
                }
            }
        }
        assert!(
            arena.bytes() > 2 * BLOCK_WORDS as usize * 8,
            "the test must cross a block"
        );
        for (len, place) in places {
            assert_eq!(arena.read(place, &mut [0; STRING_BYTES_MAX]), &text[..len]);
            let mut appended = b"before".to_vec();
            arena.append_to(place, &mut appended);
            assert_eq!(appended, [b"before", &text[..len]].concat());
        }
    }

    #[test]
    fn a_string_takes_as_many_words_as_it_says() {
        let arena = Arena::new();
        for len in 0..40_usize {
            let before = arena.append(&[]).unwrap() + words_for(0);
            arena.append(&vec![7; len]).unwrap();
            assert_eq!(arena.append(&[]).unwrap() - before, words_for(len), "{len}");
            assert_eq!(words_for(len) as usize, (len + 2).div_ceil(8));
        }
    }

    #[test]
    fn a_string_beyond_the_limit_is_refused() {
        assert!(Arena::new().append(&[0; STRING_BYTES_MAX + 1]).is_err());
    }
}
