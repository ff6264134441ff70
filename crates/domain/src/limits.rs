//! Every maximum of the product, with its unit and its reason. A number that bounds something lives here or
//! it does not exist.

/// Live tokens (neither revoked nor expired) one user may hold. More than anyone names by heart; small enough
/// that a stolen session cannot fill the database.
pub const LIVE_TOKENS_PER_USER_MAX: u32 = 100;
/// Tokens one user may make in an organization in [`TOKENS_MADE_SECONDS`], revoked ones counted, and as many keys and new
/// secrets of keys all its people together: whoever makes and revokes without end fills the database and every node's
/// memory.
pub const TOKENS_MADE_MAX: u32 = 5_000;
/// A day.
pub const TOKENS_MADE_SECONDS: i64 = 24 * 60 * 60;
/// Characters in a token's name.
pub const NAME_CHARS_MAX: usize = 80;
/// Characters in a person's or an organization's display name.
pub const DISPLAY_NAME_CHARS_MAX: usize = 120;
/// Bytes in an e-mail address (RFC 5321 section 4.5.3.1.3, less the brackets).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Bytes in one permission, `resource:action`.
pub const PERMISSION_BYTES_MAX: usize = 64;
/// Permissions one token may be narrowed to.
pub const SCOPE_PERMISSIONS_MAX: usize = 200;
/// Bytes in the sentence that describes a role.
pub const ROLE_DESCRIPTION_BYTES_MAX: usize = 300;
/// Roles of its own that one organization may have.
pub const ROLES_PER_ORGANIZATION_MAX: u32 = 100;
/// Open invitations of one organization.
pub const INVITATIONS_OPEN_MAX: u32 = 1_000;
/// An invitation works for this many seconds: a week.
pub const INVITATION_SECONDS: i64 = 7 * 24 * 60 * 60;
/// Live API keys of one organization.
pub const LIVE_KEYS_PER_ORGANIZATION_MAX: u32 = 1_000;
/// Secrets of one API key that may work at the same time: the current one, and older ones in their overlap.
pub const KEY_SECRETS_MAX: u32 = 5;
/// Secrets of one key that are told: all that work, and of those that ended the last ones.
pub const KEY_SECRETS_SHOWN_MAX: u32 = 20;
/// Days for which an older secret of an API key may keep working at most.
pub const KEY_OVERLAP_DAYS_MAX: i64 = 30;
/// Days in a policy's longest lifetime or longest rest at most: ten years.
pub const POLICY_DAYS_MAX: i64 = 3_650;
/// Days that a policy change can be planned ahead.
pub const POLICY_AHEAD_DAYS_MAX: i64 = 365;
/// Tokens that a policy's preview names, of all that it counts.
pub const PREVIEW_ROWS_MAX: u32 = 20;
/// Groups of alike tokens that a policy's preview looks at, the largest first: beyond them its counts are at least so many.
pub const LOSS_GROUPS_MAX: u32 = 10_000;
/// Statements with which one look for what is due marks tokens that were revoked together: the rest waits for the next.
pub const SETTLE_WRITES_MAX: u32 = 20;
/// Bytes in the reason for a suspension.
pub const REASON_BYTES_MAX: usize = 300;
/// Tokens one statement marks as revoked after they were revoked together.
pub const REVOKED_ROWS_PER_WRITE: u32 = 1_000;
/// Rows in one export.
pub const EXPORT_ROWS_MAX: u32 = 100_000;
/// Rows that an export reads at once: it is written as it is read, and never in memory as a whole.
pub const EXPORT_ROWS_PER_READ: u32 = 500;
/// Tokens that the preview of a revocation shows.
pub const PREVIEW_ROWS: u32 = 20;
/// What is due by the clock (a policy, the end of a suspension or of a secret) is looked for this often, in seconds.
pub const DUE_SECONDS: u64 = 1;
/// Refused attempts of one person or key that are written into the audit in [`REFUSALS_AUDITED_SECONDS`]: whoever
/// knocks without end does not fill the disk.
pub const REFUSALS_AUDITED_MAX: u32 = 60;
/// People and keys whose refused attempts are counted at once; those whose window is over give way.
pub const REFUSALS_COUNTED_MAX: usize = 10_000;
/// The window over which refused attempts are counted, in seconds.
pub const REFUSALS_AUDITED_SECONDS: i64 = 60 * 60;
/// Networks in one list of those from which tokens may, or may not, be used. Each is looked at when the list is asked.
pub const NETWORKS_MAX: usize = 100;
/// Permissions in a deployment's catalogue.
pub const CATALOGUE_PERMISSIONS_MAX: usize = 2_000;
/// Bytes in the sentence that describes a permission.
pub const PERMISSION_DESCRIPTION_BYTES_MAX: usize = 300;

