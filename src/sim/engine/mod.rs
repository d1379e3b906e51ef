//! The simulation: a heap of what is due, servers that work, balancers that choose.
//!
//! [`agenda`] is the heap, [`clock`] the time, [`machine`] a server at work, [`source`] where
//! requests come from, [`process`] a balancer with its worker, [`requests`] what is under way.
//! [`course`] is the way of a request, [`changes`] what happens to the others, [`record`] what is
//! written down.

mod agenda;
mod changes;
mod clock;
mod course;
mod machine;
mod probe;
mod process;
mod record;
mod requests;
mod source;

use tokio::runtime;

use crate::error::Problem;
use crate::rng::Rng;
use crate::sim::engine::agenda::{Agenda, Due};
use crate::sim::engine::clock::Clock;
use crate::sim::engine::machine::Machine;
use crate::sim::engine::probe::Vitals;
use crate::sim::engine::process::{Heard, Process};
use crate::sim::engine::record::Record;
use crate::sim::engine::requests::Requests;
use crate::sim::engine::source::Source;
use crate::sim::span::{Time, time};
use crate::sim::{Happening, Run, Scenario, ScenarioError, When, span};
use crate::sync::Arc;

/// Runs a scenario that has no problems, on a thread that nobody else uses.
pub(super) fn run(scenario: &Scenario) -> Result<Run, ScenarioError> {
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.map_err(|error| Problem::error("", format!("no runtime: {error}")))?;
    runtime.block_on(async {
        let mut engine = Engine::new(scenario)?;
        engine.run().await;
        Ok(engine.finish())
    })
}

struct Engine<'s> {
    scenario: &'s Scenario,
    clock: Clock,
    agenda: Agenda,
    machines: Vec<Machine<'s>>,
    processes: Vec<Process<'s>>,
    sources: Vec<Source<'s>>,
    requests: Requests,
    record: Record<'s>,
    /// Sets that discovery has sent: servers with their weights.
    sets: Vec<Vec<(usize, u32)>>,
    vitals: Arc<Vitals>,
    heard: Arc<Heard>,
    /// Whether a change that waits for an event has been set off.
    set_off: Vec<bool>,
}

impl<'s> Engine<'s> {
    fn new(scenario: &'s Scenario) -> Result<Self, ScenarioError> {
        let clock = Clock::new();
        // One stream of numbers for each, so that one more server changes nothing for the others.
        let mut seeds = Rng::seeded(scenario.seed);
        let mut streams = [(); 3].map(|()| Rng::seeded(seeds.next_u64()));
        let [of_servers, of_clients, of_sources] = &mut streams;
        let machines: Vec<_> = scenario
            .servers
            .iter()
            .map(|server| Machine::new(server, Rng::seeded(of_servers.next_u64())))
            .collect();
        let vitals = Vitals::new(clock.origin(), &machines);
        let heard = Heard::new(clock.origin());
        let mut processes = Vec::new();
        let mut first_of = Vec::new();
        for client in &scenario.clients {
            first_of.push((index(processes.len()), client.copies));
            for copy in 0..client.copies {
                let (seed, senses) = (of_clients.next_u64(), (&vitals, &heard));
                processes.push(Process::new(client, copy, seed, &scenario.servers, senses)?);
            }
        }
        let sources = scenario.arrivals.iter().map(|arrivals| {
            let named = arrivals.client.as_ref();
            let client = scenario.clients.iter().position(|it| Some(&it.name) == named);
            let client = client.and_then(|at| first_of.get(at).copied());
            let to = client.unwrap_or_else(|| (0, index(processes.len())));
            Source::new(arrivals, Rng::seeded(of_sources.next_u64()), to)
        });
        let sources = sources.collect();
        Ok(Self {
            scenario,
            clock,
            agenda: Agenda::default(),
            machines,
            processes,
            sources,
            requests: Requests::default(),
            record: Record::new(scenario),
            sets: Vec::new(),
            vitals,
            heard,
            set_off: vec![false; scenario.changes.len()],
        })
    }

    async fn run(&mut self) {
        for (at, change) in self.scenario.changes.iter().enumerate() {
            if let When::At(when) = change.when {
                self.agenda.note(time(when), Due::Change { change: index(at) });
            }
        }
        for (at, source) in self.sources.iter_mut().enumerate() {
            for first in source.first() {
                self.agenda.note(first, Due::Arrival { source: index(at) });
            }
        }
        let end = time(self.scenario.lasting);
        loop {
            let next = self.agenda.next().unwrap_or(end).min(end);
            if self.clock.must_wait(next) {
                self.clock.wait(next).await;
                // What was heard may have set something off that is due before.
                self.listen();
                continue;
            }
            self.clock.hold(next);
            self.record.reach(next, &self.machines);
            if next >= end {
                break;
            }
            if let Some(due) = self.agenda.take() {
                self.act(due);
            }
            if self.heard.is_called() {
                // Time stands still while whoever was woken has his say.
                tokio::task::yield_now().await;
                self.listen();
            }
        }
    }

    fn finish(self) -> Run {
        let Self { requests, record, machines, processes, .. } = self;
        let unfinished = requests.left();
        // Callers who wait at the end go away, and so do the balancers.
        drop(requests);
        drop(processes);
        record.finish(unfinished, &machines)
    }

    fn act(&mut self, due: Due) {
        match due {
            Due::Arrival { source } => self.arrive(source),
            Due::Resend { slot, request } => self.resend(slot, request),
            Due::Done { server, life, ticket, answer } => self.done(server, life, ticket, answer),
            Due::Answered { ticket, answer } => self.answered(ticket, answer),
            Due::TimedOut { ticket } => self.timed_out(ticket),
            Due::GaveUp { slot, request } => self.gave_up(slot, request),
            Due::Restart { server, life } => self.restart(server, Some(life)),
            Due::Heard { process, set } => self.hear(process, set),
            Due::Change { change } => self.change(change),
        }
    }

    /// Writes down what balancers have said.
    fn listen(&mut self) {
        for (at, happening) in self.heard.take() {
            self.happened(at, happening);
        }
    }

    /// Something has happened: changes that waited for it are due.
    fn happened(&mut self, at: Time, happening: Happening) {
        let kind = happening.kind.clone();
        let detects = self.record.happened(at, happening);
        let now = self.clock.now();
        let changes = self.scenario.changes.iter().zip(&mut self.set_off);
        for (number, (change, set_off)) in changes.enumerate() {
            let wait = match &change.when {
                When::AfterDetection(wait) if detects => *wait,
                When::AfterEvent { event, wait } if *event == kind => *wait,
                _ => continue,
            };
            if !std::mem::replace(set_off, true) {
                let due = at.saturating_add(time(wait)).max(now);
                self.agenda.note(due, Due::Change { change: index(number) });
            }
        }
    }

    /// Writes down what the simulation itself has done.
    fn note(&mut self, kind: &str, endpoint: Option<String>, text: String) {
        let at = self.clock.now();
        let (kind, client) = (kind.to_owned(), None);
        self.happened(at, Happening { at: span::span(at), client, kind, endpoint, text });
    }
}

/// A place in a list, as it is kept in what is due.
fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
