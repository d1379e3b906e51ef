//! Which requests are timed, where nobody's case rests on how long a single one takes.
//!
//! The end of a request is the second reading of the clock that it costs, and a part of a busy
//! endpoint's answers tells of its latencies what all of them would. So every request is timed while
//! the endpoint ends up to about 60 a second, and one in eight, some seven a second, while it ends more;
//! where the choice goes by latencies, up to about a thousand a second, and then a hundred and more.
//! Which one is drawn from the request's number, so that no pattern of the callers meets only one kind
//! of them.

use crate::stats::Tick;
use crate::sync::{AtomicU64, Ordering};
use crate::units::Nanos;

/// How fast an endpoint's requests end, as last seen: when that was, how many had ended, and whether
/// they were many.
#[derive(Debug)]
pub(crate) struct Pace(AtomicU64);

/// Ticks between two looks, at the least.
const WINDOW: u32 = 64;

/// Ticks after which what was seen is out of date.
const FRESH: u32 = 4 * WINDOW;

/// One in 2³.
const ONE_IN: u32 = 3;

const BUSY: u64 = 1;
const ENDED: u64 = u32::MAX as u64 >> 1;

/// 2⁶⁴ divided by the golden ratio: neighbouring numbers land far from each other.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

impl Pace {
    /// Requests ended in a window up to which all are timed, where nothing is decided by latencies.
    pub(crate) const ALL_TIMED: u16 = 4;

    /// The same where the choice is: of the thousand a second beyond it, one in eight are still many.
    pub(crate) const ALL_TIMED_IF_ASKED: u16 = 64;

    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Whether the request of this number, which begins at `now`, is timed.
    #[inline]
    pub(crate) fn times(&self, number: u64, now: Nanos) -> bool {
        let word = self.0.load(Ordering::Relaxed);
        word & BUSY == 0 || is_drawn(number) || Tick::at(now).since(tick(word)) > FRESH
    }

    /// Looks, once in a window, how many have ended, and whether they are more than are all timed.
    #[inline]
    pub(crate) fn look(&self, ended: u64, now: Nanos, all_timed: u16) {
        let (word, now) = (self.0.load(Ordering::Relaxed), Tick::at(now));
        let passed = now.since(tick(word));
        if passed >= WINDOW {
            let ended = ended & ENDED;
            let since = ended.wrapping_sub(word >> 1) & ENDED;
            // A rush before a long rest says nothing of what comes.
            let is_busy = passed <= FRESH
                && since * u64::from(WINDOW) > u64::from(all_timed) * u64::from(passed);
            let word = u64::from(now.0) << 32 | ended << 1 | u64::from(is_busy);
            self.0.store(word, Ordering::Relaxed);
        }
    }
}

fn is_drawn(number: u64) -> bool {
    number.wrapping_mul(SPREAD) >> (u64::BITS - ONE_IN) == 0
}

fn tick(word: u64) -> Tick {
    Tick((word >> 32) as u32)
}

#[cfg(all(test, not(evenkeel_loom)))]
mod tests {
    use super::*;

    const TICK: u64 = Tick::NANOS;

    /// How many of `requests` are timed, `every` nanoseconds one, from `start`.
    fn timed(pace: &Pace, first: u64, requests: u64, start: u64, every: u64) -> u64 {
        (first..first + requests).fold(0, |timed, number| {
            let now = Nanos(start + (number - first) * every);
            let times = pace.times(number, now);
            if times {
                pace.look(number, now, Pace::ALL_TIMED);
            }
            timed + u64::from(times)
        })
    }

    #[test]
    fn up_to_the_bound_all_are_timed_and_above_it_one_in_eight() {
        let pace = Pace::new();
        assert_eq!(timed(&pace, 0, 100_000, 5 * TICK, 16 * TICK), 100_000);
        // The first window is timed whole.
        for (every, whole) in [(2 * TICK, 32), (TICK / 10, 640), (TICK / 1_000, 64_000)] {
            let busy = timed(&Pace::new(), 0, 100_000, 0, every);
            let drawn = (100_000 - whole) / 8;
            assert!(busy.abs_diff(whole + drawn) < 300, "{every}: {busy}");
        }
    }

    #[test]
    fn after_a_rush_all_are_timed_again() {
        let pace = Pace::new();
        timed(&pace, 0, 100_000, 0, TICK / 1_000);
        let later = 100 * TICK + u64::from(FRESH + 1) * TICK;
        assert_eq!(timed(&pace, 100_000, 1_000, later, 32 * TICK), 1_000);
    }

    #[test]
    fn those_who_come_in_turns_are_all_timed_alike() {
        for turn in [2, 3, 8, 10, 64] {
            for nth in 0..turn.min(8) {
                let drawn = (0..80_000).filter(|i| is_drawn(nth + i * turn)).count();
                assert!((8_500..11_500).contains(&drawn), "{nth} of {turn}: {drawn}");
            }
        }
    }

    #[test]
    fn neither_a_clock_that_goes_back_nor_one_at_its_end_is_too_much() {
        let pace = Pace::new();
        pace.look(u64::MAX, Nanos::NEVER, u16::MAX);
        pace.look(3, Nanos(0), 0);
        assert!(pace.times(0, Nanos::NEVER));
        pace.look(0, Nanos(900 * TICK), Pace::ALL_TIMED);
        pace.look(900, Nanos(1_000 * TICK), Pace::ALL_TIMED);
        assert!(!pace.times(1, Nanos(1_000 * TICK)) && !pace.times(1, Nanos(900 * TICK)));
        pace.look(901, Nanos(900 * TICK), Pace::ALL_TIMED);
        assert!(!pace.times(1, Nanos(1_000 * TICK)));
    }
}
