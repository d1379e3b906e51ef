//! The way from the writer to subscribers: bounded, and never waited for.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::sync::broadcast;
use tokio::time::Instant;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

use crate::balancer::now;
use crate::balancer::recent::{Dated, Happening, Recent, Traces};
use crate::event::Event;
use crate::sync::{Arc, HandOver, Mutex};

/// Events kept for the slowest subscriber; what it does not take in time is counted as missed.
const KEPT: usize = 1_024;

/// Sends events to all subscribers, and keeps the last ones for those who come later.
///
/// Events are queued under the writer's lock, which gives them their order, and sent when it is
/// free: sending wakes tasks and drops what was sent long ago, and both run code that is not ours.
#[derive(Debug)]
pub(crate) struct Hub {
    sender: OnceLock<broadcast::Sender<Event>>,
    queue: Mutex<VecDeque<Dated>>,
    turn: HandOver<()>,
    recent: Recent,
}

impl Hub {
    pub(crate) fn new() -> Self {
        let (queue, turn) = (Mutex::new(VecDeque::new()), HandOver::new(()));
        Self { sender: OnceLock::new(), queue, turn, recent: Recent::default() }
    }

    pub(crate) fn subscribe(&self) -> Events {
        let sender = self.sender.get_or_init(|| broadcast::Sender::new(KEPT));
        Events(BroadcastStream::new(sender.subscribe()))
    }

    /// Queues an event; whoever does so under a lock flushes when it is free.
    pub(crate) fn push(&self, event: Event) {
        self.push_with(event, None);
    }

    /// As [`push`](Self::push), with what the change has left in the history.
    pub(crate) fn push_with(&self, event: Event, traces: Option<Traces>) {
        let dated = Dated::new(event, traces, now());
        self.queue.lock().push_back(dated);
    }

    /// Sends what is queued, unless somebody is at it: who then sends this, too.
    pub(crate) fn flush(&self) {
        if self.queue.lock().is_empty() {
            return;
        }
        self.turn.leave(|()| {
            while let Some(dated) = self.next() {
                if let Some(sender) = self.sender.get() {
                    // An error says that nobody is subscribed any more.
                    let _ = sender.send(dated.event.clone());
                }
                self.recent.note(Arc::new(dated));
            }
        });
    }

    fn next(&self) -> Option<Dated> {
        self.queue.lock().pop_front()
    }

    /// The last changes and the last other happenings, the latest first. Waits for no writer.
    pub(crate) fn recent(&self, now: Instant) -> (Vec<Happening>, Vec<Happening>) {
        self.recent.tell(now)
    }
}

/// A subscription to the events of one balancer, from the moment of subscribing.
///
/// It ends when the last handle of the balancer is gone. A reader that falls more than 1,024
/// events behind gets [`Event::Missed`] with their number; picks never wait for it.
pub struct Events(BroadcastStream<Event>);

impl Events {
    /// The next event, or `None` when the balancer is gone.
    ///
    /// # Cancel safety
    ///
    /// An event is taken only when it is returned; dropping the future loses nothing.
    pub async fn recv(&mut self) -> Option<Event> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        Pin::new(&mut self.0).poll_next(cx).map(|next| {
            next.map(|event| match event {
                Ok(event) => event,
                Err(BroadcastStreamRecvError::Lagged(missed)) => Event::Missed(missed),
            })
        })
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}
