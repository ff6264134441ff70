//! The first organization: whoever holds the printed code, once.

use crate::kit::{Engine, PASSWORD, Plan, Server};
use hallpass_server::{
    error::ServiceError,
    service::{RequestContext, set_up::SetUp},
};

fn wish(email: &str) -> SetUp {
    SetUp {
        organization: "Acme".to_owned(),
        name: "Ada".to_owned(),
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
    }
}

fn code_of<T: std::fmt::Debug>(result: Result<T, ServiceError>) -> &'static str {
    result.unwrap_err().face().code
}

#[tokio::test]
async fn the_code_works_until_somebody_used_it_and_for_a_day() {
    let plan = Plan::new(Engine::Sqlite);
    let services = plan.services().await;
    let code = services.set_up_code.expose().to_owned();
    assert_eq!(code.len(), 22);
    for wrong in [
        "",
        "x",
        &code[..21],
        &format!("{code}x"),
        &code.to_lowercase(),
    ] {
        assert_eq!(
            code_of(services.check_set_up_code(wrong).await),
            "set_up_code_wrong",
            "{wrong}"
        );
    }
    services.clock.advance_seconds(24 * 3_600 - 1);
    services.check_set_up_code(&code).await.unwrap();
    services.clock.advance_seconds(1);
    assert_eq!(
        code_of(services.check_set_up_code(&code).await),
        "set_up_code_wrong"
    );
    services.clock.advance_seconds(-1);
    services
        .set_up(&wish("ada@acme.example"), &RequestContext::default())
        .await
        .unwrap();
    assert_eq!(
        code_of(services.check_set_up_code(&code).await),
        "already_set_up"
    );
    assert_eq!(
        code_of(
            services
                .set_up(&wish("eve@acme.example"), &RequestContext::default())
                .await
        ),
        "already_set_up"
    );
}

#[tokio::test]
async fn every_start_has_its_own_code() {
    let mut plan = Plan::new(Engine::Sqlite);
    let first = plan.services().await;
    first.store.close().await;
    plan.seed = 2;
    let second = plan.services().await;
    assert_ne!(first.set_up_code.expose(), second.set_up_code.expose());
    assert_eq!(
        code_of(second.check_set_up_code(first.set_up_code.expose()).await),
        "set_up_code_wrong"
    );
}

async fn of_two_at_once_one_wins(engine: Engine) {
    let plan = Plan::new(engine);
    let services = plan.services().await;
    let tries = (0..4).map(|n| {
        let services = std::sync::Arc::clone(&services);
        tokio::spawn(async move {
            services
                .set_up(
                    &wish(&format!("ada{n}@acme.example")),
                    &RequestContext::default(),
                )
                .await
        })
    });
    let mut won = 0;
    for one in futures_util::future::join_all(tries).await {
        match one.unwrap() {
            Ok(_) => won += 1,
            Err(error) => assert_eq!(error.face().code, "already_set_up"),
        }
    }
    assert_eq!(
        (
            won,
            services.store.count_users().await.unwrap(),
            services.store.organizations().await.unwrap().len()
        ),
        (1, 1, 1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_set_ups_at_once_one_wins_on_sqlite() {
    of_two_at_once_one_wins(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_set_ups_at_once_one_wins_on_postgres() {
    of_two_at_once_one_wins(Engine::Postgres).await;
}

#[tokio::test]
async fn a_password_is_long_and_not_among_the_first_to_be_tried() {
    let plan = Plan::new(Engine::Sqlite);
    let services = plan.services().await;
    for (password, code) in [
        ("", "password_too_short"),
        ("fourteen chars", "password_too_short"),
        ("passwordpassword", "password_common"),
        ("ADA@acme.example", "password_common"),
        (&"a".repeat(1_025), "password_too_long"),
    ] {
        let wish = SetUp {
            password: password.to_owned(),
            ..wish("ada@acme.example")
        };
        let Err(ServiceError::Invalid(fields)) =
            services.set_up(&wish, &RequestContext::default()).await
        else {
            panic!("{password} was taken")
        };
        assert_eq!(
            fields
                .iter()
                .map(|field| (field.field, field.code))
                .collect::<Vec<_>>(),
            [("password", code)]
        );
    }
    let all = SetUp {
        organization: " ".to_owned(),
        name: "\u{202e}".to_owned(),
        email: "ada".to_owned(),
        password: "x".to_owned(),
    };
    let Err(ServiceError::Invalid(fields)) =
        services.set_up(&all, &RequestContext::default()).await
    else {
        panic!("it was taken")
    };
    let told: Vec<_> = fields
        .iter()
        .map(|field| (field.field, field.code))
        .collect();
    assert_eq!(
        told,
        [
            ("organization", "name_required"),
            ("name", "name_malformed"),
            ("email", "email_malformed"),
            ("password", "password_too_short")
        ]
    );
    assert_eq!(services.store.count_users().await.unwrap(), 0);
}

#[tokio::test]
async fn a_fresh_deployment_has_nobody_in_it() {
    let plan = Plan::new(Engine::Sqlite);
    let services = plan.services().await;
    assert!(
        services.needs_set_up().await.unwrap() && services.store.count_users().await.unwrap() == 0
    );
    let app = plan.app(&services);
    let anon = crate::kit::Actor::new(hallpass_server::run::people_router(&app));
    for (email, password) in [
        ("admin", "admin"),
        ("admin@localhost", "password"),
        ("", ""),
    ] {
        anon.post(
            "/v1/sessions",
            &serde_json::json!({"email": email, "password": password}),
        )
        .await
        .refused(401, "sign_in_failed");
    }
    let server = Server::sqlite().await;
    assert!(!server.services.needs_set_up().await.unwrap());
}
