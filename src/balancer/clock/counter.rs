//! The time of requests from the processor's time stamp counter.
//!
//! `quanta` knows where the counter can be trusted and how fast it runs; where it cannot, it reads the
//! system's clock. What it measured when it started is a few millionths off, which would become seconds
//! in days. So the counter is held to tokio's clock once a second: the two never differ by more than
//! what a second brings, some microseconds, and deadlines and ejections mean the same time. A
//! correction may turn the clock back by as much, which everything here stands.
//!
//! What a pick goes by need not be as exact, and where the system has a coarse clock that is cheaper than
//! the counter. It is compared with tokio's each time that the counter is held to it.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

#[cfg(target_os = "linux")]
use super::coarse::{Anchor, coarse};
use super::{Reading, now};
#[cfg(target_os = "linux")]
use crate::sync::AtomicBool;
use crate::sync::{AtomicU64, Ordering};
use crate::units::{Nanos, Origin};

/// Nanoseconds of the counter between two corrections.
const SECOND: u64 = 1_000_000_000;

/// Nanoseconds within which two readings of the counter count as one.
const AT_ONCE: u64 = 5_000;

/// Attempts to read both clocks at once.
const ATTEMPTS: usize = 16;

struct Counter {
    clock: quanta::Clock,
    began: Instant,
    /// Odd while somebody writes the next two.
    turn: AtomicU64,
    /// What the counter said when it was last held to tokio's clock.
    at: AtomicU64,
    /// What the time was then.
    nanos: AtomicU64,
    #[cfg(target_os = "linux")]
    ticks: Ticks,
}

/// The coarse clock beside the counter.
#[cfg(target_os = "linux")]
struct Ticks {
    anchor: Anchor,
    /// What it said when the counter was started.
    began: u64,
    /// Whether it agreed with tokio's clock when the counter was last held to that.
    agrees: AtomicBool,
}

static COUNTER: OnceLock<Counter> = OnceLock::new();

/// Where the time of a balancer that is built now begins. The first of a process measures how fast the
/// counter runs, which takes up to a fifth of a second.
pub(in crate::balancer) fn origin() -> Origin {
    let counter = COUNTER.get_or_init(Counter::new);
    let nanos = counter.nanos();
    // Made of the counter's time, not read beside it: what passes in between would stay for good.
    let at = counter.began.checked_add(Duration::from_nanos(nanos));
    at.map_or_else(|| Origin::new(now()), |at| Origin::counted(at, nanos))
}

/// The time of a request.
#[inline]
pub(in crate::balancer) fn request(origin: Origin) -> Nanos {
    COUNTER.get().map_or_else(|| origin.nanos(now()), |counter| origin.since(counter.nanos()))
}

/// The time a pick goes by.
#[inline]
pub(in crate::balancer) fn about(origin: Origin) -> Reading {
    #[cfg(target_os = "linux")]
    if let Some(at) = COUNTER.get().and_then(Counter::about) {
        return Reading { at: origin.since(at), is_exact: false };
    }
    Reading { at: request(origin), is_exact: true }
}

impl Counter {
    fn new() -> Self {
        let clock = quanta::Clock::new();
        let began = now();
        let counter = Self {
            began,
            turn: AtomicU64::new(0),
            at: AtomicU64::new(clock.raw()),
            nanos: AtomicU64::new(0),
            #[cfg(target_os = "linux")]
            ticks: Ticks::from(began),
            clock,
        };
        counter.hold();
        counter
    }

    /// Nanoseconds since the counter was started.
    #[inline]
    fn nanos(&self) -> u64 {
        let turn = self.turn.load(Ordering::Acquire);
        let at = self.at.load(Ordering::Acquire);
        let nanos = self.nanos.load(Ordering::Acquire);
        let is_whole = turn.is_multiple_of(2) && self.turn.load(Ordering::Relaxed) == turn;
        let raw = self.clock.raw();
        let passed = self.clock.delta_as_nanos(at, raw);
        // A counter that went back, or was started again, is held to the clock like one that has not
        // been for a second.
        if is_whole && raw >= at && passed <= SECOND {
            return nanos.saturating_add(passed);
        }
        self.hold()
    }

