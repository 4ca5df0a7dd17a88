//! What a control plane serves: the built-in resources, and those of its CRDs.

mod administration;
mod approval;
pub(crate) mod autoscalers;
mod builtin;
mod columns;
mod crd;
pub(crate) mod default_class;
mod definition_conversion;
mod definition_formats;
mod definition_names;
mod definition_rules;
mod jsonpath;
mod printers;
mod registry;
mod scale;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use tokio_util::sync::CancellationToken;

pub(crate) use builtin::{eviction, scale as scale_resource, token_request};
pub(crate) use columns::Column;
pub(crate) use crd::{
    Going, accept as accept_crd, check_status as check_status_of_crd, deleting as crd_deleting,
    not_done as not_done_for_crd, priority, set_defaults as set_crd_defaults,
    terminating as crd_terminating,
};
pub(crate) use definition_formats::unknown_formats;
pub(crate) use definition_names::{Taken, accept_names, installing, is_established};
pub(crate) use printers::{custom_scale_columns, scale_columns};
pub(crate) use registry::Registry;
pub(crate) use scale::{Scale, Selection, in_one_line};

use crate::schema::Schema;
use crate::store::{Bucket, Kept};

/// One resource, in all its versions.
#[derive(Debug)]
pub(crate) struct Resource {
    /// Where its objects are stored.
    pub(crate) bucket: Bucket,
    pub(crate) group: Arc<str>,
    pub(crate) plural: Arc<str>,
    pub(crate) singular: String,
    pub(crate) kind: String,
    pub(crate) list_kind: String,
    pub(crate) short_names: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) namespaced: bool,
    /// Only those that are served, the preferred one first.
    pub(crate) versions: Vec<Version>,
    /// The version that objects are stored in.
    pub(crate) stored: String,
    /// The schema of that version, where objects may be stored that are not of its form: there are other versions, or
    /// there was another schema.
    pub(crate) stored_shape: Option<Box<Schema>>,
    pub(crate) origin: Origin,
}

/// Where a resource comes from.
#[derive(Debug)]
pub(crate) enum Origin {
    /// It is always there.
    BuiltIn {
        /// Whether Milo serves it in projects.
        in_projects: bool,
        /// Whether `metadata.generation` is kept.
        generation: bool,
        /// Whether a delete answers with the object instead of a Status.
        returns_deleted: bool,
        /// Whether it is answered, and never stored.
        review: bool,
    },
    /// A CustomResourceDefinition.
    Crd {
        /// The CRD is being deleted: nothing new is created.
        terminating: AtomicBool,
        /// What it says.
        spec: Value,
        /// It says something else by now, or is gone: watches end.
        replaced: CancellationToken,
        /// Which of all that were served by now: what said something else, or was gone in between, had another number.
        edition: u64,
    },
}

/// One version of a resource.
#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) name: String,
    pub(crate) schema: Shape,
    /// The schema as it was given, for OpenAPI.
    pub(crate) raw: Option<Value>,
    /// Whether that is so long that it may take a while to look at an object.
    pub(crate) is_long: bool,
    /// What is warned of where it is used.
    pub(crate) deprecation: Option<String>,
    /// Whether `status` is a subresource.
    pub(crate) status: bool,
    /// Where the `scale` subresource reads and writes, where there is one.
    pub(crate) scale: Option<Scale>,
    /// The fields besides name and namespace that a field selector may name, without the leading dot.
    pub(crate) selectable: Vec<String>,
    /// The columns that `kubectl get` shows.
    pub(crate) columns: Vec<Column>,
}

/// What the objects of a version look like.
#[derive(Debug)]
pub(crate) enum Shape {
    /// One of the table of built-in kinds.
    BuiltIn(&'static Schema),
    /// A CRD's.
    Own(Box<Schema>),
}

impl Shape {
    pub(crate) fn schema(&self) -> &Schema {
        match self {
            Self::BuiltIn(schema) => schema,
            Self::Own(schema) => schema,
        }
    }
}

impl Resource {
    pub(crate) fn version(&self, name: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.name == name)
    }

    /// Brings an object into a version, where the versions of a resource of Kubernetes have different fields.
    pub(crate) fn convert(&self, object: &mut Value, version: &str) {
        if self.is_autoscaler() {
            autoscalers::convert(object, &self.api_version(version));
        }
    }

    /// Whether its versions have different fields, and it is none of a CRD.
    pub(crate) fn is_autoscaler(&self) -> bool {
        self.is("autoscaling", "horizontalpodautoscalers")
    }

