//! What blocks for as long as somebody else wants, as a program does that is run for credentials.

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::BoxError;

/// Does it in a thread of its own, for which neither other tasks nor the end of the runtime wait.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, BoxError> {
    let (tell, done) = oneshot::channel();
    let runtime = Handle::current();
    std::thread::Builder::new()
        .name("credentials".into())
        .spawn(move || {
            let _runtime = runtime.enter();
            // Nobody may wait for it any more.
            let _ = tell.send(work());
        })?;
    Ok(done.await?)
}
