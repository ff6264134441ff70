//! Where the peppers are: in the environment, or in a key file beside the embedded database. Never in the
//! database, so that a copy of it is worth nothing.

use crate::config::{Config, SecretText};
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use hallpass_domain::{
    Entropy,
    time::Timestamp,
    token::{Pepper, PepperId, Peppers},
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Peppers that may be held: the one in use and those retired. Each costs a digest for tokens it made.
const PEPPERS_MAX: usize = 16;
/// Bytes of a key file: all peppers and a page of comments.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// Rights of others to the key file: there are none.
const OTHERS: u32 = 0o077;
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The variable that holds peppers.
const VARIABLE: &str = "HALLPASS_PEPPERS";
/// How to make a pepper.
const HOW: &str = "echo \"main:$(head -c 32 /dev/urandom | base64)\"";

/// Peppers, and whether they are new.
#[derive(Debug)]
pub struct Loaded {
    /// The peppers.
    pub peppers: Peppers,
    /// The key file, if it was made just now; the caller tells people to keep a copy of it.
    pub created: Option<PathBuf>,
}

/// Why there are no peppers. None of these texts holds a key.
#[derive(Debug, thiserror::Error)]
pub enum PepperError {
    /// There is neither the variable nor the file, and none may be made.
    #[error("{} there is no key to check tokens with: neither {VARIABLE} nor {} exists. {}", if *.embedded { "the database holds tokens, but" } else { "a PostgreSQL database is shared, so its key is yours to make and to keep:" }, .path.display(), way_out(*.embedded))]
    Missing {
        /// Where the key file would be.
        path: PathBuf,
        /// Whether the database is the embedded one.
        embedded: bool,
    },
    /// A line is no pepper.
    #[error(
        "{place}: {problem}. A pepper is written ID:KEY, the key 32 bytes in base64; make one with: {HOW}"
    )]
    Malformed {
        /// The variable, or the file with the line's number.
        place: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Others may read or change the file.
    #[error("{} can be read or changed by others (mode {mode:04o}); run: chmod 600 {}", .path.display(), .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Somebody else owns the file.
    #[error("{} belongs to user {owner}, and the server runs as user {server}; whoever owns it can change it. Run: chown {server} {}", .path.display(), .path.display())]
    Owner {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who the server is.
        server: u32,
    },
    /// It cannot be read or made.
    #[error("{}: {error}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

fn way_out(embedded: bool) -> String {
    if embedded {
        "Put the key file back from your copy; without it no token that was made before can be checked".to_owned()
    } else {
        format!(
            "Set {VARIABLE} to the line that this prints, the same on every node, and keep a copy: {HOW}"
        )
    }
}

/// Loads the peppers: from the environment if they are there, else from the key file. The file is made only
/// beside the embedded database, and only if the caller says that it holds no token yet (`may_create`): a new
/// key under old tokens would refuse them all.
///
/// # Errors
/// [`PepperError`].
pub fn load(
    config: &Config,
    may_create: bool,
    entropy: &impl Entropy,
    now: Timestamp,
) -> Result<Loaded, PepperError> {
    if let Some(text) = &config.peppers {
        let peppers = from_variable(text)?;
        return Ok(Loaded {
            peppers,
            created: None,
        });
    }
    let path = config.pepper_file();
    let embedded = config.database.is_embedded();
    match read(&path)? {
        Some(text) => Ok(Loaded {
            peppers: from_file(&path, &text)?,
            created: None,
        }),
        None if embedded && may_create => {
            let text = new_file_text(entropy, now);
            write_new(&path, &text).map_err(|error| PepperError::Io {
                path: path.clone(),
                error,
            })?;
            Ok(Loaded {
                peppers: from_file(&path, &text)?,
                created: Some(path),
            })
        }
        None => Err(PepperError::Missing { path, embedded }),
    }
}

fn from_variable(text: &SecretText) -> Result<Peppers, PepperError> {
    collect(
        text.expose()
            .split(',')
            .map(|item| (VARIABLE.to_owned(), item)),
        VARIABLE,
    )
}

fn from_file(path: &Path, text: &str) -> Result<Peppers, PepperError> {
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    let place = path.display().to_string();
    collect(
        lines.map(|(index, line)| (format!("{place} line {}", index + 1), line)),
        &place,
    )
}

fn collect<'a>(
    items: impl Iterator<Item = (String, &'a str)>,
    whole: &str,
) -> Result<Peppers, PepperError> {
    let mut peppers: Vec<Pepper> = Vec::new();
    for (place, item) in items {
        let malformed = |problem| PepperError::Malformed {
            place: place.clone(),
            problem,
        };
        let pepper = parse(item.trim()).map_err(malformed)?;
        if peppers.iter().any(|other| other.id() == pepper.id()) {
            return Err(malformed("two peppers with the same id"));
        }
        if peppers.len() == PEPPERS_MAX {
            return Err(malformed("too many peppers, at most 16 fit"));
        }
        peppers.push(pepper);
    }
    let mut all = peppers.into_iter();
    let current = all.next().ok_or_else(|| PepperError::Malformed {
        place: whole.to_owned(),
        problem: "it holds no pepper",
    })?;
    Ok(Peppers::new(current, all.collect()))
}

fn parse(text: &str) -> Result<Pepper, &'static str> {
    let (id, key) = text
        .split_once(':')
        .ok_or("no colon between an id and a key")?;
    let id = PepperId::parse(id.trim())
        .ok_or("the id is not 1 to 16 lower-case letters, digits and -")?;
    let bytes = Zeroizing::new(
        BASE64
            .decode(key.trim())
            .map_err(|_| "the key is not base64")?,
    );
    let mut exact = Zeroizing::new([0; Pepper::BYTES]);
    if bytes.len() != exact.len() {
        return Err("the key has not 32 bytes");
    }
    exact.copy_from_slice(&bytes);
    if exact.iter().all(|byte| *byte == exact[0]) {
        return Err("the key is one byte over and over, not random");
    }
    Ok(Pepper::new(id, &exact))
}

