//! Who is kept waiting at the door, and who is not.

use super::*;
use crate::{
    clock::Clock,
    entropy::SystemEntropy,
    observe::Metrics,
    service::{Parts, catalogue::CatalogueSettings, set_up::SetUp},
};
use hallpass_domain::token::{Brand, Pepper, PepperId, Peppers, Scheme};
use hallpass_store::{Database, Store};
use hallpass_testkit::{TempDir, temp_dir};
use std::{net::IpAddr, sync::Arc};
use zeroize::Zeroizing;

const EMAIL: &str = "ada@acme.example";
const RIGHT: &str = "correct horse battery";
const WRONG: &str = "wrong horse battery";

/// Services where Ada is set up and signed in.
async fn start() -> (TempDir, Services, Started) {
    let folder = temp_dir();
    let database = Database::Sqlite(folder.path().join("hallpass.db"));
    let pepper = Pepper::new(
        PepperId::parse("p1").unwrap(),
        &Zeroizing::new([7; Pepper::BYTES]),
    );
    let store = Store::open(&database).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.insert_pepper("p1", pepper.seal("pepper", b"test").bytes())
        .await
        .unwrap();
    tx.commit(&[]).await.unwrap();
    let parts = Parts {
        store,
        peppers: Peppers::new(pepper, Vec::new()),
        clock: Clock::fixed(Timestamp::parse("2026-11-22T12:00:00Z").unwrap()),
        entropy: SystemEntropy::seeded(1),
        metrics: Arc::new(Metrics::new("0.0.0")),
        brand: Brand::DEFAULT,
        scheme: Scheme::HmacSha256,
    };
    let services = Arc::into_inner(Services::start(parts).await.unwrap()).unwrap();
    let catalogue = CatalogueSettings {
        permissions: Vec::new(),
        member: None,
        viewer: None,
    };
    services.put_catalogue(&catalogue).await.unwrap();
    let set_up = SetUp {
        organization: "Acme Rockets".to_owned(),
        name: "Ada Lovelace".to_owned(),
        email: EMAIL.to_owned(),
        password: RIGHT.to_owned(),
    };
    let ada = services.set_up(&set_up, &at(1)).await.unwrap();
    (folder, services, ada)
}

fn at(last: u8) -> RequestContext {
    RequestContext {
        address: Some(IpAddr::from([192, 0, 2, last])),
        agent: None,
    }
}

/// Strangers at Ada's own address use up what it and her account have.
fn hammer(services: &Services) {
    for n in 0..60 {
        let account = format!("user-{n}");
        let _ = services.throttle.try_now(
            &Attempt {
                account: if n < 5 { EMAIL } else { &account },
                known_device: None,
                address: at(1).address,
            },
            services.clock.now(),
        );
    }
}

#[tokio::test]
async fn strangers_at_the_same_address_do_not_delay_a_known_device() {
    let (_folder, services, ada) = start().await;
    hammer(&services);
    let stranger = services.sign_in(EMAIL, RIGHT, None, &at(1)).await;
    assert!(matches!(stranger, Err(ServiceError::TooManyAttempts(_))));
    let home = Some(ada.device.as_str());
    services
        .sign_in(EMAIL, RIGHT, home, &at(1))
        .await
        .map(drop)
        .unwrap();
}

#[tokio::test]
async fn strangers_cannot_keep_a_signed_in_person_from_confirming() {
    let (_folder, services, ada) = start().await;
    hammer(&services);
    services
        .confirm_presence(&ada.person, RIGHT, None, &at(1))
        .await
        .unwrap();
    let stranger = services.sign_in(EMAIL, RIGHT, None, &at(2)).await;
    assert!(
        matches!(stranger, Err(ServiceError::TooManyAttempts(_))),
        "who is signed in clears nothing for strangers"
    );
    for _ in 0..5 {
        let wrong = services
            .confirm_presence(&ada.person, WRONG, None, &at(1))
            .await;
        assert!(matches!(wrong, Err(ServiceError::SignInFailed)));
    }
    let slowed = services
        .confirm_presence(&ada.person, RIGHT, None, &at(3))
        .await;
    assert!(
        matches!(slowed, Err(ServiceError::TooManyAttempts(_))),
        "a stolen session is slowed by itself"
    );
}

#[tokio::test]
async fn what_was_too_busy_to_be_compared_is_no_failure() {
    let (_folder, mut services, ada) = start().await;
    let ready = std::mem::replace(
        &mut services.passwords,
        Passwords::busy(&SystemEntropy::seeded(2)),
    );
    for n in 0..60 {
        let refused = services.sign_in(EMAIL, WRONG, None, &at(1)).await;
        assert!(matches!(refused, Err(ServiceError::Busy)), "{n}");
        let refused = services
            .confirm_presence(&ada.person, WRONG, None, &at(1))
            .await;
        assert!(matches!(refused, Err(ServiceError::Busy)), "{n}");
    }
    services.passwords = ready;
    services
        .sign_in(EMAIL, RIGHT, None, &at(1))
        .await
        .map(drop)
        .unwrap();
}
