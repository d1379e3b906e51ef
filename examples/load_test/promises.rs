//! What a run has to show.

use std::fmt;
use std::time::Duration;

use evenkeel::{Availability, EndpointId, EndpointStatus};
use hdrhistogram::Histogram;

use crate::client::Loss;
use crate::run::Record;
use crate::schedule::{KILLED, STOPPED};

/// Whether something was kept, and by which figures.
pub(crate) struct Promise {
    what: String,
    figures: String,
    verdict: Verdict,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Kept,
    Broken,
    /// The run says nothing about it.
    Open,
}

impl Promise {
    fn new(what: impl Into<String>, figures: String, kept: bool) -> Self {
        let verdict = if kept { Verdict::Kept } else { Verdict::Broken };
        Self { what: what.into(), figures, verdict }
    }

    fn open(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), figures: why.into(), verdict: Verdict::Open }
    }

    /// What the run says nothing about is not broken.
    pub(crate) fn is_kept(&self) -> bool {
        self.verdict != Verdict::Broken
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.verdict {
            Verdict::Kept => "ok",
            Verdict::Broken => "BROKEN",
            Verdict::Open => "--",
        };
        write!(f, "{word:6}  {:47}  {}", self.what, self.figures)
    }
}

pub(crate) fn check(record: &Record) -> Vec<Promise> {
    let mut promises = vec![accounted(record), nothing_else_lost(record)];
    promises.extend([KILLED, STOPPED].map(|server| bounded(record, &server.into())));
    if record.plan.retries {
        promises.push(rescued(record));
    }
    promises.push(same_counts(record));
    promises.push(idle(record));
    promises.extend([KILLED, STOPPED].map(|server| back(record, &server.into())));
    promises.push(flat(record, "p50", 0.5, 2.0, Duration::from_millis(2)));
    promises.push(flat(record, "p99", 0.99, 3.0, Duration::from_millis(10)));
    promises.push(memory(record));
    promises
}

fn sent(record: &Record) -> u64 {
    record.paced.iter().map(|span| span.sent).sum()
}

fn failed(record: &Record) -> u64 {
    record.ledger.spans.iter().flat_map(|span| span.lost.values()).sum()
}

fn accounted(record: &Record) -> Promise {
    let ok: u64 = record.ledger.spans.iter().map(|span| span.ok).sum();
    let (sent, failed) = (sent(record), failed(record));
    let figures = format!("{sent} sent, {ok} ok, {failed} failed");
    Promise::new("each request has come to an end", figures, sent > 0 && sent == ok + failed)
}

fn nothing_else_lost(record: &Record) -> Promise {
    let unexplained = record.ledger.unexplained;
    let mut figures = format!("{unexplained} of {}", sent(record));
    for told in &record.ledger.told {
        figures.push_str("\n        ");
        figures.push_str(told);
    }
    if unexplained > 0 {
        let in_flight = record.paced.iter().map(|span| span.in_flight).max().unwrap_or(0);
        let late = record.paced.iter().map(|span| span.late.max()).max().unwrap_or(0);
        figures.push_str(&format!(
            "\n        {in_flight} in flight at most, the generator {:.1?} late at most; where both \
             are large, the machine was full",
            Duration::from_micros(late)
        ));
    }
    let what = "nothing is lost but at a server in its trouble";
    Promise::new(what, figures, unexplained == 0)
}

/// No more than its part of the requests of one second, which is what it takes to time out once.
fn bounded(record: &Record, server: &EndpointId) -> Promise {
    let lost: u64 = record.ledger.servers.get(server).map_or(0, |it| it.lost.values().sum());
    let most = u64::from(record.plan.rate) / 4;
    let what = format!("{server} loses less than its part of a second");
    Promise::new(what, format!("{lost}, its part is {most}"), 0 < lost && lost < most)
}

fn rescued(record: &Record) -> Promise {
    let rescued: u64 = record.ledger.spans.iter().map(|span| span.rescued).sum();
    let failed = failed(record);
    let figures = format!("{failed} failed, {rescued} went well elsewhere");
    Promise::new("with a retry no request fails", figures, failed == 0 && rescued > 0)
}

