//! What a real server warns of in volumes.

use serde_json::Value;

use super::checks::{list, text};
use super::container_advice::in_parts;

/// Plugins that are no more: the field, what it is called, and since when.
const GONE: [(&str, &str, &str); 9] = [
    (
        "photonPersistentDisk",
        "photonPersistentDisk",
        "deprecated in v1.11, non-functional in v1.16+",
    ),
    (
        "gitRepo",
        "gitRepo",
        "deprecated in v1.11, and disabled by default in v1.33+",
    ),
    (
        "scaleIO",
        "scaleIO",
        "deprecated in v1.16, non-functional in v1.22+",
    ),
    (
        "flocker",
        "flocker",
        "deprecated in v1.22, non-functional in v1.25+",
    ),
    (
        "storageos",
        "storageOS",
        "deprecated in v1.22, non-functional in v1.25+",
    ),
    (
        "quobyte",
        "quobyte",
        "deprecated in v1.22, non-functional in v1.25+",
    ),
    (
        "glusterfs",
        "glusterfs",
        "deprecated in v1.25, non-functional in v1.26+",
    ),
    (
        "cephfs",
        "cephfs",
        "deprecated in v1.28, non-functional in v1.31+",
    ),
    (
        "rbd",
        "rbd",
        "deprecated in v1.28, non-functional in v1.31+",
    ),
];

/// Of the volumes of a pod.
pub(super) fn advice(volumes: &[Value], path: &str) -> Vec<String> {
    let mut told = Vec::new();
    for (index, volume) in volumes.iter().enumerate() {
        let path = format!("{path}[{index}]");
        told.extend(of_plugin(volume, &path));
        let claim = &volume["ephemeral"]["volumeClaimTemplate"]["spec"];
        let path = format!("{path}.ephemeral.volumeClaimTemplate.spec");
        told.extend(of_claim(claim, &path));
    }
    told.extend(volumes.iter().flat_map(of_paths));
    told
}

/// Of a volume's plugin, where it is one that is no more.
pub(super) fn of_plugin(volume: &Value, path: &str) -> Option<String> {
    let (_, called, why) = GONE
        .iter()
        .find(|(field, _, _)| !volume[*field].is_null())?;
    Some(format!("{path}.{called}: {why}"))
}

/// Of what a claim asks for.
pub(super) fn of_claim(spec: &Value, path: &str) -> Vec<String> {
    let of = |kind: &str| {
        let path = format!("{path}.resources.{kind}");
        in_parts(&spec["resources"][kind], &path, &["storage"])
    };
    let mut told = of("requests");
    told.extend(of("limits"));
    told
}

/// A path in a volume, and where it comes from.
struct Place {
    path: String,
    source: String,
}

impl Place {
    fn overlaps(&self, other: &Self) -> bool {
        let within = |one: &str, other: &str| {
            one.strip_prefix(other)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        within(&self.path, &other.path) || within(&other.path, &self.path)
    }

    fn shown(&self) -> String {
        match self.source.is_empty() {
            true => format!("{:?}", self.path),
            false => format!("{:?} ({})", self.path, self.source),
        }
    }
}

fn of_paths(volume: &Value) -> Vec<String> {
    let name = text(volume, "name");
    let kinds = [
        ("configMap", "ConfigMap", "name"),
        ("secret", "Secret", "secretName"),
        ("downwardAPI", "DownwardAPI", ""),
    ];
    let mut told = Vec::new();
    for (field, kind, key) in kinds {
        let source = &volume[field];
        let source_name = called(kind, text(source, key));
        let overlaps = overlaps(&places(source, ""));
        told.extend(overlaps.iter().map(|overlap| {
            format!("volume {name:?} ({source_name}): overlapping paths: {overlap}")
        }));
    }
    let mut all = Vec::new();
    for source in list(&volume["projected"], "sources") {
        let parts = source.as_object().into_iter().flatten();
        let Some((field, part)) = parts.into_iter().find(|(_, part)| !part.is_null()) else {
            told.push(format!(
                "volume {name:?} (Projected) has no sources provided"
            ));
            continue;
        };
        let token = [Place {
            path: text(part, "path").to_owned(),
            source: "ServiceAccountToken".to_owned(),
        }];
        match kinds.iter().find(|(known, _, _)| *known == field) {
            Some((_, kind, _)) => all.extend(places(part, &called(kind, text(part, "name")))),
            None if field == "serviceAccountToken" => all.extend(token),
            None => {}
        }
    }
    let overlaps = overlaps(&all);
    let overlaps = overlaps.iter();
    told.extend(
        overlaps
            .map(|overlap| format!("volume {name:?} (Projected): overlapping paths: {overlap}")),
    );
    told
}

fn called(kind: &str, name: &str) -> String {
    match name.is_empty() {
        true => kind.to_owned(),
        false => format!("{kind} {name:?}"),
    }
}

fn places(source: &Value, called: &str) -> Vec<Place> {
    let items = list(source, "items").iter();
    items
        .map(|item| Place {
            path: text(item, "path").trim_end_matches('/').to_owned(),
            source: called.to_owned(),
        })
        .collect()
}

fn overlaps(places: &[Place]) -> Vec<String> {
    let mut told = Vec::new();
    for (index, place) in places.iter().enumerate() {
        let before = places[..index].iter().filter(|known| place.overlaps(known));
        told.extend(before.map(|known| format!("{} with {}", place.shown(), known.shown())));
    }
    told
}
