//! `[outlier]`: what is held against an endpoint by the answers it gives.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::range::within;
use super::spelling::{Spell, Spelling};
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

impl Spell for OutlierConfig {
    fn spell(&self) -> Spelling {
        Spelling::table([
            ("dry_run", self.dry_run.into()),
            ("remember_removed", self.remember_removed.into()),
            ("abandoned_after", Spelling::or_absent(self.abandoned_after)),
            ("retry_after_cap", self.retry_after_cap.into()),
        ])
    }
}

#[cfg(feature = "config")]
mod reading {
    use super::OutlierConfig;
    use crate::config::document::{Key, Keyed, duration, flag};
    use crate::config::setting::Range;

    impl Keyed for OutlierConfig {
        const KEYS: &'static [Key<Self>] = &[
            Key::new(
                "dry_run",
                Range::Flag,
                "Whether judgements are only told and nothing is ejected.",
                |it, found| Ok(it.with_dry_run(flag(found)?)),
            ),
            Key::new(
                "remember_removed",
                Range::Duration(Self::REMEMBER_REMOVED),
                "How long an endpoint that left the set is remembered; one that comes back within \
                 this time is still what it was. Longer remembers across longer gaps, and holds \
                 the counters of more endpoints in memory.",
                |it, found| Ok(it.with_remember_removed(duration(found)?)?),
            ),
            Key::new(
                "abandoned_after",
                Range::Duration(Self::ABANDONED_AFTER),
                "How old a request is when a caller who gives it up speaks against the endpoint; \
                 without it, never. Set it a little below the time that callers wait: shorter \
                 blames endpoints for callers who cancel for reasons of their own.",
                |it, found| Ok(it.with_abandoned_after(Some(duration(found)?))?),
            ),
            Key::new(
                "retry_after_cap",
                Range::Duration(Self::RETRY_AFTER_CAP),
                "The longest time for which an endpoint may ask to be left alone, by \
                 `Retry-After`. Longer trusts servers with longer pauses, and a wrong one with a \
                 longer outage.",
                |it, found| Ok(it.with_retry_after_cap(duration(found)?)?),
            ),
        ];

        const NOT_YET: &'static [&'static str] = &[
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

        fn blank() -> Self {
            Self::default()
        }
    }
}
