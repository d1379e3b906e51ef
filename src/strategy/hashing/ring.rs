//! Ring hash, as Envoy and gRPC A42 lay it out.

use std::fmt::{self, Write};

use crate::config::HashConfig;
use crate::hash;
use crate::strategy::hashing::bounded::Bounds;
use crate::strategy::hashing::memory::{Memory, Wheels};
use crate::strategy::hashing::picker::KeyedPicker;
use crate::strategy::hashing::wheel::Wheel;
use crate::strategy::{Candidates, Picker, Strategy};
use crate::sync::Arc;
use crate::units::EndpointId;

/// Each endpoint has points on a circle of hashes; a key belongs to the first point that is not
/// before it.
///
/// The points of an endpoint are the xxHash64 of `id_0`, `id_1` and so on, and their number follows
/// its weight: weights are divided by their sum, and scaled so that the lightest endpoint has a whole
/// number of points and the ring at least
/// [`min_ring_size`](HashConfig::min_ring_size) of them, but no more than
/// [`max_ring_size`](HashConfig::max_ring_size). That is the ring of Envoy and of gRPC (A42), so
/// whoever has the same ids, weights, sizes and hashes of keys agrees on every key.
///
/// An endpoint that is out is passed over point by point, so its keys go to many others. It keeps
/// its points meanwhile. Parts of the ring are uneven by chance: with a hundred points each the
/// largest of ten is about a fifth above the mean, with ten points each two thirds.
/// [`Maglev`](crate::strategy::Maglev) has even parts. A request without a key is drawn by weight.
///
/// While the set changes again and again, keys follow it with up to 100 ms delay: eight rings are built
/// at once, then one in each 100 ms ([what it costs](crate::docs::hashing#what-it-costs)).
#[derive(Clone, Debug)]
pub struct RingHash {
    sizes: Sizes,
    bounds: Option<Bounds>,
    rings: Arc<Memory<Ring>>,
}

/// How many points there are at least and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(super) min: u32,
    pub(super) max: u32,
}

impl RingHash {
    /// By these settings.
    #[must_use]
    pub fn new(config: &HashConfig) -> Self {
        Self::with_wheels(config, &Wheels::default())
    }

    pub(crate) fn with_wheels(config: &HashConfig, wheels: &Wheels) -> Self {
        Self {
            sizes: Sizes { min: config.min_ring_size(), max: config.max_ring_size() },
            bounds: config.bounded_load_percent().map(Bounds::of_percent),
            rings: Arc::clone(&wheels.rings),
        }
    }
}

impl Default for RingHash {
    /// From 1,024 to 65,536 points, and no bound on the load.
    fn default() -> Self {
        Self::new(&HashConfig::default())
    }
}

impl Strategy for RingHash {
    fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker> {
        let owners = candidates.owners();
        let wheel = self.rings.wheel(self.sizes, &owners, candidates.stock());
        Box::new(KeyedPicker::new(wheel, &owners, candidates, self.bounds))
    }

    fn asks_for_latency(&self) -> bool {
        false
    }
}

/// The points in the order of their hashes.
pub(crate) struct Ring {
    hashes: Box<[u64]>,
    owners: Box<[u32]>,
    /// Where the points begin that share their highest bits. Hashes are spread evenly, so a lookup
    /// reads one of these and a point or two.
    starts: Box<[u32]>,
    /// How many bits the others are.
    shift: u32,
}

impl Wheel for Ring {
    type Shape = Sizes;

    fn build(sizes: Sizes, owners: &[(EndpointId, u32)]) -> Self {
        let counts = counts(sizes, owners);
        let mut points = Vec::with_capacity(counts.iter().sum());
        let mut name = String::new();
        for (owner, ((id, _), count)) in owners.iter().zip(counts).enumerate() {
            for index in 0..count {
                name.clear();
                // Writing to a text cannot fail.
                let _ = write!(name, "{id}_{index}");
                points.push((hash::bytes(name.as_bytes()), owner as u32));
            }
        }
        points.sort_unstable();
        Self::of_sorted(&points)
    }

    fn len(&self) -> usize {
        self.hashes.len()
    }

    #[inline]
    fn find(&self, hash: u64) -> usize {
        let start = self.starts.get((hash >> self.shift) as usize).copied().unwrap_or(0) as usize;
        let rest = self.hashes.get(start..).unwrap_or(&[]);
        let before = rest.iter().take_while(|&&point| point < hash).count();
        // Past the last point comes the first.
        let at = start + before;
        if at < self.hashes.len() { at } else { 0 }
    }

    #[inline]
    fn owner(&self, position: usize) -> Option<u32> {
        self.owners.get(position).copied()
    }

    fn part(&self, position: usize) -> f64 {
        let before = if position > 0 { position } else { self.hashes.len() }.saturating_sub(1);
        match (self.hashes.get(before), self.hashes.get(position)) {
            _ if self.hashes.len() == 1 => 1.0,
            (Some(before), Some(point)) => point.wrapping_sub(*before) as f64 / TURN,
            _ => 0.0,
        }
    }

    /// Points are as good as random, so it is by chance how much `m` of `n` own: more than `x` with a
    /// probability of `exp(-n · D(m/n, x))` at most (Chernoff), where the divergence `D` is at least
    /// `(x - m/n)² / 2x`. Solved for `x` where that is `2^-64`.
    fn most(sizes: Sizes, part: f64, of: usize) -> f64 {
        let points = f64::from(sizes.min.max(1));
        // Each may have one more by rounding.
        let part = part + of as f64 / points;
        let chance = 64.0 * std::f64::consts::LN_2 / points;
        part + chance + (chance * chance + 2.0 * part * chance).sqrt()
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").field("points", &self.hashes.len()).finish_non_exhaustive()
    }
}

impl Ring {
    fn of_sorted(points: &[(u64, u32)]) -> Self {
        // At least one bit, for a word cannot be shifted by all of its bits.
        let bits = points.len().next_power_of_two().trailing_zeros().max(1);
        let shift = u64::BITS - bits;
        let mut starts = Vec::with_capacity(1 << bits);
        for (at, &(hash, _)) in points.iter().enumerate() {
            let begun = (hash >> shift) as usize + 1;
            starts.resize(begun.max(starts.len()), at as u32);
        }
        starts.resize(1 << bits, points.len() as u32);
        Self {
            hashes: points.iter().map(|&(hash, _)| hash).collect(),
            owners: points.iter().map(|&(_, owner)| owner).collect(),
            starts: starts.into(),
            shift,
        }
    }
}

/// All hashes, as a float.
const TURN: f64 = 18_446_744_073_709_551_616.0;

/// How many points each owner has. They are dealt out one after the other, so that what is rounded
/// of one is not lost to all.
fn counts(sizes: Sizes, owners: &[(EndpointId, u32)]) -> Vec<usize> {
    let sum: f64 = owners.iter().map(|&(_, weight)| f64::from(weight)).sum();
    let parts: Vec<_> = owners.iter().map(|&(_, weight)| f64::from(weight) / sum).collect();
    let least = parts.iter().copied().fold(1.0, f64::min);
    let scale = ((least * f64::from(sizes.min)).ceil() / least).min(f64::from(sizes.max));
    let (mut dealt, mut target) = (0_usize, 0.0);
    let count = |part: &f64| {
        target += scale * part;
        let before = dealt;
        while (dealt as f64) < target {
            dealt += 1;
        }
        dealt - before
    };
    parts.iter().map(count).collect()
}
