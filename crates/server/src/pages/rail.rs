//! The rail: every page of the settings in one list, and whom it is shown to. Showing is a courtesy; what somebody may
//! do is decided by the services, page by page.

use crate::service::{Person, acting::Actor};
use hallpass_domain::permission::Permission;

/// Whom a page is shown to.
#[derive(Clone, Copy)]
enum Shown {
    /// Everybody.
    Always,
    /// Who may have tokens.
    BehindGate,
    /// Who holds this permission.
    With(&'static str),
}

struct Page {
    /// What a page calls itself.
    section: &'static str,
    href: &'static str,
    label: &'static str,
    shown: Shown,
}

const fn page(
    section: &'static str,
    href: &'static str,
    label: &'static str,
    shown: Shown,
) -> Page {
    Page {
        section,
        href,
        label,
        shown,
    }
}

const PROFILE: &[Page] = &[
    page(
        "tokens",
        "/settings/tokens",
        "Personal access tokens",
        Shown::BehindGate,
    ),
    page(
        "sessions",
        "/settings/sessions",
        "Sign-in & sessions",
        Shown::Always,
    ),
];

/// What concerns the organization in force, in the order of the rail.
const ORGANIZATION: &[Page] = &[
    page(
        "members",
        "/settings/organization/members",
        "Members",
        Shown::With(Permission::MEMBERS),
    ),
    page(
        "roles",
        "/settings/organization/roles",
        "Roles & permissions",
        Shown::With(Permission::ROLES),
    ),
    page(
        "keys",
        "/settings/organization/keys",
        "API keys",
        Shown::With(Permission::KEYS),
    ),
    page(
        "all-tokens",
        "/settings/organization/tokens",
        "All tokens",
        Shown::With(Permission::TOKENS),
    ),
    page(
        "policy",
        "/settings/organization/policy",
        "Policy",
        Shown::With(Permission::POLICY),
    ),
    page(
        "audit",
        "/settings/organization/audit",
        "Audit",
        Shown::With(Permission::AUDIT),
    ),
    page(
        "organization",
        "/settings/organization",
        "Organization",
        Shown::With(Permission::ORGANIZATION),
    ),
];

/// What concerns the whole deployment; in the organization that runs it alone somebody holds the permission.
const DEPLOYMENT: &[Page] = &[
    page(
        "organizations",
        "/settings/deployment/organizations",
        "Organizations",
        Shown::With(Permission::DEPLOYMENT),
    ),
    page(
        "users",
        "/settings/deployment/users",
        "Users",
        Shown::With(Permission::DEPLOYMENT),
    ),
];

const PROGRAMS: &[Page] = &[page("docs", "/docs", "API reference", Shown::Always)];

/// Pages under one title.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) id: &'static str,
    pub(super) title: String,
    pub(super) links: Vec<Link>,
}

/// A page in the rail.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) href: &'static str,
    pub(super) label: &'static str,
    pub(super) current: bool,
}

/// The rail as `person` sees it on a page of `section`.
pub(super) fn groups(person: &Person, section: &str) -> Vec<Group> {
    let actor = Actor::of_session(person);
    let links = |pages: &[Page]| {
        pages
            .iter()
            .filter(|page| match page.shown {
                Shown::Always => true,
                Shown::BehindGate => person.membership.may_have_tokens,
                Shown::With(permission) => actor.may(permission),
            })
            .map(|page| Link {
                href: page.href,
                label: page.label,
                current: page.section == section,
            })
            .collect()
    };
    let group = |id, title: &str, pages| Group {
        id,
        title: title.to_owned(),
        links: links(pages),
    };
    let groups = [
        group("profile", "Profile", PROFILE),
        group(
            "organization",
            person.organization.name.as_str(),
            ORGANIZATION,
        ),
        group("deployment", "Deployment", DEPLOYMENT),
        group("programs", "For programs", PROGRAMS),
    ];
    groups
        .into_iter()
        .filter(|group| !group.links.is_empty())
        .collect()
}

/// The page that lists the tokens of the whole organization, once there is one that `actor` may see.
pub(super) fn all_tokens(actor: &Actor) -> Option<&'static str> {
    ORGANIZATION
        .iter()
        .find(|page| page.section == "all-tokens" && actor.may(Permission::TOKENS))
        .map(|page| page.href)
}
