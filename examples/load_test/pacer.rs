//! Sends at a fixed rate, whatever becomes of what was sent.
//!
//! An open loop: nobody waits for an answer before the next request, so a balancer that stalls is
//! met by all the requests that come meanwhile, as it would be by visitors. A closed loop would
//! send nothing while it waits, and have few slow requests to tell of (coordinated omission).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;

use crate::arguments::{Plan, SPANS};
use crate::client::{Client, Done};
use crate::clock::sleep_until;
use crate::ledger::histogram;

/// What was sent in one span.
pub(crate) struct Paced {
    pub(crate) sent: u64,
    /// Requests that were in flight at once, at most.
    pub(crate) in_flight: u64,
    /// How late requests were sent, in microseconds: what the machine adds, before any balancer.
    pub(crate) late: Histogram<u64>,
}

/// Sends until the end of the run, from a thread of its own.
pub(crate) fn start(
    plan: Plan,
    began: Instant,
    client: Client,
    done: UnboundedSender<Done>,
) -> JoinHandle<Vec<Paced>> {
    let runtime = Handle::current();
    thread::spawn(move || {
        let ended = Arc::new(AtomicU64::new(0));
        let mut spans: Vec<Paced> =
            (0..SPANS).map(|_| Paced { sent: 0, in_flight: 0, late: histogram() }).collect();
        let each = 1e9 / f64::from(plan.rate);
        let requests = (plan.length.as_secs_f64() * f64::from(plan.rate)) as u64;
        for number in 0..requests {
            let after = Duration::from_nanos((number as f64 * each) as u64);
            let due = began + after;
            sleep_until(due);
            let at = (after.as_secs_f64() / plan.span().as_secs_f64()) as usize;
            let Some(span) = spans.get_mut(at.min(SPANS as usize - 1)) else { break };
            span.sent += 1;
            span.late.saturating_record(due.elapsed().as_micros() as u64);
            let in_flight = number + 1 - ended.load(Ordering::Relaxed);
            span.in_flight = span.in_flight.max(in_flight);
            let (client, done, ended) = (client.clone(), done.clone(), Arc::clone(&ended));
            runtime.spawn(async move {
                let came = client.send(due).await;
                ended.fetch_add(1, Ordering::Relaxed);
                // Whoever does not listen any more has given up the run.
                let _ = done.send(came);
            });
        }
        spans
    })
}
