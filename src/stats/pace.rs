//! Which requests are timed, where nobody's case rests on how long a single one takes.
//!
//! The end of a request is the second reading of the clock that it costs, and a part of a busy
//! endpoint's answers tells of its latencies what all of them would. So every request is timed while
//! the endpoint ends up to about 60 a second. While it ends more, one in four is, and of every twice as
//! many half the part: 15 to 30 a second, until one in 64 is, and more than that beyond. Where the choice
//! goes by latencies, all of these are twice as many.
//! Which one is drawn from the request's number, so that no pattern of the callers meets only one kind
//! of them.

use crate::stats::Tick;
use crate::sync::{AtomicU32, Ordering};
use crate::units::Nanos;

/// How fast an endpoint's requests end, as last seen: when that was, and of how many one is timed. Asked
/// by nearly every request.
#[derive(Debug)]
pub(crate) struct Paced(AtomicU32);

/// How many had ended then, in the lowest bits: what the next look compares with.
#[derive(Debug)]
pub(crate) struct Pace(AtomicU32);

/// Ticks between two looks, at the least.
const WINDOW: u32 = 64;

/// Ticks after which what was seen is out of date.
const FRESH: u32 = 4 * WINDOW;

/// Of how many requests one is timed, as a power of two: 0 for all, or from [`FIRST`] to [`LAST`].
const LEVEL: u32 = 7;
const FIRST: u32 = 2;
const LAST: u32 = 6;

/// Where the tick begins that stands beside the level. Its lowest bits are left, which come round after
/// six days.
const BESIDE: u32 = 3;

/// How many of the bits of a number that had ended are told.
const TOLD: u32 = 28;

/// 2⁶⁴ divided by the golden ratio: neighbouring numbers land far from each other.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

impl Pace {
    /// Requests ended in a window up to which all are timed, where nothing is decided by latencies.
    pub(crate) const ALL_TIMED: u16 = 4;

    /// The same where the choice is: 30 a second come faster than an estimate decays.
    pub(crate) const ALL_TIMED_IF_ASKED: u16 = 8;

    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Looks, once in a window, how many have ended, and by how much they are more than are all timed. Of
    /// two threads that do so at once either may leave the one word and the other the other: nothing is
    /// made of it but how many requests of the next window are timed.
    #[inline]
    pub(crate) fn look(&self, ended: u32, now: Nanos, all_timed: u16, paced: &Paced) {
        let passed = paced.passed(now);
        if passed >= WINDOW {
            let since = ended.wrapping_sub(self.0.load(Ordering::Relaxed)) % (1 << TOLD);
            let few = u64::from(all_timed) * u64::from(passed);
            // A rush before a long rest says nothing of what comes.
            let since = u64::from(since) * u64::from(WINDOW);
            let level = if passed <= FRESH { level(since, few) } else { 0 };
            self.0.store(ended, Ordering::Relaxed);
            paced.0.store(Tick::at(now).0 << BESIDE | level, Ordering::Relaxed);
        }
    }
}

impl Paced {
    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Nothing was seen.
    pub(crate) fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Whether the request of this number, which begins at `now`, is timed.
    #[inline]
    pub(crate) fn times(&self, number: u64, now: Nanos) -> bool {
        let level = self.0.load(Ordering::Relaxed) & LEVEL;
        level == 0 || is_drawn(number, level) || self.passed(now) > FRESH
    }

    /// Ticks since the last look.
    #[inline]
    fn passed(&self, now: Nanos) -> u32 {
        let last = self.0.load(Ordering::Relaxed) & !LEVEL;
        // What is lost of the one at the top is lost of the other.
        Tick(Tick::at(now).0 << BESIDE).since(Tick(last)) >> BESIDE
    }
}

/// The level for so many requests, where of up to `few` each is timed.
fn level(requests: u64, few: u64) -> u32 {
    // By comparisons: `few` may be zero.
    let above = |level: &u32| requests > few << (level - FIRST);
    (FIRST..=LAST).take_while(above).last().unwrap_or(0)
}

/// Of twice as many at each level, who is drawn is among those of the one before.
fn is_drawn(number: u64, level: u32) -> bool {
    number.wrapping_mul(SPREAD) >> (u64::BITS - level) == 0
}

#[cfg(all(test, not(evenkeel_loom)))]
mod tests {
    use super::*;

    const TICK: u64 = Tick::NANOS;

    struct Both(Pace, Paced);

    fn both() -> Both {
        Both(Pace::new(), Paced::new())
    }

    impl Both {
        fn look(&self, ended: u64, now: Nanos, all_timed: u16) {
            self.0.look(ended as u32, now, all_timed, &self.1);
        }
    }

    /// How many of `requests` are timed, `every` nanoseconds one, from `start`.
    fn timed(pace: &Both, first: u64, requests: u64, start: u64, every: u64) -> u64 {
        (first..first + requests).fold(0, |timed, number| {
            let now = Nanos(start + (number - first) * every);
            let times = pace.1.times(number, now);
            if times {
                pace.look(number, now, Pace::ALL_TIMED);
            }
            timed + u64::from(times)
        })
    }

    #[test]
    fn up_to_the_bound_all_are_timed_and_above_it_fewer_of_more() {
        let pace = both();
        assert_eq!(timed(&pace, 0, 100_000, 5 * TICK, 16 * TICK), 100_000);
        // So many in sixteen ticks, and those of the first window, which is timed whole.
        for (many, whole, of) in [
            (2, 8, 4),
            (3, 12, 8),
            (6, 24, 16),
            (12, 48, 32),
            (15, 60, 32),
            (17, 68, 64),
            (16_000, 64_000, 64),
        ] {
            let busy = timed(&both(), 0, 100_000, 0, 16 * TICK / many);
            let drawn = (100_000 - whole) / of;
            assert!(busy.abs_diff(whole + drawn) < 300, "{many}: {busy}");
        }
    }

    #[test]
    fn after_a_rush_all_are_timed_again() {
        let pace = both();
        timed(&pace, 0, 100_000, 0, TICK / 1_000);
        let later = 100 * TICK + u64::from(FRESH + 1) * TICK;
        assert_eq!(timed(&pace, 100_000, 1_000, later, 32 * TICK), 1_000);
    }

    #[test]
    fn those_who_come_in_turns_are_all_timed_alike() {
        for turn in [2, 3, 8, 10, 64] {
            for nth in 0..turn.min(8) {
                for (level, of) in [(2, 4), (3, 8), (4, 16), (5, 32), (6, 64)] {
                    let drawn = (0..80_000).filter(|i| is_drawn(nth + i * turn, level)).count();
                    let expected = 80_000 / of;
                    let is_near = drawn.abs_diff(expected) < 3 * expected / 20;
                    assert!(is_near, "{nth} of {turn}, one in {of}: {drawn}");
                }
            }
        }
    }

    #[test]
    fn neither_a_clock_that_goes_back_nor_one_at_its_end_is_too_much() {
        let pace = both();
        pace.look(u64::MAX, Nanos::NEVER, u16::MAX);
        pace.look(3, Nanos(0), 0);
        assert!(pace.1.times(0, Nanos::NEVER));
        pace.look(0, Nanos(900 * TICK), Pace::ALL_TIMED);
        pace.look(900, Nanos(1_000 * TICK), Pace::ALL_TIMED);
        assert!(!pace.1.times(1, Nanos(1_000 * TICK)) && !pace.1.times(1, Nanos(900 * TICK)));
        pace.look(901, Nanos(900 * TICK), Pace::ALL_TIMED);
        assert!(!pace.1.times(1, Nanos(1_000 * TICK)));
    }
}
