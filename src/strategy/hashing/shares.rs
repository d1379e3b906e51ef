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
    let ahead = ahead(walk);
    let mut shares = vec![0.0; walk.weights().count()];
    let mut left = 0.0;
    let mut refused = Vec::new();
    for first in 0..wheel.len() {
        let (mut part, mut position, mut steps) = (wheel.part(first), first, 0);
        // Whoever refuses a key refuses it at each of its positions.
        refused.clear();
        while part > DUST {
            let Some(free) = ahead.get(position).copied().flatten() else { break };
            steps += free as usize;
            if steps > STEPS.min(wheel.len()) {
                break;
            }
            position = (position + free as usize) % wheel.len();
            let owner = wheel.owner(position).filter(|owner| !refused.contains(owner));
            if let Some((owner, (index, takes))) = owner.and_then(|it| Some((it, walk.takes(it)?)))
            {
                if let Some(share) = shares.get_mut(index) {
                    *share += part * takes;
                }
                part *= 1.0 - takes;
                refused.push(owner);
            }
            steps += 1;
            position = (position + 1) % wheel.len();
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

/// How far it is from each position to the next that somebody owns who may be chosen. With this a
/// walk takes no longer where most are out.
fn ahead<W: Wheel>(walk: &Walk<W>) -> Vec<Option<u32>> {
    let wheel = &walk.built.wheel;
    let mut ahead = vec![None; wheel.len()];
    let mut last = None;
    // Twice around: what comes after the last position is the first.
    for at in (0..2 * wheel.len()).rev() {
        let position = at % wheel.len();
        if wheel.owner(position).is_some_and(|owner| walk.takes(owner).is_some()) {
            last = Some(at);
        }
        if let Some(ahead) = ahead.get_mut(position) {
            *ahead = last.map(|last| (last - at) as u32);
        }
    }
    ahead
}
