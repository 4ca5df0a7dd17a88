//! The rules of slices: which devices a driver offers, and where.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};

use super::checks::{list, number, one_of, text};
use super::devices::{
    EFFECTS, check_pool_name, each, each_once, label, named, qualified, subdomain,
};
use super::fixed::invalid_struct;
use super::{csi, device_capacities, names, placement};
use crate::failure::Cause;

const MOST_DEVICES: usize = 128;
/// Where there is more to be said of the devices.
const MOST_SPECIAL_DEVICES: usize = 64;
const MOST_ATTRIBUTES: usize = 32;
const MOST_TAINTS: usize = 16;
const LONGEST_VALUE: usize = 64;
/// The kinds of values that an attribute may have, and the lists of them.
const VALUES: [&str; 8] = [
    "bool", "int", "string", "version", "bools", "ints", "strings", "versions",
];
const PLACES: [&str; 4] = [
    "nodeName",
    "nodeSelector",
    "allNodes",
    "perDeviceNodeSelection",
];

pub(super) fn check(spec: &Value) -> Vec<Cause> {
    let mut wrong = csi::check_name(text(spec, "driver"), "spec.driver");
    wrong.extend(check_pool(&spec["pool"]));
    wrong.extend(check_place(spec));
    let devices = list(spec, "devices");
    if !spec["sharedCounters"].is_null() && !spec["devices"].is_null() {
        let why = "only one of `sharedCounters` or `devices` is allowed";
        wrong.push(Cause::invalid("spec", &"".into(), why));
    }
    let is_special = |device: &Value| {
        !list(device, "taints").is_empty() || !list(device, "consumesCounters").is_empty()
    };
    let most = match devices.iter().any(is_special) {
        true => MOST_SPECIAL_DEVICES,
        false => MOST_DEVICES,
    };
    let each_has_place = spec["perDeviceNodeSelection"] == true;
    wrong.extend(each_once(
        devices,
        most,
        "spec.devices",
        named,
        |device, path| check_device(device, each_has_place, path),
    ));
    wrong
}

fn check_pool(pool: &Value) -> Vec<Cause> {
    let mut wrong = check_pool_name(text(pool, "name"), "spec.pool.name");
    let count = number(pool, "resourceSliceCount").unwrap_or(0);
    if count <= 0 {
        const PATH: &str = "spec.pool.resourceSliceCount";
        wrong.push(Cause::invalid(
            PATH,
            &count.into(),
            "must be greater than zero",
        ));
    }
    let generation = number(pool, "generation").filter(|generation| *generation < 0);
    wrong.extend(generation.map(|generation| {
        let why = "must be greater than or equal to zero";
        Cause::invalid("spec.pool.generation", &generation.into(), why)
    }));
    wrong
}

/// A slice is of one node, of some, of all, or each device says it itself.
fn check_place(spec: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut said = Vec::new();
    for field in PLACES {
        let path = format!("spec.{field}");
        let is_said = match &spec[field] {
            Value::Null => continue,
            Value::String(name) if name.is_empty() => {
                let why = "must be either unset or set to a non-empty string";
                wrong.push(Cause::invalid(&path, &"".into(), why));
                false
            }
            Value::String(name) => {
                wrong.extend(subdomain(name, &path));
                true
            }
            Value::Bool(false) => {
                let why = "must be either unset or set to true";
                wrong.push(Cause::invalid(&path, &false.into(), why));
                false
            }
            Value::Object(_) => {
                wrong.extend(check_selector(&spec[field], &path));
                true
            }
            _ => true,
        };
        if is_said {
            said.push(format!("`{field}`"));
        }
    }
    let places = PLACES.map(|place| format!("`{place}`")).join(", ");
    let why = format!("exactly one of {places} is required");
    match said.len() {
        0 => wrong.push(Cause::required("spec", &why)),
        1 => {}
        _ => {
            let why = format!("{why}, but multiple fields are set");
            let said = format!("{{{}}}", said.join(", "));
            wrong.push(Cause::invalid("spec", &said.into(), &why));
        }
    }
    wrong
}

fn check_selector(selector: &Value, path: &str) -> Vec<Cause> {
    const TERMS: &str = "nodeSelectorTerms";
    let mut wrong = placement::check_nodes(selector, path);
    if list(selector, TERMS).len() != 1 {
        let why = "must have exactly one node selector term";
        let path = format!("{path}.{TERMS}");
        wrong.push(match list(selector, TERMS) {
            [] => Cause::invalid(&path, &selector[TERMS], why),
            _ => invalid_struct(&path, "[core.NodeSelectorTerm]", &selector[TERMS], why),
        });
    }
    wrong
}

