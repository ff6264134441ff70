//! What the templates show, ready to be written down: no type here asks a service anything.

use super::words;
pub(super) use super::{frame::Frame, last_use::LastUseView};
use crate::service::{
    policy::Consequence,
    policy_losses::{self, Coming, Notice},
};
use askama::{Template, filters::HtmlSafe};
use hallpass_domain::{
    access_token::{Expiration, PersonalAccessToken, TokenState},
    limits::EXPIRY_WARNING_DAYS,
    permission::{Permission, PermissionSet},
    time::Timestamp,
};
use hallpass_store::TokenWithUse;

/// Permissions a list shows before it folds the rest away.
const PERMISSIONS_SHOWN: usize = 4;

/// A moment in words, with the exact one on hover.
#[derive(Clone, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<time datetime="{{ iso }}" title="{{ exact }}">{{ words }}</time>"#
)]
pub(super) struct Moment {
    iso: String,
    exact: String,
    words: String,
}

impl HtmlSafe for Moment {}

impl Moment {
    fn said(at: Timestamp, words: String) -> Self {
        // To the second: nobody reads microseconds.
        Self {
            iso: Timestamp::from_micros(at.seconds() * hallpass_domain::time::MICROS_PER_SECOND)
                .to_string(),
            exact: words::exact(at),
            words,
        }
    }

    pub(super) fn past(at: Timestamp, now: Timestamp) -> Self {
        Self::said(at, words::ago(at, now))
    }

    /// The day itself, for what people write down.
    pub(super) fn dated(at: Timestamp) -> Self {
        Self::said(at, words::day(at))
    }

    pub(super) fn coming(at: Timestamp, now: Timestamp) -> Self {
        Self::said(at, words::until(at, now))
    }
}

/// What a token may do.
#[derive(Clone, Debug, Template)]
#[template(path = "part/scope.html")]
pub(super) enum Scope {
    All,
    /// All that a role of this name allows.
    AllOf(String),
    Only {
        shown: Vec<String>,
        more: Vec<String>,
    },
}

impl HtmlSafe for Scope {}

impl Scope {
    /// What something of somebody else may do, which works by a role of this name.
    pub(super) fn by_role(scope: Option<&PermissionSet>, role: &str) -> Self {
        if scope.is_none() {
            return Self::AllOf(role.to_owned());
        }
        Self::of(scope)
    }

    pub(super) fn of(scope: Option<&PermissionSet>) -> Self {
        let Some(scope) = scope else {
            return Self::All;
        };
        let mut shown: Vec<String> = scope.iter().map(Permission::to_string).collect();
        // Folding a single one away would save nothing.
        let more = if shown.len() > PERMISSIONS_SHOWN + 1 {
            shown.split_off(PERMISSIONS_SHOWN)
        } else {
            Vec::new()
        };
        Self::Only { shown, more }
    }
}

/// When a token ends, or how it ended.
#[derive(Clone, Debug, Template)]
#[template(path = "part/end.html")]
pub(super) enum End {
    Later { when: Moment, day: String },
    Soon { when: Moment, day: String },
    Never,
    Expired { when: Moment, day: String },
    Revoked { when: Moment, day: String },
}

impl HtmlSafe for End {}

impl End {
    fn of(token: &PersonalAccessToken, now: Timestamp) -> Self {
        Self::at(token.revoked, token.expiration, now)
    }

    pub(super) fn at(revoked: Option<Timestamp>, expiration: Expiration, now: Timestamp) -> Self {
        if let Some(at) = revoked {
            return Self::Revoked {
                when: Moment::past(at, now),
                day: words::day(at),
            };
        }
        let Some(at) = expiration.date() else {
            return Self::Never;
        };
        let day = words::day(at);
        if now >= at {
            Self::Expired {
                when: Moment::past(at, now),
                day,
            }
        } else if at <= now.plus_days(EXPIRY_WARNING_DAYS) {
            Self::Soon {
                when: Moment::coming(at, now),
                day,
            }
        } else {
            Self::Later {
                when: Moment::coming(at, now),
                day,
            }
        }
    }

