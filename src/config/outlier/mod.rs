//! `[outlier]`: what is held against an endpoint by the answers it gives.

mod consecutive;
mod failure_percentage;
mod latency;
#[cfg(feature = "config")]
mod reading;
mod success_rate;

pub use self::consecutive::ConsecutiveFailuresConfig;
pub use self::failure_percentage::FailurePercentageConfig;
pub use self::latency::LatencyConfig;
pub use self::success_rate::{SuccessRateConfig, SuccessRateMethod};

use std::ops::RangeInclusive;
use std::time::Duration;

use super::range::{Spelt, whole_within, within};
use super::spelling::{Spell, Spelling};
use crate::error::Problem;
use crate::units::Percent;

/// All findings are acted upon.
const ALWAYS: Percent = Percent::new(100).expect("100 is at most 100");

/// `[outlier]`: what follows from the answers an endpoint gives.
///
/// On by default; `outlier = false` switches it off. Detectors find endpoints that do worse than
/// they should: [failures in a row](Self::consecutive_failures) is on by default, the others wait
/// to be asked. What they find is ejected for a while, as far as the cap leaves room, owes
/// [good answers](Self::probe_successes) afterwards, and then takes a share that
/// [grows](super::SlowStartConfig).
///
/// ```
/// use evenkeel::config::{LatencyConfig, OutlierConfig};
///
/// let outlier = OutlierConfig::default()
///     .with_consecutive_failures(None)
///     .with_latency(Some(LatencyConfig::default()));
/// assert!(outlier.consecutive_failures().is_none());
/// assert_eq!(outlier.latency().unwrap().factor(), 3.0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutlierConfig {
    interval: Duration,
    base_ejection_time: Duration,
    max_ejection_time: Duration,
    ejection_jitter_percent: Percent,
    max_ejected_percent: Percent,
    min_available: usize,
    probe_successes: u32,
    dry_run: bool,
    remember_removed: Duration,
    abandoned_after: Option<Duration>,
    retry_after_cap: Duration,
    consecutive_failures: Option<ConsecutiveFailuresConfig>,
    consecutive_gateway_failures: Option<ConsecutiveFailuresConfig>,
    consecutive_local_failures: Option<ConsecutiveFailuresConfig>,
    success_rate: Option<SuccessRateConfig>,
    failure_percentage: Option<FailurePercentageConfig>,
    latency: Option<LatencyConfig>,
}

impl Default for OutlierConfig {
    /// Five failures in a row eject, for half a minute at first and never more than half of the
    /// endpoints. Removed endpoints are remembered, and pleas for time honoured, for five minutes
    /// at most; a caller who goes away is never held against an endpoint.
    fn default() -> Self {
        const TEN: Percent = Percent::new(10).expect("10 is at most 100");
        const HALF: Percent = Percent::new(50).expect("50 is at most 100");
        Self {
            interval: Duration::from_secs(10),
            base_ejection_time: Duration::from_secs(30),
            max_ejection_time: Duration::from_mins(5),
            ejection_jitter_percent: TEN,
            max_ejected_percent: HALF,
            min_available: 1,
            probe_successes: 1,
            dry_run: false,
            remember_removed: Duration::from_mins(5),
            abandoned_after: None,
            retry_after_cap: Duration::from_mins(5),
            consecutive_failures: Some(ConsecutiveFailuresConfig::default()),
            consecutive_gateway_failures: None,
            consecutive_local_failures: None,
            success_rate: None,
            failure_percentage: None,
            latency: None,
        }
    }
}

impl OutlierConfig {
    const INTERVAL: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(1);
    const EJECTION_TIME: RangeInclusive<Duration> =
        Duration::from_millis(10)..=Duration::from_hours(24);
    const PROBE_SUCCESSES: RangeInclusive<u32> = 1..=100;
    const REMEMBER_REMOVED: RangeInclusive<Duration> =
        Duration::from_secs(1)..=Duration::from_hours(24);
    const ABANDONED_AFTER: RangeInclusive<Duration> =
        Duration::from_millis(1)..=Duration::from_hours(24);
    const RETRY_AFTER_CAP: RangeInclusive<Duration> =
        Duration::from_secs(1)..=Duration::from_hours(24);

