//! The audit, for those who may read it: listed, exported, verified.

use super::{
    RequestContext, Services,
    acting::{Actor, Noted},
};
use crate::error::{InvalidField, ServiceError};
use hallpass_domain::{
    audit::{Action, Found, Head, Line, Report},
    id::UserId,
    member::User,
    permission::Permission,
};
use hallpass_store::AuditQuery;
use serde_json::{Value, json};
use std::collections::HashMap;
use tokio::sync::Semaphore;

/// Verifying reads every line there is: few at once.
static VERIFYING: Semaphore = Semaphore::const_new(2);

/// A line with who did it.
#[derive(Clone, Debug)]
pub struct AuditedLine {
    /// The line.
    pub line: Line,
    /// Who, as they are called now.
    pub actor: Option<User>,
}

/// People by id; `None` is somebody of whom nothing is kept.
pub type People = HashMap<UserId, Option<User>>;

/// The end of the audit as an earlier verification saw it.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedEnd {
    seq: i64,
    code: Option<[u8; 32]>,
}

impl ExpectedEnd {
    /// Reads what an earlier verification said, if anything was sent.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] that names what is wrong.
    pub fn parse(wish: &hallpass_wire::AuditExpected) -> Result<Option<Self>, ServiceError> {
        let code = wish.expected_code.as_deref().map(read_hex).transpose()?;
        match (wish.expected_seq, code) {
            (Some(seq), code) => Ok(Some(Self { seq, code })),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(InvalidField::new(
                "expectedSeq",
                "expected_seq_missing",
                "send the number of the line that has this code",
            )
            .into()),
        }
    }

    fn is(&self, found: &Found) -> bool {
        let Found::Line(sealed) = found else {
            return false;
        };
        let code = sealed.seal.as_ref().map(|seal| *seal.code.bytes());
        sealed.line.seq == self.seq && (self.code.is_none() || self.code == code)
    }
}

/// A code in hexadecimal.
pub fn write_hex(code: &[u8]) -> String {
    code.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_hex(text: &str) -> Result<[u8; 32], InvalidField> {
    let malformed = || {
        let why = "64 hexadecimal digits, as a verification gave them";
        InvalidField::new("expectedCode", "code_malformed", why)
    };
    let mut code = [0; 32];
    if text.len() != 2 * code.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(malformed());
    }
    for (index, byte) in code.iter_mut().enumerate() {
        let digits = text.get(2 * index..2 * index + 2).ok_or_else(malformed)?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| malformed())?;
    }
    Ok(code)
}

/// What a verification found.
#[derive(Clone, Debug)]
pub struct Verification {
    /// What the codes say.
    pub report: Report,
    /// The end.
    pub head: Head,
    /// The line that an earlier verification saw otherwise.
    pub unexpected: Option<i64>,
}

impl Services {
    /// A page of the audit, the newest line first: of the actor's organization, or of the `whole` deployment.
    ///
    /// # Errors
    /// [`ServiceError::RoleLacks`] without `hallpass:audit`; for the whole, without `hallpass:deployment`.
    pub async fn list_audit(
        &self,
        actor: &Actor,
        query: &AuditQuery,
        whole: bool,
        people: &mut People,
    ) -> Result<(Vec<AuditedLine>, Option<i64>), ServiceError> {
        require(actor, whole)?;
        let query = AuditQuery {
            organization: (!whole).then_some(actor.organization.id),
            ..query.clone()
        };
        let page = self.store.list_audit(&query).await?;
        let mut lines = Vec::with_capacity(page.lines.len());
        for line in page.lines {
            let actor = match line.actor_user {
                Some(user) => self.known(user, people).await?,
                None => None,
            };
            lines.push(AuditedLine { line, actor });
        }
        Ok((lines, page.next))
    }

    async fn known(&self, id: UserId, people: &mut People) -> Result<Option<User>, ServiceError> {
        if let Some(known) = people.get(&id) {
            return Ok(known.clone());
        }
        let found = self.store.find_user(id).await?;
        people.insert(id, found.clone());
        Ok(found)
    }

    /// Begins an export: that it was asked for is written down before the first line leaves.
    ///
    /// # Errors
    /// As [`Self::list_audit`].
    pub async fn begin_audit_export(
        &self,
        actor: &Actor,
        whole: bool,
        told: Value,
        context: &RequestContext,
    ) -> Result<(), ServiceError> {
        let noted = Noted::new(Action::AuditExported, actor.organization.id).with(told);
        let needed = if whole && actor.may(Permission::AUDIT) {
            Permission::DEPLOYMENT
        } else {
            Permission::AUDIT
        };
        self.begin_export(actor, needed, noted, context).await
    }

    /// Verifies the whole audit, and that its end is no other than an earlier verification saw.
    ///
    /// # Errors
    /// [`ServiceError::RoleLacks`] without `hallpass:audit`.
    pub async fn verify_audit(
        &self,
        actor: &Actor,
        expected: Option<ExpectedEnd>,
    ) -> Result<Verification, ServiceError> {
        actor.require(Permission::AUDIT)?;
        // Nobody waits in a row of unknown length: whoever comes meanwhile comes back.
        let _turn = VERIFYING.try_acquire().map_err(|_| ServiceError::Busy)?;
        // Read first: lines that are written meanwhile are verified, and are then behind what is told.
        let head = self.store.audit_head().await?;
        let report = self.store.verify_audit(&self.peppers).await?;
        let mut unexpected = None;
        if let Some(expected) = expected {
            let found = self.store.audit_lines(expected.seq, 1).await?;
            if !found.first().is_some_and(|found| expected.is(found)) {
                unexpected = Some(expected.seq);
            }
        }
        Ok(Verification {
            report,
            head,
            unexpected,
        })
    }
}

fn require(actor: &Actor, whole: bool) -> Result<(), ServiceError> {
    actor.require(Permission::AUDIT)?;
    if whole {
        actor.require(Permission::DEPLOYMENT)?;
    }
    Ok(())
}

/// What was asked of an export, for its line.
pub fn told(format: &'static str, whole: bool, query: &str) -> Value {
    json!({ "format": format, "scope": if whole { "deployment" } else { "organization" }, "query": query })
}
