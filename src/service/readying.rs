//! Finding an endpoint that is ready.

use std::future::Future;
use std::task::{Context, Poll};

use tower_service::Service;

use crate::balancer::{Elsewhere, Lease};
use crate::classify::Outcome;
use crate::error::{BoxError, EndpointError, EndpointErrorReason};
use crate::service::calling::{Deadline, deadline, time_out};
use crate::units::Key;

/// Endpoints tried for one request while none is ready.
const MOST: usize = 16;

/// A clone of an endpoint's service on its way to being ready, and the hold on the endpoint.
pub(crate) struct Contender<T> {
    pub(crate) service: T,
    pub(crate) lease: Lease<T>,
}

/// The endpoints that compete for one request.
pub(crate) struct Readying<T> {
    /// The first one stands apart, so that a request whose endpoint is ready allocates nothing.
    first: Option<Contender<T>>,
    others: Vec<Contender<T>>,
    /// The way to further ones, once the first was not ready.
    elsewhere: Option<Elsewhere<T>>,
    /// The request's own key, and those that were tried excluded.
    key: Key,
    tried: usize,
    deadline: Deadline,
    error: Option<EndpointError>,
}

/// An endpoint that is ready, and what is left of its time.
pub(crate) struct Ready<T> {
    pub(crate) contender: Contender<T>,
    pub(crate) deadline: Deadline,
}

impl<T: Clone> Contender<T> {
    fn new(lease: Lease<T>) -> Self {
        Self { service: lease.target().clone(), lease }
    }
}

impl<T: Clone> Readying<T> {
    pub(crate) fn new(lease: Lease<T>, key: Key) -> Self {
        Self {
            first: Some(Contender::new(lease)),
            others: Vec::new(),
            elsewhere: None,
            key,
            tried: 0,
            deadline: None,
            error: None,
        }
    }

    #[inline]
    pub(crate) fn poll<Req>(&mut self, cx: &mut Context<'_>) -> Poll<Result<Ready<T>, BoxError>>
    where
        T: Service<Req>,
        T::Error: Into<BoxError>,
    {
        if let Some(mut first) = self.first.take() {
            if self.tried == 0 {
                self.deadline = deadline(&first.lease);
            }
            let readied = first.service.poll_ready(cx);
            if let Poll::Ready(Ok(())) = readied {
                return self.win(first);
            }
            if self.tried == 0 {
                self.elsewhere = first.lease.elsewhere();
                self.exclude(&first);
            }
            match readied {
                Poll::Ready(Err(error)) => self.discard(first, error.into()),
                _ => self.first = Some(first),
            }
        }
        self.poll_others(cx)
    }

    #[cold]
    fn poll_others<Req>(&mut self, cx: &mut Context<'_>) -> Poll<Result<Ready<T>, BoxError>>
    where
        T: Service<Req>,
        T::Error: Into<BoxError>,
    {
        let mut at = 0;
        while let Some(contender) = self.others.get_mut(at) {
            match contender.service.poll_ready(cx) {
                Poll::Pending => at += 1,
                Poll::Ready(readied) => {
                    let contender = self.others.swap_remove(at);
                    match readied {
                        Ok(()) => return self.win(contender),
                        Err(error) => self.discard(contender, error.into()),
                    }
                }
            }
        }
        while let Some(mut contender) = self.next() {
            match contender.service.poll_ready(cx) {
                Poll::Ready(Ok(())) => return self.win(contender),
                Poll::Ready(Err(error)) => self.discard(contender, error.into()),
                Poll::Pending => self.others.push(contender),
            }
        }
        if self.deadline.as_mut().is_some_and(|at| at.as_mut().poll(cx).is_ready()) {
            // Nothing was sent to any of them: the one that was chosen for the request answers for
            // not having been ready in its time, and those that were asked instead do not.
            let waiting = self.first.take().into_iter().chain(self.others.drain(..));
            for (at, contender) in waiting.enumerate() {
                if at == 0 {
                    self.error = Some(time_out(contender.lease));
                } else {
                    contender.lease.withdraw();
                }
            }
        }
        if self.first.is_some() || !self.others.is_empty() {
            return Poll::Pending;
        }
        let gone = || BoxError::from("the response was polled after it was given");
        Poll::Ready(Err(self.error.take().map_or_else(gone, Into::into)))
    }

    /// An endpoint that this request has not tried, while there is one.
    fn next(&mut self) -> Option<Contender<T>> {
        let elsewhere = self.elsewhere.as_ref().filter(|_| self.tried < MOST)?;
        let lease = elsewhere.pick(&self.key)?;
        let contender = Contender::new(lease);
        self.exclude(&contender);
        Some(contender)
    }

    fn exclude(&mut self, contender: &Contender<T>) {
        self.tried += 1;
        self.key = std::mem::take(&mut self.key).excluding(contender.lease.endpoint());
    }

    /// By tower's contract such a service is to be discarded.
    fn discard(&mut self, contender: Contender<T>, error: BoxError) {
        let endpoint = contender.lease.endpoint().clone();
        contender.lease.finish(Outcome::broken());
        let reason = EndpointErrorReason::NotReady;
        self.error = Some(EndpointError::new(endpoint, reason, Some(error)));
    }

    /// The others give back what they were never sent.
    fn win(&mut self, contender: Contender<T>) -> Poll<Result<Ready<T>, BoxError>> {
        let losers = self.first.take().into_iter().chain(self.others.drain(..));
        losers.for_each(|loser| loser.lease.withdraw());
        Poll::Ready(Ok(Ready { contender, deadline: self.deadline.take() }))
    }
}
