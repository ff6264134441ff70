//! One table: what can go wrong, with its status, its stable code and its words.

mod face;
mod invalid;

pub use self::{face::Face, invalid::InvalidField};

use hallpass_domain::{
    limits::{LIVE_TOKENS_PER_USER_MAX, REQUEST_SECONDS_MAX, TOKENS_MADE_MAX},
    name::DisplayName,
    permission::Permission,
    time::Timestamp,
    token::Prefix,
};
use hallpass_store::StoreError;
use http::StatusCode;

/// Why a use case did not do as asked. Every door turns it into its own words through [`ServiceError::face`].
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Fields of the request are wrong; the first gives the problem its code.
    #[error("{}", .0.first().map_or("the request is wrong", |first| first.detail.as_str()))]
    Invalid(Vec<InvalidField>),
    /// The request as a whole is wrong.
    #[error("{detail}")]
    BadRequest {
        /// The stable code.
        code: &'static str,
        /// What is wrong, and the way out.
        detail: String,
    },
    /// The body is of a kind that is not read here.
    #[error("send {0}")]
    UnsupportedMediaType(&'static str),
    /// The body is too large.
    #[error("the body has more than {0} bytes")]
    BodyTooLarge(usize),
    /// It did not arrive, or was not answered, in time.
    #[error(
        "the request was not read and answered within {REQUEST_SECONDS_MAX} seconds; whether it did anything is not known: look before you repeat it"
    )]
    TooSlow,
    /// Nobody is signed in and no credential was sent.
    #[error("sign in, or send a token as “Authorization: Bearer …”")]
    SignInRequired,
    /// A credential was sent, and it does not work.
    #[error("this token does not work here: {0}")]
    CredentialRefused(&'static str),
    /// The session is good, but its sign-in is too long ago for this.
    #[error("confirm that it is you: this needs a sign-in of the last five minutes")]
    RecentSignInRequired,
    /// A request made with a session does not carry the session's value.
    #[error(
        "a request that changes something with a session cookie must carry the session's value in X-Hallpass-CSRF, and come from these pages"
    )]
    CrossSite,
    /// The session's value is for an organization that is no longer the one in force.
    #[error(
        "the session went to {0} meanwhile, and what is sent belongs to another organization; GET /v1/caller tells the value of the session there"
    )]
    OrganizationSwitched(DisplayName),
    /// No such account, or not its password; which of the two is not said.
    #[error("the e-mail address or the password is not right")]
    SignInFailed,
    /// Too many failures; come back after so many seconds.
    #[error("too many failed attempts; try again in {0} seconds")]
    TooManyAttempts(i64),
    /// The token that asks does not have what this needs.
    #[error(
        "this needs the permission {0}, which this token does not have: make one that names it, and if your role does not hold it, ask a superuser"
    )]
    PermissionMissing(&'static str),
    /// The token that asks may not be used from where it is used.
    #[error(
        "this token may not be used from this address: the token's rules or the organization's say from where"
    )]
    AddressNotAllowed,
    /// The person who asks has a role that does not hold what this needs.
    #[error(
        "this needs the permission {0}, which your role does not hold; a superuser of the organization can give you a role that does"
    )]
    RoleLacks(&'static str),
    /// What somebody would give, change or take away is more than they hold.
    #[error(
        "this holds {0}, which you do not: you can only give, change and take away what is inside your own permissions"
    )]
    AboveActor(Permission),
    /// An organization keeps at least one active superuser.
    #[error(
        "this is the last active superuser of the organization: make somebody else a superuser first"
    )]
    LastSuperuser,
    /// Somebody would open the gate that was closed for themselves.
    #[error(
        "the gate was closed for you: somebody else who manages members can open it again, or a superuser"
    )]
    OwnGate,
    /// The organization that runs the deployment is not suspended.
    #[error("this organization runs the deployment and cannot be suspended")]
    HostStays,
    /// They are a member already.
    #[error("this person is a member of the organization already")]
    AlreadyMember,
    /// Somebody has the address.
    #[error("somebody else has this e-mail address")]
    EmailTaken,
    /// The invitation does not work, for whatever reason.
    #[error(
        "this invitation does not work: it is used once, lives for seven days, and may have been withdrawn; ask for a new one"
    )]
    InvitationWrong,
    /// Something of the organization has the name.
    #[error("the organization has a {0} with this name already; choose another name")]
    NameInUse(&'static str),
    /// An API key of the organization has the name.
    #[error(
        "the organization has an API key with this name already: {0}; choose another name, or revoke that key first"
    )]
    KeyNameTaken(Prefix),
    /// The organization has as many as one may have.
    #[error("there are as many {0} as there may be; remove some that are no longer needed")]
    TooMany(&'static str),
    /// Another change of the policy is to come.
    #[error(
        "a change of the policy is planned for {0}: withdraw it first, or say that this one replaces it"
    )]
    PolicyChangePlanned(Timestamp),
    /// Somebody has the role.
    #[error(
        "members or invitations have this role: move the members to another role in the same request (moveMembersTo), and withdraw the invitations"
    )]
    RoleInUse,
    /// A role that is built in stays.
    #[error("this role is built in: {0}")]
    RoleBuiltIn(&'static str),
    /// The settings file says it.
    #[error("the settings file names {0}: change it there and start the server again")]
    SetByFile(String),
    /// The product needs it.
    #[error("{0} belongs to the product and cannot be deleted")]
    PermissionBuiltIn(String),
    /// As many secrets of a key work as may.
    #[error(
        "this key has as many working secrets as it may have; wait until an older one ends, or rotate with no overlap"
    )]
    TooManySecrets,
    /// What was looked at before is not what is there now.
    #[error(
        "{found} would be concerned, not {expected}: look at the preview again and repeat with what it says"
    )]
    PreviewOutdated {
        /// What was expected.
        expected: u64,
        /// What there is.
        found: u64,
    },
    /// The suspension was begun by somebody who answers for the organization.
    #[error(
        "an administrator suspended this token, and the policy leaves it to an administrator to lift that"
    )]
    SuspendedByAdmin,
    /// The caller may not have personal access tokens.
    #[error(
        "you may not create or manage personal access tokens in this organization; {} can allow it",
        one_of(.0)
    )]
    TokensNotAllowed(Vec<String>),
    /// The caller is a token that may not make what is asked for.
    #[error("{0}")]
    WiderThanAsker(&'static str),
    /// There is no such thing, for this caller.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The way to it exists, but not for this method.
    #[error("this address does not take this method")]
    MethodNotAllowed,
    /// A live token has the name.
    #[error(
        "you already have a token with this name: {0}; choose another name, or revoke that token first"
    )]
    NameTaken(Prefix),
    /// The owner has as many as one may have.
    #[error(
        "you have {LIVE_TOKENS_PER_USER_MAX} live tokens, which is the most one may have; revoke one that you no longer need"
    )]
    TooManyTokens,
    /// They have made as many tokens today as one may make.
    #[error(
        "{TOKENS_MADE_MAX} tokens, or keys and secrets of keys, were made in the last 24 hours, the revoked ones among them, and that is the most; make more tomorrow, or use one for longer"
    )]
    TooManyTokensToday,
    /// The key rests.
    #[error("this key is suspended: lift the suspension first, or revoke the key")]
    KeySuspended,
    /// The token has ended and cannot be changed.
    #[error("this token is revoked or expired and cannot be changed; make a new one")]
    TokenEnded,
    /// Somebody else changed it at the same time.
    #[error("the token was changed by somebody else at the same time; read it again and repeat")]
    ChangedMeanwhile,
    /// A test of a JSON Patch does not hold.
    #[error("the token is not as the patch's test says; read it again and repeat")]
    PatchTestFailed,
    /// The same key came with another request.
    #[error(
        "this Idempotency-Key was used for a different request; use a new key for a new request"
    )]
    IdempotencyKeyReused,
    /// The deployment is set up already.
    #[error("this Hallpass is set up already; sign in instead")]
    AlreadySetUp,
    /// The set-up code is wrong or too old.
    #[error(
        "this set-up link does not work: it is used once, and a new one is printed each time the server starts"
    )]
    SetUpCodeWrong,
    /// Too much is waiting.
    #[error("too much is waiting; try again in a moment")]
    Busy,
    /// The node may not answer.
    #[error("this node cannot answer at the moment; try again in a moment")]
    NotAnswering,
    /// The change is lasting, but not yet known in memory.
    #[error("the change is kept, but not yet in force here")]
    NotYetInForce(#[source] StoreError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A fault of ours.
    #[error("{0}")]
    Internal(String),
}