    /// The time between two sweeps, which judge what endpoints did since the last one; 100ms to
    /// 1h, default 10s.
    ///
    /// Shorter notices sooner, and judges by fewer requests. Failures in a row wait for no sweep.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        self.interval
    }

    /// How long the first ejection of an endpoint lasts; 10ms to 24h, default 30s.
    ///
    /// The second in a row lasts twice as long, the third three times, up to
    /// [`max_ejection_time`](Self::max_ejection_time). Longer spares callers more failed probes,
    /// and keeps an endpoint away that has long recovered.
    #[must_use]
    pub const fn base_ejection_time(&self) -> Duration {
        self.base_ejection_time
    }

    /// How long an ejection lasts at most, before jitter; 10ms to 24h and no less than
    /// [`base_ejection_time`](Self::base_ejection_time), default 5m.
    #[must_use]
    pub const fn max_ejection_time(&self) -> Duration {
        self.max_ejection_time
    }

    /// How much longer an ejection may last by chance, in percent of itself; 0 to 100, default 10.
    ///
    /// Larger keeps endpoints that went together further from coming back together.
    #[must_use]
    pub const fn ejection_jitter_percent(&self) -> Percent {
        self.ejection_jitter_percent
    }

    /// The part of the endpoints that may be out at once; 0 to 100, default 50.
    ///
    /// Counted are those of weight above zero that are neither draining nor disabled; a part of an
    /// endpoint is none. Whoever is out for whatever reason counts. Larger ejects more of the sick,
    /// and leaves fewer to carry the load.
    #[must_use]
    pub const fn max_ejected_percent(&self) -> Percent {
        self.max_ejected_percent
    }

    /// How many endpoints no ejection may go below; any number, default 1.
    #[must_use]
    pub const fn min_available(&self) -> usize {
        self.min_available
    }

    /// How many good answers an endpoint owes after an ejection before its share grows again; 1 to
    /// 100, default 1.
    ///
    /// They are asked one at a time, by requests of callers. One that is not answered within
    /// [`base_ejection_time`](Self::base_ejection_time), or 10s if that is longer, keeps the next
    /// from being asked no more. Larger makes surer, and takes longer.
    #[must_use]
    pub const fn probe_successes(&self) -> u32 {
        self.probe_successes
    }

    /// `[outlier.consecutive_failures]`: too many failures in a row, of whatever kind; on by
    /// default, `None` after `consecutive_failures = false`.
    #[must_use]
    pub const fn consecutive_failures(&self) -> Option<&ConsecutiveFailuresConfig> {
        self.consecutive_failures.as_ref()
    }

    /// `[outlier.consecutive_gateway_failures]`: too many failures in a row
    /// [as a gateway](crate::FailureKind::Gateway) to something else; off by default.
    #[must_use]
    pub const fn consecutive_gateway_failures(&self) -> Option<&ConsecutiveFailuresConfig> {
        self.consecutive_gateway_failures.as_ref()
    }

    /// `[outlier.consecutive_local_failures]`: too many failures in a row before any answer, for
    /// want of a [connection](crate::FailureKind::Local) or of [time](crate::FailureKind::Timeout);
    /// off by default.
    #[must_use]
    pub const fn consecutive_local_failures(&self) -> Option<&ConsecutiveFailuresConfig> {
        self.consecutive_local_failures.as_ref()
    }

    /// `[outlier.success_rate]`: fewer successes than the others; off by default.
    #[must_use]
    pub const fn success_rate(&self) -> Option<&SuccessRateConfig> {
        self.success_rate.as_ref()
    }

    /// `[outlier.failure_percentage]`: too many failures, whatever the others do; off by default.
    #[must_use]
    pub const fn failure_percentage(&self) -> Option<&FailurePercentageConfig> {
        self.failure_percentage.as_ref()
    }

    /// `[outlier.latency]`: much slower than the others; off by default.
    #[must_use]
    pub const fn latency(&self) -> Option<&LatencyConfig> {
        self.latency.as_ref()
    }

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

    /// Sets the [time between two sweeps](Self::interval).
    ///
    /// # Errors
    ///
    /// Outside 100ms to 1h.
    pub fn with_interval(mut self, interval: Duration) -> Result<Self, Problem> {
        self.interval = within("outlier.interval", interval, &Self::INTERVAL)?;
        Ok(self)
    }

    /// Sets how long an ejection lasts [at first](Self::base_ejection_time) and
    /// [at most](Self::max_ejection_time).
    ///
    /// # Errors
    ///
    /// If one of them is outside 10ms to 24h, or `max` is less than `base`.
    pub fn with_ejection_times(mut self, base: Duration, max: Duration) -> Result<Self, Problem> {
        self.base_ejection_time = within("outlier.base_ejection_time", base, &Self::EJECTION_TIME)?;
        self.max_ejection_time = within("outlier.max_ejection_time", max, &Self::EJECTION_TIME)?;
        if max < base {
            let message = format!(
                "max_ejection_time ({}) is shorter than base_ejection_time ({}), so the first \
                 ejection could not last as long as it should",
                Spelt(max),
                Spelt(base)
            );
            return Err(Problem::error("outlier.max_ejection_time", message));
        }
        Ok(self)
    }

    /// Sets [how much longer an ejection may last](Self::ejection_jitter_percent) by chance.
    #[must_use]
    pub fn with_ejection_jitter_percent(mut self, percent: Percent) -> Self {
        self.ejection_jitter_percent = percent;
        self
    }

    /// Sets [the part that may be out at once](Self::max_ejected_percent).
    #[must_use]
    pub fn with_max_ejected_percent(mut self, percent: Percent) -> Self {
        self.max_ejected_percent = percent;
        self
    }

    /// Sets [how many no ejection may go below](Self::min_available).
    #[must_use]
    pub fn with_min_available(mut self, endpoints: usize) -> Self {
        self.min_available = endpoints;
        self
    }

    /// Sets [how many good answers are owed](Self::probe_successes).
    ///
    /// # Errors
    ///
    /// Outside 1 to 100.
    pub fn with_probe_successes(mut self, answers: u32) -> Result<Self, Problem> {
        let path = "outlier.probe_successes";
        self.probe_successes = whole_within(path, answers, &Self::PROBE_SUCCESSES)?;
        Ok(self)
    }

    /// Sets what [failures in a row](Self::consecutive_failures) lead to; `None` switches it off.
    #[must_use]
    pub fn with_consecutive_failures(mut self, row: Option<ConsecutiveFailuresConfig>) -> Self {
        self.consecutive_failures = row;
        self
    }

    /// Sets what [failures as a gateway](Self::consecutive_gateway_failures) lead to; `None`
    /// switches it off.
    #[must_use]
    pub fn with_consecutive_gateway_failures(
        mut self,
        row: Option<ConsecutiveFailuresConfig>,
    ) -> Self {
        self.consecutive_gateway_failures = row;
        self
    }

    /// Sets what [failures before any answer](Self::consecutive_local_failures) lead to; `None`
    /// switches it off.
    #[must_use]
    pub fn with_consecutive_local_failures(
        mut self,
        row: Option<ConsecutiveFailuresConfig>,
    ) -> Self {
        self.consecutive_local_failures = row;
        self
    }

    /// Sets how [success rates](Self::success_rate) are judged; `None` switches it off.
    #[must_use]
    pub fn with_success_rate(mut self, rule: Option<SuccessRateConfig>) -> Self {
        self.success_rate = rule;
        self
    }

    /// Sets which [percentage of failures](Self::failure_percentage) is too much; `None` switches
    /// it off.
    #[must_use]
    pub fn with_failure_percentage(mut self, rule: Option<FailurePercentageConfig>) -> Self {
        self.failure_percentage = rule;
        self
    }

    /// Sets how [latencies](Self::latency) are judged; `None` switches it off.
    #[must_use]
    pub fn with_latency(mut self, rule: Option<LatencyConfig>) -> Self {
        self.latency = rule;
        self
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
            ("interval", self.interval.into()),
            ("base_ejection_time", self.base_ejection_time.into()),
            ("max_ejection_time", self.max_ejection_time.into()),
            ("ejection_jitter_percent", self.ejection_jitter_percent.into()),
            ("max_ejected_percent", self.max_ejected_percent.into()),
            ("min_available", self.min_available.into()),
            ("probe_successes", self.probe_successes.into()),
            ("dry_run", self.dry_run.into()),
            ("remember_removed", self.remember_removed.into()),
            ("abandoned_after", Spelling::or_absent(self.abandoned_after)),
            ("retry_after_cap", self.retry_after_cap.into()),
            ("consecutive_failures", Spelling::or_off(self.consecutive_failures())),
            ("consecutive_gateway_failures", Spelling::or_off(self.consecutive_gateway_failures())),
            ("consecutive_local_failures", Spelling::or_off(self.consecutive_local_failures())),
            ("success_rate", Spelling::or_off(self.success_rate())),
            ("failure_percentage", Spelling::or_off(self.failure_percentage())),
            ("latency", Spelling::or_off(self.latency())),
        ])
    }
}
