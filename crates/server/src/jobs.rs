//! What goes on beside requests, from before the first until after the last.

mod flush;

pub use flush::Flush;

use crate::{
    error::ServiceError,
    listen::{Shutdown, Trigger},
    observe::Health,
    service::Services,
};
use hallpass_domain::{
    limits::{
        DUE_SECONDS, FEED_NUMBERS_KEPT, FOLLOW_SECONDS, IDEMPOTENCY_SECONDS, LAST_WRITES_MAX,
        SESSION_IDLE_SECONDS, SOLE_CHECK_SECONDS, TIDY_SECONDS, USE_FLUSH_MILLISECONDS,
        USE_HISTORY_DAYS,
    },
    time::Timestamp,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    task::JoinHandle,
    time::{Interval, MissedTickBehavior, interval, timeout},
};

/// The jobs of one server.
#[derive(Debug)]
pub struct Jobs {
    stop: Trigger,
    flushing: JoinHandle<()>,
    watched: Vec<JoinHandle<()>>,
}

impl Jobs {
    /// Starts them. They go on until [`Jobs::finish`]: requests under way at a stop are noted and watched over too.
    pub fn start(services: &Arc<Services>, health: &Arc<Health>) -> Self {
        let (stop, stopped) = crate::listen::shutdown();
        let given = || (Arc::clone(services), stopped.clone());
        let (one, two, three, four, five) = (given(), given(), given(), given(), given());
        let watch = |name, job| tokio::spawn(watch(name, job, Arc::clone(services)));
        Self {
            flushing: tokio::spawn(flush_uses(one.0, one.1)),
            watched: vec![
                watch("follow", tokio::spawn(follow(two.0, two.1))),
                watch("tidy", tokio::spawn(tidy(three.0, three.1))),
                watch("due", tokio::spawn(do_due(five.0, five.1))),
                watch(
                    "sole",
                    tokio::spawn(keep_sole(four.0, Arc::clone(health), four.1)),
                ),
            ],
            stop,
        }
    }

    /// Stops them, and returns when what was noted is written.
    pub async fn finish(self) {
        self.stop.fire();
        if let Err(error) = self.flushing.await {
            tracing::error!(%error, "uses were not written to the end");
        }
        for job in self.watched {
            job.await.ok();
        }
    }
}

/// A job that ends before it is told to has failed. What it saw to is seen to no more, so nothing is answered.
async fn watch(name: &'static str, job: JoinHandle<()>, services: Arc<Services>) {
    if let Err(error) = job.await {
        tracing::error!(%error, name, "a job failed: this node stops answering until it is started again");
        services.set_sole(false);
    }
}

fn ticks(every: Duration) -> Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Folds notes of use often and writes them once a second; at the end, all of them.
async fn flush_uses(services: Arc<Services>, mut stop: Shutdown) {
    let mut uses = Flush::new(services);
    let mut writing = ticks(Duration::from_millis(USE_FLUSH_MILLISECONDS));
    loop {
        tokio::select! {
            () = uses.fold_in_time() => {}
            _ = writing.tick() => uses.write().await,
            () = stop.fired() => break,
        }
    }
    for _ in 0..LAST_WRITES_MAX {
        uses.fold();
        uses.write_all().await;
        if uses.waiting() == 0 {
            return;
        }
        writing.tick().await;
    }
    tracing::error!("the last uses could not be written and are lost");
}

async fn follow(services: Arc<Services>, mut stop: Shutdown) {
    let mut ticks = ticks(Duration::from_secs(FOLLOW_SECONDS));
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.fired() => return,
        }
        if let Err(error) = services.catch_up().await {
            tracing::warn!(
                cause = error.cause(),
                "changes cannot be read at the moment"
            );
        } else if let Err(error) = services.redigest_waiting().await {
            tracing::warn!(
                cause = error.cause(),
                "tokens of a retired pepper cannot be written at the moment"
            );
        }
    }
}

/// Does what is due by the clock, and once in a while looks for what nobody uses.
async fn do_due(services: Arc<Services>, mut stop: Shutdown) {
    let mut due = ticks(Duration::from_secs(DUE_SECONDS));
    let mut unused = ticks(Duration::from_secs(TIDY_SECONDS));
    loop {
        tokio::select! {
            _ = due.tick() => services.do_due().await,
            _ = unused.tick() => services.revoke_unused().await,
            () = stop.fired() => return,
        }
    }
}

async fn tidy(services: Arc<Services>, mut stop: Shutdown) {
    let mut ticks = ticks(Duration::from_secs(TIDY_SECONDS));
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.fired() => return,
        }
        if let Err(error) = tidy_once(&services, services.clock.now()).await {
            tracing::warn!(%error, "what is past its time cannot be removed at the moment");
        }
    }
}

async fn tidy_once(services: &Services, now: Timestamp) -> Result<(), hallpass_store::StoreError> {
    let store = &services.store;
    store
        .trim_sessions(now, now.plus_seconds(-SESSION_IDLE_SECONDS))
        .await?;
    store
        .trim_idempotency(now.plus_seconds(-IDEMPOTENCY_SECONDS))
        .await?;
    store
        .trim_use_hours(now.plus_days(-USE_HISTORY_DAYS))
        .await?;
    store
        .trim_feed(services.follower.applied() - FEED_NUMBERS_KEPT)
        .await?;
    Ok(())
}

/// Stops answering when this process can no longer be sure to be the only one on its database.
async fn keep_sole(services: Arc<Services>, health: Arc<Health>, mut stop: Shutdown) {
    let period = Duration::from_secs(SOLE_CHECK_SECONDS);
    let mut ticks = ticks(period);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.fired() => return,
        }
        if let Ok(Ok(())) = timeout(period, services.store.is_still_sole()).await {
            continue;
        }
        services.set_sole(false);
        health.set_not_ready("the database is out of reach");
        tracing::error!(
            "the lock on the database is out of reach: this node stops answering until it is held again"
        );
        regain(&services, &health, &mut stop).await;
    }
}

/// Takes the lock again, reads what changed meanwhile, and only then answers again.
async fn regain(services: &Services, health: &Health, stop: &mut Shutdown) {
    let mut ticks = ticks(Duration::from_secs(SOLE_CHECK_SECONDS));
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.fired() => return,
        }
        match regain_once(services).await {
            Ok(()) => {
                health.set_ready();
                tracing::info!("the lock on the database is held again: this node answers");
                return;
            }
            Err(error) => tracing::warn!(
                cause = error.cause(),
                "the lock on the database cannot be taken yet"
            ),
        }
    }
}

async fn regain_once(services: &Services) -> Result<(), ServiceError> {
    services.store.become_sole().await?;
    services.catch_up().await?;
    services.set_sole(true);
    Ok(())
}
