//! When endpoints are asked, and how many answers count, with every span in nanoseconds.

use crate::config::HealthConfig;
use crate::units::{Nanos, Percent, nanos};

/// The settings of checks, ready for use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The pause of an endpoint that is well.
    pub(crate) interval: u64,
    /// The pause of one that is not, or whose last answer was bad.
    pub(crate) unhealthy_interval: u64,
    pub(crate) rise: u32,
    pub(crate) fall: u32,
    pub(crate) jitter: Percent,
    /// How many checks may be under way at once.
    pub(crate) concurrency: usize,
}

impl Plan {
    pub(crate) fn of(config: &HealthConfig) -> Self {
        Self {
            interval: nanos(config.interval()),
            unhealthy_interval: nanos(config.unhealthy_interval()),
            rise: config.rise(),
            fall: config.fall(),
            jitter: config.jitter_percent(),
            concurrency: config.concurrency(),
        }
    }

    pub(super) fn pause(&self, hurried: bool) -> u64 {
        if hurried { self.unhealthy_interval } else { self.interval }
    }

    /// When an endpoint is asked again that was last asked at `from`: `part` says where between the
    /// shortest and the longest pause, from 0 to 1.
    pub(super) fn next(&self, from: Nanos, part: f64, hurried: bool) -> Nanos {
        let pause = self.pause(hurried);
        let most = u128::from(pause) * u128::from(self.jitter.get()) / 100;
        let shortest = pause - (most / 2) as u64;
        Nanos(from.0.saturating_add(shortest).saturating_add((most as f64 * part) as u64))
    }

    /// When an endpoint is asked for the first time that joined at `from`: anywhere in a whole
    /// pause, so that a set that is sent at once is not asked at once.
    pub(super) fn first(&self, from: Nanos, part: f64, hurried: bool) -> Nanos {
        let pause = self.pause(hurried);
        Nanos(from.0.saturating_add((pause as f64 * part) as u64))
    }

    /// How many checks of endpoints that may well not answer are made whoever waits.
    pub(super) fn granted(&self) -> usize {
        (self.concurrency / 4).max(1)
    }

    /// How many checks of such endpoints may be under way at once where there are `others`: so many
    /// quarters, or all that the others cannot use.
    pub(super) fn bearable(&self, quarters: usize, others: usize) -> usize {
        let part = self.concurrency.saturating_mul(quarters) / 4;
        part.max(self.concurrency.saturating_sub(others)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(jitter: u8) -> Plan {
        Plan { jitter: Percent::new(jitter).unwrap(), ..Plan::of(&HealthConfig::default()) }
    }

    #[test]
    fn pauses_lie_around_the_interval() {
        const SECOND: u64 = 1_000_000_000;
        let ends = |jitter, hurried| {
            [0.0, 0.5, 1.0].map(|part| plan(jitter).next(Nanos(SECOND), part, hurried).0)
        };
        assert_eq!(ends(0, false), [6 * SECOND; 3]);
        assert_eq!(ends(20, false), [11 * SECOND / 2, 6 * SECOND, 13 * SECOND / 2]);
        assert_eq!(ends(100, true), [3 * SECOND / 2, 2 * SECOND, 5 * SECOND / 2]);
        assert_eq!(plan(100).next(Nanos::NEVER, 1.0, false), Nanos::NEVER);
        assert_eq!(plan(0).first(Nanos(7), 0.0, false), Nanos(7));
    }

    #[test]
    fn doubtful_endpoints_never_have_all_where_there_are_others() {
        let plan = |concurrency| Plan { concurrency, ..plan(20) };
        let found = [1, 2, 3, 32].map(|it| (plan(it).granted(), plan(it).bearable(2, 100)));
        assert_eq!(found, [(1, 1), (1, 1), (1, 1), (8, 16)]);
        assert_eq!([1, 2, 3, 32].map(|it| plan(it).bearable(3, 100)), [1, 1, 2, 24]);
        assert_eq!([0, 1, 10, 16, 17].map(|it| plan(32).bearable(2, it)), [32, 31, 22, 16, 16]);
    }
}
