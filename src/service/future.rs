//! A request on its way: an endpoint found, called, judged, released.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tower_service::Service;

use crate::balancer::Lease;
use crate::classify::Classify;
use crate::error::{BoxError, PickError};
use crate::service::calling::{Calling, Unsent, deadline};
use crate::service::readying::{Contender, Ready, Readying};
use crate::service::{Until, UntilHead};
use crate::units::Key;

pin_project! {
    /// The response of [`Balance`](crate::Balance).
    ///
    /// # Cancel safety
    ///
    /// Dropped before the answer, it releases its endpoint at once and judges nothing, unless
    /// `outlier.abandoned_after` says that the caller has waited long enough.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<T: Service<Req>, Req, C, U = UntilHead> {
        #[pin]
        state: State<T, Req, C, T::Future>,
        until: std::marker::PhantomData<fn() -> U>,
    }
}

pin_project! {
    #[project = StateProj]
    #[project_replace = StateTaken]
    enum State<T, Req, C, F> {
        Chosen { lease: Unsent<T>, key: Key, request: Req, classify: C },
        // Boxed, because few have to wait and all would carry it.
        Readying { readying: Box<Readying<T>>, request: Req, classify: C },
        Calling { #[pin] calling: Calling<F, T, C> },
        Refused { refusal: PickError },
        Done,
    }
}

impl<T: Service<Req> + Clone, Req, C, U> ResponseFuture<T, Req, C, U> {
    pub(crate) fn new(lease: Lease<T>, key: Key, request: Req, classify: C) -> Self {
        Self::at(State::Chosen { lease: Unsent::new(lease), key, request, classify })
    }

    pub(crate) fn refused(refusal: PickError) -> Self {
        Self::at(State::Refused { refusal })
    }

    fn at(state: State<T, Req, C, T::Future>) -> Self {
        Self { state, until: std::marker::PhantomData }
    }
}

impl<T, Req, C, U> Future for ResponseFuture<T, Req, C, U>
where
    T: Service<Req> + Clone,
    T::Error: Into<BoxError>,
    C: Classify<T::Response, T::Error>,
    U: Until<T::Response, T::Error, T, C>,
{
    type Output = Result<U::Response, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                StateProj::Chosen { .. } => {
                    let taken = state.as_mut().project_replace(State::Done);
                    let StateTaken::Chosen { lease, key, request, classify } = taken else {
                        continue;
                    };
                    let Some(held) = lease.get() else { continue };
                    let (mut service, deadline) = (held.target().clone(), deadline(held));
                    let broken = match service.poll_ready(cx) {
                        Poll::Ready(Ok(())) => {
                            if let Some(lease) = lease.send() {
                                let call = || service.call(request);
                                let calling = Calling::new(lease, classify, deadline, call);
                                state.set(State::Calling { calling });
                            }
                            continue;
                        }
                        Poll::Ready(Err(error)) => Some(error.into()),
                        Poll::Pending => None,
                    };
                    let chosen = Contender::of(service, lease);
                    let mut readying = Box::new(Readying::new(chosen, key, deadline, broken));
                    match readying.poll_others::<Req>(cx) {
                        Poll::Ready(readied) => {
                            let calling = called(readied?, request, classify);
                            state.set(State::Calling { calling });
                        }
                        Poll::Pending => {
                            state.set(State::Readying { readying, request, classify });
                            return Poll::Pending;
                        }
                    }
                }
                StateProj::Readying { readying, .. } => {
                    let readied = ready!(readying.poll::<Req>(cx));
                    let taken = state.as_mut().project_replace(State::Done);
                    let StateTaken::Readying { request, classify, .. } = taken else { continue };
                    let calling = called(readied?, request, classify);
                    state.set(State::Calling { calling });
                }
                StateProj::Calling { calling } => {
                    let answer = ready!(calling.poll::<T::Response, T::Error>(cx));
                    state.set(State::Done);
                    return Poll::Ready(answer.map(U::complete));
                }
                StateProj::Refused { .. } => {
                    let taken = state.as_mut().project_replace(State::Done);
                    if let StateTaken::Refused { refusal } = taken {
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

/// Sends a request to the endpoint that is ready for it.
fn called<T: Service<Req>, Req, C>(
    ready: Ready<T>,
    request: Req,
    classify: C,
) -> Calling<T::Future, T, C> {
    let Ready { mut service, lease, deadline } = ready;
    Calling::new(lease, classify, deadline, || service.call(request))
}

impl<T: Service<Req>, Req, C, U> fmt::Debug for ResponseFuture<T, Req, C, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
