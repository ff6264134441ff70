//! Data directory, database, keys, services.

use super::RunError;
use crate::{
    clock::Clock,
    config::{Config, Source},
    entropy::SystemEntropy,
    observe::Metrics,
    peppers,
    service::{Parts, Services, catalogue::CatalogueSettings},
};
use hallpass_domain::{
    limits::SOLE_WAIT_SECONDS,
    permission::{CatalogueEntry, OWN_RESOURCE, PermissionSet},
    token::{Pepper, Peppers},
};
use hallpass_store::{Database, Store};
use std::{fs, os::unix::fs::DirBuilderExt, path::PathBuf, sync::Arc, time::Duration};

const PROOF_LABEL: &str = "pepper";

/// What was opened.
#[derive(Debug)]
pub struct Opened {
    /// The services.
    pub services: Arc<Services>,
    /// The key file, if it was made just now.
    pub key_file_created: Option<PathBuf>,
}

/// Opens everything that `config` names, and makes what does not exist yet.
///
/// # Errors
/// [`RunError`].
pub async fn open(
    config: &Config,
    clock: Clock,
    entropy: SystemEntropy,
) -> Result<Opened, RunError> {
    config.check()?;
    make_data_directory(config)?;
    let store = Store::open(&Database::parse(&config.database.expose_url())?).await?;
    let proofs = store.pepper_proofs().await?;
    let may_create = proofs.is_empty() && store.count_tokens().await? == 0;
    let loaded = peppers::load(config, may_create, &entropy, clock.now())?;
    prove(&store, &loaded.peppers, &proofs).await?;
    if !config.database.is_embedded() && store.head().await? > 0 {
        // Another process may still answer from memory for as long as it takes to notice that its lock is gone.
        tokio::time::sleep(Duration::from_secs(SOLE_WAIT_SECONDS)).await;
    }
    let parts = Parts {
        store,
        peppers: loaded.peppers,
        clock,
        entropy,
        metrics: Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"))),
        brand: config.brand,
        scheme: config.digest_scheme,
    };
    let services = Services::start(parts).await?;
    services.put_catalogue(&catalogue(config)).await?;
    Ok(Opened {
        services,
        key_file_created: loaded.created,
    })
}

/// Nobody but the owner has any business in it.
fn make_data_directory(config: &Config) -> Result<(), RunError> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.data);
    made.map_err(|error| RunError::Io {
        what: format!("cannot make the data directory {}", config.data.display()),
        error,
    })
}

fn catalogue(config: &Config) -> CatalogueSettings {
    let permissions: Vec<CatalogueEntry> = config
        .catalogue
        .iter()
        .filter(|entry| entry.permission.resource() != OWN_RESOURCE)
        .cloned()
        .collect();
    let given = |setting, set: &PermissionSet| {
        (config.source(setting) != Source::Default).then(|| set.clone())
    };
    CatalogueSettings {
        permissions,
        member: given("member-permissions", &config.member_permissions),
        viewer: given("viewer-permissions", &config.viewer_permissions),
    }
}

/// Each pepper leaves a proof of itself in the database when it is first used. A key that does not fit its proof
/// would refuse every token, one by one and without a word; it is refused here instead.
async fn prove(
    store: &Store,
    peppers: &Peppers,
    proofs: &[(String, [u8; 32])],
) -> Result<(), RunError> {
    let proof = |pepper: &Pepper| {
        *pepper
            .seal(PROOF_LABEL, pepper.id().as_str().as_bytes())
            .bytes()
    };
    for pepper in peppers.iter() {
        let known = proofs.iter().find(|(id, _)| id == pepper.id().as_str());
        if known.is_some_and(|(_, known)| *known != proof(pepper)) {
            return Err(RunError::WrongPepper(format!(
                "the pepper “{}” is not the one that this database was used with: every token would be refused. Put the right key back; if it is lost, so are the tokens made under it",
                pepper.id().as_str()
            )));
        }
    }
    for (id, _) in proofs
        .iter()
        .filter(|(id, _)| !peppers.iter().any(|pepper| pepper.id().as_str() == id))
    {
        tracing::warn!(
            pepper = id,
            "this pepper was used before and is gone: tokens made under it are refused as unknown"
        );
    }
    let mut tx = store.begin().await?;
    for pepper in peppers.iter() {
        tx.insert_pepper(pepper.id().as_str(), &proof(pepper))
            .await?;
    }
    tx.commit(&[]).await?;
    Ok(())
}
