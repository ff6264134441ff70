//! `--demo`: a believable organization in an empty data directory.
//!
//! Who there is stands in [`tables`], what they hold in [`tokens`], what is around them in
//! [`around`], the organization's keys and its policy in [`keys`]; how often a token was used is made up in
//! [`uses`]. The passwords are public. The tokens nobody holds: their texts are drawn and dropped.

mod around;
mod keys;
mod tables;
mod tokens;
mod uses;

#[cfg(test)]
mod tests;

use crate::{
    error::ServiceError,
    run::RunError,
    service::{Services, catalogue::CatalogueSettings, passwords::Password},
};
use hallpass_domain::{
    access_token::{Expiration, Suspension},
    audit::Action,
    id::{OrganizationId, TokenId, UserId},
    limits::PREFIX_DRAWS_MAX,
    member::{Membership, User},
    name::{DisplayName, Email, TokenName},
    organization::{Organization, Standing},
    permission::{CatalogueEntry, Permission, PermissionSet, Source},
    time::Timestamp,
    token::{Kind, PlainToken, Prefix},
};
use hallpass_store::{
    AuditEntry, FeedKey, HourCount, Inserted, LastUseRow, NewAccount, NewToken, Stored, Tx,
};
use serde_json::{Value, json};
use std::fmt::{Display, Write as _};
use tables::{
    DemoPerson, MEMBER_HOLDS, ORGANIZATION, ORGANIZATION_AGE, PEOPLE, PERMISSIONS, VIEWER_HOLDS,
};
use tokens::{DemoToken, Fate};

/// Fills a deployment in which there is nobody and nothing yet.
///
/// # Errors
/// [`RunError::DemoOnData`] when there is somebody or something; the store's.
pub async fn fill(services: &Services) -> Result<(), RunError> {
    if services.store.count_users().await? > 0 || services.store.count_tokens().await? > 0 {
        return Err(RunError::DemoOnData);
    }
    services.put_catalogue(&catalogue()?).await?;
    let now = services.clock.now();
    let mut accounts = Vec::with_capacity(PEOPLE.len());
    for person in PEOPLE {
        // Hashing takes long, and the transaction keeps every other writer waiting.
        accounts.push(account(services, person, now).await?);
    }
    let before = services.store.catalogue().await?;
    let mut tx = services.store.begin().await?;
    if !tx.is_empty_and_held().await? {
        return Err(RunError::DemoOnData);
    }
    let example = tx.put_catalogue(&before, &without_example(&before)).await?;
    let organization = OrganizationId::generate(&services.entropy, ago(now, ORGANIZATION_AGE));
    let mut filling = Filling {
        services,
        tx,
        now,
        organization,
        changed: vec![example],
        last: Vec::new(),
        hours: Vec::new(),
        lines: Vec::new(),
    };
    filling.add_organization(&accounts).await?;
    for (person, account) in PEOPLE.iter().zip(&accounts) {
        filling.add_person(person, account).await?;
    }
    filling.add_around(&accounts).await?;
    filling.write_lines();
    let Filling {
        tx,
        changed,
        last,
        hours,
        ..
    } = filling;
    let seq = tx.commit(&changed).await?;
    services.store.write_uses(&last, &hours).await?;
    Ok(services.reach(seq).await?)
}

/// Who can sign in, and with what: printed where the server was started.
pub fn how_to_sign_in(base_url: &str) -> String {
    let widest = |text: fn(&DemoPerson) -> &str| {
        PEOPLE
            .iter()
            .map(|person| text(person).len())
            .max()
            .unwrap_or(0)
    };
    let (emails, passwords) = (
        widest(|person| person.email),
        widest(|person| person.password),
    );
    let mut text = format!(
        "\nThis is a demo, for looking only. It is filled with {ORGANIZATION}, whose passwords are public: whoever reaches\n\
         this address can sign in, with or without --demo, as long as this data directory is used. Keep nothing real in it.\n\n  \
         {base_url}/sign-in\n\n"
    );
    // Writing to a string cannot fail.
    for DemoPerson {
        email,
        password,
        about,
        ..
    } in PEOPLE
    {
        let _ = writeln!(text, "  {email:emails$}   {password:passwords$}   {about}");
    }
    text
}

