//! Which checks a policy makes, in the order in which they are told of.

use serde_json::Value;

use super::found::Found;
use super::policy::{Level, Policy};
use super::{baseline, restricted};

/// What a policy finds in a pod, or in the template of one.
pub(super) fn check(policy: Policy, metadata: &Value, spec: &Value) -> Vec<Found> {
    let version = policy.version;
    if policy.level == Level::Privileged {
        return Vec::new();
    }
    let is_strict = policy.level == Level::Restricted;
    // Where these take the place of a check of the lower level.
    let strictly = |since: u32| is_strict && version.has(since);
    let own_users = spec["hostUsers"] == false && version.has(35);
    let is_windows = spec["os"]["name"] == "windows" && version.has(25);
    let mut found = vec![
        baseline::app_armor(metadata, spec),
        (!strictly(22))
            .then(|| baseline::capabilities(spec))
            .flatten(),
        baseline::host_namespaces(spec),
        (!is_strict).then(|| baseline::host_paths(spec)).flatten(),
        baseline::host_ports(spec),
        version
            .has(34)
            .then(|| baseline::hosts_of_probes(spec))
            .flatten(),
        baseline::privileged(spec),
        (!strictly(35) && !own_users)
            .then(|| baseline::proc_mount(spec))
            .flatten(),
        baseline::se_linux(spec, version),
        (!strictly(19))
            .then(|| baseline::seccomp(metadata, spec, version))
            .flatten(),
        baseline::sysctls(spec, version),
        baseline::windows(spec),
    ];
    if is_strict {
        let on_linux = |since: u32| version.has(since) && !is_windows;
        found.extend([
            on_linux(8).then(|| restricted::escalation(spec)).flatten(),
            on_linux(22)
                .then(|| restricted::capabilities(spec))
                .flatten(),
            version
                .has(35)
                .then(|| baseline::proc_mount(spec))
                .flatten(),
            restricted::volumes(spec),
            (!own_users).then(|| restricted::not_root(spec)).flatten(),
            (version.has(23) && !own_users)
                .then(|| restricted::user(spec))
                .flatten(),
            on_linux(19).then(|| restricted::seccomp(spec)).flatten(),
        ]);
    }
    found.into_iter().flatten().collect()
}
