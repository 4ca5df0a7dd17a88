//! How a call reaches an API server: the client of a cluster, and the deadline of every call.

mod backoff;
mod client;
mod failure;

pub(crate) use backoff::{Backoff, jittered, random_bits};
pub(crate) use client::{client, within};
pub use failure::Failure;
