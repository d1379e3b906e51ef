use super::*;
use crate::rng::Rng;

/// The furthest any endpoint is from its part of the picks: after every prefix of the round, and
/// in any stretch of it.
fn deviations(weights: &[u32], picks: u64) -> (f64, f64) {
    let schedule = Schedule::new(weights.to_vec());
    let sum: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
    let mut had = vec![0_i128; weights.len()];
    let mut extremes = vec![(0_i128, 0_i128); weights.len()];
    let mut note = |index: usize, had: i128, picks: u64| {
        let ahead = had * sum - i128::from(picks) * i128::from(weights[index]);
        let (low, high) = &mut extremes[index];
        (*low, *high) = ((*low).min(ahead), (*high).max(ahead));
    };
    for turn in 0..picks {
        let chosen = schedule.at(turn).expect("some weight is above zero");
        assert!(weights[chosen] > 0, "a weight of zero was given a turn");
        // Between its turns an endpoint only falls behind, so the extremes are next to them.
        note(chosen, had[chosen], turn);
        had[chosen] += 1;
        note(chosen, had[chosen], turn + 1);
    }
    (0..weights.len()).for_each(|index| note(index, had[index], picks));
    let most = |spread: fn(&(i128, i128)) -> i128| {
        extremes.iter().map(|pair| spread(pair) as f64 / sum as f64).fold(0.0, f64::max)
    };
    (most(|&(low, high)| high.max(-low)), most(|&(low, high)| high - low))
}

#[test]
fn equal_weights_take_turns() {
    let schedule = Schedule::new(vec![7; 3]);
    let turns: Vec<_> = (0..7).filter_map(|turn| schedule.at(turn)).collect();
    assert_eq!(turns, [0, 1, 2, 0, 1, 2, 0]);
}

#[test]
fn nobody_to_choose_is_no_turn() {
    for weights in [vec![], vec![0], vec![0, 0]] {
        assert_eq!(Schedule::new(weights).at(5), None);
    }
}

#[test]
fn one_among_zeros_has_every_turn() {
    let schedule = Schedule::new(vec![0, u32::MAX, 0]);
    assert!((0..100).all(|turn| schedule.at(turn) == Some(1)));
}

#[test]
fn heavy_ones_are_not_bunched() {
    let schedule = Schedule::new(vec![5, 1, 1]);
    let turns: Vec<_> = (0..7).filter_map(|turn| schedule.at(turn)).collect();
    assert_eq!(turns, [0, 0, 1, 0, 0, 2, 0]);
}

#[test]
fn a_table_keeps_the_chairman_bound() {
    for seed in 0..400 {
        let mut rng = Rng::seeded(seed);
        let n = 2 + rng.below(12) as usize;
        let heaviest = 1 + rng.below(300);
        let weights: Vec<u32> = (0..n).map(|_| rng.below(heaviest + 1) as u32).collect();
        if weights.iter().all(|&weight| weight == 0) {
            continue;
        }
        let (prefix, window) = deviations(&weights, 10_000);
        assert!(
            prefix < 1.0 && window < 2.0,
            "seed {seed}: {weights:?} is off by {prefix}, {window}"
        );
    }
}

#[test]
fn the_longest_tables_keep_it_too() {
    for weights in
        [vec![4_095, 1], vec![2_047, 2_049], vec![1; 4_096], many_small(), vec![1, 1, 4_094]]
    {
        let (prefix, window) = deviations(&weights, 20_000);
        assert!(prefix < 1.0 && window < 2.0, "{weights:?} is off by {prefix}, {window}");
    }
}

fn many_small() -> Vec<u32> {
    (0..1_365).map(|i| 1 + i % 5).collect()
}

#[test]
fn beyond_tables_the_error_stays_a_small_constant() {
    let mut worst = (0.0_f64, 0.0_f64);
    for seed in 0..300 {
        let mut rng = Rng::seeded(seed);
        let n = 2 + rng.below(60) as usize;
        let bits = 8 + rng.below(25);
        let weights: Vec<u32> = (0..n).map(|_| 1 + rng.below((1 << bits) - 1) as u32).collect();
        let (prefix, window) = deviations(&weights, 20_000);
        worst = (worst.0.max(prefix), worst.1.max(window));
        assert!(
            prefix < 2.0 && window < 3.0,
            "seed {seed}: {weights:?} is off by {prefix}, {window}"
        );
    }
    println!(
        "worst of 300 random sets: {:.3} from the origin, {:.3} in a window",
        worst.0, worst.1
    );
}

#[test]
fn the_ends_of_the_range_keep_it_for_a_million_picks() {
    let sets = [
        vec![u32::MAX, 1],
        vec![u32::MAX, u32::MAX - 1, 1, 7],
        vec![u32::MAX, u32::MAX / 2, u32::MAX / 3, 3],
        (1..=64_u32).map(|i| u32::MAX / i).collect(),
        (0..32).map(|i| 1_u32 << i).collect(),
    ];
    for weights in sets {
        let (prefix, window) = deviations(&weights, 1_000_000);
        assert!(prefix < 2.0 && window < 3.0, "{weights:?} is off by {prefix}, {window}");
    }
}

#[test]
fn far_turns_do_not_overflow() {
    for weights in [vec![u32::MAX, u32::MAX - 1, 5], vec![3, 2], vec![1; 10]] {
        let schedule = Schedule::new(weights.clone());
        for turn in [u64::MAX, u64::MAX - 1, u64::MAX / 2] {
            assert!(schedule.at(turn).is_some_and(|index| index < weights.len()));
        }
    }
}

#[test]
fn a_period_gives_each_exactly_its_weight() {
    for weights in [vec![3, 5, 7, 1], vec![4_000, 90, 6], vec![9_000, 1, 999, 5, 5]] {
        let schedule = Schedule::new(weights.clone());
        let sum = u64::from(weights.iter().sum::<u32>());
        let mut had = vec![0_u32; weights.len()];
        (0..sum).filter_map(|turn| schedule.at(turn)).for_each(|index| had[index] += 1);
        assert_eq!(had, weights);
    }
}
