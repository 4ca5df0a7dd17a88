//! The fields whose Go type has a name of its own (`named.txt`, which `tools/named.py` writes): a line `STRUCT:`, and below it
//! `FIELD TYPE` with commas between, where `[]` or `{}` behind a type says that it is a list or a map.

use std::collections::BTreeMap;
use std::sync::LazyLock;

static NAMED: LazyLock<BTreeMap<(&str, &str), &str>> = LazyLock::new(|| {
    let mut named = BTreeMap::new();
    let mut open = "";
    for line in include_str!("named.txt").lines() {
        if let Some(name) = line.strip_suffix(':') {
            open = name;
        } else {
            let fields = line
                .split(',')
                .filter_map(|field| field.trim().split_once(' '));
            named.extend(fields.map(|(field, called)| ((open, field), called)));
        }
    }
    named
});

/// What a type is called that would be called otherwise in another place: that of a field of a struct, or of an element.
pub(super) fn called(holder: &str, field: &str, otherwise: String) -> String {
    let Some(called) = NAMED.get(&(holder, field)) else {
        return otherwise;
    };
    let of_map = called
        .strip_prefix("map[")
        .and_then(|map| Some(map.split_once(']')?.1));
    let element = of_map.or(called.strip_prefix("[]")).unwrap_or(called);
    let own = |called: &str| called.trim_end_matches(['[', ']', '{', '}']).to_owned();
    match otherwise.chars().next() {
        Some('[') if of_map.is_some() => own(element),
        Some('[' | 'm') => own(called),
        _ if otherwise == "string" && own(element) == element => element.to_owned(),
        _ => otherwise,
    }
}

/// What a type of such a name is: `string`, `[]` or `{}`.
pub(crate) fn kind_of(called: &str) -> Option<&'static str> {
    NAMED.values().find_map(|known| {
        let element = known.strip_prefix("[]").unwrap_or(known);
        match element.strip_prefix(called)? {
            "" => Some("string"),
            "[]" => Some("[]"),
            "{}" => Some("{}"),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_called_as_go_calls_them() {
        let called = |holder, field, otherwise: &str| called(holder, field, otherwise.to_owned());
        assert_eq!(
            called("Container", "imagePullPolicy", "string"),
            "v1.PullPolicy"
        );
        assert_eq!(called("Container", "image", "string"), "string");
        assert_eq!(called("Capabilities", "add", "[]string"), "[]v1.Capability");
        assert_eq!(called("Capabilities", "add", "string"), "v1.Capability");
        assert_eq!(
            called(
                "ResourceRequirements",
                "limits",
                "map[string]resource.Quantity"
            ),
            "v1.ResourceList"
        );
        assert_eq!(
            called("ResourceRequirements", "limits", "resource.Quantity"),
            "resource.Quantity"
        );
        assert_eq!(called("ObjectMeta", "uid", "string"), "types.UID");
        let extra = |otherwise| called("CertificateSigningRequestSpec", "extra", otherwise);
        assert_eq!(extra("map[string][]string"), "map[string]v1.ExtraValue");
        assert_eq!(extra("[]string"), "v1.ExtraValue");
        assert_eq!(extra("string"), "string");
        assert_eq!(kind_of("v1.PullPolicy"), Some("string"));
        assert_eq!(kind_of("v1.ResourceList"), Some("{}"));
        assert_eq!(kind_of("v1.Container"), None);
    }
}
