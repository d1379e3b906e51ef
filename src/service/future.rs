//! A request on its way: made ready, called, judged, released.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tower_service::Service;

use crate::balancer::Lease;
use crate::classify::{Classify, Outcome};
use crate::error::{BoxError, PickError};

pin_project! {
    /// The response of [`Balance`](crate::Balance).
    ///
    /// # Cancel safety
    ///
    /// Dropped before the answer, it releases its endpoint at once and judges nothing: a caller
    /// who goes away is no fault of the endpoint.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<T: Service<Req>, Req, C> {
        #[pin]
        state: State<T, Req, C, T::Future>,
    }
}

pin_project! {
    #[project = StateProj]
    #[project_replace = StateTaken]
    enum State<T, Req, C, F> {
        /// The clone that is being made ready, and will be called.
        Readying { service: T, request: Req, lease: Lease<T>, classify: C },
        Calling { #[pin] response: F, lease: Lease<T>, classify: C },
        Refused { refusal: PickError },
        Done,
    }
}

impl<T: Service<Req> + Clone, Req, C> ResponseFuture<T, Req, C> {
    pub(crate) fn new(lease: Lease<T>, request: Req, classify: C) -> Self {
        let service = lease.target().clone();
        Self { state: State::Readying { service, request, lease, classify } }
    }

    pub(crate) fn refused(refusal: PickError) -> Self {
        Self { state: State::Refused { refusal } }
    }
}

impl<T, Req, C> Future for ResponseFuture<T, Req, C>
where
    T: Service<Req>,
    T::Error: Into<BoxError>,
    C: Classify<T::Response, T::Error>,
{
    type Output = Result<T::Response, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                StateProj::Readying { service, .. } => {
                    let readied = ready!(service.poll_ready(cx));
                    let taken = state.as_mut().project_replace(State::Done);
                    let StateTaken::Readying { mut service, request, lease, classify } = taken
                    else {
                        continue;
                    };
                    if let Err(error) = readied {
                        // By tower's contract such a service is to be discarded.
                        lease.finish(Outcome::broken());
                        return Poll::Ready(Err(error.into()));
                    }
                    let response = service.call(request);
                    state.set(State::Calling { response, lease, classify });
                }
                StateProj::Calling { response, classify, .. } => {
                    let result = ready!(response.poll(cx));
                    let outcome = classify.classify(result.as_ref());
                    if let StateTaken::Calling { lease, .. } = state.project_replace(State::Done) {
                        lease.finish(outcome);
                    }
                    return Poll::Ready(result.map_err(Into::into));
                }
                StateProj::Refused { .. } => {
                    if let StateTaken::Refused { refusal } =
                        state.as_mut().project_replace(State::Done)
                    {
                        return Poll::Ready(Err(refusal.into()));
                    }
                }
                StateProj::Done => {
                    return Poll::Ready(Err("the response was polled after it was given".into()));
                }
            }
        }
    }
}

impl<T: Service<Req>, Req, C> fmt::Debug for ResponseFuture<T, Req, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
