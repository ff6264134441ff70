use super::*;

const TOKEN: &str = "hpp_7Kd2mQv9XwB4nT1cRz8LpY3sHf6JgU5aEoNiW0x2Vb7q";
const SECRET: &str = "v9XwB4nT1cRz8LpY3sHf6JgU5aEoNiW0x2Vb7q";

fn encode_all(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

#[test]
fn tokens_are_hidden_whole_cut_mistyped_and_encoded() {
    let underscore = TOKEN.replace('_', "%5F");
    for (text, shown) in [
        (TOKEN.to_owned(), "hpp_7Kd2mQ…"),
        (format!("/x?t={TOKEN}&y"), "/x?t=hpp_7Kd2mQ…&y"),
        (
            format!("{} {TOKEN}", &TOKEN[..20]),
            "hpp_7Kd2mQ… hpp_7Kd2mQ…",
        ),
        (format!("ü{underscore}ü"), "ühpp%5F7Kd2mQ…ü"),
        (underscore.replace('%', "%25"), "hpp%255F7Kd2mQ…"),
        (TOKEN.replace('X', "%58"), "hpp_7Kd2mQ…"),
        (TOKEN.replace("aEo", "%61Eo"), "hpp_7Kd2mQ…"),
        (
            format!("{TOKEN}/{underscore}%2F"),
            "hpp_7Kd2mQ…/hpp%5F7Kd2mQ…%2F",
        ),
        // Undone, the text before it would take its first letters.
        ("%abp_7Kd2mQv9XwB4".to_owned(), "%abp_7Kd2mQ…"),
        ("%%%5hpp_7Kd2mQv9XwB4%".to_owned(), "%%%5hpp_7Kd2mQ…%"),
    ] {
        assert_eq!(hide_in(&text), shown, "{text}");
    }
    let mut text = TOKEN.to_owned();
    for _ in 0..DECODINGS_MAX {
        text = encode_all(&text);
        let hidden = hide_in(&text);
        let prefix = hidden.strip_suffix('…').unwrap();
        assert!(
            text.starts_with(prefix) && prefix.len() == text.len() / TOKEN.len() * PREFIX_CHARS,
            "{hidden}"
        );
    }
}

#[test]
fn what_is_no_token_is_left_alone() {
    for text in [
        "",
        "%",
        "%5",
        "%zz",
        "a%5Fb",
        "hpp_7Kd2mQ",
        "hpp%5F7Kd2mQ",
        "%F0%9F%8E%89_ü%",
        "hp%C3%A9_7Kd2mQv9XwB4",
    ] {
        assert!(matches!(hide_in(text), Cow::Borrowed(_)), "{text}");
    }
    assert_eq!(
        hide_in(SECRET),
        SECRET,
        "without its beginning nothing tells it"
    );
}
