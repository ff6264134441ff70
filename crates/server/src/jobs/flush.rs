//! Notes of use on their way to the database.

use super::ticks;
use crate::service::Services;
use hallpass_domain::limits::{USE_FOLD_MILLISECONDS, USE_ROWS_PER_WRITE};
use hallpass_engine::Fold;
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::time::Interval;

/// What has been folded and not yet written.
#[derive(Debug)]
pub struct Flush {
    services: Arc<Services>,
    fold: Fold,
    folding: Interval,
}

impl Flush {
    /// Nothing yet. To be called on a runtime: folding has a clock.
    pub fn new(services: Arc<Services>) -> Self {
        Self {
            services,
            fold: Fold::default(),
            folding: ticks(Duration::from_millis(USE_FOLD_MILLISECONDS)),
        }
    }

    /// Takes what waits in the buffers.
    pub fn fold(&mut self) {
        self.services.fold_uses(&mut self.fold);
    }

    /// The same, when it is time.
    pub async fn fold_in_time(&mut self) {
        self.folding.tick().await;
        self.fold();
    }

    /// Rows that wait to be written.
    pub fn waiting(&self) -> usize {
        self.fold.len()
    }

    /// Writes what waits longest: all of it if it is little, half of it if it is much, so that writing neither takes
    /// from answering nor falls behind.
    pub async fn write(&mut self) {
        self.write_most(USE_ROWS_PER_WRITE.max(self.waiting() / 2))
            .await;
    }

    /// Writes all that waits.
    pub async fn write_all(&mut self) {
        self.write_most(usize::MAX).await;
    }

    /// Goes on folding meanwhile: the buffers must not wait for a slow database. What cannot be written is kept for
    /// the next time.
    async fn write_most(&mut self, most: usize) {
        let rows = self.fold.take(most);
        let services = Arc::clone(&self.services);
        let written = {
            let mut writing = pin!(services.write_uses(&rows));
            loop {
                tokio::select! {
                    written = &mut writing => break written,
                    () = self.fold_in_time() => {}
                }
            }
        };
        if let Err(error) = written {
            tracing::warn!(%error, "uses cannot be written at the moment; they are kept");
            self.fold.put_back(rows);
        }
        self.services.uses.add_dropped(self.fold.take_dropped());
    }
}
