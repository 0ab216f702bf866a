//! Conditions: from where somebody asks, and whether his session was opened with a second factor.

use ipnet::IpNet;
use std::net::IpAddr;

/// What conditions look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Context {
    /// From where the request comes; nothing when that is not known.
    pub address: Option<IpAddr>,
    /// Whether a second factor was shown; nothing for what a program signs with an `AccessKey`, which nobody asks for one.
    pub mfa_present: Option<bool>,
}

impl Context {
    /// The context of a request from an address as it was written down.
    #[must_use]
    pub fn new(address: &str, mfa_present: Option<bool>) -> Self {
        Self { address: address.parse().ok().map(|address: IpAddr| address.to_canonical()), mfa_present }
    }
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The address lies in one of the networks.
    IpAddress(Vec<IpNet>),
    /// The address lies in none of them.
    NotIpAddress(Vec<IpNet>),
    /// Whether a second factor was shown.
    MfaPresent(bool),
}

impl Condition {
    /// Whether it holds; nothing when that cannot be told.
    #[must_use]
    pub fn holds(&self, context: &Context) -> Option<bool> {
        let within = |networks: &[IpNet]| {
            context.address.map(|address| networks.iter().any(|network| network.contains(&address)))
        };
        match self {
            Self::IpAddress(networks) => within(networks),
            Self::NotIpAddress(networks) => within(networks).map(|within| !within),
            // Without the key a `Bool` is not met, whatever it asks for.
            Self::MfaPresent(wanted) => Some(context.mfa_present == Some(*wanted)),
        }
    }
}
