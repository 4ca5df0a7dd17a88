//! The signals that end a process, and those who do not wait for the end.

use tokio::sync::oneshot;

/// Resolves on Ctrl-C or SIGTERM; after that a second one ends the process at once.
///
/// The signals have a thread of their own: whatever else blocks, they are heard.
pub(super) async fn interrupted() {
    let (heard, interrupted) = oneshot::channel();
    let listening = std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || listen(heard));
    let heard = match listening {
        Ok(_) => interrupted.await.is_ok(),
        Err(_) => false,
    };
    if !heard {
        // Then signals do what they do in any process: they end it.
        tracing::warn!("cannot listen for signals: they end the process at once");
        std::future::pending::<()>().await;
    }
}

/// Waits for two signals, unless nobody waits for the first any more.
fn listen(mut heard: oneshot::Sender<()>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
    else {
        return;
    };
    runtime.block_on(async {
        let Ok(mut signals) = Signals::new() else {
            return;
        };
        tokio::select! {
            biased;
            () = heard.closed() => return,
            _ = signals.next() => {}
        }
        if heard.send(()).is_ok() {
            let code = signals.next().await;
            tracing::warn!("interrupted again: ending at once");
            std::process::exit(code);
        }
    });
}

/// Ctrl-C and SIGTERM, of which none is lost between two looks.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The code with which a process ends that the signal ends.
    async fn next(&mut self) -> i32 {
        tokio::select! {
            biased;
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> i32 {
        match tokio::signal::ctrl_c().await {
            Ok(()) => 130,
            // Where there are no signals, nothing interrupts us.
            Err(_) => std::future::pending().await,
        }
    }
}
