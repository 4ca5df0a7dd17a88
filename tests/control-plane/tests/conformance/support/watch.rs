//! The answer that does not end.

use std::time::Duration;

use http_body_util::BodyExt;
use kube::client::Body;

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

    /// The next event, as it came, or why there is none.
    pub(super) async fn next(&mut self, patience: Duration) -> Result<Vec<u8>, String> {
        let line = self.take(patience, |rest| {
            rest.iter()
                .position(|byte| *byte == b'\n')
                .map(|end| end + 1)
        });
        line.await
    }

    /// The next event of a watch in protobuf, which its length comes before.
    pub(super) async fn next_frame(&mut self, patience: Duration) -> Result<Vec<u8>, String> {
        let frame = self.take(patience, |rest| {
            let (length, rest) = rest.split_first_chunk()?;
            let length = u32::from_be_bytes(*length) as usize;
            (rest.len() >= length).then_some(4 + length)
        });
        Ok(frame.await?.split_off(4))
    }

    /// What has come, as soon as `whole` says how much of it belongs together.
    async fn take(
        &mut self,
        patience: Duration,
        whole: impl Fn(&[u8]) -> Option<usize>,
    ) -> Result<Vec<u8>, String> {
        loop {
            if let Some(length) = whole(&self.rest) {
                let event: Vec<u8> = self.rest.drain(..length).collect();
                if comes_by_itself(&event) {
                    continue;
                }
                return Ok(event);
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

/// Whether it is a bookmark of a server that has said nothing for a minute, as may be where it has much else to do: only
/// that which ends a list belongs to a talk.
fn comes_by_itself(event: &[u8]) -> bool {
    let says = |text: &[u8]| event.windows(text.len()).any(|found| found == text);
    says(b"BOOKMARK") && !says(b"k8s.io/initial-events-end")
}
