//! The chairman assignment (R. Tijdeman, "The chairman assignment problem", 1980).
//!
//! States with weights `w` form a union whose chair changes every year. Tijdeman shows that the
//! years can be given out so that after every year each of the `k` states has had its part of the
//! chairs to within `1 − 1 / (2k − 2)`, and that no rule does better. In year `t` those states may
//! be chosen whose part so far, this year included, exceeds what they had by at least
//! `1 / (2k − 2)`; of these the one that would first be owed more than the bound is.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One period of the assignment. Weights are in lowest terms, and their sum fits a table.
pub(super) fn assignment(weights: &[u32]) -> Box<[u32]> {
    let states: Vec<(u32, u64)> = weights
        .iter()
        .zip(0_u32..)
        .filter(|&(&weight, _)| weight > 0)
        .map(|(&weight, index)| (index, u64::from(weight)))
        .collect();
    let sum: u64 = states.iter().map(|&(_, weight)| weight).sum();
    if let [(index, _)] = states.as_slice() {
        return vec![*index; sum as usize].into();
    }
    // All in units of 1 / (2k − 2) of a chair.
    let unit = 2 * states.len() as u64 - 2;

    // A state that had `had` chairs may be chosen from the first year `t` in which
    // `t · w / sum − had ≥ 1 / unit`, and is owed the bound at `(had + 1 − 1 / unit) · sum / w`.
    let release = |had: u64, weight: u64| (sum * (unit * had + 1)).div_ceil(weight * unit);
    let mut waiting: BinaryHeap<Reverse<(u64, usize)>> = states
        .iter()
        .enumerate()
        .map(|(at, &(_, weight))| Reverse((release(0, weight), at)))
        .collect();
    let mut ready: BinaryHeap<Reverse<Deadline>> = BinaryHeap::new();
    let mut had = vec![0_u64; states.len()];

    (1..=sum)
        .map(|year| {
            while let Some(&Reverse((from, at))) = waiting.peek()
                && from <= year
            {
                waiting.pop();
                let (_, weight) = states[at];
                ready.push(Reverse(Deadline { owed: unit * had[at] + unit - 1, weight, at }));
            }
            let chosen = ready.pop().expect("Tijdeman: some state may be chosen every year");
            let at = chosen.0.at;
            had[at] += 1;
            let (index, weight) = states[at];
            waiting.push(Reverse((release(had[at], weight), at)));
            index
        })
        .collect()
}

/// A deadline of `owed / weight`, earlier first, ties in the order of the states.
#[derive(PartialEq, Eq)]
struct Deadline {
    owed: u64,
    weight: u64,
    at: usize,
}

impl Ord for Deadline {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let (mine, theirs) = (self.owed * other.weight, other.owed * self.weight);
        mine.cmp(&theirs).then(self.at.cmp(&other.at))
    }
}

impl PartialOrd for Deadline {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
