//! `[outlier]`: what is held against an endpoint by the answers it gives.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::range::within;
use crate::error::Problem;

/// `[outlier]`: what follows from the answers an endpoint gives.
///
/// On by default; `outlier = false` switches it off.
///
/// ```
/// use evenkeel::config::OutlierConfig;
///
/// assert!(!OutlierConfig::default().dry_run());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutlierConfig {
    dry_run: bool,
    remember_removed: Duration,
}

impl Default for OutlierConfig {
    /// In earnest, and removed endpoints are remembered for five minutes.
    fn default() -> Self {
        Self { dry_run: false, remember_removed: Duration::from_mins(5) }
    }
}

impl OutlierConfig {
    const REMEMBER_REMOVED: RangeInclusive<Duration> =
        Duration::from_secs(1)..=Duration::from_hours(24);

    /// Whether judgements are only told and nothing is ejected; default `false`.
    #[must_use]
    pub const fn dry_run(&self) -> bool {
        self.dry_run
    }

    /// How long an endpoint that left the set is remembered; 1s to 24h, default 5m.
    ///
    /// One that comes back within this time is still what it was, so a discovery source that
    /// blinks absolves nobody. Longer remembers across longer gaps and holds the counters of more
    /// endpoints in memory.
    #[must_use]
    pub const fn remember_removed(&self) -> Duration {
        self.remember_removed
    }

    /// Sets whether judgements are [only told](Self::dry_run).
    #[must_use]
    pub fn with_dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Sets how long [removed endpoints are remembered](Self::remember_removed).
    ///
    /// # Errors
    ///
    /// Outside 1s to 24h.
    pub fn with_remember_removed(mut self, time: Duration) -> Result<Self, Problem> {
        self.remember_removed = within("outlier.remember_removed", time, &Self::REMEMBER_REMOVED)?;
        Ok(self)
    }
}

#[cfg(feature = "config")]
mod reading {
    use super::OutlierConfig;
    use crate::config::document::{Section, duration, flag};

    const NOT_YET: [&str; 15] = [
        "interval",
        "base_ejection_time",
        "max_ejection_time",
        "ejection_jitter_percent",
        "max_ejected_percent",
        "min_available",
        "probe_successes",
        "abandoned_after",
        "retry_after_cap",
        "consecutive_failures",
        "consecutive_gateway_failures",
        "consecutive_local_failures",
        "success_rate",
        "failure_percentage",
        "latency",
    ];

    impl OutlierConfig {
        pub(in crate::config) fn read(section: &mut Section<'_, '_>) -> Self {
            let mut outlier = Self::default();
            section.set(&mut outlier, "dry_run", flag, |it, value| Ok(it.with_dry_run(value)));
            section.set(&mut outlier, "remember_removed", duration, Self::with_remember_removed);
            section.not_yet(&NOT_YET);
            outlier
        }
    }
}