/// Characters in a password at least, as the only factor (NIST SP 800-63B revision 4).
pub const PASSWORD_CHARS_MIN: usize = 15;
/// Bytes in a password at most: argon2 reads all of them, so this bounds the work of one guess.
pub const PASSWORD_BYTES_MAX: usize = 1_024;
/// Password hashes computed at once. Each takes 46 MiB and a core.
pub const PASSWORD_HASHES_AT_ONCE_MAX: usize = 2;
/// Sign-ins that may wait for a password hash; one more is told to come back.
pub const PASSWORD_HASHES_WAITING_MAX: usize = 64;
/// bcrypt comparisons computed at once, so that a known prefix cannot be used to burn every core.
pub const BCRYPT_COMPARISONS_AT_ONCE_MAX: usize = 1;
/// bcrypt comparisons that may wait; one more is refused as busy.
pub const BCRYPT_COMPARISONS_WAITING_MAX: usize = 32;

/// A session ends after this many seconds without a request.
pub const SESSION_IDLE_SECONDS: i64 = 12 * 60 * 60;
/// A session ends this many seconds after sign-in, whatever happens in it.
pub const SESSION_ABSOLUTE_SECONDS: i64 = 7 * 24 * 60 * 60;
/// Making a token needs a sign-in no older than this many seconds.
pub const RECENT_SIGN_IN_SECONDS: i64 = 5 * 60;
/// A session's last use is written at most this often, in seconds: reading a page should not be a write.
pub const SESSION_TOUCH_SECONDS: i64 = 60;
/// Sessions one user may have open; the oldest gives way.
pub const SESSIONS_PER_USER_MAX: u32 = 50;
/// The one-time set-up link works for this many seconds after the server started.
pub const SET_UP_LINK_SECONDS: i64 = 24 * 60 * 60;

/// Failed sign-ins in a row on one account, from devices it does not know, before each further one waits.
pub const SIGN_IN_FAILURES_FREE: u32 = 5;
/// Failed sign-ins in a row on one account before every unknown device waits
/// [`SIGN_IN_DELAY_AT_MAX_SECONDS`] for each further one; NIST SP 800-63B allows no more than 100.
pub const SIGN_IN_FAILURES_PER_ACCOUNT_MAX: u32 = 100;
/// The longest wait between two tries on one account before that, in seconds. A minute, so that whoever guesses
/// does not hold off the owner's new device for long: a hundred failures take an hour and a half all the same, and
/// the limit of an address and the length of passwords do the rest.
pub const SIGN_IN_DELAY_MAX_SECONDS: i64 = 60;
/// The wait between two tries on one account that has failed [`SIGN_IN_FAILURES_PER_ACCOUNT_MAX`] times, in seconds.
pub const SIGN_IN_DELAY_AT_MAX_SECONDS: i64 = 15 * 60;
/// Failed sign-ins from one address in a window of [`SIGN_IN_WINDOW_SECONDS`].
pub const SIGN_IN_FAILURES_PER_ADDRESS_MAX: u32 = 50;
/// The window over which failures of one address are counted, in seconds.
pub const SIGN_IN_WINDOW_SECONDS: i64 = 15 * 60;
/// Accounts, addresses and devices whose failures are remembered at once; the quietest gives way.
pub const SIGN_IN_COUNTERS_MAX: usize = 100_000;
/// A browser that has signed in is known for this many seconds.
pub const KNOWN_DEVICE_SECONDS: i64 = 365 * 24 * 60 * 60;

/// Rows in one page of a list: a list costs the database a bounded read even when the caller is hostile.
pub const PAGE_ROWS_MAX: u32 = 100;
/// Rows in one page of a list unless the caller says otherwise.
pub const PAGE_ROWS_DEFAULT: u32 = 50;
/// Bytes in a cursor.
pub const CURSOR_BYTES_MAX: usize = 512;
/// Characters in a search.
pub const SEARCH_CHARS_MAX: usize = 100;
/// Tokens in one `POST /v1/verify`.
pub const VERIFY_BATCH_MAX: usize = 1_000;
/// Bytes in a request's body on the REST interface.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Bytes in a form's body.
pub const FORM_BYTES_MAX: usize = 64 * 1024;
/// Bytes in an `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
/// An `Idempotency-Key` is remembered for this many seconds.
pub const IDEMPOTENCY_SECONDS: i64 = 24 * 60 * 60;
/// Operations in one JSON Patch.
pub const JSON_PATCH_OPERATIONS_MAX: usize = 50;
/// Bytes in one credential header. A token has 48 characters; Basic adds a name and base64.
pub const CREDENTIAL_BYTES_MAX: usize = 1_024;

