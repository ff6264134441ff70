//! What keeps a token from working that is no word of its own.

/// Why a token rests that says nothing of it itself: what is around it keeps it from working.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtRest {
    /// The organization is suspended.
    Organization,
    /// The account of its owner is suspended.
    Account,
    /// Its owner is suspended in the organization, or not in it any more.
    Member,
    /// Its owner may not have tokens there.
    Gate,
}

impl AtRest {
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        match word {
            "organization" => Some(Self::Organization),
            "account" => Some(Self::Account),
            "member" => Some(Self::Member),
            "gate" => Some(Self::Gate),
            _ => None,
        }
    }
}
