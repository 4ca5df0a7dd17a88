//! Answers of a Kubernetes 1.36.3, recorded.

use serde_json::{Value, json};

use super::*;
use crate::schema::{Schema, builtin};

fn config_map() -> &'static Schema {
    builtin("", "v1", "ConfigMap").unwrap()
}

fn writer(manager: &str) -> Writer<'_> {
    Writer {
        manager,
        subresource: None,
        now: "2026-11-23T14:36:18.5Z".parse().unwrap(),
        api_version: "v1",
        status_is_subresource: false,
        custom_resource: false,
    }
}

fn managed(object: &Value) -> Value {
    object
        .pointer("/metadata/managedFields")
        .cloned()
        .unwrap_or(Value::Null)
}

fn apply_map(live: Option<&Value>, manager: &str, data: Value) -> Result<Value, ApplyError> {
    let applied =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s"}, "data": data});
    server_side_apply(live, &applied, config_map(), &writer(manager), false)
}

#[test]
fn an_applied_config_map_with_an_owner() {
    let applied = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s", "labels": {"a": "b"},
        "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "11", "controller": true}]},
        "data": {"k": "v", "l": "m"}});
    let created = server_side_apply(None, &applied, config_map(), &writer("one"), true).unwrap();
    assert_eq!(
        managed(&created),
        json!([{"manager": "one", "operation": "Apply", "apiVersion": "v1", "time": "2026-11-23T14:36:18Z",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:k": {}, "f:l": {}}, "f:metadata": {"f:labels": {"f:a": {}},
            "f:ownerReferences": {"k:{\"uid\":\"11\"}": {}}}}}])
    );
    let later = Writer {
        now: "2026-11-23T15:00:00Z".parse().unwrap(),
        ..writer("one")
    };
    let again = server_side_apply(Some(&created), &applied, config_map(), &later, true).unwrap();
    assert_eq!(again, created);
}

#[test]
fn shared_fields_conflicts_and_what_is_given_up() {
    let one = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s", "labels": {"a": "b"}},
        "data": {"k": "v", "l": "m"}});
    let created = server_side_apply(None, &one, config_map(), &writer("one"), true).unwrap();

    // An apply that changes no value takes a share, and has no time.
    let shared = apply_map(Some(&created), "two", json!({"k": "v"})).unwrap();
    assert_eq!(
        managed(&shared)[0],
        json!({"manager": "two", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {"f:k": {}}}})
    );

    let three = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s", "labels": {"a": "c"}},
        "data": {"k": "w"}});
    let conflict = server_side_apply(Some(&shared), &three, config_map(), &writer("three"), false)
        .unwrap_err();
    assert_eq!(
        conflict.to_string(),
        "Apply failed with 3 conflicts: conflicts with \"one\":\n- .data.k\n- .metadata.labels.a\nconflicts with \
         \"two\":\n- .data.k"
    );

    let mut patched = merge_patch(&shared, &json!({"data": {"k": "z", "n": "o"}}));
    track_update(Some(&shared), &mut patched, config_map(), &writer("four"));
    assert_eq!(
        managed(&patched),
        json!([{"manager": "one", "operation": "Apply", "apiVersion": "v1", "time": "2026-11-23T14:36:18Z",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:l": {}}, "f:metadata": {"f:labels": {"f:a": {}}}}},
            {"manager": "four", "operation": "Update", "apiVersion": "v1", "time": "2026-11-23T14:36:18Z",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:k": {}, "f:n": {}}}}])
    );
    let conflict = apply_map(Some(&patched), "three", json!({"k": "w"})).unwrap_err();
    assert_eq!(
        conflict.to_string(),
        "Apply failed with 1 conflict: conflict with \"four\" using v1: .data.k"
    );

    let given_up = apply_map(Some(&patched), "one", json!({"l": "m"})).unwrap();
    assert_eq!(given_up["data"], json!({"k": "z", "l": "m", "n": "o"}));
    assert_eq!(given_up["metadata"].get("labels"), None);
    assert_eq!(
        managed(&given_up)[0]["fieldsV1"],
        json!({"f:data": {"f:l": {}}})
    );
}
