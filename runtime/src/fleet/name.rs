//! What a cluster is called.

use std::fmt;
use std::sync::Arc;

/// The longest DNS label (RFC 1123).
const LONGEST: usize = 63;

/// The name of a cluster of the fleet: a DNS label, such as the name of a Milo project.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterName(Option<Arc<str>>);

impl ClusterName {
    /// The host cluster: the one that the manager's own configuration names.
    pub const LOCAL: Self = Self(None);

    /// The name of a cluster that a provider found.
    ///
    /// # Errors
    /// When `name` is no DNS label (RFC 1123: at most 63 of `a-z`, `0-9` and `-`, not beginning or
    /// ending with `-`). Cluster names become parts of URLs, so nothing else may pass.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        let of_label =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_label = !name.is_empty()
            && name.len() <= LONGEST
            && name.bytes().all(of_label)
            && !name.starts_with('-')
            && !name.ends_with('-');
        match is_label {
            true => Ok(Self(Some(name.into()))),
            false => Err(InvalidName(name.chars().take(LONGEST).collect())),
        }
    }

    /// The name; `local` for the host cluster.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or("local")
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl AsRef<str> for ClusterName {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

/// A name that no cluster can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot be the name of a cluster: it has to be a DNS label, at most 63 lower-case letters, digits and '-', \
     with a letter or digit at both ends"
)]
pub struct InvalidName(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_dns_label_is_a_name() {
        for good in ["a", "alpha", "a-1", "0", &"x".repeat(63)] {
            assert_eq!(ClusterName::new(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "..",
            "a/b",
            "a%2fb",
            "a?b",
            "A",
            "-a",
            "a-",
            "a.b",
            "ä",
            "a b",
            &"x".repeat(64),
        ] {
            assert!(ClusterName::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_cluster_named_local_is_not_the_host_cluster() {
        assert_ne!(ClusterName::new("local").unwrap(), ClusterName::LOCAL);
    }
}
