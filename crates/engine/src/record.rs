//! What a verdict seldom needs of a token, as one string in the arena: its name, its first moment, from where it may be
//! used, whose further secret it is, and the bcrypt hash of a token that has one.

use crate::arena::{Arena, STRING_BYTES_MAX};
use hallpass_domain::{id::TokenId, time::Timestamp, token::BcryptHash};
use std::ops::Range;

const STARTS: u8 = 1;
const HASHED: u8 = 2;
const ADDRESSES: u8 = 4;
const SECRET_OF: u8 = 8;
/// The parts in their order, and the bytes of each.
const PARTS: [(u8, usize); 4] = [(STARTS, 8), (ADDRESSES, 4), (SECRET_OF, 16), (HASHED, 60)];

/// What a record says.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rest<'a> {
    pub(crate) starts: Option<Timestamp>,
    /// The number of the rules about addresses; 0 is none.
    pub(crate) addresses: u32,
    /// The key that it is a further secret of.
    pub(crate) secret_of: Option<TokenId>,
    pub(crate) hash: Option<&'a BcryptHash>,
    pub(crate) name: &'a str,
}

impl Rest<'_> {
    /// Whether there is anything in it that verdicts ask for.
    pub(crate) const fn has_more(&self) -> bool {
        self.starts.is_some() || self.addresses != 0 || self.secret_of.is_some()
    }
}

/// Writes a record into `bytes`: a byte that says which parts there are, the parts, the name.
pub(crate) fn write(bytes: &mut Vec<u8>, rest: &Rest<'_>) {
    bytes.clear();
    bytes.push(0);
    let mut flags = 0;
    let mut put = |flag: u8, part: &[u8]| {
        flags |= flag;
        bytes.extend_from_slice(part);
    };
    if let Some(moment) = rest.starts {
        put(STARTS, &moment.micros().to_le_bytes());
    }
    if rest.addresses != 0 {
        put(ADDRESSES, &rest.addresses.to_le_bytes());
    }
    if let Some(key) = rest.secret_of {
        put(SECRET_OF, key.bytes());
    }
    if let Some(hash) = rest.hash {
        put(HASHED, hash.as_str().as_bytes());
    }
    put(0, rest.name.as_bytes());
    bytes[0] = flags;
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

    fn part<const BYTES: usize>(&self, part: u8) -> Option<[u8; BYTES]> {
        let flags = *self.bytes().first()?;
        self.bytes().get(range(flags, part)?)?.try_into().ok()
    }

    pub(crate) fn starts(&self) -> Option<Timestamp> {
        let micros = i64::from_le_bytes(self.part(STARTS)?);
        Some(Timestamp::from_micros(micros))
    }

    pub(crate) fn addresses(&self) -> u32 {
        self.part(ADDRESSES).map_or(0, u32::from_le_bytes)
    }

    /// The same with another number in the place of the one that is there.
    pub(crate) fn with_addresses(mut self, number: u32) -> Self {
        let place = self
            .bytes()
            .first()
            .and_then(|flags| range(*flags, ADDRESSES));
        if let Some(bytes) = place.and_then(|place| self.buffer.get_mut(place)) {
            bytes.copy_from_slice(&number.to_le_bytes());
        }
        self
    }

    pub(crate) fn secret_of(&self) -> Option<TokenId> {
        self.part(SECRET_OF).map(TokenId::from_bytes)
    }

    pub(crate) fn hash(&self) -> Option<BcryptHash> {
        let hash: [u8; 60] = self.part(HASHED)?;
        std::str::from_utf8(&hash).ok().and_then(BcryptHash::parse)
    }
}

/// Where a part is in a record with these flags, if it is there.
fn range(flags: u8, wanted: u8) -> Option<Range<usize>> {
    let mut start = 1;
    for (part, bytes) in PARTS {
        match (flags & part != 0, part == wanted) {
            (true, true) => return Some(start..start + bytes),
            (true, false) => start += bytes,
            (false, _) => {}
        }
    }
    None
}

/// Appends the name alone to `bytes`.
pub(crate) fn append_name(arena: &Arena, place: u32, bytes: &mut Vec<u8>) {
    let start = bytes.len();
    arena.append_to(place, bytes);
    let flags = bytes.get(start).copied().unwrap_or_default();
    let parts = PARTS.iter().filter(|(part, _)| flags & part != 0);
    let before = start + 1 + parts.map(|(_, bytes)| bytes).sum::<usize>();
    bytes.drain(start..before.min(bytes.len()));
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
        for form in 0..24 {
            let rest = Rest {
                starts: [None, Some(Timestamp::MIN), Some(Timestamp::from_micros(7))][form % 3],
                addresses: [0, u32::MAX][form / 3 % 2],
                secret_of: [None, Some(TokenId::from_bytes([9; 16]))][form / 6 % 2],
                hash: [None, Some(&hash)][form / 12],
                name: "",
            };
            for name in ["x", "deploy", &long] {
                let mut bytes = vec![1, 2, 3];
                write(&mut bytes, &Rest { name, ..rest });
                let place = arena.append(&bytes).unwrap();
                let read = Record::read(&arena, place);
                assert_eq!(
                    (read.starts(), read.hash().as_ref()),
                    (rest.starts, rest.hash)
                );
                assert_eq!(
                    (read.addresses(), read.secret_of()),
                    (rest.addresses, rest.secret_of)
                );
                let mut appended = b"before".to_vec();
                append_name(&arena, place, &mut appended);
                assert_eq!(appended, [b"before", name.as_bytes()].concat());
                let other = read.with_addresses(5);
                let number = if rest.addresses == 0 { 0 } else { 5 };
                assert_eq!(
                    (other.addresses(), other.secret_of()),
                    (number, rest.secret_of)
                );
                assert_eq!(
                    (other.starts(), other.bytes().len()),
                    (rest.starts, bytes.len())
                );
            }
        }
    }
}
