//! A real Kubernetes behind the same face, from the binaries in `KUBEBUILDER_ASSETS`.
