//! The versions of a kind, in each of which somebody can own fields.

use std::borrow::Cow;

use serde_json::Value;

use super::fields::{Changes, Set, compare};
use super::managers::Managers;
use super::track::Writer;
use crate::kinds::{Resource, autoscalers};
use crate::schema::Schema;

/// How what is owned in one version is compared in another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Versions<'a> {
    /// All have the same fields.
    Alike,
    /// Those of this resource may have others.
    Differ(&'a Resource),
    /// Those that are served have the same fields. What is owned in another cannot be compared, and is owned by nobody
    /// after the next write.
    Served(&'a Resource),
    /// The same of all but that of the request.
    Apart,
}

impl Writer<'_> {
    /// The schema of a version, which is `own` where it is the writer's or has the same fields.
    pub(super) fn schema_in<'s>(&'s self, api_version: &str, own: &'s Schema) -> Cow<'s, Schema> {
        let other = match self.versions {
            Versions::Differ(resource) if api_version != self.api_version => {
                resource.schema_of(name(api_version))
            }
            _ => None,
        };
        other.unwrap_or(Cow::Borrowed(own))
    }

    /// An object of the writer's kind as a version has it.
    pub(super) fn object_in<'o>(&self, api_version: &str, object: &'o Value) -> Cow<'o, Value> {
        let is_other = object
            .get("apiVersion")
            .is_some_and(|own| own != api_version);
        match self.versions {
            Versions::Differ(resource) if is_other && resource.is_autoscaler() => {
                let mut object = object.clone();
                resource.convert(&mut object, name(api_version));
                autoscalers::write_out(&mut object);
                Cow::Owned(object)
            }
            _ => Cow::Borrowed(object),
        }
    }

    /// What the endpoint leaves as it was in the fields of a version.
    fn reset_in(&self, api_version: &str) -> Set {
        match self.versions {
            // A main endpoint of a custom resource knows that of its own version alone.
            Versions::Differ(resource) if self.custom_resource => match self.subresource {
                Some(_) if resource.has_status(name(api_version)) => self.reset(),
                _ => Set::default(),
            },
            _ => self.reset(),
        }
    }

    /// What has changed in the fields of another version; nothing where the writer's own say it.
    pub(super) fn changes_in(
        &self,
        api_version: &str,
        before: &Value,
        after: &Value,
        own: &Schema,
    ) -> Option<Changes> {
        if api_version == self.api_version || !matches!(self.versions, Versions::Differ(_)) {
            return None;
        }
        let [before, after] = [before, after].map(|object| self.object_in(api_version, object));
        let changes = compare(&before, &after, &self.schema_in(api_version, own));
        Some(changes.without(&self.reset_in(api_version)))
    }

    /// Brings entries into the form in which they can be compared.
    pub(super) fn adjust(&self, managers: &mut Managers, own: &Schema) {
        for entry in managers.0.values_mut() {
            if self.custom_resource {
                entry.set = entry
                    .set
                    .reconciled(&self.schema_in(&entry.api_version, own));
            }
            let is_known = match self.versions {
                _ if entry.api_version == self.api_version => true,
                Versions::Differ(_) if self.custom_resource => true,
                Versions::Served(resource) | Versions::Differ(resource) => {
                    resource.has_version(&entry.api_version)
                }
                Versions::Apart => false,
                Versions::Alike => true,
            };
            if !is_known {
                entry.set = Set::default();
            }
        }
    }
}

/// The name of a version without its group.
fn name(api_version: &str) -> &str {
    api_version.rsplit('/').next().unwrap_or_default()
}
