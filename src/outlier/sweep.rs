//! What a detector sees: how the endpoints did since the last sweep.

use std::fmt;
use std::time::Duration;

use crate::stats::Latencies;
use crate::units::EndpointId;

/// What the endpoints that were admitted did since the last sweep.
///
/// One account for all detectors: each reads the same numbers, and none resets them for another.
///
/// ```
/// use evenkeel::EndpointId;
/// use evenkeel::outlier::{Observed, Sweep};
///
/// let ids = [EndpointId::from("a"), EndpointId::from("b")];
/// let observed = [
///     Observed::new(&ids[0]).with_successes(120),
///     Observed::new(&ids[1]).with_successes(90).with_failures(20).with_overloaded(10),
/// ];
/// let sweep = Sweep::new(&observed);
/// assert_eq!(sweep.endpoints()[1].requests(), 120);
/// assert_eq!(sweep.endpoints()[1].success_rate(), Some(0.75));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Sweep<'a> {
    endpoints: &'a [Observed<'a>],
}

impl<'a> Sweep<'a> {
    /// A sweep over these endpoints. The balancer gives them in the order of their ids.
    #[must_use]
    pub const fn new(endpoints: &'a [Observed<'a>]) -> Self {
        Self { endpoints }
    }

    /// The endpoints, in the order of their ids. A [`Suspect`](super::Suspect) is an index into
    /// this.
    #[must_use]
    pub const fn endpoints(&self) -> &'a [Observed<'a>] {
        self.endpoints
    }
}

/// What one endpoint did since the last sweep.
///
/// Outcomes that say nothing about the endpoint ([`Outcome::Ignore`](crate::Outcome::Ignore))
/// are in none of the numbers.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Observed<'a> {
    id: &'a EndpointId,
    successes: u64,
    failures: u64,
    overloaded: u64,
    timings: Option<&'a dyn Timings>,
}

impl<'a> Observed<'a> {
    /// An endpoint that has done nothing.
    #[must_use]
    pub const fn new(id: &'a EndpointId) -> Self {
        Self { id, successes: 0, failures: 0, overloaded: 0, timings: None }
    }

    /// Sets how many good answers there were.
    #[must_use]
    pub const fn with_successes(mut self, count: u64) -> Self {
        self.successes = count;
        self
    }

    /// Sets how many requests failed.
    #[must_use]
    pub const fn with_failures(mut self, count: u64) -> Self {
        self.failures = count;
        self
    }

    /// Sets how many requests were refused because the endpoint has too much.
    #[must_use]
    pub const fn with_overloaded(mut self, count: u64) -> Self {
        self.overloaded = count;
        self
    }

    /// Sets how long the good answers took.
    #[must_use]
    pub const fn with_timings(mut self, timings: &'a dyn Timings) -> Self {
        self.timings = Some(timings);
        self
    }

    /// Which endpoint it is.
    #[must_use]
    pub const fn id(&self) -> &'a EndpointId {
        self.id
    }

    /// Good answers.
    #[must_use]
    pub const fn successes(&self) -> u64 {
        self.successes
    }

    /// Failures, of whatever kind.
    #[must_use]
    pub const fn failures(&self) -> u64 {
        self.failures
    }

    /// Refusals for having too much to do.
    #[must_use]
    pub const fn overloaded(&self) -> u64 {
        self.overloaded
    }

    /// Requests without a good answer: failures and refusals.
    #[must_use]
    pub const fn unsuccessful(&self) -> u64 {
        self.failures.saturating_add(self.overloaded)
    }

    /// Requests that say something about the endpoint.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.successes.saturating_add(self.unsuccessful())
    }

    /// The part of its requests that had a good answer, from 0 to 1; `None` without requests.
    #[must_use]
    pub fn success_rate(&self) -> Option<f64> {
        let (good, bad) = (self.successes as f64, self.failures as f64 + self.overloaded as f64);
        (self.requests() > 0).then(|| good / (good + bad))
    }

    /// How many good answers were timed.
    #[must_use]
    pub fn timed(&self) -> u64 {
        self.timings.map_or(0, Timings::count)
    }

    /// The time within which this part, from 0 to 1, of the good answers came; `None` if none was
    /// timed.
    #[must_use]
    pub fn latency(&self, quantile: f64) -> Option<Duration> {
        self.timings?.quantile(quantile)
    }
}

