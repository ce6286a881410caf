//! Who is at the other end: addresses, proxies that are believed, and the name we were called by.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use hyper::header::HOST;
use hyper::http::request::Parts;
use serde::de::{Deserialize, Deserializer, Error};

use crate::CollectConfig;

/// The connection that a request came over.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// The other end.
    pub address: SocketAddr,
    /// Whether the connection is TLS that we ended ourselves.
    pub secure: bool,
}

/// A range of addresses, as `10.0.0.0/8` or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Text that is not a range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a network is an address, or an address and the length of its prefix, as in 10.0.0.0/8")]
pub struct NetworkError;

impl Network {
    /// Whether the address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let shift = |width: u8| u32::from(width.saturating_sub(self.prefix));
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (own.to_bits() ^ other.to_bits()).checked_shr(shift(32)).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (own.to_bits() ^ other.to_bits()).checked_shr(shift(128)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| NetworkError)?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(width), str::parse).map_err(|_| NetworkError)?;
        if prefix > width { Err(NetworkError) } else { Ok(Self { address, prefix }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Whether a proxy that is believed is at the other end.
fn is_proxied(config: &CollectConfig, address: IpAddr) -> bool {
    config.trusted_proxies.iter().any(|network| network.contains(address))
}

/// Where a request comes from: the other end of the connection, or behind believed proxies the last in
/// `X-Forwarded-For` that is not one of them. None where a proxy says what is no address.
pub fn sender_address(config: &CollectConfig, parts: &Parts, peer: Peer) -> Option<IpAddr> {
    let mut address = peer.address.ip().to_canonical();
    if is_proxied(config, address) {
        let forwarded = parts.headers.get_all("x-forwarded-for").iter();
        let list: Vec<&str> =
            forwarded.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(',')).collect();
        for entry in list.into_iter().rev() {
            address = forwarded_address(entry.trim())?;
            if !is_proxied(config, address) {
                break;
            }
        }
    }
    Some(address)
}

/// The address of the customer's own connection, if it may be kept.
pub(crate) fn client_address(config: &CollectConfig, parts: &Parts, peer: Peer) -> Option<String> {
    let address = sender_address(config, parts, peer)?;
    (address.is_ipv4() || config.collect_ipv6).then(|| address.to_string())
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`
fn forwarded_address(text: &str) -> Option<IpAddr> {
    let address = text.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|a| a.ip()));
    Some(address.ok()?.to_canonical())
}

/// What the client called us: scheme and host, with the port if it named one.
pub fn own_address(
    config: &CollectConfig,
    parts: &Parts,
    peer: Peer,
) -> Option<(&'static str, String)> {
    let believed = is_proxied(config, peer.address.ip());
    let header = |name: &str| parts.headers.get(name)?.to_str().ok();
    let forwarded = |name: &str| {
        let value = header(name).filter(|_| believed)?;
        Some(value.split(',').next().unwrap_or(value).trim())
    };
    let secure = forwarded("x-forwarded-proto").map_or(peer.secure, |proto| proto == "https");
    let host = forwarded("x-forwarded-host")
        .or_else(|| header(HOST.as_str()))
        .or_else(|| parts.uri.authority().map(|authority| authority.as_str()))?;
    let allowed =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    let valid = !host.is_empty() && host.len() <= 255 && host.bytes().all(allowed);
    valid.then(|| (if secure { "https" } else { "http" }, host.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests;
