//! Addresses that something is reached at.

use std::net::IpAddr;

use serde_json::Value;

use crate::failure::Cause;

pub(super) const NO_ADDRESS: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

pub(super) const NO_RANGE: &str = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

/// A range of addresses: one of them, and how many bits they have in common.
pub(super) fn range(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = text.split_once('/')?;
    let address = parse(&address.into())?;
    let bits: u32 = bits.parse().ok()?;
    let most = if address.is_ipv6() { 128 } else { 32 };
    (bits <= most).then_some((address, bits))
}

/// Whether an address is in a range.
pub(super) fn contains(range: IpAddr, bits: u32, address: IpAddr) -> bool {
    let in_common = |one: u128, other: u128, width: u32| {
        (one ^ other).checked_shr(width - bits).unwrap_or(0) == 0
    };
    match (range, address.to_canonical()) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            in_common(one.to_bits().into(), other.to_bits().into(), 32)
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => in_common(one.to_bits(), other.to_bits(), 128),
        _ => false,
    }
}

/// An address, which may be written with zeros before its numbers.
pub(super) fn parse(address: &Value) -> Option<IpAddr> {
    let address = address.as_str()?;
    address.parse().ok().or_else(|| {
        let trim = |part: &str| match part.trim_start_matches('0') {
            "" if !part.is_empty() => "0".to_owned(),
            part => part.to_owned(),
        };
        let parts: Vec<String> = address.split('.').map(trim).collect();
        parts.join(".").parse().ok()
    })
}

/// What is wrong with an address that must be written in the one way in which everybody reads it.
pub(super) fn unclear(address: &Value) -> Option<&'static str> {
    let Some(read) = parse(address) else {
        return Some(NO_ADDRESS);
    };
    let is_mapped = matches!(read, IpAddr::V6(read) if read.to_ipv4_mapped().is_some());
    let is_plain = address
        .as_str()
        .is_some_and(|address| address.parse::<IpAddr>().is_ok());
    match (is_plain, is_mapped) {
        (false, _) => Some("must not have leading 0s"),
        (true, true) => Some("must not be an IPv4-mapped IPv6 address"),
        (true, false) => None,
    }
}

/// The same of an address that must be written as short as can be.
pub(super) fn uncommon(address: &Value) -> Option<String> {
    let why = unclear(address).map(str::to_owned);
    why.or_else(|| {
        let shortest = parse(address)?.to_string();
        (address != shortest.as_str()).then(|| format!("must be in canonical form ({shortest:?})"))
    })
}

/// What is wrong with a range that must be written in the one way in which everybody reads it.
pub(super) fn unclear_range(text: &str) -> Option<&'static str> {
    let Some((address, bits)) = range(text) else {
        return Some(NO_RANGE);
    };
    let (written, length) = text.split_once('/')?;
    if written.parse::<IpAddr>().is_err() || length != bits.to_string() {
        return Some("must not have leading 0s in IP or prefix length");
    }
    if matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some()) {
        return Some("must not have an IPv4-mapped IPv6 address");
    }
    let rest = match address {
        IpAddr::V4(address) => {
            u128::from(address.to_bits() << bits.min(31)) * u128::from(bits < 32)
        }
        IpAddr::V6(address) => address.to_bits().checked_shl(bits).unwrap_or_default(),
    };
    (rest != 0).then_some("must not have bits set beyond the prefix length")
}

/// The same of a range that must be written as short as can be.
pub(super) fn uncommon_range(text: &str) -> Option<String> {
    let why = unclear_range(text).map(str::to_owned);
    why.or_else(|| {
        let shortest = shortest_range(text)?;
        (text != shortest).then(|| format!("must be in canonical form ({shortest:?})"))
    })
}

/// A range as it is written best.
pub(super) fn shortest_range(text: &str) -> Option<String> {
    let (address, bits) = range(text)?;
    Some(format!("{address}/{bits}"))
}

/// What is wrong with an address that something is reached at.
pub(super) fn check(value: &Value, path: &str) -> Option<Cause> {
    if let Some(why) = unclear(value) {
        return Some(Cause::invalid(path, value, why));
    }
    let address = parse(value)?;
    let (link_local, multicast) = match address {
        IpAddr::V4(address) => {
            let [first, second, third, _] = address.octets();
            (
                address.is_link_local(),
                [first, second, third] == [224, 0, 0],
            )
        }
        IpAddr::V6(address) => {
            let first = address.segments()[0];
            (first & 0xffc0 == 0xfe80, first & 0xff0f == 0xff02)
        }
    };
    let why = if address.is_unspecified() {
        format!(
            "may not be unspecified ({})",
            value.as_str().unwrap_or_default()
        )
    } else if address.is_loopback() {
        "may not be in the loopback range (127.0.0.0/8, ::1/128)".to_owned()
    } else if link_local {
        "may not be in the link-local range (169.254.0.0/16, fe80::/10)".to_owned()
    } else if multicast {
        "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)".to_owned()
    } else {
        return None;
    };
    Some(Cause::invalid(path, value, &why))
}
