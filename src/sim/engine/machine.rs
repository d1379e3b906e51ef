//! A server at work.

use std::collections::VecDeque;

use crate::rng::Rng;
use crate::sim::engine::agenda::Ticket;
use crate::sim::run::Answer;
use crate::sim::server::WhenFull;
use crate::sim::span::{Time, rounded, time};
use crate::sim::{Fault, Server};

/// How long it takes to learn that nobody listens: a round trip within a data centre.
pub(super) const ROUND_TRIP: Time = 100_000;

pub(super) struct Machine<'s> {
    pub(super) spec: &'s Server,
    rng: Rng,
    fault: Option<(Fault, Time)>,
    is_up: bool,
    /// Grows when it crashes and when it is restarted: what was begun before comes to nothing.
    life: u32,
    serving: Vec<Ticket>,
    waiting: VecDeque<Ticket>,
    /// When its cache was last empty.
    cold_since: Option<Time>,
}

/// What becomes of a request that arrives.
pub(super) enum Taken {
    /// It is worked on until then.
    Serving { done: Time, answer: Answer },
    /// It waits for a worker.
    Waiting,
    /// It will never be answered.
    Swallowed,
    /// It is answered without work, after so long.
    Turned { answer: Answer, after: Time },
    /// It was the one too many.
    Crashed,
}

impl<'s> Machine<'s> {
    pub(super) fn new(spec: &'s Server, rng: Rng) -> Self {
        Self {
            spec,
            rng,
            fault: spec.fault.clone().map(|fault| (fault, 0)),
            is_up: true,
            life: 0,
            serving: Vec::new(),
            waiting: VecDeque::new(),
            cold_since: None,
        }
    }

    /// Requests that wait or are worked on.
    pub(super) fn in_hand(&self) -> u32 {
        u32::try_from(self.serving.len() + self.waiting.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn life(&self) -> u32 {
        self.life
    }

    pub(super) fn is_up(&self) -> bool {
        self.is_up
    }

    pub(super) fn set_fault(&mut self, fault: Option<Fault>, now: Time) {
        self.fault = fault.map(|fault| (fault, now));
    }

    pub(super) fn fault(&self) -> Option<&(Fault, Time)> {
        self.fault.as_ref()
    }

    /// What is wrong with it now.
    fn trouble(&self, now: Time) -> Option<&Fault> {
        self.fault.as_ref().and_then(|(fault, since)| fault.after(now.saturating_sub(*since)))
    }

    pub(super) fn take(&mut self, ticket: Ticket, now: Time) -> Taken {
        let refused = Taken::Turned { answer: Answer::NoConnection, after: ROUND_TRIP };
        if !self.is_up {
            return refused;
        }
        match self.trouble(now) {
            Some(Fault::Refused) => return refused,
            Some(Fault::BlackHole) => return Taken::Swallowed,
            Some(Fault::FastFailure { after }) => {
                return Taken::Turned { answer: Answer::Error, after: time(*after).max(1) };
            }
            _ => {}
        }
        let workers = self.spec.workers as usize;
        if self.serving.len() >= workers {
            let waiting = u32::try_from(self.waiting.len()).unwrap_or(u32::MAX);
            if self.spec.queue.is_some_and(|capacity| waiting >= capacity) {
                let answer = match self.spec.when_full {
                    WhenFull::Error => Answer::Unavailable,
                    WhenFull::Overloaded => Answer::Overloaded,
                };
                return Taken::Turned { answer, after: ROUND_TRIP };
            }
        }
        if self.spec.crash_at.is_some_and(|most| self.in_hand().saturating_add(1) >= most) {
            return Taken::Crashed;
        }
        if self.serving.len() >= workers {
            self.waiting.push_back(ticket);
            return Taken::Waiting;
        }
        let (done, answer) = self.begin(ticket, now);
        Taken::Serving { done, answer }
    }

    fn begin(&mut self, ticket: Ticket, now: Time) -> (Time, Answer) {
        self.serving.push(ticket);
        let (slower, errors) = match self.trouble(now) {
            Some(Fault::BrownOut { factor }) => (*factor, 0.0),
            Some(Fault::Grey { factor, error_percent }) => (*factor, *error_percent),
            _ => (1.0, 0.0),
        };
        let slower = slower * self.cold(now);
        let drawn = self.spec.service.draw(&mut self.rng);
        let takes = if slower == 1.0 { drawn } else { rounded(drawn as f64 * slower) };
        let fails = errors > 0.0 && self.rng.fraction() * 100.0 < errors;
        (now.saturating_add(takes), if fails { Answer::Error } else { Answer::Good })
    }

    /// How many times as long it takes for want of a warm cache.
    fn cold(&self, now: Time) -> f64 {
        let Some(since) = self.cold_since else { return 1.0 };
        let (age, whole) = (now.saturating_sub(since), time(self.spec.warm_up));
        if age >= whole {
            return 1.0;
        }
        let left = 1.0 - age as f64 / whole as f64;
        1.0 + (self.spec.cold_factor - 1.0) * left
    }

    /// Its work on an attempt is done: what it begins next, and when that will be.
    pub(super) fn done(&mut self, ticket: Ticket, now: Time) -> Option<(Ticket, Time, Answer)> {
        self.serving
            .iter()
            .position(|other| *other == ticket)
            .map(|at| self.serving.swap_remove(at));
        let next = self.waiting.pop_front()?;
        let (done, answer) = self.begin(next, now);
        Some((next, done, answer))
    }

    /// The caller has gone away. What it works on, it finishes all the same, unless it notices.
    pub(super) fn hung_up(&mut self, ticket: Ticket, now: Time) -> Option<(Ticket, Time, Answer)> {
        if !self.spec.notices_hang_ups {
            return None;
        }
        if let Some(at) = self.waiting.iter().position(|other| *other == ticket) {
            self.waiting.remove(at);
            return None;
        }
        if !self.serving.contains(&ticket) {
            return None;
        }
        self.done(ticket, now)
    }

    /// It crashes: everything that it had in hand fails.
    pub(super) fn crash(&mut self) -> Vec<Ticket> {
        self.is_up = false;
        self.drop_all()
    }

    /// It starts with nothing in hand and nothing in its cache.
    pub(super) fn restart(&mut self, now: Time) -> Vec<Ticket> {
        self.is_up = true;
        self.cold_since = Some(now);
        self.drop_all()
    }

    fn drop_all(&mut self) -> Vec<Ticket> {
        self.life = self.life.wrapping_add(1);
        let mut lost = std::mem::take(&mut self.serving);
        lost.extend(self.waiting.drain(..));
        lost
    }
}
