//! From a key to an endpoint that may be chosen.

use crate::hash;
use crate::strategy::hashing::wheel::{Built, Wheel, salt};
use crate::strategy::{Candidate, Candidates, Owner, PickContext};
use crate::sync::Arc;
use crate::units::EndpointId;

/// Steps from position to position before everybody is asked instead: where so many in a row are
/// out, hardly anybody is left.
pub(super) const STEPS: usize = 64;

/// A wheel, and who of its owners may be chosen.
#[derive(Debug)]
pub(super) struct Walk<W: Wheel> {
    pub(super) built: Arc<Built<W>>,
    /// `None` where all owners may be, each with all of its keys: then they are the candidates.
    seats: Option<Box<[Seat]>>,
    /// Of each candidate: the salt and the weight.
    seated: Box<[(u64, u32)]>,
}

/// Whether an owner may be chosen.
#[derive(Clone, Copy, Debug)]
struct Seat {
    /// Its index as a candidate; [`OUT`] if it is none.
    index: u32,
    /// The part of its keys that it takes, of 2^64; all of them at the highest.
    takes: u64,
}

const OUT: u32 = u32::MAX;
const ALL: u64 = u64::MAX;

impl Seat {
    const OUT: Self = Self { index: OUT, takes: 0 };

    fn of((index, part): (usize, f64)) -> Self {
        // A float that is too large becomes the largest number.
        Self { index: index as u32, takes: (part * ALL as f64) as u64 }
    }
}

impl<W: Wheel> Walk<W> {
    /// A wheel may be from before `owners` were these: then whoever has left is out, and whoever is new
    /// owns nothing.
    pub(super) fn new(built: Arc<Built<W>>, owners: &[Owner], candidates: &Candidates<'_>) -> Self {
        let candidate = |candidate: &Candidate| (salt(candidate.id()), candidate.weight());
        let seated = candidates.iter().map(candidate).collect();
        let mut present = owners.iter().peekable();
        // Both are in the order of the ids.
        let seat = |(id, _): &(EndpointId, u32)| {
            while present.next_if(|owner| owner.id() < id).is_some() {}
            let owner = present.next_if(|owner| owner.id() == id);
            owner.and_then(|it| Some((it.seat()?, it.part()))).map_or(Seat::OUT, Seat::of)
        };
        let seats: Box<[_]> = built.owners.iter().map(seat).collect();
        let is_whole = seats
            .iter()
            .enumerate()
            .all(|(at, seat)| seat.index as usize == at && seat.takes == ALL)
            && seats.len() == candidates.len();
        Self { built, seats: (!is_whole).then_some(seats), seated }
    }

    /// The candidate that a key belongs to, or the next one that takes it; `None` if the request
    /// excludes all.
    #[inline]
    pub(super) fn find(&self, hash: u64, cx: &PickContext<'_>) -> Option<usize> {
        let at = self.built.wheel.find(hash);
        let owner = self.built.wheel.owner(at)?;
        if self.seats.is_none() && cx.excluded().is_empty() {
            return Some(owner as usize);
        }
        match self.seat_of(owner, hash) {
            Some(index) if cx.excluded().is_empty() || !cx.is_excluded(index) => Some(index),
            _ => self.find_after(at, hash, |index| cx.is_excluded(index)),
        }
    }

    /// The candidate that takes this key of an owner, if the owner does.
    #[inline]
    fn seat_of(&self, owner: u32, hash: u64) -> Option<usize> {
        let Some(seats) = &self.seats else { return Some(owner as usize) };
        let seat = seats.get(owner as usize).filter(|seat| seat.index != OUT)?;
        let takes = seat.takes == ALL || {
            // Which keys come first is the endpoint's own: it stays so while the part grows.
            let salt = self.built.salts.get(owner as usize)?;
            hash::mix(hash, *salt) < seat.takes
        };
        takes.then_some(seat.index as usize)
    }

    fn find_after(
        &self,
        at: usize,
        hash: u64,
        is_excluded: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let wheel = &self.built.wheel;
        let mut position = at;
        for _ in 0..STEPS.min(wheel.len()) {
            position = if position + 1 < wheel.len() { position + 1 } else { 0 };
            let index = wheel.owner(position).and_then(|owner| self.seat_of(owner, hash));
            if let Some(index) = index.filter(|&index| !is_excluded(index)) {
                return Some(index);
            }
        }
        self.last(hash, is_excluded)
    }

    /// One of all that are left, so that each key keeps its choice for as long as that one is left:
    /// the highest score wins (weighted rendezvous hashing, Schindelhauer and Schomaker 2005).
    #[cold]
    fn last(&self, hash: u64, is_excluded: impl Fn(usize) -> bool) -> Option<usize> {
        let mut best = None;
        for (index, &(salt, weight)) in self.seated.iter().enumerate() {
            if is_excluded(index) {
                continue;
            }
            // Between 0 and 1, both exclusive: 52 bits and a half, which a float holds.
            let ticket = ((hash::mix(hash, salt) >> 12) as f64 + 0.5) / (1_u64 << 52) as f64;
            let score = f64::from(weight) / -ticket.ln();
            if best.is_none_or(|(_, highest)| score > highest) {
                best = Some((index, score));
            }
        }
        best.map(|(index, _)| index)
    }

    /// Who owns a key, whether it may be chosen or not.
    pub(super) fn owner(&self, hash: u64) -> Option<u32> {
        self.built.wheel.owner(self.built.wheel.find(hash))
    }

    /// Whether all owners may be chosen, each with all of its keys.
    pub(super) fn is_whole(&self) -> bool {
        self.seats.is_none()
    }

    /// The candidate that an owner is, and the part of its keys that it takes.
    pub(super) fn takes(&self, owner: u32) -> Option<(usize, f64)> {
        let Some(seats) = &self.seats else { return Some((owner as usize, 1.0)) };
        let seat = seats.get(owner as usize).filter(|seat| seat.index != OUT)?;
        Some((seat.index as usize, seat.takes as f64 / ALL as f64))
    }

    /// The weights of the candidates.
    pub(super) fn weights(&self) -> impl Iterator<Item = u32> + '_ {
        self.seated.iter().map(|&(_, weight)| weight)
    }
}
