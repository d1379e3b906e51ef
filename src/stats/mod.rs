//! Estimators that fit in atomics.
//!
//! All keep three laws: `now` is an argument, a read changes nothing, and a clock that goes back
//! neither panics nor makes an old value new.

mod failures;
mod heavy;
mod histogram;
mod latency;
mod pace;
mod streak;

pub(crate) use self::failures::RecentFailures;
pub(crate) use self::heavy::Heavy;
pub(crate) use self::histogram::{Histogram, Latencies};
pub(crate) use self::latency::{Decay, Latency, Typical};
pub(crate) use self::pace::{Pace, Paced};
pub(crate) use self::streak::{Proof, Reached, Row, RowLimits, Streak};

use crate::units::Nanos;

/// About a millisecond: time in 32 bits, so that a value and its age share one word. Wraps after
/// 52 days; only differences are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tick(pub(crate) u32);

impl Tick {
    pub(crate) const NANOS: u64 = 1 << 20;
    const AHEAD: u32 = 1 << 16;

    #[inline]
    pub(crate) fn at(now: Nanos) -> Self {
        Self((now.0 / Self::NANOS) as u32)
    }

    /// Ticks since `earlier`; zero if that lies ahead, by a minute at most. What lies further
    /// ahead is taken for what it nearly always is: old.
    #[inline]
    fn since(self, earlier: Self) -> u32 {
        let age = self.0.wrapping_sub(earlier.0);
        if age > u32::MAX - Self::AHEAD { 0 } else { age }
    }
}
