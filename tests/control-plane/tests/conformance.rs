//! What a Kubernetes API server answers, word for word, asked of the embedded one and of a real one.
//!
//! A case is a talk with a server. All that is said is written down and compared with the recording of the same talk
//! with a real kube-apiserver, in `conformance/recordings`; uids, times, versions and tokens are masked. So the
//! embedded server is checked where there is no real one, too. With `KUBEBUILDER_ASSETS` the real one is checked as
//! well, and `CONFORMANCE=record` writes its recordings anew:
//!
//! ```text
//! KUBEBUILDER_ASSETS=.. CONFORMANCE=record cargo test -p kommodore-control-plane --test conformance real::
//! ```
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "that is how a test fails"
)]

mod conformance {
    #[macro_use]
    mod support;

    mod addresses;
    mod administration;
    mod admission;
    mod admission_limits;
    mod admission_policies;
    mod apply;
    mod autoscalers;
    mod beginnings;
    mod causes;
    mod cells;
    mod certificates;
    mod checks;
    mod clients;
    mod cluster_defaults;
    mod crds;
    mod custom;
    mod defaults;
    mod definitions;
    mod deletions;
    mod devices;
    mod directives;
    mod discovery;
    mod edges;
    mod elsewhere;
    mod empties;
    mod fixed;
    mod flows;
    mod kinds;
    mod large;
    mod legacy;
    mod limits;
    mod lists;
    mod managers;
    mod messages;
    mod mistyped;
    mod networks;
    mod objects;
    mod of_nodes;
    mod openapi;
    mod ownership;
    mod patches;
    mod pod_security;
    mod pods;
    mod posted;
    mod protobuf;
    mod quotas;
    mod refused;
    mod resizes;
    mod rules_of_kinds;
    mod schemas;
    mod services;
    mod statuses;
    mod storage;
    mod subresources;
    mod suites;
    mod table_paths;
    mod tables;
    mod templates;
    mod tokens;
    mod verbs;
    mod versions_of_kinds;
    mod warnings;
    mod watches;
    mod who_may;
    mod whole_objects;
    mod workloads;
    mod yaml;
}
