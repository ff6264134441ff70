//! The credential of a request, in every form that tools send it.
//!
//! | form | |
//! |---|---|
//! | `Authorization: Bearer TOKEN` | RFC 6750 section 2.1 |
//! | `Authorization: Token TOKEN` | Django REST framework, GitHub |
//! | `Authorization: Basic …` | RFC 7617; the token as user name or as password |
//! | `X-API-Key: TOKEN` | |
//! | `PRIVATE-TOKEN: TOKEN` | GitLab |
//!
//! A token in the address is refused: addresses are logged, kept and sent on.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hallpass_domain::{
    limits::CREDENTIAL_BYTES_MAX,
    token::{MalformedToken, PlainToken, mask::DECODINGS_MAX, plain},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use std::{borrow::Cow, fmt};
use zeroize::Zeroizing;

/// What a request brought.
#[derive(Debug)]
pub enum Credential {
    /// Nothing that is for us.
    None,
    /// A token by shape and checksum.
    Token(PlainToken),
    /// Something in a token's place that is none.
    NotAToken(MalformedToken),
}

/// Why the credentials of a request cannot be read. None of these looks at a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCredentials {
    /// One header came twice, or joined by a comma.
    #[error("the header {0} came more than once; send one credential")]
    Doubled(&'static str),
    /// Two different credentials.
    #[error("two different credentials came in one request; send one")]
    Conflicting,
    /// Not the form of its scheme.
    #[error("{0} is malformed; send it as “{1}”")]
    Malformed(&'static str, &'static str),
    /// Too long to be one.
    #[error("the header {0} has more than {CREDENTIAL_BYTES_MAX} bytes; a token has 48 characters")]
    TooLong(&'static str),
    /// A token stands in the address.
    #[error(
        "a token must not stand in the address, which is logged and kept on its way; send it as “Authorization: Bearer …”, and revoke this one, since it may have been seen"
    )]
    InAddress,
}

impl BadCredentials {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Doubled(_) => "credentials_doubled",
            Self::Conflicting => "credentials_conflicting",
            Self::Malformed(..) => "credentials_malformed",
            Self::TooLong(_) => "credentials_too_long",
            Self::InAddress => "token_in_address",
        }
    }
}

/// Reads the credential of a request.
///
/// # Errors
/// [`BadCredentials`].
pub fn read(headers: &HeaderMap) -> Result<Credential, BadCredentials> {
    let mut places = Places::default();
    for (name, value) in headers {
        places.see(name, value);
    }
    places.read()
}

/// The headers in which a credential may stand.
#[derive(Clone, Copy, Default)]
pub struct Places<'h> {
    authorization: Lines<'h>,
    x_api_key: Lines<'h>,
    private_token: Lines<'h>,
}

/// How often a header came.
#[derive(Clone, Copy, Default)]
enum Lines<'h> {
    #[default]
    None,
    One(&'h [u8]),
    More,
}

impl fmt::Debug for Places<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the values, which are what must not be told.
        f.write_str("Places(…)")
    }
}

impl<'h> Places<'h> {
    /// Takes note of a header of a request; of each, whatever it is.
    pub fn see(&mut self, name: &HeaderName, value: &'h HeaderValue) {
        let lines = match name.as_str() {
            "authorization" => &mut self.authorization,
            "x-api-key" => &mut self.x_api_key,
            "private-token" => &mut self.private_token,
            _ => return,
        };
        *lines = match lines {
            Lines::None => Lines::One(value.as_bytes()),
            Lines::One(_) | Lines::More => Lines::More,
        };
    }

    /// Reads the credential, when all headers have been seen.
    ///
    /// # Errors
    /// [`BadCredentials`].
    pub fn read(&self) -> Result<Credential, BadCredentials> {
        let mut found = Credential::None;
        if let Some(value) = self.authorization.sole("Authorization")? {
            found = authorization(value)?;
        }
        for (lines, label) in [
            (self.x_api_key, "X-API-Key"),
            (self.private_token, "PRIVATE-TOKEN"),
        ] {
            if let Some(value) = lines.sole(label)? {
                check_one(value, label)?;
                found = both(found, parse(value.trim_ascii()))?;
            }
        }
        Ok(found)
    }
}

