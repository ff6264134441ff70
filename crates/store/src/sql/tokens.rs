//! API keys, suspension, policy: what concerns the tokens of an organization.

/// What is held against an organization's lifetime: kind `$2`, days `$3` as microseconds, now `$4`.
macro_rules! outlives {
    () => {
        concat!("t.organization_id = $1 and t.kind = $2 and t.secret_of is null and (t.expires_at is null or t.expires_at > $4) and (t.expires_at is null or t.expires_at > t.created_at + $3) and ", is_not_revoked!())
    };
}

/// Not used, nor made, since `$2`; a key counts as used when any of its secrets was. Not ended at `$3`.
macro_rules! unused {
    () => {
        concat!(
            "t.organization_id = $1 and t.secret_of is null and (t.expires_at is null or t.expires_at > $3) and t.created_at < $2 and (t.valid_from is null or t.valid_from < $2) \
             and not exists (select 1 from token_use u where u.at >= $2 and (u.token_id = t.id or u.token_id in (select s.id from token s where s.secret_of = t.id))) and ",
            is_not_revoked!()
        )
    };
}

/// The row of the token or key `$2`, or of a further secret of the key. A further secret itself is not one.
macro_rules! row_of {
    () => {
        "(t.id = $2 and t.secret_of is null or t.secret_of = $2)"
    };
}

/// Whether enforcing the longest lifetime in days, as microseconds, would revoke it at `$3`.
macro_rules! goes_by_age {
    ($days:literal, $may_never_expire:literal) => {
        concat!(
            "case when cast(",
            $days,
            " as BIGINT) is null then t.expires_at is null and not ",
            $may_never_expire,
            " else (t.expires_at is null or t.expires_at > t.created_at + cast(",
            $days,
            " as BIGINT)) and t.created_at + cast(",
            $days,
            " as BIGINT) <= $3 end"
        )
    };
}

/// Tokens that were revoked with their organization and are not marked yet. SQLite keeps to the order of a `cross join`:
/// it would begin with the tokens, all of them.
macro_rules! unsettled_of_organizations {
    () => {
        "from organization o cross join token t where t.organization_id = o.id and t.created_at < o.tokens_revoked_before and o.tokens_revoked_before is not null and t.revoked_at is null"
    };
}

/// Those revoked with others of their user there.
macro_rules! unsettled_of_members {
    () => {
        "from tokens_revoked x cross join token t where t.user_id = x.user_id and t.organization_id = x.organization_id and t.created_at < x.before_at and t.user_id is not null and t.revoked_at is null"
    };
}

/// Those that one call would revoke: of organization `$1`, made before `$2`, not revoked yet.
macro_rules! doomed {
    () => {
        "select cast(count(*) as BIGINT) from token t where t.organization_id = $1 and t.created_at < $2 and t.created_at >= (select coalesce(o.tokens_revoked_before, 0) from organization o where o.id = $1) and t.revoked_at is null and t.secret_of is null \
         and not exists (select 1 from tokens_revoked x where x.organization_id = t.organization_id and x.user_id = t.user_id and t.created_at < x.before_at)"
    };
}

macro_rules! policy_columns {
    () => {
        "personal_days_max, personal_may_never_expire, key_days_max, key_may_never_expire, forbidden, unused_days_max, networks, owner_may_lift"
    };
}

macro_rules! key_columns {
    ($since:literal) => {
        concat!(
            "select t.id, t.organization_id, t.role_id, r.name as role_name, t.name, t.prefix, t.scope, t.created_at, t.valid_from, t.expires_at, t.never_expires_acknowledged, ", revoked_at!(), " as revoked_at, \
             t.suspended_at, t.suspended_until, t.suspended_reason, t.suspended_by_owner, t.allow_networks, t.deny_networks, t.maker_user_id, t.maker_token_id, t.version, \
             cast((select coalesce(sum(h.allowed), 0) from token_use_hour h where h.hour >= ", $since, " and (h.token_id = t.id or h.token_id in (select s.id from token s where s.secret_of = t.id))) as BIGINT) as recent_uses \
             from token t join role r on r.id = t.role_id "
        )
    };
}

