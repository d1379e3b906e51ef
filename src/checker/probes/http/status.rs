//! Statuses that are good answers.

use std::fmt;
use std::ops::RangeInclusive;

use http::StatusCode;

/// HTTP statuses that follow each other: made of one status or of a range, `204` or `200..=299`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusRange(RangeInclusive<u16>);

impl StatusRange {
    /// What is expected where nothing else is said.
    pub(super) const DEFAULT: Self = Self(200..=299);

    /// Whether `status` is one of them.
    #[must_use]
    pub fn contains(&self, status: StatusCode) -> bool {
        self.0.contains(&status.as_u16())
    }

    /// Whether a server could answer with one of them. A status has three digits.
    pub(super) fn can_be(&self) -> bool {
        *self.0.start() <= (*self.0.end()).min(999) && *self.0.end() >= 100
    }
}

impl From<u16> for StatusRange {
    fn from(status: u16) -> Self {
        Self(status..=status)
    }
}

impl From<StatusCode> for StatusRange {
    fn from(status: StatusCode) -> Self {
        status.as_u16().into()
    }
}

impl From<RangeInclusive<u16>> for StatusRange {
    fn from(statuses: RangeInclusive<u16>) -> Self {
        Self(statuses)
    }
}

impl fmt::Display for StatusRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.0.start(), self.0.end());
        if first == last { write!(f, "{first}") } else { write!(f, "{first}..={last}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::reversed_empty_ranges, reason = "what a user may write by mistake")]
    fn a_range_that_no_status_is_in_is_known() {
        for range in [200..=299, 100..=100, 999..=999, 0..=100, 999..=65_535, 0..=65_535] {
            assert!(StatusRange::from(range.clone()).can_be(), "{range:?}");
        }
        for range in [299..=200, 0..=99, 0..=0, 1000..=1000, 1000..=65_535] {
            assert!(!StatusRange::from(range.clone()).can_be(), "{range:?}");
        }
    }

    #[test]
    fn it_reads_as_it_is_written() {
        assert_eq!(StatusRange::from(200..=299).to_string(), "200..=299");
        assert_eq!(StatusRange::from(StatusCode::NO_CONTENT).to_string(), "204");
    }
}
