//! What candidates are compared by.

/// A finite cost that is not negative, or infinity. Totally ordered, and compared as an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cost(u64);

impl Cost {
    /// The cost of so many requests, among endpoints of equal weights.
    #[inline]
    pub(crate) fn of_load(load: u64) -> Self {
        Self(load)
    }

    /// The load that it is the cost of.
    #[inline]
    pub(crate) fn load(self) -> f64 {
        self.0 as f64
    }

    /// The number that it is the cost of.
    #[inline]
    pub(crate) fn value(self) -> f64 {
        f64::from_bits(self.0)
    }

    /// The cost `value`. What is not a number, which no strategy here produces, is the highest.
    #[inline]
    pub(crate) fn new(value: f64) -> Self {
        // The bits of floats that are not negative are ordered as the floats are.
        if value >= 0.0 { Self(value.abs().to_bits()) } else { Self(u64::MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_ordered_as_numbers_are() {
        let ascending = [0.0, 1e-300, 0.5, 1.0, 1.5, 1e9, 1e300, f64::INFINITY, f64::NAN];
        assert!(ascending.windows(2).all(|pair| Cost::new(pair[0]) < Cost::new(pair[1])));
        assert_eq!(Cost::new(-0.0), Cost::new(0.0));
        assert!(Cost::new(1.5).value() == 1.5 && Cost::new(f64::NAN).value().is_nan());
        assert!(Cost::of_load(7).load() == 7.0);
    }

    #[test]
    fn equal_loads_per_weight_cost_the_same() {
        for weight in 1..500_u32 {
            for load in 0..20_u32 {
                let cost = |k: u32| Cost::new(f64::from(load * k) / f64::from(weight * k));
                assert!((2..9).all(|k| cost(k) == cost(1)));
            }
        }
    }
}
