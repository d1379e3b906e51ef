//! A set of endpoints, some of which hang, and whoever asks them, played on a clock of numbers.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::config::HealthConfig;
use crate::rng::Rng;
use crate::units::Percent;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;
const TIMEOUT: u64 = SECOND;

fn plan() -> Plan {
    Plan::of(&HealthConfig::default())
}

/// What an endpoint does when it is asked.
#[derive(Clone, Copy, Debug)]
struct Nature {
    takes: u64,
    good: bool,
}

const WELL: Nature = Nature { takes: 2 * MS, good: true };
const HANGS: Nature = Nature { takes: TIMEOUT, good: false };

/// A check that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Check {
    key: u32,
    due: Nanos,
    began: Nanos,
}

/// Endpoints and whoever asks them.
struct Play {
    plan: Plan,
    schedule: Schedule<u32>,
    natures: BTreeMap<u32, Nature>,
    known: BTreeMap<u32, Checked>,
    ends: BTreeSet<(Nanos, u32)>,
    now: Nanos,
    rng: Rng,
    checks: Vec<Check>,
    found: BTreeMap<u32, Nanos>,
}

impl Play {
    fn new(plan: Plan, natures: impl IntoIterator<Item = Nature>, seed: u64) -> Self {
        let natures: BTreeMap<_, _> = (0..).zip(natures).collect();
        let known = natures.keys().map(|&key| (key, Checked::Well)).collect();
        let mut play = Self {
            plan,
            schedule: Schedule::new(plan),
            natures,
            known,
            ends: BTreeSet::new(),
            now: Nanos(0),
            rng: Rng::seeded(seed),
            checks: Vec::new(),
            found: BTreeMap::new(),
        };
        play.sync();
        play
    }

    fn sync(&mut self) {
        let known: Vec<_> = self.known.iter().map(|(&key, &known)| (key, known)).collect();
        self.schedule.sync(self.plan, known, self.now, &mut self.rng);
    }

    fn due_of(&self, key: u32) -> Nanos {
        self.schedule.entries.get(&key).map_or(self.now, |entry| entry.due)
    }

    fn ask(&mut self) {
        let due: BTreeMap<_, _> = self.natures.keys().map(|&key| (key, self.due_of(key))).collect();
        for key in self.schedule.start_due(self.now) {
            let nature = self.natures[&key];
            assert!(self.ends.iter().all(|&(_, asked)| asked != key), "{key} twice at once");
            self.ends.insert((Nanos(self.now.0 + nature.takes), key));
            self.checks.push(Check { key, due: due[&key], began: self.now });
        }
        assert!(self.ends.len() <= self.plan.concurrency);
    }

    /// Plays on to `until`.
    fn run(&mut self, until: Nanos) {
        loop {
            self.ask();
            let end = self.ends.first().map_or(Nanos::NEVER, |&(at, _)| at);
            let due = self.schedule.due();
            assert!(due > self.now, "what is due was not started");
            let next = end.min(due);
            if next > until {
                self.now = until;
                return;
            }
            self.now = next;
            while let Some(&(at, key)) = self.ends.first().filter(|&&(at, _)| at <= next) {
                self.ends.remove(&(at, key));
                self.end(key);
            }
        }
    }

    fn end(&mut self, key: u32) {
        let good = self.natures[&key].good;
        match self.schedule.ended(&key, Some(good), self.now, &mut self.rng) {
            Some(Finding::Fell { failures }) => {
                assert!(failures >= self.plan.fall);
                self.found.entry(key).or_insert(self.now);
                self.known.insert(key, Checked::Sick);
                self.sync();
            }
            Some(Finding::Rose) => {
                self.known.insert(key, Checked::Well);
                self.sync();
            }
            None => {}
        }
    }

    fn of(&self, key: u32) -> Vec<Check> {
        self.checks.iter().filter(|check| check.key == key).copied().collect()
    }

    /// How late the latest check of those who are well began, and the longest time one of them
    /// waited from one beginning to the next, of those that were due from `after` on.
    fn lateness(&self, after: Nanos) -> (u64, u64) {
        let well = || self.natures.iter().filter(|(_, nature)| nature.good).map(|(&key, _)| key);
        let checks = well().flat_map(|key| self.of(key)).filter(|it| it.due >= after);
        let late = checks.map(|it| it.began.0 - it.due.0).max();
        let gaps = well().flat_map(|key| {
            let began: Vec<_> = self.of(key).iter().map(|check| check.began.0).collect();
            began.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>()
        });
        (late.unwrap_or(0), gaps.max().unwrap_or(0))
    }
}

