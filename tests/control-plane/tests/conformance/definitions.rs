//! CustomResourceDefinitions that say what few say, and what is wrong with them.

use serde_json::{Value, json};

use super::support::{Talk, extend, thing_crd, with};

const CRD: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}";
const TRIED: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All";
const THINGS: &str = "/apis/{group}/v1/namespaces/{ns}/things";

fn free() -> Value {
    json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

fn version(name: &str, schema: Value, more: Value) -> Value {
    let mut version = json!({"name": name, "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}});
    if let (Some(version), Some(more)) = (version.as_object_mut(), more.as_object()) {
        version.extend(more.clone());
    }
    version
}

/// Sends a definition with one version, and stores none.
async fn try_version(talk: &mut Talk, schema: Value, more: Value) {
    talk.post(TRIED, thing_crd(version("v1", schema, more)))
        .await;
}

fn of_versions(versions: Value) -> Value {
    let mut crd = thing_crd(Value::Null);
    crd["spec"]["versions"] = versions;
    crd
}

conformance! {
    async fn whole_objects_have_no_default(talk: &mut Talk) {
        let schema = |default: Value| json!({"type": "object", "default": default, "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}}}}});
        for default in [
            json!({}), json!({"spec": {"a": "b"}}), json!({"kind": "Thing"}), json!({"apiVersion": "{group}/v1", "kind": "Thing", "odd": 1}),
            json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "a"}}), json!({"apiVersion": "{group}/v1", "kind": "Thing", "spec": {"a": 1}}),
            json!({"apiVersion": "a/b/c", "kind": "A"}), json!({"apiVersion": "v1", "kind": "a b"}), json!({"apiVersion": 1, "kind": "Thing"}), json!({"apiVersion": "v1", "kind": "A", "metadata": {"labels": 1}}), json!("text"), json!(null),
        ] {
            try_version(talk, schema(default), json!({})).await;
        }
        talk.say("nobody gets one");
        talk.install(thing_crd(version("v1", schema(json!({"apiVersion": "{group}/v1", "kind": "Thing", "spec": {"a": "b"}})), json!({})))).await;
        talk.post(THINGS, json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}})).await;
    }

    async fn metadata_is_known_already(talk: &mut Talk) {
        let text = json!({"type": "string"});
        for metadata in [
            json!({"type": "object", "required": ["name"]}), json!({"type": "object", "properties": {"name": text}, "required": ["name"]}),
            json!({"type": "object", "description": "a"}), json!({"type": "object", "title": "a"}), json!({"type": "object", "nullable": true}),
            json!({"type": "object", "additionalProperties": text}), json!({"type": "object", "minProperties": 1}), json!({"type": "object", "maxProperties": 0}),
            json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}), json!({"type": "object", "x-kubernetes-map-type": "atomic"}), json!({"type": "object", "enum": [{}]}),
            json!({"type": "object", "properties": {"name": text, "labels": text}}), json!({"type": "object", "properties": {"name": text, "generateName": text}}),
            json!({"type": "object", "properties": {"name": {"type": "string", "default": "a"}}}), json!({"type": "object", "default": {}}), json!({"type": "object", "anyOf": [{"required": ["a"]}]}),
            json!({"type": "string"}), json!({"type": "object", "properties": {"name": {"type": "string", "maxLength": 5, "description": "a"}}}), json!({"properties": {"name": text}}), json!({}),
        ] {
            try_version(talk, json!({"type": "object", "properties": {"metadata": metadata}}), json!({})).await;
        }
    }

    async fn conversions_say_how(talk: &mut Talk) {
        let client = json!({"url": "https://example.com"});
        for conversion in [
            json!({}), json!({"strategy": ""}), json!(null), json!({"webhook": {}}), json!({"strategy": "None", "webhook": {}}), json!({"strategy": "Odd"}),
            json!({"strategy": "None", "webhook": {"conversionReviewVersions": ["v1"]}}), json!({"strategy": "None", "webhook": {"clientConfig": {}, "conversionReviewVersions": ["v1"]}}),
            json!({"strategy": "None", "webhook": {"clientConfig": client, "conversionReviewVersions": []}}), json!({"strategy": "Webhook"}), json!({"strategy": "Webhook", "webhook": {}}),
            json!({"strategy": "Webhook", "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1", "v1"]}}),
            json!({"strategy": "Webhook", "webhook": {"clientConfig": client, "conversionReviewVersions": ["V1", "", "v1beta1"]}}),
            json!({"strategy": "Webhook", "webhook": {"clientConfig": client, "conversionReviewVersions": ["v2", "v2"]}}),
        ] {
            let mut crd = thing_crd(version("v1", free(), json!({})));
            crd["spec"]["conversion"] = conversion;
            talk.post(TRIED, crd).await;
        }
    }

    async fn fields_to_select_by_are_texts(talk: &mut Talk) {
        let schema = json!({"type": "object", "properties": {
            "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
            "spec": {"type": "object", "properties": {
                "text": {"type": "string"}, "whole": {"type": "integer"}, "flag": {"type": "boolean"}, "number": {"type": "number"}, "list": {"type": "array", "items": {"type": "string"}},
                "map": {"type": "object", "additionalProperties": {"type": "string"}}, "port": {"x-kubernetes-int-or-string": true}, "any": free(), "te'xt": {"type": "string"},
            }},
        }});
        for path in [
            ".spec.text", ".spec.whole", ".spec.flag", ".spec.number", ".spec.list", ".spec.map", ".spec.map.key", ".spec.port", ".spec.any", ".spec.any.more", ".spec", ".spec.text.more",
            ".spec['text']", ".spec[0]", "spec.text", "spec", ".", "..", ".spec.", ".spec..text", ".spec.te'xt", ".spec.'text'", ".spec]", "]", "'", "''", ".metadata.name", ".metadata.labels", ".status", "", " ",
        ] {
            try_version(talk, schema.clone(), json!({"selectableFields": [{"jsonPath": path}]})).await;
        }
        talk.say("each of them once, and not too many");
        let paths = |paths: &[&str]| Value::from_iter(paths.iter().map(|path| json!({"jsonPath": path})));
        try_version(talk, schema.clone(), json!({"selectableFields": paths(&[".spec.text", ".spec.whole", ".spec.text", ".spec.text", ".spec.odd", ".spec.odd"])})).await;
        let many: Vec<String> = ('a'..='i').map(|name| format!(".spec.map.{name}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        try_version(talk, schema.clone(), json!({"selectableFields": paths(&many)})).await;
        try_version(talk, schema.clone(), json!({"selectableFields": paths(&many[1..])})).await;
        talk.say("of versions that differ");
        let second = |fields: Value| version("v2", schema.clone(), json!({"storage": false, "selectableFields": fields}));
        let first = version("v1", free(), json!({"selectableFields": paths(&[".spec.text"])}));
        talk.post(TRIED, of_versions(json!([first, second(paths(&[".spec", ".spec.text", ".spec.text"]))]))).await;
    }

    async fn warnings_of_old_versions_can_be_read(talk: &mut Talk) {
        for words in [
            "", "a", "a\nb", "\u{e4}\u{f6}\u{fc}", "a\u{7f}", "\u{200b}", "a\u{a0}b", "\u{1f600}", "\u{e000}", "\t", &"x".repeat(256), &"x".repeat(257), &"\u{e4}".repeat(129), &"\n".repeat(257),
        ] {
            try_version(talk, free(), json!({"deprecated": true, "deprecationWarning": words})).await;
        }
        for more in [json!({"deprecationWarning": ""}), json!({"deprecated": false, "deprecationWarning": "a\nb"}), json!({"deprecationWarning": null})] {
            try_version(talk, free(), more).await;
        }
    }

    async fn objects_are_stored_in_one_version(talk: &mut Talk) {
        let stored = |name: &str, stored: bool| json!({"name": name, "served": true, "storage": stored, "schema": {"openAPIV3Schema": free()}});
        let other = json!({"name": "v3", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}});
        for versions in [
            json!([stored("v1", true), stored("v2", true)]), json!([stored("v1", true), stored("v2", true), other]), json!([stored("v1", false), stored("v2", false)]),
            json!([stored("v1", true), stored("v1", true)]), json!([stored("v1", false)]), json!([]), json!(null),
        ] {
            talk.post(TRIED, of_versions(versions)).await;
        }
        talk.install(of_versions(json!([stored("v1", true), stored("v2", false)]))).await;
        let path = &format!("{CRD}?dryRun=All");
        for versions in [json!([stored("v1", true), stored("v2", true)]), json!([stored("v1", false), stored("v2", true), other]), json!([stored("v2", true)]), json!([other]), json!([])] {
            talk.patch("merge", path, json!({"spec": {"versions": versions}})).await;
        }
    }

    async fn a_status_of_a_definition_says_anything(talk: &mut Talk) {
        talk.install(thing_crd(version("v1", free(), json!({})))).await;
        let established = |_: u16, body: &Value| body["status"]["conditions"].as_array().is_some_and(|all| all.len() == 2);
        talk.get_until(CRD, established).await;
        let path = &format!("{CRD}/status?dryRun=All");
        for status in [
            json!({"storedVersions": []}), json!({"storedVersions": null}), json!({"storedVersions": ["v1", "v2", ""]}), json!({"conditions": null}), json!({"acceptedNames": {"plural": "Bad Name", "kind": "", "listKind": "Thing"}}),
            json!({"acceptedNames": null}), json!({"conditions": [{"type": "", "status": "odd"}]}), json!(null),
        ] {
            talk.patch("merge", path, json!({"status": status})).await;
        }
        talk.say("what is stored is said again when the rest is written");
        talk.patch("merge", &format!("{CRD}/status"), json!({"status": {"storedVersions": []}})).await;
        talk.patch("merge", CRD, json!({"metadata": {"labels": {"a": "b"}}})).await;
        talk.patch("merge", &format!("{CRD}/status"), json!({"status": {"storedVersions": null}})).await;
        talk.get(CRD).await;
    }

    async fn formats_are_told_of_once(talk: &mut Talk) {
        let schema = |one: &str, other: &str| json!({"type": "object", "properties": {"a": {"type": "string", "format": one}, "b": {"type": "string", "format": other}}});
        let crd = |schema: Value| thing_crd(version("v1", schema, json!({})));
        talk.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd(schema("odd", "date"))).await;
        talk.until(CRD, |_, crd| {
            let conditions = crd["status"]["conditions"].as_array();
            conditions.into_iter().flatten().any(|condition| condition["type"] == "Established" && condition["status"] == "True")
        }).await;
        talk.say("of one that is there already, too");
        talk.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd(schema("odd", "date"))).await;
        for change in [json!({"metadata": {"labels": {"a": "b"}}}), json!({"spec": {"versions": crd(schema("odd", "other"))["spec"]["versions"]}})] {
            talk.patch("merge", &format!("{CRD}?dryRun=All"), change).await;
        }
        talk.say("not where something else is wrong");
        talk.patch("merge", CRD, json!({"spec": {"scope": "Odd", "versions": crd(schema("new", "newer"))["spec"]["versions"]}})).await;
    }

    async fn names_that_are_too_long(talk: &mut Talk) {
        let long = "x".repeat(64);
        for names in [
            json!({"singular": long, "kind": "X".repeat(64)}),
            json!({"listKind": "X".repeat(64), "shortNames": ["a", long], "categories": [long, "a"]}),
            json!({"plural": long}),
        ] {
            let mut crd = thing_crd(version("v1", free(), json!({})));
            let all = crd["spec"]["names"].as_object_mut().unwrap();
            all.extend(names.as_object().unwrap().clone());
            talk.post(TRIED, crd).await;
        }
        talk.post(TRIED, of_versions(json!([version(&long, free(), json!({}))]))).await;
        let mut crd = thing_crd(version("v1", free(), json!({})));
        crd["spec"]["group"] = format!("{}.b", "a".repeat(300)).into();
        talk.post(TRIED, crd).await;
    }

    async fn what_schemas_cannot_say(talk: &mut Talk) {
        for more in [
            json!({"$schema": "https://json-schema.org/draft-04/schema"}),
            json!({"$schema": "a", "id": "b"}),
            json!({"properties": {"a": {"type": "string", "$schema": "a"}}}),
            json!({"definitions": {}, "patternProperties": {}}),
            json!({"definitions": {"a": {"type": "string"}}, "patternProperties": {"a": {"type": "string"}}}),
            json!({"dependencies": {}}),
            json!({"additionalItems": {}}),
            json!({"x-kubernetes-list-type": ""}),
            json!({"x-kubernetes-list-type": "odd"}),
            json!({"x-kubernetes-map-type": ""}),
            json!({"properties": {"a": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": ""}}}),
            json!({"enum": "x"}),
        ] {
            let mut schema = json!({"type": "object"});
            extend(&mut schema, &more);
            try_version(talk, schema, json!({})).await;
        }
    }

    async fn nothing_is_added_to_what_is_built_in(talk: &mut Talk) {
        const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        const POLICIES: &str = "/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies";
        talk.prepare(POLICIES, json!({"metadata": {"name": "one"}, "spec": {"podSelector": {}}})).await;
        for (plural, kind) in [("shadows", "Shadow"), ("networkpolicies", "NetworkPolicy")] {
            let crd = json!({
                "metadata": {"name": format!("{plural}.networking.k8s.io"), "annotations": {"api-approved.kubernetes.io": "unapproved, test-only"}},
                "spec": {"group": "networking.k8s.io", "scope": "Cluster", "names": {"plural": plural, "kind": kind}, "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}]},
            });
            let path = format!("{CRDS}/{plural}.networking.k8s.io");
            talk.prepare(CRDS, crd).await;
            let is_established = |status: u16, crd: &Value| status == 200 && crd["status"]["conditions"].as_array().into_iter().flatten().any(|condition| condition["type"] == "Established");
            talk.until(&path, is_established).await;
            talk.get(&format!("/apis/networking.k8s.io/v1/{plural}/one")).await;
            talk.post(POLICIES, json!({"metadata": {"name": "two"}, "spec": {"podSelector": 5}})).await;
            talk.unsaid("DELETE", &path, None).await;
            talk.until_gone(&path).await;
            talk.get(&format!("{POLICIES}/one")).await;
        }
    }

    async fn schemas_where_something_else_may_be(talk: &mut Talk) {
        for schema in [
            json!({"additionalProperties": {"type": 5}}), json!({"type": "array", "items": {"type": "integer", "minimum": "x"}}), json!({"properties": {"a": {"type": "array", "items": {"type": "string", "description": 5}}}}),
            json!({"additionalProperties": 1}), json!({"additionalProperties": "x"}), json!({"additionalProperties": []}), json!({"additionalProperties": {"additionalProperties": 3}}), json!({"additionalItems": 1}), json!({"allOf": [{"additionalProperties": 3}]}),
            json!({"items": 1}), json!({"items": []}), json!({"items": true}), json!({"items": [{"type": "string", "odd": 1}]}), json!({"not": {"items": 1}}), json!({"additionalProperties": null, "items": null}),
            json!({"additionalProperties": {"type": "string", "odd": 1}}), json!({"additionalProperties": {"type": "object", "required": null, "properties": {"a": {"type": "string", "default": null, "enum": null, "odd": 1}}}}),
            json!({"type": "array", "items": {"type": "object", "odd": 1, "properties": {"q": {"type": "string", "odd": 2, "maxLength": null}}}}),
        ] {
            let mut spec = json!({"type": "object"});
            extend(&mut spec, &schema);
            let version = json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}});
            let definition = json!({
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "gadgets.{group}"},
                "spec": {"group": "{group}", "scope": "Namespaced", "names": {"plural": "gadgets", "kind": "Gadget"}, "versions": [version]},
            });
            talk.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All&fieldValidation=Strict", definition).await;
        }
    }

    async fn defaults_of_numbers_or_texts(talk: &mut Talk) {
        let either = |more: Value| {
            let mut either = json!({"x-kubernetes-int-or-string": true});
            extend(&mut either, &more);
            either
        };
        for schema in [
            either(json!({"default": []})), either(json!({"default": 1.5})), either(json!({"default": true})), either(json!({"default": "5"})), either(json!({"default": {"a": 1}})), either(json!({"default": "a", "pattern": "^b"})),
            json!({"type": "object", "additionalProperties": either(json!({})), "default": {"z": null}}), json!({"type": "array", "items": either(json!({})), "default": [null, true]}),
            json!({"type": "object", "properties": {"v": either(json!({}))}, "default": {"v": []}}), json!({"type": "object", "properties": {"v": either(json!({})), "w": {"type": "integer"}}, "default": {"v": [], "w": "x", "odd": 1}}),
        ] {
            let version = json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": schema}}}}}});
            let definition = json!({
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "gadgets.{group}"},
                "spec": {"group": "{group}", "scope": "Namespaced", "names": {"plural": "gadgets", "kind": "Gadget"}, "versions": [version]},
            });
            talk.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All", definition).await;
        }
    }

    async fn webhooks_that_convert(talk: &mut Talk) {
        for client in [
            json!({"service": {"name": "a", "namespace": "b", "port": 0}}), json!({"service": {"name": "a", "namespace": "b", "port": 70000}}), json!({"service": {"name": "a", "namespace": "b", "path": "x"}}),
            json!({"service": {"name": "a", "namespace": "b", "path": "/a//b"}}), json!({"service": {"name": "", "namespace": "b"}}), json!({"service": {"name": "a", "namespace": ""}}),
            json!({"url": "bad"}), json!({"url": ""}), json!({"url": "https://a:b@c/d?e#f"}), json!({"url": "http://a"}), json!({"url": "https://a", "service": {"name": "a", "namespace": "b"}}), json!({}),
        ] {
            let mut crd = thing_crd(version("v1", free(), json!({})));
            crd["spec"]["conversion"] = json!({"strategy": "Webhook", "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1"]}});
            talk.post(TRIED, crd).await;
        }
    }

    async fn conditions_that_were_taken_away(talk: &mut Talk) {
        talk.install(thing_crd(version("v1", free(), json!({})))).await;
        let own = json!({"type": "Own", "status": "True", "reason": "Said", "message": "by hand", "lastTransitionTime": "2020-01-01T00:00:00Z"});
        let answer = talk.patch("merge", &format!("{CRD}/status"), json!({"status": {"conditions": [own]}})).await;
        let status = |body: &Value| body["status"]["conditions"].as_array().map(Vec::len);
        assert_eq!(status(&answer.body), Some(1));
        talk.until_gone(THINGS).await;
        talk.get(CRD).await;
    }

    async fn limits_below_nothing(talk: &mut Talk) {
        let limited = |schema: Value| json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": schema}}}});
        let text = json!({"type": "string"});
        let schemas = [
            (json!({"type": "string", "maxLength": -1}), json!("a")), (json!({"type": "array", "maxItems": -1, "items": text}), json!(["a"])),
            (json!({"type": "object", "maxProperties": -1, "additionalProperties": text}), json!({"a": "b"})), (json!({"type": "string", "minLength": -1}), json!("")),
        ];
        for (schema, default) in &schemas {
            let mut schema = schema.clone();
            schema["default"] = default.clone();
            try_version(talk, limited(schema), json!({})).await;
        }
        for (schema, value) in schemas {
            talk.install(thing_crd(version("v1", limited(schema), json!({})))).await;
            let thing = json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": {"a": value}});
            talk.post(&format!("{THINGS}?dryRun=All"), thing).await;
            talk.unsaid("DELETE", CRD, None).await;
            talk.until_gone(CRD).await;
        }
    }

    async fn defaults_where_all_is_kept(talk: &mut Talk) {
        let text = json!({"type": "string", "default": "a"});
        for schema in [free(), json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": text}}}})] {
            let mut crd = thing_crd(version("v1", schema, json!({})));
            crd["spec"]["preserveUnknownFields"] = true.into();
            talk.post(TRIED, crd).await;
        }
        talk.say("a whole object in a map");
        let whole = json!({"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true});
        let map = json!({"type": "object", "additionalProperties": whole, "default": {"k": {}}});
        try_version(talk, json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": map}}}}), json!({})).await;
    }

    async fn versions_as_they_are_shown(talk: &mut Talk) {
        let column = json!({"name": "A", "type": "string", "jsonPath": ".spec.a"});
        let more = json!({
            "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.a", "statusReplicasPath": ".status.a"}},
            "additionalPrinterColumns": [column, {"name": "B", "type": "integer", "jsonPath": ".spec.b", "priority": 1, "format": "int32", "description": "how many"}],
        });
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}}}}});
        talk.post(TRIED, of_versions(json!([version("v1", schema.clone(), more.clone()), version("v2", schema.clone(), json!({}))]))).await;
        talk.post(TRIED, of_versions(json!([version("v1", schema.clone(), more.clone()), version("v1", schema.clone(), more)]))).await;
        talk.say("fields to select by of versions with one schema");
        let of_fields = json!({"selectableFields": [{"jsonPath": ".spec.a"}]});
        let mut other = version("v2", schema.clone(), json!({}));
        other["storage"] = false.into();
        talk.post(TRIED, of_versions(json!([version("v1", schema.clone(), of_fields.clone()), other]))).await;
        other["selectableFields"] = of_fields["selectableFields"].clone();
        talk.post(TRIED, of_versions(json!([version("v1", schema.clone(), of_fields.clone()), other]))).await;
        other["schema"] = json!({"openAPIV3Schema": free()});
        talk.post(TRIED, of_versions(json!([version("v1", schema.clone(), of_fields), other]))).await;
        talk.say("what is unknown is kept");
        let hook = json!({"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://example.com/c"}}});
        for (conversion, default) in [(json!({"strategy": "None"}), json!(null)), (hook.clone(), json!(null)), (hook, json!("x"))] {
            let schema = json!({"type": "object", "properties": {"a": {"type": "string", "default": default}}});
            let mut crd = of_versions(json!([version("v1", schema, json!({}))]));
            crd["spec"]["preserveUnknownFields"] = true.into();
            crd["spec"]["conversion"] = conversion;
            talk.post(TRIED, crd).await;
        }
        talk.say("defaults that say more than is known");
        for of_default in [json!({"additionalProperties": false}), json!({"properties": {"y": {"type": "integer"}}, "enum": [{"y": 1}]}), json!({"properties": {"y": {"type": "integer"}}, "maxProperties": 0})] {
            let schema = json!({"type": "object", "properties": {"a": with(json!({"type": "object", "default": {"x": 1}}), of_default)}});
            talk.post(TRIED, of_versions(json!([version("v1", schema, json!({}))]))).await;
        }
        for of_list in [json!({"default": [1, "x"], "items": {"type": "integer"}}), json!({"default": [{"b": ["x"]}], "items": {"type": "object", "properties": {"b": {"type": "array", "items": {"type": "integer"}}}}})] {
            let schema = json!({"type": "object", "properties": {"a": with(json!({"type": "array"}), of_list)}});
            talk.post(TRIED, of_versions(json!([version("v1", schema, json!({}))]))).await;
        }
        talk.say("subresources that are none");
        talk.post(TRIED, of_versions(json!([version("v1", schema.clone(), json!({"subresources": {"status": null}})), version("v2", schema, json!({"subresources": {}}))]))).await;
    }

    async fn what_is_said_twice_in_a_schema(talk: &mut Talk) {
        let of = |property: &str| {
            let schema = format!(r#"{{"type":"object","properties":{{"spec":{{"type":"object","properties":{{"a":{property}}}}}}}}}"#);
            let version = format!(r#"{{"name":"v1","served":true,"storage":true,"schema":{{"openAPIV3Schema":{schema}}}}}"#);
            let spec = format!(r#"{{"group":"twice.example.com","scope":"Namespaced","names":{{"plural":"twos","kind":"Two"}},"versions":[{version}]}}"#);
            format!(r#"{{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{{"name":"twos.twice.example.com"}},"spec":{spec}}}"#)
        };
        for property in [
            r#"{"type":"array","items":{"type":"string","type":"string"}}"#, r#"{"type":"object","additionalProperties":{"type":"string","type":"string"}}"#,
            r#"{"type":"object","properties":{"b":{"type":"string"}},"default":{"b":"x","b":"y"}}"#, r#"{"type":"string","enum":["x"],"example":{"a":1,"a":2}}"#,
            r#"{"type":"string","type":"string"}"#, r#"{"type":"object","properties":{"b":{"type":"string"},"b":{"type":"string"}}}"#,
        ] {
            talk.send_raw("POST", &format!("{TRIED}&fieldValidation=Strict"), &[("content-type", "application/json")], of(property).as_bytes()).await;
        }
    }
}
