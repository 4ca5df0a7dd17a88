//! From a request to its answer.

mod about;
mod accept;
mod admission;
mod binding;
mod body;
mod components;
mod compression;
mod content;
mod create;
mod delete;
mod delete_options;
mod discovery;
mod duplicates;
mod established;
mod eviction;
mod first_mistake;
mod flow;
mod health;
mod internal;
mod issuer;
mod kubelet;
mod media_type;
mod negotiation;
mod odd_namespaces;
mod old_watch;
mod openapi;
mod options;
mod order;
mod owned;
mod page;
mod patch;
mod patched_kind;
mod posted;
mod pretty;
mod protobuf;
mod query;
mod read;
mod response;
mod retired;
mod reviews;
mod rules;
mod scale;
mod scheme;
mod selector;
mod service_addresses;
mod stale;
mod strings;
mod table;
mod target;
mod timeout;
mod token;
mod too_large;
mod unreadable;
mod update;
mod view;
mod watch;
mod yaml;
mod zpages;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::EXPECT;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::auth::{self, Attributes, Caller, User};
use crate::clock;
use crate::failure::Failure;
use crate::long;
use compression::Packed;
pub(crate) use delete::{CRD_CLEANUP, FOREGROUND, ORPHAN, remove, take_away};
pub(crate) use delete_options::{DeleteOptions, Policy};
pub(crate) use established::{establish_waiting, track};
use flow::Flow;
pub(crate) use flow::{Flows, levels, schemas};
pub(crate) use internal::{apply, install, install_as, replace};
use negotiation::{Media, Told};
pub(crate) use odd_namespaces::NO_NAMESPACE;
pub(crate) use openapi::Kept as OpenApi;
pub(crate) use protobuf::events as events_in_protobuf;
pub(crate) use protobuf::read as read_protobuf;
pub(crate) use query::{Query, decode};
pub(crate) use response::failure as response_of;
pub(crate) use rules::webhook_clients;
pub(crate) use rules::{is_finished, label, label_1035, subdomain};
pub(crate) use selector::{are_labels, exactly};
pub(crate) use target::Target;
pub(crate) use unreadable::not_deleted;
use view::Form;
pub(crate) use yaml::read as read_yaml;

use crate::plane::{Plane, World};
use crate::serve::{Body, BoxError, Distortion, full, is_token_ignored};

/// The largest body that is read, as in a kube-apiserver.
const LARGEST_BODY: usize = 3 * 1024 * 1024;

/// How much of a body that is too large is read and thrown away before the answer.
const LARGEST_DRAIN: usize = 64 * 1024 * 1024;

/// A request whose body has been read.
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What goes wrong in the answer.
    pub(crate) distortion: Distortion,
    /// It is answered on a task of the server's own, which may keep its thread.
    pub(crate) is_on_own_task: bool,
}

/// A request that is answered on the task of whoever asks.
#[derive(Clone, Copy)]
pub(crate) struct OnCallersTask;

/// A body or an object that is longer than this takes a while to answer, in bytes.
const LONG: usize = 32 * 1024;

/// Objects that are longer than this together take a while to select from, in bytes.
const LONG_TOGETHER: usize = 256 * 1024;

impl Asked {
    /// Whatever is in the strings of a body of JSON.
    fn readable(mut self) -> Self {
        let kind = media_type::of(&self);
        if kind.is_empty() || kind.ends_with("json") {
            self.body = strings::readable(self.body);
        }
        self
    }

    /// The same with another verb.
    fn with_method(&self, method: Method) -> Self {
        Self {
            method,
            path: self.path.clone(),
            query: self.query.clone(),
            headers: self.headers.clone(),
            body: self.body.clone(),
            distortion: self.distortion.clone(),
            is_on_own_task: self.is_on_own_task,
        }
    }

