//! Custom resources that are called as something else is, that are written as few write them, or whose definition goes.

use serde_json::{Value, json};

use super::support::{Talk, extend, map, thing_crd, with};

const CRD: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}";
const THINGS: &str = "/apis/{group}/v1/namespaces/{ns}/things";
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";
const METADATA: &str = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

fn crd(schema: Value) -> Value {
    thing_crd(
        json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}, "subresources": {"status": {}}}),
    )
}

fn free() -> Value {
    json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

fn thing(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": name}, "spec": spec})
}

conformance! {
    async fn branches_do_not_refuse_what_is_left_alone(talk: &mut Talk) {
        let object = |rules: Value| {
            let mut field = json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}});
            rules.as_object().unwrap().iter().for_each(|(name, value)| field[name] = value.clone());
            field
        };
        let narrow = json!([{"required": ["z"]}, {"properties": {"a": {"maxLength": 1}}}]);
        let fields = [json!({}), json!({"anyOf": narrow}), json!({"oneOf": narrow}), json!({"allOf": narrow}), json!({"not": {"required": ["a"]}})];
        let schema = |is_narrow: bool| {
            let rules = |at: usize| fields[if is_narrow { at } else { 0 }].clone();
            let text = if is_narrow { json!({"type": "string", "anyOf": [{"maxLength": 1}, {"pattern": "^z"}]}) } else { json!({"type": "string"}) };
            let list = json!({"type": "array", "items": object(rules(1))});
            json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
                "any": object(rules(1)), "one": object(rules(2)), "all": object(rules(3)), "none": object(rules(4)), "text": text, "list": list, "other": {"type": "string"},
            }}}})
        };
        talk.install(crd(schema(false))).await;
        let long = json!({"a": "long"});
        let spec = json!({"any": long, "one": long, "all": long, "none": long, "text": "long", "list": [long]});
        talk.prepare(THINGS, json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": spec})).await;
        talk.patch_unsaid("merge", CRD, json!({"spec": {"versions": crd(schema(true))["spec"]["versions"]}})).await;
        let other = json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "two"}, "spec": {"text": "long"}});
        talk.post_until(&format!("{THINGS}?dryRun=All"), other, |code| code == 422).await;
        let one = format!("{THINGS}/one?dryRun=All");
        for patch in [
            json!({"metadata": {"labels": {"a": "b"}}}), json!({"spec": {"other": "x"}}), json!({"spec": {"any": {"b": "x"}}}), json!({"spec": {"one": {"b": "x"}}}), json!({"spec": {"all": {"b": "x"}}}), json!({"spec": {"none": {"b": "x"}}}),
            json!({"spec": {"text": "longer"}}), json!({"spec": {"list": [{"a": "long"}, {"a": "b"}]}}),
        ] {
            talk.patch("merge", &one, patch).await;
        }
    }

    async fn what_is_unknown_is_owned_below_what_keeps_it(talk: &mut Talk) {
        let text = json!({"type": "string"});
        let fields = json!({"type": "object", "properties": {"a": text}});
        let item = json!({"type": "object", "required": ["n"], "properties": {"n": text, "a": text}});
        let spec = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {
            "k": fields, "m": {"type": "object", "additionalProperties": fields}, "l": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"], "items": item}, "atomic": {"type": "array", "items": fields},
        }});
        talk.install(crd(json!({"type": "object", "properties": {"spec": spec, "closed": fields}}))).await;
        let thing = |more: Value| json!({"apiVersion": "{group}/v1", "kind": "Thing", "spec": more});
        let path = |name: &str| format!("{THINGS}/{name}?fieldManager=one");
        let known = json!({"a": "1", "u": "2"});
        for (name, query) in [("one", ""), ("two", "&fieldValidation=Strict"), ("three", "&fieldValidation=Ignore")] {
            let spec = json!({"k": known, "m": {"x": known}, "l": [{"n": "a", "a": "1", "u": {"v": [1]}}], "atomic": [known], "free": {"w": known}});
            talk.patch("apply", &format!("{}{query}", path(name)), thing(spec)).await;
        }
        talk.patch("apply", &path("one"), thing(json!({"k": {"a": "1"}}))).await;
        let mut closed = thing(json!({}));
        closed["closed"] = known.clone();
        talk.patch("apply", &path("four"), closed).await;
    }

    async fn scales_of_what_is_no_map(talk: &mut Talk) {
        let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let schema = json!({"type": "object", "properties": {"spec": {"x-kubernetes-preserve-unknown-fields": true}, "status": free}});
        let scale = json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": ".status.sel"});
        talk.install(thing_crd(json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}, "subresources": {"scale": scale}}))).await;
        for more in [
            json!({"spec": {"replicas": 2000.0}}), json!({"status": {"sel": 5}}), json!({"status": {"sel": "a=b", "replicas": "x"}}), json!({"spec": "x"}), json!({"spec": 5}), json!({"spec": ["x"]}), json!({"status": "x"}), json!({"spec": {"replicas": {}}}), json!({"status": {"sel": null}}), json!({"spec": null}), json!({"status": null}),
        ] {
            let mut thing = json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}});
            more.as_object().unwrap().iter().for_each(|(name, value)| thing[name] = value.clone());
            talk.post(&format!("{THINGS}?dryRun=All"), thing).await;
        }
    }

    async fn what_is_scaled_has_its_defaults(talk: &mut Talk) {
        let spec = json!({"type": "object", "nullable": true, "properties": {"replicas": {"type": "integer"}, "a": {"type": "integer", "default": 5}}});
        let schema = json!({"type": "object", "properties": {"spec": spec, "status": free()}});
        let scale = json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"});
        talk.install(thing_crd(json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}, "subresources": {"scale": scale}}))).await;
        for (name, thing) in [("one", json!({})), ("two", json!({"spec": null})), ("three", json!({"spec": {}}))] {
            let thing = with(thing, json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": name}}));
            talk.post(THINGS, thing).await;
            let one = &format!("{THINGS}/{name}");
            talk.patch("merge", &format!("{one}/scale"), json!({"spec": {"replicas": 3}})).await;
            talk.get(one).await;
            talk.patch("merge", one, json!({"spec": {"replicas": 4}})).await;
        }
    }

    async fn scales_of_what_is_no_number(talk: &mut Talk) {
        let version = |name: &str, stored: bool, subresources: Value| json!({"name": name, "served": true, "storage": stored, "subresources": subresources, "schema": {"openAPIV3Schema": free()}});
        let scale = json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": ".status.selector"});
        let mut crd = thing_crd(version("v1", true, json!({})));
        crd["spec"]["versions"].as_array_mut().unwrap().push(version("v2", false, json!({"scale": scale})));
        talk.install(crd).await;
        for (at, odd) in [
            json!({"spec": {"replicas": "x"}}), json!({"spec": {"replicas": 1.5}}), json!({"spec": [1]}), json!({"spec": {"replicas": 1}, "status": 5}), json!({"spec": {"replicas": 1}, "status": {"replicas": "x"}}),
            json!({"spec": {"replicas": 1}, "status": {"selector": [1]}}), json!({"spec": {"replicas": 1}, "status": {"replicas": null}}),
        ].into_iter().enumerate() {
            let thing = with(json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": format!("t{at}")}}), odd);
            talk.post(THINGS, thing).await;
            let scale = &format!("/apis/{{group}}/v2/namespaces/{{ns}}/things/t{at}/scale");
            talk.get(scale).await;
            talk.patch("merge", scale, json!({"spec": {"replicas": 4}})).await;
            talk.patch("json", scale, json!([{"op": "add", "path": "/spec/replicas", "value": 4}])).await;
            talk.put(scale, json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": format!("t{at}"), "namespace": "{ns}"}, "spec": {"replicas": 4}})).await;
            talk.patch("apply", &format!("{scale}?fieldManager=a"), json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": format!("t{at}")}, "spec": {"replicas": 4}})).await;
        }
    }

    async fn the_status_of_a_version_that_is_not_stored(talk: &mut Talk) {
        let version = |name: &str, stored: bool, status: Value, subresources: Value| json!({
            "name": name, "served": true, "storage": stored, "subresources": subresources,
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {"status": with(json!({"type": "string"}), status)}}},
        });
        let mut crd = thing_crd(version("v1", true, json!({"nullable": true}), json!({})));
        let other = version("v2", false, json!({"default": "q"}), json!({"status": {}}));
        crd["spec"]["versions"].as_array_mut().unwrap().push(other);
        talk.install(crd).await;
        for (version, name) in [("v2", "one"), ("v1", "two")] {
            talk.post(&format!("/apis/{{group}}/{version}/namespaces/{{ns}}/things"), json!({"apiVersion": format!("{{group}}/{version}"), "kind": "Thing", "metadata": {"name": name}, "status": "a"})).await;
            for version in ["v1", "v2"] {
                talk.get(&format!("/apis/{{group}}/{version}/namespaces/{{ns}}/things/{name}")).await;
            }
        }
    }

    async fn patches_that_name_another_version(talk: &mut Talk) {
        let version = |name: &str, served: bool| json!({
            "name": name, "served": served, "storage": name == "v1", "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                "spec": {"type": "object", "properties": {"a": {"type": "string"}}}, "status": {"type": "object", "properties": {"a": {"type": "integer"}}},
            }}},
        });
        let mut crd = thing_crd(version("v1", true));
        crd["spec"]["versions"] = json!([version("v1", true), version("v2", true), version("v3", false)]);
        talk.install(crd).await;
        talk.prepare(THINGS, thing("one", json!({"a": "b"}))).await;
        let one = &format!("{THINGS}/one");
        let change = json!({"spec": {"a": "c"}, "status": {"a": 5}});
        for other in [json!({"apiVersion": "{group}/v2"}), json!({"apiVersion": "{group}/v3"}), json!({"apiVersion": "{group}/v2", "kind": "Other"}), json!({"apiVersion": "a.example/v1"}), json!({"apiVersion": "a.example/v1", "kind": "Other"})] {
            talk.patch("merge", one, with(change.clone(), other)).await;
        }
        talk.say("its status may be told in any of its versions");
        let status = &format!("{one}/status");
        talk.patch("merge", status, with(change, json!({"apiVersion": "{group}/v2"}))).await;
        talk.patch("merge", status, json!({"apiVersion": "{group}/v3", "status": {"a": "b"}})).await;
        talk.patch("json", status, json!([{"op": "replace", "path": "/apiVersion", "value": "{group}/v3"}, {"op": "replace", "path": "/status/a", "value": 6}])).await;
    }

    async fn what_ends_is_not_written_any_more(talk: &mut Talk) {
        talk.install(crd(free())).await;
        let mut held = thing("one", json!({"a": "b"}));
        held["metadata"]["finalizers"] = json!(["example.com/held"]);
        talk.prepare(THINGS, held).await;
        talk.unsaid("DELETE", CRD, None).await;
        talk.get_until("/apis/{group}/v1", |_, list| list["resources"][0]["verbs"].as_array().is_some_and(|verbs| verbs.len() < 8)).await;
        let group = talk.fill("{group}");
        let described = |body: &Value| {
            let mut groups = body["items"].as_array().into_iter().flatten();
            groups.find(|found| found["metadata"]["name"] == group.as_str()).map(|found| found["versions"].clone()).unwrap_or_default()
        };
        let ends = |body: &Value| described(body)[0]["resources"][0]["verbs"].as_array().is_some_and(|verbs| verbs.len() < 8);
        talk.until_as("/apis", AGGREGATED, ends).await;
        talk.get_picked("/apis", &[("accept", AGGREGATED)], described).await;
        talk.until(&format!("{THINGS}/one"), |_, one| one["metadata"]["deletionTimestamp"].is_string()).await;
        talk.post(THINGS, thing("two", json!({}))).await;
        talk.patch("merge", &format!("{THINGS}/one?dryRun=All"), json!({"spec": {"a": "c"}})).await;
        talk.patch("apply", &format!("{THINGS}/two?fieldManager=a"), thing("two", json!({}))).await;
        talk.patch_unsaid("merge", &format!("{THINGS}/one"), json!({"metadata": {"finalizers": null}})).await;
        talk.until_gone(CRD).await;
    }

    async fn kinds_are_called_as_others_are(talk: &mut Talk) {
        for kind in ["Event", "Status", "Table", "List", "Scale"] {
            let (plural, singular) = (format!("{}s", kind.to_lowercase()), kind.to_lowercase());
            let at = format!("/apis/{{group}}/v1/namespaces/{{ns}}/{plural}");
            let mut crd = crd(free());
            crd["metadata"]["name"] = format!("{plural}.{{group}}").into();
            crd["spec"]["names"] = json!({"kind": kind, "plural": plural, "singular": singular, "listKind": format!("{kind}List")});
            talk.install(crd).await;
            let object = |name: &str| json!({"apiVersion": "{group}/v1", "kind": kind, "metadata": {"name": name}, "spec": {"z": 1, "a": 2}, "rows": [{"object": null, "cells": []}], "code": 1, "message": "a"});
            talk.post(&at, object("one")).await;
            let (one, path) = (&format!("{at}/one"), &at);
            for (path, accept) in [(path, TABLE), (path, METADATA), (one, TABLE), (one, METADATA)] {
                talk.send("GET", path, &[("accept", accept)], None).await;
            }
            talk.send("GET", &format!("{one}?includeObject=Object"), &[("accept", TABLE)], None).await;
            talk.get(path).await;
            talk.patch("merge", one, json!({"metadata": {"labels": {"a": "b"}}})).await;
            let mut watch = talk.watch(&format!("{path}?watch=true&resourceVersion=0")).await;
            talk.events(&mut watch, 1).await;
            let mut watch = talk.watch_as(&format!("{path}?watch=true&resourceVersion=0&includeObject=Object"), TABLE).await;
            talk.events(&mut watch, 1).await;
            talk.delete_with(one, json!({"propagationPolicy": "Foreground", "dryRun": ["All"]})).await;
            talk.delete_with(one, json!({"propagationPolicy": "Orphan", "dryRun": ["All"]})).await;
            talk.delete(one).await;
        }
    }

    async fn objects_say_little_of_themselves(talk: &mut Talk) {
        talk.install(crd(free())).await;
        let path = &format!("{THINGS}?dryRun=All");
        let (version, kind, metadata) = (json!("{group}/v1"), json!("Thing"), json!({"name": "one"}));
        for object in [
            json!({"kind": kind, "metadata": metadata}), json!({"apiVersion": version, "metadata": metadata}), json!({"metadata": metadata}), json!({}), json!({"apiVersion": null, "kind": kind, "metadata": metadata}), json!({"apiVersion": "", "kind": kind}),
            json!({"apiVersion": version, "kind": kind, "metadata": null}), json!({"apiVersion": version, "kind": kind}), json!({"apiVersion": version, "kind": kind, "metadata": {}}), json!({"apiVersion": version, "kind": kind, "metadata": []}), json!({"apiVersion": version, "kind": kind, "metadata": "a"}),
            json!({"apiVersion": version, "kind": kind, "metadata": {"name": null}}), json!({"apiVersion": version, "kind": kind, "metadata": {"name": 1}}), json!({"apiVersion": "v1", "kind": kind, "metadata": metadata}), json!({"apiVersion": "{group}/v2", "kind": kind, "metadata": metadata}), json!({"apiVersion": "a/b/c", "kind": kind, "metadata": metadata}),
            json!({"apiVersion": version, "kind": "Other", "metadata": metadata}), json!({"apiVersion": version, "kind": 1, "metadata": metadata}), json!({"apiVersion": 1, "kind": kind, "metadata": metadata}), json!(null), json!([]),
        ] {
            talk.post(path, object).await;
        }
        talk.prepare(THINGS, thing("one", json!({"a": "b"}))).await;
        let one = &format!("{THINGS}/one?dryRun=All");
        for object in [json!({"kind": kind, "metadata": metadata}), json!({"apiVersion": version, "kind": kind, "metadata": null}), json!({"apiVersion": version, "kind": kind}), json!({"apiVersion": version, "kind": kind, "metadata": {"name": "two"}}), json!({"apiVersion": version, "kind": kind, "metadata": metadata})] {
            talk.put(one, object).await;
        }
        for change in [
            json!({"apiVersion": null}), json!({"kind": null}), json!({"metadata": null}), json!({"metadata": {"name": null}}), json!({"apiVersion": "v1"}), json!({"kind": "Other"}), json!({"apiVersion": null, "kind": null}), json!({"metadata": []}), json!({"metadata": "a"}), json!({"metadata": {"name": "two"}}),
        ] {
            talk.patch("merge", one, change).await;
        }
    }

    async fn patches_take_the_place_of_whole_objects(talk: &mut Talk) {
        talk.install(crd(free())).await;
        talk.prepare(THINGS, thing("one", json!({"a": "b"}))).await;
        talk.prepare("/api/v1/namespaces/{ns}/configmaps", map("one", json!({"a": "b"}))).await;
        let of_map = |data: Value| map("one", data);
        let of_thing = |data: Value| thing("one", data);
        for (path, whole) in [(&format!("{THINGS}/one?dryRun=All"), of_thing(json!({"c": "d"}))), (&"/api/v1/namespaces/{ns}/configmaps/one?dryRun=All".to_owned(), of_map(json!({"c": "d"})))] {
            let test = json!({"op": "test", "path": "", "value": {}});
            for patch in [
                json!([{"op": "replace", "path": "", "value": {}}]), json!([{"op": "add", "path": "", "value": {}}]), json!([{"op": "replace", "path": "", "value": whole}]), json!([{"op": "add", "path": "", "value": whole}]), json!([{"op": "replace", "path": "", "value": null}]),
                json!([{"op": "replace", "path": "", "value": []}]), json!([{"op": "replace", "path": "", "value": "text"}]), json!([{"op": "replace", "path": "", "value": 1}]), json!([{"op": "remove", "path": ""}]), json!([test]), json!([{"op": "copy", "from": "", "path": "/whole"}]), json!([{"op": "copy", "from": "/metadata", "path": ""}]), json!([{"op": "move", "from": "/metadata", "path": ""}]), json!([{"op": "move", "from": "", "path": "/a"}]),
                json!([{"op": "replace", "path": "", "value": {"kind": whole["kind"], "apiVersion": whole["apiVersion"]}}]), json!([{"op": "replace", "path": "", "value": {"kind": whole["kind"], "metadata": whole["metadata"]}}]), json!([{"op": "replace", "path": "/", "value": {}}]), json!([{"op": "replace", "path": "metadata", "value": {}}]), json!([{"op": "replace", "path": "", "value": whole}, {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}]),
            ] {
                talk.patch("json", path, patch).await;
            }
        }
    }

    async fn elements_are_not_null(talk: &mut Talk) {
        let element = json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}});
        talk.install(crd(json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "keyed": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": element},
            "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "plain": {"type": "array", "items": {"type": "string"}},
        }}}}))).await;
        let apply = &format!("{THINGS}/one?fieldManager=a&dryRun=All");
        for spec in [json!({"keyed": [null]}), json!({"keyed": [{"name": "a"}, null]}), json!({"keyed": ["a"]}), json!({"keyed": [{}]}), json!({"set": [null]}), json!({"set": [{}]}), json!({"set": [[]]}), json!({"plain": [null]}), json!({"keyed": null, "set": null, "plain": null})] {
            talk.patch("apply", apply, thing("one", spec.clone())).await;
            talk.post(&format!("{THINGS}?dryRun=All"), thing("one", spec)).await;
        }
        let ports = json!({"metadata": {"name": "one"}, "apiVersion": "v1", "kind": "Service", "spec": {"ports": [null]}});
        talk.patch("apply", "/api/v1/namespaces/{ns}/services/one?fieldManager=a&dryRun=All", ports).await;
    }

    async fn owners_after_a_change_of_the_schema(talk: &mut Talk) {
        let schema = |map_type: &str, list_type: &str, seen: &str| {
            let element = json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "value": {"type": "string"}}});
            let mut list = json!({"type": "array", "x-kubernetes-list-type": list_type, "items": element});
            if list_type == "map" {
                list["x-kubernetes-list-map-keys"] = json!(["name"]);
            }
            let text = json!({"type": "string"});
            json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
                "map": {"type": "object", "x-kubernetes-map-type": map_type, "additionalProperties": text},
                "struct": {"type": "object", "x-kubernetes-map-type": map_type, "properties": {"a": text, "b": text}},
                "list": list, "seen": {"type": "string", "default": seen},
            }}}})
        };
        let one = &format!("{THINGS}/one");
        let apply = |manager: &str, more: &str| format!("{one}?fieldManager={manager}{more}");
        talk.install(crd(schema("granular", "map", "first"))).await;
        let of = |field: &str| thing("one", json!({"map": {field: "1"}, "struct": {field: "1"}, "list": [{"name": field, "value": "1"}]}));
        talk.patch("apply", &apply("a", ""), of("a")).await;
        talk.patch("apply", &apply("b", ""), of("b")).await;
        let seen = json!({"spec": {"seen": null}});
        for (map_type, list_type, told) in [("atomic", "atomic", "second"), ("granular", "map", "third")] {
            talk.say(&format!("{map_type} from now on"));
            talk.patch_unsaid("merge", CRD, json!({"spec": {"versions": [crd(schema(map_type, list_type, told))["spec"]["versions"][0]]}})).await;
            talk.until_patched("merge", &format!("{one}?dryRun=All&fieldManager=c"), seen.clone(), |body| body["spec"]["seen"] == told).await;
            talk.patch("apply", &apply("a", "&dryRun=All"), of("a")).await;
            talk.patch("apply", &apply("a", "&dryRun=All&force=true"), of("a")).await;
            talk.patch("apply", &apply("c", "&dryRun=All"), of("c")).await;
            talk.patch("apply", &apply("c", "&dryRun=All"), thing("one", json!({"map": {"a": "1", "b": "1"}}))).await;
            talk.patch("merge", &format!("{one}?dryRun=All&fieldManager=d"), json!({"spec": {"map": {"d": "1"}, "list": [{"name": "d"}]}})).await;
            talk.patch("merge", &format!("{one}?fieldManager=d"), json!({"metadata": {"labels": {"a": told}}})).await;
            talk.patch("apply", &apply("b", ""), thing("one", json!({"struct": {"b": "1"}}))).await;
            talk.get(one).await;
        }
    }

    async fn an_apply_of_more_than_is_known_is_a_change(talk: &mut Talk) {
        let known = json!({"type": "object", "properties": {"known": {"type": "string"}}});
        let keeps = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"below": known}});
        let schema = json!({"type": "object", "properties": {"spec": keeps, "status": keeps}});
        talk.install(thing_crd(json!({"name": "v1", "served": true, "storage": true, "subresources": {"status": {}}, "schema": {"openAPIV3Schema": schema}}))).await;
        let one = |field: &str, below: Value| json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}, field: {"below": below, "beside": 1}});
        let path = format!("{THINGS}/one?fieldManager=a");
        for below in [json!({"known": "a", "more": 1}), json!({"known": "a", "more": 1}), json!({"known": "a"}), json!({"known": "a"})] {
            talk.patch("apply", &path, one("spec", below)).await;
        }
        for _ in 0..2 {
            talk.patch("apply", &format!("{THINGS}/one/status?fieldManager=b"), one("status", json!({"known": "a", "more": 1}))).await;
        }
    }

    async fn nobody_looks_behind_a_subresource(talk: &mut Talk) {
        let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let scale = json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"});
        talk.install(thing_crd(json!({"name": "v1", "served": true, "storage": true, "subresources": {"status": {}, "scale": scale}, "schema": {"openAPIV3Schema": schema}}))).await;
        talk.post(THINGS, json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": {"replicas": 1}})).await;
        for path in ["status/more", "status/a/b", "scale/more", "other", "other/more"] {
            talk.get(&format!("{THINGS}/one/{path}")).await;
            talk.delete(&format!("{THINGS}/one/{path}")).await;
            talk.patch("merge", &format!("{THINGS}/one/{path}"), json!({"spec": {"replicas": 2}})).await;
        }
    }

    async fn nulls_in_lists_and_for_empty_lists(talk: &mut Talk) {
        let list = |more: Value| {
            let mut list = json!({"type": "array", "items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}}}});
            more.as_object().unwrap().iter().for_each(|(name, value)| list[name] = value.clone());
            list
        };
        let fields = json!({
            "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}, "map": list(json!({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]})),
            "list": list(json!({})), "named": {"type": "object", "additionalProperties": {"type": "string"}}, "free": {"x-kubernetes-preserve-unknown-fields": true},
        });
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}});
        talk.install(thing_crd(json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}))).await;
        let thing = |spec: Value| json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": spec});
        talk.prepare(THINGS, thing(json!({"set": [], "map": [], "list": [], "named": {}, "free": {"x": 1}}))).await;
        for field in ["set", "map", "list", "named", "free"] {
            for query in ["fieldManager=me", "fieldManager=me&force=true"] {
                talk.patch("apply", &format!("{THINGS}/one?{query}"), thing(json!({field: null}))).await;
            }
        }
        for free in [
            json!({"a": {"b": [1, {"c": null}]}}), json!({"a": [null, {"c": null, "d": [{"e": null}]}]}), json!([{"c": null}, null]), json!({"a": null, "b": {"c": null}}),
            json!({"b": [{"c": null}]}), json!({"b": {"x": [{"y": null}]}}), json!({"b": [null]}),
        ] {
            talk.patch("merge", &format!("{THINGS}/one"), json!({"spec": {"free": free}})).await;
        }
    }

    async fn an_apply_is_judged_by_all_that_it_says(talk: &mut Talk) {
        const GADGET: &str = "/apis/{group}/v1/namespaces/{ns}/gadgets/one";
        let free = json!({"type": "object", "maxProperties": 1});
        talk.install(json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "gadgets.{group}"},
            "spec": {
                "group": "{group}", "scope": "Namespaced", "names": {"plural": "gadgets", "kind": "Gadget"},
                "versions": [{
                    "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                        "free": free, "list": {"type": "array", "items": free}, "status": {"type": "object", "maxProperties": 1},
                        "count": {"type": "string", "format": "int32"}, "odd": {"type": "string", "format": "odd"}, "day": {"type": "string", "format": "date"},
                    }}},
                }],
            },
        }))
        .await;
        let gadget = |fields: Value| {
            let mut gadget = json!({"apiVersion": "{group}/v1", "kind": "Gadget", "metadata": {"name": "one"}});
            extend(&mut gadget, &fields);
            gadget
        };
        for fields in [
            json!({"free": {"a": 1, "b": 2}}), json!({"free": {"a": 1}}), json!({"free": {"a": 2}}), json!({"free": {"a": 2, "b": 1}}), json!({"free": {}}),
            json!({"list": [{"a": 1}, {"a": 1, "b": 1}]}), json!({"list": [{"a": 1}, {"b": 1}]}),
            json!({"status": {"a": 1}}), json!({"status": {"a": 1, "b": 1}, "free": {}}),
            json!({"count": 5}), json!({"count": "5"}), json!({"odd": true}), json!({"odd": [1]}), json!({"day": 5}), json!({"day": {"a": 1}}),
        ] {
            talk.patch("apply", &format!("{GADGET}?fieldManager=a"), gadget(fields)).await;
        }
        for fields in [json!({"status": {"a": 1, "b": 1}}), json!({"status": {"a": 1}}), json!({"status": {"a": 1}, "free": {"a": 1, "b": 1}}), json!({"status": {}})] {
            talk.patch("apply", &format!("{GADGET}/status?fieldManager=b"), gadget(fields)).await;
        }
        talk.get(GADGET).await;
    }

    async fn a_status_that_is_applied_without_what_it_had(talk: &mut Talk) {
        const GADGET: &str = "/apis/{group}/v1/namespaces/{ns}/gadgets/one";
        let part = json!({"type": "object", "properties": {"a": {"type": "string"}, "o": {"type": "object", "properties": {"x": {"type": "string"}}}}});
        talk.install(json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "gadgets.{group}"},
            "spec": {
                "group": "{group}", "scope": "Namespaced", "names": {"plural": "gadgets", "kind": "Gadget"},
                "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}}, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": part, "status": part}}}}],
            },
        }))
        .await;
        let gadget = |part: &str, fields: &Value| json!({"apiVersion": "{group}/v1", "kind": "Gadget", "metadata": {"name": "one"}, part: fields});
        for fields in [json!({"a": "1"}), json!({}), json!({"a": "1"}), Value::Null, json!({"o": {"x": "1"}}), json!({"o": {}}), json!({"o": null}), json!({})] {
            talk.patch("apply", &format!("{GADGET}?fieldManager=a"), gadget("spec", &fields)).await;
            talk.patch("apply", &format!("{GADGET}/status?fieldManager=a"), gadget("status", &fields)).await;
            talk.patch("apply", &format!("{GADGET}?fieldManager=b"), gadget("status", &fields)).await;
        }
        talk.patch("apply", &format!("{GADGET}/status?fieldManager=c"), gadget("status", &json!({"a": "1"}))).await;
        talk.unsaid("DELETE", GADGET, None).await;
        talk.patch("apply", &format!("{GADGET}?fieldManager=a"), gadget("spec", &json!({}))).await;
        talk.patch("apply", &format!("{GADGET}/status?fieldManager=a"), gadget("status", &Value::Null)).await;
    }

    async fn a_number_is_said_with_a_fraction(talk: &mut Talk) {
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"n": {"type": "number"}}}, "status": {"type": "object", "properties": {"n": {"type": "number"}}}}});
        let version = json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}, "subresources": {"status": {}}});
        talk.install(thing_crd(version)).await;
        let things = "/apis/{group}/v1/namespaces/{ns}/things";
        let (one, of_status) = (&format!("{things}/one"), &format!("{things}/one/status"));
        talk.post(things, json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": {"n": 2}})).await;
        for change in [json!({"spec": {"n": 2.0}}), json!({"spec": {"n": 2}}), json!({"status": {"n": 2.0}}), json!({"metadata": {"labels": {"a": "b"}}})] {
            talk.patch("merge", one, change).await;
        }
        for change in [json!({"status": {"n": 2}}), json!({"status": {"n": 2.0}})] {
            talk.patch("merge", of_status, change).await;
        }
    }

    async fn odd_names_of_what_is_unknown(talk: &mut Talk) {
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}}}}});
        talk.install(thing_crd(json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}))).await;
        for spec in [json!({"\"q\"": 1}), json!({"a\tb": 1, "c": 2}), json!({"": 1}), json!({"ü\u{2028}": 1, "back\\slash": 2}), json!({"a.b": 1, "c[0]": {"d": 1}})] {
            let thing = json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "odd"}, "spec": spec});
            for validation in ["Strict", "Warn"] {
                talk.post(&format!("/apis/{{group}}/v1/namespaces/{{ns}}/things?dryRun=All&fieldValidation={validation}"), thing.clone()).await;
            }
        }
    }

    async fn numbers_to_the_last_digit(talk: &mut Talk) {
        let list = json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "number"}});
        let number = json!({"type": "number", "maximum": 9007199254740993_i64});
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"n": {"type": "number"}, "s": list, "m": number}}}});
        talk.install(thing_crd(json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}))).await;
        talk.get_picked("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}", &[], |crd| crd["spec"]["versions"][0]["schema"].clone()).await;
        let things = "/apis/{group}/v1/namespaces/{ns}/things";
        let thing = |spec: Value| json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": spec});
        for spec in [
            json!({"n": 9163.453718085519}), json!({"n": 7.038531e-26}), json!({"n": 123456789012345680000.0}), json!({"n": 9007199254740993.0}), json!({"n": 0.1}), json!({"n": 5e-324}), json!({"n": 1.7976931348623157e308}),
            json!({"s": [-0.0, 0.0]}), json!({"s": [1, 1.0]}), json!({"m": 9007199254740993_i64}), json!({"m": 9007199254740995_i64}),
        ] {
            talk.post(&format!("{things}?dryRun=All"), thing(spec)).await;
        }
    }

    async fn the_order_of_what_is_unknown(talk: &mut Talk) {
        let map = json!({"type": "object", "additionalProperties": {"type": "object", "properties": {"a": {"type": "string"}}}});
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"map": map}}}});
        talk.install(thing_crd(json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}))).await;
        let spec = json!({"map": {"x": {"q": 1}, "x.y": {"p": 1}, "x-y": {"z": 1}, "x/y": {"o": 1}}, "m": 1, "map-of": 1, "mb": 1});
        let thing = json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one", "zz": 1, "a-b": 1, "a": 1}, "spec": spec, "spec-of": 1, "a": 1});
        for validation in ["Strict", "Warn"] {
            talk.post(&format!("/apis/{{group}}/v1/namespaces/{{ns}}/things?dryRun=All&fieldValidation={validation}"), thing.clone()).await;
        }
    }

    async fn what_an_older_schema_kept_has_no_owners(talk: &mut Talk) {
        let schema = |list: Value| {
            let item = json!({"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}, "v": {"type": "string"}}});
            let mut list = list;
            list["type"] = "array".into();
            list["items"] = item;
            if list.get("x-kubernetes-list-type").is_none() {
                list["items"].as_object_mut().unwrap().remove("required");
            }
            json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}, "b": list}}}})
        };
        let version = |schema: Value| json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}});
        talk.install(thing_crd(version(schema(json!({}))))).await;
        let things = "/apis/{group}/v1/namespaces/{ns}/things";
        talk.post(things, json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": {"a": "x", "b": [{"v": "y"}]}})).await;
        let by_key = json!({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]});
        let versions = json!({"spec": {"versions": [version(schema(by_key))]}});
        talk.patch("merge", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}", versions).await;
        let odd = json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "odd"}, "spec": {"b": [{"v": "y"}]}});
        talk.post_until(&format!("{things}?dryRun=All"), odd, |code| code == 422).await;
        talk.patch("merge", &format!("{things}/one"), json!({"spec": {"b": null}})).await;
        talk.get(&format!("{things}/one")).await;
    }
}
