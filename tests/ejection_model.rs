//! Ejections in any order, against a short model of them, and what holds at every step.
//!
//! Panic is off: in panic the ejected are served, which `ejection_stories` tells.

#![cfg(feature = "config")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "where the model is wrong the test has failed"
)]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use evenkeel::strategy::Rng;
use evenkeel::{Availability, Key, Lease, Outcome, Status, UpdateError};
use tokio::time::advance;

use crate::support::{Numbered, balancer, config, endpoint, id};

const BASE: u64 = 30;
const LONGEST: u64 = 75;
const INTERVAL: u64 = 10;
const RAMP: u64 = 20;
const REMEMBERED: u64 = 40;
const ROW: u32 = 2;

#[derive(Clone, Copy, Debug)]
struct Settings {
    percent: u64,
    least: usize,
    owed: u32,
    dry: bool,
}

impl Settings {
    fn toml(self) -> String {
        let Self { percent, least, owed, dry } = self;
        format!(
            "panic = false\n[strategy]\nkind = 'round_robin'\n[slow_start]\nwindow = '{RAMP}s'\n\
             [outlier]\ninterval = '{INTERVAL}s'\nbase_ejection_time = '{BASE}s'\n\
             max_ejection_time = '{LONGEST}s'\nejection_jitter_percent = 0\n\
             max_ejected_percent = {percent}\nmin_available = {least}\n\
             probe_successes = {owed}\nremember_removed = '{REMEMBERED}s'\ndry_run = {dry}\n\
             [outlier.consecutive_failures]\nthreshold = {ROW}\n"
        )
    }

    /// How many of `of` may be out.
    fn most(self, of: usize) -> usize {
        (of * self.percent as usize / 100).min(of.saturating_sub(self.least))
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Available,
    Warming(u64),
    Probing(u32),
    Ejected(u64),
}

#[derive(Clone, Copy, Debug)]
struct Member {
    weight: u32,
    drained: Option<u64>,
    disabled: bool,
    phase: Phase,
    times: u32,
    row: u32,
    behaved: bool,
}

impl Member {
    const NEW: Self = Self {
        weight: 1,
        drained: None,
        disabled: false,
        phase: Phase::Available,
        times: 0,
        row: 0,
        behaved: false,
    };

    fn counts(&self) -> bool {
        self.weight > 0 && self.drained.is_none() && !self.disabled
    }

    fn is_out(&self) -> bool {
        matches!(self.phase, Phase::Probing(_) | Phase::Ejected(_))
    }

    fn enter(&mut self, phase: Phase) {
        let was_out = self.is_out();
        self.phase = phase;
        if was_out != self.is_out() {
            (self.row, self.behaved) = (0, false);
        }
    }

    fn eject(&mut self, now: u64) {
        self.times += 1;
        self.enter(Phase::Ejected(now + (BASE * u64::from(self.times)).min(LONGEST)));
    }

    fn state(&self) -> Availability {
        match self.phase {
            _ if self.disabled => Availability::Disabled,
            _ if self.drained.is_some() => Availability::Draining,
            Phase::Available => Availability::Available,
            Phase::Warming(_) => Availability::Warming,
            Phase::Probing(_) => Availability::Probing,
            Phase::Ejected(_) => Availability::Ejected,
        }
    }
}

/// Time in whole seconds, endpoints by number.
#[derive(Debug)]
struct Model {
    now: u64,
    settings: Settings,
    members: BTreeMap<usize, Member>,
    removed: BTreeMap<usize, (u64, Member)>,
    sweep: Option<u64>,
}

impl Model {
    fn rotation(&self) -> (usize, usize) {
        let rotation = || self.members.values().filter(|it| it.counts());
        (rotation().count(), rotation().filter(|it| it.is_out()).count())
    }

    fn has_room(&self) -> bool {
        let (of, out) = self.rotation();
        out < self.settings.most(of)
    }

