//! Slow work on a few threads: so many at once, so many waiting, one more is told to come back.

use crate::error::ServiceError;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::Semaphore;

/// A door with a short queue before it.
#[derive(Debug)]
pub struct Gate {
    running: Arc<Semaphore>,
    inside: Arc<AtomicUsize>,
    inside_max: usize,
}

/// Takes its place out of the count when the work ends, however it ends.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Gate {
    /// Lets `at_once` run and `waiting` wait.
    pub fn new(at_once: usize, waiting: usize) -> Self {
        Self {
            running: Arc::new(Semaphore::new(at_once)),
            inside: Arc::default(),
            inside_max: at_once + waiting,
        }
    }

    /// Runs `work` on a thread of its own when its turn comes.
    ///
    /// # Errors
    /// [`ServiceError::Busy`] when too many wait already.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        if self.inside.fetch_add(1, Ordering::AcqRel) >= self.inside_max {
            self.inside.fetch_sub(1, Ordering::AcqRel);
            return Err(ServiceError::Busy);
        }
        let place = Place(Arc::clone(&self.inside));
        let permit = Arc::clone(&self.running)
            .acquire_owned()
            .await
            .map_err(|_| ServiceError::Busy)?;
        // The work goes on when the asker has gone away, and keeps its place until it ends.
        let done = tokio::task::spawn_blocking(move || {
            let _held = (permit, place);
            work()
        });
        done.await
            .map_err(|error| ServiceError::Internal(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn one_more_than_may_wait_is_told_to_come_back() {
        let gate = Arc::new(Gate::new(1, 1));
        let (go, stay) = mpsc::channel::<()>();
        let (started, start) = tokio::sync::oneshot::channel();
        let first = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move {
                gate.run(move || {
                    let _ = started.send(());
                    let _ = stay.recv();
                })
                .await
            }
        });
        start.await.unwrap();
        let second = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.run(|| 2).await }
        });
        while gate.inside.load(Ordering::Acquire) < 2 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(gate.run(|| 3).await, Err(ServiceError::Busy)));
        go.send(()).unwrap();
        first.await.unwrap().unwrap();
        assert_eq!(second.await.unwrap().unwrap(), 2);
        assert_eq!(gate.run(|| 4).await.unwrap(), 4);
    }
}