/// Seconds after which to try again when one has made too many tokens.
const TOO_MANY_TODAY_SECONDS: i64 = 60 * 60;

impl ServiceError {
    /// What to tell the caller. A 5xx explains itself to the log and never to the caller.
    pub fn detail(&self) -> String {
        match self {
            Self::Store(error) if error.is_passing() => "The database cannot be reached at the moment. Nothing was lost; try again in a moment.".to_owned(),
            Self::Store(_) | Self::Internal(_) => "It is written in the server's log under the request's id. Nothing was changed.".to_owned(),
            Self::NotYetInForce(_) => "The change is kept, but this node could not put it in force yet; until it has, it answers nothing about tokens. Repeat the request to be sure.".to_owned(),
            told => sentence(&told.to_string()),
        }
    }

    /// What to write in the log of a 5xx. The database's own words hold no values of rows; its details would.
    pub fn cause(&self) -> Option<String> {
        let told = match self {
            Self::NotYetInForce(error) => format!("{self}: {error}"),
            other => other.to_string(),
        };
        self.face().status.is_server_error().then_some(told)
    }

    /// Whether somebody tried what they may not, which the audit keeps.
    pub fn is_refusal(&self) -> bool {
        let is_about_the_request = matches!(
            self,
            Self::CrossSite | Self::OrganizationSwitched(_) | Self::RecentSignInRequired
        );
        matches!(self, Self::LastSuperuser)
            || (self.face().status == StatusCode::FORBIDDEN && !is_about_the_request)
    }

