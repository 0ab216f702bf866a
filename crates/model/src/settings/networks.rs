//! From where RAM users may log on: addresses and networks, IPv4 and IPv6, separated by semicolons.

use ipnet::IpNet;
use std::net::IpAddr;
use std::str::FromStr;

/// The most networks of one account.
pub const MOST_MASKS: usize = 40;
/// The most characters of their text.
pub const LONGEST_MASKS: usize = 512;

/// Networks as typed, and as they are compared. No network at all means every address.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NetworkMasks(Vec<IpNet>);

/// A text that is no list of networks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMasks {
    /// One of them is neither an address nor a network.
    #[error("`{0}` is neither an address nor a network")]
    NotANetwork(String),
    /// More than 40 of them.
    #[error("more than {MOST_MASKS} networks")]
    TooMany,
    /// More than 512 characters.
    #[error("more than {LONGEST_MASKS} characters")]
    TooLong,
}

impl InvalidMasks {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotANetwork(_) => "InvalidParameter.LoginNetworkMasks.Format",
            Self::TooMany => "InvalidParameter.LoginNetworkMasks.TooMany",
            Self::TooLong => "InvalidParameter.LoginNetworkMasks.Length",
        }
    }
}

impl NetworkMasks {
    /// Whether logon is open to every address.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The networks.
    #[must_use]
    pub fn networks(&self) -> &[IpNet] {
        &self.0
    }

    /// Whether somebody at this address may log on. What is no address may not, once there are networks. An IPv4 address
    /// mapped into IPv6 counts as the IPv4 address.
    #[must_use]
    pub fn admit(&self, address: &str) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let Ok(address) = address.parse::<IpAddr>() else { return false };
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether every address that `other` admits is admitted here.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        if self.is_empty() {
            return true;
        }
        // Networks side by side cover together what none of them covers alone.
        let whole = IpNet::aggregate(&self.0);
        !other.is_empty() && other.0.iter().all(|network| whole.iter().any(|one| one.contains(network)))
    }
}

impl FromStr for NetworkMasks {
    type Err = InvalidMasks;

    /// Reads networks separated by semicolons; spaces and line breaks around them do not count. A network is kept without
    /// the bits of a host.
    fn from_str(text: &str) -> Result<Self, InvalidMasks> {
        let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
        let networks = parts.map(parse_one).collect::<Result<Vec<_>, _>>()?;
        if networks.len() > MOST_MASKS {
            return Err(InvalidMasks::TooMany);
        }
        let masks = Self(networks);
        if masks.to_string().len() > LONGEST_MASKS { Err(InvalidMasks::TooLong) } else { Ok(masks) }
    }
}

fn parse_one(text: &str) -> Result<IpNet, InvalidMasks> {
    let network = text.parse::<IpNet>().ok().or_else(|| Some(IpNet::from(text.parse::<IpAddr>().ok()?.to_canonical())));
    let network = network.ok_or_else(|| InvalidMasks::NotANetwork(text.chars().take(50).collect()))?;
    Ok(network.trunc())
}

impl std::fmt::Display for NetworkMasks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, network) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ";" };
            if network.prefix_len() == network.max_prefix_len() {
                write!(f, "{separator}{}", network.addr())?;
            } else {
                write!(f, "{separator}{network}")?;
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for NetworkMasks {
    type Error = InvalidMasks;

    fn try_from(text: String) -> Result<Self, InvalidMasks> {
        text.parse()
    }
}

impl From<NetworkMasks> for String {
    fn from(masks: NetworkMasks) -> Self {
        masks.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks(text: &str) -> Result<NetworkMasks, InvalidMasks> {
        text.parse()
    }

    #[test]
    fn networks_and_addresses_of_both_kinds_are_read() {
        let read = masks(" 10.1.2.3/8 ; 192.0.2.7;2001:db8::1;\n fd00::/8; ").unwrap();
        assert_eq!(read.to_string(), "10.0.0.0/8;192.0.2.7;2001:db8::1;fd00::/8");
        for inside in ["10.200.0.1", "192.0.2.7", "2001:db8::1", "fd12::9", "::ffff:10.0.0.1"] {
            assert!(read.admit(inside), "{inside}");
        }
        for outside in ["11.0.0.1", "192.0.2.8", "2001:db8::2", "::1", "", "localhost"] {
            assert!(!read.admit(outside), "{outside}");
        }
    }

    #[test]
    fn no_network_admits_everybody() {
        assert!(masks("").unwrap().admit("203.0.113.9"));
        assert!(masks(" ; ").unwrap().admit(""));
    }

    #[test]
    fn networks_cover_others_also_together() {
        for (one, other, covers) in [
            ("", "", true),
            ("", "10.0.0.0/8", true),
            ("10.0.0.0/8", "", false),
            ("10.0.0.0/8", "10.1.0.0/16;10.9.9.9", true),
            ("10.1.0.0/16", "10.0.0.0/8", false),
            ("10.0.0.0/9;10.128.0.0/9", "10.0.0.0/8", true),
            ("10.0.0.0/8", "10.0.0.0/8;192.0.2.7", false),
            ("::/0", "10.0.0.0/8", false),
            ("fd00::/8;0.0.0.0/0", "fd00::1;192.0.2.7", true),
        ] {
            assert_eq!(masks(one).unwrap().covers(&masks(other).unwrap()), covers, "{one} over {other}");
        }
    }

    #[test]
    fn attack_047_what_is_no_network_is_refused() {
        for bad in ["10.0.0.0/33", "10.0.0", "example.com", "10.0.0.0/8,11.0.0.0/8", "::/129"] {
            assert!(matches!(masks(bad), Err(InvalidMasks::NotANetwork(_))), "{bad}");
        }
        let list = |count: usize| (0..count).map(|n| format!("10.0.{n}.1")).collect::<Vec<_>>().join(";");
        assert!(masks(&list(40)).is_ok());
        assert_eq!(masks(&list(41)), Err(InvalidMasks::TooMany));
        let long = (0..20).map(|n| format!("2001:db8:aaaa:bbbb:cccc:dddd:1111:{n}")).collect::<Vec<_>>().join(";");
        assert_eq!(masks(&long), Err(InvalidMasks::TooLong));
    }
}
