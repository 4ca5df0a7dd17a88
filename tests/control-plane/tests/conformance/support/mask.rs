//! What differs between two runs of one talk.

use std::collections::BTreeMap;

use regex::{Captures, Regex};
use serde_json::Value;

/// Replaces what a server makes up by names that tell the same from the other.
pub(super) struct Mask {
    uids: BTreeMap<String, usize>,
    versions: BTreeMap<String, usize>,
    generated: BTreeMap<String, String>,
    uid: Regex,
    time: Regex,
    token: Regex,
    version: Regex,
}

impl Mask {
    pub(super) fn new() -> Self {
        Self {
            uids: BTreeMap::new(),
            versions: BTreeMap::new(),
            generated: BTreeMap::new(),
            uid: Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").unwrap(),
            time: Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z").unwrap(),
            token: Regex::new(r"\bcontinue=[^&\s]+").unwrap(),
            version: Regex::new(
                r#"\b(resourceVersion=|resource version: |resourceVersion":")(\d+)"#,
            )
            .unwrap(),
        }
    }

    /// Masks a text that is no JSON.
    pub(super) fn text(&mut self, text: &str) -> String {
        let text = self.uid.replace_all(text, |found: &Captures<'_>| {
            let next = self.uids.len() + 1;
            format!(
                "<uid {}>",
                self.uids.entry(found[0].to_owned()).or_insert(next)
            )
        });
        let text = self
            .time
            .replace_all(&text, |found: &Captures<'_>| match found.get(1) {
                Some(part) => format!("<time with {} digits>", part.len() - 1),
                None => "<time>".to_owned(),
            });
        let text = self.token.replace_all(&text, "continue=<token>");
        let text = self.version.replace_all(&text, |found: &Captures<'_>| {
            format!("{}{}", &found[1], named(&mut self.versions, &found[2]))
        });
        let mut text = text.into_owned();
        for (name, masked) in &self.generated {
            text = text.replace(name, masked);
        }
        text
    }

    /// Masks an answer.
    pub(super) fn json(&mut self, value: &mut Value) {
        let is_list = value["kind"]
            .as_str()
            .is_some_and(|kind| kind.ends_with("List") || kind == "Table");
        if is_list {
            // Of a list it is how far the whole server has come.
            if let Some(version) = value["metadata"].get_mut("resourceVersion") {
                *version = "<now>".into();
            }
            if let Some(token) = value["metadata"].get_mut("continue") {
                *token = "<token>".into();
            }
        }
        self.walk(value);
    }

    fn walk(&mut self, value: &mut Value) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| self.walk(value)),
            Value::Object(fields) => {
                let text = |key: &str| fields.get(key).and_then(Value::as_str).map(str::to_owned);
                if let (Some(name), Some(prefix)) = (text("name"), text("generateName"))
                    && name.starts_with(&prefix)
                {
                    let number = self.generated.len() + 1;
                    self.generated
                        .entry(name)
                        .or_insert(format!("{prefix}<{number}>"));
                }
                for (key, value) in fields {
                    match value {
                        Value::String(version)
                            if key == "resourceVersion" && !version.starts_with('<') =>
                        {
                            *version = named(&mut self.versions, version);
                        }
                        value => self.walk(value),
                    }
                }
            }
            Value::String(text) => *text = self.text(text),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// `<version 1>` for the first that is seen, and so on; `0` and the empty one are said as they are.
fn named(versions: &mut BTreeMap<String, usize>, version: &str) -> String {
    if version.parse::<u64>().is_ok_and(|number| number > 0) {
        let next = versions.len() + 1;
        format!(
            "<version {}>",
            versions.entry(version.to_owned()).or_insert(next)
        )
    } else {
        version.to_owned()
    }
}
