//! `[hash]`: how keys are mapped to endpoints.

use std::ops::RangeInclusive;

use super::range::whole_within;
use super::spelling::{Spell, Spelling};
use crate::error::Problem;

/// `[hash]`: what `ring_hash` and `maglev` are made by.
///
/// Everybody who is to agree on who gets which key needs the same of these settings, and the same
/// endpoints with the same weights.
///
/// ```
/// use evenkeel::config::HashConfig;
///
/// let hash = HashConfig::default().with_bounded_load_percent(Some(125))?;
/// assert_eq!(hash.bounded_load_percent(), Some(125));
/// assert!(hash.with_table_size(65_536).is_err(), "no prime");
/// # Ok::<(), evenkeel::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashConfig {
    bounded_load_percent: Option<u32>,
    table_size: u32,
    min_ring_size: u32,
    max_ring_size: u32,
}

impl Default for HashConfig {
    /// No bound on the load, 65,537 rows, from 1,024 to 65,536 points.
    fn default() -> Self {
        Self {
            bounded_load_percent: None,
            table_size: 65_537,
            min_ring_size: 1_024,
            max_ring_size: 65_536,
        }
    }
}

impl HashConfig {
    /// With less than everything there would be requests that nobody may take.
    const BOUNDED_LOAD_PERCENT: RangeInclusive<u32> = 100..=1000;
    /// Both are primes; the upper one is Envoy's.
    const TABLE_SIZE: RangeInclusive<u32> = 101..=5_000_011;
    /// The upper end is Envoy's.
    const RING_SIZE: RangeInclusive<u32> = 1..=8_388_608;

    /// How much an endpoint may have in flight, in percent of its part of all that is; 100 to 1000,
    /// absent by default: without a bound.
    ///
    /// An endpoint whose part of the weights is `w` takes no more than `percent / 100 · w · (in flight + 1)`
    /// requests, rounded up, and other endpoints take what goes beyond. Smaller spreads a hot key
    /// sooner and evener; larger keeps more requests at the endpoint of their key. 125 to 200 are
    /// usual. In flight are the requests of this process, so with few at a time the bound says
    /// little. This is `hash_balance_factor` of Envoy.
    #[must_use]
    pub const fn bounded_load_percent(&self) -> Option<u32> {
        self.bounded_load_percent
    }

    /// How many rows the table of `maglev` has; a prime from 101 to 5000011, default 65537.
    ///
    /// More make parts more even and let fewer keys move when the set changes, and cost 4 bytes and
    /// some nanoseconds of building each. A hundred times the number of endpoints keeps parts within
    /// one percent.
    #[must_use]
    pub const fn table_size(&self) -> u32 {
        self.table_size
    }

    /// How many points the ring of `ring_hash` has at least; 1 to 8388608, default 1024.
    ///
    /// More make parts more even, and cost some 20 bytes each. Among `n` endpoints of one weight each has
    /// an `n`-th of them, rounded up.
    #[must_use]
    pub const fn min_ring_size(&self) -> u32 {
        self.min_ring_size
    }

    /// How many points the ring of `ring_hash` has at most; 1 to 8388608, default 65536.
    ///
    /// It bounds what very different weights would ask for: an endpoint whose part of the weights is
    /// smaller than one point may have none.
    #[must_use]
    pub const fn max_ring_size(&self) -> u32 {
        self.max_ring_size
    }

    /// Sets [how much an endpoint may have in flight](Self::bounded_load_percent); `None` for no
    /// bound.
    ///
    /// # Errors
    ///
    /// Outside 100 to 1000.
    pub fn with_bounded_load_percent(mut self, percent: Option<u32>) -> Result<Self, Problem> {
        let path = "hash.bounded_load_percent";
        let within = |percent| whole_within(path, percent, &Self::BOUNDED_LOAD_PERCENT);
        self.bounded_load_percent = percent.map(within).transpose()?;
        Ok(self)
    }

    /// Sets the [number of rows](Self::table_size).
    ///
    /// # Errors
    ///
    /// Outside 101 to 5000011, or if it is no prime.
    pub fn with_table_size(mut self, rows: u32) -> Result<Self, Problem> {
        let path = "hash.table_size";
        let rows = whole_within(path, rows, &Self::TABLE_SIZE)?;
        if !is_prime(rows) {
            // The largest number of the range is a prime, so there is one above.
            let above = (rows..=*Self::TABLE_SIZE.end()).find(|&it| is_prime(it)).unwrap_or(rows);
            let message = format!("{rows} is no prime; the next one is {above}");
            return Err(Problem::error(path, message));
        }
        self.table_size = rows;
        Ok(self)
    }

