//! What the tests of well-known clients and the definitions of well-known operators have found.

use serde_json::{Value, json};

use super::support::{Talk, thing_crd};

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// A definition of a group of Kubernetes itself.
fn of_kubernetes(approval: Option<&str>) -> Value {
    let mut crd = thing_crd(json!({
        "name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}},
    }));
    crd["metadata"]["name"] = "things.{ns}.k8s.io".into();
    crd["spec"]["group"] = "{ns}.k8s.io".into();
    if let Some(approval) = approval {
        crd["metadata"]["annotations"] = json!({"api-approved.kubernetes.io": approval});
    }
    crd
}

/// The condition that says whether the group may be used.
fn approval(definition: &Value) -> Value {
    let conditions = definition["status"]["conditions"].as_array();
    let found = conditions
        .into_iter()
        .flatten()
        .find(|one| one["type"] == "KubernetesAPIApprovalPolicyConformant");
    found.cloned().unwrap_or_default()
}

conformance! {
    async fn groups_of_kubernetes_have_to_be_approved(talk: &mut Talk) {
        const CRD: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{ns}.k8s.io";
        for refused in [None, Some(""), Some("yes"), Some("https://"), Some("//github.com/x"), Some("1://x"), Some("mailto:me")] {
            talk.post(&format!("{CRDS}?dryRun=All"), of_kubernetes(refused)).await;
        }
        talk.prepare(CRDS, of_kubernetes(Some("https://github.com/kubernetes/enhancements/pull/1111"))).await;
        talk.until(CRD, |_, body| approval(body)["status"] == "True").await;
        talk.get_picked(CRD, &[], approval).await;
        for other in ["unapproved, testing", "ftp://a/b c?d#e"] {
            let mut crd = talk.unsaid("GET", CRD, None).await;
            crd["metadata"]["annotations"]["api-approved.kubernetes.io"] = other.into();
            talk.unsaid("PUT", CRD, Some(crd)).await;
            talk.until(CRD, |_, body| approval(body)["message"].as_str().is_some_and(|message| message.contains(other))).await;
            talk.get_picked(CRD, &[], approval).await;
        }
        talk.patch("merge", CRD, json!({"metadata": {"annotations": {"api-approved.kubernetes.io": null}}})).await;
    }

    async fn groups_are_told_in_order(talk: &mut Talk) {
        const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        const GROUPS: [(&str, &str); 4] = [("a", "v1alpha1"), ("b", "v1"), ("c", "v2"), ("d", "v1beta1")];
        let told = |groups: &Value, name: &str| {
            let names: Vec<String> = groups.as_array().into_iter().flatten().filter_map(|group| {
                group.pointer(name)?.as_str().map(str::to_owned)
            }).collect();
            let of_case = |name: &&String| name.ends_with("groups-are-told-in-order") || !name.contains("example.com") && !name.contains("-");
            json!(names.iter().filter(of_case).collect::<Vec<_>>())
        };
        for (group, version) in GROUPS {
            let mut crd = thing_crd(json!({
                "name": version, "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}},
            }));
            crd["metadata"]["name"] = format!("things.{group}.{{ns}}").into();
            crd["spec"]["group"] = format!("{group}.{{ns}}").into();
            talk.install(crd).await;
        }
        let are_all = |names: &Value| names.as_array().map_or(0, |names| {
            names.iter().filter(|name| name.as_str().is_some_and(|name| name.ends_with("in-order"))).count()
        }) == GROUPS.len();
        let plain = |body: &Value| told(&body["groups"], "/name");
        let aggregated = |body: &Value| told(&body["items"], "/metadata/name");
        talk.until("/apis", |_, body| are_all(&plain(body))).await;
        talk.until_as("/apis", AGGREGATED, |body| are_all(&aggregated(body))).await;
        talk.get_picked("/apis", &[], plain).await;
        talk.get_picked("/apis", &[("accept", AGGREGATED)], aggregated).await;
    }
}
