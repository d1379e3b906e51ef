//! The service behind every balancer, and how requests are sent to it.
//!
//! It does next to nothing, so that what is measured is the balancer. A request is driven by hand,
//! with a waker that does nothing: no runtime is part of it, except where a contestant needs one.

use std::convert::Infallible;
use std::fmt::Debug;
use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use tower::util::ServiceFn;
use tower::{Service, service_fn};

/// What is asked of an endpoint.
#[derive(Clone, Copy, Debug)]
pub enum Request {
    /// An answer at once.
    Answer,
    /// None, so that the request stays in flight.
    Hold,
}

/// What becomes of a [`Request`].
#[derive(Debug)]
pub struct Response(Request);

impl Future for Response {
    type Output = Result<(), Infallible>;

    #[inline]
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        match self.0 {
            Request::Answer => Poll::Ready(Ok(())),
            Request::Hold => Poll::Pending,
        }
    }
}

/// An endpoint.
#[must_use]
pub fn service() -> ServiceFn<impl Fn(Request) -> Response + Copy + Send + Sync + 'static> {
    service_fn(Response)
}

/// One request: ready, call, answer.
///
/// # Panics
///
/// If the service is not ready or does not answer at once.
#[inline]
pub fn send<S: Service<Request>>(service: &mut S)
where
    S::Error: Debug,
{
    let response = call(service, Request::Answer);
    finish(response);
}

/// [`send`] to a service behind a mutex, which is held for ready and call.
///
/// # Panics
///
/// As [`send`].
#[inline]
pub fn send_locked<S: Service<Request>>(service: &Mutex<S>)
where
    S::Error: Debug,
{
    let response = call(&mut *service.lock(), Request::Answer);
    finish(response);
}

/// As many requests in flight as keep a balancer busy that has `n` endpoints: half as many again.
///
/// Without them all loads are 0, and comparing them is free. They stay in flight until they are
/// dropped.
///
/// # Panics
///
/// If the service is not ready, or answers.
pub fn hold<S: Service<Request>>(service: &mut S, n: usize) -> Vec<Pin<Box<S::Future>>>
where
    S::Error: Debug,
{
    let mut cx = Context::from_waker(Waker::noop());
    let mut hold = || {
        let mut response = Box::pin(call(service, Request::Hold));
        assert!(response.as_mut().poll(&mut cx).is_pending(), "a held request was answered");
        response
    };
    (0..n + n / 2).map(|_| hold()).collect()
}

#[inline]
fn call<S: Service<Request>>(service: &mut S, request: Request) -> S::Future
where
    S::Error: Debug,
{
    let mut cx = Context::from_waker(Waker::noop());
    let ready = service.poll_ready(&mut cx);
    assert!(matches!(ready, Poll::Ready(Ok(()))), "the service is not ready");
    service.call(black_box(request))
}

#[inline]
fn finish<R, E: Debug>(response: impl Future<Output = Result<R, E>>) {
    let answer = pin!(response).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(black_box(answer), Poll::Ready(Ok(_))), "the request was not answered");
}
