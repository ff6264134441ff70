//! One API key: its secrets, and taking it back.

use super::{
    PageError, inventory_one,
    keys::{KeyView, PATH},
    limits::LimitsFacts,
    page, see_other,
    suspend::RestView,
    tokens::Shown,
    view::{Frame, LastUseView, Moment},
    visitor::{Asked, Sent, Visitor},
    words,
};
use crate::{app::App, error::ServiceError, service::api_keys::MadeKey};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use hallpass_domain::{api_key::KeySecret, id::TokenId, permission::Permission, time::Timestamp};
use hallpass_store::KeyWithUse;

/// A secret of a key, without the secret.
#[derive(Debug)]
struct SecretView {
    prefix: String,
    since: Moment,
    current: bool,
    works: bool,
    until: Option<(Moment, String)>,
    /// After how long without a use it ends, if that was chosen.
    quiet: Option<String>,
    last_use: Option<LastUseView>,
}

impl SecretView {
    fn of(secret: &KeySecret, live: bool, now: Timestamp) -> Self {
        let works = live && secret.works(now);
        let until = |at| {
            let said = if secret.works(now) {
                Moment::coming(at, now)
            } else {
                Moment::past(at, now)
            };
            (said, words::day(at))
        };
        Self {
            prefix: secret.prefix.to_string(),
            since: Moment::past(secret.since, now),
            current: secret.retired.is_none(),
            works,
            until: secret.until.map(until),
            quiet: secret.quiet_seconds.filter(|_| works).map(words::lasting),
            last_use: secret
                .last_use
                .as_ref()
                .map(|last| LastUseView::of(last, now)),
        }
    }
}

/// What just happened to a key whose page is shown.
#[derive(Debug)]
enum Banner {
    None,
    Said(&'static str),
    /// It was made, or got a new secret.
    Secret {
        title: String,
        secret: Shown,
    },
}

#[derive(Template)]
#[template(path = "key.html")]
struct KeyPage {
    frame: Frame,
    banner: Banner,
    key: KeyView,
    secrets: Vec<SecretView>,
    rest: Option<RestView>,
    limits: LimitsFacts,
    /// Where its verdicts are explained, if the visitor may ask.
    why: Option<String>,
}

#[derive(Template)]
#[template(path = "key_revoke.html")]
struct RevokePage {
    frame: Frame,
    key: KeyView,
}

/// The key that an address names.
pub(super) async fn find(
    app: &App,
    visitor: &Visitor,
    id: &str,
) -> Result<KeyWithUse, ServiceError> {
    let id = TokenId::parse(id).map_err(|_| ServiceError::NotFound("API key"))?;
    app.services.get_key(&visitor.actor(), id).await
}

fn show_key(
    app: &App,
    visitor: &Visitor,
    found: &KeyWithUse,
    banner: Banner,
) -> Result<Response, PageError> {
    let now = app.services.clock.now();
    let key = KeyView::of(found, now);
    let live = key.is_active || key.suspended;
    let secrets = found.key.secrets.iter();
    let why = format!("/settings/organization/tokens/{}", key.id);
    page(&KeyPage {
        frame: Frame::new(visitor, "keys"),
        banner,
        secrets: secrets
            .map(|secret| SecretView::of(secret, live, now))
            .collect(),
        rest: RestView::of(found.key.suspension.as_ref(), now),
        limits: LimitsFacts::of(found.key.valid_from, found.key.address_rules.as_ref()),
        why: visitor.actor().may(Permission::TOKENS).then_some(why),
        key,
    })
}

/// The one page that shows a secret.
pub(super) fn show_secret(
    app: &App,
    visitor: &Visitor,
    made: MadeKey,
    title: String,
) -> Result<Response, PageError> {
    let secret = Shown(made.secret);
    show_key(app, visitor, &made.found, Banner::Secret { title, secret })
}

pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let found = find(&app, &visitor, &id).await?;
    let banner = match inventory_one::done(asked.get("done")) {
        "" => Banner::None,
        said => Banner::Said(said),
    };
    show_key(&app, &visitor, &found, banner)
}

pub(super) async fn ask_revoke(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let found = find(&app, &visitor, &id).await?;
    page(&RevokePage {
        frame: Frame::new(&visitor, "keys"),
        key: KeyView::of(&found, app.services.clock.now()),
    })
}

pub(super) async fn revoke(
    State(app): State<App>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, PageError> {
    let visitor = &sent.visitor;
    let id = find(&app, visitor, &id).await?.key.id;
    app.services
        .revoke_key(&visitor.actor(), id, &visitor.context)
        .await?;
    Ok(see_other(&format!("{PATH}?done=revoked")))
}