/// The text of the key file, if there is one that only the server can read.
fn read(path: &Path) -> Result<Option<Zeroizing<String>>, PepperError> {
    let io = |error| PepperError::Io {
        path: path.to_owned(),
        error,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    // Asked of the open file, not of the path: nobody can exchange it in between.
    let about = file.metadata().map_err(io)?;
    let server = rustix::process::geteuid().as_raw();
    check_rights(path, about.mode(), about.uid(), server)?;
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(io)?;
    Ok(Some(text))
}

fn check_rights(path: &Path, mode: u32, owner: u32, server: u32) -> Result<(), PepperError> {
    if owner != server {
        return Err(PepperError::Owner {
            path: path.to_owned(),
            owner,
            server,
        });
    }
    if mode & OTHERS != 0 {
        return Err(PepperError::Exposed {
            path: path.to_owned(),
            mode: mode & 0o7777,
        });
    }
    Ok(())
}

/// A key file with one pepper, named after the day it was made.
fn new_file_text(entropy: &impl Entropy, now: Timestamp) -> Zeroizing<String> {
    let mut key = Zeroizing::new([0; Pepper::BYTES]);
    entropy.fill(&mut key[..]);
    let encoded = Zeroizing::new(BASE64.encode(&key[..]));
    let day: String = now.to_string().chars().take(10).collect();
    Zeroizing::new(format!(
        "# The key that tokens are checked with. Keep a copy apart from the database: without this file no token\n\
         # can be checked, and with it and the database together they can be guessed at.\n\
         # One line for each pepper, id:key. The first is used for new tokens; the others still check old ones.\n\
         # To retire a pepper put a new line above it. Make one with: {HOW}\n\
         {day}:{}\n",
        *encoded
    ))
}

/// Writes a file that did not exist, readable by its owner alone, and returns when it would survive a power
/// cut. A file that could not be written whole is taken away again.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    if let Err(error) = written {
        let _ = fs::remove_file(path);
        return Err(error);
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
