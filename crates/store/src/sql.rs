//! Every statement, by name. A test prepares each on both engines, so that a wrong column or a function that
//! only one of them has fails at once.

macro_rules! statements {
    ($($(#[$about:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$about])* pub(crate) const $name: &str = $text;)*
        /// The portable statements of this module, by name.
        pub(super) const ALL: &[(&str, &str)] = &[$((stringify!($name), $text)),*];
    };
}

pub(crate) const SQLITE_VERSION: &str = "select sqlite_version()";
/// Until the transaction ends.
pub(crate) const POSTGRES_NO_TIMEOUT: &str = "set local statement_timeout = 0";
/// A lock of the session, for as long as the session lives. The number is "hallpass" in ASCII.
pub(crate) const POSTGRES_SOLE: &str = "select pg_try_advisory_lock(7521412065683141491)";
pub(crate) const POSTGRES_STILL_SOLE: &str = "select exists (select 1 from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and granted and (classid::bigint << 32 | objid::bigint) = 7521412065683141491)";

/// A role that others may hold at the same time; SQLite has one writer, and nothing to hold it with.
pub(crate) const POSTGRES_ROLE_SHARE: &str =
    "select version from role where id = $1 and version = $2 and deleted_at is null for share";

/// When a token was revoked, by itself or together with others.
macro_rules! revoked_at {
    () => {
        "coalesce(t.revoked_at, (select o.tokens_revoked_before from organization o where o.id = t.organization_id and t.created_at < o.tokens_revoked_before), \
         (select x.before_at from tokens_revoked x where x.organization_id = t.organization_id and x.user_id = t.user_id and t.created_at < x.before_at))"
    };
}

/// Whether it was not: neither by itself nor together with others.
macro_rules! is_not_revoked {
    () => {
        concat!("t.revoked_at is null and ", revoked_at!(), " is null")
    };
}

/// What a token's row says of itself at `$now`.
macro_rules! state_at {
    ($now:literal) => {
        concat!(
            "case when ",
            revoked_at!(),
            " is not null then 'revoked' when t.expires_at <= ",
            $now,
            " then 'expired' when t.suspended_at is not null then 'suspended' else 'active' end"
        )
    };
}

macro_rules! token_columns {
    ($since:literal) => {
        concat!(
            "t.id, t.organization_id, t.user_id, t.name, t.prefix, t.scope, t.created_at, t.expires_at, t.never_expires_acknowledged, t.suspended_at, t.suspended_until, t.suspended_reason, t.suspended_by_owner, t.valid_from, t.allow_networks, t.deny_networks, ", revoked_at!(), " as revoked_at, t.version, \
             u.at as used_at, u.method as used_method, u.path as used_path, u.address as used_address, u.agent as used_agent, \
             cast((select coalesce(sum(h.allowed), 0) from token_use_hour h where h.token_id = t.id and h.hour >= ", $since, ") as BIGINT) as recent_uses"
        )
    };
}

/// A page of one user's tokens: `$1` organization, `$2` user, `$3` since when uses are recent, `$4` state or
/// 'any', `$5` now, `$6` not used since, `$7` search or '', `$8` whether there is a cursor (0, 1), `$9` its key,
/// `$10` its id, `$11` rows.
macro_rules! token_page {
    ($key:literal, $order:literal, $after:literal) => {
        concat!(
            "select ", token_columns!("$3"), ", ", $key, " as sort_key from token t left join token_use u on u.token_id = t.id \
             where t.organization_id = $1 and t.user_id = $2 and ($4 = 'any' or $4 = ", state_at!("$5"), ") and coalesce(u.at, t.created_at) < $6 \
             and ($7 = '' or t.name_key like $7 escape '\\' or lower(t.prefix) like $7 escape '\\' or lower(u.address) like $7 escape '\\') \
             and ($8 = 0 or (", $key, ", t.id) ", $after, " ($9, $10)) order by ", $key, " ", $order, ", t.id ", $order, " limit $11"
        )
    };
}

mod organizations;
mod tokens;

pub(crate) use organizations::*;
pub(crate) use tokens::*;

/// Every portable statement, by name.
pub fn all() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    ALL.iter().chain(organizations::ALL).chain(tokens::ALL)
}

/// The state of a token, around the moment at which it is asked for.
pub(crate) const STATE_PARTS: (&str, &str) = (
    concat!(
        "case when ",
        revoked_at!(),
        " is not null then 'revoked' when t.expires_at <= "
    ),
    " then 'expired' when t.suspended_at is not null then 'suspended' else 'active' end",
);
pub(crate) use revoked_at;

/// For statements that are put together.
pub(crate) const IS_NOT_REVOKED: &str = is_not_revoked!();

/// A page of the audit, newest first: `$1` before which number, `$2` rows, `$3` since, `$4` up to, `$5` actor, `$6` their
/// token, `$7` actions, each between blanks, or '', `$8` target, `$9` address.
macro_rules! audit_page {
    ($more:literal) => {
        concat!(
            "select ",
            audit_columns!(),
            " from audit where seq >= 1 and seq < $1 and at >= $3 and at <= $4 \
             and (actor_user_id = $5 or $5 is null) and (actor_token_id = $6 or $6 is null) \
             and ($7 = '' or replace($7, ' ' || action || ' ', '') <> $7) \
             and (target = $8 or $8 is null) and (address = $9 or $9 is null)",
            $more,
            " order by seq desc limit $2"
        )
    };
}

/// The number is read as one, whatever SQLite let somebody write there, and as it stands.
macro_rules! audit_columns {
    () => {
        "cast(seq as BIGINT) as number, seq, id, at, organization_id, actor_user_id, actor_token_id, action, target, address, agent, before_state, after_state, detail, pepper_id, code"
    };
}

statements! {
    HEAD = "select seq from head where id = 1";
    HEAD_NEXT = "update head set seq = seq + 1 where id = 1 returning seq";
    HEAD_HOLD = "update head set seq = seq where id = 1 returning seq";
    FEED_INSERT = "insert into feed (seq, position, kind, key) values ($1, $2, $3, $4)";
    FEED_AFTER = "select seq, kind, key from feed where seq > $1 order by seq, position limit $2";
    FEED_TRIM = "delete from feed where seq < $1";

    // The audit.
    AUDIT_HEAD = "select seq, chained_after, code, seal_pepper, seal, (select count(*) from audit where audit.seq is null or audit.seq < 1) as unnumbered from audit_head where id = 1";
    AUDIT_HEAD_NEXT = "update audit_head set seq = seq + $1 where id = 1 returning seq, chained_after, code, seal_pepper, seal, cast(0 as BIGINT) as unnumbered";
    AUDIT_HEAD_SET = "update audit_head set code = $1 where id = 1";
    AUDIT_HEAD_SEAL = "update audit_head set seal_pepper = $1, seal = $2 where id = 1";
    /// Whether the lines are none but those from before there were codes.
    AUDIT_IS_UNCHAINED = "select cast(count(*) as BIGINT) from audit_head h where h.code is null and h.seq = h.chained_after and h.seq = (select count(*) from audit) and not exists (select 1 from audit a where a.code is not null or a.pepper_id is not null)";
    AUDIT_INSERT = "insert into audit (id, at, organization_id, actor_user_id, actor_token_id, action, target, address, agent, detail, seq, before_state, after_state, pepper_id, code) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    AUDIT_LINES = concat!("select ", audit_columns!(), " from audit where seq >= $1 and seq >= 1 order by seq limit $2");
    AUDIT_PAGE = audit_page!("");
    AUDIT_PAGE_OF_ORGANIZATION = audit_page!(" and organization_id = $10");

    PEPPERS = "select id, proof from pepper";
    PEPPER_INSERT = "insert into pepper (id, proof) values ($1, $2) on conflict (id) do nothing";

    CATALOGUE = "select name, description, risk, source from catalogue order by name collate \"C\"";
    CATALOGUE_UPSERT = "insert into catalogue (name, description, risk, source) values ($1, $2, $3, $4) on conflict (name) do update set description = excluded.description, risk = excluded.risk, source = excluded.source";
    CATALOGUE_DELETE = "delete from catalogue where name = $1";

    USERS_COUNT = "select count(*) from app_user";
    USERS = "select id, email, name, standing from app_user";
    USER = "select id, email, name, standing from app_user where id = $1";
    USER_INSERT = "insert into app_user (id, email, email_key, name, name_key, password_hash, standing, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing";
    USER_BY_EMAIL = "select id, email, name, standing, password_hash from app_user where email_key = $1";
    USER_BY_ID_WITH_PASSWORD = "select id, email, name, standing, password_hash from app_user where id = $1";
    USER_PASSWORD = "update app_user set password_hash = $2 where id = $1 and removed_at is null";
    USER_STANDING = "update app_user set standing = $2 where id = $1 and removed_at is null";
    /// With what verification needs of its policy.
    ORGANIZATIONS = "select o.id, o.name, o.standing, o.is_host, o.tokens_revoked_before, p.networks, p.forbidden from organization o left join policy p on p.organization_id = o.id";
    ORGANIZATION = "select o.id, o.name, o.standing, o.is_host, o.tokens_revoked_before, p.networks, p.forbidden from organization o left join policy p on p.organization_id = o.id where o.id = $1";
    ORGANIZATION_INSERT = "insert into organization (id, name, name_key, standing, is_host, created_at) values ($1, $2, $3, $4, $5, $6)";
    ORGANIZATION_STANDING = "update organization set standing = $2 where id = $1";
    MEMBERSHIPS = "select organization_id, user_id, role_id, standing, may_have_tokens from membership";
    MEMBERSHIP = "select organization_id, user_id, role_id, standing, may_have_tokens from membership where organization_id = $1 and user_id = $2";
    MEMBERSHIPS_OF_USER = "select organization_id, user_id, role_id, standing, may_have_tokens from membership where user_id = $1 order by created_at, organization_id";
    MEMBERSHIP_UPSERT = "insert into membership (organization_id, user_id, role_id, standing, may_have_tokens, created_at) values ($1, $2, $3, $4, $5, $6) on conflict (organization_id, user_id) do update set role_id = excluded.role_id, standing = excluded.standing, may_have_tokens = excluded.may_have_tokens";
    MEMBERSHIP_DELETE = "delete from membership where organization_id = $1 and user_id = $2";
    /// Only as it was when the change was checked.
    MEMBERSHIP_REMOVE = "delete from membership where organization_id = $1 and user_id = $2 and role_id = $3 and standing = $4 and may_have_tokens = $5";

    /// Holds the user's row, so that the next statement counts what all others have committed.
    USER_HOLD = "update app_user set token_writes = token_writes + 1 where id = $1 and standing = 'active'";
    /// Holds the membership's row, and only as it was when the request was checked.
    MEMBERSHIP_HOLD = "update membership set token_writes = token_writes + 1 where organization_id = $1 and user_id = $2 and role_id = $3 and standing = 'active' and may_have_tokens";
    /// Succeeds while there is room for one more live token.
    TOKEN_ROOM = "update app_user set token_writes = token_writes where id = $1 and (select count(*) from token t where t.user_id = $1 and t.revoked_at is null and (t.expires_at is null or t.expires_at > $2)) < $3";
    TOKENS_MADE = "select count(*) from token where user_id = $1 and organization_id = $2 and created_at > $3";
    TOKEN_INSERT = "insert into token (id, kind, organization_id, user_id, name, name_key, prefix, digest, pepper_id, bcrypt, scope, created_at, expires_at, never_expires_acknowledged, valid_from, allow_networks, deny_networks) values ($1, 'personal_access_token', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) on conflict do nothing";
    TOKEN_NAME_HOLDER = "select prefix from token where organization_id = $1 and user_id = $2 and name_key = $3 and revoked_at is null";
    TOKEN_NAMESAKE = "select prefix from token where organization_id = $1 and user_id = $2 and name_key = $3 and id <> $4 and revoked_at is null";
    TOKEN_UPDATE = "update token set name = $5, name_key = $6, expires_at = $7, never_expires_acknowledged = $8, scope = $9, valid_from = $11, allow_networks = $12, deny_networks = $13, version = version + 1 where organization_id = $1 and user_id = $2 and id = $3 and version = $4 and revoked_at is null and (expires_at is null or expires_at > $10)";
    TOKEN_REVOKE = concat!("update token as t set revoked_at = $4, version = t.version + 1 where t.organization_id = $1 and t.user_id = $2 and t.id = $3 and ", is_not_revoked!());
    TOKEN_REDIGEST = "update token set digest = $3, pepper_id = $4 where id = $1 and digest = $2";
    TOKEN_OF_USER = concat!("select ", token_columns!("$4"), " from token t left join token_use u on u.token_id = t.id where t.organization_id = $1 and t.user_id = $2 and t.id = $3");
    TOKEN_COUNTS = concat!("select ", state_at!("$3"), " as state, count(*) as tokens from token t where t.organization_id = $1 and t.user_id = $2 group by 1");
    TOKENS_COUNT = "select count(*) from token";
    TOKENS_BY_CREATED_UP = token_page!("t.created_at", "asc", ">");
    TOKENS_BY_CREATED_DOWN = token_page!("t.created_at", "desc", "<");
    // By bytes: a database's own collation differs from one to the next. SQLite learns the word "C" when opened.
    TOKENS_BY_NAME_UP = token_page!("t.name_key collate \"C\"", "asc", ">");
    TOKENS_BY_NAME_DOWN = token_page!("t.name_key collate \"C\"", "desc", "<");
    TOKENS_BY_END_UP = token_page!("coalesce(t.expires_at, 9223372036854775807)", "asc", ">");
    TOKENS_BY_END_DOWN = token_page!("coalesce(t.expires_at, 9223372036854775807)", "desc", "<");
    TOKENS_BY_USE_UP = token_page!("coalesce(u.at, -9223372036854775807)", "asc", ">");
    TOKENS_BY_USE_DOWN = token_page!("coalesce(u.at, -9223372036854775807)", "desc", "<");
    TOKENS_LOAD = "select id, kind, organization_id, user_id, role_id, name, prefix, digest, bcrypt, scope, expires_at, valid_from, suspended_at, revoked_at, allow_networks, deny_networks, secret_of, secret_until from token where (revoked_at is null or revoked_at > $1) and (expires_at is null or expires_at > $1)";
    TOKEN_LOAD = "select id, kind, organization_id, user_id, role_id, name, prefix, digest, bcrypt, scope, expires_at, valid_from, suspended_at, revoked_at, allow_networks, deny_networks, secret_of, secret_until from token where id = $1";
    USE_HOUR_TRIM = "delete from token_use_hour where hour < $1";

    /// Holds a token that asks for a change, as long as it works.
    TOKEN_HOLD = concat!("update token as t set version = t.version where t.id = $1 and t.organization_id = $2 and t.suspended_at is null and (t.expires_at is null or t.expires_at > $3) and ", is_not_revoked!());
    /// Holds a session that asks for a change, as long as it is open.
    SESSION_HOLD = "update session set seen_at = seen_at where id = $1 and user_id = $2 and expires_at > $3 and seen_at > $4";

    IDEMPOTENCY_INSERT = "insert into idempotency (user_id, key, request, token_id, created_at) values ($1, $2, $3, $4, $5) on conflict (user_id, key) do nothing";
    IDEMPOTENCY = "select request, token_id from idempotency where user_id = $1 and key = $2";
    IDEMPOTENCY_SINCE = "select request, token_id from idempotency where user_id = $1 and key = $2 and created_at >= $3";
    IDEMPOTENCY_FORGET_ONE = "delete from idempotency where user_id = $1 and key = $2 and created_at < $3";
    IDEMPOTENCY_TRIM = "delete from idempotency where created_at < $1";

    SESSION_INSERT = "insert into session (id, user_id, organization_id, digest, created_at, signed_in_at, seen_at, expires_at, address, agent) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    SESSION_BY_DIGEST = "select id, user_id, organization_id, created_at, signed_in_at, seen_at, expires_at from session where digest = $1";
    SESSION_TOUCH = "update session set seen_at = $2 where id = $1 and seen_at < $2";
    SESSION_PROVED = "update session set signed_in_at = $2, seen_at = $2 where id = $1";
    SESSIONS_OF_USER = "select id, created_at, seen_at, expires_at, address, agent from session where user_id = $1 and expires_at > $2 and seen_at > $3 order by seen_at desc, id limit $4";
    SESSION_END = "delete from session where id = $1 and user_id = $2";
    SESSIONS_END = "delete from session where user_id = $1";
    /// The session `$3` stays whatever the clock says of it.
    SESSIONS_END_OLDEST = "delete from session where user_id = $1 and id <> $3 and id not in (select id from session where user_id = $1 and id <> $3 order by seen_at desc, id desc limit $2)";
    SESSIONS_TRIM = "delete from session where expires_at <= $1 or seen_at <= $2";
}
