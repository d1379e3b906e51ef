//! The fairness of the round as a user sees it: through picks of a balancer that starts anywhere.

#![allow(clippy::unwrap_used)]

use evenkeel::config::{StrategyConfig, StrategyKind};
use evenkeel::strategy::Rng;
use evenkeel::{Balancer, Config, Endpoint, EndpointId, Key, Outcome};

fn balancer(weights: &[u32], seed: u64) -> Balancer<usize> {
    let strategy = StrategyConfig::new(StrategyKind::RoundRobin);
    Balancer::builder()
        .seed(seed)
        .config(Config::default().with_strategy(strategy))
        .endpoints(
            weights
                .iter()
                .enumerate()
                .map(|(at, &weight)| Endpoint::new(format!("e{at:03}"), at).weight(weight)),
        )
        .build()
        .unwrap()
}

/// The widest that the count of any endpoint strays from its part, over all windows of the picks.
fn widest(balancer: &Balancer<usize>, weights: &[u32], picks: u64) -> f64 {
    let sum: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
    let mut had = vec![0_i128; weights.len()];
    let mut extremes = vec![(0_i128, 0_i128); weights.len()];
    for turn in 0..picks {
        let lease = balancer.pick(&Key::none()).unwrap();
        let chosen = *lease.target();
        lease.finish(Outcome::Success);
        let mut note = |had: i128, picks: u64| {
            let ahead = had * sum - i128::from(picks) * i128::from(weights[chosen]);
            let (low, high) = &mut extremes[chosen];
            (*low, *high) = ((*low).min(ahead), (*high).max(ahead));
        };
        note(had[chosen], turn);
        had[chosen] += 1;
        note(had[chosen], turn + 1);
    }
    extremes.iter().map(|(low, high)| (high - low) as f64 / sum as f64).fold(0.0, f64::max)
}

#[test]
fn no_window_has_an_endpoint_two_requests_away_from_its_part() {
    for seed in 0..60 {
        let mut rng = Rng::seeded(seed);
        let n = 1 + rng.below(14) as usize;
        let weights: Vec<u32> = (0..n).map(|_| 1 + rng.below(250) as u32).collect();
        let found = widest(&balancer(&weights, seed), &weights, 6_000);
        assert!(found < 2.0, "seed {seed}: {weights:?} strays by {found}");
    }
}

#[test]
fn the_largest_weights_stay_within_the_documented_constant() {
    let sets = [vec![u32::MAX, u32::MAX - 1, 1, 7], (0..32).map(|bit| 1 << bit).collect()];
    for weights in sets {
        let found = widest(&balancer(&weights, 7), &weights, 100_000);
        assert!(found < 3.0, "{weights:?} strays by {found}");
    }
}

#[test]
fn balancers_do_not_all_begin_with_the_same_endpoint() {
    let firsts: std::collections::BTreeSet<EndpointId> = (0..40)
        .map(|seed| balancer(&[1; 10], seed).pick(&Key::none()).unwrap().endpoint().clone())
        .collect();
    assert!(firsts.len() >= 8, "{firsts:?}");
}

#[test]
fn requests_that_exclude_stand_outside_the_round() {
    let (plain, mixed) = (balancer(&[3, 1, 2], 5), balancer(&[3, 1, 2], 5));
    let excluding = Key::none().excluding(&"e000".into());
    for turn in 0..600 {
        let outside = mixed.pick(&excluding).unwrap();
        assert_ne!(outside.endpoint().as_str(), "e000");
        let (a, b) = (plain.pick(&Key::none()).unwrap(), mixed.pick(&Key::none()).unwrap());
        assert_eq!(a.endpoint(), b.endpoint(), "turn {turn}");
    }
}

#[test]
fn a_missing_endpoint_gives_its_part_to_all_and_not_to_its_neighbour() {
    let balancer = balancer(&[1; 10], 3);
    drop(balancer.drain(&"e003".into()).unwrap());
    let mut counts = [0_u32; 10];
    for _ in 0..9_000 {
        counts[*balancer.pick(&Key::none()).unwrap().target()] += 1;
    }
    assert_eq!(counts[3], 0);
    assert!(counts.iter().enumerate().all(|(at, &n)| at == 3 || n == 1_000), "{counts:?}");
}
