//! Stories of a clock that goes back, which tokio's cannot: a thread that read the time before
//! others did, or a platform whose clock is not as steady as it says.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use crate::balancer::{Balancer, EndpointStatus, Events, Lease, held};
use crate::classify::Outcome;
use crate::config::Config;
use crate::endpoint::{Availability, Endpoint};
use crate::event::{Decision, Event, Recovery};
use crate::rng::Rng;
use crate::units::{EndpointId, Key};

const SECOND: Duration = Duration::from_secs(1);

/// Without jitter, so that a story can say when things happen.
const EXACT: &str = "[strategy]\nkind = 'round_robin'\n[outlier]\nejection_jitter_percent = 0\n";

/// A balancer and a clock that is set as the story wants it.
struct Scene {
    balancer: Balancer<usize>,
    events: Events,
    /// An hour after the balancer was built.
    began: Instant,
    now: Instant,
}

impl Scene {
    fn new(more: &str, n: usize, seed: u64) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the story's own clock starts here")]
        let built = Instant::now();
        held::set(Some(built));
        let config = Config::from_toml(&format!("{EXACT}{more}")).expect("the settings are valid");
        let endpoints = (0..n).map(|number| Endpoint::new(id(number), number));
        let balancer = Balancer::builder().config(config).endpoints(endpoints).seed(seed).build();
        let balancer = balancer.expect("the description is valid");
        let events = balancer.subscribe();
        let began = built + 3_600 * SECOND;
        let mut scene = Self { balancer, events, began, now: built };
        scene.set(0.0);
        scene
    }

    /// Sets the clock to so many seconds after the beginning, which may lie before it.
    fn set(&mut self, seconds: f64) {
        let span = Duration::from_secs_f64(seconds.abs());
        self.now = if seconds < 0.0 { self.began - span } else { self.began + span };
        held::set(Some(self.now));
    }

    /// A request that only `number` may have, if it may.
    fn only(&self, number: usize) -> Option<Lease<usize>> {
        let others = self.balancer.status().endpoints.into_iter().map(|it| it.id);
        let others = others.filter(|other| *other != id(number));
        self.balancer.pick(&others.fold(Key::none(), |key, other| key.excluding(&other))).ok()
    }

    fn end(&self, number: usize, n: usize, outcome: Outcome) {
        (0..n).for_each(|_| self.only(number).expect("it is served").finish(outcome));
    }

    /// How many of the next `n` requests `number` gets; they judge nothing.
    fn got(&self, number: usize, n: usize) -> usize {
        let to =
            |_: &usize| self.balancer.pick(&Key::none()).is_ok_and(|it| *it.target() == number);
        (0..n).filter(to).count()
    }

    fn status(&self, number: usize) -> EndpointStatus {
        self.balancer.status().endpoint(&id(number)).expect("it is in the set").clone()
    }

    fn state(&self, number: usize) -> Availability {
        self.status(number).state
    }

    fn told(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.events.recv().now_or_never().flatten()).collect()
    }

    fn words(&mut self) -> Vec<String> {
        self.told().iter().map(Event::to_string).collect()
    }

    fn out(&self) -> usize {
        let out = [Availability::Ejected, Availability::Probing];
        self.balancer.status().endpoints.iter().filter(|it| out.contains(&it.state)).count()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        held::set(None);
    }
}

fn id(number: usize) -> EndpointId {
    EndpointId::from(format!("e{number}"))
}

#[test]
fn while_an_endpoint_is_ejected() {
    let mut scene = Scene::new("", 4, 7);
    scene.end(1, 5, Outcome::failure());
    scene.set(-20.0);
    assert_eq!(scene.state(1), Availability::Ejected);
    assert_eq!(scene.status(1).ejected_for, Some(50 * SECOND), "until when, it was said");
    assert_eq!(scene.got(1, 40), 0);
    scene.set(29.0);
    assert_eq!(scene.got(1, 40), 0);
    scene.set(30.0);
    assert_eq!(scene.got(1, 1), 1, "it is probed");
    // What was decided is not undone, and the snapshot of later serves on.
    scene.set(10.0);
    assert_eq!(scene.state(1), Availability::Probing);
    scene.end(1, 1, Outcome::Success);
    assert_eq!(scene.state(1), Availability::Warming);
    assert_eq!(
        scene.words(),
        [
            "`e1` ejected: 5 failures in a row",
            "`e1` is probed",
            "`e1` has proved itself and takes a growing share",
        ]
    );
}

