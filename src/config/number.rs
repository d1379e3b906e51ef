//! Numbers with a fraction.

use std::fmt;

/// A finite number. Without not-a-number, which differs from itself, equality is one, so that
/// settings that hold it can be compared.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Number(f64);

impl Eq for Number {}

impl Number {
    /// `value`, if it is finite. Zero has no sign.
    pub(super) const fn new(value: f64) -> Option<Self> {
        if value.is_finite() { Some(Self(value + 0.0)) } else { None }
    }

    pub(super) const fn get(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Number {
    /// As a file would say it: always with a point or an exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finite_numbers_are_numbers() {
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Number::new(odd), None);
        }
        assert_eq!(Number::new(f64::MAX).unwrap().get(), f64::MAX);
    }

    #[test]
    fn is_spelt_with_a_fraction_and_zero_without_a_sign() {
        for (value, text) in [(3.0, "3.0"), (1.9, "1.9"), (-0.0, "0.0"), (1e-9, "1e-9")] {
            assert_eq!(Number::new(value).unwrap().to_string(), text);
        }
    }
}
