//! From tier to tier: Envoy's priority levels with their overprovisioning factor.
//!
//! A tier's health is `min(1, factor · fit / whole)`, and each takes its health's part of what those
//! before it left. Where all together could not carry everything, they share it in proportion. Unlike
//! Envoy, which counts hosts, this counts weights, an endpoint that warms up by its part, and rounds
//! nothing: so the split never moves further than health does.

/// What endpoints can carry, in weights.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Capacity {
    /// All of them, were they well.
    pub(crate) whole: f64,
    /// Those that are admitted, each by the part that its ramp gives it.
    pub(crate) fit: f64,
}

impl Capacity {
    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { whole: self.whole + other.whole, fit: self.fit + other.fit }
    }
}

/// What each tier takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Spill {
    /// Parts of all requests, in the order of the tiers; together 1, or 0 where there is nobody.
    pub(crate) loads: Vec<f64>,
    /// Whether the tiers together are well enough to carry everything.
    pub(crate) is_carried: bool,
}

/// Splits all requests among `tiers`, the most preferred first. An endpoint that is well carries
/// `factor` times its part.
pub(crate) fn spill(tiers: &[Capacity], factor: f64) -> Spill {
    let health = |tier: &Capacity| {
        if tier.whole > 0.0 { (factor * tier.fit / tier.whole).clamp(0.0, 1.0) } else { 0.0 }
    };
    let together: f64 = tiers.iter().map(health).sum();
    if together <= 0.0 {
        // Nothing speaks for one of them more than for another.
        let whole: f64 = tiers.iter().map(|tier| tier.whole).sum();
        let part = |tier: &Capacity| if whole > 0.0 { tier.whole / whole } else { 0.0 };
        return Spill { loads: tiers.iter().map(part).collect(), is_carried: false };
    }
    let scale = together.min(1.0);
    let mut left = 1.0_f64;
    let take = |tier: &Capacity| {
        let load = left.min(health(tier) / scale);
        left -= load;
        load
    };
    let loads = tiers.iter().map(take).collect();
    Spill { loads, is_carried: together >= 1.0 - NOISE }
}

/// What sums of parts are off by.
const NOISE: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tier(percent: f64) -> Capacity {
        Capacity { whole: 100.0, fit: percent }
    }

    fn loads(percents: &[f64]) -> Vec<f64> {
        let tiers: Vec<_> = percents.iter().map(|&percent| tier(percent)).collect();
        spill(&tiers, 1.4).loads.iter().map(|load| 100.0 * load).collect()
    }

    #[test]
    fn envoys_table() {
        // https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority
        let table: [(&[f64], &[f64]); 12] = [
            (&[100.0, 100.0], &[100.0, 0.0]),
            (&[72.0, 72.0], &[100.0, 0.0]),
            (&[71.0, 71.0], &[99.0, 1.0]),
            (&[50.0, 50.0], &[70.0, 30.0]),
            (&[25.0, 100.0], &[35.0, 65.0]),
            (&[25.0, 25.0], &[50.0, 50.0]),
            (&[0.0, 100.0], &[0.0, 100.0]),
            (&[5.0, 65.0], &[7.0, 93.0]),
            (&[100.0, 0.0, 0.0], &[100.0, 0.0, 0.0]),
            (&[72.0, 72.0, 100.0], &[100.0, 0.0, 0.0]),
            (&[50.0, 50.0, 50.0], &[70.0, 30.0, 0.0]),
            (&[25.0, 25.0, 20.0], &[36.0, 36.0, 28.0]),
        ];
        for (health, expected) in table {
            for (load, expected) in loads(health).into_iter().zip(expected) {
                assert!((load - expected).abs() <= 1.0, "{health:?}: {load} instead of {expected}");
            }
        }
    }

    #[test]
    fn nobody_well_is_split_by_weight_and_nobody_at_all_takes_nothing() {
        let dead = |whole| Capacity { whole, fit: 0.0 };
        assert_eq!(spill(&[dead(3.0), dead(1.0)], 1.4).loads, [0.75, 0.25]);
        assert_eq!(spill(&[dead(0.0)], 1.4).loads, [0.0]);
        assert_eq!(spill(&[], 1.4), Spill::default());
        assert_eq!(spill(&[dead(f64::from(u32::MAX)), tier(1.0)], 1.4).loads, [0.0, 1.0]);
    }

    proptest! {
        #[test]
        fn all_is_taken_and_nobody_is_passed_over(
            tiers in prop::collection::vec((0.1..1e9_f64, 0.0..=1.0_f64), 1..8),
            factor in 1.0..10.0_f64,
        ) {
            let capacity = |&(whole, part): &(f64, f64)| Capacity { whole, fit: whole * part };
            let tiers: Vec<_> = tiers.iter().map(capacity).collect();
            let Spill { loads, is_carried } = spill(&tiers, factor);
            prop_assert!((loads.iter().sum::<f64>() - 1.0).abs() < 1e-6);
            let healths: Vec<_> =
                tiers.iter().map(|tier| (factor * tier.fit / tier.whole).min(1.0)).collect();
            let together: f64 = healths.iter().sum();
            for (at, health) in healths.iter().enumerate() {
                let later: f64 = loads[at + 1..].iter().sum();
                // Whoever is below is used only for what those above cannot carry.
                if later > 1e-6 && together > 0.0 {
                    prop_assert!(loads[at] >= health - 1e-6, "{loads:?} {healths:?}");
                }
            }
            prop_assert_eq!(is_carried, together >= 1.0 - 1e-9);
        }

        #[test]
        fn loads_move_no_further_than_health(
            tiers in prop::collection::vec(0.05..=1.0_f64, 2..6),
            which in any::<prop::sample::Index>(),
            step in -0.05..0.05_f64,
        ) {
            let whole = |&fit: &f64| Capacity { whole: 1.0, fit };
            let before: Vec<_> = tiers.iter().map(whole).collect();
            let mut after = before.clone();
            let at = which.index(after.len());
            after[at].fit = (after[at].fit + step).clamp(0.0, 1.0);
            let moved = (after[at].fit - before[at].fit).abs();
            let (before, after) = (spill(&before, 1.4), spill(&after, 1.4));
            // Where they do not suffice together, a part counts for more: by what is missing.
            let together: f64 = tiers.iter().map(|fit| (1.4 * fit).min(1.0)).sum();
            let most = 2.0 * 1.4 * moved / (together - 1.4 * moved).clamp(0.01, 1.0);
            for (before, after) in before.loads.iter().zip(&after.loads) {
                prop_assert!((before - after).abs() <= most + 1e-9, "{before} {after} {moved}");
            }
        }
    }
}
