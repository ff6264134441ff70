//! Failed sign-ins, counted so that guessing is slow and the owner is never locked out.
//!
//! Who holds a proof of having been here is counted by that proof alone: a *device* that has signed in to this
//! account before (it holds a cookie that says so), or the session of a person who confirms their password. Nobody
//! else can hold it, so nothing that strangers do, at the account or from the same address, makes its holder wait.
//! Everybody else is counted twice: by the *account* they try, whether or not it exists, and by their *address*.
//!
//! The rule of an account and of a device is one: [`SIGN_IN_FAILURES_FREE`] failures cost nothing, then each further
//! try waits, twice as long each time up to [`SIGN_IN_DELAY_MAX_SECONDS`], and from
//! [`SIGN_IN_FAILURES_PER_ACCOUNT_MAX`] failures in a row on [`SIGN_IN_DELAY_AT_MAX_SECONDS`]. Success, or a day of
//! quiet, starts anew. So the first hundred guesses take an hour and a half, later ones come at four an hour, and an
//! owner on a new device waits a minute rather than a quarter of an hour unless somebody keeps at it that long.
//! An address, whoever it tries, has so many failures in a window.
//!
//! What is refused here is not compared and not counted, so waiting is enough; what could not be compared is given
//! back.

use hallpass_domain::{
    limits::{
        SIGN_IN_COUNTERS_MAX, SIGN_IN_DELAY_AT_MAX_SECONDS, SIGN_IN_DELAY_MAX_SECONDS,
        SIGN_IN_FAILURES_FREE, SIGN_IN_FAILURES_PER_ACCOUNT_MAX, SIGN_IN_FAILURES_PER_ADDRESS_MAX,
        SIGN_IN_WINDOW_SECONDS,
    },
    time::Timestamp,
};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Who is trying.
#[derive(Clone, Debug)]
pub struct Attempt<'a> {
    /// The account's key, whether or not there is such an account.
    pub account: &'a str,
    /// The device, if it has signed in to this account before, or what else proves as much: the id of a session.
    /// Who calls has checked it.
    pub known_device: Option<&'a str>,
    /// The address, if there is one.
    pub address: Option<IpAddr>,
}

/// Come back after so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait(pub i64);

/// The counters.
#[derive(Debug, Default)]
pub struct Throttle {
    counters: Mutex<HashMap<Key, Counter>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Account(String),
    Device(String),
    Address(IpAddr),
}

#[derive(Clone, Copy, Debug)]
struct Counter {
    failures: u32,
    since: Timestamp,
    last: Timestamp,
    /// The one before the last, for when the last is given back.
    before: Timestamp,
}

impl Counter {
    const fn new(now: Timestamp) -> Self {
        Self {
            failures: 0,
            since: now,
            last: now,
            before: now,
        }
    }
}

impl Throttle {
    /// Whether this attempt may be made at `now`. It is counted as failed at once, and taken back by
    /// [`Throttle::succeeded`] or [`Throttle::give_back`]: many attempts at the same moment cannot slip through
    /// together.
    ///
    /// # Errors
    /// How long to wait.
    pub fn try_now(&self, attempt: &Attempt<'_>, now: Timestamp) -> Result<(), Wait> {
        let mut counters = self.lock();
        let keys = attempt.keys();
        let wait = keys
            .iter()
            .filter_map(|key| {
                counters
                    .get(key)
                    .and_then(|counter| wait(key, counter, now))
            })
            .max();
        if let Some(seconds) = wait {
            return Err(Wait(seconds));
        }
        for key in keys {
            make_room(&mut counters, &key);
            let counter = counters.entry(key.clone()).or_insert(Counter::new(now));
            if is_over(&key, counter, now) {
                *counter = Counter::new(now);
            }
            counter.failures = counter.failures.saturating_add(1);
            counter.before = counter.last;
            counter.last = now;
        }
        Ok(())
    }

