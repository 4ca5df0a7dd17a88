//! Where the binaries lie.

use std::path::{Path, PathBuf};

use super::RealError;

/// The variable that envtest reads too.
const VARIABLE: &str = "KUBEBUILDER_ASSETS";

/// A folder with `etcd` and `kube-apiserver`, and perhaps `kube-controller-manager`.
#[derive(Clone, Debug)]
pub struct Assets {
    folder: PathBuf,
}

impl Assets {
    /// What `KUBEBUILDER_ASSETS` points to; none when it is not set, an error when it is set to something else.
    pub fn from_env() -> Result<Option<Self>, RealError> {
        match std::env::var_os(VARIABLE) {
            Some(folder) if !folder.is_empty() => Self::in_folder(folder).map(Some),
            _ => Ok(None),
        }
    }

    /// The binaries in `folder`.
    pub fn in_folder(folder: impl AsRef<Path>) -> Result<Self, RealError> {
        let folder =
            std::path::absolute(folder.as_ref()).map_err(RealError::io("an absolute path"))?;
        for name in ["etcd", "kube-apiserver"] {
            if !folder.join(name).is_file() {
                return Err(RealError::Assets(format!(
                    "there is no {name} in {}",
                    folder.display()
                )));
            }
        }
        Ok(Self { folder })
    }

    pub(super) fn etcd(&self) -> PathBuf {
        self.folder.join("etcd")
    }

    pub(super) fn api_server(&self) -> PathBuf {
        self.folder.join("kube-apiserver")
    }

    /// Without it nothing collects garbage and no namespace ever ends.
    pub(super) fn controller_manager(&self) -> Option<PathBuf> {
        Some(self.folder.join("kube-controller-manager")).filter(|path| path.is_file())
    }
}
