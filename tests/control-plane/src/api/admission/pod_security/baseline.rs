//! The checks of the level `baseline`: nothing that reaches out of a container.

use serde_json::Value;

use super::found::{
    Found, containers, containers_that, counted, name, plural, quoted, setters, sorted, text,
};
use super::policy::Version;

const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
const CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
/// With the minor version that allowed them.
const SYSCTLS: [(&str, u32); 12] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
];

fn list<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    let list = value.pointer(pointer).and_then(Value::as_array);
    list.into_iter().flatten()
}

/// The values of a field of a pod and its containers which are not allowed, and who sets them.
fn set<'a>(
    spec: &'a Value,
    pointer: &str,
    is_allowed: impl Fn(&str) -> bool,
) -> (Option<String>, Vec<&'a str>) {
    let wrong = |value: &'a Value| text(value, pointer).filter(|value| !is_allowed(value));
    let of_pod = wrong(spec);
    let names = containers_that(spec, |container| {
        text(container, pointer).is_some_and(|value| !is_allowed(value))
    });
    let values = of_pod.into_iter().chain(containers(spec).filter_map(wrong));
    (setters(of_pod.is_some(), &names), sorted(values.collect()))
}

pub(super) fn app_armor(metadata: &Value, spec: &Value) -> Option<Found> {
    let is_allowed = |kind: &str| ["RuntimeDefault", "Localhost"].contains(&kind);
    let (who, values) = set(spec, "/securityContext/appArmorProfile/type", is_allowed);
    let annotations = metadata["annotations"].as_object().into_iter().flatten();
    let annotations = annotations.filter_map(|(key, value)| {
        let value = value.as_str().unwrap_or_default();
        let is_allowed =
            value.is_empty() || value == "runtime/default" || value.starts_with("localhost/");
        (key.starts_with(APP_ARMOR) && !is_allowed).then(|| format!("{key}={value:?}"))
    });
    let annotations = sorted(annotations.collect());
    let by = (!annotations.is_empty()).then(|| plural("annotation", annotations.len()));
    let who: Vec<String> = who.into_iter().chain(by).collect();
    let values = values.into_iter().map(str::to_owned);
    let values: Vec<String> = values.chain(annotations).collect();
    if who.is_empty() {
        return None;
    }
    let what = format!(
        "{} must not set AppArmor profile type to {}",
        who.join(" and "),
        quoted(&values)
    );
    Found::new(&plural("forbidden AppArmor profile", values.len()), what)
}

pub(super) fn capabilities(spec: &Value) -> Option<Found> {
    let added = |container| {
        let added = list(container, "/securityContext/capabilities/add").filter_map(Value::as_str);
        added.filter(|added| !CAPABILITIES.contains(added))
    };
    let names = containers_that(spec, |container| added(container).next().is_some());
    let all = sorted(containers(spec).flat_map(added).collect());
    let what = format!(
        "{} must not include {} in securityContext.capabilities.add",
        counted("container", &names),
        quoted(&all)
    );
    (!names.is_empty()).then(|| Found::new("non-default capabilities", what))?
}

pub(super) fn host_namespaces(spec: &Value) -> Option<Found> {
    let fields = ["hostNetwork", "hostPID", "hostIPC"].into_iter();
    let set: Vec<String> = fields
        .filter(|field| spec[*field] == true)
        .map(|field| format!("{field}=true"))
        .collect();
    (!set.is_empty()).then(|| Found::new("host namespaces", set.join(", ")))?
}

pub(super) fn host_paths(spec: &Value) -> Option<Found> {
    let volumes = list(spec, "/volumes").filter(|volume| !volume["hostPath"].is_null());
    let names: Vec<&str> = volumes.map(name).collect();
    (!names.is_empty()).then(|| Found::new("hostPath volumes", counted("volume", &names)))?
}

pub(super) fn host_ports(spec: &Value) -> Option<Found> {
    let ports = |container| {
        let ports = list(container, "/ports").filter_map(|port| port["hostPort"].as_i64());
        ports.filter(|port| *port != 0)
    };
    let names = containers_that(spec, |container| ports(container).next().is_some());
    // In the order of texts.
    let all = sorted(
        containers(spec)
            .flat_map(ports)
            .map(|port| port.to_string())
            .collect(),
    );
    let what = format!(
        "{} {} {} {}",
        counted("container", &names),
        use_of(&names),
        plural("hostPort", all.len()),
        all.join(", ")
    );
    (!names.is_empty()).then(|| Found::new("hostPort", what))?
}

/// One uses, and more use.
pub(super) fn use_of(names: &[&str]) -> &'static str {
    match names.len() {
        1 => "uses",
        _ => "use",
    }
}

pub(super) fn hosts_of_probes(spec: &Value) -> Option<Found> {
    const HANDLERS: [&str; 5] = [
        "/livenessProbe",
        "/readinessProbe",
        "/startupProbe",
        "/lifecycle/postStart",
        "/lifecycle/preStop",
    ];
    let hosts = |container| {
        let handlers = HANDLERS
            .iter()
            .filter_map(move |at| Value::pointer(container, at));
        let hosts = handlers.flat_map(|handler| {
            ["/httpGet/host", "/tcpSocket/host"].map(|host| text(handler, host))
        });
        hosts.flatten().filter(|host| !host.is_empty())
    };
    let names = sorted(containers_that(spec, |container| {
        hosts(container).next().is_some()
    }));
    let all = sorted(containers(spec).flat_map(hosts).collect());
    let what = format!(
        "{} {} {} {}",
        counted("container", &names),
        use_of(&names),
        plural("probe or lifecycle host", all.len()),
        quoted(&all)
    );
    (!names.is_empty()).then(|| Found::new("probe or lifecycle host", what))?
}

