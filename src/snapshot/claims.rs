//! Who is owed a pick outside of the pickers' tables.

use crate::endpoint::{Bound, Held};
use crate::outlier::{Phase, Rules};
use crate::snapshot::Member;
use crate::sync::{Arc, AtomicU64, Ordering};
use crate::units::{Key, Nanos};

/// Picks that are owed to endpoints on their way back, whatever their share is.
#[derive(Debug)]
pub(crate) struct Claims<T> {
    owed: Box<[Claim<T>]>,
    turn: AtomicU64,
    /// Nanoseconds for which a probe is waited for before somebody else may probe too.
    patience: u64,
}

#[derive(Debug)]
struct Claim<T> {
    bound: Arc<Bound<T>>,
    due: Due,
}

#[derive(Clone, Copy, Debug)]
enum Due {
    Probe { epoch: u32 },
    Nudge,
}

/// Claims that one pick looks at, however many there are.
const LOOKED_AT: usize = 4;

impl<T> Claims<T> {
    pub(super) fn of<'a>(members: impl Iterator<Item = &'a Member<T>>, rules: &Rules) -> Self
    where
        T: 'a,
    {
        let claim = |member: &'a Member<T>| {
            let due = match member.standing().phase {
                // A request would only find what checks have found.
                _ if member.standing().is_unhealthy() => return None,
                Phase::Probing { .. } => Due::Probe { epoch: member.standing().epoch },
                Phase::Warming { .. } => Due::Nudge,
                Phase::Available | Phase::Ejected { .. } => return None,
            };
            member.is_in_rotation().then(|| Claim { bound: Arc::clone(&member.bound), due })
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
    pub(super) fn redeem(&self, key: &Key, now: Nanos, terms: u64) -> Option<Held<T>> {
        self.redeem_among(LOOKED_AT, key, (now, now), terms)
    }

    /// As [`redeem`](Self::redeem), for a request that has nowhere else to go: looks at all, and
    /// leaves nobody his rest.
    #[cold]
    pub(super) fn redeem_any(&self, key: &Key, now: Nanos, terms: u64) -> Option<Held<T>> {
        self.redeem_among(self.owed.len(), key, (now, Nanos::NEVER), terms)
    }

    fn redeem_among(
        &self,
        most: usize,
        key: &Key,
        (now, rested): (Nanos, Nanos),
        terms: u64,
    ) -> Option<Held<T>> {
        let owed = self.owed.len();
        let first = if owed <= most {
            0
        } else {
            // Below `owed`, so it fits.
            (self.turn.fetch_add(LOOKED_AT as u64, Ordering::Relaxed) % owed as u64) as usize
        };
        let looked_at = self.owed.iter().cycle().skip(first).take(owed.min(most));
        looked_at.filter(|claim| !key.excludes(claim.bound.cell.id())).find_map(|claim| {
            let trial = &claim.bound.cell.trial;
            match claim.due {
                Due::Probe { epoch } => {
                    let token = trial.claim_probe(epoch, now, rested, self.patience)?;
                    let held = Held::begin(&claim.bound, now, terms);
                    if held.is_err() {
                        trial.free_probe(token);
                    }
                    held.ok().map(|held| held.probing(token))
                }
                Due::Nudge if trial.claim_nudge() => Held::begin(&claim.bound, now, terms).ok(),
                Due::Nudge => None,
            }
        })
    }
}
