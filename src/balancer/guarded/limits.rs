//! What a watched change is held to.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::balancer::shares::limit;
use crate::config::{GuardConfig, within};
use crate::error::Problem;
use crate::units::Percent;

/// How a change is watched, and what makes it be taken back.
///
/// Given to [`Balancer::apply_guarded`](crate::Balancer::apply_guarded). The default watches for a
/// minute and holds the change to the limits below; each can be set, and each can be switched off.
///
/// | limit | compared with the time before | default | set by |
/// | --- | --- | --- | --- |
/// | failure rate | percentage points more of the answers are failures or overloads | 5 | [`with_failure_rise`](Self::with_failure_rise) |
/// | latency | a quantile of the good answers takes so many times as long, and 1 ms longer | 2.0 at 0.9 | [`with_latency_factor`](Self::with_latency_factor), [`with_latency_quantile`](Self::with_latency_quantile) |
/// | largest share | one endpoint is sent more than this, more than a fair part, and 10 points more than any was | `guard.max_share_percent`, else 60 % | [`with_max_share`](Self::with_max_share) |
/// | endpoints lost | percent of those that could be chosen and no longer can; one may always go, the last never | 25 | [`with_max_lost`](Self::with_max_lost) |
/// | unanswered | percentage points more of the requests have no answer | 50 | [`with_unanswered_rise`](Self::with_unanswered_rise) |
///
/// # When it is judged
///
/// Rates, latencies and shares are judged over the whole time since the change, and only by
/// [enough requests](Self::with_minimum_requests): that one of three failed says nothing. A limit
/// that is broken takes the change back when the window is over, since much that looks bad in the
/// first seconds (cold connections, an endpoint that restarts just then) is over soon. A limit that
/// is broken *badly* takes it back at the next look. Badly is three times what is allowed; where
/// that leaves no room below 100 %, it is half way from what is allowed to 100 %. So by default:
/// 15 points more failures, six times the latency, 80 % for one endpoint, 62.5 % of the endpoints
/// lost. Unanswered requests are judged at the end alone, for an answer may take its time.
///
/// # The time before
///
/// The balancer keeps a record of the last minute, more or less, for as long as there is traffic;
/// where there is none, an older record stands for it. If fewer than
/// [enough requests](Self::with_minimum_requests) were answered in it, there is nothing to compare
/// with: the failure rate then counts as none, the largest share is held to its limit alone, and
/// latencies and unanswered requests are not judged.
///
/// # What it does not see
///
/// The balancer sees what its endpoints do with requests, not whether answers make sense. It
/// counts latencies in buckets, so a growth within a third of the limit may be seen on either side
/// of it. And it cannot tell what the change did from what happened at the same time.
///
/// ```
/// use std::time::Duration;
/// use evenkeel::{Guard, Percent};
///
/// let guard = Guard::default()
///     .with_window(Duration::from_mins(5))?
///     .with_failure_rise(Some(1.0))?
///     .with_max_share(Percent::new(40))?
///     .with_latency_factor(None)?;
/// # Ok::<(), evenkeel::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Guard {
    window: Duration,
    look_every: Option<Duration>,
    minimum_requests: u64,
    failure_rise: Option<f64>,
    latency_quantile: f64,
    latency_factor: Option<f64>,
    max_share: MaxShare,
    max_lost: Option<Percent>,
    unanswered_rise: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum MaxShare {
    /// What `[guard]` of the settings says.
    OfSettings,
    Part(f64),
    Any,
}

impl Default for Guard {
    /// A minute, at least 50 requests, and every limit as the table has it.
    fn default() -> Self {
        Self {
            window: Duration::from_mins(1),
            look_every: None,
            minimum_requests: 50,
            failure_rise: Some(0.05),
            latency_quantile: 0.9,
            latency_factor: Some(2.0),
            max_share: MaxShare::OfSettings,
            max_lost: Percent::new(25),
            unanswered_rise: Some(0.5),
        }
    }
}

