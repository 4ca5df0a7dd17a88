//! What a real server warns of in volumes.

use std::collections::BTreeSet;

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

/// Of more overlaps, and of more of a path, nothing is seen: warnings are cut to so many characters.
const MOST_TOLD: usize = 4096;
const LONGEST_SHOWN: usize = 4096;

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
        let path: String = self.path.chars().take(LONGEST_SHOWN).collect();
        match self.source.is_empty() {
            true => format!("{path:?}"),
            false => format!("{path:?} ({})", self.source),
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
    let (mut told, mut roots) = (Vec::new(), Roots::default());
    for (index, place) in places.iter().enumerate() {
        if !roots.add(&place.path) || told.len() >= MOST_TOLD {
            continue;
        }
        let before = places[..index].iter().filter(|known| place.overlaps(known));
        told.extend(before.map(|known| format!("{} with {}", place.shown(), known.shown())));
    }
    told
}

/// The paths of which none is within another: one of many that is within none is soon known to be.
#[derive(Default)]
struct Roots(BTreeSet<String>);

impl Roots {
    /// Adds a path, and says whether it is within another, or another within it.
    fn add(&mut self, path: &str) -> bool {
        let path = format!("{path}/");
        let before = self.0.range(..=path.clone()).next_back();
        if before.is_some_and(|root| path.starts_with(root.as_str())) {
            return true;
        }
        let within = self.0.range(path.clone()..);
        let within = within.take_while(|root| root.starts_with(&path));
        let within: Vec<String> = within.cloned().collect();
        for root in &within {
            self.0.remove(root);
        }
        self.0.insert(path);
        !within.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_within_one_another_are_found_in_any_order() {
        let paths = ["a/b", "a/c", "ab", "a", "a/b/d", "", "/", "a/c"];
        let places = paths.map(|path| Place {
            path: path.to_owned(),
            source: String::new(),
        });
        for (index, place) in places.iter().enumerate() {
            let mut roots = Roots::default();
            let found: Vec<bool> = places[..=index]
                .iter()
                .map(|place| roots.add(&place.path))
                .collect();
            let overlaps = places[..index].iter().any(|known| place.overlaps(known));
            assert_eq!(found.last(), Some(&overlaps), "{:?}", place.path);
        }
    }
}
