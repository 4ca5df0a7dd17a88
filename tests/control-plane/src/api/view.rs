//! In which form objects are answered: whole, their metadata alone, or as rows of a Table.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream;
use http::{Method, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde_json::{Value, json};

use super::negotiation::{Media, negotiate};
use super::table::{self, Include};
use super::target::Target;
use super::{Asked, accept, rules};
use crate::clock;
use crate::failure::Failure;
use crate::json;
use crate::kinds::{Resource, Shape};
use crate::object;
use crate::schema;
use crate::serve::{Body, full};
use crate::store::Kept;
use crate::structs::{Item, Typed};

/// What the client accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Whole,
    /// As that of one object, or of a list.
    Metadata {
        of_list: bool,
        version: MetaVersion,
    },
    Table(Include, MetaVersion),
}

/// The version of the forms that are not the object's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MetaVersion {
    V1,
    V1Beta1,
}

impl MetaVersion {
    fn named(group: &str, version: &str) -> Option<Self> {
        match (group, version) {
            ("meta.k8s.io", "v1") => Some(Self::V1),
            ("meta.k8s.io", "v1beta1") => Some(Self::V1Beta1),
            _ => None,
        }
    }

    /// As objects say it.
    pub(crate) fn api_version(self) -> &'static str {
        match self {
            Self::V1 => "meta.k8s.io/v1",
            Self::V1Beta1 => "meta.k8s.io/v1beta1",
        }
    }
}

/// How much of a list or of the state of a watch is written at a time, in bytes.
pub(super) const PIECE: usize = 128 * 1024;

/// How long objects are as they are kept, with what stands between them.
pub(super) fn length(objects: &[Arc<Kept>]) -> usize {
    objects.iter().map(|object| object.text().len() + 1).sum()
}

/// A body of objects, which are written as it is taken; `write` is told which is the last.
pub(super) fn in_pieces(
    target: &Target,
    begin: Vec<u8>,
    objects: Vec<Arc<Kept>>,
    write: impl Fn(&Kept, &mut Vec<u8>, bool) + Send + Sync + 'static,
    mut end: Vec<u8>,
) -> Body {
    let clock = target.world.clock;
    let mut objects = objects.into_iter().peekable();
    let mut piece = begin;
    let pieces = std::iter::from_fn(move || {
        clock::within(clock, || {
            while piece.len() < PIECE
                && let Some(object) = objects.next()
            {
                let is_last = objects.peek().is_none();
                write(&object, &mut piece, is_last);
                if is_last {
                    piece.append(&mut end);
                }
            }
        });
        let piece = std::mem::take(&mut piece);
        (!piece.is_empty()).then(|| Ok(Frame::data(Bytes::from(piece))))
    });
    StreamBody::new(stream::iter(pieces)).boxed()
}

impl Form {
    /// The form that the `Accept` header asks for.
    pub(crate) fn of(target: &Target, asked: &Asked) -> Result<Self, Failure> {
        let (media, form) = Self::negotiate(target, asked)?;
        let watches = asked.query.flag("watch");
        if media == Media::Yaml && watches && asked.method == Method::GET && target.name.is_none() {
            return Err(accept::no_stream());
        }
        let odd = asked
            .query
            .get("includeObject")
            .filter(|include| !Include::is(include));
        match (form, odd) {
            (Self::Table(..), Some(odd)) => Err(Failure::bad_request(format!(
                "Unable to convert to Table as requested: includeObject: Invalid value: {odd:?}: must be 'Metadata', \
                 'Object', 'None', or empty"
            ))),
            _ if target.name.is_none() && asked.method == Method::DELETE => form.of_list(target),
            _ => Ok(form),
        }
    }

    /// The same for a list, which is no single object.
    pub(crate) fn of_list(self, target: &Target) -> Result<Self, Failure> {
        match self {
            Self::Metadata { of_list: false, .. } => Err(accept::is_a_list(target)),
            _ => Ok(self),
        }
    }