    /// What time and the bounds make of it.
    fn settle(&mut self) {
        let now = self.now;
        for member in self.members.values_mut() {
            member.drained = member.drained.filter(|&until| now < until);
            match member.phase {
                Phase::Ejected(until) if until <= now => member.enter(Phase::Probing(0)),
                Phase::Warming(since) if since + RAMP <= now => member.enter(Phase::Available),
                _ => {}
            }
        }
        if self.sweep.is_some_and(|due| due <= now) {
            self.sweep = None;
            for member in self.members.values_mut() {
                let judged = member.times > 0 && member.counts() && !member.is_out();
                if judged && std::mem::take(&mut member.behaved) {
                    member.times -= 1;
                }
            }
        }
        let strikes = self.members.values().any(|it| it.times > 0);
        let next = now + INTERVAL;
        self.sweep = strikes.then(|| self.sweep.map_or(next, |due| due.min(next)));
        let (of, out) = self.rotation();
        let excess = out.saturating_sub(self.settings.most(of));
        let ends = |member: &Member| match member.phase {
            Phase::Ejected(until) => until,
            _ => 0,
        };
        let counted = self.members.iter().filter(|(_, it)| it.counts() && it.is_out());
        let mut soonest: Vec<_> = counted.map(|(&number, it)| (ends(it), number)).collect();
        soonest.sort_unstable();
        for (_, number) in soonest.into_iter().take(excess) {
            self.members.get_mut(&number).unwrap().enter(Phase::Warming(now));
        }
    }

    /// Whether a request that may go nowhere else goes to `number`.
    fn takes(&self, number: usize) -> bool {
        let member = self.members.get(&number);
        member.is_some_and(|it| it.counts() && !matches!(it.phase, Phase::Ejected(_)))
    }

    fn answer(&mut self, number: usize, answer: Answer) {
        let (now, settings, room) = (self.now, self.settings, self.has_room());
        let member = self.members.get_mut(&number).unwrap();
        match (member.phase, answer) {
            (_, Answer::Ignore) | (Phase::Available | Phase::Warming(_), Answer::Overloaded) => {}
            (Phase::Probing(good), Answer::Good) if good + 1 >= settings.owed => {
                member.enter(Phase::Warming(now));
            }
            (Phase::Probing(good), Answer::Good) => member.phase = Phase::Probing(good + 1),
            (Phase::Probing(_), Answer::Bad | Answer::Overloaded) => member.eject(now),
            (_, Answer::Good) => (member.row, member.behaved) = (0, true),
            (_, Answer::Bad | Answer::Overloaded) => {
                member.row += 1;
                if member.row == ROW {
                    member.row = 0;
                    if room && !settings.dry {
                        member.eject(now);
                    }
                }
            }
        }
    }

