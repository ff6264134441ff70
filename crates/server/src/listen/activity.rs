//! What a connection is doing, and when it has done nothing for too long.
//!
//! Requests note their beginning and end here, the socket notes the first bytes of a head. A timer that is
//! set at most once in [`Limits::header`] looks at the notes: nothing is armed or disarmed for a request.

use super::Limits;
use crate::observe::ListenerMetrics;
use futures_util::task::AtomicWaker;
use http::{Method, StatusCode};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    task::Waker,
    time::Duration,
};
use tokio::time::Instant;

/// A request that has its answer from the listener, since its time was over, needs this long to get it.
const REQUEST_GRACE: Duration = Duration::from_secs(5);
/// An HTTP/2 client that was told to go has this long to go by itself.
const GOODBYE: Duration = Duration::from_secs(1);

/// The notes on one connection.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    metrics: Option<Arc<ListenerMetrics>>,
    in_flight: AtomicU32,
    /// Beginnings and ends of requests so far.
    changes: AtomicU64,
    /// When the head that is being read began, in microseconds after `opened`; 0 when none is.
    head_micros: AtomicU64,
    /// When the last request ended, in microseconds after `opened`.
    idle_micros: AtomicU64,
    /// Since when an answer waits for its client to read, in microseconds after `opened`; 0 when none does.
    blocked_micros: AtomicU64,
    stopping: AtomicBool,
    waker: AtomicWaker,
}

impl Activity {
    pub(super) fn new(metrics: Option<Arc<ListenerMetrics>>) -> Self {
        if let Some(metrics) = &metrics {
            metrics.opened();
        }
        Self {
            opened: Instant::now(),
            metrics,
            in_flight: AtomicU32::new(0),
            changes: AtomicU64::new(0),
            head_micros: AtomicU64::new(0),
            idle_micros: AtomicU64::new(0),
            blocked_micros: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        }
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Whether a request is under way: until its answer has been handed to the system.
    pub(super) fn is_busy(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) > 0
            || self.blocked_micros.load(Ordering::Relaxed) > 0
    }

    /// The client does not take what was written.
    pub(super) fn writing_blocks(&self) {
        if self.blocked_micros.load(Ordering::Relaxed) == 0 {
            self.blocked_micros
                .store(self.micros().max(1), Ordering::Relaxed);
        }
    }

    /// Everything that was written is with the system.
    pub(super) fn all_written(&self) {
        if self.blocked_micros.load(Ordering::Relaxed) > 0 {
            self.blocked_micros.store(0, Ordering::Relaxed);
            self.idle_micros.store(self.micros(), Ordering::Relaxed);
        }
    }

    /// Bytes have arrived: if no request is under way, one begins.
    pub(super) fn bytes_arrived(&self) {
        if !self.is_busy() && self.head_micros.load(Ordering::Relaxed) == 0 {
            self.head_micros
                .store(self.micros().max(1), Ordering::Relaxed);
        }
    }

    /// A request's head is complete.
    pub(super) fn begin(self: &Arc<Self>, method: Method) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        self.changes.fetch_add(1, Ordering::Relaxed);
        self.head_micros.store(0, Ordering::Relaxed);
        InFlight {
            activity: Arc::clone(self),
            method,
            status: None,
            started: Instant::now(),
        }
    }

    /// The connection is to end as soon as nothing is under way.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Whether it is to end; if not, `waker` is woken when it is.
    pub(super) fn is_stopping(&self, waker: &Waker) -> bool {
        self.waker.register(waker);
        self.stopping.load(Ordering::Acquire)
    }
}

impl Drop for Activity {
    fn drop(&mut self) {
        if let Some(metrics) = &self.metrics {
            metrics.closed();
        }
    }
}

/// A request under way, until its answer has been handed over or given up.
#[derive(Debug)]
pub(super) struct InFlight {
    activity: Arc<Activity>,
    method: Method,
    status: Option<StatusCode>,
    started: Instant,
}

