//! A finding.

use std::cmp::Ordering;

/// An endpoint that a detector found to do worse than it should.
///
/// # Severity
///
/// Where not all suspects may be ejected, the worst go first, whichever detector found them. So
/// severity means one thing everywhere: the part of what callers asked of the endpoint that is
/// lost, from 0 to 1. The detectors of this crate say
///
/// * by rates: the part of its requests that had no good answer. A dead endpoint is 1, and has the
///   same severity in the eyes of [`SuccessRate`](super::SuccessRate) and of
///   [`FailurePercentage`](super::FailurePercentage);
/// * by latency: half the part of the time that is over the threshold, `(1 − threshold / observed)
///   / 2`. A slow answer counts half of none at all, so a slow endpoint stays below ½, behind
///   those that fail every other request.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Suspect {
    index: usize,
    observed: f64,
    threshold: f64,
    severity: f64,
}

impl Suspect {
    /// The endpoint at this index of [`Sweep::endpoints`](super::super::Sweep::endpoints), with
    /// what was seen of it and the threshold that this passed. Severity is ½ until it is
    /// [set](Self::with_severity).
    ///
    /// What is not a finite number becomes one: not-a-number zero, infinity the largest there is.
    #[must_use]
    pub const fn new(index: usize, observed: f64, threshold: f64) -> Self {
        Self { index, observed: finite(observed), threshold: finite(threshold), severity: 0.5 }
    }

    /// Sets the [severity](Self#severity), held to 0 to 1; not-a-number counts as 0.
    #[must_use]
    pub const fn with_severity(mut self, severity: f64) -> Self {
        self.severity = finite(severity).clamp(0.0, 1.0);
        self
    }

    /// Which endpoint of the sweep.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    /// What was seen of it: percent for the rates, milliseconds for the latency, whatever it says for a
    /// detector of one's own.
    #[must_use]
    pub const fn observed(&self) -> f64 {
        self.observed
    }

    /// The threshold that it passed, in the unit of what was observed.
    #[must_use]
    pub const fn threshold(&self) -> f64 {
        self.threshold
    }

    /// How bad it is, from 0 to 1; see [above](Self#severity).
    #[must_use]
    pub const fn severity(&self) -> f64 {
        self.severity
    }

    /// The order in which suspects go: the more severe first, equals by index.
    ///
    /// ```
    /// use evenkeel::outlier::Suspect;
    ///
    /// let [slow, dead] = [Suspect::new(0, 2.0, 1.0).with_severity(0.25),
    ///                     Suspect::new(1, 0.0, 95.0).with_severity(1.0)];
    /// let mut suspects = [slow, dead];
    /// suspects.sort_by(Suspect::worst_first);
    /// assert_eq!(suspects, [dead, slow]);
    /// ```
    #[must_use]
    pub fn worst_first(&self, other: &Self) -> Ordering {
        other.severity.total_cmp(&self.severity).then(self.index.cmp(&other.index))
    }
}

const fn finite(number: f64) -> f64 {
    if number.is_nan() { 0.0 } else { number.clamp(f64::MIN, f64::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_becomes_one() {
        let odd = Suspect::new(0, f64::NAN, f64::INFINITY).with_severity(f64::NAN);
        assert_eq!((odd.observed(), odd.threshold(), odd.severity()), (0.0, f64::MAX, 0.0));
        let odd = Suspect::new(0, f64::NEG_INFINITY, 0.0).with_severity(f64::INFINITY);
        assert_eq!((odd.observed(), odd.severity()), (f64::MIN, 1.0));
        assert_eq!(Suspect::new(0, 0.0, 0.0).with_severity(-1.0).severity(), 0.0);
    }

    #[test]
    fn the_worst_goes_first_and_equals_by_index() {
        let suspect = |index, severity| Suspect::new(index, 0.0, 0.0).with_severity(severity);
        let mut suspects = [suspect(3, 0.5), suspect(2, 1.0), suspect(0, 0.5), suspect(1, 0.0)];
        suspects.sort_by(Suspect::worst_first);
        assert_eq!(suspects.map(|it| it.index()), [2, 0, 3, 1]);
    }
}
