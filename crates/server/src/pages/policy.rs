//! The policy of the organization in force: as it is, as it will be.

use super::{
    PageError, page, see_other,
    view::{Frame, Moment},
    visitor::{Asked, Sent, Visitor},
    words,
};
use crate::{app::App, error::ServiceError};
use askama::{Template, filters::HtmlSafe};
use axum::{extract::State, response::Response};
use hallpass_domain::{
    permission::Permission,
    policy::{Lifetime, Policy},
};

/// Where it is.
pub(super) const PATH: &str = "/settings/organization/policy";

/// A line of a policy: what it is about, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sentence {
    pub(super) about: &'static str,
    pub(super) words: String,
    /// Permissions or networks that belong to it.
    pub(super) named: Vec<String>,
}

fn of_lifetime(about: &'static str, lifetime: Lifetime) -> Sentence {
    let words = match (lifetime.days_max, lifetime.may_never_expire) {
        (Some(days), _) => format!("live for at most {}.", words::count(u64::from(days), "day")),
        (None, false) => "must have an end, however late.".to_owned(),
        (None, true) => "may live as long as one likes, also for ever.".to_owned(),
    };
    Sentence {
        about,
        words,
        named: Vec::new(),
    }
}

/// A policy in sentences.
pub(super) fn sentences(policy: &Policy) -> Vec<Sentence> {
    let line = |about, words: String, named| Sentence {
        about,
        words,
        named,
    };
    let forbidden: Vec<String> = policy.forbidden.iter().map(Permission::to_string).collect();
    let networks: Vec<String> = policy.networks.iter().map(ToString::to_string).collect();
    let carry = if forbidden.is_empty() {
        "may carry whatever their owner's role holds."
    } else {
        "may never carry:"
    };
    let unused = policy.unused_days_max.map_or_else(
        || "stays until it ends.".to_owned(),
        |days| {
            let days = words::count(u64::from(days), "day");
            format!("is revoked after {days} without a use.")
        },
    );
    let from = if networks.is_empty() {
        "work from every address."
    } else {
        "work only from:"
    };
    let lift = if policy.owner_may_lift {
        "may be lifted by the owner of the token, whoever began it."
    } else {
        "is lifted by those who answer for the organization, unless its owner began it."
    };
    vec![
        of_lifetime("Personal access tokens", policy.personal),
        of_lifetime("API keys", policy.key),
        line("Personal access tokens", carry.to_owned(), forbidden),
        line("What nobody uses", unused, Vec::new()),
        line("Tokens and keys", from.to_owned(), networks),
        line("A suspension", lift.to_owned(), Vec::new()),
    ]
}

/// The policy that is to come.
struct Coming {
    when: Moment,
    day: String,
    /// What will be otherwise.
    sentences: Vec<Sentence>,
}

/// What will be otherwise for personal access tokens, for those who make one now. It concerns their own, so that it needs
/// no permission.
#[derive(Template)]
#[template(path = "part/coming.html")]
pub(super) struct ComingView {
    day: String,
    sentences: Vec<Sentence>,
}

impl HtmlSafe for ComingView {}

impl ComingView {
    pub(super) async fn of(app: &App, visitor: &Visitor) -> Result<Option<Self>, ServiceError> {
        let organization = visitor.person().organization.id;
        let Some(next) = app.services.policy_to_come(organization).await? else {
            return Ok(None);
        };
        let now = sentences(&next.now);
        let mut sentences = sentences(&next.change.policy);
        let keys = "API keys";
        sentences.retain(|sentence| sentence.about != keys && !now.contains(sentence));
        let day = words::day(next.change.enforce_at);
        Ok((!sentences.is_empty()).then_some(Self { day, sentences }))
    }
}

#[derive(Template)]
#[template(path = "policy.html")]
struct PolicyPage {
    frame: Frame,
    done: &'static str,
    sentences: Vec<Sentence>,
    coming: Option<Coming>,
}

pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let (policy, next) = app.services.get_policy(&visitor.actor()).await?;
    let now = app.services.clock.now();
    let sentences_now = sentences(&policy);
    let coming = next.map(|next| Coming {
        when: Moment::coming(next.enforce_at, now),
        day: words::day(next.enforce_at),
        sentences: sentences(&next.policy)
            .into_iter()
            .filter(|sentence| !sentences_now.contains(sentence))
            .collect(),
    });
    page(&PolicyPage {
        frame: Frame::new(&visitor, "policy"),
        done: match asked.get("done") {
            "enforced" => "The policy is in force. Every token and key keeps to it from now on.",
            "decided" => {
                "Decided. Until then, the owners of what it concerns see it beside their tokens."
            }
            "withdrawn" => "Withdrawn. The policy stays as it is.",
            _ => "",
        },
        sentences: sentences_now,
        coming,
    })
}

pub(super) async fn withdraw(State(app): State<App>, sent: Sent) -> Result<Response, PageError> {
    let visitor = &sent.visitor;
    let done = app
        .services
        .withdraw_policy(&visitor.actor(), &visitor.context)
        .await;
    match done {
        // Somebody was faster: the page shows how it is.
        Ok(()) | Err(ServiceError::NotFound(_)) => Ok(see_other(&format!("{PATH}?done=withdrawn"))),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_domain::permission::PermissionSet;

    #[test]
    fn each_part_of_a_policy_has_its_sentence() {
        let none = sentences(&Policy::default());
        let strict = sentences(&Policy {
            personal: Lifetime {
                days_max: Some(90),
                may_never_expire: true,
            },
            key: Lifetime {
                days_max: None,
                may_never_expire: false,
            },
            forbidden: PermissionSet::parse(["deploy:*"]).unwrap(),
            unused_days_max: Some(1),
            networks: hallpass_domain::network::NetworkSet::parse(["192.0.2.0/24"]).unwrap(),
            owner_may_lift: true,
        });
        assert!(
            none.iter()
                .zip(&strict)
                .all(|(before, after)| before != after)
        );
        assert_eq!(strict[0].words, "live for at most 90 days.");
        assert_eq!(strict[2].named, ["deploy:*"]);
        assert!(strict[3].words.contains("after 1 day without"));
        assert_eq!(strict[4].named, ["192.0.2.0/24"]);
    }
}
