//! The string formats that the API server checks; any other is taken as it is.

use std::net::Ipv6Addr;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;

use super::mail;

/// Those that are known; hyphens count for nothing.
const KNOWN: [&str; 26] = [
    "bsonobjectid",
    "byte",
    "cidr",
    "creditcard",
    "date",
    "datetime",
    "duration",
    "email",
    "hexcolor",
    "hostname",
    "ipv4",
    "ipv6",
    "isbn",
    "isbn10",
    "isbn13",
    "k8slongname",
    "k8sshortname",
    "mac",
    "password",
    "rgbcolor",
    "ssn",
    "uri",
    "uuid",
    "uuid3",
    "uuid4",
    "uuid5",
];

/// Whether a format of values of a type is looked at.
pub(crate) fn is_known(kind: Option<&str>, format: &str) -> bool {
    match kind {
        Some("integer") => ["int32", "int64"].contains(&format),
        Some("number") => ["float", "double"].contains(&format),
        None | Some("" | "string") => KNOWN.contains(&format.replace('-', "").as_str()),
        Some(_) => false,
    }
}

/// Whether a string is of a format; `None` for a format that is not checked.
pub(super) fn is_of(format: &str, text: &str) -> Option<bool> {
    Some(match format {
        "date-time" | "datetime" => {
            DATE_TIME.is_match(text) && text.parse::<jiff::Timestamp>().is_ok()
        }
        "date" => DATE.is_match(text) && text.parse::<jiff::civil::Date>().is_ok(),
        "duration" => DURATION.is_match(text) || LOOSE_DURATION.is_match(text),
        "byte" => !text.is_empty() && STANDARD.decode(text).is_ok(),
        "uuid" => UUID.is_match(text),
        "uuid3" => UUID.is_match(text) && version(text) == Some('3'),
        "uuid4" => {
            UUID.is_match(text) && version(text) == Some('4') && is_of_the_usual_variant(text)
        }
        "uuid5" => {
            UUID.is_match(text) && version(text) == Some('5') && is_of_the_usual_variant(text)
        }
        "bsonobjectid" => text.len() == 24 && is_hex(text),
        "isbn" => is_isbn10(text) || is_isbn13(text),
        "isbn10" => is_isbn10(text),
        "isbn13" => is_isbn13(text),
        "creditcard" => is_credit_card(text),
        "ssn" => SSN.is_match(text),
        "hexcolor" => HEX_COLOR.is_match(text),
        "rgbcolor" => RGB_COLOR.is_match(text),
        "k8s-short-name" => text.len() <= 63 && is_label(text),
        "k8s-long-name" => text.len() <= 253 && text.split('.').all(is_label),
        // One of IPv6 that ends in one of IPv4 will do.
        "ipv4" => is_loose_ipv4(text) || text.contains('.') && text.parse::<Ipv6Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => is_cidr(text),
        "mac" => is_mac(text),
        "hostname" => {
            let are_short = text.split('.').all(|label| label.len() <= 63);
            text.len() <= 255 && are_short && HOSTNAME.is_match(text)
        }
        "uri" => URI.is_match(text) && text.contains("[") == text.contains("]"),
        "email" => mail::is_address(text),
        _ => return None,
    })
}

/// Of IPv4, with zeros before the numbers or without.
fn is_loose_ipv4(text: &str) -> bool {
    let is_byte = |part: &str| {
        let significant = part.trim_start_matches('0');
        is_digits(part) && (significant.is_empty() || significant.parse::<u8>().is_ok())
    };
    text.split('.').count() == 4 && text.split('.').all(is_byte)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/').filter(|(_, bits)| is_digits(bits)) else {
        return false;
    };
    let most = match address.parse::<Ipv6Addr>() {
        Ok(_) => 128,
        Err(_) if is_loose_ipv4(address) => 32,
        Err(_) => return false,
    };
    bits.parse::<u32>().is_ok_and(|bits| bits <= most)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// 6, 8 or 20 octets, in pairs or in fours of digits, or without anything between them.
fn is_mac(text: &str) -> bool {
    let parts = |between: char, digits: usize, counts: [usize; 3]| {
        let parts = text.split(between);
        counts.contains(&parts.clone().count())
            && parts
                .into_iter()
                .all(|part| part.len() == digits && is_hex(part))
    };
    parts(':', 2, [6, 8, 20])
        || parts('-', 2, [6, 8, 20])
        || parts('.', 4, [3, 4, 10])
        || ([12, 16, 40].contains(&text.len()) && is_hex(text))
}

fn nth_digit(uuid: &str, index: usize) -> Option<char> {
    uuid.chars().filter(|c| *c != '-').nth(index)
}

fn version(uuid: &str) -> Option<char> {
    nth_digit(uuid, 12)
}

fn is_of_the_usual_variant(uuid: &str) -> bool {
    nth_digit(uuid, 16).is_some_and(|digit| "89abAB".contains(digit))
}

/// The digits of an ISBN; the last of ten may be an X.
fn isbn_digits(text: &str, count: usize) -> Option<Vec<u32>> {
    let digits = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
    let digits: Option<Vec<u32>> = digits
        .enumerate()
        .map(|(index, c)| match c {
            'X' if count == 10 && index == 9 => Some(10),
            c => c.to_digit(10),
        })
        .collect();
    digits.filter(|digits| digits.len() == count)
}

fn is_isbn10(text: &str) -> bool {
    isbn_digits(text, 10)
        .is_some_and(|digits| (1..).zip(digits).map(|(i, digit)| i * digit).sum::<u32>() % 11 == 0)
}

fn is_isbn13(text: &str) -> bool {
    isbn_digits(text, 13).is_some_and(|digits| {
        let weighted = [1, 3].into_iter().cycle().zip(digits);
        weighted.map(|(weight, digit)| weight * digit).sum::<u32>() % 10 == 0
    })
}

/// The number of one of the great issuers, with a right check digit.
fn is_credit_card(text: &str) -> bool {
    let number: String = text.chars().filter(char::is_ascii_digit).collect();
    let digits = number.chars().rev().filter_map(|c| c.to_digit(10));
    let sum: u32 = digits
        .enumerate()
        .map(|(index, digit)| match index % 2 {
            0 => digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    CARD.is_match(&number) && sum.is_multiple_of(10)
}

fn is_label(text: &str) -> bool {
    LABEL.is_match(text)
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
    DURATION = r"^([+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$|^0$";
    // A number and a unit, whatever is around them.
    LOOSE_DURATION = r"(?i)\d+\s*(ns|nano[a-zµ]*|us|µs|micro[a-zµ]*|ms|milli[a-zµ]*|s|sec[a-zµ]*|m|min[a-zµ]*|h|hr|hour[a-zµ]*|d|day[a-zµ]*|w|wk|week[a-zµ]*)([^a-zµ]|$)";
    UUID = r"^(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$";
    SSN = r"^\d{3}[- ]?\d{2}[- ]?\d{4}$";
    HEX_COLOR = r"^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$";
    RGB_COLOR = r"^rgb\(\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*\)$";
    CARD = r"^(4\d{12}(\d{3})?|5[1-5]\d{14}|(222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}|6(011|5\d\d)\d{12}|3[47]\d{13}|3(0[0-5]|[68]\d)\d{11}|(2131|1800|35\d{3})\d{11}|6[27]\d{14})$";
    LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
    HOSTNAME = r"^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9\p{S}\p{L}-]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$";
    URI = r"^([a-zA-Z][a-zA-Z0-9+.-]*:[^\s]*|/[^\s]*)$";
}