fn check_device(device: &Value, has_place: bool, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let mut wrong: Vec<Cause> = label(text(device, "name"), &at("name"))
        .into_iter()
        .collect();
    let none = Map::new();
    let of = |field: &str| device[field].as_object().unwrap_or(&none);
    let (attributes, capacity) = (of("attributes"), of("capacity"));
    let count = attributes.len() + capacity.len();
    if count > MOST_ATTRIBUTES {
        let why = format!(
            "the total number of attributes and capacities must not exceed {MOST_ATTRIBUTES}"
        );
        wrong.push(Cause::invalid(path, &count.into(), &why));
    }
    for (name, attribute) in attributes {
        wrong.extend(qualified(name, &at("attributes")));
        wrong.extend(check_attribute(
            attribute,
            &at(&format!("attributes[{name}]")),
        ));
    }
    let is_shared = device["allowMultipleAllocations"] == true;
    for (name, capacity) in capacity {
        wrong.extend(qualified(name, &at("capacity")));
        let path = at(&format!("capacity[{name}]"));
        wrong.extend(device_capacities::check(capacity, is_shared, &path));
    }
    let taints = list(device, "taints");
    wrong.extend(each(taints, MOST_TAINTS, &at("taints"), check_taint));
    let is_placed = PLACES[..3].iter().any(|place| !device[*place].is_null());
    if is_placed && !has_place {
        let why = "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to \
                   true in the ResourceSlice spec";
        wrong.push(Cause::invalid(path, &Value::Null, why));
    } else if !is_placed && has_place {
        let why = "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when \
                   `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
        wrong.push(Cause::required(path, why));
    }
    wrong
}

fn check_attribute(attribute: &Value, path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    if let Some(value) = attribute["string"].as_str() {
        wrong.extend(too_long(value, &format!("{path}.string")));
    }
    if let Some(value) = attribute["version"].as_str() {
        let path = format!("{path}.version");
        if !is_version(value) {
            let why = "must be a string compatible with semver.org spec 2.0.0";
            wrong.push(Cause::invalid(&path, &value.into(), why));
        }
        wrong.extend(too_long(value, &path));
    }
    const ONE: &str = "exactly one value must be specified";
    let said = VALUES.iter().filter(|kind| !attribute[**kind].is_null());
    match said.count() {
        0 => wrong.push(Cause::invalid(path, &json!(""), ONE)),
        1 => {}
        _ => {
            // The server calls each by its type.
            let named = VALUES.map(|kind| {
                let one = kind.trim_end_matches('s');
                let name = format!("{one}Value{}", &kind[one.len()..]);
                (name, attribute[kind].clone())
            });
            let value = Value::from(Map::from_iter(named));
            wrong.push(invalid_struct(
                path,
                "resource.DeviceAttribute",
                &value,
                ONE,
            ));
        }
    }
    wrong
}

fn too_long(value: &str, path: &str) -> Option<Cause> {
    (value.len() > LONGEST_VALUE).then(|| Cause::too_long(path, LONGEST_VALUE))
}

fn is_version(version: &str) -> bool {
    static SYNTAX: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let number = r"(0|[1-9][0-9]*)";
        let before = r"(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)";
        let build = r"[0-9a-zA-Z-]+";
        Regex::new(&format!(
            r"^{number}\.{number}\.{number}(-{before}(\.{before})*)?(\+{build}(\.{build})*)?$"
        ))
        .ok()
    });
    SYNTAX
        .as_ref()
        .is_some_and(|syntax| syntax.is_match(version))
}

fn check_taint(taint: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let (key, value, effect) = (
        text(taint, "key"),
        text(taint, "value"),
        text(taint, "effect"),
    );
    let reasons = names::qualified(key);
    let mut wrong: Vec<Cause> = reasons
        .iter()
        .map(|why| Cause::invalid(&at("key"), &key.into(), why))
        .collect();
    let why = names::label_value(value);
    wrong.extend(why.map(|why| Cause::invalid(&at("value"), &value.into(), why)));
    wrong.extend(match effect {
        "" => Some(Cause::required(&at("effect"), "")),
        effect => one_of(effect, &at("effect"), &EFFECTS),
    });
    wrong
}
