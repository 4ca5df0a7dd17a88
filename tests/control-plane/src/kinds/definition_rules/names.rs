//! How a definition calls its kind, and how it is called in the end.

use serde_json::Value;

use super::Found;
use crate::api::label_1035;
use crate::failure::Cause;

/// Why a name is no DNS label that begins with a letter.
pub(super) fn unfit(name: &str) -> Option<String> {
    let all = label_1035(name).join(",");
    (!all.is_empty()).then_some(all)
}

impl Found {
    pub(super) fn names(&mut self) {
        for field in ["plural", "singular", "kind", "listKind"] {
            if self.text(&format!("/names/{field}")).is_empty() {
                let at = format!("spec.names.{field}");
                self.wrong.push(Cause::required(&at, ""));
            }
        }
        let names = self.spec.get("names").unwrap_or(&Value::Null);
        self.wrong.extend(check(names, "spec.names"));
    }
}

/// What is wrong with names, as far as they are said.
pub(in crate::kinds) fn check(names: &Value, at: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let text = |field: &str| names.get(field).and_then(Value::as_str).unwrap_or_default();
    for field in ["plural", "singular", "kind", "listKind"] {
        let (name, is_kind) = (text(field), field.ends_with("ind"));
        let checked = if is_kind {
            name.to_lowercase()
        } else {
            name.to_owned()
        };
        if let Some(why) = unfit(&checked).filter(|_| !name.is_empty()) {
            let why = match is_kind {
                true => format!("may have mixed case, but should otherwise match: {why}"),
                false => why,
            };
            wrong.push(Cause::invalid(&format!("{at}.{field}"), &name.into(), &why));
        }
    }
    wrong.extend(check_each(names, at, "shortNames"));
    let kind = text("kind");
    if !kind.is_empty() && kind == text("listKind") {
        let why = "kind and listKind may not be the same";
        wrong.push(Cause::invalid(&format!("{at}.listKind"), &kind.into(), why));
    }
    wrong.extend(check_each(names, at, "categories"));
    wrong
}

fn check_each(names: &Value, at: &str, field: &str) -> Vec<Cause> {
    let names = names.get(field).and_then(Value::as_array);
    let names = names.into_iter().flatten().enumerate();
    let wrong = names.filter_map(|(index, name)| {
        let why = unfit(name.as_str().unwrap_or_default())?;
        Some(Cause::invalid(
            &format!("{at}.{field}[{index}]"),
            name,
            &why,
        ))
    });
    wrong.collect()
}
