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
        kept_by_status: &[],
        not_owned: &[],
        versions: Versions::Alike,
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

#[test]
fn json_patches_fit_or_are_invalid() {
    let doc = json!({"metadata": {"name": "a", "labels": {"x": "y"}, "finalizers": ["a/b", "c/d"]}, "data": {"k": "v"}});
    let data = |patch: Value| {
        json_patch(&doc, patch.to_string().as_bytes()).map(|new| new["data"].clone())
    };
    for (patch, wanted) in [
        (json!([]), json!({"k": "v"})),
        (
            json!([{"op": "replace", "path": "/data/none", "value": "1"}]),
            json!({"k": "v", "none": "1"}),
        ),
        (
            json!([{"op": "copy", "from": "/data/k", "path": "/data/z"}]),
            json!({"k": "v", "z": "v"}),
        ),
        (
            json!([{"op": "move", "from": "/data/k", "path": "/data/z"}]),
            json!({"z": "v"}),
        ),
        (
            json!([{"op": "add", "path": "/data/z"}]),
            json!({"k": "v", "z": null}),
        ),
        (
            json!([{"op": "test", "path": "/data/none", "value": null}]),
            json!({"k": "v"}),
        ),
        (
            json!([{"op": "test", "path": "/metadata/labels", "value": {"x": "y"}}]),
            json!({"k": "v"}),
        ),
        (
            json!([{"op": "test", "path": "/metadata/finalizers/-1", "value": "c/d"}]),
            json!({"k": "v"}),
        ),
    ] {
        assert_eq!(data(patch.clone()), Ok(wanted), "{patch}");
    }
    for patch in [
        json!([{"op": "test", "path": "/data/k", "value": "no"}]),
        json!([{"op": "add", "path": "/spec/x/y", "value": "no"}]),
        json!([{"op": "remove", "path": "/data/none"}]),
        json!([{"op": "move", "from": "/data/none", "path": "/data/z"}]),
        json!([{"op": "test", "path": "/data/x/y", "value": "1"}]),
        json!([{"op": "frob", "path": "/data/x"}]),
        json!([{"op": "add", "path": "/metadata/finalizers/5", "value": "x"}]),
        json!([{"op": "remove", "path": "/metadata/finalizers/2"}]),
        json!([{"op": "add", "value": "x"}]),
        json!([{"op": "add", "path": "", "value": {}}]),
        json!([{"op": "add", "path": "data", "value": 1}]),
        json!([{"path": "/data/x"}]),
    ] {
        assert_eq!(data(patch.clone()), Err(PatchError::Invalid), "{patch}");
    }
    assert_eq!(
        data(json!({"op": "add"})),
        Err(PatchError::BadRequest(
            "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp".into()
        ))
    );
}

#[test]
fn directives_of_a_strategic_merge_patch() {
    let doc =
        json!({"metadata": {"name": "a", "finalizers": ["x.y/z", "u.v/w"]}, "data": {"a": "1"}});
    let patch = |patch: Value| strategic_merge_patch(&doc, &patch, config_map());
    assert_eq!(
        patch(json!({"data": {"$patch": "replace", "b": "2"}})).unwrap()["data"],
        json!({"b": "2"})
    );
    let internal = |message: &str| Err(PatchError::Internal(message.into()));
    assert_eq!(
        patch(json!({"data": {"$patch": "merge", "q": "r"}})),
        internal("unknown patch type: merge in map: map[$patch:merge q:r]")
    );
    assert_eq!(
        patch(json!({"metadata": {"$setElementOrder/bogus": [1]}})),
        internal("unable to find api field in struct ObjectMeta for the json field \"bogus\"")
    );
    assert_eq!(
        patch(
            json!({"metadata": {"$setElementOrder/finalizers": ["a.b/c"], "finalizers": ["d.e/f"]}})
        ),
        internal(
            "The order in patch list:\n[d.e/f]\n doesn't match $setElementOrder list:\n[a.b/c]\n"
        )
    );
    assert_eq!(
        patch(json!([1])),
        Err(PatchError::BadRequest(
            "json: cannot unmarshal array into Go value of type map[string]interface {}".into()
        ))
    );
}

#[test]
fn what_cannot_be_applied() {
    let apply = |applied: Value| {
        let refused = server_side_apply(None, &applied, config_map(), &writer("one"), true);
        refused.unwrap_err().to_string()
    };
    assert_eq!(
        apply(json!({"kind": "ConfigMap", "metadata": {"name": "s"}})),
        "invalid object type: /, Kind=ConfigMap"
    );
    assert_eq!(
        apply(json!({"apiVersion": "v2", "kind": "ConfigMap"})),
        "invalid object type: /v2, Kind=ConfigMap"
    );
    assert_eq!(
        apply(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"managedFields": []}})),
        "metadata.managedFields must be nil"
    );
    assert_eq!(
        apply(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s"}, "bar": 2})
        ),
        "failed to create typed patch object (/s; /v1, Kind=ConfigMap): .bar: field not declared in schema"
    );
}
