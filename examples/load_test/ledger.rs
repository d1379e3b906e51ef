//! What came of all requests, by the time they belong to and by server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use evenkeel::EndpointId;
use hdrhistogram::Histogram;

use crate::arguments::{Plan, SPANS};
use crate::client::{Attempt, Done, Loss};
use crate::faults::Faults;

/// Microseconds up to a minute, to three digits.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are in order")
}

/// Losses that nothing explains are told one by one, as far as that makes sense.
const TOLD: usize = 10;

/// Kept by one task, so nothing of it is locked.
pub(crate) struct Ledger {
    plan: Plan,
    began: Instant,
    faults: Arc<Faults>,
    pub(crate) spans: Vec<Span>,
    pub(crate) servers: BTreeMap<EndpointId, Account>,
    /// Attempts that nothing explains the loss of.
    pub(crate) unexplained: u64,
    pub(crate) told: Vec<String>,
}

/// One line of the table. A request belongs to the span in which it should have been sent.
pub(crate) struct Span {
    pub(crate) ok: u64,
    /// Requests that failed, by why their last attempt did.
    pub(crate) lost: BTreeMap<Loss, u64>,
    /// Requests that failed at first, and went well elsewhere.
    pub(crate) rescued: u64,
    /// Good answers, from the instant at which the request should have been sent.
    pub(crate) latency: Histogram<u64>,
    /// The same, without those that met a server in trouble.
    pub(crate) undisturbed: Histogram<u64>,
}

/// What a server has had.
#[derive(Default)]
pub(crate) struct Account {
    pub(crate) attempts: u64,
    pub(crate) ok: u64,
    /// Those of the last span alone.
    pub(crate) at_the_end: u64,
    pub(crate) lost: BTreeMap<Loss, u64>,
    /// Losses while it was in trouble.
    pub(crate) explained: u64,
}

impl Ledger {
    pub(crate) fn new(plan: Plan, began: Instant, faults: Arc<Faults>) -> Self {
        let span = |_| Span {
            ok: 0,
            lost: BTreeMap::new(),
            rescued: 0,
            latency: histogram(),
            undisturbed: histogram(),
        };
        let spans = (0..SPANS).map(span).collect();
        let servers = BTreeMap::new();
        Self { plan, began, faults, spans, servers, unexplained: 0, told: Vec::new() }
    }

    pub(crate) fn note(&mut self, done: &Done) {
        let at = self.span_of(done.due);
        let mut met = false;
        for attempt in &done.attempts {
            met |= self.attempt(attempt, at);
        }
        let Some(span) = self.spans.get_mut(at) else { return };
        match done.attempts.last().and_then(|attempt| attempt.lost) {
            Some(loss) => *span.lost.entry(loss).or_default() += 1,
            None => {
                span.ok += 1;
                span.rescued += u64::from(done.attempts.len() > 1);
                let micros = done.ended.duration_since(done.due).as_micros() as u64;
                span.latency.saturating_record(micros);
                if !met {
                    span.undisturbed.saturating_record(micros);
                }
            }
        }
    }

    /// Whether it met a server in trouble.
    fn attempt(&mut self, attempt: &Attempt, span: usize) -> bool {
        let Attempt { server, began, ended, lost } = attempt;
        let met = server.as_ref().is_some_and(|it| self.faults.meet(it, *began, *ended));
        if let Some(server) = server {
            let account = self.servers.entry(server.clone()).or_default();
            account.attempts += 1;
            account.at_the_end += u64::from(span + 1 == self.spans.len());
            match lost {
                None => account.ok += 1,
                Some(loss) => {
                    *account.lost.entry(*loss).or_default() += 1;
                    account.explained += u64::from(met);
                }
            }
        }
        if let Some(loss) = lost
            && (!met || *loss == Loss::Misrouted)
        {
            self.unexplained += 1;
            if self.told.len() < TOLD {
                let at = began.saturating_duration_since(self.began).as_secs_f64();
                let server = server.as_ref().map_or("nobody", EndpointId::as_str);
                let took = ended.duration_since(*began);
                self.told.push(format!("at {at:.3} s, by {server}: {loss:?} after {took:.1?}"));
            }
        }
        met
    }

    /// Which span an instant is in.
    pub(crate) fn span_of(&self, at: Instant) -> usize {
        span_of(&self.plan, at.saturating_duration_since(self.began))
    }
}

pub(crate) fn span_of(plan: &Plan, after: Duration) -> usize {
    let at = after.as_secs_f64() / plan.span().as_secs_f64();
    (at as usize).min(SPANS as usize - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::now;

    fn attempt(server: &str, began: Instant, lost: Option<Loss>) -> Attempt {
        let ended = began + Duration::from_millis(1);
        Attempt { server: Some(server.into()), began, ended, lost }
    }

    fn ledger() -> Ledger {
        let length = Duration::from_secs(120);
        let faults = Arc::new(Faults::default());
        faults.begin(&"b".into());
        Ledger::new(Plan { length, rate: 100, retries: true }, now(), faults)
    }

    /// A request with these attempts, that was due so many seconds after the beginning.
    fn note(ledger: &mut Ledger, seconds: u64, attempts: &[(&str, Option<Loss>)]) {
        let due = ledger.began + Duration::from_secs(seconds);
        // Sent late: the time counts from when it was due.
        let began = due + Duration::from_secs(1);
        let attempts: Vec<_> =
            attempts.iter().map(|&(server, lost)| attempt(server, began, lost)).collect();
        ledger.note(&Done { due, ended: began, attempts });
    }

    #[test]
    fn a_loss_is_explained_by_the_trouble_of_its_own_server_alone() {
        let mut ledger = ledger();
        note(&mut ledger, 1, &[("b", Some(Loss::Refused))]);
        assert_eq!((ledger.unexplained, ledger.servers["b"].explained), (0, 1));
        note(&mut ledger, 1, &[("a", Some(Loss::Refused))]);
        note(&mut ledger, 1, &[("b", Some(Loss::Misrouted))]);
        assert_eq!((ledger.unexplained, ledger.told.len()), (2, 2), "never that of another");
        assert_eq!(ledger.spans[0].lost[&Loss::Refused], 2);
    }

    #[test]
    fn a_request_is_one_however_many_attempts_it_takes() {
        let mut ledger = ledger();
        note(&mut ledger, 11, &[("b", Some(Loss::TimedOut)), ("a", None)]);
        note(&mut ledger, 11, &[("a", None)]);
        let span = &ledger.spans[1];
        assert_eq!((span.ok, span.rescued, span.lost.len()), (2, 1, 0));
        assert_eq!(ledger.servers["a"].attempts, 2);
        assert_eq!(ledger.servers["b"].lost[&Loss::TimedOut], 1);
        assert_eq!((span.latency.len(), span.undisturbed.len()), (2, 1));
    }

    #[test]
    fn latency_counts_from_when_a_request_was_due() {
        let mut ledger = ledger();
        note(&mut ledger, 500, &[("a", None)]);
        let last = ledger.spans.last().map(|span| span.latency.max());
        assert!(last >= Some(1_000_000), "a second late, and after the end: {last:?}");
        assert_eq!(ledger.servers["a"].at_the_end, 1);
    }
}
