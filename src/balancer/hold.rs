//! A chosen endpoint on its request's way, by the clock.

use std::any::Any;
use std::fmt;
use std::sync::Weak;
use std::time::Duration;

use tokio::time::Instant;

use crate::balancer::clock::{self, Reading};
use crate::balancer::core::Core;
use crate::classify::Outcome;
use crate::endpoint::{Anchored, Held, Own};
use crate::sync::Arc;
#[cfg(feature = "tracing")]
use crate::units::Version;
use crate::units::{EndpointId, Key, Nanos, Origin};

/// What a [`Lease`](crate::Lease) is; services have one that holds the endpoint by a clone of theirs.
pub(crate) struct Hold<A: Anchored> {
    held: Held<A>,
}

/// The hold of a service's request.
pub(crate) type Sending<T> = Hold<Own<T>>;

impl<A: Anchored> Hold<A> {
    pub(crate) fn new(held: Held<A>) -> Self {
        Self { held }
    }

    pub(crate) fn anchor(&self) -> &A {
        &self.held.anchor
    }

    pub(crate) fn anchor_mut(&mut self) -> &mut A {
        &mut self.held.anchor
    }

    /// Shows its endpoint, until the request has ended.
    pub(crate) fn with_endpoint<R>(&self, show: impl FnOnce(&EndpointId) -> R) -> Option<R> {
        self.held.with_cell(|cell| show(cell.id()))
    }

    /// Its endpoint.
    ///
    /// # Panics
    ///
    /// If the request has ended.
    pub(crate) fn endpoint(&self) -> EndpointId {
        let endpoint = self.with_endpoint(EndpointId::clone);
        endpoint.expect("a request that has not ended keeps its endpoint")
    }

    /// Ends the request where it stands, and says what became of it.
    #[inline]
    pub(crate) fn end(&mut self, outcome: Outcome) {
        if !self.held.finish_untimed(outcome) {
            self.held.finish(outcome, clock::request);
        }
    }

    /// The request, which has this key, is not sent yet: dropped now, it is as if it had never been
    /// chosen for.
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
        self.held.with_cell(|cell| cell.samples().unready(cell));
    }

    /// The request is about to be sent.
    #[inline]
    pub(crate) fn send(&mut self) {
        self.held.set_sent(true);
    }

    /// Says that the answer has begun.
    pub(crate) fn answered(&mut self) {
        if let Some(now) = self.now() {
            self.held.answered(now);
        }
    }

    #[cfg(feature = "testing")]
    pub(crate) fn end_at(&mut self, outcome: Outcome, now: Instant) {
        self.held.finish(outcome, |origin| origin.nanos(now));
    }

    /// When the endpoint's time is over, and how long it is, if it is limited.
    #[inline(always)]
    pub(crate) fn deadline(&self) -> Option<(Instant, Duration)> {
        if self.held.is_limited() { self.limit() } else { None }
    }

    #[cold]
    fn limit(&self) -> Option<(Instant, Duration)> {
        let limit = self.held.terms().attempt_timeout;
        let span = Duration::from_nanos(limit);
        let origin = self.held.origin()?;
        Some((origin.instant(self.held.began().plus(span))?, span))
    }

    /// The name of the balancer it came from.
    #[cfg(feature = "tracing")]
    pub(crate) fn balancer(&self) -> Option<Arc<str>> {
        self.held.with_cell(|cell| cell.balancer())
    }

    /// What that balancer serves at this moment and by which strategy, while it exists.
    #[cfg(feature = "tracing")]
    pub(crate) fn served(&self) -> Option<(Version, Arc<str>)> {
        Some(self.held.with_cell(|cell| cell.control())??.served())
    }

    /// Which attempt of its request this is: one more than the endpoints that are excluded.
    #[cfg(feature = "tracing")]
    pub(crate) fn attempt(&self) -> u64 {
        self.held.before().saturating_add(1)
    }

    /// `None` once the request has ended.
    #[inline]
    fn now(&self) -> Option<Nanos> {
        self.held.origin().map(clock::request)
    }

    /// The same request, held by something else.
    pub(crate) fn moved_to<B: Anchored>(mut self, anchor: impl FnOnce(&A) -> B) -> Hold<B> {
        Hold { held: self.held.give_to(anchor) }
    }
}

impl<T: Send + Sync + 'static> Sending<T> {
    /// The way to other endpoints.
    pub(crate) fn elsewhere(&self) -> Option<Elsewhere<T>> {
        let control = self.held.with_cell(|cell| cell.control())??;
        let control: Arc<dyn Any + Send + Sync> = control;
        let core = control.downcast::<Core<T>>().ok()?;
        Some(Elsewhere { core: Arc::downgrade(&core), origin: self.held.origin()? })
    }
}

/// The way to the balancer that a request came from, to ask for another endpoint. Does not keep it
/// alive.
pub(crate) struct Elsewhere<T> {
    core: Weak<Core<T>>,
    origin: Origin,
}

impl<T: Clone + Send + Sync + 'static> Elsewhere<T> {
    pub(crate) fn pick(&self, key: &Key) -> Option<Sending<T>> {
        let core = self.core.upgrade()?;
        let now = Reading::exact(clock::request(self.origin));
        core.pick(now, key, |key| key, |hold, _| Some(hold), |_, _| None)
    }
}

impl<A: Anchored> Drop for Hold<A> {
    #[inline]
    fn drop(&mut self) {
        if self.held.asks_for_the_time()
            && let Some(now) = self.now()
        {
            self.held.abandon(now);
        }
    }
}

impl<A: Anchored> fmt::Debug for Hold<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("held", &self.held).finish_non_exhaustive()
    }
}
