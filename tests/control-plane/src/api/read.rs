//! `get` and `list`.

use std::num::{IntErrorKind, ParseIntError};
use std::sync::Arc;

use http::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::Asked;
use super::negotiation::Media;
use super::page::Page;
use super::selector::{Said, Selector};
use super::target::Target;
use super::view::{Form, length};
use super::{protobuf, response, stale, unreadable};
use crate::failure::{Cause, Failure};
use crate::patch::go;
use crate::serve::Body;
use crate::store::{Kept, Snapshot};

pub(crate) fn get(target: &Target, asked: &Asked) -> Result<Response<Body>, Failure> {
    let form = Form::of(target, asked)?;
    if asked.query.flag("export") {
        let why = "the export parameter, deprecated since v1.14, is no longer supported";
        return Err(Failure::bad_request(why));
    }
    if let Some(text) = asked.query.get("resourceVersion") {
        let failed = |why| match is_cached(target) {
            true => Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", why),
            false => Failure::bad_request(format!("invalid resource version: {why}")),
        };
        let (revision, newest) = (
            revision(text).map_err(failed)?,
            stale::newest(target, asked),
        );
        if revision > newest {
            return Err(too_new(revision, newest));
        }
    }
    let object = stale::object(target, asked)?;
    let mut text = Vec::with_capacity(object.text().len());
    form.of_one(target)?.write(target, &object, &mut text);
    Ok(response::written(StatusCode::OK, text))
}

/// What the query of a list or a watch says about versions.
pub(crate) struct Since {
    /// Nothing is the newest state; 0 is any.
    pub(crate) revision: Option<u64>,
    /// Any state will do: that of a cache, which knows no pages. Other ways to write a 0 do not say so.
    is_any: bool,
    exactly: bool,
    /// There is a limit and no word on how the version is meant: of many that is exactly, and of one any that is newer.
    is_page: bool,
}

impl Since {
    /// Whether what the query says goes together, whatever it is.
    pub(crate) fn check(asked: &Asked) -> Result<(), Failure> {
        let query = &asked.query;
        let text = query.get("resourceVersion");
        let matched = query.get("resourceVersionMatch");
        let initial = query.tri("sendInitialEvents");
        let continues = query.get("continue").is_some();
        let mut wrong = Vec::new();
        match query.flag("watch") {
            true => check_watch(matched, initial, text, continues, &mut wrong),
            false => check_list(matched, initial, text, continues, &mut wrong),
        }
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(Failure::invalid("meta.k8s.io", "ListOptions", "", wrong)),
        }
    }

    pub(crate) fn read(asked: &Asked) -> Result<Self, Failure> {
        let query = &asked.query;
        let text = query.get("resourceVersion");
        let matched = query.get("resourceVersionMatch");
        let watching = query.flag("watch");
        if let Some(token) = query.get("continue")
            && !watching
            && text.is_some_and(|text| text != "0")
        {
            Page::read(token)?;
            let message = "specifying resource version is not allowed when using continue";
            return Err(Failure::bad_request(message));
        }
        let revision = text
            .map(revision)
            .transpose()
            .map_err(|why| match watching {
                true => Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", why),
                false => Failure::bad_request(format!("invalid resource version: {why}")),
            })?;
        Ok(Self {
            revision,
            is_any: text == Some("0"),
            exactly: matched == Some("Exact") && revision != Some(0),
            is_page: matched.is_none() && revision > Some(0) && limit(asked)?.is_some(),
        })
    }
}

const MATCH: &str = "resourceVersionMatch";
const CONTINUES: &str = "resourceVersionMatch is forbidden when continue is provided";

/// What the query of a list may not say of versions.
fn check_list(
    matched: Option<&str>,
    initial: Option<bool>,
    version: Option<&str>,
    continues: bool,
    wrong: &mut Vec<Cause>,
) {
    if let Some(matched) = matched {
        if version.is_none() {
            let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
            wrong.push(Cause::forbidden(MATCH, why));
        }
        if continues {
            wrong.push(Cause::forbidden(MATCH, CONTINUES));
        }
        match matched {
            "Exact" if version == Some("0") => wrong.push(Cause::forbidden(
                MATCH,
                "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
            )),
            "Exact" | "NotOlderThan" => {}
            other => {
                let supported = "\"Exact\", \"NotOlderThan\", \"\"";
                wrong.push(Cause::unsupported(MATCH, &other.into(), supported));
            }
        }
    }
    if initial.is_some() {
        let why = "sendInitialEvents is forbidden for list";
        wrong.push(Cause::forbidden("sendInitialEvents", why));
    }
}

