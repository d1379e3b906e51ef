//! What is written down while a simulation runs.

use std::time::Duration;

use crate::sim::engine::machine::Machine;
use crate::sim::run::{
    Answer, FailedAttempts, Happening, Interval, Quantiles, Run, ServerRun, Totals, Traced,
};
use crate::sim::span::{Time, span, time};
use crate::sim::{Change, Scenario};

pub(super) struct Record<'s> {
    scenario: &'s Scenario,
    totals: Totals,
    servers: Vec<ServerRun>,
    intervals: Vec<Interval>,
    /// The interval that is written.
    open: Interval,
    ends: Time,
    length: Time,
    /// Latencies of the good answers of the open interval.
    latencies: Vec<Time>,
    all_latencies: Vec<Time>,
    happenings: Vec<Happening>,
    trouble_at: Option<Time>,
    detected: Option<(Time, String)>,
    hash: u64,
    trace: Vec<Traced>,
}

/// A request that has ended.
pub(super) struct Ended {
    pub(super) born: Time,
    pub(super) at: Time,
    pub(super) process: u32,
    pub(super) server: Option<u32>,
    pub(super) attempts: u32,
    pub(super) answer: Answer,
}

impl<'s> Record<'s> {
    pub(super) fn new(scenario: &'s Scenario) -> Self {
        let servers = scenario.servers.iter().map(|server| ServerRun {
            name: server.name.clone(),
            attempts: 0,
            successes: 0,
            crashes: 0,
            most_in_hand: 0,
        });
        let servers: Vec<_> = servers.collect();
        let length = time(scenario.interval);
        let begins = scenario.changes.iter().filter_map(Change::troubles_at).min();
        let trouble_at = scenario.trouble_at.or(begins).map(time);
        Self {
            scenario,
            totals: Totals::default(),
            open: Interval { sent: vec![0; servers.len()], ..Interval::default() },
            servers,
            intervals: Vec::new(),
            ends: length,
            length,
            latencies: Vec::new(),
            all_latencies: Vec::new(),
            happenings: Vec::new(),
            trouble_at,
            detected: None,
            hash: 0,
            trace: Vec::new(),
        }
    }

