//! What a good answer looks like.

use http::Response;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::checker::probes::http::{HttpProbeError, MOST_BODY, StatusRange};

#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    /// None stands for the default.
    pub(super) statuses: Vec<StatusRange>,
    pub(super) text: Option<String>,
}

impl Expected {
    pub(super) async fn judge(&self, response: Response<Incoming>) -> Result<(), HttpProbeError> {
        let status = response.status();
        let expected = match &*self.statuses {
            [] => &[StatusRange::DEFAULT],
            said => said,
        };
        if !expected.iter().any(|range| range.contains(status)) {
            return Err(HttpProbeError::Status { status, expected: expected.to_vec() });
        }
        match &self.text {
            Some(text) => find(text, response.into_body()).await,
            None => Ok(()),
        }
    }
}

/// Reads no further than to the end of `text`, so that a body without end may contain it.
async fn find(text: &str, mut body: Incoming) -> Result<(), HttpProbeError> {
    let mut read = Vec::new();
    let lacking = |read, whole| Err(HttpProbeError::Body { text: text.to_owned(), read, whole });
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| HttpProbeError::BodyBroken {
            read: read.len(),
            source: error.into(),
        })?;
        // Trailers say nothing here.
        let Ok(data) = frame.into_data() else { continue };
        // It may have begun in what came before.
        let from = read.len().saturating_sub(text.len());
        read.extend_from_slice(&data[..data.len().min(MOST_BODY - read.len())]);
        if read[from..].windows(text.len().max(1)).any(|window| window == text.as_bytes()) {
            return Ok(());
        }
        if read.len() == MOST_BODY {
            return lacking(read.len(), false);
        }
    }
    lacking(read.len(), true)
}
