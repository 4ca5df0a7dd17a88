//! Requests for certificates.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::support::{Talk, Who};

const REQUESTS: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const SIGNER: &str = "example.com/x";

/// Of jane, who is one of the devs.
const OF_JANE: &str = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIYU1JR0FBZ0VBTUI0eERUQUxCZ05WQkFvTUJHUmxkbk14RFRBTEJnTlZCQU1NQkdwaGJtVXdXVEFUQmdjcQpoa2pPUFFJQkJnZ3Foa2pPUFFNQkJ3TkNBQVJZY3NCa3pJc0gvTTh6TEk0emFCNnNSMExCR0RpZnI5RGlWcDZ5CktrZy9pZEJGQ29XVnNLb3NPRGR5VndjVGl4a1dsZFZlQ0l0ZDRKMGUxNE5CamRJTm9BQXdDZ1lJS29aSXpqMEUKQXdJRFNRQXdSZ0loQU1UUjV1dy9JTHk5ck54ekg5Z05kbnQyc0JvbXRlM1NjbndpSEh2QWU2VEFBaUVBazAzTApxRDZFZUgzSU5abXorWVVYa3RKZW40SmtXazdFdjdWOWhSUXpZQWM9Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=";
/// Of jane as one of system:masters.
const OF_A_MASTER: &str = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIa01JR0tBZ0VBTUNneEZ6QVZCZ05WQkFvTURuTjVjM1JsYlRwdFlYTjBaWEp6TVEwd0N3WURWUVFEREFScQpZVzVsTUZrd0V3WUhLb1pJemowQ0FRWUlLb1pJemowREFRY0RRZ0FFV0hMQVpNeUxCL3pQTXl5T00yZ2VyRWRDCndSZzRuNi9RNGxhZXNpcElQNG5RUlFxRmxiQ3FMRGczY2xjSEU0c1pGcFhWWGdpTFhlQ2RIdGVEUVkzU0RhQUEKTUFvR0NDcUdTTTQ5QkFNQ0Ewa0FNRVlDSVFEbHNRZmZreW1yN01nSStUbVpRbWZUT0p5SEwxcTJvSDQxaExCQgpZQnR5ZWdJaEFPdll0eCtkR1NkTzIrTGR5bWkwYkpwUXpxQlIzWUpOUHhxS09pMXhSWUpjCi0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=";
/// Her certificate.
const CERTIFICATE: &str = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJjekNDQVJtZ0F3SUJBZ0lVRjZXZ3lnR041MWJLMkhGQ09ONkhUWEZ6U09vd0NnWUlLb1pJemowRUF3SXcKRHpFTk1Bc0dBMVVFQXd3RWFtRnVaVEFlRncweU5qRXhNall3TWpBek5UaGFGdzB6TmpFeE1qTXdNakF6TlRoYQpNQTh4RFRBTEJnTlZCQU1NQkdwaGJtVXdXVEFUQmdjcWhrak9QUUlCQmdncWhrak9QUU1CQndOQ0FBUlljc0JrCnpJc0gvTTh6TEk0emFCNnNSMExCR0RpZnI5RGlWcDZ5S2tnL2lkQkZDb1dWc0tvc09EZHlWd2NUaXhrV2xkVmUKQ0l0ZDRKMGUxNE5CamRJTm8xTXdVVEFkQmdOVkhRNEVGZ1FVS0xPcFlDM1g5bjlRZExmbXBSeTRuYnpZY2d3dwpId1lEVlIwakJCZ3dGb0FVS0xPcFlDM1g5bjlRZExmbXBSeTRuYnpZY2d3d0R3WURWUjBUQVFIL0JBVXdBd0VCCi96QUtCZ2dxaGtqT1BRUURBZ05JQURCRkFpQWx0aGtnVGp6NnhEYnhHTXN0ak1uT2ZxZEJpTFZvV2VLSEtncWMKQ2hodU9RSWhBSmNHN21oQVhUSnNiS3ZyMHk3UVlCcGkzTWlucHRkeHRKUGpneU9GVFMxSQotLS0tLUVORCBDRVJUSUZJQ0FURS0tLS0tCg==";

