//! One rule of a role.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use crate::auth::Attributes;
use crate::odd;

/// What a rule allows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Rule {
    pub(crate) verbs: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) names: Vec<String>,
    pub(crate) urls: Vec<String>,
}

/// What stands for all verbs, groups, resources or paths.
pub(crate) const ALL: &str = "*";

impl Rule {
    /// All verbs on all resources, and on all paths.
    pub(crate) fn everything() -> [Self; 2] {
        let all = || vec![ALL.to_owned()];
        let resources = Self {
            verbs: all(),
            groups: all(),
            resources: all(),
            ..Self::default()
        };
        let paths = Self {
            verbs: all(),
            urls: all(),
            ..Self::default()
        };
        [resources, paths]
    }

    pub(crate) fn read(rule: &Value) -> Self {
        let list = |field: &str| {
            let values = rule.get(field).and_then(Value::as_array);
            let texts = values.into_iter().flatten().filter_map(Value::as_str);
            texts.map(odd::read_text).collect()
        };
        Self {
            verbs: list("verbs"),
            groups: list("apiGroups"),
            resources: list("resources"),
            names: list("resourceNames"),
            urls: list("nonResourceURLs"),
        }
    }

    /// The rules of a role.
    pub(crate) fn all_of(role: &Value) -> Vec<Self> {
        let rules = role.get("rules").and_then(Value::as_array);
        rules.into_iter().flatten().map(Self::read).collect()
    }

    pub(crate) fn allows(&self, asked: &Attributes) -> bool {
        let has = |list: &[String], wanted: &str| has(list, ALL) || has(list, wanted);
        if !has(&self.verbs, &asked.verb) {
            return false;
        }
        if let Some(path) = &asked.path {
            return self.urls.iter().any(|url| url_covers(url, path));
        }
        has(&self.groups, &asked.group)
            && self.has_resource(asked)
            && (self.names.is_empty() || self.names.contains(&asked.name))
    }

    fn has_resource(&self, asked: &Attributes) -> bool {
        let any = || format!("{ALL}/{}", asked.subresource);
        has(&self.resources, ALL)
            || has(&self.resources, &asked.whole_resource())
            || (!asked.subresource.is_empty() && has(&self.resources, &any()))
    }

    /// Whether it allows all that another does.
    fn covers(&self, other: &Self) -> bool {
        let all = |ours: &[String], theirs: &[String]| {
            has(ours, ALL) || theirs.iter().all(|wanted| has(ours, wanted))
        };
        let resource = |wanted: &String| {
            let subresource = wanted.split_once('/');
            has(&self.resources, wanted)
                || subresource
                    .is_some_and(|(_, name)| has(&self.resources, &format!("{ALL}/{name}")))
        };
        let resources = has(&self.resources, ALL) || other.resources.iter().all(resource);
        let names = self.names.is_empty()
            || (!other.names.is_empty() && other.names.iter().all(|name| has(&self.names, name)));
        let url = |wanted: &String| self.urls.iter().any(|ours| url_covers(ours, wanted));
        all(&self.verbs, &other.verbs)
            && all(&self.groups, &other.groups)
            && resources
            && names
            && other.urls.iter().all(url)
    }

    /// The smallest rules that it is made of, one after the other: there may be very many.
    fn pieces(&self) -> impl Iterator<Item = Self> {
        self.verbs.iter().flat_map(move |verb| {
            let of_resources = self.groups.iter().flat_map(move |group| {
                let resources = self.resources.iter();
                resources.flat_map(move |resource| self.pieces_of(verb, group, resource))
            });
            let of_urls = self.urls.iter().map(move |url| Self {
                verbs: vec![verb.clone()],
                urls: vec![url.clone()],
                ..Self::default()
            });
            of_resources.chain(of_urls)
        })
    }

    /// A piece for each name, or one for all.
    fn pieces_of(&self, verb: &str, group: &str, resource: &str) -> impl Iterator<Item = Self> {
        let piece = Self {
            verbs: vec![verb.to_owned()],
            groups: vec![group.to_owned()],
            resources: vec![resource.to_owned()],
            ..Self::default()
        };
        let of_all = self.names.is_empty().then(|| piece.clone());
        let of_each = self.names.iter().map(move |name| Self {
            names: vec![name.clone()],
            ..piece.clone()
        });
        of_all.into_iter().chain(of_each)
    }

    /// As a refusal to grant it shows it.
    fn text(&self) -> String {
        let list = |name: &str, values: &[String]| {
            let quoted: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
            (!values.is_empty()).then(|| format!("{name}:[{}]", quoted.join(" ")))
        };
        let parts: Vec<String> = [
            list("APIGroups", &self.groups),
            list("Resources", &self.resources),
            list("NonResourceURLs", &self.urls),
            list("ResourceNames", &self.names),
            list("Verbs", &self.verbs),
        ]
        .into_iter()
        .flatten()
        .collect();
        format!("{{{}}}", parts.join(", "))
    }

    /// What a review of rules says of it.
    pub(crate) fn to_review(&self) -> (Option<Value>, Option<Value>) {
        let resource = (!self.resources.is_empty()).then(|| {
            let mut rule =
                json!({"verbs": self.verbs, "apiGroups": self.groups, "resources": self.resources});
            if !self.names.is_empty() {
                rule["resourceNames"] = json!(self.names);
            }
            rule
        });
        let path = (!self.urls.is_empty())
            .then(|| json!({"verbs": self.verbs, "nonResourceURLs": self.urls}));
        (resource, path)
    }
}

