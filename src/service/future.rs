//! A request on its way: an endpoint found, called, judged, released.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tower_service::Service;

use crate::balancer::{Balancer, Sending};
use crate::classify::Classify;
use crate::error::{BoxError, PickError};
use crate::service::calling::{Calling, deadline, gone};
use crate::service::readying::{Ready, Readying, poll_ready};
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
        // First, so that a request that is dropped is over before its endpoint is released.
        #[pin]
        state: State<T, T::Future>,
        // What a request has stays where it was put until it is used or judged: it is too wide to be
        // moved on from state to state.
        lease: Option<Sending<T>>,
        key: Key,
        request: Option<Req>,
        classify: C,
        until: std::marker::PhantomData<fn() -> U>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<T, F> {
        Chosen,
        // Boxed, because few have to wait and all would carry it.
        Readying { readying: Box<Readying<T>> },
        Calling { #[pin] calling: Calling<F> },
        Refused { refusal: Option<Box<PickError>> },
        Done,
    }
}

impl<T, Req, C, U> ResponseFuture<T, Req, C, U>
where
    T: Service<Req> + Clone + Send + Sync + 'static,
{
    /// Chooses an endpoint for the request.
    #[inline]
    pub(crate) fn chosen(balancer: &Balancer<T>, key: Key, request: Req, classify: C) -> Self {
        let request = (key, request, classify);
        balancer.choose(request, |(key, ..)| key, Self::to, Self::refused)
    }

    /// For a hold on the chosen endpoint. Written into its caller, which builds it where it stays.
    #[inline(always)]
    fn to(lease: Sending<T>, (key, request, classify): (Key, Req, C)) -> Self {
        Self {
            // Before anything of the caller's runs.
            lease: Some(lease.unsent(&key)),
            key,
            request: Some(request),
            classify,
            state: State::Chosen,
            until: std::marker::PhantomData,
        }
    }

    #[cold]
    fn refused(refusal: PickError, (_, _, classify): (Key, Req, C)) -> Self {
        Self {
            lease: None,
            key: Key::none(),
            request: None,
            classify,
            state: State::Refused { refusal: Some(Box::new(refusal)) },
            until: std::marker::PhantomData,
        }
    }
}

impl<T, Req, C, U> Future for ResponseFuture<T, Req, C, U>
where
    T: Service<Req> + Clone + Send + Sync + 'static,
    T::Error: Into<BoxError>,
    C: Classify<T::Response, T::Error>,
    U: Until<T::Response, T::Error, T, C>,
{
    type Output = Result<U::Response, BoxError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (mut state, place, kept) = (this.state, this.lease, this.request);
        loop {
            match state.as_mut().project() {
                StateProj::Chosen => {
                    // Whatever panics here leaves nothing to go on with.
                    let (Some(lease), Some(request)) = (&mut *place, kept.take()) else {
                        return Poll::Ready(Err(gone()));
                    };
                    let deadline = deadline(lease);
                    let broken = match poll_ready::<T, Req>(lease, cx) {
                        Poll::Ready(Ok(())) => {
                            let call = |service: Option<&mut T>| Some(service?.call(request));
                            let calling = Calling::new(lease, deadline, call).ok_or_else(gone)?;
                            state.set(State::Calling { calling });
                            continue;
                        }
                        Poll::Ready(Err(error)) => Some(error),
                        Poll::Pending => None,
                    };
                    *kept = Some(request);
                    let Some(chosen) = place.take() else { continue };
                    let key = std::mem::take(this.key);
                    let mut readying = Box::new(Readying::new(chosen, key, deadline, broken));
                    // The chosen one was asked just now.
                    let Poll::Ready(ready) = readying.poll_others::<Req>(cx) else {
                        state.set(State::Readying { readying });
                        return Poll::Pending;
                    };
                    settle(state.as_mut(), place, kept, ready)?;
                }
                StateProj::Readying { readying } => {
                    let ready = ready!(readying.poll::<Req>(cx));
                    settle(state.as_mut(), place, kept, ready)?;
                }
                StateProj::Calling { calling } => {
                    let answer = calling.poll::<_, _, U, _, _>(place, this.classify, cx);
                    if answer.is_ready() {
                        state.set(State::Done);
                    }
                    return answer;
                }
                StateProj::Refused { refusal } => {
                    let refusal = refusal.take().map_or_else(gone, |refusal| (*refusal).into());
                    return Poll::Ready(Err(refusal));
                }
                StateProj::Done => return Poll::Ready(Err(gone())),
            }
        }
    }
}

/// Sends a request to the endpoint that is ready for it, or gives up.
#[cold]
fn settle<T: Service<Req>, Req>(
    mut state: Pin<&mut State<T, T::Future>>,
    place: &mut Option<Sending<T>>,
    kept: &mut Option<Req>,
    ready: Result<Ready<T>, BoxError>,
) -> Result<(), BoxError> {
    state.set(State::Done);
    let Ready { lease, deadline } = ready?;
    let request = kept.take().ok_or_else(gone)?;
    let call = |service: Option<&mut T>| Some(service?.call(request));
    let calling = Calling::new(place.insert(lease), deadline, call).ok_or_else(gone)?;
    state.set(State::Calling { calling });
    Ok(())
}

impl<T: Service<Req>, Req, C, U> fmt::Debug for ResponseFuture<T, Req, C, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