    /// The same for one object, which is no list.
    pub(crate) fn of_one(self, target: &Target) -> Result<Self, Failure> {
        match self {
            Self::Metadata { of_list: true, .. } if target.resource.is_crd() => Err(Failure::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "",
                "content is not a list",
            )),
            Self::Metadata { of_list: true, .. } => {
                let kind = accept::internal(target, &target.resource.kind);
                Err(accept::is_no_list(&kind))
            }
            _ => Ok(self),
        }
    }

    /// And in which format.
    pub(crate) fn negotiate(target: &Target, asked: &Asked) -> Result<(Media, Self), Failure> {
        accept::something(target, asked)?;
        let is_crd = target.resource.is_crd();
        let without = ["resize", "ephemeralcontainers"];
        let subresource = target.subresource.as_deref().unwrap_or_default();
        let has_tables = target.resource.has_tables() && !without.contains(&subresource);
        negotiate(&asked.headers, |media, convert| match convert {
            // What has no Go type has no protobuf.
            None => (!is_crd || media != Media::Protobuf).then_some(Self::Whole),
            Some(convert) => {
                let version = MetaVersion::named(convert.group, convert.version)?;
                match convert.kind {
                    "Table" if has_tables && media != Media::Protobuf => {
                        Some(Self::Table(Include::of(asked), version))
                    }
                    "PartialObjectMetadata" => Some(Self::Metadata {
                        of_list: false,
                        version,
                    }),
                    "PartialObjectMetadataList" => Some(Self::Metadata {
                        of_list: true,
                        version,
                    }),
                    _ => None,
                }
            }
        })
        .ok_or_else(accept::nothing)
    }

    /// One object, as it is written.
    pub(crate) fn text(self, target: &Target, object: &Value) -> Vec<u8> {
        self.written(target, &self.object(target, object))
    }

    /// What is shown of an object, as it is written.
    pub(crate) fn written(self, target: &Target, shown: &Value) -> Vec<u8> {
        let mut text = Vec::new();
        match self.is_typed(target) {
            true => json::write(&Typed(shown), &mut text),
            false => json::write(shown, &mut text),
        }
        text
    }

    /// Whether a Go type writes it: only resources of our own have none.
    fn is_typed(self, target: &Target) -> bool {
        self != Self::Whole || !target.resource.is_crd()
    }

    /// One object.
    pub(crate) fn object<'o>(self, target: &Target, object: &'o Value) -> Cow<'o, Value> {
        match self {
            Self::Whole => present(target, object),
            Self::Metadata { version, .. } => Cow::Owned(metadata(object, version)),
            Self::Table(include, version) => {
                let more = table::metadata_of(object);
                Cow::Owned(table::table(target, &[object], include, version, more))
            }
        }
    }

    /// Writes one object; what is sent as it is kept is copied.
    pub(crate) fn write(self, target: &Target, object: &Kept, into: &mut Vec<u8>) {
        match self {
            Self::Whole if is_kept_so(target, object) => match target.resource.is_crd() {
                true => into.extend_from_slice(object.text()),
                false => {
                    begin(&target.resource.kind, &target.api_version(), into);
                    into.extend_from_slice(object.text_of_the_rest());
                }
            },
            // What has no Go type is kept in another order.
            Self::Metadata { version, .. }
                if !target.resource.is_crd() && !target.resource.is("apps", "daemonsets") =>
            {
                begin("PartialObjectMetadata", version.api_version(), into);
                into.extend_from_slice(br#""metadata":"#);
                into.extend_from_slice(object.text_of_metadata());
                into.push(b'}');
            }
            _ => into.extend(self.text(target, &object.value())),
        }
    }

    /// A list; `metadata` is the list's own.
    pub(crate) fn list(self, target: &Target, objects: &[Arc<Kept>], metadata: Value) -> Vec<u8> {
        if let Self::Table(include, version) = self {
            let objects: Vec<Value> = objects.iter().map(|object| object.value()).collect();
            let objects: Vec<&Value> = objects.iter().collect();
            let table = table::table(target, &objects, include, version, metadata);
            let mut text = Vec::new();
            json::write(&Typed(&table), &mut text);
            return text;
        }
        let (mut text, end) = self.around_items(target, metadata, objects.is_empty());
        text.reserve(length(objects) + end.len());
        for (index, object) in objects.iter().enumerate() {
            if index > 0 {
                text.push(b',');
            }
            self.write_item(target, object, &mut text);
        }
        text.extend(end);
        text
    }

    /// The same, for a reader who takes it piece by piece: no more than a piece of it is held for one who is slow.
    pub(crate) fn list_body(
        self,
        target: &Target,
        objects: Vec<Arc<Kept>>,
        metadata: Value,
    ) -> Body {
        let length = match self {
            Self::Table(..) => 0,
            Self::Whole => length(&objects),
            Self::Metadata { .. } => objects
                .iter()
                .map(|object| object.text_of_metadata().len())
                .sum(),
        };
        // Once it is twice as long as a piece while it is kept, it is longer than one as it is sent.
        if length <= 2 * PIECE {
            let mut text = self.list(target, &objects, metadata);
            text.push(b'\n');
            return full(text);
        }
        let (begin, mut end) = self.around_items(target, metadata, objects.is_empty());
        end.push(b'\n');
        let of = target.clone();
        let write = move |object: &Kept, piece: &mut Vec<u8>, is_last: bool| {
            self.write_item(&of, object, piece);
            if !is_last {
                piece.push(b',');
            }
        };
        in_pieces(target, begin, objects, write, end)
    }

    /// What a list says before its items, and after them.
    fn around_items(self, target: &Target, metadata: Value, is_empty: bool) -> (Vec<u8>, Vec<u8>) {
        let (kind, api_version) = match self {
            Self::Metadata { version, .. } => (
                "PartialObjectMetadataList",
                version.api_version().to_owned(),
            ),
            _ => (target.resource.list_kind.as_str(), target.api_version()),
        };
        let mut text = Vec::new();
        let rest = if self.is_typed(target) {
            let head = json!({"kind": kind, "apiVersion": api_version, "metadata": metadata});
            json::write(&Typed(&head), &mut text);
            b"}".to_vec()
        } else {
            // Without a Go type the fields are told in the order of their names.
            json::write(&json!({"apiVersion": api_version}), &mut text);
            let mut rest = Vec::new();
            json::write(&json!({"kind": kind, "metadata": metadata}), &mut rest);
            rest.splice(..1, *b",");
            rest
        };
        text.pop();
        // What Go has not made it tells as nothing.
        let (begin, mut end): (&[u8], _) = match is_empty && matches!(self, Self::Metadata { .. }) {
            true => (b",\"items\":null", Vec::new()),
            false => (b",\"items\":[", b"]".to_vec()),
        };
        text.extend_from_slice(begin);
        end.extend(rest);
        (text, end)
    }

    /// The list of a built-in kind says kind and version once, and its objects do not.
    fn write_item(self, target: &Target, object: &Kept, into: &mut Vec<u8>) {
        if self != Self::Whole || target.resource.is_crd() {
            return self.write(target, object, into);
        }
        if is_kept_so(target, object) {
            into.push(b'{');
            into.extend_from_slice(object.text_of_the_rest());
            return;
        }
        let mut shown = present(target, &object.value()).into_owned();
        let fields = object::as_map(&mut shown);
        fields.remove("kind");
        fields.remove("apiVersion");
        let item = Item {
            kind: &target.resource.kind,
            api_version: &target.api_version(),
            object: &shown,
        };
        json::write(&item, into);
    }

    /// What a bookmark carries: nothing but a revision.
    pub(crate) fn bookmark(self, target: &Target, revision: u64, initial_end: bool) -> Value {
        let mut object = bare(target);
        object["metadata"]["resourceVersion"] = revision.to_string().into();
        if initial_end {
            object["metadata"]["annotations"]["k8s.io/initial-events-end"] = "true".into();
        }
        match self {
            Self::Whole => object,
            Self::Metadata { version, .. } => metadata(&object, version),
            Self::Table(include, version) => {
                let more = json!({"resourceVersion": revision.to_string()});
                table::table(target, &[&object], include, version, more)
            }
        }
    }
}