fn catalogue() -> Result<CatalogueSettings, ServiceError> {
    let entry = |&(name, description, risk): &(&str, &str, _)| {
        let permission = Permission::parse(name).map_err(misprint)?;
        Ok::<_, ServiceError>(CatalogueEntry {
            permission,
            description: description.to_owned(),
            risk,
            source: Source::Api,
        })
    };
    Ok(CatalogueSettings {
        permissions: PERMISSIONS.iter().map(entry).collect::<Result<_, _>>()?,
        member: Some(permissions(MEMBER_HOLDS)?),
        viewer: Some(permissions(VIEWER_HOLDS)?),
    })
}

/// Every start puts an example into an empty catalogue; the demo has its own.
fn without_example(catalogue: &[CatalogueEntry]) -> Vec<CatalogueEntry> {
    let own = catalogue.iter().filter(|entry| {
        entry.source == Source::Product
            || PERMISSIONS
                .iter()
                .any(|(name, ..)| *name == entry.permission.as_str())
    });
    own.cloned().collect()
}

fn permissions(names: &[&str]) -> Result<PermissionSet, ServiceError> {
    PermissionSet::parse(names.iter().copied()).map_err(misprint)
}

async fn account(
    services: &Services,
    person: &DemoPerson,
    now: Timestamp,
) -> Result<NewAccount, ServiceError> {
    let password = Password::typed(person.password).map_err(misprint)?;
    let user = User {
        id: UserId::generate(&services.entropy, ago(now, person.joined)),
        email: Email::parse(person.email).map_err(misprint)?,
        name: DisplayName::parse(person.name).map_err(misprint)?,
        standing: Standing::Active,
    };
    Ok(NewAccount {
        user,
        password_hash: Some(services.passwords.hash(password, &services.entropy).await?),
    })
}

/// A table that cannot be read is a fault of ours; the tests read all of it.
fn misprint(error: impl Display) -> ServiceError {
    ServiceError::Internal(format!("the demo's tables: {error}"))
}

fn ago(now: Timestamp, seconds: i64) -> Timestamp {
    now.plus_seconds(-seconds)
}

/// An organization that is being written.
struct Filling<'a> {
    services: &'a Services,
    tx: Tx,
    now: Timestamp,
    organization: OrganizationId,
    changed: Vec<FeedKey>,
    last: Vec<LastUseRow>,
    hours: Vec<HourCount>,
    /// Written at the end, in the order of time.
    lines: Vec<AuditEntry<'static>>,
}

