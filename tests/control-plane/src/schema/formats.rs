//! The string formats that the API server checks; any other is taken as it is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;

/// Whether a string is of a format; `None` for a format that is not checked.
pub(super) fn is_of(format: &str, text: &str) -> Option<bool> {
    Some(match format {
        "date-time" | "datetime" => {
            DATE_TIME.is_match(text) && text.parse::<jiff::Timestamp>().is_ok()
        }
        "date" => DATE.is_match(text) && text.parse::<jiff::civil::Date>().is_ok(),
        "duration" => DURATION.is_match(text),
        "byte" => !text.is_empty() && STANDARD.decode(text).is_ok(),
        "uuid" => UUID.is_match(text),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => is_cidr(text),
        "mac" => MAC.is_match(text),
        "hostname" => text.len() <= 255 && HOSTNAME.is_match(text),
        "uri" => URI.is_match(text) && text.contains("[") == text.contains("]"),
        "email" => EMAIL.is_match(text),
        _ => return None,
    })
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else {
        return false;
    };
    match (address.parse::<IpAddr>(), bits.parse::<u8>()) {
        (Ok(IpAddr::V4(_)), Ok(bits)) => bits <= 32,
        (Ok(IpAddr::V6(_)), Ok(bits)) => bits <= 128,
        _ => false,
    }
}

/// A pattern that never matches if it cannot be compiled; the tests show that each one can.
macro_rules! patterns {
    ($($name:ident = $pattern:expr;)*) => {
        $(static $name: LazyLock<Pattern> = LazyLock::new(|| Pattern(Regex::new($pattern).ok()));)*
    };
}

struct Pattern(Option<Regex>);

impl Pattern {
    fn is_match(&self, text: &str) -> bool {
        self.0
            .as_ref()
            .is_some_and(|pattern| pattern.is_match(text))
    }
}

patterns! {
    DATE_TIME = r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$";
    DATE = r"^\d{4}-\d{2}-\d{2}$";
    DURATION = r"^([+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$|^0$|^\s*(\d+)\s*(nanos?|micros?|millis?|milliseconds?|secs?|seconds?|mins?|minutes?|h|hours?|hrs?|d|days?|w|weeks?|wks?)\s*$";
    UUID = r"^(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$";
    MAC = r"^(?i)([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$|^([0-9a-f]{4}\.){2}[0-9a-f]{4}$";
    HOSTNAME = r"^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9\p{S}\p{L}-]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$";
    URI = r"^([a-zA-Z][a-zA-Z0-9+.-]*:[^\s]*|/[^\s]*)$";
    EMAIL = r"^[^@\s<>]+@[^@\s<>]+$|^[^@<>]*<[^@\s<>]+@[^@\s<>]+>$";
}