    /// The schema of a version, which a CRD need not serve.
    pub(crate) fn schema_of(&self, name: &str) -> Option<Cow<'_, Schema>> {
        if let Some(version) = self.version(name) {
            return Some(Cow::Borrowed(version.schema.schema()));
        }
        let schema = Schema::from_crd_version(self.declared(name)?);
        schema.ok().map(Cow::Owned)
    }

    /// Whether one of its versions is called so.
    pub(crate) fn has_version(&self, api_version: &str) -> bool {
        let mut versions = self.versions.iter();
        versions.any(|version| self.api_version(&version.name) == api_version)
    }

    /// Whether `status` is a subresource of a version, which a CRD need not serve.
    pub(crate) fn has_status(&self, name: &str) -> bool {
        match self.version(name) {
            Some(version) => version.status,
            None => self
                .declared(name)
                .and_then(|version| version.pointer("/subresources/status"))
                .is_some(),
        }
    }

    /// A version of a CRD as it says it.
    fn declared(&self, name: &str) -> Option<&Value> {
        let mut declared = self.all_declared();
        declared.find(|version| version.get("name").is_some_and(|own| own == name))
    }

    fn all_declared(&self) -> impl Iterator<Item = &Value> {
        let versions = match &self.origin {
            Origin::Crd { spec, .. } => spec.get("versions").and_then(Value::as_array),
            Origin::BuiltIn { .. } => None,
        };
        versions.into_iter().flatten()
    }

    /// The versions that a definition names, served or not, as objects say them.
    fn declared_versions(&self) -> impl Iterator<Item = String> {
        let names = self
            .all_declared()
            .filter_map(|version| version.get("name")?.as_str());
        names.map(|name| self.api_version(name))
    }

    /// Whether one of those is called so.
    pub(crate) fn declares(&self, api_version: &str) -> bool {
        self.declared_versions().any(|own| own == api_version)
    }

    /// Why one of these objects can be read by nobody: the version that it was stored in is none of its definition any
    /// more, served or not.
    pub(crate) fn unreadable<'k>(
        &self,
        mut objects: impl Iterator<Item = &'k Arc<Kept>>,
    ) -> Option<String> {
        // Where there was never but one version and one schema, nothing is stored in another.
        self.stored_shape.as_ref()?;
        let readable: Vec<String> = self.declared_versions().collect();
        let unknown =
            objects.find(|object| !readable.iter().any(|version| object.is_of(version)))?;
        let object = unknown.value();
        let version = object["apiVersion"].as_str().unwrap_or_default();
        Some(format!(
            "request to convert CR from an invalid group/version: {version}"
        ))
    }

    /// Whether it is that of events, in either of its groups.
    pub(crate) fn is_event(&self) -> bool {
        self.kind == "Event" && !self.is_crd()
    }

    pub(crate) fn is_crd(&self) -> bool {
        matches!(self.origin, Origin::Crd { .. })
    }

    /// Whether it is answered, and never stored.
    pub(crate) fn is_review(&self) -> bool {
        matches!(self.origin, Origin::BuiltIn { review: true, .. })
    }

    /// Whether it can be told in lines: of what is only posted nobody has thought of columns.
    pub(crate) fn has_tables(&self) -> bool {
        !self.is_review() || self.kind == "Scale"
    }

    /// Whether nobody writes it and nothing happens to it: it is read, and not watched.
    pub(crate) fn is_read_only(&self) -> bool {
        self.is("", "componentstatuses")
    }

    /// Whether Milo serves it in projects.
    pub(crate) fn in_projects(&self) -> bool {
        match self.origin {
            Origin::BuiltIn { in_projects, .. } => in_projects,
            Origin::Crd { .. } => true,
        }
    }

    /// `v1`, or `group/v1`.
    pub(crate) fn api_version(&self, version: &str) -> String {
        if self.group.is_empty() {
            version.to_owned()
        } else {
            format!("{}/{version}", self.group)
        }
    }

    /// `plural`, or `plural.group`: how most messages name it.
    pub(crate) fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_string()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// `Kind`, or `Kind.group`: how messages about validity name it.
    pub(crate) fn qualified_kind(&self) -> String {
        if self.group.is_empty() {
            self.kind.clone()
        } else {
            format!("{}.{}", self.kind, self.group)
        }
    }

    pub(crate) fn is(&self, group: &str, plural: &str) -> bool {
        *self.group == *group && *self.plural == *plural
    }

    /// Ends when the resource is defined anew, or no more.
    pub(crate) async fn replaced(&self) {
        match &self.origin {
            Origin::Crd { replaced, .. } => replaced.cancelled().await,
            Origin::BuiltIn { .. } => std::future::pending().await,
        }
    }

    /// Whether the definition of this resource is going away.
    pub(crate) fn is_terminating(&self) -> bool {
        match &self.origin {
            Origin::Crd { terminating, .. } => terminating.load(Ordering::Relaxed),
            Origin::BuiltIn { .. } => false,
        }
    }
}

/// Where CRDs are stored.
pub(crate) fn crd_bucket() -> Bucket {
    Bucket {
        group: "apiextensions.k8s.io".into(),
        plural: "customresourcedefinitions".into(),
    }
}

/// Whether these are Services.
pub(crate) fn is_service(bucket: &Bucket) -> bool {
    bucket.group.is_empty() && *bucket.plural == *"services"
}

/// Whether these are events, of either group: all are stored as those of the core group.
pub(crate) fn is_event(bucket: &Bucket) -> bool {
    bucket.group.is_empty() && *bucket.plural == *"events"
}

/// Where Endpoints are stored.
pub(crate) fn endpoints_bucket() -> Bucket {
    Bucket {
        group: "".into(),
        plural: "endpoints".into(),
    }
}

/// Where namespaces are stored.
pub(crate) fn namespace_bucket() -> Bucket {
    Bucket {
        group: "".into(),
        plural: "namespaces".into(),
    }
}
