//! Work that takes long, beside which others are to be served.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Runs something. If it `is_long`, and there are threads for that, whatever else this thread was to do goes on another
/// one meanwhile. It must not be said of what runs on a task that is not the server's own, which may have to stay where
/// it is.
pub(crate) fn beside_others<T>(is_long: bool, run: impl FnOnce() -> T) -> T {
    let flavor = || Handle::try_current().map(|runtime| runtime.runtime_flavor());
    match is_long && matches!(flavor(), Ok(RuntimeFlavor::MultiThread)) {
        true => tokio::task::block_in_place(run),
        false => run(),
    }
}
