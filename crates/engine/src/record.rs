//! What a verdict seldom needs of a token, as one string in the arena: its name, its first moment, and the
//! bcrypt hash of a token that has one.

use crate::arena::{Arena, STRING_BYTES_MAX};
use hallpass_domain::{time::Timestamp, token::BcryptHash};

const STARTS: u8 = 1;
const HASHED: u8 = 2;
const MOMENT_BYTES: usize = 8;
const HASH_BYTES: usize = 60;

/// Writes a record into `bytes`: a byte that says what there is, the moment, the hash, the name.
pub(crate) fn write(
    bytes: &mut Vec<u8>,
    starts: Option<Timestamp>,
    hash: Option<&BcryptHash>,
    name: &str,
) {
    bytes.clear();
    bytes.push(if starts.is_some() { STARTS } else { 0 } | if hash.is_some() { HASHED } else { 0 });
    if let Some(moment) = starts {
        bytes.extend_from_slice(&moment.micros().to_le_bytes());
    }
    if let Some(hash) = hash {
        bytes.extend_from_slice(hash.as_str().as_bytes());
    }
    bytes.extend_from_slice(name.as_bytes());
}

/// A record, copied out of the arena.
pub(crate) struct Record {
    buffer: [u8; STRING_BYTES_MAX],
    len: usize,
}

impl Record {
    pub(crate) fn read(arena: &Arena, place: u32) -> Self {
        let mut buffer = [0; STRING_BYTES_MAX];
        let len = arena.read(place, &mut buffer).len();
        Self { buffer, len }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    /// The moment and the hash; empty when there is none.
    fn parts(&self) -> (&[u8], &[u8]) {
        let Some((flags, rest)) = self.bytes().split_first() else {
            return Default::default();
        };
        let (moment, hash) = lengths(*flags);
        let (moment, rest) = rest.split_at_checked(moment).unwrap_or_default();
        (moment, rest.get(..hash).unwrap_or_default())
    }

    pub(crate) fn starts(&self) -> Option<Timestamp> {
        let moment: [u8; MOMENT_BYTES] = self.parts().0.try_into().ok()?;
        Some(Timestamp::from_micros(i64::from_le_bytes(moment)))
    }

    pub(crate) fn hash(&self) -> Option<BcryptHash> {
        std::str::from_utf8(self.parts().1)
            .ok()
            .and_then(BcryptHash::parse)
    }
}

/// Bytes of the moment and of the hash.
const fn lengths(flags: u8) -> (usize, usize) {
    let moment = if flags & STARTS != 0 { MOMENT_BYTES } else { 0 };
    let hash = if flags & HASHED != 0 { HASH_BYTES } else { 0 };
    (moment, hash)
}

/// Appends the name alone to `bytes`.
pub(crate) fn append_name(arena: &Arena, place: u32, bytes: &mut Vec<u8>) {
    let start = bytes.len();
    arena.append_to(place, bytes);
    let flags = bytes.get(start).copied().unwrap_or_default();
    let (moment, hash) = lengths(flags);
    let before = (start + 1 + moment + hash).min(bytes.len());
    bytes.drain(start..before);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_record_comes_back() {
        let arena = Arena::new();
        let hash = BcryptHash::parse(&format!("$2b$10${}", "x".repeat(53))).unwrap();
        // The longest name there is: 80 characters of 4 bytes.
        let long = "🔑".repeat(80);
        for starts in [None, Some(Timestamp::MIN), Some(Timestamp::from_micros(7))] {
            for hash in [None, Some(&hash)] {
                for name in ["x", "deploy", &long] {
                    let mut bytes = vec![1, 2, 3];
                    write(&mut bytes, starts, hash, name);
                    let place = arena.append(&bytes).unwrap();
                    let read = Record::read(&arena, place);
                    assert_eq!((read.starts(), read.hash().as_ref()), (starts, hash));
                    let mut appended = b"before".to_vec();
                    append_name(&arena, place, &mut appended);
                    assert_eq!(appended, [b"before", name.as_bytes()].concat());
                }
            }
        }
    }
}
