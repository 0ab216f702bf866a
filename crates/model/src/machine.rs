//! Browsers that are known: one that a logon came to its end in, and one that may skip the second factor for a while.

use crate::clock::Timestamp;
use crate::ids::{AccountId, BrowserId, MachineId, PrincipalId};
use std::net::IpAddr;
use std::time::Duration;

/// How long a machine is remembered: from the logon that asked for it, however often it is used.
pub const REMEMBERED_FOR: Duration = Duration::from_hours(7 * 24);

/// How long a browser is known after its last logon.
pub const KNOWN_FOR: Duration = Duration::from_hours(90 * 24);

/// How long a network is known after the last logon with a second factor from it.
pub const NETWORK_KNOWN_FOR: Duration = Duration::from_hours(30 * 24);

/// A machine that skips the second factor at logon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RememberedMachine {
    /// Its id. The secret that the browser holds is another one, and changes at each use.
    pub id: MachineId,
    /// The account.
    pub account_id: AccountId,
    /// For whom it is remembered.
    pub principal_id: PrincipalId,
    /// The principal's epoch that it was remembered in.
    pub principal_epoch: i64,
    /// The account's epoch likewise.
    pub account_epoch: i64,
    /// When it was remembered.
    pub created_at: Timestamp,
    /// When it is forgotten.
    pub expires_at: Timestamp,
    /// When a logon last used it.
    pub last_used_at: Timestamp,
    /// From which address.
    pub address: String,
    /// The browser, as it called itself.
    pub user_agent: String,
}

/// A browser in which a logon of a principal came to its end. It grants nothing; strangers cannot lock it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownBrowser {
    /// Its id, under which its tries of the password are counted.
    pub id: BrowserId,
    /// When it is forgotten, unless it is used again.
    pub expires_at: Timestamp,
    /// When it last showed a second factor.
    pub last_mfa_at: Option<Timestamp>,
}

/// The network that an address lies in, as far as one household or office shares it: /24 of IPv4, /48 of IPv6. An address
/// that cannot be read is a network of its own.
#[must_use]
pub fn neighbourhood(address: &str) -> String {
    network_of(address, 24, 48)
}

/// The network that one customer of a provider has: the address of IPv4, /64 of IPv6. Mapped addresses count as IPv4.
#[must_use]
pub fn customer_network(address: &str) -> String {
    network_of(address, 32, 64)
}

fn network_of(address: &str, v4: u8, v6: u8) -> String {
    let Ok(ip) = address.parse::<IpAddr>() else { return address.chars().take(64).collect() };
    let ip = ip.to_canonical();
    let length = if ip.is_ipv4() { v4 } else { v6 };
    ipnet::IpNet::new(ip, length).map_or_else(|_| ip.to_string(), |network| network.trunc().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_021_addresses_of_one_customer_are_one() {
        assert_eq!(customer_network("192.0.2.7"), "192.0.2.7/32");
        assert_eq!(customer_network("::ffff:192.0.2.7"), "192.0.2.7/32");
        assert_eq!(customer_network("2001:db8:1:2:3:4:5:6"), customer_network("2001:db8:1:2::9"));
        assert_ne!(customer_network("2001:db8:1:2::9"), customer_network("2001:db8:1:3::9"));
    }

    #[test]
    fn a_neighbourhood_is_wider() {
        assert_eq!(neighbourhood("192.0.2.7"), "192.0.2.0/24");
        assert_eq!(neighbourhood("2001:db8:1:2::9"), "2001:db8:1::/48");
        assert_eq!(neighbourhood("command line"), "command line");
    }
}
