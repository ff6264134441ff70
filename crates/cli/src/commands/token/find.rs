//! Which token a name, a prefix or an id means.

use super::PATH;
use crate::{
    client::Client,
    commands::pages,
    exit::{Exit, Failure, clean},
};
use hallpass_domain::{id::TokenId, limits::SEARCH_CHARS_MAX, name::TokenName, token::Prefix};
use hallpass_wire::PersonalAccessToken;

/// The caller's token that `text` means.
pub(in crate::commands) fn find(
    client: &Client,
    text: &str,
) -> Result<PersonalAccessToken, Failure> {
    if TokenId::parse(text).is_ok() {
        return client.get(&format!("{PATH}/{text}"));
    }
    let search: String = text.chars().take(SEARCH_CHARS_MAX).collect();
    choose(
        pages::all(client, PATH, &[("search", Some(&search))])?,
        text,
    )
}

/// The one among `tokens` that `text` means: a prefix means one alone; a name means the token that has it now, since
/// only tokens that are revoked can share one.
fn choose(tokens: Vec<PersonalAccessToken>, text: &str) -> Result<PersonalAccessToken, Failure> {
    let key = |name: &str| TokenName::parse(name).ok().map(|name| name.key());
    let wanted = key(text);
    let (named, others): (Vec<_>, Vec<_>) = tokens
        .into_iter()
        .partition(|token| wanted.is_some() && key(&token.name) == wanted);
    if Prefix::parse(text).is_ok()
        && let Some(token) = named
            .iter()
            .chain(&others)
            .find(|token| token.prefix == text)
    {
        return Ok(token.clone());
    }
    let (mut dead, live): (Vec<_>, Vec<_>) = named
        .into_iter()
        .partition(|token| token.state == "revoked");
    if let Some(token) = live.into_iter().next() {
        return Ok(token);
    }
    if dead.len() > 1 {
        let prefixes: Vec<String> = dead.iter().map(|token| clean(&token.prefix)).collect();
        return Err(Failure::usage(format!(
            "{} revoked tokens are named “{}”",
            dead.len(),
            clean(text)
        ))
        .next(format!("Say which by its prefix: {}", prefixes.join(", "))));
    }
    dead.pop().ok_or_else(|| {
        Failure::new(
            Exit::NotFound,
            format!(
                "you have no token with the name, prefix or id “{}”",
                clean(text)
            ),
        )
        .next("`hallpass token list` shows those you have.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::tokens::tests::token;

    #[test]
    fn a_name_means_the_token_that_has_it_now() {
        let tokens = || {
            vec![
                token("ci", "hpp_aaaaaa", "revoked"),
                token("ci", "hpp_bbbbbb", "active"),
                token("ci two", "hpp_cccccc", "active"),
                token("old", "hpp_dddddd", "revoked"),
                token("old", "hpp_eeeeee", "revoked"),
                token("lone", "hpp_ffffff", "revoked"),
                // A name that is another token's prefix must not shadow it.
                token("hpp_aaaaaa", "hpp_gggggg", "active"),
            ]
        };
        let found = |text: &str| choose(tokens(), text).map(|token| token.prefix);
        assert_eq!(found("ci"), Ok("hpp_bbbbbb".to_owned()));
        assert_eq!(found(" CI "), Ok("hpp_bbbbbb".to_owned()));
        assert_eq!(found("hpp_aaaaaa"), Ok("hpp_aaaaaa".to_owned()));
        assert_eq!(found("lone"), Ok("hpp_ffffff".to_owned()));
        let several = found("old").unwrap_err();
        assert!(
            several.exit == Exit::Usage && several.to_string().contains("hpp_dddddd, hpp_eeeeee")
        );
        for unknown in ["c", "hpp_zzzzzz", "", "ci twos"] {
            assert_eq!(
                found(unknown).unwrap_err().exit,
                Exit::NotFound,
                "{unknown}"
            );
        }
    }
}
