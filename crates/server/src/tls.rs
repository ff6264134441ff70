//! The certificate: read from PEM files, and read again when they change.

use crate::config::TlsFiles;
use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

/// The files are looked at this often.
pub const WATCH_INTERVAL: Duration = Duration::from_secs(10);
/// Certificates in one chain file; real chains have three or four.
const CHAIN_MAX: usize = 16;

/// Why a pair of files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{}: {problem}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// The two do not go together, or the key is of a kind that is not supported.
    #[error("{} and {} cannot be used together: {error}", .files.certificate.display(), .files.key.display())]
    Pair {
        /// The two files.
        files: TlsFiles,
        /// Why not.
        error: rustls::Error,
    },
}

/// The certificate in use. New connections get the newest good one; those that are open keep theirs.
#[derive(Debug)]
pub struct Certificates {
    files: TlsFiles,
    current: ArcSwap<ServerConfig>,
    seen: Mutex<[Mark; 2]>,
}

/// By what a change of a file is noticed.
type Mark = Option<(SystemTime, u64, u64)>;

impl Certificates {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn load(files: TlsFiles) -> Result<Arc<Self>, TlsError> {
        // Marked before reading: a change in between is then noticed as one.
        let seen = Mutex::new(marks(&files));
        let current = ArcSwap::from_pointee(server_config(&files)?);
        Ok(Arc::new(Self {
            files,
            current,
            seen,
        }))
    }

    /// What a new connection is served with.
    pub fn current(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }

    /// Reads the files again, as on SIGHUP. If they are no good the old certificate stays.
    ///
    /// # Errors
    /// [`TlsError`], which is also logged.
    pub fn reload(&self) -> Result<(), TlsError> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = marks(&self.files);
        match server_config(&self.files) {
            Ok(config) => {
                self.current.store(Arc::new(config));
                tracing::info!(certificate = %self.files.certificate.display(), "the certificate was read again");
                Ok(())
            }
            Err(error) => {
                tracing::error!(%error, "the new certificate is no good; the old one stays in use");
                Err(error)
            }
        }
    }

    /// Looks whether a file has changed since it was last read, and if so reads both.
    pub fn reload_if_changed(&self) {
        let changed =
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) != marks(&self.files);
        if changed {
            // It was logged; the next change is the next try.
            let _ = self.reload();
        }
    }

    /// Looks at the files every [`WATCH_INTERVAL`], for as long as it is polled.
    pub async fn watch(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(WATCH_INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let this = Arc::clone(&self);
            // Files may lie on a network.
            let _ = tokio::task::spawn_blocking(move || this.reload_if_changed()).await;
        }
    }
}

fn marks(files: &TlsFiles) -> [Mark; 2] {
    [&files.certificate, &files.key].map(|path| {
        let about = fs::metadata(path).ok()?;
        Some((about.modified().ok()?, about.len(), about.ino()))
    })
}

fn server_config(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let fault = |path: &Path, problem: String| TlsError::File {
        path: path.to_owned(),
        problem,
    };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(|chain| chain.take(CHAIN_MAX).collect::<Result<Vec<_>, _>>())
        .map_err(|error| fault(&files.certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(fault(
            &files.certificate,
            "no certificate in PEM stands in it".to_owned(),
        ));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| fault(&files.key, error.to_string()))?;
    let pair = |error| TlsError::Pair {
        files: files.clone(),
        error,
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(pair)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(pair)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new pair in `folder`, changed at second `time`: the system's own marks may be too coarse for a test.
    fn write_pair(folder: &Path, time: u64) -> TlsFiles {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let files = TlsFiles {
            certificate: folder.join("c.pem"),
            key: folder.join("k.pem"),
        };
        write(&files.certificate, &made.cert.pem(), time);
        write(&files.key, &made.signing_key.serialize_pem(), time);
        files
    }

    fn write(path: &Path, text: &str, time: u64) {
        fs::write(path, text).unwrap();
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(time))
            .unwrap();
    }

    #[test]
    fn a_bad_pair_is_named() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let good = write_pair(one.path(), 1);
        let other = write_pair(two.path(), 1);
        let mixed = TlsFiles {
            certificate: good.certificate.clone(),
            key: other.key,
        };
        let swapped = TlsFiles {
            certificate: good.key.clone(),
            key: good.certificate.clone(),
        };
        let missing = TlsFiles {
            key: one.path().join("none.pem"),
            ..good
        };
        assert!(matches!(
            Certificates::load(mixed).unwrap_err(),
            TlsError::Pair { .. }
        ));
        for (files, named) in [(swapped, "k.pem"), (missing, "none.pem")] {
            let said = Certificates::load(files).unwrap_err().to_string();
            assert!(said.contains(named), "{said}");
        }
    }

    #[test]
    fn a_broken_new_pair_leaves_the_old_certificate_in_use_until_it_is_mended() {
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates::load(write_pair(folder.path(), 1)).unwrap();
        let first = certificates.current();
        certificates.reload_if_changed();
        assert!(
            Arc::ptr_eq(&first, &certificates.current()),
            "nothing changed"
        );

        write(&folder.path().join("k.pem"), "no key", 2);
        certificates.reload_if_changed();
        certificates.reload().unwrap_err();
        assert!(Arc::ptr_eq(&first, &certificates.current()));

        write_pair(folder.path(), 3);
        certificates.reload_if_changed();
        assert!(!Arc::ptr_eq(&first, &certificates.current()));
    }

    #[tokio::test(start_paused = true)]
    async fn changed_files_are_noticed_within_the_interval() {
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates::load(write_pair(folder.path(), 1)).unwrap();
        let first = certificates.current();
        let watcher = tokio::spawn(Arc::clone(&certificates).watch());
        write_pair(folder.path(), 2);
        let noticed = async {
            while Arc::ptr_eq(&first, &certificates.current()) {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::time::timeout(WATCH_INTERVAL * 2, noticed)
            .await
            .unwrap();
        watcher.abort();
    }
}
