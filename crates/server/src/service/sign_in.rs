//! Signing in by e-mail address and password, and proving again to be present.

use super::{
    Person, RequestContext, Services, Via,
    passwords::{Password, Passwords},
    sessions::{Started, audit},
    throttle::{Attempt, Wait},
};
use crate::{error::ServiceError, observe::SignIn};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hallpass_domain::{
    Entropy,
    audit::Action,
    id::UserId,
    limits::{EMAIL_BYTES_MAX, KNOWN_DEVICE_SECONDS},
    member::User,
    name::Email,
    time::Timestamp,
};
use hallpass_store::AuditEntry;
use subtle::ConstantTimeEq;

const DEVICE_LABEL: &str = "device";

impl Services {
    /// Signs in by e-mail address and password. `device` is the cookie of a device that has signed in before.
    ///
    /// # Errors
    /// [`ServiceError::SignInFailed`], the same and after the same work whether or not there is such an account;
    /// [`ServiceError::TooManyAttempts`].
    pub async fn sign_in(
        &self,
        email: &str,
        password: &str,
        device: Option<&str>,
        context: &RequestContext,
    ) -> Result<Started, ServiceError> {
        let user = self.recognize(email, password, device, context).await?;
        // Where they can be: an organization that rests is no place to be signed in to.
        for membership in self.store.memberships_of(user.id).await? {
            let organization = self
                .store
                .find_organization(membership.organization)
                .await?;
            let is_open = membership.standing.is_active()
                && organization.is_some_and(|found| found.standing.is_active());
            if is_open {
                return self
                    .begin_session(&user, membership.organization, context)
                    .await;
            }
        }
        Err(ServiceError::SignInFailed)
    }

    /// Proves by password that somebody is `user`, who is not signed in.
    ///
    /// # Errors
    /// Those of [`Services::sign_in`].
    pub(super) async fn prove_password(
        &self,
        user: &User,
        password: &str,
        device: Option<&str>,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        self.recognize(user.email.as_str(), password, device, context)
            .await
            .map(|_| ())
    }

    /// The active user with this address and password.
    async fn recognize(
        &self,
        email: &str,
        password: &str,
        device: Option<&str>,
        context: &RequestContext,
    ) -> Result<User, ServiceError> {
        let typed_email = email;
        let email = Email::parse(typed_email).ok();
        let record = match &email {
            Some(email) => self.store.find_sign_in(email).await?,
            None => None,
        };
        let account = account_key(email.as_ref(), typed_email);
        let known_device = record.as_ref().and_then(|record| {
            device.filter(|device| self.is_known_device(device, record.user.id))
        });
        let attempt = Attempt {
            account: &account,
            known_device,
            address: context.address,
        };
        let now = self.clock.now();
        self.throttle
            .try_now(&attempt, now)
            .map_err(|Wait(seconds)| {
                self.metrics.signed_in(SignIn::Throttled);
                ServiceError::TooManyAttempts(seconds)
            })?;
        // What cannot be a password is compared all the same, so that it takes as long.
        let typed = Password::typed(password)
            .or_else(|_| Password::typed(""))
            .map_err(|_| ServiceError::SignInFailed)?;
        let hash = record
            .as_ref()
            .and_then(|record| record.password_hash.as_deref());
        let right = self.compare(typed, hash, &attempt, now).await?;
        let user = record.as_ref().map(|record| record.user.id);
        let Some(record) = record.filter(|record| right && record.user.standing.is_active()) else {
            self.note_failed_sign_in(user, context).await?;
            return Err(ServiceError::SignInFailed);
        };
        self.throttle.succeeded(&attempt);
        self.renew_hash(&record.user, hash_of(&record), password)
            .await?;
        Ok(record.user)
    }

