//! What became of a request, as far as its endpoint is concerned.

#[cfg(feature = "http")]
mod errors;
#[cfg(feature = "http")]
mod grpc;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "http")]
mod retry_after;

#[cfg(feature = "http")]
pub use self::errors::WithErrors;
#[cfg(feature = "http")]
pub use self::grpc::ByGrpcStatus;
#[cfg(feature = "http")]
pub use self::http::{ByStatus, ChosenEndpoint};

use std::time::Duration;

use crate::units::EndpointId;

/// What a request says about the endpoint that had it.
///
/// ```
/// use evenkeel::{FailureKind, Outcome};
///
/// assert_eq!(Outcome::failure(), Outcome::Failure(FailureKind::Other));
/// assert!(Outcome::overloaded(None).weighs());
/// assert!(!Outcome::Ignore.weighs());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// A good answer. Its latency is taken in.
    Success,
    /// The endpoint failed. Its latency is not taken in: a fast failure is no fast answer.
    Failure(FailureKind),
    /// The endpoint is alive and says that it has too much.
    Overloaded {
        /// When it wants to be asked again (`Retry-After`), if it said.
        retry_after: Option<Duration>,
    },
    /// Says nothing about the endpoint: the caller gave up, or the request was at fault.
    Ignore,
}

/// How an endpoint failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// In a way of its own: an error from its application.
    Other,
    /// As a gateway to something else that failed.
    Gateway,
    /// Before it could answer: no connection, or none in time.
    Local,
    /// It did not answer within the attempt's time limit.
    Timeout,
    /// For good: the target can never be used again. With [`Builder::make`](crate::Builder::make)
    /// a new target is made for the endpoint; without, it is a failure like the others.
    Broken,
}

impl Outcome {
    /// A failure of no particular kind.
    #[must_use]
    pub const fn failure() -> Self {
        Self::Failure(FailureKind::Other)
    }

    /// A failure after which the target can never be used again.
    #[must_use]
    pub const fn broken() -> Self {
        Self::Failure(FailureKind::Broken)
    }

    /// A refusal for having too much to do, with the time the endpoint asked for.
    #[must_use]
    pub const fn overloaded(retry_after: Option<Duration>) -> Self {
        Self::Overloaded { retry_after }
    }

    /// Whether it makes the endpoint less attractive for the length of the failure penalty.
    #[must_use]
    pub const fn weighs(&self) -> bool {
        matches!(self, Self::Failure(_) | Self::Overloaded { .. })
    }
}

/// Turns what a service returned into an [`Outcome`].
///
/// Called on the request's own task: it must not block. Closures implement it.
///
/// ```
/// use evenkeel::{Classify, Outcome};
///
/// let classify = |result: Result<&u16, &std::io::Error>| match result {
///     Ok(status) if *status < 500 => Outcome::Success,
///     _ => Outcome::failure(),
/// };
/// assert_eq!(classify.classify(Ok(&503)), Outcome::failure());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot classify the outcome of `Result<{Res}, {Err}>`",
    note = "a classifier is a closure `Fn(Result<&Response, &Error>) -> Outcome`, or implements `Classify`"
)]
pub trait Classify<Res, Err> {
    /// What `result` says about the endpoint it came from.
    fn classify(&self, result: Result<&Res, &Err>) -> Outcome;

    /// Leaves on the response where it came from, for protocols that have a place for it. Default:
    /// leaves nothing.
    fn mark(&self, response: &mut Res, endpoint: &EndpointId) {
        let _ = (response, endpoint);
    }

    /// Whether [`mark`](Self::mark) leaves anything, so that it need be called. Default: yes; closures
    /// and [`ByResult`] leave nothing.
    #[inline]
    fn marks(&self) -> bool {
        true
    }

    /// Whether the head of this response has said all, so that the [`end`](Self::end) of its body
    /// is not asked. Default: no.
    #[cfg(feature = "http")]
    fn is_final(&self, response: &Res) -> bool {
        let _ = response;
        false
    }

    /// What the end of a body that was followed says, after `head` had been said of its head.
    /// Default: nothing new.
    #[cfg(feature = "http")]
    fn end(&self, head: Outcome, trailers: Option<&::http::HeaderMap>) -> Outcome {
        let _ = trailers;
        head
    }
}

impl<F, Res, Err> Classify<Res, Err> for F
where
    F: Fn(Result<&Res, &Err>) -> Outcome,
{
    fn classify(&self, result: Result<&Res, &Err>) -> Outcome {
        self(result)
    }

    #[inline]
    fn marks(&self) -> bool {
        false
    }
}

/// The default: `Ok` is a success, `Err` a failure.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByResult;

impl<Res, Err> Classify<Res, Err> for ByResult {
    fn classify(&self, result: Result<&Res, &Err>) -> Outcome {
        match result {
            Ok(_) => Outcome::Success,
            Err(_) => Outcome::failure(),
        }
    }

    #[inline]
    fn marks(&self) -> bool {
        false
    }
}
