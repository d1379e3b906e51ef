//! Contestants by turns.
//!
//! A machine that is shared, or changes its clock, is fast for a while and slow for a while. Whoever
//! is measured in one block gets the one or the other. Here everybody has a turn of about a
//! millisecond in each round, and who begins changes, so what one round compares happened within
//! some milliseconds; the median over rounds leaves out those in which somebody was interrupted.

use std::time::Duration;

use crate::clock;
use crate::contestant::{Contestant, Runner};
use crate::options::Pace;
use crate::spread::Spread;

/// Requests a second up to which an endpoint of evenkeel has all timed, and from which on as few as ever
/// where the choice goes by latencies.
const BUSY: f64 = 60.0;
const BUSIEST: f64 = 1_920.0;

/// Two of the windows by which it tells how many there are.
const WINDOWS: Duration = Duration::from_millis(150);

/// Contestants that are built and warm, and their number of endpoints.
#[derive(Default)]
pub struct Race {
    lanes: Vec<Lane>,
}

struct Lane {
    name: &'static str,
    n: usize,
    runner: Runner,
    /// What fills a turn.
    requests: u64,
    /// Requests a second to each endpoint.
    each: f64,
    /// Nanoseconds a request, by round.
    nanos: Vec<f64>,
}

impl Race {
    /// Takes `contestants` in, each with `n` endpoints.
    #[must_use]
    pub fn with(mut self, contestants: &[Contestant], n: usize) -> Self {
        self.lanes.extend(contestants.iter().map(|contestant| Lane {
            name: contestant.name,
            n,
            runner: (contestant.build)(n).runner(),
            requests: 1,
            each: 0.0,
            nanos: Vec::new(),
        }));
        self
    }

    /// Runs it.
    #[must_use]
    pub fn run(mut self, pace: &Pace) -> Results {
        let lanes = self.lanes.len() as f64;
        self.lanes.iter_mut().for_each(|lane| lane.calibrate(pace.slice));
        let looks_idle = |lane: &Lane| lane.each > BUSY && lane.each / lanes < 1.1 * BUSIEST;
        // Long turns make long rounds, so that all need them, and a few rounds are enough.
        let (warms, rounds) = match self.lanes.iter().any(looks_idle) {
            true => (WINDOWS, pace.rounds.div_ceil(4)),
            false => (Duration::ZERO, pace.rounds),
        };
        for round in 0..rounds {
            for turn in 0..self.lanes.len() {
                let at = (round + turn) % self.lanes.len();
                self.lanes[at].turn(warms);
            }
        }
        let result = |lane: Lane| Result { name: lane.name, n: lane.n, nanos: lane.nanos };
        Results(self.lanes.into_iter().map(result).collect())
    }
}

impl std::fmt::Debug for Race {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lanes = self.lanes.iter().map(|lane| (lane.name, lane.n));
        f.debug_list().entries(lanes).finish()
    }
}

impl Lane {
    fn calibrate(&mut self, slice: Duration) {
        let took = loop {
            let took = clock::time(|| (self.runner)(self.requests));
            if took >= slice {
                break took;
            }
            self.requests *= 2;
        };
        self.each = self.requests as f64 / took.as_secs_f64() / self.n as f64;
    }

    /// The caches belong to whoever ran before, so as much again runs first without being timed: at
    /// least enough to have chosen all endpoints but one in four hundred, where they are drawn.
    ///
    /// It goes on for as long as it `warms` where an endpoint that is busy, while its balancer has a
    /// turn, would look idle for all the turns of others.
    fn turn(&mut self, warms: Duration) {
        let warm = self.requests.max(6 * self.n as u64);
        let took = clock::time(|| (self.runner)(warm));
        let times = warms.div_duration_f64(took).ceil() as u64;
        (self.runner)(warm * times.saturating_sub(1));
        let took = clock::time(|| (self.runner)(self.requests));
        self.nanos.push(took.as_nanos() as f64 / self.requests as f64);
    }
}

/// How a race ended.
#[derive(Debug)]
pub struct Results(Vec<Result>);

#[derive(Debug)]
struct Result {
    name: &'static str,
    n: usize,
    nanos: Vec<f64>,
}

impl Results {
    /// Nanoseconds a request.
    #[must_use]
    pub fn nanos(&self, name: &str, n: usize) -> Option<Spread> {
        Spread::of(self.of(name, n)?.iter().copied())
    }

    /// How many times as much the first costs as the second, round by round.
    #[must_use]
    pub fn ratio(&self, first: (&str, usize), second: (&str, usize)) -> Option<Spread> {
        let (first, second) = (self.of(first.0, first.1)?, self.of(second.0, second.1)?);
        Spread::of(first.iter().zip(second).map(|(first, second)| first / second))
    }

    fn of(&self, name: &str, n: usize) -> Option<&[f64]> {
        let found = self.0.iter().find(|result| result.name == name && result.n == n)?;
        Some(&found.nanos)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Race;
    use crate::contestant::CLOCKS;
    use crate::options::Pace;

    #[test]
    fn whoever_runs_is_found_by_name_and_size() {
        let pace = Pace { rounds: 3, slice: Duration::from_micros(10) };
        let results = Race::default().with(CLOCKS, 1).with(CLOCKS, 2).run(&pace);
        let (std, tokio) = ("floor:clock-std", "floor:clock-tokio");
        assert!(results.nanos(std, 1).expect("it ran").middle > 0.0);
        assert!(results.ratio((std, 1), (tokio, 2)).expect("they ran").low > 0.0);
        assert!(results.nanos(std, 3).is_none());
    }
}
