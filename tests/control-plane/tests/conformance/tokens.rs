//! Tokens that are issued to service accounts.

use serde_json::{Value, json};

use super::support::{Talk, Who};

const ACCOUNTS: &str = "/api/v1/namespaces/{ns}/serviceaccounts";
const TOKEN: &str = "/api/v1/namespaces/{ns}/serviceaccounts/robot/token";
const REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
const PODS: &str = "/api/v1/namespaces/{ns}/pods";
const SECRETS: &str = "/api/v1/namespaces/{ns}/secrets";

async fn issued(talk: &mut Talk, spec: Value) -> Value {
    let answer = talk.post(TOKEN, json!({"spec": spec})).await;
    answer.body["status"]["token"].clone()
}

fn decode(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(text)
        .unwrap()
}

/// What a token says of itself, but for when.
fn claims(token: &Value) -> Value {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    let mut claims: Value = serde_json::from_slice(&decode(payload)).unwrap();
    let issued = claims["iat"].as_i64().unwrap();
    for field in ["exp", "iat", "nbf"] {
        claims[field] = (claims[field].as_i64().unwrap() - issued).into();
    }
    claims
}

/// What is told of a key, but for which it is, and whether a token is signed with it.
fn checked(key: &Value, token: &Value) -> Value {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    let (said, signature) = token.as_str().unwrap().rsplit_once('.').unwrap();
    let header: Value = serde_json::from_slice(&decode(said.split('.').next().unwrap())).unwrap();
    let [x, y] = ["x", "y"].map(|part| decode(key[part].as_str().unwrap()));
    let point = [vec![4], x, y].concat();
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    let is_signed = public.verify(said.as_bytes(), &decode(signature)).is_ok();
    let named_so = header["kid"] == key["kid"];
    let mut key = key.clone();
    for field in ["kid", "x", "y"] {
        key[field] = key[field].as_str().unwrap().len().into();
    }
    json!({"algorithm": header["alg"], "key": key, "is named so": named_so, "has signed": is_signed})
}

async fn review(talk: &mut Talk, token: &Value, audiences: &[&str]) {
    let spec = match audiences {
        [] => json!({"token": token}),
        audiences => json!({"token": token, "audiences": audiences}),
    };
    talk.post(REVIEWS, json!({"spec": spec})).await;
}

/// Asks who shows a token what it is to the server, and what it may do.
async fn show(talk: &mut Talk, token: &Value) {
    let bearer = format!("Bearer {}", token.as_str().unwrap());
    talk.ask_as(Who::Nobody);
    let headers = [("authorization", bearer.as_str())];
    let me = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    talk.send("POST", me, &headers, Some(json!({}))).await;
    talk.send("GET", PODS, &headers, None).await;
    talk.ask_as(Who::Admin);
}

fn bound_to(kind: &str, name: &str) -> Value {
    json!({"boundObjectRef": {"apiVersion": "v1", "kind": kind, "name": name}})
}