/// How often a piece of a rule is held against a rule: the pieces are as many as its verbs times its groups times its
/// resources. A real server looks at all, as long as it has memory.
const MOST_LOOKS: usize = 200_000;
/// How many missing ones are told.
const MOST_MISSING: usize = 10_000;

/// What of some rules is not allowed by those that somebody holds, a line for each.
pub(crate) fn not_held<'a>(
    held: impl Iterator<Item = &'a Rule> + Clone,
    wanted: &[Rule],
) -> Vec<String> {
    // Whoever holds many rules gives away many of them as they are.
    let as_they_are: HashSet<&Rule> = held.clone().collect();
    let is_held =
        |rule: &Rule| as_they_are.contains(rule) || held.clone().any(|ours| ours.covers(rule));
    let not_whole = wanted.iter().filter(|rule| !is_held(rule));
    let most = (MOST_LOOKS / held.clone().count().max(1)).max(1_000);
    let mut missing: Vec<Rule> = Vec::new();
    let mut places: HashMap<_, usize> = HashMap::new();
    for (at, piece) in not_whole.flat_map(Rule::pieces).enumerate() {
        // Whether more is held need not be known once something is not, and of very many pieces it is not known.
        if at >= most || missing.len() >= MOST_MISSING {
            if missing.is_empty() {
                missing.push(piece);
            }
            break;
        }
        if is_held(&piece) {
            continue;
        }
        if !piece.urls.is_empty() {
            missing.push(piece);
            continue;
        }
        // The verbs on one thing stand together.
        let thing = (
            piece.groups.clone(),
            piece.resources.clone(),
            piece.names.clone(),
        );
        match places.entry(thing) {
            Entry::Occupied(place) => {
                if let Some(known) = missing.get_mut(*place.get()) {
                    known.verbs.extend(piece.verbs);
                }
            }
            Entry::Vacant(place) => {
                place.insert(missing.len());
                missing.push(piece);
            }
        }
    }
    let mut lines: Vec<String> = missing.iter().map(Rule::text).collect();
    lines.sort();
    lines
}

fn has(list: &[String], wanted: &str) -> bool {
    list.iter().any(|known| known == wanted)
}

/// A path may end in a star, which stands for all that begins like it.
fn url_covers(ours: &str, wanted: &str) -> bool {
    ours == wanted || ours.ends_with(ALL) && wanted.starts_with(ours.trim_end_matches(ALL))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(value: Value) -> Rule {
        Rule::read(&value)
    }

    fn asked(verb: &str, resource: &str, subresource: &str, name: &str) -> Attributes {
        Attributes {
            verb: verb.into(),
            resource: resource.into(),
            subresource: subresource.into(),
            name: name.into(),
            ..Attributes::default()
        }
    }

    #[test]
    fn a_rule_allows_what_it_names() {
        let status =
            rule(json!({"verbs": ["get"], "apiGroups": [""], "resources": ["*/status", "pods"]}));
        assert!(status.allows(&asked("get", "pods", "status", "a")));
        assert!(status.allows(&asked("get", "nodes", "status", "a")));
        assert!(!status.allows(&asked("get", "nodes", "", "a")));
        assert!(!status.allows(&asked("get", "pods", "log", "a")));
        let named = rule(
            json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "resourceNames": ["a"]}),
        );
        assert!(named.allows(&asked("delete", "pods", "log", "a")));
        assert!(!named.allows(&asked("list", "pods", "", "")));
        let path = rule(json!({"verbs": ["get"], "nonResourceURLs": ["/api", "/logs/*"]}));
        assert!(path.allows(&Attributes::of_path("get", "/logs/a/b")));
        assert!(!path.allows(&Attributes::of_path("get", "/logs")));
        assert!(!path.allows(&Attributes::of_path("post", "/api")));
    }

    #[test]
    fn what_is_not_held_is_told_in_order() {
        let held = [rule(
            json!({"verbs": ["get"], "apiGroups": [""], "resources": ["pods", "*/scale"]}),
        )];
        let wanted = [
            rule(
                json!({"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods", "rcs/scale"]}),
            ),
            rule(json!({"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]})),
            rule(
                json!({"verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["a"]}),
            ),
            rule(json!({"verbs": ["get"], "nonResourceURLs": ["/a"]})),
        ];
        assert_eq!(
            not_held(held.iter(), &wanted),
            [
                r#"{APIGroups:[""], Resources:["configmaps"], ResourceNames:["a"], Verbs:["get"]}"#,
                r#"{APIGroups:[""], Resources:["pods"], Verbs:["list" "list"]}"#,
                r#"{APIGroups:[""], Resources:["rcs/scale"], Verbs:["list"]}"#,
                r#"{NonResourceURLs:["/a"], Verbs:["get"]}"#,
            ]
        );
    }

    #[test]
    fn of_very_many_pieces_some_are_told_and_none_is_granted() {
        let words =
            |start: &str, count: usize| Vec::from_iter((0..count).map(|at| format!("{start}{at}")));
        let huge = |verbs: Vec<String>| {
            rule(json!({
                "verbs": verbs, "apiGroups": words("g", 300), "resources": words("r", 300), "resourceNames": words("n", 300),
            }))
        };
        let wanted = [huge(words("v", 300))];
        let told = not_held(std::iter::empty(), &wanted);
        assert!((1..=20_000).contains(&told.len()), "{}", told.len());
        // All that is looked at is held, and what is behind that is not.
        let held = [huge(words("v", 299))];
        assert_eq!(not_held(held.iter(), &wanted).len(), 1);
        assert!(not_held(wanted.iter(), &wanted).is_empty());
    }
}
