//! The question and its answer.

use crate::{
    arena::{self, Arena},
    directory::Entity,
    engine::Engine,
    joined::Pair,
    line::{Key, Snapshot},
    record::{self, Record},
};
use hallpass_domain::{
    id::{OrganizationId, RoleId, TokenId, UserId},
    permission::{Permission, PermissionSet},
    time::Timestamp,
    token::{BcryptHash, Kind, Peppers, PlainToken, Prefix},
    verdict::{Bearer, DenyReason, Facts, MembershipFacts, Verdict, decide},
};
use std::{fmt, sync::atomic::Ordering};

/// What the engine says to a token.
#[derive(Clone, Debug)]
pub enum Answer<'e> {
    /// Nothing: the engine may not answer now, and whoever asks must not take that for a yes or a no.
    NotAnswering,
    /// There is no such token.
    Unknown,
    /// The token is known.
    Known {
        /// Whether it may do what was asked.
        verdict: Verdict,
        /// What it is.
        token: TokenView<'e>,
        /// Under which of [`Peppers::iter`] it was found; all but 0 are retired.
        pepper: usize,
    },
    /// A token with this prefix exists, and only a slow comparison can tell whether it is this one.
    Slow(SlowCandidate),
}

impl Answer<'_> {
    /// The verdict, if there is one yet.
    pub const fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::NotAnswering | Self::Slow(_) => None,
            Self::Unknown => Some(Verdict::Deny(DenyReason::Unknown)),
            Self::Known { verdict, .. } => Some(*verdict),
        }
    }
}

/// What is needed to compare a token with its bcrypt hash away from the threads that answer.
#[derive(Clone, Debug)]
pub struct SlowCandidate {
    id: TokenId,
    hash: BcryptHash,
}

impl SlowCandidate {
    /// The token it may be.
    pub const fn id(&self) -> TokenId {
        self.id
    }

    pub(crate) const fn hash(&self) -> &BcryptHash {
        &self.hash
    }

    /// Compares, for about 60 ms. After a yes, call [`Engine::remember`] and ask again.
    pub fn matches(&self, token: &PlainToken) -> bool {
        self.hash.matches(token)
    }
}

/// For whom a token speaks, with names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerView<'e> {
    /// A user.
    User {
        /// Who.
        id: UserId,
        /// Their name.
        name: Name<'e>,
    },
    /// The organization itself.
    Organization,
}

/// A name as it is now, read when it is asked for.
#[derive(Clone, Copy)]
pub struct Name<'e> {
    arena: &'e Arena,
    place: u32,
    of_token: bool,
}

impl Name<'_> {
    /// Appends it to `bytes`, in UTF-8.
    pub fn append_to(self, bytes: &mut Vec<u8>) {
        if self.of_token {
            record::append_name(self.arena, self.place, bytes);
        } else {
            self.arena.append_to(self.place, bytes);
        }
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::new();
        self.append_to(&mut bytes);
        f.write_str(&arena::into_text(bytes))
    }
}

/// By the text.
impl PartialEq for Name<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Name<'_> {}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A token as it was when the verdict fell. Names are read when they are asked for.
#[derive(Clone, Copy)]
pub struct TokenView<'e> {
    engine: &'e Engine,
    seen: Snapshot,
    prefix: Prefix,
    facts: Facts<'e>,
    organization: &'e Entity<OrganizationId>,
    role: Option<&'e Entity<RoleId>>,
    sets: Pair,
}

