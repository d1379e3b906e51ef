//! What many figures of one thing come to.

use std::fmt;

/// The quartiles of some figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// A quarter of the figures are below.
    pub low: f64,
    /// The median.
    pub middle: f64,
    /// A quarter of the figures are above.
    pub high: f64,
}

impl Spread {
    /// Of at least one figure.
    #[must_use]
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<_> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let last = sorted.len().checked_sub(1)?;
            sorted.get((last as f64 * part).round() as usize).copied()
        };
        Some(Self { low: at(0.25)?, middle: at(0.5)?, high: at(0.75)? })
    }
}

/// The median, and the half of all figures that is nearest to it.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { low, middle, high } = self;
        write!(f, "{middle:.2} ({low:.2}-{high:.2})")
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn quartiles_of_five_are_the_second_third_and_fourth() {
        let spread = Spread::of([5.0, 1.0, 4.0, 2.0, 3.0]).expect("there are figures");
        assert_eq!(spread, Spread { low: 2.0, middle: 3.0, high: 4.0 });
        assert_eq!(spread.to_string(), "3.00 (2.00-4.00)");
        assert_eq!(Spread::of([]), None);
    }
}
