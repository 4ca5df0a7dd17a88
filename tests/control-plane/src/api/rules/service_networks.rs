//! The networks whose addresses Services are given.

use std::fmt;
use std::net::Ipv4Addr;

use serde_json::Value;

use super::checks::{list, text};
use crate::object;
use crate::store::{Bucket, Store};

/// The one that is always there. A real server has 10.0.0.0/24 unless it is told otherwise, which is too small for a test
/// of many Services.
pub(super) const FIRST: Network = Network {
    base: u32::from_be_bytes([10, 0, 0, 0]),
    host_bits: 16,
};
/// Of the addresses of a network some are left to who asks for one: a sixteenth, between so many (KEP-3070).
const ASKED_FOR: std::ops::RangeInclusive<u32> = 16..=256;

/// A network of IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    base: u32,
    host_bits: u32,
}

/// The first one, and those of the ServiceCIDRs that are ready.
pub(super) fn all(store: &Store) -> Vec<Network> {
    let bucket = Bucket {
        group: "networking.k8s.io".into(),
        plural: "servicecidrs".into(),
    };
    let mut networks = vec![FIRST];
    for kept in store.list(&bucket, None).objects {
        let range = kept.value();
        if object::is_deleting(&range) || !is_ready(&range) {
            continue;
        }
        for network in list(&range["spec"], "cidrs") {
            let network = network.as_str().and_then(Network::read);
            networks.extend(network.filter(|network| !networks.contains(network)));
        }
    }
    networks
}

/// One of which nobody says anything is.
fn is_ready(range: &Value) -> bool {
    let mut conditions = list(&range["status"], "conditions").iter();
    let ready = conditions.find(|condition| text(condition, "type") == "Ready");
    ready.is_none_or(|condition| text(condition, "status") == "True")
}

impl Network {
    fn read(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/')?;
        let (address, length) = (
            address.parse::<Ipv4Addr>().ok()?,
            length.parse::<u32>().ok()?,
        );
        let host_bits = 32_u32.checked_sub(length)?;
        let hosts = u32::MAX.checked_shr(length).unwrap_or(0);
        Some(Self {
            base: u32::from(address) & !hosts,
            host_bits,
        })
    }

    pub(super) fn address(self) -> Ipv4Addr {
        self.base.into()
    }

    /// The number of the last address that somebody can have: the first and the last of all belong to nobody.
    fn last(self) -> u32 {
        let hosts = 1_u64 << self.host_bits;
        u32::try_from(hosts.saturating_sub(2)).unwrap_or(u32::MAX)
    }

    pub(super) fn has(self, address: Ipv4Addr) -> bool {
        let number = u32::from(address).wrapping_sub(self.base);
        (1..=self.last()).contains(&number)
    }

    /// All of them, from one that chance picks on, and behind the others those that are left to who asks for one.
    pub(super) fn addresses(self, chance: u64) -> impl Iterator<Item = Ipv4Addr> {
        let last = self.last();
        let sixteenth = 1_u32.checked_shl(self.host_bits).unwrap_or(u32::MAX) / 16;
        let asked_for = match sixteenth {
            0 | 1 => 0,
            _ => sixteenth.clamp(*ASKED_FOR.start(), *ASKED_FOR.end()),
        };
        let size = last - asked_for;
        let first = u32::try_from(chance % u64::from(size.max(1))).unwrap_or_default();
        let behind = (0..size).map(move |step| {
            let at = (u64::from(first) + u64::from(step)) % u64::from(size);
            asked_for + 1 + u32::try_from(at).unwrap_or_default()
        });
        let numbers = behind.chain(1..=asked_for);
        numbers.map(move |number| (self.base + number).into())
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address(), 32 - self.host_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_gives_each_of_its_addresses_once() {
        for (text, count, first_free) in [
            ("10.1.2.7/24", 254, 17),
            ("10.1.2.0/28", 14, 1),
            ("10.1.2.0/30", 2, 1),
            ("10.1.2.0/32", 0, 0),
            ("10.1.0.0/16", 65_534, 257),
        ] {
            let network = Network::read(text).unwrap();
            let mut all: Vec<Ipv4Addr> = network.addresses(7).collect();
            assert!(all.iter().all(|address| network.has(*address)), "{text}");
            let first = all
                .first()
                .map(|address| u32::from(*address) - network.base);
            assert!(first.is_none_or(|first| first >= first_free), "{text}");
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), count, "{text}");
        }
        assert_eq!(Network::read("::/64"), None);
        assert_eq!(FIRST.to_string(), "10.0.0.0/16");
    }
}
