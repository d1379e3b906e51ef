//! Finding an endpoint that is ready.

use std::collections::VecDeque;
use std::future::Future;
use std::task::{Context, Poll};

use tower_service::Service;

use crate::balancer::{Elsewhere, Lease};
use crate::classify::Outcome;
use crate::error::{BoxError, EndpointError, EndpointErrorReason};
use crate::service::calling::{Deadline, gone, time_out, timed_out};
use crate::units::Key;

/// Endpoints that one request waits for at once. Each costs a clone of its service.
const HELD: usize = 16;

/// Endpoints asked for one request while none is ready.
const ASKED: usize = 256;

/// A clone of an endpoint's service on its way to being ready, and the hold on the endpoint, which is
/// not sent anything yet.
pub(crate) struct Contender<T> {
    service: T,
    lease: Lease<T>,
}

/// The endpoints that compete for one request, whose own was not ready at once.
///
/// Whatever is left when it is dropped gives back what it was never sent.
pub(crate) struct Readying<T> {
    /// The one that was chosen stands apart: it answers for not having been ready in its time.
    chosen: Option<Contender<T>>,
    others: VecDeque<Contender<T>>,
    /// The way to further ones.
    elsewhere: Option<Elsewhere<T>>,
    /// The request belongs with the chosen one, and asks no others while that may still be ready.
    stays: bool,
    /// The request's own key, and those that were asked excluded.
    key: Key,
    asked: usize,
    deadline: Deadline,
    error: Option<EndpointError>,
}

/// An endpoint that is ready, and what is left of its time.
pub(crate) struct Ready<T> {
    pub(crate) service: T,
    pub(crate) lease: Lease<T>,
    pub(crate) deadline: Deadline,
}

impl<T: Clone> Contender<T> {
    fn new(lease: Lease<T>, key: &Key) -> Self {
        let lease = lease.unsent(key);
        Self { service: lease.target().clone(), lease }
    }

    /// The clone that was asked already.
    pub(crate) fn of(service: T, lease: Lease<T>) -> Self {
        Self { service, lease }
    }
}

impl<T: Clone> Readying<T> {
    /// For a request whose chosen endpoint was asked and is pending, or broken.
    #[cold]
    pub(crate) fn new(
        chosen: Contender<T>,
        key: Key,
        deadline: Deadline,
        broken: Option<BoxError>,
    ) -> Self {
        let elsewhere = chosen.lease.elsewhere();
        let stays = key.preferred() == Some(chosen.lease.endpoint());
        let (others, error, asked) = (VecDeque::new(), None, 0);
        let mut readying =
            Self { chosen: None, others, elsewhere, stays, key, asked, deadline, error };
        readying.exclude(&chosen);
        match broken {
            Some(error) => readying.discard(chosen, error),
            None => readying.chosen = Some(chosen),
        }
        readying
    }

    pub(crate) fn poll<Req>(&mut self, cx: &mut Context<'_>) -> Poll<Result<Ready<T>, BoxError>>
    where
        T: Service<Req>,
        T::Error: Into<BoxError>,
    {
        if let Some(mut chosen) = self.chosen.take() {
            match chosen.service.poll_ready(cx) {
                Poll::Ready(Ok(())) => return self.win(chosen),
                Poll::Ready(Err(error)) => self.discard(chosen, error.into()),
                Poll::Pending => self.chosen = Some(chosen),
            }
        }
        self.poll_others(cx)
    }

    /// Asks all but the chosen one.
    pub(crate) fn poll_others<Req>(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Ready<T>, BoxError>>
    where
        T: Service<Req>,
        T::Error: Into<BoxError>,
    {
        for _ in 0..self.others.len() {
            let Some(mut contender) = self.others.pop_front() else { break };
            match contender.service.poll_ready(cx) {
                Poll::Ready(Ok(())) => return self.win(contender),
                Poll::Ready(Err(error)) => self.discard(contender, error.into()),
                Poll::Pending => self.others.push_back(contender),
            }
        }
        while let Some(mut contender) = self.next() {
            match contender.service.poll_ready(cx) {
                Poll::Ready(Ok(())) => return self.win(contender),
                Poll::Ready(Err(error)) => self.discard(contender, error.into()),
                Poll::Pending => {
                    if self.others.len() + 1 >= HELD {
                        self.others.pop_front();
                    }
                    self.others.push_back(contender);
                }
            }
        }
        if self.deadline.as_mut().is_some_and(|at| at.as_mut().poll(cx).is_ready()) {
            // Nothing was sent to any of them: the one that was chosen for the request answers for
            // not having been ready in its time, and those that were asked instead do not.
            self.error = match (self.chosen.take(), self.others.front()) {
                (Some(chosen), _) => Some(time_out(chosen.lease)),
                (None, Some(other)) => Some(timed_out(&other.lease)),
                (None, None) => self.error.take(),
            };
            self.others.clear();
        }
        if self.chosen.is_some() || !self.others.is_empty() {
            return Poll::Pending;
        }
        Poll::Ready(Err(self.error.take().map_or_else(gone, Into::into)))
    }

    /// An endpoint that this request has not asked, while there is one.
    fn next(&mut self) -> Option<Contender<T>> {
        if self.stays && self.chosen.is_some() {
            return None;
        }
        let elsewhere = self.elsewhere.as_ref().filter(|_| self.asked < ASKED)?;
        let contender = Contender::new(elsewhere.pick(&self.key)?, &self.key);
        self.exclude(&contender);
        Some(contender)
    }

    fn exclude(&mut self, contender: &Contender<T>) {
        self.asked += 1;
        self.key = std::mem::take(&mut self.key).excluding(contender.lease.endpoint());
    }

    /// By tower's contract such a service is to be discarded.
    fn discard(&mut self, contender: Contender<T>, error: BoxError) {
        let lease = contender.lease;
        let (endpoint, reason) = (lease.endpoint().clone(), EndpointErrorReason::NotReady);
        lease.finish(Outcome::broken());
        self.error = Some(EndpointError::new(endpoint, reason, Some(error)));
    }

    /// The others give back what they were never sent.
    fn win(&mut self, contender: Contender<T>) -> Poll<Result<Ready<T>, BoxError>> {
        if let Some(chosen) = self.chosen.take() {
            chosen.lease.passed_over();
        }
        self.others.clear();
        let Contender { service, lease } = contender;
        Poll::Ready(Ok(Ready { service, lease, deadline: self.deadline.take() }))
    }
}
