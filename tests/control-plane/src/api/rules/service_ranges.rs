//! The rules of ServiceCIDRs.

use serde_json::{Value, json};

use super::addresses;
use super::checks::list;
use crate::failure::Cause;

const PATH: &str = "spec.cidrs";
const IMMUTABLE: &str = "field is immutable";

/// At most one range of each family.
pub(super) fn check(spec: &Value) -> Vec<Cause> {
    let ranges = list(spec, "cidrs");
    match ranges.len() {
        0 => return vec![Cause::required(PATH, "at least one CIDR required")],
        1 | 2 => {}
        _ => {
            let shown = json!({"CIDRs": ranges});
            return vec![Cause::invalid(PATH, &shown, "may only hold up to 2 values")];
        }
    }
    let each = ranges.iter().enumerate();
    let each = each.filter_map(|(index, range)| {
        let why = addresses::uncommon_range(range.as_str().unwrap_or_default())?;
        Some(Cause::invalid(&format!("{PATH}[{index}]"), range, &why))
    });
    let mut wrong: Vec<Cause> = each.collect();
    if let [one, other] = ranges
        && family(one).is_some()
        && family(one) == family(other)
    {
        let why = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
        wrong.push(Cause::invalid(PATH, &json!(ranges), why));
    }
    wrong
}

/// What is there stays; a range of the other family may come.
pub(super) fn check_update(old: &Value, new: &Value) -> Vec<Cause> {
    let (was, is) = (list(&old["spec"], "cidrs"), list(&new["spec"], "cidrs"));
    if is.len() != was.len() && (was.len(), is.len()) != (1, 2) {
        return vec![Cause::invalid(PATH, &json!(is), IMMUTABLE)];
    }
    let changed = was.iter().zip(is).enumerate();
    let changed = changed.filter(|(_, (was, is))| was != is);
    let mut wrong: Vec<Cause> = changed
        .map(|(index, (_, range))| Cause::invalid(&format!("{PATH}[{index}]"), range, IMMUTABLE))
        .collect();
    if is.len() != was.len() {
        wrong.extend(check(&new["spec"]));
    }
    wrong
}

/// Whether the addresses of a range are of the sixth version, if it is one.
fn family(range: &Value) -> Option<bool> {
    let (address, _) = range.as_str()?.split_once('/')?;
    let address: std::net::IpAddr = address.parse().ok()?;
    Some(address.is_ipv6())
}
