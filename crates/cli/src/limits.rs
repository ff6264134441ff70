//! What the command line itself bounds; everything else is in `hallpass_domain::limits`.

/// Seconds in which the server must be reached.
pub(crate) const CONNECT_SECONDS_MAX: u64 = 10;
/// Seconds in which an answer must have come: longer than the server lets a request take.
pub(crate) const REQUEST_SECONDS_MAX: u64 = 45;
/// Bytes of an answer. A page of 100 tokens, each narrowed to 200 permissions, fits.
pub(crate) const ANSWER_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Pages of a list that are followed: at 100 a page more than a person makes in a life.
pub(crate) const PAGES_MAX: usize = 200;
/// Lines of the audit that are listed at once; an export has all.
pub(crate) const AUDIT_LINES_MAX: i64 = 20_000;
/// Bytes read from standard input where a secret is expected.
pub(crate) const SECRET_INPUT_BYTES_MAX: u64 = 4 * 1024;
/// Bytes of the file of credentials.
pub(crate) const CREDENTIALS_BYTES_MAX: u64 = 1024 * 1024;
/// Names tried for the token of `hallpass login` before it gives up.
pub(crate) const LOGIN_NAMES_MAX: u32 = 50;
/// Days after which the token of `hallpass login` ends.
pub(crate) const LOGIN_DAYS: i64 = 90;
/// Days after which a token ends unless its maker says otherwise.
pub(crate) const TOKEN_DAYS_DEFAULT: i64 = 30;
/// Permissions of one token shown in a table; the rest is counted.
pub(crate) const PERMISSIONS_IN_TABLE_MAX: usize = 3;
/// Bytes of a file of permissions: room for as many as a catalogue takes.
pub(crate) const PERMISSIONS_FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
