//! What must hold however slow the machine is, each with its figure.

use evenkeel::{EndpointId, Event};

use crate::comebacks;
use crate::record::Record;
use crate::screen::grouped;
use crate::traffic::{Phase, Sample};

#[derive(Debug)]
pub(crate) struct Promise {
    pub(crate) text: String,
    pub(crate) figure: String,
    pub(crate) kept: bool,
}

impl Promise {
    /// The promise as a line.
    pub(crate) fn line(&self) -> String {
        let verdict = if self.kept { "ok" } else { "BROKEN" };
        format!("{verdict:6}  {:50}  {}", self.text, self.figure)
    }
}

/// Checks all of them. The endpoint `added` came in while requests flowed.
pub(crate) fn check(record: &Record, added: &EndpointId) -> Vec<Promise> {
    let mut promises = vec![answered(record)];
    promises.extend(comebacks::check(record));
    promises.extend([drained(record), at_rest(record), alike(record), fast_first(record)]);
    promises.extend([half(record, added), by_turns(record), told(record), warned(record)]);
    promises
}

fn answered(record: &Record) -> Promise {
    let (good, bad): (Vec<&Sample>, Vec<&Sample>) =
        record.samples.iter().partition(|sample| sample.error.is_none());
    let of_trouble = |sample: &&Sample| record.incidents.iter().any(|it| it.has_failed(sample));
    let (expected, strays): (Vec<&Sample>, Vec<&Sample>) = bad.into_iter().partition(of_trouble);
    let error = strays.first().and_then(|sample| sample.error.as_ref());
    let error = error.map_or_else(String::new, |error| format!(", and one says: {error}"));
    let lens = [record.samples.len(), good.len(), expected.len()];
    let [all, good, expected] = lens.map(|len| grouped(len as u64));
    Promise {
        text: "whoever has no trouble fails no request".into(),
        figure: format!("{good} of {all} are answered; {expected} met trouble{error}"),
        kept: strays.is_empty(),
    }
}

fn half(record: &Record, id: &EndpointId) -> Promise {
    let there = |phase: &Phase| phase.status.endpoint(id).is_some();
    let phase = record.phases.iter().position(there).unwrap_or_default();
    let (got, due) =
        (record.had(phase, id), record.expected(phase, id) * record.sent(phase) as f64);
    Promise {
        text: format!("`{id}`, when added, gets half its share or more"),
        figure: format!("{}; its share is {}", grouped(got), grouped(due as u64)),
        kept: got > 0 && got as f64 >= 0.5 * due,
    }
}

fn drained(record: &Record) -> Promise {
    let drained = &record.drained;
    let late = record.servers[drained.server].arrived() - drained.arrived;
    Promise {
        text: "nothing reaches `b` once its drain is ready".into(),
        figure: format!("{late}; {} were in flight when the drain began", drained.in_flight),
        kept: late == 0,
    }
}

fn at_rest(record: &Record) -> Promise {
    let in_flight: u64 = record.status.endpoints.iter().map(|endpoint| endpoint.in_flight).sum();
    Promise {
        text: "nothing is in flight at the end".into(),
        figure: in_flight.to_string(),
        kept: in_flight == 0,
    }
}

/// Only a request that failed may be one that the server never saw.
fn alike(record: &Record) -> Promise {
    let mut figures = Vec::new();
    let mut kept = true;
    for server in &record.servers {
        let id = EndpointId::from(server.name);
        let over = |count: fn(&Record, usize, &EndpointId) -> u64| -> u64 {
            (0..record.phases.len()).map(|phase| count(record, phase, &id)).sum()
        };
        let (had, failed) = (over(Record::had), over(Record::failed));
        let picks = record.status.endpoint(&id).map_or(0, |endpoint| endpoint.picks);
        let arrived = server.arrived();
        let alike = picks == had && (had - failed..=had).contains(&arrived);
        kept &= alike;
        let apart = format!(", of {} picks, {} arrived", grouped(picks), grouped(arrived));
        figures.push(format!("{id} {}{}", grouped(had), if alike { "" } else { &apart }));
    }
    let text = "balancer, callers and servers count the same".into();
    Promise { text, figure: figures.join("; "), kept }
}

fn fast_first(record: &Record) -> Promise {
    let [fast, slow] = ["a", "d"].map(|id| record.had(0, &id.into()));
    Promise {
        text: "least_request gives the fast more than the slow".into(),
        figure: format!("a {}, d {}", grouped(fast), grouped(slow)),
        kept: fast > slow,
    }
}

fn by_turns(record: &Record) -> Promise {
    let mut worst = 0.0_f64;
    let counted = record.phases.iter().enumerate().filter(|(_, phase)| phase.counted);
    for (at, phase) in counted {
        for endpoint in &phase.status.endpoints {
            let due = endpoint.expected_share * record.sent(at) as f64;
            worst = worst.max((record.had(at, &endpoint.id) as f64 - due).abs());
        }
    }
    Promise {
        text: "round_robin is not two requests off the weights".into(),
        figure: format!("{worst:.2} at worst"),
        kept: worst < 2.0,
    }
}

fn told(record: &Record) -> Promise {
    let told = record.events().filter_map(|event| match event {
        Event::Published { change, .. } => Some(change),
        _ => None,
    });
    Promise {
        text: "each change is one event, in order".into(),
        figure: format!("{} changes, {} events", record.changes.len(), told.clone().count()),
        kept: told.eq(&record.changes),
    }
}

fn warned(record: &Record) -> Promise {
    let raised: Vec<_> = record
        .events()
        .filter_map(|event| match event {
            Event::ShareRaised { endpoint, after, .. } => Some((endpoint.as_str(), *after)),
            _ => None,
        })
        .collect();
    let figures = raised.iter().map(|(id, after)| format!("{id}: {:.1} %", 100.0 * after));
    Promise {
        text: "a share far above a fair one is an event, too".into(),
        figure: figures.collect::<Vec<_>>().join("; "),
        kept: matches!(raised[..], [("a", after)] if after > 0.6),
    }
}
