//! What autoscalers are to reach, and how far they are.

use serde_json::Value;

use super::{list, shortened, text};

/// The targets of an autoscaler, each behind what there is of it.
pub(super) fn targets(scaler: &Value) -> Value {
    // What there is stands in the order of what is wanted.
    let mut current = list(scaler, "/status/currentMetrics");
    let shown: Vec<String> = list(scaler, "/spec/metrics")
        .map(|metric| target(metric, current.next().unwrap_or(&Value::Null)))
        .collect();
    match shown.is_empty() {
        true => "<none>".into(),
        false => shortened(&shown, 2, ", ").into(),
    }
}

fn target(metric: &Value, current: &Value) -> String {
    match text(metric, "/type") {
        "Resource" => of_resource("resource", metric, current),
        "ContainerResource" => of_resource("containerResource", metric, current),
        "Pods" => of_number("pods", metric, current),
        "Object" => of_number("object", metric, current),
        _ => of_number("external", metric, current),
    }
}

/// How much of a resource is used: an amount, or percents of what is asked for.
fn of_resource(field: &str, metric: &Value, current: &Value) -> String {
    let (wanted, current) = (&metric[field]["target"], current.get(field));
    let name = text(&metric[field], "/name");
    if let Some(wanted) = wanted["averageValue"].as_str() {
        let current = found(current, "averageValue");
        return format!("{name}: {current}/{wanted}");
    }
    let percent = |values: &Value| {
        let percent = values["averageUtilization"].as_i64();
        percent.map(|percent| format!("{percent}%"))
    };
    let current = current.and_then(|current| percent(&current["current"]));
    format!(
        "{name}: {}/{}",
        current.as_deref().unwrap_or(UNKNOWN),
        percent(wanted).as_deref().unwrap_or("<auto>")
    )
}

/// A metric of somebody's own. Of pods it is an average at any rate, and of others that is said.
fn of_number(field: &str, metric: &Value, current: &Value) -> String {
    let (wanted, current) = (&metric[field]["target"], current.get(field));
    match wanted["averageValue"].as_str() {
        Some(wanted) if field == "pods" => format!("{}/{wanted}", found(current, "averageValue")),
        Some(wanted) => {
            let current = current.and_then(|current| current["current"]["averageValue"].as_str());
            format!("{}/{wanted} (avg)", current.unwrap_or(UNKNOWN))
        }
        None => format!("{}/{}", found(current, "value"), text(wanted, "/value")),
    }
}

const UNKNOWN: &str = "<unknown>";

/// What there is of a metric; Go shows an amount that a status does not tell as nothing.
fn found<'c>(current: Option<&'c Value>, field: &str) -> &'c str {
    match current {
        Some(current) => current["current"][field].as_str().unwrap_or("<nil>"),
        None => UNKNOWN,
    }
}
