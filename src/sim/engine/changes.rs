//! What is done to servers, clients and what is known of them.

use crate::balancer::{Change as Applying, Guard};
use crate::sim::change::{Action, Applied, Call};
use crate::sim::engine::agenda::Due;
use crate::sim::engine::process::{Process, endpoint};
use crate::sim::engine::{Engine, index};
use crate::sim::run::Answer;
use crate::sim::span::time;
use crate::units::EndpointId;

impl Engine<'_> {
    /// A change is made.
    pub(super) fn change(&mut self, change: u32) {
        let Some(change) = self.scenario.changes.get(change as usize) else { return };
        let kind = match &change.action {
            Action::Notice {} => "noticed",
            Action::Remark {} => "remark",
            _ => "change",
        };
        let about = match &change.action {
            Action::SetWeight { endpoint, .. }
            | Action::Drain { endpoint }
            | Action::Disable { endpoint }
            | Action::Enable { endpoint } => Some(endpoint.clone()),
            Action::Fault { server, .. }
            | Action::Heal { server }
            | Action::Crash { server }
            | Action::Restart { server } => Some(server.clone()),
            _ => None,
        };
        self.note(kind, about, change.text());
        let now = self.clock.now();
        match &change.action {
            Action::Fault { server, fault } => {
                self.at_server(server, |machine| machine.set_fault(Some(fault.clone()), now));
            }
            Action::Heal { server } => {
                self.at_server(server, |machine| machine.set_fault(None, now));
            }
            Action::Crash { server } => {
                if let Some(at) = self.server(server) {
                    self.crash(at);
                }
            }
            Action::Restart { server } => {
                if let Some(at) = self.server(server) {
                    self.restart(at, None);
                }
            }
            Action::Discover { servers, weights } => {
                let known = &self.scenario.servers;
                let set = servers.iter().filter_map(|name| {
                    let at = known.iter().position(|server| server.name == *name)?;
                    Some((at, *weights.get(name).unwrap_or(&known.get(at)?.weight)))
                });
                self.sets.push(set.collect());
                let set = index(self.sets.len() - 1);
                for process in self.about(change.client.as_deref()) {
                    self.tell(process, set);
                }
            }
            action => {
                for process in self.about(change.client.as_deref()) {
                    self.at_client(process, action);
                }
            }
        }
    }

    /// What is done at one client.
    fn at_client(&mut self, at: u32, action: &Action) {
        let servers = &self.scenario.servers;
        let Some(process) = self.processes.get_mut(at as usize) else { return };
        match action {
            Action::CutOff { servers: named } => {
                let is_named = |name: &String| named.is_empty() || named.contains(name);
                let cut_off = servers.iter().map(|server| is_named(&server.name));
                process.cut_off = cut_off.collect();
            }
            Action::Reconnect {} => process.cut_off.fill(false),
            Action::Deafen {} => process.is_deaf = true,
            Action::Hear {} => {
                process.is_deaf = false;
                if let Some(set) = process.missed.take() {
                    self.hear(at, set);
                }
            }
            Action::Call(Call(call)) => call(&process.balancer),
            action => {
                let refused = operate(process, action).err();
                if let Some(error) = refused {
                    let text = format!("{}: {error}", process.name);
                    self.note("change_refused", None, text);
                }
            }
        }
    }

    /// A process is to hear of a set.
    fn tell(&mut self, at: u32, set: u32) {
        let Some(process) = self.processes.get_mut(at as usize) else { return };
        let due = self.clock.now().saturating_add(time(process.spec.hears_after));
        self.agenda.note(due, Due::Heard { process: at, set });
    }

    /// A process hears of a set.
    pub(super) fn hear(&mut self, at: u32, set: u32) {
        let servers = &self.scenario.servers;
        let Some(process) = self.processes.get_mut(at as usize) else { return };
        if process.is_deaf {
            process.missed = Some(set);
            return;
        }
        let set = self.sets.get(set as usize).into_iter().flatten();
        let endpoints =
            set.filter_map(|(at, weight)| Some(endpoint(*at, servers.get(*at)?, *weight)));
        if let Err(error) = process.balancer.replace(endpoints) {
            let text = format!("{}: {error}", process.name);
            self.note("change_refused", None, text);
        }
    }

    pub(super) fn crash(&mut self, server: u32) {
        let now = self.clock.now();
        let Some(machine) = self.machines.get_mut(server as usize).filter(|it| it.is_up()) else {
            return;
        };
        let (in_hand, spec) = (machine.in_hand(), machine.spec);
        let lost = machine.crash();
        if let Some(after) = spec.restart_after {
            let due = Due::Restart { server, life: machine.life() };
            self.agenda.note(now.saturating_add(time(after)), due);
        }
        self.vitals.note(server, machine);
        self.record.crashed(server);
        let text = format!("`{}` crashes with {in_hand} requests in hand", spec.name);
        self.note("crash", Some(spec.name.clone()), text);
        for ticket in lost {
            self.answered(ticket, Answer::NoConnection);
        }
    }

    /// A server comes back: of itself in the life in which it crashed, or because somebody restarts
    /// it.
    pub(super) fn restart(&mut self, server: u32, life: Option<u32>) {
        let now = self.clock.now();
        let Some(machine) = self.machines.get_mut(server as usize) else { return };
        if life.is_some_and(|life| life != machine.life()) {
            return;
        }
        let (lost, name) = (machine.restart(now), machine.spec.name.clone());
        self.vitals.note(server, machine);
        let text = format!("`{name}` is back");
        self.note("restart", Some(name), text);
        for ticket in lost {
            self.answered(ticket, Answer::NoConnection);
        }
    }

    fn server(&self, name: &str) -> Option<u32> {
        self.scenario.servers.iter().position(|server| server.name == name).map(index)
    }

    fn at_server(&mut self, name: &str, act: impl FnOnce(&mut super::Machine<'_>)) {
        let Some(at) = self.server(name) else { return };
        if let Some(machine) = self.machines.get_mut(at as usize) {
            act(machine);
            self.vitals.note(at, machine);
        }
    }

    /// The processes of a client, or all.
    fn about(&self, client: Option<&str>) -> Vec<u32> {
        let is_meant = |process: &Process<'_>| client.is_none_or(|name| process.spec.name == name);
        let processes = self.processes.iter().enumerate();
        processes.filter(|(_, process)| is_meant(process)).map(|(at, _)| index(at)).collect()
    }
}

