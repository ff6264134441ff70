//! What a token may do, as people choose it: all that their role allows, or only some of it.

use super::form::{Errors, Fields};
use askama::{Template, filters::HtmlSafe};
use hallpass_domain::permission::{CatalogueEntry, Permission, PermissionSet, Risk};
use std::collections::BTreeSet;

/// What was chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MayDo {
    all: bool,
    named: BTreeSet<String>,
}

impl MayDo {
    /// What is chosen in a form for a token narrowed to `scope`.
    pub(super) fn of(scope: Option<&PermissionSet>) -> Self {
        Self {
            all: scope.is_none(),
            named: scope
                .into_iter()
                .flatten()
                .map(Permission::to_string)
                .collect(),
        }
    }

    /// Reads what was chosen. What was ticked is kept even where all was chosen, in case the form comes back.
    pub(super) fn read(fields: &Fields) -> Self {
        Self {
            all: fields.get("may") == "all",
            named: fields.all("p").map(str::to_owned).collect(),
        }
    }

    /// The narrowing that is asked for; `None` is all.
    pub(super) fn scope(&self) -> Option<Vec<String>> {
        (!self.all).then(|| self.named.iter().cloned().collect())
    }

    fn names(&self, permission: &str) -> bool {
        self.named.contains(permission)
    }

    /// The fields of a new token: everything of the catalogue that the role `holds`.
    pub(super) fn view_of_new(
        &self,
        catalogue: &[CatalogueEntry],
        held: &PermissionSet,
        role: &str,
        errors: &Errors,
    ) -> MayDoView {
        MayDoView {
            all_label: Some(format!("All that my role allows ({})", held.len())),
            all_chosen: self.all,
            all_hint: format!(
                "Whatever your role, {role}, allows at each request: more when it grows, less when it shrinks."
            ),
            none_hint: format!(
                "Your role, {role}, allows nothing today, so a token could not either."
            ),
            items: self.items(catalogue, held, &PermissionSet::default()),
            own_tokens: Some(self.names(Permission::OWN_TOKENS)),
            errors: errors.clone(),
        }
    }

    /// The fields of a new key, whose role is chosen beside them: everything that its maker `holds`.
    pub(super) fn view_of_key(
        &self,
        catalogue: &[CatalogueEntry],
        held: &PermissionSet,
        errors: &Errors,
    ) -> MayDoView {
        MayDoView {
            all_label: Some("All that its role allows".to_owned()),
            all_chosen: self.all,
            all_hint: "Whatever the role allows at each request: more when it grows, less when it shrinks.".to_owned(),
            none_hint: "You hold nothing today, so a key of yours could do nothing either.".to_owned(),
            items: self.items(catalogue, held, &PermissionSet::default()),
            own_tokens: None,
            errors: errors.clone(),
        }
    }

    /// The fields of a token that is narrowed to `scope`, which can only become narrower.
    pub(super) fn view_of_change(
        &self,
        catalogue: &[CatalogueEntry],
        held: &PermissionSet,
        scope: Option<&PermissionSet>,
        errors: &Errors,
    ) -> MayDoView {
        let (within, stands, own) = match scope {
            None => (held.clone(), PermissionSet::default(), None),
            Some(scope) => (
                held.narrowed_to(scope),
                scope.clone(),
                scope
                    .names_text(Permission::OWN_TOKENS)
                    .then(|| self.names(Permission::OWN_TOKENS)),
            ),
        };
        MayDoView {
            all_label: scope.is_none().then(|| format!("All that my role allows ({})", held.len())),
            all_chosen: self.all,
            all_hint: "Once you narrow it, it cannot be widened again: whoever holds a copy must not gain by what you do here.".to_owned(),
            none_hint: "There is nothing to take away.".to_owned(),
            items: self.items(catalogue, &within, &stands),
            own_tokens: own,
            errors: errors.clone(),
        }
    }

