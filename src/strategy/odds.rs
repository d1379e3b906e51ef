//! With which probability each of some endpoints is the least costly of those drawn.

use crate::rng::Rng;
use crate::strategy::cost::Cost;
use crate::strategy::draw::{Draw, Taken};

/// How often it is drawn where there is no formula: the chances are then good to about a third of a
/// percent, as a standard deviation.
const DRAWS: usize = 20_000;

/// All are compared: the least costly, by weight where several are.
pub(crate) fn of_all(costs: &[Cost], weights: &[f64]) -> Vec<f64> {
    let open = || costs.iter().zip(weights).filter(|&(_, &weight)| weight > 0.0);
    let least = open().map(|(cost, _)| *cost).min();
    let sum: f64 = open().filter(|&(cost, _)| Some(*cost) == least).map(|(_, weight)| weight).sum();
    let chance = |(cost, weight): (&Cost, &f64)| {
        if *weight > 0.0 && Some(*cost) == least { weight / sum } else { 0.0 }
    };
    costs.iter().zip(weights).map(chance).collect()
}

/// Two distinct ones are drawn by weight and compared; the first wins a tie.
///
/// One wins if it is drawn first and the second costs no less, or if it is drawn second and the
/// first costs more. With the costs in order both are sums over those behind it.
pub(crate) fn of_two(costs: &[Cost], weights: &[f64]) -> Vec<f64> {
    let mut order: Vec<_> = (0..costs.len().min(weights.len()))
        .filter_map(|index| Some((*costs.get(index)?, index, *weights.get(index)?)))
        .filter(|&(_, _, weight)| weight > 0.0)
        .collect();
    order.sort_by_key(|&(cost, index, _)| (cost, index));
    let mut chances = vec![0.0; weights.len()];
    if let [(_, only, _)] = *order {
        if let Some(chance) = chances.get_mut(only) {
            *chance = 1.0;
        }
        return chances;
    }
    let sum: f64 = order.iter().map(|&(_, _, weight)| weight).sum();
    // From the costliest to the least costly, those of one cost together: the weights of all that
    // cost no less, and the sum of what the costlier leave to each unit of weight behind them.
    let (mut no_less, mut left) = (0.0, 0.0);
    for tied in order.chunk_by(|a, b| a.0 == b.0).rev() {
        no_less += tied.iter().map(|&(_, _, weight)| weight).sum::<f64>();
        for &(_, index, weight) in tied {
            if let Some(chance) = chances.get_mut(index) {
                let first = weight / sum * (no_less - weight) / (sum - weight);
                *chance = first + weight * left;
            }
        }
        left += tied.iter().map(|&(_, _, weight)| weight / sum / (sum - weight)).sum::<f64>();
    }
    chances
}

/// So many distinct ones are drawn by weight; found by drawing.
pub(crate) fn of_some(choices: usize, costs: &[Cost], draw: &Draw, excluded: &Taken) -> Vec<f64> {
    let mut rng = Rng::seeded(0);
    let mut wins = vec![0_u32; costs.len()];
    for _ in 0..DRAWS {
        let mut taken = *excluded;
        let mut best: Option<(Cost, usize)> = None;
        for _ in 0..choices {
            let Some(next) = draw.other(&mut rng, &taken) else { break };
            taken.insert(next);
            let Some(&cost) = costs.get(next) else { continue };
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, next));
            }
        }
        if let Some(wins) = best.and_then(|(_, best)| wins.get_mut(best)) {
            *wins += 1;
        }
    }
    wins.into_iter().map(|wins| f64::from(wins) / DRAWS as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(costs: &[f64]) -> Vec<Cost> {
        costs.iter().map(|&cost| Cost::new(cost)).collect()
    }

    fn assert_near(found: &[f64], expected: &[f64], off: f64) {
        let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= off);
        assert!(near && found.len() == expected.len(), "{found:?} is not {expected:?}");
    }

    #[test]
    fn equal_costs_leave_the_weights() {
        let weights = [1.0, 2.0, 5.0, 0.0];
        let parts = [0.125, 0.25, 0.625, 0.0];
        assert_near(&of_two(&costs(&[3.0; 4]), &weights), &parts, 1e-12);
        assert_near(&of_all(&costs(&[3.0; 4]), &weights), &parts, 1e-12);
    }

    #[test]
    fn the_costliest_of_many_is_never_chosen_and_the_least_costly_if_it_is_drawn() {
        let chances = of_two(&costs(&[0.0, 1.0, 2.0]), &[1.0; 3]);
        assert_near(&chances, &[2.0 / 3.0, 1.0 / 3.0, 0.0], 1e-12);
        assert_near(&of_all(&costs(&[0.0, 1.0, 2.0]), &[1.0; 3]), &[1.0, 0.0, 0.0], 0.0);
    }

    #[test]
    fn few_or_none() {
        assert_eq!(of_two(&[], &[]), [0.0; 0]);
        assert_eq!(of_two(&costs(&[1.0, 1.0]), &[0.0, 0.0]), [0.0, 0.0]);
        assert_eq!(of_two(&costs(&[9.0, 1.0]), &[4.0, 0.0]), [1.0, 0.0]);
        assert_eq!(of_all(&[], &[]), [0.0; 0]);
        assert_eq!(of_all(&costs(&[1.0]), &[0.0]), [0.0]);
    }

    /// The formula says what drawing says.
    #[test]
    fn the_formula_and_the_draws_agree() {
        for (seed, n) in (0..40_u64).zip([2, 3, 5, 9].into_iter().cycle()) {
            let mut rng = Rng::seeded(seed);
            let weights: Vec<_> = (0..n).map(|_| rng.below(9) as u32 + 1).collect();
            let costs: Vec<_> = (0..n).map(|_| Cost::of_load(rng.below(4))).collect();
            let floats: Vec<_> = weights.iter().map(|&weight| f64::from(weight)).collect();
            let draw = Draw::new(weights.iter().copied());
            let taken = Taken::none();
            let two = of_two(&costs, &floats);
            assert!((two.iter().sum::<f64>() - 1.0).abs() < 1e-9, "seed {seed}");
            // Five standard deviations of so many draws.
            assert_near(&of_some(2, &costs, &draw, &taken), &two, 0.018);
            let all = of_all(&costs, &floats);
            assert_near(&of_some(n, &costs, &draw, &taken), &all, 0.018);
        }
    }
}
