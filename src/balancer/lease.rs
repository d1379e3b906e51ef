//! A chosen endpoint, counted for as long as it is used.

use std::fmt;

#[cfg(feature = "testing")]
use tokio::time::Instant;

use crate::balancer::hold::Hold;
use crate::classify::Outcome;
use crate::endpoint::Bound;
use crate::sync::Arc;
use crate::units::EndpointId;

/// One request's hold on the endpoint chosen for it.
///
/// While it lives the request counts as in flight. [`finish`](Self::finish) says what became of
/// it; a lease that is dropped unfinished means that the caller went away: it is released and
/// judges nothing, unless it is older than `outlier.abandoned_after`. `limits.attempt_timeout` is for
/// services: whoever holds a lease keeps the time. It can be moved to another task, and outlives the
/// balancer and the removal of its endpoint: the target is dropped with its last lease.
#[must_use = "the request counts as in flight until the lease is finished or dropped"]
pub struct Lease<T> {
    pub(crate) hold: Hold<Arc<Bound<T>>>,
}

impl<T> Lease<T> {
    pub(crate) fn new(hold: Hold<Arc<Bound<T>>>) -> Self {
        Self { hold }
    }

    /// What to call.
    #[must_use]
    pub fn target(&self) -> &T {
        &self.hold.anchor().target
    }

    /// Which endpoint it is.
    #[must_use]
    pub fn endpoint(&self) -> &EndpointId {
        self.hold.anchor().cell.id()
    }

    /// Ends the request and says what became of it.
    #[inline]
    pub fn finish(self, outcome: Outcome) {
        let mut lease = self;
        lease.hold.end(outcome);
    }

    /// Says that the answer has begun. The latency that is taken in ends here, while the request
    /// counts as in flight until the lease ends: for answers that are streamed. Only the first
    /// call counts.
    pub fn answered(&mut self) {
        self.hold.answered();
    }

    #[cfg(feature = "testing")]
    pub(crate) fn finish_at(mut self, outcome: Outcome, now: Instant) {
        self.hold.end_at(outcome, now);
    }
}

impl<T> fmt::Debug for Lease<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("endpoint", self.endpoint()).finish_non_exhaustive()
    }
}
