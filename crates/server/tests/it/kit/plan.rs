//! From a plan to a server.

use super::{Actor, Engine, PASSWORD, Server, catalogue, start};
use hallpass_domain::token::{Brand, Pepper, PepperId, Peppers, Scheme};
use hallpass_server::{
    app::{App, AppParts},
    clock::Clock,
    config::SecretText,
    entropy::SystemEntropy,
    observe::{Health, Metrics},
    run::people_router,
    service::{Parts, RequestContext, Services, set_up::SetUp},
};
use hallpass_store::{Database, Store};
use hallpass_testkit::{Postgres, TempDir, temp_dir};
use std::sync::Arc;
use zeroize::Zeroizing;

/// What is not the same for every server.
pub(crate) struct Plan {
    pub(crate) database: Database,
    pub(crate) seed: u64,
    pub(crate) scheme: Scheme,
    pub(crate) peppers: Peppers,
    pub(crate) secure_cookies: bool,
    pub(crate) trusted_proxies: Vec<&'static str>,
    pub(crate) gateway_secret: Option<&'static str>,
    pub(crate) folder: Option<TempDir>,
}

impl Plan {
    pub(crate) fn new(engine: Engine) -> Self {
        let folder = (engine == Engine::Sqlite).then(temp_dir);
        let database = match &folder {
            Some(folder) => Database::Sqlite(folder.path().join("hallpass.db")),
            None => Database::Postgres(Postgres::shared().database()),
        };
        Self {
            database,
            seed: 1,
            scheme: Scheme::HmacSha256,
            peppers: Peppers::new(pepper("p1"), Vec::new()),
            secure_cookies: false,
            trusted_proxies: Vec::new(),
            gateway_secret: None,
            folder,
        }
    }

    /// The same database with another process's memory: for what happens after a start.
    pub(crate) fn over(database: Database) -> Self {
        Self {
            database,
            seed: 2,
            folder: None,
            ..Self::new(Engine::Sqlite)
        }
    }

    /// Services over a database that may be new; nobody is set up.
    pub(crate) async fn services(&self) -> Arc<Services> {
        let store = Store::open(&self.database).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        for pepper in self.peppers.iter() {
            tx.insert_pepper(pepper.id().as_str(), pepper.seal("pepper", b"test").bytes())
                .await
                .unwrap();
        }
        tx.commit(&[]).await.unwrap();
        let parts = Parts {
            store,
            peppers: self.peppers.clone(),
            clock: Clock::fixed(start()),
            entropy: SystemEntropy::seeded(self.seed),
            metrics: Arc::new(Metrics::new("0.0.0")),
            brand: Brand::DEFAULT,
            scheme: self.scheme,
        };
        let services = Services::start(parts).await.unwrap();
        services.put_catalogue(&catalogue()).await.unwrap();
        services
    }

    pub(crate) fn app(&self, services: &Arc<Services>) -> App {
        App::new(AppParts {
            services: Arc::clone(services),
            secure_cookies: self.secure_cookies,
            base_url: "http://hallpass.test".into(),
            trusted_proxies: self
                .trusted_proxies
                .iter()
                .map(|network| network.parse().unwrap())
                .collect(),
            gateway_secret: self.gateway_secret.map(SecretText::from),
            health: Arc::new(Health::default()),
        })
    }

    /// A server over a database that was set up before. Ada has no session here yet.
    pub(crate) async fn again(self) -> Server {
        let services = self.services().await;
        let users = services.store.users().await.unwrap();
        let ada = users
            .iter()
            .find(|user| user.name.as_str() == "Ada Lovelace")
            .unwrap()
            .id;
        let organization = services.store.organizations().await.unwrap()[0]
            .organization
            .id;
        let app = self.app(&services);
        Server {
            ada: Actor::new(people_router(&app)),
            ada_id: ada,
            organization,
            services,
            app,
            plan: self,
        }
    }

    /// A server that is set up: Ada is its superuser.
    pub(crate) async fn start(self) -> Server {
        let services = self.services().await;
        let set_up = SetUp {
            organization: "Acme Rockets".to_owned(),
            name: "Ada Lovelace".to_owned(),
            email: "ada@acme.example".to_owned(),
            password: PASSWORD.to_owned(),
        };
        let started = services
            .set_up(&set_up, &RequestContext::default())
            .await
            .unwrap();
        let app = self.app(&services);
        Server {
            ada: Actor::new(people_router(&app)).signed_in(&app, &started),
            ada_id: started.person.user.id,
            organization: started.person.organization.id,
            services,
            app,
            plan: self,
        }
    }
}

/// A pepper whose key is its name, repeated.
pub(crate) fn pepper(name: &str) -> Pepper {
    let mut key = Zeroizing::new([0; Pepper::BYTES]);
    key.iter_mut()
        .zip(name.bytes().cycle())
        .for_each(|(to, from)| *to = from);
    Pepper::new(PepperId::parse(name).unwrap(), &key)
}
