//! A request that failed at its endpoint.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use tower::BoxError;

use crate::units::EndpointId;

/// A request was sent to an endpoint, or was about to be, and came to nothing.
///
/// The cause of the service stands behind it as [`source`](Error::source); [`find_cause`] looks
/// it up.
#[derive(Debug)]
pub struct EndpointError {
    endpoint: EndpointId,
    reason: EndpointErrorReason,
    source: Option<BoxError>,
}

/// What came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointErrorReason {
    /// The endpoint's service answered with an error.
    Failed,
    /// The endpoint's service did not become ready but broke.
    NotReady,
    /// No answer within `limits.attempt_timeout`.
    TimedOut {
        /// The time it had.
        after: Duration,
    },
    /// The request could not be directed to the endpoint's address.
    Undirected,
}

impl EndpointError {
    pub(crate) fn new(
        endpoint: EndpointId,
        reason: EndpointErrorReason,
        source: Option<BoxError>,
    ) -> Self {
        Self { endpoint, reason, source }
    }

    /// The endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &EndpointId {
        &self.endpoint
    }

    /// What came to nothing.
    #[must_use]
    pub fn reason(&self) -> EndpointErrorReason {
        self.reason
    }

    /// Whether the endpoint let its time run out.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.reason, EndpointErrorReason::TimedOut { .. })
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = &self.endpoint;
        match self.reason {
            EndpointErrorReason::Failed => write!(f, "endpoint `{endpoint}` failed"),
            EndpointErrorReason::NotReady => write!(f, "endpoint `{endpoint}` broke unready"),
            EndpointErrorReason::TimedOut { after } => {
                write!(f, "endpoint `{endpoint}` gave no answer within {after:?}")
            }
            EndpointErrorReason::Undirected => {
                write!(f, "the request cannot be sent to the address of endpoint `{endpoint}`")
            }
        }
    }
}

impl Error for EndpointError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| {
            let source: &(dyn Error + 'static) = &**source;
            source
        })
    }
}

/// The first error of type `E` in `error` and what stands behind it.
///
/// ```
/// use evenkeel::{Balancer, PickError, find_cause};
/// use tower::ServiceExt;
///
/// # type Never = tower::util::BoxCloneSyncService<u8, u8, std::io::Error>;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), evenkeel::ConfigError> {
/// let nobody = Balancer::<Never>::builder().build()?;
/// let error = nobody.service().oneshot(7).await.unwrap_err();
/// assert_eq!(find_cause::<PickError>(&*error), Some(&PickError::Empty));
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn find_cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
