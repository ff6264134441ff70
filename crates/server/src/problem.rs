//! Errors as problem details (RFC 9457).

use crate::{
    error::{Face, InvalidField, ServiceError},
    http::RequestId,
};
use axum::{
    extract::{FromRequest, Request, rejection::JsonRejection},
    response::{IntoResponse, Response},
};
use hallpass_domain::limits::BODY_BYTES_MAX;
use hallpass_wire::{FieldProblem, Problem};
use http::{HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;

/// A use case's error, on its way out.
#[derive(Debug)]
pub struct ApiError(pub ServiceError);

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        Self(error)
    }
}

impl From<InvalidField> for ApiError {
    fn from(field: InvalidField) -> Self {
        Self(field.into())
    }
}

impl From<hallpass_store::StoreError> for ApiError {
    fn from(error: hallpass_store::StoreError) -> Self {
        Self(error.into())
    }
}

/// A failure that still wants its body: [`finish`] writes it when it knows the request's id.
#[derive(Clone, Debug)]
pub struct Failure {
    face: Face,
    detail: String,
    errors: Vec<FieldProblem>,
    prefix: Option<String>,
    /// For the log alone.
    pub cause: Option<String>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let face = error.face();
        let mut response = face.status.into_response();
        let headers = response.headers_mut();
        if face.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, challenge(&error));
        }
        if let Some(seconds) = error.retry_after() {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        let (errors, prefix) = match &error {
            ServiceError::Invalid(fields) => (fields.iter().map(field_problem).collect(), None),
            ServiceError::NameTaken(prefix) | ServiceError::KeyNameTaken(prefix) => {
                let field = InvalidField::new("name", "name_taken", &error);
                (vec![field_problem(&field)], Some(prefix.to_string()))
            }
            _ => (Vec::new(), None),
        };
        let cause = error.cause();
        response.extensions_mut().insert(Failure {
            face,
            detail: error.detail(),
            errors,
            prefix,
            cause,
        });
        response
    }
}

/// RFC 6750 section 3: no error where no token was sent.
fn challenge(error: &ServiceError) -> HeaderValue {
    match error {
        ServiceError::CredentialRefused(_) => {
            HeaderValue::from_static("Bearer realm=\"hallpass\", error=\"invalid_token\"")
        }
        _ => HeaderValue::from_static("Bearer realm=\"hallpass\""),
    }
}

fn field_problem(field: &InvalidField) -> FieldProblem {
    FieldProblem {
        field: field.field.to_owned(),
        code: field.code.to_owned(),
        detail: field.detail.clone(),
    }
}

/// Writes the body of a failure.
pub fn finish(response: Response, request: &RequestId) -> Response {
    let late = response.status() == StatusCode::REQUEST_TIMEOUT
        && response.extensions().get::<Failure>().is_none();
    let response = if late {
        ApiError(ServiceError::TooSlow).into_response()
    } else {
        response
    };
    let (mut parts, body) = response.into_parts();
    let Some(failure) = parts.extensions.remove::<Failure>() else {
        return Response::from_parts(parts, body);
    };
    if let Some(cause) = &failure.cause {
        tracing::error!(request = %request, status = parts.status.as_u16(), cause, "a request failed");
    }
    let problem = Problem {
        kind: "about:blank".to_owned(),
        title: failure.face.title.to_owned(),
        status: failure.face.status.as_u16(),
        code: failure.face.code.to_owned(),
        detail: failure.detail,
        errors: failure.errors,
        prefix: failure.prefix,
        request: Some(request.to_string()),
    };
    let text = serde_json::to_vec(&problem).unwrap_or_default();
    parts.headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json; charset=utf-8"),
    );
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, text.into())
}

/// A JSON body. What does not fit is a problem that says where.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(ApiError(json_error(&rejection))),
        }
    }
}

impl<T: serde::Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let mut response = axum::Json(self.0).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        response
    }
}

fn json_error(rejection: &JsonRejection) -> ServiceError {
    match rejection {
        JsonRejection::MissingJsonContentType(_) => {
            ServiceError::UnsupportedMediaType("Content-Type: application/json")
        }
        other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            ServiceError::BodyTooLarge(BODY_BYTES_MAX)
        }
        other => ServiceError::BadRequest {
            code: "body_malformed",
            detail: misfit(&innermost(other)),
        },
    }
}

/// What a body that cannot be read is told. It may repeat what was sent, so nothing secret is left in it.
pub fn misfit(why: &str) -> String {
    format!("the body does not fit: {}", crate::observe::scrub(why))
}

/// The library wraps what serde says; what serde says names the field and the place.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
