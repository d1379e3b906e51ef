//! One client, many addresses.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tower_service::Service;

use crate::balancer::{Balancer, Sending};
use crate::classify::Classify;
use crate::endpoint::Own;
use crate::error::{BoxError, EndpointError, EndpointErrorReason};
use crate::service::calling::{Calling, Deadline, deadline, gone, timed_out};
use crate::service::{KeyBy, Target, Until, UntilHead};
use crate::units::Key;

/// The service that [`BalanceLayer`](crate::BalanceLayer) makes of a client.
///
/// Always ready: a fresh clone of the client is made ready and called within the response future,
/// with the address of the chosen endpoint written into the request. A client that breaks while it
/// gets ready is no fault of the endpoint.
pub struct DirectBalance<S, T, K, C, U = UntilHead> {
    client: S,
    pub(super) balancer: Balancer<T>,
    pub(super) key: K,
    pub(super) classify: C,
    until: PhantomData<fn() -> U>,
}

impl<S, T, K, C, U> DirectBalance<S, T, K, C, U> {
    pub(crate) fn new(client: S, balancer: Balancer<T>, key: K, classify: C) -> Self {
        Self { client, balancer, key, classify, until: PhantomData }
    }

    /// The balancer in front.
    #[must_use]
    pub fn balancer(&self) -> &Balancer<T> {
        &self.balancer
    }

    /// Sends a request that has this key.
    pub(super) fn send<Req, By>(
        &self,
        key: &Key,
        request: Req,
        classify: By,
    ) -> DirectFuture<S, T, Req, By, U>
    where
        S: Service<Req> + Clone,
        T: Target<Req> + Send + Sync + 'static,
    {
        let lease = match self.balancer.pick(key) {
            Ok(lease) => lease.hold.unsent(key),
            Err(refusal) => return DirectFuture::refused(classify, refusal.into()),
        };
        match lease.anchor().target.direct(request) {
            Ok(request) => {
                let lease = lease.moved_to(Own::of);
                let client = self.client.clone();
                let state = State::Readying { client, request, deadline: None, timed: false };
                DirectFuture::new(Some(lease), classify, state)
            }
            Err(error) => {
                let (endpoint, reason) = (lease.endpoint(), EndpointErrorReason::Undirected);
                let error = EndpointError::new(endpoint, reason, Some(error));
                DirectFuture::refused(classify, error.into())
            }
        }
    }
}

impl<S, T, K, C, U, Req> Service<Req> for DirectBalance<S, T, K, C, U>
where
    S: Service<Req> + Clone,
    S::Error: Into<BoxError>,
    T: Target<Req> + Send + Sync + 'static,
    K: KeyBy<Req>,
    C: Classify<S::Response, S::Error> + Clone,
    U: Until<S::Response, S::Error, T, C>,
{
    type Response = U::Response;
    type Error = BoxError;
    type Future = DirectFuture<S, T, Req, C, U>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        self.send(&self.key.key(&request), request, self.classify.clone())
    }
}

impl<S: Clone, T, K: Clone, C: Clone, U> Clone for DirectBalance<S, T, K, C, U> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            balancer: self.balancer.clone(),
            key: self.key.clone(),
            classify: self.classify.clone(),
            until: PhantomData,
        }
    }
}

impl<S, T, K, C, U> fmt::Debug for DirectBalance<S, T, K, C, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectBalance").field("balancer", &self.balancer).finish_non_exhaustive()
    }
}

pin_project! {
    /// The response of [`DirectBalance`].
    ///
    /// # Cancel safety
    ///
    /// As [`ResponseFuture`](crate::ResponseFuture).
    #[must_use = "futures do nothing unless polled"]
    pub struct DirectFuture<S: Service<Req>, T, Req, C, U = UntilHead> {
        // First, so that a request that is dropped is over before its endpoint is released.
        #[pin]
        state: State<S, Req, S::Future>,
        lease: Option<Sending<T>>,
        classify: C,
        until: PhantomData<fn() -> U>,
    }
}

pin_project! {
    #[project = StateProj]
    #[project_replace = StateTaken]
    enum State<S, Req, F> {
        Readying { client: S, request: Req, deadline: Deadline, timed: bool },
        Calling { #[pin] calling: Calling<F> },
        Refused { refusal: BoxError },
        Done,
    }
}

impl<S: Service<Req>, T, Req, C, U> DirectFuture<S, T, Req, C, U> {
    fn new(lease: Option<Sending<T>>, classify: C, state: State<S, Req, S::Future>) -> Self {
        Self { lease, classify, state, until: PhantomData }
    }

    fn refused(classify: C, refusal: BoxError) -> Self {
        Self::new(None, classify, State::Refused { refusal })
    }
}

impl<S, T, Req, C, U> Future for DirectFuture<S, T, Req, C, U>
where
    S: Service<Req>,
    S::Error: Into<BoxError>,
    C: Classify<S::Response, S::Error>,
    U: Until<S::Response, S::Error, T, C>,
{
    type Output = Result<U::Response, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (mut state, place) = (this.state, this.lease);
        loop {
            match state.as_mut().project() {
                StateProj::Readying { client, deadline: at, timed, .. } => {
                    if !std::mem::replace(timed, true) {
                        *at = place.as_ref().and_then(deadline);
                    }
                    let readied = client.poll_ready(cx);
                    let over = readied.is_pending()
                        && at.as_mut().is_some_and(|at| at.as_mut().poll(cx).is_ready());
                    if readied.is_pending() && !over {
                        return Poll::Pending;
                    }
                    let StateTaken::Readying { mut client, request, deadline, .. } =
                        state.as_mut().project_replace(State::Done)
                    else {
                        continue;
                    };
                    let Some(lease) = place else { continue };
                    let error = match readied {
                        Poll::Ready(Ok(())) => {
                            let call = |_: Option<&mut T>| Some(client.call(request));
                            let calling = Calling::new(lease, deadline, call).ok_or_else(gone)?;
                            state.set(State::Calling { calling });
                            continue;
                        }
                        // The client kept the request waiting; the endpoint never saw it.
                        Poll::Pending => timed_out(lease),
                        Poll::Ready(Err(error)) => {
                            let reason = EndpointErrorReason::NotReady;
                            EndpointError::new(lease.endpoint(), reason, Some(error.into()))
                        }
                    };
                    // It gives the request back, which was not sent.
                    *place = None;
                    return Poll::Ready(Err(error.into()));
                }
                StateProj::Calling { calling } => {
                    let answer = calling.poll::<_, _, U, _, _>(place, this.classify, cx);
                    if answer.is_ready() {
                        state.set(State::Done);
                    }
                    return answer;
                }
                StateProj::Refused { .. } => {
                    let taken = state.as_mut().project_replace(State::Done);
                    if let StateTaken::Refused { refusal } = taken {
                        return Poll::Ready(Err(refusal));
                    }
                }
                StateProj::Done => return Poll::Ready(Err(gone())),
            }
        }
    }
}

impl<S: Service<Req>, T, Req, C, U> fmt::Debug for DirectFuture<S, T, Req, C, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectFuture").finish_non_exhaustive()
    }
}
