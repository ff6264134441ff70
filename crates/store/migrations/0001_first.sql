-- One text for SQLite and PostgreSQL. Types: TEXT; BIGINT for microseconds since 1970 and for counts; BYTEA for
-- ids (16 bytes) and digests (32 bytes); BOOLEAN. Every rule that can be a constraint is one: what the code
-- forgets, the database refuses.

-- The number of the last change. Its row is locked by every change, last of all, so that the order of numbers
-- is the order of commits and has no gaps.
create table head (
  id BIGINT not null primary key check (id = 1),
  seq BIGINT not null check (seq >= 0)
);
insert into head (id, seq) values (1, 0);

-- What changed, for those who hold a copy in memory: they read on from the last number they applied, and read
-- the named rows again.
create table feed (
  seq BIGINT not null,
  position BIGINT not null,
  kind TEXT not null check (kind in ('catalogue', 'organization', 'role', 'user', 'membership', 'token')),
  key BYTEA not null,
  primary key (seq, position)
);

-- A proof of each pepper in use, made with the pepper itself: a wrong or missing key is noticed at the start and
-- not by a token that no longer works. It helps no one who has only the database.
create table pepper (
  id TEXT not null primary key check (length(id) between 1 and 16),
  proof BYTEA not null check (length(proof) = 32)
);

create table organization (
  id BYTEA not null primary key check (length(id) = 16),
  name TEXT not null check (name <> ''),
  standing TEXT not null check (standing in ('active', 'suspended')),
  created_at BIGINT not null
);

create table app_user (
  id BYTEA not null primary key check (length(id) = 16),
  email TEXT not null check (email <> ''),
  email_key TEXT not null unique check (email_key <> ''),
  name TEXT not null check (name <> ''),
  password_hash TEXT check (password_hash like '$argon2id$%'),
  standing TEXT not null check (standing in ('active', 'suspended')),
  created_at BIGINT not null,
  -- Counted up to hold the row while the user's tokens are counted and one is added.
  token_writes BIGINT not null default 0
);

create table catalogue (
  name TEXT not null primary key check (name like '_%:_%'),
  description TEXT not null,
  risk TEXT not null check (risk in ('low', 'medium', 'high'))
);

-- Roles without an organization are the built-in ones, which every organization has.
create table role (
  id BYTEA not null primary key check (length(id) = 16),
  organization_id BYTEA references organization (id),
  name TEXT not null check (name <> ''),
  grants_all BOOLEAN not null,
  permissions TEXT not null
);

create table membership (
  organization_id BYTEA not null references organization (id),
  user_id BYTEA not null references app_user (id),
  role_id BYTEA not null references role (id),
  standing TEXT not null check (standing in ('active', 'suspended')),
  may_have_tokens BOOLEAN not null,
  created_at BIGINT not null,
  -- Counted up to hold the row while a token is made under it.
  token_writes BIGINT not null default 0,
  primary key (organization_id, user_id)
);
create index membership_of_user on membership (user_id);

create table token (
  id BYTEA not null primary key check (length(id) = 16),
  kind TEXT not null check (kind in ('personal_access_token', 'api_key')),
  organization_id BYTEA not null references organization (id),
  user_id BYTEA references app_user (id),
  role_id BYTEA references role (id),
  name TEXT not null check (name <> ''),
  name_key TEXT not null check (name_key <> ''),
  prefix TEXT not null unique check (length(prefix) = 10),
  digest BYTEA unique check (length(digest) = 32),
  pepper_id TEXT references pepper (id),
  bcrypt TEXT check (length(bcrypt) = 60),
  scope TEXT,
  created_at BIGINT not null,
  expires_at BIGINT,
  never_expires_acknowledged BOOLEAN not null,
  valid_from BIGINT,
  suspended_at BIGINT,
  revoked_at BIGINT,
  version BIGINT not null default 0,
  -- A personal token has a user and no role of its own; a key has a role and no user.
  check ((kind = 'personal_access_token') = (user_id is not null)),
  check ((kind = 'api_key') = (role_id is not null)),
  -- Exactly one way to recognize it, and a digest names its pepper.
  check ((digest is null) <> (bcrypt is null)),
  check ((digest is null) = (pepper_id is null)),
  -- Who has no date has acknowledged that there is none.
  check (kind = 'api_key' or expires_at is not null or never_expires_acknowledged)
);
create unique index token_name_of_user on token (user_id, name_key) where revoked_at is null and user_id is not null;
create unique index token_name_of_organization on token (organization_id, name_key) where revoked_at is null and user_id is null;
create index token_of_user on token (user_id, organization_id, created_at);

-- The last use of each token, apart from the token itself: writing it can never harm the token.
create table token_use (
  token_id BYTEA not null primary key,
  at BIGINT not null,
  method TEXT,
  path TEXT,
  address TEXT,
  agent TEXT
);

create table token_use_hour (
  token_id BYTEA not null,
  hour BIGINT not null,
  allowed BIGINT not null check (allowed >= 0),
  refused BIGINT not null check (refused >= 0),
  primary key (token_id, hour)
);

create table session (
  id BYTEA not null primary key check (length(id) = 16),
  user_id BYTEA not null references app_user (id),
  organization_id BYTEA not null references organization (id),
  digest BYTEA not null unique check (length(digest) = 32),
  created_at BIGINT not null,
  -- When the person last proved to be present.
  signed_in_at BIGINT not null,
  seen_at BIGINT not null,
  expires_at BIGINT not null,
  address TEXT,
  agent TEXT
);
create index session_of_user on session (user_id, seen_at);
create index session_by_end on session (expires_at);

create table idempotency (
  user_id BYTEA not null references app_user (id),
  key TEXT not null,
  request BYTEA not null check (length(request) = 32),
  token_id BYTEA not null,
  created_at BIGINT not null,
  primary key (user_id, key)
);
create index idempotency_by_age on idempotency (created_at);

create table audit (
  id BYTEA not null primary key check (length(id) = 16),
  at BIGINT not null,
  organization_id BYTEA,
  actor_user_id BYTEA,
  actor_token_id BYTEA,
  action TEXT not null,
  target TEXT,
  address TEXT,
  agent TEXT,
  detail TEXT
);
create index audit_of_organization on audit (organization_id, at);
