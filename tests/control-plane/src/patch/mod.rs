//! What changes an object: the four patch types of the API, and who owns which field.
//!
//! All of it is functions of values: nothing here stores, and the time comes from the caller.

mod apply;
mod error;
mod fields;
pub(crate) mod go;
mod json;
mod last_applied;
mod managers;
mod merge;
#[cfg(test)]
mod recorded;
mod scaled;
mod strategic;
#[cfg(test)]
mod tests;
mod touched;
mod track;
mod versions;

pub(crate) use apply::server_side_apply;
pub(crate) use error::{ApplyError, Conflict, PatchError};
pub(crate) use fields::untyped;
pub(crate) use json::{json_patch, unknown_fields};
pub(crate) use merge::merge_patch;
pub(crate) use scaled::{
    Place, Places, is_scale_owned, keep_scale_applied, own_scale_before_apply, scale_owners,
    set_scale_apart, track_scale,
};
pub(crate) use strategic::strategic_merge_patch;
pub(crate) use touched::Touched;
pub(crate) use track::{Writer, is_same_but_managers, keep_times, owners, track, track_update};
pub(crate) use versions::Versions;
