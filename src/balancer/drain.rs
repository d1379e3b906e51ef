//! Waiting for an endpoint to finish.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::endpoint::EndpointCell;
use crate::sync::Arc;
use crate::units::EndpointId;

/// Ready when nothing is in flight to the endpoint that is being drained.
///
/// From then on nothing is, until the endpoint is enabled or its time is over: requests that were
/// choosing it while the drain began are counted or turned to another endpoint. If it is enabled
/// before, the future goes on waiting for a moment with nothing in flight.
///
/// # Sessions
///
/// Requests that [prefer](crate::Key::preferring) the endpoint, those of sessions, are still sent
/// to it while it drains. That ends
///
/// * when this future finds a moment with nothing in flight: whoever waits for it wants to stop the
///   server, and may once it is ready. A future that nobody polls ends nothing;
/// * after a time of their own, if they are given one by [`after_sessions`](Self::after_sessions),
///   however busy or quiet they are;
/// * when the endpoint is [disabled](crate::Balancer::disable) or removed, and with
///   [`drain_all`](crate::Balancer::drain_all).
///
/// Without requests that prefer an endpoint nothing of this happens.
///
/// The future holds neither the balancer nor the target.
///
/// # Cancel safety
///
/// Dropping it stops the waiting and nothing else: the endpoint goes on draining.
#[must_use = "the drain has begun; await this to know when it is over"]
pub struct Drain {
    cell: Arc<EndpointCell>,
    ticket: Option<u64>,
}

impl Drain {
    pub(crate) fn new(cell: Arc<EndpointCell>) -> Self {
        Self { cell, ticket: None }
    }

    /// The endpoint that is being drained.
    #[must_use]
    pub fn endpoint(&self) -> &EndpointId {
        self.cell.id()
    }

    /// Requests that are still in flight to it.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.cell.in_flight()
    }

    /// Ends the sessions as well: nothing begins any more.
    pub(crate) fn end_sessions(&self) {
        self.cell.end_sessions();
    }
}

impl Future for Drain {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { cell, ticket } = &mut *self;
        // The second look is for a session that begins between the first and the end of them all.
        let is_over = cell.watch(ticket, cx.waker())
            && (cell.end_sessions() || cell.watch(ticket, cx.waker()));
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.cell.unwatch(self.ticket);
    }
}

impl fmt::Debug for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain")
            .field("endpoint", self.endpoint())
            .field("in_flight", &self.in_flight())
            .finish()
    }
}
