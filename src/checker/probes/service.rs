//! A check that goes the way of the requests.

use std::error::Error;
use std::fmt;
use std::future::poll_fn;

use tower_service::Service;

use crate::classify::{ByResult, Classify, Outcome};
use crate::error::BoxError;
use crate::health::{Probe, ProbeFuture, Subject};

/// Well if the endpoint's own service answers a request made for the check.
///
/// For targets that are `tower` services: whatever they do to a request, the check has it done as
/// well, TLS for one. A clone is made ready and called; one that never becomes ready gives no
/// answer. The call is not a request of the balancer's: it counts in no statistic, and no detector
/// hears of it.
///
/// ```
/// use evenkeel::{Endpoint, Outcome, Probe, ServiceProbe, Subject};
/// use tower::service_fn;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), evenkeel::BoxError> {
/// let shout = |word: String| async move { Ok::<_, std::io::Error>(word.to_uppercase()) };
/// let endpoint = Endpoint::new("a", service_fn(shout));
///
/// // Any answer will do:
/// let probe = ServiceProbe::new(|_| "ping".to_owned());
/// probe.probe(Subject::of(&endpoint)).await?;
///
/// // This one alone; over HTTP it would be `ByStatus`, over gRPC `ByGrpcStatus`.
/// let probe = ServiceProbe::new(|subject: Subject<'_, _>| format!("are you {}?", subject.id()))
///     .classify(|answer: Result<&String, &std::io::Error>| match answer {
///         Ok(text) if text == "YES" => Outcome::Success,
///         _ => Outcome::failure(),
///     });
/// assert!(probe.probe(Subject::of(&endpoint)).await.is_err());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`ServiceProbeError`].
#[derive(Clone)]
pub struct ServiceProbe<F, C = ByResult> {
    request: F,
    classify: C,
}

impl<F> ServiceProbe<F> {
    /// Sends what `request` makes for an endpoint. A response is a good answer and an error a bad
    /// one, unless [`classify`](Self::classify) says otherwise.
    pub fn new<T, Req>(request: F) -> Self
    where
        F: Fn(Subject<'_, T>) -> Req,
    {
        Self { request, classify: ByResult }
    }
}

impl<F, C> ServiceProbe<F, C> {
    /// Says what a result tells, as [`Balance::classify`](crate::Balance::classify) does.
    ///
    /// [`Outcome::Success`] is a good answer, whatever else a bad one: `Overloaded` too, and
    /// `Ignore`, for a check that has learnt nothing has not found the endpoint well.
    #[must_use]
    pub fn classify<C2>(self, classify: C2) -> ServiceProbe<F, C2> {
        ServiceProbe { request: self.request, classify }
    }
}

impl<T, F, C, Req> Probe<T> for ServiceProbe<F, C>
where
    T: Service<Req> + Clone + Send + Sync + 'static,
    T::Error: Into<BoxError>,
    T::Future: Send,
    F: Fn(Subject<'_, T>) -> Req + Send + Sync + 'static,
    Req: Send + 'static,
    C: Classify<T::Response, T::Error> + Send + Sync + 'static,
{
    fn probe<'a>(&'a self, subject: Subject<'a, T>) -> ProbeFuture<'a> {
        let request = (self.request)(subject);
        let mut service = subject.target().clone();
        Box::pin(async move {
            let ready = poll_fn(|context| service.poll_ready(context)).await;
            ready.map_err(|error| ServiceProbeError::NotReady { source: error.into() })?;
            let result = service.call(request).await;
            match (self.classify.classify(result.as_ref()), result) {
                (Outcome::Success, _) => Ok(()),
                (outcome, Ok(_)) => Err(ServiceProbeError::Answer { outcome }.into()),
                (_, Err(error)) => Err(ServiceProbeError::Failed { source: error.into() }.into()),
            }
        })
    }
}

impl<F, C> fmt::Debug for ServiceProbe<F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceProbe").finish_non_exhaustive()
    }
}

/// A service did not do well by what it was asked for a check.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServiceProbeError {
    /// It did not become ready but broke.
    NotReady {
        /// Its error.
        source: BoxError,
    },
    /// It failed.
    Failed {
        /// Its error.
        source: BoxError,
    },
    /// It answered, and the answer is not a good one.
    Answer {
        /// What the classifier made of the answer.
        outcome: Outcome,
    },
}

impl fmt::Display for ServiceProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotReady { source } => write!(f, "the service broke unready: {source}"),
            Self::Failed { source } => write!(f, "the service failed: {source}"),
            Self::Answer { outcome } => {
                f.write_str("the answer counts as ")?;
                match outcome {
                    Outcome::Success => f.write_str("a success"),
                    Outcome::Failure(kind) => write!(f, "a failure ({kind:?})"),
                    Outcome::Overloaded { retry_after: None } => f.write_str("overloaded"),
                    Outcome::Overloaded { retry_after: Some(time) } => {
                        write!(f, "overloaded for {time:?}")
                    }
                    Outcome::Ignore => f.write_str("one to be ignored, which shows nothing"),
                }
            }
        }
    }
}

impl Error for ServiceProbeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NotReady { source } | Self::Failed { source } => Some(&**source),
            Self::Answer { .. } => None,
        }
    }
}
