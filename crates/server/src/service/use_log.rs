//! Notes of use, from the buffers to the store: folded often, written once a second.

use super::Services;
use hallpass_engine::{Fold, UseRow};
use hallpass_store::{HourCount, LastUseRow, StoreError};

impl Services {
    /// Takes what waits in the buffers into `fold`. Cheap, and called often, so that the buffers stay short.
    pub fn fold_uses(&self, fold: &mut Fold) {
        self.uses.drain_into(fold);
    }

    /// Writes what has been folded.
    ///
    /// # Errors
    /// The store's; then nothing was written.
    pub async fn write_uses(&self, rows: &[UseRow]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        // Beside each other in the database too: most pages are then touched once.
        let mut rows: Vec<&UseRow> = rows.iter().collect();
        rows.sort_unstable_by_key(|row| (row.token, row.hour));
        let hours: Vec<HourCount> = rows.iter().map(|row| hour(row)).collect();
        let of_token = rows.chunk_by(|one, next| one.token == next.token);
        let last: Vec<LastUseRow> = of_token.filter_map(last_use).collect();
        self.store.write_uses(&last, &hours).await
    }
}

/// The last use of a token, from the rows of its hours in order.
fn last_use(rows: &[&UseRow]) -> Option<LastUseRow> {
    let (token, note) = rows
        .iter()
        .rev()
        .find_map(|row| Some((row.token, row.last.as_ref()?)))?;
    let last = note.last_use();
    Some(LastUseRow {
        token,
        at: last.at,
        method: last.method,
        path: last.path,
        address: last.address,
        agent: last.agent,
    })
}

const fn hour(row: &UseRow) -> HourCount {
    HourCount {
        token: row.token,
        hour: row.hour,
        allowed: row.allowed,
        refused: row.refused,
    }
}
