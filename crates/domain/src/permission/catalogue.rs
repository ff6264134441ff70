//! What a deployment says about its permissions.

use super::Permission;

/// How much harm a permission can do in wrong hands; shown where permissions are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// Reads what many may read.
    #[default]
    Low,
    /// Changes things, or reads what few may.
    Medium,
    /// Destroys, publishes, pays, or hands out rights.
    High,
}

impl Risk {
    /// The word used in files and on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// The risk that `word` names, if it names one.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High]
            .into_iter()
            .find(|risk| risk.word() == word)
    }
}

/// Who wrote a line of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The product itself.
    Product,
    /// The settings file.
    File,
    /// Somebody, through the API or a page.
    Api,
}

impl Source {
    /// The word in the database and on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::File => "file",
            Self::Api => "api",
        }
    }

    /// The source that `word` names, if it names one.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Product, Self::File, Self::Api]
            .into_iter()
            .find(|source| source.word() == word)
    }
}

/// One line of a deployment's catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueEntry {
    /// The permission; never a wildcard.
    pub permission: Permission,
    /// What it allows, in one sentence.
    pub description: String,
    /// How much harm it can do.
    pub risk: Risk,
    /// Who wrote the line.
    pub source: Source,
}

impl CatalogueEntry {
    /// The product's own permissions, in every catalogue. The one to manage one's own tokens is not among them: no role
    /// gives it.
    pub fn of_product() -> Vec<Self> {
        let own = [
            (
                Permission::VERIFY,
                "Ask Hallpass whether a token may do something",
                Risk::Medium,
            ),
            (
                Permission::MEMBERS,
                "See, invite, change, suspend and remove members",
                Risk::High,
            ),
            (Permission::ROLES, "Make and change roles", Risk::High),
            (
                Permission::KEYS,
                "Make, rotate and revoke API keys",
                Risk::High,
            ),
            (
                Permission::TOKENS,
                "See, suspend and revoke everybody's tokens",
                Risk::High,
            ),
            (
                Permission::POLICY,
                "Change what tokens must keep to",
                Risk::High,
            ),
            (Permission::AUDIT, "Read who did what", Risk::Medium),
            (
                Permission::ORGANIZATION,
                "Rename and suspend the organization, revoke all in it",
                Risk::High,
            ),
            (
                Permission::DEPLOYMENT,
                "Manage organizations, users and permissions of the whole deployment",
                Risk::High,
            ),
        ];
        own.into_iter()
            .filter_map(|(text, description, risk)| {
                Some(Self {
                    permission: Permission::parse(text).ok()?,
                    description: description.to_owned(),
                    risk,
                    source: Source::Product,
                })
            })
            .collect()
    }
}
