//! What differs between two runs of one talk.

use std::borrow::Cow;
use std::collections::BTreeMap;

use regex::{Captures, Regex};
use serde_json::Value;

/// Replaces what a server makes up by names that tell the same from the other.
pub(super) struct Mask {
    uids: BTreeMap<String, usize>,
    versions: BTreeMap<String, usize>,
    generated: BTreeMap<String, String>,
    secrets: BTreeMap<String, String>,
    issued: BTreeMap<String, usize>,
    jwt: Regex,
    uid: Regex,
    time: Regex,
    token: Regex,
    version: Regex,
    cluster_ip: Regex,
    age: Regex,
}

impl Mask {
    pub(super) fn new() -> Self {
        Self {
            uids: BTreeMap::new(),
            versions: BTreeMap::new(),
            generated: BTreeMap::new(),
            secrets: BTreeMap::new(),
            issued: BTreeMap::new(),
            jwt: Regex::new(r"eyJ[\w-]+\.[\w-]+\.[\w-]+").unwrap(),
            uid: Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").unwrap(),
            time: Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z").unwrap(),
            cluster_ip: Regex::new(r"^10(\.\d{1,3}){3}$").unwrap(),
            age: Regex::new(r"^\d{1,3}(ms|s)$").unwrap(),
            token: Regex::new(r"\bcontinue=[^&\s]+").unwrap(),
            version: Regex::new(
                r#"(resourceVersion=|resource version: |resourceVersion\\?":\\?"|resourceVersion: "|in record \(|in precondition: |in object meta: |requested |current )\(?(\d+)"#,
            )
            .unwrap(),
        }
    }

    /// A secret is called by a name from now on.
    pub(super) fn call(&mut self, secret: &str, name: &str) {
        self.secrets.insert(secret.to_owned(), name.to_owned());
    }

