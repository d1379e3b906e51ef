//! How long a server works on a request.

use std::time::Duration;

use serde::Deserialize;

use crate::error::Problem;
use crate::rng::Rng;
use crate::sim::span::{self, Time, rounded, time};

/// How long a server works on a request, or a user thinks between two.
///
/// ```
/// use std::time::Duration;
/// use evenkeel::sim::ServiceTime;
///
/// let times = ServiceTime::heavy_tailed(Duration::from_millis(10), 2.1);
/// assert_eq!(times.mean(), Duration::from_millis(10));
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ServiceTime {
    /// Always the same.
    Fixed(#[serde(with = "span::text")] Duration),
    /// Exponential with this mean: what queueing theory assumes, as M/M/1 does.
    Exponential(#[serde(with = "span::text")] Duration),
    /// A Pareto distribution: most take less than the mean, and a few take very much longer.
    HeavyTailed {
        /// The mean.
        #[serde(with = "span::text")]
        mean: Duration,
        /// The exponent of the tail, above 1. The nearer to 1, the heavier; from 2 down the
        /// variance has no bound.
        shape: f64,
    },
    /// Two kinds of requests.
    Bimodal {
        /// How long most take.
        #[serde(with = "span::text")]
        fast: Duration,
        /// How long the others take.
        #[serde(with = "span::text")]
        slow: Duration,
        /// How many of a hundred are slow, from 0 to 100.
        slow_percent: f64,
    },
}

impl ServiceTime {
    /// Always the same.
    #[must_use]
    pub const fn fixed(time: Duration) -> Self {
        Self::Fixed(time)
    }

    /// Exponential with this mean.
    #[must_use]
    pub const fn exponential(mean: Duration) -> Self {
        Self::Exponential(mean)
    }

    /// A Pareto distribution with this mean; `shape` is above 1.
    #[must_use]
    pub const fn heavy_tailed(mean: Duration, shape: f64) -> Self {
        Self::HeavyTailed { mean, shape }
    }

    /// `slow_percent` of a hundred take the time `slow`, the others `fast`.
    #[must_use]
    pub const fn bimodal(fast: Duration, slow: Duration, slow_percent: f64) -> Self {
        Self::Bimodal { fast, slow, slow_percent }
    }

    /// The mean.
    #[must_use]
    pub fn mean(&self) -> Duration {
        match *self {
            Self::Fixed(mean) | Self::Exponential(mean) | Self::HeavyTailed { mean, .. } => mean,
            Self::Bimodal { fast, slow, slow_percent } => {
                let part = (slow_percent / 100.0).clamp(0.0, 1.0);
                let mean = time(fast) as f64 * (1.0 - part) + time(slow) as f64 * part;
                span::span(rounded(mean))
            }
        }
    }

    /// One of them.
    pub(super) fn draw(&self, rng: &mut Rng) -> Time {
        match *self {
            Self::Fixed(always) => time(always),
            Self::Exponential(mean) => rounded(time(mean) as f64 * exponential(rng)),
            Self::HeavyTailed { mean, shape } => {
                let least = time(mean) as f64 * (shape - 1.0) / shape;
                rounded(least * (exponential(rng) / shape).exp())
            }
            Self::Bimodal { fast, slow, slow_percent } => {
                time(if rng.fraction() * 100.0 < slow_percent { slow } else { fast })
            }
        }
    }

    pub(super) fn check(&self, path: &str, problems: &mut Vec<Problem>) {
        match *self {
            Self::Fixed(_) | Self::Exponential(_) => {}
            Self::HeavyTailed { shape, .. } if shape > 1.0 && shape.is_finite() => {}
            Self::HeavyTailed { shape, .. } => {
                let message = format!("{shape} is out of range; a number above 1 is needed");
                problems.push(Problem::error(format!("{path}.heavy_tailed.shape"), message));
            }
            Self::Bimodal { slow_percent, .. } if (0.0..=100.0).contains(&slow_percent) => {}
            Self::Bimodal { slow_percent, .. } => {
                let message = format!("{slow_percent} is out of range; 0 to 100 is needed");
                problems.push(Problem::error(format!("{path}.bimodal.slow_percent"), message));
            }
        }
    }
}

/// A draw from the exponential distribution of mean 1.
pub(super) fn exponential(rng: &mut Rng) -> f64 {
    // One minus a number below one is above zero.
    -(1.0 - rng.fraction()).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_mean_they_say() {
        let ms = Duration::from_millis;
        for times in [
            ServiceTime::fixed(ms(10)),
            ServiceTime::exponential(ms(10)),
            ServiceTime::heavy_tailed(ms(10), 3.0),
            ServiceTime::bimodal(ms(5), ms(105), 5.0),
        ] {
            let mut rng = Rng::seeded(7);
            let draws = 200_000;
            let sum: f64 = (0..draws).map(|_| times.draw(&mut rng) as f64).sum();
            let ratio = sum / f64::from(draws) / 1e7;
            assert!((ratio - 1.0).abs() < 0.02, "{times:?}: {ratio}, seed 7");
            assert_eq!(times.mean(), ms(10));
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let mut problems = Vec::new();
        for shape in [1.0, 0.0, f64::NAN, f64::INFINITY] {
            ServiceTime::heavy_tailed(Duration::ZERO, shape).check("s", &mut problems);
        }
        ServiceTime::bimodal(Duration::ZERO, Duration::ZERO, 101.0).check("s", &mut problems);
        assert_eq!(problems.len(), 5);
        assert_eq!(problems[0].path, "s.heavy_tailed.shape");
        // Drawn all the same, they are numbers.
        ServiceTime::heavy_tailed(Duration::MAX, 1e-9).draw(&mut Rng::seeded(1));
    }
}