    pub(crate) fn header(&self, name: http::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

const IGNORED_TOKEN: &str = "the provided Authorization header contains extra space before the bearer token, and is ignored";

/// Answers a request to a control plane; the path is the control plane's own.
pub(crate) async fn answer<B>(
    world: &Arc<World>,
    project: Option<&str>,
    user: User,
    request: Request<B>,
) -> Response<Body>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let (mut parts, body) = request.into_parts();
    let distortion = parts.extensions.remove().unwrap_or_default();
    let is_on_own_task = parts.extensions.remove::<OnCallersTask>().is_none();
    let mut body = std::pin::pin!(body);
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let Some(path) = query::decode_path(parts.uri.path()) else {
        return response::bad_path();
    };
    if names_no_watched(&path) {
        return response::unreadable(&parts.uri, &path);
    }
    let told_of_failure = Told::of_failure(&parts.headers);
    let in_pretty = pretty::is_wanted(&query, &parts.headers);
    let is_document = is_document(&path);
    let unpacks = compression::is_accepted(&parts.headers);
    let ignores_token = is_token_ignored(&parts.headers);
    let mut flow = None;
    let place = clock::within(world.clock, || {
        let wanted = Attributes::of(&parts.method, &path, &query);
        timeout::check(&wanted, &query)?;
        let plane = Place::find(world, project)?;
        let caller = auth::caller(world, &plane, user, &wanted, &parts.headers)?;
        if plane.project.is_none() {
            flow = Flow::of(world, caller.user(), &wanted);
        }
        caller.require(&wanted)?;
        Ok(Place { plane, caller })
    });
    // Whoever waits to be asked for the body is not, if nothing can come of it.
    let is_in_vain = place.is_err() && parts.headers.contains_key(EXPECT);
    let body = match is_in_vain {
        true => Ok(Bytes::new()),
        false => read(body.as_mut()).await,
    };
    let answered = match (place, body) {
        (Err(failure), _) | (Ok(_), Err(failure)) => Err(failure),
        (Ok(place), Ok(body)) => {
            let place = place.renewed();
            let asked = Asked {
                method: parts.method,
                path,
                query,
                headers: parts.headers,
                body,
                distortion,
                is_on_own_task,
            }
            .readable();
            let answered = in_turn(world, &place, &asked).await;
            // Nobody else waits meanwhile.
            match answered.as_ref().err().and_then(Failure::awaited) {
                Some(revision) if place.plane.store.reaches(revision).await => {
                    in_turn(world, &place, &asked).await
                }
                _ => answered,
            }
        }
    };
    let (mut response, told) = match answered {
        Ok(mut response) => {
            let told = response.extensions_mut().remove::<Told>();
            (response, told)
        }
        Err(failure) => (response::failure(&failure), Some(told_of_failure)),
    };
    if let Some(flow) = flow {
        flow.tell(&mut response);
    }
    let mut response = match told {
        Some(told) if told.is_watch => return told.tell(response).await,
        Some(told) => {
            let mut response = told.tell(response).await;
            response.extensions_mut().insert(Packed::IF_LONG);
            response
        }
        None => response,
    };
    if ignores_token {
        response = response::warn_first(response, &[IGNORED_TOKEN.to_owned()]);
    }
    if in_pretty && !(is_document && response.status().is_success()) {
        response = pretty::answer(response).await;
    }
    match response.extensions_mut().remove::<Packed>() {
        Some(packed) if unpacks => packed.answer(response).await,
        _ => response,
    }
}

/// Answers a request; whoever writes does so when it is its turn.
async fn in_turn(
    world: &Arc<World>,
    place: &Place,
    asked: &Asked,
) -> Result<Response<Body>, Failure> {
    let writes = asked.method != Method::GET;
    let _turn = match writes {
        true => Some(place.plane.turn().await),
        false => None,
    };
    let has_long_body = asked.body.len() > LONG;
    let answer = || clock::within(world.clock, || route(world, place, asked));
    // Whatever is wrong with one request, those beside it on its connection go on.
    let answer = || catch_unwind(AssertUnwindSafe(answer));
    long::beside_others(has_long_body && asked.is_on_own_task, answer).unwrap_or_else(|_| {
        tracing::error!(method = %asked.method, path = asked.path, "the answer to a request panicked");
        Err(Failure::internal("the server has a fault, which its log tells of"))
    })
}

/// Reads a body to its end, or as far as a body may go.
async fn read<B>(mut body: Pin<&mut B>) -> Result<Bytes, Failure>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let error = match Limited::new(body.as_mut(), LARGEST_BODY).collect().await {
        Ok(body) => return Ok(body.to_bytes()),
        Err(error) => error,
    };
    if !error.is::<LengthLimitError>() {
        return Err(unread(&*error));
    }
    // A client that is still sending would see a reset stream, not the answer.
    let mut drained = 0;
    while drained < LARGEST_DRAIN
        && let Some(Ok(frame)) = body.frame().await
    {
        drained += frame.data_ref().map_or(0, Bytes::len);
    }
    Err(Failure::new(
        http::StatusCode::PAYLOAD_TOO_LARGE,
        "RequestEntityTooLarge",
        format!("Request entity too large: limit is {LARGEST_BODY}"),
    ))
}