    /// Compares the password of a person who is signed in already, and notes that they are present.
    ///
    /// # Errors
    /// [`ServiceError::SignInFailed`], [`ServiceError::TooManyAttempts`].
    pub async fn confirm_presence(
        &self,
        person: &Person,
        password: &str,
        device: Option<&str>,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let Via::Session { id, .. } = person.via else {
            return Err(ServiceError::SignInRequired);
        };
        let account = person.user.email.key();
        // Who is signed in is never kept waiting by strangers: the session vouches where no device does.
        let session = id.to_string();
        let known_device = device.filter(|device| self.is_known_device(device, person.user.id));
        let attempt = Attempt {
            account: &account,
            known_device: Some(known_device.unwrap_or(&session)),
            address: context.address,
        };
        let now = self.clock.now();
        self.throttle
            .try_now(&attempt, now)
            .map_err(|Wait(seconds)| ServiceError::TooManyAttempts(seconds))?;
        let record = self.store.find_sign_in_of(person.user.id).await?;
        let typed = Password::typed(password).map_err(|_| ServiceError::SignInFailed)?;
        let hash = record.as_ref().map(hash_of).filter(|hash| !hash.is_empty());
        if !self.compare(typed, hash, &attempt, now).await? {
            self.note_failed_sign_in(Some(person.user.id), context)
                .await?;
            return Err(ServiceError::SignInFailed);
        }
        self.throttle.succeeded(&attempt);
        let mut tx = self.store.begin().await?;
        if !tx.prove_session(id, self.clock.now()).await? {
            return Err(ServiceError::SignInRequired);
        }
        tx.append_audit(
            &self.entropy,
            self.peppers.current(),
            &audit(
                person.user.id,
                Some(person.organization.id),
                Action::SignedIn,
                context,
                context.address_text().as_deref(),
                self.clock.now(),
            ),
        );
        tx.commit(&[]).await?;
        Ok(())
    }

    /// Whether the password is right. An attempt that finds no room to be compared is no failure, and is given back.
    async fn compare(
        &self,
        typed: Password,
        hash: Option<&str>,
        attempt: &Attempt<'_>,
        at: Timestamp,
    ) -> Result<bool, ServiceError> {
        let compared = self.passwords.matches(typed, hash).await;
        if matches!(compared, Err(ServiceError::Busy)) {
            self.throttle.give_back(attempt, at);
        }
        compared
    }

    /// Written whether or not there is such an account, or the time of the write would tell them apart.
    async fn note_failed_sign_in(
        &self,
        user: Option<UserId>,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        self.metrics.signed_in(SignIn::Refused);
        let address = context.address_text();
        let entry = AuditEntry {
            at: self.clock.now(),
            organization: None,
            actor: user,
            token: None,
            action: Action::SignInFailed,
            target: None,
            address: address.as_deref(),
            agent: context.agent.as_deref(),
            before: None,
            after: None,
            detail: None,
        };
        let mut tx = self.store.begin().await?;
        tx.append_audit(&self.entropy, self.peppers.current(), &entry);
        tx.commit(&[]).await?;
        Ok(())
    }

    async fn renew_hash(
        &self,
        user: &User,
        hash: &str,
        password: &str,
    ) -> Result<(), ServiceError> {
        if !Passwords::is_outdated(hash) {
            return Ok(());
        }
        let typed = Password::typed(password).map_err(|_| ServiceError::SignInFailed)?;
        let hash = self.passwords.hash(typed, &self.entropy).await?;
        let mut tx = self.store.begin().await?;
        tx.set_password_hash(user.id, &hash).await?;
        tx.commit(&[]).await?;
        Ok(())
    }

    /// What a device that signed in to `user`'s account keeps: a random name and a proof that we gave it.
    pub(super) fn device(&self, user: UserId) -> String {
        let mut random = [0; 16];
        self.entropy.fill(&mut random);
        let until = self
            .clock
            .now()
            .plus_seconds(KNOWN_DEVICE_SECONDS)
            .seconds();
        let name = format!("{}.{until}", URL_SAFE_NO_PAD.encode(random));
        let proof = self.device_proof(&name, user);
        format!("{name}.{proof}")
    }

    fn device_proof(&self, name: &str, user: UserId) -> String {
        let message = [user.bytes(), name.as_bytes()].concat();
        URL_SAFE_NO_PAD.encode(self.peppers.current().seal(DEVICE_LABEL, &message).bytes())
    }

    fn is_known_device(&self, device: &str, user: UserId) -> bool {
        let Some((name, proof)) = device.rsplit_once('.') else {
            return false;
        };
        let until = name
            .rsplit_once('.')
            .and_then(|(_, until)| until.parse::<i64>().ok());
        until.is_some_and(|until| self.clock.now().seconds() < until)
            && bool::from(
                self.device_proof(name, user)
                    .as_bytes()
                    .ct_eq(proof.as_bytes()),
            )
    }
}

fn hash_of(record: &hallpass_store::SignInRecord) -> &str {
    record.password_hash.as_deref().unwrap_or_default()
}

/// What failures of an account are counted under. What is no address is counted by itself.
fn account_key(email: Option<&Email>, typed: &str) -> String {
    email.map_or_else(|| typed.chars().take(EMAIL_BYTES_MAX).collect(), Email::key)
}

#[cfg(test)]
mod tests;
