use super::*;
use crate::rng::Rng;
use crate::stats::Histogram;

const SECOND: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;

/// Answers, and what is made of them.
struct Fleet {
    answers: Histogram,
    tempo: Tempo,
    rule: EverybodySlowConfig,
    now: Nanos,
    rng: Rng,
}

impl Fleet {
    fn new() -> Self {
        Self {
            answers: Histogram::new(),
            tempo: Tempo::default(),
            rule: EverybodySlowConfig::default(),
            now: Nanos(0),
            rng: Rng::seeded(7),
        }
    }

    /// A window of `n` answers that take `nanos`, or up to half as long again.
    fn window(&mut self, n: u64, nanos: u64) -> bool {
        for _ in 0..n {
            self.answers.record(nanos + self.rng.below(nanos / 2 + 1));
        }
        self.now.0 += 10 * SECOND;
        self.tempo.note(&self.answers.read(), &self.rule, self.now);
        self.tempo.slow().is_some()
    }

    fn windows(&mut self, windows: usize, n: u64, nanos: u64) -> Vec<bool> {
        (0..windows).map(|_| self.window(n, nanos)).collect()
    }
}

fn any(slow: &[bool]) -> bool {
    slow.iter().any(|slow| *slow)
}

#[test]
fn what_is_several_times_slower_than_usual_is_slow_until_it_is_over() {
    let mut fleet = Fleet::new();
    assert!(!any(&fleet.windows(60, 500, 10 * MS)));
    let slow = fleet.windows(20, 500, 60 * MS);
    assert!(slow.iter().all(|slow| *slow), "{slow:?}");
    let Some(AlarmKind::EverybodySlow { latency, usual }) = fleet.tempo.slow() else {
        unreachable!("it is slow")
    };
    assert!(latency > Duration::from_millis(55), "{latency:?}");
    assert!(usual < Duration::from_millis(20), "{usual:?}");
    assert!(!any(&fleet.windows(20, 500, 10 * MS)), "over with the first window");
}

#[test]
fn what_lasts_becomes_usual() {
    let mut fleet = Fleet::new();
    fleet.windows(360, 500, 10 * MS);
    let slow = fleet.windows(720, 500, 60 * MS);
    let turns = slow.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert_eq!((slow[0], slow[719], turns), (true, false, 1), "once, and over within two hours");
}

#[test]
fn nobody_is_judged_by_a_few_windows_or_a_few_answers() {
    let mut fleet = Fleet::new();
    assert!(!any(&fleet.windows(5, 500, 10 * MS)));
    assert!(!fleet.window(500, 900 * MS), "the sixth is the last that is only learnt from");
    let mut fleet = Fleet::new();
    fleet.windows(60, 500, 10 * MS);
    assert!(!any(&fleet.windows(3, 20, 900 * MS)), "too few");
    // They add up.
    assert!(any(&fleet.windows(3, 20, 900 * MS)));
}

#[test]
fn microseconds_are_no_alarm() {
    let mut fleet = Fleet::new();
    fleet.windows(60, 500, 100_000);
    assert!(!any(&fleet.windows(20, 500, 900_000)), "nine times as long, and below the gap");
}

#[test]
fn silence_ends_it() {
    let mut fleet = Fleet::new();
    fleet.windows(60, 500, 10 * MS);
    assert!(fleet.window(500, 60 * MS));
    let silent = fleet.windows(40, 0, MS);
    assert!(silent[0] && !silent[39], "{silent:?}");
    assert!(!fleet.window(500, 10 * MS));
}

#[test]
fn a_clock_that_goes_back_begins_a_new_window() {
    let mut fleet = Fleet::new();
    fleet.windows(60, 500, 10 * MS);
    fleet.now = Nanos(0);
    fleet.tempo.note(&fleet.answers.read(), &fleet.rule, Nanos(0));
    assert!(!any(&fleet.windows(5, 500, 10 * MS)));
    assert!(any(&fleet.windows(2, 500, 60 * MS)));
}

/// At the threshold, where every other window would be slow, it turns once.
#[test]
fn at_the_threshold_it_does_not_flap() {
    let mut fleet = Fleet::new();
    fleet.rule = EverybodySlowConfig::default().with_baseline(Duration::from_hours(168)).unwrap();
    fleet.windows(60, 2_000, 10 * MS);
    // Around three times the usual, give or take an eighth.
    let slow: Vec<_> = (0..200_u64)
        .map(|at| fleet.window(2_000, if at % 2 == 0 { 29 * MS } else { 34 * MS }))
        .collect();
    let turns = slow.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(turns <= 1, "{turns} turns: {slow:?}");
}
