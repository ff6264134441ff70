//! Sessions: staying signed in, signing out. Signing in is in [`super::sign_in`].

use super::{Person, RequestContext, Services, Via};
use crate::{error::ServiceError, observe::SignIn};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hallpass_domain::{
    Entropy,
    audit::Action,
    id::{OrganizationId, SessionId, UserId},
    limits::{
        RECENT_SIGN_IN_SECONDS, SESSION_ABSOLUTE_SECONDS, SESSION_IDLE_SECONDS,
        SESSION_TOUCH_SECONDS,
    },
    member::User,
    time::Timestamp,
};
use hallpass_store::{AuditEntry, NewSession, SessionRecord, SessionView};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const SESSION_LABEL: &str = "session";
const CSRF_LABEL: &str = "csrf";

/// The value of a session, 256 random bits in 43 characters. It travels in the cookie alone.
#[derive(Clone)]
pub struct SessionValue(Zeroizing<String>);

impl std::fmt::Debug for SessionValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionValue(…)")
    }
}

impl SessionValue {
    const CHARS: usize = 43;

    /// A value as it came in a cookie, if it has the shape of one.
    pub fn parse(text: &str) -> Option<Self> {
        let good = text.len() == Self::CHARS
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        good.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The text, for the cookie.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A session that has just begun.
#[derive(Clone, Debug)]
pub struct Started {
    /// Its value, for the cookie.
    pub value: SessionValue,
    /// What state-changing requests must carry.
    pub csrf: String,
    /// Its id.
    pub id: SessionId,
    /// When it ends, whatever happens.
    pub expires: Timestamp,
    /// For the cookie that says that this device has signed in to this account.
    pub device: String,
    /// Who signed in.
    pub person: Person,
}

/// A session that was found by its value.
#[derive(Clone, Debug)]
pub struct Present {
    /// Who it is.
    pub person: Person,
    /// What state-changing requests must carry, in the organization in force.
    pub csrf: String,
    /// Its id.
    pub session: SessionId,
    value: SessionValue,
}

impl Services {
    /// The person behind a session's value, if the session is open and the person may be here.
    ///
    /// # Errors
    /// [`ServiceError::SignInRequired`].
    pub async fn find_present(&self, value: &SessionValue) -> Result<Present, ServiceError> {
        let record = self
            .find_session_record(value)
            .await?
            .ok_or(ServiceError::SignInRequired)?;
        let now = self.clock.now();
        let over =
            now >= record.expires_at || now.seconds_since(record.seen_at) >= SESSION_IDLE_SECONDS;
        if over {
            return Err(ServiceError::SignInRequired);
        }
        let via = Via::Session {
            id: record.id,
            signed_in_at: record.signed_in_at,
        };
        let person = self
            .find_person(record.user, record.organization, via)
            .await?
            .ok_or(ServiceError::SignInRequired)?;
        if now.seconds_since(record.seen_at) >= SESSION_TOUCH_SECONDS {
            self.store.touch_session(record.id, now).await?;
        }
        Ok(Present {
            person,
            csrf: self.csrf(value, record.organization),
            session: record.id,
            value: value.clone(),
        })
    }

    /// Goes on only if `sent` is what a state-changing request must carry: the session's own value for the organization
    /// in force. What was opened before the session went to another organization does nothing in that one.
    ///
    /// # Errors
    /// [`ServiceError::OrganizationSwitched`], [`ServiceError::CrossSite`].
    pub async fn check_csrf(&self, present: &Present, sent: &str) -> Result<(), ServiceError> {
        let is = |csrf: &str| bool::from(csrf.as_bytes().ct_eq(sent.as_bytes()));
        if is(&present.csrf) {
            return Ok(());
        }
        let person = &present.person;
        for membership in self.store.memberships_of(person.user.id).await? {
            if is(&self.csrf(&present.value, membership.organization)) {
                let there = person.organization.name.clone();
                return Err(ServiceError::OrganizationSwitched(there));
            }
        }
        Err(ServiceError::CrossSite)
    }

    /// What state-changing requests of this session must carry in another organization.
    pub fn csrf_in(&self, present: &Present, organization: OrganizationId) -> String {
        self.csrf(&present.value, organization)
    }

    /// Whether the person proved to be present in the last five minutes.
    pub fn is_recent(&self, person: &Person) -> bool {
        match person.via {
            Via::Session { signed_in_at, .. } => self.check_recent(signed_in_at).is_ok(),
            Via::Token { .. } | Via::Nothing => false,
        }
    }

    pub(super) fn check_recent(&self, signed_in_at: Timestamp) -> Result<(), ServiceError> {
        if self.clock.now().seconds_since(signed_in_at) < RECENT_SIGN_IN_SECONDS {
            Ok(())
        } else {
            Err(ServiceError::RecentSignInRequired)
        }
    }

    /// The person `user` in `organization`, if both and the membership are in good standing.
    ///
    /// # Errors
    /// The store's.
    pub async fn find_person(
        &self,
        user: UserId,
        organization: OrganizationId,
        via: Via,
    ) -> Result<Option<Person>, ServiceError> {
        let (user, organization_found, membership) = (
            self.store.find_user(user).await?,
            self.store.find_organization(organization).await?,
            self.store.find_membership(organization, user).await?,
        );
        let (Some(user), Some(organization), Some(membership)) =
            (user, organization_found, membership)
        else {
            return Ok(None);
        };
        let active = user.standing.is_active()
            && organization.standing.is_active()
            && membership.standing.is_active();
        let role = self
            .store
            .find_role(membership.role)
            .await?
            .filter(|_| active);
        let Some(role) = role else {
            return Ok(None);
        };
        let permissions = role.holds(&self.catalogue_set().await?, organization.host);
        Ok(Some(Person {
            user,
            organization,
            membership,
            role,
            permissions,
            via,
        }))
    }

    /// The open sessions of the person, the latest used first.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_sessions(&self, person: &Person) -> Result<Vec<SessionView>, ServiceError> {
        let now = self.clock.now();
        Ok(self
            .store
            .list_sessions(person.user.id, now, now.plus_seconds(-SESSION_IDLE_SECONDS))
            .await?)
    }

    /// Ends one session of the person.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn end_session(
        &self,
        person: &Person,
        id: SessionId,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let mut tx = self.store.begin().await?;
        if !tx.end_session(id, person.user.id).await? {
            return Err(ServiceError::NotFound("session"));
        }
        let address = context.address_text();
        let mut entry = audit(
            person.user.id,
            Some(person.organization.id),
            Action::SessionEnded,
            context,
            address.as_deref(),
            self.clock.now(),
        );
        entry.target = Some(id.to_string());
        tx.append_audit(&self.entropy, self.peppers.current(), &entry);
        tx.commit(&[]).await?;
        Ok(())
    }

