//! The members of the organization in force.

use super::{
    PageError, address, cut,
    form::Fields,
    page, searched,
    unknown::Unknown,
    view::{Frame, Moment},
    visitor::{Asked, Visitor},
    words,
};
use crate::{app::App, error::ServiceError, service::acting::Actor};
use askama::Template;
use axum::{extract::State, response::Response};
use hallpass_domain::{
    id::{RoleId, UserId},
    limits::PAGE_ROWS_DEFAULT,
    name::fold_search,
    organization::Standing,
    time::Timestamp,
};
use hallpass_store::{MemberQuery, MemberRow};

const PATH: &str = "/settings/organization/members";

/// Which members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Filter {
    search: String,
    role: Option<RoleId>,
    standing: Option<Standing>,
    after: String,
    /// What it says and no list knows.
    unknown: Unknown,
}

/// What a person can be.
fn read_standing(word: &str) -> Option<Standing> {
    match word {
        "active" => Some(Standing::Active),
        "suspended" => Some(Standing::Suspended),
        _ => None,
    }
}

impl Filter {
    fn read(fields: &Fields) -> Self {
        let mut unknown = Unknown::default();
        Self {
            search: searched(fields),
            role: unknown.read(fields, ("role", "role"), |id| RoleId::parse(id).ok()),
            standing: unknown.read(fields, ("standing", "standing"), read_standing),
            after: fields.get("after").to_owned(),
            unknown,
        }
    }

    fn href(&self) -> String {
        let role = self.role.map(|role| role.to_string()).unwrap_or_default();
        let standing = self.standing.map(Standing::word).unwrap_or_default();
        let pairs = [
            ("search", self.search.clone()),
            ("role", role),
            ("standing", standing.to_owned()),
            ("after", self.after.clone()),
        ];
        address(PATH, &pairs)
    }

    fn narrows(&self) -> bool {
        !self.search.is_empty()
            || self.role.is_some()
            || self.standing.is_some()
            || !self.unknown.is_empty()
    }

    fn store_query(&self) -> MemberQuery {
        MemberQuery {
            search: fold_search(&self.search),
            role: self.role,
            standing: self.standing,
            after: self.after.clone(),
            limit: PAGE_ROWS_DEFAULT + 1,
        }
    }
}

/// A member.
#[derive(Debug)]
pub(super) struct MemberView {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) role: String,
    pub(super) open: bool,
    /// How many live tokens they have: `3 tokens`.
    pub(super) tokens: String,
    pub(super) has_tokens: bool,
    pub(super) has_one: bool,
    pub(super) joined: Moment,
    pub(super) joined_day: String,
    /// Whether they are suspended here.
    pub(super) suspended: bool,
    /// Whether their account is suspended everywhere.
    pub(super) out: bool,
    pub(super) is_you: bool,
}

impl MemberView {
    /// Whether none of their tokens works here, whatever the tokens say of themselves.
    pub(super) const fn rests(&self) -> bool {
        !self.open || self.suspended || self.out
    }

    pub(super) fn of(found: &MemberRow, you: UserId, now: Timestamp) -> Self {
        Self {
            id: found.user.id.to_string(),
            name: found.user.name.to_string(),
            email: found.user.email.to_string(),
            role: found.role_name.clone(),
            open: found.membership.may_have_tokens,
            tokens: words::count(found.tokens, "token"),
            has_tokens: found.tokens > 0,
            has_one: found.tokens == 1,
            joined: Moment::past(found.joined, now),
            joined_day: words::day(found.joined),
            suspended: !found.membership.standing.is_active(),
            out: !found.user.standing.is_active(),
            is_you: found.user.id == you,
        }
    }
}

/// A choice of a filter.
struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "members.html")]
struct MembersPage {
    frame: Frame,
    removed: bool,
    invitations: String,
    search: String,
    roles: Vec<Choice>,
    standings: [(&'static str, &'static str, bool); 3],
    narrowed: bool,
    /// What the address asks for and there is not.
    unknown: Option<String>,
    rows: Vec<MemberView>,
    more_href: Option<String>,
    first_href: Option<String>,
}

pub(super) async fn list(
    State(app): State<App>,
    visitor: Visitor,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let (filter, actor) = (Filter::read(&asked), visitor.actor());
    let mut rows = app
        .services
        .list_members(&actor, &filter.store_query())
        .await?;
    if !filter.unknown.is_empty() {
        rows.clear();
    }
    let open = app.services.list_invitations(&actor).await?.len();
    let roles = roles_to_filter(&app, &actor, &filter).await?;
    let more = cut(&mut rows);
    let now = app.services.clock.now();
    let mut list = MembersPage::new(&visitor, &filter, roles, &rows, now);
    list.removed = asked.get("removed") == "1";
    list.more_href = next(&filter, rows.last().filter(|_| more));
    if open > 0 {
        list.invitations = words::count(open as u64, "open invitation");
    }
    page(&list)
}

fn next(filter: &Filter, last: Option<&MemberRow>) -> Option<String> {
    last.map(|last| {
        let after = last.sort_key();
        Filter {
            after,
            ..filter.clone()
        }
        .href()
    })
}

async fn roles_to_filter(
    app: &App,
    actor: &Actor,
    filter: &Filter,
) -> Result<Vec<Choice>, ServiceError> {
    let roles = app.services.list_roles(actor).await?;
    Ok(roles
        .iter()
        .map(|used| Choice {
            value: used.role.id.to_string(),
            label: used.role.name.to_string(),
            chosen: filter.role == Some(used.role.id),
        })
        .collect())
}

impl MembersPage {
    fn new(
        visitor: &Visitor,
        filter: &Filter,
        roles: Vec<Choice>,
        rows: &[MemberRow],
        now: Timestamp,
    ) -> Self {
        let first = Filter {
            after: String::new(),
            ..filter.clone()
        };
        let standing = |word, label, is| (word, label, filter.standing == is);
        Self {
            frame: Frame::new(visitor, "members"),
            removed: false,
            invitations: String::new(),
            search: filter.search.clone(),
            roles,
            standings: [
                standing("", "Anyone", None),
                standing("active", "Active", Some(Standing::Active)),
                standing("suspended", "Suspended", Some(Standing::Suspended)),
            ],
            narrowed: filter.narrows(),
            unknown: filter.unknown.said(),
            rows: rows
                .iter()
                .map(|row| MemberView::of(row, visitor.person().user.id, now))
                .collect(),
            more_href: None,
            first_href: (!filter.after.is_empty()).then(|| first.href()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_the_list_it_was_made_for() {
        for query in [
            "",
            "search=%D7%A9+x&standing=suspended",
            "role=019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6a&standing=active&after=bob%40acme.example",
        ] {
            let filter = Filter::read(&Fields::parse(query.as_bytes()));
            let href = filter.href();
            let again = href.split_once('?').map_or("", |(_, query)| query);
            assert_eq!(Filter::read(&Fields::parse(again.as_bytes())), filter);
        }
        assert_eq!(Filter::default().href(), PATH);
    }

    #[test]
    fn what_no_list_knows_is_told() {
        let read = |query: &str| Filter::read(&Fields::parse(query.as_bytes()));
        assert_eq!(read("utm=1"), Filter::default());
        for (query, value) in [("role=x", "“x”"), ("standing=gone", "“gone”")] {
            let said = read(query).unknown.said().unwrap();
            assert!(said.contains(value), "{said}");
        }
    }
}
