//! What an operator has logged.

use std::io::{self, Write};
use std::sync::Arc;

use tokio::sync::watch;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::eventually::eventually;
use super::run::logs;

/// What an operator has logged. Clones are one log.
#[derive(Clone, Default)]
pub struct Log(Arc<watch::Sender<Vec<u8>>>);

impl Log {
    /// All of it.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.borrow()).into_owned()
    }

    /// Waits until these words are there.
    pub async fn says(&self, words: &str) {
        eventually(&format!("{words:?} is logged"), async || {
            let text = self.text();
            match text.contains(words) {
                true => Ok(()),
                false => Err(text),
            }
        })
        .await;
    }

    /// The same for as long as somebody else has patience.
    pub async fn ever_says(&self, words: &str) {
        let mut log = self.0.subscribe();
        let says = |log: &Vec<u8>| String::from_utf8_lossy(log).contains(words);
        log.wait_for(says).await.expect("we hold the sender");
    }

    /// The lines that tell of something that is not allowed.
    pub fn refusals(&self) -> Vec<String> {
        let text = self.text();
        let lines = text.lines().filter(|line| line.contains("403 Forbidden"));
        lines.map(Into::into).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send_modify(|log| log.extend(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is logged on this thread goes to `log`, until the guard is dropped.
pub fn logs_into(log: &Log) -> impl Drop + use<> {
    logs();
    let log = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || log.clone())
        .finish();
    subscriber.set_default()
}
