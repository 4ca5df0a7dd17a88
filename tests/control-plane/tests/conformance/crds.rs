//! CustomResourceDefinitions: what they may say, and what becomes of their kinds and objects.

use serde_json::{Value, json};

use super::support::{Talk, thing, try_specs};

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const CRD: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}";
const THINGS: &str = "/apis/{group}/v1/namespaces/{ns}/things";

/// A definition with one version, which has the schema.
fn crd(schema: Value) -> Value {
    crd_of(json!([version("v1", true, schema)]))
}

fn crd_of(versions: Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.{group}"},
        "spec": {
            "group": "{group}", "scope": "Namespaced",
            "names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"},
            "versions": versions,
        },
    })
}

fn version(name: &str, stored: bool, schema: Value) -> Value {
    json!({"name": name, "served": true, "storage": stored, "schema": {"openAPIV3Schema": schema}})
}

/// A schema whose spec has these fields.
fn of_spec(fields: Value) -> Value {
    json!({"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}})
}

fn free() -> Value {
    json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

/// Whether a condition of a definition has a status.
fn is(condition: &'static str, status: &'static str) -> impl Fn(u16, &Value) -> bool {
    move |_, body| {
        let conditions = body["status"]["conditions"].as_array();
        conditions.is_some_and(|all| {
            all.iter()
                .any(|one| one["type"] == condition && one["status"] == status)
        })
    }
}

conformance! {
    async fn values_have_types(talk: &mut Talk) {
        talk.install(crd(of_spec(json!({
            "text": {"type": "string"}, "whole": {"type": "integer"}, "number": {"type": "number"}, "flag": {"type": "boolean"},
            "list": {"type": "array", "items": {"type": "string"}},
            "object": {"type": "object", "properties": {"inner": {"type": "string"}}},
            "map": {"type": "object", "additionalProperties": {"type": "integer"}},
            "small": {"type": "integer", "format": "int32"}, "large": {"type": "integer", "format": "int64"},
        })))).await;
        try_specs(talk, [
            json!({"text": "x", "whole": 1, "number": 1.5, "flag": true, "list": ["a"], "object": {"inner": "x"}, "map": {"a": 1}}),
            json!({"text": 1, "whole": "1", "number": "1.5", "flag": "true", "list": "a", "object": "x", "map": "y"}),
            json!({"text": true, "whole": 1.5, "number": true, "flag": 1, "list": {"a": "b"}, "object": ["x"], "map": ["a"]}),
            json!({"text": [], "whole": [], "number": {}, "flag": {}, "list": 7, "object": 7, "map": 7}),
            json!({"list": ["a", 1, true], "object": {"inner": 1}, "map": {"a": "x", "b": 2}}),
            json!({"whole": 1.0, "number": 1}),
            json!({"whole": 1e3, "number": 1e300}),
            json!({"small": 2147483648_i64, "large": 9223372036854775807_i64}),
            json!({"small": -2147483649_i64, "large": 1.5}),
            json!({"large": 1e19}),
            json!("text"),
            json!([]),
            json!(7),
            json!({}),
        ]).await;
        talk.post(THINGS, json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": null})).await;
        talk.post(THINGS, json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "two"}})).await;
    }

    async fn values_are_required_or_listed(talk: &mut Talk) {
        talk.install(crd(json!({"type": "object", "required": ["spec"], "properties": {"spec": {
            "type": "object", "required": ["name", "mode"], "properties": {
                "name": {"type": "string"},
                "mode": {"type": "string", "enum": ["fast", "slow"]},
                "level": {"type": "integer", "enum": [1, 2, 3]},
                "any": {"x-kubernetes-preserve-unknown-fields": true, "enum": [1, "one", null, {"a": "b"}, [1]]},
                "inner": {"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
                "list": {"type": "array", "items": {"type": "object", "required": ["key"], "properties": {"key": {"type": "string"}}}},
            },
        }}}))).await;
        try_specs(talk, [
            json!({"name": "x", "mode": "fast"}),
            json!({}),
            json!({"name": "x"}),
            json!({"name": "x", "mode": "other"}),
            json!({"name": "x", "mode": ""}),
            json!({"name": null, "mode": null}),
            json!({"name": "x", "mode": "slow", "level": 4}),
            json!({"name": "x", "mode": "slow", "level": 2.0}),
            json!({"name": "x", "mode": "slow", "any": "one"}),
            json!({"name": "x", "mode": "slow", "any": {"a": "b"}}),
            json!({"name": "x", "mode": "slow", "any": {"a": "c"}}),
            json!({"name": "x", "mode": "slow", "any": "two"}),
            json!({"name": "x", "mode": "slow", "inner": {}}),
            json!({"name": "x", "mode": "slow", "inner": {"b": "y"}, "list": [{"key": "x"}, {}]}),
        ]).await;
        talk.post(&format!("{THINGS}?dryRun=All"), json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}})).await;
    }

    async fn texts_have_rules(talk: &mut Talk) {
        talk.install(crd(of_spec(json!({
            "short": {"type": "string", "minLength": 2, "maxLength": 4},
            "pattern": {"type": "string", "pattern": "^[a-z]+(-[a-z]+)*$"},
            "loose": {"type": "string", "pattern": "b"},
            "both": {"type": "string", "pattern": "^x", "minLength": 3, "enum": ["xyz", "abc"]},
        })))).await;
        try_specs(talk, [
            json!({"short": "ab"}), json!({"short": "a"}), json!({"short": "abcde"}), json!({"short": "äöüß"}), json!({"short": "äöüßx"}), json!({"short": ""}),
            json!({"pattern": "a-b"}), json!({"pattern": "A-b"}), json!({"pattern": ""}), json!({"pattern": "a\n"}), json!({"pattern": "quo\"te"}),
            json!({"loose": "abc"}), json!({"loose": "ac"}),
            json!({"both": "y"}), json!({"both": "abc"}), json!({"both": "xyz"}), json!({"both": "xyzzy"}),
        ]).await;
    }

    async fn texts_have_formats(talk: &mut Talk) {
        let formats = [
            "date-time", "date", "duration", "byte", "uuid", "ipv4", "ipv6", "cidr", "mac", "hostname", "uri", "email", "password", "binary", "datetime", "unheard",
        ];
        let fields: serde_json::Map<String, Value> = formats.iter().map(|name| ((*name).to_owned(), json!({"type": "string", "format": name}))).collect();
        talk.install(crd(of_spec(fields.into()))).await;
        try_specs(talk, formats.iter().map(|name| json!({*name: "!"}))).await;
        try_specs(talk, [
            json!({"date-time": "2020-01-02T03:04:05Z"}), json!({"date-time": "2020-01-02T03:04:05.678+02:00"}), json!({"date-time": "2020-01-02 03:04:05"}), json!({"date-time": "2020-13-02T03:04:05Z"}),
            json!({"date": "2020-02-29"}), json!({"date": "2021-02-29"}), json!({"date": "20210228"}),
            json!({"duration": "1h2m3s"}), json!({"duration": "1 day"}), json!({"duration": "5"}), json!({"duration": "1.5h"}), json!({"duration": "-3s"}),
            json!({"byte": "YQ=="}), json!({"byte": "YQ"}), json!({"byte": ""}),
            json!({"uuid": "123E4567-e89b-12d3-a456-426614174000"}),
            json!({"ipv4": "10.0.0.1"}), json!({"ipv4": "10.0.0.256"}), json!({"ipv6": "::1"}), json!({"ipv6": "10.0.0.1"}),
            json!({"cidr": "10.0.0.0/8"}), json!({"cidr": "10.0.0.0/33"}), json!({"cidr": "::/0"}), json!({"mac": "01:23:45:67:89:ab"}),
            json!({"hostname": "example.com"}), json!({"hostname": "-x"}), json!({"hostname": "a_b"}),
            json!({"uri": "https://example.com/a?b"}), json!({"uri": "/a"}), json!({"uri": "a b"}), json!({"uri": "relative"}),
            json!({"email": "a@example.com"}), json!({"email": "a"}),
        ]).await;
    }

    async fn numbers_have_rules(talk: &mut Talk) {
        talk.install(crd(of_spec(json!({
            "range": {"type": "integer", "minimum": 1, "maximum": 10},
            "open": {"type": "number", "minimum": 0, "exclusiveMinimum": true, "maximum": 1, "exclusiveMaximum": true},
            "step": {"type": "integer", "multipleOf": 5},
            "fine": {"type": "number", "multipleOf": 0.1},
            "decimal": {"type": "number", "minimum": 0.5, "maximum": 2.25},
            "large": {"type": "integer", "minimum": 5000000000_i64},
        })))).await;
        try_specs(talk, [
            json!({"range": 1}), json!({"range": 0}), json!({"range": 10}), json!({"range": 11}), json!({"range": -3}),
            json!({"open": 0}), json!({"open": 0.0}), json!({"open": 0.5}), json!({"open": 1}), json!({"open": 1.5}), json!({"open": -0.25}),
            json!({"step": 10}), json!({"step": 7}), json!({"step": 0}), json!({"step": -5}),
            json!({"fine": 0.3}), json!({"fine": 0.35}),
            json!({"decimal": 0.25}), json!({"decimal": 3.5}), json!({"decimal": 2.25}),
            json!({"large": 1}), json!({"large": 5000000000_i64}), json!({"range": 100, "step": 3, "open": 7}),
        ]).await;
    }

    async fn lists_and_maps_have_rules(talk: &mut Talk) {
        talk.install(crd(of_spec(json!({
            "list": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "integer", "maximum": 9}},
            "map": {"type": "object", "minProperties": 1, "maxProperties": 2, "additionalProperties": {"type": "string", "maxLength": 3}},
            "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "keyed": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "port"], "items": {
                "type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "port": {"type": "integer", "default": 80}, "value": {"type": "string"}},
            }},
            "nested": {"type": "array", "items": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "integer"}}},
            "sets": {"type": "object", "additionalProperties": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}},
        })))).await;
        try_specs(talk, [
            json!({"list": []}), json!({"list": [1, 2]}), json!({"list": [1, 2, 3]}), json!({"list": [10, 11, 12]}), json!({"list": [null]}),
            json!({"map": {}}), json!({"map": {"a": "b"}}), json!({"map": {"a": "b", "c": "d", "e": "f"}}), json!({"map": {"a": "long text", "with.dot/x": "long text"}}),
            json!({"set": ["a", "b"]}), json!({"set": ["a", "b", "a", "a"]}), json!({"set": []}),
            json!({"keyed": [{"name": "a"}, {"name": "b"}]}), json!({"keyed": [{"name": "a"}, {"name": "a", "port": 80}]}),
            json!({"keyed": [{"name": "a", "port": 1}, {"name": "a", "port": 2}]}), json!({"keyed": [{"port": 1}, {"port": 1}]}), json!({"keyed": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}, {"name": "a"}]}),
            json!({"nested": [[1, 2], [1, 1]]}), json!({"sets": {"x": ["a", "a"]}}),
        ]).await;
    }

    async fn values_may_be_null(talk: &mut Talk) {
        talk.install(crd(of_spec(json!({
            "plain": {"type": "string"},
            "nullable": {"type": "string", "nullable": true},
            "default": {"type": "string", "default": "d"},
            "both": {"type": "string", "nullable": true, "default": "d"},
            "object": {"type": "object", "nullable": true, "properties": {"a": {"type": "string"}, "b": {"type": "string", "nullable": true}}},
            "list": {"type": "array", "items": {"type": "string", "nullable": true}},
            "plainList": {"type": "array", "items": {"type": "string"}},
            "map": {"type": "object", "additionalProperties": {"type": "string"}},
            "nullableMap": {"type": "object", "additionalProperties": {"type": "string", "nullable": true}},
            "free": {"x-kubernetes-preserve-unknown-fields": true},
            "mode": {"type": "string", "nullable": true, "enum": ["a", "b"]},
        })))).await;
        try_specs(talk, [
            json!({"plain": null}), json!({"nullable": null}), json!({"default": null}), json!({"both": null}),
            json!({"object": null}), json!({"object": {"a": null, "b": null}}), json!({"list": ["a", null]}), json!({"plainList": ["a", null]}),
            json!({"map": {"a": null}}), json!({"nullableMap": {"a": null}}), json!({"free": null}), json!({"free": {"a": null, "b": [null]}}),
            json!({"mode": null}), json!({"unknown": null}),
        ]).await;
    }

    async fn values_that_are_numbers_or_texts(talk: &mut Talk) {
        talk.install(crd(of_spec(json!({
            "port": {"x-kubernetes-int-or-string": true},
            "named": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}], "pattern": "^[a-z0-9]+$"},
            "ranged": {"x-kubernetes-int-or-string": true, "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}], "maximum": 10, "maxLength": 3},
            "default": {"x-kubernetes-int-or-string": true, "default": "10%"},
        })))).await;
        try_specs(talk, [
            json!({"port": 80}), json!({"port": "http"}), json!({"port": 1.5}), json!({"port": true}), json!({"port": {}}), json!({"port": null}), json!({"port": 3.0}),
            json!({"named": 80}), json!({"named": "http"}), json!({"named": "UP"}), json!({"named": 1.5}),
            json!({"ranged": 11}), json!({"ranged": "abcd"}), json!({"ranged": "abc"}), json!({"ranged": 10}),
        ]).await;
    }

    async fn unknown_fields_are_pruned(talk: &mut Talk) {
        talk.install(crd(json!({"type": "object", "properties": {
            "spec": {"type": "object", "properties": {
                "known": {"type": "string"},
                "object": {"type": "object", "properties": {"a": {"type": "string"}}},
                "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}},
                "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"a": {"type": "string"}}}},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"strict": {"type": "object", "properties": {"a": {"type": "string"}}}}},
                "bare": {"type": "object"},
                "open": {"type": "object", "additionalProperties": true},
            }},
        }}))).await;
        let full = json!({
            "known": "x", "unknown": "y", "object": {"a": "b", "c": "d"}, "list": [{"a": "b", "c": "d"}, {"e": 1}],
            "map": {"k": {"a": "b", "c": "d"}}, "free": {"any": {"thing": [1]}, "strict": {"a": "b", "c": "d"}}, "bare": {"a": "b"}, "open": {"a": {"b": "c"}},
        });
        for validation in ["", "fieldValidation=Warn", "fieldValidation=Ignore", "fieldValidation=Strict"] {
            let mut body = thing("one", full.clone());
            body["more"] = json!({"a": "b"});
            body["status"] = json!({"phase": "unknown"});
            body["metadata"]["odd"] = json!("unknown");
            talk.post(&format!("{THINGS}?{validation}"), body).await;
            talk.delete(&format!("{THINGS}/one")).await;
        }
        let json = [("content-type", "application/json")];
        let yaml = [("content-type", "application/yaml")];
        let head = "{\"apiVersion\": \"values.example.com/v1\"";
        talk.send_raw("POST", THINGS, &json, format!("{head}, \"kind\": \"Thing\"}}").as_bytes()).await;
        talk.send_raw("POST", THINGS, &yaml, b"apiVersion: unknown-fields-are-pruned.example.com/v1\nkind: Thing\nmetadata:\n  name: yaml\nspec:\n  known: a\n  known: b\n  other: c\n").await;
        talk.send_raw("POST", THINGS, &json, br#"{"apiVersion": "unknown-fields-are-pruned.example.com/v1", "kind": "Thing", "metadata": {"name": "twice"}, "spec": {"known": "a", "known": "b", "other": 1}}"#).await;
        talk.send_raw("POST", &format!("{THINGS}?fieldValidation=Strict"), &json, br#"{"apiVersion": "unknown-fields-are-pruned.example.com/v1", "kind": "Thing", "metadata": {"name": "thrice"}, "spec": {"known": "a", "known": "b", "other": 1}}"#).await;
    }

    async fn fields_have_defaults(talk: &mut Talk) {
        talk.install(crd(json!({"type": "object", "properties": {
            "spec": {"type": "object", "default": {"mode": "whole"}, "properties": {
                "mode": {"type": "string", "default": "auto"},
                "count": {"type": "integer", "default": 3},
                "inner": {"type": "object", "properties": {"a": {"type": "string", "default": "inner"}}},
                "made": {"type": "object", "default": {}, "properties": {"a": {"type": "string", "default": "made"}}},
                "list": {"type": "array", "default": [{}], "items": {"type": "object", "properties": {"a": {"type": "string", "default": "element"}}}},
                "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"a": {"type": "string", "default": "value"}}}},
                "zero": {"type": "integer", "default": 0}, "no": {"type": "boolean", "default": false}, "empty": {"type": "string", "default": ""},
            }},
            "status": {"type": "object", "default": {"phase": "New"}, "properties": {"phase": {"type": "string"}}},
        }}))).await;
        talk.post(THINGS, json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "none"}})).await;
        talk.post(THINGS, thing("empty", json!({}))).await;
        talk.post(THINGS, thing("some", json!({"mode": "manual", "inner": {}, "made": {"a": "x"}, "list": [], "map": {"k": {}, "l": {"a": "y"}}}))).await;
        talk.patch("json", &format!("{THINGS}/some"), json!([{"op": "remove", "path": "/spec/mode"}])).await;
        talk.patch("merge", &format!("{THINGS}/some"), json!({"spec": null})).await;
    }

    async fn definitions_add_defaults_to_stored_objects(talk: &mut Talk) {
        talk.install(crd(of_spec(json!({"a": {"type": "string"}})))).await;
        talk.post(THINGS, thing("one", json!({"a": "x"}))).await;
        talk.patch("json", CRD, json!([{"op": "add", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/b", "value": {"type": "string", "default": "later"}}])).await;
        talk.get_until(&format!("{THINGS}/one"), |_, body| body["spec"]["b"] == "later").await;
        talk.patch("json", CRD, json!([{"op": "remove", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/a"}])).await;
        talk.get_until(&format!("{THINGS}/one"), |_, body| body["spec"]["a"].is_null()).await;
        talk.get_until(THINGS, |code, _| code == 200).await;
        talk.patch("merge", &format!("{THINGS}/one"), json!({"metadata": {"labels": {"a": "b"}}})).await;
    }

    async fn updates_of_what_was_valid_once(talk: &mut Talk) {
        talk.install(crd(of_spec(json!({
            "name": {"type": "string"}, "size": {"type": "integer"}, "list": {"type": "array", "items": {"type": "string"}},
        })))).await;
        talk.post(THINGS, thing("one", json!({"name": "long name", "size": 100, "list": ["long", "x"]}))).await;
        talk.patch("merge", CRD, json!({"spec": {"versions": [version("v1", true, of_spec(json!({
            "name": {"type": "string", "maxLength": 3}, "size": {"type": "integer", "maximum": 5}, "more": {"type": "string"}, "since": {"type": "string", "default": "new"},
            "list": {"type": "array", "items": {"type": "string", "maxLength": 2}},
        })))]}})).await;
        // The new schema is in force as soon as its defaults are.
        talk.get_until(&format!("{THINGS}/one"), |_, body| body["spec"]["since"] == "new").await;
        let one = &format!("{THINGS}/one");
        talk.say("what is wrong, and stays as it was");
        talk.patch("merge", one, json!({"metadata": {"labels": {"a": "b"}}})).await;
        talk.patch("merge", one, json!({"spec": {"more": "x"}})).await;
        talk.say("what is wrong, and changes");
        talk.patch("merge", one, json!({"spec": {"size": 99}})).await;
        talk.patch("merge", one, json!({"spec": {"name": "another"}})).await;
        talk.patch("merge", one, json!({"spec": {"list": ["long", "y"]}})).await;
        talk.patch("merge", one, json!({"spec": {"list": ["long", "x", "z"]}})).await;
        talk.patch("merge", one, json!({"spec": {"size": 4}})).await;
        talk.patch("merge", one, json!({"spec": {"size": 6}})).await;
    }

    async fn values_fit_one_any_all_or_no_schema(talk: &mut Talk) {
        let text = json!({"type": "string"});
        talk.install(crd(of_spec(json!({
            "one": {"type": "object", "properties": {"a": text, "b": text}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
            "any": {"type": "object", "properties": {"a": text, "b": text}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
            "all": {"type": "integer", "allOf": [{"minimum": 3}, {"maximum": 5}]},
            "no": {"type": "string", "not": {"enum": ["forbidden"]}},
            "deep": {"type": "object", "properties": {"kind": text, "size": {"type": "integer"}}, "oneOf": [
                {"properties": {"kind": {"enum": ["small"]}, "size": {"maximum": 5}}, "required": ["kind"]},
                {"properties": {"kind": {"enum": ["large"]}, "size": {"minimum": 6}}, "required": ["kind", "size"]},
            ]},
        })))).await;
        try_specs(talk, [
            json!({"one": {}}), json!({"one": {"a": "x"}}), json!({"one": {"a": "x", "b": "y"}}),
            json!({"any": {}}), json!({"any": {"b": "x"}}), json!({"any": {"a": "x", "b": "y"}}),
            json!({"all": 2}), json!({"all": 4}), json!({"all": 6}),
            json!({"no": "forbidden"}), json!({"no": "allowed"}),
            json!({"deep": {"kind": "small", "size": 3}}), json!({"deep": {"kind": "small", "size": 7}}), json!({"deep": {"kind": "large"}}), json!({"deep": {"kind": "medium"}}),
            json!({"one": {}, "any": {}, "all": 9, "no": "forbidden"}),
        ]).await;
    }

    async fn objects_within_objects(talk: &mut Talk) {
        talk.install(crd(of_spec(json!({
            "template": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
            "strict": {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"data": {"type": "string"}}},
            "list": {"type": "array", "items": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true}},
        })))).await;
        let object = |extra: Value| {
            let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "labels": {"a": "b"}}});
            for (name, value) in extra.as_object().into_iter().flatten() {
                object[name] = value.clone();
            }
            object
        };
        try_specs(talk, [
            json!({"template": object(json!({"data": {"a": "b"}}))}),
            json!({"template": {}}),
            json!({"template": {"apiVersion": "v1"}}),
            json!({"template": object(json!({"metadata": {"odd": "field"}}))}),
            json!({"template": object(json!({"metadata": {"creationTimestamp": "2020-01-01T00:00:00Z", "uid": "x"}}))}),
            json!({"strict": object(json!({"data": "x", "more": "y"}))}),
            json!({"list": [object(json!({})), {"kind": "A"}]}),
        ]).await;
    }

    async fn names_that_a_schema_limits(talk: &mut Talk) {
        talk.install(crd(json!({"type": "object", "properties": {
            "metadata": {"type": "object", "properties": {"name": {"type": "string", "pattern": "^x-", "maxLength": 5}}},
            "spec": {"type": "object"},
        }}))).await;
        for name in ["x-a", "y-a", "x-long", "X"] {
            talk.post(&format!("{THINGS}?dryRun=All"), thing(name, json!({}))).await;
        }
    }

    async fn kinds_in_several_versions(talk: &mut Talk) {
        talk.install(crd_of(json!([
            version("v1", true, of_spec(json!({"old": {"type": "string"}, "both": {"type": "string"}}))),
            version("v1beta1", false, free()),
            version("v2", false, of_spec(json!({"both": {"type": "string"}, "new": {"type": "string", "default": "n"}}))),
        ]))).await;
        let at = |version: &str| format!("/apis/{{group}}/{version}/namespaces/{{ns}}/things");
        talk.post(THINGS, thing("one", json!({"old": "o", "both": "b"}))).await;
        talk.get(&format!("{}/one", at("v2"))).await;
        talk.get(&format!("{}/one", at("v1beta1"))).await;
        talk.get(&at("v2")).await;
        talk.post(&at("v2"), json!({"apiVersion": "{group}/v2", "kind": "Thing", "metadata": {"name": "two"}, "spec": {"both": "b", "new": "x"}})).await;
        talk.post(&at("v2"), thing("three", json!({}))).await;
        talk.post(&at("v3"), thing("three", json!({}))).await;
        talk.get(THINGS).await;
        let mut watch = talk.watch(&format!("{}?watch=true&resourceVersion=0", at("v2"))).await;
        talk.events(&mut watch, 2).await;
        talk.delete(&format!("{}/two", at("v1beta1"))).await;
        talk.events(&mut watch, 1).await;
    }

    async fn versions_that_are_not_served_or_deprecated(talk: &mut Talk) {
        let mut hidden = version("v1beta1", false, free());
        hidden["served"] = false.into();
        let mut old = version("v1alpha1", false, free());
        old["deprecated"] = true.into();
        let mut worded = version("v1alpha2", false, free());
        worded["deprecated"] = true.into();
        worded["deprecationWarning"] = "use v1, please".into();
        talk.install(crd_of(json!([version("v1", true, free()), hidden, old, worded]))).await;
        for name in ["v1", "v1alpha1", "v1alpha2", "v1beta1"] {
            let at = format!("/apis/{{group}}/{name}/namespaces/{{ns}}/things");
            talk.post(&at, json!({"apiVersion": format!("{{group}}/{name}"), "kind": "Thing", "metadata": {"name": name}})).await;
            talk.get(&format!("{at}/v1")).await;
        }
    }

    async fn the_status_is_a_subresource_or_not(talk: &mut Talk) {
        let schema = json!({"type": "object", "properties": {
            "spec": {"type": "object", "properties": {"a": {"type": "string"}}},
            "status": {"type": "object", "properties": {"phase": {"type": "string", "enum": ["Up", "Down"]}}},
            "data": {"type": "string"},
        }});
        let mut with = version("v1", true, schema.clone());
        with["subresources"] = json!({"status": {}});
        talk.install(crd_of(json!([with, version("v2", false, schema)]))).await;
        let mut body = thing("one", json!({"a": "1"}));
        body["status"] = json!({"phase": "Up"});
        body["metadata"]["generation"] = 7.into();
        talk.post(THINGS, body.clone()).await;
        body["status"]["phase"] = "Sideways".into();
        talk.post(&format!("{THINGS}?dryRun=All"), body.clone()).await;
        let one = &format!("{THINGS}/one");
        let status = &format!("{THINGS}/one/status");
        body["status"]["phase"] = "Down".into();
        body["spec"]["a"] = "2".into();
        talk.put(status, body.clone()).await;
        talk.put(one, body.clone()).await;
        talk.patch("merge", one, json!({"metadata": {"labels": {"a": "b"}}})).await;
        talk.patch("merge", one, json!({"data": "counts"})).await;
        talk.patch("merge", status, json!({"status": {"phase": "Sideways"}})).await;
        talk.say("the other version has no such subresource");
        let v2 = "/apis/{group}/v2/namespaces/{ns}/things";
        talk.get(&format!("{v2}/one/status")).await;
        talk.patch("merge", &format!("{v2}/one"), json!({"status": {"phase": "Up"}})).await;
        body["apiVersion"] = "{group}/v2".into();
        body["metadata"]["name"] = "two".into();
        talk.post(v2, body).await;
        talk.get(&format!("{THINGS}/missing/status")).await;
    }

    async fn kinds_have_columns(talk: &mut Talk) {
        let mut v1 = version("v1", true, free());
        v1["additionalPrinterColumns"] = json!([
            {"name": "Size", "type": "integer", "jsonPath": ".spec.size", "description": "How large"},
            {"name": "Share", "type": "number", "jsonPath": ".spec.share", "format": "double"},
            {"name": "Ready", "type": "boolean", "jsonPath": ".status.ready"},
            {"name": "First", "type": "string", "jsonPath": ".spec.list[0].name"},
            {"name": "All", "type": "string", "jsonPath": ".spec.list[*].name", "priority": 1},
            {"name": "Picked", "type": "string", "jsonPath": ".spec.list[?(@.name==\"b\")].value"},
            {"name": "Object", "type": "string", "jsonPath": ".spec.object"},
            {"name": "Label", "type": "string", "jsonPath": ".metadata.labels.example\\.com/x"},
        ]);
        talk.install(crd_of(json!([v1, version("v2", false, free())]))).await;
        talk.post(THINGS, thing("full", json!({"size": 3, "share": 1.5, "list": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}], "object": {"k": "v"}}))).await;
        talk.post(THINGS, thing("bare", json!({}))).await;
        talk.post(THINGS, thing("wrong", json!({"size": "three", "share": "much", "list": "none", "object": [1, "x"]}))).await;
        let table = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")];
        talk.send("GET", THINGS, &table, None).await;
        talk.send("GET", &format!("{THINGS}/full"), &table, None).await;
        talk.send("GET", &format!("{THINGS}/full?includeObject=None"), &table, None).await;
        talk.send("GET", &format!("{THINGS}/missing"), &table, None).await;
    }

    async fn kinds_have_names(talk: &mut Talk) {
        let mut named = crd(free());
        named["spec"]["names"] = json!({"plural": "things", "kind": "Thing", "shortNames": ["th", "tg"], "categories": ["all", "some"]});
        talk.install(named).await;
        talk.get_until(CRD, is("Established", "True")).await;
        talk.get("/apis/{group}/v1/namespaces/{ns}/thing").await;
        talk.get("/apis/{group}/v1/namespaces/{ns}/th").await;
        talk.post(THINGS, json!({"apiVersion": "{group}/v1", "kind": "thing", "metadata": {"name": "x"}})).await;
        talk.get("/apis/{group}/v1/things").await;
    }

    async fn kinds_without_namespaces(talk: &mut Talk) {
        let mut wide = crd(free());
        wide["spec"]["scope"] = "Cluster".into();
        talk.install(wide).await;
        talk.post("/apis/{group}/v1/things", thing("x", json!({}))).await;
        talk.get("/apis/{group}/v1/things/x").await;
        talk.get(THINGS).await;
        talk.post(THINGS, thing("y", json!({}))).await;
        let mut placed = thing("z", json!({}));
        placed["metadata"]["namespace"] = "{ns}".into();
        talk.post("/apis/{group}/v1/things", placed).await;
    }

    async fn names_that_are_taken(talk: &mut Talk) {
        let other = |plural: &str, names: Value| {
            let mut other = crd(free());
            other["metadata"]["name"] = format!("{plural}.{{group}}").into();
            other["spec"]["names"] = names;
            other["spec"]["names"]["plural"] = plural.into();
            other
        };
        talk.install(other("things", json!({"kind": "Thing", "shortNames": ["th"]}))).await;
        let at = |plural: &str| format!("{CRDS}/{plural}.{{group}}");
        talk.prepare(CRDS, other("others", json!({"kind": "Thing"}))).await;
        talk.get_until(&at("others"), is("NamesAccepted", "False")).await;
        talk.get("/apis/{group}/v1/others").await;
        talk.prepare(CRDS, other("thirds", json!({"kind": "Third", "shortNames": ["th", "third"], "singular": "thing", "listKind": "ThingList"}))).await;
        talk.get_until(&at("thirds"), is("NamesAccepted", "False")).await;
    }

    async fn definitions_that_are_refused(talk: &mut Talk) {
        let dry = &format!("{CRDS}?dryRun=All");
        let change = |pointer: &str, value: Value| {
            let mut body = crd(free());
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            let parent = body.pointer_mut(parent).unwrap();
            if value.is_null() {
                parent.as_object_mut().unwrap().remove(field);
            } else {
                parent[field] = value;
            }
            body
        };
        for body in [
            change("/metadata/name", json!("other.{group}")),
            change("/metadata/name", json!(null)),
            change("/spec", json!(null)),
            change("/spec/group", json!(null)),
            change("/spec/group", json!("Not A Group")),
            change("/spec/group", json!("short")),
            change("/spec/scope", json!(null)),
            change("/spec/scope", json!("Everywhere")),
            change("/spec/names", json!(null)),
            change("/spec/names/plural", json!(null)),
            change("/spec/names/plural", json!("Things")),
            change("/spec/names/plural", json!("th.ings")),
            change("/spec/names/singular", json!("Thing")),
            change("/spec/names/singular", json!(null)),
            change("/spec/names/kind", json!(null)),
            change("/spec/names/kind", json!("thing")),
            change("/spec/names/kind", json!("not a kind")),
            change("/spec/names/listKind", json!("Thing")),
            change("/spec/names/listKind", json!(null)),
            change("/spec/names/listKind", json!("not a kind")),
            change("/spec/names/shortNames", json!(["Up", "a b", "ok", "ok"])),
            change("/spec/names/categories", json!(["Up", "a b"])),
            change("/spec/versions", json!(null)),
            change("/spec/versions", json!([])),
            change("/spec/versions", json!([version("v1", false, free())])),
            change("/spec/versions", json!([version("v1", true, free()), version("v2", true, free())])),
            change("/spec/versions", json!([version("v1", true, free()), version("v1", false, free())])),
            change("/spec/versions/0/name", json!("V1")),
            change("/spec/versions/0/name", json!(null)),
            change("/spec/versions/0/served", json!(null)),
            change("/spec/versions/0/served", json!(false)),
            change("/spec/versions/0/storage", json!(null)),
            change("/spec/versions/0/schema", json!(null)),
            change("/spec/versions/0/schema", json!({})),
            change("/spec/versions/0/schema", json!({"openAPIV3Schema": null})),
            change("/spec/versions/0/additionalPrinterColumns", json!([{"name": "", "type": "", "jsonPath": ""}, {"name": "a", "type": "text", "jsonPath": "spec"}, {"name": "b", "type": "string", "jsonPath": ".spec[", "format": "odd"}])),
            change("/spec/versions/0/selectableFields", json!([{"jsonPath": ".spec.missing"}, {"jsonPath": ""}, {"jsonPath": ".metadata.name"}])),
            change("/spec/versions/0/deprecationWarning", json!("not deprecated")),
            change("/spec/preserveUnknownFields", json!(true)),
            change("/spec/conversion", json!({"strategy": "Sometimes"})),
            change("/spec/conversion", json!({"strategy": "Webhook"})),
            change("/spec/conversion", json!({"strategy": "None", "webhook": {"conversionReviewVersions": ["v1"]}})),
            change("/spec/unknown", json!("field")),
            change("/spec/versions/0/unknown", json!("field")),
            change("/spec/names/kind", json!(7)),
            change("/spec/versions", json!("v1")),
            change("/status", json!({"storedVersions": ["v9"], "conditions": [{"type": "Established", "status": "True"}]})),
        ] {
            talk.post(dry, body).await;
        }
        let mut body = crd(free());
        body["metadata"]["name"] = "things.{ns}.k8s.io".into();
        body["spec"]["group"] = "{ns}.k8s.io".into();
        talk.post(dry, body.clone()).await;
        body["metadata"]["annotations"] = json!({"api-approved.kubernetes.io": "perhaps"});
        talk.post(dry, body.clone()).await;
        body["metadata"]["annotations"] = json!({"api-approved.kubernetes.io": "unapproved, a test"});
        talk.post(dry, body).await;
    }

    async fn schemas_that_are_refused(talk: &mut Talk) {
        let dry = &format!("{CRDS}?dryRun=All");
        let text = json!({"type": "string"});
        let below = |field: Value| of_spec(json!({"x": field}));
        for schema in [
            json!({}),
            json!({"type": "string"}),
            json!({"type": "object", "nullable": true}),
            json!({"type": "object", "additionalProperties": text}),
            json!({"type": "object", "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}}),
            json!({"type": "object", "properties": {"metadata": {"type": "string"}}}),
            json!({"type": "object", "properties": {"apiVersion": {"type": "integer"}, "kind": {"type": "string"}}}),
            below(json!({})),
            below(json!({"type": "text"})),
            below(json!({"type": "array"})),
            below(json!({"type": "array", "items": {}})),
            below(json!({"type": "array", "items": [text]})),
            below(json!({"type": "object", "properties": {"a": text}, "additionalProperties": text})),
            below(json!({"type": "object", "additionalProperties": false})),
            below(json!({"type": "object", "additionalProperties": {}})),
            below(json!({"type": "object", "patternProperties": {"a": text}})),
            below(json!({"type": "object", "$ref": "#/definitions/x"})),
            below(json!({"$ref": "#/definitions/x"})),
            below(json!({"type": "object", "definitions": {"a": text}, "dependencies": {"a": ["b"]}, "id": "x", "$schema": "y"})),
            below(json!({"type": "array", "items": text, "uniqueItems": true})),
            below(json!({"type": "string", "nullable": "yes"})),
            below(json!({"type": "string", "default": 7})),
            below(json!({"type": "object", "default": {"unknown": 1}, "properties": {"a": text}})),
            below(json!({"type": "string", "enum": ["a"], "default": "b"})),
            below(json!({"type": "string", "default": null})),
            below(json!({"type": "object", "x-kubernetes-preserve-unknown-fields": false})),
            below(json!({"type": "string", "x-kubernetes-preserve-unknown-fields": true})),
            below(json!({"type": "string", "x-kubernetes-int-or-string": true})),
            below(json!({"type": "object", "x-kubernetes-embedded-resource": true})),
            below(json!({"type": "string", "x-kubernetes-embedded-resource": true})),
            below(json!({"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"apiVersion": {"type": "integer"}, "metadata": {"type": "string"}}})),
            below(json!({"type": "object", "x-kubernetes-list-type": "set"})),
            below(json!({"type": "array", "items": text, "x-kubernetes-list-type": "bag"})),
            below(json!({"type": "array", "items": text, "x-kubernetes-list-type": "map"})),
            below(json!({"type": "array", "items": text, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"]})),
            below(json!({"type": "array", "items": text, "x-kubernetes-list-map-keys": ["a"]})),
            below(json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"], "items": {"type": "object", "properties": {"a": text}}})),
            below(json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["b"], "items": {"type": "object", "properties": {"a": text}}})),
            below(json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a", "a"], "items": {"type": "object", "required": ["a"], "properties": {"a": text}}})),
            below(json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"], "items": {"type": "object", "required": ["a"], "properties": {"a": {"type": "object"}}}})),
            below(json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"], "items": {"type": "object", "required": ["a"], "nullable": true, "properties": {"a": text}}})),
            below(json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "object"}})),
            below(json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "array", "items": text}})),
            below(json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string", "nullable": true}})),
            below(json!({"type": "string", "x-kubernetes-map-type": "atomic"})),
            below(json!({"type": "object", "x-kubernetes-map-type": "loose"})),
            below(json!({"type": "object", "properties": {"a": text}, "anyOf": [{"properties": {"b": {"type": "string"}}}]})),
            below(json!({"type": "object", "properties": {"a": text}, "anyOf": [{"properties": {"b": {"pattern": "x"}}}]})),
            below(json!({"type": "string", "allOf": [{"type": "string"}], "oneOf": [{"title": "x"}]})),
            below(json!({"type": "string", "maxLength": -1})),
            below(json!({"type": "string", "minLength": 5, "maxLength": 1})),
            below(json!({"type": "object", "required": ["missing"]})),
            below(json!({"type": "object", "unheard": true})),
        ] {
            talk.post(dry, crd(schema)).await;
        }
    }

    async fn schemas_of_several_versions_that_are_refused(talk: &mut Talk) {
        let dry = &format!("{CRDS}?dryRun=All");
        let list = || of_spec(json!({"x": {"type": "array"}}));
        talk.post(dry, crd_of(json!([version("v1", true, list()), version("v2", false, list())]))).await;
        talk.post(dry, crd_of(json!([version("v1", true, free()), version("v2", false, list())]))).await;
        talk.post(dry, crd_of(json!([version("v1", true, list()), version("v2", false, of_spec(json!({"y": {}})))]))).await;
    }

    async fn definitions_become_established(talk: &mut Talk) {
        let mut watch = talk.watch(&format!("{CRDS}?watch=true&fieldSelector=metadata.name%3Dthings.{{group}}")).await;
        talk.post(CRDS, crd(free())).await;
        talk.events(&mut watch, 1).await;
        talk.get_until(CRD, is("Established", "True")).await;
        talk.get(&format!("{CRD}/status")).await;
        talk.post(CRDS, crd(free())).await;
        let mut changed = talk.get(CRD).await.body;
        changed["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"] = "changed".into();
        changed["status"] = json!({});
        talk.put(CRD, changed).await;
        talk.patch("merge", CRD, json!({"metadata": {"labels": {"a": "b"}}})).await;
        talk.get(CRD).await;
        talk.delete(CRD).await;
        talk.get_until_gone(CRD).await;
    }

    async fn definitions_say_how_far_they_are(talk: &mut Talk) {
        let mut watch = talk.watch(&format!("{CRDS}?watch=true&fieldSelector=metadata.name%3Dthings.{{group}}")).await;
        talk.install(crd(free())).await;
        talk.events(&mut watch, 3).await;
        talk.delete(CRD).await;
        talk.events(&mut watch, 3).await;
    }

    async fn roots_of_schemas_beside_a_status(talk: &mut Talk) {
        let with = |root: Value| {
            let mut said = crd(free());
            said["spec"]["versions"][0]["subresources"] = json!({"status": {}});
            let schema = &mut said["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
            *schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string", "enum": ["b"]}}}}});
            root.as_object().unwrap().iter().for_each(|(name, value)| schema[name] = value.clone());
            said
        };
        for root in [
            json!({"oneOf": [{"required": ["spec"]}]}), json!({"allOf": []}), json!({"not": {"required": ["spec"]}}), json!({"enum": [{}]}), json!({"minProperties": 1, "maxProperties": 3}), json!({"x-kubernetes-map-type": "granular"}),
            json!({"description": "a <b>", "required": ["spec"], "x-kubernetes-preserve-unknown-fields": true}),
        ] {
            talk.post(&format!("{CRDS}?dryRun=All"), with(root)).await;
        }
        let mut several = with(json!({"minProperties": 1}));
        let mut other = several["spec"]["versions"][0].clone();
        other["name"] = "v2".into();
        other["storage"] = false.into();
        for differs in ["subresources", "schema"] {
            let mut other = other.clone();
            match differs {
                "schema" => other["schema"]["openAPIV3Schema"]["description"] = "other".into(),
                _ => other["subresources"] = json!({}),
            }
            let versions = several["spec"]["versions"].as_array_mut().unwrap();
            versions.truncate(1);
            versions.push(other);
            talk.post(&format!("{CRDS}?dryRun=All"), several.clone()).await;
        }
    }

    async fn lists_of_maps_that_are_refused(talk: &mut Talk) {
        let list = |more: Value| {
            let mut list = json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}}}});
            more.as_object().unwrap().iter().for_each(|(name, value)| list[name] = value.clone());
            of_spec(json!({"l": list}))
        };
        let items = |k: Value, nullable: bool| json!({"type": "object", "nullable": nullable, "required": ["k"], "properties": {"k": k, "z": {"type": "string", "default": "a"}}});
        for schema in [
            list(json!({"items": items(json!({"type": "string", "nullable": true}), true)})), list(json!({"items": items(json!({"type": "array", "items": {"type": "string"}}), true)})),
            list(json!({"x-kubernetes-list-map-keys": ["k", "k", "y", "z"], "items": items(json!({"type": "object", "nullable": true}), false)})), list(json!({"x-kubernetes-list-map-keys": []})),
            list(json!({"x-kubernetes-list-type": "set"})), list(json!({"x-kubernetes-list-type": "set", "x-kubernetes-list-map-keys": [], "items": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}})),
            of_spec(json!({"l": {"type": "object", "x-kubernetes-list-type": "map"}})), of_spec(json!({"l": {"x-kubernetes-list-type": "more", "x-kubernetes-preserve-unknown-fields": true}})),
        ] {
            talk.post(&format!("{CRDS}?dryRun=All"), crd(schema)).await;
        }
    }

    async fn what_schemas_say_and_is_empty(talk: &mut Talk) {
        let empty = json!({"type": "object", "properties": {}, "required": [], "x-kubernetes-preserve-unknown-fields": true});
        let fields = json!({
            "a": empty, "b/c": {"type": "string", "enum": [], "allOf": []}, "d": {"type": "array", "items": empty}, "e": {"type": "object", "additionalProperties": empty}, "f": {"type": "object", "default": {}, "x-kubernetes-preserve-unknown-fields": true},
        });
        let created = talk.post(CRDS, crd(of_spec(fields))).await;
        assert!(created.body["spec"].is_object());
        talk.get_until(CRD, is("Established", "True")).await;
        let table = ("accept", "application/json;as=Table;v=v1;g=meta.k8s.io");
        talk.send("POST", "/api/v1/namespaces/{ns}/configmaps?dryRun=All", &[table, ("content-type", "application/json")], Some(json!({"metadata": {"name": "one"}}))).await;
    }

    async fn subresources_that_say_more_than_they_can(talk: &mut Talk) {
        for status in [json!({"x": 1}), json!([]), json!("x"), json!({})] {
            let mut said = crd(free());
            said["spec"]["versions"][0]["subresources"] = json!({"status": status});
            for query in ["dryRun=All", "dryRun=All&fieldValidation=Strict"] {
                talk.post(&format!("{CRDS}?{query}"), said.clone()).await;
            }
        }
    }

    async fn definitions_change(talk: &mut Talk) {
        talk.install(crd(free())).await;
        talk.get_until(CRD, is("Established", "True")).await;
        for patch in [
            json!([{"op": "replace", "path": "/spec/group", "value": "other.example.com"}]),
            json!([{"op": "replace", "path": "/spec/scope", "value": "Cluster"}]),
            json!([{"op": "replace", "path": "/spec/names/plural", "value": "others"}]),
            json!([{"op": "replace", "path": "/spec/versions/0/name", "value": "v2"}]),
            json!([{"op": "replace", "path": "/spec/versions/0/storage", "value": false}]),
            json!([{"op": "replace", "path": "/spec/versions/0/served", "value": false}, {"op": "test", "path": "/spec/group", "value": "x"}]),
            json!([{"op": "add", "path": "/spec/versions/-", "value": version("v2", false, free())}]),
            json!([{"op": "replace", "path": "/spec/versions/0/storage", "value": false}, {"op": "replace", "path": "/spec/versions/1/storage", "value": true}]),
            json!([{"op": "remove", "path": "/spec/versions/0"}]),
            json!([{"op": "replace", "path": "/metadata/name", "value": "others.{group}"}]),
        ] {
            talk.patch("json", CRD, patch).await;
        }
        talk.say("the stored versions");
        talk.patch("merge", &format!("{CRD}/status"), json!({"status": {"storedVersions": ["v1"]}})).await;
        talk.patch("merge", &format!("{CRD}/status"), json!({"status": {"storedVersions": ["v2", "v9"]}})).await;
        talk.patch("merge", &format!("{CRD}/status"), json!({"status": {"storedVersions": ["v2"]}})).await;
        talk.patch("json", CRD, json!([{"op": "remove", "path": "/spec/versions/0"}])).await;
        talk.get(CRD).await;
    }

    async fn kinds_that_go_while_they_are_watched(talk: &mut Talk) {
        talk.install(crd(free())).await;
        talk.post(THINGS, thing("one", json!({"a": 1}))).await;
        let mut watch = talk.watch(&format!("{THINGS}?watch=true&resourceVersion=0")).await;
        talk.events(&mut watch, 1).await;
        talk.delete(CRD).await;
        talk.end_of(&mut watch).await;
        talk.get_until_gone(CRD).await;
        talk.get_until(THINGS, |code, _| code == 404).await;
        talk.say("and come back");
        talk.install(crd(free())).await;
        talk.get(THINGS).await;
        talk.post(THINGS, thing("one", json!({}))).await;
    }

    async fn kinds_that_change_while_they_are_watched(talk: &mut Talk) {
        talk.install(crd_of(json!([version("v1", true, of_spec(json!({"a": {"type": "integer"}}))), version("v2", false, free())]))).await;
        talk.post(THINGS, thing("one", json!({"a": 1}))).await;
        let mut watch = talk.watch(&format!("{THINGS}?watch=true&resourceVersion=0")).await;
        let mut other = talk.watch("/apis/{group}/v2/things?watch=true&resourceVersion=0").await;
        talk.events(&mut watch, 1).await;
        talk.events(&mut other, 1).await;
        talk.patch("json", CRD, json!([{"op": "replace", "path": "/spec/versions/1/served", "value": false}])).await;
        talk.end_of(&mut other).await;
        talk.end_of(&mut watch).await;
        talk.get_until("/apis/{group}/v2/things", |code, _| code == 404).await;
        talk.get(&format!("{THINGS}/one")).await;
    }

    async fn fields_that_can_be_selected(talk: &mut Talk) {
        let mut v1 = version("v1", true, of_spec(json!({
            "color": {"type": "string"}, "size": {"type": "integer"}, "flag": {"type": "boolean"}, "hidden": {"type": "string"},
        })));
        v1["selectableFields"] = json!([{"jsonPath": ".spec.color"}, {"jsonPath": ".spec.size"}, {"jsonPath": ".spec.flag"}]);
        talk.install(crd_of(json!([v1, version("v2", false, free())]))).await;
        talk.post(THINGS, thing("red", json!({"color": "red", "size": 1, "flag": true}))).await;
        talk.post(THINGS, thing("green", json!({"color": "green", "size": 2}))).await;
        talk.post(THINGS, thing("none", json!({}))).await;
        for selector in [
            "spec.color=red", "spec.color%3D%3Dgreen", "spec.color!=red", "spec.size=2", "spec.flag=true", "spec.flag=", "spec.color=red,spec.size=2",
            "spec.color=red,metadata.name=red", "spec.hidden=x", "spec.color", ".spec.color=red", "metadata.name=none", "metadata.namespace=x",
        ] {
            talk.get(&format!("{THINGS}?fieldSelector={selector}")).await;
        }
        talk.get("/apis/{group}/v2/namespaces/{ns}/things?fieldSelector=spec.color=red").await;
        let mut watch = talk.watch(&format!("{THINGS}?watch=true&resourceVersion=0&fieldSelector=spec.color%3Dred")).await;
        talk.events(&mut watch, 1).await;
        talk.patch("merge", &format!("{THINGS}/green"), json!({"spec": {"color": "red"}})).await;
        talk.events(&mut watch, 1).await;
        talk.patch("merge", &format!("{THINGS}/red"), json!({"spec": {"color": "blue"}})).await;
        talk.events(&mut watch, 1).await;
        talk.watch(&format!("{THINGS}?watch=true&fieldSelector=spec.hidden%3Dred")).await;
        talk.delete(&format!("{THINGS}?fieldSelector=spec.color%3Dred")).await;
    }

    async fn a_definition_waits_for_its_objects(talk: &mut Talk) {
        talk.install(crd(free())).await;
        let mut held = thing("held", json!({}));
        held["metadata"]["finalizers"] = json!(["example.com/held"]);
        talk.post(THINGS, held).await;
        talk.post(THINGS, thing("loose", json!({}))).await;
        talk.delete(CRD).await;
        talk.get_until_gone(&format!("{THINGS}/loose")).await;
        talk.get_until(&format!("{THINGS}/held"), |_, body| !body["metadata"]["deletionTimestamp"].is_null()).await;
        talk.get_until(CRD, |_, body| body["status"]["conditions"].as_array().is_some_and(|all| {
            all.iter().any(|one| one["reason"] == "InstanceDeletionInProgress")
        })).await;
        talk.post(THINGS, thing("new", json!({}))).await;
        talk.patch("apply", &format!("{THINGS}/new?fieldManager=a"), thing("new", json!({}))).await;
        talk.patch("merge", &format!("{THINGS}/held"), json!({"spec": {"still": "written"}})).await;
        talk.get(THINGS).await;
        talk.delete(CRD).await;
        talk.patch("merge", &format!("{THINGS}/held"), json!({"metadata": {"finalizers": null}})).await;
        talk.get_until_gone(CRD).await;
    }

    async fn a_definition_that_something_else_holds(talk: &mut Talk) {
        let mut held = crd(free());
        held["metadata"]["finalizers"] = json!(["example.com/held"]);
        talk.install(held.clone()).await;
        talk.prepare(THINGS, thing("one", json!({}))).await;
        talk.delete(CRD).await;
        talk.get_until(CRD, is("Terminating", "False")).await;
        talk.until("/apis/{group}/v1", |_, body| body["resources"][0]["verbs"].as_array().is_some_and(|verbs| verbs.len() > 5)).await;
        talk.get("/apis/{group}/v1").await;
        talk.say("its objects are as before");
        talk.post(THINGS, thing("two", json!({}))).await;
        talk.patch("merge", CRD, json!({"metadata": {"labels": {"a": "b"}}})).await;
        talk.delete(CRD).await;
        talk.get(THINGS).await;
        talk.say("another one, that never was anything");
        held["metadata"]["name"] = "others.{group}".into();
        held["spec"]["names"]["plural"] = "others".into();
        let other = CRD.replace("things.", "others.");
        talk.prepare(CRDS, held).await;
        talk.until(&other, is("NamesAccepted", "False")).await;
        talk.delete(&other).await;
        talk.get_until(&other, is("Terminating", "False")).await;
        talk.say("they go when nothing holds them");
        for one in [&*other, CRD] {
            talk.patch("merge", one, json!({"metadata": {"finalizers": null}})).await;
            talk.get_until_gone(one).await;
        }
    }

    async fn strings_have_formats(talk: &mut Talk) {
        let formats = [
            ("bsonobjectid", "507f1f77bcf86cd799439011", "507f1f77bcf86cd79943901"),
            ("uuid3", "a987fbc9-4bed-3078-cf07-9141ba07c9f3", "a987fbc9-4bed-4078-af07-9141ba07c9f3"),
            ("uuid4", "57B735988764-4ad0-a76a-679bb6640eb1", "57b73598-8764-4ad0-c76a-679bb6640eb1"),
            ("uuid5", "987fbc97-4bed-5078-af07-9141ba07c9f3", "987fbc97-4bed-5078-cf07-9141ba07c9f3"),
            ("isbn", "0-306-40615-2", "0-306-40615-3"),
            ("isbn10", "043942089X", "0439420891"),
            ("isbn13", "978-0-306-40615-7", "978-0-306-40615-6"),
            ("creditcard", "4111 1111 1111 1111", "4111 1111 1111 1112"),
            ("ssn", "123-45-6789", "123-456-789"),
            ("hexcolor", "#c0ffee", "#c0ffe"),
            ("rgbcolor", "rgb( 1, 22,255)", "rgb(1,22,256)"),
            ("k8s-short-name", "a-b", "a.b"),
            ("k8s-long-name", "a-b.c", "a-b."),
            ("duration", "PT1H", "forever"),
            ("duration", "2 fortnights 3 days", "3 parsecs"),
            ("mac", "0123456789ab", "0123456789a"),
            ("mac", "01-23-45-67-89-ab-cd-ef", "01-23-45-67-89:ab"),
        ];
        let fields = formats.iter().map(|(format, ..)| {
            ((*format).to_owned(), json!({"type": "string", "format": format}))
        });
        talk.install(crd(of_spec(Value::Object(fields.collect())))).await;
        for (format, right, wrong) in formats {
            try_specs(talk, [json!({format: right}), json!({format: wrong}), json!({format: ""})]).await;
        }
    }

    async fn nulls_count_in_an_apply(talk: &mut Talk) {
        talk.install(crd(of_spec(json!({
            "text": {"type": "string"}, "list": {"type": "array", "items": {"type": "string"}},
            "made": {"type": "string", "default": "x"}, "free": {"type": "string", "nullable": true},
        })))).await;
        for spec in [
            json!({"text": null}),
            json!({"list": null}),
            json!({"list": ["a", null]}),
            json!({"made": null}),
            json!({"free": null}),
        ] {
            let apply = format!("{THINGS}/one?fieldManager=a&dryRun=All");
            talk.patch("apply", &apply, thing("one", spec.clone())).await;
            try_specs(talk, [spec]).await;
        }
    }
}
