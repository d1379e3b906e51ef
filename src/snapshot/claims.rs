//! Who is owed a pick outside of the pickers' tables.

use crate::endpoint::{Bound, Held, Under};
use crate::outlier::{Phase, Rules};
use crate::snapshot::Member;
use crate::snapshot::tables::Tables;
use crate::sync::{Arc, AtomicU64, Ordering};
use crate::tiers::GroupKey;
use crate::units::{Key, Nanos};

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

/// Claims that one pick looks at, however many there are.
const LOOKED_AT: usize = 4;

impl<T> Claims<T> {
    pub(super) fn of(members: &[Arc<Member<T>>], rules: &Rules, tables: &Tables<T>) -> Self {
        let claim = |member: &Arc<Member<T>>| {
            let due = match member.standing.phase {
                // A request would only find what checks have found.
                _ if member.standing.is_unhealthy() => return None,
                Phase::Probing { .. } => Due::Probe { epoch: member.standing.epoch },
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
        let owed = members.iter().filter_map(claim).collect();
        Self { owed, turn: AtomicU64::new(0), patience: rules.probe_patience() }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.owed.is_empty()
    }

    /// Gives the request to somebody who is owed one, if it may go there. Looks at a few of them:
    /// each pick pays for it.
    #[cold]
    pub(super) fn redeem(&self, key: &Key, now: Nanos, under: Under) -> Option<Box<Held<T>>> {
        self.redeem_among(LOOKED_AT, key, (now, now), under, |_| true)
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
        under: Under,
    ) -> Option<Box<Held<T>>> {
        // The usual case is looked up, however many are owed something.
        let owner = drawn.and_then(|drawn| tables.owner(drawn, hash));
        let known = |owner| self.owed.binary_search_by(|claim| claim.bound.cell.id().cmp(owner));
        let own = owner.and_then(|owner| self.owed.get(known(owner).ok()?));
        let may = |claim: &&Claim<T>| !key.excludes(claim.bound.cell.id());
        let held = own.filter(may).and_then(|claim| self.give(claim, (now, now), under));
        held.or_else(|| {
            self.redeem_among(LOOKED_AT, key, (now, now), under, |claim| {
                let belongs = |home| tables.owner(home, hash) == Some(claim.bound.cell.id());
                claim.home.is_none_or(|it| Some(it) != drawn && belongs(it))
            })
        })
    }

    /// As [`redeem`](Self::redeem), for a request that has nowhere else to go: looks at all, and
    /// leaves nobody his rest.
    #[cold]
    pub(super) fn redeem_any(&self, key: &Key, now: Nanos, under: Under) -> Option<Box<Held<T>>> {
        self.redeem_among(self.owed.len(), key, (now, Nanos::NEVER), under, |_| true)
    }

    fn redeem_among(
        &self,
        most: usize,
        key: &Key,
        at: (Nanos, Nanos),
        under: Under,
        may: impl Fn(&Claim<T>) -> bool,
    ) -> Option<Box<Held<T>>> {
        let owed = self.owed.len();
        let first = if owed <= most {
            0
        } else {
            // Below `owed`, so it fits.
            (self.turn.fetch_add(LOOKED_AT as u64, Ordering::Relaxed) % owed as u64) as usize
        };
        let looked_at = self.owed.iter().cycle().skip(first).take(owed.min(most));
        looked_at
            .filter(|claim| !key.excludes(claim.bound.cell.id()) && may(claim))
            .find_map(|claim| self.give(claim, at, under))
    }

    /// Gives the request to one who is owed it, if it is still.
    fn give(&self, claim: &Claim<T>, at: (Nanos, Nanos), under: Under) -> Option<Box<Held<T>>> {
        let ((now, rested), trial) = (at, &claim.bound.cell.trial);
        match claim.due {
            Due::Probe { epoch } => {
                let token = trial.claim_probe(epoch, now, rested, self.patience)?;
                let held = Held::begin(&claim.bound, now, under);
                if held.is_err() {
                    trial.free_probe(token);
                }
                held.ok().map(|held| Box::new(held.probing(token)))
            }
            Due::Nudge if trial.claim_nudge() => {
                Held::begin(&claim.bound, now, under).ok().map(Box::new)
            }
            Due::Nudge => None,
        }
    }
}
