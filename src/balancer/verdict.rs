//! Whether a draft is published, and what is left of it if not.

use crate::balancer::guarded::Watched;
use crate::balancer::shares::{Forbidden, GUARD, would_receive};
use crate::error::{ConfigError, Problem, UpdateError};
use crate::snapshot::{Member, Rise, Snapshot};
use crate::sync::Arc;

/// Whether a change has to answer for the shares that it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judged {
    ByShares,
    /// As `ByShares`, but for what the member at this place of the set has by its return, or all
    /// have: that they were drained or switched off is no reason to keep them so.
    Returning {
        at: Option<usize>,
    },
    /// It takes nothing from anybody, or is meant whatever comes of it.
    Not,
}

/// Why a draft was not published.
#[derive(Debug)]
pub(crate) enum Unpublished {
    /// Its strategy panicked.
    Panicked,
    /// It would give one endpoint too much.
    TooMuch { rise: Rise, forbidden: Forbidden },
}

impl Unpublished {
    pub(crate) fn for_update(self, strategy: &str) -> UpdateError {
        match self {
            Self::Panicked => UpdateError::Strategy { name: strategy.to_owned() },
            Self::TooMuch { rise, forbidden } => UpdateError::Share {
                id: rise.id,
                before: rise.before,
                after: rise.after,
                max_share_percent: forbidden.most.get(),
            },
        }
    }

    pub(crate) fn for_config(self, strategy: &str) -> ConfigError {
        let problem = match self {
            Self::Panicked => {
                let message =
                    format!("strategy `{strategy}` panicked while it prepared its picker");
                Problem::error("strategy", message)
            }
            Self::TooMuch { rise, forbidden } => {
                Problem::error(GUARD, format!("{}, and {forbidden}", would_receive(&rise)))
            }
        };
        problem.into()
    }
}

/// What dies with a change.
#[expect(dead_code, reason = "kept only to be dropped")]
pub(crate) enum Garbage<T> {
    Snapshot(Arc<Snapshot<T>>),
    Members(Vec<Member<T>>),
    Targets(Vec<T>),
    Watched(Box<Watched<T>>),
}
