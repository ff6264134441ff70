//! The audit: how its lines are written, listed and verified.

mod strict;

use crate::{Store, StoreError, Tx, on, rows, sql, tx::execute};
use hallpass_domain::{
    audit::{Action, Chain, Found, Head, Line, Link, Report, Seal, Sealed},
    id::{AuditId, OrganizationId, TokenId, UserId},
    time::Timestamp,
    token::{Digest, Pepper, Peppers},
};
use sqlx::FromRow;

/// Lines verified at once.
const VERIFY_LINES: u32 = 500;

/// Which lines, the newest first.
#[derive(Clone, Debug)]
pub struct AuditQuery {
    /// Of this organization; none means the whole deployment.
    pub organization: Option<OrganizationId>,
    /// By this person.
    pub actor_user: Option<UserId>,
    /// With this token.
    pub actor_token: Option<TokenId>,
    /// Any of these actions; none named means all.
    pub actions: Vec<Action>,
    /// Done to this.
    pub target: Option<String>,
    /// From this address.
    pub address: Option<String>,
    /// Not before this moment.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Older than the line with this number; [`AuditPage::next`] of the page before.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

impl AuditQuery {
    /// Everything there is, a page of `limit` lines at a time.
    pub const fn all(organization: Option<OrganizationId>, limit: u32) -> Self {
        Self {
            organization,
            actor_user: None,
            actor_token: None,
            actions: Vec::new(),
            target: None,
            address: None,
            since: None,
            until: None,
            before: None,
            limit,
        }
    }
}

/// A page of the audit.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// The lines.
    pub lines: Vec<Line>,
    /// Where the next page begins, if there is one.
    pub next: Option<i64>,
}

/// A line that waits for its number, and the pepper it will be sealed under.
pub(crate) struct Waiting {
    pub(crate) line: Line,
    pub(crate) pepper: Pepper,
}

#[derive(FromRow)]
struct HeadRow {
    seq: i64,
    chained_after: i64,
    code: Option<Vec<u8>>,
    seal_pepper: Option<String>,
    seal: Option<Vec<u8>>,
    unnumbered: i64,
}

#[derive(FromRow)]
struct LineRow {
    number: i64,
    id: Vec<u8>,
    at: i64,
    organization_id: Option<Vec<u8>>,
    actor_user_id: Option<Vec<u8>>,
    actor_token_id: Option<Vec<u8>>,
    action: String,
    target: Option<String>,
    address: Option<String>,
    agent: Option<String>,
    before_state: Option<String>,
    after_state: Option<String>,
    detail: Option<String>,
    pepper_id: Option<String>,
    code: Option<Vec<u8>>,
}

impl TryFrom<HeadRow> for Head {
    type Error = StoreError;

    fn try_from(row: HeadRow) -> Result<Self, StoreError> {
        Ok(Self {
            seq: row.seq,
            chained_after: row.chained_after,
            code: row.code.as_deref().map(rows::digest).transpose()?,
            seal: match (row.seal_pepper, row.seal) {
                (Some(pepper), Some(code)) => Some(Seal {
                    pepper,
                    code: rows::digest(&code)?,
                }),
                _ => None,
            },
            unnumbered: u64::try_from(row.unnumbered).unwrap_or(0),
        })
    }
}

impl TryFrom<LineRow> for Sealed {
    type Error = StoreError;

    fn try_from(row: LineRow) -> Result<Self, StoreError> {
        let at = rows::moment(row.at);
        // Otherwise two moments past the calendar would be the same, and one could become the other unseen.
        if at.micros() != row.at {
            return Err(StoreError::Malformed("moment"));
        }
        let seal = match (row.pepper_id, row.code) {
            (None, None) => None,
            (Some(pepper), Some(code)) => Some(Seal {
                pepper,
                code: rows::digest(&code)?,
            }),
            _ => return Err(StoreError::Malformed("seal")),
        };
        let line = Line {
            seq: row.number,
            id: rows::id(&row.id, AuditId::from_bytes)?,
            at,
            organization: id_option(row.organization_id, OrganizationId::from_bytes)?,
            actor_user: id_option(row.actor_user_id, UserId::from_bytes)?,
            actor_token: id_option(row.actor_token_id, TokenId::from_bytes)?,
            action: row.action,
            target: row.target,
            address: row.address,
            agent: row.agent,
            before: row.before_state,
            after: row.after_state,
            detail: row.detail,
        };
        Ok(Self { line, seal })
    }
}

