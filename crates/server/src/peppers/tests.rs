use super::*;
use crate::entropy::SystemEntropy;
use std::{collections::BTreeMap, os::unix::fs::PermissionsExt};

const A: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const B: &str = "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHgA=";

fn config(data: &Path, peppers: Option<&str>, database: Option<&str>) -> Config {
    let mut flags = BTreeMap::from([("data", data.display().to_string())]);
    if let Some(database) = database {
        flags.insert("database", database.to_owned());
    }
    let env = |name: &str| peppers.filter(|_| name == VARIABLE).map(str::to_owned);
    Config::resolve(&flags, env, None).unwrap()
}

fn load_here(config: &Config, may_create: bool) -> Result<Loaded, PepperError> {
    load(
        config,
        may_create,
        &SystemEntropy::seeded(1),
        Timestamp::parse("2026-11-22T10:15:00Z").unwrap(),
    )
}

fn ids(peppers: &Peppers) -> Vec<&str> {
    peppers.iter().map(|pepper| pepper.id().as_str()).collect()
}

#[test]
fn the_first_start_makes_a_file_that_only_the_server_reads_and_the_next_one_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), None, None);
    let first = load_here(&config, true).unwrap();
    let path = folder.path().join("peppers.key");
    assert_eq!(first.created.as_deref(), Some(path.as_path()));
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(ids(&first.peppers), ["2026-11-22"]);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().filter(|line| line.starts_with('#')).count(), 4);

    let second = load(&config, true, &SystemEntropy::seeded(2), Timestamp::MAX).unwrap();
    assert!(second.created.is_none());
    assert_eq!(
        first.peppers.current().seal("test", b"x"),
        second.peppers.current().seal("test", b"x")
    );
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        text,
        "it is never written again"
    );
}

#[test]
fn no_key_is_made_under_tokens_that_exist() {
    let folder = tempfile::tempdir().unwrap();
    let error = load_here(&config(folder.path(), None, None), false).unwrap_err();
    assert!(matches!(error, PepperError::Missing { embedded: true, .. }));
    assert!(
        error.to_string().contains("Put the key file back"),
        "{error}"
    );
    assert!(!folder.path().join("peppers.key").exists());
}

#[test]
fn postgres_never_gets_a_key_made_but_reads_one() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), None, Some("postgres://db/hallpass"));
    let error = load_here(&config, true).unwrap_err().to_string();
    assert!(
        error.contains(VARIABLE)
            && error.contains("head -c 32 /dev/urandom | base64")
            && error.contains("every node"),
        "{error}"
    );
    let path = folder.path().join("peppers.key");
    assert!(!path.exists());
    write_new(&path, &format!("main:{A}\n")).unwrap();
    assert_eq!(ids(&load_here(&config, true).unwrap().peppers), ["main"]);
}

#[test]
fn the_environment_wins_over_the_file_and_its_first_is_current() {
    let folder = tempfile::tempdir().unwrap();
    let unpadded = B.trim_end_matches('=');
    let loaded = load_here(
        &config(
            folder.path(),
            Some(&format!("new:{A}, old:{unpadded}")),
            None,
        ),
        true,
    )
    .unwrap();
    assert_eq!(ids(&loaded.peppers), ["new", "old"]);
    assert_eq!(loaded.peppers.current().id().as_str(), "new");
    assert!(loaded.created.is_none() && !folder.path().join("peppers.key").exists());
}

#[test]
fn a_file_that_others_can_read_or_own_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), None, None);
    load_here(&config, true).unwrap();
    let path = folder.path().join("peppers.key");
    for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o601] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = load_here(&config, true).unwrap_err();
        assert!(
            matches!(error, PepperError::Exposed { mode: found, .. } if found == mode),
            "{error}"
        );
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    load_here(&config, true).unwrap();
    let error = check_rights(&path, 0o600, 1001, 1000).unwrap_err();
    assert!(
        matches!(
            error,
            PepperError::Owner {
                owner: 1001,
                server: 1000,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn what_is_no_pepper_is_refused_without_being_shown() {
    let long = "0123456789abcdefg";
    let zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let many: Vec<_> = (0..17).map(|n| format!("p{n}:{A}")).collect();
    for (text, problem) in [
        (A.to_owned(), "no colon"),
        (format!(":{A}"), "the id is not"),
        (format!("Main:{A}"), "the id is not"),
        (format!("{long}:{A}"), "the id is not"),
        ("main:Y2FuYXJ5".to_owned(), "has not 32 bytes"),
        ("main:canary!".to_owned(), "not base64"),
        (format!("main:{A}A"), "not base64"),
        (format!("main:{zeros}"), "not random"),
        (format!("main:{A},main:{B}"), "same id"),
        (format!("main:{A},"), "no colon"),
        (many.join(","), "too many"),
    ] {
        let error = from_variable(&SecretText::from(text.as_str()))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(VARIABLE) && error.contains(problem),
            "{error}"
        );
        assert!(
            !error.contains("canary") && !error.contains("Y2FuYXJ5") && !error.contains("AAEC"),
            "{error}"
        );
    }
    let path = Path::new("k");
    let error = from_file(path, "# one\n\nmain:canary\n")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("k line 3: ") && !error.contains("canary"),
        "{error}"
    );
    for empty in ["", "# nothing\n\n"] {
        assert!(
            from_file(path, empty)
                .unwrap_err()
                .to_string()
                .contains("holds no pepper")
        );
    }
}

#[test]
fn an_existing_file_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("peppers.key");
    write_new(&path, "first").unwrap();
    assert_eq!(
        write_new(&path, "second").unwrap_err().kind(),
        io::ErrorKind::AlreadyExists
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "first");
}
