//! The stylesheet, the script and the icon, compiled in. Their addresses carry a hash of what they hold, so that
//! browsers may keep them for good.

use super::PageError;
use crate::error::ServiceError;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use http::header;
use sha2::{Digest as _, Sha256};
use std::{fmt::Write as _, sync::LazyLock};

/// Bytes of the hash in an address: enough to tell any two versions apart.
const HASH_BYTES: usize = 8;

#[derive(Debug)]
struct Asset {
    url: String,
    kind: &'static str,
    body: &'static [u8],
}

impl Asset {
    fn new(name: &str, extension: &str, kind: &'static str, body: &'static [u8]) -> Self {
        let mut hash = String::with_capacity(2 * HASH_BYTES);
        for byte in Sha256::digest(body).iter().take(HASH_BYTES) {
            // Writing to a string cannot fail.
            let _ = write!(hash, "{byte:02x}");
        }
        Self {
            url: format!("/assets/{name}.{hash}.{extension}"),
            kind,
            body,
        }
    }
}

static STYLESHEET: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "hallpass",
        "css",
        "text/css; charset=utf-8",
        include_bytes!("../../assets/hallpass.css"),
    )
});
static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "hallpass",
        "js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../assets/hallpass.js"),
    )
});
static ICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "icon",
        "svg",
        "image/svg+xml; charset=utf-8",
        include_bytes!("../../assets/icon.svg"),
    )
});

/// Where the stylesheet is.
pub fn stylesheet() -> &'static str {
    &STYLESHEET.url
}

/// Where the script is.
pub fn script() -> &'static str {
    &SCRIPT.url
}

/// Where the icon is.
pub fn icon() -> &'static str {
    &ICON.url
}

pub(super) async fn serve(Path(file): Path<String>) -> Result<Response, PageError> {
    let found = [&STYLESHEET, &SCRIPT, &ICON]
        .into_iter()
        .find(|asset| asset.url.strip_prefix("/assets/") == Some(file.as_str()));
    let asset = found.ok_or(ServiceError::NotFound("file"))?;
    let headers = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, asset.body).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_changes_with_what_it_holds() {
        let [one, two] = [b"a", b"b"].map(|body| Asset::new("x", "css", "text/css", body));
        assert_eq!(one.url, "/assets/x.ca978112ca1bbdca.css");
        assert_ne!(one.url, two.url);
    }

    #[tokio::test]
    async fn only_the_current_address_is_served() {
        let name = stylesheet().trim_start_matches("/assets/").to_owned();
        let served = serve(Path(name)).await.unwrap();
        assert_eq!(
            served.headers()[header::CACHE_CONTROL],
            "public, max-age=31536000, immutable"
        );
        let old = serve(Path("hallpass.0000000000000000.css".to_owned())).await;
        assert!(matches!(old, Err(PageError(ServiceError::NotFound(_)))));
    }
}
