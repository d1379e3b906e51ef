//! What the detectors find: cases worked out by hand, promises over random sweeps, and luck.

mod golden;
mod luck;
mod promises;

use std::time::Duration;

use super::{Detector, Suspect};
use crate::outlier::sweep::{Observed, Sweep, Timings};
use crate::units::EndpointId;

/// What an endpoint did, by itself.
#[derive(Clone, Debug, Default, PartialEq)]
struct Counts {
    good: u64,
    failed: u64,
    overloaded: u64,
    /// In ascending order.
    times: Vec<Duration>,
}

impl Counts {
    /// This many of so many requests succeeded.
    fn of(good: u64, requests: u64) -> Self {
        Self { good, failed: requests - good, ..Self::default() }
    }

    /// Good answers that took so many milliseconds, so many of each.
    fn timed(millis: &[(usize, f64)]) -> Self {
        let times = millis.iter().flat_map(|&(count, millis)| {
            std::iter::repeat_n(Duration::from_secs_f64(millis / 1e3), count)
        });
        Self::taking(times.collect())
    }

    /// Good answers that took these times.
    fn taking(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self { good: times.len() as u64, times, ..Self::default() }
    }
}

/// What a detector says of them.
fn judge(detector: &dyn Detector, endpoints: &[Counts]) -> Vec<Suspect> {
    let id = EndpointId::from("a");
    let times: Vec<_> = endpoints.iter().map(|it| it.times.as_slice()).collect();
    let observed: Vec<_> = endpoints
        .iter()
        .zip(&times)
        .map(|(it, times)| {
            Observed::new(&id)
                .with_successes(it.good)
                .with_failures(it.failed)
                .with_overloaded(it.overloaded)
                .with_timings(times as &dyn Timings)
        })
        .collect();
    detector.judge(&Sweep::new(&observed))
}

/// Whom it finds.
fn found(detector: &dyn Detector, endpoints: &[Counts]) -> Vec<usize> {
    judge(detector, endpoints).iter().map(Suspect::index).collect()
}
