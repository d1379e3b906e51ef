//! The system's coarse clock: the time at its last tick.
//!
//! It is some milliseconds behind at the most, and a reading costs a seventh of an exact one. Whoever goes by
//! it says when it is to be trusted: a test may have paused tokio's clock, which this one knows nothing of.

use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};
use tokio::time::Instant;

use crate::units::{COARSE, Origin};

/// One instant by both clocks.
pub(super) struct Anchor {
    at: Instant,
    counted: u64,
    /// How far the coarse clock may be behind; 0 if it is too coarse.
    behind: u64,
}

impl Anchor {
    #[expect(
        clippy::disallowed_methods,
        reason = "the edge: what is anchored is the system's clock"
    )]
    pub(super) fn new() -> Self {
        let counted = nanos(clock_gettime(ClockId::Monotonic));
        let at = Instant::from_std(std::time::Instant::now());
        let behind = 2 * nanos(clock_getres(ClockId::MonotonicCoarse));
        Self { at, counted, behind: if behind <= COARSE { behind } else { 0 } }
    }

    /// What the system's clock says at an instant; for those before, what it said at the anchor.
    pub(super) fn counted(&self, at: Instant) -> u64 {
        self.counted.saturating_add(Origin::new(self.at).nanos(at).0)
    }

    /// Whether the coarse clock may say this at `now`: it is behind, by no more than it ticks.
    pub(super) fn allows(&self, now: Instant, coarse: u64) -> bool {
        let exact = self.counted(now);
        // The thread may have been interrupted between the two readings.
        self.behind > 0
            && exact.saturating_sub(coarse) <= self.behind
            && coarse <= exact + self.behind
    }
}

#[inline]
pub(super) fn coarse() -> u64 {
    nanos(clock_gettime(ClockId::MonotonicCoarse))
}

/// Neither part is negative: the clock counts from when the machine was started.
#[inline]
fn nanos(time: Timespec) -> u64 {
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}
