//! One request, from the instant at which it should have been sent to what came of it.

use std::time::Instant;

use evenkeel::{
    BalanceLayer, Balancer, BoxError, ByStatus, ChosenEndpoint, EndpointError, EndpointId, Key,
    PickError, find_cause,
};
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt};

use crate::clock::now;

type Body = String;

/// Sends requests through the balancer. Clones share the client and its connections.
#[derive(Clone)]
pub(crate) struct Client {
    service: BoxCloneSyncService<Request<Body>, Answer, BoxError>,
    retries: bool,
}

/// Who answered, as the balancer has it, and as the answer says.
struct Answer {
    chosen: EndpointId,
    body: Vec<u8>,
}

/// What came of a request.
pub(crate) struct Done {
    /// When it should have been sent.
    pub(crate) due: Instant,
    pub(crate) ended: Instant,
    /// Each had a server of its own. Only the last may have gone well.
    pub(crate) attempts: Vec<Attempt>,
}

pub(crate) struct Attempt {
    /// `None` if the balancer chose nobody.
    pub(crate) server: Option<EndpointId>,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    pub(crate) lost: Option<Loss>,
}

/// Why an attempt came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loss {
    /// No connection.
    Refused,
    /// The connection broke before the answer was whole.
    Broken,
    /// No answer within `limits.attempt_timeout`.
    TimedOut,
    /// The balancer chose nobody.
    Nobody,
    /// An answer, and not the one of the server that was chosen.
    Misrouted,
}

impl Client {
    pub(crate) fn new(balancer: &Balancer<Uri>, retries: bool) -> Self {
        let client: legacy::Client<HttpConnector, Body> =
            legacy::Client::builder(TokioExecutor::new()).build_http();
        let key = |request: &Request<Body>| {
            request.extensions().get::<Key>().cloned().unwrap_or_default()
        };
        let layer = BalanceLayer::new(balancer.clone()).key_by(key).classify(ByStatus);
        // A request is in flight until its answer is whole, here and there.
        let service = layer.follow_body().layer(client);
        Self { service: BoxCloneSyncService::new(service.then(read)), retries }
    }

    pub(crate) async fn send(self, due: Instant) -> Done {
        let mut attempts = vec![self.attempt(Key::none()).await];
        if let [Attempt { server: Some(server), lost: Some(_), .. }] = &*attempts
            && self.retries
        {
            let elsewhere = Key::none().excluding(server);
            attempts.push(self.attempt(elsewhere).await);
        }
        Done { due, ended: now(), attempts }
    }

    async fn attempt(&self, key: Key) -> Attempt {
        let began = now();
        let mut request = Request::new(Body::new());
        request.extensions_mut().insert(key);
        let (server, lost) = match self.service.clone().oneshot(request).await {
            Ok(Answer { chosen, body }) => {
                let lost = (body != chosen.as_str().as_bytes()).then_some(Loss::Misrouted);
                (Some(chosen), lost)
            }
            Err(error) => {
                let (server, loss) = what_happened(&*error);
                (server, Some(loss))
            }
        };
        Attempt { server, began, ended: now(), lost }
    }
}

async fn read<B>(answer: Result<Response<B>, BoxError>) -> Result<Answer, BoxError>
where
    B: http_body::Body<Error: Into<BoxError>>,
{
    let answer = answer?;
    let chosen = answer.extensions().get::<ChosenEndpoint>().cloned();
    let ChosenEndpoint(chosen) = chosen.ok_or("an answer from nobody")?;
    match answer.into_body().collect().await {
        Ok(body) => Ok(Answer { chosen, body: body.to_bytes().to_vec() }),
        Err(error) => Err(Torn { chosen, error: error.into() }.into()),
    }
}

fn what_happened(error: &(dyn std::error::Error + 'static)) -> (Option<EndpointId>, Loss) {
    if let Some(torn) = find_cause::<Torn>(error) {
        return (Some(torn.chosen.clone()), Loss::Broken);
    }
    if find_cause::<PickError>(error).is_some() {
        return (None, Loss::Nobody);
    }
    let failed = find_cause::<EndpointError>(error);
    let refused = find_cause::<legacy::Error>(error).is_some_and(legacy::Error::is_connect);
    let loss = match failed {
        Some(failed) if failed.is_timeout() => Loss::TimedOut,
        _ if refused => Loss::Refused,
        _ => Loss::Broken,
    };
    (failed.map(|failed| failed.endpoint().clone()), loss)
}

/// A body that broke off.
#[derive(Debug)]
struct Torn {
    chosen: EndpointId,
    error: BoxError,
}

impl std::fmt::Display for Torn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the answer of {} broke off", self.chosen)
    }
}

impl std::error::Error for Torn {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.error)
    }
}
