//! What requests came to, summed over their time and over endpoints.

use crate::stats::Latencies;

/// All that the requests of an endpoint, or of several, have come to.
///
/// Differences say what happened between two moments. A number that reads a little too low for an
/// instant, as successes may, then counts as no difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) picks: u64,
    pub(crate) successes: u64,
    pub(crate) failures: u64,
    pub(crate) overloaded: u64,
    pub(crate) ignored: u64,
    /// Of the successes.
    pub(crate) latencies: Latencies,
}

impl Totals {
    /// What came between `earlier` and this.
    #[must_use]
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            picks: self.picks.saturating_sub(earlier.picks),
            successes: self.successes.saturating_sub(earlier.successes),
            failures: self.failures.saturating_sub(earlier.failures),
            overloaded: self.overloaded.saturating_sub(earlier.overloaded),
            ignored: self.ignored.saturating_sub(earlier.ignored),
            latencies: self.latencies.since(&earlier.latencies),
        }
    }

    /// Both together.
    #[must_use]
    pub(crate) fn plus(&self, other: &Self) -> Self {
        Self {
            picks: self.picks.saturating_add(other.picks),
            successes: self.successes.saturating_add(other.successes),
            failures: self.failures.saturating_add(other.failures),
            overloaded: self.overloaded.saturating_add(other.overloaded),
            ignored: self.ignored.saturating_add(other.ignored),
            latencies: self.latencies.plus(&other.latencies),
        }
    }

    /// Answers that were no good: failures, and refusals for having too much to do.
    pub(crate) fn bad(&self) -> u64 {
        self.failures.saturating_add(self.overloaded)
    }

    /// Answers that say something about their endpoint.
    pub(crate) fn judged(&self) -> u64 {
        self.successes.saturating_add(self.failures).saturating_add(self.overloaded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_differences_undo_each_other_and_never_overflow() {
        let some = Totals {
            picks: 9,
            successes: 5,
            failures: 2,
            overloaded: 1,
            ignored: 1,
            latencies: Latencies::default(),
        };
        assert_eq!((some.plus(&some).since(&some), some.judged()), (some, 8));
        assert_eq!(Totals::default().since(&some), Totals::default());
        let most = Totals { picks: u64::MAX, successes: u64::MAX, failures: u64::MAX, ..some };
        assert_eq!((most.plus(&most).picks, most.judged()), (u64::MAX, u64::MAX));
    }
}
