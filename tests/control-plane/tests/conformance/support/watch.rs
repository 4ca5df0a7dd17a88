//! The answer that does not end.

use std::time::Duration;

use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::Value;

/// An open watch.
pub(crate) struct Watch {
    body: Option<Body>,
    rest: Vec<u8>,
}

impl Watch {
    pub(super) fn new(body: Body) -> Self {
        Self {
            body: Some(body),
            rest: Vec::new(),
        }
    }

    /// One that was refused.
    pub(super) fn ended() -> Self {
        Self {
            body: None,
            rest: Vec::new(),
        }
    }

    /// The next event, or why there is none.
    pub(super) async fn next(&mut self, patience: Duration) -> Result<Value, String> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return serde_json::from_slice(&line).map_err(|error| error.to_string());
            }
            let Some(body) = &mut self.body else {
                return Err("the watch has ended".into());
            };
            match tokio::time::timeout(patience, body.frame()).await {
                Err(_) => return Err("the watch says nothing".into()),
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        self.rest.extend_from_slice(&data);
                    }
                }
                Ok(_) => self.body = None,
            }
        }
    }
}
