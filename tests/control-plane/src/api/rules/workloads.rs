//! The rules of pods and of what makes them. Nothing runs them here, so the rules are those that an object's writer
//! sees: the defaults, what must be there, and what never changes.

use serde_json::{Map, Value, json};

use super::super::target::Target;
use crate::failure::Cause;
use crate::object;
use crate::schema;

/// Whether the kind has rules here.
pub(super) fn is_one(kind: &str) -> bool {
    [
        "CronJob",
        "DaemonSet",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Job",
        "LimitRange",
        "Pod",
        "ReplicaSet",
        "ResourceQuota",
        "StatefulSet",
    ]
    .contains(&kind)
}

pub(super) fn set_defaults(kind: &str, object: &mut Value) {
    match kind {
        "Pod" => {
            let spec = spec(object);
            spec_of_pod(spec);
            put(spec, "enableServiceLinks", true);
            for container in containers(spec) {
                requests_of_limits(container);
            }
        }
        "Deployment" => deployment(object),
        "ReplicaSet" => {
            template(spec(object));
            put(spec(object), "replicas", 1);
            labels_of_template(object);
        }
        "StatefulSet" => stateful_set(object),
        "DaemonSet" => daemon_set(object),
        "Job" => {
            job(spec(object));
            labels_of_template(object);
        }
        "CronJob" => {
            let spec = spec(object);
            put(spec, "concurrencyPolicy", "Allow");
            put(spec, "suspend", false);
            put(spec, "successfulJobsHistoryLimit", 3);
            put(spec, "failedJobsHistoryLimit", 1);
            if let Some(Value::Object(job)) = spec.get_mut("jobTemplate")
                && let Some(Value::Object(spec)) = job.get_mut("spec")
            {
                template(spec);
            }
        }
        "HorizontalPodAutoscaler" => {
            let spec = spec(object);
            put(spec, "minReplicas", 1);
            let target = json!({"type": "Utilization", "averageUtilization": 80});
            let cpu = json!([{"type": "Resource", "resource": {"name": "cpu", "target": target}}]);
            put(spec, "metrics", cpu);
        }
        "LimitRange" => limit_range(spec(object)),
        _ => {}
    }
}

/// A new object has the status of one that nobody has looked at.
pub(super) fn before_create(target: &Target, object: &mut Value) -> Vec<Cause> {
    let kind = target.resource.kind.as_str();
    if target.version().status {
        let schema = target.version().schema.schema();
        let status = schema.field("status").map(schema::empty);
        object::as_map(object).insert("status".to_owned(), status.unwrap_or_default());
    }
    match kind {
        "Pod" => admit_pod(object),
        "Job" => own_selector(object),
        _ => {}
    }
    check(kind, object)
}

pub(super) fn before_update(target: &Target, old: &Value, new: &Value) -> Vec<Cause> {
    let kind = target.resource.kind.as_str();
    let mut wrong = check(kind, new);
    let fixed: &[&str] = match kind {
        "Deployment" | "ReplicaSet" | "DaemonSet" => &["selector"],
        "Job" => &["completionMode", "selector", "template"],
        _ => &[],
    };
    for field in fixed {
        let pointer = format!("/spec/{field}");
        if old.pointer(&pointer) != new.pointer(&pointer) {
            let value = new.pointer(&pointer).unwrap_or(&Value::Null);
            let field = format!("spec.{field}");
            wrong.push(Cause::invalid(&field, value, "field is immutable"));
        }
    }
    wrong
}

fn put(fields: &mut Map<String, Value>, field: &str, value: impl Into<Value>) {
    if !fields.contains_key(field) {
        fields.insert(field.to_owned(), value.into());
    }
}

fn spec(object: &mut Value) -> &mut Map<String, Value> {
    object::field_mut(object, "spec")
}

fn entries<'a>(
    fields: &'a mut Map<String, Value>,
    field: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    let list = fields.get_mut(field).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut)
}

fn within<'a>(
    fields: &'a mut Map<String, Value>,
    field: &str,
) -> Option<&'a mut Map<String, Value>> {
    fields.get_mut(field)?.as_object_mut()
}

/// The pod template of a spec.
fn template(spec: &mut Map<String, Value>) {
    if let Some(template) = within(spec, "template")
        && let Some(spec) = within(template, "spec")
    {
        spec_of_pod(spec);
    }
}

