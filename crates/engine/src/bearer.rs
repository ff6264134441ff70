//! On whose behalf a token speaks, in one word, so that a verdict reads all of it at one moment.

/// In the place of a user: the organization itself.
pub(crate) const NOBODY: u32 = u32::MAX;

/// A bearer at a moment: a user in an organization, or the organization itself with a role. Bit 0: it is a
/// member, or the organization; 1: the membership is in good standing; 2: it may have tokens; 3: the user is in
/// good standing, repeated here so that a verdict need not go and ask; 4: it is the organization itself; 5: many of
/// its tokens were revoked together, and the directory says up to when. 6–31: the role. 32–63: the organization.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bearer(pub(crate) u64);

impl Bearer {
    const USER: u64 = 1 << 3;
    const ITSELF: u64 = 1 << 4;
    const REVOKED: u64 = 1 << 5;
    pub(crate) const ROLES: u32 = 1 << 26;

    pub(crate) const fn itself(organization: u32, role: u32) -> Self {
        Self(1 | Self::ITSELF | (role as u64) << 6 | (organization as u64) << 32)
    }

    pub(crate) const fn user(organization: u32, user_active: bool) -> Self {
        Self((organization as u64) << 32).with_user(user_active)
    }

    /// The same user as a member.
    pub(crate) const fn member(self, role: u32, active: bool, may_have_tokens: bool) -> Self {
        Self(
            self.stranger().0
                | 1
                | (active as u64) << 1
                | (may_have_tokens as u64) << 2
                | (role as u64) << 6,
        )
    }

    /// The same user without a membership.
    pub(crate) const fn stranger(self) -> Self {
        Self(self.0 & (Self::USER | Self::REVOKED | (u32::MAX as u64) << 32))
    }

    pub(crate) const fn with_user(self, active: bool) -> Self {
        Self(if active {
            self.0 | Self::USER
        } else {
            self.0 & !Self::USER
        })
    }

    pub(crate) const fn with_revoked(self) -> Self {
        Self(self.0 | Self::REVOKED)
    }

    pub(crate) const fn has_revoked(self) -> bool {
        self.0 & Self::REVOKED != 0
    }

    pub(crate) const fn is_present(self) -> bool {
        self.0 & 1 != 0
    }

    pub(crate) const fn is_active(self) -> bool {
        self.0 & 2 != 0
    }

    pub(crate) const fn may_have_tokens(self) -> bool {
        self.0 & 4 != 0
    }

    pub(crate) const fn user_active(self) -> bool {
        self.0 & Self::USER != 0
    }

    pub(crate) const fn is_organization(self) -> bool {
        self.0 & Self::ITSELF != 0
    }

    pub(crate) const fn role(self) -> u32 {
        self.0 as u32 >> 6
    }

    pub(crate) const fn organization(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_stands_for_itself() {
        let (role, organization) = (Bearer::ROLES - 1, u32::MAX);
        let user = Bearer::user(organization, true).with_revoked();
        let member = user.member(role, true, false);
        assert!(member.is_present() && member.is_active() && !member.may_have_tokens());
        assert!(member.user_active() && !member.is_organization());
        assert_eq!((member.role(), member.organization()), (role, organization));
        assert!(member.has_revoked() && member.stranger().has_revoked());
        assert!(member.stranger().member(0, false, true).has_revoked());
        assert!(
            !Bearer::user(organization, true)
                .member(role, true, true)
                .has_revoked()
        );
        let key = Bearer::itself(organization, role);
        assert!(key.is_organization() && key.is_present() && !key.has_revoked());
        assert_eq!((key.role(), key.organization()), (role, organization));
    }
}
