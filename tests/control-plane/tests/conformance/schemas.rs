//! What a schema says of values, looked at closely: which branch is told, in which order, and of which kind of number.

use serde_json::{Value, json};

use super::support::{Talk, thing, thing_crd, try_specs, with};

const THINGS: &str = "/apis/{group}/v1/namespaces/{ns}/things";
/// In a group of which it is compared in which order the causes come.
const IN_ORDER: &str = "/apis/{group}.net/v1/namespaces/{ns}/things?dryRun=All";

fn crd(spec: Value) -> Value {
    let schema = json!({"type": "object", "properties": {"spec": spec}});
    thing_crd(
        json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}),
    )
}

/// A schema whose spec has these fields.
fn of_fields(fields: Value) -> Value {
    json!({"type": "object", "properties": fields})
}

conformance! {
    async fn causes_come_in_an_order(talk: &mut Talk) {
        let inner = json!({"type": "object", "required": ["x"], "properties": {"x": {"type": "string"}}});
        let mut crd = crd(of_fields(json!({
            "a": {"type": "object", "required": ["b", "a"], "minProperties": 2, "properties": {"c": {"type": "string"}}},
            "inner": {"type": "object", "required": ["y"], "properties": {"inner": inner}},
            "map": {"type": "object", "required": ["y"], "maxProperties": 1, "additionalProperties": {"type": "string", "maxLength": 1}},
            "number": {"type": "integer", "multipleOf": 5, "minimum": 10, "maximum": 2, "enum": [1]},
            "text": {"type": "string", "minLength": 3, "format": "date", "enum": ["b"]},
            "list": {"type": "array", "minItems": 3, "items": {"type": "integer", "maximum": 1}},
            "all": {"type": "integer", "maximum": 1, "allOf": [{"maximum": 2}, {"maximum": 3}], "anyOf": [{"maximum": 4}], "oneOf": [{"maximum": 5}], "not": {"minimum": 6}},
        })));
        crd["metadata"]["name"] = "things.{group}.net".into();
        crd["spec"]["group"] = "{group}.net".into();
        talk.install(crd).await;
        for spec in [
            json!({"a": {"c": 1}}), json!({"inner": {"inner": {}}}), json!({"map": {"a": "bc"}}), json!({"number": 3}), json!({"number": "a"}), json!({"text": "a"}), json!({"list": [2, 0]}), json!({"all": 7}),
        ] {
            let mut thing = thing("one", spec);
            thing["apiVersion"] = "{group}.net/v1".into();
            talk.post(IN_ORDER, thing.clone()).await;
            thing["metadata"]["name"] = "A_b".into();
            talk.post(IN_ORDER, thing).await;
        }
    }

    async fn causes_of_a_scale_come_before_those_of_wholes_and_lists(talk: &mut Talk) {
        let whole = json!({"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true});
        let schema = json!({"type": "object", "properties": {"spec": of_fields(json!({
            "replicas": {"type": "integer"}, "most": {"type": "integer", "maximum": 1}, "whole": whole,
            "list": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        }))}});
        let scale = json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"});
        let mut crd = thing_crd(json!({"name": "v1", "served": true, "storage": true, "subresources": {"scale": scale}, "schema": {"openAPIV3Schema": schema}}));
        crd["metadata"]["name"] = "things.{group}.net".into();
        crd["spec"]["group"] = "{group}.net".into();
        talk.install(crd).await;
        for spec in [
            json!({"replicas": -1, "list": ["a", "a"]}), json!({"replicas": -1, "most": 5, "list": ["a", "a"], "whole": {}}),
            json!({"list": ["a", "a"], "whole": {"apiVersion": "v1", "kind": "A", "metadata": {"name": "A_b"}}}),
        ] {
            let mut thing = thing("one", spec);
            thing["apiVersion"] = "{group}.net/v1".into();
            talk.post(IN_ORDER, thing).await;
        }
    }

    /// What was wrong may stay, and what is new has to be right, also by names that look like several.
    async fn names_with_dots_are_looked_at_where_something_stays_wrong(talk: &mut Talk) {
        let small = json!({"type": "integer", "maximum": 5});
        let inner = json!({"type": "object", "additionalProperties": {"type": "object", "additionalProperties": small}});
        let of = |required: Value, small: &Value, inner: &Value| {
            let map = json!({"type": "object", "additionalProperties": small});
            let few = json!({"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": if required == json!([]) { 9 } else { 2 }});
            let mut spec = of_fields(json!({"m": map, "few": few, "n": inner, "x": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}, "x.y": {"type": "string"}}));
            spec["required"] = required;
            crd(spec)
        };
        let open = json!({"type": "integer"});
        talk.install(of(json!([]), &open, &json!({"type": "object", "additionalProperties": {"type": "object", "additionalProperties": open}}))).await;
        talk.post(THINGS, thing("one", json!({"few": {"": 1, "a": 1, "b": 1}, "m": {"a": 1, "b": 9, "c.d": 9}, "n": {"a": {"b": 9, "c": 1}, "d.e": {"c": 9}}, "x": {"z": 1}, "x.y": "a"}))).await;
        let now = of(json!(["x.y"]), &small, &inner);
        talk.patch_unsaid("merge", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}", json!({"spec": {"versions": now["spec"]["versions"]}})).await;
        let one = format!("{THINGS}/one?dryRun=All");
        talk.until_patched("merge", &one, json!({"spec": {"m": {"new": 6}}}), |answer| answer["code"] == 422).await;
        for change in [
            json!({"few": {"c": 1}}), json!({"few": {"": 2}}), json!({"m": {"new": 6}}), json!({"m": {"a.b": 99}}), json!({"m": {"a[b": 99}}), json!({"m": {"a[0]": 99}}), json!({"m": {"new": 1}}), json!({"m": {"c.d": 8}}), json!({"m": {"b": 8}}),
            json!({"n": {"d.e": {"c": 8}}}), json!({"n": {"a": {"b.c": 99}}}), json!({"n": {"d.e": {"new": 1}}}), json!({"n": {"a": {"c": 2}}}), json!({"x.y": null}), json!({"x.y": null, "x": {"y": 1}}),
        ] {
            talk.patch("merge", &one, json!({"spec": change})).await;
        }
    }

    /// What stays wrong may stay so where all of it is compared with what was there before: fields without a schema are
    /// not, elements with keys in any order are.
    async fn what_is_known_is_compared_where_something_stays_wrong(talk: &mut Talk) {
        let narrow = |schema: Value, rules: Value, is_narrow: bool| {
            let mut schema = schema;
            rules.as_object().filter(|_| is_narrow).into_iter().flatten().for_each(|(name, value)| schema[name] = value.clone());
            schema
        };
        let of = |is_narrow: bool| {
            let text = json!({"type": "string"});
            let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
            let half = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"a": text}});
            let item = json!({"type": "object", "required": ["k", "l"], "properties": {"k": text, "l": {"type": "integer"}, "v": {"type": "number"}}});
            let list = json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k", "l"], "items": item});
            let set = json!({"type": "array", "x-kubernetes-list-type": "set", "items": narrow(text.clone(), json!({"maxLength": 2}), is_narrow)});
            let plain = json!({"type": "array", "items": narrow(text.clone(), json!({"maxLength": 2}), is_narrow)});
            let few = json!({"maxProperties": 0});
            let deep = json!({"type": "object", "properties": {"list": list, "other": text}});
            let spec = of_fields(json!({
                "open": narrow(open, few.clone(), is_narrow), "half": narrow(half, few.clone(), is_narrow),
                "any": narrow(json!({"type": "object", "additionalProperties": true}), few.clone(), is_narrow),
                "texts": narrow(json!({"type": "object", "additionalProperties": text}), few.clone(), is_narrow),
                "whole": narrow(json!({"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"data": text}}), few.clone(), is_narrow),
                "named": narrow(json!({"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"metadata": {"type": "object"}}}), few.clone(), is_narrow),
                "deep": narrow(deep, few.clone(), is_narrow), "list": narrow(list, json!({"maxItems": 1}), is_narrow),
                "set": set, "plain": plain, "null": narrow(json!({"type": "object", "nullable": true, "properties": {"a": narrow(json!({"type": "string", "nullable": true}), json!({"nullable": false}), is_narrow)}}), few, is_narrow),
                "tuple": narrow(json!({"type": "array", "items": {"type": "array", "items": text}}), json!({"maxItems": 1}), is_narrow), "port": narrow(json!({"x-kubernetes-int-or-string": true}), json!({"maximum": 3}), is_narrow), "other": text,
            }));
            let schema = json!({"type": "object", "properties": {"spec": spec}});
            thing_crd(json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}))
        };
        talk.install(of(false)).await;
        let item = |k: &str, l: i32| json!({"k": k, "l": l, "v": 1});
        let whole = json!({"apiVersion": "v1", "kind": "Some", "metadata": {"name": "a"}, "data": "a"});
        talk.post(THINGS, thing("one", json!({
            "open": {"a": 1}, "half": {"a": "a"}, "any": {"a": 1}, "texts": {"a": "a"}, "whole": whole, "named": {"apiVersion": "v1", "kind": "Some", "metadata": {}},
            "deep": {"list": [item("a", 1), item("b", 2)]}, "list": [item("a", 1), item("b", 2)], "set": ["long", "b"], "plain": ["long", "b"], "null": {"a": null}, "tuple": [["a"], ["b"]], "port": 9,
        }))).await;
        talk.patch_unsaid("merge", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}", json!({"spec": {"versions": of(true)["spec"]["versions"]}})).await;
        let one = format!("{THINGS}/one?dryRun=All");
        talk.until_patched("merge", &one, json!({"spec": {"port": 8}}), |answer| answer["code"] == 422).await;
        for change in [
            json!({"other": "a"}), json!({"open": null}), json!({"half": {"b": 1}}), json!({"open": null, "half": null, "any": null, "whole": null, "named": null}), json!({"deep": {"list": [item("b", 2), item("a", 1)]}}), json!({"deep": {"list": [item("b", 2), item("a", 3)]}}), json!({"deep": {"other": "a"}}),
            json!({"list": [item("b", 2), item("a", 1)]}), json!({"list": [item("b", 2), item("b", 2)]}), json!({"list": [item("b", 2), {"k": "a", "l": 1, "v": 1.0}]}), json!({"list": [item("b", 2), {"k": "a", "l": 1, "v": 1.5}]}), json!({"set": ["b", "long"]}), json!({"set": ["long", "b", "c"]}), json!({"plain": ["long", "b", "c"]}),
            json!({"null": {"a": "b"}}), json!({"null": {"a": null, "b": 1}}), json!({"tuple": [["a"], ["c"]]}), json!({"tuple": [["b"], ["a"]]}), json!({"texts": {"b": "b"}}), json!({"whole": {"metadata": {"name": "b"}}}), json!({"named": {"metadata": {"name": "b"}}}),
        ] {
            talk.patch("merge", &one, json!({"spec": change})).await;
        }
    }

    async fn an_object_that_lacks_what_is_asked_of_it_whole_is_refused_as_it_was(talk: &mut Talk) {
        let text = json!({"type": "string"});
        let of = |metadata: Value, required: Value| {
            let schema = json!({"type": "object", "required": required, "properties": {"spec": of_fields(json!({"other": text})), "extra": text, "metadata": metadata}});
            let mut schema = schema;
            if metadata.is_null() {
                schema["properties"].as_object_mut().unwrap().remove("metadata");
            }
            thing_crd(json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}))
        };
        talk.install(of(Value::Null, json!([]))).await;
        talk.post(THINGS, thing("one", json!({"other": "a"}))).await;
        let one = format!("{THINGS}/one?dryRun=All");
        for metadata in [Value::Null, json!({"type": "object"})] {
            for required in [json!([]), json!(["extra"])] {
                let is_refused = required != json!([]);
                talk.patch_unsaid("merge", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}", json!({"spec": {"versions": of(metadata.clone(), required)["spec"]["versions"]}})).await;
                talk.post_until(&format!("{THINGS}?dryRun=All"), thing("two", json!({})), |code| (code == 422) == is_refused).await;
            }
            for change in [json!({}), json!({"spec": {"other": "b"}}), json!({"metadata": {"labels": {"a": "b"}}})] {
                talk.patch("merge", &one, change).await;
            }
        }
    }

    /// Whoever writes a status is told of the status alone, whatever is wrong with the rest.
    async fn a_status_is_looked_at_alone(talk: &mut Talk) {
        let text = json!({"type": "string"});
        let whole = json!({"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true});
        let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let of = |scale: Value, schema: Value| {
            let subresources = json!({"status": {}, "scale": scale});
            thing_crd(json!({"name": "v1", "served": true, "storage": true, "subresources": subresources, "schema": {"openAPIV3Schema": schema}}))
        };
        let spec = of_fields(json!({"replicas": {"type": "integer"}, "e": open, "set": {"type": "array", "items": text}}));
        talk.install(of(Value::Null, json!({"type": "object", "properties": {"spec": spec, "status": open}}))).await;
        talk.post(THINGS, thing("one", json!({"replicas": -1, "e": {"x": 1}, "set": ["a", "a"]}))).await;
        let status = format!("{THINGS}/one/status");
        talk.patch("merge", &status, json!({"status": {"kind": "bad", "a": "1", "e": {"x": 1}}})).await;
        let spec = json!({"type": "object", "required": ["q"], "properties": {"replicas": {"type": "integer"}, "e": whole, "set": {"type": "array", "x-kubernetes-list-type": "set", "items": text}}});
        let number = json!({"type": "integer", "anyOf": [{"maximum": 1}, {"minimum": 5}], "not": {"minimum": 9}});
        let fields = json!({"kind": {"type": "string", "enum": ["x"]}, "a": text, "e": whole, "d": number, "list": {"type": "array", "items": text}, "set": {"type": "array", "x-kubernetes-list-type": "set", "items": text}, "replicas": {"type": "integer"}});
        let scale = json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"});
        let narrow = of(scale, json!({"type": "object", "required": ["zz"], "properties": {"spec": spec, "zz": text, "status": {"type": "object", "maxProperties": 5, "not": {"required": ["none"]}, "properties": fields}}}));
        talk.patch_unsaid("merge", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}", json!({"spec": {"versions": narrow["spec"]["versions"]}})).await;
        talk.until_patched("merge", &format!("{THINGS}/one?dryRun=All"), json!({"spec": {"replicas": -2}}), |answer| answer["code"] == 422).await;
        let status = format!("{status}?dryRun=All");
        for change in [
            json!({"a": "2"}), json!({"kind": null, "a": "2"}), json!({"kind": null, "a": 2}), json!({"kind": "y"}), json!({"kind": null, "d": 3}), json!({"kind": null, "d": 9}), json!({"kind": null, "list": [1]}), json!({"kind": null, "set": ["b", "b"]}), json!({"kind": null, "replicas": -1}),
            json!({"kind": null, "e": {"apiVersion": "a/b/c", "kind": "a b", "metadata": {"name": "###"}}}), json!({"kind": null, "none": 1, "d": 1, "list": [], "set": [], "replicas": 1}), json!({"kind": "x", "d": 1, "list": [], "set": [], "replicas": 1}),
        ] {
            talk.patch("merge", &status, json!({"status": change})).await;
        }
        for value in [json!(["a"]), json!("a"), json!({})] {
            talk.patch("json", &status, json!([{"op": "replace", "path": "/status", "value": value}])).await;
        }
    }

    async fn what_says_nothing_of_its_fields_takes_any(talk: &mut Talk) {
        talk.install(crd(of_fields(json!({
            "free": {"type": "object"}, "none": {"type": "object", "properties": {}}, "any": {"type": "object", "additionalProperties": true},
            "each": {"type": "object", "additionalProperties": {"type": "object"}}, "list": {"type": "array", "items": {"type": "object"}},
        })))).await;
        let apply = format!("{THINGS}/one?fieldManager=one&dryRun=All");
        for spec in [json!({"free": {"q": 1}}), json!({"none": {"q": {"r": [1]}}}), json!({"any": {"q": 1, "r": null}}), json!({"each": {"a": {"q": 1}}}), json!({"list": [{"q": 1}]})] {
            talk.patch("apply", &apply, thing("one", spec.clone())).await;
            talk.post(&format!("{THINGS}?dryRun=All"), thing("one", spec)).await;
        }
        talk.post(THINGS, thing("one", json!({"any": {"a": null, "b": {"c": null}}}))).await;
        talk.patch("json", &format!("{THINGS}/one"), json!([{"op": "add", "path": "/spec/any/z", "value": null}])).await;
    }

    async fn what_may_have_no_fields_is_not_pruned(talk: &mut Talk) {
        let of = |more: Value| with(json!({"type": "object", "additionalProperties": false}), more);
        talk.install(crd(of_fields(json!({
            "none": of(json!({})), "maybe": of(json!({"nullable": true})), "list": {"type": "array", "items": of(json!({}))}, "few": of(json!({"maxProperties": 1})),
        })))).await;
        talk.post(THINGS, thing("one", json!({"none": {}}))).await;
        for spec in [
            json!({"none": {"a": 1}}), json!({"none": {"a": null}}), json!({"none": {"a": {"b": 1}}}), json!({"maybe": null}), json!({"maybe": {"a": null}}), json!({"list": [{}, {"a": 1}]}),
            json!({"none": 1}), json!({"few": {"a": 1, "b": 2}}), json!({"few": {"a": [{"b": 1}]}}),
        ] {
            talk.post(&format!("{THINGS}?dryRun=All"), thing("two", spec.clone())).await;
            talk.post(&format!("{THINGS}?dryRun=All&fieldValidation=Strict"), thing("two", spec.clone())).await;
            talk.patch("merge", &format!("{THINGS}/one"), json!({"spec": spec})).await;
            // Of two fields that are not declared a real server names any.
            if spec["few"]["b"].is_null() {
                talk.patch("apply", &format!("{THINGS}/one?fieldManager=one&dryRun=All"), thing("one", spec)).await;
            }
        }
    }

    async fn the_first_element_that_has_no_keys_is_told_of(talk: &mut Talk) {
        let item = json!({"type": "object", "required": ["k"], "x-kubernetes-preserve-unknown-fields": true, "properties": {"k": {"type": "string"}}});
        talk.install(crd(of_fields(json!({
            "list": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": item},
        })))).await;
        let (a, b) = (json!({"k": "a"}), json!({"k": "b"}));
        for list in [json!(["a", "a"]), json!([a, a, 5, "b"]), json!([a, b, a]), json!([[], a, a])] {
            talk.post(THINGS, thing("one", json!({"list": list}))).await;
        }
    }

    async fn the_nearest_branch_is_told(talk: &mut Talk) {
        let kinds = json!([
            {"properties": {"kind": {"enum": ["small"]}}, "required": ["kind", "more"]},
            {"properties": {"kind": {"enum": ["large"]}, "size": {"minimum": 6}}, "required": ["kind", "size"]},
        ]);
        let fields = json!({"kind": {"type": "string"}, "size": {"type": "integer"}, "more": {"type": "string"}});
        talk.install(crd(of_fields(json!({
            "any": {"type": "object", "properties": fields, "anyOf": kinds},
            "one": {"type": "object", "properties": fields, "oneOf": kinds},
            "text": {"type": "string", "anyOf": [{"maxLength": 1}, {"format": "date"}, {"pattern": "^b"}]},
            "list": {"type": "array", "items": {"type": "integer"}, "anyOf": [{"minItems": 3}, {"items": {"maximum": 2}}]},
            "nested": {"type": "integer", "anyOf": [{"maximum": 1}, {"anyOf": [{"maximum": 2}, {"maximum": 3}]}, {"allOf": [{"maximum": 4}, {"minimum": 1}]}]},
            "oneNested": {"type": "integer", "oneOf": [{"maximum": 1}, {"not": {"minimum": 2}}, {"oneOf": [{"minimum": 3}, {"minimum": 4}]}]},
            "null": {"type": "string", "nullable": true, "anyOf": [{"minLength": 1}, {"enum": ["a"]}]},
        })))).await;
        for kind in ["any", "one"] {
            try_specs(talk, [
                json!({kind: {"kind": "medium"}}), json!({kind: {"kind": "medium", "size": 7}}), json!({kind: {"size": 7}}), json!({kind: {"kind": "large", "size": 5}}), json!({kind: {"kind": "small", "more": "a"}}),
                json!({kind: {"kind": "small", "size": 7}}), json!({kind: {}}),
            ]).await;
        }
        try_specs(talk, [
            json!({"text": "ab"}), json!({"list": [7, 8]}), json!({"list": [1, 8]}), json!({"nested": 7}), json!({"nested": 3}), json!({"oneNested": 2}), json!({"oneNested": 5}), json!({"oneNested": 3}), json!({"null": null}), json!({"null": ""}),
        ]).await;
    }

    async fn nothing_is_one_of_the_values(talk: &mut Talk) {
        talk.install(crd(of_fields(json!({
            "text": {"type": "string", "nullable": true, "enum": ["a", null]},
            "any": {"x-kubernetes-preserve-unknown-fields": true, "nullable": true, "enum": [null, 1, {"a": 1}, [1.5]]},
            "number": {"type": "number", "enum": [1, 2.5]},
            "whole": {"type": "integer", "enum": [1, 2.5]},
            "port": {"x-kubernetes-int-or-string": true, "enum": [1, "2"]},
            "list": {"type": "array", "items": {"type": "string", "nullable": true, "enum": ["a", null]}},
        })))).await;
        try_specs(talk, [
            json!({"text": null}), json!({"text": "a"}), json!({"any": null}), json!({"any": {"a": 1}}), json!({"any": {"a": 1.0}}), json!({"any": [1.5]}), json!({"any": false}),
            json!({"number": 1}), json!({"number": 1.0}), json!({"number": 1.25}), json!({"number": 2.5}), json!({"number": 2}), json!({"whole": 1.0}), json!({"whole": 2}),
            json!({"port": "1"}), json!({"port": 2}), json!({"port": 1}), json!({"list": ["a", null]}),
        ]).await;
    }

    async fn mails_and_addresses_are_read_as_in_go(talk: &mut Talk) {
        let formats = ["email", "ipv4", "ipv6", "cidr", "hostname"];
        let fields: serde_json::Map<String, Value> = formats.iter().map(|name| ((*name).to_owned(), json!({"type": "string", "format": name}))).collect();
        talk.install(crd(of_fields(fields.into()))).await;
        let mut specs = Vec::new();
        for text in [
            "a@b", "a.b@c.d", "a..b@c", ".a@b", "a.@b", "a@b.", "a@.b", "a@b..c", "a@-b", "a@b_c", "a@[1.2.3.4]", "a@[::1]", "a@[IPv6:::1]", "a@[b]", "a@", "@b", "a b@c", "a @b", "a@ b", " a@b ", "<a@b>", "A <a@b>", "A B <a@b>",
            "A. B <a@b>", "\"a b\"@c", "\"\"@c", "\"A, B\" <a@b>", "\"a\\\"b\"@c", "\"a\nb\"@c", "a@b (c)", "(c) a@b", "a(c)@b", "<a@b> c", "a@b, c@d", "A: a@b;", "A: a@b, c@d;", "A:;", "a+b@c", "a!#$%&'*/=?^`{|}~-@b", "\u{e4}@b", "a@\u{fc}", "\u{c4} <a@b>", "=?utf-8?q?A?= <a@b>", "A <a@b", "a@b>", "<>", "",
            "a@b\n", "\ta@b",
        ] {
            specs.push(json!({"email": text}));
        }
        for text in ["01.2.3.4", "1.2.3.004", "::ffff:1.2.3.4", "1.2.3", "1.2.3.4 ", "0x1.2.3.4", "1.2.3.4.5", "::1.2.3.4", "1.2.3.4/8", "256.1.1.1", "0000001.2.3.4"] {
            specs.push(json!({"ipv4": text}));
        }
        for text in ["::1", "::ffff:01.2.3.4", "1.2.3.4", "fe80::1%eth0", "::1/8", "::"] {
            specs.push(json!({"ipv6": text}));
        }
        for text in ["010.0.0.0/8", "10.0.0.0/08", "10.0.0.0/+8", "::1/129", "::ffff:1.2.3.4/100", "1.2.3.4", "1.2.3.4/", "1.2.3.4/8/8"] {
            specs.push(json!({"cidr": text}));
        }
        let long = "a".repeat(64);
        for text in ["a.b", long.as_str(), "a.bc", "\u{e4}.de", "1", "a.1"] {
            specs.push(json!({"hostname": text}));
        }
        try_specs(talk, specs).await;
    }

    async fn numbers_are_whole_or_not(talk: &mut Talk) {
        let set = |items: Value| json!({"type": "array", "x-kubernetes-list-type": "set", "items": items});
        talk.install(crd(of_fields(json!({
            "fine": {"type": "number", "multipleOf": 0.1}, "wholeFine": {"type": "integer", "multipleOf": 0.5}, "coarse": {"type": "number", "multipleOf": 2.5}, "step": {"type": "integer", "format": "int64", "multipleOf": 2.5},
            "bounds": {"type": "number", "minimum": 0.5, "maximum": 2.25}, "wholeBounds": {"type": "integer", "minimum": 0.5, "maximum": 2.25}, "open": {"type": "number", "minimum": 0.5, "exclusiveMinimum": true, "maximum": 2.5, "exclusiveMaximum": true},
            "negative": {"type": "integer", "multipleOf": -2}, "none": {"type": "number", "multipleOf": 0}, "float": {"type": "number", "format": "float"}, "any": {"x-kubernetes-preserve-unknown-fields": true, "maximum": 2.5, "multipleOf": 0.5},
            "numbers": set(json!({"type": "number"})), "anything": set(json!({"x-kubernetes-preserve-unknown-fields": true})), "large": {"type": "integer", "maximum": 9007199254740993_i64},
        })))).await;
        try_specs(talk, [
            json!({"fine": 1}), json!({"fine": 1.0}), json!({"fine": 0.3}), json!({"fine": 0.7}), json!({"fine": 0.35}), json!({"wholeFine": 1}), json!({"wholeFine": 1.0}), json!({"coarse": 5}), json!({"coarse": 4}), json!({"coarse": 5.0}), json!({"coarse": 7.5}), json!({"coarse": 6.0}), json!({"step": 5}), json!({"step": 4}),
            json!({"bounds": 0}), json!({"bounds": 0.25}), json!({"bounds": 3}), json!({"bounds": 2.5}), json!({"bounds": 0.0}), json!({"wholeBounds": 0}), json!({"wholeBounds": 3}), json!({"open": 0}), json!({"open": 1}), json!({"open": 2}), json!({"open": 2.5}), json!({"open": 2.0}),
            json!({"negative": 2}), json!({"none": 1}), json!({"none": 1.5}), json!({"float": 1e300}), json!({"float": 1.5}), json!({"any": 3}), json!({"any": 2.75}),
            json!({"numbers": [1, 1.0]}), json!({"numbers": [1.0, 1.0]}), json!({"numbers": [1, 1]}), json!({"numbers": [1.5, 1.5, 2e3, 2000]}), json!({"anything": [1, "1", true, "true"]}), json!({"anything": [[1], [1.0]]}), json!({"large": 9007199254740993_i64}), json!({"large": 9007199254740994_i64}), json!({"bounds": 1e6}), json!({"bounds": 12345678.0}), json!({"bounds": 1e21}), json!({"bounds": 123456789012345680.0}), json!({"bounds": 1e-7}),
        ]).await;
        talk.say("what is kept");
        talk.post(THINGS, thing("one", json!({"numbers": [1, 1.0], "bounds": 1.0}))).await;
        let one = &format!("{THINGS}/one");
        talk.patch("merge", one, json!({"metadata": {"labels": {"a": "b"}}})).await;
        talk.patch("merge", one, json!({"spec": {"numbers": [1, 1, 2]}})).await;
        talk.patch("merge", one, json!({"spec": {"numbers": [3, 3.0], "bounds": 2.0}})).await;
    }

    async fn keys_of_elements_have_defaults(talk: &mut Talk) {
        talk.install(crd(of_fields(json!({
            "list": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "index"], "items": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string"}, "index": {"type": "integer", "default": 0}, "value": {"type": "string", "default": "v"},
            }}},
            "all": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["index"], "items": {"type": "object", "properties": {"index": {"type": "integer", "default": 3}, "value": {"type": "string"}}}},
            "flags": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["on"], "items": {"type": "object", "properties": {"on": {"type": "boolean", "default": false}}}},
        })))).await;
        try_specs(talk, [
            json!({"list": [{"name": "a"}, {"name": "a", "index": 0}]}), json!({"list": [{"name": "a"}, {"name": "a", "index": 1}]}), json!({"list": [{"name": "a", "index": null}, {"name": "a"}]}),
            json!({"all": [{}, {"index": 3}, {"index": 4}]}), json!({"flags": [{}, {"on": false}, {"on": true}]}), json!({"list": [{}, {}]}), json!({"all": [null, {}]}),
        ]).await;
        talk.say("who owns them");
        let one = &format!("{THINGS}/one");
        let apply = |manager: &str| format!("{one}?fieldManager={manager}");
        talk.patch("apply", &apply("a"), thing("one", json!({"list": [{"name": "a"}, {"name": "b", "index": 0}], "all": [{"value": "x"}], "flags": [{}]}))).await;
        talk.patch("apply", &apply("b"), thing("one", json!({"list": [{"name": "a", "index": 0, "value": "w"}], "all": [{"index": 3}, {"index": 4}], "flags": [{"on": false}]}))).await;
        talk.patch("apply", &apply("b"), thing("one", json!({"list": [{"name": "a"}, {"name": "a", "index": 0}]}))).await;
        talk.patch("apply", &apply("b"), thing("one", json!({"all": [{}, {"index": 3}], "flags": [{}, {}]}))).await;
        talk.patch("apply", &apply("a"), thing("one", json!({"list": [{"name": "b"}]}))).await;
        talk.patch("apply", &apply("c"), thing("one", json!({"list": [null, {"name": "b"}, "text"]}))).await;
    }

    async fn mistakes_of_a_schema_come_in_an_order(talk: &mut Talk) {
        let a = |schema: Value| json!({"type": "object", "properties": {"a": schema}});
        for (subresources, schema) in [
            (json!({}), json!({"nullable": true, "items": {"x-kubernetes-embedded-resource": true, "type": "string"}, "additionalProperties": true, "properties": {"metadata": {"type": "string", "maxLength": 1}, "kind": {}}})),
            (json!({}), a(json!({"type": "array", "x-kubernetes-int-or-string": true, "x-kubernetes-preserve-unknown-fields": true, "pattern": "(", "uniqueItems": true, "x-kubernetes-list-type": "bar"}))),
            (json!({}), json!({"type": "object", "properties": {"a": {"type": "object"}}, "not": {"properties": {"b": {"nullable": true}, "metadata": {}}}, "allOf": [{"items": {"default": 1}}, {"properties": {"a": {"additionalProperties": {"type": "string"}}}}], "oneOf": [{"x-kubernetes-validations": [{"rule": "true"}]}]})),
            (json!({}), json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "object"}}, "anyOf": [{"properties": {"c": {"minimum": 1}}}, {"properties": {"b": {"properties": {"d": {}}}}}, {"properties": {"a": {"pattern": "x"}}}]})),
            (json!({}), a(json!({"type": "null"}))),
            (json!({}), a(json!({"type": "foo", "title": "t", "items": {"type": "null", "x-kubernetes-map-type": "atomic"}}))),
            (json!({}), a(json!({"type": "integer", "default": "x", "x-kubernetes-map-type": "bar"}))),
            (json!({}), a(json!({"type": "odd", "default": 1}))),
            (json!({}), a(json!({"type": "array", "items": {"type": "odd", "default": {"a": 1}}}))),
            (json!({}), a(json!({"type": "object", "properties": {"b": {"type": "integer"}}, "default": {"b": "x", "c": 1}}))),
            (json!({}), a(json!({"$schema": "x", "not": {"type": "string"}}))),
            (json!({}), a(json!({"$ref": "#/x", "nullable": true, "title": "t", "id": "i", "additionalItems": true, "dependencies": {}}))),
            (json!({}), a(json!({"type": "object", "x-kubernetes-preserve-unknown-fields": false, "oneOf": [{"type": "null"}]}))),
            (json!({}), a(json!({"type": "array", "x-kubernetes-list-type": "map", "items": [{"type": "object"}], "x-kubernetes-list-map-keys": ["k", "k"]}))),
            (json!({}), a(json!({"type": "array", "x-kubernetes-list-type": "map", "items": {"type": "object", "properties": {"k": {"type": "object", "nullable": true}}}, "x-kubernetes-list-map-keys": ["k", "j", "k"]}))),
            (json!({}), json!({"type": "object", "properties": {"metadata": {"type": "object", "default": 5}}})),
            (json!({}), json!({"type": "object", "properties": {"metadata": {"type": "object", "x-kubernetes-embedded-resource": true, "additionalProperties": {"type": "string", "default": "x"}}}})),
            (json!({}), a(json!({"type": "object", "x-kubernetes-embedded-resource": true, "additionalProperties": true, "properties": {"metadata": {"type": "object", "additionalProperties": {"type": "object", "default": {}}}}}))),
            (json!({}), a(json!({"type": "object", "additionalProperties": {"type": "object", "default": 5}}))),
            (json!({}), a(json!({"type": "string", "x-kubernetes-validations": [{"rule": " ", "message": "a"}, {"rule": "true", "fieldPath": ".b", "reason": "Odd"}], "x-kubernetes-map-type": "atomic"}))),
            (json!({"status": {}}), json!({"type": "object", "$schema": "x"})),
            (json!({"status": {}}), json!({"type": "object", "items": [{"type": "string"}], "dependencies": {"d": ["a"]}, "nullable": true})),
        ] {
            let version = json!({"name": "v1", "served": true, "storage": true, "subresources": subresources, "schema": {"openAPIV3Schema": schema}});
            let mut crd = thing_crd(version);
            crd["metadata"]["name"] = "things.{group}.net".into();
            crd["spec"]["group"] = "{group}.net".into();
            talk.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All", crd).await;
        }
    }

    async fn what_is_false_is_as_if_it_were_not_said(talk: &mut Talk) {
        let schema = json!({"type": "object", "properties": {
            "a": {"type": "array", "uniqueItems": false, "items": {"type": "string", "format": "", "nullable": false}},
            "b": {"type": "object", "x-kubernetes-embedded-resource": false, "additionalProperties": {"type": "string", "exclusiveMinimum": false, "title": ""}},
            "c": {"type": "object", "properties": {"d": {"type": "integer", "default": 0}}, "anyOf": [{"required": ["d"], "uniqueItems": false}], "not": {"required": ["e"], "nullable": false}},
        }});
        let version = json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}});
        talk.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All", json!({
            "metadata": {"name": "things.{group}"}, "spec": {"group": "{group}", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"}, "versions": [version]},
        })).await;
        talk.say("how long a schedule waits");
        let pods = json!({"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "web:1"}]}}}});
        for schedule in ["@every 1x", "@every", "@every ", "@every 1", "@every -1h.5s", "@every .s", "@every 0", "@every 1h "] {
            let spec = json!({"schedule": schedule, "jobTemplate": pods});
            talk.post("/apis/batch/v1/namespaces/{ns}/cronjobs?dryRun=All", json!({"metadata": {"name": "one"}, "spec": spec})).await;
        }
    }
}
