//! The `token` subresource of service accounts, which issues a token that stands for one.

use std::sync::Arc;
use std::time::Duration;

use http::{Response, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::body::{self, Shaped, Source};
use super::create::writer;
use super::issuer::no_key;
use super::options::WriteOptions;
use super::target::Target;
use super::view::Form;
use super::{Asked, response, rules};
use crate::auth::{AUDIENCE, Account, NoKey, Thing, User};
use crate::clock;
use crate::failure::{Cause, Failure};
use crate::kinds;
use crate::object;
use crate::patch;
use crate::serve::Body;
use crate::store::{Bucket, Key};

const DEFAULT_SECONDS: i64 = 3_600;
const LEAST_SECONDS: i64 = 600;
const MOST_SECONDS: i64 = 1 << 32;
/// What kubelets ask for on behalf of pods: such a token is valid for a year, as clients of old do not read it anew.
const SECONDS_OF_A_PROJECTED_TOKEN: i64 = 3_607;
const SECONDS_OF_A_YEAR: i64 = 365 * 24 * 3_600;

/// The kinds that a token may be bound to, with their resources.
const BINDABLE: [(&str, &str); 3] = [("Pod", "pods"), ("Node", "nodes"), ("Secret", "secrets")];

pub(crate) fn issue(target: &Target, name: &str, asked: &Asked) -> Result<Response<Body>, Failure> {
    let request = kinds::token_request().ok_or_else(Failure::no_such_resource)?;
    // It is read as an object of its own kind.
    let target_of_request = target.posted_as(request);
    let form = Form::of(&target_of_request, asked)?;
    let (mut request, warnings) = read(&target_of_request, asked)?;
    request["status"] = grant(target, &target_of_request, name, &mut request)
        .map_err(|failure| failure.warned(warnings.clone()))?;
    let form = form.of_one(&target_of_request)?;
    let answer = form.text(&target_of_request, &request);
    Ok(response::warn(
        response::written(StatusCode::CREATED, answer),
        &warnings,
    ))
}

/// The status of a request that may be granted, once it is complete.
fn grant(
    target: &Target,
    target_of_request: &Target,
    name: &str,
    request: &mut Value,
) -> Result<Value, Failure> {
    rules::namespace_takes_content(target, name)?;
    check_name(target_of_request, request, name)?;
    let account = target
        .plane
        .store
        .get(target.bucket(), &target.key(name))
        .ok_or_else(|| Failure::not_found(&target.resource, name))?;
    complete(target_of_request, request, &account)?;
    let bound_to = bound_to(target, request, name)?;
    sign(target, request, &account, bound_to)
}

fn read(target: &Target, asked: &Asked) -> Result<(Value, Vec<String>), Failure> {
    body::check_format(target, asked)?;
    let options = WriteOptions::read(asked, "CreateOptions")?;
    let mut request = body::read(target, asked)?;
    let Shaped { warnings, .. } = body::shape(
        target,
        &mut request,
        options.unknown,
        Source::Body(body::json(asked)),
        body::said_twice(asked),
    )?;
    let seconds = object::field_mut(&mut request, "spec").entry("expirationSeconds");
    let seconds = seconds.or_insert(Value::Null);
    if seconds.is_null() {
        *seconds = DEFAULT_SECONDS.into();
    }
    rules::place(target, &mut request)?;
    let schema = target.version().schema.schema();
    let api_version = target.api_version();
    let writer = writer(target, &options.manager, &api_version);
    patch::track_update(None, &mut request, schema, &writer);
    Ok((request, warnings))
}

/// A request that has a name has that of its account, whether there is one or not.
fn check_name(target: &Target, request: &Value, name: &str) -> Result<(), Failure> {
    let own = object::name(request);
    if own.is_empty() || own == name {
        return Ok(());
    }
    let why = "must match the service account name if specified";
    let cause = Cause::invalid("metadata.name", &own.into(), why);
    Err(Failure::invalid_object(&target.resource, name, vec![cause]))
}

/// Gives a request what its account decides, and sees whether it may be granted.
fn complete(target: &Target, request: &mut Value, account: &Value) -> Result<(), Failure> {
    let name = object::name(account);
    let (uid, own) = (object::uid(account), object::uid(request));
    if !own.is_empty() && own != uid {
        let why = format!(
            "the UID in the token request ({own}) does not match the UID of the service account ({uid})"
        );
        return Err(Failure::precondition(&target.resource, name, &why));
    }
    object::set_meta(request, "name", name);
    object::set_meta(request, "uid", object::uid(account));
    object::set_meta(request, "creationTimestamp", object::now());
    let spec = object::field_mut(request, "spec");
    if spec
        .get("audiences")
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty)
    {
        spec.insert("audiences".to_owned(), json!([AUDIENCE]));
    }
    let seconds = seconds(request);
    let why = match seconds {
        ..LEAST_SECONDS => "may not specify a duration less than 10 minutes",
        LEAST_SECONDS..=MOST_SECONDS => return Ok(()),
        _ => "may not specify a duration larger than 2^32 seconds",
    };
    let cause = Cause::invalid("spec.expirationSeconds", &seconds.into(), why);
    Err(Failure::invalid_object(&target.resource, "", vec![cause]))
}

fn seconds(request: &Value) -> i64 {
    let said = request.pointer("/spec/expirationSeconds");
    said.and_then(Value::as_i64).unwrap_or(DEFAULT_SECONDS)
}

/// What a token goes with: its kind, and the object.
struct Bound {
    kind: &'static str,
    bucket: Bucket,
    object: Value,
}

