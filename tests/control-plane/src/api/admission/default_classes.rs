//! `DefaultStorageClass` and `DefaultIngressClass`: what names no class has the one that is marked as the default.

use serde_json::Value;

use super::Request;
use crate::kinds::default_class::{OF_INGRESSES, OF_STORAGE, is_default};
use crate::object;

/// How both kinds named their class before there was a field for it.
const CLASS_OF_CLAIM: &str = "volume.beta.kubernetes.io/storage-class";
const CLASS_OF_INGRESS: &str = "kubernetes.io/ingress.class";

pub(super) fn of_claim(request: &Request<'_>, claim: &mut Value) {
    let class = || default_of(request, "storage.k8s.io", "storageclasses", &OF_STORAGE);
    name(claim, "storageClassName", CLASS_OF_CLAIM, class);
}

pub(super) fn of_ingress(request: &Request<'_>, ingress: &mut Value) {
    let class = || {
        default_of(
            request,
            "networking.k8s.io",
            "ingressclasses",
            &OF_INGRESSES,
        )
    };
    name(ingress, "ingressClassName", CLASS_OF_INGRESS, class);
}

fn name(object: &mut Value, field: &str, annotation: &str, class: impl FnOnce() -> Option<String>) {
    let is_named = !object["spec"][field].is_null() || annotated(object, annotation).is_some();
    if !is_named && let Some(class) = class() {
        object::field_mut(object, "spec").insert(field.to_owned(), class.into());
    }
}

fn annotated<'a>(object: &'a Value, annotation: &str) -> Option<&'a str> {
    object["metadata"]["annotations"][annotation].as_str()
}

/// The newest of the classes that are marked; of those that came at once, the first by name.
fn default_of(request: &Request<'_>, group: &str, plural: &str, marks: &[&str]) -> Option<String> {
    let classes = request.all(group, plural, None);
    let mut marked: Vec<&Value> = classes
        .iter()
        .map(|class| class.read())
        .filter(|class| is_default(class, marks))
        .collect();
    // They come in the order of their names.
    marked.sort_by(|one, other| {
        let made = |class| object::meta(class, "creationTimestamp");
        made(other).cmp(&made(one))
    });
    marked.first().map(|class| object::name(class).to_owned())
}
