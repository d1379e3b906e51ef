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
use crate::service::calling::{Calling, deadline, gone};
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
        // It stays where it was put until the answer is judged: it is too wide to be moved on from
        // state to state.
        lease: Option<Lease<T>>,
        classify: C,
        #[pin]
        state: State<T, Req, T::Future>,
        until: std::marker::PhantomData<fn() -> U>,
    }
}

pin_project! {
    #[project = StateProj]
    #[project_replace = StateTaken]
    enum State<T, Req, F> {
        Chosen { key: Key, request: Req },
        // Boxed, because few have to wait and all would carry it.
        Readying { readying: Box<Readying<T>>, request: Req },
        Calling { #[pin] calling: Calling<F> },
        Refused { refusal: PickError },
        Done,
    }
}

impl<T: Service<Req> + Clone, Req, C, U> ResponseFuture<T, Req, C, U> {
    #[inline]
    pub(crate) fn new(lease: Lease<T>, key: Key, request: Req, classify: C) -> Self {
        let state = State::Chosen { key, request };
        Self { lease: Some(lease.unsent()), classify, state, until: std::marker::PhantomData }
    }

    #[cold]
    pub(crate) fn refused(refusal: PickError, classify: C) -> Self {
        let state = State::Refused { refusal };
        Self { lease: None, classify, state, until: std::marker::PhantomData }
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

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (mut state, place) = (this.state, this.lease);
        loop {
            match state.as_mut().project() {
                StateProj::Chosen { .. } => {
                    let taken = state.as_mut().project_replace(State::Done);
                    let StateTaken::Chosen { key, request } = taken else { continue };
                    let Some(lease) = place else { continue };
                    let (mut service, deadline) = (lease.target().clone(), deadline(lease));
                    let broken = match service.poll_ready(cx) {
                        Poll::Ready(Ok(())) => {
                            let calling = Calling::new(lease, deadline, || service.call(request));
                            state.set(State::Calling { calling });
                            continue;
                        }
                        Poll::Ready(Err(error)) => Some(error.into()),
                        Poll::Pending => None,
                    };
                    let Some(lease) = place.take() else { continue };
                    let chosen = Contender::of(service, lease);
                    let readying = Box::new(Readying::new(chosen, key, deadline, broken));
                    state.set(State::Readying { readying, request });
                    let StateProj::Readying { readying, .. } = state.as_mut().project() else {
                        continue;
                    };
                    // The chosen one was asked just now.
                    let ready = ready!(readying.poll_others::<Req>(cx));
                    settle(state.as_mut(), place, ready)?;
                }
                StateProj::Readying { readying, .. } => {
                    let ready = ready!(readying.poll::<Req>(cx));
                    settle(state.as_mut(), place, ready)?;
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
                        return Poll::Ready(Err(refusal.into()));
                    }
                }
                StateProj::Done => return Poll::Ready(Err(gone())),
            }
        }
    }
}

/// Sends a request to the endpoint that is ready for it, or gives up.
#[cold]
fn settle<T: Service<Req>, Req>(
    mut state: Pin<&mut State<T, Req, T::Future>>,
    place: &mut Option<Lease<T>>,
    ready: Result<Ready<T>, BoxError>,
) -> Result<(), BoxError> {
    let taken = state.as_mut().project_replace(State::Done);
    let StateTaken::Readying { request, .. } = taken else { return Ok(()) };
    let Ready { mut service, lease, deadline } = ready?;
    let calling = Calling::new(place.insert(lease), deadline, || service.call(request));
    state.set(State::Calling { calling });
    Ok(())
}

impl<T: Service<Req>, Req, C, U> fmt::Debug for ResponseFuture<T, Req, C, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
