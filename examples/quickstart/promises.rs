//! What must hold however slow the machine is, each with its figure.

use evenkeel::{EndpointId, Event};

use crate::record::Record;
use crate::screen::grouped;

#[derive(Debug)]
pub(crate) struct Promise {
    text: &'static str,
    figure: String,
    pub(crate) kept: bool,
}

impl Promise {
    /// The promise as a line.
    pub(crate) fn line(&self) -> String {
        let verdict = if self.kept { "ok" } else { "BROKEN" };
        format!("{verdict:6}  {:47}  {}", self.text, self.figure)
    }
}

/// Checks all of them. `asked` requests were to be sent, and `added` came in while they were.
pub(crate) fn check(record: &Record, asked: u64, added: &EndpointId) -> Vec<Promise> {
    vec![
        answered(record, asked),
        drained(record),
        at_rest(record),
        alike(record),
        fast_first(record),
        taken_up(record, added),
        by_turns(record),
        told(record),
    ]
}

fn answered(record: &Record, asked: u64) -> Promise {
    let good = record.samples.iter().filter(|sample| sample.answer.is_ok()).count() as u64;
    let error = record.samples.iter().find_map(|sample| sample.answer.as_ref().err());
    let error = error.map_or_else(String::new, |error| format!(", and one says: {error}"));
    Promise {
        text: "every request is answered",
        figure: format!("{} of {}{error}", grouped(good), grouped(asked)),
        kept: good == asked,
    }
}

fn drained(record: &Record) -> Promise {
    let drained = &record.drained;
    let late = record.servers[drained.server].arrived() - drained.arrived;
    Promise {
        text: "nothing reaches `b` once its drain is ready",
        figure: format!("{late}; {} were in flight when the drain began", drained.in_flight),
        kept: late == 0,
    }
}

fn at_rest(record: &Record) -> Promise {
    let in_flight: u64 = record.status.endpoints.iter().map(|endpoint| endpoint.in_flight).sum();
    Promise {
        text: "nothing is in flight at the end",
        figure: in_flight.to_string(),
        kept: in_flight == 0,
    }
}

fn alike(record: &Record) -> Promise {
    let mut figures = Vec::new();
    let mut kept = true;
    for server in &record.servers {
        let id = EndpointId::from(server.name);
        let picks = record.status.endpoint(&id).map_or(0, |endpoint| endpoint.picks);
        let answered: u64 = (0..record.phases.len()).map(|at| record.answered(at, &id)).sum();
        let mut counts = vec![picks, server.arrived(), answered];
        counts.dedup();
        kept &= counts.len() == 1;
        let counts: Vec<_> = counts.into_iter().map(grouped).collect();
        figures.push(format!("{id} {}", counts.join(" or ")));
    }
    let text = "balancer, servers and callers count the same";
    Promise { text, figure: figures.join("; "), kept }
}

fn fast_first(record: &Record) -> Promise {
    let [fast, slow] = ["a", "d"].map(|id| record.answered(0, &id.into()));
    Promise {
        text: "least_request gives the fast more than the slow",
        figure: format!("a {}, d {}", grouped(fast), grouped(slow)),
        kept: fast > slow,
    }
}

fn taken_up(record: &Record, added: &EndpointId) -> Promise {
    let first = record.phases.iter().position(|phase| phase.status.endpoint(added).is_some());
    let (got, due) = first.map_or((0, 0.0), |phase| {
        let status = &record.phases[phase].status;
        let share = status.endpoint(added).map_or(0.0, |endpoint| endpoint.expected_share);
        (record.answered(phase, added), share * record.sent(phase) as f64)
    });
    Promise {
        text: "the added endpoint gets half its share or more",
        figure: format!("{}; its share is {due:.0}", grouped(got)),
        kept: got > 0 && got as f64 >= 0.5 * due,
    }
}

fn by_turns(record: &Record) -> Promise {
    let mut worst = 0.0_f64;
    let counted = record.phases.iter().enumerate().filter(|(_, phase)| phase.counted);
    for (at, phase) in counted {
        for endpoint in &phase.status.endpoints {
            let due = endpoint.expected_share * record.sent(at) as f64;
            worst = worst.max((record.answered(at, &endpoint.id) as f64 - due).abs());
        }
    }
    Promise {
        text: "round_robin is not two requests off the weights",
        figure: format!("{worst:.2} at worst"),
        kept: worst < 2.0,
    }
}

fn told(record: &Record) -> Promise {
    let told = record.events.iter().map(|event| match event {
        Event::Published { change, .. } => Some(change),
        _ => None,
    });
    Promise {
        text: "each change is one event, in order",
        figure: format!("{} changes, {} events", record.changes.len(), record.events.len()),
        kept: told.eq(record.changes.iter().map(Some)),
    }
}
