//! Addresses that something is reached at.

use std::net::IpAddr;

use serde_json::Value;

use crate::failure::Cause;

pub(super) const NO_ADDRESS: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

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

/// What is wrong with an address that something is reached at.
pub(super) fn check(value: &Value, path: &str) -> Option<Cause> {
    let Some(address) = parse(value) else {
        return Some(Cause::invalid(path, value, NO_ADDRESS));
    };
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