    fn replace(&mut self, numbers: &[usize]) {
        let now = self.now;
        self.removed.retain(|_, (until, _)| now < *until);
        let left: Vec<_> =
            self.members.keys().copied().filter(|it| !numbers.contains(it)).collect();
        let mut returned = Vec::new();
        for &number in numbers {
            if !self.members.contains_key(&number) {
                let known = self.removed.remove(&number).map_or(Member::NEW, |(_, it)| it);
                returned.push((number, Member { weight: 1, ..known }));
            }
        }
        for number in left {
            let member = self.members.remove(&number).unwrap();
            let kept = Member { drained: None, disabled: false, ..member };
            self.removed.insert(number, (now + REMEMBERED, kept));
        }
        self.members.extend(returned);
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Good,
    Bad,
    Overloaded,
    Ignore,
}

#[derive(Clone, Debug)]
enum Step {
    Answer(usize, Answer),
    GoAway(usize),
    Wait(u64),
    Eject(usize, u64),
    Drain(usize, Option<u64>),
    Disable(usize),
    Enable(usize),
    Weigh(usize, u32),
    Replace(Vec<usize>),
    Insert(usize),
    Apply(Settings),
}

fn step(rng: &mut Rng, n: usize, settings: Settings) -> Step {
    let mut below = |bound: u64| rng.below(bound);
    let number = below(n as u64) as usize;
    match below(100) {
        0..=29 => Step::Answer(number, Answer::Bad),
        30..=41 => Step::Answer(number, Answer::Good),
        42..=45 => Step::Answer(number, Answer::Overloaded),
        46..=47 => Step::Answer(number, Answer::Ignore),
        48..=49 => Step::GoAway(number),
        50..=69 => Step::Wait([1, 3, 10, 20, 30, 31, 60][below(7) as usize]),
        70..=75 => Step::Eject(number, 1 + below(60)),
        76..=77 => Step::Drain(number, None),
        78..=80 => Step::Drain(number, Some(1 + below(40))),
        81..=82 => Step::Disable(number),
        83..=86 => Step::Enable(number),
        87..=89 => Step::Weigh(number, below(2) as u32),
        90..=93 => Step::Replace((0..n).filter(|_| below(4) > 0).collect()),
        94..=96 => Step::Insert(number),
        _ => Step::Apply(Settings {
            percent: if below(2) == 0 { settings.percent } else { below(101) },
            least: below(3) as usize,
            owed: 1 + below(2) as u32,
            dry: below(4) == 0,
        }),
    }
}

/// A request that only `number` may have.
fn only(balancer: &Numbered, number: usize, n: usize) -> Option<Lease<usize>> {
    let others = (0..n).filter(|&other| other != number);
    let key = others.fold(Key::none(), |key, other| key.excluding(&id(other)));
    any(balancer, &key)
}

/// A pick looks at four of those who are to be probed, the next at the four after them.
fn any(balancer: &Numbered, key: &Key) -> Option<Lease<usize>> {
    (0..4).find_map(|_| balancer.pick(key).ok())
}

/// Does a step to both; says where they differ.
async fn act(balancer: &Numbered, model: &mut Model, step: &Step, n: usize) -> Result<(), String> {
    let differ = |what: &str| Err(what.to_owned());
    match *step {
        Step::Wait(seconds) => {
            advance(Duration::from_secs(seconds)).await;
            model.now += seconds;
            // A request that may go nowhere settles, and nothing else.
            drop(only(balancer, n, n));
        }
        Step::Answer(number, answer) => {
            let lease = only(balancer, number, n);
            if lease.is_some() != model.takes(number) {
                return differ("who may be picked");
            }
            if let Some(lease) = lease {
                lease.finish(match answer {
                    Answer::Good => Outcome::Success,
                    Answer::Bad => Outcome::failure(),
                    Answer::Overloaded => Outcome::overloaded(None),
                    Answer::Ignore => Outcome::Ignore,
                });
                model.answer(number, answer);
            }
        }
        Step::GoAway(number) => drop(only(balancer, number, n)),
        Step::Eject(number, seconds) => {
            let told = balancer.eject(&id(number), Duration::from_secs(seconds));
            let room = model.has_room();
            let until = model.now + seconds;
            match (model.members.get_mut(&number), told) {
                (None, Err(UpdateError::Unknown { .. })) => {}
                (Some(it), Err(UpdateError::Protected { .. })) if !it.is_out() && !room => {
                    if !it.counts() {
                        return differ("who is protected");
                    }
                }
                (Some(it), Ok(_)) if it.is_out() || !it.counts() || room => {
                    it.enter(Phase::Ejected(until));
                }
                (_, told) => return Err(format!("ejecting: {told:?}")),
            }
        }
        Step::Drain(number, seconds) => {
            let span = seconds.map(Duration::from_secs);
            let told = match span {
                Some(span) => balancer.drain_for(&id(number), span),
                None => balancer.drain(&id(number)),
            };
            if let Ok(drain) = told {
                drop(drain);
                let until = seconds.map_or(u64::MAX, |seconds| model.now + seconds);
                model.members.get_mut(&number).unwrap().drained = Some(until);
            }
        }
        Step::Disable(number) => {
            if balancer.disable(&id(number)).is_ok() {
                model.members.get_mut(&number).unwrap().disabled = true;
            }
        }
        Step::Enable(number) => {
            if balancer.enable(&id(number)).is_ok() {
                let it = model.members.get_mut(&number).unwrap();
                it.enter(Phase::Available);
                (it.times, it.weight, it.drained, it.disabled) = (0, 1, None, false);
            }
        }
        Step::Weigh(number, weight) => {
            if balancer.set_weight(&id(number), weight).is_ok() {
                model.members.get_mut(&number).unwrap().weight = weight;
            }
        }
        Step::Replace(ref numbers) => {
            let set = numbers.iter().map(|&number| endpoint(number));
            balancer.replace_unchecked(set).map_err(|error| error.to_string())?;
            model.replace(numbers);
        }
        Step::Insert(number) => {
            balancer.insert(endpoint(number)).map_err(|error| error.to_string())?;
            let mut numbers: Vec<_> = model.members.keys().copied().collect();
            if !numbers.contains(&number) {
                numbers.push(number);
            }
            model.replace(&numbers);
        }
        Step::Apply(settings) => {
            balancer.apply(config(&settings.toml())).map_err(|error| error.to_string())?;
            model.settings = settings;
        }
    }
    model.settle();
    compare(&balancer.status(), model)?;
    bounds(&balancer.status(), model.settings)?;
    requests(balancer, model)
}

fn compare(status: &Status, model: &Model) -> Result<(), String> {
    let found = status.endpoints.iter().map(|it| {
        let admitted = it.effective_weight > 0.0;
        let left = it.ejected_for.map(|left| left.as_millis() as u64);
        (it.id.clone(), it.state, it.ejections, admitted, left)
    });
    let wanted = model.members.iter().map(|(&number, it)| {
        let left = match it.phase {
            Phase::Ejected(until) => Some(1_000 * (until - model.now)),
            _ => None,
        };
        (id(number), it.state(), it.times, it.counts() && !it.is_out(), left)
    });
    let (found, wanted): (Vec<_>, Vec<_>) = (found.collect(), wanted.collect());
    if found == wanted { Ok(()) } else { Err(format!("{found:?}\nshould be\n{wanted:?}")) }
}

/// The cap's invariant, of what everybody may see.
fn bounds(status: &Status, settings: Settings) -> Result<(), String> {
    use Availability::{Disabled, Draining, Ejected, Probing};
    let enabled = |state| !matches!(state, Disabled | Draining);
    let of = status.endpoints.iter().filter(|it| it.weight > 0 && enabled(it.state));
    let out = of.clone().filter(|it| matches!(it.state, Ejected | Probing)).count();
    let of = of.count();
    let few = 100 * out <= of * settings.percent as usize;
    let enough = out == 0 || of - out >= settings.least;
    if few && enough { Ok(()) } else { Err(format!("{out} of {of} are out, {settings:?}")) }
}

/// Requests go to those who are admitted, and one at a time to those who are probed.
fn requests(balancer: &Numbered, model: &Model) -> Result<(), String> {
    let leases: Vec<_> = (0..6).map_while(|_| any(balancer, &Key::none())).collect();
    let mut probes = Vec::new();
    for number in leases.iter().map(|lease| *lease.target()) {
        let member = model.members[&number];
        let probed = matches!(member.phase, Phase::Probing(_));
        let first = probed && !probes.contains(&number);
        if !member.counts() || (member.is_out() && !first) {
            return Err(format!("a request to {number}"));
        }
        probes.extend(probed.then_some(number));
    }
    let admitted = model.members.values().any(|it| it.counts() && !it.is_out());
    let probed = model.members.values().filter(|it| it.counts() && it.is_out());
    let probed = probed.filter(|it| matches!(it.phase, Phase::Probing(_))).count();
    if probes.len() < probed.min(4) {
        return Err(format!("{} probes of {probed}", probes.len()));
    }
    let served = leases.len();
    let right = if admitted { served == 6 } else { served == probed.min(6) };
    if right { Ok(()) } else { Err(format!("{served} requests served")) }
}

/// What happened in all, so that it is seen that something did.
#[derive(Debug, Default)]
struct Seen {
    out: usize,
    full: usize,
    again: usize,
}

async fn sequence(seed: u64, n: usize, percent: u64, steps: usize, seen: &mut Seen) {
    let mut rng = Rng::seeded(seed);
    let settings = Settings {
        percent,
        least: rng.below(3) as usize,
        owed: 1 + rng.below(2) as u32,
        dry: false,
    };
    let balancer = balancer(&settings.toml(), n, seed);
    let members = (0..n).map(|number| (number, Member::NEW)).collect();
    let removed = BTreeMap::new();
    let mut model = Model { now: 0, settings, members, removed, sweep: None };
    let mut done = Vec::new();
    for _ in 0..steps {
        let step = step(&mut rng, n, model.settings);
        done.push(step.clone());
        if let Err(difference) = act(&balancer, &mut model, &step, n).await {
            panic!(
                "seed {seed}, {n} endpoints, {percent} %, after {} steps:\n{difference}\n\
                 the last steps: {:#?}\n{model:#?}",
                done.len(),
                &done[done.len().saturating_sub(12)..]
            );
        }
        let (of, out) = model.rotation();
        seen.out += usize::from(out > 0);
        seen.full += usize::from(out > 0 && out == model.settings.most(of));
        seen.again += model.members.values().filter(|it| it.times > 1).count();
    }
    assert!(balancer.status().endpoints.iter().all(|it| it.in_flight == 0), "seed {seed}");
}

#[tokio::test(start_paused = true)]
async fn any_order_of_anything_is_what_the_model_says() {
    let steps = if cfg!(debug_assertions) { 20 } else { 120 };
    let mut seen = Seen::default();
    for percent in 0..=100 {
        for n in 1..=12 {
            sequence(1_000 * percent + n as u64, n, percent, steps, &mut seen).await;
        }
    }
    let met = |seen: usize, of_a_step: usize| seen > of_a_step * steps;
    assert!(met(seen.out, 150) && met(seen.full, 70) && met(seen.again, 15), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_long_life() {
    let mut seen = Seen::default();
    for seed in 0..6 {
        let n = 2 + 2 * seed as usize;
        sequence(seed, n, 50 + 10 * (seed % 5), 2_000, &mut seen).await;
    }
    assert!(seen.out > 1_000 && seen.full > 500 && seen.again > 100, "{seen:?}");
}