    /// Masks a text that is no JSON.
    pub(super) fn text(&mut self, text: &str) -> String {
        let text = self.jwt.replace_all(text, |found: &Captures<'_>| {
            let next = self.issued.len() + 1;
            let number = self.issued.entry(found[0].to_owned()).or_insert(next);
            format!("<issued token {number}>")
        });
        let text = self.uid.replace_all(&text, |found: &Captures<'_>| {
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
        let text = self.cluster_ip.replace(&text, "<cluster IP>");
        let text = self.age.replace(&text, "<age>");
        let text = self.token.replace_all(&text, "continue=<token>");
        let text = sort_errors(&text);
        let text = sort_quoted(&text);
        let text = self.version.replace_all(&text, |found: &Captures<'_>| {
            let known = self.versions.get(&found[2]);
            format!(
                "{}{}",
                &found[1],
                known.map_or("<a version>".to_owned(), named)
            )
        });
        let mut text = text.into_owned();
        for (name, masked) in self.generated.iter().chain(&self.secrets) {
            text = text.replace(name, masked);
        }
        text
    }

    /// Masks a question, which may name what no answer has named.
    pub(super) fn question(&mut self, value: &mut Value) {
        self.walk(value, false);
    }

    /// Masks an answer.
    pub(super) fn answer(&mut self, value: &mut Value) {
        let is_list = value["kind"]
            .as_str()
            .is_some_and(|kind| kind.ends_with("List") || kind == "Table");
        if is_list {
            // Of a list it is how far the whole server has come.
            if let Some(version) = value["metadata"].get_mut("resourceVersion") {
                *version = "<now>".into();
            }
            if let Some(token) = value["metadata"]
                .get_mut("continue")
                .filter(|token| **token != "")
            {
                *token = "<token>".into();
            }
        }
        if value["kind"] == "SelfSubjectRulesReview" {
            // In the order in which a server comes upon the bindings.
            let status = value["status"].as_object_mut();
            let lists = status
                .into_iter()
                .flatten()
                .filter_map(|(_, rules)| rules.as_array_mut());
            lists.for_each(|rules| rules.sort_by_key(Value::to_string));
        }
        self.walk(value, true);
    }

    /// The name of the version of an object that is answered.
    pub(super) fn version_of_answer(&mut self, version: &str) -> Option<String> {
        self.version(version, true)
    }

    /// The name of a version; none for what stands for no state, `0`, and for what only a question names.
    fn version(&mut self, version: &str, is_answer: bool) -> Option<String> {
        if is_answer && version.parse::<u64>().is_ok_and(|number| number > 0) {
            let next = self.versions.len() + 1;
            self.versions.entry(version.to_owned()).or_insert(next);
        }
        self.versions.get(version).map(named)
    }

    fn walk(&mut self, value: &mut Value, is_answer: bool) {
        sort_causes(value);
        match value {
            Value::Array(values) => values
                .iter_mut()
                .for_each(|value| self.walk(value, is_answer)),
            Value::Object(fields) => {
                for port in ["nodePort", "healthCheckNodePort"] {
                    if let Some(given) = fields.get_mut(port)
                        && given
                            .as_u64()
                            .is_some_and(|port| (30_000..32_768).contains(&port))
                    {
                        *given = "<node port>".into();
                    }
                }
                let of_version =
                    fields.get("path").and_then(Value::as_str) == Some("/metadata/resourceVersion");
                let text = |key: &str| fields.get(key).and_then(Value::as_str).map(str::to_owned);
                if let (Some(name), Some(prefix)) = (text("name"), text("generateName"))
                    && name.starts_with(&prefix)
                {
                    let number = self.generated.len() + 1;
                    self.generated
                        .entry(name)
                        .or_insert(format!("{prefix}<{number}>"));
                }
                // Owner references are owned by their uid.
                let keyed: Vec<String> = fields
                    .keys()
                    .filter(|key| self.uid.is_match(key))
                    .cloned()
                    .collect();
                for key in keyed {
                    if let Some(value) = fields.remove(&key) {
                        fields.insert(self.text(&key), value);
                    }
                }
                for (key, value) in fields {
                    match value {
                        Value::Array(entries) if key == "managedFields" => {
                            sort_managers(entries);
                            entries
                                .iter_mut()
                                .for_each(|entry| self.walk(entry, is_answer));
                        }
                        Value::String(version)
                            if key == "resourceVersion" || of_version && key == "value" =>
                        {
                            if let Some(name) = self.version(version, is_answer) {
                                *version = name;
                            }
                        }
                        value => self.walk(value, is_answer),
                    }
                }
            }
            Value::String(text) => *text = self.text(text),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// The first that an answer names is `<version 1>`, and so on.
fn named(number: &usize) -> String {
    format!("<version {number}>")
}

/// Managers are told in the order of the second of their last write, so two runs may differ: here in that of their names.
fn sort_managers(entries: &mut [Value]) {
    entries.sort_by_key(|entry| {
        ["operation", "manager", "apiVersion", "subresource"]
            .map(|field| entry[field].as_str().unwrap_or_default().to_owned())
    });
}

/// The managers that an apply conflicts with come in any order, and so does what is wrong with a custom resource: a
/// server goes through the fields of its schema as they come.
fn sort_causes(status: &mut Value) {
    let details = &status["details"];
    let of_case = details["group"]
        .as_str()
        .is_some_and(|group| group.ends_with(".example.com"));
    let Some(causes) = details["causes"].as_array() else {
        return;
    };
    let conflicts = causes
        .iter()
        .all(|cause| cause["reason"] == "FieldManagerConflict");
    if !of_case && !conflicts {
        return;
    }
    let mut sorted = causes.clone();
    sorted.sort_by_key(|cause| (cause["field"].to_string(), cause["message"].to_string()));
    if let Some(message) = status["message"].as_str() {
        status["message"] = message.replace(&told(causes), &told(&sorted)).into();
    }
    status["details"]["causes"] = sorted.into();
}

/// Causes as a message tells them, each once.
fn told(causes: &[Value]) -> String {
    let text = |cause: &Value, field: &str| cause[field].as_str().unwrap_or_default().to_owned();
    let mut told: Vec<String> = Vec::new();
    for cause in causes {
        let cause = format!("{}: {}", text(cause, "field"), text(cause, "message"));
        if !told.contains(&cause) {
            told.push(cause);
        }
    }
    format!("[{}]", told.join(", "))
}

/// An object that is quoted as a whole: what a patch left alone in it is in the order of the server's code, and the
/// rest sorted.
fn sort_quoted(text: &str) -> Cow<'_, str> {
    const BEFORE: &str = "patch: Invalid value: ";
    let Some((before, quoted)) = text
        .split_once(BEFORE)
        .map(|(before, quoted)| (format!("{before}{BEFORE}"), quoted))
        .or_else(|| {
            let quoted = text.strip_prefix("Invalid value: ")?;
            Some(("Invalid value: ".to_owned(), quoted))
        })
        .filter(|(_, quoted)| quoted.starts_with("\"{"))
    else {
        return text.into();
    };
    let mut values = serde_json::Deserializer::from_str(quoted).into_iter::<String>();
    let object = values.next().and_then(Result::ok);
    let after = &quoted[values.byte_offset()..];
    match object.and_then(|object| serde_json::from_str::<Value>(&object).ok()) {
        Some(object) => format!("{before}{}{after}", Value::from(object.to_string())).into(),
        None => text.into(),
    }
}

/// What is wrong with the fields of an applied object comes in any order.
fn sort_errors(text: &str) -> Cow<'_, str> {
    match text.split_once("): errors:\n") {
        Some((before, errors)) => {
            let mut errors: Vec<&str> = errors.split('\n').collect();
            errors.sort_unstable();
            format!("{before}): errors:\n{}", errors.join("\n")).into()
        }
        None => text.into(),
    }
}
