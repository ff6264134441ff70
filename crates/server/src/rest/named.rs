//! What an address names beside the organization.

use crate::{app::App, error::ServiceError, problem::ApiError};
use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

/// The last thing that the address names: an id, or a permission.
#[derive(Debug)]
pub(super) struct Named(pub(super) String);

impl FromRequestParts<App> for Named {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let named = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|_| ServiceError::NotFound("address"))?;
        let last = named
            .iter()
            .filter(|(name, _)| *name != "organization")
            .last();
        let (_, value) = last.ok_or(ServiceError::NotFound("address"))?;
        Ok(Self(value.to_owned()))
    }
}