fn spec_of_pod(spec: &mut Map<String, Value>) {
    put(spec, "dnsPolicy", "ClusterFirst");
    put(spec, "restartPolicy", "Always");
    put(spec, "schedulerName", "default-scheduler");
    put(spec, "securityContext", json!({}));
    put(spec, "terminationGracePeriodSeconds", 30);
    // The older name goes on being written.
    if let Some(account) = spec.get("serviceAccountName").cloned() {
        put(spec, "serviceAccount", account);
    } else if let Some(account) = spec.get("serviceAccount").cloned() {
        put(spec, "serviceAccountName", account);
    }
    for container in containers(spec) {
        set_defaults_of_container(container);
    }
    for volume in entries(spec, "volumes") {
        set_defaults_of_volume(volume);
    }
}

/// Those that run, and those that run before.
fn containers(spec: &mut Map<String, Value>) -> Vec<&mut Map<String, Value>> {
    spec.iter_mut()
        .filter(|(field, _)| ["containers", "initContainers"].contains(&field.as_str()))
        .filter_map(|(_, list)| list.as_array_mut())
        .flatten()
        .filter_map(Value::as_object_mut)
        .collect()
}

fn set_defaults_of_container(container: &mut Map<String, Value>) {
    let image = container.get("image").and_then(Value::as_str);
    let policy = if is_latest(image.unwrap_or_default()) {
        "Always"
    } else {
        "IfNotPresent"
    };
    put(container, "imagePullPolicy", policy);
    put(container, "terminationMessagePath", "/dev/termination-log");
    put(container, "terminationMessagePolicy", "File");
    for port in entries(container, "ports") {
        put(port, "protocol", "TCP");
    }
    for variable in entries(container, "env") {
        if let Some(source) = within(variable, "valueFrom")
            && let Some(field) = within(source, "fieldRef")
        {
            put(field, "apiVersion", "v1");
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = within(container, probe) {
            put(probe, "failureThreshold", 3);
            put(probe, "periodSeconds", 10);
            put(probe, "successThreshold", 1);
            put(probe, "timeoutSeconds", 1);
            set_defaults_of_handler(probe);
        }
    }
    if let Some(lifecycle) = within(container, "lifecycle") {
        for hook in ["postStart", "preStop"] {
            if let Some(hook) = within(lifecycle, hook) {
                set_defaults_of_handler(hook);
            }
        }
    }
}

fn set_defaults_of_handler(handler: &mut Map<String, Value>) {
    if let Some(get) = within(handler, "httpGet") {
        put(get, "path", "/");
        put(get, "scheme", "HTTP");
    }
    if let Some(grpc) = within(handler, "grpc") {
        put(grpc, "service", "");
    }
}

/// An image without a tag and without a digest is the latest one.
fn is_latest(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or_default();
    match name.split_once(':') {
        _ if name.contains('@') => false,
        Some((_, tag)) => tag == "latest",
        None => true,
    }
}

fn set_defaults_of_volume(volume: &mut Map<String, Value>) {
    if volume.len() == 1 && volume.contains_key("name") {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
    for source in ["configMap", "downwardAPI", "projected", "secret"] {
        if let Some(source) = within(volume, source) {
            put(source, "defaultMode", 0o644);
        }
    }
    if let Some(path) = within(volume, "hostPath") {
        put(path, "type", "");
    }
}

fn requests_of_limits(container: &mut Map<String, Value>) {
    let Some(resources) = within(container, "resources") else {
        return;
    };
    if let Some(Value::Object(limits)) = resources.get("limits").cloned() {
        let requests = object::as_map(resources.entry("requests").or_insert(Value::Null));
        for (name, limit) in limits {
            requests.entry(name).or_insert(limit);
        }
    }
}

/// What makes pods has the labels of its pods, if it has none of its own.
fn labels_of_template(object: &mut Value) {
    let labels = object.pointer("/spec/template/metadata/labels").cloned();
    if let Some(labels) = labels
        && object.pointer("/metadata/labels").is_none()
    {
        object::set_meta(object, "labels", labels);
    }
}

fn deployment(object: &mut Value) {
    let spec = spec(object);
    put(spec, "progressDeadlineSeconds", 600);
    put(spec, "replicas", 1);
    put(spec, "revisionHistoryLimit", 10);
    let strategy = object::as_map(spec.entry("strategy").or_insert(Value::Null));
    put(strategy, "type", "RollingUpdate");
    if strategy.get("type") == Some(&json!("RollingUpdate")) {
        let rolling = object::as_map(strategy.entry("rollingUpdate").or_insert(Value::Null));
        put(rolling, "maxSurge", "25%");
        put(rolling, "maxUnavailable", "25%");
    }
    template(spec);
}

fn stateful_set(object: &mut Value) {
    let spec = spec(object);
    put(spec, "podManagementPolicy", "OrderedReady");
    put(spec, "replicas", 1);
    put(spec, "revisionHistoryLimit", 10);
    let strategy = object::as_map(spec.entry("updateStrategy").or_insert(Value::Null));
    put(strategy, "type", "RollingUpdate");
    if strategy.get("type") == Some(&json!("RollingUpdate")) {
        let rolling = object::as_map(strategy.entry("rollingUpdate").or_insert(Value::Null));
        put(rolling, "partition", 0);
    }
    let retention = "persistentVolumeClaimRetentionPolicy";
    let retention = object::as_map(spec.entry(retention).or_insert(Value::Null));
    put(retention, "whenDeleted", "Retain");
    put(retention, "whenScaled", "Retain");
    template(spec);
    for claim in entries(spec, "volumeClaimTemplates") {
        put(claim, "apiVersion", "v1");
        put(claim, "kind", "PersistentVolumeClaim");
        if let Some(spec) = within(claim, "spec") {
            put(spec, "volumeMode", "Filesystem");
        }
        let status = object::as_map(claim.entry("status").or_insert(Value::Null));
        put(status, "phase", "Pending");
    }
}

fn daemon_set(object: &mut Value) {
    let spec = spec(object);
    put(spec, "revisionHistoryLimit", 10);
    let strategy = object::as_map(spec.entry("updateStrategy").or_insert(Value::Null));
    put(strategy, "type", "RollingUpdate");
    if strategy.get("type") == Some(&json!("RollingUpdate")) {
        let rolling = object::as_map(strategy.entry("rollingUpdate").or_insert(Value::Null));
        put(rolling, "maxSurge", 0);
        put(rolling, "maxUnavailable", 1);
    }
    template(spec);
}

fn job(spec: &mut Map<String, Value>) {
    if !spec.contains_key("completions") && !spec.contains_key("parallelism") {
        put(spec, "completions", 1);
    }
    put(spec, "parallelism", 1);
    put(spec, "backoffLimit", 6);
    put(spec, "completionMode", "NonIndexed");
    put(spec, "manualSelector", false);
    put(spec, "podReplacementPolicy", "TerminatingOrFailed");
    put(spec, "suspend", false);
    template(spec);
}

/// A limit for containers is their default too.
fn limit_range(spec: &mut Map<String, Value>) {
    for limit in entries(spec, "limits") {
        if limit.get("type") != Some(&json!("Container")) {
            continue;
        }
        for (from, to) in [
            ("max", "default"),
            ("default", "defaultRequest"),
            ("min", "defaultRequest"),
        ] {
            if let Some(Value::Object(known)) = limit.get(from).cloned() {
                let filled = object::as_map(limit.entry(to).or_insert(Value::Null));
                for (name, quantity) in known {
                    filled.entry(name).or_insert(quantity);
                }
            }
        }
    }
}

/// What admission adds to a pod, and the status of one that no node has taken.
fn admit_pod(object: &mut Value) {
    let class = quality(object);
    let spec = spec(object);
    put(spec, "priority", 0);
    put(spec, "preemptionPolicy", "PreemptLowerPriority");
    let tolerations = spec
        .entry("tolerations")
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Some(tolerations) = tolerations.as_array_mut() {
        for key in ["not-ready", "unreachable"] {
            tolerations.push(json!({
                "effect": "NoExecute", "key": format!("node.kubernetes.io/{key}"), "operator": "Exists",
                "tolerationSeconds": 300,
            }));
        }
    }
    let status = json!({"phase": "Pending", "qosClass": class});
    object::as_map(object).insert("status".to_owned(), status);
}

/// How safe a pod is from being evicted.
fn quality(object: &mut Value) -> &'static str {
    let (mut bare, mut guaranteed) = (true, true);
    for container in containers(spec(object)) {
        let resources = container.get("resources").unwrap_or(&Value::Null);
        for name in ["cpu", "memory"] {
            let of = |kind: &str| resources.get(kind).and_then(|kind| kind.get(name));
            bare &= of("limits").is_none() && of("requests").is_none();
            guaranteed &= of("limits").is_some() && of("limits") == of("requests");
        }
    }
    match (bare, guaranteed) {
        (true, _) => "BestEffort",
        (_, true) => "Guaranteed",
        _ => "Burstable",
    }
}

/// A Job's pods are known by the Job's uid, unless it says otherwise.
fn own_selector(object: &mut Value) {
    if object.pointer("/spec/manualSelector") == Some(&Value::Bool(true)) {
        return;
    }
    let (uid, name) = (
        object::uid(object).to_owned(),
        object::name(object).to_owned(),
    );
    let spec = spec(object);
    let selector = object::as_map(spec.entry("selector").or_insert(Value::Null));
    let matched = object::as_map(selector.entry("matchLabels").or_insert(Value::Null));
    matched.insert(
        "batch.kubernetes.io/controller-uid".to_owned(),
        uid.clone().into(),
    );
    let template = spec.entry("template").or_insert(Value::Null);
    let labels = object::field_mut(template, "metadata")
        .entry("labels")
        .or_insert(Value::Null);
    let labels = object::as_map(labels);
    for (label, value) in [("controller-uid", &uid), ("job-name", &name)] {
        labels.insert(label.to_owned(), value.as_str().into());
        labels.insert(
            format!("batch.kubernetes.io/{label}"),
            value.as_str().into(),
        );
    }
    labels_of_template(object);
}

/// What is wrong with an object of the kind.
fn check(kind: &str, object: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let pod = match kind {
        "Pod" => "/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        "Deployment" | "DaemonSet" | "Job" | "ReplicaSet" | "StatefulSet" => "/spec/template/spec",
        _ => return wrong,
    };
    if matches!(
        kind,
        "Deployment" | "DaemonSet" | "ReplicaSet" | "StatefulSet"
    ) {
        wrong.extend(check_selector(object));
    }
    let field = pod.trim_start_matches('/').replace('/', ".");
    let containers = object
        .pointer(&format!("{pod}/containers"))
        .and_then(Value::as_array);
    if containers.is_none_or(Vec::is_empty) {
        wrong.push(Cause::required(&format!("{field}.containers"), ""));
    }
    for (index, container) in containers.into_iter().flatten().enumerate() {
        for part in ["name", "image"] {
            let value = container.get(part).and_then(Value::as_str);
            if value.is_none_or(str::is_empty) {
                let field = format!("{field}.containers[{index}].{part}");
                wrong.push(Cause::required(&field, ""));
            }
        }
    }
    if kind != "Pod" {
        wrong.extend(check_restart_policy(kind, object, pod, &field));
    }
    wrong
}

fn check_restart_policy(kind: &str, object: &Value, pod: &str, field: &str) -> Option<Cause> {
    let policy = object.pointer(&format!("{pod}/restartPolicy"))?;
    let field = format!("{field}.restartPolicy");
    let jobs = matches!(kind, "Job" | "CronJob");
    match (jobs, policy.as_str()?) {
        (false, "Always") | (true, "OnFailure" | "Never") => None,
        (false, _) => Some(Cause::unsupported(&field, policy, "\"Always\"")),
        (true, "Always") => Some(Cause::required(
            &field,
            "valid values: \"OnFailure\", \"Never\"",
        )),
        (true, _) => Some(Cause::unsupported(
            &field,
            policy,
            "\"OnFailure\", \"Never\"",
        )),
    }
}

fn check_selector(object: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let selector = object.pointer("/spec/selector");
    let part = |field| selector.and_then(|selector| selector.get(field));
    if selector.is_none() {
        wrong.push(Cause::required("spec.selector", ""));
    }
    let own = object.pointer("/spec/template/metadata/labels");
    let labels = part("matchLabels").and_then(Value::as_object);
    let matches = match labels {
        Some(labels) => labels
            .iter()
            .all(|(key, value)| own.and_then(|own| own.get(key)) == Some(value)),
        None => part("matchExpressions").is_some(),
    };
    if !matches {
        wrong.push(Cause::invalid(
            "spec.template.metadata.labels",
            own.unwrap_or(&Value::Null),
            "`selector` does not match template `labels`",
        ));
    }
    wrong
}
