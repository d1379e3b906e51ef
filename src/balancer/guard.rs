//! Whether a smaller set is believed.

use crate::balancer::merge::Offer;
use crate::config::UpdateConfig;
use crate::error::UpdateError;
use crate::snapshot::{Member, Snapshot, Thought};
use crate::sync::Arc;
use crate::units::{Nanos, Origin, nanos};

/// Refuses sets that are empty or shrink too far at once, unless they keep coming.
#[derive(Debug, Default)]
pub(crate) struct UpdateGuard {
    doubted: Option<Doubted>,
}

/// A change of the set, as far as it is doubted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    /// Endpoints there are.
    current: usize,
    /// Endpoints there would be.
    proposed: usize,
    /// Whether the last one with a weight above zero would go, or lose it.
    takes_all_weight: bool,
}

impl Claim {
    /// All that is offered, and nothing else, is to be the set.
    pub(crate) fn of_set<T>(base: &Snapshot<T>, offers: &[Offer<T>]) -> Self {
        let weighs = |offer: &Offer<T>| {
            let known = base.position(offer.id()).and_then(|at| base.members.get(at));
            known.and_then(|member| member.said.weight).unwrap_or(offer.weight()) > 0
        };
        Self::new(base, offers.len(), offers.iter().any(weighs))
    }

    /// The set is to be what is only thought of.
    pub(crate) fn of_thoughts<T>(base: &Snapshot<T>, thoughts: &[Thought]) -> Self {
        let weighs = thoughts.iter().any(|thought| thought.stand.weight > 0);
        Self::new(base, thoughts.len(), weighs)
    }

    /// The member at `at` is to leave.
    pub(crate) fn of_removal<T>(base: &Snapshot<T>, at: usize) -> Self {
        let mut others = base.members.iter().enumerate().filter(|&(other, _)| other != at);
        let weighs = others.any(|(_, member)| member.weight() > 0);
        Self::new(base, base.members.len() - 1, weighs)
    }

    fn new<T>(base: &Snapshot<T>, proposed: usize, weighs: bool) -> Self {
        let weighed = |member: &Arc<Member<T>>| member.weight() > 0;
        let takes_all_weight = !weighs && base.members.iter().any(weighed);
        Self { current: base.members.len(), proposed, takes_all_weight }
    }
}

/// A smaller set that was refused.
#[derive(Clone, Copy, Debug)]
struct Doubted {
    since: Nanos,
    last: Nanos,
    size: usize,
}

/// Times of `confirm_after` for which a set that is no longer sent is still the one that was.
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
        let Claim { current, proposed, takes_all_weight } = claim;
        if proposed == 0 && current > 0 {
            let empty = UpdateError::Empty { current };
            return if config.allow_empty() { Ok(()) } else { Err(empty) };
        }
        if takes_all_weight && !config.allow_empty() {
            return Err(UpdateError::AllWeightsZero { proposed });
        }
        let gone = current.saturating_sub(proposed);
        let allowed = config.max_shrink_percent();
        if current < config.min_endpoints() || gone <= allowed.of(current) {
            return Ok(());
        }
        let confirm = nanos(config.confirm_after());
        // A set that is smaller still is a new claim, and has its own time to prove itself.
        let doubted = match self.doubted {
            Some(doubted)
                if proposed >= doubted.size
                    && now.0.saturating_sub(doubted.last.0) <= confirm.saturating_mul(LAPSE) =>
            {
                Doubted { last: now, ..doubted }
            }
            _ => Doubted { since: now, last: now, size: proposed },
        };
        let believed = Nanos(doubted.since.0.saturating_add(confirm));
        self.doubted = Some(doubted);
        if now >= believed {
            return Ok(());
        }
        Err(UpdateError::Shrinks {
            current,
            proposed,
            max_shrink_percent: allowed.get(),
            believed_at: origin.instant_or_start(believed),
        })
    }

    /// A set was taken: what was doubted before is of the past.
    pub(crate) fn believe(&mut self) {
        self.doubted = None;
    }
}
