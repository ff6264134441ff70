//! Where to go after signing in: a place on this site, whatever was asked for.

use percent_encoding::percent_decode_str;

/// Bytes in such an address.
const NEXT_BYTES_MAX: usize = 2_000;

/// `asked` if it is a path on this site, else `/`. Browsers read `//host`, `/\host` and `/⇥/host` as other hosts,
/// and a later hop might decode what is encoded here; none of it is needed for any page of ours.
pub(super) fn local_path(asked: &str) -> &str {
    if is_local(asked) { asked } else { "/" }
}

fn is_local(asked: &str) -> bool {
    let decoded: Vec<u8> = percent_decode_str(asked).collect();
    let path = asked.split(['?', '#']).next().unwrap_or_default();
    asked.len() <= NEXT_BYTES_MAX
        && asked.bytes().all(|byte| byte.is_ascii_graphic())
        && asked.starts_with('/')
        && !decoded.starts_with(b"//")
        && !decoded.contains(&b'\\')
        && !decoded.iter().any(u8::is_ascii_control)
        // Signing in must not lead back to signing in or out.
        && !path.starts_with("/sign-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_on_this_site_stay() {
        for good in [
            "/",
            "/settings/tokens",
            "/settings/tokens?state=expired&search=a%20b",
            "/settings/tokens/new",
            "/docs#verify",
            "/settings/tokens?search=%2F%2Fevil",
        ] {
            assert_eq!(local_path(good), good);
        }
    }

    #[test]
    fn everything_else_falls_back() {
        for bad in [
            "",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/%5cevil.example",
            "https:evil.example",
            "https://evil.example",
            "%2f%2fevil.example",
            "/%2f%2fevil.example",
            "/%2Fevil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "evil.example",
            "/\t/evil.example",
            "/%09/evil.example",
            "/\n/evil.example",
            "/ok\r\nSet-Cookie: a=b",
            "/%0d%0aSet-Cookie: a=b",
            " /settings",
            "/settings\u{202e}",
            "/sign-in",
            "/sign-in?next=/x",
            "/sign-out",
        ] {
            assert_eq!(local_path(bad), "/", "{bad:?}");
        }
        assert_eq!(local_path(&format!("/{}", "a".repeat(NEXT_BYTES_MAX))), "/");
    }
}
