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
    let takes: Vec<_> =
        (0..walk.built.owners.len()).map(|owner| walk.takes(owner as u32)).collect();
    let takes = |owner: u32| takes.get(owner as usize).copied().flatten();
    let ahead = ahead(wheel, takes);
    let mut shares = vec![0.0; walk.weights().count()];
    // Most have all that they own, and their positions need not be followed.
    let is_kept = |owner: u32| takes(owner).is_some_and(|(_, takes)| takes == 1.0);
    for (owner, part) in (0..).zip(&walk.built.parts) {
        let index = takes(owner).filter(|_| is_kept(owner)).map(|(index, _)| index);
        if let Some(share) = index.and_then(|index| shares.get_mut(index)) {
            *share += part;
        }
    }
    let mut left = 0.0;
    let mut refused = Vec::new();
    for first in 0..wheel.len() {
        if wheel.owner(first).is_some_and(is_kept) {
            continue;
        }
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
            if let Some((owner, (index, takes))) = owner.and_then(|it| Some((it, takes(it)?))) {
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
fn ahead<W: Wheel>(wheel: &W, takes: impl Fn(u32) -> Option<(usize, f64)>) -> Vec<Option<u32>> {
    let may = |position: usize| wheel.owner(position).is_some_and(|owner| takes(owner).is_some());
    // What comes after the last position is the first.
    let mut next = (0..wheel.len()).find(|&position| may(position)).map(|first| first as u32);
    let mut ahead = vec![None; wheel.len()];
    for (position, ahead) in ahead.iter_mut().enumerate().rev() {
        next = if may(position) { Some(0) } else { next.map(|next| next + 1) };
        *ahead = next;
    }
    ahead
}