/// An answer that something failed, in the format that its client takes.
pub(crate) async fn failed(
    uri: &Uri,
    headers: &HeaderMap,
    response: Response<Body>,
) -> Response<Body> {
    let query = Query::parse(uri.query().unwrap_or_default());
    let is_wanted = pretty::is_wanted(&query, headers);
    let response = Told::of_failure(headers).tell(response).await;
    match is_wanted {
        true => pretty::answer(response).await,
        false => response,
    }
}

/// Says in which format an answer is told.
fn told(mut response: Response<Body>, media: Media, is_watch: bool) -> Response<Body> {
    response.extensions_mut().insert(Told {
        media,
        is_watch,
        is_raw: false,
    });
    response
}

/// Where a request is to be answered, and who it is from.
struct Place {
    plane: Arc<Plane>,
    caller: Caller,
}

impl Place {
    /// The control plane of a project, or of the root.
    fn find(world: &World, project: Option<&str>) -> Result<Arc<Plane>, Failure> {
        world.plane(project).ok_or_else(|| {
            let name = project.unwrap_or_default();
            let projects = world
                .registry
                .get("resourcemanager.miloapis.com", "projects");
            match projects {
                Some(projects) => Failure::not_found(&projects, name),
                None => Failure::page_not_found(),
            }
        })
    }

    /// The same with what its caller may do by now: the body may have taken long to come.
    fn renewed(self) -> Self {
        Self {
            caller: self.caller.renewed(&self.plane),
            ..self
        }
    }
}

fn route(world: &Arc<World>, place: &Place, asked: &Asked) -> Result<Response<Body>, Failure> {
    match old_watch::as_of_today(world, place, asked)? {
        Some(asked) => route_today(world, place, &asked),
        None => route_today(world, place, asked),
    }
}

fn route_today(
    world: &Arc<World>,
    place: &Place,
    asked: &Asked,
) -> Result<Response<Body>, Failure> {
    match Target::resolve(world, &place.plane, &place.caller, &asked.path)? {
        // What is read of a custom resource need not be sent.
        Some(target) if target.resource.is_crd() && asked.method == Method::HEAD => {
            let answer = route_today(world, place, &asked.with_method(Method::GET))?;
            Ok(answer.map(|_| full(Bytes::new())))
        }
        Some(target) if target.resource.is_read_only() && asked.method != Method::GET => {
            Err(Failure::method_not_allowed())
        }
        Some(target) => {
            let warnings = Vec::from_iter(target.version().deprecation.clone());
            let is_watch =
                asked.method == Method::GET && target.name.is_none() && asked.query.flag("watch");
            let media = || Form::negotiate(&target, asked).map_or(Media::Json, |(media, _)| media);
            let is_long = asked.is_on_own_task && takes_long(&target, asked);
            long::beside_others(is_long, || resource(&target, asked))
                .map(|answer| told(response::warn_first(answer, &warnings), media(), is_watch))
                .map_err(|mut failure| {
                    failure.warnings.splice(0..0, warnings.clone());
                    failure
                })
        }
        None => not_a_resource(world, &place.plane, asked),
    }
}

/// Whether an answer takes a while, though its request is short.
fn takes_long(target: &Target, asked: &Asked) -> bool {
    let store = &target.plane.store;
    // What is written is held against a schema, and what is granted against all that somebody holds.
    let writes = ["POST", "PUT", "PATCH"].contains(&asked.method.as_str());
    let grants = *target.resource.group == *auth::ROLES;
    if writes && (target.version().is_long || grants) {
        return true;
    }
    let Some(name) = &target.name else {
        return asked.method != Method::POST && store.weight(target.bucket()) > LONG_TOGETHER;
    };
    // A JSON patch may make much of little.
    let copies = || asked.body.windows(6).any(|word| word == b"\"copy\"");
    let object = store.kept(target.bucket(), &target.key(name));
    object.is_some_and(|object| object.text().len() > LONG)
        || asked.method == Method::PATCH && copies()
}

