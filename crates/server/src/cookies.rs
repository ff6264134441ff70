//! The two cookies: the session, and that a device has signed in before.

use crate::{
    app::App,
    service::sessions::{SessionValue, Started},
};
use cookie::{Cookie, SameSite, time::Duration};
use hallpass_domain::limits::{KNOWN_DEVICE_SECONDS, SESSION_ABSOLUTE_SECONDS};
use http::{HeaderMap, HeaderValue, header::COOKIE};

/// `__Host-` makes a browser refuse the cookie from another host, without Secure, or for a part of the site.
fn name(app: &App, secure: &'static str, plain: &'static str) -> &'static str {
    if app.secure_cookies { secure } else { plain }
}

fn session_name(app: &App) -> &'static str {
    name(app, "__Host-hallpass", "hallpass")
}

fn device_name(app: &App) -> &'static str {
    name(app, "__Host-hallpass-device", "hallpass-device")
}

fn value(app: &App, name: &'static str, value: String, seconds: i64) -> Option<HeaderValue> {
    let cookie = Cookie::build((name, value))
        .http_only(true)
        .secure(app.secure_cookies)
        .same_site(SameSite::Lax)
        .path("/")
        .max_age(Duration::seconds(seconds))
        .build();
    HeaderValue::from_str(&cookie.to_string()).ok()
}

/// The cookie that holds a session's value.
pub fn session_cookie(app: &App, started: &Started) -> Option<HeaderValue> {
    value(
        app,
        session_name(app),
        started.value.expose().to_owned(),
        SESSION_ABSOLUTE_SECONDS,
    )
}

/// The cookie that says that this device has signed in to this account.
pub fn device_cookie(app: &App, started: &Started) -> Option<HeaderValue> {
    value(
        app,
        device_name(app),
        started.device.clone(),
        KNOWN_DEVICE_SECONDS,
    )
}

/// The cookie that takes the session's away.
pub fn clear_session_cookie(app: &App) -> Option<HeaderValue> {
    value(app, session_name(app), String::new(), 0)
}

/// The session's value, if the request has exactly one with the shape of one. Two of one name mean that somebody
/// else set one of them.
pub fn read_session(app: &App, headers: &HeaderMap) -> Option<SessionValue> {
    SessionValue::parse(&read(headers, session_name(app))?)
}

/// The device's cookie.
pub fn read_device(app: &App, headers: &HeaderMap) -> Option<String> {
    read(headers, device_name(app))
}

fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut found = headers
        .get_all(COOKIE)
        .iter()
        // Another site's cookie beside ours may hold any bytes.
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| Cookie::parse(std::str::from_utf8(pair).ok()?.trim()).ok())
        .filter(|cookie| cookie.name() == name);
    let first = found.next()?;
    found.next().is_none().then(|| first.value().to_owned())
}
