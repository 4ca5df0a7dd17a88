//! The cluster roles and their bindings that every server has (`bootstrap.json`).

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};

use super::{GROUP, aggregate, bucket};
use crate::api;
use crate::failure::Failure;
use crate::ids::Ids;
use crate::object;
use crate::plane::{Plane, World};
use crate::store::{Bucket, Kept, Key};

/// A kind, a name, and what is not the same in all of them.
const OBJECTS: &str = include_str!("bootstrap.json");

/// What a project's control plane begins with.
#[derive(Debug)]
pub(crate) struct Seeds(Vec<(Bucket, Arc<Kept>)>);

impl Seeds {
    pub(crate) fn sow(&self, plane: &Plane, ids: &Ids) {
        let sown = plane.store.transact(|transaction| {
            for (bucket, object) in &self.0 {
                let mut object = object.value();
                object::set_meta(&mut object, "uid", ids.uid());
                object::set_meta(&mut object, "creationTimestamp", object::now());
                transaction.put(bucket, Key::of(&object), object);
            }
            Ok::<_, std::convert::Infallible>(())
        });
        // Nobody watches yet, and nothing follows.
        let Ok(_) = sown;
    }
}

/// Puts them into the root.
pub(crate) fn install(world: &Arc<World>) -> Result<Seeds, Failure> {
    let objects: Vec<Value> = serde_json::from_str(OBJECTS).map_err(|error| {
        let message = format!("bootstrap.json: {error}");
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
    })?;
    for line in objects {
        let plural = match line["kind"].as_str() {
            Some("ClusterRole") => "clusterroles",
            _ => "clusterrolebindings",
        };
        api::install(world, &format!("/apis/{GROUP}/v1/{plural}"), &whole(line))?;
    }
    aggregate::settle(world, &world.root);
    let mut seeds = Vec::new();
    for plural in ["clusterroles", "clusterrolebindings"] {
        let bucket = bucket(plural);
        let objects = world.root.store.list(&bucket, None).objects;
        seeds.extend(objects.into_iter().map(|object| (bucket.clone(), object)));
    }
    Ok(Seeds(seeds))
}

fn whole(mut line: Value) -> Value {
    let fields = object::as_map(&mut line);
    let name = fields.remove("name");
    let mut labels = fields.remove("labels").unwrap_or_else(|| json!({}));
    labels["kubernetes.io/bootstrapping"] = "rbac-defaults".into();
    fields.insert("apiVersion".into(), format!("{GROUP}/v1").into());
    fields.insert(
        "metadata".into(),
        json!({
            "name": name, "labels": labels,
            "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"},
        }),
    );
    line
}