impl Guard {
    const WINDOW: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24);
    const LOOK_EVERY: RangeInclusive<Duration> =
        Duration::from_millis(10)..=Duration::from_hours(1);

    /// Looks more often than this unless it is told to are no use.
    const SHORTEST_DEFAULT: Duration = Duration::from_millis(100);

    /// Sets how long the change is watched; 1s to 24h, default 1m.
    ///
    /// Longer finds what takes its time, and keeps the verdict waiting.
    ///
    /// # Errors
    ///
    /// Out of range.
    pub fn with_window(mut self, window: Duration) -> Result<Self, Problem> {
        self.window = within("window", window, &Self::WINDOW)?;
        Ok(self)
    }

    /// Sets how often it is looked whether a limit is badly broken; 10ms to 1h, by default a
    /// twentieth of the window and at least 100ms.
    ///
    /// Shorter takes a bad change back sooner. A look costs a read of every endpoint's counters.
    ///
    /// # Errors
    ///
    /// Out of range.
    pub fn with_look_every(mut self, time: Duration) -> Result<Self, Problem> {
        self.look_every = Some(within("look_every", time, &Self::LOOK_EVERY)?);
        Ok(self)
    }

    /// Sets how many requests it takes to judge a rate, a latency or a share; from 1, default 50.
    ///
    /// More is surer, and leaves services with little traffic unproven.
    ///
    /// # Errors
    ///
    /// At 0.
    pub fn with_minimum_requests(mut self, requests: u64) -> Result<Self, Problem> {
        if requests == 0 {
            return Err(problem("minimum_requests", "0 is out of range; at least 1 is needed"));
        }
        self.minimum_requests = requests;
        Ok(self)
    }

    /// Sets by how many percentage points the failure rate may rise; 0 to 100, default 5. `None`
    /// switches the limit off.
    ///
    /// # Errors
    ///
    /// Out of range, or no number.
    pub fn with_failure_rise(mut self, points: Option<f64>) -> Result<Self, Problem> {
        self.failure_rise = points.map(|points| part("failure_rise", points)).transpose()?;
        Ok(self)
    }

    /// Sets which quantile of the latencies is compared; above 0 and up to 1, default 0.9: the
    /// time within which nine of ten good answers come.
    ///
    /// # Errors
    ///
    /// Out of range, or no number.
    pub fn with_latency_quantile(mut self, quantile: f64) -> Result<Self, Problem> {
        if !(quantile > 0.0 && quantile <= 1.0) {
            let words = format!("{quantile} is out of range; a part above 0 and up to 1 is needed");
            return Err(problem("latency_quantile", words));
        }
        self.latency_quantile = quantile;
        Ok(self)
    }

    /// Sets how many times as long good answers may take; 1 to 1000, default 2. `None` switches
    /// the limit off.
    ///
    /// # Errors
    ///
    /// Out of range, or no number.
    pub fn with_latency_factor(mut self, factor: Option<f64>) -> Result<Self, Problem> {
        if let Some(factor) = factor.filter(|factor| !(1.0..=1_000.0).contains(factor)) {
            let words = format!("{factor} is out of range; a factor from 1 to 1000 is needed");
            return Err(problem("latency_factor", words));
        }
        self.latency_factor = factor;
        Ok(self)
    }

    /// Sets the part of the requests that one endpoint may be sent; 1 to 100, by default what
    /// `guard.max_share_percent` of the new settings says, and 60 where they say nothing. `None`
    /// switches the limit off.
    ///
    /// # Errors
    ///
    /// At 0.
    pub fn with_max_share(mut self, percent: Option<Percent>) -> Result<Self, Problem> {
        self.max_share = match percent.map(Percent::get) {
            Some(0) => {
                let words = "0 is out of range; a percentage from 1 to 100 is needed";
                return Err(problem("max_share", words));
            }
            Some(percent) => MaxShare::Part(f64::from(percent) / 100.0),
            None => MaxShare::Any,
        };
        Ok(self)
    }

    /// Sets how many of the endpoints that could be chosen may be lost: ejected, unhealthy, of no
    /// weight, or left out by the settings themselves; 0 to 100, default 25. `None` switches the
    /// limit off.
    ///
    /// One endpoint may always be lost, unless it is the last: its time may have come. What
    /// discovery removes is not lost.
    #[must_use]
    pub const fn with_max_lost(mut self, percent: Option<Percent>) -> Self {
        self.max_lost = percent;
        self
    }

    /// Sets by how many percentage points the part of the requests that have no answer may rise; 0
    /// to 100, default 50. `None` switches the limit off.
    ///
    /// It finds endpoints that accept everything and answer nothing, of which no rate and no
    /// latency says a word. A request whose caller goes away counts as unanswered.
    ///
    /// # Errors
    ///
    /// Out of range, or no number.
    pub fn with_unanswered_rise(mut self, points: Option<f64>) -> Result<Self, Problem> {
        self.unanswered_rise = points.map(|points| part("unanswered_rise", points)).transpose()?;
        Ok(self)
    }

    pub(super) fn window(&self) -> Duration {
        self.window
    }

    pub(super) fn look_every(&self) -> Duration {
        let by_itself = || (self.window / 20).max(Self::SHORTEST_DEFAULT);
        self.look_every.unwrap_or_else(by_itself).min(self.window)
    }

    pub(super) fn minimum_requests(&self) -> u64 {
        self.minimum_requests
    }

    pub(super) fn failure_rise(&self) -> Option<f64> {
        self.failure_rise
    }

    pub(super) fn latency(&self) -> Option<(f64, f64)> {
        self.latency_factor.map(|factor| (self.latency_quantile, factor))
    }

    /// `None` where any share is allowed.
    pub(super) fn max_share(&self, settings: &GuardConfig) -> Option<f64> {
        match self.max_share {
            MaxShare::OfSettings => Some(limit(settings)),
            MaxShare::Part(part) => Some(part),
            MaxShare::Any => None,
        }
    }

    /// How many of `endpoints` may be lost.
    pub(super) fn max_lost(&self, endpoints: usize) -> Option<usize> {
        let allowed = |percent: Percent| percent.of(endpoints).max(1);
        self.max_lost.map(|percent| allowed(percent).min(endpoints.saturating_sub(1)))
    }

    pub(super) fn unanswered_rise(&self) -> Option<f64> {
        self.unanswered_rise
    }
}