    /// The attempt was right: the account and the device start anew, the address gets this one back.
    pub fn succeeded(&self, attempt: &Attempt<'_>) {
        let mut counters = self.lock();
        for key in attempt.keys() {
            match &key {
                Key::Address(_) => {
                    if let Some(counter) = counters.get_mut(&key) {
                        counter.failures = counter.failures.saturating_sub(1);
                    }
                }
                Key::Account(_) | Key::Device(_) => {
                    counters.remove(&key);
                }
            }
        }
    }

    /// The attempt that was let through at `at` was never compared: it is as if it had not been made.
    pub fn give_back(&self, attempt: &Attempt<'_>, at: Timestamp) {
        let mut counters = self.lock();
        for key in attempt.keys() {
            // A counter that began later does not hold this attempt.
            let Some(counter) = counters.get_mut(&key).filter(|held| held.since <= at) else {
                continue;
            };
            counter.failures = counter.failures.saturating_sub(1);
            if counter.last == at {
                counter.last = counter.before;
            }
            if counter.failures == 0 {
                counters.remove(&key);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Counter>> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    fn keys(&self) -> Vec<Key> {
        if let Some(device) = self.known_device {
            return vec![Key::Device(device.to_owned())];
        }
        std::iter::once(Key::Account(self.account.to_owned()))
            .chain(self.address.map(|address| Key::Address(network(address))))
            .collect()
    }
}

/// A household or a machine has a whole /64 of IPv6 to itself.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

fn is_over(key: &Key, counter: &Counter, now: Timestamp) -> bool {
    match key {
        Key::Address(_) => now.seconds_since(counter.since) >= SIGN_IN_WINDOW_SECONDS,
        // A day of quiet: longer than any wait, so that waiting once does not buy a fresh start.
        Key::Account(_) | Key::Device(_) => {
            now.seconds_since(counter.last) >= hallpass_domain::time::SECONDS_PER_DAY
        }
    }
}

fn wait(key: &Key, counter: &Counter, now: Timestamp) -> Option<i64> {
    if is_over(key, counter, now) {
        return None;
    }
    let until = match key {
        Key::Address(_) if counter.failures >= SIGN_IN_FAILURES_PER_ADDRESS_MAX => {
            counter.since.plus_seconds(SIGN_IN_WINDOW_SECONDS)
        }
        Key::Address(_) => return None,
        Key::Account(_) | Key::Device(_) => counter.last.plus_seconds(delay(counter.failures)),
    };
    (now < until).then(|| (until.seconds_since(now) + 1).max(1))
}

/// Seconds to wait after so many failures in a row.
const fn delay(failures: u32) -> i64 {
    if failures < SIGN_IN_FAILURES_FREE {
        return 0;
    }
    if failures >= SIGN_IN_FAILURES_PER_ACCOUNT_MAX {
        return SIGN_IN_DELAY_AT_MAX_SECONDS;
    }
    match 1_i64.checked_shl(failures - SIGN_IN_FAILURES_FREE) {
        Some(seconds) if 0 < seconds && seconds < SIGN_IN_DELAY_MAX_SECONDS => seconds,
        _ => SIGN_IN_DELAY_MAX_SECONDS,
    }
}

/// Past the limit, the tenth that has been quiet for longest gives way.
fn make_room(counters: &mut HashMap<Key, Counter>, key: &Key) {
    const TENTH: usize = SIGN_IN_COUNTERS_MAX / 10;
    if counters.len() < SIGN_IN_COUNTERS_MAX || counters.contains_key(key) {
        return;
    }
    let mut lasts: Vec<Timestamp> = counters.values().map(|counter| counter.last).collect();
    let (earlier, edge, _) = lasts.select_nth_unstable(TENTH);
    let edge = *edge;
    // Many may share the edge's moment, all of them even; only so many of those go as the tenth still lacks.
    let mut lacking = TENTH - earlier.iter().filter(|last| **last < edge).count();
    counters.retain(|_, counter| {
        if counter.last == edge && lacking > 0 {
            lacking -= 1;
            return false;
        }
        counter.last >= edge
    });
}

#[cfg(test)]
mod tests;
