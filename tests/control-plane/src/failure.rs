//! What the API answers when it does not do what it was asked.

use std::fmt;

use http::StatusCode;
use serde_json::{Value, json};

use crate::kinds::Resource;
use crate::odd;
use crate::patch::go::{self, quoted};

/// A `Status` that says what went wrong, worded as a kube-apiserver words it.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) code: StatusCode,
    reason: &'static str,
    message: String,
    details: Option<Value>,
    pub(crate) retry_after: Option<u32>,
    /// What would help.
    help: Option<Box<Help>>,
    /// Answered as the plain text of a path that nobody serves.
    pub(crate) plain: bool,
    /// Of a Status, too, nobody is to guess the type.
    pub(crate) no_sniff: bool,
    /// What the server warns of all the same.
    pub(crate) warnings: Vec<String>,
}

/// What a client can do, or the server for it.
#[derive(Clone, Debug)]
enum Help {
    /// A list that has become too old goes on with this token.
    GoOn(String),
    /// The revision that was asked for is still to come.
    Await(u64),
}

/// One thing that is wrong with an object.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) field: String,
}

impl Cause {
    pub(crate) fn new(reason: &str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            reason: reason.to_owned(),
            message: message.into(),
            field: field.into(),
        }
    }

    pub(crate) fn required(field: &str, message: &str) -> Self {
        let message = if message.is_empty() {
            "Required value".to_owned()
        } else {
            format!("Required value: {message}")
        };
        Self::new("FieldValueRequired", field, message)
    }

    pub(crate) fn invalid(field: &str, value: &Value, message: &str) -> Self {
        Self::new(
            "FieldValueInvalid",
            field,
            format!("Invalid value: {}: {message}", go::shown(value)),
        )
    }

    pub(crate) fn too_long(field: &str, most: usize) -> Self {
        Self::new(
            "FieldValueTooLong",
            field,
            format!("Too long: may not be more than {most} bytes"),
        )
    }

    pub(crate) fn duplicate(field: &str, value: &Value) -> Self {
        Self::new(
            "FieldValueDuplicate",
            field,
            format!("Duplicate value: {}", go::shown(value)),
        )
    }

    pub(crate) fn not_found(field: &str, value: &Value, message: &str) -> Self {
        let message = format!("Not found: {}: {message}", go::shown(value));
        Self::new("FieldValueNotFound", field, message)
    }

    pub(crate) fn forbidden(field: &str, message: &str) -> Self {
        Self::new(
            "FieldValueForbidden",
            field,
            format!("Forbidden: {message}"),
        )
    }

    pub(crate) fn unsupported(field: &str, value: &Value, supported: &str) -> Self {
        Self::new(
            "FieldValueNotSupported",
            field,
            format!(
                "Unsupported value: {}: supported values: {supported}",
                go::shown(value)
            ),
        )
    }
}

/// A resource with its group, if that has a name.
fn qualified(group: &str, plural: &str) -> String {
    match group {
        "" => plural.to_owned(),
        group => format!("{plural}.{group}"),
    }
}

/// How much is told of what is wrong, in bytes: what is in a field with a long way to it has a long name. A real server tells
/// all, as long as it has memory and time.
pub(crate) const MOST_BYTES: usize = 16 << 20;

/// The first texts, of which as many are told as there is room for.
#[derive(Default)]
pub(crate) struct Texts {
    told: Vec<String>,
    length: usize,
}

impl Texts {
    pub(crate) fn tell(&mut self, text: impl fmt::Display) {
        if self.length <= MOST_BYTES {
            let text = text.to_string();
            self.length += text.len();
            self.told.push(text);
        }
    }

    pub(crate) fn told(self) -> Vec<String> {
        self.told
    }
}

/// The first causes, of which as many are made as there is room for: of each of many something can be told that shows
/// all of them.
#[derive(Default)]
pub(crate) struct Causes {
    made: Vec<Cause>,
    length: usize,
}

impl Causes {
    pub(crate) fn add(&mut self, make: impl FnOnce() -> Cause) {
        if self.length <= MOST_BYTES {
            let cause = make();
            self.length += cause.field.len() + cause.message.len() + 1;
            self.made.push(cause);
        }
    }

    pub(crate) fn made(self) -> Vec<Cause> {
        self.made
    }
}

/// The first causes, of which as many are told as there is room for.
fn told(causes: Vec<Cause>) -> Vec<Cause> {
    let mut length = 0;
    let mut is_told = |cause: &Cause| {
        let is_first = length == 0;
        length += cause.field.len() + cause.message.len() + 1;
        is_first || length <= MOST_BYTES
    };
    causes
        .into_iter()
        .take_while(|cause| is_told(cause))
        .collect()
}

