use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Below the ports that systems hand out for outgoing connections, which could otherwise take a free port
/// between its choice and its use.
const PORTS: Range<u16> = 12_000..32_000;

/// A TCP port of 127.0.0.1 on which nobody listens. One process never gets the same port twice.
///
/// # Panics
/// When every port is taken.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let start = u64::from_str_radix(&crate::random_name(), 16).expect("hexadecimal digits");
    first_free(start, &mut given).expect("a free port on 127.0.0.1")
}

/// The first port from `start` on, in a circle, that is neither taken nor among those `given`, which it joins.
fn first_free(start: u64, given: &mut BTreeSet<u16>) -> Option<u16> {
    let count = PORTS.end - PORTS.start;
    let start = u16::try_from(start % u64::from(count)).expect("less than the number of ports");
    (0..count)
        .map(|step| PORTS.start + (start + step) % count)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok() && given.insert(*port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_and_different() {
        let ports: Vec<u16> = (0..200).map(|_| free_port()).collect();
        let different: BTreeSet<_> = ports.iter().collect();
        assert_eq!(different.len(), ports.len());
        for port in ports {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("nobody listens on it");
        }
    }

    #[test]
    fn a_taken_port_is_passed_over() {
        let own = free_port();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, own)).unwrap();
        let start = u64::from(own - PORTS.start);
        let found = first_free(start, &mut BTreeSet::new()).unwrap();
        assert_ne!(found, own);
        drop(listener);
        assert_eq!(first_free(start, &mut BTreeSet::new()), Some(own));
    }
}
