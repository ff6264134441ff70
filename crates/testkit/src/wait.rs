use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(10);

/// Waits for something outside of this process to become true, looking every few milliseconds.
///
/// Only for what cannot report by itself, such as a foreign program that starts to listen: what this process
/// does itself is waited for with a channel or a join, never by looking again.
///
/// # Panics
/// When `condition` is still false after `timeout`, naming `what`.
#[track_caller]
#[expect(
    clippy::disallowed_methods,
    reason = "foreign programs live in real time; only this place looks at it"
)]
pub fn wait_until(what: &str, timeout: Duration, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(
            started.elapsed() < timeout,
            "waited {timeout:?} in vain for {what}"
        );
        std::thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_until_it_is_true() {
        let mut looks = 0;
        wait_until("three looks", Duration::from_secs(30), || {
            looks += 1;
            looks == 3
        });
        assert_eq!(looks, 3);
    }

    #[test]
    #[should_panic(expected = "in vain for the impossible")]
    fn gives_up_and_says_on_what() {
        wait_until("the impossible", Duration::ZERO, || false);
    }
}
