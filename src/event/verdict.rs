//! What came of a change that was watched.

use std::time::Duration;

use crate::error::RollbackError;
use crate::units::{EndpointId, Version};

/// What came of a change that was applied with a guard
/// ([`Balancer::apply_guarded`](crate::Balancer::apply_guarded)).
///
/// In words it names the figures it was reached by.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// The change stays: the window is over and no limit was broken.
    Accepted {
        /// The version that was watched.
        version: Version,
        /// Answered requests it was judged by.
        requests: u64,
    },
    /// The change stays: no limit was broken, but too few requests were answered to say more.
    Unproven {
        /// The version that was watched.
        version: Version,
        /// Requests that were answered.
        requests: u64,
        /// Requests that a judgement needs.
        needed: u64,
    },
    /// The change was taken back.
    RolledBack {
        /// The version that was watched.
        version: Version,
        /// The version whose state was brought back.
        to: Version,
        /// Why.
        reason: RollbackReason,
    },
    /// The change should have been taken back and could not be: it is still served.
    NotRolledBack {
        /// The version that was watched.
        version: Version,
        /// Why it should have been taken back.
        reason: RollbackReason,
        /// Why it could not be.
        error: RollbackError,
    },
    /// Somebody changed the settings, or said something about an endpoint, before the window was
    /// over. Theirs stands, and the change is watched no longer.
    Superseded {
        /// The version that was watched.
        version: Version,
        /// The version that took its place.
        by: Version,
    },
    /// The settings were served already: nothing was changed, and nothing was watched.
    Unchanged {
        /// The version that is served.
        version: Version,
    },
    /// The last handle of the balancer went away before the window was over.
    Gone {
        /// The version that was watched.
        version: Version,
    },
}

impl Verdict {
    /// The version it is about.
    #[must_use]
    pub const fn version(&self) -> Version {
        match *self {
            Self::Accepted { version, .. }
            | Self::Unproven { version, .. }
            | Self::RolledBack { version, .. }
            | Self::NotRolledBack { version, .. }
            | Self::Superseded { version, .. }
            | Self::Unchanged { version }
            | Self::Gone { version } => version,
        }
    }

    /// Whether the change was found wanting.
    ///
    /// [`Balancer::rollback`](crate::Balancer::rollback) does not go back to a revision of which
    /// this was found.
    #[must_use]
    pub const fn is_bad(&self) -> bool {
        matches!(self, Self::RolledBack { .. } | Self::NotRolledBack { .. })
    }
}

/// Why a watched change was taken back.
///
/// Rates and shares are parts, from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RollbackReason {
    /// More requests failed than before.
    FailureRate {
        /// The part of the answers that were failures or overloads, before; `None` if there were
        /// too few to say.
        before: Option<f64>,
        /// The same since the change.
        after: f64,
        /// By how much it was allowed to rise.
        allowed_rise: f64,
    },
    /// Good answers took longer than before.
    Latency {
        /// Which part of the answers came within the times below.
        quantile: f64,
        /// The time before.
        before: Duration,
        /// The time since the change.
        after: Duration,
        /// How many times as long was allowed.
        allowed_factor: f64,
    },
    /// One endpoint got too much.
    Share {
        /// The endpoint.
        endpoint: EndpointId,
        /// The largest share of any endpoint before; `None` if there were too few requests to say.
        before: Option<f64>,
        /// The part of the requests that it was sent since the change.
        after: f64,
        /// What was allowed.
        allowed: f64,
    },
    /// Too many endpoints could no longer be chosen.
    Lost {
        /// How many.
        lost: usize,
        /// How many could be chosen before.
        of: usize,
        /// How many were allowed to be lost.
        allowed: usize,
    },
    /// Requests were sent and too few of them answered.
    Unanswered {
        /// The part of the requests that had no answer before.
        before: f64,
        /// The same since the change.
        after: f64,
        /// By how much it was allowed to rise.
        allowed_rise: f64,
    },
    /// Nobody waited for the verdict: the future was dropped.
    Dropped,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_should_not_be_served_is_bad() {
        let version = Version::FIRST;
        let (reason, error) = (RollbackReason::Dropped, RollbackError::NothingBefore);
        let bad = [
            Verdict::RolledBack { version, to: version, reason: reason.clone() },
            Verdict::NotRolledBack { version, reason, error },
        ];
        let good = [
            Verdict::Accepted { version, requests: 7 },
            Verdict::Unproven { version, requests: 7, needed: 50 },
            Verdict::Superseded { version, by: version.next_config() },
            Verdict::Unchanged { version },
            Verdict::Gone { version },
        ];
        assert!(bad.iter().all(|verdict| verdict.is_bad() && verdict.version() == version));
        assert!(good.iter().all(|verdict| !verdict.is_bad() && verdict.version() == version));
    }
}
