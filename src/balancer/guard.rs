//! Whether a smaller set is believed.

use crate::config::UpdateConfig;
use crate::error::UpdateError;
use crate::units::{Nanos, Origin, nanos};

/// Refuses sets that are empty or shrink too far at once, unless they keep coming.
#[derive(Debug, Default)]
pub(crate) struct UpdateGuard {
    doubted: Option<Doubted>,
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
    /// Judges a change from `current` to `proposed` endpoints.
    pub(crate) fn check(
        &mut self,
        config: Option<&UpdateConfig>,
        (current, proposed): (usize, usize),
        now: Nanos,
        origin: Origin,
    ) -> Result<(), UpdateError> {
        let Some(config) = config else { return Ok(()) };
        if proposed == 0 && current > 0 {
            let empty = UpdateError::Empty { current };
            return if config.allow_empty() { Ok(()) } else { Err(empty) };
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
