//! The edge to the network: TLS, the listener and the log of requests.
//!
//! [`Edge`] stands before both servers of this crate, the embedded one and the real one: it splits Milo's paths,
//! writes the log, and lets things go wrong.

mod certificates;
mod door;
mod early;
mod edge;
mod events;
mod fault;
mod faults;
mod faulty;
mod gathered;
mod latency;
mod listener;
mod log;
mod paths;
mod peeked;
mod port;
mod record;
mod tls;
mod token;
mod told;
mod version;
mod websocket;

pub(crate) use certificates::PeerCertificate;
pub(crate) use door::Door;
pub(crate) use edge::Edge;
pub use fault::{Fault, Moment};
pub(crate) use faults::Distortion;
pub use faults::Injected;
pub(crate) use faulty::Broken;
pub(crate) use listener::{Listener, ListenerOptions};
pub use log::{Mark, RequestLog};
pub(crate) use log::{PLAYED_USER_AGENT, Who};
pub use paths::ResourcePath;
pub(crate) use paths::project_and_path;
pub(crate) use peeked::Peeked;
pub use record::{RequestRecord, Verb};
pub use tls::TlsError;
pub(crate) use tls::{Authority, ServerTls};
pub(crate) use token::{bearer_token, failure, is_token_ignored, unauthorized, websocket_token};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::BoxBody};

/// An error of whatever kind a body may end with.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of every answer.
pub(crate) type Body = BoxBody<Bytes, BoxError>;

/// A body that is all there.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed()
}

#[cfg(test)]
mod tests;
