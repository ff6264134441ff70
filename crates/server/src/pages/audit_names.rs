//! What the lines of the audit call by an id, called by its name. Asked for once, for all lines of a page.

use super::visitor::Visitor;
use crate::{app::App, error::ServiceError, service::audit::AuditedLine};
use hallpass_domain::{
    audit::{Action, Line},
    id::TokenId,
    permission::Permission,
};
use hallpass_store::{Named, NamedKind};
use std::collections::HashMap;

/// A name and the page of what has it, if the visitor may go there.
pub(super) type Link = (String, Option<String>);

/// Names by id, and which pages there are for the visitor.
#[derive(Debug, Default)]
pub(super) struct Names {
    found: HashMap<[u8; 16], Named>,
    tokens: bool,
    members: bool,
}

/// Every kind of id is written alike.
fn read(id: &str) -> Option<[u8; 16]> {
    TokenId::parse(id).ok().map(|id| *id.bytes())
}

impl Names {
    pub(super) async fn of(
        app: &App,
        visitor: &Visitor,
        lines: &[AuditedLine],
    ) -> Result<Self, ServiceError> {
        let actor = visitor.actor();
        let ids = lines.iter().flat_map(|AuditedLine { line, .. }| {
            let target = line.target.as_deref().and_then(read);
            target
                .into_iter()
                .chain(line.actor_token.map(|id| *id.bytes()))
        });
        let mut ids: Vec<[u8; 16]> = ids.collect();
        ids.sort_unstable();
        ids.dedup();
        let store = &app.services.store;
        Ok(Self {
            found: store.names(actor.organization.id, &ids).await?,
            tokens: actor.may(Permission::TOKENS),
            members: actor.may(Permission::MEMBERS),
        })
    }

    /// What a line was about.
    pub(super) fn target(&self, line: &Line) -> Option<Link> {
        let id = read(line.target.as_deref()?)?;
        let named = self.found.get(&id)?;
        // Somebody who was refused may have named anybody: that tells no name of those who are not here.
        let is_told = named.kind != NamedKind::Stranger || line.action != Action::Refused.word();
        is_told.then(|| self.link(line.target.as_deref().unwrap_or_default(), named))
    }

    /// The token by which something was done.
    pub(super) fn token(&self, id: TokenId) -> Link {
        let text = id.to_string();
        match self.found.get(id.bytes()) {
            Some(named) => self.link(&text, named),
            None => (text, None),
        }
    }

    fn link(&self, id: &str, named: &Named) -> Link {
        let under = |path: &str| Some(format!("/settings/organization/{path}/{id}"));
        let page = match named.kind {
            NamedKind::Token | NamedKind::Key if self.tokens => under("tokens"),
            NamedKind::Member if self.members => under("members"),
            _ => None,
        };
        let name = match &named.prefix {
            Some(prefix) => format!("{} ({prefix})", named.name),
            None => named.name.clone(),
        };
        (name, page)
    }
}
