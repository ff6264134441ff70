-- Organizations: roles of their own, invitations, API keys with several secrets, policy, and an audit whose lines hang
-- together. The same rules as in the first file: one text for SQLite and PostgreSQL, and what can be a constraint is one.

-- One organization runs the deployment: its people may hold what concerns all others.
alter table organization add column is_host BOOLEAN not null default false;
-- How many active superusers there are; without a number, there has not been one yet. It is counted again by every
-- change of members, and the last one cannot go.
alter table organization add column superusers BIGINT check (superusers >= 1);
-- Every token made before this moment is revoked: one row written, however many tokens there are.
alter table organization add column tokens_revoked_before BIGINT;
update organization set is_host = true where id = (select id from organization order by created_at, id limit 1);
create unique index organization_host on organization (is_host) where is_host;

-- The same for one user's tokens in one organization. It outlives the membership: whoever comes back does not find old
-- tokens alive.
create table tokens_revoked (
  organization_id BYTEA not null references organization (id),
  user_id BYTEA not null references app_user (id),
  before_at BIGINT not null,
  primary key (organization_id, user_id)
);

alter table app_user add column removed_at BIGINT;
-- The name without regard to case, by which people are found. SQLite folds ASCII alone, so the program folds the names
-- that are here already when it first opens this.
alter table app_user add column name_key TEXT not null default '';
alter table organization add column name_key TEXT not null default '';

alter table role add column built_in TEXT check (built_in in ('superuser', 'admin', 'member', 'viewer'));
alter table role add column name_key TEXT not null default '';
alter table role add column description TEXT not null default '';
-- Whether who gets this role may have tokens, unless somebody says otherwise.
alter table role add column tokens_by_default BOOLEAN not null default true;
alter table role add column version BIGINT not null default 0;
update role set built_in = 'superuser' where organization_id is null and name = 'Superuser';
update role set built_in = 'member' where organization_id is null and name = 'Member';
-- Keys that have ended still name their role.
alter table role add column deleted_at BIGINT;
create unique index role_name on role (organization_id, name_key) where organization_id is not null and deleted_at is null;

update organization set superusers = nullif((
  select count(*) from membership m join role r on r.id = m.role_id join app_user u on u.id = m.user_id
  where m.organization_id = organization.id and r.built_in = 'superuser' and m.standing = 'active' and u.standing = 'active'), 0);

-- Who wrote the line: the product itself, the settings file, or somebody through the API.
alter table catalogue add column source TEXT not null default 'file' check (source in ('product', 'file', 'api'));

create table invitation (
  id BYTEA not null primary key check (length(id) = 16),
  organization_id BYTEA not null references organization (id),
  email TEXT not null check (email <> ''),
  email_key TEXT not null check (email_key <> ''),
  role_id BYTEA not null references role (id),
  may_have_tokens BOOLEAN not null,
  digest BYTEA not null unique check (length(digest) = 32),
  created_at BIGINT not null,
  expires_at BIGINT not null,
  accepted_at BIGINT,
  withdrawn_at BIGINT,
  inviter_user_id BYTEA,
  inviter_token_id BYTEA
);
-- One open invitation for an address; a new one withdraws the one before.
create unique index invitation_open on invitation (organization_id, email_key) where accepted_at is null and withdrawn_at is null;

