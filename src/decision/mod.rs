//! Records of picks: what was compared, what was chosen, and why.
//!
//! A pick that is recorded carries a [`Trace`], into which the strategy writes what it compares.
//! Whoever ends the pick writes a record into the ring of [`Decisions`].

mod record;
mod ring;
mod trace;

pub use self::record::{Considered, DecisionRecord};

pub(crate) use self::ring::{Decisions, Entry};
pub(crate) use self::trace::Trace;

use std::fmt;

use crate::error::PickError;

/// Why a pick went where it went, or nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "config", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum PickReason {
    /// It was its turn in the round.
    Turn,
    /// It was drawn by weight.
    Drawn,
    /// It cost least of those that were compared.
    LeastCost,
    /// The request's key is its own.
    Owner,
    /// The owner of the key must not be chosen at present: it is out, drained or switched off.
    OwnerOut,
    /// The owner of the key warms up, and does not take this key yet.
    OwnerWarming,
    /// The request excludes the owner of its key.
    OwnerExcluded,
    /// Where the key would have gone has as much in flight as its bound allows.
    OwnerFull,
    /// A strategy of the user's own chose it, and did not say why.
    Strategy,
    /// The request prefers it: a session.
    Preferred,
    /// It has yet to prove itself after an ejection, and this request is the probe.
    Probe,
    /// It warms up and was owed a request, however small its share is.
    Owed,
    /// Nobody else is left, so it is probed before its time.
    LastResort,
    /// The request excludes all of the tier or zone that was drawn for it.
    Elsewhere,
    /// Refused: the set is empty.
    Empty,
    /// Refused: all weights are zero.
    WeightsZero,
    /// Refused: all that have a weight are out, draining or disabled.
    NoneAvailable,
    /// Refused: the request excludes all that are left.
    AllExcluded,
    /// Refused: a strategy of the user's own named an endpoint that it must not choose.
    Misled,
}

impl PickReason {
    /// What a refusal is called.
    pub(crate) fn of(refusal: &PickError) -> Self {
        match refusal {
            PickError::Empty => Self::Empty,
            PickError::AllWeightsZero => Self::WeightsZero,
            PickError::NoneAvailable { .. } => Self::NoneAvailable,
            PickError::AllExcluded => Self::AllExcluded,
            PickError::Strategy { .. } => Self::Misled,
        }
    }

    /// Whether there was no endpoint for the request.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::Empty
                | Self::WeightsZero
                | Self::NoneAvailable
                | Self::AllExcluded
                | Self::Misled
        )
    }

    /// Whether the request went somewhere else than its key belongs.
    #[must_use]
    pub const fn is_moved(self) -> bool {
        matches!(self, Self::OwnerOut | Self::OwnerWarming | Self::OwnerExcluded | Self::OwnerFull)
    }
}

impl fmt::Display for PickReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Turn => "its turn in the round",
            Self::Drawn => "drawn by weight",
            Self::LeastCost => "the least costly of those drawn",
            Self::Owner => "the key is its own",
            Self::OwnerOut => "the owner of the key is out",
            Self::OwnerWarming => "the owner of the key warms up",
            Self::OwnerExcluded => "the owner of the key is excluded",
            Self::OwnerFull => "where the key belongs is full",
            Self::Strategy => "the strategy chose it",
            Self::Preferred => "preferred by the request",
            Self::Probe => "a probe is due",
            Self::Owed => "it warms up and is owed a request",
            Self::LastResort => "nobody else is left",
            Self::Elsewhere => "all of the tier or zone drawn first are excluded",
            Self::Empty => "refused: the set is empty",
            Self::WeightsZero => "refused: all weights are zero",
            Self::NoneAvailable => "refused: all are out, draining or disabled",
            Self::AllExcluded => "refused: all that are left are excluded",
            Self::Misled => "refused: the strategy named an endpoint it must not choose",
        })
    }
}
