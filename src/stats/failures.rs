//! How many failures weigh on an endpoint's load.
//!
//! A failure that comes back in a millisecond must not look like a fast success: whoever counts
//! only what is in flight sends such an endpoint everything. So a failure goes on counting as a
//! request in flight for the length of the failure penalty (the advice of Google's SRE book,
//! chapter 20, to count recent errors as active requests).

use crate::stats::Tick;
use crate::sync::{AtomicU64, Ordering};
use crate::units::Nanos;

/// Eight slices of the penalty. The last failure counts for exactly the penalty, those before it
/// for at most an eighth longer.
const SLICES: u64 = 8;

/// One slice more than the penalty has: the one that is still being filled.
const SLOTS: usize = SLICES as usize + 1;

/// Requests that an endpoint counts for while it asks to be left alone: more than any has in flight
/// for its weight, so that it is chosen only among others of its kind.
const PLEA: u64 = 1 << 48;

/// The failures of one endpoint that still weigh.
#[derive(Debug)]
pub(crate) struct RecentFailures {
    /// Until when the last of them weighs.
    last: AtomicU64,
    /// Until when the endpoint asked to be left alone.
    plea: AtomicU64,
    slices: [AtomicU64; SLOTS],
}

impl RecentFailures {
    pub(crate) fn new() -> Self {
        Self {
            last: AtomicU64::new(0),
            plea: AtomicU64::new(0),
            slices: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// Takes in a failure that weighs for `penalty`, zero for not at all, with the time for which
    /// the endpoint itself asked to be left alone.
    pub(crate) fn record(&self, now: Nanos, penalty: u64, plea: u64) {
        if plea > 0 {
            self.plea.fetch_max(now.0.saturating_add(plea), Ordering::Relaxed);
        }
        if penalty > 0 {
            self.count_in(now, penalty);
        }
        self.last.fetch_max(now.0.saturating_add(penalty.max(plea)), Ordering::Relaxed);
    }

    fn count_in(&self, now: Nanos, penalty: u64) {
        let width = width(penalty);
        let tick = Tick::at(now);
        let slice = u64::from(tick.0) / width;
        // The remainder is below the number of slots.
        let Some(cell) = self.slices.get((slice % SLOTS as u64) as usize) else {
            return;
        };
        let start = (slice * width) as u32;
        let mut word = cell.load(Ordering::Relaxed);
        loop {
            let next = match Slice::unpack(word) {
                Slice { start: same, count } if same == start => {
                    Slice { start, count: count.saturating_add(1) }
                }
                _ => Slice { start, count: 1 },
            };
            match cell.compare_exchange_weak(
                word,
                next.pack(),
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => break,
                Err(seen) => word = seen,
            }
        }
    }

    /// The time for which failures still weigh, zero if none does. A clock that went back makes
    /// it longer by as much.
    pub(crate) fn remaining(&self, now: Nanos) -> u64 {
        self.last.load(Ordering::Relaxed).saturating_sub(now.0)
    }

    /// How many failures weigh at `now`.
    #[cold]
    pub(crate) fn count(&self, now: Nanos, penalty: u64) -> u64 {
        if self.remaining(now) == 0 {
            return 0;
        }
        let plea = if now.0 < self.plea.load(Ordering::Relaxed) { PLEA } else { 0 };
        let reach = if penalty > 0 { width(penalty) * (SLICES + 1) } else { 0 };
        let now = Tick::at(now);
        let slices = self.slices.iter().map(|cell| Slice::unpack(cell.load(Ordering::Relaxed)));
        let recent = slices.filter(|slice| u64::from(now.since(Tick(slice.start))) < reach);
        recent.map(|slice| u64::from(slice.count)).sum::<u64>().saturating_add(plea)
    }
}

/// Ticks in a slice, at least one.
fn width(penalty: u64) -> u64 {
    penalty.div_ceil(SLICES).div_ceil(Tick::NANOS).max(1)
}

#[derive(Clone, Copy)]
struct Slice {
    start: u32,
    count: u32,
}

impl Slice {
    fn pack(self) -> u64 {
        u64::from(self.start) << 32 | u64::from(self.count)
    }

    fn unpack(word: u64) -> Self {
        Self { start: (word >> 32) as u32, count: word as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const PENALTY: u64 = 5 * SECOND;

    #[test]
    fn counts_for_the_penalty_and_little_longer() {
        let failures = RecentFailures::new();
        assert_eq!(failures.count(Nanos(0), PENALTY), 0);
        for i in 0..10 {
            failures.record(Nanos(i * SECOND / 10), PENALTY, 0);
        }
        assert_eq!(failures.count(Nanos(SECOND), PENALTY), 10);
        assert_eq!(failures.count(Nanos(PENALTY - 1), PENALTY), 10);
        assert_eq!(failures.count(Nanos(SECOND + PENALTY * 9 / 8 + SECOND / 100), PENALTY), 0);
    }

    #[test]
    fn a_steady_stream_counts_as_its_rate() {
        let failures = RecentFailures::new();
        for i in 0..2_000 {
            failures.record(Nanos(i * SECOND / 100), PENALTY, 0);
        }
        let count = failures.count(Nanos(20 * SECOND), PENALTY);
        assert!((500..=565).contains(&count), "{count}");
    }

    #[test]
    fn who_asks_to_be_left_alone_is_left_alone() {
        let failures = RecentFailures::new();
        failures.record(Nanos(0), PENALTY, 60 * SECOND);
        assert_eq!(failures.count(Nanos(SECOND), PENALTY), PLEA + 1);
        assert_eq!(failures.count(Nanos(59 * SECOND), PENALTY), PLEA);
        assert_eq!(failures.count(Nanos(59 * SECOND), 0), PLEA);
        assert_eq!(failures.count(Nanos(60 * SECOND), PENALTY), 0);
        assert_eq!(failures.remaining(Nanos(59 * SECOND)), SECOND);
    }

    #[test]
    fn a_clock_that_goes_back_loses_nothing() {
        let failures = RecentFailures::new();
        failures.record(Nanos(100 * SECOND), PENALTY, 0);
        assert_eq!(failures.count(Nanos(99 * SECOND), PENALTY), 1);
        failures.record(Nanos(u64::MAX - 1), u64::MAX, u64::MAX);
        assert!(failures.count(Nanos(u64::MAX - 1), PENALTY) >= 1);
    }

    #[test]
    fn a_changed_penalty_reads_what_was_recorded_under_the_old_one() {
        let failures = RecentFailures::new();
        failures.record(Nanos(10 * SECOND), 60 * SECOND, 0);
        assert_eq!(failures.count(Nanos(11 * SECOND), PENALTY), 1);
        assert_eq!(failures.count(Nanos(60 * SECOND), 60 * SECOND), 1);
    }
}
