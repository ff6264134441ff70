//! What is shown of a token, and the facts about it.

use crate::{
    arena::{self, Arena},
    bearer,
    directory::Directory,
    engine::Engine,
    entity::{Entity, RevokedBefore, Standing},
    joined::Sets,
    line::{Line, Link, Snapshot, halves},
    record::{self, Record},
};
use hallpass_domain::{
    id::{OrganizationId, RoleId, TokenId, UserId},
    permission::PermissionSet,
    time::Timestamp,
    token::{Kind, Prefix},
    verdict::{Bearer, Facts, MembershipFacts},
};
use std::fmt;

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
    /// The key's, if this is a further secret of one.
    id: TokenId,
    prefix: Prefix,
    facts: Facts<'e>,
    organization: &'e Entity<OrganizationId, RevokedBefore>,
    role: Option<&'e Entity<RoleId>>,
    sets: Sets,
}

/// What stands in a token's record, if verdicts ask for any of it.
#[derive(Default)]
struct More {
    starts: Option<Timestamp>,
    addresses: u32,
    secret_of: Option<TokenId>,
}

impl Engine {
    /// The token, or the secret of a key, with this id, for explaining what it may do without its text. How that
    /// begins is not kept here: whoever asks has read it. Waits for changes, and does not ask whether verifications
    /// are answered: see [`Self::is_answering`].
    pub fn view(&self, id: TokenId, prefix: Prefix) -> Option<TokenView<'_>> {
        let writer = self.writer();
        let [line, _] = self.lines(&writer, &id);
        let (_, seen) = self.table.with(line?, Line::read)?;
        self.view_of(seen, prefix)
    }

    /// Nothing when a number leads nowhere.
    pub(crate) fn view_of(&self, seen: Snapshot, prefix: Prefix) -> Option<TokenView<'_>> {
        let directory = &self.directory;
        let more = self.more(seen.link);
        let now = directory.bearer(seen.tag.bearer())?;
        let organization = directory.organizations.get(now.organization())?;
        let standing = Standing(organization.number());
        let role = if now.is_present() {
            Some(directory.roles.get(now.role())?)
        } else {
            None
        };
        let id = more.secret_of.unwrap_or(seen.id);
        let revoked_before = directory
            .revoked_before(seen.tag.bearer(), now)
            .max(organization.more.get());
        let mut facts = Facts {
            revoked: seen.state.revoked() || made(&seen.id).min(made(&id)) < revoked_before,
            expires_at: seen.state.end(),
            valid_from: more.starts,
            suspended: seen.state.suspended(),
            organization_active: standing.is_active(),
            host: standing.is_host(),
            organization_networks: None,
            address_rules: None,
            bearer: bearer_facts(now),
            role: directory.sets.get(0)?,
            scope: None,
            forbidden: None,
        };
        let sets = directory.point(&mut facts, standing, (role, seen.link.scope()), &more)?;
        Some(TokenView {
            engine: self,
            seen,
            id,
            prefix,
            facts,
            organization,
            role,
            sets,
        })
    }

    #[inline]
    fn more(&self, link: Link) -> More {
        if !link.has_more() {
            return More::default();
        }
        let record = Record::read(&self.arena, link.record());
        More {
            starts: record.starts(),
            addresses: record.addresses(),
            secret_of: record.secret_of(),
        }
    }
}

impl Directory {
    /// Points the facts to what they share with others.
    #[inline]
    fn point<'e>(
        &'e self,
        facts: &mut Facts<'e>,
        standing: Standing,
        (role, scope): (Option<&Entity<RoleId>>, Option<u32>),
        more: &More,
    ) -> Option<Sets> {
        let mut sets = Sets {
            // Whoever is no member is refused before anybody looks at their role.
            role: role.map_or(0, Entity::number),
            scope,
            rules: 0,
            host: standing.is_host(),
        };
        facts.role = self.sets.get(sets.role)?;
        if let Some(scope) = scope {
            facts.scope = Some(self.sets.get(scope)?);
        }
        if more.addresses != 0 {
            facts.address_rules = Some(self.addresses.get(more.addresses)?);
        }
        if standing.rules() != 0 {
            let rules = self.rules.get(standing.rules())?;
            facts.organization_networks = Some(&rules.networks);
            facts.forbidden = Some(&rules.forbidden);
            // Without a difference in what is permitted, the texts are shared.
            if !rules.forbidden.is_empty() && matches!(facts.bearer, Bearer::Person { .. }) {
                sets.rules = standing.rules();
            }
        }
        Some(sets)
    }
}

#[inline]
fn bearer_facts(now: bearer::Bearer) -> Bearer {
    if now.is_organization() {
        return Bearer::Organization;
    }
    Bearer::Person {
        user_active: now.user_active(),
        membership: now.is_present().then(|| MembershipFacts {
            active: now.is_active(),
            may_have_tokens: now.may_have_tokens(),
        }),
    }
}

/// The millisecond since 1970 in which something was made: the first 48 bits of its id (RFC 9562 section 5.7).
fn made(id: &TokenId) -> u64 {
    let [first, _] = halves(id.bytes());
    first >> 16
}

impl<'e> TokenView<'e> {
    /// Its id; of a secret of a key, the key's.
    pub const fn id(&self) -> TokenId {
        self.id
    }

    /// The id of this very secret, under which its uses are noted. A key may have several secrets; the first has the
    /// key's id, and so has whatever is no key.
    pub const fn secret_id(&self) -> TokenId {
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
            .field("id", &self.id)
            .field("prefix", &self.prefix)
            .field("facts", &self.facts)
            .finish()
    }
}
