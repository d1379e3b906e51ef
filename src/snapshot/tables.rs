//! What a pick chooses from: a picker for each group of endpoints that are picked among together.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::endpoint::{Bound, Line};
use crate::hash;
use crate::outlier::Rules;
use crate::rng::Rng;
use crate::snapshot::owners::owners;
use crate::snapshot::seating::Seating;
use crate::snapshot::seats::{Group, Seats};
use crate::snapshot::stores::{Stores, Supply};
use crate::snapshot::{Chosen, Ground, Member};
use crate::strategy::{Candidate, Candidates, Cursor, Owner, Picker, Stock, Used};
use crate::sync::Arc;
use crate::tiers::GroupKey;
use crate::units::EndpointId;

/// The tables of a snapshot, the most preferred first.
#[derive(Debug)]
pub(super) struct Tables<T> {
    all: Box<[Table<T>]>,
    /// Up to which number each table is drawn that takes a part of the requests. Empty where the
    /// first takes all of them, so that nothing is drawn.
    drawn: Box<[(u64, usize)]>,
    /// Whether a request's key decides, also about the table.
    is_keyed: bool,
    /// What the pickers go by.
    pub(super) stores: Stores,
    /// How many wheels had to be built for them.
    pub(super) built: u32,
    /// Whether one goes by the wheel of a set that was there before.
    pub(super) lags: bool,
}

/// Endpoints that are picked among together.
#[derive(Debug)]
pub(super) struct Table<T> {
    pub(super) key: GroupKey,
    pub(super) candidates: Box<[Candidate]>,
    /// Those of the same ones: what nearly every pick needs of them, in as few bytes as may be.
    pub(super) lines: Box<[Line]>,
    pub(super) bound: Box<[Arc<Bound<T>>]>,
    pub(super) picker: Box<dyn Picker>,
    pub(super) shares: Shares,
}

/// What a picker gives to each of its candidates.
#[derive(Debug)]
pub(super) enum Shares {
    /// This, to all.
    Same(f64),
    Each(Box<[f64]>),
}

/// A strategy panicked while it prepared a picker.
#[derive(Debug)]
pub(crate) struct StrategyPanicked;

/// Draws are numbers below this, so that a part of them is exact as a float.
const DRAWS: u64 = 1 << 53;

/// Sets the draw of a table apart from whatever else is made of a key.
const TABLES: u64 = 0x007A_B1E5;

impl<T> Tables<T> {
    /// Lets the strategy prepare a picker for each group that has `seating`.
    pub(super) fn of(
        seating: &Seating,
        members: &[Member<T>],
        chosen: &Chosen,
        cursors: &Cursors,
        rules: &Rules,
        supply: Supply<'_>,
    ) -> Result<Self, StrategyPanicked> {
        let (mut is_keyed, mut lags, mut built) = (false, false, 0_u32);
        let mut wheels = Vec::new();
        let mut all = Vec::new();
        let mut drawn = Vec::new();
        let mut upto = 0.0;
        for (group, weights) in seating.groups() {
            if group.load > 0.0 {
                upto += group.load;
                drawn.push(((upto * DRAWS as f64) as u64, all.len()));
            }
            let mut candidates = Vec::with_capacity(weights.len());
            let mut lines = Vec::with_capacity(weights.len());
            let mut bound = Vec::with_capacity(weights.len());
            for (&at, &weight) in group.members.iter().zip(weights) {
                let Some(member) = members.get(at as usize) else { continue };
                candidates.push(member.place().candidate(weight));
                lines.push(member.bound.line);
                bound.push(Arc::clone(&member.bound));
            }
            let places = || members.iter().map(Member::place);
            let owners = || owners(places(), group, &seating.seats, rules);
            let cursor = cursors.of(&group.key);
            let stock = Stock::new(supply.carried(&group.key), supply.may_build());
            let prepared = prepare(chosen, cursor, &candidates, &owners, stock)?;
            let Prepared { picker, shares, is_by_key, used } = prepared;
            is_keyed |= is_by_key;
            lags |= used.lag.is_some();
            built = built.saturating_add(used.built);
            if !used.wheels.is_empty() {
                wheels.push((group.key.clone(), used.wheels));
            }
            let shares = Shares::of(shares, candidates.len());
            all.push(Table {
                key: group.key.clone(),
                bound: bound.into(),
                candidates: candidates.into(),
                lines: lines.into(),
                picker,
                shares,
            });
        }
        if matches!(drawn.as_slice(), [(_, 0)]) {
            drawn.clear();
        }
        let has_picker = |key: &GroupKey| all.iter().any(|table| table.key == *key);
        let stores = Stores::following(wheels, has_picker, supply.stores(), members, rules);
        Ok(Self { all: all.into(), drawn: drawn.into(), is_keyed, stores, built, lags })
    }