    /// Whether it is over.
    pub(super) const fn has_ended(&self) -> bool {
        matches!(self, Self::Expired { .. } | Self::Revoked { .. })
    }

    pub(super) const fn label(&self) -> &'static str {
        match self {
            Self::Later { .. } | Self::Soon { .. } | Self::Never => "Expires",
            Self::Expired { .. } => "Expired",
            Self::Revoked { .. } => "Revoked",
        }
    }
}

/// A token.
#[derive(Clone, Debug)]
pub(super) struct TokenView {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) prefix: String,
    pub(super) scope: Scope,
    pub(super) created: Moment,
    pub(super) created_day: String,
    pub(super) end: End,
    pub(super) last_use: Option<LastUseView>,
    pub(super) recent_uses: String,
    pub(super) was_used_lately: bool,
    /// The word and the colour.
    pub(super) state: (&'static str, &'static str),
    pub(super) is_active: bool,
    pub(super) suspended: Option<Moment>,
    pub(super) revocable: bool,
    /// What a policy that is to come will do to it.
    pub(super) notice: Option<String>,
}

impl TokenView {
    pub(super) fn of(found: &TokenWithUse, now: Timestamp) -> Self {
        let token = &found.token;
        let state = token.state(now);
        Self {
            id: token.id.to_string(),
            name: token.name.to_string(),
            prefix: token.prefix.to_string(),
            scope: Scope::of(token.scope.as_ref()),
            created: Moment::past(token.created, now),
            created_day: words::day(token.created),
            end: End::of(token, now),
            last_use: token
                .last_use
                .as_ref()
                .map(|last| LastUseView::of(last, now)),
            recent_uses: words::times(found.recent_uses),
            was_used_lately: found.recent_uses > 0,
            state: (state.word(), colour(state)),
            is_active: state == TokenState::Active,
            suspended: token
                .suspension
                .as_ref()
                .filter(|_| state == TokenState::Suspended)
                .map(|suspension| Moment::past(suspension.since, now)),
            revocable: state != TokenState::Revoked,
            notice: None,
        }
    }

    /// The same, with what a policy that is to come will do to it.
    pub(super) fn with_notice(
        found: &TokenWithUse,
        coming: Option<&Coming>,
        now: Timestamp,
    ) -> Self {
        let notice = coming.and_then(|coming| {
            let told = policy_losses::notice(coming, &found.token, now)?;
            let said = noticed(coming, &told, found.token.expiration.date());
            (!said.is_empty()).then_some(said)
        });
        Self {
            notice,
            ..Self::of(found, now)
        }
    }
}

/// What a policy that is to come does to a token, in sentences.
fn noticed(coming: &Coming, told: &Notice, ends: Option<Timestamp>) -> String {
    let day = words::day(coming.change.enforce_at);
    let ends = ends.map(words::day);
    // On the same day as before: there is nothing to see.
    let is_seen = |what: &Consequence| !matches!(what, Consequence::Shortened(at) if ends == Some(words::day(*at)));
    let end = told.consequence.filter(is_seen).map(|what| match what {
        Consequence::Shortened(end) => {
            format!("From {day} a new policy lets it end {}.", words::day(end))
        }
        Consequence::Revoked => format!("A new policy revokes it on {day}."),
        Consequence::Unused => {
            format!("A new policy revokes it on {day}, unless it is used before.")
        }
    });
    let names: Vec<&str> = told.loses.iter().map(Permission::as_str).collect();
    let loses = (!names.is_empty())
        .then(|| format!("From {day} it may no longer do {}.", names.join(", ")));
    let outside = told
        .outside
        .then(|| format!("From {day} it may not be used from where it was used last."));
    let all: Vec<String> = [end, loses, outside].into_iter().flatten().collect();
    all.join(" ")
}

