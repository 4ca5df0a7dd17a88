//! `PodTopologyLabels`: a pod says in its labels where its node is.

use serde_json::{Map, Value};

use super::bucket;
use crate::object;
use crate::plane::Plane;
use crate::store::Key;

const WHERE: [&str; 2] = [
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
];

/// Labels a pod, or what binds one, with the place of a node, where that is known.
pub(in crate::api) fn label(plane: &Plane, node: Option<&str>, object: &mut Value) {
    let place = node.map(|node| place(plane, node)).unwrap_or_default();
    if !place.is_empty() {
        let labels = object::metadata_mut(object).entry("labels");
        object::as_map(labels.or_insert(Value::Null)).extend(place);
    }
}

fn place(plane: &Plane, node: &str) -> Map<String, Value> {
    let node = plane.store.kept(&bucket("", "nodes"), &Key::new("", node));
    let labels = node.as_ref().map(|node| &node.read()["metadata"]["labels"]);
    let labels = labels.and_then(Value::as_object).into_iter().flatten();
    let told = labels.filter(|(label, _)| WHERE.contains(&label.as_str()));
    told.map(|(label, value)| (label.clone(), value.clone()))
        .collect()
}
