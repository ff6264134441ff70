//! Who and what the demo shows. Moments are seconds before the moment at which it is filled; addresses are of the
//! blocks that are set aside for documentation (RFC 5737, RFC 3849), hosts of `.example` (RFC 2606).

use super::tokens::{ADAS, ALANS, DemoToken, GRACES, KATHERINES};
use hallpass_domain::{
    organization::Standing,
    permission::Risk::{self, High, Low, Medium},
    role::BuiltInRole,
    time::{SECONDS_PER_DAY as DAY, SECONDS_PER_HOUR as HOUR},
};

pub(super) const ORGANIZATION: &str = "Acme Rockets";
/// Seconds since it was founded.
pub(super) const ORGANIZATION_AGE: i64 = 412 * DAY + 5 * HOUR;

/// Where people sit when they make tokens.
pub(super) const OFFICE: &str = "198.51.100.20";
/// What they make them with.
pub(super) const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// The catalogue: name, what it allows, how much harm it can do.
pub(super) const PERMISSIONS: &[(&str, &str, Risk)] = &[
    (
        "repo:read",
        "Read repositories, their history and their files",
        Low,
    ),
    ("repo:write", "Push commits, branches and tags", Medium),
    (
        "repo:delete",
        "Delete repositories with everything in them",
        High,
    ),
    ("package:read", "Download packages", Low),
    (
        "package:publish",
        "Publish new versions of packages under the company's name",
        High,
    ),
    ("build:run", "Start, repeat and cancel builds", Medium),
    ("deploy:read", "See what runs where, and since when", Low),
    (
        "deploy:run",
        "Put a build on the launch pad's computers",
        High,
    ),
    (
        "telemetry:read",
        "Read what rockets and test benches send",
        Low,
    ),
    (
        "telemetry:write",
        "Send measurements in the name of a rocket or a test bench",
        Medium,
    ),
    ("report:read", "Read reports", Low),
    ("report:write", "Write, change and share reports", Medium),
    (
        "member:read",
        "See who is a member, and with which role",
        Low,
    ),
    ("member:invite", "Invite people into the organization", High),
];

/// What members hold; a superuser holds everything.
pub(super) const MEMBER_HOLDS: &[&str] = &[
    "repo:read",
    "repo:write",
    "package:read",
    "build:run",
    "deploy:read",
    "telemetry:read",
    "report:*",
    "member:read",
];

/// Somebody to sign in as.
#[derive(Debug)]
pub(super) struct DemoPerson {
    pub(super) name: &'static str,
    pub(super) email: &'static str,
    /// Public.
    pub(super) password: &'static str,
    /// What there is to see, in a few words.
    pub(super) about: &'static str,
    pub(super) role: BuiltInRole,
    pub(super) membership: Standing,
    pub(super) may_have_tokens: bool,
    /// Seconds since.
    pub(super) joined: i64,
    pub(super) tokens: &'static [DemoToken],
}

pub(super) const PEOPLE: &[DemoPerson] = &[
    DemoPerson {
        name: "Ada Lovelace",
        email: "ada@acme-rockets.example",
        password: "analytical-engine-notes",
        about: "superuser; most of the tokens are hers, begin here",
        role: BuiltInRole::Superuser,
        membership: Standing::Active,
        may_have_tokens: true,
        joined: ORGANIZATION_AGE,
        tokens: ADAS,
    },
    DemoPerson {
        name: "Grace Hopper",
        email: "grace@acme-rockets.example",
        password: "a-moth-in-relay-seventy",
        about: "member, who may do less than Ada",
        role: BuiltInRole::Member,
        membership: Standing::Active,
        may_have_tokens: true,
        joined: 301 * DAY + 2 * HOUR,
        tokens: GRACES,
    },
    DemoPerson {
        name: "Alan Turing",
        email: "alan@acme-rockets.example",
        password: "sunflowers-count-in-spirals",
        about: "member, who may not have tokens: his old one rests",
        role: BuiltInRole::Member,
        membership: Standing::Active,
        may_have_tokens: false,
        joined: 190 * DAY + 7 * HOUR,
        tokens: ALANS,
    },
    DemoPerson {
        name: "Katherine Johnson",
        email: "katherine@acme-rockets.example",
        password: "orbits-worked-out-by-hand",
        about: "member, suspended: she is refused, and so is her token",
        role: BuiltInRole::Member,
        membership: Standing::Suspended,
        may_have_tokens: true,
        joined: 88 * DAY + HOUR,
        tokens: KATHERINES,
    },
    DemoPerson {
        name: "Margaret Hamilton",
        email: "margaret@acme-rockets.example",
        password: "priority-displays-at-landing",
        about: "admin: everything but the organization itself",
        role: BuiltInRole::Admin,
        membership: Standing::Active,
        may_have_tokens: true,
        joined: 240 * DAY + 3 * HOUR,
        tokens: &[],
    },
    DemoPerson {
        name: "Dorothy Vaughan",
        email: "dorothy@acme-rockets.example",
        password: "fortran-for-the-west-area",
        about: "viewer here, and superuser of a second organization",
        role: BuiltInRole::Viewer,
        membership: Standing::Active,
        may_have_tokens: false,
        joined: 61 * DAY + 4 * HOUR,
        tokens: &[],
    },
];

/// What those who only look hold.
pub(super) const VIEWER_HOLDS: &[&str] = &["deploy:read", "report:read", "telemetry:read"];

/// A role of the organization's own: its name, what it is for, what it holds.
pub(super) const ROLE: (&str, &str, &[&str]) = (
    "Launch crew",
    "Puts builds on the pad's computers and watches them fly.",
    &["build:run", "deploy:*", "package:read", "telemetry:read"],
);
/// Whom Ada invited to it.
pub(super) const INVITED: &str = "mae@acme-rockets.example";
/// Seconds since.
pub(super) const INVITED_AGO: i64 = 2 * DAY + HOUR;

/// Seconds since those who may not use their tokens were stopped: after the last use of each.
pub(super) const STOPPED_AGO: i64 = 5 * DAY + 6 * HOUR;

/// What the policy does not let personal access tokens carry.
pub(super) const POLICY_FORBIDS: &[&str] = &["member:invite", "repo:delete"];
/// How long tokens and keys may live under the policy that is to come.
pub(super) const POLICY_DAYS: u32 = 365;
/// Seconds until then.
pub(super) const POLICY_COMES: i64 = 40 * DAY;

/// The organization that Dorothy runs beside, with Ada as a member.
pub(super) const SECOND: &str = "West Area Computers";
/// Seconds since it was founded.
pub(super) const SECOND_AGE: i64 = 23 * DAY + 6 * HOUR;
/// Who runs it.
pub(super) const SECOND_SUPERUSER: &str = "dorothy@acme-rockets.example";
