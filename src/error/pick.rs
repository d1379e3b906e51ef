//! Why no endpoint was chosen.

use std::error::Error;
use std::fmt;

use tokio::time::Instant;

use crate::units::EndpointId;

/// No endpoint was chosen. Nothing was counted, and the request was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PickError {
    /// The set has no endpoints.
    Empty,
    /// There are endpoints, and every one that may be used has weight zero.
    AllWeightsZero,
    /// Endpoints with a weight exist, and each is being drained, is switched off, was ejected or
    /// fails its checks.
    NoneAvailable {
        /// How many are draining.
        draining: usize,
        /// How many are disabled.
        disabled: usize,
        /// How many were ejected, or have yet to prove themselves after it. Those that are
        /// unhealthy too are not among them.
        ejected: usize,
        /// How many fail their active checks, or have yet to pass them.
        unhealthy: usize,
        /// When the first of them comes back by itself, if one does.
        until: Option<Instant>,
    },
    /// Every available endpoint was excluded by the [`Key`](crate::Key).
    ///
    /// An exclusion is never overruled: whoever retries decides whether to ask again without it.
    AllExcluded,
    /// The strategy named an endpoint that it may not choose: a fault of a strategy of your own.
    Strategy {
        /// The name the strategy was registered under.
        name: String,
        /// The endpoint, where the answer was one at all.
        endpoint: Option<EndpointId>,
    },
}

impl fmt::Display for PickError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no endpoint: the set is empty"),
            Self::AllWeightsZero => f.write_str("no endpoint: all weights are zero"),
            Self::NoneAvailable { draining, disabled, ejected, unhealthy, until } => {
                write!(f, "no endpoint: {draining} draining, {disabled} disabled")?;
                if *ejected > 0 {
                    write!(f, ", {ejected} ejected")?;
                }
                if *unhealthy > 0 {
                    write!(f, ", {unhealthy} unhealthy")?;
                }
                match until {
                    Some(until) => write!(f, ", the first returns at {until:?}"),
                    None if *ejected > 0 => f.write_str(", waiting for an answer to a probe"),
                    None if *unhealthy > 0 => {
                        f.write_str(", none returns until its checks succeed")
                    }
                    None => f.write_str(", none returns until it is enabled"),
                }
            }
            Self::AllExcluded => f.write_str("no endpoint: the request excludes all that are left"),
            Self::Strategy { name, endpoint: Some(id) } => {
                write!(f, "no endpoint: strategy `{name}` chose `{id}`, which the request excludes")
            }
            Self::Strategy { name, endpoint: None } => {
                write!(f, "no endpoint: strategy `{name}` chose one that does not exist")
            }
        }
    }
}

impl Error for PickError {}
