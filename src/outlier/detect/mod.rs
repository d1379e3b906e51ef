//! Detectors: plain functions from a sweep to findings, unaware of clocks, tasks and protocols.

mod chance;
mod failure_percentage;
mod latency;
mod middle;
mod success_rate;
mod suspect;
#[cfg(test)]
mod tests;

pub use self::failure_percentage::FailurePercentage;
pub use self::latency::Latency;
pub use self::success_rate::{SuccessRate, SuccessRateMethod};
pub use self::suspect::Suspect;

use std::fmt::Debug;

use super::sweep::Sweep;
use crate::sync::Arc;

/// Finds the endpoints that do worse than they should.
///
/// # Contract
///
/// `judge` runs off the request path, often under the balancer's writer lock: it may take a moment
/// over the endpoints, and must not call the balancer. It is given the admitted endpoints only, so
/// whoever is out already neither is judged nor counts. Findings may come in any order; one whose
/// index does not exist is no finding. What is to be remembered from one sweep to the next belongs
/// in the detector itself, by the endpoint's id: an index holds for one sweep.
pub trait Detector: Debug + Send + Sync + 'static {
    /// The endpoints that should be out, as far as this detector can tell.
    fn judge(&self, sweep: &Sweep<'_>) -> Vec<Suspect>;
}

impl<D: Detector + ?Sized> Detector for Arc<D> {
    fn judge(&self, sweep: &Sweep<'_>) -> Vec<Suspect> {
        (**self).judge(sweep)
    }
}
