//! Who tokens speak for: organizations, users, roles and memberships, reached by index from a token's line.
//! Suspending a user of a thousand tokens changes one word here and none in the table.

use crate::{
    arena::{Arena, words_for},
    bearer::{Bearer, NOBODY},
    change::{ApplyError, Owner},
    slab::{Slab, Words},
};
use hallpass_domain::{
    id::{OrganizationId, RoleId, UserId},
    permission::PermissionSet,
};
use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash},
    sync::atomic::{AtomicU64, Ordering},
};

/// What tokens hang on. Everyone reads; one writer appends and changes words.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) organizations: Slab<Entity<OrganizationId>>,
    pub(crate) users: Slab<Entity<UserId>>,
    pub(crate) roles: Slab<Entity<RoleId>>,
    bearers: Words,
    /// The user of each bearer, or [`NOBODY`].
    bearer_users: Slab<u32>,
    /// Sets of permissions, each stored once however many roles and tokens have it. The first is empty.
    pub(crate) sets: Slab<PermissionSet>,
}

/// Something with an id, a name, and one number that verdicts ask for: 1 or 0 for active or not, or the set of
/// permissions of a role. Name and number stand in one word and so change together.
#[derive(Debug)]
pub(crate) struct Entity<I> {
    pub(crate) id: I,
    word: AtomicU64,
}

impl<I> Entity<I> {
    fn new(id: I, number: u32, name: u32) -> Self {
        Self {
            id,
            word: AtomicU64::new(Self::word(number, name)),
        }
    }

    fn word(number: u32, name: u32) -> u64 {
        u64::from(number) | u64::from(name) << 32
    }

    #[inline]
    pub(crate) fn number(&self) -> u32 {
        self.word.load(Ordering::Acquire) as u32
    }

    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        self.number() == 1
    }

    /// Where the name is in the arena.
    pub(crate) fn name(&self) -> u32 {
        (self.word.load(Ordering::Acquire) >> 32) as u32
    }
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
    /// Sets by their hash; of two with the same hash, the second stands under the next number.
    sets: HashMap<u64, u32>,
    /// Words of the arena that no name needs any more.
    pub(crate) garbage: usize,
}

impl Directory {
    pub(crate) fn new() -> Self {
        let sets = Slab::new();
        // The first element of an empty list always has room.
        let _ = sets.push(PermissionSet::default());
        Self {
            organizations: Slab::new(),
            users: Slab::new(),
            roles: Slab::new(),
            bearers: Words::new(),
            bearer_users: Slab::new(),
            sets,
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

    pub(crate) fn bytes(&self) -> usize {
        let bearers = self.bearers.bytes() + self.bearer_users.bytes();
        self.organizations.bytes()
            + self.users.bytes()
            + self.roles.bytes()
            + bearers
            + self.sets.bytes()
    }
}

/// Puts an entity into its list, or changes the one that is there.
fn put<I: Copy + Eq + Hash>(
    list: &Slab<Entity<I>>,
    register: &mut HashMap<I, u32>,
    (id, number, name): (I, u32, &str),
    arena: &Arena,
) -> Result<usize, ApplyError> {
    let Some(entity) = register.get(&id).and_then(|index| list.get(*index)) else {
        let name = arena.append(name.as_bytes())?;
        register.insert(id, list.push(Entity::new(id, number, name))?);
        return Ok(0);
    };
    let old = arena.text(entity.name());
    let (place, garbage) = if old == name {
        (entity.name(), 0)
    } else {
        (arena.append(name.as_bytes())?, words_for(old.len()))
    };
    entity
        .word
        .store(Entity::<I>::word(number, place), Ordering::Release);
    Ok(garbage as usize)
}

impl Registers {
    pub(crate) fn put_organization(
        &mut self,
        to: &Directory,
        arena: &Arena,
        id: OrganizationId,
        name: &str,
        active: bool,
    ) -> Result<(), ApplyError> {
        self.garbage += put(
            &to.organizations,
            &mut self.organizations,
            (id, u32::from(active), name),
            arena,
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
        self.garbage += put(&to.roles, &mut self.roles, (id, set, name), arena)?;
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
        let user_active = to.users.get(user).is_some_and(Entity::is_active);
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

    /// The number of a set of permissions. Sets are never forgotten; the product has few.
    pub(crate) fn intern(&mut self, to: &Directory, set: PermissionSet) -> Result<u32, ApplyError> {
        if set.is_empty() {
            return Ok(0);
        }
        let mut hash = self.sets.hasher().hash_one(&set);
        while let Some(index) = self.sets.get(&hash) {
            if to.sets.get(*index) == Some(&set) {
                return Ok(*index);
            }
            hash = hash.wrapping_add(1);
        }
        let index = to.sets.push(set)?;
        self.sets.insert(hash, index);
        Ok(index)
    }

    /// Copies `from` into `to`, which is empty: the numbers of all but the sets stay the same.
    pub(crate) fn copy(
        &mut self,
        (from, strings): (&Directory, &Arena),
        to: &Directory,
        arena: &Arena,
    ) -> Result<(), ApplyError> {
        for each in from.organizations.iter() {
            self.put_organization(
                to,
                arena,
                each.id,
                &strings.text(each.name()),
                each.is_active(),
            )?;
        }
        for each in from.users.iter() {
            self.put_user(
                to,
                arena,
                each.id,
                &strings.text(each.name()),
                each.is_active(),
            )?;
        }
        for each in from.roles.iter() {
            let set = from.sets.get(each.number()).cloned().unwrap_or_default();
            self.put_role(to, arena, each.id, &strings.text(each.name()), set)?;
        }
        for (number, user) in (0..from.bearers.len()).zip(from.bearer_users.iter()) {
            if let Some(bearer) = from.bearer(number) {
                self.push(to, *user, bearer)?;
            }
        }
        Ok(())
    }

    /// An estimate: a map's entry takes its content and a byte, in tables 7/8 to 7/16 full.
    pub(crate) fn bytes(&self) -> usize {
        let by_id = self.organizations.capacity() + self.users.capacity() + self.roles.capacity();
        let by_pair = self.members.capacity() + self.keys.capacity() + self.sets.capacity();
        (by_id * 21 + by_pair * 17) * 8 / 7
            + (self.last_of_user.capacity() + self.before.capacity()) * 4
    }
}
