//! Answers of a Kubernetes 1.36.3, recorded.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::failure::MOST_BYTES;

fn widget() -> Schema {
    let crd: Value = serde_json::from_str(include_str!("../patch/widget.json")).unwrap();
    Schema::from_crd_version(&crd["spec"]["versions"][0]).unwrap()
}

/// Causes in one order: the server's is that of a Go map.
fn sorted(causes: &[Cause]) -> BTreeSet<String> {
    let each = causes.iter().map(|cause| {
        format!(
            "{} {} {}",
            cause.reason.as_str(),
            cause.field,
            cause.message
        )
    });
    each.collect()
}

fn recorded(causes: &Value) -> BTreeSet<String> {
    let text = |cause: &Value, name: &str| cause[name].as_str().unwrap().to_owned();
    let causes = causes.as_array().map(Vec::as_slice).unwrap_or_default();
    let each = causes.iter().map(|c| {
        format!(
            "{} {} {}",
            text(c, "reason"),
            text(c, "field"),
            text(c, "message")
        )
    });
    each.collect()
}

#[test]
fn objects_are_pruned_defaulted_and_validated_as_recorded() {
    let recordings: Vec<Value> =
        serde_json::from_str(include_str!("recorded_objects.json")).unwrap();
    let schema = widget();
    let mut wrong = Vec::new();
    for recording in &recordings {
        let mut object = json!({"apiVersion": "test.dev/v1", "kind": "Widget", "metadata": {"name": "v"},
            "spec": recording["spec"]});
        let unknown = schema.prune(&mut object).paths();
        assert!(schema.apply_defaults(&mut object));
        let found = schema.validate(&object, None);
        let causes = [found.values, found.wholes, found.lists].concat();
        Fractions::take(&mut object);
        let warnings: Vec<String> = unknown
            .iter()
            .map(|path| format!("299 - \"unknown field \\\"{path}\\\"\""))
            .collect();
        let expected = recording["warnings"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if recording.get("answer").is_some() && json!(warnings) != json!(expected) {
            wrong.push(format!(
                "{}\n   want {expected:?}\n   got {warnings:?}",
                recording["spec"]
            ));
        }
        if sorted(&causes) != recorded(&recording["causes"]) {
            let (got, want) = (sorted(&causes), recorded(&recording["causes"]));
            let missing: Vec<_> = want.difference(&got).collect();
            let added: Vec<_> = got.difference(&want).collect();
            wrong.push(format!(
                "{}\n   missing {missing:#?}\n   added {added:#?}",
                recording["spec"]
            ));
        } else if causes.is_empty() && object["spec"] != recording["answer"] {
            wrong.push(format!(
                "want {}\n   got  {}",
                recording["answer"], object["spec"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn schemas_that_are_not_structural_are_refused_as_recorded() {
    let recordings: Vec<Value> =
        serde_json::from_str(include_str!("recorded_schemas.json")).unwrap();
    let mut wrong = Vec::new();
    for recording in &recordings {
        let causes = Schema::from_crd_version(&recording["schema"])
            .err()
            .unwrap_or_default();
        if sorted(&causes) != recorded(&recording["causes"]) {
            let (got, want) = (sorted(&causes), recorded(&recording["causes"]));
            wrong.push(format!(
                "{}\n   want {want:#?}\n   got {got:#?}",
                recording["schema"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_type_of_the_table_is_there() {
    let kinds: Vec<(&str, &Schema)> = super::builtin::kinds().collect();
    assert!(kinds.iter().any(|(kind, _)| *kind == "apps/v1 Deployment"));
    for (kind, schema) in kinds {
        let mut seen = BTreeSet::new();
        resolve(schema, &mut seen, kind);
        assert!(seen.contains("ObjectMeta"), "{kind}");
    }
    assert!(builtin("", "v1", "Nothing").is_none());
}

/// Every name in the table names a type of it.
fn resolve(schema: &Schema, seen: &mut BTreeSet<&'static str>, at: &str) {
    if let Some(name) = schema.refers {
        if !seen.insert(name) {
            return;
        }
        let has_fields = !schema.target().properties.is_empty();
        let is_empty = name == "CustomResourceSubresourceStatus";
        assert!(has_fields != is_empty, "{at}: {name} is empty");
    } else if schema.kind == Some(Kind::Object) && schema.properties.is_empty() {
        assert!(
            matches!(schema.additional, Additional::Values(_)),
            "{at} has a type that is not in the table"
        );
    }
    let node = schema.target();
    for (name, field) in &node.properties {
        resolve(field, seen, &format!("{at}.{name}"));
    }
    if let Additional::Values(values) = &node.additional {
        resolve(values, seen, at);
    }
    if let Some(items) = &node.items {
        resolve(items, seen, at);
    }
}

#[test]
fn built_in_objects_are_decoded_as_recorded() {
    let error = |kind: &str, object: Value| {
        let mut object = object;
        builtin("", "v1", kind)
            .unwrap()
            .decode("v1", kind, &mut object)
            .unwrap_err()
    };
    let field = "json: cannot unmarshal";
    for (kind, object, message) in [
        (
            "ConfigMap",
            json!({"data": {"a": 1}}),
            "number into Go struct field ConfigMap.data of type string",
        ),
        (
            "ConfigMap",
            json!({"data": []}),
            "array into Go struct field ConfigMap.data of type map[string]string",
        ),
        (
            "ConfigMap",
            json!({"metadata": {"labels": "x"}}),
            "string into Go struct field ObjectMeta.metadata.labels of type map[string]string",
        ),
        (
            "ConfigMap",
            json!({"metadata": {"ownerReferences": {"a": true}}}),
            "object into Go struct field ObjectMeta.metadata.ownerReferences of type []v1.OwnerReference",
        ),
        (
            "ConfigMap",
            json!({"metadata": {"ownerReferences": [{"controller": "x"}]}}),
            "string into Go struct field OwnerReference.metadata.ownerReferences.controller of type bool",
        ),
        (
            "ConfigMap",
            json!({"metadata": "e"}),
            "string into Go struct field ConfigMap.metadata of type v1.ObjectMeta",
        ),
        (
            "ConfigMap",
            json!({"metadata": {"generation": 1.5}}),
            "number 1.5 into Go struct field ObjectMeta.metadata.generation of type int64",
        ),
        (
            "Service",
            json!({"spec": {"ports": [{"port": "x"}]}}),
            "string into Go struct field ServicePort.spec.ports.port of type int32",
        ),
        (
            "Service",
            json!({"spec": 5}),
            "number into Go struct field Service.spec of type v1.ServiceSpec",
        ),
        (
            "Service",
            json!({"spec": {"ports": ["x"]}}),
            "string into Go struct field ServiceSpec.spec.ports of type v1.ServicePort",
        ),
    ] {
        assert_eq!(error(kind, object), format!("{field} {message}"));
    }
    assert_eq!(
        error("ConfigMap", json!({"binaryData": {"a": "???"}})),
        "illegal base64 data at input byte 0"
    );
    assert_eq!(
        error("ConfigMap", json!({"metadata": {"creationTimestamp": "x"}})),
        "parsing time \"x\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"x\" as \"2006\""
    );
    let mut event = json!({"metadata": {"name": "e", "labels": {}}, "involvedObject": {"namespace": "default"}});
    let schema = builtin("", "v1", "Event").unwrap();
    schema.decode("v1", "Event", &mut event).unwrap();
    Empties::take(schema, &mut event);
    assert_eq!(
        event,
        json!({"metadata": {"name": "e"}, "involvedObject": {"namespace": "default"}, "source": {},
            "firstTimestamp": null, "lastTimestamp": null, "eventTime": null, "reportingComponent": "",
            "reportingInstance": ""})
    );
}

#[test]
fn metadata_of_a_custom_resource_is_decoded() {
    let mut object = json!({"metadata": {"labels": {"a": 1}}});
    let message =
        "json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string";
    assert_eq!(decode_metadata(&mut object), Err(message.into()));
}

/// A schema of a map of maps, and an object with as many entries below a long name.
fn below_a_long_name(entries: usize, entry: Value) -> (Schema, Value) {
    let whole = json!({"type": "object", "properties": {"n": {"type": "integer", "minimum": 5}}});
    let map = |values: Value| json!({"type": "object", "additionalProperties": values});
    let schema = Schema::from_crd_version(
        &json!({"type": "object", "properties": {"spec": map(map(whole))}}),
    );
    let entries: serde_json::Map<String, Value> = (0..entries)
        .map(|index| (format!("e{index}"), entry.clone()))
        .collect();
    let spec = serde_json::Map::from_iter([("k".repeat(1 << 20), Value::from(entries))]);
    (schema.unwrap(), json!({"spec": spec}))
}

#[test]
fn of_what_is_below_a_long_name_all_is_counted_and_some_is_told() {
    const MOST: usize = MOST_BYTES + (4 << 20);
    let (schema, object) = below_a_long_name(300, json!({"n": 1}));
    let causes = schema.validate(&object, None).values;
    let told = causes
        .iter()
        .map(|cause| cause.field.len() + cause.message.len());
    assert_eq!(causes.len(), 300);
    assert!(told.sum::<usize>() < MOST);
    let (schema, mut object) = below_a_long_name(300, json!({"unknown": 1}));
    let paths = schema.prune(&mut object).paths();
    assert!(!paths.is_empty() && paths.iter().map(String::len).sum::<usize>() < MOST);
    assert_eq!(object, below_a_long_name(300, json!({})).1);
}

#[test]
fn numbers_of_an_enum_are_compared_as_in_go() {
    let allowed = Enum::new(vec![
        json!(1),
        json!(2.5),
        json!(3.0),
        json!(-0.0),
        json!("1"),
        json!(null),
        json!({"a": 1}),
    ]);
    for value in [
        json!(1),
        json!(1.0),
        json!(1.7),
        json!(2.5),
        json!(3),
        json!(3.0),
        json!(0),
        json!(0.0),
        json!("1"),
        json!({"a": 1}),
    ] {
        assert!(allowed.has(&value), "{value}");
    }
    for value in [
        json!(2),
        json!(2.4),
        json!(3.5),
        json!("2"),
        json!(null),
        json!(true),
        json!({"a": 1.0}),
    ] {
        assert!(!allowed.has(&value), "{value}");
    }
}
