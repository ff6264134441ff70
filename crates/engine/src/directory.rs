//! Who tokens speak for: organizations, users, roles and memberships, reached by index from a token's line.
//! Suspending a user of a thousand tokens changes one word here and none in the table.

use crate::{
    arena::Arena,
    bearer::{Bearer, NOBODY},
    change::{ApplyError, OrganizationRules, Owner},
    entity::{Entity, RevokedBefore, Standing, put},
    shared::{Hashes, list, number},
    slab::{Slab, SlabFull, Words},
    sparse::Sparse,
};
use hallpass_domain::{
    id::{OrganizationId, RoleId, UserId},
    network::{AddressRules, Network},
    permission::PermissionSet,
};
use std::{collections::HashMap, sync::atomic::Ordering};

/// What tokens hang on. Everyone reads; one writer appends and changes words.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) organizations: Slab<Entity<OrganizationId, RevokedBefore>>,
    pub(crate) users: Slab<Entity<UserId>>,
    pub(crate) roles: Slab<Entity<RoleId>>,
    bearers: Words,
    /// The user of each bearer, or [`NOBODY`].
    bearer_users: Slab<u32>,
    /// By bearer: before which millisecond all tokens were revoked. Asked only of bearers that say so themselves.
    revoked_before: Sparse,
    /// Sets of permissions, each stored once however many roles and tokens have it. The first is empty.
    pub(crate) sets: Slab<PermissionSet>,
    /// The same for what organizations ask of their tokens,
    pub(crate) rules: Slab<OrganizationRules>,
    /// and for the addresses from which tokens may be used.
    pub(crate) addresses: Slab<AddressRules>,
}

/// The writer's part: where things are by id.
#[derive(Debug, Default)]
pub(crate) struct Registers {
    organizations: HashMap<OrganizationId, u32>,
    users: HashMap<UserId, u32>,
    roles: HashMap<RoleId, u32>,
    /// Bearers by the indices of organization and user.
    members: HashMap<(u32, u32), u32>,
    /// Bearers by the indices of organization and role.
    keys: HashMap<(u32, u32), u32>,
    /// By user: the last of their bearers. By bearer: the one before it of the same user. [`NOBODY`] ends both.
    last_of_user: Vec<u32>,
    before: Vec<u32>,
    sets: Hashes,
    rules: Hashes,
    addresses: Hashes,
    /// Words of the arena that no name needs any more.
    pub(crate) garbage: usize,
}

impl Directory {
    pub(crate) fn new() -> Self {
        Self {
            organizations: Slab::new(),
            users: Slab::new(),
            roles: Slab::new(),
            bearers: Words::new(),
            bearer_users: Slab::new(),
            revoked_before: Sparse::new(),
            sets: list(),
            rules: list(),
            addresses: list(),
        }
    }

    #[inline]
    pub(crate) fn bearer(&self, number: u32) -> Option<Bearer> {
        self.bearers
            .get(number)
            .map(|word| Bearer(word.load(Ordering::Acquire)))
    }

    fn set_bearer(&self, number: u32, bearer: Bearer) {
        if let Some(word) = self.bearers.get(number) {
            word.store(bearer.0, Ordering::Release);
        }
    }

    /// The user of a bearer, if it is not the organization itself.
    pub(crate) fn user_of(&self, bearer: u32) -> Option<&Entity<UserId>> {
        self.users.get(*self.bearer_users.get(bearer)?)
    }

    /// Before which millisecond all tokens of a bearer were revoked; 0 if none was.
    #[inline]
    pub(crate) fn revoked_before(&self, number: u32, bearer: Bearer) -> u64 {
        if bearer.has_revoked() {
            self.revoked_before.get(number)
        } else {
            0
        }
    }

    /// Bytes taken. What permissions and networks own elsewhere is estimated.
    pub(crate) fn bytes(&self) -> usize {
        let bearers =
            self.bearers.bytes() + self.bearer_users.bytes() + self.revoked_before.bytes();
        let forbidden = self.rules.iter().map(|rules| &rules.forbidden);
        let permissions = self.sets.iter().chain(forbidden).flatten();
        let permissions: usize = permissions.map(|each| each.as_str().len() + 32).sum();
        let networks = self.rules.iter().map(|rules| rules.networks.len());
        let addresses = self.addresses.iter();
        let addresses = addresses.map(|rules| rules.allow.len() + rules.deny.len());
        let networks: usize = networks.chain(addresses).sum();
        self.organizations.bytes()
            + self.users.bytes()
            + self.roles.bytes()
            + bearers
            + self.sets.bytes()
            + self.rules.bytes()
            + self.addresses.bytes()
            + permissions
            + networks * size_of::<Network>()
    }
}

