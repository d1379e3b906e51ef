//! When requests come.

use crate::rng::Rng;
use crate::sim::arrivals::{Arrivals, Keys, Pattern, Rate, Spacing};
use crate::sim::service_time::exponential;
use crate::sim::span::{Time, rounded, time};
use crate::units::Key;

/// Nanoseconds of a second.
const SECOND: f64 = 1e9;

/// One stream of requests.
pub(super) struct Source<'s> {
    pub(super) spec: &'s Arrivals,
    pub(super) rng: Rng,
    /// The processes that its requests come to: from this one on, so many.
    pub(super) processes: (u32, u32),
    /// Seconds at which the last of an open loop came.
    last: f64,
    /// How many of a trace have come.
    come: usize,
}

impl<'s> Source<'s> {
    pub(super) fn new(spec: &'s Arrivals, rng: Rng, processes: (u32, u32)) -> Self {
        Self { spec, rng, processes, last: spec.from.as_secs_f64(), come: 0 }
    }

    /// How many come at once.
    pub(super) fn burst(&self) -> u32 {
        match &self.spec.pattern {
            Pattern::Open { burst, .. } => *burst,
            Pattern::Trace(_) | Pattern::Closed { .. } => 1,
        }
    }

    /// When the first come.
    pub(super) fn first(&mut self) -> Vec<Time> {
        match &self.spec.pattern {
            Pattern::Open { .. } | Pattern::Trace(_) => self.next().into_iter().collect(),
            Pattern::Closed { users, think } => {
                let from = time(self.spec.from);
                let (think, rng) = (think, &mut self.rng);
                (0..*users).map(|_| from.saturating_add(think.draw(rng))).collect()
            }
        }
    }

    /// When the next come that wait for nobody.
    pub(super) fn next(&mut self) -> Option<Time> {
        let at = match &self.spec.pattern {
            Pattern::Open { rate, spacing, burst } => {
                let wait = match spacing {
                    Spacing::Poisson => exponential(&mut self.rng),
                    Spacing::Even => 1.0,
                };
                self.last = reached(rate, self.last, wait * f64::from(*burst))?;
                rounded(self.last * SECOND)
            }
            Pattern::Trace(times) => {
                let early = times.iter().skip(self.come);
                let early = early.take_while(|at| **at < self.spec.from).count();
                let at = time(*times.get(self.come + early)?);
                self.come += early + 1;
                at
            }
            Pattern::Closed { .. } => return None,
        };
        self.spec.until.is_none_or(|until| at < time(until)).then_some(at)
    }

    /// When a user who has had his answer sends his next request, if he is one of a closed loop.
    pub(super) fn next_of_user(&mut self, now: Time, at_least: Time) -> Option<Time> {
        let Pattern::Closed { think, .. } = &self.spec.pattern else { return None };
        let at = now.saturating_add(think.draw(&mut self.rng).max(at_least));
        self.spec.until.is_none_or(|until| at < time(until)).then_some(at)
    }

    /// The process that gets the next request.
    pub(super) fn process(&mut self) -> u32 {
        let (first, of) = self.processes;
        if of == 1 { first } else { first + self.rng.below(of.into()) as u32 }
    }

    /// The key of the next request.
    pub(super) fn key(&mut self) -> Key {
        let Some(Keys { count, hot_percent }) = self.spec.keys else { return Key::none() };
        let is_hot = hot_percent > 0.0 && self.rng.fraction() * 100.0 < hot_percent;
        Key::of(&if is_hot { 0 } else { self.rng.below(count) })
    }
}