fn bound_to(target: &Target, request: &Value, account: &str) -> Result<Option<Bound>, Failure> {
    let Some(reference) = request
        .pointer("/spec/boundObjectRef")
        .filter(|reference| !reference.is_null())
    else {
        return Ok(None);
    };
    let text = |field: &str| reference[field].as_str().unwrap_or_default();
    let (kind, name, uid) = (text("kind"), text("name"), text("uid"));
    let (group, version) = text("apiVersion")
        .split_once('/')
        .unwrap_or(("", text("apiVersion")));
    let found = BINDABLE
        .into_iter()
        .find(|(known, _)| group.is_empty() && *known == kind);
    let resource = found.and_then(|(kind, plural)| {
        let resource = target.world.registry.get("", plural)?;
        Some((kind, resource))
    });
    let Some((kind, resource)) = resource else {
        let of = format!("{group}/{version}, Kind={kind}");
        return Err(Failure::bad_request(format!(
            "cannot bind token to object of type {of}"
        )));
    };
    let namespace = match resource.namespaced {
        true => target.namespace.as_deref().unwrap_or_default(),
        false => "",
    };
    if name.is_empty() {
        return Err(Failure::no_name());
    }
    let key = Key::new(namespace, name);
    let object = target.plane.store.get(&resource.bucket, &key);
    let object = object.ok_or_else(|| Failure::not_found(&resource, name))?;
    let runs_as = object
        .pointer("/spec/serviceAccountName")
        .and_then(Value::as_str);
    if kind == "Pod" && runs_as != Some(account) {
        return Err(Failure::bad_request(format!(
            "cannot bind token for serviceaccount {account:?} to pod running with different serviceaccount name."
        )));
    }
    if !uid.is_empty() && uid != object::uid(&object) {
        let why = format!(
            "the UID in the bound object reference ({uid}) does not match the UID in record. The object might have \
             been deleted and then recreated"
        );
        return Err(Failure::precondition(&resource, name, &why));
    }
    let bucket = resource.bucket.clone();
    Ok(Some(Bound {
        kind,
        bucket,
        object,
    }))
}

/// Makes the token, lets the server know it, and says what a request is answered with.
fn sign(
    target: &Target,
    request: &Value,
    account: &Value,
    bound_to: Option<Bound>,
) -> Result<Value, Failure> {
    let audiences: Vec<String> = request["spec"]["audiences"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|audience| audience.as_str().map(str::to_owned))
        .collect();
    let (name, namespace) = (object::name(account), object::namespace(account));
    let (id, now) = (target.world.ids.uid(), clock::now());
    let asked_for = seconds(request);
    let is_projected = asked_for == SECONDS_OF_A_PROJECTED_TOKEN
        && audiences == [AUDIENCE]
        && bound_to.as_ref().is_some_and(|bound| bound.kind == "Pod");
    let valid_for = if is_projected {
        SECONDS_OF_A_YEAR
    } else {
        asked_for
    };
    let mut user = User::known(&format!("system:serviceaccount:{namespace}:{name}"), []);
    user.uid = object::uid(account).to_owned();
    let mut say = |what: &str, value: &str| {
        let key = format!("authentication.kubernetes.io/{what}");
        user.extra.insert(key, vec![value.to_owned()]);
    };
    say("credential-id", &format!("JTI={id}"));
    let mut own = json!({
        "namespace": namespace, "serviceaccount": {"name": name, "uid": object::uid(account)},
    });
    let things = bound_to.iter().flat_map(|bound| {
        let node = node_of(target, bound).map(|node| ("node", node));
        let bound = (bound.kind, named(&bound.object));
        std::iter::once(bound).chain(node)
    });
    for (kind, thing) in things {
        let kind = kind.to_lowercase();
        for field in ["name", "uid"] {
            if let (Some(value), true) = (thing[field].as_str(), kind != "secret") {
                say(&format!("{kind}-{field}"), value);
            }
        }
        own[kind] = thing;
    }
    if is_projected {
        own["warnafter"] = (now.as_second() + asked_for).into();
    }
    let claims = json!({
        "aud": audiences, "exp": now.as_second() + valid_for, "iat": now.as_second(), "iss": AUDIENCE, "jti": id,
        "kubernetes.io": own, "nbf": now.as_second(), "sub": user.name,
    });
    let issuer = &target.world.auth.issuer;
    let token = issuer
        .sign(&target.world.ids, &claims)
        .map_err(|NoKey| no_key())?;
    let depends = Account {
        plane: Arc::downgrade(&target.plane),
        account: Thing {
            bucket: target.bucket().clone(),
            key: Key::of(account),
            uid: object::uid(account).to_owned(),
        },
        bound_to: bound_to.map(|bound| Thing {
            bucket: bound.bucket,
            key: Key::of(&bound.object),
            uid: object::uid(&bound.object).to_owned(),
        }),
        audiences,
    };
    let valid_for = Duration::from_secs(valid_for.unsigned_abs());
    target
        .world
        .auth
        .tokens
        .issue(&token, user, depends, valid_for);
    let expires = now.checked_add(SignedDuration::from_secs(asked_for));
    let expires = expires
        .unwrap_or(now)
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    Ok(json!({"token": token, "expirationTimestamp": expires}))
}

fn named(object: &Value) -> Value {
    json!({"name": object::name(object), "uid": object::uid(object)})
}

/// The node that a pod runs on, as far as it is known.
fn node_of(target: &Target, bound: &Bound) -> Option<Value> {
    let name = bound.object.pointer("/spec/nodeName")?.as_str()?;
    let name = Some(name).filter(|name| !name.is_empty() && bound.kind == "Pod")?;
    let nodes = target.world.registry.get("", "nodes")?;
    let node = target.plane.store.get(&nodes.bucket, &Key::new("", name));
    Some(node.map_or_else(|| json!({"name": name}), |node| named(&node)))
}
