//! Organizations, members, roles, invitations.

/// A page of members: `$1` organization, `$2` search or '', `$3` a role or an empty text, `$4` standing or 'any',
/// `$5` after this address, `$6` rows, `$7` now.
macro_rules! member_columns {
    ($now:literal) => {
        concat!(
            "select m.organization_id, m.user_id, m.role_id, m.standing, m.may_have_tokens, m.created_at, u.email, u.name, u.standing as user_standing, r.name as role_name, u.email_key, \
             cast((select count(*) from (select 1 from token t where t.user_id = m.user_id and t.organization_id = m.organization_id and t.revoked_at is null and (t.expires_at is null or t.expires_at > ", $now, ") \
             and t.created_at >= coalesce(o.tokens_revoked_before, 0) and t.created_at >= coalesce((select x.before_at from tokens_revoked x where x.organization_id = m.organization_id and x.user_id = m.user_id), 0) limit 101) as live) as BIGINT) as tokens \
             from membership m join app_user u on u.id = m.user_id join role r on r.id = m.role_id join organization o on o.id = m.organization_id "
        )
    };
}

macro_rules! role_columns {
    () => {
        "r.id, r.organization_id, r.name, r.description, r.grants_all, r.permissions, r.tokens_by_default, r.version"
    };
}

statements! {
    ORGANIZATION_HOLD = "update organization set superusers = superusers where id = $1";
    /// Fails, by the constraint, when there was a superuser and there would be none.
    ORGANIZATION_RECOUNT = "update organization set superusers = case when superusers is null then nullif((select count(*) from membership m join app_user u on u.id = m.user_id join role r on r.id = m.role_id where m.organization_id = $1 and r.built_in = 'superuser' and m.standing = 'active' and u.standing = 'active'), 0) \
        else (select count(*) from membership m join app_user u on u.id = m.user_id join role r on r.id = m.role_id where m.organization_id = $1 and r.built_in = 'superuser' and m.standing = 'active' and u.standing = 'active') end where id = $1";
    ORGANIZATION_RENAME = "update organization set name = $2, name_key = $3 where id = $1";
    ORGANIZATIONS_UNFOLDED = "select id, name from organization where name_key = ''";
    ORGANIZATION_FOLD = "update organization set name_key = $2 where id = $1";
    USERS_UNFOLDED = "select id, name from app_user where name_key = ''";
    USER_FOLD = "update app_user set name_key = $2 where id = $1";
    ORGANIZATION_REVOKE_TOKENS = "update organization set tokens_revoked_before = $2 where id = $1 and coalesce(tokens_revoked_before, 0) < $2";
    ORGANIZATIONS_PAGE = "select o.id, o.name, o.standing, o.is_host, o.created_at, cast((select count(*) from membership m where m.organization_id = o.id) as BIGINT) as members from organization o \
        where ($1 = '' or o.name_key like $1 escape '\\') and (o.created_at, o.id) > ($2, $3) order by o.created_at, o.id limit $4";
    ORGANIZATION_HOST = "select id from organization where is_host";
    ORGANIZATION_SUMMARY = "select o.id, o.name, o.standing, o.is_host, o.created_at, cast((select count(*) from membership m where m.organization_id = o.id) as BIGINT) as members from organization o where o.id = $1";

    MEMBER_REVOKE_TOKENS = "insert into tokens_revoked (organization_id, user_id, before_at) values ($1, $2, $3) on conflict (organization_id, user_id) do update set before_at = excluded.before_at where excluded.before_at > tokens_revoked.before_at";
    TOKENS_NEWEST = "select cast(coalesce(max(created_at), 0) as BIGINT) from token where organization_id = $1";
    TOKENS_NEWEST_OF_USER = "select cast(coalesce(max(created_at), 0) as BIGINT) from token where organization_id = $1 and user_id = $2";
    TOKENS_REVOKED_ALL = "select organization_id, user_id, before_at from tokens_revoked";
    TOKENS_REVOKED_ONE = "select before_at from tokens_revoked where organization_id = $1 and user_id = $2";
    /// The first moment at which a token of this organization and user may be made: those before are revoked.
    TOKENS_FLOOR = "select cast(coalesce(max(moment), 0) as BIGINT) from (select tokens_revoked_before as moment from organization where id = $1 union all select before_at from tokens_revoked where organization_id = $1 and user_id = $2) as moments";

    MEMBERS_PAGE = concat!(
        member_columns!("$7"),
        "where m.organization_id = $1 and ($2 = '' or u.email_key like $2 escape '\\' or u.name_key like $2 escape '\\') and (m.role_id = $3 or length($3) = 0) \
         and ($4 = 'any' or (case when m.standing = 'active' and u.standing = 'active' then 'active' else 'suspended' end) = $4) and u.email_key collate \"C\" > $5 order by u.email_key collate \"C\" limit $6"
    );
    MEMBER_ROW = concat!(member_columns!("$3"), "where m.organization_id = $1 and m.user_id = $2");
    /// Where a user is a member: `$1` user, `$2` now, `$3` rows.
    PLACES_OF_USER = concat!(member_columns!("$2"), "where m.user_id = $1 order by m.created_at, m.organization_id limit $3");
    MEMBER_NAMES_BY_ROLE = "select u.name from membership m join app_user u on u.id = m.user_id where m.organization_id = $1 and m.role_id = $2 and m.standing = 'active' and u.standing = 'active' order by m.created_at, m.user_id limit $3";
    MEMBERSHIP_INSERT = "insert into membership (organization_id, user_id, role_id, standing, may_have_tokens, created_at) values ($1, $2, $3, $4, $5, $6) on conflict (organization_id, user_id) do nothing";
    /// Only as it was when the change was checked.
    MEMBERSHIP_CHANGE = "update membership set role_id = $6, standing = $7, may_have_tokens = $8 where organization_id = $1 and user_id = $2 and role_id = $3 and standing = $4 and may_have_tokens = $5";
    MEMBERSHIP_STILL = "update membership set token_writes = token_writes where organization_id = $1 and user_id = $2 and role_id = $3 and standing = 'active'";
    MEMBERSHIPS_OF_ROLE = "select user_id from membership where organization_id = $1 and role_id = $2";
    MEMBERSHIPS_MOVE = "update membership set role_id = $3 where organization_id = $1 and role_id = $2";
    SESSIONS_END_IN = "delete from session where user_id = $1 and organization_id = $2";
    SESSION_MOVE = "update session set organization_id = $3 where id = $1 and user_id = $2";

    USERS_PAGE = "select id, email, name, standing, email_key from app_user where removed_at is null and ($1 = '' or email_key like $1 escape '\\' or name_key like $1 escape '\\') and email_key collate \"C\" > $2 order by email_key collate \"C\" limit $3";
    USER_KEEP = "update app_user set token_writes = token_writes where id = $1 and removed_at is null";
    /// The address is free again for somebody new.
    USER_REMOVE = "update app_user set standing = 'suspended', removed_at = $2, email_key = $3, password_hash = null where id = $1 and removed_at is null";
    USER_IS_REMOVED = "select cast(count(*) as BIGINT) from app_user where id = $1 and removed_at is not null";

    ROLE_ROWS = concat!(
        "select ", role_columns!(), ", cast((select count(*) from membership m where m.organization_id = $1 and m.role_id = r.id) as BIGINT) as members, \
         cast((select count(*) from token t where t.organization_id = $1 and t.role_id = r.id and t.secret_of is null and ", is_not_revoked!(), ") as BIGINT) as keys \
         from role r where (r.organization_id is null or r.organization_id = $1) and r.deleted_at is null"
    );
    /// With those that were deleted, which hold nothing: keys that ended with them still name them.
    ROLES = concat!("select ", role_columns!(), " from role r");
    ROLE = concat!("select ", role_columns!(), " from role r where r.id = $1 and r.deleted_at is null");
    ROLE_UPSERT = "insert into role (id, organization_id, name, name_key, description, grants_all, permissions, tokens_by_default, built_in) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (id) do update set name = excluded.name, name_key = excluded.name_key, description = excluded.description, grants_all = excluded.grants_all, permissions = excluded.permissions, tokens_by_default = excluded.tokens_by_default, built_in = excluded.built_in, version = role.version + 1";
    ROLES_OWN_COUNT = "select cast(count(*) as BIGINT) from role where organization_id = $1 and deleted_at is null";
    ROLE_INSERT = "insert into role (id, organization_id, name, name_key, description, grants_all, permissions, tokens_by_default) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing";
    ROLE_NAMESAKE = "select cast(count(*) as BIGINT) from role where (organization_id is null or organization_id = $1) and name_key = $2 and id <> $3 and deleted_at is null";
    ROLE_CHANGE = "update role set name = $3, name_key = $4, description = $5, permissions = $6, tokens_by_default = $7, version = version + 1 where id = $1 and version = $2 and organization_id = $8 and deleted_at is null";
    /// Holds a role as it was when the request was checked.
    ROLE_HOLD = "update role set version = version where id = $1 and version = $2 and deleted_at is null";
    ROLE_STILL = "select version from role where id = $1 and version = $2 and deleted_at is null";
    ROLE_DELETE = "update role set deleted_at = $4, permissions = '', version = version + 1 where id = $1 and organization_id = $2 and version = $3 and deleted_at is null";
    ROLE_IN_USE = "select cast((select count(*) from membership m where m.role_id = $1) + (select count(*) from invitation i where i.role_id = $1 and i.accepted_at is null and i.withdrawn_at is null and i.expires_at > $2) as BIGINT)";
    KEYS_OF_ROLE_REVOKE = concat!("update token as t set revoked_at = $3, bulk_at = $3, version = t.version + 1 where t.organization_id = $1 and t.role_id = $2 and t.secret_of is null and ", is_not_revoked!());

    INVITATION_INSERT = "insert into invitation (id, organization_id, email, email_key, role_id, may_have_tokens, digest, created_at, expires_at, inviter_user_id, inviter_token_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    INVITATIONS_COUNT = "select cast(count(*) as BIGINT) from invitation where organization_id = $1 and accepted_at is null and withdrawn_at is null and expires_at > $2";
    INVITATION_WITHDRAW_OTHERS = "update invitation set withdrawn_at = $3 where organization_id = $1 and email_key = $2 and accepted_at is null and withdrawn_at is null";
    INVITATION_WITHDRAW_TO = "update invitation set withdrawn_at = $3 where organization_id = $1 and email_key = $2 and accepted_at is null and withdrawn_at is null returning id";
    /// What somebody offered who is leaving, or may offer less from now on.
    INVITATIONS_WITHDRAW_OF = "update invitation set withdrawn_at = $3 where organization_id = $1 and inviter_user_id = $2 and accepted_at is null and withdrawn_at is null";
    INVITATION_WITHDRAW = "update invitation set withdrawn_at = $3 where organization_id = $1 and id = $2 and accepted_at is null and withdrawn_at is null";
    /// Single-use: whoever is first.
    INVITATION_ACCEPT = "update invitation set accepted_at = $2 where id = $1 and accepted_at is null and withdrawn_at is null and expires_at > $2";
    INVITATIONS_OPEN = "select i.id, i.organization_id, i.email, i.role_id, i.may_have_tokens, i.created_at, i.expires_at, i.inviter_user_id, i.inviter_token_id, r.name as role_name from invitation i join role r on r.id = i.role_id where i.organization_id = $1 and i.accepted_at is null and i.withdrawn_at is null and i.expires_at > $2 order by i.created_at desc, i.id desc limit $3";
    INVITATION_ONE = "select i.id, i.organization_id, i.email, i.role_id, i.may_have_tokens, i.created_at, i.expires_at, i.inviter_user_id, i.inviter_token_id, r.name as role_name from invitation i join role r on r.id = i.role_id where i.organization_id = $1 and i.id = $2 and i.accepted_at is null and i.withdrawn_at is null";
    INVITATION_BY_DIGEST = "select i.id, i.organization_id, i.email, i.role_id, i.may_have_tokens, i.created_at, i.expires_at, i.inviter_user_id, i.inviter_token_id, r.name as role_name from invitation i join role r on r.id = i.role_id where i.digest = $1 and i.accepted_at is null and i.withdrawn_at is null and i.expires_at > $2";
}
