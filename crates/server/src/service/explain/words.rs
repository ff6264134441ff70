//! The sentences of an explanation.

use hallpass_domain::{
    network::AddressRules,
    permission::Permission,
    time::{MICROS_PER_SECOND, Timestamp},
    token::Prefix,
    verdict::{Check, Facts, Outcome, Question},
};
use hallpass_store::{InventoryOwner, InventoryRow};

/// Permissions and networks that a sentence names at most.
const NAMED_MAX: usize = 10;

/// What the sentences are made of.
pub(super) struct Words<'a> {
    pub(super) row: &'a InventoryRow,
    pub(super) organization: &'a str,
    pub(super) role: &'a str,
    pub(super) prefix: Prefix,
    pub(super) facts: Option<Facts<'a>>,
    pub(super) question: &'a Question<'a>,
    /// Whether the catalogue lists the permission in question.
    pub(super) listed: bool,
}

impl Words<'_> {
    /// What came of a check, in a sentence with its facts.
    pub(super) fn sentence(&self, check: Check, outcome: Outcome) -> String {
        let holds = match outcome {
            Outcome::NotReached => {
                return format!(
                    "Not looked at, since a check before it failed: {}.",
                    subject(check)
                );
            }
            Outcome::Holds => true,
            Outcome::Fails => false,
        };
        match check {
            Check::Known => self.known(holds),
            Check::NotRevoked => self.revoked(holds),
            Check::NotExpired => self.end(holds),
            Check::AlreadyValid => self.beginning(holds),
            Check::NotSuspended => self.suspended(holds),
            Check::OrganizationActive => {
                format!("{} is {}.", self.organization, standing(holds))
            }
            Check::UserActive => format!("{}'s account is {}.", self.owner(), standing(holds)),
            Check::Member => {
                let is = if holds { "is" } else { "is not" };
                format!("{} {is} a member of {}.", self.owner(), self.organization)
            }
            Check::MembershipActive => format!(
                "{}'s membership of {} is {}.",
                self.owner(),
                self.organization,
                standing(holds)
            ),
            Check::MayHaveTokens => self.gate(holds),
            Check::AddressAllowed => self.address(holds),
            Check::PermissionHeldByRole => self.held(holds),
            Check::PermissionNotForbidden => self.forbidden(holds),
            Check::PermissionInScope => self.in_scope(holds),
        }
    }

    fn owner(&self) -> &str {
        match &self.row.owner {
            InventoryOwner::User { name, .. } => name.as_str(),
            InventoryOwner::Organization { .. } => self.organization,
        }
    }

    fn needed(&self) -> &str {
        self.question.needed.map_or("", Permission::as_str)
    }

    fn known(&self, holds: bool) -> String {
        let what = match self.row.owner {
            InventoryOwner::User { .. } => "personal access token",
            InventoryOwner::Organization { .. } => "API key",
        };
        let (name, prefix, owner) = (&self.row.name, self.prefix, self.owner());
        if holds {
            format!("{prefix}… is the {what} “{name}” of {owner}.")
        } else {
            format!(
                "{prefix}… was the {what} “{name}” of {owner}; it ended so long ago that it is told from an unknown one no more."
            )
        }
    }

    fn revoked(&self, holds: bool) -> String {
        match self.row.revoked {
            _ if holds => "It was not revoked.".to_owned(),
            Some(at) => format!("It was revoked at {}.", second(at)),
            None => "It was revoked.".to_owned(),
        }
    }

    fn end(&self, holds: bool) -> String {
        let end = self.facts.and_then(|facts| facts.expires_at).map(second);
        let is_key = matches!(self.row.owner, InventoryOwner::Organization { .. });
        if let Some(end) = end
            .as_ref()
            .filter(|_| is_key && self.prefix != self.row.prefix)
        {
            let now = self.row.prefix;
            return if holds {
                format!(
                    "It is an older secret of a key that was rotated, and works until {end}; the newest is {now}…."
                )
            } else {
                format!(
                    "It is an older secret of a key that was rotated, and stopped working at {end}; the newest is {now}…."
                )
            };
        }
        match end {
            None => "It never expires.".to_owned(),
            Some(end) if holds => format!("It expires at {end}."),
            Some(end) => format!("It expired at {end}."),
        }
    }

    fn beginning(&self, holds: bool) -> String {
        let start = self.facts.and_then(|facts| facts.valid_from).map(second);
        match start {
            None => "It works from when it was made.".to_owned(),
            Some(start) if holds => format!("It works since {start}."),
            Some(start) => format!("It works from {start} on, which has not come."),
        }
    }

    fn suspended(&self, holds: bool) -> String {
        let Some(suspension) = self.row.suspension.as_ref().filter(|_| !holds) else {
            return if holds {
                "It is not suspended."
            } else {
                "It is suspended."
            }
            .to_owned();
        };
        let who = if suspension.by_owner {
            "its owner"
        } else {
            "an administrator"
        };
        let until = suspension
            .until
            .map_or(String::new(), |until| format!(" until {}", second(until)));
        format!(
            "It was suspended by {who} at {}{until}: {}",
            second(suspension.since),
            suspension.reason
        )
    }

    fn gate(&self, holds: bool) -> String {
        let owner = self.owner();
        if holds {
            format!("The gate is open for {owner}: they may have personal access tokens.")
        } else {
            format!("The gate is closed for {owner}: they may not have personal access tokens.")
        }
    }

    fn address(&self, holds: bool) -> String {
        let of_organization = self.facts.and_then(|facts| facts.organization_networks);
        let of_organization = of_organization.filter(|networks| !networks.is_empty());
        let of_token = self.facts.and_then(|facts| facts.address_rules);
        let of_token = of_token.filter(|rules| !rules.is_empty());
        if of_organization.is_none() && of_token.is_none() {
            return "Nothing limits from where it may be used.".to_owned();
        }
        let is = if holds { "is" } else { "is not" };
        let asked = self.question.address.map_or_else(
            || format!("An unknown address {is} admitted"),
            |address| format!("{address} {is} admitted"),
        );
        let mut rules = Vec::new();
        if let Some(networks) = of_organization {
            let networks = listed(networks.iter());
            rules.push(format!("{} admits {networks}", self.organization));
        }
        rules.extend(of_token.map(token_rules));
        format!("{asked}: {}.", rules.join("; "))
    }

    fn held(&self, holds: bool) -> String {
        let (needed, role) = (self.needed(), self.role);
        if !holds && !self.listed {
            return format!("Nobody holds {needed}: there is no such permission.");
        }
        let holds = if holds { "holds" } else { "does not hold" };
        match self.row.owner {
            InventoryOwner::User { .. } => {
                format!("{}'s role {role} {holds} {needed}.", self.owner())
            }
            InventoryOwner::Organization { .. } => {
                format!("The key's role {role} {holds} {needed}.")
            }
        }
    }

    fn forbidden(&self, holds: bool) -> String {
        let lets = if holds {
            "lets personal access tokens carry"
        } else {
            "forbids personal access tokens to carry"
        };
        format!(
            "The policy of {} {lets} {}.",
            self.organization,
            self.needed()
        )
    }

    fn in_scope(&self, holds: bool) -> String {
        let needed = self.needed();
        let Some(scope) = self.facts.and_then(|facts| facts.scope) else {
            return if holds {
                "It is not narrowed: it may do all that the role holds.".to_owned()
            } else {
                format!("It does not name {needed}, which is had by naming it alone.")
            };
        };
        let includes = if holds {
            "includes"
        } else {
            "does not include"
        };
        format!(
            "It is narrowed to {}, which {includes} {needed}.",
            listed(scope.iter())
        )
    }
}