    /// A line for each of `offered`, and for each of `standing` that is not among them: wildcards, and what the
    /// role no longer holds.
    fn items(
        &self,
        catalogue: &[CatalogueEntry],
        offered: &PermissionSet,
        standing: &PermissionSet,
    ) -> Vec<Item> {
        let listed = catalogue
            .iter()
            .filter(|entry| offered.names(&entry.permission))
            .map(|entry| Item {
                name: entry.permission.to_string(),
                description: entry.description.clone(),
                risk: risk(entry.risk),
                checked: self.names(entry.permission.as_str()),
            });
        let others = standing
            .iter()
            .filter(|permission| {
                !offered.names(permission) && permission.as_str() != Permission::OWN_TOKENS
            })
            .map(|permission| Item {
                name: permission.to_string(),
                description: if permission.is_wildcard() {
                    format!("Everything your role allows on {}", permission.resource())
                } else {
                    "Your role does not allow this today".to_owned()
                },
                risk: None,
                checked: self.names(permission.as_str()),
            });
        others.chain(listed).collect()
    }
}

/// Low risk needs no mark.
pub(super) const fn risk(risk: Risk) -> Option<(&'static str, &'static str)> {
    match risk {
        Risk::Low => None,
        Risk::Medium => Some(("medium risk", "")),
        Risk::High => Some(("high risk", "warn")),
    }
}

/// A permission to tick.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) risk: Option<(&'static str, &'static str)>,
    pub(super) checked: bool,
}

/// The fields.
#[derive(Debug, Template)]
#[template(path = "part/checklist.html")]
pub(super) struct MayDoView {
    all_label: Option<String>,
    all_chosen: bool,
    all_hint: String,
    none_hint: String,
    items: Vec<Item>,
    own_tokens: Option<bool>,
    errors: Errors,
}

impl HtmlSafe for MayDoView {}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(texts: &[&str]) -> PermissionSet {
        PermissionSet::parse(texts.iter().copied()).unwrap()
    }

    fn catalogue(texts: &[&str]) -> Vec<CatalogueEntry> {
        texts
            .iter()
            .map(|text| CatalogueEntry {
                permission: Permission::parse(text).unwrap(),
                description: String::new(),
                risk: Risk::High,
                source: hallpass_domain::permission::Source::File,
            })
            .collect()
    }

    fn read(form: &str) -> MayDo {
        MayDo::read(&Fields::parse(form.as_bytes()))
    }

    #[test]
    fn all_is_no_narrowing_and_nothing_is_an_empty_one() {
        assert_eq!(read("may=all&p=repo:read").scope(), None);
        assert_eq!(
            read("may=these&p=repo:read&p=a:b&p=repo:read").scope(),
            Some(vec!["a:b".to_owned(), "repo:read".to_owned()])
        );
        assert_eq!(
            read("may=these").scope(),
            Some(Vec::new()),
            "refused by the service, never taken for all"
        );
        assert_eq!(read("").scope(), Some(Vec::new()));
    }

    #[test]
    fn only_what_the_role_allows_is_offered() {
        let view = MayDo::default().view_of_new(
            &catalogue(&["repo:read", "repo:admin"]),
            &set(&["repo:read"]),
            "Member",
            &Errors::default(),
        );
        assert_eq!(view.items.len(), 1);
        let text = view.to_string();
        assert!(
            text.contains("All that my role allows (1)")
                && text.contains("high risk")
                && !text.contains("repo:admin")
        );
        assert!(
            text.contains(r#"value="hallpass:own-tokens">"#),
            "offered, and not ticked"
        );
    }

    #[test]
    fn a_change_offers_what_can_be_taken_away() {
        let scope = set(&["hallpass:own-tokens", "old:thing", "repo:*"]);
        let view = MayDo::of(Some(&scope)).view_of_change(
            &catalogue(&["repo:read", "repo:write", "other:read"]),
            &set(&["other:read", "repo:read", "repo:write"]),
            Some(&scope),
            &Errors::default(),
        );
        let lines: Vec<_> = view
            .items
            .iter()
            .map(|item| (item.name.as_str(), item.checked))
            .collect();
        assert_eq!(
            lines,
            [
                ("old:thing", true),
                ("repo:*", true),
                ("repo:read", false),
                ("repo:write", false)
            ]
        );
        assert_eq!((view.own_tokens, view.all_label), (Some(true), None));
    }
}