fn asked(name: &str, request: &str, signer: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"request": request, "signerName": signer, "usages": ["client auth"]}})
}

fn condition(kind: &str, status: &str) -> Value {
    json!({"type": kind, "status": status})
}

fn with_status(name: &str, status: Value) -> Value {
    let mut object = asked(name, OF_JANE, "example.com/another");
    object["metadata"]["labels"] = json!({"a": "b"});
    object["status"] = status;
    object
}

fn conditions(list: &[Value]) -> Value {
    json!({"conditions": list})
}

conformance! {
    async fn a_request_says_who_asks(talk: &mut Talk) {
        let mut mine = asked("{ns}-a", OF_JANE, SIGNER);
        for (field, value) in [("username", json!("me")), ("uid", json!("1")), ("groups", json!(["g"])), ("extra", json!({"a": ["b"]})), ("expirationSeconds", json!(3600))] {
            mine["spec"][field] = value;
        }
        mine["status"] = json!({"certificate": CERTIFICATE, "conditions": [condition("Approved", "True")]});
        talk.post(REQUESTS, mine).await;
        talk.ask_as(Who::Admin);
        let extra = [("impersonate-user", "jane"), ("impersonate-group", "system:masters"), ("impersonate-extra-a", "b"), ("impersonate-uid", "7")];
        talk.send("POST", &format!("{REQUESTS}?dryRun=All"), &extra, Some(asked("{ns}-b", OF_JANE, "kubernetes.io/kube-apiserver-client"))).await;
        talk.say("What is wrong with it");
        let block = |kind: &str| STANDARD.encode(format!("-----BEGIN {kind}-----\nYWJj\n-----END {kind}-----\n"));
        for wrong in [
            json!({"metadata": {"name": "{ns}-c"}}),
            asked("{ns}-c", OF_A_MASTER, "kubernetes.io/kube-apiserver-client"),
            asked("{ns}-c", OF_JANE, "kubernetes.io/legacy-unknown"),
            asked("{ns}-c", OF_JANE, "ab/c"),
            asked("{ns}-c", OF_JANE, "a.b/"),
            asked("{ns}-c", OF_JANE, "A.b/c"),
            asked("{ns}-c", OF_JANE, "a.b/c/d"),
            asked("{ns}-c", &block("CERTIFICATE"), SIGNER),
            json!({"metadata": {"name": "{ns}-c"}, "spec": {"request": "YQ==", "signerName": "bad", "usages": ["foo", "client auth", "client auth"], "expirationSeconds": 1}}),
        ] {
            talk.post(REQUESTS, wrong).await;
        }
        talk.say("It does not change");
        let mut other = with_status("{ns}-a", conditions(&[condition("Denied", "True")]));
        other["spec"]["usages"] = json!(["any"]);
        talk.put(&format!("{REQUESTS}/{{ns}}-a"), other).await;
        talk.patch("merge", &format!("{REQUESTS}/{{ns}}-a"), json!({"spec": {"signerName": "example.com/y"}, "status": null})).await;
        talk.get(&format!("{REQUESTS}?fieldSelector=metadata.name%3D{{ns}}-a,spec.signerName%3Dexample.com/x")).await;
        talk.get("/apis/certificates.k8s.io/v1").await;
        talk.delete(&format!("{REQUESTS}/{{ns}}-a")).await;
    }

    async fn a_request_is_called_anything(talk: &mut Talk) {
        let path = &format!("{REQUESTS}?dryRun=All");
        for metadata in [json!({"name": "Bad_Name"}), json!({"name": "a/b"}), json!({}), json!({"name": "A_b", "labels": {"-": "a"}}), json!({"name": "A_b", "finalizers": ["bad"]})] {
            talk.post(path, json!({"metadata": metadata})).await;
        }
        talk.say("but for what no path can name");
        for name in ["Bad_Name", "a/b", "a%b", ".."] {
            talk.post(path, asked(name, OF_JANE, SIGNER)).await;
        }
    }

    async fn a_request_is_approved_and_signed(talk: &mut Talk) {
        let (path, table) = (format!("{REQUESTS}/{{ns}}-a"), [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")]);
        let (approval, status) = (format!("{path}/approval"), format!("{path}/status"));
        talk.post(REQUESTS, asked("{ns}-a", OF_JANE, SIGNER)).await;
        talk.send("GET", &path, &table, None).await;
        let approved = json!({"type": "Approved", "status": "True", "reason": "Trusted", "message": "yes"});
        for wrong in [
            vec![json!({"type": "Approved"})],
            vec![condition("Approved", "False"), condition("", "x"), condition("A", "True"), condition("A", "Unknown")],
            vec![condition("Approved", "True"), condition("Denied", "True")],
        ] {
            talk.put(&approval, with_status("{ns}-a", conditions(&wrong))).await;
        }
        talk.say("Not by who issues");
        talk.put(&status, with_status("{ns}-a", conditions(std::slice::from_ref(&approved)))).await;
        talk.say("By who decides");
        talk.allow("alice", true, "{ns}-decider", json!([{"apiGroups": ["certificates.k8s.io"], "resources": ["certificatesigningrequests/approval", "certificatesigningrequests/status"], "verbs": ["get", "update"]}])).await;
        let mut decided = with_status("{ns}-a", conditions(std::slice::from_ref(&approved)));
        decided["status"]["certificate"] = CERTIFICATE.into();
        talk.ask_as_user("alice");
        talk.put(&approval, decided.clone()).await;
        talk.ask_as(Who::Admin);
        talk.put(&approval, decided).await;
        talk.get(&approval).await;
        talk.put(&approval, with_status("{ns}-a", conditions(&[]))).await;
        talk.say("The certificate");
        let issued = |certificate: &str| json!({"certificate": certificate, "conditions": [condition("Approved", "True"), condition("Other", "Unknown")]});
        talk.put(&status, with_status("{ns}-a", issued("YQ=="))).await;
        talk.put(&status, with_status("{ns}-a", json!({"certificate": CERTIFICATE}))).await;
        talk.ask_as_user("alice");
        talk.put(&status, with_status("{ns}-a", issued(CERTIFICATE))).await;
        talk.ask_as(Who::Admin);
        talk.put(&status, with_status("{ns}-a", issued(CERTIFICATE))).await;
        talk.patch("merge", &approval, json!({"metadata": {"labels": {"c": "d"}}})).await;
        talk.send("GET", &path, &table, None).await;
        talk.patch("merge", &status, json!({"status": {"certificate": null}})).await;
        talk.patch("merge", &status, json!({"status": {"conditions": [approved, condition("Failed", "True")]}})).await;
        talk.send("GET", &path, &table, None).await;
        talk.delete(&path).await;
    }

    async fn who_owns_a_request(talk: &mut Talk) {
        let mut request = asked("{ns}-a", OF_JANE, SIGNER);
        request["metadata"]["labels"] = json!({"a": "b"});
        talk.post(REQUESTS, request).await;
        let one = &format!("{REQUESTS}/{{ns}}-a");
        let applied = |status: Value| json!({"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"labels": {"c": "d"}}, "status": status});
        let mut approved = condition("Approved", "True");
        approved["reason"] = "a".into();
        let mut failed = condition("Failed", "True");
        failed["reason"] = "a".into();
        let of_status = conditions(&[failed]);
        let mut of_approval = conditions(&[approved]);
        of_approval["certificate"] = CERTIFICATE.into();
        for (endpoint, status) in [("", &of_status), ("/status", &of_status), ("/status", &json!({"certificate": CERTIFICATE})), ("/approval", &of_approval)] {
            talk.patch("merge", &format!("{one}{endpoint}?dryRun=All&fieldManager=me"), json!({"metadata": {"labels": {"c": "d"}}, "status": status})).await;
            talk.patch("apply", &format!("{one}{endpoint}?dryRun=All&fieldManager=me"), applied(status.clone())).await;
        }
    }
}
