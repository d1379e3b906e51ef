//! Outcomes of HTTP.

use http::{Response, StatusCode};

use crate::classify::retry_after::retry_after;
use crate::classify::{Classify, FailureKind, Outcome, WithErrors};
use crate::units::EndpointId;

/// By the status of an HTTP response.
///
/// | answer | outcome |
/// | --- | --- |
/// | 429; 503 with `Retry-After` | overloaded, with the time asked for |
/// | 502, 503, 504 | failure as a gateway |
/// | any other 5xx | failure |
/// | everything else | success: the endpoint did its work, whatever it thought of the request |
/// | an error instead of a response | local failure: no connection, or it broke |
///
/// It also leaves [`ChosenEndpoint`] in the extensions of every response.
///
/// Not every error is the endpoint's: a client also fails where the caller's own body breaks off, or
/// where the request is malformed. Whoever forwards what others send should tell these apart with
/// [`errors`](Self::errors), or bad callers make good endpoints look broken.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByStatus;

impl ByStatus {
    /// The same, with errors judged by `errors`.
    ///
    /// ```
    /// use evenkeel::{ByStatus, Classify, FailureKind, Outcome};
    /// use std::io::{Error, ErrorKind};
    ///
    /// let classify = ByStatus.errors(|error: &Error| match error.kind() {
    ///     ErrorKind::InvalidInput => Outcome::Ignore, // the caller's own fault
    ///     _ => Outcome::Failure(FailureKind::Local),
    /// });
    /// let result = Err::<&http::Response<()>, _>(&Error::from(ErrorKind::InvalidInput));
    /// assert_eq!(classify.classify(result), Outcome::Ignore);
    /// ```
    #[must_use]
    pub fn errors<Err, F: Fn(&Err) -> Outcome>(self, errors: F) -> WithErrors<Self, F> {
        WithErrors { protocol: self, errors }
    }
}

/// Which endpoint a response came from; in the response's extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChosenEndpoint(pub EndpointId);

impl<B, Err> Classify<Response<B>, Err> for ByStatus {
    fn classify(&self, result: Result<&Response<B>, &Err>) -> Outcome {
        let Ok(response) = result else { return Outcome::Failure(FailureKind::Local) };
        let wish = || retry_after(response.headers());
        match response.status() {
            StatusCode::TOO_MANY_REQUESTS => Outcome::overloaded(wish()),
            StatusCode::SERVICE_UNAVAILABLE if wish().is_some() => Outcome::overloaded(wish()),
            StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Outcome::Failure(FailureKind::Gateway),
            status if status.is_server_error() => Outcome::failure(),
            _ => Outcome::Success,
        }
    }

    fn mark(&self, response: &mut Response<B>, endpoint: &EndpointId) {
        response.extensions_mut().insert(ChosenEndpoint(endpoint.clone()));
    }
}
