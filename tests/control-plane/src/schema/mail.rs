//! Addresses of mail, as RFC 5322 has them and Go reads them: with a name or without.

use std::net::IpAddr;
use std::sync::LazyLock;

use regex::Regex;

const SPACE: &str = r"[ \t]*";
const ATOM: &str = r#"[^\x00-\x20\x7f()<>\[\]:;@\\,".]+"#;
const QUOTED: &str = r#""(?:[^\x00-\x08\x0a-\x1f\x7f"\\]|\\[^\x00-\x08\x0a-\x1f\x7f])*""#;
const COMMENT: &str = r"\((?:[^()\\]|\\.)*\)";

/// Nothing matches if it cannot be compiled; the conformance suite shows that it can.
static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let dotted = format!(r"{ATOM}(?:\.{ATOM})*");
    let quoted_one = QUOTED.replacen(r#")*""#, r#")+""#, 1);
    let domain = |name: &str| format!(r"(?:{dotted}|\[(?<{name}>[^\x00-\x20\x7f\[\]\\]*)\])");
    let plain = |name: &str| {
        let domain = domain(name);
        format!("{SPACE}(?:{dotted}|{quoted_one})@{SPACE}{domain}")
    };
    let around = format!("{SPACE}(?:{COMMENT}{SPACE})*");
    let word = format!("(?:(?:{ATOM}|[.])+|{QUOTED})");
    let phrase = format!("{SPACE}{word}(?:{around}{word})*");
    let mailbox = |one: &str, other: &str| {
        let (bare, in_brackets) = (plain(one), plain(other));
        format!("(?:{bare}|(?:{phrase})?{around}<{in_brackets}>)")
    };
    let (alone, in_group) = (mailbox("a", "b"), mailbox("c", "d"));
    let group = format!("{phrase}{around}:{in_group}{around};");
    Regex::new(&format!("^(?:{alone}|{group}){around}$")).ok()
});

/// Whether a text is one address.
pub(super) fn is_address(text: &str) -> bool {
    let found = ADDRESS.as_ref().and_then(|address| address.captures(text));
    found.is_some_and(|found| {
        let mut literals = ["a", "b", "c", "d"]
            .into_iter()
            .filter_map(|name| found.name(name));
        literals.all(|literal| literal.as_str().parse::<IpAddr>().is_ok())
    })
}
