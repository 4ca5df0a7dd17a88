//! How much of a device may be asked for, where more than one may have some of it.

use std::collections::HashSet;

use serde_json::Value;

use super::checks::{list, text};
use super::devices::each;
use crate::failure::Cause;
use crate::schema::{in_billionths, plus};

const MOST_VALUES: usize = 10;
/// One, in billionths.
const ONE: i128 = 1_000_000_000;

pub(super) fn check(capacity: &Value, is_shared: bool, path: &str) -> Vec<Cause> {
    let policy = &capacity["requestPolicy"];
    let path = format!("{path}.requestPolicy");
    if policy.is_null() {
        return Vec::new();
    }
    if !is_shared {
        let why = "allowMultipleAllocations must be true";
        return vec![Cause::forbidden(&path, why)];
    }
    let (values, range) = (list(policy, "validValues"), &policy["validRange"]);
    let what = match (values.is_empty(), range.is_null()) {
        (true, true) => return Vec::new(),
        (false, false) => {
            let why = r#"exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time"#;
            return vec![Cause::forbidden(&path, why)];
        }
        (false, true) => "validValues",
        (true, false) => "validRange",
    };
    let (default, most) = (text(policy, "default"), text(capacity, "value"));
    if policy["default"].is_null() {
        let why = format!("required when {what} is defined");
        return vec![Cause::required(&format!("{path}.default"), &why)];
    }
    let path = format!("{path}.{what}");
    match what {
        "validValues" => check_values(values, default, most, &path),
        _ => check_range(range, default, most, &path),
    }
}

fn check_values(values: &[Value], default: &str, most: &str, path: &str) -> Vec<Cause> {
    let said = |value: &Value| amount(value.as_str().unwrap_or_default());
    let mut wrong = Vec::new();
    for (index, pair) in values.windows(2).enumerate() {
        if let [one, next] = pair
            && said(one) > said(next)
        {
            let path = format!("{path}[{}]", index + 1);
            let why = "values must be sorted in ascending order";
            wrong.push(Cause::invalid(&path, next, why));
        }
    }
    wrong.extend(each(values, MOST_VALUES, path, |value, path| {
        let is_more = said(value) > amount(most);
        let why = format!("option is larger than capacity value: {most}");
        Vec::from_iter(is_more.then(|| Cause::invalid(path, value, &why)))
    }));
    let looked_at = if values.len() > MOST_VALUES {
        &[]
    } else {
        values
    };
    let mut seen = HashSet::new();
    for (index, value) in looked_at.iter().enumerate() {
        let whole = whole(value.as_str().unwrap_or_default());
        if !seen.insert(whole) {
            let path = format!("{path}[{index}]");
            wrong.push(Cause::duplicate(&path, &whole.to_string().into()));
        }
    }
    if !looked_at.iter().any(|value| said(value) == amount(default)) {
        let why = "default value is not valid according to the requestPolicy";
        wrong.push(Cause::invalid(path, &default.into(), why));
    }
    wrong
}

fn check_range(range: &Value, default: &str, most: &str, path: &str) -> Vec<Cause> {
    let said = |field: &str| range[field].as_str();
    let Some(min) = said("min") else {
        let why = "required when validRange is defined";
        return vec![Cause::required(&format!("{path}.min"), why)];
    };
    let mut wrong = Vec::new();
    let mut refuse_if = |is_wrong: bool, field: &str, value: &str, why: String| {
        if is_wrong {
            let path = format!("{path}.{field}");
            wrong.push(Cause::invalid(&path, &value.into(), &why));
        }
    };
    let is_more = |one: &str, other: &str| amount(one) > amount(other);
    let of_capacity = |what: &str| format!("{what} is larger than capacity value: {most}");
    refuse_if(is_more(min, most), "min", min, of_capacity("min"));
    let why = format!("default is less than min: {min}");
    refuse_if(is_more(min, default), "min", default, why);
    if let Some(max) = said("max") {
        let why = format!("min is larger than max: {max}");
        refuse_if(is_more(min, max), "max", min, why);
        refuse_if(is_more(max, most), "max", max, of_capacity("max"));
        let why = format!("default is more than max: {max}");
        refuse_if(is_more(default, max), "max", default, why);
    }
    if let Some(step) = said("step") {
        let next = plus(min, step);
        let why = of_capacity(&format!("one step {next}"));
        refuse_if(is_more(&next, most), "step", step, why);
        for value in [Some(default), said("max")].into_iter().flatten() {
            let why = format!("value is not a multiple of a given step ({step}) from ({min})");
            let rest = (whole(value) - whole(min)).checked_rem(whole(step));
            refuse_if(rest.is_some_and(|rest| rest != 0), "step", value, why);
        }
    }
    wrong
}

fn amount(quantity: &str) -> i128 {
    in_billionths(quantity).unwrap_or(0)
}

/// Rounded up.
fn whole(quantity: &str) -> i128 {
    let amount = amount(quantity);
    amount.div_euclid(ONE) + i128::from(amount.rem_euclid(ONE) != 0)
}
