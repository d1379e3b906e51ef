//! The proxy itself: what to take along.

use axum::Router;
use axum::body::Body;
use axum::error_handling::HandleErrorLayer;
use axum::response::{IntoResponse, Response};
use evenkeel::{
    BalanceLayer, Balancer, BoxError, ByStatus, ChosenEndpoint, Classify, EndpointError,
    EndpointId, Outcome, PickError, find_cause,
};
use http::header::RETRY_AFTER;
use http::{HeaderValue, Request, StatusCode, Uri, Version};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::time::Instant;
use tower::ServiceBuilder;

/// The header that names the endpoint of an answer.
pub(crate) const ENDPOINT: &str = "x-endpoint";

pub(crate) type Client = legacy::Client<HttpConnector, Body>;

/// The proxy. One that faces the world also strips the headers that belong to one connection.
pub(crate) fn proxy(balancer: Balancer<Uri>, client: Client) -> Router {
    let service = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(explain))
        .map_response(name_endpoint)
        .map_request(speak_http1)
        // Streamed answers count as in flight until their last byte.
        .layer(BalanceLayer::new(balancer).classify(ByUpstream).follow_body())
        .service(client);
    Router::new().fallback_service(service)
}

/// By status, except that a visitor who breaks off while sending is nobody's failure. Otherwise a
/// few of them could make every upstream look broken.
#[derive(Clone, Copy)]
struct ByUpstream;

impl<B> Classify<Response<B>, legacy::Error> for ByUpstream {
    fn classify(&self, result: Result<&Response<B>, &legacy::Error>) -> Outcome {
        match result {
            // Only bodies of requests are axum's here.
            Err(error) if find_cause::<axum::Error>(error).is_some() => Outcome::Ignore,
            _ => ByStatus.classify(result),
        }
    }

    fn mark(&self, response: &mut Response<B>, endpoint: &EndpointId) {
        Classify::<_, legacy::Error>::mark(&ByStatus, response, endpoint);
    }
}

/// What a visitor speaks need not be what the upstreams do; the client would refuse the request,
/// and the upstream would be blamed.
fn speak_http1<B>(mut request: Request<B>) -> Request<B> {
    *request.version_mut() = Version::HTTP_11;
    request
}

fn name_endpoint<B>(mut response: Response<B>) -> Response<B> {
    let chosen = response.extensions().get().map(|ChosenEndpoint(id)| id.as_str());
    if let Some(Ok(name)) = chosen.map(HeaderValue::from_str) {
        response.headers_mut().insert(ENDPOINT, name);
    }
    response
}

/// An answer for a request that got none.
async fn explain(error: BoxError) -> Response {
    if let Some(refusal) = find_cause::<PickError>(&*error) {
        let wait = [(RETRY_AFTER, retry_after(refusal).to_string())];
        return (StatusCode::SERVICE_UNAVAILABLE, wait, refusal.to_string()).into_response();
    }
    let Some(failure) = find_cause::<EndpointError>(&*error) else {
        return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response();
    };
    let status =
        if failure.is_timeout() { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::BAD_GATEWAY };
    let named = [(ENDPOINT, failure.endpoint().to_string())];
    (status, named, failure.to_string()).into_response()
}

/// Seconds, rounded up: whoever comes back too early is refused again.
#[allow(clippy::disallowed_methods, reason = "an answer to a client is told by the clock")]
fn retry_after(refusal: &PickError) -> u64 {
    match refusal {
        PickError::NoneAvailable { until: Some(until), .. } => {
            until.saturating_duration_since(Instant::now()).as_secs_f64().ceil() as u64
        }
        _ => 1,
    }
}
