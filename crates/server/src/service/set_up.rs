//! The first organization and its superuser. There is no default account: whoever holds the code that was printed
//! where the server was started makes the first one.

use super::{RequestContext, Services, passwords::Password, sessions::Started};
use crate::error::{InvalidField, ServiceError};
use hallpass_domain::{
    Entropy,
    audit::Action,
    id::{OrganizationId, UserId},
    limits::SET_UP_LINK_SECONDS,
    member::{Membership, User},
    name::{DisplayName, Email},
    organization::{Organization, Standing},
    role::BuiltInRole,
    time::Timestamp,
};
use hallpass_store::{AuditEntry, NewAccount};
use subtle::ConstantTimeEq;

/// The one-time code in the set-up link: 128 random bits, gone when the server stops.
pub struct SetUpCode {
    text: String,
    until: Timestamp,
}

impl std::fmt::Debug for SetUpCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SetUpCode(…)")
    }
}

impl SetUpCode {
    /// Draws a code that works for a day.
    pub fn draw(entropy: &impl Entropy, now: Timestamp) -> Self {
        let mut random = [0; 16];
        entropy.fill(&mut random);
        let text =
            base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, random);
        Self {
            text,
            until: now.plus_seconds(SET_UP_LINK_SECONDS),
        }
    }

    /// The code, to be printed where the server was started and nowhere else.
    pub fn expose(&self) -> &str {
        &self.text
    }

    fn is(&self, text: &str, now: Timestamp) -> bool {
        bool::from(self.text.as_bytes().ct_eq(text.as_bytes())) && now < self.until
    }
}

/// What the first person says.
#[derive(Clone)]
pub struct SetUp {
    /// What the organization is called.
    pub organization: String,
    /// What the person is called.
    pub name: String,
    /// Where they get mail.
    pub email: String,
    /// Their password.
    pub password: String,
}

impl std::fmt::Debug for SetUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetUp")
            .field("organization", &self.organization)
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

struct Parsed {
    organization: DisplayName,
    name: DisplayName,
    email: Email,
    password: Password,
}

impl SetUp {
    fn parse(&self) -> Result<Parsed, ServiceError> {
        let organization = DisplayName::parse(&self.organization)
            .map_err(|error| InvalidField::name("organization", error));
        let name =
            DisplayName::parse(&self.name).map_err(|error| InvalidField::name("name", error));
        let email = Email::parse(&self.email).map_err(InvalidField::email);
        let password = Password::typed(&self.password)
            .and_then(|password| {
                password
                    .check(&[&self.organization, &self.name, &self.email])
                    .map(|()| password)
            })
            .map_err(|weak| InvalidField::new("password", weak.code(), weak));
        match (organization, name, email, password) {
            (Ok(organization), Ok(name), Ok(email), Ok(password)) => Ok(Parsed {
                organization,
                name,
                email,
                password,
            }),
            (organization, name, email, password) => Err(ServiceError::Invalid(
                [organization.err(), name.err(), email.err(), password.err()]
                    .into_iter()
                    .flatten()
                    .collect(),
            )),
        }
    }
}

impl Services {
    /// Whether there is nobody yet.
    ///
    /// # Errors
    /// The store's.
    pub async fn needs_set_up(&self) -> Result<bool, ServiceError> {
        Ok(self.store.count_users().await? == 0)
    }

    /// Whether `code` is the one that was printed, and there is nobody yet.
    ///
    /// # Errors
    /// [`ServiceError::AlreadySetUp`], [`ServiceError::SetUpCodeWrong`].
    pub async fn check_set_up_code(&self, code: &str) -> Result<(), ServiceError> {
        if !self.needs_set_up().await? {
            return Err(ServiceError::AlreadySetUp);
        }
        if self.set_up_code.is(code, self.clock.now()) {
            Ok(())
        } else {
            Err(ServiceError::SetUpCodeWrong)
        }
    }

    /// Makes the first organization with its superuser, and signs them in.
    ///
    /// # Errors
    /// [`ServiceError::AlreadySetUp`] when somebody was faster, [`ServiceError::Invalid`].
    pub async fn set_up(
        &self,
        set_up: &SetUp,
        context: &RequestContext,
    ) -> Result<Started, ServiceError> {
        let parsed = set_up.parse()?;
        let hash = self.passwords.hash(parsed.password, &self.entropy).await?;
        let now = self.clock.now();
        let organization = Organization {
            id: OrganizationId::generate(&self.entropy, now),
            name: parsed.organization,
            standing: Standing::Active,
            host: true,
        };
        let user = User {
            id: UserId::generate(&self.entropy, now),
            email: parsed.email,
            name: parsed.name,
            standing: Standing::Active,
        };
        let membership = superuser(organization.id, user.id);
        let mut tx = self.store.begin().await?;
        if !tx.is_empty_and_held().await? {
            return Err(ServiceError::AlreadySetUp);
        }
        let account = NewAccount {
            user,
            password_hash: Some(hash),
        };
        let mut changed = vec![tx.insert_organization(&organization, now).await?];
        changed.extend(tx.insert_user(&account, now).await?);
        changed.push(tx.put_membership(&membership, now).await?);
        tx.recount_superusers(organization.id).await?;
        let address = context.address_text();
        let entry = AuditEntry {
            at: now,
            organization: Some(organization.id),
            actor: Some(account.user.id),
            token: None,
            action: Action::DeploymentSetUp,
            target: Some(organization.name.to_string()),
            address: address.as_deref(),
            agent: context.agent.as_deref(),
            before: None,
            after: None,
            detail: None,
        };
        tx.append_audit(&self.entropy, self.peppers.current(), &entry);
        let seq = tx.commit(&changed).await?;
        self.reach(seq).await?;
        self.begin_session(&account.user, organization.id, context)
            .await
    }
}

const fn superuser(organization: OrganizationId, user: UserId) -> Membership {
    Membership {
        organization,
        user,
        role: BuiltInRole::Superuser.id(),
        standing: Standing::Active,
        may_have_tokens: true,
    }
}
