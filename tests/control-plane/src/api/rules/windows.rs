//! What is asked of pods for Windows, and what pods of one system cannot have of another.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::checks::{list, one_of, text};
use super::names;
use crate::failure::Cause;

const MOST_CREDENTIALS: usize = 64 * 1024;
const LONGEST_DOMAIN: usize = 256;
const LONGEST_USER: usize = 104;
const NETBIOS: &str = r#"^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$"#;
const DNS: &str = r"^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$";
/// What of a pod's spec, and of its security context, is not there on Windows, in the order in which it is looked at.
const NOT_OF_PODS: [(&str, &str); 15] = [
    ("securityContext", "appArmorProfile"),
    ("securityContext", "seLinuxOptions"),
    ("", "hostUsers"),
    ("", "hostPID"),
    ("", "hostIPC"),
    ("securityContext", "seccompProfile"),
    ("securityContext", "fsGroup"),
    ("securityContext", "fsGroupChangePolicy"),
    ("securityContext", "sysctls"),
    ("", "shareProcessNamespace"),
    ("securityContext", "runAsUser"),
    ("securityContext", "runAsGroup"),
    ("securityContext", "supplementalGroups"),
    ("securityContext", "supplementalGroupsPolicy"),
    ("securityContext", "seLinuxChangePolicy"),
];
const NOT_OF_CONTAINERS: [&str; 10] = [
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
];

/// All containers of a spec with their paths, in the order in which they are visited.
pub(super) fn containers<'a>(
    spec: &'a Value,
    path: &'a str,
) -> impl Iterator<Item = (String, &'a Value)> {
    let kinds = ["initContainers", "containers", "ephemeralContainers"].into_iter();
    kinds.flat_map(move |kind| {
        let containers = list(spec, kind).iter().enumerate();
        containers.map(move |(index, container)| (format!("{path}.{kind}[{index}]"), container))
    })
}

/// What is wrong with the system that a pod is for, or with what it asks of it.
pub(super) fn check_system(spec: &Value, path: &str) -> Vec<Cause> {
    let at = format!("{path}.os");
    if spec["os"].is_null() {
        return Vec::new();
    }
    match text(&spec["os"], "name") {
        "" => vec![Cause::required(&format!("{at}.name"), "")],
        "linux" => not_of_linux(spec, path),
        "windows" => not_of_windows(spec, path),
        other => one_of(other, &at, &["linux", "windows"])
            .into_iter()
            .collect(),
    }
}

fn not_of_linux(spec: &Value, path: &str) -> Vec<Cause> {
    let whole = (path.to_owned(), spec);
    let all = std::iter::once(whole).chain(containers(spec, path));
    let unfit = all.filter(|(_, of)| !of["securityContext"]["windowsOptions"].is_null());
    unfit
        .map(|(path, _)| {
            let path = format!("{path}.securityContext.windowsOptions");
            Cause::forbidden(&path, "windows options cannot be set for a linux pod")
        })
        .collect()
}

fn not_of_windows(spec: &Value, path: &str) -> Vec<Cause> {
    const WHY: &str = "cannot be set for a windows pod";
    // Of these no and nothing are the same.
    let is_said = |field: &str, value: &Value| match field {
        "hostPID" | "hostIPC" => *value == true,
        "sysctls" => value.as_array().is_some_and(|list| !list.is_empty()),
        _ => !value.is_null(),
    };
    let mut wrong = Vec::new();
    for (within, field) in NOT_OF_PODS {
        let (value, path) = match within {
            "" => (&spec[field], format!("{path}.{field}")),
            within => (&spec[within][field], format!("{path}.{within}.{field}")),
        };
        wrong.extend(is_said(field, value).then(|| Cause::forbidden(&path, WHY)));
    }
    for (path, container) in containers(spec, path) {
        let context = &container["securityContext"];
        let unfit = NOT_OF_CONTAINERS
            .iter()
            .filter(|field| !context[**field].is_null());
        wrong.extend(
            unfit.map(|field| Cause::forbidden(&format!("{path}.securityContext.{field}"), WHY)),
        );
    }
    wrong
}

