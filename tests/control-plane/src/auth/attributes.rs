//! What a request wants to do, as rules and refusals name it.

use http::Method;

use crate::api::{Query, are_labels, exactly};
use crate::failure::Failure;
use crate::patch::go;

/// What a request wants to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) verb: String,
    /// The path, where it is that of no resource.
    pub(crate) path: Option<String>,
    pub(crate) group: String,
    pub(crate) resource: String,
    pub(crate) subresource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Attributes {
    /// A verb on a path that is that of no resource.
    pub(crate) fn of_path(verb: &str, path: &str) -> Self {
        Self {
            verb: verb.to_owned(),
            path: Some(path.to_owned()),
            ..Self::default()
        }
    }

    /// Reads a request, whose path is decoded: what is answered goes by that, so what is allowed has to. Whether anybody
    /// serves the resource does not matter.
    pub(crate) fn of(method: &Method, path: &str, query: &Query) -> Self {
        Self::of_resource(method, path, query)
            .unwrap_or_else(|| Self::of_path(&method.as_str().to_lowercase(), path))
    }

    fn of_resource(method: &Method, path: &str, query: &Query) -> Option<Self> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (group, parts) = match parts.as_slice() {
            ["api", _, rest @ ..] if !rest.is_empty() => ("", rest),
            ["apis", group, _, rest @ ..] if !rest.is_empty() => (*group, rest),
            _ => return None,
        };
        // Before today's, watches had paths of their own.
        let (special, parts) = match parts {
            [verb @ ("watch" | "proxy"), rest @ ..] if !rest.is_empty() => (Some(*verb), rest),
            parts => (None, parts),
        };
        let (namespace, parts) = match parts {
            ["namespaces", namespace, rest @ ..]
                if !rest.is_empty() && !matches!(rest[0], "status" | "finalize") =>
            {
                (*namespace, rest)
            }
            ["namespaces", namespace, ..] => (*namespace, parts),
            parts => ("", parts),
        };
        let text = |at: usize| parts.get(at).copied().unwrap_or_default().to_owned();
        let mut attributes = Self {
            path: None,
            verb: String::new(),
            group: group.to_owned(),
            namespace: namespace.to_owned(),
            resource: text(0),
            name: text(1),
            // What is behind a proxied object is its own affair.
            subresource: match special {
                Some("proxy") => String::new(),
                _ => text(2),
            },
        };
        attributes.verb = match (special, method.as_str()) {
            (Some(verb), _) => verb,
            (None, "POST") => "create",
            (None, "GET" | "HEAD") => "get",
            (None, "PUT") => "update",
            (None, "PATCH") => "patch",
            (None, "DELETE") => "delete",
            (None, _) => "",
        }
        .to_owned();
        if attributes.name.is_empty() {
            attributes.verb = match attributes.verb.as_str() {
                "get" => {
                    attributes.name = selected_name(query);
                    if query.flag("watch") { "watch" } else { "list" }.to_owned()
                }
                "delete" => "deletecollection".to_owned(),
                verb => verb.to_owned(),
            };
        }
        Some(attributes)
    }

    /// The resource with its subresource.
    pub(crate) fn whole_resource(&self) -> String {
        if self.subresource.is_empty() {
            self.resource.clone()
        } else {
            format!("{}/{}", self.resource, self.subresource)
        }
    }

    /// That a user may not do it, and why, if there is more to say.
    pub(crate) fn refused(&self, user: &str, reason: &str) -> Failure {
        let verb = &self.verb;
        let cannot = match &self.path {
            Some(path) => format!(
                "User {} cannot {verb} path {}",
                go::quoted(user),
                go::quoted(path)
            ),
            None => {
                let [user, resource, group] =
                    [user, &self.whole_resource(), &self.group].map(go::quoted);
                let scope = match self.namespace.as_str() {
                    "" => "at the cluster scope".to_owned(),
                    namespace => format!("in the namespace {}", go::quoted(namespace)),
                };
                format!(
                    "User {user} cannot {verb} resource {resource} in API group {group} {scope}"
                )
            }
        };
        let mut why = cannot
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        if !reason.is_empty() {
            why = format!("{why}: {reason}");
        }
        match &self.path {
            Some(_) => Failure::forbidden_path(&why),
            None => Failure::not_allowed(&self.group, &self.resource, &self.name, &why),
        }
    }
}

/// The one name that a field selector lets through, if it does; rules know it. Where something of the request cannot be
/// read, nothing of it counts.
pub(crate) fn selected_name(query: &Query) -> String {
    let is_number = |name: &str| {
        let said = query.raw(name);
        said.is_none_or(|said| said.parse::<i64>().is_ok())
    };
    let selector = query.get("fieldSelector").unwrap_or_default();
    let labels = query.get("labelSelector").unwrap_or_default();
    let is_readable = is_number("limit") && is_number("timeoutSeconds") && are_labels(labels);
    let name = exactly("metadata.name", selector).filter(|_| is_readable);
    let names_something =
        |name: &String| ![".", ".."].contains(&&**name) && !name.contains(['/', '%']);
    name.filter(names_something).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a request is read as, in one line: nothing is a dot.
    fn read(method: &str, path: &str) -> String {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let read = Attributes::of(&method, path, &Query::parse(query));
        let resource = read.whole_resource();
        let path = read.path.unwrap_or_default();
        let parts = [
            read.verb,
            read.group,
            resource,
            read.namespace,
            read.name,
            path,
        ];
        let parts = parts.map(|part| if part.is_empty() { ".".into() } else { part });
        parts.join(" ")
    }

    /// Method and path; verb, group, resource, namespace, name and, of no resource, path.
    const READ: &str = "
        GET /api/v1/pods                                               | list . pods . . .
        GET /api/v1/pods?watch=1                                       | watch . pods . . .
        GET /apis/apps/v1/namespaces/a/deployments/b/scale             | get apps deployments/scale a b .
        GET /api/v1/namespaces/a/pods?fieldSelector=metadata.name%3Db  | list . pods a b .
        DELETE /api/v1/namespaces/a/pods                               | deletecollection . pods a . .
        PUT /api/v1/namespaces/a/finalize                              | update . namespaces/finalize a a .
        GET /api/v1/namespaces/a                                       | get . namespaces a a .
        GET /api/v1/namespaces                                         | list . namespaces . . .
        GET /api/v1/watch/namespaces/a/pods/b                          | watch . pods a b .
        GET /api/v1/pods?fieldSelector=metadata.name=b,metadata.name=a | list . pods . a .
        GET /api/v1/pods?fieldSelector=metadata.name=b&limit=x         | list . pods . . .
        GET /api/v1/pods?fieldSelector=a!=b=,metadata.name=b           | list . pods . . .
        GET /api/v1/namespaces//pods                                   | list . pods . . .
        GET /api/v1//pods                                              | get . . . pods .
        OPTIONS /api/v1/pods                                           | . . pods . . .
        GET /api/v1                                                    | get . . . . /api/v1
        GET /apis/apps/v1                                              | get . . . . /apis/apps/v1
        POST /version                                                  | post . . . . /version
    ";

    #[test]
    fn a_request_is_read_as_a_real_server_reads_it() {
        let rows = READ.trim().lines();
        let rows = rows.map(|row| row.split_once('|').unwrap());
        for (asked, expected) in rows {
            let (method, path) = asked.trim().split_once(' ').unwrap();
            assert_eq!(read(method, path), expected.trim(), "{asked}");
        }
    }
}