impl Registers {
    pub(crate) fn knows_role(&self, role: RoleId) -> bool {
        self.roles.contains_key(&role)
    }

    /// `before` is in milliseconds since 1970.
    pub(crate) fn put_organization(
        &mut self,
        to: &Directory,
        arena: &Arena,
        (id, name): (OrganizationId, &str),
        (active, host): (bool, bool),
        rules: OrganizationRules,
        before: u64,
    ) -> Result<(), ApplyError> {
        let rules = number(&to.rules, &mut self.rules, rules)?;
        if rules >= Standing::RULES {
            return Err(ApplyError::Full);
        }
        // Whoever sees the new standing sees what was revoked, too.
        self.garbage += put(
            &to.organizations,
            &mut self.organizations,
            (id, Standing::new(active, host, rules).0, name),
            arena,
            |revoked: &RevokedBefore| revoked.raise(before),
        )?;
        Ok(())
    }

    pub(crate) fn put_user(
        &mut self,
        to: &Directory,
        arena: &Arena,
        id: UserId,
        name: &str,
        active: bool,
    ) -> Result<(), ApplyError> {
        self.garbage += put(
            &to.users,
            &mut self.users,
            (id, u32::from(active), name),
            arena,
            |()| {},
        )?;
        let number = self.users.get(&id).map_or(0, |number| *number as usize);
        if self.last_of_user.len() <= number {
            self.last_of_user.resize(number + 1, NOBODY);
        }
        let mut next = self.last_of_user[number];
        while let Some(before) = self.before.get(next as usize) {
            if let Some(bearer) = to.bearer(next) {
                to.set_bearer(next, bearer.with_user(active));
            }
            next = *before;
        }
        Ok(())
    }

    pub(crate) fn put_role(
        &mut self,
        to: &Directory,
        arena: &Arena,
        id: RoleId,
        name: &str,
        permissions: PermissionSet,
    ) -> Result<(), ApplyError> {
        if to.roles.len() >= Bearer::ROLES {
            return Err(ApplyError::Full);
        }
        let set = self.intern(to, permissions)?;
        self.garbage += put(&to.roles, &mut self.roles, (id, set, name), arena, |()| {})?;
        Ok(())
    }

    pub(crate) fn put_member(
        &mut self,
        to: &Directory,
        (organization, user): (OrganizationId, UserId),
        role: RoleId,
        active: bool,
        may_have_tokens: bool,
    ) -> Result<(), ApplyError> {
        let role = *self.roles.get(&role).ok_or(ApplyError::UnknownRole(role))?;
        let number = self.member(to, organization, user)?;
        if let Some(bearer) = to.bearer(number) {
            to.set_bearer(number, bearer.member(role, active, may_have_tokens));
        }
        Ok(())
    }

    /// Ends a membership. One that never was is nothing to end.
    pub(crate) fn end_member(&self, to: &Directory, organization: OrganizationId, user: UserId) {
        let bearer = self
            .organizations
            .get(&organization)
            .zip(self.users.get(&user));
        let number =
            bearer.and_then(|(organization, user)| self.members.get(&(*organization, *user)));
        if let Some((number, bearer)) =
            number.and_then(|number| Some((*number, to.bearer(*number)?)))
        {
            to.set_bearer(number, bearer.stranger());
        }
    }

    /// Revokes every token that a user made in an organization before a millisecond since 1970. An earlier one than
    /// last time changes nothing.
    pub(crate) fn revoke(
        &mut self,
        to: &Directory,
        organization: OrganizationId,
        user: UserId,
        before: u64,
    ) -> Result<(), ApplyError> {
        let number = self.member(to, organization, user)?;
        to.revoked_before.raise(number, before);
        if let Some(bearer) = to.bearer(number) {
            to.set_bearer(number, bearer.with_revoked());
        }
        Ok(())
    }

