//! What maps keys to owners.

use std::fmt::Debug;

use crate::hash;
use crate::strategy::Owner;
use crate::units::EndpointId;

/// Positions in a circle, each of which has an owner.
pub(crate) trait Wheel: Debug + Send + Sync + Sized + 'static {
    /// What it is made by, besides the owners.
    type Shape: Copy + Debug + PartialEq + Send + Sync + 'static;

    /// A wheel of these owners. There is at least one, and weights are above zero.
    fn build(shape: Self::Shape, owners: &[(EndpointId, u32)]) -> Self;

    /// How many positions it has.
    fn len(&self) -> usize;

    /// Where a hash falls; a position that exists if there is any.
    fn find(&self, hash: u64) -> usize;

    /// Who owns a position.
    fn owner(&self, position: usize) -> Option<u32>;

    /// The part of all hashes that fall there.
    fn part(&self, position: usize) -> f64;

    /// The most that so many owners can own who together have this part of the weights; it may be
    /// more than all there is.
    fn most(shape: Self::Shape, part: f64, of: usize) -> f64;
}

/// A wheel with those it was made of.
#[derive(Debug)]
pub(super) struct Built<W: Wheel> {
    pub(super) wheel: W,
    /// In the order of their ids.
    pub(super) owners: Box<[(EndpointId, u32)]>,
    /// The [`salt`] of each.
    pub(super) salts: Box<[u64]>,
    /// The part of all hashes that each owns.
    pub(super) parts: Box<[f64]>,
    shape: W::Shape,
}

/// The same parts, so that together they are 1 without what was rounded: one alone is just 1.
pub(super) fn whole(mut parts: Vec<f64>) -> Vec<f64> {
    let sum: f64 = parts.iter().sum();
    if sum > 0.0 {
        parts.iter_mut().for_each(|part| *part /= sum);
    }
    parts
}

/// Sets the salts apart from the hashes that place the owners.
const SALT: u64 = 0x005A_17ED;

/// A hash of an id, for all that is decided between a key and one endpoint.
pub(super) fn salt(id: &EndpointId) -> u64 {
    hash::seeded(id.as_str().as_bytes(), SALT)
}

impl<W: Wheel> Built<W> {
    pub(super) fn new(shape: W::Shape, owners: &[Owner]) -> Self {
        let owners: Box<[_]> =
            owners.iter().map(|owner| (owner.id().clone(), owner.weight())).collect();
        let wheel = W::build(shape, &owners);
        let mut parts = vec![0.0; owners.len()];
        for position in 0..wheel.len() {
            let owner = wheel.owner(position).and_then(|owner| parts.get_mut(owner as usize));
            if let Some(part) = owner {
                *part += wheel.part(position);
            }
        }
        let parts = whole(parts);
        let salts = owners.iter().map(|(id, _)| salt(id)).collect();
        Self { wheel, salts, parts: parts.into(), owners, shape }
    }

    pub(super) fn shape(&self) -> W::Shape {
        self.shape
    }

    /// The part of all keys that would not be where they are if it were made of these instead, if
    /// everybody owns what his weight says.
    pub(super) fn moved(&self, owners: &[Owner]) -> f64 {
        let before: f64 = self.owners.iter().map(|&(_, weight)| f64::from(weight)).sum();
        let after: f64 = owners.iter().map(|owner| f64::from(owner.weight())).sum();
        let mut known = self.owners.iter().peekable();
        let mut kept = 0.0;
        // Both are in the order of the ids.
        for owner in owners {
            while known.next_if(|(id, _)| id < owner.id()).is_some() {}
            if let Some((_, weight)) = known.next_if(|(id, _)| id == owner.id()) {
                kept += (f64::from(*weight) / before).min(f64::from(owner.weight()) / after);
            }
        }
        1.0 - kept
    }

    /// The most that one of these owners can get of the keys, were it made of them: what it owns, and
    /// what all own who cannot be chosen.
    pub(super) fn most(shape: W::Shape, owners: &[Owner]) -> f64 {
        let sum: f64 = owners.iter().map(|owner| f64::from(owner.weight())).sum();
        let (mut heaviest, mut out, mut of) = (0.0_f64, 0.0, 1);
        for owner in owners {
            let part = f64::from(owner.weight()) / sum;
            if owner.seat().is_some() {
                heaviest = heaviest.max(part);
            } else {
                (out, of) = (out + part, of + 1);
            }
        }
        W::most(shape, heaviest + out, of).min(1.0)
    }

    /// Whether it would be made again just so.
    pub(super) fn is_of(&self, shape: W::Shape, owners: &[Owner]) -> bool {
        let same = |((id, weight), owner): (&(EndpointId, u32), &Owner)| {
            *weight == owner.weight() && id == owner.id()
        };
        self.shape == shape
            && self.owners.len() == owners.len()
            && self.owners.iter().zip(owners).all(same)
    }
}
