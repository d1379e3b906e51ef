//! One client, many addresses.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tower_service::Service;

use crate::balancer::Balancer;
use crate::classify::Classify;
use crate::error::{BoxError, EndpointError, EndpointErrorReason};
use crate::service::calling::{Calling, Deadline, Unsent, deadline, timed_out};
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
            Ok(lease) => lease,
            Err(refusal) => return DirectFuture::refused(refusal.into()),
        };
        match lease.target().direct(request) {
            Ok(request) => DirectFuture::at(State::Readying {
                client: self.client.clone(),
                request,
                lease: Unsent::new(lease),
                classify,
                deadline: None,
                timed: false,
            }),
            Err(error) => {
                let (endpoint, reason) =
                    (lease.endpoint().clone(), EndpointErrorReason::Undirected);
                lease.withdraw();
                DirectFuture::refused(EndpointError::new(endpoint, reason, Some(error)).into())
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
        #[pin]
        state: State<S, T, Req, C, S::Future>,
        until: PhantomData<fn() -> U>,
    }
}

pin_project! {
    #[project = StateProj]
    #[project_replace = StateTaken]
    enum State<S, T, Req, C, F> {
        Readying {
            client: S,
            request: Req,
            lease: Unsent<T>,
            classify: C,
            deadline: Deadline,
            timed: bool,
        },
        Calling { #[pin] calling: Calling<F, T, C> },
        Refused { refusal: BoxError },
        Done,
    }
}

impl<S: Service<Req>, T, Req, C, U> DirectFuture<S, T, Req, C, U> {
    fn at(state: State<S, T, Req, C, S::Future>) -> Self {
        Self { state, until: PhantomData }
    }

    fn refused(refusal: BoxError) -> Self {
        Self::at(State::Refused { refusal })
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
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                StateProj::Readying { client, lease, deadline: at, timed, .. } => {
                    if !std::mem::replace(timed, true) {
                        *at = lease.get().and_then(deadline);
                    }
                    let readied = client.poll_ready(cx);
                    let over = readied.is_pending()
                        && at.as_mut().is_some_and(|at| at.as_mut().poll(cx).is_ready());
                    if readied.is_pending() && !over {
                        return Poll::Pending;
                    }
                    let StateTaken::Readying {
                        mut client, request, lease, classify, deadline, ..
                    } = state.as_mut().project_replace(State::Done)
                    else {
                        continue;
                    };
                    let Some(lease) = lease.send() else { continue };
                    match readied {
                        // The client kept the request waiting; the endpoint never saw it.
                        Poll::Pending => {
                            let error = timed_out(&lease);
                            lease.withdraw();
                            return Poll::Ready(Err(error.into()));
                        }
                        Poll::Ready(Err(error)) => {
                            let endpoint = lease.endpoint().clone();
                            lease.withdraw();
                            let reason = EndpointErrorReason::NotReady;
                            let source = Some(error.into());
                            let error = EndpointError::new(endpoint, reason, source);
                            return Poll::Ready(Err(error.into()));
                        }
                        Poll::Ready(Ok(())) => {
                            let call = || client.call(request);
                            let calling = Calling::new(lease, classify, deadline, call);
                            state.set(State::Calling { calling });
                        }
                    }
                }
                StateProj::Calling { calling } => {
                    let answer = ready!(calling.poll::<S::Response, S::Error>(cx));
                    state.set(State::Done);
                    return Poll::Ready(answer.map(U::complete));
                }
                StateProj::Refused { .. } => {
                    let taken = state.as_mut().project_replace(State::Done);
                    if let StateTaken::Refused { refusal } = taken {
                        return Poll::Ready(Err(refusal));
                    }
                }
                StateProj::Done => {
                    return Poll::Ready(Err("the response was polled after it was given".into()));
                }
            }
        }
    }
}

impl<S: Service<Req>, T, Req, C, U> fmt::Debug for DirectFuture<S, T, Req, C, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectFuture").finish_non_exhaustive()
    }
}