    /// The bearer that a token speaks for.
    pub(crate) fn bearer(
        &mut self,
        to: &Directory,
        organization: OrganizationId,
        owner: Owner,
    ) -> Result<u32, ApplyError> {
        let role = match owner {
            Owner::User(user) => return self.member(to, organization, user),
            Owner::Organization(role) => {
                *self.roles.get(&role).ok_or(ApplyError::UnknownRole(role))?
            }
        };
        let organization = self.organization(organization)?;
        if let Some(bearer) = self.keys.get(&(organization, role)) {
            return Ok(*bearer);
        }
        self.push(to, NOBODY, Bearer::itself(organization, role))
    }

    /// The bearer of a user in an organization, be there a membership or not.
    fn member(
        &mut self,
        to: &Directory,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<u32, ApplyError> {
        let organization = self.organization(organization)?;
        let user = *self.users.get(&user).ok_or(ApplyError::UnknownUser(user))?;
        if let Some(bearer) = self.members.get(&(organization, user)) {
            return Ok(*bearer);
        }
        let user_active = to.users.get(user).is_some_and(|user| user.number() == 1);
        self.push(to, user, Bearer::user(organization, user_active))
    }

    fn push(&mut self, to: &Directory, user: u32, bearer: Bearer) -> Result<u32, ApplyError> {
        let number = to.bearers.push(bearer.0)?;
        to.bearer_users.push(user)?;
        self.before.push(NOBODY);
        if let Some(last) = self.last_of_user.get_mut(user as usize) {
            self.before[number as usize] = std::mem::replace(last, number);
            self.members.insert((bearer.organization(), user), number);
        } else {
            self.keys
                .insert((bearer.organization(), bearer.role()), number);
        }
        Ok(number)
    }

    fn organization(&self, id: OrganizationId) -> Result<u32, ApplyError> {
        self.organizations
            .get(&id)
            .copied()
            .ok_or(ApplyError::UnknownOrganization(id))
    }

    /// The number of a set of permissions.
    pub(crate) fn intern(&mut self, to: &Directory, set: PermissionSet) -> Result<u32, SlabFull> {
        number(&to.sets, &mut self.sets, set)
    }

    /// The number of the addresses from which a token may be used; 0 is everywhere.
    pub(crate) fn intern_addresses(
        &mut self,
        to: &Directory,
        rules: AddressRules,
    ) -> Result<u32, SlabFull> {
        number(&to.addresses, &mut self.addresses, rules)
    }

    /// Copies `from` into `to`, which is empty: the numbers of all but the sets and the rules stay
    /// the same.
    pub(crate) fn copy(
        &mut self,
        (from, strings): (&Directory, &Arena),
        to: &Directory,
        arena: &Arena,
    ) -> Result<(), ApplyError> {
        for each in from.organizations.iter() {
            let standing = Standing(each.number());
            let rules = from.rules.get(standing.rules());
            self.put_organization(
                to,
                arena,
                (each.id, &strings.text(each.name())),
                (standing.is_active(), standing.is_host()),
                rules.cloned().ok_or(ApplyError::Full)?,
                each.more.get(),
            )?;
        }
        for each in from.users.iter() {
            self.put_user(
                to,
                arena,
                each.id,
                &strings.text(each.name()),
                each.number() == 1,
            )?;
        }
        for each in from.roles.iter() {
            let set = from.sets.get(each.number()).cloned().unwrap_or_default();
            self.put_role(to, arena, each.id, &strings.text(each.name()), set)?;
        }
        for (number, user) in (0..from.bearers.len()).zip(from.bearer_users.iter()) {
            if let Some(bearer) = from.bearer(number) {
                if bearer.has_revoked() {
                    let before = from.revoked_before.get(number);
                    to.revoked_before.raise(number, before);
                }
                self.push(to, *user, bearer)?;
            }
        }
        Ok(())
    }

    /// An estimate: a map's entry takes its content and a byte, in tables 7/8 to 7/16 full.
    pub(crate) fn bytes(&self) -> usize {
        let by_id = self.organizations.capacity() + self.users.capacity() + self.roles.capacity();
        let by_pair = self.members.capacity() + self.keys.capacity();
        let by_hash = self.sets.capacity() + self.rules.capacity() + self.addresses.capacity();
        (by_id * 21 + (by_pair + by_hash) * 17) * 8 / 7
            + (self.last_of_user.capacity() + self.before.capacity()) * 4
    }
}
