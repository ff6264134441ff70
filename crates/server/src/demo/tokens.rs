//! The tokens of the demo's people, and what became of them.

use super::tables::OFFICE;
use hallpass_domain::time::{SECONDS_PER_DAY as DAY, SECONDS_PER_HOUR as HOUR};

const MINUTE: i64 = 60;

/// A token to look at.
#[derive(Debug)]
pub(super) struct DemoToken {
    pub(super) name: &'static str,
    /// Seconds since it was made.
    pub(super) created: i64,
    /// Seconds until it ends, negative when it has ended; none for never.
    pub(super) ends: Option<i64>,
    /// What it is narrowed to; none for all that the role allows.
    pub(super) scope: Option<&'static [&'static str]>,
    pub(super) fate: Fate,
    pub(super) last: Option<DemoUse>,
    pub(super) rhythm: Rhythm,
    /// Whether somebody goes on trying it now that it no longer works.
    pub(super) still_tried: bool,
}

/// What its owner did to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing.
    Kept,
    /// Revoked it, so many seconds ago.
    Revoked(i64),
    /// Suspended it, so many seconds ago.
    Suspended(i64),
}

/// How a token was last used.
#[derive(Clone, Copy, Debug)]
pub(super) struct DemoUse {
    /// Seconds since.
    pub(super) ago: i64,
    /// Method and path.
    pub(super) request: (&'static str, &'static str),
    pub(super) address: &'static str,
    pub(super) agent: &'static str,
}

/// How often a token was used until its last use.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rhythm {
    /// Once, or never.
    Once,
    /// About so many times in one hour of so many, the hour of the last use among them.
    Every {
        /// Hours from one to the next.
        hours: i64,
        /// Uses in it.
        about: u64,
    },
    /// About so many times an hour, while people in Europe are at work.
    AtWork(u64),
}

/// Active, made three weeks ago for a year, for everything, never used: each token says what is different.
const TOKEN: DemoToken = DemoToken {
    name: "",
    created: 21 * DAY + 4 * HOUR,
    ends: Some(343 * DAY + 20 * HOUR),
    scope: None,
    fate: Fate::Kept,
    last: None,
    rhythm: Rhythm::Once,
    still_tried: false,
};

const fn used(
    ago: i64,
    request: (&'static str, &'static str),
    address: &'static str,
    agent: &'static str,
) -> Option<DemoUse> {
    Some(DemoUse {
        ago,
        request,
        address,
        agent,
    })
}

