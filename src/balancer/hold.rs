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

    pub(crate) fn endpoint(&self) -> &EndpointId {
        self.held.cell().id()
    }

    /// Ends the request where it stands, and says what became of it.
    #[inline]
    pub(crate) fn end(&mut self, outcome: Outcome) {
        if !self.held.finish_untimed(outcome) {
            let now = self.now();
            self.held.finish(outcome, now);
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
        let cell = self.held.cell();
        cell.samples().unready(cell);
    }

    /// The request is about to be sent.
    #[inline]
    pub(crate) fn send(&mut self) {
        self.held.set_sent(true);
    }

    /// Says that the answer has begun.
    pub(crate) fn answered(&mut self) {
        let now = self.now();
        self.held.answered(now);
    }

    #[cfg(feature = "testing")]
    pub(crate) fn end_at(&mut self, outcome: Outcome, now: Instant) {
        let now = self.held.cell().origin().nanos(now);
        self.held.finish(outcome, now);
    }

    /// When the endpoint's time is over, and how long it is, if it is limited.
    #[inline]
    pub(crate) fn deadline(&self) -> Option<(Instant, Duration)> {
        let limit = self.held.limit()?;
        let span = Duration::from_nanos(limit);
        let origin = self.held.cell().origin();
        Some((origin.instant(self.held.began().plus(span))?, span))
    }

    /// The name of the balancer it came from.
    #[cfg(feature = "tracing")]
    pub(crate) fn balancer(&self) -> &str {
        self.held.cell().balancer()
    }

    /// What that balancer serves at this moment and by which strategy, while it exists.
    #[cfg(feature = "tracing")]
    pub(crate) fn served(&self) -> Option<(Version, Arc<str>)> {
        Some(self.held.cell().control()?.served())
    }

    /// Which attempt of its request this is: one more than the endpoints that are excluded.
    #[cfg(feature = "tracing")]
    pub(crate) fn attempt(&self) -> u64 {
        self.held.before().saturating_add(1)
    }

    #[inline]
    fn now(&self) -> Nanos {
        clock::request(self.held.cell().origin())
    }

    /// The same request, held by something else.
    pub(crate) fn moved_to<B: Anchored>(mut self, anchor: impl FnOnce(&A) -> B) -> Hold<B> {
        Hold { held: self.held.give_to(anchor) }
    }
}

impl<T: Send + Sync + 'static> Sending<T> {
    /// The way to other endpoints.
    pub(crate) fn elsewhere(&self) -> Option<Elsewhere<T>> {
        let cell = self.held.cell();
        let control: Arc<dyn Any + Send + Sync> = cell.control()?;
        let core = control.downcast::<Core<T>>().ok()?;
        Some(Elsewhere { core: Arc::downgrade(&core), origin: cell.origin() })
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
        if self.held.asks_for_the_time() {
            let now = self.now();
            self.held.abandon(now);
        }
    }
}

impl<A: Anchored> fmt::Debug for Hold<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("endpoint", self.endpoint()).finish_non_exhaustive()
    }
}
