//! The median of the others: what an endpoint is compared with.
//!
//! A centre that counts the endpoint itself is pulled toward it, and with few endpoints far: one
//! dead of two would be halfway to its own mean. So each is held against the median of its peers.
//! All of these medians together need no more than the two or three values in the middle.

/// The middle of some values, at least two, from which one can be taken away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Middle {
    /// The value below the middle one, or the lower of the two middle ones.
    lower: f64,
    /// The one in the middle, if their number is odd.
    exact: Option<f64>,
    /// The value above the middle one, or the upper of the two middle ones.
    upper: f64,
}

impl Middle {
    /// The middle of `values`, in linear time; leaves them in another order. `None` if there are
    /// fewer than two, and so no peers.
    pub(super) fn of(values: &mut [f64]) -> Option<Self> {
        if values.len() < 2 {
            return None;
        }
        let odd = values.len() % 2 == 1;
        let (below, &mut at, above) =
            values.select_nth_unstable_by(values.len() / 2, f64::total_cmp);
        let lower = below.iter().copied().reduce(f64::max)?;
        Some(if odd {
            Self { lower, exact: Some(at), upper: above.iter().copied().reduce(f64::min)? }
        } else {
            Self { lower, exact: None, upper: at }
        })
    }

    /// The lower median of all the values.
    pub(super) fn of_all(&self) -> f64 {
        self.exact.unwrap_or(self.lower)
    }

    /// The median of the others: of the values without one that equals `own`. Of two middle
    /// values, their mean.
    pub(super) fn of_others(&self, own: f64) -> f64 {
        match self.exact {
            // An even number of values is left after an odd one, and the reverse.
            None if own <= self.lower => self.upper,
            None => self.lower,
            Some(exact) if own < exact => mean(exact, self.upper),
            Some(exact) if own > exact => mean(self.lower, exact),
            Some(_) => mean(self.lower, self.upper),
        }
    }
}

/// Halfway, exact where both are the same, and without overflow.
fn mean(a: f64, b: f64) -> f64 {
    a / 2.0 + b / 2.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The median by sorting, of what is left.
    fn by_sorting(values: &[f64], without: usize) -> f64 {
        let mut others = values.to_vec();
        others.swap_remove(without);
        others.sort_by(f64::total_cmp);
        let half = others.len() / 2;
        if others.len() % 2 == 1 { others[half] } else { mean(others[half - 1], others[half]) }
    }

    #[test]
    fn one_value_has_no_others() {
        assert_eq!(Middle::of(&mut []), None);
        assert_eq!(Middle::of(&mut [1.0]), None);
        let two = Middle::of(&mut [3.0, 1.0]).unwrap();
        assert_eq!((two.of_others(1.0), two.of_others(3.0), two.of_all()), (3.0, 1.0, 1.0));
    }

    proptest! {
        // Few different values, so that many are equal.
        #[test]
        fn the_median_of_the_others_is_that_of_a_sorted_list(
            values in prop::collection::vec((0_u8..6).prop_map(f64::from), 2..12),
        ) {
            let middle = Middle::of(&mut values.clone()).unwrap();
            for (index, &own) in values.iter().enumerate() {
                prop_assert_eq!(middle.of_others(own), by_sorting(&values, index));
            }
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            prop_assert_eq!(middle.of_all(), sorted[(values.len() - 1) / 2]);
        }
    }
}
