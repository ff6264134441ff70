//! Who is asking, as the headers of a 204. Every one of them every time, empty if unset: what a client sends under the
//! same name must never pass.

use bytes::Bytes;
use hallpass_engine::{OwnerView, TokenView};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::fmt::{self, Display, Write as _};

const COUNT: usize = 13;
/// The headers, in the order in which [`write()`] writes their values.
const NAMES: [HeaderName; COUNT] = [
    HeaderName::from_static("x-hallpass-token-id"),
    HeaderName::from_static("x-hallpass-token-name"),
    HeaderName::from_static("x-hallpass-token-kind"),
    HeaderName::from_static("x-hallpass-token-prefix"),
    HeaderName::from_static("x-hallpass-owner-type"),
    HeaderName::from_static("x-hallpass-user-id"),
    HeaderName::from_static("x-hallpass-user-name"),
    HeaderName::from_static("x-hallpass-organization-id"),
    HeaderName::from_static("x-hallpass-organization-name"),
    HeaderName::from_static("x-hallpass-role"),
    HeaderName::from_static("x-hallpass-permissions"),
    HeaderName::from_static("x-hallpass-expires"),
    HeaderName::from_static("x-hallpass-error"),
];

/// Bytes of one header: nginx and others have 4 KiB for all headers of an answer. A longer list of permissions is
/// left empty; `/v1/verify` has it whole.
const HEADER_BYTES_MAX: usize = 1_536;
/// Bytes that the values of a usual token take together.
const USUAL_BYTES: usize = 640;

/// Names are Unicode, headers are ASCII: names are percent-encoded UTF-8, as in an address.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%').add(b'"').add(b'\\');

/// All values in one buffer, of which each header then holds its part: one allocation instead of thirteen, on a path
/// that is taken for every request of a product.
struct Values {
    text: String,
    ends: [usize; COUNT],
    count: usize,
}

impl Values {
    fn put(&mut self, value: impl Display) {
        let start = self.text.len();
        if write!(self.text, "{value}").is_err() || self.text.len() - start > HEADER_BYTES_MAX {
            self.text.truncate(start);
        }
        if let Some(end) = self.ends.get_mut(self.count) {
            *end = self.text.len();
            self.count += 1;
        }
    }

    fn put_name(&mut self, name: &str) {
        self.put(utf8_percent_encode(name, ENCODED));
    }
}

/// The permissions, joined by one blank.
struct Permitted<'v, 'e>(&'v TokenView<'e>);

impl Display for Permitted<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, permission) in self.0.facts().permitted().enumerate() {
            f.write_str(if place == 0 { "" } else { " " })?;
            f.write_str(permission.as_str())?;
        }
        Ok(())
    }
}

/// Adds the headers that say who `view` is.
pub(super) fn write(view: &TokenView<'_>, headers: &mut HeaderMap) {
    let mut values = Values {
        text: String::with_capacity(USUAL_BYTES),
        ends: [0; COUNT],
        count: 0,
    };
    values.put(view.id());
    values.put_name(&view.name());
    values.put(view.kind().word());
    values.put(view.prefix());
    match view.owner() {
        OwnerView::User { id, name } => {
            values.put("user");
            values.put(id);
            values.put_name(&name);
        }
        OwnerView::Organization => {
            values.put("organization");
            values.put("");
            values.put("");
        }
    }
    values.put(view.organization_id());
    values.put_name(&view.organization_name());
    values.put_name(&view.role_name().unwrap_or_default());
    values.put(Permitted(view));
    match view.expires_at() {
        Some(at) => values.put(at),
        None => values.put(""),
    }
    values.put("");
    let text = Bytes::from(values.text);
    let mut start = 0;
    for (name, end) in NAMES.into_iter().zip(values.ends) {
        let value = HeaderValue::from_maybe_shared(text.slice(start..end));
        headers.insert(name, value.unwrap_or(HeaderValue::from_static("")));
        start = end;
    }
}
