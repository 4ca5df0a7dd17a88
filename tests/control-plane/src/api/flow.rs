//! Under which flow schema a request falls, and on which priority level, which the headers of its answer say.
//!
//! Requests are matched as in `k8s.io/apiserver/pkg/util/flowcontrol/rule.go`; none waits for another because of it.

use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderName, HeaderValue, Response};
use serde::{Deserialize, Deserializer};

use super::timeout::is_endless;
use crate::auth::{Attributes, User};
use crate::plane::World;
use crate::serve::Body;
use crate::store::{Bucket, Store};

const GROUP: &str = "flowcontrol.apiserver.k8s.io";
const SCHEMA_UID: HeaderName = HeaderName::from_static("x-kubernetes-pf-flowschema-uid");
const LEVEL_UID: HeaderName = HeaderName::from_static("x-kubernetes-pf-prioritylevel-uid");

/// Schemas and levels that are longer than this together, in bytes, are not looked at: each request would pay for them.
const LONGEST: usize = 256 * 1024;

/// Where flow schemas are kept.
pub(crate) fn schemas() -> Bucket {
    bucket("flowschemas")
}

/// Where priority levels are kept.
pub(crate) fn levels() -> Bucket {
    bucket("prioritylevelconfigurations")
}

fn bucket(plural: &str) -> Bucket {
    Bucket {
        group: GROUP.into(),
        plural: plural.into(),
    }
}

/// The flow schemas of the root, once somebody has asked.
#[derive(Default)]
pub(crate) struct Flows(Mutex<Option<Arc<[Arc<Flow>]>>>);

impl Flows {
    /// Has them read anew.
    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn read(&self, store: &Store) -> Arc<[Arc<Flow>]> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.get_or_insert_with(|| read(store)))
    }
}

/// A flow schema or a priority level, as far as is read of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Object {
    metadata: Metadata,
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: String,
    uid: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    matching_precedence: i64,
    priority_level_configuration: Named,
    #[serde(deserialize_with = "or_none")]
    rules: Vec<Rule>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    namespace: String,
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Rule {
    #[serde(deserialize_with = "or_none")]
    subjects: Vec<Subject>,
    #[serde(deserialize_with = "or_none")]
    resource_rules: Vec<ResourceRule>,
    #[serde(deserialize_with = "or_none")]
    non_resource_rules: Vec<PathRule>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Subject {
    kind: String,
    user: Option<Named>,
    group: Option<Named>,
    service_account: Option<Named>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ResourceRule {
    #[serde(deserialize_with = "or_none")]
    verbs: Vec<String>,
    #[serde(deserialize_with = "or_none")]
    api_groups: Vec<String>,
    #[serde(deserialize_with = "or_none")]
    resources: Vec<String>,
    #[serde(deserialize_with = "or_none")]
    namespaces: Vec<String>,
    cluster_scope: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PathRule {
    #[serde(deserialize_with = "or_none")]
    verbs: Vec<String>,
    #[serde(rename = "nonResourceURLs", deserialize_with = "or_none")]
    paths: Vec<String>,
}

/// A list, which may also be null.
fn or_none<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let list = Option::deserialize(from)?;
    Ok(list.unwrap_or_default())
}

/// A schema, and the headers that name it.
pub(super) struct Flow {
    rules: Vec<Rule>,
    schema: HeaderValue,
    level: HeaderValue,
}

impl Flow {
    /// The first that a request falls under. One that may take long, but for a watch, is under none.
    pub(super) fn of(world: &World, user: &User, asked: &Attributes) -> Option<Arc<Self>> {
        if is_endless(asked) && asked.verb != "watch" {
            return None;
        }
        let flows = world.flows.read(&world.root.store);
        flows.iter().find(|flow| flow.has(user, asked)).cloned()
    }

    fn has(&self, user: &User, asked: &Attributes) -> bool {
        self.rules.iter().any(|rule| {
            let mut subjects = rule.subjects.iter();
            subjects.any(|subject| is_for(subject, user)) && is_of(rule, asked)
        })
    }

    pub(super) fn tell(&self, response: &mut Response<Body>) {
        let headers = response.headers_mut();
        headers.insert(SCHEMA_UID, self.schema.clone());
        headers.insert(LEVEL_UID, self.level.clone());
    }
}

/// The schemas whose level is there, in the order in which they are asked.
fn read(store: &Store) -> Arc<[Arc<Flow>]> {
    if store.weight(&schemas()) + store.weight(&levels()) > LONGEST {
        return Arc::default();
    }
    let levels = all(store, &levels());
    let mut flows = all(store, &schemas());
    flows.sort_by(|one, other| {
        let place = |flow: &Object| flow.spec.matching_precedence;
        let by_name = || one.metadata.name.cmp(&other.metadata.name);
        place(one).cmp(&place(other)).then_with(by_name)
    });
    let uid = |object: &Object| HeaderValue::from_str(&object.metadata.uid).ok();
    let flows = flows.into_iter().filter_map(|flow| {
        let name = &flow.spec.priority_level_configuration.name;
        let level = levels.iter().find(|level| level.metadata.name == *name)?;
        Some(Arc::new(Flow {
            schema: uid(&flow)?,
            level: uid(level)?,
            rules: flow.spec.rules,
        }))
    });
    flows.collect()
}

fn all(store: &Store, bucket: &Bucket) -> Vec<Object> {
    let kept = store.list(bucket, None).objects;
    kept.iter().map(|kept| kept.part()).collect()
}

fn is_for(subject: &Subject, user: &User) -> bool {
    const ALL: &str = "*";
    match (&subject.user, &subject.group, &subject.service_account) {
        (Some(named), ..) if subject.kind == "User" => named.name == ALL || named.name == user.name,
        (_, Some(named), _) if subject.kind == "Group" => {
            named.name == ALL || user.is_in(&named.name)
        }
        (.., Some(named)) if subject.kind == "ServiceAccount" => {
            let all = format!("system:serviceaccount:{}:", named.namespace);
            let name = user.name.strip_prefix(&all);
            name.is_some_and(|name| named.name == ALL || named.name == name)
        }
        _ => false,
    }
}

fn is_of(rule: &Rule, asked: &Attributes) -> bool {
    let Some(path) = &asked.path else {
        let mut rules = rule.resource_rules.iter();
        return rules.any(|rule| is_of_resource(rule, asked));
    };
    let mut rules = rule.non_resource_rules.iter();
    rules.any(|rule| {
        let mut urls = rule.paths.iter();
        has(&rule.verbs, &asked.verb) && urls.any(|url| is_below(url, path))
    })
}

fn is_of_resource(rule: &ResourceRule, asked: &Attributes) -> bool {
    let is_there = match asked.namespace.as_str() {
        "" => rule.cluster_scope,
        namespace => has(&rule.namespaces, namespace),
    };
    is_there
        && has(&rule.verbs, &asked.verb)
        && has(&rule.api_groups, &asked.group)
        && has(&rule.resources, &asked.whole_resource())
}

fn has(words: &[String], word: &str) -> bool {
    words == ["*"] || words.iter().any(|one| one == word)
}

/// Whether a path is the one of a rule, or below it.
fn is_below(url: &str, path: &str) -> bool {
    let folder = url.strip_suffix('*').unwrap_or(url);
    let rest = path.strip_prefix(folder);
    url == "*"
        || url == path
        || rest.is_some_and(|rest| folder.ends_with('/') || rest.starts_with('/'))
}
