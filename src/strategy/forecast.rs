//! What a picker would do with a request, without doing it.

use crate::decision::PickReason;
use crate::strategy::{Candidate, PickContext};

/// What a picker would do with a request at this moment, as [`Picker::forecast`] says it for
/// [`Balancer::explain`](crate::Balancer::explain).
///
/// [`Picker::forecast`]: crate::strategy::Picker::forecast
///
/// ```
/// use evenkeel::PickReason;
/// use evenkeel::strategy::Forecast;
///
/// let forecast = Forecast::certain(PickReason::Strategy, 1, 3);
/// assert_eq!(forecast.chances, [0.0, 1.0, 0.0]);
/// assert!(Forecast::default().chances.is_empty(), "it does not say");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Forecast {
    /// How probable the choice of each candidate is, in their order: together 1, or all 0 if the
    /// request excludes all of them. Empty if the picker does not say.
    pub chances: Vec<f64>,
    /// What each candidate costs at this moment, where costs are compared; else empty.
    pub costs: Vec<f64>,
    /// Whether the chances were found by drawing very often: they may be half a percent off.
    pub estimated: bool,
    /// Why it would be chosen.
    pub reason: PickReason,
}

impl Default for Forecast {
    /// Says nothing.
    fn default() -> Self {
        Self::new(PickReason::Strategy, Vec::new())
    }
}

impl Forecast {
    /// These chances.
    #[must_use]
    pub fn new(reason: PickReason, chances: Vec<f64>) -> Self {
        Self { chances, costs: Vec::new(), estimated: false, reason }
    }

    /// Certainly the candidate at `index`, of `n`; none if there is no such.
    #[must_use]
    pub fn certain(reason: PickReason, index: usize, n: usize) -> Self {
        let mut chances = vec![0.0; n];
        if let Some(chance) = chances.get_mut(index) {
            *chance = 1.0;
        }
        Self::new(reason, chances)
    }

    /// The same, with what each candidate costs.
    #[must_use]
    pub fn with_costs(mut self, costs: Vec<f64>) -> Self {
        self.costs = costs;
        self
    }

    pub(crate) fn estimated(mut self, estimated: bool) -> Self {
        self.estimated = estimated;
        self
    }

    /// By weight, of those that the request does not exclude.
    pub(crate) fn drawn(cx: &PickContext<'_>) -> Self {
        let weights = open(cx);
        let sum: f64 = weights.iter().sum();
        let part = |weight: f64| if sum > 0.0 { weight / sum } else { 0.0 };
        Self::new(PickReason::Drawn, weights.into_iter().map(part).collect())
    }
}

/// The weights of the candidates, 0 for those that the request excludes.
pub(crate) fn open(cx: &PickContext<'_>) -> Vec<f64> {
    let weight = |(index, candidate): (usize, &Candidate)| {
        if cx.is_excluded(index) { 0.0 } else { f64::from(candidate.weight()) }
    };
    cx.candidates().iter().enumerate().map(weight).collect()
}
