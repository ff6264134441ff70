//! What a role holds, as people choose it: permissions one by one, or all of a resource.

use super::{
    form::Errors,
    may_do::{Item, risk},
};
use askama::{Template, filters::HtmlSafe};
use hallpass_domain::permission::{CatalogueEntry, Permission, PermissionSet};
use std::collections::{BTreeMap, BTreeSet};

/// The fields.
#[derive(Debug, Template)]
#[template(path = "part/role_checks.html")]
pub(super) struct RoleChecks {
    items: Vec<Item>,
    errors: Errors,
}

impl HtmlSafe for RoleChecks {}

impl RoleChecks {
    /// A line for each permission that the visitor `holds`, under a line for all of its resource, and for each of
    /// `named` that is not among them.
    pub(super) fn new(
        catalogue: &[CatalogueEntry],
        held: &PermissionSet,
        named: &BTreeSet<String>,
        errors: &Errors,
    ) -> Self {
        Self {
            items: items(catalogue, held, named),
            errors: errors.clone(),
        }
    }
}

/// The lines alone.
pub(super) fn items(
    catalogue: &[CatalogueEntry],
    held: &PermissionSet,
    named: &BTreeSet<String>,
) -> Vec<Item> {
    let mut resources: BTreeMap<&str, Vec<&CatalogueEntry>> = BTreeMap::new();
    for entry in catalogue {
        let resource = entry.permission.resource();
        resources.entry(resource).or_default().push(entry);
    }
    let mut items = Vec::new();
    for (resource, entries) in resources {
        let holds_all = entries.iter().all(|entry| held.covers(&entry.permission));
        if holds_all && entries.len() > 1 {
            items.push(all_of(resource, named));
        }
        let offered = entries
            .into_iter()
            .filter(|entry| held.covers(&entry.permission));
        items.extend(offered.map(|entry| one(entry, named)));
    }
    let listed: BTreeSet<String> = items.iter().map(|item| item.name.clone()).collect();
    let others = named.difference(&listed).map(|name| other(name, catalogue));
    others.chain(items).collect()
}

fn all_of(resource: &str, named: &BTreeSet<String>) -> Item {
    let name = format!("{resource}:*");
    Item {
        description: format!("Everything on {resource}, also what is added later"),
        risk: None,
        checked: named.contains(&name),
        name,
    }
}

fn one(entry: &CatalogueEntry, named: &BTreeSet<String>) -> Item {
    Item {
        name: entry.permission.to_string(),
        description: entry.description.clone(),
        risk: risk(entry.risk),
        checked: named.contains(entry.permission.as_str()),
    }
}

/// What the role names and nobody is offered: it left the catalogue, or is a wildcard of which the visitor lacks a part.
fn other(name: &str, catalogue: &[CatalogueEntry]) -> Item {
    let counts = Permission::parse(name).is_ok_and(|named| {
        catalogue
            .iter()
            .any(|entry| named.covers(&entry.permission))
    });
    let description = if counts {
        "The role holds this"
    } else {
        "Not in the catalogue any more: it gives nothing"
    };
    Item {
        name: name.to_owned(),
        description: description.to_owned(),
        risk: None,
        checked: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_domain::permission::{Risk, Source};

    fn lines(held: &[&str], named: &[&str]) -> Vec<(String, bool)> {
        let catalogue: Vec<CatalogueEntry> =
            ["deploy:run", "repo:read", "repo:write", "report:read"]
                .iter()
                .map(|text| CatalogueEntry {
                    permission: Permission::parse(text).unwrap(),
                    description: String::new(),
                    risk: Risk::Low,
                    source: Source::File,
                })
                .collect();
        let held = PermissionSet::parse(held.iter().copied()).unwrap();
        let named = named.iter().map(|name| (*name).to_owned()).collect();
        RoleChecks::new(&catalogue, &held, &named, &Errors::default())
            .items
            .into_iter()
            .map(|item| (item.name, item.checked))
            .collect()
    }

    #[test]
    fn all_of_a_resource_is_offered_to_who_holds_all_of_it() {
        let line = |name: &str, checked| (name.to_owned(), checked);
        assert_eq!(
            lines(&["repo:read", "repo:write", "report:read"], &["repo:read"]),
            [
                line("repo:*", false),
                line("repo:read", true),
                line("repo:write", false),
                line("report:read", false)
            ]
        );
        assert_eq!(
            lines(&["repo:read"], &[]),
            [line("repo:read", false)],
            "what one does not hold is not offered, nor is a wildcard over it"
        );
    }

    #[test]
    fn what_the_role_names_besides_stays_ticked() {
        let lines = lines(&["repo:read"], &["gone:thing", "repo:*"]);
        assert_eq!(lines[0], ("gone:thing".to_owned(), true));
        assert_eq!(lines[1], ("repo:*".to_owned(), true));
        assert_eq!(lines.len(), 3);
    }
}
