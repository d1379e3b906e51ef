//! The run as a table: a line for each span, what happened in it below, and then the servers.

use std::fmt::Write as _;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::client::Loss;
use crate::run::Record;

pub(crate) fn of(record: &Record) -> String {
    let mut text = String::new();
    // Writing to a `String` does not fail.
    let _ = write(record, &mut text);
    text
}

fn write(record: &Record, out: &mut String) -> std::fmt::Result {
    let plan = record.plan;
    let (seconds, rate) = (plan.length.as_secs(), plan.rate);
    let retry = if plan.retries { " --retry" } else { "" };
    writeln!(
        out,
        "cargo run --release --features http --example load_test -- --seconds {seconds} --rate \
         {rate}{retry}\n"
    )?;
    writeln!(
        out,
        "  seconds        sent       ok  refused   broken  timeout   other  again  \
         p50 ms  p99 ms  99.9 %  max ms  in flight  late ms  memory"
    )?;
    let mut log = record.log.iter().peekable();
    for (at, (span, paced)) in record.ledger.spans.iter().zip(&record.paced).enumerate() {
        let (from, to) = (plan.span() * at as u32, plan.span() * (at as u32 + 1));
        let lost = |loss| span.lost.get(&loss).copied().unwrap_or(0);
        writeln!(
            out,
            "{:5.1} to {:5.1}  {:6}  {:7}  {:7}  {:7}  {:7}  {:6}  {:5}  {}  {}  {}  {}  {:9}  {}  {}",
            from.as_secs_f64(),
            to.as_secs_f64(),
            paced.sent,
            span.ok,
            lost(Loss::Refused),
            lost(Loss::Broken),
            lost(Loss::TimedOut),
            lost(Loss::Nobody) + lost(Loss::Misrouted),
            span.rescued,
            millis(&span.latency, 0.5, 6),
            millis(&span.latency, 0.99, 6),
            millis(&span.latency, 0.999, 6),
            millis(&span.latency, 1.0, 6),
            paced.in_flight,
            millis(&paced.late, 0.99, 7),
            mebibytes(record.memory.get(at).copied().flatten()),
        )?;
        let last = at + 1 == record.paced.len();
        while let Some((after, words)) = log.next_if(|(after, _)| last || *after < to) {
            writeln!(out, "       {:6.2}  {words}", after.as_secs_f64())?;
        }
    }
    writeln!(out)?;
    servers(record, out)
}

fn servers(record: &Record, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "server    attempts       ok  refused   broken  timeout  in its trouble  in the end"
    )?;
    for (id, account) in &record.ledger.servers {
        let lost = |loss| account.lost.get(&loss).copied().unwrap_or(0);
        let state = record.status.endpoint(id).map(|it| it.state);
        let state =
            state.map_or_else(|| "gone".to_owned(), |state| format!("{state:?}").to_lowercase());
        writeln!(
            out,
            "{:8}  {:8}  {:7}  {:7}  {:7}  {:7}  {:14}  {state}",
            id.as_str(),
            account.attempts,
            account.ok,
            lost(Loss::Refused),
            lost(Loss::Broken),
            lost(Loss::TimedOut),
            account.explained,
        )?;
    }
    writeln!(out)
}

/// A quantile in milliseconds; a line where there is nothing.
fn millis(histogram: &Histogram<u64>, quantile: f64, width: usize) -> String {
    if histogram.is_empty() {
        return format!("{:>width$}", "-");
    }
    let micros = histogram.value_at_quantile(quantile);
    format!("{:width$.1}", Duration::from_micros(micros).as_secs_f64() * 1_000.0)
}

fn mebibytes(bytes: Option<u64>) -> String {
    let text =
        bytes.map_or_else(|| "-".to_owned(), |bytes| format!("{:.1}", bytes as f64 / 1_048_576.0));
    format!("{text:>6}")
}
