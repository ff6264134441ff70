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
    for _ in 0..97 {
        let Err(Wait(seconds)) = throttle.try_now(&from("ada", 7), now) else {
            panic!("no wait")
        };
        waits.push(seconds - 1);
        now = now.plus_seconds(seconds);
        assert_eq!(throttle.try_now(&from("ada", 7), now), Ok(()));
    }
    let expected = [vec![1, 2, 4, 8, 16, 32], vec![60; 89], vec![900; 2]].concat();
    assert_eq!(waits, expected, "a hundred failures, then the long wait");
    assert!(waits[..95].iter().sum::<i64>() > 60 * 60);
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
fn a_known_device_does_not_share_its_addresss_counter() {
    let throttle = Throttle::default();
    for n in 0..50 {
        let _ = throttle.try_now(&from(&format!("user-{n}"), 9), START);
    }
    assert!(throttle.try_now(&from("someone", 9), START).is_err());
    let home = |last| Attempt {
        known_device: Some("laptop"),
        ..from("ada", last)
    };
    for n in 0..5 {
        assert_eq!(throttle.try_now(&home(9), START), Ok(()), "{n}");
    }
    // Nor does it fill the counter of another address, or give anything back to one.
    for n in 0..49 {
        let _ = throttle.try_now(&from(&format!("user-{n}"), 10), START);
    }
    throttle.succeeded(&home(10));
    assert_eq!(throttle.try_now(&home(10), START), Ok(()));
    assert_eq!(throttle.try_now(&from("user-49", 10), START), Ok(()));
    assert!(throttle.try_now(&from("user-50", 10), START).is_err());
}

#[test]
fn what_was_given_back_was_never_made() {
    let throttle = Throttle::default();
    for _ in 0..60 {
        assert_eq!(throttle.try_now(&from("ada", 1), START), Ok(()));
        throttle.give_back(&from("ada", 1), START);
    }
    assert!(throttle.lock().is_empty(), "nothing is left behind");
    for _ in 0..7 {
        let Err(Wait(seconds)) = throttle.try_now(&from("bob", 1), START) else {
            continue;
        };
        assert_eq!(seconds, 2);
    }
    // The wait runs on from the last failure, not from what was given back.
    let (second, later) = (START.plus_seconds(1), START.plus_seconds(2));
    assert_eq!(throttle.try_now(&from("bob", 1), second), Ok(()));
    assert_eq!(throttle.try_now(&from("bob", 1), later), Err(Wait(2)));
    let again = START.plus_seconds(4);
    assert_eq!(throttle.try_now(&from("bob", 1), again), Ok(()));
    throttle.give_back(&from("bob", 1), again);
    assert_eq!(throttle.try_now(&from("bob", 1), again), Ok(()));
}

#[test]
fn nothing_is_given_back_to_a_counter_that_began_later() {
    let throttle = Throttle::default();
    let next = START.plus_seconds(SIGN_IN_WINDOW_SECONDS);
    throttle.try_now(&from("slow", 1), START).unwrap();
    for n in 0..50 {
        throttle.try_now(&from(&n.to_string(), 1), next).unwrap();
    }
    throttle.give_back(&from("slow", 1), START);
    assert!(throttle.try_now(&from("one more", 1), next).is_err());
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
    assert_eq!(
        throttle.lock().len(),
        SIGN_IN_COUNTERS_MAX - SIGN_IN_COUNTERS_MAX / 10 + 1_000
    );
    let held = |n: usize| throttle.lock().contains_key(&Key::Account(n.to_string()));
    assert!(!held(0) && held(SIGN_IN_COUNTERS_MAX - 1), "the oldest go");
}

#[test]
fn a_tenth_gives_way_when_all_are_of_one_moment() {
    let throttle = Throttle::default();
    for n in 0..=SIGN_IN_COUNTERS_MAX {
        let account = n.to_string();
        let attempt = Attempt {
            account: &account,
            known_device: None,
            address: None,
        };
        throttle.try_now(&attempt, START).unwrap();
    }
    assert_eq!(
        throttle.lock().len(),
        SIGN_IN_COUNTERS_MAX - SIGN_IN_COUNTERS_MAX / 10 + 1
    );
}
