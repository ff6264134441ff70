//! What the server says, in the words of the command line: it speaks of fields of its interface, here there are flags.

/// What a field of the interface is called here.
const FLAGS: [(&str, &str); 12] = [
    ("allowedAddresses", "--allow-address"),
    ("daysMax", "--max-days"),
    ("enforceAt", "--from"),
    ("expirationDate", "--expires"),
    ("forbiddenPermissions", "--forbid"),
    ("mayHaveTokens", "--tokens"),
    ("moveMembersTo", "--move-members-to"),
    ("permissions", "--permission"),
    ("quietForSeconds", "--until-quiet"),
    ("scope", "--permission"),
    ("unusedDaysMax", "--unused-days"),
    ("userAwareTokenNeverExpires", "--expires never"),
];

/// What is said in place of the server's own words, by the code of the problem.
pub(super) fn ours(code: &str) -> Option<&'static str> {
    Some(match code {
        "role_in_use" => {
            "members or invitations have this role: move the members with --move-members-to ROLE, and withdraw the \
             invitations with `hallpass member withdraw`"
        }
        "expiration_not_in_future" => "--expires must lie in the future",
        _ => return None,
    })
}

/// A field of a request by its flag, where it has one.
pub(super) fn flag(field: &str) -> &str {
    FLAGS
        .iter()
        .find(|(name, _)| *name == field)
        .map_or(field, |(_, flag)| flag)
}

/// A sentence of the server with the flags in it. What is a plain word too is left alone.
pub(super) fn in_flags(text: &str) -> String {
    let is_of_a_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut written = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c| !is_of_a_word(c)) {
        let word = piece.trim_end_matches(|c| !is_of_a_word(c));
        let is_a_field = word.chars().any(char::is_uppercase);
        written.push_str(if is_a_field { flag(word) } else { word });
        written.push_str(&piece[word.len()..]);
    }
    written
}

/// What to do on this machine about a problem of the server; the rest stands in the problem itself.
pub(super) fn way_out(code: &str, by_login: bool) -> &'static [&'static str] {
    /// The role may hold by now what the token of `hallpass login` does not name.
    const AGAIN: &str = "The token of this login names what you could do when you signed in; run `hallpass login` again \
                         to take in what was added since.";
    match (code, by_login) {
        ("sign_in_required" | "invalid_token", _) => &["Sign in again with `hallpass login`."],
        ("permission_missing" | "above_your_role", true) => &[AGAIN],
        ("permission_missing", false) => &[
            "A token has what it was given when it was made: `hallpass whoami` shows what this one may do.",
        ],
        ("wider_than_asker", true) => &[
            "This command line works with a token of its own, and a token makes none wider or longer-lived than itself: \
             `hallpass whoami` shows what it may do and when it ends. What is to live longer is made on the pages.",
            AGAIN,
        ],
        ("wider_than_asker", false) => &[
            "This command line works with a token of its own, and a token makes none wider or longer-lived than itself. \
             `hallpass whoami` shows what it may do and when it ends; after `hallpass login` it may do all that your role \
             allows, for 90 days. Everything else is made on the pages.",
        ],
        ("last_superuser", _) => &["`hallpass member role USER Superuser` does that."],
        ("changed_meanwhile", _) => &["Nothing was changed."],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_as_flags_and_plain_words_stay() {
        for (text, told) in [
            (
                "choose an earlier expirationDate",
                "choose an earlier --expires",
            ),
            (
                "(moveMembersTo), and enforceAt.",
                "(--move-members-to), and --from.",
            ),
            (
                "the permissions in the scope",
                "the permissions in the scope",
            ),
            ("“Expiration” é", "“Expiration” é"),
            ("", ""),
        ] {
            assert_eq!(in_flags(text), told);
        }
        assert_eq!((flag("scope"), flag("name")), ("--permission", "name"));
    }
}