impl<'h> Lines<'h> {
    const fn sole(self, label: &'static str) -> Result<Option<&'h [u8]>, BadCredentials> {
        match self {
            Self::None => Ok(None),
            Self::One(value) => Ok(Some(value)),
            Self::More => Err(BadCredentials::Doubled(label)),
        }
    }
}

/// Refuses an address with a token in it, percent-encoded or not, whatever the parameter is called.
///
/// # Errors
/// [`BadCredentials::InAddress`].
pub fn check_address(path_and_query: &str) -> Result<(), BadCredentials> {
    if path_and_query.len() < plain::TOKEN_CHARS {
        return Ok(());
    }
    let refuse = |address: &str| match plain::find_in(address) {
        Some(_) => Err(BadCredentials::InAddress),
        None => Ok(()),
    };
    refuse(path_and_query)?;
    let mut address = Cow::Borrowed(path_and_query);
    for _ in 0..DECODINGS_MAX {
        if !address.contains('%') {
            break;
        }
        let decoded: Vec<u8> = percent_decode_str(&address).collect();
        address = Cow::Owned(String::from_utf8_lossy(&decoded).into_owned());
        refuse(&address)?;
    }
    Ok(())
}

/// What is for us holds one credential, of a token's size or thereabouts.
fn check_one(value: &[u8], label: &'static str) -> Result<(), BadCredentials> {
    if value.contains(&b',') {
        return Err(BadCredentials::Doubled(label));
    }
    if value.len() > CREDENTIAL_BYTES_MAX {
        return Err(BadCredentials::TooLong(label));
    }
    Ok(())
}

fn authorization(value: &[u8]) -> Result<Credential, BadCredentials> {
    let end = value
        .iter()
        .position(|byte| *byte == b' ')
        .unwrap_or(value.len());
    let (scheme, rest) = value.split_at(end);
    let rest = rest.trim_ascii_start();
    let is = |name: &str| scheme.eq_ignore_ascii_case(name.as_bytes());
    if ["bearer", "token", "basic"].into_iter().any(is) {
        check_one(value, "Authorization")?;
    }
    if is("bearer") {
        return single(rest, "Authorization: Bearer TOKEN");
    }
    if is("token") {
        return single(rest, "Authorization: Token TOKEN");
    }
    if is("basic") {
        return basic(rest);
    }
    if scheme.iter().any(|byte| !byte.is_ascii_graphic()) {
        return Err(BadCredentials::Malformed(
            "Authorization",
            "Authorization: Bearer TOKEN",
        ));
    }
    // Another scheme is somebody else's.
    Ok(Credential::None)
}

/// One word of visible characters.
fn single(text: &[u8], form: &'static str) -> Result<Credential, BadCredentials> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_graphic) {
        return Err(BadCredentials::Malformed("Authorization", form));
    }
    Ok(parse(text))
}

/// git sends the token as password, curl and others as user name with an empty or idle password.
fn basic(text: &[u8]) -> Result<Credential, BadCredentials> {
    const FORM: &str = "Authorization: Basic base64(TOKEN:)";
    let malformed = BadCredentials::Malformed("Authorization", FORM);
    let decoded = Zeroizing::new(STANDARD.decode(text).map_err(|_| malformed)?);
    let colon = decoded
        .iter()
        .position(|byte| *byte == b':')
        .ok_or(malformed)?;
    let (user, password) = (parse(&decoded[..colon]), parse(&decoded[colon + 1..]));
    match (user, password) {
        (user @ Credential::Token(_), password @ Credential::Token(_)) => both(user, password),
        (user @ Credential::Token(_), _) => Ok(user),
        (_, password) => Ok(password),
    }
}

fn parse(text: &[u8]) -> Credential {
    match PlainToken::parse(text) {
        Ok(token) => Credential::Token(token),
        Err(why) => Credential::NotAToken(why),
    }
}

/// One credential in two headers is one; two are a conflict.
fn both(one: Credential, other: Credential) -> Result<Credential, BadCredentials> {
    match (one, other) {
        (Credential::None, other) => Ok(other),
        (one, Credential::None) => Ok(one),
        (Credential::Token(one), Credential::Token(other)) if one.expose() == other.expose() => {
            Ok(Credential::Token(one))
        }
        _ => Err(BadCredentials::Conflicting),
    }
}

#[cfg(test)]
mod tests;
