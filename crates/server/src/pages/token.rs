//! One token: what is known of it, and changing it.

use super::{
    PageError,
    expiry::{Asked as AskedExpiry, Expiry, ExpiryView},
    form::{Errors, Fields, PasswordView},
    inventory_one,
    limits::LimitsFacts,
    may_do::{MayDo, MayDoView},
    page_with, see_other,
    suspend::RestView,
    tokens,
    view::{Frame, TokenView},
    visitor::{Asked, Sent, Visitor},
    why::{self, WhyView},
    words,
};
use crate::{app::App, error::ServiceError, service::token_change::Patch};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use hallpass_domain::{
    access_token::{PersonalAccessToken, TokenState},
    id::TokenId,
    permission::Permission,
    time::Timestamp,
};
use hallpass_store::TokenWithUse;
use http::StatusCode;
use serde_json::{Map, Value, json};

/// What was typed.
#[derive(Debug)]
struct Change {
    name: String,
    expiry: Expiry,
    may: MayDo,
}

impl Change {
    fn none(token: &PersonalAccessToken, now: Timestamp) -> Self {
        Self {
            name: token.name.to_string(),
            expiry: Expiry::new("keep", now),
            may: MayDo::of(token.scope.as_ref()),
        }
    }

    fn read(fields: &Fields, now: Timestamp) -> Self {
        Self {
            name: fields.get("name").to_owned(),
            expiry: Expiry::read(fields, now),
            may: MayDo::read(fields),
        }
    }

    /// What differs from `token`, as a merge patch.
    fn patch(&self, token: &PersonalAccessToken) -> Result<Map<String, Value>, ServiceError> {
        let mut patch = Map::new();
        if self.name != token.name.as_str() {
            patch.insert("name".to_owned(), json!(self.name));
        }
        match self.expiry.asked()? {
            AskedExpiry::Keep => {}
            AskedExpiry::On(date) => {
                patch.insert("expirationDate".to_owned(), json!(date));
                patch.insert("userAwareTokenNeverExpires".to_owned(), json!(false));
            }
            AskedExpiry::Never => {
                patch.insert("expirationDate".to_owned(), Value::Null);
                patch.insert("userAwareTokenNeverExpires".to_owned(), json!(true));
            }
        }
        let before = token
            .scope
            .as_ref()
            .map(|scope| scope.iter().map(Permission::to_string).collect::<Vec<_>>());
        let after = self.may.scope();
        if after != before {
            patch.insert("scope".to_owned(), json!(after));
        }
        Ok(patch)
    }
}

struct ChangeForm {
    name: String,
    expiry: ExpiryView,
    checklist: MayDoView,
    password: PasswordView,
}

#[derive(Template)]
#[template(path = "token.html")]
struct TokenPage {
    frame: Frame,
    token: TokenView,
    saved: bool,
    /// What else was just done.
    done: &'static str,
    rest: Option<RestView>,
    limits: LimitsFacts,
    why: Option<WhyView>,
    form: Option<ChangeForm>,
    errors: Errors,
}

/// The token that an address names.
pub(super) async fn find(
    app: &App,
    visitor: &Visitor,
    id: &str,
) -> Result<TokenWithUse, ServiceError> {
    let id = TokenId::parse(id).map_err(|_| ServiceError::NotFound("token"))?;
    app.services.get_token(visitor.person(), id).await
}

pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    if let Some(refused) = tokens::not_allowed(&app, &visitor).await? {
        return Ok(refused);
    }
    let found = find(&app, &visitor, &id).await?;
    let change = Change::none(&found.token, app.services.clock.now());
    show_token(
        &app,
        &visitor,
        &found,
        &change,
        StatusCode::OK,
        Errors::default(),
        Some(&asked),
    )
    .await
}

async fn show_token(
    app: &App,
    visitor: &Visitor,
    found: &TokenWithUse,
    change: &Change,
    status: StatusCode,
    errors: Errors,
    asked: Option<&Fields>,
) -> Result<Response, PageError> {
    let now = app.services.clock.now();
    let ended = matches!(
        found.token.state(now),
        TokenState::Expired | TokenState::Revoked
    );
    let form = if ended {
        None
    } else {
        Some(change_form(app, visitor, &found.token, change, &errors).await?)
    };
    let organization = visitor.person().organization.id;
    let change_to_come = app.services.policy_to_come(organization).await?;
    let said = |name| asked.map_or("", |asked| asked.get(name));
    page_with(
        status,
        &TokenPage {
            frame: Frame::new(visitor, "tokens"),
            token: TokenView::with_notice(found, change_to_come.as_ref(), now),
            saved: said("saved") == "1",
            done: inventory_one::done(said("done")),
            rest: RestView::of(found.token.suspension.as_ref(), now),
            limits: LimitsFacts::of(found.token.valid_from, found.token.address_rules.as_ref()),
            why: why_of(app, visitor, found.token.id, asked).await?,
            form,
            errors,
        },
    )
}

/// Why it works or not, unless another thing is to be put right first. A node that answers nothing shows the rest.
async fn why_of(
    app: &App,
    visitor: &Visitor,
    id: TokenId,
    asked: Option<&Fields>,
) -> Result<Option<WhyView>, ServiceError> {
    let Some(asked) = asked else { return Ok(None) };
    let path = format!("/settings/tokens/{id}");
    match why::explain(app, visitor, id, asked, path).await {
        Ok((why, _)) => Ok(Some(why)),
        Err(ServiceError::NotAnswering) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn change_form(
    app: &App,
    visitor: &Visitor,
    token: &PersonalAccessToken,
    change: &Change,
    errors: &Errors,
) -> Result<ChangeForm, ServiceError> {
    let person = visitor.person();
    let catalogue = app.services.store.catalogue().await?;
    let keep = token.expiration.date().map_or_else(
        || "Keep: never".to_owned(),
        |date| format!("Keep {}", words::day(date)),
    );
    Ok(ChangeForm {
        name: change.name.clone(),
        expiry: change.expiry.view(Some(keep), errors),
        checklist: change.may.view_of_change(
            &catalogue,
            &person.permissions,
            token.scope.as_ref(),
            errors,
        ),
        password: PasswordView {
            asked: !app.services.is_recent(person),
            required: false,
            hint: "Needed only to let the token live longer: your sign-in is more than five minutes ago.",
            errors: errors.clone(),
        },
    })
}

pub(super) async fn change(
    State(app): State<App>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, PageError> {
    let visitor = &sent.visitor;
    if let Some(refused) = tokens::not_allowed(&app, visitor).await? {
        return Ok(refused);
    }
    let found = find(&app, visitor, &id).await?;
    let change = Change::read(&sent.fields, app.services.clock.now());
    match try_change(&app, &sent, &found.token, &change).await {
        Ok(()) => Ok(see_other(&format!(
            "/settings/tokens/{}?saved=1",
            found.token.id
        ))),
        Err(error) => {
            let status = error.face().status;
            show_token(
                &app,
                visitor,
                &found,
                &change,
                status,
                Errors::of_service(error)?,
                None,
            )
            .await
        }
    }
}

async fn try_change(
    app: &App,
    sent: &Sent,
    token: &PersonalAccessToken,
    change: &Change,
) -> Result<(), ServiceError> {
    let patch = change.patch(token)?;
    if patch.is_empty() {
        return Ok(());
    }
    let person = sent
        .visitor
        .confirmed(app, sent.fields.get("password"))
        .await?;
    app.services
        .change_token(
            &person,
            token.id,
            &Patch::Merge(Value::Object(patch)),
            &sent.visitor.context,
        )
        .await?;
    Ok(())
}
