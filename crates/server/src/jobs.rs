//! What goes on beside requests, until the server stops.

use crate::{listen::Shutdown, observe::Health, service::Services};
use hallpass_domain::{
    limits::{
        IDEMPOTENCY_SECONDS, SESSION_IDLE_SECONDS, USE_FLUSH_MILLISECONDS, USE_FOLD_MILLISECONDS,
        USE_HISTORY_DAYS,
    },
    time::Timestamp,
};
use hallpass_engine::Fold;
use std::{sync::Arc, time::Duration};
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};

/// The store is looked at for changes this often, should one have been missed.
const FOLLOW: Duration = Duration::from_secs(1);
/// On PostgreSQL: whether this process still keeps others out is asked this often, and must be answered within the
/// same time; together less than what a new process waits before it answers.
const SOLE: Duration = Duration::from_secs(1);
/// What is past its time is removed this often.
const TIDY: Duration = Duration::from_secs(600);
/// Numbers of the feed that are kept for whoever reads on.
const FEED_KEPT: i64 = 100_000;

/// The jobs of one server.
#[derive(Debug)]
pub struct Jobs {
    flushing: JoinHandle<()>,
    others: Vec<JoinHandle<()>>,
}

impl Jobs {
    /// Starts them.
    pub fn start(services: &Arc<Services>, health: &Arc<Health>, stop: &Shutdown) -> Self {
        let spawn = |services: &Arc<Services>| (Arc::clone(services), stop.clone());
        let (one, stop_one) = spawn(services);
        let (two, stop_two) = spawn(services);
        let (three, stop_three) = spawn(services);
        let (four, stop_four) = spawn(services);
        Self {
            flushing: tokio::spawn(flush_uses(one, stop_one)),
            others: vec![
                tokio::spawn(follow(two, stop_two)),
                tokio::spawn(tidy(three, stop_three)),
                tokio::spawn(keep_sole(four, Arc::clone(health), stop_four)),
            ],
        }
    }

    /// Waits until what was noted is written.
    pub async fn finish(self) {
        for job in self.others {
            job.abort();
        }
        if let Err(error) = self.flushing.await {
            tracing::error!(%error, "uses were not written to the end");
        }
    }
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Folds notes of use often and writes them once a second; at the end, all of them.
async fn flush_uses(services: Arc<Services>, mut stop: Shutdown) {
    let mut fold = Fold::default();
    let mut folding = ticks(Duration::from_millis(USE_FOLD_MILLISECONDS));
    let mut writing = ticks(Duration::from_millis(USE_FLUSH_MILLISECONDS));
    loop {
        tokio::select! {
            _ = folding.tick() => services.fold_uses(&mut fold),
            _ = writing.tick() => write(&services, &mut fold).await,
            () = stop.fired() => break,
        }
    }
    services.fold_uses(&mut fold);
    write(&services, &mut fold).await;
}

async fn write(services: &Services, fold: &mut Fold) {
    if let Err(error) = services.write_uses(fold).await {
        tracing::warn!(%error, "uses cannot be written at the moment; they are kept");
    }
}

async fn follow(services: Arc<Services>, mut stop: Shutdown) {
    let mut ticks = ticks(FOLLOW);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.fired() => return,
        }
        if let Err(error) = services.catch_up().await {
            tracing::warn!(%error, "changes cannot be read at the moment");
        }
        if let Err(error) = services.redigest_waiting().await {
            tracing::warn!(%error, "tokens of a retired pepper cannot be written at the moment");
        }
    }
}

async fn tidy(services: Arc<Services>, mut stop: Shutdown) {
    let mut ticks = ticks(TIDY);
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
        .trim_feed(services.follower.applied() - FEED_KEPT)
        .await?;
    Ok(())
}

/// Stops answering when this process can no longer be sure to be the only one on its database.
async fn keep_sole(services: Arc<Services>, health: Arc<Health>, mut stop: Shutdown) {
    let mut ticks = ticks(SOLE);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.fired() => return,
        }
        let sole = timeout(SOLE, services.store.is_still_sole()).await;
        if let Ok(Ok(())) = sole {
            continue;
        }
        services.engine.set_answering(false);
        health.set_not_ready("the database is out of reach");
        tracing::error!("the lock on the database is out of reach: this node stops answering");
        regain(&services, &health, &mut stop).await;
    }
}

/// Takes the lock again, reads what changed meanwhile, and only then answers again.
async fn regain(services: &Services, health: &Health, stop: &mut Shutdown) {
    let mut ticks = ticks(SOLE);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.fired() => return,
        }
        let regained = async {
            services.store.become_sole().await?;
            services.catch_up().await
        };
        match regained.await {
            Ok(()) => {
                services.engine.set_answering(true);
                health.set_ready();
                tracing::info!("the lock on the database is held again: this node answers");
                return;
            }
            Err(error) => tracing::warn!(%error, "the lock on the database cannot be taken yet"),
        }
    }
}