    /// Ends the session that a browser brought to a new sign-in: the new one takes its place.
    ///
    /// # Errors
    /// The store's.
    pub async fn end_replaced(
        &self,
        replaced: Option<&SessionValue>,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let Some(value) = replaced else { return Ok(()) };
        match self.find_present(value).await {
            Ok(present) => {
                self.end_session(&present.person, present.session, context)
                    .await
            }
            Err(ServiceError::SignInRequired) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Ends every session of the person, this one too.
    ///
    /// # Errors
    /// The store's.
    pub async fn end_all_sessions(
        &self,
        person: &Person,
        context: &RequestContext,
    ) -> Result<u64, ServiceError> {
        let mut tx = self.store.begin().await?;
        let ended = tx.end_sessions(person.user.id).await?;
        let address = context.address_text();
        tx.append_audit(
            &self.entropy,
            self.peppers.current(),
            &audit(
                person.user.id,
                Some(person.organization.id),
                Action::SessionsEnded,
                context,
                address.as_deref(),
                self.clock.now(),
            ),
        );
        tx.commit(&[]).await?;
        Ok(ended)
    }

    /// Begins a session for a person who has just proved who they are.
    ///
    /// # Errors
    /// The store's, and [`ServiceError::SignInFailed`] for someone who may not be here.
    pub async fn begin_session(
        &self,
        user: &User,
        organization: OrganizationId,
        context: &RequestContext,
    ) -> Result<Started, ServiceError> {
        let now = self.clock.now();
        let mut random = Zeroizing::new([0; 32]);
        self.entropy.fill(&mut random[..]);
        let value = SessionValue(Zeroizing::new(URL_SAFE_NO_PAD.encode(&random[..])));
        let id = SessionId::generate(&self.entropy, now);
        let expires = now.plus_seconds(SESSION_ABSOLUTE_SECONDS);
        let person = self
            .find_person(
                user.id,
                organization,
                Via::Session {
                    id,
                    signed_in_at: now,
                },
            )
            .await?
            .ok_or(ServiceError::SignInFailed)?;
        let address = context.address_text();
        let pepper = self.peppers.current();
        self.write_session(&NewSession {
            id,
            user: user.id,
            organization,
            digest: pepper.seal(SESSION_LABEL, value.expose().as_bytes()),
            now,
            expires_at: expires,
            address: address.as_deref(),
            agent: context.agent.as_deref(),
        })
        .await?;
        self.metrics.signed_in(SignIn::Accepted);
        Ok(Started {
            csrf: self.csrf(&value, organization),
            value,
            id,
            expires,
            device: self.device(user.id),
            person,
        })
    }

    async fn write_session(&self, session: &NewSession<'_>) -> Result<(), ServiceError> {
        let entry = AuditEntry {
            at: session.now,
            organization: Some(session.organization),
            actor: Some(session.user),
            token: None,
            action: Action::SignedIn,
            target: None,
            address: session.address,
            agent: session.agent,
            before: None,
            after: None,
            detail: None,
        };
        let mut tx = self.store.begin().await?;
        tx.insert_session(session).await?;
        tx.append_audit(&self.entropy, self.peppers.current(), &entry);
        tx.commit(&[]).await?;
        Ok(())
    }

    async fn find_session_record(
        &self,
        value: &SessionValue,
    ) -> Result<Option<SessionRecord>, ServiceError> {
        for pepper in self.peppers.iter() {
            let digest = pepper.seal(SESSION_LABEL, value.expose().as_bytes());
            if let Some(found) = self.store.find_session(&digest).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Bound to the session's value, which only the cookie holds, so that it need not be stored; and to the organization
    /// in force, in which a form that was opened there acts.
    fn csrf(&self, value: &SessionValue, organization: OrganizationId) -> String {
        let mut bound = Zeroizing::new(value.expose().as_bytes().to_vec());
        bound.extend_from_slice(organization.bytes());
        URL_SAFE_NO_PAD.encode(self.peppers.current().seal(CSRF_LABEL, &bound).bytes())
    }
}

pub(super) fn audit<'a>(
    user: UserId,
    organization: Option<OrganizationId>,
    action: Action,
    context: &'a RequestContext,
    address: Option<&'a str>,
    now: Timestamp,
) -> AuditEntry<'a> {
    AuditEntry {
        at: now,
        organization,
        actor: Some(user),
        token: None,
        action,
        target: None,
        address,
        agent: context.agent.as_deref(),
        before: None,
        after: None,
        detail: None,
    }
}
