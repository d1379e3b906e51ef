//! Whether a smaller set is believed.

use std::collections::BTreeMap;

use crate::balancer::paired::Paired;
use crate::config::UpdateConfig;
use crate::error::UpdateError;
use crate::snapshot::{Member, Snapshot, Thought};
use crate::units::{EndpointId, Nanos, Origin, nanos};

/// Refuses sets that are empty or shrink too far at once, unless the same endpoints keep missing.
///
/// What is believed in the end is that an endpoint is gone, not that a set is small: lists that are
/// equally small and say the opposite of each other confirm nothing, and who comes meanwhile does
/// not matter.
#[derive(Debug, Default)]
pub(crate) struct UpdateGuard {
    /// Endpoints that are said to be gone, by changes that were refused.
    missing: BTreeMap<EndpointId, Missing>,
}

/// Since when an endpoint is said to be gone, and when it was said last.
#[derive(Clone, Copy, Debug)]
struct Missing {
    since: Nanos,
    last: Nanos,
}

/// A change of the set, as far as it may be doubted.
#[derive(Debug)]
pub(crate) struct Claim {
    /// Endpoints there are.
    current: usize,
    /// Endpoints there would be.
    proposed: usize,
    /// Whether the last one with a weight above zero would go, or lose it.
    takes_all_weight: bool,
    /// Those who would be gone.
    missing: Vec<EndpointId>,
    /// Whether whoever is not missing is said to be there.
    whole: bool,
}

impl Claim {
    /// The set is to be what is offered and nothing else.
    pub(crate) fn of_set<T>(base: &Snapshot<T>, offers: &Paired<'_, T>) -> Self {
        let weighs = offers.iter(base).any(|(offer, known)| {
            known.and_then(|known| known.said().weight).unwrap_or_else(|| offer.weight()) > 0
        });
        Self::new(base, offers.len(), weighs, offers.missing(base))
    }

    /// The set is to be what is thought of, in the order of the ids.
    pub(crate) fn of_thoughts<T>(base: &Snapshot<T>, thoughts: &[Thought]) -> Self {
        let weighs = thoughts.iter().any(|thought| thought.stand.weight > 0);
        let stays = |id: &EndpointId| {
            thoughts.binary_search_by(|thought| thought.cell.id().cmp(id)).is_ok()
        };
        let ids = base.members.iter().map(Member::id);
        let missing = ids.filter(|id| !stays(id)).cloned().collect();
        Self::new(base, thoughts.len(), weighs, missing)
    }

    /// The endpoint of this id, which is in the set, is to leave.
    pub(crate) fn of_removal<T>(base: &Snapshot<T>, gone: &EndpointId) -> Self {
        let mut others = base.members.iter().filter(|member| member.id() != gone);
        let weighs = others.any(|member| member.weight() > 0);
        let proposed = base.members.len().saturating_sub(1);
        Self { whole: false, ..Self::new(base, proposed, weighs, vec![gone.clone()]) }
    }

    fn new<T>(base: &Snapshot<T>, proposed: usize, weighs: bool, missing: Vec<EndpointId>) -> Self {
        let weighed = |member: &Member<T>| member.weight() > 0;
        let takes_all_weight = !weighs && base.members.iter().any(weighed);
        Self { current: base.members.len(), proposed, takes_all_weight, missing, whole: true }
    }
}

/// Times of `confirm_after` after which what is no longer said is forgotten.
const LAPSE: u64 = 10;

impl UpdateGuard {
    /// Judges a change of the set.
    pub(crate) fn check(
        &mut self,
        config: Option<&UpdateConfig>,
        claim: Claim,
        now: Nanos,
        origin: Origin,
    ) -> Result<(), UpdateError> {
        let Some(config) = config else { return Ok(()) };
        let Claim { current, proposed, takes_all_weight, missing, whole } = claim;
        if proposed == 0 && current > 0 {
            let empty = UpdateError::Empty { current };
            return if config.allow_empty() { Ok(()) } else { Err(empty) };
        }
        if takes_all_weight && !config.allow_empty() {
            return Err(UpdateError::AllWeightsZero { proposed });
        }
        if whole {
            // Whoever is sent again was not gone.
            self.missing.retain(|id, _| missing.binary_search(id).is_ok());
        }
        let gone = current.saturating_sub(proposed);
        let allowed = config.max_shrink_percent();
        // Those who are believed to be gone, and of the rest as many as may go at once.
        let fine = |believed: &usize| {
            let rest = current.saturating_sub(*believed);
            rest < config.min_endpoints() || gone.saturating_sub(*believed) <= allowed.of(rest)
        };
        let believed = (0..gone).find(fine).unwrap_or(gone);
        if believed == 0 {
            return Ok(());
        }
        let confirm = config.confirm_after();
        let since = self.said(missing, now, nanos(confirm));
        // There are as many: whoever comes besides makes up for one that goes.
        let since = since.get(believed - 1).copied().unwrap_or(now);
        let believed_at = since.plus(confirm);
        if now >= believed_at {
            return Ok(());
        }
        Err(UpdateError::Shrinks {
            current,
            proposed,
            max_shrink_percent: allowed.get(),
            believed_at: origin.instant_or_start(believed_at),
        })
    }

    /// Notes that these are said to be gone. Since when they are, the earliest first.
    fn said(&mut self, missing: Vec<EndpointId>, now: Nanos, confirm: u64) -> Vec<Nanos> {
        let lapse = confirm.saturating_mul(LAPSE);
        self.missing.retain(|_, said| now.0.saturating_sub(said.last.0) <= lapse);
        let note = |id| {
            let said = self.missing.entry(id).or_insert(Missing { since: now, last: now });
            *said = Missing { since: said.since.min(now), last: now };
            said.since
        };
        let mut since: Vec<_> = missing.into_iter().map(note).collect();
        since.sort_unstable();
        since
    }

    /// A set was taken: what was doubted before is of the past.
    pub(crate) fn believe(&mut self) {
        self.missing.clear();
    }

    /// An endpoint was removed: of the others nothing is said by that.
    pub(crate) fn believe_gone(&mut self, id: &EndpointId) {
        self.missing.remove(id);
    }
}