/// What an operator does to a balancer.
fn operate(process: &Process<'_>, action: &Action) -> Result<(), String> {
    let balancer = &process.balancer;
    let (id, text) = (
        |name: &String| EndpointId::from(name.as_str()),
        |e: &dyn std::fmt::Display| e.to_string(),
    );
    match action {
        Action::Apply(applied) => {
            let Applied { config, guarded_for, by } = &**applied;
            let mut change = Applying::new(config.clone());
            if let Some(by) = by {
                change = change.by(by.as_str());
            }
            let Some(window) = guarded_for else {
                return balancer.apply(change).map(drop).map_err(|error| text(&error));
            };
            let guard = Guard::default().with_window(*window).map_err(|error| text(&error))?;
            let watched = balancer.apply_guarded(change, guard).map_err(|error| text(&error))?;
            tokio::spawn(watched);
            Ok(())
        }
        Action::Rollback {} => balancer.rollback().map(drop).map_err(|error| text(&error)),
        Action::SetWeight { endpoint, weight } => {
            balancer.set_weight(&id(endpoint), *weight).map(drop).map_err(|error| text(&error))
        }
        Action::Drain { endpoint } => {
            balancer.drain(&id(endpoint)).map(drop).map_err(|error| text(&error))
        }
        Action::Disable { endpoint } => {
            balancer.disable(&id(endpoint)).map(drop).map_err(|error| text(&error))
        }
        Action::Enable { endpoint } => {
            balancer.enable(&id(endpoint)).map(drop).map_err(|error| text(&error))
        }
        _ => Ok(()),
    }
}
