//! Waiting for a condition.

use std::fmt::Debug;
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_millis(20);
const LIMIT: Duration = Duration::from_secs(30);

/// What a look at the state can say: it is so, or what is still missing.
pub trait Seen {
    /// What is there once it is so.
    type Value;

    /// The value, or the state that is not yet the one that is waited for.
    fn seen(self) -> Result<Self::Value, String>;
}

impl<T> Seen for Option<T> {
    type Value = T;

    fn seen(self) -> Result<T, String> {
        self.ok_or_else(|| "nothing".into())
    }
}

impl<T, E: Debug> Seen for Result<T, E> {
    type Value = T;

    fn seen(self) -> Result<T, String> {
        self.map_err(|error| format!("{error:#?}"))
    }
}

impl Seen for bool {
    type Value = ();

    fn seen(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("false".into()) }
    }
}

/// Looks every 20 ms until it is so; fails after 30 s, with `what` and the state that was seen last.
pub async fn eventually<S: Seen>(what: &str, mut look: impl AsyncFnMut() -> S) -> S::Value {
    // The real clock: what is waited for may be another process's work, whatever tokio's clock does.
    let started = Instant::now();
    loop {
        // A server that hangs is a state too.
        let last = match tokio::time::timeout(LIMIT, look()).await.map(Seen::seen) {
            Ok(Ok(value)) => return value,
            Ok(Err(state)) => state,
            Err(_) => "no answer".into(),
        };
        assert!(
            started.elapsed() < LIMIT,
            "{what}: not seen in {LIMIT:?}; the last state was:\n{last}"
        );
        tokio::time::sleep(INTERVAL).await;
    }
}
