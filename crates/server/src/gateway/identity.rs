//! Who is asking, as the headers of a 204. Every one of them every time, empty if unset: what a client sends under the
//! same name must never pass.

use bytes::Bytes;
use hallpass_domain::id::ID_CHARS;
use hallpass_engine::{Name, OwnerView, TokenView};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use std::sync::LazyLock;

const COUNT: usize = 13;
/// The headers, in the order in which [`Values::of`] writes their values.
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

/// Whether a byte stands for itself.
const fn is_plain(byte: &u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'%' | b'"' | b'\\')
}

/// All headers of an answer that allows, without their values: a copy of it is cheaper than hashing all names again.
static UNSET: LazyLock<HeaderMap> = LazyLock::new(|| {
    let mut headers = HeaderMap::with_capacity(COUNT + 1);
    for name in NAMES {
        headers.insert(name, HeaderValue::from_static(""));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers
});

/// All values in one buffer, of which each header then holds its part: one allocation instead of thirteen, on a path
/// that is taken for every request of a product.
struct Values {
    text: Vec<u8>,
    ends: [usize; COUNT],
    /// Those that are always the same, instead of a part of the text: such a value has no references to count.
    words: [&'static str; COUNT],
    count: usize,
}

impl Values {
    fn none() -> Self {
        Self {
            text: Vec::with_capacity(USUAL_BYTES),
            ends: [0; COUNT],
            words: [""; COUNT],
            count: 0,
        }
    }

    fn of(view: &TokenView<'_>) -> Self {
        let mut values = Self::none();
        values.put_text(view.id().encode(&mut [0; ID_CHARS]));
        values.put_name(view.name());
        values.put_word(view.kind().word());
        values.put_text(view.prefix().as_str());
        match view.owner() {
            OwnerView::User { id, name } => {
                values.put_word("user");
                values.put_text(id.encode(&mut [0; ID_CHARS]));
                values.put_name(name);
            }
            OwnerView::Organization => {
                values.put_word("organization");
                values.put_word("");
                values.put_word("");
            }
        }
        values.put_text(view.organization_id().encode(&mut [0; ID_CHARS]));
        values.put_name(view.organization_name());
        match view.role_name() {
            Some(name) => values.put_name(name),
            None => values.put_word(""),
        }
        values.put_with(|bytes| view.append_permissions(bytes));
        match view.expires_at() {
            Some(at) => values.put_with(|bytes| at.append_to(bytes)),
            None => values.put_word(""),
        }
        values.put_word("");
        values
    }

    fn put_with(&mut self, append: impl FnOnce(&mut Vec<u8>)) {
        let start = self.text.len();
        append(&mut self.text);
        if self.text.len() - start > HEADER_BYTES_MAX {
            self.text.truncate(start);
        }
        if let Some(end) = self.ends.get_mut(self.count) {
            *end = self.text.len();
            self.count += 1;
        }
    }

    fn put_word(&mut self, word: &'static str) {
        if let Some(place) = self.words.get_mut(self.count) {
            *place = word;
        }
        self.put_with(|_| {});
    }

    fn put_text(&mut self, text: &str) {
        self.put_with(|bytes| bytes.extend_from_slice(text.as_bytes()));
    }

    fn put_name(&mut self, name: Name<'_>) {
        self.put_with(|bytes| {
            let start = bytes.len();
            name.append_to(bytes);
            if !bytes[start..].iter().all(is_plain) {
                let encoded = percent_encode(&bytes[start..], ENCODED).to_string();
                bytes.truncate(start);
                bytes.extend_from_slice(encoded.as_bytes());
            }
        });
    }
}

/// The headers of an answer that allows, with who `view` is.
pub(super) fn headers(view: &TokenView<'_>) -> HeaderMap {
    filled(Values::of(view))
}

fn filled(values: Values) -> HeaderMap {
    let Values {
        text, ends, words, ..
    } = values;
    let text = Bytes::from(text);
    let mut headers = UNSET.clone();
    for (turn, (name, value)) in headers.iter_mut().enumerate() {
        // They come in the order in which they were put in; nobody promises that.
        let place = if NAMES.get(turn) == Some(name) {
            Some(turn)
        } else {
            NAMES.iter().position(|known| known == name)
        };
        let Some((place, end)) = place.and_then(|place| Some((place, *ends.get(place)?))) else {
            continue;
        };
        let start = place.checked_sub(1).map_or(0, |before| ends[before]);
        if start == end {
            *value = HeaderValue::from_static(words[place]);
        } else if let Ok(part) = HeaderValue::from_maybe_shared(text.slice(start..end)) {
            *value = part;
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_is_what_is_not_encoded() {
        for byte in 0..=u8::MAX {
            let encoded = percent_encode(&[byte], ENCODED).to_string();
            assert_eq!(is_plain(&byte), !encoded.starts_with('%'), "{byte}");
        }
    }

    #[test]
    fn each_value_stands_under_its_own_name_and_one_that_is_too_long_is_left_empty() {
        let mut values = Values::none();
        let mut expected = Vec::new();
        for number in 0..COUNT {
            let value = match number % 4 {
                0 => format!("value {number}"),
                1 => String::new(),
                2 => "x".repeat(HEADER_BYTES_MAX + number % 3),
                _ => {
                    values.put_word("word");
                    expected.push("word".to_owned());
                    continue;
                }
            };
            values.put_text(&value);
            let fits = value.len() <= HEADER_BYTES_MAX;
            expected.push(if fits { value } else { String::new() });
        }
        let headers = filled(values);
        for (name, value) in NAMES.iter().zip(&expected) {
            assert_eq!(headers[name], value.as_str(), "{name}");
        }
        assert!(expected.iter().any(|value| value.len() == HEADER_BYTES_MAX));
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(headers.len(), COUNT + 1);
    }
}