#[test]
fn while_an_endpoint_is_probed() {
    let mut scene = Scene::new("", 4, 7);
    scene.end(1, 5, Outcome::failure());
    scene.set(30.0);
    let probe = scene.only(1).expect("it is probed");
    scene.set(5.0);
    assert_eq!(scene.got(1, 40), 0, "one at a time");
    // A probe that ends before it began is one that took no time.
    probe.finish(Outcome::failure());
    let status = scene.status(1);
    assert_eq!((status.state, status.ejections), (Availability::Ejected, 2));
    assert_eq!(status.ejected_for, Some(60 * SECOND));
    scene.set(65.0);
    // Nobody had the patience, for a time that reads as none: there is no rest.
    let probe = scene.only(1).expect("it is probed again");
    scene.set(60.0);
    drop(probe);
    assert_eq!(scene.got(1, 1), 1);
    // One that never ends is waited for from when it began, and no longer than for that much more.
    let stuck = scene.only(1).expect("it is free");
    for seconds in [40.0, 0.0, -3_600.0] {
        scene.set(seconds);
        assert!(scene.only(1).is_none(), "{seconds}");
    }
    scene.set(91.0);
    assert!(scene.only(1).is_some());
    drop(stuck);
}

#[test]
fn while_an_endpoint_warms_up() {
    let mut scene = Scene::new("", 4, 7);
    scene.end(1, 5, Outcome::failure());
    scene.set(30.0);
    scene.end(1, 1, Outcome::Success);
    scene.set(45.0);
    let fair = 0.25;
    let half = scene.status(1).expected_share;
    for (seconds, weight) in [(31.0, 1), (20.0, 2), (-100.0, 1), (0.0, 2), (44.0, 1)] {
        scene.set(seconds);
        // Not only looked at: published at this time.
        scene.balancer.set_weight(&id(0), weight).expect("it is known");
        let share = scene.status(1).expected_share;
        assert!(share > 0.0 && share <= half + 1e-9, "{seconds}: {share}");
        assert!(scene.got(1, 400) <= 60, "{seconds}");
    }
    scene.set(60.0);
    assert_eq!(scene.got(1, 400), 100);
    assert_eq!((scene.state(1), scene.status(1).expected_share), (Availability::Available, fair));
    // Whole again is whole again.
    scene.set(35.0);
    assert_eq!(scene.got(1, 400), 100);
    let recovered =
        |event: &Event| matches!(event, Event::Recovery { step: Recovery::Recovered, .. });
    assert_eq!(scene.told().iter().filter(|event| recovered(event)).count(), 1);
}

#[test]
fn while_health_is_not_believed() {
    let mut scene = Scene::new("max_ejected_percent = 100\n", 4, 7);
    (0..3).for_each(|number| scene.end(number, 5, Outcome::failure()));
    assert!(scene.balancer.status().panic);
    scene.set(-50.0);
    assert!(scene.balancer.status().panic);
    assert!(scene.got(0, 40) >= 8, "all are served");
    // Half are well again, which is left with patience.
    scene.set(30.0);
    scene.end(0, 1, Outcome::Success);
    assert!(scene.balancer.status().panic);
    scene.set(25.0);
    // Something is published, and the wait begins again.
    scene.balancer.set_weight(&id(3), 1).expect("it is known");
    scene.set(34.0);
    assert!(scene.balancer.status().panic);
    scene.set(36.0);
    assert!(!scene.balancer.status().panic);
    scene.got(3, 1);
    scene.set(31.0);
    scene.balancer.set_weight(&id(3), 2).expect("it is known");
    assert!(!scene.balancer.status().panic, "it is over");
    scene.got(3, 1);
    let told = scene.words();
    let panic: Vec<_> = told.iter().filter(|it| it.starts_with("panic")).collect();
    assert_eq!(
        panic,
        [
            "panic: only 1 of 4 endpoints are well, all are used",
            "panic over: 2 of 4 endpoints are well",
        ]
    );
}

#[test]
fn what_keeps_going_back_and_forth_ends_well() {
    let mut seen = Seen::default();
    let lives = if cfg!(debug_assertions) { 12 } else { 60 };
    for seed in 0..lives {
        let mut life = Life::new(seed);
        (0..1_500).for_each(|_| life.step());
        life.recover();
        seen.ejected += life.seen.ejected;
        seen.proved += life.seen.proved;
        seen.panics += life.seen.panics;
    }
    let met = |seen: usize, of_a_life: f64| seen as f64 > of_a_life * lives as f64;
    assert!(met(seen.ejected, 8.0) && met(seen.proved, 1.6) && met(seen.panics, 0.3), "{seen:?}");
}

/// A random life on a clock that goes forth and back.
struct Life {
    scene: Scene,
    seed: u64,
    rng: Rng,
    leases: Vec<Lease<usize>>,
    at: f64,
    /// The latest it was so far.
    latest: f64,
    /// The last thing told of each endpoint: whether it is out, and is probed.
    known: BTreeMap<EndpointId, Known>,
    panic: bool,
    seen: Seen,
}

/// How much there was to see.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    ejected: usize,
    proved: usize,
    panics: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Well,
    Ejected,
    Probed,
    Warming,
}

