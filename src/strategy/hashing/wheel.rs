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
}

/// A wheel with those it was made of.
#[derive(Debug)]
pub(super) struct Built<W: Wheel> {
    pub(super) wheel: W,
    /// In the order of their ids.
    pub(super) owners: Box<[(EndpointId, u32)]>,
    /// A hash of the id of each, for all that is decided between a key and one owner.
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
        let salt = |(id, _): &(EndpointId, u32)| hash::seeded(id.as_str().as_bytes(), SALT);
        let salts = owners.iter().map(salt).collect();
        Self { wheel, salts, parts: parts.into(), owners, shape }
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
