//! Active checks of simulated servers.

use std::future::pending;

use tokio::time::{Instant, sleep};

use crate::balancer::now;
use crate::error::BoxError;
use crate::health::{Probe, ProbeFuture, Subject};
use crate::sim::engine::machine::Machine;
use crate::sim::span::{Time, span, time};
use crate::sim::{Fault, ServerId};
use crate::sync::{Arc, Mutex};

/// What a check finds out about a server.
struct Vital {
    is_up: bool,
    fault: Option<(Fault, Time)>,
    /// How long it takes to answer a check: the mean of its service times.
    answers_after: Time,
}

/// All servers, as checks see them. A check waits for no worker: most servers answer them beside
/// their work, which is how full ones look well.
pub(super) struct Vitals {
    origin: Instant,
    servers: Mutex<Vec<Vital>>,
}

impl Vitals {
    pub(super) fn new(origin: Instant, machines: &[Machine<'_>]) -> Arc<Self> {
        let servers = Mutex::new(machines.iter().map(Vital::of).collect());
        Arc::new(Self { origin, servers })
    }

    /// Something has become of a server.
    pub(super) fn note(&self, server: u32, machine: &Machine<'_>) {
        if let Some(vital) = self.servers.lock().get_mut(server as usize) {
            *vital = Vital::of(machine);
        }
    }

    /// How a check of a server that begins now will end, and after how long; `None` for never.
    fn answer(&self, server: ServerId) -> Option<(Time, Result<(), BoxError>)> {
        let servers = self.servers.lock();
        let Some(vital) = servers.get(server.0 as usize).filter(|vital| vital.is_up) else {
            return Some((0, Err("connection refused".into())));
        };
        let age = time(now().saturating_duration_since(self.origin));
        let fault = vital.fault.as_ref();
        match fault.and_then(|(fault, since)| fault.after(age.saturating_sub(*since))) {
            Some(Fault::BlackHole) => None,
            Some(Fault::Refused) => Some((0, Err("connection refused".into()))),
            Some(Fault::BrownOut { factor } | Fault::Grey { factor, .. }) => {
                let after = crate::sim::span::rounded(vital.answers_after as f64 * factor);
                Some((after, Ok(())))
            }
            _ => Some((vital.answers_after, Ok(()))),
        }
    }
}

impl Vital {
    fn of(machine: &Machine<'_>) -> Self {
        Self {
            is_up: machine.is_up(),
            fault: machine.fault().cloned(),
            answers_after: time(machine.spec.service.mean()),
        }
    }
}

impl Probe<ServerId> for Vitals {
    fn probe<'a>(&'a self, subject: Subject<'a, ServerId>) -> ProbeFuture<'a> {
        let answer = self.answer(*subject.target());
        Box::pin(async move {
            match answer {
                Some((after, answer)) => {
                    sleep(span(after)).await;
                    answer
                }
                None => pending().await,
            }
        })
    }
}
