//! How much the pods of a namespace may do, as its labels say.

use std::fmt;

use serde_json::Value;

use crate::failure::Cause;

const LABEL: &str = "pod-security.kubernetes.io/";

/// From the most lenient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Privileged,
    Baseline,
    Restricted,
}

impl Level {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "privileged" => Some(Self::Privileged),
            "baseline" => Some(Self::Baseline),
            "restricted" => Some(Self::Restricted),
            _ => None,
        }
    }
}

/// The version of Kubernetes whose checks count; the latest one's are those without a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version(Option<u32>);

impl Version {
    fn parse(text: &str) -> Option<Self> {
        if text == "latest" {
            return Some(Self(None));
        }
        let minor = text.strip_prefix("v1.")?;
        let is_number = minor.bytes().all(|byte| byte.is_ascii_digit());
        let is_short = minor == "0" || !minor.starts_with('0');
        (is_number && is_short).then_some(Self(Some(minor.parse().ok()?)))
    }

    /// Whether it has what came with this minor version.
    pub(super) fn has(self, minor: u32) -> bool {
        self.0.is_none_or(|own| own >= minor)
    }
}

/// Which checks pods have to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) level: Level,
    pub(super) version: Version,
}

impl Policy {
    const LENIENT: Self = Self {
        level: Level::Privileged,
        version: Version(None),
    };
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Privileged => "privileged",
            Level::Baseline => "baseline",
            Level::Restricted => "restricted",
        };
        match self.version.0 {
            None => write!(f, "{level}:latest"),
            Some(minor) => write!(f, "{level}:v1.{minor}"),
        }
    }
}

/// What is refused in a namespace, and what is warned of. (Nobody keeps the log that a third one would be for.)
pub(super) struct Policies {
    pub(super) enforce: Policy,
    pub(super) warn: Policy,
    /// What is wrong with the labels.
    pub(super) wrong: Vec<Cause>,
}

impl Policies {
    pub(super) fn of(namespace: &Value) -> Self {
        let labels = &namespace["metadata"]["labels"];
        let mut wrong = Vec::new();
        let (enforce, enforced) = policy(labels, "enforce", Level::Restricted, &mut wrong);
        policy(labels, "audit", Level::Privileged, &mut wrong);
        let (mut warn, warned) = policy(labels, "warn", Level::Privileged, &mut wrong);
        // What is refused of pods is warned of where pods are made of something.
        let is_said = |field: &str| !labels[format!("{LABEL}{field}")].is_null();
        if !warned && !is_said("warn") && enforced && enforce.level > warn.level {
            warn.level = enforce.level;
            if !is_said("warn-version") {
                warn.version = enforce.version;
            }
        }
        Self {
            enforce,
            warn,
            wrong,
        }
    }
}

/// The policy of two labels, and whether its level is one that was said. `unknown` takes the place of one that there is
/// not.
fn policy(labels: &Value, mode: &str, unknown: Level, wrong: &mut Vec<Cause>) -> (Policy, bool) {
    let mut policy = Policy::LENIENT;
    let mut is_said = false;
    let mut refuse = |label: &str, value: &str, why: &str| {
        let field = format!("metadata.labels[{label}]");
        wrong.push(Cause::invalid(&field, &value.into(), why));
    };
    let label = format!("{LABEL}{mode}");
    if let Some(level) = labels[&label].as_str() {
        let known = Level::parse(level);
        is_said = known.is_some();
        policy.level = known.unwrap_or(unknown);
        if !is_said {
            refuse(
                &label,
                level,
                "must be one of privileged, baseline, restricted",
            );
        }
    }
    let label = format!("{label}-version");
    if let Some(version) = labels[&label].as_str() {
        match Version::parse(version) {
            Some(version) => policy.version = version,
            None => refuse(&label, version, "must be \"latest\" or \"v1.x\""),
        }
    }
    (policy, is_said)
}
