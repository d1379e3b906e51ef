//! Durations and the ranges they are held to.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::error::Problem;

/// `value` if it lies within `range`, else what is wrong with it.
pub(super) fn within(
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

/// A duration as a file would say it: a whole number of the largest unit that fits.
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
        let nanos = self.0.as_nanos();
        let fits = |(size, _): &&(u128, &str)| nanos.is_multiple_of(*size);
        match UNITS.iter().find(fits) {
            Some((size, unit)) if nanos > 0 => write!(f, "{}{unit}", nanos / size),
            _ => f.write_str("0s"),
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
}
