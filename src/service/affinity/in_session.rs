//! What is done about a response that belongs to a session.

use std::fmt;

use http::{HeaderMap, Response};

use crate::classify::{Classify, Outcome};
use crate::service::affinity::sessions::{Said, Sessions};
use crate::service::affinity::unix_now;
use crate::sync::Arc;
use crate::units::EndpointId;

/// A classifier for one request of a session: it judges as the one inside does, and hands the
/// session a token where that is due.
///
/// It stands in the types of futures and of bodies that are followed.
#[derive(Clone)]
pub struct InSession<C> {
    classify: C,
    sessions: Arc<Sessions>,
    said: Said,
}

impl<C> InSession<C> {
    pub(super) fn new(classify: C, sessions: Arc<Sessions>, said: Said) -> Self {
        Self { classify, sessions, said }
    }
}

impl<C, R, Err> Classify<Response<R>, Err> for InSession<C>
where
    C: Classify<Response<R>, Err>,
{
    fn classify(&self, result: Result<&Response<R>, &Err>) -> Outcome {
        self.classify.classify(result)
    }

    fn mark(&self, response: &mut Response<R>, endpoint: &EndpointId) {
        self.classify.mark(response, endpoint);
        let Said { key, is_due } = &self.said;
        if *is_due || key.preferred() != Some(endpoint) {
            self.sessions.issue(response.headers_mut(), endpoint, unix_now);
        }
    }

    fn is_final(&self, response: &Response<R>) -> bool {
        self.classify.is_final(response)
    }

    fn end(&self, head: Outcome, trailers: Option<&HeaderMap>) -> Outcome {
        Classify::<Response<R>, Err>::end(&self.classify, head, trailers)
    }
}

impl<C> fmt::Debug for InSession<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InSession").field("said", &self.said).finish_non_exhaustive()
    }
}
