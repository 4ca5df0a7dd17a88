//! Pods: what their containers have come to, in a word.

use std::collections::HashSet;
use std::ops::ControlFlow;

use serde_json::Value;

use super::super::Column;
use super::{age, age_of, at, list, or_none, text, text_column};

/// The columns behind the name.
pub(super) fn columns() -> Vec<Column> {
    vec![
        text_column("Ready", 0, |pod| {
            let Summary { ready, all, .. } = Summary::of(pod);
            format!("{ready}/{all}").into()
        }),
        text_column("Status", 0, |pod| Summary::of(pod).reason.into()),
        text_column("Restarts", 0, |pod| Summary::of(pod).restarts.told()),
        text_column("Age", 0, age),
        text_column("IP", 1, |pod| or_none(at(pod, "/status/podIPs/0/ip"))),
        text_column("Node", 1, |pod| or_none(at(pod, "/spec/nodeName"))),
        text_column("Nominated Node", 1, |pod| {
            or_none(at(pod, "/status/nominatedNodeName"))
        }),
        text_column("Readiness Gates", 1, gates),
    ]
}

/// How often containers were started again, and when the last of them had ended before.
#[derive(Default)]
struct Restarts {
    count: i64,
    last: Option<String>,
}

impl Restarts {
    fn add(&mut self, status: &Value) {
        self.count += number(status, "/restartCount");
        let ended = text(status, "/lastState/terminated/finishedAt");
        // Times of one form are in the order of their texts.
        if !ended.is_empty() && self.last.as_deref().is_none_or(|last| last < ended) {
            self.last = Some(ended.to_owned());
        }
    }

    fn told(&self) -> Value {
        match &self.last {
            Some(last) if self.count != 0 => {
                let age = age_of(Some(last));
                let age = age.as_str().unwrap_or_default();
                format!("{} ({age} ago)", self.count).into()
            }
            _ => self.count.to_string().into(),
        }
    }
}

/// What there is to be told of a pod.
struct Summary {
    ready: usize,
    all: usize,
    reason: String,
    restarts: Restarts,
}

impl Summary {
    fn of(pod: &Value) -> Self {
        let sidecars = list(pod, "/spec/initContainers").filter(|is| is_sidecar(is));
        let said = text(pod, "/status/reason");
        let mut summary = Self {
            ready: 0,
            all: list(pod, "/spec/containers").count() + sidecars.count(),
            reason: match said {
                "" => text(pod, "/status/phase"),
                said => said,
            }
            .to_owned(),
            restarts: Restarts::default(),
        };
        const GATED: &str = "SchedulingGated";
        let mut conditions = list(pod, "/status/conditions");
        if conditions.any(|is| is["type"] == "PodScheduled" && is["reason"] == GATED) {
            summary.reason = GATED.to_owned();
        }
        let of_sidecars = summary.begin(pod);
        if let Some(of_sidecars) = of_sidecars {
            summary.restarts = of_sidecars;
            summary.run(pod);
        }
        let is_deleting = pod.pointer("/metadata/deletionTimestamp").is_some();
        let is_over = ["Succeeded", "Failed"].contains(&text(pod, "/status/phase"));
        if is_deleting && said == "NodeLost" {
            summary.reason = "Unknown".to_owned();
        } else if is_deleting && !is_over {
            summary.reason = "Terminating".to_owned();
        }
        summary
    }

    /// Looks at what comes before the containers. Returns the restarts of those that stay, unless it still goes on.
    fn begin(&mut self, pod: &Value) -> Option<Restarts> {
        let specs = || list(pod, "/spec/initContainers");
        let sidecars: HashSet<&str> = specs()
            .filter(|is| is_sidecar(is))
            .map(|is| text(is, "/name"))
            .collect();
        let mut of_sidecars = Restarts::default();
        let mut goes_on = false;
        for (index, status) in list(pod, "/status/initContainerStatuses").enumerate() {
            self.restarts.add(status);
            let stays = sidecars.contains(text(status, "/name"));
            if stays {
                of_sidecars.add(status);
            }
            if let ControlFlow::Break(reason) = self.one(status, stays) {
                let count = specs().count();
                self.reason = reason.unwrap_or_else(|| format!("Init:{index}/{count}"));
                goes_on = true;
                break;
            }
        }
        let is_initialized = has(pod, "Initialized");
        (!goes_on || is_initialized).then_some(of_sidecars)
    }

    /// Looks at one of them; that at which it stops may say why.
    fn one(&mut self, status: &Value, stays: bool) -> ControlFlow<Option<String>> {
        let ended = status.pointer("/state/terminated");
        let waits = text(status, "/state/waiting/reason");
        match ended {
            Some(ended) if number(ended, "/exitCode") == 0 => ControlFlow::Continue(()),
            _ if stays && status["started"] == true => {
                self.ready += usize::from(status["ready"] == true);
                ControlFlow::Continue(())
            }
            Some(ended) => ControlFlow::Break(Some(format!("Init:{}", end(ended)))),
            None if !["", "PodInitializing"].contains(&waits) => {
                ControlFlow::Break(Some(format!("Init:{waits}")))
            }
            None => ControlFlow::Break(None),
        }
    }

    /// Looks at the containers, of which the first says most.
    fn run(&mut self, pod: &Value) {
        let (mut is_running, mut failure) = (false, None);
        let statuses: Vec<&Value> = list(pod, "/status/containerStatuses").collect();
        for status in statuses.into_iter().rev() {
            self.restarts.add(status);
            let waits = text(status, "/state/waiting/reason");
            if !waits.is_empty() {
                self.reason = waits.to_owned();
            } else if let Some(ended) = status.pointer("/state/terminated") {
                self.reason = end(ended);
                if number(ended, "/exitCode") != 0 {
                    failure = Some(self.reason.clone());
                }
            } else if status["ready"] == true && status.pointer("/state/running").is_some() {
                is_running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" {
            self.reason = match failure {
                _ if is_running && has(pod, "Ready") => "Running".to_owned(),
                Some(failure) => failure,
                None if is_running => "NotReady".to_owned(),
                None => return,
            };
        }
    }
}

/// Why a container has ended.
fn end(ended: &Value) -> String {
    match (text(ended, "/reason"), number(ended, "/signal")) {
        ("", 0) => format!("ExitCode:{}", number(ended, "/exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

/// Whether it is begun before the containers, and stays.
fn is_sidecar(container: &Value) -> bool {
    container["restartPolicy"] == "Always"
}

fn has(pod: &Value, condition: &str) -> bool {
    let mut conditions = list(pod, "/status/conditions");
    conditions.any(|is| is["type"] == condition && is["status"] == "True")
}

fn number(object: &Value, pointer: &str) -> i64 {
    let number = object.pointer(pointer).and_then(Value::as_i64);
    number.unwrap_or(0)
}

fn gates(pod: &Value) -> Value {
    let gates: Vec<&Value> = list(pod, "/spec/readinessGates").collect();
    if gates.is_empty() {
        return "<none>".into();
    }
    let conditions = list(pod, "/status/conditions");
    let conditions = conditions.filter(|condition| condition["status"] == "True");
    let told: HashSet<&str> = conditions
        .map(|condition| text(condition, "/type"))
        .collect();
    let is_true = |gate: &&&Value| told.contains(text(gate, "/conditionType"));
    format!("{}/{}", gates.iter().filter(is_true).count(), gates.len()).into()
}