/// What a check looks at, for those that were not made.
const fn subject(check: Check) -> &'static str {
    match check {
        Check::Known => "whether it is known",
        Check::NotRevoked => "whether it was revoked",
        Check::NotExpired => "whether it has ended",
        Check::AlreadyValid => "whether its time has come",
        Check::NotSuspended => "whether it is suspended",
        Check::OrganizationActive => "whether the organization is active",
        Check::UserActive => "whether its owner's account is active",
        Check::Member => "whether its owner is a member",
        Check::MembershipActive => "whether the membership is active",
        Check::MayHaveTokens => "whether its owner may have tokens",
        Check::AddressAllowed => "whether it may be used from the address",
        Check::PermissionHeldByRole => "whether the role holds the permission",
        Check::PermissionNotForbidden => "whether the policy forbids the permission",
        Check::PermissionInScope => "whether it is narrowed to the permission",
    }
}

/// The same moment as people read it: nobody asks for parts of a second.
fn second(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.seconds() * MICROS_PER_SECOND)
}

const fn standing(active: bool) -> &'static str {
    if active { "active" } else { "suspended" }
}

fn token_rules(rules: &AddressRules) -> String {
    let mut told = Vec::new();
    if !rules.allow.is_empty() {
        told.push(format!("the token admits {}", listed(rules.allow.iter())));
    }
    if !rules.deny.is_empty() {
        told.push(format!("the token refuses {}", listed(rules.deny.iter())));
    }
    told.join(", and ")
}

/// The first of them, and how many there are besides.
fn listed<T: std::fmt::Display>(items: impl ExactSizeIterator<Item = T>) -> String {
    let more = items.len().saturating_sub(NAMED_MAX);
    let named: Vec<String> = items.take(NAMED_MAX).map(|item| item.to_string()).collect();
    let named = named.join(", ");
    if more == 0 {
        named
    } else {
        format!("{named} and {more} more")
    }
}