/// How long some answers took.
///
/// A slice of durations in ascending order is one, for tests of a detector.
pub trait Timings: fmt::Debug {
    /// How many there are.
    fn count(&self) -> u64;

    /// The least time within which at least this part, from 0 to 1, of them came. `None` if there
    /// are none or `quantile` is not a number.
    fn quantile(&self, quantile: f64) -> Option<Duration>;
}

impl<T: Timings + ?Sized> Timings for &T {
    fn count(&self) -> u64 {
        (**self).count()
    }

    fn quantile(&self, quantile: f64) -> Option<Duration> {
        (**self).quantile(quantile)
    }
}

impl Timings for [Duration] {
    fn count(&self) -> u64 {
        self.len() as u64
    }

    fn quantile(&self, quantile: f64) -> Option<Duration> {
        if quantile.is_nan() {
            return None;
        }
        // A float that is negative or too large saturates on its way to an integer.
        let rank = (quantile * self.len() as f64).ceil() as usize;
        self.get(rank.saturating_sub(1)).or_else(|| self.last()).copied()
    }
}

impl Timings for Latencies {
    fn count(&self) -> u64 {
        self.count()
    }

    fn quantile(&self, quantile: f64) -> Option<Duration> {
        (!quantile.is_nan()).then_some(())?;
        self.quantile(quantile).map(Duration::from_nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Histogram;

    #[test]
    fn rates_at_the_ends() {
        let id = EndpointId::from("a");
        let nothing = Observed::new(&id);
        assert_eq!((nothing.requests(), nothing.success_rate()), (0, None));
        assert_eq!((nothing.timed(), nothing.latency(0.5)), (0, None));
        let full = nothing.with_successes(u64::MAX).with_failures(u64::MAX);
        assert_eq!((full.requests(), full.success_rate()), (u64::MAX, Some(0.5)));
        let thrice = full.with_overloaded(u64::MAX);
        assert_eq!(thrice.success_rate(), Some(1.0 / 3.0));
        let refused = nothing.with_failures(u64::MAX).with_overloaded(u64::MAX);
        assert_eq!((refused.unsuccessful(), refused.success_rate()), (u64::MAX, Some(0.0)));
    }

    #[test]
    fn quantiles_of_a_list_are_its_members_by_nearest_rank() {
        let millis: Vec<_> = (1..=10).map(Duration::from_millis).collect();
        let at = |quantile| millis.as_slice().quantile(quantile).map(|it| it.as_millis());
        let asked = [-1.0, 0.0, 0.1, 0.100_001, 0.5, 0.9, 0.91, 1.0, 2.0, f64::INFINITY];
        let found = asked.map(|quantile| at(quantile).unwrap());
        assert_eq!(found, [1, 1, 1, 2, 5, 9, 10, 10, 10, 10]);
        assert_eq!(at(f64::NAN), None);
        assert_eq!([].as_slice().quantile(0.5), None);
    }

    #[test]
    fn what_the_balancer_counts_has_quantiles() {
        let histogram = Histogram::new();
        assert_eq!(Timings::quantile(&histogram.read(), 0.5), None);
        (0..100).for_each(|_| histogram.record(1 << 20));
        let timings: &dyn Timings = &histogram.read();
        let (least, most) = (Duration::from_nanos(1 << 20), Duration::from_nanos(3 << 19));
        assert_eq!((timings.count(), timings.quantile(1.0)), (100, Some(most)));
        assert!(timings.quantile(0.5).is_some_and(|it| least < it && it < most));
        assert_eq!(timings.quantile(f64::NAN), None);
    }
}
