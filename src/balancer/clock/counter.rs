//! The time of requests from the processor's time stamp counter.
//!
//! `quanta` knows where the counter can be trusted and how fast it runs; where it cannot, it reads the
//! system's clock. What it measured when it started is a few millionths off, which would become seconds
//! in days. So the counter is held to tokio's clock once a second: the two never differ by more than
//! what a second brings, some microseconds, and deadlines and ejections mean the same time. A
//! correction may turn the clock back by as much, which everything here stands.

use std::sync::OnceLock;

use tokio::time::Instant;

use crate::balancer::now;
use crate::sync::{AtomicU64, Ordering};
use crate::units::{Nanos, Origin};

/// Nanoseconds of the counter between two corrections.
const SECOND: u64 = 1_000_000_000;

struct Counter {
    clock: quanta::Clock,
    began: Instant,
    /// What the counter said then.
    first: u64,
    /// What is to be added to what has been counted, modulo 2⁶⁴.
    correction: AtomicU64,
    /// What had been counted at the last correction.
    corrected: AtomicU64,
}

static COUNTER: OnceLock<Counter> = OnceLock::new();

/// Where the time of a balancer that is built now begins. The first of a process measures how fast the
/// counter runs, which takes up to a fifth of a second.
pub(in crate::balancer) fn origin() -> Origin {
    let counter = COUNTER.get_or_init(Counter::new);
    Origin::counted(now(), counter.nanos())
}

/// The time of a request.
#[inline]
pub(in crate::balancer) fn request(origin: Origin) -> Nanos {
    COUNTER.get().map_or_else(|| origin.nanos(now()), |counter| origin.since(counter.nanos()))
}

impl Counter {
    fn new() -> Self {
        let clock = quanta::Clock::new();
        Self {
            began: now(),
            first: clock.raw(),
            clock,
            correction: AtomicU64::new(0),
            corrected: AtomicU64::new(0),
        }
    }

    /// Nanoseconds since the counter was started.
    #[inline]
    fn nanos(&self) -> u64 {
        let counted = self.clock.delta_as_nanos(self.first, self.clock.raw());
        if counted.saturating_sub(self.corrected.load(Ordering::Relaxed)) > SECOND {
            self.correct(counted);
        }
        counted.wrapping_add(self.correction.load(Ordering::Relaxed))
    }

    #[cold]
    fn correct(&self, counted: u64) {
        let passed = Origin::new(self.began).nanos(now());
        self.correction.store(passed.0.wrapping_sub(counted), Ordering::Relaxed);
        self.corrected.store(counted, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_keeps_tokios_time() {
        let origin = origin();
        let tolerance = 200_000;
        let mut last = Nanos(0);
        // Long enough for two corrections.
        while last.0 < 5 * SECOND / 2 {
            let (before, read, after) = (origin.nanos(now()), request(origin), origin.nanos(now()));
            assert!(read.0 + tolerance > before.0, "{read:?} is before {before:?}");
            assert!(read.0 < after.0 + tolerance, "{read:?} is after {after:?}");
            assert!(read.0 + tolerance > last.0, "{read:?} is long before {last:?}");
            last = read;
        }
    }

    #[test]
    fn what_is_far_off_is_put_right() {
        let counter = Counter::new();
        counter.correct(counter.nanos() + 3_600 * SECOND);
        counter.correct(counter.clock.delta_as_nanos(counter.first, counter.clock.raw()));
        let passed = Origin::new(counter.began).nanos(now());
        assert!(counter.nanos().abs_diff(passed.0) < SECOND / 10);
    }
}
