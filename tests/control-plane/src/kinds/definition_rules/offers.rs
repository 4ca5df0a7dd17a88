//! What versions have besides their schemas: columns, and the scale.

use serde_json::Value;

use super::Found;
use crate::failure::Cause;

const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS: [&str; 8] = [
    "byte",
    "date",
    "date-time",
    "double",
    "float",
    "int32",
    "int64",
    "password",
];

impl Found {
    pub(super) fn columns(&mut self) {
        let hoisted = "additionalPrinterColumns";
        for (place, columns) in self.of_versions(hoisted, hoisted) {
            for (at, column) in columns.as_array().into_iter().flatten().enumerate() {
                let place = format!("{place}[{at}]");
                let text = |field: &str| {
                    column
                        .get(field)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                };
                if text("name").is_empty() {
                    self.wrong
                        .push(Cause::required(&format!("{place}.name"), ""));
                }
                let must = format!("must be one of {}", COLUMN_TYPES.join(","));
                match text("type") {
                    "" => self
                        .wrong
                        .push(Cause::required(&format!("{place}.type"), &must)),
                    kind if COLUMN_TYPES.contains(&kind) => {}
                    kind => self.invalid(&format!("{place}.type"), &kind.into(), &must),
                }
                let format = text("format");
                if !format.is_empty() && !COLUMN_FORMATS.contains(&format) {
                    let must = format!("must be one of {}", COLUMN_FORMATS.join(","));
                    self.invalid(&format!("{place}.format"), &format.into(), &must);
                }
                let field = format!("{place}.JSONPath");
                match text("jsonPath") {
                    "" => self.wrong.push(Cause::required(&field, "")),
                    path if path.starts_with('.') => {}
                    path => {
                        let must = "must be a simple json path starting with .";
                        self.invalid(&field, &path.into(), must);
                    }
                }
            }
        }
    }

    pub(super) fn scale(&mut self) {
        for (place, subresources) in self.of_versions("subresources", "subresources") {
            let Some(scale) = subresources.get("scale") else {
                continue;
            };
            for (field, under) in [
                ("specReplicasPath", &[".spec"][..]),
                ("statusReplicasPath", &[".status"]),
                ("labelSelectorPath", &[".spec", ".status"]),
            ] {
                let at = format!("{place}.scale.{field}");
                let path = scale.get(field).and_then(Value::as_str).unwrap_or_default();
                let below = |root: &&str| path.starts_with(&format!("{root}."));
                if path.is_empty() && field == "labelSelectorPath" {
                } else if path.is_empty() {
                    self.wrong.push(Cause::required(&at, ""));
                } else if !path.starts_with('.') {
                    let must = "must be a simple json path starting with .";
                    self.invalid(&at, &path.into(), must);
                } else if !under.iter().any(below) {
                    let either = if under.len() > 1 { "either " } else { "" };
                    let must =
                        format!("should be a json path under {either}{}", under.join(" or "));
                    self.invalid(&at, &path.into(), &must);
                }
            }
        }
    }
}