/// A process of the host is in a pod of nothing else, on the network of the host.
pub(super) fn check_host_process(spec: &Value, path: &str) -> Vec<Cause> {
    let of = |context: &Value| context["windowsOptions"]["hostProcess"].as_bool();
    let whole = of(&spec["securityContext"]);
    let mut wrong = Vec::new();
    let (mut all, mut of_host) = (0, 0);
    for (path, container) in containers(spec, path) {
        let own = of(&container["securityContext"]);
        if let (Some(whole), Some(own)) = (whole, own)
            && whole != own
        {
            let path = format!("{path}.securityContext.windowsOptions.hostProcess");
            let why = format!(
                "pod hostProcess value must be identical if both are specified, was {whole}"
            );
            wrong.push(Cause::invalid(&path, &own.into(), &why));
        }
        all += 1;
        of_host += i32::from(own.or(whole) == Some(true));
    }
    if of_host == 0 {
        return wrong;
    }
    if of_host != all {
        let why = "If pod contains any hostProcess containers then all containers must be HostProcess containers";
        wrong.push(Cause::invalid(path, &"".into(), why));
    }
    if spec["hostNetwork"] != true {
        let why = "hostNetwork must be true if pod contains any hostProcess containers";
        wrong.push(Cause::invalid(
            &format!("{path}.hostNetwork"),
            &false.into(),
            why,
        ));
    }
    wrong
}

/// What is wrong with the options of a pod or a container.
pub(super) fn check_options(options: &Value, path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut refuse = |field: &str, why: &str| {
        wrong.push(Cause::invalid(
            &format!("{path}.{field}"),
            &options[field],
            why,
        ));
    };
    if let Some(name) = options["gmsaCredentialSpecName"].as_str()
        && let Some(why) = names::subdomain(name)
    {
        refuse("gmsaCredentialSpecName", why);
    }
    match options["gmsaCredentialSpec"].as_str() {
        Some("") => refuse(
            "gmsaCredentialSpec",
            "gmsaCredentialSpec cannot be an empty string",
        ),
        Some(spec) if spec.len() > MOST_CREDENTIALS => {
            refuse(
                "gmsaCredentialSpec",
                "gmsaCredentialSpec size must be under 64 KiB",
            );
        }
        _ => {}
    }
    if let Some(user) = options["runAsUserName"].as_str() {
        for why in why_no_user(user) {
            refuse("runAsUserName", &why);
        }
    }
    wrong
}

fn why_no_user(name: &str) -> Vec<String> {
    static DOMAINS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        [NETBIOS, DNS]
            .iter()
            .filter_map(|form| Regex::new(form).ok())
            .collect()
    });
    let parts: Vec<&str> = name.split('\\').collect();
    let (domain, user) = match parts[..] {
        _ if name.is_empty() => return vec!["runAsUserName cannot be an empty string".to_owned()],
        _ if name.chars().any(|c| c.is_ascii_control()) => {
            return vec!["runAsUserName cannot contain control characters".to_owned()];
        }
        [user] => (None, user),
        [domain, user] => (Some(domain), user),
        _ => return vec!["runAsUserName cannot contain more than one backslash".to_owned()],
    };
    let mut wrong = Vec::new();
    if domain.is_some_and(|domain| domain.len() >= LONGEST_DOMAIN) {
        wrong.push(format!(
            "runAsUserName's Domain length must be under {LONGEST_DOMAIN} characters"
        ));
    }
    if domain.is_some_and(|domain| !DOMAINS.iter().any(|form| form.is_match(domain))) {
        wrong
            .push("runAsUserName's Domain doesn't match the NetBios nor the DNS format".to_owned());
    }
    if user.is_empty() {
        wrong.push("runAsUserName's User cannot be empty".to_owned());
    } else if user.len() > LONGEST_USER {
        wrong.push(format!(
            "runAsUserName's User length must not be longer than {LONGEST_USER} characters"
        ));
    }
    if !user.is_empty() && user.chars().all(|c| c == '.' || c == ' ') {
        wrong.push("runAsUserName's User cannot contain only periods or spaces".to_owned());
    }
    if user.contains([
        '"', '/', '\\', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>', '@', '[', ']',
    ]) {
        let why =
            r#"runAsUserName's User cannot contain the following characters: "/\:;|=,+*?<>@[]"#;
        wrong.push(why.to_owned());
    }
    wrong
}
