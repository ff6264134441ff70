//! What an address asks of a list and no list knows. It is said, and nothing is found: a filter that is ignored would
//! show everything, with a button beside it that revokes what is shown.

use super::form::Fields;

/// Values of a filter that are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Unknown(Vec<(&'static str, String)>);

impl Unknown {
    /// The value of `name` if it `is` one; what is none is kept to be told.
    pub(super) fn keep(
        &mut self,
        fields: &Fields,
        (name, what): (&str, &'static str),
        is: impl Fn(&str) -> bool,
    ) -> String {
        let value = fields.get(name).trim();
        if value.is_empty() || is(value) {
            return value.to_owned();
        }
        self.note(what, value);
        String::new()
    }

    /// The same for what is read into something else than a text.
    pub(super) fn read<T>(
        &mut self,
        fields: &Fields,
        (name, what): (&str, &'static str),
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let value = fields.get(name).trim();
        let found = read(value);
        if found.is_none() && !value.is_empty() {
            self.note(what, value);
        }
        found
    }

    fn note(&mut self, what: &'static str, value: &str) {
        // Enough to be recognized; an address may be long.
        self.0.push((what, value.chars().take(SHOWN).collect()));
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong, and the way out.
    pub(super) fn said(&self) -> Option<String> {
        let (what, value) = self.0.first()?;
        Some(format!(
            "There is no {what} “{value}”, so nothing is shown. Choose another one, or show all."
        ))
    }
}

/// Characters of a value that are shown.
const SHOWN: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_none_is_told_and_what_is_not_sent_is_not() {
        let mut unknown = Unknown::default();
        let fields = Fields::parse(b"state=zzz&kind=&days=9");
        let about = |name| (name, "state");
        assert_eq!(unknown.keep(&fields, about("kind"), |_| false), "");
        assert_eq!(unknown.keep(&fields, about("gone"), |_| false), "");
        assert_eq!(unknown.keep(&fields, about("days"), |_| true), "9");
        assert_eq!(
            unknown.read(&fields, about("days"), |text| text.parse().ok()),
            Some(9)
        );
        assert!(unknown.is_empty() && unknown.said().is_none());
        assert_eq!(unknown.keep(&fields, about("state"), |_| false), "");
        assert!(unknown.said().unwrap().contains("no state “zzz”"));
    }
}