fn same_counts(record: &Record) -> Promise {
    let known = record.status.endpoints.iter().chain([&record.left]);
    let differs = known.filter(|it| !counts_as(it, record)).map(|it| it.id.to_string());
    let differs = differs.collect::<Vec<_>>().join(", ");
    let figures = if differs.is_empty() {
        "for each server".to_owned()
    } else {
        format!("not for {differs}")
    };
    let what = "balancer and generator count the same";
    Promise::new(what, figures, differs.is_empty())
}

fn counts_as(status: &EndpointStatus, record: &Record) -> bool {
    record.ledger.servers.get(&status.id).is_some_and(|account| {
        let lost: u64 = account.lost.values().sum();
        let misrouted = account.lost.get(&Loss::Misrouted).copied().unwrap_or(0);
        status.picks == account.attempts
            && status.successes == account.ok + misrouted
            && status.failures == lost - misrouted
    })
}

fn idle(record: &Record) -> Promise {
    let in_flight: u64 = record.status.endpoints.iter().map(|it| it.in_flight).sum();
    Promise::new("nothing is in flight in the end", in_flight.to_string(), in_flight == 0)
}

fn back(record: &Record, server: &EndpointId) -> Promise {
    let state = record.status.endpoint(server).map(|it| it.state);
    let requests = record.ledger.servers.get(server).map_or(0, |it| it.at_the_end);
    let is_in = matches!(state, Some(Availability::Available | Availability::Warming));
    let state =
        state.map_or_else(|| "gone".to_owned(), |state| format!("{state:?}").to_lowercase());
    let figures = format!("{state}, {requests} requests in the last span");
    Promise::new(format!("{server} is back"), figures, is_in && requests > 0)
}

/// Spans that are shorter have too few requests, and a busy machine spoils a whole one.
const LONG_ENOUGH: Duration = Duration::from_secs(5);

/// How late the generator may be for a span to be judged by: more is the machine's.
const LATE: Duration = Duration::from_millis(2);

/// Whether a quantile of the answers that met no trouble is at most so many times what is usual in
/// the run, and a little. The first span is for warming up.
fn flat(record: &Record, name: &str, quantile: f64, factor: f64, more: Duration) -> Promise {
    let what = format!("{name} is flat, where there is no trouble");
    if record.plan.span() < LONG_ENOUGH {
        let least = crate::arguments::SPANS * LONG_ENOUGH.as_secs() as u32;
        return Promise::open(what, format!("not judged in less than {least} s"));
    }
    let late = |histogram: &Histogram<u64>| histogram.value_at_quantile(0.99);
    let spans = record.ledger.spans.iter().zip(&record.paced).skip(1);
    let all = spans.clone().count();
    let judged = spans.filter(|(_, paced)| late(&paced.late) <= LATE.as_micros() as u64);
    let mut values: Vec<_> =
        judged.map(|(span, _)| span.undisturbed.value_at_quantile(quantile)).collect();
    if 2 * values.len() < all {
        let late = all - values.len();
        let why = format!("the generator itself was late in {late} of {all} spans: a busy machine");
        return Promise::open(what, why);
    }
    values.sort_unstable();
    let usual = Duration::from_micros(values[values.len() / 2]);
    let worst = Duration::from_micros(values[values.len() - 1]);
    let most = usual.mul_f64(factor) + more;
    let figures = format!(
        "{worst:.1?} in the worst of {} spans, usual are {usual:.1?}, allowed {most:.1?}",
        values.len()
    );
    Promise::new(what, figures, worst <= most)
}

/// Growth that is no growth: pages that are touched for the first time, arenas, stacks.
const SLACK: u64 = 2 << 20;

/// What a request in flight may hold, with its connection: a burst that had to wait is no leak.
const EACH: u64 = 16 << 10;