    /// Whether a request's key decides.
    #[inline]
    pub(super) fn is_keyed(&self) -> bool {
        self.is_keyed
    }

    /// The table that a request is picked from, where several take a part: by chance, or by its key
    /// if that decides, so that it stays the same while the parts do and moves no more than they do.
    /// `None` where there is nothing to pick from.
    #[inline]
    pub(super) fn draw(&self, key: Option<u64>, rng: &mut Rng) -> Option<(usize, &Table<T>)> {
        if self.drawn.is_empty() {
            return self.all.first().map(|table| (0, table));
        }
        let draw = match key.filter(|_| self.is_keyed) {
            Some(key) => hash::mix(key, TABLES) >> (u64::BITS - DRAWS.trailing_zeros()),
            None => rng.below(DRAWS),
        };
        let at = self.drawn.partition_point(|&(upto, _)| upto <= draw);
        // What the parts lack of 1 by rounding belongs to the last.
        let &(_, at) = self.drawn.get(at).or_else(|| self.drawn.last())?;
        self.all.get(at).map(|table| (at, table))
    }

    /// The part of requests that each table takes, in their order.
    pub(super) fn parts(&self) -> Vec<f64> {
        let mut parts = vec![0.0; self.all.len()];
        if let Some(first) = parts.first_mut().filter(|_| self.drawn.is_empty()) {
            *first = 1.0;
        }
        let mut before = 0;
        for (place, &(upto, at)) in self.drawn.iter().enumerate() {
            // What the parts lack of 1 by rounding belongs to the last.
            let upto = if place + 1 == self.drawn.len() { DRAWS } else { upto };
            if let Some(part) = parts.get_mut(at) {
                *part = upto.saturating_sub(before) as f64 / DRAWS as f64;
            }
            before = upto;
        }
        parts
    }

    pub(super) fn all(&self) -> &[Table<T>] {
        &self.all
    }

    /// The table of a group, if it has one: nobody may be left of it.
    pub(super) fn at(&self, key: &GroupKey) -> Option<usize> {
        self.all.iter().position(|table| table.key == *key)
    }

    /// Whose keys of this hash are in a table.
    pub(super) fn owner(&self, at: usize, hash: u64) -> Option<&EndpointId> {
        self.all.get(at).and_then(|table| table.picker.owner(hash))
    }

    /// The others, the most preferred first.
    pub(super) fn but(&self, drawn: usize) -> impl Iterator<Item = &Table<T>> {
        self.all.iter().enumerate().filter(move |&(at, _)| at != drawn).map(|(_, table)| table)
    }

    /// The members that have a seat, which are `seats`, with the parts of all requests that they get.
    pub(super) fn shares<'a>(
        &'a self,
        seats: &'a Seats,
    ) -> impl Iterator<Item = (usize, f64)> + 'a {
        let each = |(group, table): (&'a Group, &'a Table<T>)| {
            let members = group.members.iter().zip(0..);
            members.filter_map(move |(&member, at)| {
                Some((member as usize, group.load * table.shares.get(at)?))
            })
        };
        seats.taken().zip(&self.all).flat_map(each)
    }

    /// The largest of these parts.
    pub(super) fn largest_share(&self, seats: &Seats) -> f64 {
        let shares = seats.taken().zip(&self.all);
        let largest = shares.map(|(group, table)| group.load * table.shares.largest());
        largest.fold(0.0, f64::max)
    }
}

impl Shares {
    /// Those of `n` candidates; beyond them nothing counts, whatever a strategy says.
    fn of(mut shares: Vec<f64>, n: usize) -> Self {
        shares.truncate(n);
        match shares.first() {
            Some(&first) if shares.len() == n && shares.iter().all(|&share| share == first) => {
                Self::Same(first)
            }
            _ => Self::Each(shares.into()),
        }
    }

    /// `None` if the strategy has not said what this one gets.
    pub(super) fn get(&self, at: usize) -> Option<f64> {
        match self {
            Self::Same(share) => Some(*share),
            Self::Each(shares) => shares.get(at).copied(),
        }
    }

