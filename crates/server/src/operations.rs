//! What operators and their tools ask: is it alive, may it be sent requests, what does it count.

use crate::{
    app::App,
    http::guard_data,
    observe::{EngineFigures, Metrics, State as HealthState},
};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    middleware::map_response,
    response::{IntoResponse, Response},
    routing::get,
};

/// The routes of the listener for operations.
pub fn router() -> Router<App> {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .layer(map_response(guard))
}

/// These answers are for tools; should a browser get one, it does nothing with it.
async fn guard(mut response: Response) -> Response {
    guard_data(response.headers_mut());
    response
}

/// The process runs and answers. Nothing else is looked at: a database that is away is no reason to kill it.
async fn alive() -> &'static str {
    "alive\n"
}

/// Whether requests may be sent here: it is not stopping, it may answer, and its database does.
async fn ready(State(app): State<App>) -> Response {
    let not_ready = |why: &str| {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: {why}\n"),
        )
            .into_response()
    };
    match app.health.state() {
        HealthState::Draining => return not_ready("stopping"),
        HealthState::NotReady(why) => return not_ready(&why),
        HealthState::Ready => {}
    }
    if !app.services.engine.is_answering() {
        return not_ready("verifications are not answered");
    }
    match app.services.store.ping().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!(%error, "the database does not answer");
            not_ready("the database does not answer")
        }
    }
}

async fn metrics(State(app): State<App>) -> Response {
    let services = &app.services;
    services.metrics.set_engine(EngineFigures {
        tokens: u64::try_from(services.engine.len()).unwrap_or(u64::MAX),
        bytes: u64::try_from(services.engine.bytes()).unwrap_or(u64::MAX),
        applied: u64::try_from(services.follower.applied()).unwrap_or(0),
        uses_dropped: services.uses.dropped(),
    });
    (
        [(header::CONTENT_TYPE, Metrics::MEDIA_TYPE)],
        services.metrics.render(),
    )
        .into_response()
}