pub(super) const ADAS: &[DemoToken] = &[
    DemoToken {
        name: "Release pipeline",
        created: 204 * DAY + 3 * HOUR + 17 * MINUTE,
        ends: Some(160 * DAY + 21 * HOUR),
        scope: Some(&["build:run", "deploy:run", "package:publish", "repo:read"]),
        last: used(
            38,
            ("POST", "/v1/packages/guidance/versions"),
            "203.0.113.24",
            "acme-release/4.2 (linux; x86_64)",
        ),
        rhythm: Rhythm::Every {
            hours: 1,
            about: 46,
        },
        ..TOKEN
    },
    DemoToken {
        name: "Laptop",
        created: 26 * DAY + 2 * HOUR + 41 * MINUTE,
        ends: Some(4 * DAY + 2 * HOUR),
        last: used(
            3 * HOUR + 8 * MINUTE,
            ("GET", "/v1/repositories/ground-control"),
            "2001:db8:4f1:8a00::c0de",
            "git/2.47.1",
        ),
        rhythm: Rhythm::AtWork(9),
        ..TOKEN
    },
    DemoToken {
        name: "Nightly backup",
        created: 377 * DAY + 11 * HOUR,
        ends: None,
        scope: Some(&["repo:read"]),
        last: used(
            9 * HOUR + 22 * MINUTE,
            ("GET", "/v1/repositories/flight-computer/archive"),
            "203.0.113.80",
            "curl/8.14.1",
        ),
        rhythm: Rhythm::Every {
            hours: 24,
            about: 31,
        },
        ..TOKEN
    },
    DemoToken {
        name: "Wall display in the hangar",
        created: 9 * DAY + 6 * HOUR,
        ends: Some(81 * DAY + 18 * HOUR),
        scope: Some(&["telemetry:read"]),
        ..TOKEN
    },
    DemoToken {
        name: "Trajectory notebook",
        created: 58 * DAY + 5 * HOUR + 3 * MINUTE,
        ends: Some(32 * DAY + 19 * HOUR),
        scope: Some(&["report:*", "telemetry:read"]),
        last: used(
            2 * DAY + 4 * HOUR,
            ("GET", "/v1/telemetry/second-stage"),
            "2001:db8:4f1:8a00:1d3:77ff:fe20:9b",
            "python-requests/2.32.5",
        ),
        rhythm: Rhythm::AtWork(4),
        ..TOKEN
    },
    DemoToken {
        name: "Command line",
        created: 13 * DAY + 50 * MINUTE,
        ends: Some(76 * DAY + 23 * HOUR),
        scope: Some(&["hallpass:own-tokens", "report:read"]),
        last: used(
            26 * MINUTE,
            ("GET", "/v1/personal-access-tokens"),
            OFFICE,
            concat!("hallpass/", env!("CARGO_PKG_VERSION")),
        ),
        rhythm: Rhythm::Every {
            hours: 31,
            about: 3,
        },
        ..TOKEN
    },
    DemoToken {
        name: "Nightly regression run of the second-stage guidance software on test bench 14B",
        created: 71 * DAY + 8 * HOUR,
        ends: Some(109 * DAY + 16 * HOUR),
        scope: Some(&["build:run", "repo:read", "telemetry:write"]),
        last: used(
            14 * HOUR + 5 * MINUTE,
            (
                "PUT",
                "/v1/telemetry/test-benches/14b/runs/20931/results/guidance/second-stage",
            ),
            "203.0.113.114",
            "bench-runner/11.0.3 (test bench 14B; second stage; guidance) libcurl/8.14.1",
        ),
        rhythm: Rhythm::Every {
            hours: 24,
            about: 212,
        },
        ..TOKEN
    },
    DemoToken {
        name: "גיבוי נתוני השיגור",
        created: 291 * DAY + 9 * HOUR,
        ends: None,
        scope: Some(&["report:read", "telemetry:read"]),
        last: used(
            158 * DAY + 6 * HOUR,
            ("GET", "/v1/telemetry/launches"),
            "198.51.100.147",
            "Wget/1.25.0",
        ),
        ..TOKEN
    },
    DemoToken {
        name: "Conference demo",
        created: 42 * DAY + 3 * HOUR,
        ends: Some(-(12 * DAY + 9 * HOUR)),
        scope: Some(&["report:read"]),
        last: used(
            13 * DAY + 2 * HOUR,
            ("GET", "/v1/reports/maiden-flight"),
            "192.0.2.61",
            "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15",
        ),
        rhythm: Rhythm::Every {
            hours: 19,
            about: 5,
        },
        still_tried: true,
        ..TOKEN
    },
    DemoToken {
        name: "Chat bot",
        created: 120 * DAY + 7 * HOUR,
        ends: Some(245 * DAY),
        scope: Some(&["member:read", "report:read"]),
        fate: Fate::Revoked(6 * HOUR + 12 * MINUTE),
        last: used(
            6 * HOUR + 14 * MINUTE,
            ("GET", "/v1/members"),
            "192.0.2.200",
            "chat-bridge/0.9",
        ),
        rhythm: Rhythm::Every {
            hours: 1,
            about: 17,
        },
        still_tried: true,
    },
    DemoToken {
        name: "Contractor's build server",
        created: 47 * DAY + 2 * HOUR,
        ends: Some(18 * DAY + 22 * HOUR),
        scope: Some(&["build:run", "package:read", "repo:read"]),
        fate: Fate::Suspended(2 * DAY + 3 * HOUR),
        last: used(
            2 * DAY + 3 * HOUR + 40 * MINUTE,
            ("POST", "/v1/builds"),
            "192.0.2.18",
            "Jenkins/2.516",
        ),
        rhythm: Rhythm::Every {
            hours: 2,
            about: 12,
        },
        still_tried: true,
    },
];

