//! The `scale` subresource: the number of replicas of an object, as an object of its own.

use std::borrow::Cow;
use std::sync::LazyLock;

use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use super::body::{media_type, parse_json, parse_yaml};
use super::options::WriteOptions;
use super::target::Target;
use super::update::{Made, Update};
use super::view::{self, Form};
use super::{Asked, protobuf, response, table};
use crate::failure::{Cause, Failure};
use crate::kinds::{Column, Scale, scale_columns};
use crate::object;
use crate::serve::Body;

pub(super) const KIND: &str = "Scale";
pub(super) const GROUP: &str = "autoscaling";
pub(super) const VERSION: &str = "v1";
const API_VERSION: &str = "autoscaling/v1";

static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(scale_columns);

pub(crate) fn get(target: &Target, asked: &Asked) -> Result<Response<Body>, Failure> {
    let form = Form::of(target, asked)?;
    let name = target.name.as_deref().unwrap_or_default();
    let object = target
        .plane
        .store
        .get(target.bucket(), &target.key(name))
        .ok_or_else(|| Failure::not_found(&target.resource, name))?;
    answer(target, form, &view::present(target, &object))
}

pub(crate) fn update(
    target: &Target,
    name: &str,
    asked: &Asked,
) -> Result<Response<Body>, Failure> {
    let form = Form::of(target, asked)?;
    let options = WriteOptions::read(asked, "UpdateOptions")?;
    let scale = match media_type(asked) {
        protobuf::MEDIA_TYPE => protobuf::read(&asked.body),
        "application/yaml" => parse_yaml(&asked.body),
        _ => parse_json(&asked.body),
    };
    let scale = scale.map_err(Failure::bad_request)?;
    let update = Update {
        target,
        name,
        options: &options,
        is_patch: false,
    };
    let (object, _) = target.world.transact(&target.plane, |transaction| {
        update.run(transaction, |old| put(target, old, &scale))
    })?;
    answer(target, form, &view::present(target, &object))
}

/// The Scale of an object.
pub(super) fn of(target: &Target, object: &Value) -> Result<Value, Failure> {
    let scale = place(target)?;
    let fields = [
        "creationTimestamp",
        "name",
        "namespace",
        "resourceVersion",
        "uid",
    ];
    let metadata: Map<String, Value> = fields
        .into_iter()
        .filter_map(|field| Some((field.to_owned(), object::meta(object, field)?.into())))
        .collect();
    let wanted = scale.wanted(object);
    if wanted.is_none() && target.resource.is_crd() {
        let path = scale.spec.replace('/', ".");
        let message = format!("the spec replicas field {path:?} does not exist");
        return Err(Failure::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            format!("Internal error occurred: {message}"),
        )
        .with_causes(vec![Cause::new("", "", message)]));
    }
    // What is nothing or empty goes without saying.
    let spec = match wanted.unwrap_or(0) {
        0 => json!({}),
        replicas => json!({"replicas": replicas}),
    };
    let mut status = json!({"replicas": scale.found(object)});
    let selector = scale.selector(object);
    if !selector.is_empty() {
        status["selector"] = selector.into();
    }
    Ok(json!({
        "kind": KIND, "apiVersion": API_VERSION, "metadata": metadata, "spec": spec, "status": status,
    }))
}

/// The object, scaled. Where the Scale names a version or a uid, that is the object's from here on.
pub(super) fn put(target: &Target, object: &Value, scale: &Value) -> Result<Made, Failure> {
    let text = |field: &str| {
        let value = scale.get(field).and_then(Value::as_str);
        value.unwrap_or_default()
    };
    if (text("apiVersion"), text("kind")) != (API_VERSION, KIND) {
        let (version, kind) = (text("apiVersion"), text("kind"));
        return Err(Failure::bad_request(format!(
            "expected a {KIND} of {API_VERSION}, found a {kind} of {version}"
        )));
    }
    let wanted = scale.pointer("/spec/replicas");
    let replicas = wanted.and_then(Value::as_i64).unwrap_or(0);
    // A custom resource is checked itself.
    if replicas < 0 && !target.resource.is_crd() {
        let must = "must be greater than or equal to 0";
        let cause = Cause::invalid("spec.replicas", &replicas.into(), must);
        let name = object::name(object);
        return Err(Failure::invalid(GROUP, KIND, name, vec![cause]));
    }
    let mut scaled = object.clone();
    place(target)?.want(&mut scaled, replicas);
    for field in ["resourceVersion", "uid"] {
        if let Some(seen) = object::meta(scale, field) {
            object::set_meta(&mut scaled, field, seen);
        }
    }
    Ok(Made {
        object: scaled,
        warnings: Vec::new(),
        tracked: false,
    })
}

/// Who scales a custom resource takes the number from its owner, and owns nothing.
pub(super) fn disown(target: &Target, object: &mut Value) {
    if target.resource.is_crd()
        && let Some(Value::Array(entries)) = object::metadata_mut(object).get_mut("managedFields")
    {
        entries.retain(|entry| entry.get("subresource") != Some(&json!("scale")));
    }
}

/// The Scale of an object, in the form that was asked for.
pub(super) fn answer(
    target: &Target,
    form: Form,
    object: &Value,
) -> Result<Response<Body>, Failure> {
    let scale = of(target, object)?;
    let formed = match form {
        Form::Whole => Cow::Borrowed(&scale),
        Form::Metadata { .. } => Cow::Owned(view::metadata(&scale)),
        Form::Table(include) => Cow::Owned(table::of_one(&COLUMNS, &scale, include)),
    };
    Ok(response::json(StatusCode::OK, &formed))
}

fn place(target: &Target) -> Result<&Scale, Failure> {
    let scale = target.version().scale.as_ref();
    scale.ok_or_else(Failure::no_such_resource)
}
