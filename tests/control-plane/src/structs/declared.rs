//! What Go calls the place and the type of a field, in what it says of one that it cannot decode.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{Field, Kind, Struct, TABLE, of};

/// A field of a kind, as it is declared.
pub(crate) struct Declared {
    /// The way there, with the structs that have no name in JSON.
    pub(crate) path: String,
    /// Its type, if it is a named one that is no struct.
    pub(crate) go_type: Option<&'static str>,
}

impl Declared {
    /// Follows a path without indices and keys.
    pub(crate) fn find(root: &'static Struct, path: &str) -> Option<Self> {
        let mut at = root;
        let mut names = Vec::new();
        let mut last = None;
        for name in path.split('.') {
            let is_whole = at.fields.iter().any(|field| field.name == "metadata");
            if is_whole && ["apiVersion", "kind"].contains(&name) {
                names.extend(["TypeMeta", name]);
                break;
            }
            let field = find(at, name, &mut names)?;
            names.push(name);
            at = message(&field.kind).map_or(&super::NONE, of);
            last = field.declared;
        }
        Some(Self {
            path: names.join("."),
            go_type: last,
        })
    }
}

/// A field of a struct or of those within it that have no name; theirs come to `names`.
fn find(at: &'static Struct, name: &str, names: &mut Vec<&str>) -> Option<&'static Field> {
    let own = at.fields.iter().find(|field| field.name == name);
    own.or_else(|| {
        at.fields.iter().find_map(|field| {
            let Kind::Flat(within) = field.kind else {
                return None;
            };
            let before = names.len();
            names.push(within.rsplit('.').next().unwrap_or(within));
            let found = find(of(within), name, names);
            if found.is_none() {
                names.truncate(before);
            }
            found
        })
    })
}

fn message(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::List(of) | Kind::Map(of) | Kind::Items(of) => message(of),
        Kind::Message(name) => Some(name),
        _ => None,
    }
}

/// The type of what is in a list or a map.
pub(crate) fn element(go_type: &'static str) -> Option<&'static str> {
    let in_list = go_type.strip_prefix("[]");
    in_list.or_else(|| Some(go_type.strip_prefix("map[")?.split_once(']')?.1))
}

/// What a named type is made of, as Go's reflection calls it: `string`, `map` or `slice`; none for a struct.
pub(crate) fn underlying(go_type: &str) -> Option<&'static str> {
    static KINDS: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| {
        let fields = TABLE.structs.values().flat_map(|known| &known.fields);
        let named = fields.filter_map(|field| {
            let (mut go_type, mut kind) = (field.declared?, &field.kind);
            while let (Some(within), Kind::List(of) | Kind::Map(of)) = (element(go_type), kind) {
                (go_type, kind) = (within, of);
            }
            let kind = match kind {
                Kind::Map(_) => "map",
                Kind::List(_) | Kind::Items(_) => "slice",
                _ => "string",
            };
            Some((go_type, kind))
        });
        named.collect()
    });
    KINDS.get(go_type).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structs::of_object;

    #[test]
    fn fields_are_called_as_they_are_declared() {
        let declared = |api_version, kind, path| {
            let root = of_object(api_version, kind).unwrap();
            let found = Declared::find(root, path).unwrap();
            (found.path, found.go_type)
        };
        let in_volume = "spec.volumes.VolumeSource.hostPath.type".to_owned();
        assert_eq!(
            declared("v1", "Pod", "spec.volumes.hostPath.type"),
            (in_volume, Some("v1.HostPathType"))
        );
        let (path, go_type) = declared("v1", "PersistentVolumeClaim", "spec.accessModes");
        assert_eq!(path, "spec.accessModes");
        let go_type = go_type.unwrap();
        assert_eq!(go_type, "[]v1.PersistentVolumeAccessMode");
        assert_eq!(element(go_type), Some("v1.PersistentVolumeAccessMode"));
        assert!(Declared::find(of_object("v1", "Pod").unwrap(), "spec.nothing").is_none());
    }

    #[test]
    fn it_is_known_what_a_named_type_is_made_of() {
        assert_eq!(underlying("v1.Protocol"), Some("string"));
        assert_eq!(underlying("v1.PersistentVolumeAccessMode"), Some("string"));
        assert_eq!(underlying("v1.ResourceList"), Some("map"));
        assert_eq!(underlying("v1.ExtraValue"), Some("slice"));
        assert_eq!(underlying("v1.PodSpec"), None);
    }
}
