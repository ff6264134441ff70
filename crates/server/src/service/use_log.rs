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
        rows.sort_unstable_by_key(|row| row.token);
        let last: Vec<LastUseRow> = rows.iter().filter_map(|row| last_use(row)).collect();
        let hours: Vec<HourCount> = rows.iter().flat_map(|row| hours(row)).collect();
        self.store.write_uses(&last, &hours).await
    }
}

fn last_use(row: &UseRow) -> Option<LastUseRow> {
    let last = row.last.as_ref()?.last_use();
    Some(LastUseRow {
        token: row.token,
        at: last.at,
        method: last.method,
        path: last.path,
        address: last.address,
        agent: last.agent,
    })
}

fn hours(row: &UseRow) -> impl Iterator<Item = HourCount> + '_ {
    row.hours.iter().map(|count| HourCount {
        token: row.token,
        hour: count.hour,
        allowed: count.allowed,
        refused: count.refused,
    })
}
