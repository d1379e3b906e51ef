//! tower: the discovery takes one endpoint away and brings one, and the balancer is polled.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use parking_lot::Mutex;
use tower::Service;
use tower::balance::p2c::Balance;
use tower::discover::Change;
use tower::load::{CompleteOnResponse, PendingRequestsDiscover};

use super::Stopwatch;
use crate::clock;
use crate::endpoint::{self, Request};

/// A discovery that hands on what is put in.
#[derive(Debug)]
struct Feed<S>(Arc<Mutex<VecDeque<Change<usize, S>>>>);

impl<S> Stream for Feed<S> {
    type Item = Result<Change<usize, S>, Infallible>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // Nobody is woken: the balancer is polled by hand, as often as something was put in.
        self.0.lock().pop_front().map_or(Poll::Pending, |change| Poll::Ready(Some(Ok(change))))
    }
}

pub(super) fn pending(n: usize) -> Stopwatch {
    let insert = |key| Change::Insert(key, endpoint::service());
    let changes = Arc::new(Mutex::new((0..n).map(insert).collect::<VecDeque<_>>()));
    let feed = Feed(Arc::clone(&changes));
    let discover = PendingRequestsDiscover::new::<Request>(feed, CompleteOnResponse::default());
    let mut balance = Balance::new(discover);
    let mut poll = move || {
        let ready = balance.poll_ready(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(ready, Poll::Ready(Ok(()))), "an endpoint is ready");
        assert_eq!(balance.len(), n);
    };
    poll();
    let mut next = n;
    Box::new(move || {
        changes.lock().extend([Change::Remove(next - n), insert(next)]);
        next += 1;
        clock::time(&mut poll)
    })
}
