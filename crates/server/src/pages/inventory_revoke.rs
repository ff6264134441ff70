//! Revoking many tokens at once: what it would be, what breaks, and only then the button.

use super::{
    PageError,
    form::{Errors, Fields},
    inventory::RowView,
    inventory_filter::{Filter, PATH},
    page_with, see_other,
    view::Frame,
    visitor::{Asked, Sent, Visitor},
    words,
};
use crate::{
    app::App,
    error::{InvalidField, ServiceError},
    service::revocations::Doomed,
};
use askama::Template;
use axum::{extract::State, response::Response};
use hallpass_domain::time::Timestamp;
use hallpass_wire::Revocation;
use http::StatusCode;

/// Which tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// Those of a list.
    Found(Filter),
    /// Those of a member.
    Of(String),
    /// Those made before a day; empty until one was chosen.
    Before(String),
    /// All there are.
    Everything,
}

impl What {
    fn read(fields: &Fields) -> Self {
        match fields.get("what") {
            "user" => Self::Of(fields.get("user").to_owned()),
            "before" => Self::Before(fields.get("before").trim().to_owned()),
            "everything" => Self::Everything,
            _ => Self::Found(Filter::read(fields).at_its_beginning()),
        }
    }

    /// As a form has it.
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let what = |word: &str| ("what", word.to_owned());
        match self {
            Self::Found(filter) => {
                let mut pairs = filter.pairs();
                pairs.retain(|(_, value)| !value.is_empty());
                pairs.insert(0, what("found"));
                pairs
            }
            Self::Of(user) => vec![what("user"), ("user", user.clone())],
            Self::Before(day) => vec![what("before"), ("before", day.clone())],
            Self::Everything => vec![what("everything")],
        }
    }

    fn doomed(&self, now: Timestamp) -> Result<Doomed, ServiceError> {
        if let Self::Found(filter) = self
            && let Some(wrong) = filter.unknown.said()
        {
            return Err(InvalidField::new("filter", "filter_unknown", wrong).into());
        }
        let mut wish = Revocation {
            filter: None,
            user: None,
            made_before: None,
            everything: None,
            preview: None,
            expected: None,
        };
        match self {
            Self::Found(filter) => wish.filter = Some(filter.wish(now)),
            Self::Of(user) => wish.user = Some(user.clone()),
            Self::Before(day) => wish.made_before = Some(format!("{day}T00:00:00Z")),
            Self::Everything => wish.everything = Some(true),
        }
        Doomed::parse(&wish, now)
    }

    fn is_undecided(&self) -> bool {
        matches!(self, Self::Before(day) if day.is_empty())
    }

    /// Where to go without revoking anything.
    fn back(&self) -> String {
        match self {
            Self::Found(filter) => filter.href(),
            Self::Of(user) => format!("{PATH}?owner={user}"),
            Self::Before(_) | Self::Everything => PATH.to_owned(),
        }
    }

    fn title(&self, count: u64, owner: Option<&str>) -> String {
        let number = words::count(count, "token");
        match self {
            Self::Found(_) => format!("Revoke {number}?"),
            Self::Of(_) => format!("Revoke everything of {}?", owner.unwrap_or("this member")),
            Self::Before(day) if day.is_empty() => "Revoke everything made before a day".to_owned(),
            Self::Before(day) => format!("Revoke everything made before {day}?"),
            Self::Everything => "Revoke everything in the organization?".to_owned(),
        }
    }
}

#[derive(Template)]
#[template(path = "inventory_revoke.html")]
struct RevokeManyPage {
    frame: Frame,
    title: String,
    pairs: Vec<(&'static str, String)>,
    /// The day to choose, as it was typed.
    day: Option<String>,
    /// Whether the day is still to be chosen.
    undecided: bool,
    today: String,
    everything: bool,
    count: u64,
    number: String,
    first: Vec<RowView>,
    others: Option<String>,
    back: String,
    errors: Errors,
}

pub(super) async fn ask(
    State(app): State<App>,
    visitor: Visitor,
    Asked(asked): Asked,
) -> Result<Response, PageError> {
    let what = What::read(&asked);
    show(&app, &visitor, &what, StatusCode::OK, Errors::default()).await
}

/// The preview, or the day that it still needs.
async fn show(
    app: &App,
    visitor: &Visitor,
    what: &What,
    status: StatusCode,
    errors: Errors,
) -> Result<Response, PageError> {
    let now = app.services.clock.now();
    let previewed = async {
        let doomed = if what.is_undecided() {
            Doomed::MadeBefore(Timestamp::MIN)
        } else {
            what.doomed(now)?
        };
        app.services
            .preview_revocation(&visitor.actor(), &doomed)
            .await
    };
    match previewed.await {
        Ok((count, first)) => {
            let first = RowView::all(&first, now);
            let shown = RevokeManyPage::new(visitor, what, (count, first), now, errors);
            page_with(status, &shown)
        }
        Err(error) if matches!(what, What::Before(_)) => {
            let (status, errors) = (error.face().status, Errors::of_service(error)?);
            let shown = RevokeManyPage::new(visitor, what, (0, Vec::new()), now, errors);
            page_with(status, &shown)
        }
        Err(error) => Err(error.into()),
    }
}

impl RevokeManyPage {
    fn new(
        visitor: &Visitor,
        what: &What,
        (count, first): (u64, Vec<RowView>),
        now: Timestamp,
        errors: Errors,
    ) -> Self {
        let others = count.saturating_sub(first.len() as u64);
        let owner = first.first().map(|row| row.owner.as_str());
        Self {
            frame: Frame::new(visitor, "all-tokens"),
            title: what.title(count, owner),
            pairs: what.pairs(),
            day: match what {
                What::Before(day) => Some(day.clone()),
                _ => None,
            },
            undecided: what.is_undecided(),
            today: words::date_field(now),
            everything: matches!(what, What::Everything),
            count,
            number: words::count(count, "token"),
            others: (others > 0).then(|| words::grouped(others)),
            first,
            back: what.back(),
            errors,
        }
    }
}

pub(super) async fn revoke(State(app): State<App>, sent: Sent) -> Result<Response, PageError> {
    let (visitor, what) = (&sent.visitor, What::read(&sent.fields));
    let done = async {
        let doomed = what.doomed(app.services.clock.now())?;
        // Nothing is revoked that was not looked at.
        let expected = Some(sent.fields.get("expected").parse().unwrap_or(0));
        app.services
            .revoke_many(&visitor.actor(), &doomed, expected, &visitor.context)
            .await
    };
    match done.await {
        Ok(_) => Ok(see_other(&format!("{PATH}?done=revoked"))),
        Err(error) => {
            let (status, errors) = (error.face().status, Errors::of_service(error)?);
            show(&app, visitor, &what, status, errors).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_looked_at_is_what_is_sent() {
        for query in [
            "what=found&kind=api_key&unused=90",
            "what=user&user=x",
            "what=before&before=2026-01-31",
            "what=everything",
        ] {
            let what = What::read(&Fields::parse(query.as_bytes()));
            let again = super::super::address("", &what.pairs());
            let again = again.trim_start_matches('?');
            assert_eq!(again, query);
            assert_eq!(What::read(&Fields::parse(again.as_bytes())), what);
        }
    }
}
