//! What a request's path says: the project, and the resource in its control plane.

use crate::api::decode;

const LONG: &str = "/apis/resourcemanager.miloapis.com/v1alpha1/projects/";
const SHORT: &str = "/projects/";

/// Splits a path into the project whose control plane it means (none is the root) and the path there.
///
/// Milo serves a project's control plane below
/// `/apis/resourcemanager.miloapis.com/v1alpha1/projects/{name}/control-plane`, and `/projects/{name}/control-plane`
/// is an alias.
pub(crate) fn project_and_path(path: &str) -> (Option<&str>, &str) {
    let split = [LONG, SHORT].into_iter().find_map(|prefix| {
        let (name, rest) = path.strip_prefix(prefix)?.split_once('/')?;
        let rest = rest.strip_prefix("control-plane")?;
        (!name.is_empty() && (rest.is_empty() || rest.starts_with('/'))).then_some((name, rest))
    });
    match split {
        Some((name, "")) => (Some(name), "/"),
        Some((name, rest)) => (Some(name), rest),
        None => (None, path),
    }
}

/// Whether a path is one that watches had before today's: `/api/v1/watch/configmaps`.
pub(super) fn is_of_a_watch(path: &str) -> bool {
    let mut segments = path.split('/').skip(1);
    let version = match segments.next() {
        Some("api") => 0,
        Some("apis") => 1,
        _ => return false,
    };
    segments.nth(version + 1) == Some("watch")
        && segments.next().is_some_and(|rest| !rest.is_empty())
}

/// The resource that a path names, as Kubernetes reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourcePath {
    /// The API group, empty for the core group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The plural.
    pub resource: String,
    /// The namespace, where the path has one.
    pub namespace: Option<String>,
    /// The object's name, where the path has one.
    pub name: Option<String>,
    /// The subresource and what follows it.
    pub subresource: Option<String>,
}

impl ResourcePath {
    /// Reads a path as it is sent, which may be encoded. What it means is decided by what it encodes.
    pub(crate) fn of_sent(path: &str) -> Option<Self> {
        match path.contains('%') {
            true => Self::parse(&decode(path, false)),
            false => Self::parse(path),
        }
    }

    /// Reads `/api/v1/..` and `/apis/{group}/{version}/..`, decoded; none for discovery and everything that is no resource.
    pub fn parse(path: &str) -> Option<Self> {
        let mut segments = path.strip_prefix('/')?.trim_end_matches('/').split('/');
        let group = match segments.next()? {
            "api" => "",
            "apis" => segments.next().filter(|group| !group.is_empty())?,
            _ => return None,
        };
        let version = segments.next()?;
        let mut rest: Vec<&str> = segments.collect();
        if is_of_a_watch(path) {
            rest.remove(0);
        }
        let (namespace, rest) = match rest.as_slice() {
            // `namespaces/x/status` is the namespace's own subresource, `namespaces/x/configmaps` a list in it.
            ["namespaces", namespace, resource, ..]
                if !(group.is_empty() && matches!(*resource, "status" | "finalize")) =>
            {
                (Some(String::from(*namespace)), &rest[2..])
            }
            _ => (None, rest.as_slice()),
        };
        Some(Self {
            group: group.into(),
            version: version.into(),
            resource: (*rest.first()?).into(),
            namespace,
            name: rest.get(1).map(|name| String::from(*name)),
            subresource: rest
                .get(2..)
                .filter(|rest| !rest.is_empty())
                .map(|rest| rest.join("/")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_projects_path_is_split_at_its_control_plane() {
        let long = "/apis/resourcemanager.miloapis.com/v1alpha1/projects/red/control-plane";
        assert_eq!(
            project_and_path(&format!("{long}/api/v1/namespaces")),
            (Some("red"), "/api/v1/namespaces")
        );
        assert_eq!(project_and_path(long), (Some("red"), "/"));
        assert_eq!(
            project_and_path("/projects/red/control-plane/version"),
            (Some("red"), "/version")
        );
        for root in [
            "/api/v1/namespaces",
            "/projects/red",
            "/projects//control-plane",
            "/projects/red/control-planes",
            "/apis/resourcemanager.miloapis.com/v1alpha1/projects/red/status",
        ] {
            assert_eq!(project_and_path(root), (None, root));
        }
    }

    fn parsed(
        path: &str,
    ) -> (
        String,
        String,
        Option<String>,
        Option<String>,
        Option<String>,
    ) {
        let path = ResourcePath::parse(path).unwrap();
        (
            path.group,
            path.resource,
            path.namespace,
            path.name,
            path.subresource,
        )
    }

    #[test]
    fn a_resource_path_is_read_as_kubernetes_reads_it() {
        let some = |text: &str| Some(String::from(text));
        assert_eq!(
            parsed("/api/v1/namespaces/a/configmaps/b"),
            ("".into(), "configmaps".into(), some("a"), some("b"), None)
        );
        assert_eq!(
            parsed("/api/v1/namespaces/a/status"),
            (
                "".into(),
                "namespaces".into(),
                None,
                some("a"),
                some("status")
            )
        );
        assert_eq!(
            parsed("/apis/demo.kommodore.dev/v1alpha1/websites"),
            (
                "demo.kommodore.dev".into(),
                "websites".into(),
                None,
                None,
                None
            )
        );
        assert_eq!(
            parsed("/apis/g/v1/namespaces/a/websites/b/status"),
            (
                "g".into(),
                "websites".into(),
                some("a"),
                some("b"),
                some("status")
            )
        );
        assert_eq!(
            parsed("/api/v1/watch/namespaces/a/configmaps/b"),
            ("".into(), "configmaps".into(), some("a"), some("b"), None)
        );
        for none in [
            "/",
            "/version",
            "/api",
            "/api/v1",
            "/apis/g",
            "/apis/g/v1",
            "/openapi/v2",
        ] {
            assert_eq!(ResourcePath::parse(none), None, "{none}");
        }
    }
}
