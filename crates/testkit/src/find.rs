//! Where the programs are that tests run.

use std::path::{Path, PathBuf};

/// The first folder of `PATH`, or of the folders where Debian keeps what only administrators run, that holds
/// `program`.
pub fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// The folder of PostgreSQL's programs: Debian's newest version, else wherever `initdb` is in `PATH`.
pub fn postgres_programs() -> Option<PathBuf> {
    newest_version(Path::new("/usr/lib/postgresql"))
        .or_else(|| Some(in_path("initdb")?.canonicalize().ok()?.parent()?.to_owned()))
}

fn newest_version(versions: &Path) -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(versions)
        .ok()?
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(_, programs)| {
            programs.join("initdb").is_file() && programs.join("postgres").is_file()
        })
        .collect();
    found.sort();
    found.pop().map(|(_, programs)| programs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_whole_version_wins_by_number() {
        let versions = crate::temp_dir();
        for (version, programs) in [
            ("9", &["initdb", "postgres"][..]),
            ("15", &["initdb", "postgres"]),
            ("17", &["psql"]),
        ] {
            let folder = versions.path().join(version).join("bin");
            std::fs::create_dir_all(&folder).unwrap();
            for program in programs {
                std::fs::write(folder.join(program), "").unwrap();
            }
        }
        assert_eq!(
            newest_version(versions.path()),
            Some(versions.path().join("15/bin"))
        );
    }

    #[test]
    fn finds_what_everybody_has() {
        assert!(in_path("sh").is_some());
        assert_eq!(in_path("no-such-program-anywhere"), None);
    }
}