fn memory(record: &Record) -> Promise {
    let what = "memory is flat after warming up";
    let (first, later) = record.memory.split_at(2.min(record.memory.len()));
    let (Some(warm), Some(most)) = (first.iter().flatten().max(), later.iter().flatten().max())
    else {
        return Promise::open(what, "this system does not say what a process holds");
    };
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let burst = record.paced.iter().map(|span| span.in_flight).max().unwrap_or(0);
    let allowed = warm + warm / 10 + SLACK + EACH * burst;
    let figures = format!(
        "{:.1} MiB at most, {:.1} when warm, allowed {:.1}",
        mib(*most),
        mib(*warm),
        mib(allowed)
    );
    Promise::new(what, figures, *most <= allowed)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use evenkeel::{Balancer, Endpoint};

    use super::*;
    use crate::arguments::{Plan, SPANS};
    use crate::clock::now;
    use crate::faults::Faults;
    use crate::ledger::{Ledger, histogram};
    use crate::pacer::Paced;

    const MIB: u64 = 1 << 20;

    /// A run of two minutes in which nothing happened: 100 answers of 6 ms in each span.
    fn record() -> Record {
        let plan = Plan { length: Duration::from_mins(2), rate: 100, retries: false };
        let mut ledger = Ledger::new(plan, now(), Arc::new(Faults::default()));
        for span in &mut ledger.spans {
            span.ok = 100;
            span.undisturbed.saturating_record_n(6_000, 100);
        }
        let paced = || {
            let mut late = histogram();
            late.saturating_record_n(100, 100);
            Paced { sent: 100, in_flight: 3, late }
        };
        let paced = (0..SPANS).map(|_| paced()).collect();
        let endpoints = ["a", "b", "c", "d", "e"].map(|id| Endpoint::new(id, ()));
        let status = Balancer::builder().endpoints(endpoints).build().unwrap().status();
        let left = status.endpoints[4].clone();
        let (memory, log) = (vec![Some(12 * MIB); SPANS as usize], Vec::new());
        Record { plan, paced, ledger, memory, log, status, left }
    }

    fn p99(record: &Record) -> Verdict {
        flat(record, "p99", 0.99, 3.0, Duration::from_millis(10)).verdict
    }

    #[test]
    fn a_request_that_has_no_end_is_noticed() {
        let mut record = record();
        assert!(accounted(&record).is_kept());
        record.ledger.spans[3].ok -= 1;
        assert!(!accounted(&record).is_kept());
        record.ledger.spans[3].lost.insert(Loss::Broken, 1);
        assert!(accounted(&record).is_kept());
        assert!(nothing_else_lost(&record).is_kept());
        record.ledger.unexplained = 1;
        assert!(!nothing_else_lost(&record).is_kept());
    }

    #[test]
    fn a_server_that_loses_a_second_of_requests_or_never_comes_back_is_noticed() {
        let (mut record, b) = (record(), EndpointId::from("b"));
        assert!(!bounded(&record, &b).is_kept(), "it was not even killed");
        let account = record.ledger.servers.entry(b.clone()).or_default();
        account.lost.insert(Loss::Refused, 24);
        assert!(bounded(&record, &b).is_kept());
        assert!(!back(&record, &b).is_kept());
        let account = record.ledger.servers.entry(b.clone()).or_default();
        account.lost.insert(Loss::Refused, 25);
        account.at_the_end = 1;
        assert!(!bounded(&record, &b).is_kept());
        assert!(back(&record, &b).is_kept());
    }

    #[test]
    fn a_slow_span_breaks_the_promise_unless_the_generator_was_late() {
        let mut record = record();
        assert!(p99(&record) == Verdict::Kept);
        record.ledger.spans[7].undisturbed.saturating_record_n(29_000, 5);
        assert!(p99(&record) == Verdict::Broken, "28 ms are allowed");
        record.paced[7].late.saturating_record_n(3_000, 5);
        assert!(p99(&record) == Verdict::Kept, "that was the machine");
        for paced in record.paced.iter_mut().take(7) {
            paced.late.saturating_record_n(3_000, 5);
        }
        assert!(p99(&record) == Verdict::Open, "too little is left to judge by");
        record.plan.length = Duration::from_secs(10);
        assert!(p99(&record) == Verdict::Open);
    }

    #[test]
    fn memory_that_grows_is_noticed() {
        let mut record = record();
        assert!(memory(&record).is_kept());
        record.memory[11] = Some(15 * MIB);
        assert!(memory(&record).is_kept(), "a tenth, two MiB and a little");
        record.memory[11] = Some(16 * MIB);
        assert!(!memory(&record).is_kept());
        record.memory.fill(None);
        assert!(memory(&record).verdict == Verdict::Open);
    }

    #[test]
    fn counts_that_differ_are_noticed() {
        let mut record = record();
        assert!(!same_counts(&record).is_kept(), "nobody counted anybody");
        for id in ["a", "b", "c", "d", "e"] {
            record.ledger.servers.entry(id.into()).or_default();
        }
        assert!(same_counts(&record).is_kept());
        record.ledger.servers.entry("d".into()).or_default().ok = 1;
        assert!(!same_counts(&record).is_kept());
    }
}
