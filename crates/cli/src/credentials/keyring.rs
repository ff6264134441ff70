//! The system's keyring: Secret Service, Keychain, or the Windows Credential Manager.

use zeroize::Zeroizing;

/// A place for texts by name that the system guards.
pub(crate) trait Keyring {
    /// The text kept for `name`, if there is one.
    ///
    /// # Errors
    /// Why the keyring does not open.
    fn get(&self, name: &str) -> Result<Option<Zeroizing<String>>, String>;
    /// Keeps `text` for `name`.
    ///
    /// # Errors
    /// Why it cannot be kept.
    fn set(&self, name: &str, text: &str) -> Result<(), String>;
    /// Forgets what is kept for `name`, if anything.
    ///
    /// # Errors
    /// Why the keyring does not open.
    fn delete(&self, name: &str) -> Result<(), String>;
}

/// The name under which the keyring's own windows show our entries.
const SERVICE: &str = "hallpass";

/// The keyring of this system, if it has one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemKeyring;

impl SystemKeyring {
    fn entry(name: &str) -> Result<keyring::v1::Entry, String> {
        keyring::v1::Entry::new(SERVICE, name).map_err(|error| error.to_string())
    }
}

impl Keyring for SystemKeyring {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<String>>, String> {
        match Self::entry(name)?.get_password() {
            Ok(text) => Ok(Some(Zeroizing::new(text))),
            Err(keyring::v1::Error::NoEntry) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    fn set(&self, name: &str, text: &str) -> Result<(), String> {
        Self::entry(name)?
            .set_password(text)
            .map_err(|error| error.to_string())
    }

    fn delete(&self, name: &str) -> Result<(), String> {
        match Self::entry(name)?.delete_credential() {
            Ok(()) | Err(keyring::v1::Error::NoEntry) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}
