//! A chosen endpoint, counted for as long as it is used.

use std::fmt;

use tokio::time::Instant;

use crate::balancer::now;
use crate::classify::Outcome;
use crate::endpoint::Held;
use crate::units::EndpointId;

/// One request's hold on the endpoint chosen for it.
///
/// While it lives the request counts as in flight. [`finish`](Self::finish) says what became of
/// it; a lease that is dropped unfinished means that the caller went away: it is released and
/// judges nothing. It can be moved to another task, and outlives the balancer and the removal of
/// its endpoint: the target is dropped with its last lease.
#[must_use = "the request counts as in flight until the lease is finished or dropped"]
pub struct Lease<T> {
    held: Held<T>,
}

impl<T> Lease<T> {
    pub(crate) fn new(held: Held<T>) -> Self {
        Self { held }
    }

    /// What to call.
    #[must_use]
    pub fn target(&self) -> &T {
        &self.held.bound().target
    }

    /// Which endpoint it is.
    #[must_use]
    pub fn endpoint(&self) -> &EndpointId {
        self.held.bound().cell.id()
    }

    /// Ends the request and says what became of it.
    pub fn finish(self, outcome: Outcome) {
        self.finish_at(outcome, now());
    }

    pub(crate) fn finish_at(self, outcome: Outcome, now: Instant) {
        let now = self.held.bound().cell.origin().nanos(now);
        self.held.finish(outcome, now);
    }
}

impl<T> fmt::Debug for Lease<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("endpoint", self.endpoint()).finish_non_exhaustive()
    }
}