    /// Sets [how many points there are at least](Self::min_ring_size).
    ///
    /// # Errors
    ///
    /// Outside 1 to 8388608.
    pub fn with_min_ring_size(mut self, points: u32) -> Result<Self, Problem> {
        self.min_ring_size = whole_within("hash.min_ring_size", points, &Self::RING_SIZE)?;
        Ok(self)
    }

    /// Sets [how many points there are at most](Self::max_ring_size).
    ///
    /// # Errors
    ///
    /// Outside 1 to 8388608.
    pub fn with_max_ring_size(mut self, points: u32) -> Result<Self, Problem> {
        self.max_ring_size = whole_within("hash.max_ring_size", points, &Self::RING_SIZE)?;
        Ok(self)
    }
}

/// In time proportional to the root: for numbers of a few millions.
fn is_prime(n: u32) -> bool {
    let divides = |factor: &u32| n.is_multiple_of(*factor);
    n > 1 && (2..).take_while(|&factor| factor <= n / factor).find(divides).is_none()
}

impl Spell for HashConfig {
    fn spell(&self) -> Spelling {
        Spelling::table([
            ("bounded_load_percent", Spelling::or_absent(self.bounded_load_percent)),
            ("table_size", self.table_size.into()),
            ("min_ring_size", self.min_ring_size.into()),
            ("max_ring_size", self.max_ring_size.into()),
        ])
    }
}

#[cfg(feature = "config")]
mod reading {
    use super::HashConfig;
    use crate::config::document::{Key, Keyed, whole};
    use crate::config::setting::Range;

    impl Keyed for HashConfig {
        const KEYS: &'static [Key<Self>] = &[
            Key::new(
                "bounded_load_percent",
                Range::whole(&Self::BOUNDED_LOAD_PERCENT),
                "How much an endpoint may have in flight, in percent of its part of all that is; \
                 what goes beyond is spread over others. Without it there is no bound. Smaller \
                 spreads a hot key sooner and evener, larger keeps more requests at the endpoint \
                 of their key; 125 to 200 are usual.",
                |it, found| {
                    let percent = whole(found, &Self::BOUNDED_LOAD_PERCENT)?;
                    Ok(it.with_bounded_load_percent(Some(percent))?)
                },
            ),
            Key::new(
                "table_size",
                Range::prime(&Self::TABLE_SIZE),
                "How many rows the table of `maglev` has. More make parts more even and let fewer \
                 keys move when the set changes, and cost memory and time to build; a hundred times \
                 the number of endpoints is plenty.",
                |it, found| Ok(it.with_table_size(whole(found, &Self::TABLE_SIZE)?)?),
            ),
            Key::new(
                "min_ring_size",
                Range::whole(&Self::RING_SIZE),
                "How many points the ring of `ring_hash` has at least, all endpoints together; no \
                 more than `max_ring_size`. More make parts more even, and cost memory and time to \
                 build.",
                |it, found| Ok(it.with_min_ring_size(whole(found, &Self::RING_SIZE)?)?),
            ),
            Key::new(
                "max_ring_size",
                Range::whole(&Self::RING_SIZE),
                "How many points the ring of `ring_hash` has at most, whatever the weights ask for. \
                 Smaller costs less, and an endpoint of very little weight may have no point.",
                |it, found| Ok(it.with_max_ring_size(whole(found, &Self::RING_SIZE)?)?),
            ),
        ];

        fn blank() -> Self {
            Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes() {
        let small: Vec<_> = (0..30).filter(|&n| is_prime(n)).collect();
        assert_eq!(small, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
        let ends = [HashConfig::TABLE_SIZE.start(), HashConfig::TABLE_SIZE.end()];
        assert!(ends.iter().all(|it| is_prime(**it)) && is_prime(65_537));
        assert!(!is_prime(65_536) && !is_prime(251 * 251) && is_prime(4_294_967_291));
    }

    #[test]
    fn another_size_is_proposed() {
        let problem = HashConfig::default().with_table_size(1_000).unwrap_err();
        assert_eq!(problem.to_string(), "hash.table_size: 1000 is no prime; the next one is 1009");
    }
}