pub(super) const GRACES: &[DemoToken] = &[
    DemoToken {
        name: "Compiler builds",
        created: 63 * DAY + 6 * HOUR,
        ends: Some(27 * DAY + 18 * HOUR),
        scope: Some(&["build:run", "package:read", "repo:read"]),
        last: used(
            4 * MINUTE + 9,
            ("POST", "/v1/builds"),
            "203.0.113.31",
            "acme-build/7.1",
        ),
        rhythm: Rhythm::Every { hours: 1, about: 8 },
        ..TOKEN
    },
    DemoToken {
        name: "Old workstation",
        created: 240 * DAY + 5 * HOUR,
        ends: None,
        fate: Fate::Revoked(31 * DAY + 4 * HOUR),
        last: used(
            33 * DAY + 2 * HOUR,
            ("GET", "/v1/repositories"),
            OFFICE,
            "git/2.39.5",
        ),
        rhythm: Rhythm::AtWork(6),
        ..TOKEN
    },
];

pub(super) const ALANS: &[DemoToken] = &[DemoToken {
    name: "Pattern search",
    created: 95 * DAY + 3 * HOUR,
    ends: Some(270 * DAY),
    scope: Some(&["report:read", "telemetry:read"]),
    last: used(
        5 * DAY + 7 * HOUR,
        ("GET", "/v1/telemetry/test-benches"),
        "2001:db8:77::1a",
        "Go-http-client/2.0",
    ),
    rhythm: Rhythm::Every {
        hours: 6,
        about: 20,
    },
    ..TOKEN
}];

pub(super) const KATHERINES: &[DemoToken] = &[DemoToken {
    name: "Orbit tables",
    created: 80 * DAY + 2 * HOUR,
    ends: Some(100 * DAY),
    last: used(
        8 * DAY + HOUR,
        ("GET", "/v1/reports/orbits"),
        "198.51.100.33",
        "curl/8.14.1",
    ),
    rhythm: Rhythm::AtWork(3),
    ..TOKEN
}];

/// An API key.
pub(super) const TELEMETRY: DemoToken = DemoToken {
    name: "Telemetry collector",
    created: 133 * DAY + 4 * HOUR,
    ends: Some(150 * DAY),
    scope: Some(&["telemetry:read"]),
    last: used(
        17,
        ("GET", "/v1/telemetry/first-stage"),
        "203.0.113.9",
        "acme-collector/2.0",
    ),
    rhythm: Rhythm::Every {
        hours: 1,
        about: 120,
    },
    ..TOKEN
};

/// An API key that was rotated: how its old secret is used.
pub(super) const BILLING_OLD: DemoToken = DemoToken {
    name: "Launch billing",
    created: 97 * DAY + 6 * HOUR,
    ends: Some(268 * DAY),
    last: used(
        5 * HOUR + 2 * MINUTE,
        ("GET", "/v1/packages/fuel"),
        "203.0.113.51",
        "acme-billing/1.8",
    ),
    rhythm: Rhythm::Every { hours: 6, about: 9 },
    ..TOKEN
};

/// The same since its rotation: how its new secret is used.
pub(super) const BILLING_NEW: DemoToken = DemoToken {
    created: 2 * DAY + 3 * HOUR,
    last: used(
        6 * MINUTE,
        ("GET", "/v1/packages/fuel"),
        "203.0.113.52",
        "acme-billing/1.9",
    ),
    rhythm: Rhythm::Every { hours: 1, about: 4 },
    ..BILLING_OLD
};