/// The same of a watch.
fn check_watch(
    matched: Option<&str>,
    initial: Option<bool>,
    version: Option<&str>,
    continues: bool,
    wrong: &mut Vec<Cause>,
) {
    let not_older = matched == Some("NotOlderThan");
    match initial {
        Some(_) if !not_older => wrong.push(Cause::forbidden(
            MATCH,
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        )),
        None if matched.is_some() => wrong.push(Cause::forbidden(
            MATCH,
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        )),
        _ => {}
    }
    if let Some(other) = matched.filter(|_| !not_older) {
        wrong.push(Cause::unsupported(MATCH, &other.into(), "\"NotOlderThan\""));
    }
    // What watches from no version is read as if it had said how one is meant.
    let from_any = initial.is_none() && version.is_none_or(|version| version == "0");
    if continues && (matched.is_some() || from_any) {
        wrong.push(Cause::forbidden(MATCH, CONTINUES));
    }
}

fn revision(text: &str) -> Result<u64, String> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
    let read = text.parse().ok().filter(|_| is_number);
    read.ok_or_else(|| {
        let text = go::quoted(text);
        let why = match is_number {
            true => "value out of range",
            false => "invalid syntax",
        };
        format!("resourceVersion: Invalid value: {text}: strconv.ParseUint: parsing {text}: {why}")
    })
}

/// From what length on, in JSON, a list in protobuf is not held as a whole.
const LONG: usize = 1024 * 1024;

pub(crate) fn list(target: &Target, asked: &Asked) -> Result<Response<Body>, Failure> {
    let form = Form::of(target, asked)?;
    let (media, _) = Form::negotiate(target, asked)?;
    initialize(target, asked)?;
    let wanted = Wanted::read(target, asked)?;
    let (objects, metadata) = found(target, asked, form, wanted)?;
    let form = form.of_list(target)?;
    if (media, form) == (Media::Protobuf, Form::Whole)
        && length(&objects) > LONG
        && let Some(response) = protobuf::list(target, &objects, &metadata)
    {
        return Ok(response);
    }
    let body = form.list_body(target, objects, metadata);
    Ok(response::in_parts("application/json", body))
}

/// What a request for a collection means.
pub(super) struct Wanted {
    limit: Option<usize>,
    selector: Selector,
}

impl Wanted {
    pub(super) fn read(target: &Target, asked: &Asked) -> Result<Self, Failure> {
        // Numbers are read before all else, and last it is looked at whether there are such fields.
        number(asked, "timeoutSeconds")?;
        let limit = limit(asked)?;
        let said = said(asked)?;
        Since::check(asked)?;
        Ok(Self {
            limit,
            selector: said.of(&target.resource, target.version())?,
        })
    }
}

/// The objects that are meant, and the metadata of their list.
pub(super) fn found(
    target: &Target,
    asked: &Asked,
    form: Form,
    wanted: Wanted,
) -> Result<(Vec<Arc<Kept>>, Value), Failure> {
    let Wanted { limit, selector } = wanted;
    let since = Since::read(asked)?;
    // Pages of all that there is are read past a cache that is not there, and so is what is deleted.
    let is_past_cache = limit.is_some() || asked.method == Method::DELETE;
    if !is_past_cache || !selector.is_empty() {
        unreadable::check_cache(target)?;
    }
    let limit = limit.filter(|_| !since.is_any || !is_cached(target));
    let page = asked.query.get("continue").map(Page::read).transpose()?;
    let namespace = target.namespace.as_deref();
    let namespace = namespace.or_else(|| selector.exactly("metadata.namespace"));
    let has_one_name = selector.exactly("metadata.name").is_some()
        && (namespace.is_some() || !target.resource.namespaced);
    let snapshot = snapshot(target, asked, &since, page.as_ref(), has_one_name)?;
    let mut rest = snapshot
        .objects
        .iter()
        .filter(|object| page.as_ref().is_none_or(|page| object.key > page.after))
        .filter(|object| selector.selects(object));
    let objects: Vec<_> = rest
        .by_ref()
        .take(limit.unwrap_or(usize::MAX))
        .cloned()
        .collect();
    let is_full = limit == Some(objects.len());
    if is_past_cache {
        let end = objects.last().filter(|_| is_full);
        let read = snapshot
            .objects
            .iter()
            .filter(|object| page.as_ref().is_none_or(|page| object.key > page.after))
            .take_while(|object| end.is_none_or(|end| object.key <= end.key));
        unreadable::check(&target.resource, read)?;
    }
    let mut metadata = json!({"resourceVersion": snapshot.revision.to_string()});
    if target.resource.is_crd() && form == Form::Whole {
        // Lists of custom resources always say it.
        metadata["continue"] = "".into();
    }
    // Whether any of those that come behind a full page is selected, a server finds out when it is asked for them.
    let last = objects.last().filter(|last| {
        let mut from_end = snapshot.objects.iter().rev();
        let end = from_end.find(|end| namespace.is_none_or(|name| end.key.namespace == name));
        let has_more = end.is_some_and(|end| end.key > last.key);
        is_full && has_more && !has_one_name
    });
    if let Some(last) = last {
        let next = Page {
            revision: Some(snapshot.revision),
            after: last.key.clone(),
        };
        metadata["continue"] = next.token().into();
        if selector.is_empty() {
            metadata["remainingItemCount"] = rest.count().into();
        }
    }
    Ok((objects, metadata))
}

