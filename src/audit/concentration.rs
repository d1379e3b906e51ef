//! That one endpoint has most of the requests, whatever is intended.

use crate::units::Percent;

/// The part of one of five that has its fair share.
const FIFTH: f64 = 0.2;

/// Requests that are looked at before anything is said.
const REQUESTS: f64 = 200.0;

/// Requests of one endpoint before anything is said of it.
const TAKEN: f64 = 50.0;

/// No part of less is called a concentration, however large the set is.
const LEAST: f64 = 0.1;

/// What is left of the odds at which it was told when it is over.
const OVER: f64 = 0.7;

/// How many times a fair part one endpoint may have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Concentration {
    factor: f64,
}

impl Concentration {
    /// One of five may have `percent`, and whoever is one of more or fewer the same multiple of
    /// its fair odds.
    pub(crate) fn of_five(percent: Percent) -> Self {
        Self { factor: odds(f64::from(percent.get()) / 100.0) / odds(FIFTH) }
    }

    /// The largest part that one of `n` may have; `None` for one that is alone.
    pub(crate) fn limit(self, n: usize) -> Option<f64> {
        let others = n.checked_sub(1).filter(|&others| others > 0)? as f64;
        let odds = self.factor / others;
        Some((odds / (1.0 + odds)).max(LEAST))
    }

    /// Whether one that had `taken` of `of` requests is above its limit for sure.
    pub(crate) fn is_too_much(taken: f64, of: f64, limit: f64) -> bool {
        of >= REQUESTS && taken >= TAKEN && taken > limit * of
    }

    /// Whether one that was is below it again.
    pub(crate) fn is_over(taken: f64, of: f64, limit: f64) -> bool {
        let share = taken / of.max(1.0);
        share < 1.0 && odds(share) < OVER * odds(limit)
    }
}

fn odds(part: f64) -> f64 {
    part / (1.0 - part)
}
