//! Notes of use, from the buffers to the store: folded often, written once a second.

use super::Services;
use hallpass_engine::{Fold, UseRow};
use hallpass_store::{HourCount, LastUseRow, StoreError};

impl Services {
    /// Takes what waits in the buffers into `fold`. Cheap, and called often, so that the buffers stay short.
    pub fn fold_uses(&self, fold: &mut Fold) {
        self.uses.drain_into(fold);
    }

    /// Writes what has been folded. What cannot be written is put back for the next time.
    ///
    /// # Errors
    /// The store's.
    pub async fn write_uses(&self, fold: &mut Fold) -> Result<(), StoreError> {
        if fold.is_empty() {
            return Ok(());
        }
        let rows = fold.take();
        let last: Vec<LastUseRow> = rows.iter().filter_map(last_use).collect();
        let hours: Vec<HourCount> = rows.iter().flat_map(hours).collect();
        let written = self.store.write_uses(&last, &hours).await;
        if written.is_err() {
            fold.put_back(rows);
        }
        written
    }
}

fn last_use(row: &UseRow) -> Option<LastUseRow> {
    let last = row.last.as_ref()?;
    Some(LastUseRow {
        token: row.token,
        at: last.at,
        method: last.method.clone(),
        path: last.path.clone(),
        address: last.address.clone(),
        agent: last.agent.clone(),
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
