//! Fields of features that are off by default, or of other versions: they are known, and nothing is kept of them.

use serde_json::Value;

use super::super::target::Target;
use crate::object;

const TEMPLATE: &str = "/spec/template/spec";

/// Forgets what the server would not keep of an object that is written.
pub(super) fn forget(target: &Target, object: &mut Value) {
    if target.resource.is_crd() {
        return;
    }
    let pods = match target.resource.kind.as_str() {
        "Pod" => "/spec",
        "PodTemplate" => "/template/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        "Deployment" | "DaemonSet" | "ReplicaSet" | "ReplicationController" | "Job" => TEMPLATE,
        "StatefulSet" => {
            let update = object.pointer_mut("/spec/updateStrategy/rollingUpdate");
            if let Some(update) = update.and_then(Value::as_object_mut) {
                update.remove("maxUnavailable");
            }
            TEMPLATE
        }
        "CSIDriver" => {
            object::field_mut(object, "spec").remove("preventPodSchedulingIfMissing");
            return;
        }
        "EndpointSlice" => {
            for endpoint in objects(object.get_mut("endpoints")) {
                object::as_map(endpoint).remove("deprecatedTopology");
            }
            return;
        }
        _ => return,
    };
    if let Some(spec) = object.pointer_mut(pods).filter(|spec| spec.is_object()) {
        forget_of_pods(spec);
    }
}

fn forget_of_pods(spec: &mut Value) {
    object::as_map(spec).remove("schedulingGroup");
    for kind in ["initContainers", "containers", "ephemeralContainers"] {
        for container in objects(spec.get_mut(kind)) {
            let lifecycle = container
                .get_mut("lifecycle")
                .and_then(Value::as_object_mut);
            let emptied = lifecycle.is_some_and(|lifecycle| {
                lifecycle.remove("stopSignal").is_some() && lifecycle.is_empty()
            });
            if emptied {
                object::as_map(container).remove("lifecycle");
            }
        }
    }
    for volume in objects(spec.get_mut("volumes")) {
        for source in objects(volume.pointer_mut("/projected/sources")) {
            for field in ["clusterTrustBundle", "podCertificate"] {
                object::as_map(source).remove(field);
            }
        }
    }
}

fn objects(list: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    let list = list.and_then(Value::as_array_mut).into_iter().flatten();
    list.filter(|value| value.is_object())
}