/// Connections one listener holds open; further ones wait in the kernel's queue.
pub const CONNECTIONS_MAX: usize = 10_000;
/// Bytes of a request's header section.
pub const HEADER_BYTES_MAX: usize = 64 * 1024;
/// Header lines of a request.
pub const HEADER_LINES_MAX: usize = 100;
/// Seconds in which a request's header section, or a TLS handshake, must have arrived.
pub const HEADER_SECONDS_MAX: u64 = 10;
/// Seconds in which a request must have been read and answered.
pub const REQUEST_SECONDS_MAX: u64 = 30;
/// Seconds a connection may stay open without a request.
pub const IDLE_SECONDS_MAX: u64 = 75;
/// Streams one HTTP/2 connection may have open.
pub const HTTP2_STREAMS_MAX: u32 = 100;
/// Seconds a stop waits for requests under way.
pub const DRAIN_SECONDS_MAX: u64 = 20;

/// Bytes kept of a request's path in a note of use.
pub const USE_PATH_BYTES_MAX: usize = 200;
/// Bytes kept of a user agent in a note of use.
pub const USE_AGENT_BYTES_MAX: usize = 120;
/// Bytes kept of a method in a note of use. The longest registered one, `UPDATEREDIRECTREF`, has 17.
pub const USE_METHOD_BYTES_MAX: usize = 18;
/// Notes of use that wait in one buffer to be folded; one more is counted and dropped, never waited for.
pub const USE_NOTES_WAITING_MAX: usize = 16 * 1024;
/// Notes of use are folded per token and hour this often, in milliseconds.
pub const USE_FOLD_MILLISECONDS: u64 = 50;
/// Folded uses, one for each token and hour, up to which all are written at once. Of more, half: writing must neither
/// take from answering nor fall behind. What `kill -9` may lose grows with them.
pub const USE_ROWS_PER_WRITE: usize = 10_000;
/// Folded uses are written to the database this often, in milliseconds: what `kill -9` may lose.
pub const USE_FLUSH_MILLISECONDS: u64 = 1_000;
/// Folded uses that wait to be written, one for each token and hour; uses beyond are counted and dropped. About 60 MiB.
pub const USE_ROWS_WAITING_MAX: usize = 100_000;
/// Rows in one statement that writes uses.
pub const USE_ROWS_PER_STATEMENT_MAX: usize = 500;
/// Days for which counts of use are kept.
pub const USE_HISTORY_DAYS: i64 = 90;

/// Tries to write the last uses before a stopping server gives them up, a flush apart.
pub const LAST_WRITES_MAX: u32 = 5;

/// The store is looked at for changes this often, in seconds, should one have been missed.
pub const FOLLOW_SECONDS: u64 = 1;
/// On PostgreSQL: whether this process still keeps others out is asked this often, in seconds, and must be answered
/// within the same time; together less than [`SOLE_WAIT_SECONDS`].
pub const SOLE_CHECK_SECONDS: u64 = 1;
/// On PostgreSQL: a new process waits this long, in seconds, for one before it to notice that its lock is gone.
pub const SOLE_WAIT_SECONDS: u64 = 3;
/// What is past its time is removed this often, in seconds.
pub const TIDY_SECONDS: u64 = 600;
/// Numbers of the feed that are kept for whoever reads on.
pub const FEED_NUMBERS_KEPT: i64 = 100_000;

/// Days for which a revoked or expired token is still told apart from one that never was.
pub const REFUSED_TOKENS_REMEMBERED_DAYS: i64 = 90;
/// A token's prefix is drawn again this many times when it is taken. At a million tokens one draw in
/// 56,000 collides, so a second collision in a row has never been seen; eight in a row means a fault.
pub const PREFIX_DRAWS_MAX: u32 = 8;
/// A token that ends within this many days is marked in lists.
pub const EXPIRY_WARNING_DAYS: i64 = 7;
