//! A run as it is drawn: in as many steps as a picture can show.

use crate::sim::Run;

/// Steps at most: with more, each has so few requests that chance is all that is seen.
const STEPS: usize = 160;

/// Several intervals together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Step {
    /// When it begins, in seconds.
    pub(super) at: f64,
    /// When it ends.
    pub(super) end: f64,
    pub(super) requests: u64,
    pub(super) failures: u64,
    /// How often a request was sent to each server.
    pub(super) sent: Vec<u64>,
    /// The slowest that the half and 99 of a hundred were in any interval, in seconds; zero where there
    /// were no good answers.
    pub(super) p50: f64,
    pub(super) p99: f64,
}

impl Step {
    /// Requests of a second.
    pub(super) fn rate(&self) -> f64 {
        let seconds = self.end - self.at;
        if seconds > 0.0 { self.requests as f64 / seconds } else { 0.0 }
    }

    /// The part of the requests that failed, of a hundred.
    pub(super) fn failed_percent(&self) -> f64 {
        100.0 * self.failures as f64 / self.requests.max(1) as f64
    }

    /// The part of the requests that each server got.
    pub(super) fn shares(&self) -> impl Iterator<Item = f64> + '_ {
        let all = self.sent.iter().sum::<u64>().max(1) as f64;
        self.sent.iter().map(move |sent| *sent as f64 / all)
    }
}

/// The steps of a run.
pub(super) fn steps(run: &Run) -> Vec<Step> {
    let together = run.intervals.len().div_ceil(STEPS).max(1);
    let length = run.interval.as_secs_f64();
    let step = |intervals: &[crate::sim::Interval]| {
        let at = intervals.first().map_or(0.0, |first| first.at.as_secs_f64());
        let end = at + length * intervals.len() as f64;
        let mut step = Step { at, end, sent: vec![0; run.servers.len()], ..Step::default() };
        for interval in intervals {
            step.requests += interval.requests;
            step.failures += interval.failures;
            for (all, sent) in step.sent.iter_mut().zip(&interval.sent) {
                *all += sent;
            }
            step.p50 = step.p50.max(interval.latency.p50.as_secs_f64());
            step.p99 = step.p99.max(interval.latency.p99.as_secs_f64());
        }
        step
    };
    run.intervals.chunks(together).map(step).collect()
}
