//! Whether a CustomResourceDefinition may be in a group of Kubernetes itself, which is not for everybody.

use serde_json::Value;

use crate::url::Url;

/// What a definition in such a group has to have.
pub(super) const ANNOTATION: &str = "api-approved.kubernetes.io";
const SEE: &str = "see https://github.com/kubernetes/enhancements/pull/1111";

/// What the annotation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Approval<'a> {
    /// A URL.
    Approved(&'a str),
    /// Why there is none.
    Unapproved(&'a str),
    Missing,
    Invalid(&'a str),
}

impl<'a> Approval<'a> {
    /// Nothing if the group is anybody's.
    pub(super) fn of(definition: &'a Value) -> Option<Self> {
        let group = definition.pointer("/spec/group")?.as_str()?;
        let is_theirs = ["k8s.io", "kubernetes.io"].iter().any(|theirs| {
            let before = group.strip_suffix(theirs);
            before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
        });
        let annotations = definition.pointer("/metadata/annotations");
        let said = annotations.and_then(|all| all.get(ANNOTATION));
        let said = said.and_then(Value::as_str).unwrap_or_default();
        is_theirs.then_some(match said {
            "" => Self::Missing,
            said if said.starts_with("unapproved") => Self::Unapproved(said),
            said if is_url(said) => Self::Approved(said),
            said => Self::Invalid(said),
        })
    }

    pub(super) fn is_given(self) -> bool {
        matches!(self, Self::Approved(_))
    }

    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Approved(_) => "ApprovedAnnotation",
            Self::Unapproved(_) => "UnapprovedAnnotation",
            Self::Missing => "MissingAnnotation",
            Self::Invalid(_) => "InvalidAnnotation",
        }
    }

    pub(super) fn message(self) -> String {
        let must = format!("protected groups must have approval annotation \"{ANNOTATION}\"");
        match self {
            Self::Approved(url) => format!("approved in {url}"),
            Self::Unapproved(why) => format!("not approved: {why:?}"),
            Self::Missing => format!("{must}, {SEE}"),
            Self::Invalid(_) => {
                format!("{must} with either a URL or a reason starting with \"unapproved\", {SEE}")
            }
        }
    }
}

/// Whether there is a scheme and a host.
fn is_url(text: &str) -> bool {
    Url::read(text).is_ok_and(|url| !url.scheme.is_empty() && !url.host.is_empty())
}