/// When the line of the rate, from a moment on, has brought so many requests; `None` for never.
fn reached(rate: &[Rate], from: f64, mut requests: f64) -> Option<f64> {
    let mut at = from;
    let next = rate.partition_point(|point| point.at.as_secs_f64() <= at);
    for point in rate.get(next..)? {
        let (end, before) = (point.at.as_secs_f64(), level(rate, at));
        // Before the first point it is level, and two points at one moment are a jump.
        let after = if at < rate.first()?.at.as_secs_f64() { before } else { point.per_second };
        let length = end - at;
        if length <= 0.0 {
            continue;
        }
        let brought = (before + after) / 2.0 * length;
        if brought >= requests && brought > 0.0 {
            let slope = (after - before) / length;
            // The root of `before · t + slope · t² / 2 = requests`, in the form that stands a slope
            // of zero.
            let root = (before * before + 2.0 * slope * requests).max(0.0).sqrt();
            return Some(at + 2.0 * requests / (before + root));
        }
        requests -= brought;
        at = end;
    }
    let last = rate.last()?.per_second;
    (last > 0.0).then(|| at + requests / last)
}

/// The rate at a moment.
fn level(rate: &[Rate], at: f64) -> f64 {
    let next = rate.partition_point(|point| point.at.as_secs_f64() <= at);
    let (before, after) = (next.checked_sub(1).and_then(|last| rate.get(last)), rate.get(next));
    match (before, after) {
        (Some(a), Some(b)) => {
            let (from, to) = (a.at.as_secs_f64(), b.at.as_secs_f64());
            a.per_second + (b.per_second - a.per_second) * (at - from) / (to - from)
        }
        (Some(only), None) | (None, Some(only)) => only.per_second,
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn times(arrivals: &Arrivals, most: f64) -> Vec<f64> {
        let mut source = Source::new(arrivals, Rng::seeded(3), (0, 1));
        let seconds = std::iter::from_fn(|| source.next().map(|at| at as f64 / SECOND));
        seconds.take_while(|at| *at < most).collect()
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn even_requests_are_as_far_apart_as_their_rate_says() {
        assert_eq!(times(&Arrivals::even(2.0), 2.1), [0.5, 1.0, 1.5, 2.0]);
        assert!(times(&Arrivals::even(0.0), 9.0).is_empty());
    }

    #[test]
    fn a_poisson_process_has_its_rate_and_its_variance() {
        let times = times(&Arrivals::poisson(100.0), 1_000.0);
        assert!((99_000..101_000).contains(&times.len()), "{}, seed 3", times.len());
        let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.02, "seed 3");
    }

    #[test]
    fn ramps_bring_the_area_below_them() {
        // Level at 100 for 10 s, up to 300 within 10 s, a jump down to 50.
        let points = [(10, 100.0), (20, 300.0), (20, 50.0), (30, 50.0)];
        let ramp = Arrivals::ramp(points.map(|(at, rate)| (seconds(at), rate)));
        let Pattern::Open { rate, .. } = &ramp.pattern else { unreachable!() };
        assert!((reached(rate, 0.0, 1_000.0).unwrap() - 10.0).abs() < 1e-9);
        assert!((reached(rate, 0.0, 3_000.0).unwrap() - 20.0).abs() < 1e-9);
        assert!((reached(rate, 0.0, 3_500.0).unwrap() - 30.0).abs() < 1e-9);
        assert!((reached(rate, 15.0, 250.0).unwrap() - 16.18).abs() < 0.01);
        let came = times(&ramp, 30.0);
        let between =
            |from: f64, to: f64| came.iter().filter(|at| (from..to).contains(*at)).count();
        assert!((880..1_120).contains(&between(0.0, 10.0)), "seed 3");
        assert!((1_820..2_180).contains(&between(10.0, 20.0)), "seed 3");
        assert!((410..590).contains(&between(20.0, 30.0)), "seed 3");
    }

    #[test]
    fn a_rate_that_ends_at_zero_ends() {
        let ramp = Arrivals::ramp([(seconds(0), 100.0), (seconds(10), 0.0)]);
        assert!((400..600).contains(&times(&ramp, 1e9).len()), "seed 3");
    }

    #[test]
    fn traces_and_bounds_are_kept_to() {
        let trace = Arrivals::trace([1, 2, 2, 5, 9].map(seconds)).between(seconds(2), seconds(9));
        assert_eq!(times(&trace, 1e9), [2.0, 2.0, 5.0]);
    }
}
