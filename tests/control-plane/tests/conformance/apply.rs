//! Server-side apply: who owns which field, and what comes of it.

use serde_json::{Value, json};

use super::support::{Talk, map};

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const SERVICES: &str = "/api/v1/namespaces/{ns}/services";
const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const GADGETS: &str = "/apis/{group}/v1/namespaces/{ns}/gadgets";

fn gadget(spec: Value) -> Value {
    json!({"apiVersion": "{group}/v1", "kind": "Gadget", "metadata": {"name": "one"}, "spec": spec})
}

/// A service without an address, as those are given by chance.
fn service(spec: Value) -> Value {
    let mut object =
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec});
    object["spec"]["clusterIP"] = "None".into();
    object
}

/// Where an applier sends to.
fn of(collection: &str, name: &str, manager: &str) -> String {
    format!("{collection}/{name}?fieldManager={manager}")
}

fn forced(path: &str) -> String {
    format!("{path}&force=true")
}

async fn apply_map(talk: &mut Talk, manager: &str, data: Value) {
    talk.patch("apply", &of(MAPS, "one", manager), map("one", data))
        .await;
}

/// A kind with lists and maps of all types.
async fn install_gadgets(talk: &Talk) {
    let element = |extra: Value| {
        let mut properties = json!({"name": {"type": "string"}, "value": {"type": "string"}});
        for (name, field) in extra.as_object().into_iter().flatten() {
            properties[name] = field.clone();
        }
        json!({"type": "object", "required": ["name"], "properties": properties})
    };
    let schema = json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": {
            "size": {"type": "integer"},
            "share": {"type": "number"},
            "mode": {"type": "string", "default": "auto"},
            "note": {"type": "string", "nullable": true},
            "quantity": {"x-kubernetes-int-or-string": true},
            "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "steps": {"type": "array", "items": {"type": "string"}},
            "numbers": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "integer"}},
            "parts": {
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "items": element(json!({})),
            },
            "ports": {
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "protocol"],
                "items": element(json!({"protocol": {"type": "string", "default": "TCP"}, "number": {"type": "integer", "default": 80}})),
            },
            "fixed": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": {"type": "string"}},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "limits": {"type": "object", "properties": {
                "cpu": {"type": "string"}, "memory": {"type": "string", "default": "1Gi"},
            }},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "template": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
        }},
        "status": {"type": "object", "properties": {
            "phase": {"type": "string"},
            "conditions": {
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"],
                "items": {"type": "object", "required": ["type", "status"], "properties": {
                    "type": {"type": "string"}, "status": {"type": "string"},
                }},
            },
        }},
    }});
    let version = |name: &str, stored: bool| {
        json!({
            "name": name, "served": true, "storage": stored, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": schema},
        })
    };
    talk.install(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "gadgets.{group}"},
        "spec": {
            "group": "{group}", "scope": "Namespaced",
            "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"},
            "versions": [version("v1", true), version("v2", false)],
        },
    }))
    .await;
}

async fn apply_gadget(talk: &mut Talk, manager: &str, spec: Value) {
    talk.patch("apply", &of(GADGETS, "one", manager), gadget(spec))
        .await;
}

