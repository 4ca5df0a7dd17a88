//! One request, as a test sees it.

use std::fmt;

use http::{Method, StatusCode};

use super::paths::{self, ResourcePath};

/// What a request does, as Kubernetes names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// One object, or something that is no resource.
    Get,
    /// A collection.
    List,
    /// A stream of changes.
    Watch,
    /// A new object.
    Create,
    /// A whole object, replaced.
    Update,
    /// A part of an object, server-side apply too.
    Patch,
    /// One object.
    Delete,
    /// All objects of a collection.
    DeleteCollection,
    /// Something else.
    Other,
}

impl Verb {
    /// Whether it only reads.
    pub fn reads(self) -> bool {
        matches!(self, Self::Get | Self::List | Self::Watch)
    }

    /// That of a request for a path of a control plane, which may name a resource.
    pub(super) fn of(
        method: &Method,
        path: &str,
        query: &str,
        resource: Option<&ResourcePath>,
    ) -> Self {
        let named = resource.is_none_or(|resource| resource.name.is_some());
        let watches = || {
            let mut pairs = query.split('&');
            let said = pairs.find_map(|pair| match pair.split_once('=') {
                Some(("watch", said)) => Some(said),
                None if pair == "watch" => Some(""),
                _ => None,
            });
            let is_no = |said: &str| said == "0" || said.eq_ignore_ascii_case("false");
            said.is_some_and(|said| !is_no(said))
        };
        match method.as_str() {
            "GET" | "HEAD" if resource.is_some() && paths::is_of_a_watch(path) => Self::Watch,
            "GET" | "HEAD" if resource.is_some_and(|_| !named && watches()) => Self::Watch,
            "GET" | "HEAD" if named => Self::Get,
            "GET" | "HEAD" => Self::List,
            "POST" => Self::Create,
            "PUT" => Self::Update,
            "PATCH" => Self::Patch,
            "DELETE" if named => Self::Delete,
            "DELETE" => Self::DeleteCollection,
            _ => Self::Other,
        }
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct RequestRecord {
    /// Counts all requests, from 0.
    pub number: u64,
    /// The project whose control plane was asked; none is the root.
    pub project: Option<String>,
    /// The method.
    pub method: Method,
    /// The path in that control plane.
    pub path: String,
    /// The query as it was sent, without the question mark.
    pub query: String,
    /// What the request does.
    pub verb: Verb,
    /// The resource, unless the path names none.
    pub resource: Option<ResourcePath>,
    /// The user whose token or certificate was shown, where it is known; not the one on whose behalf it is done.
    pub user: Option<String>,
    /// The `User-Agent`.
    pub user_agent: Option<String>,
    /// The `Content-Type` of what was sent; it tells the kinds of patches apart.
    pub content_type: Option<String>,
    /// The status of the answer; none until there is one.
    pub status: Option<StatusCode>,
    /// The resourceVersion of the object or the list that was answered in JSON.
    pub resource_version: Option<String>,
    /// Whether the client is still waiting for the answer, or for the end of it: so it is with a watch.
    pub open: bool,
}

impl RequestRecord {
    /// The plural of the resource, empty where there is none.
    pub fn plural(&self) -> &str {
        self.resource
            .as_ref()
            .map_or("", |resource| resource.resource.as_str())
    }

    /// The API group, empty for the core group.
    pub fn group(&self) -> &str {
        self.resource
            .as_ref()
            .map_or("", |resource| resource.group.as_str())
    }

    /// The namespace, where the path has one.
    pub fn namespace(&self) -> Option<&str> {
        self.resource.as_ref()?.namespace.as_deref()
    }

    /// The name, where the path has one.
    pub fn name(&self) -> Option<&str> {
        self.resource.as_ref()?.name.as_deref()
    }

    /// The subresource, where the path has one.
    pub fn subresource(&self) -> Option<&str> {
        self.resource.as_ref()?.subresource.as_deref()
    }

    /// The resourceVersion that a read asks for.
    pub fn asked_version(&self) -> Option<&str> {
        let pairs = self.query.split('&');
        let mut versions = pairs.filter_map(|pair| pair.strip_prefix("resourceVersion="));
        versions.next().filter(|version| !version.is_empty())
    }
}

/// One line, for the message of a failed test.
impl fmt::Display for RequestRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let project = self.project.as_deref().unwrap_or("root");
        write!(
            f,
            "#{} {project}: {} {}",
            self.number, self.method, self.path
        )?;
        if !self.query.is_empty() {
            write!(f, "?{}", self.query)?;
        }
        match self.status {
            Some(status) => write!(f, " -> {}", status.as_u16()),
            None => f.write_str(" -> (no answer yet)"),
        }
    }
}
