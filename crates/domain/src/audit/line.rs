//! One line of the audit, and the code that ties it to the line before.

use crate::{
    id::{AuditId, OrganizationId, TokenId, UserId},
    time::Timestamp,
    token::{Digest, Pepper},
};

/// No code of a line is ever a token's digest or a session's.
const LINE_LABEL: &str = "audit line";

/// A line of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1, without a gap.
    pub seq: i64,
    /// Its id.
    pub id: AuditId,
    /// When. Numbers are given at the end of a transaction, so a line may have a time before that of its predecessor.
    pub at: Timestamp,
    /// In which organization.
    pub organization: Option<OrganizationId>,
    /// Who.
    pub actor_user: Option<UserId>,
    /// With which token, if not in a session.
    pub actor_token: Option<TokenId>,
    /// The word of what was done. A text: a newer program may have written it.
    pub action: String,
    /// To what.
    pub target: Option<String>,
    /// From which address.
    pub address: Option<String>,
    /// By which `User-Agent`.
    pub agent: Option<String>,
    /// What it was before, as JSON.
    pub before: Option<String>,
    /// What it was after, as JSON.
    pub after: Option<String>,
    /// What else there is to say, as JSON.
    pub detail: Option<String>,
}

/// What a line is tied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// The first with a code; so many were written before there were codes.
    First(i64),
    /// One that follows a line with this code.
    After(Digest),
}

/// The code of a line, and under which pepper it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The pepper's id, as it was found.
    pub pepper: String,
    /// The code.
    pub code: Digest,
}

/// A line with its seal. Lines from before there were codes have none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The line.
    pub line: Line,
    /// Its seal.
    pub seal: Option<Seal>,
}

impl Line {
    /// The line's code after `link`. It is keyed, so that whoever can write in the database still cannot write a line
    /// that passes for one of ours, nor make the others fit again after a change.
    pub fn code(&self, pepper: &Pepper, link: &Link) -> Digest {
        let mut message = Message(Vec::with_capacity(512));
        match link {
            Link::First(before) => message.field(b'f', Some(&before.to_be_bytes())),
            Link::After(code) => message.field(b'a', Some(code.bytes())),
        }
        message.field(b'p', Some(pepper.id().as_str().as_bytes()));
        message.field(b'n', Some(&self.seq.to_be_bytes()));
        message.field(b'i', Some(self.id.bytes()));
        message.field(b't', Some(&self.at.micros().to_be_bytes()));
        message.field(b'o', self.organization.as_ref().map(|id| &id.bytes()[..]));
        message.field(b'u', self.actor_user.as_ref().map(|id| &id.bytes()[..]));
        message.field(b'k', self.actor_token.as_ref().map(|id| &id.bytes()[..]));
        message.field(b'w', Some(self.action.as_bytes()));
        message.text(b'g', self.target.as_deref());
        message.text(b'd', self.address.as_deref());
        message.text(b'h', self.agent.as_deref());
        message.text(b'b', self.before.as_deref());
        message.text(b'c', self.after.as_deref());
        message.text(b'e', self.detail.as_deref());
        pepper.seal(LINE_LABEL, &message.0)
    }
}

/// Fields one after the other so that no two lines give the same bytes: each has its letter, whether it is there, and
/// its length.
struct Message(Vec<u8>);

impl Message {
    fn field(&mut self, letter: u8, value: Option<&[u8]>) {
        self.0.push(letter);
        self.0.push(u8::from(value.is_some()));
        let value = value.unwrap_or_default();
        self.0
            .extend_from_slice(&(value.len() as u64).to_be_bytes());
        self.0.extend_from_slice(value);
    }

    fn text(&mut self, letter: u8, value: Option<&str>) {
        self.field(letter, value.map(str::as_bytes));
    }
}
