//! Why a change of the set was refused.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use tokio::time::Instant;
use tower::BoxError;

use crate::units::EndpointId;

/// A change of the endpoints was refused; the set is as it was.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum UpdateError {
    /// The change would leave no endpoint at all.
    ///
    /// Way out: `allow_empty = true` under `[update]`, or
    /// [`replace_unchecked`](crate::Balancer::replace_unchecked).
    Empty {
        /// How many endpoints there are.
        current: usize,
    },
    /// The change would leave endpoints, and none of them with a weight above zero, where one had
    /// such a weight: nobody would take requests any more.
    ///
    /// Way out: `allow_empty = true` under `[update]`, or
    /// [`replace_unchecked`](crate::Balancer::replace_unchecked).
    AllWeightsZero {
        /// How many endpoints there would be.
        proposed: usize,
    },
    /// The change would remove too many endpoints at once.
    ///
    /// Way out: a larger `max_shrink_percent` under `[update]`,
    /// [`replace_unchecked`](crate::Balancer::replace_unchecked), or to keep sending it: it is
    /// believed at `believed_at`.
    Shrinks {
        /// How many endpoints there are.
        current: usize,
        /// How many there would be.
        proposed: usize,
        /// The part of them that may go at once.
        max_shrink_percent: u8,
        /// When the smaller set will be believed if it, or one in which the same endpoints are
        /// missing, is still being sent.
        believed_at: Instant,
    },
    /// Two endpoints of the new set share an id.
    Duplicate {
        /// The id.
        id: EndpointId,
    },
    /// The set has no endpoint of this id.
    Unknown {
        /// The id.
        id: EndpointId,
    },
    /// Endpoints were described, and the balancer has no factory that makes targets of
    /// descriptions.
    ///
    /// Way out: [`Builder::make`](crate::Builder::make).
    NoFactory,
    /// The factory could not make a target.
    Make {
        /// The endpoint whose target it was.
        id: EndpointId,
        /// What the factory said; a panic is reported in words.
        source: Arc<BoxError>,
    },
    /// The change would give one endpoint too large a share.
    ///
    /// Way out: weights that are less uneven, a larger `max_share_percent` under `[guard]`, or
    /// [`replace_unchecked`](crate::Balancer::replace_unchecked). For a weight that would come back
    /// by [`enable`](crate::Balancer::enable): another one for the endpoint from discovery.
    Share {
        /// The endpoint.
        id: EndpointId,
        /// Its share before, from 0 to 1.
        before: f64,
        /// The share it would get.
        after: f64,
        /// The largest share that is allowed.
        max_share_percent: u8,
    },
    /// One more endpoint must not be taken out.
    ///
    /// Way out: a larger `max_ejected_percent` or a smaller `min_available` under `[outlier]`, or
    /// [`disable`](crate::Balancer::disable), which no bound holds.
    Protected {
        /// The endpoint.
        id: EndpointId,
        /// Endpoints that are out already.
        out: usize,
        /// Endpoints in all: of weight above zero, neither draining nor disabled.
        of: usize,
    },
    /// The strategy panicked while it prepared for the new set.
    Strategy {
        /// The strategy's name.
        name: String,
    },
}

impl UpdateError {
    /// All there are.
    #[cfg(feature = "metrics")]
    pub(crate) const KINDS: &[&str] = &[
        "empty",
        "all_weights_zero",
        "shrinks",
        "duplicate",
        "unknown",
        "no_factory",
        "make",
        "share",
        "protected",
        "strategy",
    ];

    /// Why, in one word, in `snake_case`: `empty`, `shrinks`, `share`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Empty { .. } => "empty",
            Self::AllWeightsZero { .. } => "all_weights_zero",
            Self::Shrinks { .. } => "shrinks",
            Self::Duplicate { .. } => "duplicate",
            Self::Unknown { .. } => "unknown",
            Self::NoFactory => "no_factory",
            Self::Make { .. } => "make",
            Self::Share { .. } => "share",
            Self::Protected { .. } => "protected",
            Self::Strategy { .. } => "strategy",
        }
    }
}

impl fmt::Display for UpdateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { current } => write!(
                f,
                "the change would remove the last of {current} endpoints; set \
                 update.allow_empty or use replace_unchecked if that is meant"
            ),
            Self::AllWeightsZero { proposed } => write!(
                f,
                "the change would leave none of {proposed} endpoints a weight above zero; set \
                 update.allow_empty or use replace_unchecked if that is meant"
            ),
            Self::Shrinks { current, proposed, max_shrink_percent, .. } => write!(
                f,
                "the change would leave {proposed} of {current} endpoints, and at most \
                 {max_shrink_percent} % may go at once; it is believed if it is still sent after \
                 update.confirm_after, or with replace_unchecked"
            ),
            Self::Duplicate { id } => write!(f, "two endpoints are called `{id}`"),
            Self::Unknown { id } => write!(f, "no endpoint is called `{id}`"),
            Self::NoFactory => {
                f.write_str("endpoints were described but Builder::make gave no factory for them")
            }
            Self::Make { id, source } => write!(f, "the target of `{id}` was not made: {source}"),
            Self::Share { id, before, after, max_share_percent } => write!(
                f,
                "`{id}` would receive {:.0} % instead of {:.0} %, and at most \
                 {max_share_percent} % is allowed (guard.max_share_percent)",
                100.0 * after,
                100.0 * before
            ),
            Self::Protected { id, out, of } => write!(
                f,
                "`{id}` stays: {out} of {of} endpoints are out, and no more may be \
                 (outlier.max_ejected_percent, outlier.min_available)"
            ),
            Self::Strategy { name } => {
                write!(f, "strategy `{name}` panicked while it prepared for the new set")
            }
        }
    }
}

impl Error for UpdateError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Make { source, .. } => {
                let source: &BoxError = source;
                Some(&**source)
            }
            _ => None,
        }
    }
}