/// `sick` of `of`, spread over the set.
fn some(sick: usize, of: usize, nature: Nature) -> impl Iterator<Item = Nature> {
    (0..of).map(move |at| {
        let is_sick = (at + 1) * sick / of > at * sick / of;
        if is_sick { nature } else { WELL }
    })
}

#[test]
fn first_checks_are_spread_evenly_and_differ_from_seed_to_seed() {
    let firsts = |seed| {
        let mut play = Play::new(plan(), some(0, 200, WELL), seed);
        play.run(Nanos(5 * SECOND - 1));
        let asked: BTreeSet<_> = play.checks.iter().map(|check| check.key).collect();
        assert_eq!(asked.len(), 200, "each is asked within the first interval");
        play.checks
    };
    for seed in 0..20 {
        let checks = firsts(seed);
        for tenth in 0..10 {
            let within = tenth * SECOND / 2..(tenth + 1) * SECOND / 2;
            let mut first = BTreeSet::new();
            let firsts = checks.iter().filter(|check| first.insert(check.key));
            let n = firsts.filter(|check| within.contains(&check.began.0)).count();
            assert!((18..=22).contains(&n), "{seed} {tenth}: {n}");
        }
    }
    assert_ne!(firsts(1), firsts(2));
    assert_eq!(firsts(3), firsts(3));
}

#[test]
fn a_newcomer_that_has_to_prove_itself_is_asked_within_the_short_pause() {
    for seed in 0..50 {
        let mut schedule = Schedule::new(plan());
        let members = [(0, Checked::Well), (1, Checked::Awaited)];
        schedule.sync(plan(), members, Nanos(0), &mut Rng::seeded(seed));
        assert!(schedule.entries[&1].due < Nanos(SECOND));
        assert!(schedule.entries[&0].due < Nanos(5 * SECOND));
    }
}

#[test]
fn pauses_are_counted_from_beginning_to_beginning() {
    let exact = Plan { jitter: Percent::new(0).unwrap(), ..plan() };
    let slow = Nature { takes: 900 * MS, good: true };
    let sick = Nature { takes: 3 * SECOND, good: false };
    let mut play = Play::new(exact, [slow, sick], 7);
    play.run(Nanos(60 * SECOND));
    let gaps = |key| {
        let began: Vec<_> = play.of(key).iter().map(|check| check.began.0).collect();
        began.windows(2).map(|pair| pair[1] - pair[0]).collect::<BTreeSet<_>>()
    };
    assert_eq!(gaps(0), [5 * SECOND].into());
    assert_eq!(gaps(1), [3 * SECOND].into(), "at once where the pause is over when the check is");
}

#[test]
fn the_jitter_lies_around_the_pause_and_uses_all_of_it() {
    let mut play = Play::new(plan(), some(0, 50, WELL), 7);
    play.run(Nanos(200 * SECOND));
    let gaps: Vec<_> = (0..50)
        .flat_map(|key| {
            let began: Vec<_> = play.of(key).iter().map(|check| check.began.0).collect();
            began.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>()
        })
        .collect();
    let (least, most) = (gaps.iter().min().unwrap(), gaps.iter().max().unwrap());
    assert!((4_500 * MS..4_520 * MS).contains(least), "{least}");
    assert!((5_480 * MS..=5_500 * MS).contains(most), "{most}");
    let mean = gaps.iter().sum::<u64>() / gaps.len() as u64;
    assert!(mean.abs_diff(5 * SECOND) < 40 * MS, "{mean}");
}

#[test]
fn black_holes_are_found_in_time_and_delay_nobody() {
    for seed in 0..3 {
        for (hanging, late, within) in [(20, 0, 10), (100, 150 * MS, 15)] {
            let mut play = Play::new(plan(), some(hanging, 200, HANGS), seed);
            play.run(Nanos(60 * SECOND));
            assert_eq!(play.found.len(), hanging);
            let last = play.found.values().max().unwrap().0;
            assert!(last <= within * SECOND, "{seed} {hanging}: {last}");
            let (late_at_worst, gap) = play.lateness(Nanos(0));
            assert!(late_at_worst <= late, "{seed} {hanging}: {late_at_worst}");
            assert!(gap <= 5_500 * MS + late);
            // Once they are known, nobody is late at all.
            assert_eq!(play.lateness(Nanos(last)).0, 0);
        }
    }
}

