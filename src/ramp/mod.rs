//! How the share of an endpoint grows while it warms up.
//!
//! The curve is Envoy's slow start: the weight is multiplied by `max(min_weight_percent,
//! (age / window)^(1 / aggression))`. Here it also follows an ejection, which Envoy leaves out.

use crate::units::{Nanos, Percent};

/// Steps in which a share grows. Steps of all endpoints fall together, so that as many of them
/// as there are cost no more snapshots than one.
const STEPS: u64 = 10;

/// What weights are multiplied by while somebody warms up, so that a part of one is a number.
const SCALE: u32 = 100;

/// The shape of a ramp.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ramp {
    /// Nanoseconds until the share is whole.
    pub(crate) window: u64,
    /// 1 grows evenly, more grows faster at first.
    pub(crate) aggression: f64,
    /// The part of the weight that the ramp begins with.
    pub(crate) floor: Percent,
}

impl Ramp {
    /// The part of its weight that an endpoint of this age has: above 0, at most 1.
    pub(crate) fn part(&self, since: Nanos, now: Nanos) -> f64 {
        let age = now.0.saturating_sub(since.0);
        if age >= self.window {
            return 1.0;
        }
        let grown = (age as f64 / self.window as f64).powf(self.aggression.recip());
        grown.clamp(f64::from(self.floor.get().max(1)) / 100.0, 1.0)
    }

    /// Nanoseconds between two steps.
    pub(crate) fn step(&self) -> u64 {
        (self.window / STEPS).max(1)
    }

    /// The next step after `now`.
    pub(crate) fn next(&self, now: Nanos) -> Nanos {
        let step = self.step();
        Nanos((now.0 / step).saturating_add(1).saturating_mul(step))
    }
}

/// The weights that stand for `parts` of `weights`: the weights themselves where all parts are
/// whole, else all of them on a larger scale. Never zero, and never more than the part.
pub(crate) fn scaled(parts: &[(u32, f64)]) -> Vec<u32> {
    if parts.iter().all(|&(_, part)| part >= 1.0) {
        return parts.iter().map(|&(weight, _)| weight).collect();
    }
    let heaviest = parts.iter().map(|&(weight, _)| weight).max().unwrap_or(1).max(1);
    let scale = (u32::MAX / heaviest).clamp(1, SCALE);
    let scaled = |&(weight, part): &(u32, f64)| {
        let whole = u64::from(weight) * u64::from(scale);
        // A hair more, so that 7 % of 100 is 7 and not 6.
        let part = (whole as f64 * part + 1e-6) as u64;
        // At most `u32::MAX`, by the choice of the scale.
        part.clamp(1, whole.max(1)) as u32
    };
    parts.iter().map(scaled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(aggression: f64) -> Ramp {
        Ramp { window: 1_000, aggression, floor: Percent::new(10).unwrap() }
    }

    #[test]
    fn grows_from_the_floor_to_the_whole() {
        let ramp = ramp(1.0);
        for (age, part) in [(0, 0.1), (50, 0.1), (100, 0.1), (500, 0.5), (999, 0.999), (1_000, 1.0)]
        {
            assert_eq!(ramp.part(Nanos(7), Nanos(7 + age)), part);
        }
        assert_eq!(ramp.part(Nanos(7), Nanos(0)), 0.1, "a clock that went back");
    }

    #[test]
    fn aggression_bends_the_curve_as_envoy_has_it() {
        assert!((ramp(2.0).part(Nanos(0), Nanos(250)) - 0.5).abs() < 1e-12);
        assert!((ramp(0.5).part(Nanos(0), Nanos(500)) - 0.25).abs() < 1e-12);
    }

    #[test]
    fn steps_fall_on_one_grid() {
        let ramp = ramp(1.0);
        assert_eq!(ramp.next(Nanos(0)), Nanos(100));
        assert_eq!(ramp.next(Nanos(99)), Nanos(100));
        assert_eq!(ramp.next(Nanos(100)), Nanos(200));
        assert_eq!(ramp.next(Nanos::NEVER), Nanos::NEVER);
        assert_eq!(Ramp { window: 0, ..ramp }.part(Nanos(5), Nanos(5)), 1.0);
        assert_eq!(Ramp { window: 0, ..ramp }.step(), 1);
    }

    #[test]
    fn weights_are_their_own_while_nobody_warms_up_and_a_part_is_never_too_much() {
        assert_eq!(scaled(&[(3, 1.0), (5, 1.0)]), [3, 5]);
        assert_eq!(scaled(&[(1, 1.0), (1, 0.07)]), [100, 7]);
        assert_eq!(scaled(&[(1, 0.001)]), [1]);
        let huge = scaled(&[(u32::MAX, 1.0), (u32::MAX, 0.1), (1, 0.1)]);
        assert_eq!((huge[0], huge[1], huge[2]), (u32::MAX, 429_496_729, 1));
    }
}
