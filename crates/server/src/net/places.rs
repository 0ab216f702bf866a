//! How many connections there may be, and how many of them from one address, so that one client cannot take them all.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many connections there may be at once, and how long each may think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub total: usize,
    /// From one address; with IPv6, from one network of 64 bits, which is what one client has.
    pub each: usize,
    /// How long the head of a request may take, from the opening of the connection or the end of the request before.
    pub head: Duration,
}

impl Limits {
    /// With the files of the database they stay below the 1024 that a process may usually open.
    const TOTAL: usize = 768;

    /// For clients that come by themselves.
    pub const DIRECT: Self = Self { total: Self::TOTAL, each: 256, head: Duration::from_secs(10) };

    /// For clients that a proxy brings, all from its own address.
    pub const BEHIND_PROXY: Self = Self { each: Self::TOTAL, ..Self::DIRECT };
}

/// The places taken.
#[derive(Debug, Clone)]
pub(super) struct Places {
    limits: Limits,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One connection's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    address: IpAddr,
    taken: Arc<Mutex<Taken>>,
}

impl Places {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, taken: Arc::default() }
    }

    /// A place, if there is one.
    pub(super) fn take(&self, address: IpAddr) -> Option<Place> {
        let address = network(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = taken.by_address.get(&address).copied().unwrap_or(0);
        if taken.total >= self.limits.total || of_address >= self.limits.each {
            return None;
        }
        taken.total += 1;
        taken.by_address.insert(address, of_address + 1);
        Some(Place { address, taken: Arc::clone(&self.taken) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.total = taken.total.saturating_sub(1);
        let left = taken.by_address.get(&self.address).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            taken.by_address.remove(&self.address);
        } else {
            taken.by_address.insert(self.address, left);
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_132_one_address_cannot_take_all_places() {
        let places = Places::new(Limits { total: 3, each: 2, ..Limits::DIRECT });
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = places.take(ip("192.0.2.1")).unwrap();
        let _second = places.take(ip("::ffff:192.0.2.1")).unwrap();
        assert!(places.take(ip("192.0.2.1")).is_none());
        let other = places.take(ip("2001:db8::1")).unwrap();
        assert!(places.take(ip("192.0.2.2")).is_none(), "the house is full");
        drop(first);
        let _same_network = places.take(ip("2001:db8::ffff:2")).unwrap();
        drop(other);
        assert!(places.take(ip("2001:db8::3")).is_some());
        assert_eq!(places.taken.lock().unwrap().total, 2);
    }
}
