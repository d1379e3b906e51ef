//! The way of a request: it comes, is sent, is answered, and perhaps sent again.

use crate::error::PickError;
use crate::sim::engine::Engine;
use crate::sim::engine::agenda::{Due, Ticket};
use crate::sim::engine::machine::{ROUND_TRIP, Taken};
use crate::sim::engine::record::Ended;
use crate::sim::engine::requests::Request;
use crate::sim::run::Answer;
use crate::sim::span::{MILLISECOND, Time, time};
use crate::units::Key;

impl Engine<'_> {
    /// A source has its next requests.
    pub(super) fn arrive(&mut self, source: u32) {
        let now = self.clock.now();
        let Some(from) = self.sources.get_mut(source as usize) else { return };
        if let Some(next) = from.next() {
            // Of a trace, or of a rate without bounds, many may come at once.
            self.agenda.note(next.max(now), Due::Arrival { source });
        }
        let (burst, patience) = (from.burst(), from.spec.patience);
        for _ in 0..burst {
            let Some(from) = self.sources.get_mut(source as usize) else { return };
            let (process, key) = (from.process(), from.key());
            let (slot, request) = self.requests.keep(Request {
                born: now,
                source,
                process,
                key,
                attempts: 0,
                tried: Vec::new(),
                under_way: None,
            });
            if let Some(patience) = patience {
                let due = now.saturating_add(time(patience));
                self.agenda.note(due, Due::GaveUp { slot, request });
            }
            self.send(slot);
        }
    }

    pub(super) fn resend(&mut self, slot: u32, request: u32) {
        if self.requests.known(slot, request).is_some() {
            self.send(slot);
        }
    }

    /// Asks the balancer, as `Balance` does, and brings the request to the server.
    fn send(&mut self, slot: u32) {
        let now = self.clock.now();
        let Some(request) = self.requests.get_mut(slot) else { return };
        let Some(process) = self.processes.get(request.process as usize) else { return };
        let again = request.attempts > 0;
        let tried = request.tried.iter();
        let picked = if request.tried.is_empty() {
            process.balancer.pick(&request.key)
        } else {
            let key: Key = tried.fold(request.key.clone(), Key::excluding);
            match process.balancer.pick(&key) {
                // Better one that was tried than none.
                Err(PickError::AllExcluded) => process.balancer.pick(&request.key),
                picked => picked,
            }
        };
        let Ok(lease) = picked else {
            request.attempts += 1;
            self.record.attempted(None, Answer::Refused);
            self.failed(slot, None, Answer::Refused);
            return;
        };
        let (server, limit) = (lease.target().0, lease.hold.deadline().map(|(_, span)| time(span)));
        let is_cut_off = process.cut_off.get(server as usize).is_some_and(|is| *is);
        let ticket = self.requests.begin(slot, lease, server);
        self.record.sent(server, again, now);
        let taken = match self.machines.get_mut(server as usize) {
            None => Taken::Turned { answer: Answer::NoConnection, after: ROUND_TRIP },
            Some(_) if is_cut_off => Taken::Swallowed,
            Some(machine) => {
                let taken = machine.take(ticket, now);
                self.record.in_hand(server, machine.in_hand());
                taken
            }
        };
        let deadline = limit.map(|limit| now.saturating_add(limit));
        match taken {
            Taken::Serving { done, answer } => {
                self.begun(server, ticket, done, answer);
                // Unless it crashes, which is an answer too, it answers in time.
                if deadline.is_some_and(|deadline| deadline < done) {
                    self.limit(ticket, deadline);
                }
            }
            Taken::Waiting | Taken::Swallowed => self.limit(ticket, deadline),
            Taken::Turned { answer, after } => {
                self.agenda.note(now.saturating_add(after), Due::Answered { ticket, answer });
            }
            Taken::Crashed => {
                self.crash(server);
                self.answered(ticket, Answer::NoConnection);
            }
        }
    }

    fn limit(&mut self, ticket: Ticket, deadline: Option<u64>) {
        if let Some(deadline) = deadline {
            self.agenda.note(deadline, Due::TimedOut { ticket });
        }
    }

    fn begun(&mut self, server: u32, ticket: Ticket, done: u64, answer: Answer) {
        let Some(machine) = self.machines.get(server as usize) else { return };
        self.agenda.note(done, Due::Done { server, life: machine.life(), ticket, answer });
    }

    /// A server has done its work on an attempt, whether somebody still waits for it or not.
    pub(super) fn done(&mut self, server: u32, life: u32, ticket: Ticket, answer: Answer) {
        let now = self.clock.now();
        let Some(machine) = self.machines.get_mut(server as usize) else { return };
        if machine.life() != life {
            return;
        }
        if let Some((next, done, answer)) = machine.done(ticket, now) {
            self.begun(server, next, done, answer);
        }
        self.answered(ticket, answer);
    }

    /// An attempt has its answer, unless it has ended before.
    pub(super) fn answered(&mut self, ticket: Ticket, answer: Answer) {
        let Some((lease, server)) = self.requests.end(ticket) else { return };
        let elsewhere = answer != Answer::Good && self.retries_elsewhere(ticket.slot);
        if elsewhere && let Some(request) = self.requests.get_mut(ticket.slot) {
            request.tried.push(lease.endpoint().clone());
        }
        match answer.outcome() {
            Some(outcome) => lease.finish(outcome),
            None => drop(lease),
        }
        self.record.attempted(Some(server), answer);
        if answer == Answer::Good {
            self.close(ticket.slot, Some(server), answer);
        } else {
            self.failed(ticket.slot, Some(server), answer);
        }
    }

    /// `limits.attempt_timeout` is over.
    pub(super) fn timed_out(&mut self, ticket: Ticket) {
        self.hang_up(ticket);
        self.answered(ticket, Answer::TimedOut);
    }

    /// The caller goes away.
    pub(super) fn gave_up(&mut self, slot: u32, request: u32) {
        if self.requests.known(slot, request).is_none() {
            return;
        }
        let mut server = None;
        if let Some(ticket) = self.requests.under_way(slot) {
            self.hang_up(ticket);
            if let Some((lease, at)) = self.requests.end(ticket) {
                drop(lease);
                server = Some(at);
            }
        }
        self.record.attempted(server, Answer::GivenUp);
        self.close(slot, server, Answer::GivenUp);
    }

    /// The server of an attempt may notice that nobody waits for it.
    fn hang_up(&mut self, ticket: Ticket) {
        let now = self.clock.now();
        let request = self.requests.get_mut(ticket.slot);
        let Some((_, server)) = request.and_then(|request| request.under_way.as_ref()) else {
            return;
        };
        let server = *server;
        let Some(machine) = self.machines.get_mut(server as usize) else { return };
        if let Some((next, done, answer)) = machine.hung_up(ticket, now) {
            self.begun(server, next, done, answer);
        }
    }

    fn retries_elsewhere(&mut self, slot: u32) -> bool {
        let request = self.requests.get_mut(slot);
        let source = request.and_then(|request| self.sources.get(request.source as usize));
        source.and_then(|source| source.spec.retries.as_ref()).is_some_and(|it| it.elsewhere)
    }

    /// An attempt has failed: the caller tries again, or has failed.
    fn failed(&mut self, slot: u32, server: Option<u32>, answer: Answer) {
        let now = self.clock.now();
        let number = self.requests.number(slot);
        let Some(request) = self.requests.get_mut(slot) else { return };
        let source = self.sources.get(request.source as usize);
        match source.and_then(|source| source.spec.retries.as_ref()) {
            Some(retries) if request.attempts <= retries.times => {
                let due = now.saturating_add(time(retries.after).max(at_least(answer)));
                self.agenda.note(due, Due::Resend { slot, request: number });
            }
            _ => self.close(slot, server, answer),
        }
    }

    fn close(&mut self, slot: u32, server: Option<u32>, answer: Answer) {
        let at = self.clock.now();
        let Some(Request { born, source, process, attempts, .. }) = self.requests.close(slot)
        else {
            return;
        };
        self.record.ended(&Ended { born, at, process, server, attempts, answer });
        let Some(from) = self.sources.get_mut(source as usize) else { return };
        if let Some(next) = from.next_of_user(at, at_least(answer)) {
            self.agenda.note(next, Due::Arrival { source });
        }
    }
}

/// How long a caller waits at least: who is refused in no time and does not wait would be for ever.
const fn at_least(answer: Answer) -> Time {
    if matches!(answer, Answer::Refused | Answer::NoConnection) { MILLISECOND } else { 0 }
}