conformance! {
    async fn an_apply_creates_changes_and_takes_away(talk: &mut Talk) {
        apply_map(talk, "a", json!({"x": "1", "y": "2"})).await;
        apply_map(talk, "a", json!({"x": "1", "y": "2"})).await;
        apply_map(talk, "a", json!({"x": "3", "z": "4"})).await;
        apply_map(talk, "a", json!({})).await;
        let bare = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}});
        talk.patch("apply", &of(MAPS, "one", "a"), bare).await;
        talk.get(&format!("{MAPS}/one")).await;
        apply_map(talk, "a", json!({"x": "5"})).await;
    }

    async fn an_apply_conflicts_with_other_managers(talk: &mut Talk) {
        apply_map(talk, "a", json!({"x": "1", "y": "2"})).await;
        talk.say("the same values are shared");
        apply_map(talk, "b", json!({"x": "1"})).await;
        talk.say("one field, two managers");
        apply_map(talk, "c", json!({"x": "other"})).await;
        talk.say("two fields, two managers");
        apply_map(talk, "c", json!({"x": "other", "y": "other", "z": "mine"})).await;
        talk.say("one of the two owners changes it");
        apply_map(talk, "b", json!({"x": "other"})).await;
        talk.patch("merge", &of(MAPS, "one", "d"), json!({"data": {"z": "3", "w": "4"}, "metadata": {"labels": {"l": "m"}}})).await;
        let mut other = map("one", json!({"x": "o", "y": "o", "z": "o", "w": "o"}));
        other["metadata"]["labels"] = json!({"l": "o"});
        talk.say("managers that applied and that updated");
        talk.patch("apply", &of(MAPS, "one", "c"), other.clone()).await;
        talk.patch("apply", &format!("{}&force=false", of(MAPS, "one", "c")), other.clone()).await;
        talk.patch("apply", &forced(&of(MAPS, "one", "c")), other).await;
        talk.say("those that lost it");
        apply_map(talk, "a", json!({"x": "1"})).await;
        apply_map(talk, "a", json!({})).await;
    }

    async fn an_apply_gives_up_fields(talk: &mut Talk) {
        apply_map(talk, "a", json!({"x": "1", "shared": "s", "mine": "m"})).await;
        apply_map(talk, "b", json!({"shared": "s", "other": "o"})).await;
        talk.patch("merge", &of(MAPS, "one", "c"), json!({"data": {"updated": "u"}})).await;
        talk.say("what is shared stays");
        apply_map(talk, "a", json!({"x": "1"})).await;
        apply_map(talk, "b", json!({"other": "o"})).await;
        talk.say("what an update took over stays");
        talk.patch("merge", &of(MAPS, "one", "d"), json!({"data": {"x": "2"}})).await;
        apply_map(talk, "a", json!({})).await;
        talk.say("what an update removed comes back");
        talk.patch("merge", &of(MAPS, "one", "d"), json!({"data": {"other": null}})).await;
        apply_map(talk, "b", json!({"other": "o"})).await;
        talk.get(&format!("{MAPS}/one")).await;
    }

    async fn an_update_takes_what_it_changes(talk: &mut Talk) {
        apply_map(talk, "a", json!({"x": "1", "y": "2"})).await;
        talk.say("no change");
        talk.put(&of(MAPS, "one", "b"), map("one", json!({"x": "1", "y": "2"}))).await;
        talk.say("a change, an addition and a removal");
        talk.put(&of(MAPS, "one", "b"), map("one", json!({"x": "changed", "z": "3"}))).await;
        talk.put(&of(MAPS, "one", "c"), map("one", json!({"x": "changed", "z": "4"}))).await;
        talk.say("from update to apply by one manager");
        apply_map(talk, "c", json!({"z": "5"})).await;
        apply_map(talk, "c", json!({})).await;
    }

    async fn updates_by_many_managers_are_joined(talk: &mut Talk) {
        talk.post(&format!("{MAPS}?fieldManager=m00"), map("one", json!({}))).await;
        for number in 1..13 {
            let body = json!({"data": {format!("k{number}"): "v"}});
            talk.patch("merge", &of(MAPS, "one", &format!("m{number:02}")), body).await;
        }
    }

    async fn a_first_apply_of_what_was_never_tracked(talk: &mut Talk) {
        talk.post(MAPS, map("one", json!({"x": "1"}))).await;
        talk.patch("merge", &format!("{MAPS}/one"), json!({"metadata": {"managedFields": [{}]}})).await;
        apply_map(talk, "a", json!({"x": "2"})).await;
        apply_map(talk, "a", json!({"y": "2"})).await;
        let mut untracked = map("one", json!({"x": "3", "y": "2"}));
        untracked["metadata"]["managedFields"] = json!([]);
        talk.put(&format!("{MAPS}/one"), untracked.clone()).await;
        untracked["metadata"]["managedFields"] = json!([{}]);
        talk.put(&format!("{MAPS}/one"), untracked).await;
        talk.patch("json", &format!("{MAPS}/one"), json!([{"op": "replace", "path": "/data/x", "value": "4"}])).await;
    }

    async fn managed_fields_that_are_written(talk: &mut Talk) {
        talk.post(MAPS, map("one", json!({"x": "1"}))).await;
        let one = &format!("{MAPS}/one?fieldManager=w");
        let entry = |field: &str, value: Value| {
            let mut entry = json!({
                "manager": "someone", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
                "time": "2020-01-01T00:00:00Z", "fieldsV1": {"f:data": {"f:x": {}}},
            });
            entry[field] = value;
            json!({"metadata": {"managedFields": [entry]}})
        };
        for patch in [
            entry("manager", json!("else")),
            entry("operation", json!("Apply")),
            entry("operation", json!("Guess")),
            entry("operation", json!("")),
            entry("fieldsType", json!("FieldsV2")),
            entry("fieldsType", json!("")),
            entry("fieldsV1", json!({"x": {}})),
            entry("fieldsV1", json!({"f:data": {"k:{\"a\":1}": {}, "v:1": {}, "i:3": {}}})),
            entry("fieldsV1", json!(null)),
            entry("subresource", json!("status")),
            entry("time", json!("soon")),
            json!({"metadata": {"managedFields": null}}),
            json!({"metadata": {"managedFields": []}}),
            json!({"metadata": {"managedFields": "none"}}),
            json!({"metadata": {"managedFields": [{}, {}]}}),
            json!({"metadata": {"managedFields": [{}]}, "data": {"y": "z"}}),
        ] {
            talk.patch("merge", one, patch).await;
        }
        talk.get(&format!("{MAPS}/one")).await;
    }

    async fn an_apply_needs_a_manager(talk: &mut Talk) {
        let one = map("one", json!({"x": "1"}));
        for query in [
            "", "?fieldManager=", "?force=true", "?fieldManager=a%0Ab", "?fieldManager=a&force=perhaps",
            "?fieldManager=a&dryRun=Perhaps", "?fieldManager=a&fieldValidation=Perhaps",
        ] {
            talk.patch("apply", &format!("{MAPS}/one{query}"), one.clone()).await;
        }
        talk.patch("apply", &of(MAPS, "one", &"x".repeat(129)), one.clone()).await;
        talk.patch("apply", &of(MAPS, "one", &"x".repeat(128)), one).await;
        talk.patch("apply", &of(MAPS, "one", "a%20b%2Fc"), map("one", json!({"y": "1"}))).await;
    }

    async fn an_apply_with_versions_and_uids(talk: &mut Talk) {
        let one = &of(MAPS, "one", "a");
        let with = |field: &str, value: &Value, data: Value| {
            let mut body = map("one", data);
            body["metadata"][field] = value.clone();
            body
        };
        talk.patch("apply", one, with("resourceVersion", &json!("700000000"), json!({}))).await;
        talk.patch("apply", one, with("uid", &json!("another"), json!({}))).await;
        let created = talk.patch("apply", one, map("one", json!({"x": "1"}))).await.body["metadata"].clone();
        talk.patch("apply", one, with("resourceVersion", &created["resourceVersion"], json!({"x": "2"}))).await;
        talk.patch("apply", one, with("resourceVersion", &created["resourceVersion"], json!({"x": "3"}))).await;
        talk.patch("apply", &forced(one), with("resourceVersion", &created["resourceVersion"], json!({"x": "3"}))).await;
        talk.patch("apply", one, with("resourceVersion", &json!("0"), json!({"x": "4"}))).await;
        talk.patch("apply", one, with("resourceVersion", &json!(""), json!({"x": "5"}))).await;
        talk.patch("apply", one, with("resourceVersion", &json!("x"), json!({"x": "6"}))).await;
        talk.patch("apply", one, with("uid", &created["uid"], json!({"x": "7"}))).await;
        talk.patch("apply", one, with("uid", &json!("another"), json!({"x": "8"}))).await;
        talk.patch("apply", one, with("creationTimestamp", &json!("2001-02-03T04:05:06Z"), json!({"x": "9"}))).await;
        talk.patch("apply", one, with("creationTimestamp", &json!(null), json!({"x": "9"}))).await;
        talk.patch("apply", one, with("generation", &json!(9), json!({"x": "10"}))).await;
        talk.patch("apply", one, with("deletionTimestamp", &json!("2001-02-03T04:05:06Z"), json!({"x": "11"}))).await;
        talk.patch("apply", one, with("managedFields", &json!([]), json!({"x": "12"}))).await;
        talk.patch("apply", one, with("managedFields", &json!([{"manager": "b"}]), json!({"x": "12"}))).await;
        talk.patch("apply", one, with("managedFields", &json!(null), json!({"x": "12"}))).await;
        talk.patch("apply", one, with("selfLink", &json!("/x"), json!({"x": "13"}))).await;
        let live = talk.get(&format!("{MAPS}/one")).await.body;
        talk.say("what a reader sends back");
        talk.patch("apply", one, live).await;
    }

    async fn an_apply_is_of_the_object_in_the_path(talk: &mut Talk) {
        let one = &of(MAPS, "one", "a");
        let bodies = || [
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "two"}}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "default"}}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "{ns}"}}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"labels": {"a": "b"}}}),
            json!({"apiVersion": "v1", "kind": "ConfigMap"}),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one"}}),
            json!({"apiVersion": "v2", "kind": "ConfigMap", "metadata": {"name": "one"}}),
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "one"}}),
            json!({"kind": "ConfigMap", "metadata": {"name": "one"}}),
            json!({"apiVersion": "v1", "metadata": {"name": "one"}}),
            json!({"metadata": {"name": "one"}}),
            json!({}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "one-"}}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": "text"}),
            json!({"apiVersion": 1, "kind": "ConfigMap", "metadata": {"name": "one"}}),
        ];
        talk.say("to create it");
        for body in bodies() {
            talk.patch("apply", one, body).await;
            talk.delete(&format!("{MAPS}/one")).await;
        }
        talk.say("to change it");
        apply_map(talk, "a", json!({"x": "1"})).await;
        for body in bodies() {
            talk.patch("apply", one, body).await;
        }
        talk.patch("apply", &of(MAPS, "Not_A_Name", "a"), map("Not_A_Name", json!({}))).await;
        talk.patch("apply", "/api/v1/namespaces/nowhere/configmaps/one?fieldManager=a", map("one", json!({}))).await;
        talk.patch("apply", &format!("{MAPS}?fieldManager=a"), map("one", json!({}))).await;
    }

    async fn applied_custom_resources_are_of_the_path(talk: &mut Talk) {
        install_gadgets(talk).await;
        let one = &of(GADGETS, "one", "a");
        let bodies = || [
            json!({"apiVersion": "{group}/v1", "kind": "Gadget", "metadata": {"name": "two"}}),
            json!({"apiVersion": "{group}/v1", "kind": "Gadget", "metadata": {"name": "one", "namespace": "default"}}),
            json!({"apiVersion": "{group}/v1", "kind": "Gadget", "metadata": {"labels": {"a": "b"}}}),
            json!({"apiVersion": "{group}/v1", "kind": "Gadget"}),
            json!({"apiVersion": "{group}/v1", "kind": "Widget", "metadata": {"name": "one"}}),
            json!({"apiVersion": "{group}/v2", "kind": "Gadget", "metadata": {"name": "one"}}),
            json!({"apiVersion": "{group}/v3", "kind": "Gadget", "metadata": {"name": "one"}}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}}),
            json!({"kind": "Gadget", "metadata": {"name": "one"}}),
            json!({"apiVersion": "{group}/v1", "metadata": {"name": "one"}}),
            json!({"apiVersion": "{group}/v1", "kind": "Gadget", "metadata": {"name": "one", "uid": "another"}}),
        ];
        for body in bodies() {
            talk.patch("apply", one, body).await;
            talk.delete(&format!("{GADGETS}/one")).await;
        }
        apply_gadget(talk, "a", json!({"size": 1})).await;
        for body in bodies() {
            talk.patch("apply", one, body).await;
        }
        talk.patch("apply", &of(GADGETS, "Not_A_Name", "a"), json!({
            "apiVersion": "{group}/v1", "kind": "Gadget", "metadata": {"name": "Not_A_Name"}, "spec": {"size": 3},
        })).await;
    }

    async fn applies_of_lists_with_keys(talk: &mut Talk) {
        install_gadgets(talk).await;
        apply_gadget(talk, "a", json!({"parts": [{"name": "x", "value": "1"}, {"name": "y"}]})).await;
        talk.say("another one adds, before and after");
        apply_gadget(talk, "b", json!({"parts": [{"name": "w"}, {"name": "y", "value": "2"}, {"name": "z"}]})).await;
        talk.say("another order");
        apply_gadget(talk, "a", json!({"parts": [{"name": "y"}, {"name": "x", "value": "1"}]})).await;
        talk.say("a conflict in an element");
        apply_gadget(talk, "b", json!({"parts": [{"name": "x", "value": "2"}]})).await;
        talk.patch("apply", &forced(&of(GADGETS, "one", "b")), gadget(json!({"parts": [{"name": "x", "value": "2"}]}))).await;
        talk.say("given up");
        apply_gadget(talk, "a", json!({"parts": [{"name": "x"}]})).await;
        apply_gadget(talk, "a", json!({"parts": []})).await;
        apply_gadget(talk, "b", json!({})).await;
        talk.say("an element that an update made");
        talk.patch("merge", &of(GADGETS, "one", "u"), json!({"spec": {"parts": [{"name": "u", "value": "3"}]}})).await;
        apply_gadget(talk, "b", json!({"parts": [{"name": "u"}]})).await;
        apply_gadget(talk, "b", json!({"parts": []})).await;
        talk.patch("merge", &of(GADGETS, "one", "u"), json!({"spec": {"parts": null}})).await;
    }

    async fn applies_of_lists_whose_keys_have_defaults(talk: &mut Talk) {
        install_gadgets(talk).await;
        apply_gadget(talk, "a", json!({"ports": [{"name": "x"}, {"name": "x", "protocol": "UDP"}]})).await;
        apply_gadget(talk, "b", json!({"ports": [{"name": "x", "protocol": "TCP", "number": 80}]})).await;
        apply_gadget(talk, "b", json!({"ports": [{"name": "x", "number": 81}]})).await;
        apply_gadget(talk, "a", json!({"ports": [{"name": "x", "protocol": "UDP"}]})).await;
        apply_gadget(talk, "a", json!({"ports": [{"name": "x"}, {"name": "x", "protocol": "TCP"}]})).await;
        apply_gadget(talk, "a", json!({"ports": [{"protocol": "TCP"}]})).await;
        apply_gadget(talk, "a", json!({"ports": [{"name": "x", "protocol": null}]})).await;
        apply_gadget(talk, "a", json!({"ports": [{"name": 7}]})).await;
    }

    async fn applies_of_sets(talk: &mut Talk) {
        install_gadgets(talk).await;
        apply_gadget(talk, "a", json!({"tags": ["x", "y"], "numbers": [1, 2]})).await;
        apply_gadget(talk, "b", json!({"tags": ["z", "y"], "numbers": [3]})).await;
        apply_gadget(talk, "a", json!({"tags": ["x"], "numbers": [2, 1]})).await;
        apply_gadget(talk, "b", json!({"tags": []})).await;
        talk.patch("merge", &of(GADGETS, "one", "u"), json!({"spec": {"tags": ["u", "x"]}})).await;
        apply_gadget(talk, "a", json!({"tags": ["x", "x"]})).await;
        apply_gadget(talk, "a", json!({"tags": ["x", null]})).await;
        apply_gadget(talk, "a", json!({"tags": [["x"]]})).await;
        apply_gadget(talk, "a", json!({"tags": [{"x": "y"}]})).await;
        apply_gadget(talk, "a", json!({"tags": [7]})).await;
        apply_gadget(talk, "a", json!({"numbers": [1, 1]})).await;
        apply_gadget(talk, "a", json!({"numbers": ["1"]})).await;
        apply_gadget(talk, "a", json!({"tags": null})).await;
    }

    async fn applies_of_what_has_one_owner(talk: &mut Talk) {
        install_gadgets(talk).await;
        apply_gadget(talk, "a", json!({"steps": ["x", "x"], "fixed": {"k": "v"}})).await;
        apply_gadget(talk, "b", json!({"steps": ["x", "x"]})).await;
        apply_gadget(talk, "b", json!({"steps": ["y"]})).await;
        apply_gadget(talk, "b", json!({"fixed": {"l": "w"}})).await;
        apply_gadget(talk, "b", json!({"fixed": {}})).await;
        talk.patch("apply", &forced(&of(GADGETS, "one", "b")), gadget(json!({"fixed": {"l": "w"}, "steps": ["y"]}))).await;
        apply_gadget(talk, "b", json!({})).await;
        talk.patch("merge", &of(GADGETS, "one", "u"), json!({"spec": {"fixed": {"m": "x"}}})).await;
    }

    async fn applies_of_maps(talk: &mut Talk) {
        install_gadgets(talk).await;
        apply_gadget(talk, "a", json!({"labels": {"x": "1"}, "limits": {"cpu": "1"}, "free": {"deep": {"er": [1, {"a": "b"}]}}})).await;
        apply_gadget(talk, "b", json!({"labels": {"y": "2"}, "limits": {}, "free": {"deep": {"other": 1.5}}})).await;
        apply_gadget(talk, "b", json!({"labels": {}, "free": {"deep": {"er": [2]}}})).await;
        apply_gadget(talk, "b", json!({"labels": {"x": "2"}, "limits": {"memory": "2Gi"}})).await;
        apply_gadget(talk, "a", json!({"labels": {"x": ""}})).await;
        apply_gadget(talk, "a", json!({"labels": null, "limits": null, "free": null})).await;
        apply_gadget(talk, "a", json!(null)).await;
        talk.get(&format!("{GADGETS}/one")).await;
    }

    async fn applies_of_duplicates(talk: &mut Talk) {
        install_gadgets(talk).await;
        apply_gadget(talk, "a", json!({"parts": [{"name": "x"}, {"name": "x"}]})).await;
        apply_gadget(talk, "a", json!({"parts": [{"name": "x", "value": "1"}, {"name": "y"}, {"name": "x", "value": "2"}, {"name": "y"}]})).await;
        apply_gadget(talk, "a", json!({"parts": [{"value": "1"}], "tags": ["a", "a"], "numbers": [1, 1]})).await;
        talk.patch("apply", &of(SERVICES, "web", "a"), service(json!({"ports": [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}]}))).await;
        let finalizers = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "finalizers": ["example.com/a", "example.com/a"]}});
        talk.patch("apply", &of(MAPS, "one", "a"), finalizers).await;
        let owner = json!({"apiVersion": "v1", "kind": "Namespace", "name": "n", "uid": "1"});
        let owners = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "ownerReferences": [owner, owner]}});
        talk.patch("apply", &of(MAPS, "one", "a"), owners).await;
    }

    async fn applies_of_wrong_types(talk: &mut Talk) {
        install_gadgets(talk).await;
        for spec in [
            json!({"size": "one"}),
            json!({"size": 1.5}),
            json!({"size": 2.0}),
            json!({"size": true}),
            json!({"share": "much"}),
            json!({"share": 3}),
            json!({"mode": 7}),
            json!({"quantity": 1.5}),
            json!({"quantity": "10%"}),
            json!({"quantity": 10}),
            json!({"tags": "x"}),
            json!({"tags": {"x": "y"}}),
            json!({"parts": {"name": "x"}}),
            json!({"parts": ["x"]}),
            json!({"fixed": ["x"]}),
            json!({"limits": "x"}),
            json!({"labels": {"x": 7}}),
            json!({"note": null}),
            json!({"unknown": 1}),
            json!("text"),
            json!([]),
            json!({"template": {"apiVersion": "v1"}}),
            json!({"template": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "t", "labels": {"a": "b"}}, "data": {"a": "b"}}}),
        ] {
            apply_gadget(talk, "a", spec).await;
        }
        for data in [json!({"x": 7}), json!({"x": {"y": "z"}}), json!(["x"]), json!("x"), json!({"x": true})] {
            apply_map(talk, "a", data).await;
        }
        talk.patch("apply", &of(MAPS, "one", "a"), json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "immutable": "yes", "binaryData": {"x": "!!"}})).await;
        talk.patch("apply", &of(MAPS, "one", "a"), json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "binaryData": {"x": "!!"}})).await;
    }

    async fn applies_set_defaults_that_nobody_applied(talk: &mut Talk) {
        install_gadgets(talk).await;
        apply_gadget(talk, "a", json!({"size": 1, "limits": {}})).await;
        apply_gadget(talk, "b", json!({"mode": "auto"})).await;
        apply_gadget(talk, "b", json!({"mode": "manual", "limits": {"memory": "2Gi"}})).await;
        apply_gadget(talk, "a", json!({"mode": "auto"})).await;
        talk.patch("apply", &of(SERVICES, "web", "a"), service(json!({"selector": {"a": "b"}, "ports": [{"port": 80}]}))).await;
        talk.patch("apply", &of(SERVICES, "web", "a"), service(json!({"selector": {"a": "b"}, "ports": [{"port": 80, "targetPort": 8080}]}))).await;
        talk.patch("apply", &of(SERVICES, "web", "b"), service(json!({"type": "ClusterIP", "sessionAffinity": "None"}))).await;
        talk.patch("apply", &of(SERVICES, "web", "a"), service(json!({"selector": {"a": "b"}, "ports": [{"port": 80, "protocol": "TCP"}]}))).await;
    }

    async fn applies_of_services(talk: &mut Talk) {
        let web = &of(SERVICES, "web", "a");
        talk.patch("apply", web, service(json!({"selector": {"app": "x"}, "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 443}]}))).await;
        let other = &of(SERVICES, "web", "b");
        talk.patch("apply", other, service(json!({"selector": {"tier": "y"}}))).await;
        talk.patch("apply", other, service(json!({"ports": [{"name": "c", "port": 53, "protocol": "UDP"}]}))).await;
        talk.patch("apply", other, service(json!({"ports": [{"name": "other", "port": 80}]}))).await;
        talk.patch("apply", web, service(json!({"selector": {"app": "x"}, "ports": [{"name": "a", "port": 80}]}))).await;
        talk.patch("apply", other, service(json!({"ports": [{"name": "c", "port": 54, "protocol": "UDP"}]}))).await;
        talk.patch("apply", web, service(json!({"selector": {"app": "x"}}))).await;
        talk.patch("strategic-merge", &of(SERVICES, "web", "u"), json!({"spec": {"ports": [{"port": 54, "name": "renamed"}]}})).await;
        talk.patch("apply", other, service(json!({"ports": [{"name": "c", "port": 54, "protocol": "UDP"}]}))).await;
    }

    async fn the_status_has_managers_of_its_own(talk: &mut Talk) {
        install_gadgets(talk).await;
        let status = |manager: &str| format!("{GADGETS}/one/status?fieldManager={manager}");
        let with = |status: Value| json!({
            "apiVersion": "{group}/v1", "kind": "Gadget", "metadata": {"name": "one"}, "status": status,
        });
        talk.patch("apply", &status("a"), with(json!({"phase": "early"}))).await;
        let mut both = gadget(json!({"size": 1}));
        both["status"] = json!({"phase": "ignored"});
        talk.patch("apply", &of(GADGETS, "one", "a"), both.clone()).await;
        talk.patch("apply", &status("a"), with(json!({"phase": "up", "conditions": [{"type": "Ready", "status": "True"}]}))).await;
        talk.patch("apply", &status("a"), with(json!({"phase": "up", "conditions": [{"type": "Ready", "status": "True"}]}))).await;
        talk.patch("apply", &status("b"), with(json!({"phase": "down", "conditions": [{"type": "Ready", "status": "False"}]}))).await;
        talk.patch("apply", &status("b"), with(json!({"conditions": [{"type": "Bound", "status": "True"}]}))).await;
        talk.patch("apply", &forced(&status("b")), with(json!({"phase": "down"}))).await;
        talk.patch("merge", &status("u"), json!({"status": {"phase": "updated"}})).await;
        talk.patch("apply", &status("a"), with(json!({"phase": "up"}))).await;
        both["spec"]["size"] = 2.into();
        both["metadata"]["labels"] = json!({"through": "status"});
        talk.patch("apply", &status("a"), both).await;
        talk.patch("apply", &of(GADGETS, "one", "b"), gadget(json!({"size": 3}))).await;
        talk.patch("apply", &status("a"), with(json!({"conditions": [{"type": "Half"}]}))).await;
        talk.patch("apply", &status("a"), with(json!({"other": 1}))).await;
        talk.get(&format!("{GADGETS}/one")).await;
    }

    async fn applies_validate_fields(talk: &mut Talk) {
        install_gadgets(talk).await;
        for validation in ["Warn", "Ignore", "Strict"] {
            let map = &format!("{MAPS}/one?fieldManager=a&fieldValidation={validation}");
            let one = &format!("{GADGETS}/one?fieldManager=a&fieldValidation={validation}");
            talk.patch("apply", map, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "unknown": 1})).await;
            talk.patch("apply", map, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "unknown": 1}})).await;
            talk.patch("apply", one, gadget(json!({"unknown": 1}))).await;
            let headers = [("content-type", "application/apply-patch+yaml")];
            let twice = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\ndata:\n  x: a\n  x: b\n";
            talk.send_raw("PATCH", map, &headers, twice).await;
            let twice = br#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"y": "a", "y": "b"}}"#;
            talk.send_raw("PATCH", map, &headers, twice).await;
            talk.delete(&format!("{MAPS}/one")).await;
        }
    }

    async fn applies_of_yaml(talk: &mut Talk) {
        let one = &of(MAPS, "one", "a");
        let headers = [("content-type", "application/apply-patch+yaml")];
        let head = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n";
        for body in [
            format!("# a comment\n{head}data:\n  x: \"1\"\n  z: |\n    two\n    lines\n"),
            format!("---\n{head}data: {{x: '2'}}\n"),
            format!("{head}data:\n  <<: {{x: a}}\n  z: &anchor text\n  w: *anchor\n"),
            format!("{head}data:\n  x: 1\n"),
            format!("{head}data:\n  x: yes\n"),
            format!("{head}data:\n  x: ~\n"),
            format!("{head}---\n{head}"),
            format!("{head}data:\n  1: number\n"),
            "- a\n- b\n".to_owned(),
            "text".to_owned(),
            "7".to_owned(),
            "null".to_owned(),
            String::new(),
        ] {
            talk.send_raw("PATCH", one, &headers, body.as_bytes()).await;
        }
        talk.get(&format!("{MAPS}/one")).await;
    }

    async fn applies_can_run_dry(talk: &mut Talk) {
        let dry = |path: String| format!("{path}&dryRun=All");
        talk.patch("apply", &dry(of(MAPS, "one", "a")), map("one", json!({"x": "1"}))).await;
        talk.get(&format!("{MAPS}/one")).await;
        apply_map(talk, "a", json!({"x": "1"})).await;
        talk.patch("apply", &dry(of(MAPS, "one", "a")), map("one", json!({"x": "2"}))).await;
        talk.patch("apply", &dry(of(MAPS, "one", "b")), map("one", json!({"x": "2"}))).await;
        talk.patch("apply", &dry(forced(&of(MAPS, "one", "b"))), map("one", json!({"x": "2"}))).await;
        talk.patch("apply", &dry(of(MAPS, "one", "a")), map("one", json!({"x": "1"}))).await;
        talk.get(&format!("{MAPS}/one")).await;
    }

    async fn an_apply_that_changes_nothing_keeps_the_version(talk: &mut Talk) {
        install_gadgets(talk).await;
        let spec = json!({"size": 1, "tags": ["x"], "parts": [{"name": "a"}], "labels": {}, "limits": {}});
        apply_gadget(talk, "a", spec.clone()).await;
        apply_gadget(talk, "a", spec.clone()).await;
        talk.say("another manager is a change");
        apply_gadget(talk, "b", spec.clone()).await;
        apply_gadget(talk, "b", spec).await;
        talk.say("giving up what another one has is a change");
        apply_gadget(talk, "b", json!({"size": 1})).await;
        talk.say("an apply of the other version");
        let other = |spec: Value| json!({"apiVersion": "{group}/v2", "kind": "Gadget", "metadata": {"name": "one"}, "spec": spec});
        let v2 = "/apis/{group}/v2/namespaces/{ns}/gadgets/one?fieldManager=b";
        talk.patch("apply", v2, other(json!({"size": 1}))).await;
        talk.patch("apply", v2, other(json!({"size": 2}))).await;
        talk.patch("merge", "/apis/{group}/v2/namespaces/{ns}/gadgets/one?fieldManager=u", json!({"spec": {"size": 3, "mode": "x"}})).await;
        talk.patch("merge", &of(GADGETS, "one", "u"), json!({"spec": {"note": "n"}})).await;
        apply_gadget(talk, "a", json!({"size": 4, "mode": "y", "note": "o"})).await;
        talk.patch("apply", v2, other(json!({}))).await;
    }

    async fn an_apply_follows_a_client_side_one(talk: &mut Talk) {
        let last = |data: Value| {
            let applied = json!({"apiVersion": "v1", "data": data, "kind": "ConfigMap", "metadata": {"annotations": {}, "name": "one", "namespace": "x"}});
            let mut body = map("one", data);
            body["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": format!("{applied}\n")});
            body
        };
        talk.post(&format!("{MAPS}?fieldManager=kubectl-client-side-apply"), last(json!({"x": "1", "y": "2"}))).await;
        talk.say("as kubectl does");
        talk.patch("apply", &of(MAPS, "one", "kubectl"), last(json!({"x": "changed", "y": "2"}))).await;
        talk.patch("apply", &of(MAPS, "one", "kubectl"), last(json!({"x": "changed"}))).await;
        talk.say("another manager");
        apply_map(talk, "other", json!({"x": "mine"})).await;
        talk.say("without the annotation");
        apply_map(talk, "kubectl", json!({"x": "again"})).await;
        talk.get(&format!("{MAPS}/one")).await;
    }

    async fn an_apply_without_the_annotation_of_kubectl(talk: &mut Talk) {
        let mut body = map("one", json!({"x": "1", "y": "2"}));
        body["metadata"]["annotations"] = json!({
            "kubectl.kubernetes.io/last-applied-configuration": "{\"apiVersion\":\"v1\",\"data\":{\"x\":\"1\",\"y\":\"2\"},\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"one\"}}",
        });
        talk.post(&format!("{MAPS}?fieldManager=kubectl-client-side-apply"), body).await;
        apply_map(talk, "kubectl", json!({"x": "2", "y": "2"})).await;
        apply_map(talk, "kubectl", json!({"x": "2"})).await;
        talk.get(&format!("{MAPS}/one")).await;
        let mut broken = map("two", json!({"x": "1"}));
        broken["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": "{broken"});
        talk.post(&format!("{MAPS}?fieldManager=kubectl-client-side-apply"), broken).await;
        talk.patch("apply", &of(MAPS, "two", "kubectl"), map("two", json!({"x": "2"}))).await;
    }

    async fn applies_of_metadata(talk: &mut Talk) {
        let with = |metadata: Value| {
            let mut body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
            body["metadata"]["name"] = "one".into();
            body
        };
        let owner = |uid: &str| json!({"apiVersion": "v1", "kind": "Namespace", "name": "n", "uid": uid});
        let held = json!(["example.com/a"]);
        for (manager, metadata) in [
            ("a", json!({"finalizers": held, "labels": {"x": "1"}})),
            ("b", json!({"finalizers": ["example.com/b"], "labels": {"y": "2"}, "annotations": {"example.com/k": "v"}})),
            ("b", json!({"finalizers": held, "labels": {"x": "2"}})),
            ("b", json!({"finalizers": held})),
            ("a", json!({})),
            ("a", json!({"finalizers": ["short"]})),
            ("a", json!({"labels": {"not a label": "x"}})),
            ("a", json!({"labels": {"x": "not a value!"}})),
            ("a", json!({"labels": {"x": null}})),
            ("a", json!({"labels": null, "annotations": {}})),
            ("a", json!({"labels": {"x": 7}})),
            ("a", json!({"ownerReferences": [owner("1")]})),
            ("b", json!({"finalizers": held, "ownerReferences": [owner("2")]})),
            ("c", json!({"ownerReferences": [{"apiVersion": "v1", "kind": "Namespace", "name": "other", "uid": "1"}]})),
            ("c", json!({"ownerReferences": [{"name": "none"}]})),
        ] {
            talk.patch("apply", &format!("{}{}", of(MAPS, "one", manager), if metadata.get("ownerReferences").is_some() { "&dryRun=All" } else { "" }), with(metadata)).await;
        }
        talk.get(&format!("{MAPS}/one")).await;
    }

    async fn applies_of_what_is_being_deleted(talk: &mut Talk) {
        let with = |finalizers: Value, data: Value| {
            let mut body = map("one", data);
            body["metadata"]["finalizers"] = finalizers;
            body
        };
        let one = &of(MAPS, "one", "a");
        talk.patch("apply", one, with(json!(["example.com/a", "example.com/b"]), json!({}))).await;
        talk.delete(&format!("{MAPS}/one")).await;
        talk.patch("apply", one, with(json!(["example.com/a", "example.com/b"]), json!({"x": "1"}))).await;
        talk.patch("apply", one, with(json!(["example.com/a", "example.com/b", "example.com/c"]), json!({"x": "1"}))).await;
        talk.patch("apply", one, with(json!(["example.com/b"]), json!({"x": "1"}))).await;
        talk.patch("apply", one, map("one", json!({"x": "1"}))).await;
        talk.get(&format!("{MAPS}/one")).await;
        talk.patch("apply", one, map("one", json!({"x": "1"}))).await;
    }

    async fn applies_of_definitions(talk: &mut Talk) {
        let crd = |versions: Value| json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.{group}"},
            "spec": {"group": "{group}", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"}, "versions": versions},
        });
        let version = |name: &str, stored: bool| json!({
            "name": name, "served": true, "storage": stored,
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object"}}}},
        });
        let path = &of(CRDS, "things.{group}", "a");
        let established = |_: u16, body: &Value| body["status"]["conditions"].as_array().is_some_and(|all| {
            all.iter().any(|condition| condition["type"] == "Established" && condition["status"] == "True")
        });
        talk.patch("apply", &format!("{path}&dryRun=All"), crd(json!([version("v1", true)]))).await;
        talk.patch("apply", path, crd(json!([version("v1", true)]))).await;
        talk.get_until(&format!("{CRDS}/things.{{group}}"), established).await;
        talk.patch("apply", path, crd(json!([version("v1", true)]))).await;
        talk.patch("apply", path, crd(json!([version("v1", true), version("v2", false)]))).await;
        talk.patch("apply", &of(CRDS, "things.{group}", "b"), crd(json!([version("v1", true)]))).await;
        talk.patch("apply", path, crd(json!([version("v1", true), version("v1", false)]))).await;
        talk.patch("apply", path, crd(json!([version("v1", true), version("v2", true)]))).await;
    }

    async fn an_apply_of_an_immutable_map(talk: &mut Talk) {
        let mut body = map("one", json!({"x": "1"}));
        body["immutable"] = true.into();
        talk.patch("apply", &of(MAPS, "one", "a"), body.clone()).await;
        talk.patch("apply", &of(MAPS, "one", "a"), body.clone()).await;
        body["data"]["x"] = "2".into();
        talk.patch("apply", &of(MAPS, "one", "a"), body).await;
        apply_map(talk, "a", json!({"x": "1"})).await;
        talk.patch("apply", &of(MAPS, "one", "b"), json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "labels": {"a": "b"}}})).await;
    }

    async fn a_claim_of_a_volume_is_owned_by_field(talk: &mut Talk) {
        const VOLUMES: &str = "/api/v1/persistentvolumes";
        let volume = |claim: Value| json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "claimed-{ns}"}, "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/a"}, "claimRef": claim,
        }});
        let claim = json!({"namespace": "b", "name": "a"});
        let one = &format!("{VOLUMES}/claimed-{{ns}}");
        talk.patch("apply", &of(VOLUMES, "claimed-{ns}", "a"), volume(claim.clone())).await;
        talk.patch("apply", &of(VOLUMES, "claimed-{ns}", "b"), volume(json!({"namespace": "b", "name": "a", "uid": "x"}))).await;
        talk.patch("merge", &format!("{one}?fieldManager=c"), json!({"spec": {"claimRef": {"uid": "z"}}})).await;
        talk.say("of when a claim had one owner");
        for operation in ["Update", "Apply"] {
            let whole = json!([{"manager": "old", "operation": operation, "apiVersion": "v1", "time": "2020-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:claimRef": {}}}}]);
            talk.patch("merge", &format!("{one}?fieldManager=old"), json!({"metadata": {"managedFields": whole}})).await;
            talk.patch("apply", &of(VOLUMES, "claimed-{ns}", "a"), volume(claim.clone())).await;
        }
        talk.patch("apply", &of(VOLUMES, "claimed-{ns}", "old"), volume(json!({"namespace": "b"}))).await;
        talk.patch_unsaid("merge", one, json!({"metadata": {"finalizers": null}})).await;
    }
}
