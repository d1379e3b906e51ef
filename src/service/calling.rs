//! A request at its endpoint: called, timed, judged.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep_until};

use crate::balancer::Sending;
use crate::classify::{Classify, FailureKind, Outcome};
use crate::error::{BoxError, EndpointError, EndpointErrorReason};
use crate::service::span::Span;
use crate::service::{Answered, Until};

/// When an attempt has used up its time. Boxed, because few have a limit and all would carry it.
pub(crate) type Deadline = Option<Pin<Box<Sleep>>>;

/// The deadline of a lease, if attempts are limited.
#[inline]
pub(crate) fn deadline<T>(lease: &Sending<T>) -> Deadline {
    lease.deadline().map(|(at, _)| Box::pin(sleep_until(at)))
}

/// Ends a lease whose time is over: that was the endpoint's failure.
pub(crate) fn time_out<T>(mut lease: Sending<T>) -> EndpointError {
    let error = timed_out(&lease);
    lease.end(Outcome::Failure(FailureKind::Timeout));
    error
}

/// The error of a lease whose time is over.
pub(crate) fn timed_out<T>(lease: &Sending<T>) -> EndpointError {
    let after = lease.deadline().map(|(_, after)| after).unwrap_or_default();
    let reason = EndpointErrorReason::TimedOut { after };
    EndpointError::new(lease.endpoint(), reason, None)
}

/// What is said to whoever polls on.
pub(crate) fn gone() -> BoxError {
    "the response was polled after it was given".into()
}

pin_project! {
    /// The time between the call and the answer's head. The lease and what judges stand beside it, in
    /// the future they were made for: moving them here would cost more than the judgement does.
    pub(crate) struct Calling<F> {
        #[pin]
        response: F,
        deadline: Deadline,
        span: Span,
    }
}

impl<F> Calling<F> {
    /// Sends the request: `call` runs within its span, and is given the endpoint's service if the lease
    /// has one. `None` is what it says without one that it needs.
    #[inline]
    pub(crate) fn new<T>(
        lease: &mut Sending<T>,
        deadline: Deadline,
        call: impl FnOnce(Option<&mut T>) -> Option<F>,
    ) -> Option<Self> {
        lease.send();
        let span = Span::of(lease);
        let response = span.within(|| call(lease.anchor_mut().target()))?;
        Some(Self { response, deadline, span })
    }

    /// The answer, or why there is none. Judged here, and its latency ends here.
    #[inline]
    pub(crate) fn poll<T, C, U, Res, Err>(
        self: Pin<&mut Self>,
        lease: &mut Option<Sending<T>>,
        classify: &C,
        cx: &mut Context<'_>,
    ) -> Poll<Result<U::Response, BoxError>>
    where
        F: Future<Output = Result<Res, Err>>,
        Err: Into<BoxError>,
        C: Classify<Res, Err>,
        U: Until<Res, Err, T, C>,
    {
        let this = self.project();
        let Poll::Ready(result) = this.span.within(|| this.response.poll(cx)) else {
            let Some(deadline) = this.deadline else { return Poll::Pending };
            ready!(deadline.as_mut().poll(cx));
            return Poll::Ready(Err(lease.take().map_or_else(gone, |it| time_out(it).into())));
        };
        let head = classify.classify(result.as_ref());
        Poll::Ready(match result {
            Ok(mut response) => {
                if classify.marks()
                    && let Some(lease) = lease
                {
                    lease.with_endpoint(|endpoint| classify.mark(&mut response, endpoint));
                }
                Ok(U::complete(Answered { response, lease, head, classify }))
            }
            Err(error) => Err(lease.take().map_or_else(gone, |mut lease| {
                let (endpoint, reason) = (lease.endpoint(), EndpointErrorReason::Failed);
                lease.end(head);
                EndpointError::new(endpoint, reason, Some(error.into())).into()
            })),
        })
    }
}
