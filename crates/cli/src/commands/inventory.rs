//! `hallpass inventory …`, and what its filters say.

use super::{
    desk::Office,
    export::{self, Counted},
    pages,
};
use crate::{
    arguments::inventory::{Filter, InventoryCommand},
    exit::{Exit, Failure},
    output::rows,
};
use hallpass_domain::time::Timestamp;
use hallpass_wire::{InventoryFilter, InventoryItem};

/// Does what was asked.
pub(super) fn run(command: InventoryCommand) -> Result<Exit, Failure> {
    match command {
        InventoryCommand::List(arguments) => {
            let office = Office::enter(&arguments.within)?;
            let asked = parameters(&filter(&office, &arguments.filter)?);
            let asked: Vec<_> = asked.iter().map(borrowed).collect();
            let items: Vec<InventoryItem> =
                pages::all(&office.desk.client, &office.path("/tokens"), &asked)?;
            let none = "No token or key is like that.";
            rows::list(&items, none, arguments.within.report, office.desk.now)
        }
        InventoryCommand::Export(arguments) => {
            let office = Office::enter(&arguments.within)?;
            let asked = parameters(&filter(&office, &arguments.filter)?);
            let mut asked: Vec<_> = asked.iter().map(borrowed).collect();
            asked.push(("format", Some(arguments.format.as_str())));
            let path = pages::address(&office.path("/tokens/export"), &asked);
            let what = match arguments.filter.kind.as_deref() {
                Some("key") => "key",
                Some(_) => "token",
                None => "token or key",
            };
            let counted = Counted::of(&arguments.format, what);
            export::run(&office.desk, &path, arguments.output.as_deref(), counted)
        }
    }
}

fn borrowed<'a>((name, value): &'a (&'static str, Option<String>)) -> (&'a str, Option<&'a str>) {
    (name, value.as_deref())
}

/// What was asked for, as the server takes it.
pub(super) fn filter(office: &Office, asked: &Filter) -> Result<InventoryFilter, Failure> {
    let owner = asked.owner.as_deref();
    let owner = owner.map(|owner| office.member_id(owner)).transpose()?;
    Ok(written(asked, owner, office.desk.now))
}

fn written(asked: &Filter, owner: Option<String>, now: Timestamp) -> InventoryFilter {
    let kind = asked.kind.as_deref().map(|kind| match kind {
        "key" => "api_key".to_owned(),
        _ => "personal_access_token".to_owned(),
    });
    InventoryFilter {
        kind,
        owner,
        state: asked.state.clone(),
        permission: asked.permission.clone(),
        unused_since: asked.unused_since.map(|at| at.before(now).to_string()),
        made_before: asked.made_before.map(|at| at.before(now).to_string()),
        ends_before: asked.ends_before.map(|at| at.after(now).to_string()),
        never_expires: asked.never_expires.then_some(true),
        search: asked.search.clone(),
    }
}

fn parameters(filter: &InventoryFilter) -> Vec<(&'static str, Option<String>)> {
    vec![
        ("kind", filter.kind.clone()),
        ("owner", filter.owner.clone()),
        ("state", filter.state.clone()),
        ("permission", filter.permission.clone()),
        ("unusedSince", filter.unused_since.clone()),
        ("madeBefore", filter.made_before.clone()),
        ("endsBefore", filter.ends_before.clone()),
        (
            "neverExpires",
            filter.never_expires.map(|on| on.to_string()),
        ),
        ("search", filter.search.clone()),
    ]
}

/// The token or key of the organization that an id or a prefix means.
pub(super) fn find(office: &Office, text: &str) -> Result<InventoryItem, Failure> {
    let is_id = hallpass_domain::id::TokenId::parse(text).is_ok();
    let search = [("search", Some(text).filter(|_| !is_id))];
    let items = pages::all(&office.desk.client, &office.path("/tokens"), &search)?;
    pages::meant(
        items,
        text,
        "token or key with the prefix or id",
        "`hallpass inventory list` shows those of the organization.",
        |item: &InventoryItem| item.prefix == text || item.id == text,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::Moment;

    #[test]
    fn spans_go_back_but_for_when_a_token_ends() {
        let now = Timestamp::parse("2026-11-22T10:15:00Z").unwrap();
        let day = Some(Moment::Span(86_400));
        let asked = Filter {
            kind: Some("key".into()),
            unused_since: day,
            made_before: day,
            ends_before: day,
            ..Filter::default()
        };
        let filter = written(&asked, Some("u".into()), now);
        assert_eq!(filter.unused_since.as_deref(), Some("2026-11-21T10:15:00Z"));
        assert_eq!(filter.made_before.as_deref(), Some("2026-11-21T10:15:00Z"));
        assert_eq!(filter.ends_before.as_deref(), Some("2026-11-23T10:15:00Z"));
        assert_eq!(
            (filter.kind.as_deref(), filter.never_expires),
            (Some("api_key"), None)
        );
        let sent: Vec<_> = parameters(&filter)
            .into_iter()
            .filter(|(_, value)| value.is_some())
            .map(|(name, _)| name)
            .collect();
        assert_eq!(
            sent,
            ["kind", "owner", "unusedSince", "madeBefore", "endsBefore"]
        );
    }
}
