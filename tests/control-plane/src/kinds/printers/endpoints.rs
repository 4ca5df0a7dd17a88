//! Where the pods behind a Service are.

use std::net::IpAddr;

use serde_json::Value;

use super::{list, shortened, text};

/// How many addresses, and how many ports, are shown.
const SHOWN: usize = 3;

/// Every address with each of its ports.
pub(super) fn of_endpoints(endpoints: &Value) -> Value {
    if list(endpoints, "/subsets").next().is_none() {
        return "<none>".into();
    }
    let mut shown = Vec::new();
    for subset in list(endpoints, "/subsets") {
        let addresses = || list(subset, "/addresses").map(|address| text(address, "/ip"));
        let mut ports = list(subset, "/ports").peekable();
        if ports.peek().is_none() {
            shown.extend(addresses().map(str::to_owned));
        }
        for port in ports {
            let number = &port["port"];
            shown.extend(addresses().map(|address| match address.parse::<IpAddr>() {
                Ok(IpAddr::V6(_)) => format!("[{address}]:{number}"),
                _ => format!("{address}:{number}"),
            }));
        }
    }
    shortened(&shown, SHOWN, ",").into()
}

/// The ports of a slice: one without a number is told by its name, one with neither is any.
pub(super) fn ports_of_slice(slice: &Value) -> Value {
    let ports = list(slice, "/ports").map(|port| match (&port["port"], &port["name"]) {
        (Value::Number(number), _) => number.to_string(),
        (_, Value::String(name)) => name.clone(),
        _ => "*".to_owned(),
    });
    or_unset(&ports.collect::<Vec<_>>())
}

/// All addresses of a slice.
pub(super) fn addresses_of_slice(slice: &Value) -> Value {
    let addresses = list(slice, "/endpoints").flat_map(|endpoint| list(endpoint, "/addresses"));
    let addresses = addresses.filter_map(|address| address.as_str().map(str::to_owned));
    or_unset(&addresses.collect::<Vec<_>>())
}

fn or_unset(shown: &[String]) -> Value {
    match shortened(shown, SHOWN, ",") {
        none if none.is_empty() => "<unset>".into(),
        shown => shown.into(),
    }
}