impl Filling<'_> {
    async fn add_organization(&mut self, accounts: &[NewAccount]) -> Result<(), RunError> {
        let at = ago(self.now, ORGANIZATION_AGE);
        let name = DisplayName::parse(ORGANIZATION).map_err(misprint)?;
        let organization = Organization {
            id: self.organization,
            name,
            standing: Standing::Active,
            host: true,
        };
        self.changed
            .push(self.tx.insert_organization(&organization, at).await?);
        let Some(first) = accounts.first() else {
            return Ok(());
        };
        self.audit(
            at,
            first.user.id,
            Action::DeploymentSetUp,
            ORGANIZATION.to_owned(),
            None,
        );
        Ok(())
    }

    /// The person, their tokens, and only then what became of them: tokens are given to members in good standing.
    async fn add_person(
        &mut self,
        person: &DemoPerson,
        account: &NewAccount,
    ) -> Result<(), RunError> {
        let joined = ago(self.now, person.joined);
        self.changed
            .extend(self.tx.insert_user(account, joined).await?);
        let organization = self.organization;
        let membership = Membership {
            organization,
            user: account.user.id,
            role: person.role.id(),
            standing: Standing::Active,
            may_have_tokens: true,
        };
        self.tx.put_membership(&membership, joined).await?;
        for token in person.tokens {
            self.add_token(token, &membership).await?;
        }
        let membership = Membership {
            standing: person.membership,
            may_have_tokens: person.may_have_tokens,
            ..membership
        };
        self.changed
            .push(self.tx.put_membership(&membership, joined).await?);
        Ok(())
    }

    async fn add_token(&mut self, token: &DemoToken, owner: &Membership) -> Result<(), RunError> {
        let created = ago(self.now, token.created);
        let id = TokenId::generate(&self.services.entropy, created);
        let prefix = self.insert_token(id, token, owner).await?;
        let detail = json!({ "name": token.name, "prefix": prefix.as_str() }).to_string();
        self.audit(
            created,
            owner.user,
            Action::TokenCreated,
            id.to_string(),
            Some(detail.clone()),
        );
        match token.fate {
            Fate::Kept => {}
            Fate::Revoked(since) => {
                let at = ago(self.now, since);
                self.tx
                    .revoke_token(owner.organization, owner.user, id, at)
                    .await?;
                self.audit(
                    at,
                    owner.user,
                    Action::TokenRevoked,
                    id.to_string(),
                    Some(detail),
                );
            }
            Fate::Suspended(since) => self.suspend(id, owner, since, detail).await?,
        }
        self.changed.push(FeedKey::Token(id));
        self.last.extend(uses::last(token, id, self.now));
        self.hours
            .extend(uses::hours(token, id, self.now, &self.services.entropy));
        Ok(())
    }

    async fn suspend(
        &mut self,
        id: TokenId,
        owner: &Membership,
        since: i64,
        detail: String,
    ) -> Result<(), RunError> {
        let rest = Suspension {
            since: ago(self.now, since),
            until: None,
            reason: "Used from a network it was never used from".to_owned(),
            by_owner: false,
        };
        self.tx.suspend_token(owner.organization, id, &rest).await?;
        let (action, target) = (Action::TokenSuspended, id.to_string());
        self.audit(rest.since, owner.user, action, target, Some(detail));
        let after = json!({ "reason": rest.reason, "until": null, "byOwner": false });
        self.changed(None, Some(after));
        Ok(())
    }

    /// Draws texts until one has a prefix that is free, and forgets the text at once.
    async fn insert_token(
        &mut self,
        id: TokenId,
        token: &DemoToken,
        owner: &Membership,
    ) -> Result<Prefix, RunError> {
        let name = TokenName::parse(token.name).map_err(misprint)?;
        let scope = token.scope.map(permissions).transpose()?;
        let pepper = self.services.peppers.current();
        for _ in 0..PREFIX_DRAWS_MAX {
            let secret = PlainToken::generate(
                self.services.brand,
                Kind::PersonalAccessToken,
                &self.services.entropy,
            );
            let new = NewToken {
                id,
                organization: owner.organization,
                owner: owner.user,
                role: owner.role,
                name: &name,
                prefix: secret.prefix(),
                // Whatever the scheme of new tokens: nobody will ever show this one, so it need not be slow to check.
                stored: &Stored::Digest(pepper.digest(&secret), pepper.id().clone()),
                scope: scope.as_ref(),
                created: ago(self.now, token.created),
                expiration: token.ends.map_or(Expiration::Never, |seconds| {
                    Expiration::At(self.now.plus_seconds(seconds))
                }),
                never_expires_acknowledged: token.ends.is_none(),
                valid_from: None,
                address_rules: None,
            };
            match self.tx.insert_token(&new).await? {
                Inserted::Done => return Ok(secret.prefix()),
                Inserted::PrefixTaken => {}
                refused => return Err(misprint(format!("{}: {refused:?}", token.name)).into()),
            }
        }
        Err(misprint("every prefix is taken").into())
    }

    fn audit(
        &mut self,
        at: Timestamp,
        actor: UserId,
        action: Action,
        target: String,
        detail: Option<String>,
    ) {
        self.lines.push(AuditEntry {
            at,
            organization: Some(self.organization),
            actor: Some(actor),
            token: None,
            action,
            target: Some(target),
            address: Some(tables::OFFICE),
            agent: Some(tables::BROWSER),
            before: None,
            after: None,
            detail,
        });
    }

    /// What was otherwise before the last line, and is since.
    fn changed(&mut self, before: Option<Value>, after: Option<Value>) {
        if let Some(line) = self.lines.last_mut() {
            line.before = before.map(|state| state.to_string());
            line.after = after.map(|state| state.to_string());
        }
    }

    /// A line's number says when it was written, as its date does.
    fn write_lines(&mut self) {
        self.lines.sort_by_key(|line| line.at);
        for line in &self.lines {
            let (entropy, pepper) = (&self.services.entropy, self.services.peppers.current());
            self.tx.append_audit(entropy, pepper, line);
        }
    }
}
