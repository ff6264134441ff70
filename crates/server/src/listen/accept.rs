//! The accept loop: who gets a connection, and how it all ends.

use super::{Options, Peer, Report, Service, Shutdown, activity::Activity, connection};
use std::{collections::HashMap, future::Future, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::{self, JoinSet},
    time::{Instant, sleep_until, timeout},
};

/// The first and the longest wait after the system refused to hand out a connection.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Where connections come from.
pub(super) trait Accept: Send + Sync {
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection. Dropping the future loses none.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Io, SocketAddr)>> + Send;
}

pub(super) async fn serve<A: Accept, M, S>(
    source: A,
    make: M,
    options: Options,
    mut shutdown: Shutdown,
) -> Report
where
    M: Fn(Peer) -> S + Send + Sync + 'static,
    S: Service,
{
    let room = Arc::new(Semaphore::new(options.limits.connections));
    let mut open = Open {
        make: Arc::new(make),
        options: Arc::new(options),
        tasks: JoinSet::new(),
        activities: HashMap::new(),
        accepted: 0,
    };
    let mut permit: Option<OwnedSemaphorePermit> = None;
    let mut pause: Option<Instant> = None;
    let mut last_pause = Duration::ZERO;
    loop {
        tokio::select! {
            biased;
            () = shutdown.fired() => break,
            Some(ended) = open.tasks.join_next_with_id() => open.forget(ended),
            () = sleep_until(pause.unwrap_or_else(Instant::now)), if pause.is_some() => pause = None,
            // Taken before accepting: a connection that there is no room for stays in the kernel's queue.
            room = Arc::clone(&room).acquire_owned(), if permit.is_none() => permit = room.ok(),
            accepted = source.accept(), if permit.is_some() && pause.is_none() => match accepted {
                Ok((io, address)) => {
                    last_pause = Duration::ZERO;
                    open.start(io, address, permit.take());
                }
                Err(error) => {
                    last_pause = pause_after(&error, last_pause);
                    pause = (!last_pause.is_zero()).then(|| Instant::now() + last_pause);
                }
            },
        }
    }
    drop(source);
    open.drain().await
}

/// How long to wait after accepting failed. The caller's fault costs nothing; when we are out of files or
/// memory, trying again at once would only burn a core.
fn pause_after(error: &io::Error, last: Duration) -> Duration {
    use io::ErrorKind as Kind;
    if matches!(
        error.kind(),
        Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::ConnectionRefused
            | Kind::Interrupted
            | Kind::InvalidInput
    ) {
        return Duration::ZERO;
    }
    let pause = (last * 2).clamp(PAUSE_MIN, PAUSE_MAX);
    tracing::error!(%error, "no connection can be accepted; trying again in {pause:?}");
    pause
}

/// The connections that are open.
struct Open<M> {
    make: Arc<M>,
    options: Arc<Options>,
    tasks: JoinSet<()>,
    activities: HashMap<task::Id, Arc<Activity>>,
    accepted: u64,
}

impl<M, S> Open<M>
where
    M: Fn(Peer) -> S + Send + Sync + 'static,
    S: Service,
{
    fn start<I>(&mut self, io: I, address: SocketAddr, permit: Option<OwnedSemaphorePermit>)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Arc::new(Activity::new(self.options.metrics.clone()));
        let (make, options, shared) = (
            Arc::clone(&self.make),
            Arc::clone(&self.options),
            Arc::clone(&activity),
        );
        let task = self.tasks.spawn(async move {
            let _permit = permit;
            let end = connection::run(io, address, &*make, &options, shared).await;
            tracing::debug!(peer = %address, %end, "connection ended");
        });
        self.activities.insert(task.id(), activity);
        self.accepted += 1;
    }

    fn forget(&mut self, ended: Result<(task::Id, ()), task::JoinError>) {
        let id = match &ended {
            Ok((id, ())) => *id,
            // A panic was logged by its hook; it ended this connection alone.
            Err(error) => error.id(),
        };
        self.activities.remove(&id);
    }

    async fn drain(mut self) -> Report {
        for activity in self.activities.values() {
            activity.stop();
        }
        let limit = self.options.limits.drain;
        let all_ended = async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                self.forget(ended);
            }
        };
        let in_time = timeout(limit, all_ended).await.is_ok();
        let cut = self
            .activities
            .values()
            .filter(|activity| activity.is_busy())
            .count();
        if !in_time && cut > 0 {
            tracing::warn!(
                cut,
                "requests took longer than {limit:?}; their connections were cut"
            );
        }
        self.tasks.shutdown().await;
        Report {
            accepted: self.accepted,
            cut,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_out_of_files_is_waited_for_ever_longer_and_a_callers_fault_is_not() {
        const EMFILE: i32 = 24;
        let full = io::Error::from_raw_os_error(EMFILE);
        let mut pauses = Vec::new();
        let mut last = Duration::ZERO;
        for _ in 0..7 {
            last = pause_after(&full, last);
            pauses.push(last.as_millis());
        }
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1000, 1000]);
        assert!(pause_after(&io::ErrorKind::ConnectionAborted.into(), last).is_zero());
    }
}