impl InFlight {
    pub(super) const fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let activity = &self.activity;
        if let (Some(metrics), Some(status)) = (&activity.metrics, self.status) {
            metrics.answered(&self.method, status, self.started.elapsed());
        }
        activity
            .idle_micros
            .store(activity.micros(), Ordering::Relaxed);
        activity.changes.fetch_add(1, Ordering::Relaxed);
        activity.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// Why a connection was ended from our side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// No request for too long.
    Idle,
    /// A head took too long.
    SlowHead,
    /// A request took too long, even to be told so.
    Stuck,
    /// The listener stops.
    Stopped,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "it was idle for too long",
            Self::SlowHead => "a request's head took too long",
            Self::Stuck => "a request took too long",
            Self::Stopped => "the listener stops",
        })
    }
}

/// What to do with a connection now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Look again then.
    LookAt(Instant),
    /// Tell the client to go.
    SayGoodbye,
    /// Cut it.
    Close(Why),
}

/// Decides when a connection has to end.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    activity: &'a Activity,
    limits: &'a Limits,
    protocol: Protocol,
    /// The changes that were counted when the connection was first seen busy with the same requests.
    busy_since: Option<(u64, Instant)>,
    goodbye_at: Option<Instant>,
}

impl<'a> Watch<'a> {
    pub(super) const fn new(
        activity: &'a Activity,
        limits: &'a Limits,
        protocol: Protocol,
    ) -> Self {
        Self {
            activity,
            limits,
            protocol,
            busy_since: None,
            goodbye_at: None,
        }
    }

    pub(super) fn next(&mut self, now: Instant) -> Next {
        let (deadline, why) = match self.busy_deadline(now) {
            Some(deadline) => (deadline, Why::Stuck),
            None => self.waiting_deadline(),
        };
        if now >= deadline {
            return self.end(now, why);
        }
        // What begins right after this look has its own deadline a whole `header` from now at the earliest.
        Next::LookAt(deadline.min(now + self.limits.header))
    }

    fn busy_deadline(&mut self, now: Instant) -> Option<Instant> {
        if !self.activity.is_busy() {
            self.busy_since = None;
            return None;
        }
        let blocked = self.activity.blocked_micros.load(Ordering::Relaxed);
        if blocked > 0 {
            return Some(
                self.activity.opened + Duration::from_micros(blocked) + self.limits.request,
            );
        }
        let changes = self.activity.changes.load(Ordering::Relaxed);
        let since = match self.busy_since {
            Some((before, since)) if before == changes => since,
            _ => now,
        };
        self.busy_since = Some((changes, since));
        Some(since + self.limits.request + REQUEST_GRACE)
    }

    fn waiting_deadline(&self) -> (Instant, Why) {
        let after = |micros: u64, limit: Duration| {
            self.activity.opened + Duration::from_micros(micros) + limit
        };
        let head = self.activity.head_micros.load(Ordering::Relaxed);
        let idle = after(
            self.activity.idle_micros.load(Ordering::Relaxed),
            self.limits.idle,
        );
        match self.protocol {
            // Bytes of HTTP/2 may be pings as well as heads: only requests tell that it is not idle.
            Protocol::Http2 => (idle, Why::Idle),
            Protocol::Http1 if head > 0 => (after(head, self.limits.header), Why::SlowHead),
            Protocol::Http1 if self.activity.changes.load(Ordering::Relaxed) == 0 => {
                (after(0, self.limits.header), Why::SlowHead)
            }
            Protocol::Http1 => (idle, Why::Idle),
        }
    }

    /// Whether saying goodbye would lose nothing: hyper's HTTP/1 throws away a head that has begun.
    pub(super) fn may_say_goodbye(&self) -> bool {
        self.protocol == Protocol::Http2 || self.activity.head_micros.load(Ordering::Relaxed) == 0
    }

    fn end(&mut self, now: Instant, why: Why) -> Next {
        match (self.protocol, why, self.goodbye_at) {
            (Protocol::Http2, Why::Idle, None) => {
                self.goodbye_at = Some(now + GOODBYE);
                Next::SayGoodbye
            }
            (_, _, Some(gone_at)) if now < gone_at => Next::LookAt(gone_at),
            _ => Next::Close(why),
        }
    }
}
