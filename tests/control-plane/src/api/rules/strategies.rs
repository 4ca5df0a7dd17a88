//! How what makes pods replaces them.

use serde_json::Value;

use super::checks::{list, not_negative, number, one_of, text};
use super::fixed::{invalid_struct, unsupported_struct};
use super::{names, storage};
use crate::failure::Cause;

const NO_PERCENT: &str = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or \
    '93%', regex used for validation is '[0-9]+%')";

/// A number of pods, or how many of a hundred.
pub(super) fn count(value: &Value, path: &str) -> Option<Cause> {
    match value {
        Value::String(text) => percent(text)
            .is_none()
            .then(|| Cause::invalid(path, value, NO_PERCENT)),
        value => {
            let why = "must be greater than or equal to 0";
            (value.as_i64() < Some(0) && value.is_number())
                .then(|| Cause::invalid(path, value, why))
        }
    }
}

fn percent(text: &str) -> Option<i64> {
    let digits = text.strip_suffix('%')?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(i64::MAX))
}

pub(super) fn not_more_than_all(value: &Value, path: &str) -> Option<Cause> {
    let percent = percent(value.as_str()?)?;
    let why = "must not be greater than 100%";
    (percent > 100).then(|| Cause::invalid(path, value, why))
}

fn is_none(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            let number = percent(text).or_else(|| text.parse().ok());
            number.unwrap_or(0) == 0
        }
        value => value.as_i64().unwrap_or(0) == 0,
    }
}

pub(super) fn check_deployment(spec: &Value) -> Vec<Cause> {
    const PATH: &str = "spec.strategy.rollingUpdate";
    let strategy = &spec["strategy"];
    let rolling = &strategy["rollingUpdate"];
    let mut wrong = Vec::new();
    match text(strategy, "type") {
        "Recreate" => {
            if rolling.is_object() {
                let why = "may not be specified when strategy `type` is 'Recreate'";
                wrong.push(Cause::forbidden(PATH, why));
            }
        }
        "RollingUpdate" => {
            let (unavailable, surge) = (&rolling["maxUnavailable"], &rolling["maxSurge"]);
            let path = format!("{PATH}.maxUnavailable");
            wrong.extend(count(unavailable, &path));
            wrong.extend(count(surge, &format!("{PATH}.maxSurge")));
            if is_none(unavailable) && is_none(surge) {
                let why = "may not be 0 when `maxSurge` is 0";
                wrong.push(Cause::invalid(&path, unavailable, why));
            }
            wrong.extend(not_more_than_all(unavailable, &path));
        }
        _ => wrong.push(unsupported_struct(
            "spec.strategy",
            "apps.DeploymentStrategy",
            strategy,
            r#""Recreate", "RollingUpdate""#,
        )),
    }
    let fields = [
        "minReadySeconds",
        "revisionHistoryLimit",
        "progressDeadlineSeconds",
    ];
    wrong.extend(not_negative(spec, "spec", &fields));
    let ready = number(spec, "minReadySeconds").unwrap_or(0);
    if let Some(deadline) =
        number(spec, "progressDeadlineSeconds").filter(|deadline| *deadline <= ready)
    {
        let why = "must be greater than minReadySeconds";
        wrong.push(Cause::invalid(
            "spec.progressDeadlineSeconds",
            &deadline.into(),
            why,
        ));
    }
    wrong
}

pub(super) fn check_daemon_set(spec: &Value) -> Vec<Cause> {
    const PATH: &str = "spec.updateStrategy.rollingUpdate";
    let mut wrong = not_negative(spec, "spec", &["minReadySeconds"]);
    let strategy = &spec["updateStrategy"];
    let rolling = &strategy["rollingUpdate"];
    match text(strategy, "type") {
        "OnDelete" => {}
        "RollingUpdate" if rolling.is_null() => wrong.push(Cause::required(PATH, "")),
        "RollingUpdate" => {
            let (unavailable, surge) = (&rolling["maxUnavailable"], &rolling["maxSurge"]);
            let (of_unavailable, of_surge) =
                (format!("{PATH}.maxUnavailable"), format!("{PATH}.maxSurge"));
            wrong.extend(count(unavailable, &of_unavailable));
            wrong.extend(count(surge, &of_surge));
            wrong.extend(not_more_than_all(unavailable, &of_unavailable));
            wrong.extend(not_more_than_all(surge, &of_surge));
            match (is_none(unavailable), is_none(surge)) {
                (false, false) => {
                    let why = "may not be set when maxUnavailable is non-zero";
                    wrong.push(Cause::invalid(&of_surge, surge, why));
                }
                (true, true) => {
                    let why = "cannot be 0 when maxSurge is 0";
                    wrong.push(Cause::required(&of_unavailable, why));
                }
                _ => {}
            }
        }
        _ => wrong.push(unsupported_struct(
            "spec.updateStrategy",
            "apps.DaemonSetUpdateStrategy",
            strategy,
            r#""RollingUpdate", "OnDelete""#,
        )),
    }
    wrong.extend(not_negative(spec, "spec", &["revisionHistoryLimit"]));
    wrong
}

pub(super) fn check_stateful_set(spec: &Value, is_new: bool) -> Vec<Cause> {
    const PATH: &str = "spec.updateStrategy.rollingUpdate";
    let mut wrong = Vec::new();
    let management = text(spec, "podManagementPolicy");
    if !["OrderedReady", "Parallel"].contains(&management) {
        let why = "must be 'OrderedReady' or 'Parallel'";
        wrong.push(Cause::invalid(
            "spec.podManagementPolicy",
            &management.into(),
            why,
        ));
    }
    let strategy = &spec["updateStrategy"];
    let rolling = &strategy["rollingUpdate"];
    match text(strategy, "type") {
        "OnDelete" => {
            if rolling.is_object() {
                let why = "only allowed for updateStrategy 'RollingUpdate'";
                wrong.push(invalid_struct(
                    PATH,
                    "apps.RollingUpdateStatefulSetStrategy",
                    rolling,
                    why,
                ));
            }
        }
        "RollingUpdate" => {
            wrong.extend(not_negative(rolling, PATH, &["partition"]));
        }
        _ => {
            let why = "must be 'RollingUpdate' or 'OnDelete'";
            wrong.push(invalid_struct(
                "spec.updateStrategy",
                "apps.StatefulSetUpdateStrategy",
                strategy,
                why,
            ));
        }
    }
    let retention = &spec["persistentVolumeClaimRetentionPolicy"];
    if retention.is_object() {
        for field in ["whenDeleted", "whenScaled"] {
            let path = format!("spec.persistentVolumeClaimRetentionPolicy.{field}");
            wrong.extend(one_of(text(retention, field), &path, &["Retain", "Delete"]));
        }
    }
    let claims = list(spec, "volumeClaimTemplates").iter().filter(|_| is_new);
    for (index, claim) in claims.enumerate() {
        let path = format!("spec.volumeClaimTemplates[{index}].spec");
        wrong.extend(storage::check_claim(&claim["spec"], &path));
    }
    wrong.extend(not_negative(spec, "spec", &["replicas", "minReadySeconds"]));
    wrong.extend(not_negative(&spec["ordinals"], "spec.ordinals", &["start"]));
    let service = text(spec, "serviceName");
    if is_new && !service.is_empty() {
        let why = names::label(service);
        wrong.extend(why.map(|why| Cause::invalid("spec.serviceName", &service.into(), why)));
    }
    wrong
}
