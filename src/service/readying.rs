//! Finding an endpoint that is ready.

use std::collections::VecDeque;
use std::future::Future;
use std::task::{Context, Poll};

use tower_service::Service;

use crate::balancer::{Elsewhere, Sending};
use crate::classify::Outcome;
use crate::error::{BoxError, EndpointError, EndpointErrorReason};
use crate::service::calling::{Deadline, gone, time_out, timed_out};
use crate::units::Key;

/// Endpoints that one request waits for at once. Each costs a clone of its service.
const HELD: usize = 16;

/// Endpoints asked for one request while none is ready.
const ASKED: usize = 256;

/// The endpoints that compete for one request, whose own was not ready at once.
///
/// Whatever is left when it is dropped gives back what it was never sent.
pub(crate) struct Readying<T> {
    /// The one that was chosen stands apart: it answers for not having been ready in its time.
    chosen: Option<Sending<T>>,
    others: VecDeque<Sending<T>>,
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

/// A hold on an endpoint that is ready, and what is left of its time.
pub(crate) struct Ready<T> {
    pub(crate) lease: Sending<T>,
    pub(crate) deadline: Deadline,
}

impl<T: Clone + Send + Sync + 'static> Readying<T> {
    /// For a request whose chosen endpoint was asked and is pending, or broken.
    #[cold]
    pub(crate) fn new(
        chosen: Sending<T>,
        key: Key,
        deadline: Deadline,
        broken: Option<BoxError>,
    ) -> Self {
        let elsewhere = chosen.elsewhere();
        let stays = key.preferred() == Some(&chosen.endpoint());
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
            match poll_ready::<T, Req>(&mut chosen, cx) {
                Poll::Ready(Ok(())) => return self.win(chosen),
                Poll::Ready(Err(error)) => self.discard(chosen, error),
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
            match poll_ready::<T, Req>(&mut contender, cx) {
                Poll::Ready(Ok(())) => return self.win(contender),
                Poll::Ready(Err(error)) => self.discard(contender, error),
                Poll::Pending => self.others.push_back(contender),
            }
        }
        while let Some(mut contender) = self.next() {
            match poll_ready::<T, Req>(&mut contender, cx) {
                Poll::Ready(Ok(())) => return self.win(contender),
                Poll::Ready(Err(error)) => self.discard(contender, error),
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
                (Some(chosen), _) => Some(time_out(chosen)),
                (None, Some(other)) => Some(timed_out(other)),
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
    fn next(&mut self) -> Option<Sending<T>> {
        if self.stays && self.chosen.is_some() {
            return None;
        }
        let elsewhere = self.elsewhere.as_ref().filter(|_| self.asked < ASKED)?;
        let contender = elsewhere.pick(&self.key)?.unsent(&self.key);
        self.exclude(&contender);
        Some(contender)
    }

    fn exclude(&mut self, contender: &Sending<T>) {
        self.asked += 1;
        self.key = std::mem::take(&mut self.key).excluding(&contender.endpoint());
    }

    /// By tower's contract such a service is to be discarded.
    fn discard(&mut self, mut contender: Sending<T>, error: BoxError) {
        let (endpoint, reason) = (contender.endpoint(), EndpointErrorReason::NotReady);
        contender.end(Outcome::broken());
        self.error = Some(EndpointError::new(endpoint, reason, Some(error)));
    }

    /// The others give back what they were never sent.
    fn win(&mut self, contender: Sending<T>) -> Poll<Result<Ready<T>, BoxError>> {
        if let Some(chosen) = self.chosen.take() {
            chosen.passed_over();
        }
        self.others.clear();
        Poll::Ready(Ok(Ready { lease: contender, deadline: self.deadline.take() }))
    }
}

/// Makes the service that a request will be sent to ready for it.
#[inline]
pub(crate) fn poll_ready<T, Req>(
    lease: &mut Sending<T>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), BoxError>>
where
    T: Service<Req>,
    T::Error: Into<BoxError>,
{
    match lease.anchor_mut().target() {
        Some(service) => service.poll_ready(cx).map_err(Into::into),
        None => Poll::Ready(Err(gone())),
    }
}
