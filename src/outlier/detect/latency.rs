//! Who answers correctly, and several times slower than the others.

use std::time::Duration;

use super::chance::margin;
use super::middle::Middle;
use super::{Detector, Suspect};
use crate::outlier::sweep::Sweep;

/// Finds an endpoint that is several times slower than the typical one of its peers.
///
/// An endpoint is a suspect if its latency at [`quantile`](Self::quantile) is above both
/// [`factor`](Self::factor) times the median of its peers' and that median plus
/// [`minimum_gap`](Self::minimum_gap). The median leaves the endpoint itself out, and only good
/// answers are timed: a fast failure is not a fast answer, nor a slow one a slow answer.
///
/// # More than chance
///
/// A quantile of a hundred answers is uncertain, and where one answer in ten is slow by nature
/// (a cache that misses, a pause) the 0.9-quantile of healthy endpoints jumps between fast and
/// slow. So more answers must be above the threshold than chance puts there: not a tenth of them,
/// as for the quantile to be, but a tenth and the most that luck adds in ten thousand sweeps.
/// With ten endpoints and the default quantile that is
///
/// | answers timed | 100 | 200 | 500 | 1,000 | 10,000 |
/// | --- | --- | --- | --- | --- | --- |
/// | more than this above the threshold | 28.7 % | 22.3 % | 17.3 % | 15.0 % | 11.5 % |
///
/// So where all answers take the same time an endpoint is found when it is three times as slow, and
/// where times are spread exponentially, when it is 5.5 times as slow with 100 answers, 3.6 times
/// with 1,000 and 3.2 times with 10,000.
///
/// # What it does not find
///
/// * An endpoint that answers too few requests to be judged, as where the strategy already sends it
///   little for being slow. It then also harms little.
/// * One that does not answer at all: nothing is timed. Timeouts are failures, for the other
///   detectors.
/// * Slowness of more than half of the endpoints, which is then what is typical. Of `n` endpoints
///   all slow ones are found while they are at most half, and never a fast one.
/// * Its reason: a slow endpoint may be slow because it has too much to do. Ejecting it hands that to the
///   others, which is what the cap on ejections is for.
/// * Differences within the resolution. The balancer counts latencies in two buckets an octave. A
///   quantile read from them is right to a few percent where latencies spread over several buckets,
///   and no better than its bucket where all take the same time. A factor of 3 may then act like
///   one of 2.7 or of 4.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Latency {
    /// How many times its peers' latency is too slow; default 3.
    ///
    /// Larger finds only slower ones. Below 1, or not a number, nobody is found.
    pub factor: f64,
    /// Which part of the answers, from 0 to 1, must be in for the time that is compared; default
    /// 0.9.
    ///
    /// Larger looks at slower answers, which vary more and need more requests to tell from chance.
    pub quantile: f64,
    /// How much slower than its peers an endpoint must be at least; default 5 ms.
    ///
    /// Where answers take microseconds, three times as long may be no more than the way to the next
    /// zone (a millisecond or two in one region) or a thread that waited for its turn, and nobody
    /// is helped by an ejection. Zero leaves all to the factor.
    pub minimum_gap: Duration,
    /// How many endpoints must have enough answers timed before anybody is judged; default 3.
    ///
    /// With two, each is held against the other one.
    pub minimum_hosts: usize,
    /// How many good answers an endpoint must have given since the last sweep to be judged; default
    /// 100.
    pub request_volume: u64,
}

impl Default for Latency {
    /// Three times as slow as three endpoints' peers and by 5 ms, in nine answers of ten of 100.
    fn default() -> Self {
        Self {
            factor: 3.0,
            quantile: 0.9,
            minimum_gap: Duration::from_millis(5),
            minimum_hosts: 3,
            request_volume: 100,
        }
    }
}

impl Detector for Latency {
    fn judge(&self, sweep: &Sweep<'_>) -> Vec<Suspect> {
        if !(self.factor >= 1.0 && (0.0..=1.0).contains(&self.quantile)) {
            return Vec::new();
        }
        let judged: Vec<(usize, f64)> = sweep
            .endpoints()
            .iter()
            .enumerate()
            .filter(|(_, endpoint)| endpoint.timed() >= self.request_volume)
            .filter_map(|(index, endpoint)| Some((index, millis(endpoint.latency(self.quantile)?))))
            .collect();
        if judged.len() < self.minimum_hosts {
            return Vec::new();
        }
        let mut latencies: Vec<f64> = judged.iter().map(|it| it.1).collect();
        let Some(middle) = Middle::of(&mut latencies) else {
            return Vec::new();
        };
        let gap = millis(self.minimum_gap);
        let suspect = |&(index, latency): &(usize, f64)| {
            let typical = middle.of_others(latency);
            let threshold = (self.factor * typical).max(typical + gap);
            if latency <= threshold {
                return None;
            }
            let endpoint = sweep.endpoints().get(index)?;
            let luck = margin(1.0 - self.quantile, endpoint.timed() as f64, judged.len());
            let certain = millis(endpoint.latency(self.quantile - luck)?);
            (self.quantile > luck && certain > threshold).then(|| {
                Suspect::new(index, latency, threshold)
                    .with_severity((1.0 - threshold / latency) / 2.0)
            })
        };
        judged.iter().filter_map(suspect).collect()
    }
}

fn millis(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e6
}
