//! Why there was no way back.

use std::error::Error;
use std::fmt;

/// The revision before was not brought back; all is as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RollbackError {
    /// There is no revision before, or it is no longer kept.
    NothingBefore,
    /// The strategy of the revision before panicked while it prepared.
    Strategy {
        /// What it is called.
        name: String,
    },
    /// The endpoints that the settings of the revision before describe could not be made the set.
    Endpoints {
        /// Why.
        reason: String,
    },
}

impl fmt::Display for RollbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingBefore => f.write_str("there is no revision to go back to"),
            Self::Strategy { name } => {
                write!(f, "strategy `{name}` of the revision before panicked while it prepared")
            }
            Self::Endpoints { reason } => {
                write!(f, "the endpoints of the revision before are not to be had: {reason}")
            }
        }
    }
}

impl Error for RollbackError {}
