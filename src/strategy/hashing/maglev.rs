//! Maglev's lookup table, with weights as Envoy has them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;

use crate::config::HashConfig;
use crate::hash;
use crate::strategy::hashing::bounded::Bounds;
use crate::strategy::hashing::memory::{Memory, Wheels};
use crate::strategy::hashing::picker::KeyedPicker;
use crate::strategy::hashing::wheel::Wheel;
use crate::strategy::{Candidates, Picker, Strategy};
use crate::sync::Arc;
use crate::units::EndpointId;

/// A table in which every endpoint has its part of the rows; a key belongs to the row of its hash
/// modulo their number.
///
/// The table of Maglev (Eisenbud et al., NSDI 2016): each endpoint goes through all rows in an order
/// of its own, from xxHash64 of its id with the seeds 0 and 1 as in Envoy, and they claim rows by
/// turns; whoever weighs less has fewer turns. A lookup is one read, and parts are as even as
/// [`table_size`](HashConfig::table_size) allows: nobody has two rows more than its part, and the
/// more rows, the fewer keys change their endpoint with the set.
///
/// A key of an endpoint that is out goes to the next row of somebody who is not. The endpoint keeps
/// its rows meanwhile. A request without a key is drawn by weight.
///
/// While the set changes again and again, keys follow it with up to 100 ms delay: eight tables are built
/// at once, then one in each 100 ms ([what it costs](crate::docs::hashing#what-it-costs)).
#[derive(Clone, Debug)]
pub struct Maglev {
    rows: u32,
    bounds: Option<Bounds>,
    tables: Arc<Memory<Table>>,
}

impl Maglev {
    /// By these settings.
    #[must_use]
    pub fn new(config: &HashConfig) -> Self {
        Self::with_wheels(config, &Wheels::default())
    }

    pub(crate) fn with_wheels(config: &HashConfig, wheels: &Wheels) -> Self {
        Self {
            rows: config.table_size(),
            bounds: config.bounded_load_percent().map(Bounds::of_percent),
            tables: Arc::clone(&wheels.tables),
        }
    }
}

impl Default for Maglev {
    /// 65,537 rows, and no bound on the load.
    fn default() -> Self {
        Self::new(&HashConfig::default())
    }
}

impl Strategy for Maglev {
    fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker> {
        let owners = candidates.owners();
        let wheel = self.tables.wheel(self.rows, &owners, candidates.stock());
        Box::new(KeyedPicker::new(wheel, &owners, candidates, self.bounds))
    }

    fn asks_for_latency(&self) -> bool {
        false
    }
}

/// Who owns each row.
pub(crate) struct Table(Box<[u32]>);

/// Owners that are asked in about the time in which the next one to claim is found in a heap.
const SCANS: u64 = 32;

/// Owns no row: a row that is not claimed yet.
const NOBODY: u32 = u32::MAX;

impl Wheel for Table {
    /// The number of rows, a prime.
    type Shape = u32;

