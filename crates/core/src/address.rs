//! From which address somebody asks, behind whatever proxies there are.

use std::net::IpAddr;

/// The client's address: the peer's, or what the outermost of `hops` trusted proxies saw, by the values of
/// `X-Forwarded-For` in their order. Mapped addresses are unwrapped. Where the proxies do not tell, it is empty: no network
/// admits that, and all such clients share one count.
#[must_use]
pub fn client_address<'a>(peer: Option<IpAddr>, forwarded: impl Iterator<Item = &'a str>, hops: usize) -> String {
    let client = if hops == 0 { peer } else { told(forwarded, hops) };
    if client.is_none() {
        tracing::warn!(hops, "the proxies did not tell the client's address in X-Forwarded-For");
    }
    client.map(|address| address.to_canonical().to_string()).unwrap_or_default()
}

/// The address that `hops` proxies ago was a peer. Whatever lies before it the client may have made up.
fn told<'a>(forwarded: impl Iterator<Item = &'a str>, hops: usize) -> Option<IpAddr> {
    let chain: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
    let at = chain.len().checked_sub(hops)?;
    chain.get(at)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_trusted_proxies_added_is_believed() {
        let told = |hops| told(["6.6.6.6, 10.0.0.9", "192.0.2.7"].into_iter(), hops);
        assert_eq!(told(1), Some("192.0.2.7".parse().unwrap()));
        assert_eq!(told(2), Some("10.0.0.9".parse().unwrap()));
        assert_eq!(told(4), None);
    }

    #[test]
    fn a_mapped_address_is_one_of_ipv4() {
        let peer = Some("::ffff:192.0.2.7".parse().unwrap());
        assert_eq!(client_address(peer, std::iter::empty(), 0), "192.0.2.7");
        assert_eq!(client_address(peer, std::iter::empty(), 1), "");
    }
}
