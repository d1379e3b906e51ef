//! A protocol's classifier with a word of one's own on errors.

use crate::classify::{Classify, Outcome};
use crate::units::EndpointId;

/// A classifier that leaves errors to a closure and everything else to the protocol;
/// [`ByStatus::errors`](crate::ByStatus::errors) and
/// [`ByGrpcStatus::errors`](crate::ByGrpcStatus::errors) make it.
#[derive(Clone, Copy, Debug)]
pub struct WithErrors<C, F> {
    pub(super) protocol: C,
    pub(super) errors: F,
}

impl<C, F, Res, Err> Classify<Res, Err> for WithErrors<C, F>
where
    C: Classify<Res, Err>,
    F: Fn(&Err) -> Outcome,
{
    fn classify(&self, result: Result<&Res, &Err>) -> Outcome {
        match result {
            Ok(_) => self.protocol.classify(result),
            Err(error) => (self.errors)(error),
        }
    }

    fn mark(&self, response: &mut Res, endpoint: &EndpointId) {
        self.protocol.mark(response, endpoint);
    }

    #[inline]
    fn marks(&self) -> bool {
        self.protocol.marks()
    }

    fn is_final(&self, response: &Res) -> bool {
        self.protocol.is_final(response)
    }

    fn end(&self, head: Outcome, trailers: Option<&http::HeaderMap>) -> Outcome {
        self.protocol.end(head, trailers)
    }
}