    fn build(rows: u32, owners: &[(EndpointId, u32)]) -> Self {
        let mut claims = Claims::new(rows, owners);
        let equal =
            owners.iter().all(|(_, weight)| owners.first().is_some_and(|it| it.1 == *weight));
        if equal {
            claims.in_turn();
        } else {
            claims.by_weight(owners);
        }
        Self(claims.rows.into())
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn find(&self, hash: u64) -> usize {
        // Of a `usize`: at most `len`.
        (hash % (self.0.len() as u64).max(1)) as usize
    }

    #[inline]
    fn owner(&self, position: usize) -> Option<u32> {
        self.0.get(position).copied()
    }

    fn part(&self, _: usize) -> f64 {
        1.0 / self.0.len() as f64
    }

    /// In `r` rounds an owner claims at most `r · weight / heaviest + 1` rows, and nobody less than
    /// what the rounds before the last gave him. So nobody has two rows more than his part.
    fn most(rows: u32, part: f64, of: usize) -> f64 {
        part + 2.0 * of as f64 / f64::from(rows)
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("rows", &self.0.len()).finish_non_exhaustive()
    }
}

/// A table while it is being filled.
struct Claims {
    rows: Vec<u32>,
    paths: Vec<Path>,
    left: usize,
}

/// The order in which an owner goes through the rows. As their number is a prime, every step leads
/// through all of them.
struct Path {
    at: u32,
    step: u32,
}

impl Claims {
    fn new(rows: u32, owners: &[(EndpointId, u32)]) -> Self {
        let n = u64::from(rows);
        let path = |(id, _): &(EndpointId, u32)| {
            let hashed = |seed| hash::seeded(id.as_str().as_bytes(), seed);
            // Both are below `rows`.
            Path { at: (hashed(0) % n) as u32, step: (hashed(1) % (n - 1)) as u32 + 1 }
        };
        Self {
            rows: vec![NOBODY; rows as usize],
            paths: owners.iter().map(path).collect(),
            left: rows as usize,
        }
    }

    /// The next row on the owner's path that is free becomes his.
    fn claim(&mut self, owner: usize) {
        let (n, left) = (self.rows.len() as u32, self.left);
        let Some(path) = self.paths.get_mut(owner).filter(|_| left > 0) else { return };
        // There is a free row, and the path leads through all.
        for _ in 0..n {
            let row = self.rows.get_mut(path.at as usize);
            // Without a carry: both are below `n`, which is far below what a word holds.
            path.at += path.step;
            if path.at >= n {
                path.at -= n;
            }
            if let Some(row) = row.filter(|row| **row == NOBODY) {
                *row = owner as u32;
                self.left -= 1;
                return;
            }
        }
    }

    fn in_turn(&mut self) {
        while self.left > 0 && !self.paths.is_empty() {
            (0..self.paths.len()).for_each(|owner| self.claim(owner));
        }
    }

    /// In each round an owner claims a row if `round · weight` has reached as many times the largest
    /// weight as he has rows.
    fn by_weight(&mut self, owners: &[(EndpointId, u32)]) {
        let weight = |owner: usize| owners.get(owner).map_or(1, |&(_, weight)| u64::from(weight));
        let heaviest = (0..owners.len()).map(weight).max().unwrap_or(1);
        let sum: u64 = (0..owners.len()).map(weight).sum();
        if heaviest * owners.len() as u64 / SCANS <= sum {
            self.in_rounds(owners, heaviest as i64);
        } else {
            self.claim_by_claim(owners, heaviest);
        }
    }

    /// Asks everybody in every round.
    fn in_rounds(&mut self, owners: &[(EndpointId, u32)], heaviest: i64) {
        // What he has reached, less what his rows count: within the largest weight of zero.
        let mut left: Vec<_> = owners.iter().map(|&(_, weight)| (i64::from(weight), 0)).collect();
        while self.left > 0 && !left.is_empty() {
            for (owner, (weight, left)) in left.iter_mut().enumerate() {
                *left += *weight;
                if *left >= 0 {
                    *left -= heaviest;
                    self.claim(owner);
                }
            }
        }
    }

    /// Goes from claim to claim instead.
    fn claim_by_claim(&mut self, owners: &[(EndpointId, u32)], heaviest: u64) {
        let weight = |owner: usize| owners.get(owner).map_or(1, |&(_, weight)| u64::from(weight));
        let mut next: BinaryHeap<_> =
            (0..owners.len()).map(|owner| Reverse((1_u64, owner, 0_u64))).collect();
        while self.left > 0 {
            let Some(Reverse((round, owner, claimed))) = next.pop() else { return };
            self.claim(owner);
            let claimed = claimed + 1;
            // At most as many rounds as rows for the heaviest, so this stays below 2^23 · 2^32.
            let reached = (claimed * heaviest).div_ceil(weight(owner));
            next.push(Reverse((reached.max(round + 1), owner, claimed)));
        }
    }
}
