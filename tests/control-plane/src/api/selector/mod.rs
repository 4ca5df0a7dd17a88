//! Label and field selectors.

mod fields;
mod labels;

pub(crate) use fields::exactly;
use serde_json::Value;

use crate::failure::Failure;
use crate::kinds::{Resource, Version, in_one_line};
use crate::object;
use crate::store::{Kept, Key};

/// What a list or a watch is limited to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<FieldRequirement>,
}

#[derive(Clone, Debug)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Absent,
    Above(i64),
    Below(i64),
}

#[derive(Clone, Debug)]
struct FieldRequirement {
    path: String,
    /// The field that counts where there is none at the path.
    otherwise: Option<&'static str>,
    /// What it is where it is not set.
    unset: &'static str,
    equal: bool,
    value: String,
}

/// Whether a selector of labels can be read.
pub(crate) fn are_labels(text: &str) -> bool {
    labels::parse(text).is_ok()
}

/// The same of fields.
pub(crate) fn are_fields(text: &str) -> bool {
    fields::parse(text).is_ok()
}

/// Both selectors of a request as they were read, whether or not there are such fields.
pub(crate) struct Said {
    labels: Vec<Requirement>,
    fields: Vec<FieldRequirement>,
}

/// Those of which no namespace can be asked for, though others that are in none have an empty one.
fn has_no_namespaces(resource: &Resource) -> bool {
    [
        ("", "namespaces"),
        ("", "nodes"),
        ("certificates.k8s.io", "certificatesigningrequests"),
        ("resource.k8s.io", "resourceslices"),
    ]
    .iter()
    .any(|(group, plural)| resource.is(group, plural))
}

impl Said {
    pub(crate) fn read(labels: Option<&str>, fields: Option<&str>) -> Result<Self, Failure> {
        let labels = labels::parse(labels.unwrap_or_default()).map_err(Failure::bad_request)?;
        let fields = fields::parse(fields.unwrap_or_default()).map_err(Failure::bad_request)?;
        Ok(Self { labels, fields })
    }

    /// What they say of the objects of a version.
    pub(crate) fn of(self, resource: &Resource, version: &Version) -> Result<Selector, Failure> {
        let Self { labels, mut fields } = self;
        // What is asked for of nothing, `=`, is asked for of no field.
        fields.retain(|field| !field.path.is_empty() || !field.value.is_empty());
        for field in &fields {
            let known = match field.path.as_str() {
                "metadata.name" => true,
                "metadata.namespace" => !has_no_namespaces(resource),
                path => version.selectable.iter().any(|known| known == path),
            };
            if !known {
                return Err(Failure::bad_request(if resource.is_crd() {
                    format!("field label not supported: {}", field.path)
                } else if version.selectable.is_empty() {
                    format!(
                        "\"{}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
                        field.path
                    )
                } else if resource.is("batch", "jobs") {
                    format!("field label {:?} not supported for Job", field.path)
                } else if resource.is("resource.k8s.io", "resourceslices") {
                    let api_version = resource.api_version(&version.name);
                    format!(
                        "field label not supported for {api_version}, Kind={}: {}",
                        resource.kind, field.path
                    )
                } else {
                    format!("field label not supported: {}", field.path)
                }));
            }
        }
        let fields = fields
            .into_iter()
            .map(|field| field.stored(resource))
            .collect();
        Ok(Selector { labels, fields })
    }
}

impl Selector {
    /// Whether a kept object matches; it is read only as far as that needs.
    pub(crate) fn selects(&self, object: &Kept) -> bool {
        if self
            .fields
            .iter()
            .any(|field| field.of_key(&object.key).is_none())
        {
            return self.matches(&object.value());
        }
        let fields = self.fields.iter();
        fields.clone().all(|field| {
            field
                .of_key(&object.key)
                .is_some_and(|value| field.holds_for(value))
        }) && (self.labels.is_empty() || {
            let labels = object.labels();
            let label = |key: &str| labels.get(key).map(String::as_str);
            self.labels
                .iter()
                .all(|requirement| requirement.matches(label(&requirement.key)))
        })
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        self.fields.iter().all(|field| field.matches(object)) && {
            let labels = object
                .get("metadata")
                .and_then(|metadata| metadata.get("labels"));
            self.labels.iter().all(|requirement| {
                requirement.matches(
                    labels
                        .and_then(|labels| labels.get(&requirement.key))
                        .and_then(Value::as_str),
                )
            })
        }
    }

