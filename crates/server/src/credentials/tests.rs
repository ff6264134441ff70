use super::*;
use crate::entropy::SystemEntropy;
use hallpass_domain::token::{Brand, Kind};

fn token(seed: u64) -> PlainToken {
    PlainToken::generate(
        Brand::DEFAULT,
        Kind::PersonalAccessToken,
        &SystemEntropy::seeded(seed),
    )
}

fn ask(headers: &[(&str, &str)]) -> Result<Option<String>, &'static str> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    match read(&map) {
        Ok(Credential::None) => Ok(None),
        Ok(Credential::Token(token)) => Ok(Some(token.expose().to_owned())),
        Ok(Credential::NotAToken(_)) => Err("not_a_token"),
        Err(bad) => Err(bad.code()),
    }
}

#[test]
fn every_form_is_read() {
    let token = token(1);
    let text = token.expose();
    let encode = |plain: String| format!("Basic {}", STANDARD.encode(plain));
    for (name, value) in [
        ("Authorization", format!("Bearer {text}")),
        ("authorization", format!("bearer {text}")),
        ("Authorization", format!("BEARER   {text}")),
        ("Authorization", format!("Token {text}")),
        ("Authorization", format!("token {text}")),
        ("X-API-Key", text.to_owned()),
        ("PRIVATE-TOKEN", text.to_owned()),
        ("Authorization", encode(format!("{text}:"))),
        ("Authorization", encode(format!("{text}:x-oauth-basic"))),
        ("Authorization", encode(format!("ada:{text}"))),
        ("Authorization", encode(format!(":{text}"))),
        ("Authorization", encode(format!("{text}:{text}"))),
    ] {
        assert_eq!(
            ask(&[(name, &value)]),
            Ok(Some(text.to_owned())),
            "{name}: {value}"
        );
    }
    assert_eq!(
        ask(&[
            ("Authorization", &format!("Bearer {text}")),
            ("X-API-Key", text)
        ]),
        Ok(Some(text.to_owned())),
        "one credential twice is one"
    );
    assert_eq!(ask(&[]), Ok(None));
    let ticket = format!("Negotiate {}", "a".repeat(CREDENTIAL_BYTES_MAX));
    for other in [
        "Digest username=\"ada\"",
        "Digest username=\"ada\", realm=\"r\"",
        "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=c",
        "Negotiate",
        &ticket,
    ] {
        assert_eq!(
            ask(&[("Authorization", other)]),
            Ok(None),
            "another scheme is somebody else's: {other}"
        );
        assert_eq!(
            ask(&[("Authorization", other), ("X-API-Key", text)]),
            Ok(Some(text.to_owned()))
        );
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is one table")]
fn what_is_no_credential_gets_its_exact_name() {
    let (one, two) = (token(1), token(2));
    let (one, two) = (one.expose(), two.expose());
    let bearer = format!("Bearer {one}");
    for (headers, code) in [
        (
            vec![
                ("Authorization", bearer.clone()),
                ("Authorization", bearer.clone()),
            ],
            "credentials_doubled",
        ),
        (
            vec![("Authorization", format!("{bearer}, {bearer}"))],
            "credentials_doubled",
        ),
        (
            vec![("Authorization", format!("BASIC {one},{one}"))],
            "credentials_doubled",
        ),
        (
            vec![
                ("Authorization", "Digest a=\"b\"".to_owned()),
                ("Authorization", bearer.clone()),
            ],
            "credentials_doubled",
        ),
        (
            vec![("X-API-Key", format!("{one},{one}"))],
            "credentials_doubled",
        ),
        (
            vec![("X-API-Key", one.to_owned()), ("X-API-Key", two.to_owned())],
            "credentials_doubled",
        ),
        (
            vec![
                ("Authorization", bearer.clone()),
                ("X-API-Key", two.to_owned()),
            ],
            "credentials_conflicting",
        ),
        (
            vec![
                ("Authorization", bearer.clone()),
                ("X-API-Key", "other".to_owned()),
            ],
            "credentials_conflicting",
        ),
        (
            vec![(
                "Authorization",
                format!("Basic {}", STANDARD.encode(format!("{one}:{two}"))),
            )],
            "credentials_conflicting",
        ),
        (
            vec![("Authorization", "Bearer".to_owned())],
            "credentials_malformed",
        ),
        (
            vec![("Authorization", "Bearer ".to_owned())],
            "credentials_malformed",
        ),
        (
            vec![("Authorization", format!("Bearer {one} {two}"))],
            "credentials_malformed",
        ),
        (
            vec![("Authorization", format!("Bearer\t{one}"))],
            "credentials_malformed",
        ),
        (
            vec![("Authorization", "Bearer é".to_owned())],
            "credentials_malformed",
        ),
        (
            vec![("Authorization", "Basic !!!".to_owned())],
            "credentials_malformed",
        ),
        (
            vec![(
                "Authorization",
                format!("Basic {}", STANDARD.encode("no colon")),
            )],
            "credentials_malformed",
        ),
        (
            vec![("Authorization", format!("Bearer {}", "a".repeat(8_000)))],
            "credentials_too_long",
        ),
        (
            vec![("Authorization", format!("Bearer {}x", &one[..47]))],
            "not_a_token",
        ),
        (
            vec![("Authorization", format!("Bearer {one}x"))],
            "not_a_token",
        ),
        (vec![("X-API-Key", String::new())], "not_a_token"),
        (
            vec![(
                "Authorization",
                format!("Basic {}", STANDARD.encode("ada:secret")),
            )],
            "not_a_token",
        ),
    ] {
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        assert_eq!(ask(&headers), Err(code), "{headers:?}");
    }
}

#[test]
fn a_token_in_the_address_is_refused_whatever_it_is_called() {
    let token = token(1);
    for address in [
        "/v1/x?access_token=",
        "/v1/x?a=1&private_token=",
        "/v1/",
        "/?q=x",
    ] {
        assert_eq!(
            check_address(&format!("{address}{}", token.expose())),
            Err(BadCredentials::InAddress)
        );
    }
    let underscore = token.expose().replace('_', "%5F");
    let all = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02x}")).collect() };
    for encoded in [
        underscore.clone(),
        underscore.replace('%', "%25"),
        all(token.expose()),
        all(&all(token.expose())),
        // Undone, what stands before it would take its first letters.
        format!("%ff%{}", token.expose()),
    ] {
        assert_eq!(
            check_address(&format!("/%C3%A9?q={encoded}&%zz%")),
            Err(BadCredentials::InAddress),
            "{encoded}"
        );
    }
    assert_eq!(check_address(&"/%25%C3%A9%5F%".repeat(40)), Ok(()));
    assert_eq!(
        check_address(
            "/v1/personal-access-tokens/019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6a?search=hpp_Ab12Cd"
        ),
        Ok(())
    );
}
