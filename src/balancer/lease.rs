//! A chosen endpoint, counted for as long as it is used.

use std::fmt;
use std::sync::Weak;
use std::time::Duration;

use tokio::time::Instant;

use crate::balancer::clock;
use crate::classify::Outcome;
use crate::endpoint::{Held, PickAgain};
#[cfg(feature = "tracing")]
use crate::sync::Arc;
#[cfg(feature = "tracing")]
use crate::units::Version;
use crate::units::{EndpointId, Key, Nanos, Origin};

/// One request's hold on the endpoint chosen for it.
///
/// While it lives the request counts as in flight. [`finish`](Self::finish) says what became of
/// it; a lease that is dropped unfinished means that the caller went away: it is released and
/// judges nothing, unless it is older than `outlier.abandoned_after`. `limits.attempt_timeout` is for
/// services: whoever holds a lease keeps the time. It can be moved to another task, and outlives the
/// balancer and the removal of its endpoint: the target is dropped with its last lease.
#[must_use = "the request counts as in flight until the lease is finished or dropped"]
pub struct Lease<T> {
    held: Held<T>,
}

impl<T> Lease<T> {
    pub(crate) fn new(held: Held<T>) -> Self {
        Self { held }
    }

    /// Chosen by a clock that ticks, it begins by the exact one if that matters.
    #[inline]
    pub(crate) fn begin(&mut self, origin: Origin) {
        if self.held.is_timed() {
            self.held.begin_at(clock::request(origin));
        } else {
            self.held.begins_about();
        }
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
    #[inline]
    pub fn finish(self, outcome: Outcome) {
        let mut lease = self;
        lease.end(outcome);
    }

    /// As [`finish`](Self::finish), where the lease stands.
    #[inline]
    pub(crate) fn end(&mut self, outcome: Outcome) {
        if !self.held.finish_untimed(outcome) {
            let now = self.now();
            self.held.finish(outcome, now);
        }
    }

    /// The request, which has this key, is not sent yet: dropped now, the lease is as if it had never
    /// been taken.
    #[inline]
    pub(crate) fn unsent(mut self, key: &Key) -> Self {
        self.held.set_sent(false);
        if cfg!(feature = "tracing") {
            self.held.set_before(key.excluded().len() as u32);
        }
        self
    }

    /// Its endpoint was not ready, and the request goes elsewhere.
    #[cold]
    pub(crate) fn passed_over(self) {
        let cell = &self.held.bound().cell;
        cell.samples().unready(cell);
    }

    /// The request is about to be sent.
    #[inline]
    pub(crate) fn send(&mut self) {
        self.held.set_sent(true);
    }

    /// Says that the answer has begun. The latency that is taken in ends here, while the request
    /// counts as in flight until the lease ends: for answers that are streamed. Only the first
    /// call counts.
    pub fn answered(&mut self) {
        let now = self.now();
        self.held.answered(now);
    }

    #[cfg(feature = "testing")]
    pub(crate) fn finish_at(mut self, outcome: Outcome, now: Instant) {
        let now = self.held.bound().cell.origin().nanos(now);
        self.held.finish(outcome, now);
    }

    /// The way to other endpoints.
    pub(crate) fn elsewhere(&self) -> Option<Elsewhere<T>> {
        let bound = self.held.bound();
        let origin = bound.cell.origin();
        bound.home().way().map(|way| Elsewhere { way, origin })
    }

    /// When the endpoint's time is over, and how long it is, if it is limited.
    #[inline]
    pub(crate) fn deadline(&self) -> Option<(Instant, Duration)> {
        let limit = self.held.limit()?;
        let span = Duration::from_nanos(limit);
        let origin = self.held.bound().cell.origin();
        Some((origin.instant(self.held.began().plus(span))?, span))
    }

    /// The name of the balancer it came from.
    #[cfg(feature = "tracing")]
    pub(crate) fn balancer(&self) -> &str {
        self.held.bound().cell.balancer()
    }

    /// What that balancer serves at this moment and by which strategy, while it exists.
    #[cfg(feature = "tracing")]
    pub(crate) fn served(&self) -> Option<(Version, Arc<str>)> {
        Some(self.held.bound().home().way()?.upgrade()?.served())
    }

    /// Which attempt of its request this is: one more than the endpoints that are excluded.
    #[cfg(feature = "tracing")]
    pub(crate) fn attempt(&self) -> u64 {
        self.held.before().saturating_add(1)
    }

    #[inline]
    fn now(&self) -> Nanos {
        clock::request(self.held.bound().cell.origin())
    }
}

/// The way to the balancer that a lease came from, to ask for another one. Does not keep it alive.
pub(crate) struct Elsewhere<T> {
    way: Weak<dyn PickAgain<T>>,
    origin: Origin,
}

impl<T> Elsewhere<T> {
    pub(crate) fn pick(&self, key: &Key) -> Option<Lease<T>> {
        let balancer = self.way.upgrade()?;
        balancer.pick_again(key, clock::request(self.origin)).ok().map(Lease::new)
    }
}

impl<T> Drop for Lease<T> {
    #[inline]
    fn drop(&mut self) {
        if self.held.asks_for_the_time() {
            let now = self.now();
            self.held.abandon(now);
        }
    }
}

impl<T> fmt::Debug for Lease<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("endpoint", self.endpoint()).finish_non_exhaustive()
    }
}
