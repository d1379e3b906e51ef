//! Outcomes of gRPC.

use std::time::Duration;

use http::{HeaderMap, Response, StatusCode};

use crate::classify::retry_after::whole;
use crate::classify::{ByStatus, Classify, FailureKind, Outcome, WithErrors};
use crate::units::EndpointId;

/// By the `grpc-status` of a gRPC response.
///
/// A response without messages carries its status in the head; any other carries it in the
/// trailers, which are seen only where the body is followed
/// ([`Balance::follow_body`](crate::Balance::follow_body)). A body that ends without a status has
/// failed.
///
/// | `grpc-status` | outcome |
/// | --- | --- |
/// | 0 `OK` | success |
/// | 1 `CANCELLED` | ignored: the caller gave up |
/// | 2 `UNKNOWN`, 13 `INTERNAL`, 15 `DATA_LOSS` | failure |
/// | 4 `DEADLINE_EXCEEDED` | failure by timeout |
/// | 8 `RESOURCE_EXHAUSTED` | overloaded, with `grpc-retry-pushback-ms` |
/// | 14 `UNAVAILABLE` | failure as a gateway; overloaded with `grpc-retry-pushback-ms` |
/// | 3, 5, 6, 7, 9, 10, 11, 12, 16 | success: the endpoint did its work and refused the request |
/// | anything else | failure |
///
/// A response that is not 200 and carries no status never came from a gRPC server: it is judged as
/// [`ByStatus`] does.
///
/// Errors count as the endpoint's, unless [`errors`](Self::errors) says otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByGrpcStatus;

impl ByGrpcStatus {
    /// The same, with errors judged by `errors`; see [`ByStatus::errors`].
    #[must_use]
    pub fn errors<Err, F: Fn(&Err) -> Outcome>(self, errors: F) -> WithErrors<Self, F> {
        WithErrors { protocol: self, errors }
    }
}

impl<B, Err> Classify<Response<B>, Err> for ByGrpcStatus {
    fn classify(&self, result: Result<&Response<B>, &Err>) -> Outcome {
        match result {
            Ok(response) => by_status(response.headers())
                .unwrap_or_else(|| ByStatus.classify(Ok::<_, &Err>(response))),
            Err(_) => Outcome::Failure(FailureKind::Local),
        }
    }

    fn mark(&self, response: &mut Response<B>, endpoint: &EndpointId) {
        Classify::<_, Err>::mark(&ByStatus, response, endpoint);
    }

    fn is_final(&self, response: &Response<B>) -> bool {
        // What is not 200 and has no status did not come from a gRPC server, whose trailers would
        // say more.
        response.headers().contains_key("grpc-status") || response.status() != StatusCode::OK
    }

    fn end(&self, head: Outcome, trailers: Option<&HeaderMap>) -> Outcome {
        // A head that was no success has had its say.
        if head != Outcome::Success {
            return head;
        }
        trailers.and_then(by_status).unwrap_or_else(Outcome::failure)
    }
}

/// What `grpc-status` says, where it stands here.
fn by_status(headers: &HeaderMap) -> Option<Outcome> {
    let status = headers.get("grpc-status")?.to_str().ok().and_then(|text| whole(text.trim()));
    let failure = |kind| Outcome::Failure(kind);
    let pushback = pushback(headers);
    Some(match status {
        Some(0 | 3 | 5 | 6 | 7 | 9 | 10 | 11 | 12 | 16) => Outcome::Success,
        Some(1) => Outcome::Ignore,
        Some(4) => failure(FailureKind::Timeout),
        Some(8) => Outcome::overloaded(pushback),
        Some(14) if pushback.is_some() => Outcome::overloaded(pushback),
        Some(14) => failure(FailureKind::Gateway),
        Some(_) | None => failure(FailureKind::Other),
    })
}

/// The time that the server asks for (gRFC A6). A negative number forbids retries and is no time.
fn pushback(headers: &HeaderMap) -> Option<Duration> {
    let millis = headers.get("grpc-retry-pushback-ms")?.to_str().ok()?;
    whole(millis.trim()).map(Duration::from_millis)
}