#[test]
fn where_all_hang_all_places_are_used_and_with_few_places_nobody_starves() {
    let mut play = Play::new(plan(), some(200, 200, HANGS), 7);
    play.run(Nanos(60 * SECOND));
    let late = play.checks.iter().filter(|check| check.began.0 >= 30 * SECOND).count();
    assert_eq!(late, 30 * 32, "all hang, so each place is worth one check in a second");
    // Two places for what would need a dozen.
    let few = Plan { concurrency: 2, ..plan() };
    let slow = Nature { takes: 300 * MS, good: true };
    let natures = (0..40).map(|at| if at % 4 == 0 { HANGS } else { slow });
    let mut play = Play::new(few, natures, 7);
    play.run(Nanos(600 * SECOND));
    for key in 0..40 {
        let n = play.of(key).len();
        assert!(n >= 15, "{key} was asked {n} times in ten minutes");
    }
    assert_eq!(play.found.len(), 10);
}

#[test]
fn who_leaves_while_it_is_asked_holds_its_place_until_that_is_over() {
    let one = Plan { concurrency: 1, ..plan() };
    let rng = &mut Rng::seeded(7);
    let mut schedule = Schedule::new(one);
    schedule.sync(one, [(0, Checked::Well)], Nanos(0), rng);
    let mut now = schedule.due();
    assert_eq!(schedule.start_due(now), [0]);
    schedule.sync(one, [(1, Checked::Well)], now, rng);
    now.0 += 5 * SECOND;
    assert_eq!((schedule.start_due(now).len(), schedule.due()), (0, Nanos::NEVER));
    assert_eq!(schedule.ended(&0, Some(false), now, rng), None);
    assert_eq!(schedule.start_due(now), [1]);
    // Back before its old check is over: asked again only after it, and with a fresh tally.
    schedule.sync(one, [(0, Checked::Well), (1, Checked::Well)], now, rng);
    schedule.sync(one, [(0, Checked::Well)], now, rng);
    schedule.sync(one, [(0, Checked::Well), (1, Checked::Well)], now, rng);
    now.0 += 5 * SECOND;
    assert_eq!(schedule.ended(&1, None, now, rng), None);
    assert_eq!(schedule.start_due(now).len(), 1);
}

#[test]
fn a_check_without_an_answer_counts_for_nothing_and_is_made_again_at_once() {
    let rng = &mut Rng::seeded(7);
    let mut schedule = Schedule::new(Plan { fall: 1, ..plan() });
    schedule.sync(Plan { fall: 1, ..plan() }, [(0, Checked::Well)], Nanos(0), rng);
    let now = schedule.due();
    assert_eq!(schedule.start_due(now), [0]);
    let later = Nanos(now.0 + MS);
    assert_eq!(schedule.ended(&0, None, later, rng), None);
    assert_eq!((schedule.due(), schedule.start_due(later)), (later, vec![0]));
    let fell = Some(Finding::Fell { failures: 1 });
    assert_eq!(schedule.ended(&0, Some(false), later, rng), fell);
    assert_eq!(schedule.ended(&0, Some(false), later, rng), None, "it was over");
}

#[test]
fn settings_hold_at_once() {
    let exact = |interval| Plan { interval, jitter: Percent::new(0).unwrap(), ..plan() };
    let rng = &mut Rng::seeded(7);
    let mut schedule = Schedule::new(exact(SECOND));
    let members = [(0, Checked::Well)];
    schedule.sync(exact(SECOND), members, Nanos(0), rng);
    let began = schedule.due();
    assert_eq!(schedule.start_due(began), [0]);
    // While it is asked, and while it waits.
    schedule.sync(exact(60 * SECOND), members, began, rng);
    schedule.ended(&0, Some(true), began, rng);
    assert_eq!(schedule.due(), Nanos(began.0 + 60 * SECOND));
    schedule.sync(exact(2 * SECOND), members, began, rng);
    assert_eq!(schedule.due(), Nanos(began.0 + 2 * SECOND));
    schedule.clear();
    assert_eq!(schedule.due(), Nanos::NEVER);
}