statements! {
    KEYS_LIVE_COUNT = "select cast(count(*) as BIGINT) from token t join organization o on o.id = t.organization_id where t.organization_id = $1 and t.user_id is null and t.secret_of is null and t.revoked_at is null and (t.expires_at is null or t.expires_at > $2) and t.created_at >= coalesce(o.tokens_revoked_before, 0)";
    /// Marks what was revoked together, so that its names are free.
    TOKENS_SETTLE_USER = concat!("update token as t set revoked_at = ", revoked_at!(), ", version = t.version + 1 where t.user_id = $1 and t.revoked_at is null and ", revoked_at!(), " is not null");
    TOKENS_SETTLE_KEYS = "update token set revoked_at = $2, version = version + 1 where organization_id = $1 and user_id is null and revoked_at is null and created_at < $2";
    /// The same for all organizations and users, some at a time.
    TOKENS_SETTLE_ORGANIZATIONS = concat!("update token set version = version + 1, revoked_at = (select o.tokens_revoked_before from organization o where o.id = token.organization_id) where id in (select t.id ", unsettled_of_organizations!(), " limit $1)");
    TOKENS_SETTLE_MEMBERS = concat!("update token set version = version + 1, revoked_at = (select x.before_at from tokens_revoked x where x.organization_id = token.organization_id and x.user_id = token.user_id) where id in (select t.id ", unsettled_of_members!(), " limit $1)");
    /// Whether there is one; asked without the writer.
    TOKENS_UNSETTLED_ORGANIZATIONS = concat!("select cast(count(*) as BIGINT) from (select 1 ", unsettled_of_organizations!(), " limit 1) as waiting");
    TOKENS_UNSETTLED_MEMBERS = concat!("select cast(count(*) as BIGINT) from (select 1 ", unsettled_of_members!(), " limit 1) as waiting");
    TOKENS_DOOMED_COUNT = doomed!();
    TOKENS_DOOMED_COUNT_OF_USER = concat!(doomed!(), " and t.user_id = $3");

    KEY_INSERT = "insert into token (id, kind, organization_id, role_id, name, name_key, prefix, digest, pepper_id, bcrypt, scope, created_at, secret_since, valid_from, expires_at, never_expires_acknowledged, allow_networks, deny_networks, maker_user_id, maker_token_id) values ($1, 'api_key', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $13, $14, $15, $16, $17, $18) on conflict do nothing";
    KEY_NAME_HOLDER = "select prefix from token where organization_id = $1 and name_key = $2 and revoked_at is null and user_id is null and secret_of is null";
    KEYS_PAGE = concat!(key_columns!("$2"), "where t.organization_id = $1 and t.kind = 'api_key' and t.secret_of is null and ($3 = 'any' or $3 = ", state_at!("$4"), ") and ($5 = '' or t.name_key like $5 escape '\\' or lower(t.prefix) like $5 escape '\\' or exists (select 1 from token s where s.secret_of = t.id and lower(s.prefix) like $5 escape '\\')) and t.name_key collate \"C\" >= $6 and (t.name_key collate \"C\", t.id) > ($6, $7) order by t.name_key collate \"C\", t.id limit $8");
    KEY_ONE = concat!(key_columns!("$3"), "where t.organization_id = $1 and t.id = $2 and t.kind = 'api_key' and t.secret_of is null");
    KEY_SECRETS = "select s.id, s.prefix, s.secret_since, s.created_at, s.secret_retired_at, s.secret_until, s.secret_quiet_seconds, u.at as used_at, u.method as used_method, u.path as used_path, u.address as used_address, u.agent as used_agent from token s left join token_use u on u.token_id = s.id where s.organization_id = $1 and (s.id = $2 or s.secret_of = $2) order by case when s.secret_until is null then 0 else 1 end, s.secret_until desc, s.secret_since desc, s.id desc limit $3";
    KEY_REVOKE = concat!("update token as t set revoked_at = $3, version = t.version + 1 where t.organization_id = $1 and ", row_of!(), " and t.kind = 'api_key' and ", is_not_revoked!());
    /// Keys and secrets of keys made since `$2`, in one organization.
    KEYS_MADE = "select cast(count(*) as BIGINT) from token where organization_id = $1 and created_at > $2 and kind = 'api_key'";
    /// Secrets that a rotation at `$3` may have changed, and the key itself.
    KEY_ROWS_ROTATED = "select id from token where organization_id = $1 and (id = $2 or secret_of = $2 and (secret_until is null or secret_until >= $3))";
    KEY_ROWS = "select id from token where organization_id = $1 and (id = $2 or secret_of = $2)";
    KEY_SECRETS_WORKING = "select cast(count(*) as BIGINT) from token where organization_id = $1 and (id = $2 or secret_of = $2) and revoked_at is null and (secret_until is null or secret_until > $3)";
    /// The key as it was when the rotation was checked, neither ended nor suspended.
    KEY_HOLD = concat!("update token as t set version = t.version where t.organization_id = $1 and t.id = $2 and t.version = $3 and t.kind = 'api_key' and t.secret_of is null and t.suspended_at is null and (t.expires_at is null or t.expires_at > $4) and ", is_not_revoked!());
    /// All secrets but the new one. Those of older rotations end with the current one at the latest.
    KEY_RETIRE = "update token set version = version + 1, secret_until = case when secret_until < $3 then secret_until else $3 end, secret_quiet_seconds = case when secret_retired_at is null then $4 else secret_quiet_seconds end, secret_retired_at = coalesce(secret_retired_at, $5) where organization_id = $1 and (id = $2 or secret_of = $2) and id <> $6 and (secret_until is null or secret_until >= $5)";
    KEY_ADD_SECRET = "insert into token (id, kind, organization_id, role_id, name, name_key, prefix, digest, pepper_id, bcrypt, scope, created_at, secret_since, valid_from, expires_at, never_expires_acknowledged, allow_networks, deny_networks, secret_of) \
        select $3, k.kind, k.organization_id, k.role_id, k.name, k.name_key, $4, $5, $6, $7, k.scope, k.created_at, $8, k.valid_from, k.expires_at, k.never_expires_acknowledged, k.allow_networks, k.deny_networks, k.id from token k where k.organization_id = $1 and k.id = $2 on conflict do nothing";
    SECRETS_QUIET = "select s.id, s.organization_id, coalesce(s.secret_of, s.id) as key_id from token s left join token_use u on u.token_id = s.id where s.secret_quiet_seconds is not null and s.secret_until > $1 and s.revoked_at is null and (case when coalesce(u.at, 0) > s.secret_retired_at then u.at else s.secret_retired_at end) + s.secret_quiet_seconds * 1000000 <= $1 limit 1000";
    SECRET_END = "update token set secret_until = $2 where id = $1 and secret_until > $2";

    TOKEN_SUSPENSION = concat!("select t.kind, t.user_id, t.name, t.prefix, ", revoked_at!(), " as revoked_at, t.expires_at, t.suspended_at, t.suspended_until, t.suspended_reason, t.suspended_by_owner from token t where t.organization_id = $1 and t.id = $2 and t.secret_of is null");
    /// What an owner begins does not take the place of what somebody else began.
    TOKEN_SUSPEND = concat!("update token as t set suspended_at = $3, suspended_until = $4, suspended_reason = $5, suspended_by_owner = $6, version = t.version + 1 where t.organization_id = $1 and ", row_of!(), " and (t.suspended_at is null or t.suspended_by_owner or not $6) and ", is_not_revoked!());
    TOKEN_LIFT = concat!("update token as t set suspended_at = null, suspended_until = null, suspended_reason = null, suspended_by_owner = false, version = t.version + 1 where t.organization_id = $1 and ", row_of!(), " and t.suspended_at is not null and t.suspended_by_owner = $3 and ", is_not_revoked!());
    /// Only if its end has come: it may have been put off since it was looked at.
    TOKEN_LIFT_DUE = concat!("update token as t set suspended_at = null, suspended_until = null, suspended_reason = null, suspended_by_owner = false, version = t.version + 1 where t.organization_id = $1 and ", row_of!(), " and t.suspended_at is not null and t.suspended_until <= $3 and ", is_not_revoked!());
    SUSPENSIONS_DUE = concat!("select t.id, t.organization_id, t.suspended_by_owner from token t where t.suspended_until <= $1 and t.suspended_at is not null and t.secret_of is null and ", is_not_revoked!(), " limit 1000");

    POLICY = concat!("select ", policy_columns!(), " from policy where organization_id = $1");
    POLICY_PUT = concat!("insert into policy (organization_id, version, ", policy_columns!(), ") values ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (organization_id) do update set version = policy.version + 1, personal_days_max = excluded.personal_days_max, personal_may_never_expire = excluded.personal_may_never_expire, key_days_max = excluded.key_days_max, key_may_never_expire = excluded.key_may_never_expire, forbidden = excluded.forbidden, unused_days_max = excluded.unused_days_max, networks = excluded.networks, owner_may_lift = excluded.owner_may_lift");
    POLICY_CHANGE = concat!("select ", policy_columns!(), ", enforce_at, made_at, actor_user_id, actor_token_id from policy_change where organization_id = $1");
    POLICY_CHANGE_PUT = concat!("insert into policy_change (organization_id, ", policy_columns!(), ", enforce_at, made_at, actor_user_id, actor_token_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict (organization_id) do update set personal_days_max = excluded.personal_days_max, personal_may_never_expire = excluded.personal_may_never_expire, key_days_max = excluded.key_days_max, key_may_never_expire = excluded.key_may_never_expire, forbidden = excluded.forbidden, unused_days_max = excluded.unused_days_max, networks = excluded.networks, owner_may_lift = excluded.owner_may_lift, enforce_at = excluded.enforce_at, made_at = excluded.made_at, actor_user_id = excluded.actor_user_id, actor_token_id = excluded.actor_token_id");
    /// As it was when it was looked at.
    POLICY_CHANGE_TAKE = "delete from policy_change where organization_id = $1 and made_at = $2";
    POLICY_CHANGES_DUE = "select organization_id from policy_change where enforce_at <= $1";
    POLICIES_UNUSED = "select organization_id, unused_days_max from policy where unused_days_max is not null";
    TOKENS_SHORTEN = concat!("update token as t set expires_at = t.created_at + $3, bulk_at = $4, version = t.version + 1 where ", outlives!(), " and t.created_at + $3 > $4");
    TOKENS_OUTLIVED = concat!("update token as t set revoked_at = $4, bulk_at = $4, version = t.version + 1 where ", outlives!(), " and t.created_at + $3 <= $4");
    TOKENS_ENDLESS = concat!("update token as t set revoked_at = $3, bulk_at = $3, version = t.version + 1 where t.organization_id = $1 and t.kind = $2 and t.secret_of is null and t.expires_at is null and ", is_not_revoked!());
    TOKENS_SHORTEN_COUNT = concat!("select cast(count(*) as BIGINT) from token t where ", outlives!(), " and t.created_at + $3 > $4");
    TOKENS_OUTLIVED_COUNT = concat!("select cast(count(*) as BIGINT) from token t where ", outlives!(), " and t.created_at + $3 <= $4");
    TOKENS_ENDLESS_COUNT = concat!("select cast(count(*) as BIGINT) from token t where t.organization_id = $1 and t.kind = $2 and t.expires_at is null and t.secret_of is null and ", is_not_revoked!());
    /// What live personal access tokens carry, and of which role their owners are: `$3` rows.
    TOKENS_CARRIED = concat!("select t.scope, m.role_id, cast(count(*) as BIGINT) as tokens from token t join membership m on m.organization_id = t.organization_id and m.user_id = t.user_id where t.organization_id = $1 and t.kind = 'personal_access_token' and (t.expires_at is null or t.expires_at > $2) and ", is_not_revoked!(), " group by t.scope, m.role_id order by 3 desc limit $3");
    /// From where live tokens and keys were last used: `$3` rows.
    TOKENS_USED_FROM = concat!("select u.address, cast(count(*) as BIGINT) as tokens from token t join token_use u on u.token_id = t.id where t.organization_id = $1 and u.address is not null and (t.expires_at is null or t.expires_at > $2) and ", is_not_revoked!(), " group by u.address order by 2 desc limit $3");
    TOKENS_UNUSED = concat!("update token set revoked_at = $3, bulk_at = $3, version = version + 1 where id in (select t.id from token t where ", unused!(), ")");
    /// Without those that go by their age (`$4`, `$5` for personal tokens, `$6`, `$7` for keys): nothing is counted twice.
    TOKENS_UNUSED_COUNT = concat!("select cast(count(*) as BIGINT) from token t where ", unused!(), " and not case when t.kind = 'api_key' then ", goes_by_age!("$6", "$7"), " else ", goes_by_age!("$4", "$5"), " end");
    /// The last moment at which tokens went through a change together.
    TOKENS_LAST_MARK = "select cast(coalesce(max(bulk_at), 0) as BIGINT) from token where organization_id = $1 and bulk_at is not null";
    /// The further secrets of keys that a bulk change revoked.
    SECRETS_FOLLOW = "update token set revoked_at = $2, bulk_at = $2, version = version + 1 where organization_id = $1 and revoked_at is null and secret_of in (select k.id from token k where k.organization_id = $1 and k.bulk_at = $2 and k.revoked_at = $2)";
    SECRETS_FOLLOW_END = "update token set bulk_at = $2, expires_at = (select k.expires_at from token k where k.id = token.secret_of) where organization_id = $1 and revoked_at is null and secret_of in (select k.id from token k where k.organization_id = $1 and k.bulk_at = $2 and k.revoked_at is null)";
    SECRET_BY_PREFIX = "select id, coalesce(secret_of, id) from token where organization_id = $1 and prefix = $2";
    TOKENS_LOAD_BULK = "select id, kind, organization_id, user_id, role_id, name, prefix, digest, bcrypt, scope, expires_at, valid_from, suspended_at, revoked_at, allow_networks, deny_networks, secret_of, secret_until from token where organization_id = $1 and bulk_at = $2 and id > $3 order by id limit $4";
}