    /// It is this time: intervals that are over are closed.
    #[inline]
    pub(super) fn reach(&mut self, now: Time, machines: &[Machine<'_>]) {
        while now >= self.ends {
            self.close(machines);
        }
    }

    fn close(&mut self, machines: &[Machine<'_>]) {
        let next = Interval {
            at: span(self.ends),
            sent: vec![0; self.servers.len()],
            ..Interval::default()
        };
        let mut closed = std::mem::replace(&mut self.open, next);
        closed.in_hand = machines.iter().map(Machine::in_hand).collect();
        closed.latency = quantiles(&mut self.latencies);
        self.all_latencies.append(&mut self.latencies);
        self.intervals.push(closed);
        self.ends = self.ends.saturating_add(self.length);
    }

    /// A request was sent to a server.
    pub(super) fn sent(&mut self, server: u32, again: bool, now: Time) {
        self.totals.attempts += 1;
        if again {
            self.totals.retries += 1;
            self.open.retries += 1;
        }
        if let Some(sent) = self.open.sent.get_mut(server as usize) {
            *sent += 1;
        }
        if let Some(server) = self.servers.get_mut(server as usize) {
            server.attempts += 1;
        }
        self.mix(now ^ (u64::from(server) << 48));
    }

    /// A server has taken a request.
    pub(super) fn in_hand(&mut self, server: u32, in_hand: u32) {
        if let Some(server) = self.servers.get_mut(server as usize) {
            server.most_in_hand = server.most_in_hand.max(in_hand);
        }
    }

    /// An attempt has ended.
    pub(super) fn attempted(&mut self, server: Option<u32>, answer: Answer) {
        let FailedAttempts { no_connection, errors, turned_away, timed_out, given_up } =
            &mut self.totals.failed_attempts;
        match answer {
            Answer::Good => {
                let server = server.and_then(|server| self.servers.get_mut(server as usize));
                if let Some(server) = server {
                    server.successes += 1;
                }
            }
            Answer::Error => *errors += 1,
            Answer::Unavailable | Answer::Overloaded => *turned_away += 1,
            Answer::NoConnection => *no_connection += 1,
            Answer::TimedOut => *timed_out += 1,
            Answer::GivenUp => *given_up += 1,
            Answer::Refused => {
                self.totals.refused += 1;
                self.open.refused += 1;
            }
        }
    }

    /// A request has ended.
    pub(super) fn ended(&mut self, ended: &Ended) {
        let Ended { born, at, process, server, attempts, answer } = *ended;
        let took = at.saturating_sub(born);
        self.totals.requests += 1;
        self.open.requests += 1;
        if answer == Answer::Good {
            self.totals.successes += 1;
            self.latencies.push(took);
        } else {
            self.totals.failures += 1;
            self.open.failures += 1;
        }
        self.mix(at ^ ((answer as u64) << 56));
        self.mix(born ^ (u64::from(process) << 32));
        if self.scenario.traced {
            let (at, took) = (span(born), span(took));
            self.trace.push(Traced { at, took, process, server, attempts, answer });
        }
    }

    /// Something has happened. Whether that is what detects the trouble.
    pub(super) fn happened(&mut self, at: Time, happening: Happening) -> bool {
        let in_trouble = self.trouble_at.is_some_and(|trouble| at >= trouble);
        let detects = self.detected.is_none()
            && in_trouble
            && self.scenario.detected_by.contains(&happening.kind);
        if detects {
            self.detected = Some((at, happening.kind.clone()));
        }
        self.happenings.push(happening);
        detects
    }

    pub(super) fn crashed(&mut self, server: u32) {
        if let Some(server) = self.servers.get_mut(server as usize) {
            server.crashes += 1;
        }
    }

    fn mix(&mut self, word: u64) {
        // As FxHash does: it only has to tell two traces apart.
        self.hash = (self.hash.rotate_left(5) ^ word).wrapping_mul(0x517C_C1B7_2722_0A95);
    }

    pub(super) fn finish(mut self, unfinished: u64, machines: &[Machine<'_>]) -> Run {
        let end = time(self.scenario.lasting);
        self.reach(end, machines);
        if time(self.open.at) < end {
            self.close(machines);
        }
        // Of what happens in the same millisecond, what was said last was done last.
        self.happenings.sort_by_key(|happening| happening.at);
        let sum: f64 = self.all_latencies.iter().map(|latency| *latency as f64).sum();
        let mean = sum / self.all_latencies.len().max(1) as f64;
        let totals = Totals {
            unfinished,
            mean_latency: Duration::from_nanos(mean as u64),
            latency: quantiles(&mut self.all_latencies),
            ..self.totals
        };
        let (detected_at, detected_by) = self.detected.unzip();
        Run {
            scenario: self.scenario.name.clone(),
            seed: self.scenario.seed,
            lasted: self.scenario.lasting,
            interval: self.scenario.interval,
            trouble_at: self.trouble_at.map(span),
            detected_at: detected_at.map(span),
            detected_by,
            totals,
            servers: self.servers,
            intervals: self.intervals,
            happenings: self.happenings,
            trace_hash: self.hash,
            trace: self.trace,
        }
    }
}

/// Exact quantiles; sorts.
fn quantiles(latencies: &mut [Time]) -> Quantiles {
    latencies.sort_unstable();
    let within = |percent: usize| {
        let rank = (latencies.len() * percent).div_ceil(100).saturating_sub(1);
        latencies.get(rank).copied().map(span).unwrap_or_default()
    };
    Quantiles { p50: within(50), p90: within(90), p99: within(99), max: within(100) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_sorted_list() {
        let mut latencies: Vec<Time> = (1..=1_000).rev().collect();
        let Quantiles { p50, p90, p99, max } = quantiles(&mut latencies);
        assert_eq!([p50, p90, p99, max].map(time), [500, 900, 990, 1_000]);
        assert_eq!(quantiles(&mut []), Quantiles::default());
        assert_eq!(quantiles(&mut [7]).p50, span(7));
    }
}