    fn largest(&self) -> f64 {
        match self {
            Self::Same(share) => *share,
            Self::Each(shares) => shares.iter().copied().fold(0.0, f64::max),
        }
    }
}

/// What a strategy makes of its candidates.
pub(super) struct Prepared {
    pub(super) picker: Box<dyn Picker>,
    /// What the picker gives to each.
    pub(super) shares: Vec<f64>,
    /// Whether a request's key decides.
    is_by_key: bool,
    /// What it took of the stock.
    pub(super) used: Used,
}

/// Lets the strategy prepare a picker and say its shares, once and for all: either may be code of
/// the user's own, and nothing that follows may depend on whether it panics. There is at least one
/// candidate.
pub(super) fn prepare(
    chosen: &Chosen,
    cursor: &Arc<Cursor>,
    candidates: &[Candidate],
    owners: &dyn Fn() -> Vec<Owner>,
    stock: Stock<'_>,
) -> Result<Prepared, StrategyPanicked> {
    let prepare = || {
        let picker = chosen.strategy.build(&Candidates::new(candidates, cursor, owners, &stock));
        let shares = picker.shares();
        let is_by_key = picker.owner(0).is_some();
        Prepared { picker, shares, is_by_key, used: stock.into_used() }
    };
    catch_unwind(AssertUnwindSafe(prepare)).map_err(|_| StrategyPanicked)
}

/// Where the round of each group stands. They outlive snapshots.
#[derive(Clone, Debug)]
pub(crate) struct Cursors {
    /// Of the group that all endpoints are in which say nothing of tiers.
    plain: Arc<Cursor>,
    /// In the order of the keys.
    others: Arc<[(GroupKey, Arc<Cursor>)]>,
}

impl Cursors {
    pub(crate) fn new(ground: &Ground) -> Self {
        Self { plain: Arc::new(Cursor::at(ground.turn)), others: Arc::default() }
    }

    /// Those of `groups`: the present ones, and for new groups others that begin somewhere else.
    pub(super) fn with(&self, groups: &[Group], ground: &Ground) -> Self {
        let others = || groups.iter().map(|group| &group.key).filter(|key| !is_plain(key));
        if others().eq(self.others.iter().map(|(key, _)| key)) {
            return self.clone();
        }
        let cursor = |key: &GroupKey| match self.known(key) {
            Some(known) => Arc::clone(known),
            None => Arc::new(Cursor::at((ground.turn ^ hash::value(key)) >> 8)),
        };
        let others = others().map(|key| (key.clone(), cursor(key))).collect();
        Self { plain: Arc::clone(&self.plain), others }
    }

    pub(super) fn of(&self, key: &GroupKey) -> &Arc<Cursor> {
        self.known(key).unwrap_or(&self.plain)
    }

    fn known(&self, key: &GroupKey) -> Option<&Arc<Cursor>> {
        if is_plain(key) {
            return Some(&self.plain);
        }
        let at = self.others.binary_search_by(|(known, _)| known.cmp(key));
        at.ok().and_then(|at| self.others.get(at)).map(|(_, cursor)| cursor)
    }

    /// One to prepare pickers with that never pick.
    pub(super) fn any(&self) -> &Arc<Cursor> {
        &self.plain
    }
}

fn is_plain(key: &GroupKey) -> bool {
    *key == GroupKey::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(shares: Vec<f64>, n: usize) -> (Vec<Option<f64>>, f64) {
        let shares = Shares::of(shares, n);
        ((0..n).map(|at| shares.get(at)).collect(), shares.largest())
    }

    #[test]
    fn shares_are_what_the_strategy_said() {
        assert_eq!(read(vec![0.5, 0.5], 2), (vec![Some(0.5); 2], 0.5));
        assert_eq!(read(vec![0.25, 0.75], 2), (vec![Some(0.25), Some(0.75)], 0.75));
        assert_eq!(read(vec![0.0, -0.0], 2).1, 0.0);
    }

    #[test]
    fn a_strategy_that_says_too_little_or_too_much_is_taken_at_its_word_as_far_as_that_goes() {
        assert_eq!(read(vec![0.5], 2), (vec![Some(0.5), None], 0.5));
        assert_eq!(read(vec![], 1), (vec![None], 0.0));
        assert_eq!(read(vec![0.5, 0.5, 9.0], 2), (vec![Some(0.5); 2], 0.5));
        let (shares, largest) = read(vec![f64::NAN, 0.5], 2);
        assert!(shares[0].is_some_and(f64::is_nan) && largest == 0.5, "{shares:?}");
    }
}