fn problem(key: &str, words: impl Into<String>) -> Problem {
    Problem::error(key, words)
}

fn part(key: &str, points: f64) -> Result<f64, Problem> {
    if (0.0..=100.0).contains(&points) {
        return Ok(points / 100.0);
    }
    let words = format!("{points} is out of range; percentage points from 0 to 100 are needed");
    Err(problem(key, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Set<V> = fn(Guard, V) -> Result<Guard, Problem>;

    fn takes<V: Copy + std::fmt::Debug>(set: Set<V>, good: &[V], bad: &[V], path: &str) {
        for &value in good {
            assert!(set(Guard::default(), value).is_ok(), "{path} = {value:?}");
        }
        for &value in bad {
            let problem = set(Guard::default(), value).unwrap_err();
            assert_eq!(problem.path, path, "{value:?}");
            assert!(problem.message.contains("is out of range"), "{problem}");
        }
    }

    #[test]
    fn ranges_are_kept() {
        let (second, hour) = (Duration::from_secs(1), Duration::from_hours(1));
        let (little, milli) = (Duration::from_nanos(1), Duration::from_millis(1));
        takes(
            Guard::with_window,
            &[second, 24 * hour],
            &[Duration::ZERO, second - little, 24 * hour + little, Duration::MAX],
            "window",
        );
        takes(
            Guard::with_look_every,
            &[10 * milli, hour],
            &[Duration::ZERO, 10 * milli - little, hour + little, Duration::MAX],
            "look_every",
        );
        takes(Guard::with_minimum_requests, &[1, u64::MAX], &[0], "minimum_requests");
        let points = [Some(-0.1), Some(100.1), Some(f64::NAN), Some(f64::INFINITY)];
        let fine = [Some(0.0), Some(0.5), Some(100.0), None];
        takes(Guard::with_failure_rise, &fine, &points, "failure_rise");
        takes(Guard::with_unanswered_rise, &fine, &points, "unanswered_rise");
        takes(
            Guard::with_latency_quantile,
            &[1.0, 0.5, f64::MIN_POSITIVE],
            &[0.0, -0.5, 1.01, f64::NAN],
            "latency_quantile",
        );
        takes(
            Guard::with_latency_factor,
            &[Some(1.0), Some(1_000.0), None],
            &[Some(0.99), Some(1_000.1), Some(f64::NAN), Some(f64::INFINITY)],
            "latency_factor",
        );
        let percent = Percent::new;
        takes(Guard::with_max_share, &[percent(1), percent(100), None], &[percent(0)], "max_share");
    }

    #[test]
    fn it_looks_twenty_times_unless_told() {
        let every = |seconds| {
            let guard = Guard::default().with_window(Duration::from_secs(seconds)).unwrap();
            guard.look_every()
        };
        let millis = Duration::from_millis;
        assert_eq!((every(60), every(1)), (millis(3_000), millis(100)));
        let told = Guard::default().with_look_every(Duration::from_hours(1)).unwrap();
        assert_eq!(told.look_every(), Duration::from_mins(1), "never later than the end");
    }

    #[test]
    fn the_share_is_that_of_the_settings_unless_told() {
        let settings =
            |percent| GuardConfig::default().with_max_share_percent(Percent::new(percent)).unwrap();
        let guard = Guard::default();
        assert_eq!(guard.max_share(&GuardConfig::default()), Some(0.6));
        assert_eq!(guard.max_share(&settings(40)), Some(0.4));
        let told = guard.clone().with_max_share(Percent::new(75)).unwrap();
        assert_eq!(told.max_share(&settings(40)), Some(0.75));
        assert_eq!(guard.with_max_share(None).unwrap().max_share(&settings(40)), None);
    }

    #[test]
    fn one_may_always_be_lost_but_for_the_last() {
        let allowed: Vec<_> = (0..=9).map(|n| Guard::default().max_lost(n).unwrap()).collect();
        assert_eq!(allowed, [0, 0, 1, 1, 1, 1, 1, 1, 2, 2]);
        let all = Guard::default().with_max_lost(Percent::new(100));
        assert_eq!((all.max_lost(5), all.with_max_lost(None).max_lost(5)), (Some(4), None));
    }
}
