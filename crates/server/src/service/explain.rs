//! Why a token may do something or not: the verdict of this moment, check by check, in sentences.

mod words;

use super::{Services, Via, acting::Actor};
use crate::error::ServiceError;
use hallpass_domain::{
    id::TokenId,
    permission::{Permission, PermissionSet},
    token::Prefix,
    verdict::{self, Check, Outcome, Question, Verdict},
};
use hallpass_engine::TokenView;
use hallpass_store::{InventoryOwner, InventoryRow};
use std::net::IpAddr;
use words::Words;

/// Which token somebody asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// The one with this id; of a key, its current secret.
    Id(TokenId),
    /// The one that begins so.
    Prefix(Prefix),
}

/// One check, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Which.
    pub check: Check,
    /// What came of it.
    pub outcome: Outcome,
    /// The same with its facts.
    pub sentence: String,
}

/// The verdict of this moment, step by step.
#[derive(Clone, Debug)]
pub struct Explained {
    /// What every door would say.
    pub verdict: Verdict,
    /// What is stored of the token.
    pub row: InventoryRow,
    /// How the secret in question begins.
    pub prefix: Prefix,
    /// The role by which it works.
    pub role: Option<String>,
    /// All that it may do now; nothing while it does not work.
    pub permissions: PermissionSet,
    /// The checks, in their order.
    pub steps: Vec<Told>,
}

impl Services {
    /// Explains the verdict on a token of the actor's organization. The facts are those that every door decides by.
    ///
    /// # Errors
    /// [`ServiceError::RoleLacks`] for the tokens of others without `hallpass:tokens`, be there such a token or not;
    /// [`ServiceError::NotFound`]; [`ServiceError::NotAnswering`].
    pub async fn explain(
        &self,
        actor: &Actor,
        named: Named,
        needed: Option<&Permission>,
        address: Option<IpAddr>,
    ) -> Result<Explained, ServiceError> {
        let found = self.find_named(actor, named).await?;
        if !found.as_ref().is_some_and(|(row, _)| is_own(actor, row)) {
            actor.require(Permission::TOKENS)?;
        }
        let (row, secret) = found.ok_or(ServiceError::NotFound("token"))?;
        if !self.engine.is_answering() {
            return Err(ServiceError::NotAnswering);
        }
        let question = Question {
            needed,
            address,
            now: self.clock.now(),
        };
        let prefix = match named {
            Named::Prefix(prefix) => prefix,
            Named::Id(_) => row.prefix,
        };
        let listed = match needed {
            Some(needed) => self.is_listed(needed).await?,
            None => true,
        };
        let view = self.engine.view(secret, prefix);
        Ok(explained(
            actor,
            (row, prefix),
            view.as_ref(),
            &question,
            listed,
        ))
    }

    /// Whether anybody can hold it: what no catalogue lists nobody does.
    async fn is_listed(&self, needed: &Permission) -> Result<bool, ServiceError> {
        let alone = needed.as_str() == Permission::OWN_TOKENS || needed.is_wildcard();
        Ok(alone || self.catalogue_set().await?.names(needed))
    }

    /// The token, and the id of its secret in question.
    async fn find_named(
        &self,
        actor: &Actor,
        named: Named,
    ) -> Result<Option<(InventoryRow, TokenId)>, ServiceError> {
        let organization = actor.organization.id;
        let (secret, id) = match named {
            Named::Id(id) => (None, id),
            Named::Prefix(prefix) => match self.store.find_secret(organization, prefix).await? {
                Some((secret, id)) => (Some(secret), id),
                None => return Ok(None),
            },
        };
        let Some(row) = self.store.find_in_inventory(organization, id).await? else {
            return Ok(None);
        };
        let secret = match secret {
            Some(secret) => secret,
            None => {
                let current = self.store.find_secret(organization, row.prefix).await?;
                current.map_or(id, |(secret, _)| secret)
            }
        };
        Ok(Some((row, secret)))
    }
}

/// A person may ask about their own tokens; a token about itself, and about its owner's if it may manage them.
fn is_own(actor: &Actor, row: &InventoryRow) -> bool {
    let of_user = match &row.owner {
        InventoryOwner::User { id, .. } => actor.user == Some(*id),
        InventoryOwner::Organization { .. } => false,
    };
    match &actor.via {
        Via::Session { .. } | Via::Nothing => of_user,
        Via::Token { id, .. } => *id == row.id || (of_user && actor.may(Permission::OWN_TOKENS)),
    }
}

fn explained(
    actor: &Actor,
    (row, prefix): (InventoryRow, Prefix),
    view: Option<&TokenView<'_>>,
    question: &Question<'_>,
    listed: bool,
) -> Explained {
    let facts = view.map(|view| *view.facts());
    let role = view
        .and_then(TokenView::role_name)
        .map(|name| name.to_string());
    let words = Words {
        row: &row,
        organization: actor.organization.name.as_str(),
        role: role.as_deref().unwrap_or("none"),
        prefix,
        facts,
        question,
        listed,
    };
    let steps: Vec<Told> = verdict::explain(facts, question)
        .into_iter()
        .map(|step| Told {
            check: step.check,
            outcome: step.outcome,
            sentence: words.sentence(step.check, step.outcome),
        })
        .collect();
    let failed = steps.iter().find(|step| step.outcome == Outcome::Fails);
    let works = failed.is_none_or(|step| step.check.is_about_permission());
    let permissions = view.filter(|_| works).map(TokenView::permissions);
    Explained {
        verdict: failed.map_or(Verdict::Allow, |step| Verdict::Deny(step.check.reason())),
        prefix,
        permissions: permissions.unwrap_or_default(),
        role,
        steps,
        row,
    }
}