fn id_option<T>(bytes: Option<Vec<u8>>, of: fn([u8; 16]) -> T) -> Result<Option<T>, StoreError> {
    bytes.map(|bytes| rows::id(&bytes, of)).transpose()
}

/// The words, each between blanks: a text that holds an action's word so holds that action.
fn words(actions: &[Action]) -> String {
    let mut words = String::new();
    for action in actions {
        words.push(' ');
        words.push_str(action.word());
        words.push(' ');
    }
    words
}

macro_rules! fetch_page {
    ($store:expr, $text:expr, $query:expr $(, $organization:expr)?) => {
        on!(&$store.read, pool => {
            sqlx::query_as::<_, LineRow>($text)
                .bind($query.before.unwrap_or(i64::MAX))
                .bind(i64::from($query.limit) + 1)
                .bind($query.since.map_or(i64::MIN, Timestamp::micros))
                .bind($query.until.map_or(i64::MAX, |until| until.micros() - 1))
                .bind($query.actor_user.as_ref().map(|id| &id.bytes()[..]))
                .bind($query.actor_token.as_ref().map(|id| &id.bytes()[..]))
                .bind(words(&$query.actions))
                .bind($query.target.as_deref())
                .bind($query.address.as_deref())
                $(.bind(&$organization.bytes()[..]))?
                .fetch_all(pool)
                .await?
        })
    };
}

impl Store {
    /// A page of the audit, the newest line first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        let mut page = AuditPage {
            lines: Vec::new(),
            next: None,
        };
        // PostgreSQL refuses a NUL; no line holds one.
        if [&query.target, &query.address]
            .into_iter()
            .flatten()
            .any(|text| text.contains('\0'))
        {
            return Ok(page);
        }
        let rows: Vec<LineRow> = match &query.organization {
            None => fetch_page!(self, sql::AUDIT_PAGE, query),
            Some(organization) => {
                fetch_page!(self, sql::AUDIT_PAGE_OF_ORGANIZATION, query, organization)
            }
        };
        let more = rows.len() > query.limit as usize;
        for row in rows.into_iter().take(query.limit as usize) {
            let line = Sealed::try_from(row)?.line;
            page.next = more.then_some(line.seq);
            page.lines.push(line);
        }
        Ok(page)
    }

    /// The end of the chain.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_head(&self) -> Result<Head, StoreError> {
        let head: Option<HeadRow> =
            on!(&self.read, pool => sqlx::query_as(sql::AUDIT_HEAD).fetch_optional(pool).await?);
        head.ok_or(StoreError::Malformed("end of the audit"))?
            .try_into()
    }

    /// Seals where the audit begins when this program first opens a database, and seals the end anew when its pepper
    /// was retired since. False when the end has no seal that fits and is not one to begin with: then it stays as it
    /// is, so that each verification says so.
    ///
    /// What [`Head`] says of a database made to look as if it were opened for the first time holds here.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn seal_audit_start(&self, peppers: &Peppers) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let head = tx.advance_head(0).await?;
        let fits = match &head.seal {
            Some(_) => head.is_sealed(peppers.iter()),
            None => tx.is_unchained().await?,
        };
        let seal = head.seal_under(peppers.current());
        if fits && head.seal.as_ref() != Some(&seal) {
            tx.seal_head(&seal).await?;
            if head.seal.is_none() && head.seq > 0 {
                tracing::warn!(
                    lines = head.seq,
                    "the audit is sealed from here on; these lines were written before that and cannot be verified"
                );
            }
        }
        tx.commit(&[]).await?;
        Ok(fits)
    }

    /// The next lines from the number `from` on, in order, as they were found; empty when there are none.
    ///
    /// # Errors
    /// [`StoreError`], but none for what a line holds.
    pub async fn audit_lines(&self, from: i64, limit: u32) -> Result<Vec<Found>, StoreError> {
        Ok(on!(&self.read, pool => {
            let rows = sqlx::query(sql::AUDIT_LINES).bind(from).bind(i64::from(limit)).fetch_all(pool).await?;
            rows.iter().map(strict::found).collect()
        }))
    }

    /// Verifies the whole audit. Lines that are written meanwhile are verified too.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn verify_audit(&self, peppers: &Peppers) -> Result<Report, StoreError> {
        let mut chain = Chain::new(peppers, self.audit_head().await?.chained_after);
        loop {
            let found = self.lines_behind(chain.seq(), VERIFY_LINES).await?;
            let goes_on = found.iter().all(|found| chain.take(found));
            if goes_on && !found.is_empty() {
                continue;
            }
            // Read after the lines: only then is an end behind them a bad one.
            let head = self.audit_head().await?;
            // Lines up to the end are missing, or were written in between.
            let written = goes_on
                && head.seq > chain.seq()
                && !self.lines_behind(chain.seq(), 1).await?.is_empty();
            if !written {
                return Ok(chain.end(&head));
            }
        }
    }

    /// What stands behind the line with the number `last`. That one is read again, and left out once: a second line with
    /// its number would otherwise hide between two pages.
    async fn lines_behind(&self, last: i64, limit: u32) -> Result<Vec<Found>, StoreError> {
        let mut found = self.audit_lines(last, limit.saturating_add(1)).await?;
        if found.first().is_some_and(|first| first.seq() == last) {
            found.remove(0);
        }
        Ok(found)
    }
}

