//! Values and the ranges they are held to.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::number::Number;
use crate::error::Problem;
use crate::units::Percent;

/// `value` if it lies within `range`, else what is wrong with it.
pub(crate) fn within(
    path: &str,
    value: Duration,
    range: &RangeInclusive<Duration>,
) -> Result<Duration, Problem> {
    if range.contains(&value) {
        return Ok(value);
    }
    let (found, least, most) = (Spelt(value), Spelt(*range.start()), Spelt(*range.end()));
    let message = format!("{found} is out of range; a duration from {least} to {most} is needed");
    Err(Problem::error(path, message))
}

/// As [`within`], for a percentage.
pub(super) fn percent_within(
    path: &str,
    value: Percent,
    range: &RangeInclusive<u8>,
) -> Result<Percent, Problem> {
    whole_within(path, value.get(), range).map(|_| value)
}

/// As [`within`], for a whole number.
pub(super) fn whole_within<N: PartialOrd + fmt::Display>(
    path: &str,
    value: N,
    range: &RangeInclusive<N>,
) -> Result<N, Problem> {
    if range.contains(&value) {
        return Ok(value);
    }
    let (least, most) = (range.start(), range.end());
    let message =
        format!("{value} is out of range; a whole number from {least} to {most} is needed");
    Err(Problem::error(path, message))
}

/// As [`within`], for a number that may have a fraction. Not-a-number is in no range.
pub(super) fn number_within(
    path: &str,
    value: f64,
    range: &RangeInclusive<f64>,
) -> Result<Number, Problem> {
    Number::new(value).filter(|_| range.contains(&value)).ok_or_else(|| {
        let (least, most) = (range.start(), range.end());
        // The short form: some numbers have three hundred digits.
        let message =
            format!("{value:?} is out of range; a number from {least} to {most} is needed");
        Problem::error(path, message)
    })
}

/// A duration as a file would say it: a whole number of the largest unit that fits or, where that
/// is too long a number to be read, seconds and the rest.
pub(super) struct Spelt(pub(super) Duration);

impl fmt::Display for Spelt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u128, &str); 6] = [
            (3_600_000_000_000, "h"),
            (60_000_000_000, "m"),
            (1_000_000_000, "s"),
            (1_000_000, "ms"),
            (1_000, "us"),
            (1, "ns"),
        ];
        /// Readers of files take no more digits in a row.
        const NINE_DIGITS: u128 = 1_000_000_000;
        let nanos = self.0.as_nanos();
        let fits = |(size, _): &&(u128, &str)| nanos.is_multiple_of(*size);
        match UNITS.iter().find(fits) {
            _ if nanos == 0 => f.write_str("0s"),
            Some((size, unit)) if self.0.subsec_nanos() == 0 || nanos / size < NINE_DIGITS => {
                write!(f, "{}{unit}", nanos / size)
            }
            _ => {
                let seconds = Duration::from_secs(self.0.as_secs());
                let rest = Duration::from_nanos(self.0.subsec_nanos().into());
                write!(f, "{} {}", Self(seconds), Self(rest))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_in_the_largest_whole_unit() {
        for (millis, text) in
            [(0, "0s"), (250, "250ms"), (1_500, "1500ms"), (90_000, "90s"), (86_400_000, "24h")]
        {
            assert_eq!(Spelt(Duration::from_millis(millis)).to_string(), text);
        }
        assert_eq!(Spelt(Duration::from_nanos(1)).to_string(), "1ns");
        assert_eq!(Spelt(Duration::from_nanos(999_999_999)).to_string(), "999999999ns");
        assert_eq!(Spelt(Duration::from_nanos(60_000_000_001)).to_string(), "1m 1ns");
        assert_eq!(Spelt(Duration::MAX).to_string(), "18446744073709551615s 999999999ns");
    }

    #[test]
    fn both_ends_of_a_range_are_allowed() {
        let range = Duration::from_secs(1)..=Duration::from_secs(60);
        assert!(within("a", Duration::from_secs(1), &range).is_ok());
        assert!(within("a", Duration::from_secs(60), &range).is_ok());
        assert_eq!(
            within("a", Duration::ZERO, &range).unwrap_err().to_string(),
            "a: 0s is out of range; a duration from 1s to 1m is needed"
        );
    }

    #[test]
    fn what_is_no_number_is_in_no_range() {
        let range = f64::MIN..=f64::MAX;
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(number_within("a", odd, &range).is_err());
        }
        assert_eq!(
            number_within("a", f64::MAX, &(0.5..=100.0)).unwrap_err().to_string(),
            "a: 1.7976931348623157e308 is out of range; a number from 0.5 to 100 is needed"
        );
    }
}
