//! Who takes part in the picker's table, with which weight, and who is owed a pick outside of it.

use crate::endpoint::{Bound, Held, Terms};
use crate::outlier::{Panic, Phase, Rotation, Rules, Standing};
use crate::ramp::scaled;
use crate::snapshot::Member;
use crate::sync::{Arc, AtomicU64, Ordering};
use crate::units::{Key, Nanos};

/// All of an endpoint that decides about its seat.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stand {
    pub(crate) weight: u32,
    /// Whether operators let it take something new.
    pub(crate) enabled: bool,
    pub(crate) standing: Standing,
}

impl Stand {
    pub(crate) fn is_in_rotation(self) -> bool {
        self.enabled && self.weight > 0
    }

    /// The same endpoint, were it well.
    pub(crate) fn well(self) -> Self {
        Self { standing: Standing::default(), ..self }
    }

    /// How many of `stands` could be chosen were they well, and how many of them are out.
    pub(crate) fn rotation(stands: impl IntoIterator<Item = Self>) -> Rotation {
        let rotation = stands.into_iter().filter(|stand| stand.is_in_rotation());
        rotation.fold(Rotation::default(), |sum, stand| Rotation {
            of: sum.of + 1,
            out: sum.out + usize::from(stand.standing.is_out()),
        })
    }
}

/// The members that may be chosen, by position, with the weights they are chosen by.
#[derive(Debug)]
pub(crate) struct Seats {
    /// In the order of the members.
    taken: Box<[(usize, u32)]>,
    /// What the weights of all are multiplied by while somebody warms up.
    parts: Box<[f64]>,
}

impl Seats {
    pub(super) fn of(stands: &[Stand], panic: Panic, rules: &Rules, now: Nanos) -> Self {
        let rotation = || stands.iter().enumerate().filter(|(_, stand)| stand.is_in_rotation());
        let well = || rotation().filter(|(_, stand)| !stand.standing.is_out());
        // In panic the sick are served as if they were well, and so are those who warm up: they
        // are the better ones.
        let disbelieved = panic.is_on() && (rules.serve_all || well().next().is_some());
        let part = |stand: &Stand| match stand.standing.phase {
            Phase::Warming { since } if !disbelieved => rules.ramp.part(since, now),
            _ => 1.0,
        };
        let seated = |(at, stand): (usize, &Stand)| (at, (stand.weight, part(stand)));
        let (positions, parts): (Vec<_>, Vec<_>) =
            if disbelieved { rotation().map(seated).unzip() } else { well().map(seated).unzip() };
        Self {
            taken: positions.into_iter().zip(scaled(&parts)).collect(),
            parts: parts.into_iter().map(|(_, part)| part).collect(),
        }
    }

    /// The seats of a set whose endpoints are all well.
    pub(super) fn intended(stands: &[Stand]) -> Self {
        let rotation = stands.iter().enumerate().filter(|(_, stand)| stand.is_in_rotation());
        let taken: Box<[_]> = rotation.map(|(at, stand)| (at, stand.weight)).collect();
        Self { parts: vec![1.0; taken.len()].into(), taken }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, u32)> + '_ {
        self.taken.iter().copied()
    }

    /// Whether nobody warms up.
    pub(super) fn is_whole(&self) -> bool {
        self.parts.iter().all(|&part| part >= 1.0)
    }

    /// The part of its weight that a member has now: 0 if it has no seat.
    pub(crate) fn part(&self, member: usize) -> f64 {
        let seat = self.taken.binary_search_by_key(&member, |&(at, _)| at).ok();
        seat.and_then(|seat| self.parts.get(seat)).copied().unwrap_or(0.0)
    }
}

/// When somebody's share grows next.
pub(super) fn next_step<T>(members: &[Arc<Member<T>>], rules: &Rules, now: Nanos) -> Nanos {
    let warming = |member: &Arc<Member<T>>| {
        member.is_in_rotation() && matches!(member.standing.phase, Phase::Warming { .. })
    };
    if members.iter().any(warming) { rules.ramp.next(now) } else { Nanos::NEVER }
}

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
    pub(super) fn of(members: &[Arc<Member<T>>], rules: &Rules) -> Self {
        let claim = |member: &Arc<Member<T>>| {
            let due = match member.standing.phase {
                Phase::Probing { .. } => Due::Probe { epoch: member.standing.epoch },
                Phase::Warming { .. } => Due::Nudge,
                Phase::Available | Phase::Ejected { .. } => return None,
            };
            member.is_in_rotation().then(|| Claim { bound: Arc::clone(&member.bound), due })
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
    pub(super) fn redeem(&self, key: &Key, now: Nanos, terms: Terms) -> Option<Held<T>> {
        self.redeem_among(LOOKED_AT, key, (now, now), terms)
    }

    /// As [`redeem`](Self::redeem), for a request that has nowhere else to go: looks at all, and
    /// leaves nobody his rest.
    #[cold]
    pub(super) fn redeem_any(&self, key: &Key, now: Nanos, terms: Terms) -> Option<Held<T>> {
        self.redeem_among(self.owed.len(), key, (now, Nanos::NEVER), terms)
    }

    fn redeem_among(
        &self,
        most: usize,
        key: &Key,
        (now, rested): (Nanos, Nanos),
        terms: Terms,
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
