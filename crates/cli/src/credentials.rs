//! Where the token of `hallpass login` is kept: in the system's keyring, or in a file that only its owner can
//! read. Which server it belongs to is always in the file; a token is sent to no other.

mod file;
mod keyring;

pub(crate) use keyring::{Keyring, SystemKeyring};

use crate::{
    exit::{Exit, Failure},
    host::Host,
};
use file::{Contents, Entry};
use hallpass_domain::token::PlainToken;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The variable that holds a token for the commands, before any that is stored.
pub(crate) const TOKEN_VARIABLE: &str = "HALLPASS_TOKEN";

/// Where a token was found or put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the environment.
    Environment,
    /// In the system's keyring.
    Keyring,
    /// In the file of this name.
    File(PathBuf),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Environment => f.write_str(TOKEN_VARIABLE),
            Self::Keyring => f.write_str("the system keyring"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// A token that was found.
#[derive(Debug)]
pub(crate) struct Stored {
    /// The token.
    pub(crate) token: PlainToken,
    /// Where it was.
    pub(crate) place: Place,
    /// `hallpass login` made it, so nobody else relies on it.
    pub(crate) own: bool,
}

/// The stored credentials.
#[derive(Debug)]
pub(crate) struct Credentials<K> {
    path: PathBuf,
    contents: Contents,
    keyring: K,
}

impl<K: Keyring> Credentials<K> {
    /// Reads `credentials.toml` in `folder`; no file is no credentials.
    ///
    /// # Errors
    /// A file that cannot be read, is not ours, or that others can read.
    pub(crate) fn load(folder: &Path, keyring: K) -> Result<Self, Failure> {
        let path = folder.join(file::NAME);
        Ok(Self {
            contents: file::read(&path)?,
            path,
            keyring,
        })
    }

    /// The server that was signed in to last.
    pub(crate) fn host(&self) -> Option<&str> {
        self.contents.host.as_deref()
    }

    /// The token kept for `host`.
    ///
    /// # Errors
    /// A keyring that does not open, or a text that is no token.
    pub(crate) fn find(&self, host: &Host) -> Result<Option<Stored>, Failure> {
        let Some(entry) = self.contents.servers.get(host.as_str()) else {
            return Ok(None);
        };
        let (text, place) = match &entry.token {
            Some(token) => (
                Some(Zeroizing::new(token.to_string())),
                Place::File(self.path.clone()),
            ),
            None => (
                self.keyring
                    .get(host.as_str())
                    .map_err(|error| locked(&error))?,
                Place::Keyring,
            ),
        };
        let Some(text) = text else {
            return Ok(None);
        };
        let token = parse(&text, &place)?;
        Ok(Some(Stored {
            token,
            place,
            own: entry.own,
        }))
    }

    /// Keeps `token` for `host`: in the keyring if there is one and `insecure` does not forbid it, else in the file.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(crate) fn store(
        &mut self,
        host: &Host,
        token: &PlainToken,
        own: bool,
        insecure: bool,
    ) -> Result<Place, Failure> {
        let in_keyring = !insecure && self.keyring.set(host.as_str(), token.expose()).is_ok();
        let place = if in_keyring {
            Place::Keyring
        } else {
            Place::File(self.path.clone())
        };
        let kept = (!in_keyring).then(|| Zeroizing::new(token.expose().to_owned()));
        let entry = Entry {
            prefix: token.prefix().to_string(),
            own,
            token: kept,
        };
        self.contents
            .servers
            .insert(host.as_str().to_owned(), entry);
        self.contents.host = Some(host.as_str().to_owned());
        file::write(&self.path, &self.contents)?;
        Ok(place)
    }

    /// Forgets the token kept for `host`.
    ///
    /// # Errors
    /// A keyring or a file that cannot be changed.
    pub(crate) fn forget(&mut self, host: &Host) -> Result<(), Failure> {
        let Some(entry) = self.contents.servers.remove(host.as_str()) else {
            return Ok(());
        };
        if entry.token.is_none() {
            self.keyring
                .delete(host.as_str())
                .map_err(|error| locked(&error))?;
        }
        if self.contents.servers.is_empty() {
            self.contents.host = None;
        }
        file::write(&self.path, &self.contents)
    }
}

/// A token out of `text`, blanks around it aside.
///
/// # Errors
/// Why it is none, with where it stood and without the text.
pub(crate) fn parse(text: &str, place: &Place) -> Result<PlainToken, Failure> {
    PlainToken::parse(text.trim().as_bytes()).map_err(|error| {
        Failure::new(
            Exit::NotSignedIn,
            format!("what is in {place} is no token: {error}"),
        )
    })
}

fn locked(error: &str) -> Failure {
    Failure::new(Exit::NotSignedIn, format!("the system keyring does not give the token out: {error}"))
        .next("Unlock it, or sign in anew with `hallpass login --insecure-storage`, or put a token into HALLPASS_TOKEN.")
}

/// The folder of settings: `$XDG_CONFIG_HOME/hallpass`, else `~/.config/hallpass`.
///
/// # Errors
/// Neither `XDG_CONFIG_HOME` nor `HOME` names a folder.
pub(crate) fn folder(env: impl Fn(&str) -> Option<String>) -> Result<PathBuf, Failure> {
    let absolute = |variable: &str| {
        env(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_CONFIG_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".config")))
        .map(|folder| folder.join("hallpass"))
        .ok_or_else(|| Failure::usage("there is no place for credentials: neither XDG_CONFIG_HOME nor HOME names a folder"))
}

#[cfg(test)]
mod tests;
