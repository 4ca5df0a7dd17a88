//! A Kubernetes API server inside the process, for tests, examples and benchmarks.
//!
//! ```no_run
//! # async fn example(crd: serde_json::Value) -> Result<(), Box<dyn std::error::Error>> {
//! use kommodore_control_plane::ControlPlane;
//!
//! let plane = ControlPlane::builder().crd(&crd).milo().start().await?;
//! let client = plane.client()?; // of the root: create a Project there,
//! let red = plane.project("red").client()?; // and this one works
//! # Ok(())
//! # }
//! ```
//!
//! It listens on loopback, with HTTPS and a token of its own; [`ControlPlane::kubeconfig`] is for kubectl, and the
//! program of the same name writes it to a file. Objects live in memory. What a kube-apiserver with its usual admission
//! plugins, its garbage collector and its namespace controller do to objects is done; nothing runs pods, or makes them of
//! Deployments and Jobs.
//! Whatever is not served is answered 404, and what is stored without effect (webhooks, CEL rules) comes back
//! with a warning.
//!
//! It is known to differ from a kube-apiserver where the libraries below it do: of a URL of more than 65,534 bytes, and of a
//! raw `<`, `>` or `"` in a query, it says no more than 414 or 400; of a request of HTTP/1.1 that cannot be read it does not say
//! why, and over HTTP/2 `Expect: 100-continue` is not answered. It reads no numbers of more than 64 bits, and no JSON or YAML
//! that is nested deeper than 127 levels (some 250 in blocks of YAML). Of what is wrong with one object it tells 10,000 reasons
//! and 16 MiB at most, and fills in 3 MiB of defaults at most; the JSONPath of a printer column finds 10,000 values at most, and nothing where it would have to follow
//! more than a million. Answers in YAML say the same, and quote texts in a way of their own. Flow schemas only say under which a
//! request falls, as long as all of them are no more than 256 KiB with the priority levels. A namespace
//! that is deleted is emptied at once (in the program after a second), where a namespace controller waits for five seconds.
//!
//! It reads and answers JSON and YAML, and protobuf where a kube-apiserver does: built-in kinds, the metadata of any kind,
//! and discovery.
//!
//! `admin` may do everything, and so may everybody whom [`Builder::user`] makes known, until [`Builder::rbac`] lets
//! roles count:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use kommodore_control_plane::ControlPlane;
//!
//! let plane = ControlPlane::builder().rbac().user("alice", ["devs"]).start().await?;
//! let admin = plane.client()?; // makes roles and bindings
//! let alice = plane.client_as("alice")?; // may do what they allow
//! # Ok(())
//! # }
//! ```
//!
//! A request goes from `serve` (TLS, the log) past `auth` (who asks, and who may) to `api` (what it means), which reads
//! and writes the `store` of one `plane` by what `kinds`, `schema` and `patch` say; the `janitor` does what follows.
//! `milo` plays the controllers of projects, through the front door.

mod api;
mod auth;
mod builder;
mod clock;
mod control_plane;
mod difference;
mod elsewhere;
mod failure;
mod first;
mod ids;
mod in_process;
mod janitor;
mod json;
mod kinds;
mod long;
mod milo;
mod object;
mod odd;
mod patch;
mod path;
mod plane;
mod project;
mod real;
mod schema;
mod serve;
mod shared;
mod signal;
#[cfg(feature = "simulation")]
pub mod simulation;
mod store;
mod structs;
mod syntax;
mod url;
mod users;

pub use builder::Builder;
pub use control_plane::{ControlPlane, Error};
pub use in_process::InProcess;
pub use milo::HOLD_ANNOTATION;
pub use project::Project;
pub use real::{Assets, RealControlPlane, RealError, RealFleet, RealLease};
pub use serve::{
    Fault, Injected, Mark, Moment, RequestLog, RequestRecord, ResourcePath, TlsError, Verb,
};
