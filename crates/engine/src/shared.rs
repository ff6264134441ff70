//! Values that many share, each stored once under a number, which is small enough for a word.

use crate::slab::{Slab, SlabFull};
use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash},
};

/// Values by their hash; of two with the same hash, the second stands under the next number.
pub(crate) type Hashes = HashMap<u64, u32>;

/// A list whose first element is the empty one.
pub(crate) fn list<T: Default>() -> Slab<T> {
    let list = Slab::new();
    // The first element of an empty list always has room.
    let _ = list.push(T::default());
    list
}

/// The number of a value in a list that holds each once. Values are never forgotten; the product has few.
pub(crate) fn number<T: Default + Eq + Hash>(
    list: &Slab<T>,
    hashes: &mut Hashes,
    value: T,
) -> Result<u32, SlabFull> {
    if value == T::default() {
        return Ok(0);
    }
    let mut hash = hashes.hasher().hash_one(&value);
    while let Some(index) = hashes.get(&hash) {
        if list.get(*index) == Some(&value) {
            return Ok(*index);
        }
        hash = hash.wrapping_add(1);
    }
    let index = list.push(value)?;
    hashes.insert(hash, index);
    Ok(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_has_the_same_number() {
        let (list, mut hashes) = (list::<u64>(), Hashes::new());
        let numbers = [7, 0, 8, 7, 8].map(|value| number(&list, &mut hashes, value).unwrap());
        assert_eq!(numbers, [1, 0, 2, 1, 2]);
        assert_eq!(list.len(), 3);
        // Two values with one hash: what chance hardly ever does.
        let hash = hashes.hasher().hash_one(9_u64);
        hashes.insert(hash, 1);
        assert_eq!(
            [9, 9].map(|value| number(&list, &mut hashes, value).unwrap()),
            [3, 3]
        );
    }
}
