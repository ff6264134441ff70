use super::*;
use hallpass_domain::{
    Entropy,
    token::{Brand, Kind},
};
use std::{cell::RefCell, collections::BTreeMap, os::unix::fs::PermissionsExt as _};

/// A keyring in memory; one that is broken takes and gives nothing.
#[derive(Debug, Default)]
struct Memory {
    broken: bool,
    texts: RefCell<BTreeMap<String, String>>,
}

impl Memory {
    fn check(&self) -> Result<(), String> {
        if self.broken {
            Err("no bus".to_owned())
        } else {
            Ok(())
        }
    }
}

impl Keyring for &Memory {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<String>>, String> {
        self.check()?;
        Ok(self.texts.borrow().get(name).cloned().map(Zeroizing::new))
    }
    fn set(&self, name: &str, text: &str) -> Result<(), String> {
        self.check()?;
        self.texts
            .borrow_mut()
            .insert(name.to_owned(), text.to_owned());
        Ok(())
    }
    fn delete(&self, name: &str) -> Result<(), String> {
        self.check()?;
        self.texts.borrow_mut().remove(name);
        Ok(())
    }
}

struct Byte(u8);
impl Entropy for Byte {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

fn token(byte: u8) -> PlainToken {
    PlainToken::generate(Brand::DEFAULT, Kind::PersonalAccessToken, &Byte(byte))
}

fn host(text: &str) -> Host {
    Host::parse(text).unwrap()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_keyring_keeps_the_token_and_the_file_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let (ours, other) = (host("https://a.example"), host("https://b.example"));
    let mut credentials = Credentials::load(folder.path(), &memory).unwrap();
    assert_eq!(
        credentials.store(&ours, &token(1), true, false).unwrap(),
        Place::Keyring
    );

    let text = std::fs::read_to_string(folder.path().join("credentials.toml")).unwrap();
    assert!(
        !text.contains(token(1).expose()) && text.contains(token(1).prefix().as_str()),
        "{text}"
    );

    let credentials = Credentials::load(folder.path(), &memory).unwrap();
    assert_eq!(credentials.host(), Some("https://a.example"));
    let stored = credentials.find(&ours).unwrap().unwrap();
    assert_eq!(
        (stored.token.expose(), stored.place, stored.own),
        (token(1).expose(), Place::Keyring, true)
    );
    assert!(
        credentials.find(&other).unwrap().is_none(),
        "a token is for the server it was stored for"
    );
}

#[test]
fn without_a_keyring_a_file_keeps_it_that_only_its_owner_reads() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("deep/hallpass");
    let broken = Memory {
        broken: true,
        ..Memory::default()
    };
    let path = config.join("credentials.toml");
    let mut credentials = Credentials::load(&config, &broken).unwrap();
    assert_eq!(
        credentials
            .store(&host("https://a.example"), &token(1), true, false)
            .unwrap(),
        Place::File(path.clone())
    );
    assert_eq!((mode(&path), mode(&config)), (0o600, 0o700));

    // The second write replaces the first and is as closed.
    credentials
        .store(&host("https://b.example"), &token(2), false, false)
        .unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(
        std::fs::read_dir(&config).unwrap().count(),
        1,
        "no draft is left"
    );

    let credentials = Credentials::load(&config, &broken).unwrap();
    for (address, byte, own) in [
        ("https://a.example", 1, true),
        ("https://b.example", 2, false),
    ] {
        let stored = credentials.find(&host(address)).unwrap().unwrap();
        assert_eq!(
            (stored.token.expose(), stored.own),
            (token(byte).expose(), own)
        );
    }
}

#[test]
fn insecure_storage_leaves_a_working_keyring_alone() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let mut credentials = Credentials::load(folder.path(), &memory).unwrap();
    let place = credentials
        .store(&host("https://a.example"), &token(1), true, true)
        .unwrap();
    assert!(matches!(place, Place::File(_)));
    assert!(memory.texts.borrow().is_empty());
}

#[test]
fn a_file_that_others_can_read_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.toml");
    std::fs::write(&path, "").unwrap();
    for (open, refused) in [
        (0o600, false),
        (0o400, false),
        (0o640, true),
        (0o604, true),
        (0o620, true),
    ] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(open)).unwrap();
        let read = Credentials::load(folder.path(), &Memory::default()).map(drop);
        assert_eq!(read.is_err(), refused, "{open:o}");
        if let Err(failure) = read {
            assert!(failure.exit == Exit::NotSignedIn && failure.to_string().contains("chmod 600"));
        }
    }
}

#[test]
fn what_is_forgotten_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let (kept, filed) = (host("https://a.example"), host("https://b.example"));
    let mut credentials = Credentials::load(folder.path(), &memory).unwrap();
    credentials.store(&kept, &token(1), true, false).unwrap();
    credentials.store(&filed, &token(2), true, true).unwrap();
    credentials.forget(&kept).unwrap();
    credentials.forget(&filed).unwrap();
    credentials.forget(&filed).unwrap();
    assert!(memory.texts.borrow().is_empty());
    let text = std::fs::read_to_string(folder.path().join("credentials.toml")).unwrap();
    assert!(!text.contains("hpp_"), "{text}");
    let credentials = Credentials::load(folder.path(), &memory).unwrap();
    assert!(credentials.host().is_none() && credentials.find(&filed).unwrap().is_none());
}

#[test]
fn a_damaged_file_or_token_is_told_without_its_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.toml");
    let address = "https://a.example";
    for (text, loads) in [
        ("host = 3", false),
        ("not toml hpp_secret", false),
        ("[servers]\nx = 1", false),
        (
            "[servers.\"https://a.example\"]\nprefix = \"p\"\ntoken = \"hpp_secret\"",
            true,
        ),
    ] {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let failure = match Credentials::load(folder.path(), &Memory::default()) {
            Ok(credentials) if loads => credentials.find(&host(address)).unwrap_err(),
            Ok(_) => panic!("{text} was read"),
            Err(failure) => failure,
        };
        assert!(
            failure.exit == Exit::NotSignedIn && !failure.to_string().contains("hpp_secret"),
            "{failure}"
        );
    }
}

#[test]
fn the_folder_follows_the_environment() {
    let with = |xdg: Option<&str>, home: Option<&str>| {
        folder(|variable| match variable {
            "XDG_CONFIG_HOME" => xdg.map(str::to_owned),
            "HOME" => home.map(str::to_owned),
            _ => None,
        })
    };
    assert_eq!(
        with(Some("/x"), Some("/h")).unwrap(),
        Path::new("/x/hallpass")
    );
    assert_eq!(
        with(Some(""), Some("/h")).unwrap(),
        Path::new("/h/.config/hallpass")
    );
    assert_eq!(
        with(Some("relative"), Some("/h")).unwrap(),
        Path::new("/h/.config/hallpass")
    );
    assert!(with(None, None).is_err());
}
