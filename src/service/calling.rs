//! A request at its endpoint: called, timed, judged.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep_until};

use crate::balancer::Lease;
use crate::classify::{Classify, FailureKind, Outcome};
use crate::error::{BoxError, EndpointError, EndpointErrorReason};
use crate::service::Answered;
use crate::service::span::Span;

/// When an attempt has used up its time. Boxed, because few have a limit and all would carry it.
pub(crate) type Deadline = Option<Pin<Box<Sleep>>>;

/// The deadline of a lease, if attempts are limited.
pub(crate) fn deadline<T>(lease: &Lease<T>) -> Deadline {
    lease.deadline().map(|(at, _)| Box::pin(sleep_until(at)))
}

/// A lease for a request that is not sent yet. Dropped, it is as if it had never been taken.
pub(crate) struct Unsent<T>(Option<Lease<T>>);

impl<T> Unsent<T> {
    pub(crate) fn new(lease: Lease<T>) -> Self {
        Self(Some(lease))
    }

    pub(crate) fn get(&self) -> Option<&Lease<T>> {
        self.0.as_ref()
    }

    /// The lease, for a request that is about to be sent.
    pub(crate) fn send(mut self) -> Option<Lease<T>> {
        self.0.take()
    }
}

impl<T> Drop for Unsent<T> {
    fn drop(&mut self) {
        if let Some(lease) = self.0.take() {
            lease.withdraw();
        }
    }
}

/// Ends a lease whose time is over: that was the endpoint's failure.
pub(crate) fn time_out<T>(lease: Lease<T>) -> EndpointError {
    let error = timed_out(&lease);
    lease.finish(Outcome::Failure(FailureKind::Timeout));
    error
}

/// The error of a lease whose time is over.
pub(crate) fn timed_out<T>(lease: &Lease<T>) -> EndpointError {
    let after = lease.deadline().map(|(_, after)| after).unwrap_or_default();
    let reason = EndpointErrorReason::TimedOut { after };
    EndpointError::new(lease.endpoint().clone(), reason, None)
}

pin_project! {
    /// The time between the call and the answer's head.
    pub(crate) struct Calling<F, T, C> {
        #[pin]
        response: F,
        // Taken out when the answer is there.
        held: Option<(Lease<T>, C)>,
        deadline: Deadline,
        span: Span,
    }
}

impl<F, T, C> Calling<F, T, C> {
    /// `call` runs within the request's span.
    pub(crate) fn new(
        lease: Lease<T>,
        classify: C,
        deadline: Deadline,
        call: impl FnOnce() -> F,
    ) -> Self {
        let span = Span::of(&lease);
        let response = span.within(call);
        Self { response, held: Some((lease, classify)), deadline, span }
    }

    /// The answer, or why there is none. Judged here, and its latency ends here.
    pub(crate) fn poll<Res, Err>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Answered<Res, T, C>, BoxError>>
    where
        F: Future<Output = Result<Res, Err>>,
        Err: Into<BoxError>,
        C: Classify<Res, Err>,
    {
        let this = self.project();
        let polled = this.span.within(|| this.response.poll(cx));
        let result = match polled {
            Poll::Ready(result) => result,
            Poll::Pending => {
                let over = this.deadline.as_mut().is_some_and(|at| at.as_mut().poll(cx).is_ready());
                return match this.held.take_if(|_| over) {
                    Some((lease, _)) => Poll::Ready(Err(time_out(lease).into())),
                    None => Poll::Pending,
                };
            }
        };
        let Some((lease, classify)) = this.held.take() else {
            return Poll::Ready(Err("the response was polled after it was given".into()));
        };
        let head = classify.classify(result.as_ref());
        Poll::Ready(match result {
            Ok(mut response) => {
                classify.mark(&mut response, lease.endpoint());
                Ok(Answered { response, lease, head, classify })
            }
            Err(error) => {
                let (endpoint, reason) = (lease.endpoint().clone(), EndpointErrorReason::Failed);
                lease.finish(head);
                Err(EndpointError::new(endpoint, reason, Some(error.into())).into())
            }
        })
    }
}
