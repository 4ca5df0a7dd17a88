//! What the server says of how it runs, at `/statusz` and `/flagz`, whatever the verb.

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::negotiation::{Convert, Media, preferred};
use super::{Asked, about, accept, response, told, yaml};
use crate::clock;
use crate::failure::Failure;
use crate::kinds::namespace_bucket;
use crate::object;
use crate::plane::World;
use crate::serve::Body;
use crate::store::Key;
use crate::structs::Typed;

pub(super) const PATHS: [&str; 2] = ["/flagz", "/statusz"];
const GROUP: &str = "config.k8s.io";
const OLDER: &str = "v1alpha1";
const NEWER: &str = "v1beta1";
const TEXT: &str = "text/plain";
const JSON: &str = "application/json";

pub(super) fn answer(world: &World, asked: &Asked) -> Option<Result<Response<Body>, Failure>> {
    match asked.path.as_str() {
        "/flagz" => Some(flags(world, asked)),
        "/statusz" => Some(status(world, asked)),
        _ => None,
    }
}

fn status(world: &World, asked: &Asked) -> Result<Response<Body>, Failure> {
    let (began, now) = (began(world), clock::now());
    let seconds = now.duration_since(began).as_secs();
    let version = about::VERSION;
    let binary = version.git_version.trim_start_matches('v');
    let emulated = format!("{}.{}", version.emulation_major, version.emulation_minor);
    let paths = [
        "/flagz", "/healthz", "/livez", "/metrics", "/readyz", "/statusz", "/version",
    ];
    let text = format!(
        "\nStarted: {}\nUp: {} hr {:02} min {:02} sec\nGo version: {}\nBinary version: {binary}\n\
         Emulation version: {emulated}\nPaths: {}\n",
        began.strftime("%a %b %e %H:%M:%S UTC %Y"),
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        version.go_version,
        paths.join(" "),
    );
    let fields = json!({
        "startTime": began.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "uptimeSeconds": seconds,
        "goVersion": version.go_version, "binaryVersion": binary, "emulationVersion": emulated, "paths": paths,
    });
    tell(asked, "Statusz", &text, fields)
}

/// The flags of a real server by which one could be told to do as this one does.
fn flags(world: &World, asked: &Asked) -> Result<Response<Body>, Failure> {
    let mode = if world.options.rbac {
        "RBAC"
    } else {
        "AlwaysAllow"
    };
    let flags = [
        ("allow-privileged", "true".to_owned()),
        ("authorization-mode", format!("[{mode}]")),
        ("service-cluster-ip-range", "10.0.0.0/16".to_owned()),
    ];
    let text = flags
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"));
    let text: String = text.collect();
    let flags = flags
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()));
    let flags: Map<String, Value> = flags.collect();
    tell(asked, "Flagz", &text, json!({"flags": flags}))
}

/// The server is as old as its first namespace.
fn began(world: &World) -> Timestamp {
    let first = world
        .root
        .store
        .get(&namespace_bucket(), &Key::new("", "default"));
    let created = first
        .as_ref()
        .and_then(|first| object::meta(first, "creationTimestamp"));
    created
        .and_then(|created| created.parse().ok())
        .unwrap_or_else(clock::now)
}

/// As a text for people, or as an object where that is asked for by its kind.
fn tell(
    asked: &Asked,
    kind: &str,
    text: &str,
    mut fields: Value,
) -> Result<Response<Body>, Failure> {
    const FORMATS: [&str; 3] = [JSON, yaml::MEDIA_TYPE, TEXT];
    let page = kind.to_lowercase();
    let allows = |format: &str, convert: Option<Convert<'_>>| match convert {
        None => format == TEXT,
        Some(Convert {
            kind: wanted,
            group,
            version,
        }) => {
            format != TEXT && wanted == kind && group == GROUP && [OLDER, NEWER].contains(&version)
        }
    };
    let (format, convert) =
        preferred(&asked.headers, &FORMATS, allows).ok_or_else(|| accept::only(&FORMATS))?;
    let Some(Convert { version, .. }) = convert else {
        return Ok(response::text(format!(
            "\napiserver {page}\nWarning: This endpoint is not meant to be machine parseable, has no formatting \
             compatibility guarantees and is for debugging purposes only.\n{text}"
        )));
    };
    let more = json!({"kind": kind, "apiVersion": format!("{GROUP}/{version}"), "metadata": {"name": "apiserver"}});
    object::as_map(&mut fields).extend(more.as_object().cloned().unwrap_or_default());
    let mut answer = response::json(StatusCode::OK, &Typed(&fields));
    let content_type = format!("{JSON};g={GROUP};v={version};as={kind}");
    if let Ok(content_type) = HeaderValue::try_from(content_type) {
        answer.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    let older = (version == OLDER).then(|| {
        format!("This version of the {page} endpoint is deprecated. Please use a newer version.")
    });
    let media = match format {
        yaml::MEDIA_TYPE => Media::Yaml,
        _ => Media::Json,
    };
    Ok(told(response::warn(answer, older.as_slice()), media, false))
}
