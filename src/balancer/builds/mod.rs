//! How often keys are dealt out anew while the set changes again and again.

#[cfg(all(test, feature = "config", not(evenkeel_loom)))]
mod stories;

use std::time::Duration;

use crate::balancer::core::Core;
use crate::balancer::shares::Limits;
use crate::balancer::verdict::Judged;
use crate::snapshot::{Draft, Member, Outlook, Snapshot, Supply};
use crate::units::{Nanos, nanos};

/// Wheels, rings or tables, that are built one after the other at once.
const BURST: u32 = 8;

/// How long it takes until one more is built: what lags behind the set does so for as long at most.
const PAUSE: Duration = Duration::from_millis(100);

/// What there is to spend on wheels: a bucket that leaks (GCRA, ATM Forum 1996). For the writer only.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Builds {
    /// When all that was built is forgotten.
    whole_at: Nanos,
}

impl Builds {
    /// Whether one may be built now.
    pub(crate) fn allow(self, now: Nanos) -> bool {
        self.whole_at <= now.plus((BURST - 1) * PAUSE)
    }

    /// Notes that so many were built. What is beyond the burst costs no more: whoever waits waits for
    /// one pause.
    pub(crate) fn spend(&mut self, wheels: u32, now: Nanos) {
        let whole_at = self.whole_at.max(now).plus(PAUSE.saturating_mul(wheels));
        self.whole_at = whole_at.min(now.plus(BURST * PAUSE));
    }

    /// When the next one may be. If time was turned back, no later than it could be otherwise.
    pub(crate) fn next(self, now: Nanos) -> Nanos {
        let next = self.whole_at.0.saturating_sub(nanos((BURST - 1) * PAUSE));
        Nanos(next).max(now).min(now.plus(PAUSE))
    }
}

impl<T: Send + Sync + 'static> Core<T> {
    /// Whether wheels that are missing in what follows `base` are built by whoever publishes it. Else
    /// keys go on by those of `base` for a moment.
    pub(super) fn may_build(
        &self,
        builds: Builds,
        base: &Snapshot<T>,
        draft: &Draft<T>,
        judged: Judged,
        now: Nanos,
    ) -> bool {
        builds.allow(now)
            || base.lags_until.is_some_and(|due| due <= now)
            || judged != Judged::Not && Self::must_be_seen(base, draft)
    }

    /// Whether the share guard cannot judge a change without the wheels that it leads to: somebody
    /// might get more than is allowed, or than has to be told.
    fn must_be_seen(base: &Snapshot<T>, draft: &Draft<T>) -> bool {
        let Draft { chosen, rules, config, members, .. } = draft;
        let supply = Supply::after(base, config, false);
        let places = members.iter().map(Member::place);
        let most = Outlook::of_places(chosen, &base.cursors, places, rules, supply);
        let lowest = Limits::between(&base.config, config).lowest();
        most.map_or(true, |most| !most.is_within(lowest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn at(ms: u64) -> Nanos {
        Nanos(ms * MS)
    }

    /// How many may be built at this instant, one after the other.
    fn burst(builds: &mut Builds, now: Nanos) -> usize {
        let one = |_: &usize| builds.allow(now).then(|| builds.spend(1, now)).is_some();
        (0..100).take_while(one).count()
    }

    #[test]
    fn a_burst_and_one_more_each_pause() {
        let mut builds = Builds::default();
        assert_eq!(burst(&mut builds, at(0)), 8);
        assert_eq!(builds.next(at(0)), at(100));
        assert_eq!(burst(&mut builds, at(99)), 0);
        assert_eq!(burst(&mut builds, at(100)), 1);
        assert_eq!(builds.next(at(130)), at(200));
        assert_eq!(burst(&mut builds, at(450)), 3);
        assert_eq!(burst(&mut builds, at(60_000)), 8, "no more than that is saved up");
        assert_eq!(builds.next(at(61_000)), at(61_000), "at once");
    }

    #[test]
    fn whatever_was_built_the_next_one_waits_for_one_pause() {
        let mut builds = Builds::default();
        for wheels in [0, 3, 50, u32::MAX, 7] {
            builds.spend(wheels, at(5));
        }
        assert_eq!(builds.next(at(5)), at(105));
        assert_eq!(burst(&mut builds, at(105)), 1);
        builds.spend(0, at(205));
        assert_eq!(burst(&mut builds, at(205)), 1, "nothing costs nothing");
    }

    #[test]
    fn a_clock_that_goes_back_or_to_its_end_keeps_nobody_waiting() {
        let mut builds = Builds::default();
        assert_eq!(burst(&mut builds, at(3_600_000)), 8);
        assert_eq!(builds.next(at(0)), at(100));
        builds.spend(1, at(0));
        assert!(!builds.allow(at(99)) && builds.allow(at(100)));
        assert_eq!(burst(&mut builds, Nanos::NEVER), 100);
        assert_eq!(builds.next(Nanos::NEVER), Nanos::NEVER);
    }
}