#[test]
fn a_clock_that_goes_back_stands_still() {
    let rng = &mut Rng::seeded(7);
    let mut schedule = Schedule::new(plan());
    schedule.sync(plan(), [(0, Checked::Well), (1, Checked::Well)], Nanos(50 * SECOND), rng);
    let due = Nanos(60 * SECOND);
    assert_eq!(schedule.start_due(due).len(), 2);
    assert_eq!(schedule.ended(&0, Some(true), Nanos(0), rng), None);
    schedule.sync(plan(), [(0, Checked::Sick), (1, Checked::Well)], Nanos(3), rng);
    assert!(schedule.due() > due && schedule.due() < Nanos(62 * SECOND));
    assert!(schedule.start_due(Nanos(1)).is_empty());
}

/// Something that happens to a schedule.
#[derive(Clone, Debug)]
enum Step {
    Advance(u64),
    /// So many of those under way end.
    End(u8, Option<bool>),
    /// Of the endpoints 0 to 11, those whose bit is set are there, known to be this.
    Members(u16, u8),
    Places(usize),
    Interval(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3 * SECOND).prop_map(Step::Advance),
        1 => Just(Step::Advance(60 * SECOND)),
        4 => (any::<u8>(), any::<Option<bool>>()).prop_map(|(n, it)| Step::End(n, it)),
        2 => (0_u16..1 << 12, any::<u8>()).prop_map(|(set, known)| Step::Members(set, known)),
        1 => (1_usize..6).prop_map(Step::Places),
        1 => (MS..10 * SECOND).prop_map(Step::Interval),
    ]
}

/// Plays `steps` and checks what always holds; returns who was asked when.
fn play(steps: &[Step], seed: u64) -> Vec<(Nanos, u32)> {
    let rng = &mut Rng::seeded(seed);
    let mut plan = Plan { concurrency: 3, ..plan() };
    let mut schedule = Schedule::new(plan);
    let mut members: Vec<(u32, Checked)> = Vec::new();
    let mut under_way: Vec<u32> = Vec::new();
    let (mut now, mut asked) = (Nanos(0), Vec::new());
    for step in steps {
        match *step {
            Step::Advance(by) => now.0 += by,
            Step::End(n, answer) if !under_way.is_empty() => {
                let key = under_way.remove(usize::from(n) % under_way.len());
                let here = members.iter().any(|&(it, _)| it == key);
                let found = schedule.ended(&key, answer, now, rng);
                assert!(found.is_none() || (here && answer.is_some()));
            }
            Step::End(..) => {}
            Step::Members(set, known) => {
                let known = |key: u32| match known.rotate_left(key) % 3 {
                    0 => Checked::Well,
                    1 => Checked::Awaited,
                    _ => Checked::Sick,
                };
                let here = (0..12).filter(|key| set >> key & 1 == 1);
                members = here.map(|key| (key, known(key))).collect();
            }
            Step::Places(n) => plan.concurrency = n,
            Step::Interval(span) => plan.interval = span,
        }
        schedule.sync(plan, members.iter().copied(), now, rng);
        for key in schedule.start_due(now) {
            assert!(members.iter().any(|&(it, _)| it == key), "{key} is not there");
            assert!(!under_way.contains(&key), "{key} is asked twice at once");
            under_way.push(key);
            assert!(under_way.len() <= plan.concurrency, "more than there are places");
            asked.push((now, key));
        }
        // It always says when there is something to do again.
        assert!(schedule.due() > now, "what is due was not begun");
        let idle = members.iter().any(|(key, _)| !under_way.contains(key));
        if idle && under_way.is_empty() {
            assert!(schedule.due().0 - now.0 <= 16 * SECOND, "somebody is forgotten");
        }
    }
    asked
}

proptest! {
    #[test]
    fn whatever_happens_nobody_is_asked_twice_at_once_and_nobody_is_forgotten(
        steps in prop::collection::vec(step(), 1..120),
        seed in any::<u64>(),
    ) {
        prop_assert_eq!(play(&steps, seed), play(&steps, seed));
    }
}