conformance! {
    async fn a_service_account_gets_a_token(talk: &mut Talk) {
        talk.post(ACCOUNTS, json!({"metadata": {"name": "robot"}})).await;
        let token = issued(talk, json!({})).await;
        let said = claims(&token);
        assert_eq!((&said["exp"], &said["sub"]), (&json!(3600), &format!("system:serviceaccount:{}:robot", said["kubernetes.io"]["namespace"].as_str().unwrap()).into()));
        review(talk, &token, &[]).await;
        review(talk, &token, &["elsewhere"]).await;
        show(talk, &token).await;
        talk.say("For somebody else");
        let token = issued(talk, json!({"audiences": ["a", "b"], "expirationSeconds": 600})).await;
        review(talk, &token, &[]).await;
        review(talk, &token, &["b", "c"]).await;
        review(talk, &token, &["b", "c", "a", "b"]).await;
        review(talk, &token, &["d", "c"]).await;
        show(talk, &token).await;
        talk.say("What is asked for");
        talk.post(&format!("{TOKEN}?dryRun=All"), json!({"metadata": {"labels": {"a": "b"}, "name": "robot"}, "status": {"token": "mine"}})).await;
        talk.send("POST", TOKEN, &[("content-type", "application/yaml")], Some(json!({"spec": {"expirationSeconds": null, "audiences": null}}))).await;
        for wrong in [
            json!({"metadata": {"name": "other"}}),
            json!({"metadata": {"namespace": "other"}}),
            json!({"metadata": {"uid": "another"}, "spec": {"expirationSeconds": 1}}),
            json!({"kind": "Token", "apiVersion": "v1"}),
            json!({"kind": "Pod", "apiVersion": "v1"}),
            json!({"spec": {"odd": 1}}),
            json!({"spec": {"audiences": "a"}}),
            json!({"spec": {"expirationSeconds": "a"}}),
            json!({"spec": {"expirationSeconds": 599}}),
            json!({"spec": {"expirationSeconds": -1, "audiences": ["a"]}}),
            json!({"spec": {"expirationSeconds": 4_294_967_297_i64}}),
        ] {
            talk.post(&format!("{TOKEN}?fieldValidation=Strict"), wrong).await;
        }
        talk.post(&format!("{ACCOUNTS}/none/token"), json!({})).await;
        talk.say("In protobuf");
        talk.send("POST", TOKEN, &[("accept", "application/vnd.kubernetes.protobuf")], Some(json!({}))).await;
        talk.get(TOKEN).await;
        talk.delete(TOKEN).await;
        talk.ask_as_user("alice");
        talk.post(TOKEN, json!({})).await;
    }

    async fn tokens_are_checked_with_the_keys_that_are_told(talk: &mut Talk) {
        const CONFIGURATION: &str = "/.well-known/openid-configuration";
        const KEYS: &str = "/openid/v1/jwks";
        talk.post(ACCOUNTS, json!({"metadata": {"name": "robot"}})).await;
        let token = issued(talk, json!({})).await;
        talk.get_kept(CONFIGURATION, |told| {
            let mut told = told.clone();
            let keys = told["jwks_uri"].as_str().unwrap().split(':').collect::<Vec<_>>();
            told["jwks_uri"] = json!([keys[0], keys[1], keys[2].trim_start_matches(|c: char| c.is_ascii_digit())]);
            told
        }).await;
        talk.get_kept(KEYS, |told| told["keys"].as_array().unwrap().iter().map(|key| checked(key, &token)).collect()).await;
        let told = |told: &Value| json!(told.is_object());
        for path in [CONFIGURATION, KEYS] {
            for slashed in [format!("{path}/"), format!("{path}?pretty=false")] {
                talk.get_picked(&slashed, &[], told).await;
            }
            for accept in ["text/plain", "application/json", "application/jwk-set+json", "application/*", "application/yaml, */*"] {
                talk.get_picked(path, &[("accept", accept)], |told| match told["kind"] == "Status" {
                    true => told.clone(),
                    false => json!(told.is_object()),
                }).await;
            }
            for verb in ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
                talk.send(verb, path, &[], None).await;
            }
            talk.get(&format!("{path}/more")).await;
        }
        talk.get("/.well-known").await;
        talk.get("/openid/v1").await;
        talk.get_picked("/", &[], |told| {
            let paths = told["paths"].as_array().unwrap().iter();
            paths.filter(|path| [CONFIGURATION, KEYS].contains(&path.as_str().unwrap())).cloned().collect()
        }).await;
        talk.ask_as_user("alice");
        talk.get(KEYS).await;
        talk.ask_as(Who::Nobody);
        talk.get(CONFIGURATION).await;
    }

    async fn a_token_is_bound_to_an_object(talk: &mut Talk) {
        talk.post(ACCOUNTS, json!({"metadata": {"name": "robot"}})).await;
        talk.post(SECRETS, json!({"metadata": {"name": "one"}})).await;
        for (name, account) in [("one", "robot"), ("two", "other")] {
            talk.post(PODS, json!({"metadata": {"name": name}, "spec": {
                "serviceAccountName": account, "containers": [{"name": "main", "image": "registry.example.com/app:1.0"}],
            }})).await;
        }
        let token = issued(talk, bound_to("Secret", "one")).await;
        assert_eq!(claims(&token)["kubernetes.io"]["secret"]["name"], "one");
        review(talk, &token, &[]).await;
        let mut projected = bound_to("Pod", "one");
        projected["expirationSeconds"] = 3607.into();
        let token = issued(talk, projected).await;
        let said = claims(&token);
        assert_eq!((&said["exp"], &said["kubernetes.io"]["pod"]["name"]), (&json!(31_536_000), &json!("one")));
        review(talk, &token, &[]).await;
        show(talk, &token).await;
        talk.say("On a node");
        talk.post(&format!("{PODS}/one/binding"), json!({"metadata": {"name": "one"}, "target": {"name": "tokens-node"}})).await;
        let token = issued(talk, bound_to("Pod", "one")).await;
        review(talk, &token, &[]).await;
        talk.post("/api/v1/nodes", json!({"metadata": {"name": "tokens-node"}})).await;
        let token = issued(talk, bound_to("Pod", "one")).await;
        review(talk, &token, &[]).await;
        let token = issued(talk, bound_to("Node", "tokens-node")).await;
        review(talk, &token, &[]).await;
        talk.delete("/api/v1/nodes/tokens-node").await;
        talk.say("What it is not bound to");
        for wrong in [
            bound_to("Pod", "two"),
            bound_to("Pod", "none"),
            bound_to("Secret", "none"),
            bound_to("Node", "none"),
            bound_to("ConfigMap", "one"),
            json!({"boundObjectRef": {"kind": "Deployment", "apiVersion": "apps/v1", "name": "one"}}),
            json!({"boundObjectRef": {}}),
            json!({"boundObjectRef": {"kind": "Secret", "apiVersion": "v1"}}),
            json!({"boundObjectRef": {"kind": "Pod", "name": "one", "uid": "another"}}),
        ] {
            talk.post(TOKEN, json!({"spec": wrong})).await;
        }
    }

    async fn a_review_that_comes_with_an_answer(talk: &mut Talk) {
        const REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
        let user = json!({"username": "mallory", "uid": "1", "groups": ["a"], "extra": {"b": ["c"]}});
        let answers = [json!({"authenticated": true}), json!({"authenticated": true, "user": user, "audiences": ["d"], "error": "e"}), json!({"user": {}}), Value::Null];
        for token in ["nobody-has-this", "{token}"] {
            for answer in &answers {
                talk.post(REVIEWS, json!({"spec": {"token": token}, "status": answer})).await;
            }
        }
    }

    async fn a_request_has_the_name_of_its_account(talk: &mut Talk) {
        for name in ["other", ""] {
            talk.post(&format!("{ACCOUNTS}/nobody/token"), json!({"metadata": {"name": name}, "spec": {}})).await;
        }
    }

    async fn what_is_not_known_is_told_with_a_refusal(talk: &mut Talk) {
        talk.prepare(ACCOUNTS, json!({"metadata": {"name": "robot"}})).await;
        for (account, seconds) in [("robot", 1), ("nobody", 600)] {
            talk.post(&format!("{ACCOUNTS}/{account}/token"), json!({"spec": {"expirationSeconds": seconds, "odd": 1}})).await;
        }
    }

    async fn a_request_is_no_list(talk: &mut Talk) {
        talk.prepare("/api/v1/namespaces/{ns}/serviceaccounts", json!({"metadata": {"name": "listed"}})).await;
        let accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
        talk.send("POST", "/api/v1/namespaces/{ns}/serviceaccounts/listed/token", &[("accept", accept)], Some(json!({}))).await;
    }
}