    /// Nanoseconds since the counter was started, by the coarse clock; `None` if that did not agree
    /// with tokio's within the last second.
    #[cfg(target_os = "linux")]
    #[inline]
    fn about(&self) -> Option<u64> {
        let at = coarse().saturating_sub(self.ticks.began);
        let held = self.nanos.load(Ordering::Relaxed);
        let agrees = self.ticks.agrees.load(Ordering::Relaxed);
        (agrees && at.saturating_sub(held) <= SECOND).then_some(at)
    }

    fn passed(&self, now: Instant) -> u64 {
        Origin::new(self.began).nanos(now).0
    }

    /// Holds the counter to tokio's clock, and says what the time is.
    #[cold]
    fn hold(&self) -> u64 {
        let (mut nearest, mut raw, mut nanos) = (u64::MAX, 0, 0);
        for _ in 0..ATTEMPTS {
            let (before, time, after) = (self.clock.raw(), now(), self.clock.raw());
            #[cfg(target_os = "linux")]
            self.ticks.compare(time);
            let apart = self.clock.delta_as_nanos(before, after);
            if apart < nearest {
                (nearest, raw, nanos) = (apart, after, self.passed(time));
            }
            if apart <= AT_ONCE {
                break;
            }
        }
        let turn = self.turn.load(Ordering::Relaxed);
        let exchange = (Ordering::Acquire, Ordering::Relaxed);
        // Where somebody else is at it, that will do.
        let is_free = turn.is_multiple_of(2)
            && self.turn.compare_exchange(turn, turn + 1, exchange.0, exchange.1).is_ok();
        if is_free {
            self.at.store(raw, Ordering::Release);
            self.nanos.store(nanos, Ordering::Release);
            self.turn.store(turn + 2, Ordering::Release);
        }
        nanos
    }
}

#[cfg(target_os = "linux")]
impl Ticks {
    fn from(began: Instant) -> Self {
        let anchor = Anchor::new();
        Self { began: anchor.counted(began), anchor, agrees: AtomicBool::new(false) }
    }

    /// Tokio's clock says `now`.
    fn compare(&self, now: Instant) {
        self.agrees.store(self.anchor.allows(now, coarse()), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_keeps_tokios_time() {
        let origin = origin();
        // Within a second of a counter whose speed was measured while the machine was busy.
        let tolerance = 2_000_000;
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

    #[cfg(target_os = "linux")]
    #[test]
    fn picks_go_by_the_coarse_clock_while_it_agrees() {
        use crate::units::COARSE;

        let counter = Counter::new();
        assert!(counter.ticks.agrees.load(Ordering::Relaxed), "both run");
        let tolerance = 2_000_000;
        for _ in 0..100_000 {
            let (before, about, after) = (counter.nanos(), counter.about(), counter.nanos());
            let about = about.expect("it was held within the last second");
            assert!(about <= after + tolerance, "{about} is after {after}");
            assert!(about + COARSE >= before, "{about} is long before {before}");
        }
        // Nobody has held it for long, and it is not trusted until somebody does.
        counter.nanos.store(0, Ordering::Relaxed);
        let before = Ticks { began: counter.ticks.began - 2 * SECOND, ..Ticks::from(now()) };
        let late = Counter { ticks: before, ..counter };
        late.ticks.agrees.store(true, Ordering::Relaxed);
        assert_eq!(late.about(), None);
        late.hold();
        assert!(late.ticks.agrees.load(Ordering::Relaxed));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_clock_that_was_paused_is_noticed_when_the_counter_is_held_to_it() {
        let counter = Counter::new();
        assert!(counter.about().is_some());
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(5)).await;
        counter.hold();
        assert_eq!(counter.about(), None);
        tokio::time::resume();
    }

    #[test]
    fn a_counter_that_was_started_again_keeps_the_time() {
        let counter = Counter::new();
        // It was at the end of its range, and is where it is now.
        counter.at.store(u64::MAX, Ordering::Relaxed);
        counter.nanos.store(77 * SECOND, Ordering::Relaxed);
        let passed = |counter: &Counter| counter.passed(now());
        assert!(counter.nanos().abs_diff(passed(&counter)) < SECOND / 10);
        // And one that has run for hours while nobody asked.
        counter.at.store(0, Ordering::Relaxed);
        assert!(counter.nanos().abs_diff(passed(&counter)) < SECOND / 10);
        assert!(counter.nanos().abs_diff(passed(&counter)) < SECOND / 10);
    }
}