    /// What a field is of every object that matches.
    pub(crate) fn exactly(&self, path: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        let said = fields.find(|field| field.equal && field.path == path)?;
        Some(&said.value)
    }

    /// Whether anything is said of fields.
    pub(crate) fn selects_fields(&self) -> bool {
        !self.fields.is_empty()
    }

    /// Whether everything matches.
    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }
}

/// Whether a selector that stands in an object selects another; one that is not there selects nothing.
pub(super) fn selects(selector: Option<&Value>, object: &Value) -> bool {
    let Some(selector) = selector else {
        return false;
    };
    let labels = labels::parse(&in_one_line(Some(selector)));
    labels.is_ok_and(|labels| {
        let fields = Vec::new();
        Selector { labels, fields }.matches(object)
    })
}

impl Requirement {
    fn matches(&self, value: Option<&str>) -> bool {
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match &self.test {
            Test::In(values) => value.is_some_and(|value| values.iter().any(|one| one == value)),
            Test::NotIn(values) => value.is_none_or(|value| values.iter().all(|one| one != value)),
            Test::Exists => value.is_some(),
            Test::Absent => value.is_none(),
            Test::Above(limit) => number().is_some_and(|value| value > *limit),
            Test::Below(limit) => number().is_some_and(|value| value < *limit),
        }
    }
}

impl FieldRequirement {
    /// The same of what is stored: all events are stored as those of the core group, and what is left out of an object
    /// because it is Go's zero has a value all the same.
    fn stored(mut self, resource: &Resource) -> Self {
        if resource.is_crd() {
            return self;
        }
        match (resource.kind.as_str(), self.path.as_str()) {
            ("Event", "reportingController") => self.path = "reportingComponent".into(),
            ("Event", "source") => {
                self.path = "source.component".into();
                self.otherwise = Some("reportingComponent");
            }
            ("Event", path) => {
                if let Some(rest) = path.strip_prefix("regarding.") {
                    self.path = format!("involvedObject.{rest}");
                }
            }
            ("Job", "status.successful") => {
                self.path = "status.succeeded".into();
                self.unset = "0";
            }
            ("Pod", "spec.host") => self.path = "spec.nodeName".into(),
            // It may be asked for, and no pod has it.
            ("Pod", "status.podIPs") => self.path = String::new(),
            ("Node", "spec.unschedulable") | ("Pod", "spec.hostNetwork") => self.unset = "false",
            _ => {}
        }
        self
    }

    /// The field of an object whose key says it.
    fn of_key<'k>(&self, key: &'k Key) -> Option<&'k str> {
        match self.path.as_str() {
            "metadata.name" => Some(&key.name),
            "metadata.namespace" => Some(&key.namespace),
            _ => None,
        }
    }

    fn holds_for(&self, value: &str) -> bool {
        (value == self.value) == self.equal
    }

    fn matches(&self, object: &Value) -> bool {
        let text;
        let value = match self.path.as_str() {
            "metadata.name" => object::name(object),
            "metadata.namespace" => object::namespace(object),
            path => match at(object, path).or_else(|| at(object, self.otherwise?)) {
                Some(Value::String(value)) => value,
                Some(Value::Null) | None => self.unset,
                Some(other) => {
                    text = other.to_string();
                    &text
                }
            },
        };
        self.holds_for(value)
    }
}

fn at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .try_fold(object, |value, field| value.get(field))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matches(selector: &str, labels: Value) -> bool {
        let selector = Selector {
            labels: labels::parse(selector).unwrap(),
            fields: Vec::new(),
        };
        selector.matches(&json!({"metadata": {"labels": labels}}))
    }

    #[test]
    fn label_selectors_select() {
        for yes in [
            "",
            "a=1",
            "a==1",
            "a!=2",
            "b!=2",
            "a in (0, 1)",
            "a notin (2),a",
            "!b",
            "a>0",
            "a<2",
            " a = 1 , !b",
        ] {
            assert!(matches(yes, json!({"a": "1"})), "{yes}");
        }
        for no in [
            "a=2",
            "a!=1",
            "a in (2)",
            "a notin (1)",
            "!a",
            "b",
            "a>1",
            "a<1",
            "a=",
            "b=",
        ] {
            assert!(!matches(no, json!({"a": "1"})), "{no}");
        }
        for wrong in [
            "a==b!c", "a=b,", "-a=b", "a=-b", "=1", "a in 1", "a in (1", "a b", "a>x",
        ] {
            assert!(labels::parse(wrong).is_err(), "{wrong}");
        }
    }
}
