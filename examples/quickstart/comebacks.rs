//! What must hold of each trouble: what it costs, that the endpoint is left alone while it is out,
//! and how it comes back.
//!
//! Before it is out, an endpoint that fails may fail as many requests as this. Under
//! `least_request` a failure counts as a request in flight for the failure penalty. An endpoint is
//! only chosen where another one has no less on its hands, and nobody else fails meanwhile, so the
//! other one has fewer than there are callers. So within one penalty at most as many requests fail
//! as there are callers, and one for each thread that chooses at the same moment, however fast
//! they fail and however many are sent.

use std::time::Duration;

use evenkeel::{Decision, Ejection, Event, Recovery, Rule};
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::heard::Heard;
use crate::promises::Promise;
use crate::record::Record;
use crate::screen::grouped;
use crate::server::{Health, LATE};
use crate::traffic::CONCURRENCY;
use crate::trouble::Incident;

/// What a machine that has other things to do may add to a time.
const SLACK: Duration = Duration::from_millis(500);

/// Stretches of a way back whose shares are looked at.
const STRETCHES: u32 = 5;

pub(crate) fn check(record: &Record) -> Vec<Promise> {
    let each = |it| [found(record, it), alone(record, it), back(record, it)];
    let mut promises: Vec<_> = record.incidents.iter().flat_map(each).collect();
    promises.push(told(record));
    promises
}

/// How many requests a trouble failed.
pub(crate) fn failed(record: &Record, incident: &Incident) -> u64 {
    record.samples.iter().filter(|sample| incident.has_failed(sample)).count() as u64
}

fn found(record: &Record, incident: &Incident) -> Promise {
    let Incident { title, began, .. } = incident;
    let after = incident.out() - *began;
    if incident.health == Health::Slow {
        let [observed, limit] = match incident.steps.first().map(|step| &step.event) {
            Some(Event::Ejection(first)) => [first.observed, first.threshold],
            _ => [f64::NAN; 2],
        };
        return Promise {
            text: format!("{title}: it is out after two sweeps"),
            figure: format!("after {after:.2?}; {observed:.0} ms, the limit is {limit:.0} ms"),
            // The first late answers have to come, and the first sweep may find more from before.
            kept: after <= LATE + 2 * record.terms.interval + SLACK,
        };
    }
    let failed = failed(record, incident);
    let probes = incident.steps.iter().filter(|step| by(step) == Some(&Rule::Probe)).count();
    let most = most(record, incident.health, after) + probes as u64;
    Promise {
        text: format!("{title}: {most} requests fail at most"),
        figure: format!("{failed}, {probes} of them probes; it is out after {after:.2?}"),
        kept: (1..=most).contains(&failed),
    }
}

/// How many requests can fail in this time. Where each is held before it fails, it is in flight
/// for as long and weighs for the penalty after it; and those that wait when it begins are held,
/// too.
fn most(record: &Record, health: Health, time: Duration) -> u64 {
    let held = if health == Health::Stuck { record.terms.attempt_timeout } else { Duration::ZERO };
    let penalties = (time + held).as_nanos().div_ceil((record.terms.penalty + held).as_nanos());
    (CONCURRENCY + Handle::current().metrics().num_workers()) as u64 * penalties as u64
}

fn alone(record: &Record, incident: &Incident) -> Promise {
    let Incident { endpoint, well, .. } = incident;
    let out = incident.out();
    let (sent, had) = record.between(out..*well, endpoint);
    let probed = incident.steps.iter().filter(|it| is(it, Recovery::Probing)).count() as u64;
    Promise {
        text: format!("once it is out, `{endpoint}` gets nothing but probes"),
        figure: format!("{had} of {} requests, for {:.2?}", grouped(sent), *well - out),
        kept: had <= probed,
    }
}

fn back(record: &Record, incident: &Incident) -> Promise {
    let id = &incident.endpoint;
    let (warming, whole) = (incident.last(Recovery::Warming), incident.last(Recovery::Recovered));
    let took = whole.saturating_duration_since(warming);
    let share = |from: Instant, to: Instant| {
        let (sent, had) = record.between(from..to, id);
        (sent as f64, had as f64)
    };
    let (sent, had) = share(whole, incident.ended);
    let (then, fair) = (had / sent.max(1.0), record.expected(incident.phase, id));
    let stretch = |at| {
        let step = took / STRETCHES;
        share(warming + at * step, warming + (at + 1) * step)
    };
    let way: Vec<_> = (0..STRETCHES).map(stretch).collect();
    let below = |&(sent, had): &(f64, f64)| had <= with_luck(sent * then.max(fair));
    let parts = way.iter().map(|(sent, had)| format!("{:.0}", 100.0 * had / sent.max(1.0)));
    let (way_up, then) = (parts.collect::<Vec<_>>().join(", "), 100.0 * then);
    Promise {
        text: format!("then its share grows for {:.0?}, and never beyond", record.terms.window),
        figure: format!("{way_up} %, then {then:.0} %, in {took:.2?}"),
        kept: took <= record.terms.window + SLACK
            && way.iter().all(below)
            && had >= 0.5 * fair * sent
            && sent > 0.0,
    }
}

/// More than chance makes of an expected number, and more than shares waver by.
fn with_luck(expected: f64) -> f64 {
    1.1 * expected + 4.0 * expected.sqrt() + 4.0
}

/// Each way out and back is a row of events, and there are no others of their kind.
fn told(record: &Record) -> Promise {
    let mut figures = Vec::new();
    let mut kept = true;
    for Incident { endpoint, health, steps, .. } in &record.incidents {
        let rule = if *health == Health::Slow { Rule::Latency } else { Rule::ConsecutiveFailures };
        kept &= is_a_way(steps, &rule);
        figures.push(format!("{endpoint} {}", steps.iter().filter(|it| by(it).is_some()).count()));
    }
    let all = record.heard.iter().filter(|heard| heard.stepping().is_some()).count();
    let known: usize = record.incidents.iter().map(|incident| incident.steps.len()).sum();
    Promise {
        text: "each step out and back is told, and no other is".into(),
        figure: format!("times out: {}; {all} events", figures.join(", ")),
        kept: kept && known == all,
    }
}

/// Whether an endpoint goes out by `rule` or a failed probe, is probed each time, and comes back.
fn is_a_way(steps: &[Heard], rule: &Rule) -> bool {
    let mut before = Recovery::Recovered;
    let mut out = false;
    for step in steps {
        let right = match (&step.event, by(step)) {
            (_, Some(Rule::Probe)) => !out && before == Recovery::Probing,
            (_, Some(by)) => !out && before != Recovery::Probing && by == rule,
            (Event::Recovery { step: Recovery::Probing, .. }, None) => out,
            (Event::Recovery { step: Recovery::Warming, .. }, None) => {
                !out && before == Recovery::Probing
            }
            (Event::Recovery { step: Recovery::Recovered, .. }, None) => {
                !out && before == Recovery::Warming
            }
            _ => false,
        };
        if !right {
            return false;
        }
        out = by(step).is_some();
        if let Event::Recovery { step, .. } = step.event {
            before = step;
        }
    }
    !out && before == Recovery::Recovered && !steps.is_empty()
}

/// What took it out, if that is what the event tells.
fn by(heard: &Heard) -> Option<&Rule> {
    match &heard.event {
        Event::Ejection(Ejection { rule, decision: Decision::Ejected { .. }, .. }) => Some(rule),
        _ => None,
    }
}

fn is(heard: &Heard, wanted: Recovery) -> bool {
    matches!(heard.event, Event::Recovery { step, .. } if step == wanted)
}
