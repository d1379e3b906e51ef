//! Outliers: the endpoints that do worse than the others.
//!
//! Every so often the balancer adds up what its admitted endpoints did since the last time, as a
//! [`Sweep`], and lets each [`Detector`] judge it. A detector only finds [`Suspect`]s. What follows
//! from a finding, and how many endpoints may be out at once, is not for it to decide, so it is a
//! plain function of the sweep.
//!
//! | detector | whom it finds |
//! | --- | --- |
//! | [`SuccessRate`] | who succeeds less often than its peers |
//! | [`FailurePercentage`] | who fails too often, whatever its peers do |
//! | [`Latency`] | who answers correctly and several times slower than its peers |
//!
//! # A detector of your own
//!
//! ```
//! use evenkeel::outlier::{Detector, Suspect, Sweep};
//!
//! /// Finds who refuses more than half of its requests for having too much to do.
//! #[derive(Debug)]
//! struct Swamped;
//!
//! impl Detector for Swamped {
//!     fn judge(&self, sweep: &Sweep<'_>) -> Vec<Suspect> {
//!         let endpoints = sweep.endpoints().iter().enumerate();
//!         endpoints
//!             .filter(|(_, endpoint)| endpoint.requests() >= 20)
//!             .map(|(index, endpoint)| {
//!                 let refused = endpoint.overloaded() as f64 / endpoint.requests() as f64;
//!                 Suspect::new(index, refused, 0.5).with_severity(refused)
//!             })
//!             .filter(|suspect| suspect.observed() > suspect.threshold())
//!             .collect()
//!     }
//! }
//!
//! # use evenkeel::{EndpointId, outlier::Observed};
//! # let id = EndpointId::from("a");
//! let observed = [Observed::new(&id).with_successes(10).with_overloaded(90)];
//! let suspects = Swamped.judge(&Sweep::new(&observed));
//! assert_eq!(suspects, [Suspect::new(0, 0.9, 0.5).with_severity(0.9)]);
//! ```

mod cap;
mod detect;
#[cfg(test)]
mod guide;
mod judges;
mod panicking;
mod rules;
mod standing;
mod sweep;

pub use self::detect::{
    Detector, FailurePercentage, Latency, SuccessRate, SuccessRateMethod, Suspect,
};
pub use self::sweep::{Observed, Sweep, Timings};

pub(crate) use self::cap::{Cap, Full, Rotation};
pub(crate) use self::judges::{Judge, judges};
#[cfg(test)]
pub(crate) use self::panicking::Panic;
pub(crate) use self::panicking::{PanicBounds, Panics};
pub(crate) use self::rules::{Enforced, Rules};
pub(crate) use self::standing::{Checked, Phase, Standing};
