//! How a call reaches an API server: connections that clusters share, and the deadline of every call.

mod answers;
mod aside;
mod backoff;
mod chance;
mod client;
mod connection;
mod credentials;
mod dial;
mod exchange;
mod failure;
mod http_1;
mod identity;
mod line;
mod pool;
mod received;
mod renewal;
mod share;
mod sip;
#[cfg(test)]
mod tests;

pub(crate) use answers::Answers;
pub(crate) use backoff::{Backoff, jittered};
pub(crate) use chance::{now, random_bits, seed};
pub(crate) use client::{Connect, PAGE, within};
pub use failure::Failure;
pub(crate) use identity::written_user;
pub(crate) use line::Line;
pub(crate) use pool::Pool;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
