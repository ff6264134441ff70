//! Permissions as one text, kept for those that ask again and again.
//!
//! A gateway passes on with every request what its token may do. Sets of permissions never change and are stored
//! once, so what they come to together is the same text for as long as the engine lives.

use hallpass_domain::verdict::Facts;
use std::sync::OnceLock;

/// Texts that are kept at most. With more in use, those that came later are joined each time, which costs about
/// half a microsecond.
const TEXTS: usize = 4_096;
/// Places that a text can have.
const TRIES: usize = 4;
/// Bytes of a text that is kept. What is longer is joined each time, and so is what finds no place.
const TEXT_BYTES_MAX: usize = 2_048;

/// All that a text hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sets {
    /// The number of the role's set.
    pub(crate) role: u32,
    /// The number of the scope's, if there is a scope.
    pub(crate) scope: Option<u32>,
    /// The number of the organization's rules, if they forbid anything to whom the token speaks for; otherwise 0.
    pub(crate) rules: u32,
    /// Whether the organization runs the deployment.
    pub(crate) host: bool,
}

/// The texts. Once kept, a text stays: reading is one look and no count of readers.
#[derive(Debug)]
pub(crate) struct Joined(Box<[OnceLock<Text>]>);

#[derive(Debug)]
struct Text {
    sets: Sets,
    text: Box<[u8]>,
}

impl Joined {
    pub(crate) fn new() -> Self {
        Self((0..TEXTS).map(|_| OnceLock::new()).collect())
    }

    /// Appends the permissions of `facts`, whose sets are these, joined by one blank.
    pub(crate) fn append(&self, sets: Sets, facts: &Facts<'_>, to: &mut Vec<u8>) {
        let places = (0..TRIES).filter_map(|next| self.0.get((place(sets) + next) % TEXTS));
        let mut free = None;
        for place in places {
            match place.get() {
                Some(kept) if kept.sets == sets => {
                    to.extend_from_slice(&kept.text);
                    return;
                }
                Some(_) => {}
                None => {
                    free = Some(place);
                    break;
                }
            }
        }
        let start = to.len();
        for permission in facts.permitted() {
            if to.len() > start {
                to.push(b' ');
            }
            to.extend_from_slice(permission.as_str().as_bytes());
        }
        let text = &to[start..];
        if let Some(free) = free.filter(|_| text.len() <= TEXT_BYTES_MAX) {
            let text = text.into();
            // Another thread may have been faster, with this text or another.
            let _ = free.set(Text { sets, text });
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        let texts: usize = self
            .0
            .iter()
            .filter_map(OnceLock::get)
            .map(|kept| kept.text.len())
            .sum();
        size_of_val(&*self.0) + texts
    }
}

const fn place(sets: Sets) -> usize {
    let scope = match sets.scope {
        Some(scope) => scope.wrapping_add(1),
        None => 0,
    };
    // Odd numbers spread the roles and the rules; scopes beside each other stand beside each other.
    let role = sets.role.wrapping_mul(0x9e37_79b1);
    let rules = (sets.rules << 1 | sets.host as u32).wrapping_mul(0x85eb_ca6b);
    role.wrapping_add(rules).wrapping_add(scope) as usize % TEXTS
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
            host: false,
            organization_networks: None,
            address_rules: None,
            bearer: Bearer::Organization,
            role,
            scope,
            forbidden: None,
        }
    }

    fn sets(role: u32, scope: Option<u32>) -> Sets {
        Sets {
            role,
            scope,
            rules: 0,
            host: false,
        }
    }

    fn appended(joined: &Joined, sets: Sets, facts: &Facts<'_>) -> String {
        let mut text = b"before:".to_vec();
        joined.append(sets, facts, &mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_kept_text_is_the_one_of_its_own_sets() {
        let joined = Joined::new();
        let held = ["a:read b:read", "b:read", "c:read", ""]
            .map(|text| PermissionSet::parse(text.split_whitespace()).unwrap());
        let all = facts(&held[0], None);
        let one = facts(&held[0], Some(&held[1]));
        let none = facts(&held[0], Some(&held[2]));
        // More of them than places, so that many find none.
        for number in 0..TEXTS as u32 {
            for _ in 0..2 {
                assert_eq!(
                    appended(&joined, sets(number, None), &all),
                    "before:a:read b:read"
                );
                assert_eq!(
                    appended(&joined, sets(number, Some(1)), &one),
                    "before:b:read"
                );
                assert_eq!(appended(&joined, sets(number, Some(2)), &none), "before:");
                for (rules, host, facts, text) in [(7, false, &none, ""), (0, true, &one, "b:read")]
                {
                    let other = Sets {
                        rules,
                        host,
                        ..sets(number, None)
                    };
                    assert_eq!(appended(&joined, other, facts), format!("before:{text}"));
                }
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
        let text = appended(&joined, sets(1, None), &facts(&long, None));
        assert_eq!(text.len(), "before:".len() + long.to_text().len());
        assert_eq!(joined.bytes(), before);
    }
}
