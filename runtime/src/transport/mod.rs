//! How a call reaches an API server: the client of a cluster, and the deadline of every call.

mod backoff;
mod chance;
mod client;
mod failure;

pub(crate) use backoff::{Backoff, jittered};
pub(crate) use chance::{now, random_bits, seed};
pub(crate) use client::{Connect, PAGE, client, within};
pub use failure::Failure;
