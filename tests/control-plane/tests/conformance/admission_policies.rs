//! What admission policies and webhooks must say. None of their expressions is wrong.

use serde_json::{Value, json};

use super::support::{Talk, with};

const GROUP: &str = "/apis/admissionregistration.k8s.io/v1";

/// Tries an object with each of the specs.
async fn try_each(talk: &mut Talk, plural: &str, specs: impl IntoIterator<Item = Value>) {
    for spec in specs {
        let object = json!({"metadata": {"name": "{ns}"}, "spec": spec});
        talk.post(&format!("{GROUP}/{plural}?dryRun=All"), object)
            .await;
    }
}

fn rule() -> Value {
    json!({"apiGroups": ["a.example"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["as"]})
}

/// Rules with one field that is another.
fn rules(field: &str, value: Value) -> Value {
    json!({"resourceRules": [with(rule(), json!({field: value}))]})
}

fn matches() -> Vec<Value> {
    let also =
        |field: &str, value: Value| with(json!({"resourceRules": [rule()]}), json!({field: value}));
    vec![
        json!({}),
        json!({"resourceRules": [{}]}),
        rules("scope", json!("Odd")),
        rules("operations", json!(["ODD", "*"])),
        rules("apiVersions", json!(["", "*"])),
        rules("apiGroups", json!(["*", "a"])),
        rules("resources", json!(["", "a/*", "a/b", "*/c", "d/c"])),
        rules("resourceNames", json!(["a", "a/b", "a"])),
        also("matchPolicy", json!("Odd")),
        also("matchPolicy", json!("")),
        also("namespaceSelector", json!({"matchLabels": {"a": "b c"}})),
        also(
            "objectSelector",
            json!({"matchExpressions": [{"key": "a", "operator": "Odd"}]}),
        ),
        also("excludeResourceRules", json!([{}])),
    ]
}

fn conditions() -> Vec<Value> {
    let named = |name: String| json!({"name": name, "expression": "true"});
    let many = (0..65).map(|index| named(format!("a{index}")));
    vec![
        json!([{}]),
        json!([{"name": "a b", "expression": " "}]),
        json!([named("a".to_owned()), named("a".to_owned())]),
        many.collect(),
    ]
}

fn parameters() -> Vec<Value> {
    vec![
        json!({}),
        json!({"apiVersion": "v1", "kind": "Config_Map"}),
        json!({"apiVersion": "a/b/c", "kind": "ConfigMap"}),
        json!({"apiVersion": "A/1", "kind": "ConfigMap"}),
        json!({"apiVersion": "a/", "kind": "ConfigMap"}),
        json!({"apiVersion": "/", "kind": "ConfigMap"}),
    ]
}

fn variables() -> Vec<Value> {
    vec![
        json!([{}]),
        json!([{"name": " ", "expression": " "}]),
        json!([{"name": "a-b", "expression": "true"}]),
        json!([{"name": "package", "expression": "true"}]),
    ]
}

conformance! {
    async fn validating_policies(talk: &mut Talk) {
        let good = json!({"matchConstraints": {"resourceRules": [rule()]}, "validations": [{"expression": "true"}]});
        let also = |field: &'static str, all: Vec<Value>| {
            let good = good.clone();
            all.into_iter().map(move |value| with(good.clone(), json!({field: value})))
        };
        const POLICIES: &str = "validatingadmissionpolicies";
        try_each(talk, POLICIES, also("matchConstraints", matches())).await;
        try_each(talk, POLICIES, also("matchConditions", conditions())).await;
        try_each(talk, POLICIES, also("paramKind", parameters())).await;
        try_each(talk, POLICIES, also("variables", variables())).await;
        try_each(talk, POLICIES, also("failurePolicy", vec![json!("Odd"), json!("")])).await;
        try_each(talk, POLICIES, also("validations", vec![
            json!([]), json!([{}]), json!([{"expression": "true", "reason": "Odd"}]), json!([{"expression": "true", "reason": ""}]), json!([{"expression": "true", "reason": "Invalid"}]),
            json!([{"expression": "true", "message": " "}]), json!([{"expression": "true", "message": "a\nb"}]), json!([{"expression": "true", "messageExpression": " "}]), json!([{"expression": "true"}, {"expression": " "}]),
        ])).await;
        try_each(talk, POLICIES, also("auditAnnotations", vec![
            json!([{}]), json!([{"key": "a b", "valueExpression": " "}]), json!([{"key": "a", "valueExpression": "'a'"}, {"key": "a", "valueExpression": "'a'"}]),
            json!([{"key": "a", "valueExpression": format!("'{}'", "a".repeat(5 * 1024))}]),
        ])).await;
        talk.say("what was found in their expressions");
        let path = &format!("{GROUP}/{POLICIES}");
        talk.prepare(path, json!({"metadata": {"name": "{ns}"}, "spec": good})).await;
        let status = &format!("{path}/{{ns}}/status");
        for warnings in [json!([{}]), json!([{"fieldRef": " ", "warning": " "}]), json!([{"fieldRef": "spec.validations[0].expression", "warning": "odd"}])] {
            talk.patch("merge", &format!("{status}?dryRun=All"), json!({"status": {"typeChecking": {"expressionWarnings": warnings}}})).await;
        }
        talk.unsaid("DELETE", &format!("{path}/{{ns}}"), None).await;
    }

    async fn mutating_policies(talk: &mut Talk) {
        let mutation = json!({"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "Object{}"}});
        let good = json!({"reinvocationPolicy": "Never", "matchConstraints": {"resourceRules": [rule()]}, "mutations": [mutation]});
        let also = |field: &'static str, all: Vec<Value>| {
            let good = good.clone();
            all.into_iter().map(move |value| with(good.clone(), json!({field: value})))
        };
        const POLICIES: &str = "mutatingadmissionpolicies";
        try_each(talk, POLICIES, also("matchConstraints", vec![json!({}), rules("operations", json!(["DELETE", "ODD"])), rules("operations", json!(["*"]))])).await;
        try_each(talk, POLICIES, also("matchConditions", conditions())).await;
        try_each(talk, POLICIES, also("paramKind", parameters())).await;
        try_each(talk, POLICIES, also("variables", variables())).await;
        try_each(talk, POLICIES, also("reinvocationPolicy", vec![json!(""), json!("Odd"), json!("IfNeeded")])).await;
        try_each(talk, POLICIES, also("mutations", vec![
            json!([]), json!([{}]), json!([{"patchType": "Odd"}]), json!([{"patchType": "ApplyConfiguration"}]), json!([{"patchType": "JSONPatch"}]),
            json!([{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": " "}}]), json!([{"patchType": "JSONPatch", "jsonPatch": {"expression": ""}, "applyConfiguration": {"expression": "Object{}"}}]),
            json!([{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "Object{}"}, "jsonPatch": {"expression": "[]"}}]),
        ])).await;
    }

    async fn bindings_of_policies(talk: &mut Talk) {
        let good = json!({"policyName": "a.example", "validationActions": ["Deny"]});
        for plural in ["validatingadmissionpolicybindings", "mutatingadmissionpolicybindings"] {
            let mut good = good.clone();
            if plural.starts_with("mutating") {
                good.as_object_mut().unwrap().remove("validationActions");
            }
            try_each(talk, plural, ["", "-a", "A b"].map(|name| with(good.clone(), json!({"policyName": name})))).await;
            try_each(talk, plural, [
                json!({}), json!({"name": "a"}), json!({"name": "a/b", "parameterNotFoundAction": "Deny"}), json!({"name": "a", "parameterNotFoundAction": "Odd"}), json!({"name": "a", "parameterNotFoundAction": ""}),
                json!({"name": "a", "selector": {}, "parameterNotFoundAction": "Allow"}), json!({"selector": {"matchLabels": {"a": "b c"}}, "parameterNotFoundAction": "Allow"}), json!({"parameterNotFoundAction": "Allow"}),
            ].map(|parameters| with(good.clone(), json!({"paramRef": parameters})))).await;
            try_each(talk, plural, matches().into_iter().map(|matches| with(good.clone(), json!({"matchResources": matches})))).await;
        }
        try_each(talk, "validatingadmissionpolicybindings", [
            json!([]), json!(["Odd"]), json!(["Deny", "Deny"]), json!(["Deny", "Warn", "Audit"]), json!(["Warn", "Audit"]),
        ].map(|actions| with(good.clone(), json!({"validationActions": actions})))).await;
        try_each(talk, "mutatingadmissionpolicybindings", [json!({"policyName": "a.example", "matchResources": rules("operations", json!(["DELETE"]))})]).await;
    }

    async fn webhooks_that_say_little(talk: &mut Talk) {
        let webhook = |client: Value| json!({"name": "a.b.example", "clientConfig": client, "sideEffects": "None", "admissionReviewVersions": ["v1"]});
        let service = |more: Value| json!({"service": more});
        for plural in ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"] {
            let path = &format!("{GROUP}/{plural}?dryRun=All");
            for client in [
                json!({"url": "https://a.example/b", "caBundle": ""}), service(json!({"name": "a", "namespace": ""})), service(json!({"name": "", "namespace": "b"})), service(json!({"name": "a", "namespace": "b", "path": "é"})),
                service(json!({"name": "a", "namespace": "b", "port": 0, "path": "/a//b/"})),
                json!({"url": "HTTPS://a.example/b"}), json!({"url": "HTTP://a.example/b"}), json!({"url": "https:a"}), json!({"url": "mailto:a@b"}), json!({"url": "//a.example"}), json!({"url": "https:///b"}),
                json!({"url": "https://a b"}), json!({"url": "https://[::1"}), json!({"url": "https://h:x"}), json!({"url": "https://%41"}), json!({"url": "https://a/%zz"}), json!({"url": "https://h\\x"}), json!({"url": "https://h\u{7f}"}),
                json!({"url": "https://@h"}), json!({"url": "https://a@b:c@h?d#e%20f"}), json!({"url": "1https://a"}), json!({"url": " https://a"}), json!({"url": ":x"}), json!({"url": "https:\n//x"}), json!({"url": "https://é@h"}), json!({"url": "https://h#%zz"}),
            ] {
                talk.post(path, json!({"metadata": {"name": "{ns}"}, "webhooks": [webhook(client)]})).await;
            }
            let good = webhook(json!({"url": "https://a.example/b"}));
            for versions in [json!(["v1", "v1", "a b", "v9"]), json!(["a".repeat(64)])] {
                let odd = with(good.clone(), json!({"admissionReviewVersions": versions}));
                talk.post(path, json!({"metadata": {"name": "{ns}"}, "webhooks": [odd]})).await;
            }
            let nameless = with(good.clone(), json!({"name": ""}));
            talk.post(path, json!({"metadata": {"name": "{ns}"}, "webhooks": [good, good, nameless, nameless]})).await;
            let conditioned = conditions().into_iter().map(|conditions| with(good.clone(), json!({"matchConditions": conditions})));
            for odd in conditioned {
                talk.post(path, json!({"metadata": {"name": "{ns}"}, "webhooks": [odd]})).await;
            }
        }
    }
}
