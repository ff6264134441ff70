//! `credentials.toml`: which server was signed in to, and the tokens that no keyring took.

use crate::{
    exit::{Exit, Failure},
    limits::CREDENTIALS_BYTES_MAX,
};
use std::{
    collections::BTreeMap,
    fmt,
    fs::{DirBuilder, File, OpenOptions},
    io::{ErrorKind, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};
use toml::{Table, Value};
use zeroize::Zeroizing;

pub(super) const NAME: &str = "credentials.toml";

/// What stands in the file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    /// The server that was signed in to last.
    pub(super) host: Option<String>,
    /// By address.
    pub(super) servers: BTreeMap<String, Entry>,
}

/// What is known about one server's token.
#[derive(PartialEq, Eq)]
pub(super) struct Entry {
    /// How it begins.
    pub(super) prefix: String,
    /// `hallpass login` made it.
    pub(super) own: bool,
    /// The token, unless the keyring has it.
    pub(super) token: Option<Zeroizing<String>>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("prefix", &self.prefix)
            .field("own", &self.own)
            .finish_non_exhaustive()
    }
}

/// Reads the file; no file is empty contents.
///
/// # Errors
/// A file that cannot be read, is not ours, or that others can read.
pub(super) fn read(path: &Path) -> Result<Contents, Failure> {
    let refused =
        |what: String| Failure::new(Exit::NotSignedIn, format!("{}: {what}", path.display()));
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Contents::default()),
        Err(error) => return Err(refused(format!("it cannot be read: {error}"))),
    };
    let mode = file
        .metadata()
        .map_err(|error| refused(format!("it cannot be read: {error}")))?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        return Err(refused(format!(
            "others may read or write it (mode {:o})",
            mode & 0o777
        ))
        .next(format!("chmod 600 {}", path.display()))
        .next("If somebody else uses this machine, revoke the tokens in it."));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(CREDENTIALS_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(|error| refused(format!("it cannot be read: {error}")))?;
    parse(&text).ok_or_else(|| {
        refused("it is not as `hallpass login` writes it".to_owned())
            .next("Remove it and sign in again with `hallpass login`.")
    })
}

fn parse(text: &str) -> Option<Contents> {
    let mut table: Table = text.parse().ok()?;
    let host = match table.remove("host") {
        None => None,
        Some(Value::String(host)) => Some(host),
        Some(_) => return None,
    };
    let mut servers = BTreeMap::new();
    if let Some(value) = table.remove("servers") {
        let Value::Table(all) = value else {
            return None;
        };
        for (address, value) in all {
            let Value::Table(mut entry) = value else {
                return None;
            };
            let Some(Value::String(prefix)) = entry.remove("prefix") else {
                return None;
            };
            let own = entry
                .remove("own")
                .and_then(|own| own.as_bool())
                .unwrap_or(false);
            let token = match entry.remove("token") {
                None => None,
                Some(Value::String(token)) => Some(Zeroizing::new(token)),
                Some(_) => return None,
            };
            servers.insert(address, Entry { prefix, own, token });
        }
    }
    Some(Contents { host, servers })
}

fn print(contents: &Contents) -> Zeroizing<String> {
    let quoted = |text: &str| Value::String(text.to_owned()).to_string();
    let mut text = Zeroizing::new(String::from(
        "# Written by `hallpass login`. Nobody else should be able to read this file.\n",
    ));
    if let Some(host) = &contents.host {
        text.push_str(&format!("host = {}\n", quoted(host)));
    }
    for (address, entry) in &contents.servers {
        text.push_str(&format!(
            "\n[servers.{}]\nprefix = {}\nown = {}\n",
            quoted(address),
            quoted(&entry.prefix),
            entry.own
        ));
        if let Some(token) = &entry.token {
            text.push_str("token = \"");
            text.push_str(token);
            text.push_str("\"\n");
        }
    }
    text
}

/// Writes the file anew, so that at no moment anyone else can read it or finds half of it.
///
/// # Errors
/// What could not be written.
pub(super) fn write(path: &Path, contents: &Contents) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(
            Exit::Trouble,
            format!("cannot write {}: {error}", path.display()),
        )
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(failed)?;
    let draft = folder.join(format!(".{NAME}.{}", std::process::id()));
    // A draft of an earlier process with this id would keep its mode.
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| {
            file.write_all(print(contents).as_bytes())?;
            file.sync_all()
        });
    written
        .and_then(|()| std::fs::rename(&draft, path))
        .map_err(|error| {
            std::fs::remove_file(&draft).ok();
            failed(error)
        })
}
