//! Protobuf, in which typed clients, kubectl among them, send and take built-in objects.

mod answer;
mod decode;
mod encode;
mod list;
mod wire;
mod zeros;

pub(crate) use answer::{answer, events};
pub(crate) use decode::{Envelope, read};
pub(crate) use encode::Out;
pub(crate) use list::list;
pub(crate) use zeros::forget_zeros;

/// The media type.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// What every object begins with.
const MAGIC: &[u8] = b"k8s\0";