impl Life {
    const ENDPOINTS: usize = 6;

    fn new(seed: u64) -> Self {
        let more = if seed.is_multiple_of(2) {
            ""
        } else {
            "max_ejected_percent = 100\nprobe_successes = 2\n[outlier.failure_percentage]\n\
             threshold = 60\nrequest_volume = 5\nminimum_hosts = 1\n"
        };
        let scene = Scene::new(more, Self::ENDPOINTS, seed);
        let (rng, leases) = (Rng::seeded(seed), Vec::new());
        let (known, panic) = (BTreeMap::new(), false);
        let seen = Seen::default();
        Self { scene, seed, rng, leases, at: 0.0, latest: 0.0, known, panic, seen }
    }

    fn step(&mut self) {
        match self.rng.below(20) {
            0..2 => self.at -= self.rng.below(8_000) as f64 / 1_000.0,
            2..5 => self.at += self.rng.below(9_000) as f64 / 1_000.0,
            5..12 => self.leases.extend(self.scene.balancer.pick(&Key::none())),
            _ => self.answer(),
        }
        self.latest = self.latest.max(self.at);
        self.scene.set(self.at);
        self.listen();
        self.check();
    }

    /// The first four fail nearly always, the others seldom.
    fn answer(&mut self) {
        if self.leases.is_empty() {
            return;
        }
        let which = self.rng.below(self.leases.len() as u64) as usize;
        let lease = self.leases.swap_remove(which);
        let sick = *lease.target() < 4;
        match self.rng.below(24) {
            chance if chance < if sick { 20 } else { 2 } => lease.finish(Outcome::failure()),
            23 => drop(lease),
            _ => lease.finish(Outcome::Success),
        }
    }

    /// Events tell a story in which each step follows from the one before.
    fn listen(&mut self) {
        for event in self.scene.told() {
            let (endpoint, next) = match &event {
                Event::Ejection(ejection) => {
                    let Decision::Ejected { until, times } = ejection.decision else { continue };
                    assert!(until > self.scene.now && times > 0, "seed {}: {event}", self.seed);
                    (ejection.endpoint.clone(), Known::Ejected)
                }
                Event::Recovery { endpoint, step } => {
                    let next = match step {
                        Recovery::Probing => Known::Probed,
                        Recovery::Warming | Recovery::MadeRoom => Known::Warming,
                        _ => Known::Well,
                    };
                    (endpoint.clone(), next)
                }
                Event::Panic { on, .. } => {
                    assert_ne!(*on, self.panic, "seed {}: {event}", self.seed);
                    self.panic = *on;
                    self.seen.panics += 1;
                    continue;
                }
                // They turn by rules of their own.
                Event::Alarm(_) => continue,
                other => unreachable!("seed {}: {other}", self.seed),
            };
            self.seen.ejected += usize::from(next == Known::Ejected);
            self.seen.proved += usize::from(next == Known::Warming);
            let before = self.known.insert(endpoint, next).unwrap_or(Known::Well);
            let follows = match next {
                Known::Ejected => before != Known::Ejected,
                Known::Probed => before == Known::Ejected,
                Known::Warming => before == Known::Probed,
                Known::Well => before == Known::Warming,
            };
            assert!(follows, "seed {}: {event} after {before:?}", self.seed);
        }
    }

    fn check(&self) {
        let most = if self.seed.is_multiple_of(2) { 3 } else { Self::ENDPOINTS - 1 };
        let out = self.scene.out();
        assert!(out <= most, "seed {}: {out} are out", self.seed);
        for endpoint in self.scene.balancer.status().endpoints {
            // The longest ejection, and by how far the clock may be behind.
            let longest = Duration::from_secs_f64(300.0 + self.latest - self.at);
            let left = endpoint.ejected_for.unwrap_or_default();
            assert!(left <= longest, "seed {}: {} for {left:?}", self.seed, endpoint.id);
            let share = endpoint.expected_share;
            assert!((0.0..=1.0).contains(&share), "seed {}: {share}", self.seed);
        }
    }

    /// Everybody answers well from now on, and is back within bounds.
    fn recover(&mut self) {
        self.leases.clear();
        let end = self.latest + 300.0 + 120.0;
        while self.at < end {
            self.at += 1.0;
            self.scene.set(self.at);
            for _ in 0..10 {
                self.scene
                    .balancer
                    .pick(&Key::none())
                    .expect("somebody is")
                    .finish(Outcome::Success);
            }
        }
        self.listen();
        let status = self.scene.balancer.status();
        let well = |it: &EndpointStatus| it.state == Availability::Available;
        assert!(status.endpoints.iter().all(well), "seed {}: {:?}", self.seed, status.endpoints);
        assert!(self.known.values().all(|known| *known == Known::Well), "seed {}", self.seed);
        assert!(!self.panic && !status.panic, "seed {}", self.seed);
    }
}