pub(super) const fn colour(state: TokenState) -> &'static str {
    match state {
        TokenState::Active => "good",
        TokenState::Suspended => "bad",
        TokenState::Expired | TokenState::Revoked => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_domain::{
        id::{OrganizationId, TokenId, UserId},
        name::TokenName,
        token::Prefix,
    };

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-22T10:15:00Z").unwrap()
    }

    fn token(expiration: Expiration) -> PersonalAccessToken {
        PersonalAccessToken {
            id: TokenId::from_bytes([7; 16]),
            organization: OrganizationId::from_bytes([1; 16]),
            owner: UserId::from_bytes([2; 16]),
            name: TokenName::parse("</script><svg onload=1>").unwrap(),
            prefix: Prefix::parse("hpp_b81XaP").unwrap(),
            scope: None,
            created: now().plus_days(-3),
            expiration,
            never_expires_acknowledged: false,
            revoked: None,
            suspension: None,
            valid_from: None,
            address_rules: None,
            last_use: None,
        }
    }

    #[test]
    fn the_last_seven_days_are_marked() {
        let end = |seconds| End::of(&token(Expiration::At(now().plus_seconds(seconds))), now());
        assert!(matches!(end(7 * 86_400 + 1), End::Later { .. }));
        assert!(matches!(end(7 * 86_400), End::Soon { .. }));
        assert!(matches!(end(1), End::Soon { .. }));
        assert!(
            matches!(end(0), End::Expired { .. }),
            "the date is the first moment at which it no longer works"
        );
        assert!(end(4 * 86_400).to_string().contains("Ends soon"));
        assert!(matches!(
            End::of(&token(Expiration::Never), now()),
            End::Never
        ));
        let revoked = PersonalAccessToken {
            revoked: Some(now()),
            ..token(Expiration::At(now()))
        };
        assert_eq!(End::of(&revoked, now()).label(), "Revoked");
    }

    #[test]
    fn a_new_policy_is_told_where_it_changes_the_day() {
        let change = hallpass_store::PolicyChange {
            policy: hallpass_domain::policy::Policy {
                personal: hallpass_domain::policy::Lifetime {
                    days_max: Some(90),
                    may_never_expire: false,
                },
                ..hallpass_domain::policy::Policy::default()
            },
            enforce_at: now().plus_days(30),
            made: now(),
            user: None,
            token: None,
        };
        let coming = Coming {
            change,
            now: hallpass_domain::policy::Policy::default(),
        };
        let notice = |end| {
            let found = TokenWithUse {
                token: token(end),
                recent_uses: 0,
                version: 0,
            };
            TokenView::with_notice(&found, Some(&coming), now()).notice
        };
        // It was made three days ago.
        let ends = now().plus_days(87);
        let later = |seconds| notice(Expiration::At(ends.plus_seconds(seconds)));
        assert_eq!(later(0), None);
        assert_eq!(later(3_600), None, "on the same day");
        assert!(later(86_400).unwrap().contains("lets it end 17 Feb 2027"));
        assert!(notice(Expiration::Never).is_some());
    }

    #[test]
    fn many_permissions_are_folded_and_all_are_there() {
        let set = |n: u32| {
            (0..n)
                .map(|n| Permission::parse(&format!("r{n:02}:read")).unwrap())
                .collect::<PermissionSet>()
        };
        let text = |n| Scope::of(Some(&set(n))).to_string();
        assert!(!text(5).contains("<details") && text(5).matches("<code").count() == 5);
        assert!(text(40).contains("and 36 more") && text(40).matches("<code").count() == 40);
        assert!(Scope::of(None).to_string().contains("all my role allows"));
    }

    #[test]
    fn a_moment_carries_the_exact_one() {
        let text = Moment::past(now().plus_seconds(-200), now()).to_string();
        assert_eq!(
            text,
            r#"<time datetime="2026-11-22T10:11:40Z" title="22 Nov 2026, 10:11 UTC">3 minutes ago</time>"#
        );
    }

    #[test]
    fn what_is_shown_is_escaped() {
        let scope = Scope::Only {
            shown: vec!["<b>".to_owned()],
            more: Vec::new(),
        };
        assert!(!scope.to_string().contains("<b>"));
    }
}