    /// Seconds after which to try again, where that helps.
    pub const fn retry_after(&self) -> Option<i64> {
        match self {
            Self::TooManyAttempts(seconds) => Some(*seconds),
            // How long exactly hangs on when the first of them was made; nobody waits for it in front of a screen.
            Self::TooManyTokensToday => Some(TOO_MANY_TODAY_SECONDS),
            Self::Busy | Self::NotAnswering | Self::NotYetInForce(_) => Some(1),
            Self::Store(error) if error.is_passing() => Some(2),
            _ => None,
        }
    }
}

/// The names of some who can do what somebody may not.
pub fn one_of(names: &[String]) -> String {
    match names {
        [] => "a superuser of the organization".to_owned(),
        [name] => name.clone(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}

/// Errors are written as parts of a sentence; people are told a whole one.
pub fn sentence(text: &str) -> String {
    let end = if text.ends_with(['.', '…', '?']) {
        ""
    } else {
        "."
    };
    format!("{}{end}", capitalized(text))
}

/// The same with a great first letter, unless it begins with a name that is written as it is: `repo:read`,
/// `expirationDate`, an address, a prefix.
pub fn capitalized(text: &str) -> String {
    if begins_with_a_name(text) {
        return text.to_owned();
    }
    let mut chars = text.chars();
    let first: String = chars
        .next()
        .map(|c| c.to_uppercase().collect())
        .unwrap_or_default();
    format!("{first}{}", chars.as_str())
}

fn begins_with_a_name(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    let first = first.trim_end_matches([':', ',', ';', '.']);
    first.contains([':', '_', '@', '/']) || first.chars().skip(1).any(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_begins_great_but_a_name_stays_as_it_is_written() {
        for (text, told) in [
            ("a name is needed", "A name is needed."),
            ("it is: so", "It is: so."),
            ("sorry: no", "Sorry: no."),
            ("é", "É."),
            ("", "."),
            (
                "hallpass:audit belongs here",
                "hallpass:audit belongs here.",
            ),
            ("hallpass:… belongs here", "hallpass:… belongs here."),
            (
                "expirationDate must lie ahead",
                "expirationDate must lie ahead.",
            ),
            ("hpp_7Kd2mQ… is known", "hpp_7Kd2mQ… is known."),
            ("eve@acme.example is one", "eve@acme.example is one."),
            ("“x” is no permission", "“x” is no permission."),
        ] {
            assert_eq!(sentence(text), told);
        }
    }

    #[test]
    fn whoever_asks_too_often_is_told_when_to_ask_again() {
        for error in [
            ServiceError::TooManyAttempts(7),
            ServiceError::TooManyTokensToday,
        ] {
            assert_eq!(error.face().status, StatusCode::TOO_MANY_REQUESTS);
            assert!(error.retry_after().is_some_and(|seconds| seconds > 0));
        }
    }
}