impl Engine {
    /// Says whether `token` may do what is `needed` (anything at all, if nothing is named) at `now`. Nothing
    /// is allocated, but for a [`Answer::Slow`], and nothing is waited for.
    pub fn verify<'e>(
        &'e self,
        token: &PlainToken,
        peppers: &Peppers,
        needed: Option<&Permission>,
        now: Timestamp,
    ) -> Answer<'e> {
        if !self.answering.load(Ordering::Acquire) {
            return Answer::NotAnswering;
        }
        loop {
            let moves = self.moves.load(Ordering::Acquire);
            for (pepper, key) in peppers.iter().enumerate() {
                if let Some(seen) = self.table.find(&Key::of_digest(&key.digest(token))) {
                    return self.known(seen, token.prefix(), needed, now, pepper);
                }
            }
            if let Some(candidate) = self.slow_candidate(token) {
                return Answer::Slow(candidate);
            }
            if self.moves.load(Ordering::Acquire) == moves {
                return Answer::Unknown;
            }
        }
    }

    fn slow_candidate(&self, token: &PlainToken) -> Option<SlowCandidate> {
        if self.slow.load(Ordering::Acquire) == 0 {
            return None;
        }
        let seen = self.table.find(&Key::of_prefix(token.prefix()))?;
        let hash = Record::read(&self.arena, seen.link.record()).hash()?;
        Some(SlowCandidate { id: seen.id, hash })
    }

    fn known(
        &self,
        seen: Snapshot,
        prefix: Prefix,
        needed: Option<&Permission>,
        now: Timestamp,
        pepper: usize,
    ) -> Answer<'_> {
        // A number that leads nowhere cannot be; if it were, the token would be refused.
        let Some(token) = self.view(seen, prefix) else {
            return Answer::Unknown;
        };
        Answer::Known {
            verdict: decide(Some(token.facts), needed, now),
            token,
            pepper,
        }
    }

    fn view(&self, seen: Snapshot, prefix: Prefix) -> Option<TokenView<'_>> {
        let directory = &self.directory;
        let now = directory.bearer(seen.tag.bearer())?;
        let organization = directory.organizations.get(now.organization())?;
        let role = if now.is_present() {
            Some(directory.roles.get(now.role())?)
        } else {
            None
        };
        let membership = now.is_present().then(|| MembershipFacts {
            active: now.is_active(),
            may_have_tokens: now.may_have_tokens(),
        });
        let bearer = if now.is_organization() {
            Bearer::Organization
        } else {
            Bearer::Person {
                user_active: now.user_active(),
                membership,
            }
        };
        // Whoever is no member is refused before anybody looks at their role.
        let sets = (role.map_or(0, Entity::number), seen.link.scope());
        let facts = Facts {
            revoked: seen.state.revoked(),
            expires_at: seen.state.end(),
            valid_from: if seen.link.starts() {
                Record::read(&self.arena, seen.link.record()).starts()
            } else {
                None
            },
            suspended: seen.state.suspended(),
            organization_active: organization.is_active(),
            bearer,
            role: directory.sets.get(sets.0)?,
            scope: match sets.1 {
                Some(scope) => Some(directory.sets.get(scope)?),
                None => None,
            },
        };
        Some(TokenView {
            engine: self,
            seen,
            prefix,
            facts,
            organization,
            role,
            sets,
        })
    }
}

impl<'e> TokenView<'e> {
    /// Its id.
    pub const fn id(&self) -> TokenId {
        self.seen.id
    }

    /// What it is called.
    pub const fn name(&self) -> Name<'e> {
        Name {
            arena: &self.engine.arena,
            place: self.seen.link.record(),
            of_token: true,
        }
    }

    const fn name_at(&self, place: u32) -> Name<'e> {
        Name {
            arena: &self.engine.arena,
            place,
            of_token: false,
        }
    }

    /// How its text begins.
    pub const fn prefix(&self) -> Prefix {
        self.prefix
    }

    /// What it is.
    pub const fn kind(&self) -> Kind {
        self.seen.tag.kind()
    }

    /// The organization it works in.
    pub const fn organization_id(&self) -> OrganizationId {
        self.organization.id
    }

    /// The name of that organization.
    pub fn organization_name(&self) -> Name<'e> {
        self.name_at(self.organization.name())
    }

    /// The user it speaks for, if it is not the organization itself.
    pub fn user_id(&self) -> Option<UserId> {
        self.engine
            .directory
            .user_of(self.seen.tag.bearer())
            .map(|user| user.id)
    }

    /// For whom it speaks.
    pub fn owner(&self) -> OwnerView<'e> {
        let user = self.engine.directory.user_of(self.seen.tag.bearer());
        user.map_or(OwnerView::Organization, |user| OwnerView::User {
            id: user.id,
            name: self.name_at(user.name()),
        })
    }

    /// The role by which it speaks; none without a membership.
    pub fn role_id(&self) -> Option<RoleId> {
        self.role.map(|role| role.id)
    }

    /// The name of that role.
    pub fn role_name(&self) -> Option<Name<'e>> {
        self.role.map(|role| self.name_at(role.name()))
    }

    /// All that the verdict hung on.
    pub const fn facts(&self) -> &Facts<'e> {
        &self.facts
    }

    /// All that it may do, as far as permissions go.
    pub fn permissions(&self) -> PermissionSet {
        self.facts.permissions()
    }

    /// Appends the same to `bytes`, joined by one blank.
    pub fn append_permissions(&self, bytes: &mut Vec<u8>) {
        self.engine.joined.append(self.sets, &self.facts, bytes);
    }

    /// The first moment at which it no longer works.
    pub const fn expires_at(&self) -> Option<Timestamp> {
        self.facts.expires_at
    }

    /// Whether what is stored of it is a bcrypt hash, and it was found because it was used before.
    pub const fn is_remembered(&self) -> bool {
        self.seen.tag.is_remembered()
    }
}

impl fmt::Debug for TokenView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenView")
            .field("id", &self.seen.id)
            .field("prefix", &self.prefix)
            .field("facts", &self.facts)
            .finish()
    }
}
