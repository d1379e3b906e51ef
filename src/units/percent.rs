//! Whole percents.

use std::fmt;

/// A whole percentage from 0 to 100.
///
/// ```
/// use evenkeel::Percent;
///
/// let half = Percent::new(50).unwrap();
/// assert_eq!(half.of(7), 3);
/// assert!(Percent::new(101).is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u8);

impl Percent {
    /// `value` percent, if that is at most 100.
    #[must_use]
    pub const fn new(value: u8) -> Option<Self> {
        if value <= 100 { Some(Self(value)) } else { None }
    }

    /// The number between 0 and 100.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// This part of `count`, rounded down.
    #[must_use]
    pub const fn of(self, count: usize) -> usize {
        (count as u128 * self.0 as u128 / 100) as usize
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_down_and_never_overflows() {
        let third = Percent::new(33).unwrap();
        assert_eq!(third.of(0), 0);
        assert_eq!(third.of(3), 0);
        assert_eq!(third.of(4), 1);
        assert_eq!(Percent::new(100).unwrap().of(usize::MAX), usize::MAX);
    }
}