impl Tx {
    /// Moves the end by `count` lines and holds it. What it was before, but for the number.
    async fn advance_head(&mut self, count: i64) -> Result<Head, StoreError> {
        let row: Option<HeadRow> = on!(&mut self.on, tx => sqlx::query_as(sql::AUDIT_HEAD_NEXT).bind(count).fetch_optional(&mut **tx).await?);
        row.ok_or(StoreError::Malformed("end of the audit"))?
            .try_into()
    }

    async fn is_unchained(&mut self) -> Result<bool, StoreError> {
        let found: i64 = on!(&mut self.on, tx => sqlx::query_scalar(sql::AUDIT_IS_UNCHAINED).fetch_one(&mut **tx).await?);
        Ok(found == 1)
    }

    async fn seal_head(&mut self, seal: &Seal) -> Result<(), StoreError> {
        execute!(
            self,
            sql::AUDIT_HEAD_SEAL,
            seal.pepper.as_str(),
            &seal.code.bytes()[..]
        );
        Ok(())
    }

    /// Gives the lines that wait their numbers and codes, and writes them.
    ///
    /// An end that contradicts itself takes no line. One whose seal does not fit does: otherwise whoever spoils it
    /// would keep everybody from revoking. But then it is not sealed anew: the seal that it has fits no end from then
    /// on, and every verification says so.
    pub(crate) async fn write_lines(&mut self) -> Result<(), StoreError> {
        let waiting = std::mem::take(&mut self.lines);
        let count = i64::try_from(waiting.len()).unwrap_or(i64::MAX);
        if count == 0 {
            return Ok(());
        }
        let mut head = self.advance_head(count).await?;
        head.seq -= count;
        let fits = head.is_sealed(waiting.iter().map(|waiting| &waiting.pepper));
        let last = waiting.last().map(|waiting| waiting.pepper.clone());
        let mut link = head
            .link()
            .ok_or(StoreError::Malformed("end of the audit"))?;
        for Waiting { mut line, pepper } in waiting {
            head.seq += 1;
            line.seq = head.seq;
            let code = line.code(&pepper, &link);
            self.insert_line(&line, &pepper, &code).await?;
            link = Link::After(code);
        }
        if let Link::After(code) = &link {
            execute!(self, sql::AUDIT_HEAD_SET, &code.bytes()[..]);
            head.code = Some(*code);
        }
        match last {
            Some(pepper) if fits => self.seal_head(&head.seal_under(&pepper)).await?,
            _ => tracing::error!("the end of the audit is not as it was written; verify the audit"),
        }
        Ok(())
    }

    async fn insert_line(
        &mut self,
        line: &Line,
        pepper: &Pepper,
        code: &Digest,
    ) -> Result<(), StoreError> {
        execute!(
            self,
            sql::AUDIT_INSERT,
            &line.id.bytes()[..],
            line.at.micros(),
            line.organization.as_ref().map(|id| &id.bytes()[..]),
            line.actor_user.as_ref().map(|id| &id.bytes()[..]),
            line.actor_token.as_ref().map(|id| &id.bytes()[..]),
            &line.action,
            line.target.as_deref(),
            line.address.as_deref(),
            line.agent.as_deref(),
            line.detail.as_deref(),
            line.seq,
            line.before.as_deref(),
            line.after.as_deref(),
            pepper.id().as_str(),
            &code.bytes()[..],
        );
        Ok(())
    }
}
