//! Within a tier, from zone to zone: Envoy's zone-aware routing, for callers who do not know of each
//! other.
//!
//! Were every zone to keep all of its callers' requests, one with many callers and few endpoints
//! would be overloaded while others idle. So a zone keeps as much as its endpoints' part of all
//! endpoints allows, and the rest goes to zones that have more endpoints than callers, in proportion
//! to how many more. With callers spread as [`Callers`] says, every endpoint of the tier gets the
//! same, and no request crosses a zone that need not.

/// How the callers are spread over the zones.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Callers {
    /// As many in each zone.
    #[default]
    Even,
    /// This part of them in the own zone, the rest as many in each of the others.
    Own(f64),
}

/// The parts of the tier's requests that go to each zone, as a caller in `own` splits them.
///
/// `carry` is what each zone can carry, and whether anybody calls from it. Without `own` the
/// callers' zone has no endpoint here.
pub(crate) fn by_zone(carry: &[(f64, bool)], own: Option<usize>, callers: Callers) -> Vec<f64> {
    let all: f64 = carry.iter().map(|(carry, _)| carry).sum();
    if all <= 0.0 {
        return vec![0.0; carry.len()];
    }
    let part = |at: usize| carry.get(at).map_or(0.0, |(carry, _)| carry / all);
    let called_from = |&at: &usize| Some(at) != own && carry.get(at).is_some_and(|zone| zone.1);
    let others = (0..carry.len()).filter(called_from).count() as f64;
    let from_own = match callers {
        Callers::Even => 1.0 / (others + 1.0),
        Callers::Own(part) => part,
    };
    let from_other = if others > 0.0 { (1.0 - from_own) / others } else { 0.0 };
    let kept = own.map_or(0.0, |own| (part(own) / from_own).min(1.0));
    let room = |at: usize| match own {
        Some(own) if own == at => 0.0,
        _ => (part(at) - if called_from(&at) { from_other } else { 0.0 }).max(0.0),
    };
    let rooms: f64 = (0..carry.len()).map(room).sum();
    let split = |at: usize| {
        if Some(at) == own {
            // Nobody else can take anything.
            if rooms > 0.0 { kept } else { 1.0 }
        } else if rooms > 0.0 {
            (1.0 - kept) * room(at) / rooms
        } else if own.is_none() {
            part(at)
        } else {
            0.0
        }
    };
    (0..carry.len()).map(split).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(carry: &[f64], own: Option<usize>) -> Vec<f64> {
        let carry: Vec<_> = carry.iter().map(|&carry| (carry, true)).collect();
        by_zone(&carry, own, Callers::Even)
    }

    fn close(found: &[f64], expected: &[f64]) -> bool {
        found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9)
    }

    #[test]
    fn the_own_zone_keeps_what_it_can_carry() {
        assert!(close(&split(&[5.0, 5.0], Some(0)), &[1.0, 0.0]));
        assert!(close(&split(&[6.0, 4.0], Some(0)), &[1.0, 0.0]));
        assert!(close(&split(&[4.0, 6.0], Some(0)), &[0.8, 0.2]));
        // A lone endpoint beside nine does not get half of everything.
        assert!(close(&split(&[1.0, 9.0], Some(0)), &[0.2, 0.8]));
        assert!(close(&split(&[2.0, 4.0, 6.0], Some(0)), &[0.5, 0.0, 0.5]));
        assert!(close(&split(&[0.0, 4.0, 4.0], Some(0)), &[0.0, 0.5, 0.5]));
    }

    #[test]
    fn ends() {
        assert_eq!(split(&[], None), [0.0; 0]);
        assert_eq!(split(&[0.0, 0.0], Some(0)), [0.0, 0.0]);
        assert_eq!(split(&[3.0], Some(0)), [1.0]);
        assert_eq!(split(&[3.0], None), [1.0], "no endpoint in the own zone");
        assert!(close(&split(&[3.0, 1.0], None), &[1.0, 0.0]), "the second is full already");
        // Endpoints that are in no zone are there for whoever needs them.
        assert!(close(&by_zone(&[(1.0, true), (1.0, false)], Some(0), Callers::Even), &[0.5, 0.5]));
    }

    #[test]
    fn where_all_callers_are_here_all_endpoints_get_the_same() {
        let carry = [(2.0, true), (6.0, true)];
        assert!(close(&by_zone(&carry, Some(0), Callers::Own(1.0)), &[0.25, 0.75]));
        assert!(close(&by_zone(&carry, Some(0), Callers::Own(0.25)), &[1.0, 0.0]));
        assert!(close(
            &by_zone(&carry, Some(1), Callers::Own(0.9)),
            &[1.0 - 0.75 / 0.9, 0.75 / 0.9]
        ));
    }

    proptest! {
        /// If every zone splits like this, each gets just its part: none is overloaded.
        #[test]
        fn no_zone_is_overloaded(carry in prop::collection::vec(0.0..100.0_f64, 1..7)) {
            let all: f64 = carry.iter().sum();
            prop_assume!(all > 0.1);
            let callers = 1.0 / carry.len() as f64;
            let mut load = vec![0.0; carry.len()];
            for own in 0..carry.len() {
                let split = split(&carry, Some(own));
                prop_assert!((split.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                load.iter_mut().zip(split).for_each(|(load, part)| *load += callers * part);
            }
            for (load, carry) in load.iter().zip(&carry) {
                prop_assert!((load - carry / all).abs() < 1e-9, "{load} for {carry} of {all}");
            }
        }

        /// The own zone keeps as much as can be kept without that.
        #[test]
        fn nothing_crosses_that_need_not(carry in prop::collection::vec(0.1..100.0_f64, 2..7)) {
            let all: f64 = carry.iter().sum();
            let kept = split(&carry, Some(0))[0];
            let most = (carry[0] / all * carry.len() as f64).min(1.0);
            prop_assert!((kept - most).abs() < 1e-9);
        }
    }
}