/// Whether a real server answers from its cache: it has none of events.
fn is_cached(target: &Target) -> bool {
    !target.resource.is_event()
}

fn snapshot(
    target: &Target,
    asked: &Asked,
    since: &Since,
    page: Option<&Page>,
    has_one_name: bool,
) -> Result<Snapshot, Failure> {
    let newest = stale::newest(target, asked);
    let exactly = since.exactly || since.is_page && !has_one_name;
    // No cache answers that, which would wait.
    let is_at_once = !is_cached(target) || has_one_name && (since.exactly || since.is_page);
    match (page, since.revision) {
        (Some(page), _) => match page.revision {
            Some(revision) => old(target, revision).ok_or_else(|| too_old_to_go_on(page)),
            None => Ok(stale::snapshot(target, asked)),
        },
        (None, Some(revision)) if revision > newest && is_at_once => Err(beyond(revision, newest)),
        (None, Some(revision)) if revision > newest => Err(too_new(revision, newest)),
        (None, Some(revision)) if exactly => old(target, revision).ok_or_else(|| {
            Failure::expired("The resourceVersion for the provided list is too old.")
        }),
        _ => Ok(stale::snapshot(target, asked)),
    }
}

/// A collection as it was, if that is still known.
fn old(target: &Target, revision: u64) -> Option<Snapshot> {
    let store = &target.plane.store;
    let namespace = target.namespace.as_deref();
    let snapshot = store.list_at(target.bucket(), namespace, revision).ok()?;
    (revision >= store.oldest_of_lists()).then_some(snapshot)
}

fn too_old_to_go_on(page: &Page) -> Failure {
    let from_now = Page {
        revision: None,
        after: page.after.clone(),
    };
    Failure::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the \
         continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing \
         with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the \
         time the first chunk was returned and now may show up in the list.",
    )
    .going_on(from_now.token())
}

/// A read of a revision that has not come for as long as one waits for it.
pub(super) fn too_new(revision: u64, newest: u64) -> Failure {
    beyond(revision, newest).retry_after(1).awaiting(revision)
}

/// A read of a revision that has not come.
fn beyond(revision: u64, newest: u64) -> Failure {
    Failure::new(
        StatusCode::GATEWAY_TIMEOUT,
        "Timeout",
        format!("Timeout: Too large resource version: {revision}, current: {newest}"),
    )
    .with_causes(vec![Cause::new(
        "ResourceVersionTooLarge",
        "",
        "Too large resource version",
    )])
}

/// Both selectors of a list or a watch.
pub(crate) fn said(asked: &Asked) -> Result<Said, Failure> {
    let [labels, fields] =
        ["labelSelector", "fieldSelector"].map(|selector| asked.query.get(selector));
    Said::read(labels, fields)
}

fn limit(asked: &Asked) -> Result<Option<usize>, Failure> {
    let limit = number(asked, "limit")?;
    Ok(limit
        .and_then(|limit| usize::try_from(limit).ok())
        .filter(|limit| *limit > 0))
}

/// A number in the query.
pub(crate) fn number(asked: &Asked, name: &str) -> Result<Option<i64>, Failure> {
    let text = asked.query.raw(name);
    text.map(|text| {
        text.parse().map_err(|error: ParseIntError| {
            let why = match error.kind() {
                IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
                _ => "invalid syntax",
            };
            Failure::bad_request(format!("strconv.ParseInt: parsing {text:?}: {why}"))
        })
    })
    .transpose()
}

/// What Milo answers the first who reads a kind in a project, where that is played.
pub(crate) fn initialize(target: &Target, asked: &Asked) -> Result<(), Failure> {
    let plane = &target.plane;
    for storage in &asked.distortion.initializing {
        let is_first = plane.project.is_some() && plane.is_first_read(storage.id, target.bucket());
        if is_first && storage.happens() {
            return Err(Failure::initializing(None));
        }
    }
    Ok(())
}
