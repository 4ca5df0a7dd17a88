//! The same operator, as the users of each way of writing one would write it well.
//!
//! A finalizer, an owned ConfigMap with the host of the website, and the condition Ready with the generation that it is
//! about. Each is started with a kubeconfig, answers every line with the number of its reconciles, and ends with its input.
//! The one in Go is the program in `go/`.

pub(crate) mod kommodore;
pub(crate) mod kube_rs;

use std::io::{BufRead as _, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many objects are reconciled at once, in the whole fleet.
pub(crate) const WORKERS: usize = 64;
/// So many are reconciled at once in one project, where the contender has such a limit.
pub(crate) const WORKERS_A_PROJECT: u16 = 8;

/// How often `reconcile` or `cleanup` was called in this process.
static RECONCILES: AtomicUsize = AtomicUsize::new(0);

fn count() {
    RECONCILES.fetch_add(1, Ordering::Relaxed);
}

/// Says that the process runs, and answers questions until there are no more.
async fn until_told() {
    let talk = || {
        let mut out = std::io::stdout().lock();
        writeln!(out, "ready").unwrap();
        for line in std::io::stdin().lock().lines() {
            line.unwrap();
            writeln!(out, "{}", RECONCILES.load(Ordering::Relaxed)).unwrap();
        }
    };
    tokio::task::spawn_blocking(talk).await.unwrap();
}