/// An object in which nobody has set anything.
fn bare(target: &Target) -> Value {
    let resource = &target.resource;
    let mut object = match &target.version().schema {
        Shape::BuiltIn(schema) => schema::empty(schema),
        Shape::Own(_) => json!({}),
    };
    object["kind"] = resource.kind.clone().into();
    object["apiVersion"] = target.api_version().into();
    object["metadata"] = json!({});
    // What has no pointer in the version that a real server works with is there in every other.
    match (&*resource.group, &*resource.plural) {
        ("apps", "deployments" | "replicasets" | "statefulsets") => {
            object["spec"]["replicas"] = 0.into();
        }
        ("apps", "daemonsets") => {
            object["metadata"]["annotations"] =
                json!({"deprecated.daemonset.template.generation": "0"});
        }
        ("apps", "controllerrevisions") => object["data"] = Value::Null,
        _ => {}
    }
    object
}

/// The metadata alone.
pub(crate) fn metadata(object: &Value, version: MetaVersion) -> Value {
    let mut metadata = object.get("metadata").cloned().unwrap_or_default();
    if object["kind"] == "DaemonSet" && object["apiVersion"] == "apps/v1" {
        rules::forget_templates(&mut metadata);
    }
    json!({
        "kind": "PartialObjectMetadata", "apiVersion": version.api_version(), "metadata": metadata,
    })
}

