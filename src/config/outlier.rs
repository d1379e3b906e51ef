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
    abandoned_after: Option<Duration>,
    retry_after_cap: Duration,
}

impl Default for OutlierConfig {
    /// In earnest; removed endpoints are remembered, and pleas for time honoured, for five minutes
    /// at most; a caller who goes away is never held against an endpoint.
    fn default() -> Self {
        Self {
            dry_run: false,
            remember_removed: Duration::from_mins(5),
            abandoned_after: None,
            retry_after_cap: Duration::from_mins(5),
        }
    }
}

impl OutlierConfig {
    const REMEMBER_REMOVED: RangeInclusive<Duration> =
        Duration::from_secs(1)..=Duration::from_hours(24);
    const ABANDONED_AFTER: RangeInclusive<Duration> =
        Duration::from_millis(1)..=Duration::from_hours(24);
    const RETRY_AFTER_CAP: RangeInclusive<Duration> =
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

    /// How old a request is when a caller who gives it up speaks against the endpoint; 1ms to 24h,
    /// absent by default: never.
    ///
    /// A request that its caller drops says nothing about the endpoint: callers cancel for reasons
    /// of their own. Where callers cancel only because they have waited too long, set this a
    /// little below the time they wait, and an endpoint that never answers is held to account.
    #[must_use]
    pub const fn abandoned_after(&self) -> Option<Duration> {
        self.abandoned_after
    }

    /// The longest time for which an endpoint may ask to be left alone (`Retry-After`); 1s to
    /// 24h, default 5m.
    ///
    /// Longer trusts servers with longer pauses, and a wrong one with a longer outage.
    #[must_use]
    pub const fn retry_after_cap(&self) -> Duration {
        self.retry_after_cap
    }

    /// Sets [how old an abandoned request has to be](Self::abandoned_after); `None` for never.
    ///
    /// # Errors
    ///
    /// Outside 1ms to 24h.
    pub fn with_abandoned_after(mut self, age: Option<Duration>) -> Result<Self, Problem> {
        self.abandoned_after = match age {
            Some(age) => Some(within("outlier.abandoned_after", age, &Self::ABANDONED_AFTER)?),
            None => None,
        };
        Ok(self)
    }

    /// Sets [the longest time to be left alone](Self::retry_after_cap).
    ///
    /// # Errors
    ///
    /// Outside 1s to 24h.
    pub fn with_retry_after_cap(mut self, time: Duration) -> Result<Self, Problem> {
        self.retry_after_cap = within("outlier.retry_after_cap", time, &Self::RETRY_AFTER_CAP)?;
        Ok(self)
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

    const NOT_YET: [&str; 13] = [
        "interval",
        "base_ejection_time",
        "max_ejection_time",
        "ejection_jitter_percent",
        "max_ejected_percent",
        "min_available",
        "probe_successes",
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
            section.set(&mut outlier, "abandoned_after", duration, |it, age| {
                it.with_abandoned_after(Some(age))
            });
            section.set(&mut outlier, "retry_after_cap", duration, Self::with_retry_after_cap);
            section.not_yet(&NOT_YET);
            outlier
        }
    }
}
