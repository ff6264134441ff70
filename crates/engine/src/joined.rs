//! Permissions as one text, kept for those that ask again and again.
//!
//! A gateway passes on with every request what its token may do. Sets of permissions never change and are stored
//! once, so what a role and a scope come to is the same text for as long as the engine lives.

use arc_swap::ArcSwapOption;
use hallpass_domain::verdict::Facts;

/// Texts that are kept at most, each in the one place it can have.
const TEXTS: usize = 1_024;
/// Bytes of a text that is kept. What is longer is joined each time.
const TEXT_BYTES_MAX: usize = 2_048;

/// The numbers of a role's set and of a scope's, if there is a scope.
pub(crate) type Pair = (u32, Option<u32>);

/// The texts.
#[derive(Debug)]
pub(crate) struct Joined(Box<[ArcSwapOption<Text>]>);

#[derive(Debug)]
struct Text {
    pair: Pair,
    text: Box<[u8]>,
}

impl Joined {
    pub(crate) fn new() -> Self {
        Self((0..TEXTS).map(|_| ArcSwapOption::empty()).collect())
    }

    /// Appends the permissions of `facts`, whose sets have the numbers of `pair`, joined by one blank.
    pub(crate) fn append(&self, pair: Pair, facts: &Facts<'_>, to: &mut Vec<u8>) {
        let Some(place) = self.0.get(place(pair)) else {
            return;
        };
        let kept = place.load();
        if let Some(kept) = kept.as_ref().filter(|kept| kept.pair == pair) {
            to.extend_from_slice(&kept.text);
            return;
        }
        let start = to.len();
        for permission in facts.permitted() {
            if to.len() > start {
                to.push(b' ');
            }
            to.extend_from_slice(permission.as_str().as_bytes());
        }
        let text = &to[start..];
        if text.len() <= TEXT_BYTES_MAX {
            let text = text.into();
            place.store(Some(Text { pair, text }.into()));
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        let texts = self.0.iter().filter_map(|place| place.load_full());
        let texts: usize = texts.map(|kept| size_of::<Text>() + kept.text.len()).sum();
        size_of_val(&*self.0) + texts
    }
}

/// Two pairs that meet in one place take turns, which costs time and nothing else.
const fn place((role, scope): Pair) -> usize {
    let scope = match scope {
        Some(scope) => scope.wrapping_add(1),
        None => 0,
    };
    // An odd number spreads the roles; scopes beside each other stand beside each other.
    (role.wrapping_mul(0x9e37_79b1).wrapping_add(scope)) as usize % TEXTS
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_domain::{
        permission::PermissionSet,
        verdict::{Bearer, Facts},
    };

    fn facts<'f>(role: &'f PermissionSet, scope: Option<&'f PermissionSet>) -> Facts<'f> {
        Facts {
            revoked: false,
            expires_at: None,
            valid_from: None,
            suspended: false,
            organization_active: true,
            bearer: Bearer::Organization,
            role,
            scope,
        }
    }

    fn appended(joined: &Joined, pair: Pair, facts: &Facts<'_>) -> String {
        let mut text = b"before:".to_vec();
        joined.append(pair, facts, &mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_kept_text_is_the_one_of_its_own_pair() {
        let joined = Joined::new();
        let sets = ["a:read b:read", "b:read", "c:read", ""]
            .map(|text| PermissionSet::parse(text.split_whitespace()).unwrap());
        let all = facts(&sets[0], None);
        let one = facts(&sets[0], Some(&sets[1]));
        let none = facts(&sets[0], Some(&sets[2]));
        // Far more pairs than places, so that each place is taken many times, and asked for again at once.
        for number in 0..5 * TEXTS as u32 {
            for _ in 0..2 {
                assert_eq!(
                    appended(&joined, (number, None), &all),
                    "before:a:read b:read"
                );
                assert_eq!(appended(&joined, (number, Some(1)), &one), "before:b:read");
                assert_eq!(appended(&joined, (number, Some(2)), &none), "before:");
            }
        }
    }

    #[test]
    fn a_long_text_is_not_kept() {
        let joined = Joined::new();
        let resource = "r".repeat(50);
        let texts: Vec<String> = (0..40)
            .map(|number| format!("{resource}{number}:read"))
            .collect();
        let long = PermissionSet::parse(texts.iter().map(String::as_str)).unwrap();
        let before = joined.bytes();
        let text = appended(&joined, (1, None), &facts(&long, None));
        assert_eq!(text.len(), "before:".len() + long.to_text().len());
        assert_eq!(joined.bytes(), before);
    }
}