pub(super) fn privileged(spec: &Value) -> Option<Found> {
    let names = containers_that(spec, |container| {
        container["securityContext"]["privileged"] == true
    });
    let who = counted("container", &names);
    let what = format!("{who} must not set securityContext.privileged=true");
    (!names.is_empty()).then(|| Found::new("privileged", what))?
}

pub(super) fn proc_mount(spec: &Value) -> Option<Found> {
    let mount = |container| {
        text(container, "/securityContext/procMount").filter(|mount| *mount != "Default")
    };
    let names = containers_that(spec, |container| mount(container).is_some());
    let all = sorted(containers(spec).filter_map(mount).collect());
    let what = format!(
        "{} must not set securityContext.procMount to {}",
        counted("container", &names),
        quoted(&all)
    );
    (!names.is_empty()).then(|| Found::new("procMount", what))?
}

pub(super) fn se_linux(spec: &Value, version: Version) -> Option<Found> {
    let options = |value: &'_ Value| value["securityContext"]["seLinuxOptions"].clone();
    let is_type = |kind: &str| {
        ["", "container_t", "container_init_t", "container_kvm_t"].contains(&kind)
            || (kind == "container_engine_t" && version.has(31))
    };
    let said =
        |options: &Value, field: &str| options[field].as_str().unwrap_or_default().to_owned();
    let is_set = |options: &Value, field: &str| !said(options, field).is_empty();
    let is_wrong = |value: &Value| {
        let options = options(value);
        !is_type(&said(&options, "type")) || is_set(&options, "user") || is_set(&options, "role")
    };
    let names = containers_that(spec, is_wrong);
    let who = setters(is_wrong(spec), &names)?;
    let all: Vec<Value> = std::iter::once(spec)
        .chain(containers(spec))
        .map(options)
        .collect();
    let kinds = all.iter().map(|options| said(options, "type"));
    let kinds = sorted(kinds.filter(|kind| !is_type(kind)).collect());
    let mut what = Vec::new();
    if !kinds.is_empty() {
        what.push(format!(
            "{} {}",
            plural("type", kinds.len()),
            quoted(&kinds)
        ));
    }
    for field in ["user", "role"] {
        if all.iter().any(|options| is_set(options, field)) {
            what.push(format!("{field} may not be set"));
        }
    }
    let what = what.join("; ");
    let what = format!("{who} set forbidden securityContext.seLinuxOptions: {what}");
    Found::new("seLinuxOptions", what)
}

/// As it was said before there were fields for it, too.
pub(super) fn seccomp(metadata: &Value, spec: &Value, version: Version) -> Option<Found> {
    if !version.has(19) {
        return seccomp_annotations(metadata, spec);
    }
    let (who, values) = set(spec, "/securityContext/seccompProfile/type", is_seccomp);
    let what = format!(
        "{} must not set securityContext.seccompProfile.type to {}",
        who?,
        quoted(&values)
    );
    Found::new("seccompProfile", what)
}

pub(super) fn is_seccomp(kind: &str) -> bool {
    ["Localhost", "RuntimeDefault"].contains(&kind)
}

fn seccomp_annotations(metadata: &Value, spec: &Value) -> Option<Found> {
    let of_pod = "seccomp.security.alpha.kubernetes.io/pod".to_owned();
    let of_containers = containers(spec).map(|container| {
        format!(
            "container.seccomp.security.alpha.kubernetes.io/{}",
            name(container)
        )
    });
    let set = std::iter::once(of_pod)
        .chain(of_containers)
        .filter_map(|key| {
            let value = metadata["annotations"][&key].as_str()?;
            let is_allowed = ["runtime/default", "docker/default"].contains(&value)
                || value.starts_with("localhost/");
            (!is_allowed).then(|| format!("{key}={value:?}"))
        });
    let set = sorted(set.collect());
    let what = plural("annotation", set.len());
    let what = format!("forbidden {what} {}", set.join(", "));
    (!set.is_empty()).then(|| Found::new("seccompProfile", what))?
}

pub(super) fn sysctls(spec: &Value, version: Version) -> Option<Found> {
    let is_allowed = |name: &str| {
        let mut known = SYSCTLS.iter();
        known.any(|(known, since)| *known == name && version.has(*since))
    };
    let set = list(spec, "/securityContext/sysctls").map(name);
    let set: Vec<&str> = set.filter(|name| !is_allowed(name)).collect();
    (!set.is_empty()).then(|| Found::new("forbidden sysctls", set.join(", ")))?
}

pub(super) fn windows(spec: &Value) -> Option<Found> {
    let is_of_host =
        |value: &Value| value["securityContext"]["windowsOptions"]["hostProcess"] == true;
    let names = containers_that(spec, is_of_host);
    let who = setters(is_of_host(spec), &names)?;
    let what = format!("{who} must not set securityContext.windowsOptions.hostProcess=true");
    Found::new("hostProcess", what)
}