/// Whether a path is that of what is written once and told as it is.
fn is_document(path: &str) -> bool {
    let starts = ["/openapi/", "/openid/", issuer::CONFIGURATION];
    starts.iter().any(|start| path.starts_with(start))
}

/// Whether a path says of nothing that it is to be watched, which no server knows how to read.
fn names_no_watched(path: &str) -> bool {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let of_group = match segments.as_slice() {
        ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] => rest,
        _ => return false,
    };
    matches!(of_group, ["watch" | "proxy"])
}

/// Why a body that ended too soon, or was sent wrongly, is none.
fn unread(error: &(dyn std::error::Error + 'static)) -> Failure {
    let chunked = std::iter::successors(error.source(), |error| error.source())
        .filter_map(|error| error.downcast_ref::<std::io::Error>())
        .any(|error| error.kind() == std::io::ErrorKind::InvalidInput);
    let why = match chunked {
        true => "invalid byte in chunk length",
        false => "unexpected EOF",
    };
    Failure::new(http::StatusCode::INTERNAL_SERVER_ERROR, "", why)
}

fn resource(target: &Target, asked: &Asked) -> Result<Response<Body>, Failure> {
    if target.resource.is_review() {
        return match (asked.method.as_str(), &target.name) {
            ("POST", None) if target.namespace.is_none() && target.resource.namespaced => {
                Err(Failure::no_such_resource())
            }
            (_, Some(_)) => Err(Failure::no_such_resource()),
            ("POST", None) if target.resource.is("", "bindings") => {
                binding::bind_any(target, asked)
            }
            ("POST", None) => reviews::answer(target, asked),
            _ => Err(Failure::method_not_allowed()),
        };
    }
    if let (Some(name), Some(subresource)) = (&target.name, &target.subresource)
        && let Some(asks) = kubelet::asked_for(&target.resource, subresource)
    {
        return kubelet::answer(target, name, asks, asked);
    }
    if let Some(answer) = odd_namespaces::answer(target, asked) {
        return answer;
    }
    let exports = asked.method == Method::GET && asked.query.flag("export");
    if let (Some(name), "GET" | "PATCH" | "DELETE", false) =
        (&target.name, asked.method.as_str(), exports)
    {
        rules::check_segment(name)?;
    }
    let watches = asked.query.flag("watch");
    if target.resource.is_read_only() && watches {
        return Err(Failure::method_not_supported(&target.resource, "watch"));
    }
    match (
        asked.method.as_str(),
        &target.name,
        target.subresource.as_deref(),
    ) {
        ("GET", Some(name), None) if target.resource.is_read_only() => {
            components::get(target, name, asked)
        }
        ("GET", None, None) if target.resource.is_read_only() => components::list(target, asked),
        ("GET", Some(_), None | Some("status" | "approval" | "ephemeralcontainers" | "resize")) => {
            read::get(target, asked)
        }
        ("GET", Some(_), Some("scale")) => scale::get(target, asked),
        ("GET", None, None) if watches => watch::watch(target, asked),
        ("GET", None, None) => read::list(target, asked),
        // What is created is called as it says itself.
        ("POST", name, None)
            if (name.is_none() || target.resource.is_crd())
                && (target.namespace.is_some() || !target.resource.namespaced) =>
        {
            create::create(target, asked)
        }
        ("POST", Some(name), Some("binding")) => binding::bind(target, name, asked),
        ("POST", Some(name), Some("eviction")) => eviction::evict(target, name, asked),
        ("POST", Some(name), Some("token")) => token::issue(target, name, asked),
        (
            "PUT",
            Some(name),
            None | Some("status" | "finalize" | "approval" | "ephemeralcontainers" | "resize"),
        ) => update::update(target, name, asked),
        ("PUT", Some(name), Some("scale")) => scale::update(target, name, asked),
        (
            "PATCH",
            Some(name),
            None | Some("status" | "scale" | "approval" | "ephemeralcontainers" | "resize"),
        ) => patch::patch(target, name, asked),
        ("DELETE", Some(name), None) => delete::delete(target, name, asked),
        ("DELETE", None, None) if target.allows_delete_collection() => {
            delete::delete_collection(target, asked)
        }
        _ => Err(refused(target, asked)),
    }
}

/// A verb that the resource does not take.
fn refused(target: &Target, asked: &Asked) -> Failure {
    if !target.resource.is_crd() {
        return Failure::method_not_allowed();
    }
    // Those of every namespace are listed and watched, and nothing else.
    if target.resource.namespaced && target.namespace.is_none() {
        return Failure::page_not_found();
    }
    let is_collection = target.name.is_none();
    match asked.method.as_str() {
        "PUT" if is_collection => return Failure::bad_request("name must be provided"),
        "PATCH" if is_collection => return patch::of_nothing(target, asked),
        _ => {}
    }
    let verb = match asked.method.as_str() {
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        "GET" => "get",
        _ => "",
    };
    Failure::method_not_supported(&target.resource, verb)
}

fn not_a_resource(world: &World, plane: &Plane, asked: &Asked) -> Result<Response<Body>, Failure> {
    if let Some(answer) = health::answer(asked) {
        return Ok(answer);
    }
    if let Some(answer) = issuer::answer(world, asked).or_else(|| zpages::answer(world, asked)) {
        return answer;
    }
    let path = asked.path.trim_end_matches('/');
    // A group has a name.
    if asked.path.starts_with("/apis//") {
        return Err(Failure::page_not_found());
    }
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let is_of_crds = |group: &str| !discovery::is_built_in(world, plane, group);
    // These look at no verb.
    let any_verb = matches!(
        segments.as_slice(),
        [] | ["index.html" | "apis" | "metrics"]
            | ["apis", _]
            | ["metrics", _]
            | ["openapi", ..]
            | ["version", _, ..]
    ) || matches!(segments.as_slice(), ["apis", group, _] if is_of_crds(group));
    if asked.method != Method::GET && !any_verb {
        let (group, version) = match segments.as_slice() {
            ["api", version] => ("", *version),
            ["apis", group, version] => (*group, *version),
            ["api" | "version"] | ["apis", ..] => return Err(Failure::method_not_allowed()),
            _ => return Err(Failure::page_not_found()),
        };
        return match discovery::resources(world, plane, group, version) {
            Ok(_) => Err(Failure::method_not_allowed()),
            Err(failure) => Err(failure),
        };
    }
    match segments.as_slice() {
        [] | ["index.html"] if !asked.path.ends_with("//") => Ok(about::paths(world, plane)),
        ["version", _, ..] => Err(Failure::no_such_resource()),
        ["version"] => accept::this_alone(asked, Media::Json.name()).map(|()| about::version()),
        ["metrics"] if !asked.path.ends_with('/') => Ok(about::metrics()),
        ["metrics", "slis"] => Ok(about::checks()),
        ["api"] => discovery::core(world, plane, asked),
        ["apis"] => discovery::groups(world, plane, asked),
        ["apis", group] => {
            let answer = discovery::group(world, plane, group)?;
            Ok(told(answer, accept::discovery(asked, false)?, false))
        }
        ["api", version] => discovered(world, plane, asked, "", version),
        ["apis", group, version] => discovered(world, plane, asked, group, version),
        ["openapi", "v3"] if !asked.path.ends_with('/') => Ok(openapi::index(world, plane, asked)),
        ["openapi", "v3", ..] => Ok(openapi::document(world, plane, asked)),
        ["openapi", "v2"] if !asked.path.ends_with('/') => Ok(openapi::second(world, plane, asked)),
        _ => Err(Failure::page_not_found()),
    }
}

/// The resources of a version of a group.
fn discovered(
    world: &World,
    plane: &Plane,
    asked: &Asked,
    group: &str,
    version: &str,
) -> Result<Response<Body>, Failure> {
    let answer = discovery::resources(world, plane, group, version)?;
    let built_in = discovery::is_built_in(world, plane, group);
    Ok(told(answer, accept::discovery(asked, built_in)?, false))
}
