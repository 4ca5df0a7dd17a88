//! How much a whole pod asks for.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::schema::{in_billionths, plus};

/// Quantities by the name of the resource.
pub(crate) type Resources = BTreeMap<String, String>;

pub(crate) fn of(resources: &Value) -> Resources {
    let resources = resources.as_object().into_iter().flatten();
    resources
        .filter_map(|(name, quantity)| Some((name.clone(), quantity.as_str()?.to_owned())))
        .collect()
}

/// The `requests` or `limits` of a pod: what it says of itself counts before what its containers say.
pub(super) fn of_pod(spec: &Value, field: &str) -> Resources {
    let mut all = of_containers(spec, field);
    let own = of(&spec["resources"][field]).into_iter();
    all.extend(own.filter(|(name, _)| is_of_pods(name)));
    all
}

/// Whether a pod may say it of itself.
pub(crate) fn is_of_pods(name: &str) -> bool {
    name == "cpu" || name == "memory" || is_of_huge_pages(name)
}

pub(crate) fn is_of_huge_pages(name: &str) -> bool {
    name.starts_with("hugepages-")
}

/// Those of the containers of a pod together, or of the greediest that runs before them if that is more.
pub(crate) fn of_containers(spec: &Value, field: &str) -> Resources {
    let mut all = Resources::new();
    for container in spec["containers"].as_array().into_iter().flatten() {
        add(&mut all, &of(&container["resources"][field]));
    }
    let mut beside = Resources::new();
    let mut before = Resources::new();
    for container in spec["initContainers"].as_array().into_iter().flatten() {
        let mut own = of(&container["resources"][field]);
        if container["restartPolicy"] == "Always" {
            add(&mut all, &own);
            add(&mut beside, &own);
            own.clone_from(&beside);
        } else {
            add(&mut own, &beside);
        }
        most(&mut before, &own);
    }
    most(&mut all, &before);
    all
}

pub(super) fn add(all: &mut Resources, more: &Resources) {
    for (name, quantity) in more {
        let sum = match all.get(name) {
            Some(known) => plus(known, quantity),
            None => quantity.clone(),
        };
        all.insert(name.clone(), sum);
    }
}

fn most(all: &mut Resources, others: &Resources) {
    for (name, quantity) in others {
        let known = all.get(name);
        if known.is_none_or(|known| in_billionths(quantity) > in_billionths(known)) {
            all.insert(name.clone(), quantity.clone());
        }
    }
}
