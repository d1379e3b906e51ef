//! About what time it is, for choosing.
//!
//! What a pick compares the time with (an ejection that ends, a step of a ramp, a failure that weighs) is
//! seconds away, and the exact clock is the dearest thing it would do. Linux keeps a coarse one beside
//! it, the time at the last tick, some milliseconds ago at the most, which costs a seventh. So a pick
//! goes by that, and only a request whose latency is measured, or whose time is limited, reads the
//! exact clock when it begins.
//!
//! A test that pauses tokio's clock must see that one everywhere. So each thread goes by the exact
//! clock until it has seen the two agree for a while; it compares them at every exact reading, and
//! once it has caught tokio's clock standing still it never trusts the coarse one again.

use std::cell::Cell;
use std::sync::OnceLock;

use tokio::time::Instant;

use super::coarse::{Anchor, coarse};
use super::{Reading, now};
use crate::units::{Nanos, Origin};

/// Exact readings in a row with which the coarse clock must agree.
const ENOUGH: u32 = 64;

/// No number of agreements: tokio's clock is paused.
const NEVER: u32 = u32::MAX;

/// What a thread has seen of the two clocks.
#[derive(Clone, Copy)]
struct Seen {
    agreed: u32,
    last: Option<Instant>,
}

thread_local! {
    static SEEN: Cell<Seen> = const { Cell::new(Seen { agreed: 0, last: None }) };
}

static ANCHOR: OnceLock<Anchor> = OnceLock::new();

/// Where the time of a balancer that is built now begins.
pub(in crate::balancer) fn origin() -> Origin {
    let at = now();
    // It may be built for a test that pauses the clock, on a thread that had another one before.
    SEEN.set(Seen { agreed: 0, last: None });
    Origin::counted(at, ANCHOR.get_or_init(Anchor::new).counted(at))
}

/// The time of a request, for latencies and deadlines.
#[inline]
pub(in crate::balancer) fn request(origin: Origin) -> Nanos {
    let now = now();
    let seen = SEEN.get();
    if seen.agreed != NEVER {
        SEEN.set(seen.and(now, coarse()));
    }
    origin.nanos(now)
}

/// The time a pick goes by.
#[inline]
pub(in crate::balancer) fn about(origin: Origin) -> Reading {
    if SEEN.get().agreed == ENOUGH {
        return Reading { at: origin.since(coarse()), is_exact: false };
    }
    Reading { at: request(origin), is_exact: true }
}

impl Seen {
    /// What is seen when tokio's clock says `now` and the coarse one, right after it, `coarse`.
    fn and(self, now: Instant, coarse: u64) -> Self {
        let agreed = match ANCHOR.get() {
            // Two readings of a clock that runs are never the same.
            _ if self.last == Some(now) => NEVER,
            Some(anchor) if anchor.allows(now, coarse) => (self.agreed + 1).min(ENOUGH),
            _ => 0,
        };
        Self { agreed, last: Some(now) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::units::COARSE;

    fn trusts() -> bool {
        SEEN.get().agreed == ENOUGH
    }

    #[test]
    fn a_thread_whose_clock_runs_goes_by_the_coarse_one() {
        let origin = origin();
        while !trusts() {
            assert!(about(origin).is_exact);
        }
        for _ in 0..100_000 {
            let (before, read, after) = (request(origin), about(origin), request(origin));
            assert!(read.at.0 <= after.0, "{read:?} is after {after:?}");
            assert!(read.at.0 + COARSE >= before.0, "{read:?} is long before {before:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_paused_clock_is_the_only_one() {
        let origin = origin();
        for _ in 0..1_000 {
            let read = about(origin);
            assert!(read.is_exact && read.at == Nanos(0), "{read:?}");
        }
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!(about(origin).at, Nanos(100_000_000_000));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_moved_on_at_each_look_too() {
        let origin = origin();
        for step in 0..1_000 {
            let read = about(origin);
            assert!(read.is_exact && read.at == Nanos(step * 1_000_000), "{read:?}");
            tokio::time::advance(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test]
    async fn one_that_is_paused_later_is_noticed() {
        let origin = origin();
        while !trusts() {
            about(origin);
        }
        tokio::time::pause();
        let (first, second) = (request(origin), request(origin));
        assert_eq!(first, second);
        assert_eq!(about(origin).at, first);
        tokio::time::resume();
        request(origin);
        request(origin);
        assert!(!trusts(), "it may be paused again");
    }

    #[test]
    fn a_clock_that_jumps_is_not_trusted_until_it_agrees_again() {
        let origin = origin();
        while !trusts() {
            about(origin);
        }
        let later = now() + Duration::from_secs(1);
        assert_eq!(SEEN.get().and(later, coarse()).agreed, 0);
        let anchor = ANCHOR.get().expect("made with the origin");
        assert!(!anchor.allows(now(), u64::MAX) && !anchor.allows(now(), 0));
    }
}