/// The begin of what a Go type writes.
fn begin(kind: &str, api_version: &str, into: &mut Vec<u8>) {
    for part in [
        "{\"kind\":\"",
        kind,
        "\",\"apiVersion\":\"",
        api_version,
        "\",",
    ] {
        into.extend_from_slice(part.as_bytes());
    }
}

/// Whether an object is answered as it is kept, in this version and group.
fn is_kept_so(target: &Target, object: &Kept) -> bool {
    let resource = &target.resource;
    let is_event = resource.is_event();
    !is_event && resource.stored_shape.is_none() && object.is_of(&target.api_version())
}

/// An object in the version (and, for events, the group) that was asked for.
pub(crate) fn present<'o>(target: &Target, object: &'o Value) -> Cow<'o, Value> {
    let api_version = target.api_version();
    let is_event = target.resource.is_event();
    let stored_so = object.get("apiVersion").and_then(Value::as_str) == Some(&api_version);
    if !is_event && stored_so && target.resource.stored_shape.is_none() {
        return Cow::Borrowed(object);
    }
    let mut object = object.clone();
    if target.resource.stored_shape.is_some() {
        // It is read by the version that it was stored in, whichever is stored in today.
        let said = object["apiVersion"].as_str().unwrap_or_default();
        let version = said.rsplit('/').next().unwrap_or_default().to_owned();
        if let Some(schema) = target.resource.schema_of(&version) {
            schema.prune(&mut object);
            // An object that is stored is answered, with as many of them as there is room for.
            let _ = schema.apply_defaults(&mut object);
        }
        if target.version().name != version {
            target.version().schema.schema().prune(&mut object);
        }
    }
    if is_event {
        convert_event(&mut object, &target.resource);
    }
    target.convert(&mut object);
    object["apiVersion"] = api_version.into();
    Cow::Owned(object)
}

/// The fields of events that are named differently in the core group and in events.k8s.io.
const EVENT_FIELDS: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// Renames the fields of an event to what they are called in a resource's group. Events are stored as the core
/// group's.
pub(crate) fn convert_event(event: &mut Value, to: &Resource) {
    let Some(fields) = event.as_object_mut() else {
        return;
    };
    for (core, other) in EVENT_FIELDS {
        let (from, to) = if to.group.is_empty() {
            (other, core)
        } else {
            (core, other)
        };
        if let Some(value) = fields.remove(from) {
            fields.insert(to.to_owned(), value);
        }
    }
    // The core group's events always name their reporter, if only as nobody.
    for reporter in [
        "reportingComponent",
        "reportingController",
        "reportingInstance",
    ] {
        let is_empty = fields.get(reporter).is_none_or(|value| value == "");
        if is_empty && !to.group.is_empty() {
            fields.remove(reporter);
        } else if is_empty && reporter != "reportingController" {
            fields.insert(reporter.to_owned(), "".into());
        }
    }
}
