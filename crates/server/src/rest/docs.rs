//! The description of the API: for programs at `/openapi.json`, for people at `/docs`.

use crate::{app::App, error::ServiceError, problem::ApiError};
use askama::Template;
use axum::{
    Router,
    extract::State,
    http::header,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use serde_json::Value;

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/openapi.json", get(openapi))
        .route("/docs", get(docs))
}

async fn openapi(State(app): State<App>) -> Result<Response, ApiError> {
    let mut api = super::openapi();
    api.servers = Some(vec![utoipa::openapi::Server::new(&*app.base_url)]);
    let text = api
        .to_pretty_json()
        .map_err(|error| ServiceError::Internal(error.to_string()))?;
    Ok((
        [(header::CONTENT_TYPE, "application/json; charset=utf-8")],
        text,
    )
        .into_response())
}

async fn docs() -> Result<Html<String>, ApiError> {
    let api = serde_json::to_value(super::openapi())
        .map_err(|error| ServiceError::Internal(error.to_string()))?;
    let page = Docs {
        version: env!("CARGO_PKG_VERSION"),
        intro: paragraphs(&api["info"]["description"]),
        groups: groups(&api),
    };
    page.render()
        .map(Html)
        .map_err(|error| ServiceError::Internal(error.to_string()).into())
}

#[derive(Template)]
#[template(path = "api_docs.html")]
struct Docs {
    version: &'static str,
    intro: Vec<Vec<Piece>>,
    groups: Vec<Group>,
}

struct Group {
    name: String,
    about: String,
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    about: Vec<Vec<Piece>>,
    parameters: Vec<Field>,
    bodies: Vec<Body>,
    answers: Vec<Answer>,
}

struct Field {
    name: String,
    kind: String,
    required: bool,
    about: Vec<Piece>,
}

struct Body {
    media_type: String,
    fields: Vec<Field>,
}

struct Answer {
    status: String,
    about: Vec<Piece>,
    fields: Vec<Field>,
}

/// A stretch of a text: code or not.
struct Piece {
    text: String,
    code: bool,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Splits at the back-quotes of Markdown, the only mark our descriptions use.
fn pieces(value: &str) -> Vec<Piece> {
    value
        .split('`')
        .enumerate()
        .filter(|(_, text)| !text.is_empty())
        .map(|(n, text)| Piece {
            text: text.to_owned(),
            code: n % 2 == 1,
        })
        .collect()
}

fn paragraphs(value: &Value) -> Vec<Vec<Piece>> {
    value
        .as_str()
        .unwrap_or_default()
        .split("\n\n")
        .filter(|text| !text.is_empty())
        .map(pieces)
        .collect()
}

fn groups(api: &Value) -> Vec<Group> {
    let tags = api["tags"].as_array().map_or(&[][..], Vec::as_slice);
    tags.iter()
        .map(|tag| Group {
            name: text(&tag["name"]),
            about: text(&tag["description"]),
            operations: operations(api, &tag["name"]),
        })
        .collect()
}

fn operations(api: &Value, tag: &Value) -> Vec<Operation> {
    let paths = api["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, item)| {
        item.as_object()
            .into_iter()
            .flatten()
            .map(move |(method, operation)| (path, method, operation))
    });
    all.filter(|(_, _, operation)| {
        operation["tags"]
            .as_array()
            .is_some_and(|tags| tags.contains(tag))
    })
    .map(|(path, method, operation)| Operation {
        id: text(&operation["operationId"]),
        method: method.to_uppercase(),
        path: path.clone(),
        summary: text(&operation["summary"]),
        about: paragraphs(&operation["description"]),
        parameters: parameters(operation),
        bodies: bodies(api, operation),
        answers: answers(api, operation),
    })
    .collect()
}

fn parameters(operation: &Value) -> Vec<Field> {
    let all = operation["parameters"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    all.iter()
        .map(|parameter| Field {
            name: text(&parameter["name"]),
            kind: text(&parameter["in"]),
            required: parameter["required"].as_bool().unwrap_or(false),
            about: pieces(parameter["description"].as_str().unwrap_or_default()),
        })
        .collect()
}

fn bodies(api: &Value, operation: &Value) -> Vec<Body> {
    let content = operation["requestBody"]["content"]
        .as_object()
        .into_iter()
        .flatten();
    content
        .map(|(media_type, body)| Body {
            media_type: media_type.clone(),
            fields: fields(api, &body["schema"]),
        })
        .collect()
}

fn answers(api: &Value, operation: &Value) -> Vec<Answer> {
    let all = operation["responses"].as_object().into_iter().flatten();
    all.map(|(status, answer)| Answer {
        status: status.clone(),
        about: pieces(answer["description"].as_str().unwrap_or_default()),
        fields: answer["content"]["application/json"]["schema"]
            .as_object()
            .map(|_| fields(api, &answer["content"]["application/json"]["schema"]))
            .unwrap_or_default(),
    })
    .collect()
}

/// The fields of a schema, wherever it is written: by reference, in a list, as one of several.
fn fields(api: &Value, schema: &Value) -> Vec<Field> {
    let schema = resolve(api, schema);
    if schema["items"].is_object() {
        return fields(api, &schema["items"]);
    }
    // A body that need not be sent may be null, too.
    let is_null = |one: &&Value| one["type"] == "null";
    let several = schema["oneOf"].as_array();
    if let Some(one) = several.and_then(|all| all.iter().rfind(|one| !is_null(one))) {
        return fields(api, one);
    }
    let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .map(|(name, property)| Field {
            name: name.clone(),
            kind: kind(api, property),
            required: required.iter().any(|required| required == name),
            about: pieces(property["description"].as_str().unwrap_or_default()),
        })
        .collect()
}

fn resolve<'a>(api: &'a Value, schema: &'a Value) -> &'a Value {
    let name = schema["$ref"]
        .as_str()
        .and_then(|reference| reference.rsplit('/').next());
    name.map_or(schema, |name| &api["components"]["schemas"][name])
}

fn kind(api: &Value, property: &Value) -> String {
    let name = match &property["type"] {
        Value::Array(all) => all
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" or "),
        Value::String(one) => one.clone(),
        _ => resolve(api, property)["type"]
            .as_str()
            .unwrap_or("object")
            .to_owned(),
    };
    match property["format"].as_str() {
        Some(format) => format!("{name}, {format}"),
        None => name,
    }
}
