//! Failed sign-ins, counted so that guessing is slow and the owner is never locked out.
//!
//! Three counters, in memory. Of an *account*, for devices it does not know: after a few failures each further
//! try waits, twice as long each time, up to a quarter of an hour. Of a *device* that has signed in to the account
//! before (it holds a cookie that says so): the same, by itself, so that strangers who hammer at an account never
//! delay its owner at home. Of an *address*, whoever it tries: so many in a window. What is refused here is not
//! compared and not counted, so waiting is enough.

use hallpass_domain::{
    limits::{
        SIGN_IN_COUNTERS_MAX, SIGN_IN_DELAY_MAX_SECONDS, SIGN_IN_FAILURES_FREE,
        SIGN_IN_FAILURES_PER_ACCOUNT_MAX, SIGN_IN_FAILURES_PER_ADDRESS_MAX, SIGN_IN_WINDOW_SECONDS,
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
    /// The device, if it has signed in to this account before.
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
}

impl Throttle {
    /// Whether this attempt may be made at `now`. It is counted as failed at once, and taken back by
    /// [`Throttle::succeeded`]: many attempts at the same moment cannot slip through together.
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
            let counter = counters.entry(key.clone()).or_insert(Counter {
                failures: 0,
                since: now,
                last: now,
            });
            if is_over(&key, counter, now) {
                *counter = Counter {
                    failures: 0,
                    since: now,
                    last: now,
                };
            }
            counter.failures = counter.failures.saturating_add(1);
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

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Counter>> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    fn keys(&self) -> Vec<Key> {
        let who = self.known_device.map_or_else(
            || Key::Account(self.account.to_owned()),
            |device| Key::Device(device.to_owned()),
        );
        std::iter::once(who)
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
    let doublings = failures - SIGN_IN_FAILURES_FREE;
    if doublings >= 10 || failures >= SIGN_IN_FAILURES_PER_ACCOUNT_MAX {
        return SIGN_IN_DELAY_MAX_SECONDS;
    }
    let seconds = 1_i64 << doublings;
    if seconds > SIGN_IN_DELAY_MAX_SECONDS {
        SIGN_IN_DELAY_MAX_SECONDS
    } else {
        seconds
    }
}

/// Past the limit, what has been quiet for longest gives way.
fn make_room(counters: &mut HashMap<Key, Counter>, key: &Key) {
    if counters.len() < SIGN_IN_COUNTERS_MAX || counters.contains_key(key) {
        return;
    }
    let mut lasts: Vec<Timestamp> = counters.values().map(|counter| counter.last).collect();
    let (_, middle, _) = lasts.select_nth_unstable(SIGN_IN_COUNTERS_MAX / 10);
    let middle = *middle;
    counters.retain(|_, counter| counter.last > middle);
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_micros(1_000_000_000_000);

    fn from(account: &str, last: u8) -> Attempt<'_> {
        Attempt {
            account,
            known_device: None,
            address: Some(IpAddr::from([192, 0, 2, last])),
        }
    }

    #[test]
    fn waits_double_after_the_free_failures() {
        let throttle = Throttle::default();
        for n in 0..5 {
            assert_eq!(throttle.try_now(&from("ada", n), START), Ok(()));
        }
        assert_eq!(throttle.try_now(&from("ada", 6), START), Err(Wait(2)));
        assert_eq!(
            throttle.try_now(&from("bob", 6), START),
            Ok(()),
            "another account is not touched"
        );
        let mut now = START;
        let mut waits = Vec::new();
        for _ in 0..12 {
            let Err(Wait(seconds)) = throttle.try_now(&from("ada", 7), now) else {
                panic!("no wait")
            };
            waits.push(seconds - 1);
            now = now.plus_seconds(seconds);
            assert_eq!(throttle.try_now(&from("ada", 7), now), Ok(()));
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    }

    #[test]
    fn strangers_never_delay_the_owners_device() {
        let throttle = Throttle::default();
        for n in 0..101 {
            let _ = throttle.try_now(&from("ada", n), START);
        }
        assert!(throttle.try_now(&from("ada", 200), START).is_err());
        let home = Attempt {
            known_device: Some("laptop"),
            ..from("ada", 201)
        };
        assert_eq!(throttle.try_now(&home, START), Ok(()));
        throttle.succeeded(&home);
        for _ in 0..5 {
            assert_eq!(throttle.try_now(&home, START), Ok(()));
        }
        assert!(
            throttle.try_now(&home, START).is_err(),
            "a stolen device is slowed by itself"
        );
    }

    #[test]
    fn an_address_has_so_many_failures_in_a_window() {
        let throttle = Throttle::default();
        for n in 0..50 {
            assert_eq!(
                throttle.try_now(&from(&format!("user-{n}"), 9), START),
                Ok(())
            );
        }
        assert!(throttle.try_now(&from("someone", 9), START).is_err());
        assert_eq!(throttle.try_now(&from("someone", 10), START), Ok(()));
        assert_eq!(
            throttle.try_now(
                &from("someone-else", 9),
                START.plus_seconds(SIGN_IN_WINDOW_SECONDS)
            ),
            Ok(())
        );
    }

    #[test]
    fn one_network_of_ipv6_is_one_address() {
        let throttle = Throttle::default();
        let at = |n: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, n, 0, 0, 1]);
        for n in 0..50 {
            let account = n.to_string();
            assert_eq!(
                throttle.try_now(
                    &Attempt {
                        account: &account,
                        known_device: None,
                        address: Some(at(n))
                    },
                    START
                ),
                Ok(())
            );
        }
        assert!(
            throttle
                .try_now(
                    &Attempt {
                        account: "x",
                        known_device: None,
                        address: Some(at(77))
                    },
                    START
                )
                .is_err()
        );
    }

    #[test]
    fn success_starts_anew() {
        let throttle = Throttle::default();
        for _ in 0..4 {
            throttle.try_now(&from("ada", 1), START).unwrap();
        }
        throttle.try_now(&from("ada", 1), START).unwrap();
        throttle.succeeded(&from("ada", 1));
        assert_eq!(throttle.try_now(&from("ada", 1), START), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::default();
        for n in 0..SIGN_IN_COUNTERS_MAX + 1_000 {
            let account = n.to_string();
            let _ = throttle.try_now(
                &Attempt {
                    account: &account,
                    known_device: None,
                    address: None,
                },
                START.plus_seconds(i64::try_from(n).unwrap_or(0) / 1_000),
            );
        }
        assert!(throttle.lock().len() <= SIGN_IN_COUNTERS_MAX);
    }
}
