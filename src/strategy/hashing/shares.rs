//! Which part of all keys each candidate gets.

use crate::strategy::hashing::walk::{STEPS, Walk};
use crate::strategy::hashing::wheel::{Wheel, whole};

/// What is left of a position and too little to be followed.
const DUST: f64 = 1e-12;

/// What each candidate gets of the keys, found as a lookup finds it; together 1.
pub(super) fn shares<W: Wheel>(walk: &Walk<W>) -> Vec<f64> {
    if walk.is_whole() {
        return walk.built.parts.to_vec();
    }
    let wheel = &walk.built.wheel;
    let mut shares = vec![0.0; walk.weights().count()];
    let mut left = 0.0;
    let mut refused = Vec::new();
    for first in 0..wheel.len() {
        let (mut part, mut position) = (wheel.part(first), first);
        // Whoever refuses a key refuses it at each of its positions.
        refused.clear();
        for _ in 0..=STEPS.min(wheel.len()) {
            let owner = wheel.owner(position).filter(|owner| !refused.contains(owner));
            if let Some((owner, (index, takes))) = owner.and_then(|it| Some((it, walk.takes(it)?)))
            {
                if let Some(share) = shares.get_mut(index) {
                    *share += part * takes;
                }
                part *= 1.0 - takes;
                if part <= DUST {
                    break;
                }
                refused.push(owner);
            }
            position = if position + 1 < wheel.len() { position + 1 } else { 0 };
        }
        left += part;
    }
    // Where nobody is met for so long, all that are left are asked, by their weights.
    let sum: f64 = walk.weights().map(f64::from).sum();
    for (share, weight) in shares.iter_mut().zip(walk.weights()) {
        *share += left * f64::from(weight) / sum;
    }
    whole(shares)
}
