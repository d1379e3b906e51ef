//! Two clocks that agree: virtual time to the nanosecond, and tokio's paused one, whose timers have
//! a grain of a millisecond.
//!
//! Whatever a request does happens at the virtual instant that the thread's clock is held at. To
//! reach the next millisecond the simulation sleeps on tokio's clock like any task: the runtime,
//! having nothing else to do, moves it from timer to timer, and those of workers, checks and guards
//! fire on the way, each in its time. While they run the clock is not held, and is never behind what
//! has been simulated already.

use std::pin::Pin;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::balancer::held;
use crate::sim::span::{MILLISECOND, Time, span};

pub(super) struct Clock {
    origin: Instant,
    now: Time,
    /// Where tokio's clock is, a whole millisecond.
    reached: Time,
    sleep: Pin<Box<Sleep>>,
}

impl Clock {
    /// Begins now. Inside of a runtime whose clock is paused and has not moved yet.
    pub(super) fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "virtual time begins here")]
        let origin = Instant::now();
        held::set(Some(origin));
        Self { origin, now: 0, reached: 0, sleep: Box::pin(sleep_until(origin)) }
    }

    pub(super) fn now(&self) -> Time {
        self.now
    }

    pub(super) fn origin(&self) -> Instant {
        self.origin
    }

    /// Whether timers may fire before this time.
    pub(super) fn must_wait(&self, until: Time) -> bool {
        until / MILLISECOND > self.reached / MILLISECOND
    }

    /// Lets timers fire that are due before, and in, the last whole millisecond until then.
    pub(super) async fn wait(&mut self, until: Time) {
        let whole = until / MILLISECOND * MILLISECOND;
        let deadline = self.instant(whole);
        held::not_before(self.instant(self.now));
        self.sleep.as_mut().reset(deadline);
        self.sleep.as_mut().await;
        // Whoever was woken last has his turn before anything else happens.
        tokio::task::yield_now().await;
        self.reached = whole;
        self.hold(whole);
    }

    /// The time is this, which lies within the millisecond that was reached.
    pub(super) fn hold(&mut self, now: Time) {
        self.now = self.now.max(now);
        held::set(Some(self.instant(self.now)));
    }

    fn instant(&self, at: Time) -> Instant {
        self.origin.checked_add(span(at)).unwrap_or(self.origin)
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        held::set(None);
    }
}