impl Failure {
    pub(crate) fn new(code: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: None,
            retry_after: None,
            help: None,
            plain: false,
            no_sniff: false,
            warnings: Vec::new(),
        }
    }

    /// Warns of this first.
    pub(crate) fn warned(mut self, warnings: Vec<String>) -> Self {
        self.warnings.splice(0..0, warnings);
        self
    }

    fn about(mut self, resource: &Resource, name: &str) -> Self {
        self.details = Some(details(&resource.group, &resource.plural, name));
        self
    }

    /// Nobody serves the path.
    pub(crate) fn page_not_found() -> Self {
        Self {
            plain: true,
            ..Self::new(StatusCode::NOT_FOUND, "NotFound", "404 page not found")
        }
    }

    /// Another server is to answer, and cannot be reached.
    pub(crate) fn unavailable() -> Self {
        Self {
            plain: true,
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "ServiceUnavailable",
                "service unavailable",
            )
        }
    }

    /// The group is served, but not this resource.
    pub(crate) fn no_such_resource() -> Self {
        let mut failure = Self::new(
            StatusCode::NOT_FOUND,
            "NotFound",
            "the server could not find the requested resource",
        );
        failure.details = Some(json!({}));
        failure
    }

    pub(crate) fn not_found(resource: &Resource, name: &str) -> Self {
        let message = format!("{} {} not found", resource.qualified(), quoted(name));
        Self::new(StatusCode::NOT_FOUND, "NotFound", message).about(resource, name)
    }

    pub(crate) fn already_exists(resource: &Resource, name: &str) -> Self {
        let message = format!("{} {} already exists", resource.qualified(), quoted(name));
        Self::new(StatusCode::CONFLICT, "AlreadyExists", message).about(resource, name)
    }

    /// It is being deleted, and not gone yet.
    pub(crate) fn still_exists(resource: &Resource, name: &str) -> Self {
        let mut failure = Self::already_exists(resource, name);
        failure.message = format!("object is being deleted: {}", failure.message);
        failure
    }

    /// Whoever asks again may get another name.
    pub(crate) fn of_generated_name(mut self) -> Self {
        self.message += ", the server was not able to generate a unique name for the object";
        self.retry_after(1)
    }

    pub(crate) fn conflict(resource: &Resource, name: &str, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} {}: {why}",
            resource.qualified(),
            quoted(name)
        );
        Self::new(StatusCode::CONFLICT, "Conflict", message).about(resource, name)
    }

    /// The same of the Scale of an object.
    pub(crate) fn conflict_of_scale(resource: &Resource, name: &str, why: &str) -> Self {
        let plural = format!("{}/scale", resource.plural);
        let message = format!(
            "Operation cannot be fulfilled on {} {}: {why}",
            qualified(&resource.group, &plural),
            quoted(name)
        );
        let mut failure = Self::new(StatusCode::CONFLICT, "Conflict", message);
        failure.details = Some(details(&resource.group, &plural, name));
        failure
    }

    /// Somebody else wrote in the meantime.
    pub(crate) fn modified(resource: &Resource, name: &str) -> Self {
        Self::conflict(
            resource,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    /// A conflict of preconditions names the kind, not the resource.
    pub(crate) fn precondition(resource: &Resource, name: &str, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} {}: {why}",
            resource.qualified_kind(),
            quoted(name)
        );
        let mut failure = Self::new(StatusCode::CONFLICT, "Conflict", message);
        failure.details = Some(details(&resource.group, &resource.kind, name));
        failure
    }

    pub(crate) fn forbidden(resource: &Resource, name: &str, why: &str) -> Self {
        let mut what = resource.qualified();
        if !name.is_empty() {
            what = format!("{what} {}", quoted(name));
        }
        let message = format!("{what} is forbidden: {why}");
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message).about(resource, name)
    }

    /// The same of a resource that nobody may serve, as a question is refused whatever there is.
    pub(crate) fn not_allowed(group: &str, plural: &str, name: &str, why: &str) -> Self {
        let mut qualified = qualified(group, plural);
        if !name.is_empty() {
            qualified.push_str(&format!(" {}", quoted(name)));
        }
        let message = match (group, plural) {
            ("", "") => format!("forbidden: {why}"),
            _ => format!("{qualified} is forbidden: {why}"),
        };
        let mut failure = Self::new(StatusCode::FORBIDDEN, "Forbidden", message);
        failure.details = Some(details(group, plural, name));
        failure.no_sniff = true;
        failure
    }

    /// The same of a path that is that of no resource.
    pub(crate) fn forbidden_path(why: &str) -> Self {
        let message = format!("forbidden: {why}");
        let failure = Self::new(StatusCode::FORBIDDEN, "Forbidden", message);
        Self {
            no_sniff: true,
            ..failure.with_empty_details()
        }
    }

    pub(crate) fn invalid(group: &str, kind: &str, name: &str, causes: Vec<Cause>) -> Self {
        let causes = told(causes);
        let qualified = if group.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind}.{group}")
        };
        let mut said: Vec<String> = causes
            .iter()
            .map(|cause| {
                if cause.field.is_empty() {
                    cause.message.clone()
                } else {
                    format!("{}: {}", cause.field, cause.message)
                }
            })
            .collect();
        let mut seen = std::collections::BTreeSet::new();
        said.retain(|text| seen.insert(text.clone()));
        let list = if said.len() == 1 {
            said.remove(0)
        } else {
            format!("[{}]", said.join(", "))
        };
        let mut failure = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Invalid",
            format!("{qualified} {} is invalid: {list}", quoted(name)),
        );
        failure.details = Some(details(group, kind, name));
        failure.with_causes(causes)
    }

    /// What is wrong with an object of a resource.
    pub(crate) fn invalid_object(resource: &Resource, name: &str, causes: Vec<Cause>) -> Self {
        Self::invalid(&resource.group, &resource.kind, name, causes)
    }

    pub(crate) fn with_empty_details(mut self) -> Self {
        self.details = Some(json!({}));
        self
    }

    pub(crate) fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// A patch that makes something that is no object of the resource.
    pub(crate) fn patch_invalid(cause: Cause) -> Self {
        let message = format!(" \"\" is invalid: {}: {}", cause.field, cause.message);
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).with_causes(vec![cause])
    }

    pub(crate) fn with_causes(mut self, causes: Vec<Cause>) -> Self {
        let causes: Vec<Value> = told(causes)
            .into_iter()
            .map(|cause| {
                let mut value = json!({"message": cause.message});
                if !cause.reason.is_empty() {
                    value["reason"] = cause.reason.into();
                }
                if !cause.field.is_empty() {
                    value["field"] = cause.field.into();
                }
                value
            })
            .collect();
        let details = self.details.get_or_insert_with(|| json!({}));
        details["causes"] = causes.into();
        self
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// Something is to be looked up by a name that is not said.
    pub(crate) fn no_name() -> Self {
        Self::bad_request("Name parameter required.")
    }

    /// Something that the server did not expect.
    pub(crate) fn internal(why: &str) -> Self {
        let mut failure = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            format!("Internal error occurred: {why}"),
        );
        failure.details = Some(json!({"causes": [{"message": why}]}));
        failure
    }

    pub(crate) fn method_not_allowed() -> Self {
        let mut failure = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        );
        failure.details = Some(json!({}));
        failure
    }

    /// The same of a custom resource, whose handler knows what it refuses.
    pub(crate) fn method_not_supported(resource: &Resource, verb: &str) -> Self {
        let message = format!(
            "{verb} is not supported on resources of kind {:?}",
            resource.qualified()
        );
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message).about(resource, "")
    }

    /// The history that was asked for is no longer there.
    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, "Expired", message)
    }

    /// The same of a list that can go on as it is now.
    pub(crate) fn going_on(mut self, token: String) -> Self {
        self.help = Some(Box::new(Help::GoOn(token)));
        self
    }

    /// The same of a read of a revision that is still to come.
    pub(crate) fn awaiting(mut self, revision: u64) -> Self {
        self.help = Some(Box::new(Help::Await(revision)));
        self
    }

    /// The revision that has to come first.
    pub(crate) fn awaited(&self) -> Option<u64> {
        match self.help.as_deref() {
            Some(Help::Await(revision)) => Some(*revision),
            _ => None,
        }
    }

    /// What is answered while there is no cache of a kind: in a project of Milo that is asked for it first, or for as long
    /// as what is stored cannot be read (`why`).
    pub(crate) fn initializing(why: Option<&str>) -> Self {
        let mut message = "storage is (re)initializing".to_owned();
        if let Some(why) = why {
            message = format!("{message}: {why}");
        }
        let mut failure = Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message);
        failure.details = Some(json!({"retryAfterSeconds": 1}));
        failure.retry_after = Some(1);
        failure
    }

    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.details.get_or_insert_with(|| json!({}))["retryAfterSeconds"] = seconds.into();
        self.retry_after = Some(seconds);
        self
    }

    /// The Status object.
    pub(crate) fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": odd::told(&self.message), "code": self.code.as_u16(),
        });
        if !self.reason.is_empty() {
            status["reason"] = self.reason.into();
        }
        if let Some(Help::GoOn(token)) = self.help.as_deref() {
            status["metadata"]["continue"] = token.as_str().into();
        }
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        status
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

fn details(group: &str, kind: &str, name: &str) -> Value {
    let mut details = json!({});
    if !kind.is_empty() {
        details["kind"] = kind.into();
    }
    if !name.is_empty() {
        details["name"] = odd::told(name).into();
    }
    if !group.is_empty() {
        details["group"] = group.into();
    }
    details
}
