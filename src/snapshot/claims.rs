//! Who is owed a pick outside of the pickers' tables.

use crate::endpoint::{Begun, Bound};
use crate::outlier::{Phase, Rules};
use crate::snapshot::Member;
use crate::snapshot::tables::Tables;
use crate::sync::{Arc, AtomicU64, Ordering};
use crate::tiers::GroupKey;
use crate::units::{EndpointId, Key, Nanos};

/// Picks that are owed to endpoints on their way back, whatever their share is.
#[derive(Debug)]
pub(crate) struct Claims<T> {
    /// In the order of the ids.
    owed: Box<[Claim<T>]>,
    turn: AtomicU64,
    /// Nanoseconds for which a probe is waited for before somebody else may probe too.
    patience: u64,
}

#[derive(Debug)]
struct Claim<T> {
    bound: Arc<Bound<T>>,
    due: Due,
    /// The table that its keys are picked from; `None` if there is none, or where nobody asks.
    home: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
enum Due {
    Probe { epoch: u32 },
    Nudge,
}

/// Whether those who are looked at first are others for whoever comes next.
#[derive(Clone, Copy, Debug)]
enum Turn {
    Taken,
    Left,
}

/// Claims that one pick looks at, however many there are.
const LOOKED_AT: usize = 4;

impl<T> Claims<T> {
    pub(super) fn of<'a>(
        members: impl Iterator<Item = &'a Member<T>>,
        rules: &Rules,
        tables: &Tables<T>,
    ) -> Self
    where
        T: 'a,
    {
        let claim = |member: &'a Member<T>| {
            let due = match member.standing().phase {
                // A request would only find what checks have found.
                _ if member.standing().is_unhealthy() => return None,
                Phase::Probing { .. } => Due::Probe { epoch: member.standing().epoch },
                // Where keys decide, it has keys of its own, and bounds that a nudge would pass by.
                Phase::Warming { .. } if tables.is_keyed() => return None,
                Phase::Warming { .. } => Due::Nudge,
                Phase::Available | Phase::Ejected { .. } => return None,
            };
            let group = || GroupKey::of(&member.attributes, rules.tiers.as_ref());
            member.is_in_rotation().then(|| Claim {
                bound: Arc::clone(&member.bound),
                due,
                home: tables.is_keyed().then(group).and_then(|group| tables.at(&group)),
            })
        };
        let owed = members.filter_map(claim).collect();
        Self { owed, turn: AtomicU64::new(0), patience: rules.probe_patience() }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.owed.is_empty()
    }

    /// Gives the request to somebody who is owed one, if it may go there. Looks at a few of them:
    /// each pick pays for it.
    #[cold]
    pub(super) fn redeem(&self, key: &Key, now: Nanos) -> Option<Begun<'_, T>> {
        self.among(LOOKED_AT, key, Turn::Taken, |_| true, |it| self.give(it, (now, now)))
    }

    /// As [`redeem`](Self::redeem), where keys decide: a request probes only whom its key belongs to.
    /// Of those who have no table, so that no key leads there, any request does.
    #[cold]
    pub(super) fn redeem_own(
        &self,
        (hash, drawn): (u64, Option<usize>),
        tables: &Tables<T>,
        key: &Key,
        now: Nanos,
    ) -> Option<Begun<'_, T>> {
        self.own((hash, drawn), tables, key, Turn::Taken, |it| self.give(it, (now, now)))
    }

    /// As [`redeem`](Self::redeem), for a request that has nowhere else to go: looks at all, and
    /// leaves nobody his rest.
    #[cold]
    pub(super) fn redeem_any(&self, key: &Key, now: Nanos) -> Option<Begun<'_, T>> {
        let give = |claim| self.give(claim, (now, Nanos::NEVER));
        self.among(self.owed.len(), key, Turn::Taken, |_| true, give)
    }

    /// Whom [`redeem_own`](Self::redeem_own) would give the request to, or without a hash
    /// [`redeem`](Self::redeem), and whether as a probe. Takes nothing.
    pub(super) fn foresee(
        &self,
        own: Option<(u64, Option<usize>)>,
        tables: &Tables<T>,
        key: &Key,
        now: Nanos,
    ) -> Option<(&EndpointId, bool)> {
        let would = |claim| self.would(claim, (now, now));
        match own {
            Some(own) => self.own(own, tables, key, Turn::Left, would),
            None => self.among(LOOKED_AT, key, Turn::Left, |_| true, would),
        }
    }

    /// As [`foresee`](Self::foresee), for [`redeem_any`](Self::redeem_any).
    pub(super) fn foresee_any(&self, key: &Key, now: Nanos) -> Option<&EndpointId> {
        let would = |claim| self.would(claim, (now, Nanos::NEVER));
        self.among(self.owed.len(), key, Turn::Left, |_| true, would).map(|(id, _)| id)
    }

    fn own<'c, R>(
        &'c self,
        (hash, drawn): (u64, Option<usize>),
        tables: &Tables<T>,
        key: &Key,
        turn: Turn,
        give: impl Fn(&'c Claim<T>) -> Option<R>,
    ) -> Option<R> {
        // The usual case is looked up, however many are owed something.
        let owner = drawn.and_then(|drawn| tables.owner(drawn, hash));
        let known = |owner| self.owed.binary_search_by(|claim| claim.bound.cell.id().cmp(owner));
        let own = owner.and_then(|owner| self.owed.get(known(owner).ok()?));
        let may = |claim: &&Claim<T>| !key.excludes(claim.bound.cell.id());
        own.filter(may).and_then(&give).or_else(|| {
            let may = |claim: &Claim<T>| {
                let belongs = |home| tables.owner(home, hash) == Some(claim.bound.cell.id());
                claim.home.is_none_or(|it| Some(it) != drawn && belongs(it))
            };
            self.among(LOOKED_AT, key, turn, may, give)
        })
    }

    fn among<'c, R>(
        &'c self,
        most: usize,
        key: &Key,
        turn: Turn,
        may: impl Fn(&Claim<T>) -> bool,
        give: impl Fn(&'c Claim<T>) -> Option<R>,
    ) -> Option<R> {
        let owed = self.owed.len();
        let first = if owed <= most {
            0
        } else {
            let turn = match turn {
                Turn::Taken => self.turn.fetch_add(LOOKED_AT as u64, Ordering::Relaxed),
                Turn::Left => self.turn.load(Ordering::Relaxed),
            };
            // Below `owed`, so it fits.
            (turn % owed as u64) as usize
        };
        let looked_at = self.owed.iter().cycle().skip(first).take(owed.min(most));
        looked_at.filter(|claim| !key.excludes(claim.bound.cell.id()) && may(claim)).find_map(give)
    }

    /// Whom [`give`](Self::give) would give the request to, and whether as a probe.
    fn would<'c>(
        &self,
        claim: &'c Claim<T>,
        (now, rested): (Nanos, Nanos),
    ) -> Option<(&'c EndpointId, bool)> {
        let trial = &claim.bound.cell.trial;
        let (is_owed, is_probe) = match claim.due {
            Due::Probe { epoch } => (trial.would_probe(epoch, now, rested, self.patience), true),
            Due::Nudge => (trial.is_nudged(), false),
        };
        is_owed.then(|| (claim.bound.cell.id(), is_probe))
    }

    /// Counts the request in with one who is owed it, if it is still.
    fn give<'c>(&self, claim: &'c Claim<T>, (now, rested): (Nanos, Nanos)) -> Option<Begun<'c, T>> {
        let (cell, trial) = (&claim.bound.cell, &claim.bound.cell.trial);
        let begun = |number| Begun::new(&claim.bound, number);
        match claim.due {
            Due::Probe { epoch } => {
                let token = trial.claim_probe(epoch, now, rested, self.patience)?;
                let number = cell.begin(now);
                if number.is_none() {
                    trial.free_probe(token);
                }
                number.map(|number| Begun { probes: Some(token), ..begun(number) })
            }
            Due::Nudge if trial.claim_nudge() => cell.begin(now).map(begun),
            Due::Nudge => None,
        }
    }
}
