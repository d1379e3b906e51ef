//! Who fails too often, whatever the others do.

use super::{Detector, Suspect};
use crate::outlier::sweep::Sweep;
use crate::units::Percent;

/// Finds an endpoint that fails at least a set percentage of its requests.
///
/// It looks at each endpoint alone, so it finds sick ones even if all are sick, and then finds
/// them all: a dependency that is down for everybody makes everybody a suspect, and only the cap on
/// ejections keeps them. It sees nothing that is milder than the threshold.
///
/// Envoy ejects at the threshold, gRPC's code above it, and gRFC A50 says both in different
/// places. This is Envoy's: a percentage that equals the threshold is found. The comparison is in
/// whole numbers, so that 85 of 100 is 85 % and nothing beside it.
///
/// Refusals for having too much to do count as failures here.
///
/// ```
/// use evenkeel::outlier::FailurePercentage;
///
/// let mut rule = FailurePercentage::default();
/// rule.minimum_hosts = 1;
/// assert_eq!(rule.threshold.get(), 85);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailurePercentage {
    /// The percentage of failures from which an endpoint is a suspect; default 85.
    ///
    /// Lower finds milder trouble, and more endpoints when all are in trouble together. Zero makes
    /// everybody with enough requests a suspect.
    pub threshold: Percent,
    /// How many endpoints must have had enough requests before anybody is judged; default 5.
    pub minimum_hosts: usize,
    /// How many requests an endpoint must have had since the last sweep to be judged; default 50.
    pub request_volume: u64,
}

impl Default for FailurePercentage {
    /// From 85 percent of 50 requests, among five endpoints.
    fn default() -> Self {
        const THRESHOLD: Percent = Percent::new(85).expect("85 is at most 100");
        Self { threshold: THRESHOLD, minimum_hosts: 5, request_volume: 50 }
    }
}

impl Detector for FailurePercentage {
    fn judge(&self, sweep: &Sweep<'_>) -> Vec<Suspect> {
        let volume = self.request_volume.max(1);
        let judged = || sweep.endpoints().iter().enumerate().filter(|it| it.1.requests() >= volume);
        if judged().count() < self.minimum_hosts {
            return Vec::new();
        }
        let threshold = u128::from(self.threshold.get());
        judged()
            .filter_map(|(index, endpoint)| {
                let failed = u128::from(endpoint.failures()) + u128::from(endpoint.overloaded());
                let requests = u128::from(endpoint.successes()) + failed;
                (100 * failed >= threshold * requests).then(|| {
                    let share = failed as f64 / requests as f64;
                    Suspect::new(index, 100.0 * share, f64::from(self.threshold.get()))
                        .with_severity(share)
                })
            })
            .collect()
    }
}
