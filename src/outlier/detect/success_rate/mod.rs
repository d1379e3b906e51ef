//! Who succeeds less often than the others.

mod a50;
mod robust;

pub use crate::config::SuccessRateMethod;

use super::{Detector, Suspect};
use crate::outlier::sweep::Sweep;
use crate::units::Percent;

/// Finds an endpoint that succeeds less often than its peers.
///
/// Refusals for having too much to do count as requests without success. Endpoints with fewer than
/// [`request_volume`](Self::request_volume) requests are not there: they are not judged and nobody
/// is compared with them.
///
/// # `Robust`
///
/// Each endpoint is held against the **median of its peers**, without itself. It is a suspect if it
/// had at least [`minimum_failures`](Self::minimum_failures) and its success rate is below that
/// median by more than the largest of
///
/// * [`minimum_gap`](Self::minimum_gap): a difference that is too small to matter;
/// * [`stdev_factor`](Self::stdev_factor) times the **spread** of its peers: 1.4826 times the
///   median of their distances from their median (the MAD), which for a normal distribution is its
///   standard deviation. Never more than half of the median itself: who succeeds half as often as
///   the typical peer is no part of any spread;
/// * what **chance** does in one sweep of ten thousand (Bernstein's inequality) to as many requests
///   as the endpoint had, with allowance for how well so many peers are known. The fewer requests,
///   the more it takes.
///
/// Less than half of the values cannot carry a median away, so up to half of the endpoints may be
/// dead, and all of them are found: one of two (with `minimum_hosts` at 2), one of three, two of
/// four, two of nine, four of ten, five of ten. Who is within the gap of the best is never found,
/// whoever joins. What cannot be told by comparison:
///
/// * More than half are sick: then that is what is typical. (Up to one more than half, those who
///   succeed half as often as the median are still found.)
/// * All fail alike, as when something they all depend on is down: nobody is found, as it should
///   be. [`FailurePercentage`](super::FailurePercentage) finds them all.
/// * Peers that succeed in less than `minimum_gap` percent: nothing can be that much below.
/// * A drop that chance explains. Fewer than ten requests may all fail by chance.
///   With ten endpoints, nine of which succeed at the rate on the left, the tenth is found below
///
/// | its peers | 100 requests | 300 | 1,000 | 10,000 |
/// | --- | --- | --- | --- | --- |
/// | 100 % | 90.5 % | 95 % | 95 % | 95 % |
/// | 99 % | 87.3 % | 94 % | 94 % | 94 % |
/// | 98 % | 84.7 % | 92 % | 93 % | 93 % |
/// | 95 % | 78.1 % | 86.8 % | 90 % | 90 % |
/// | 80 % | 54.2 % | 66.4 % | 73 % | 75 % |
/// | 50 % | 19.1 % | 33.4 % | 41.3 % | 45 % |
///
/// Chance is counted request by request. Failures that come in bursts are less independent than
/// that; what bursts do to all endpoints alike is in the spread, what they do to one is a finding.
///
/// # `A50`
///
/// The formula of Envoy and of gRFC A50, exactly: a suspect's success rate is below the mean of all
/// minus [`stdev_factor`](Self::stdev_factor) population standard deviations. For those who come
/// from there and want the same decisions. The gap and the number of failures are not read. It
/// cannot find what pulls the mean toward itself: if the part `p` of the endpoints is dead and the
/// rest is well, they are found only while `p < 1 / (1 + factor²)`, which is 21.7 % for a factor of
/// 1.9, since beyond that the threshold is negative. One dead of four is never found, and two of
/// nine hide each other. And where all are nearly the same, it finds one for a hair's breadth: at
/// 99.0 % among nine at 99.9 %.
///
/// ```
/// use evenkeel::outlier::{SuccessRate, SuccessRateMethod};
///
/// let mut rule = SuccessRate::default();
/// assert_eq!(rule.method, SuccessRateMethod::Robust);
/// rule.minimum_hosts = 2;
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct SuccessRate {
    /// What an endpoint is compared with, and how; default `Robust`.
    pub method: SuccessRateMethod,
    /// How many times their spread an endpoint must be below its peers; default 1.9.
    ///
    /// Larger finds fewer. However large it is, `Robust` finds who succeeds half as often as its
    /// peers, and however small, only who is below them by more than the gap and chance. Not a
    /// number counts as infinity, with which `A50` finds nobody.
    pub stdev_factor: f64,
    /// How many endpoints must have had enough requests before anybody is judged; default 5.
    pub minimum_hosts: usize,
    /// How far below its peers an endpoint must be at least, in percent points; default 5.
    /// `Robust` only.
    pub minimum_gap: Percent,
    /// How many requests without success an endpoint must have had; default 5. `Robust` only.
    pub minimum_failures: u64,
    /// How many requests an endpoint must have had since the last sweep to be judged; default 100.
    pub request_volume: u64,
}

impl Default for SuccessRate {
    /// Robust, 1.9 times the spread, five percent points and five failures at least, among five
    /// endpoints of 100 requests.
    fn default() -> Self {
        const GAP: Percent = Percent::new(5).expect("5 is at most 100");
        Self {
            method: SuccessRateMethod::Robust,
            stdev_factor: 1.9,
            minimum_hosts: 5,
            minimum_gap: GAP,
            minimum_failures: 5,
            request_volume: 100,
        }
    }
}

impl Detector for SuccessRate {
    fn judge(&self, sweep: &Sweep<'_>) -> Vec<Suspect> {
        let judged: Vec<Judged> = sweep
            .endpoints()
            .iter()
            .enumerate()
            .filter(|(_, endpoint)| endpoint.requests() >= self.request_volume)
            .filter_map(|(index, endpoint)| {
                let (requests, unsuccessful) = (endpoint.requests(), endpoint.unsuccessful());
                let rate = 100.0 * endpoint.success_rate()?;
                Some(Judged { index, requests, unsuccessful, rate })
            })
            .collect();
        if judged.len() < self.minimum_hosts {
            return Vec::new();
        }
        match self.method {
            SuccessRateMethod::Robust => robust::suspects(self, &judged),
            SuccessRateMethod::A50 => a50::suspects(self, &judged),
        }
    }
}

/// An endpoint with enough requests.
#[derive(Clone, Copy, Debug)]
struct Judged {
    index: usize,
    requests: u64,
    unsuccessful: u64,
    /// Percent of its requests that succeeded.
    rate: f64,
}

impl Judged {
    fn suspect(&self, threshold: f64) -> Suspect {
        Suspect::new(self.index, self.rate, threshold).with_severity(1.0 - self.rate / 100.0)
    }
}