alter table token add column suspended_until BIGINT;
alter table token add column suspended_reason TEXT;
alter table token add column suspended_by_owner BOOLEAN not null default false;
alter table token add column allow_networks TEXT;
alter table token add column deny_networks TEXT;
-- A key has one row for each of its secrets. The first row is the key itself; the others name it.
alter table token add column secret_of BYTEA references token (id);
alter table token add column secret_since BIGINT;
-- From here on this secret no longer works, though the key does.
alter table token add column secret_until BIGINT;
-- When another took its place.
alter table token add column secret_retired_at BIGINT;
-- It ends earlier when it was quiet for so long.
alter table token add column secret_quiet_seconds BIGINT check (secret_quiet_seconds > 0);
alter table token add column maker_user_id BYTEA;
alter table token add column maker_token_id BYTEA;
-- The moment of the last change that many tokens went through together.
alter table token add column bulk_at BIGINT;
-- A name is a user's own in each organization.
drop index token_name_of_user;
create unique index token_name_of_user on token (organization_id, user_id, name_key) where revoked_at is null and user_id is not null;
drop index token_name_of_organization;
create unique index token_name_of_organization on token (organization_id, name_key) where revoked_at is null and user_id is null and secret_of is null;
create index token_of_organization on token (organization_id, created_at);
create index token_by_role on token (role_id, organization_id) where role_id is not null;
create index token_by_secret on token (secret_of) where secret_of is not null;
create index token_by_bulk on token (organization_id, bulk_at, id) where bulk_at is not null;
-- What jobs look for every second, so that they read what there is to do and nothing else.
create index token_live_of_organization on token (organization_id, created_at) where revoked_at is null;
create index token_live_of_user on token (user_id, organization_id, created_at) where revoked_at is null and user_id is not null;
create index token_quiet on token (secret_until) where secret_quiet_seconds is not null;
create index organization_revoked on organization (tokens_revoked_before) where tokens_revoked_before is not null;
create index token_suspended on token (suspended_until) where suspended_until is not null;

-- What an organization's tokens must keep to. No row: nothing.
create table policy (
  organization_id BYTEA not null primary key references organization (id),
  version BIGINT not null,
  personal_days_max BIGINT check (personal_days_max > 0),
  personal_may_never_expire BOOLEAN not null,
  key_days_max BIGINT check (key_days_max > 0),
  key_may_never_expire BOOLEAN not null,
  forbidden TEXT not null,
  unused_days_max BIGINT check (unused_days_max > 0),
  networks TEXT not null,
  owner_may_lift BOOLEAN not null
);
-- What it will be from a moment on.
create table policy_change (
  organization_id BYTEA not null primary key references organization (id),
  personal_days_max BIGINT check (personal_days_max > 0),
  personal_may_never_expire BOOLEAN not null,
  key_days_max BIGINT check (key_days_max > 0),
  key_may_never_expire BOOLEAN not null,
  forbidden TEXT not null,
  unused_days_max BIGINT check (unused_days_max > 0),
  networks TEXT not null,
  owner_may_lift BOOLEAN not null,
  enforce_at BIGINT not null,
  made_at BIGINT not null,
  actor_user_id BYTEA,
  actor_token_id BYTEA
);

-- The feed learns of changes that many tokens went through together.
create table feed_next (
  seq BIGINT not null,
  position BIGINT not null,
  kind TEXT not null check (kind in ('catalogue', 'organization', 'role', 'user', 'membership', 'token', 'bulk')),
  key BYTEA not null,
  primary key (seq, position)
);
insert into feed_next (seq, position, kind, key) select seq, position, kind, key from feed;
drop table feed;
alter table feed_next rename to feed;

-- Each line of the audit carries a code made with the pepper over itself and the code of the line before.
alter table audit add column seq BIGINT;
alter table audit add column before_state TEXT;
alter table audit add column after_state TEXT;
alter table audit add column pepper_id TEXT;
alter table audit add column code BYTEA check (length(code) = 32);
update audit set seq = ranked.number from (select id, row_number() over (order by at, id) as number from audit) as ranked where ranked.id = audit.id;
create unique index audit_seq on audit (seq);
drop index audit_of_organization;
create index audit_of_organization on audit (organization_id, seq);
-- The last line. Its row is locked by everything that writes a line, so that the order of numbers is the order of commits.
-- Lines up to `chained_after` were written before there was a chain.
create table audit_head (
  id BIGINT not null primary key check (id = 1),
  seq BIGINT not null check (seq >= 0),
  chained_after BIGINT not null check (chained_after >= 0),
  code BYTEA check (length(code) = 32),
  -- Made with a pepper over the three above. SQL cannot make it: the program seals the start when it first opens this.
  seal_pepper TEXT,
  seal BYTEA check (length(seal) = 32),
  check ((seal is null) = (seal_pepper is null))
);
insert into audit_head (id, seq, chained_after) select 1, count(*), count(*) from audit;
