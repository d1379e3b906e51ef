//! Control operations, requests and time in any order, on a balancer and on a model of it.
//!
//! The order comes out of bytes: from a seed in the tests, from the fuzzer in `fuzz/`. After each
//! step everything that can be seen of the balancer is compared with the model.

#![allow(dead_code, reason = "the tests and the fuzzer each use their own part of it")]

mod even;
mod model;
mod ops;
mod settings;
mod state;
mod target;
mod words;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use evenkeel::{
    ApplyError, Availability, Balancer, Config, Drain, Endpoint, Event, Events, Key, Lease,
    Outcome, Preview, Severity,
};
use parking_lot::Mutex;
use tokio::task::unconstrained;
use tokio_test::task::{Spawn, spawn};

use self::even::Even;
use self::model::Model;
use self::ops::{Beginning, End, MOST_HELD, NUMBERS, Op};
use self::settings::{Settings, Spec, id};
use self::state::{Answer, Offer, Refusal, Tally, What};
use self::target::{Registry, Target};
use self::words::{nobody_of, pair, same, told};

/// Does what `bytes` say, and panics once something is not as it must be.
pub(crate) fn run(bytes: &[u8]) {
    let Ok((beginning, ops)) = ops::read(bytes) else { return };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build();
    runtime.expect("a runtime of one thread can be built").block_on(async {
        let mut run = Run::new(&beginning);
        run.check();
        for op in ops {
            run.step(op).await;
            run.check();
        }
        run.end(beginning.seed % 2 == 0);
    });
}

/// What `bytes` say, in words.
pub(crate) fn steps(bytes: &[u8]) -> String {
    match ops::read(bytes) {
        Ok((beginning, ops)) => format!("{beginning:#?}\n{ops:#?}"),
        Err(_) => "too few bytes to begin".to_owned(),
    }
}

/// A request in flight.
struct Held {
    lease: Lease<Target>,
    tally: usize,
}

/// What a preview promised.
type Promise = Option<Preview>;

struct Run {
    balancer: Balancer<Target>,
    model: Model,
    registry: Arc<Mutex<Registry>>,
    held: Vec<Held>,
    drains: Vec<(Spawn<Drain>, usize)>,
    events: Events,
    /// Alarms that are raised, as far as was told.
    alarms: BTreeSet<&'static str>,
    versions: Vec<evenkeel::Version>,
    /// Settings, as they were read.
    configs: Vec<(Settings, Config)>,
}

impl Run {
    fn new(Beginning { settings, set, seed }: &Beginning) -> Self {
        let registry = Arc::default();
        let set: Vec<_> = set.iter().map(|spec| (spec.number, spec.weight)).collect();
        let (offers, endpoints) = offers(&set, &registry);
        let factory = Arc::clone(&registry);
        let balancer = Balancer::builder()
            .config(settings.config())
            .endpoints(endpoints)
            .strategy("even", Even)
            .make(move |spec| Target::make(&factory, spec).ok_or_else(|| "no way there".into()))
            .seed((*seed).into())
            .build()
            .expect("the description is valid");
        let (events, versions) = (balancer.subscribe(), vec![balancer.version()]);
        let (held, drains) = (Vec::new(), Vec::new());
        let (configs, alarms) = (Vec::new(), BTreeSet::new());
        let model = Model::new(settings.clone(), &offers);
        Self { balancer, model, registry, held, drains, events, alarms, versions, configs }
    }

    async fn step(&mut self, op: Op) {
        self.registry.lock().made.clear();
        let registry = Arc::clone(&self.registry);
        let made = move |number: usize, address: usize| {
            registry.lock().made.get(&format!("{number}/{address}")).copied()
        };
        match op {
            Op::Pick(excluded) => self.pick(excluded),
            Op::End(which, end) => self.finish(which, end),
            Op::Replace { set, checked } => {
                let (offers, endpoints) = offers(&set, &self.registry);
                let answer = if checked {
                    self.balancer.replace(endpoints)
                } else {
                    self.balancer.replace_unchecked(endpoints)
                };
                same(answer, self.model.replace(&offers, checked, &made));
            }
            Op::Describe(specs) => {
                let words = || specs.iter().map(Spec::words);
                let promise = self.untouched(|it| it.preview_specs(words())).ok();
                let offers: Vec<_> = specs.iter().map(Offer::from).collect();
                let answer = self.balancer.replace_specs(words());
                let expected = self.model.replace(&offers, true, &made);
                same(answer, expected);
                self.kept(promise, expected);
            }
            Op::Insert(number, weight) => {
                let (offers, mut endpoints) = offers(&[(number, weight)], &self.registry);
                let answer = endpoints.pop().map(|it| self.balancer.insert(it));
                same(answer.expect("one was offered"), self.model.insert(&offers[0], &made));
            }
            Op::InsertSpec(spec) => {
                let answer = self.balancer.insert_spec(spec.words());
                same(answer, self.model.insert(&Offer::from(&spec), &made));
            }
            Op::Remove(number) => {
                same(self.balancer.remove(&id(number)), self.model.remove(number));
            }
            Op::SetWeight(number, weight) => {
                let promise = self.untouched(|it| it.preview_weight(&id(number), weight)).ok();
                let answer = self.balancer.set_weight(&id(number), weight);
                let expected = self.model.set_weight(number, weight);
                same(answer, expected);
                self.kept(promise, expected);
            }
            Op::Drain(number, seconds) => {
                let answer = match seconds {
                    Some(seconds) => {
                        self.balancer.drain_for(&id(number), Duration::from_secs(seconds))
                    }
                    None => self.balancer.drain(&id(number)),
                };
                let version = self.balancer.version();
                let expected = self.model.drain(number, seconds);
                same(answer.map(|drain| self.watch(number, drain)).map(|()| version), expected);
            }
            Op::Disable(number) => {
                same(self.balancer.disable(&id(number)), self.model.disable(number));
            }
            Op::Enable(number) => {
                same(self.balancer.enable(&id(number)), self.model.enable(number));
            }
            Op::Apply(settings) => {
                let config = config(&mut self.configs, &settings).clone();
                let promise = self.untouched(|it| it.preview(&config)).ok();
                let answer = self.balancer.apply(config);
                let expected = self.model.apply(&settings, None, &made);
                same(answer.map_err(ApplyError::Refused), expected);
                self.kept(promise, expected);
            }
            Op::ApplyIf(settings, ago) => {
                let at = self.versions.len().saturating_sub(1 + ago);
                let seen = self.versions[at];
                let config = config(&mut self.configs, &settings).clone();
                let answer = self.balancer.apply_if(seen, config);
                let seen = Some((seen.config, seen.set));
                same(answer, self.model.apply(&settings, seen, &made));
            }
            Op::Rollback => same(self.balancer.rollback(), self.model.rollback(&made)),
            Op::History => {
                self.model.settle();
                let revisions = self.balancer.history();
                assert_eq!(revisions.len(), self.model.revisions.len(), "revisions");
                for (revision, expected) in revisions.iter().zip(&self.model.revisions) {
                    assert_eq!(pair(revision.version), expected.version, "a revision");
                    assert_eq!(revision.restores.map(pair), expected.restores, "what it restores");
                    let settings = config(&mut self.configs, &expected.settings);
                    assert_eq!(*revision.config, *settings, "its settings");
                }
            }
            Op::Wait(seconds) => {
                tokio::time::advance(Duration::from_secs(seconds)).await;
                self.model.now += seconds;
            }
        }
        self.versions.push(self.balancer.version());
    }

    fn pick(&mut self, excluded: usize) {
        if self.held.len() == MOST_HELD {
            return;
        }
        let excluded: Vec<_> = (0..NUMBERS).filter(|it| excluded >> it & 1 == 1).collect();
        let key = excluded.iter().fold(Key::none(), |key, &number| key.excluding(&id(number)));
        match (self.balancer.pick(&key), self.model.candidates(&excluded)) {
            (Ok(lease), Ok(candidates)) => {
                let chosen = candidates.into_iter().find(|&it| id(it) == *lease.endpoint());
                let chosen = chosen.expect("one was chosen that may not be");
                let member = &self.model.members[&chosen];
                assert_eq!(lease.target().number, member.target, "the target of {chosen}");
                let tally = member.tally;
                self.model.tallies[tally].picks += 1;
                self.model.tallies[tally].in_flight += 1;
                self.held.push(Held { lease, tally });
            }
            (Err(error), Err(nobody)) => assert_eq!(nobody_of(&error), nobody, "{error}"),
            (picked, expected) => unreachable!("picked {picked:?} and not of {expected:?}"),
        }
    }

    fn finish(&mut self, which: usize, end: End) {
        if self.held.is_empty() {
            return;
        }
        let Held { lease, tally } = self.held.swap_remove(which % self.held.len());
        let tally = &mut self.model.tallies[tally];
        tally.in_flight -= 1;
        match end {
            End::Success => {
                tally.successes += 1;
                lease.finish(Outcome::Success);
            }
            End::Failure => {
                tally.failures += 1;
                lease.finish(Outcome::failure());
            }
            End::Overloaded => {
                tally.overloaded += 1;
                lease.finish(Outcome::overloaded(Some(Duration::from_secs(1))));
            }
            End::Ignore => lease.finish(Outcome::Ignore),
            End::Drop => drop(lease),
        }
    }

    /// Keeps a drain in sight until it is over.
    fn watch(&mut self, number: usize, drain: Drain) {
        let (mut drain, tally) = (spawn(drain), self.model.members[&number].tally);
        assert_eq!(*drain.endpoint(), id(number));
        let over = self.model.tallies[tally].in_flight == 0;
        assert_eq!(drain.poll().is_ready(), over, "the drain of {number}");
        if !over {
            self.drains.push((drain, tally));
        }
    }

    /// What a preview says, and that it changed nothing.
    fn untouched<R>(&mut self, preview: impl FnOnce(&Balancer<Target>) -> R) -> R {
        let seen = |it: &Self| (it.balancer.version(), format!("{:?}", it.balancer.status()));
        let before = seen(self);
        let previewed = preview(&self.balancer);
        assert_eq!(seen(self), before, "a preview changed something");
        assert!(received(&mut self.events).is_empty(), "a preview was told");
        previewed
    }

    /// What was promised is what came of it.
    fn kept(&self, promise: Promise, answer: Answer) {
        let Some(Preview { shares, warnings, .. }) = promise else {
            assert!(answer.is_err(), "a preview refused what was then taken");
            return;
        };
        let refusal = warnings.iter().find(|it| it.severity == Severity::Error);
        // A set that keeps coming is believed in the end, and is previewed as if it were new.
        let refused = refusal.filter(|it| !it.message.contains("update.confirm_after"));
        match answer {
            Ok(_) => {
                assert_eq!(refused, None, "a preview promised a refusal");
                let status = self.balancer.status();
                for share in &shares {
                    let came = status.endpoint(&share.id).map_or(0.0, |it| it.expected_share);
                    let (after, id) = (share.after, &share.id);
                    assert!((came - after).abs() < 1e-9, "{id} was promised {after}, got {came}");
                }
                let all = status.endpoints.iter().all(|it| shares.iter().any(|s| s.id == it.id));
                assert!(all, "a preview forgot somebody");
            }
            Err(Refusal::Share | Refusal::Empty | Refusal::AllWeightsZero | Refusal::Shrinks) => {
                assert!(refusal.is_some(), "a preview did not promise the refusal");
            }
            Err(_) => {}
        }
    }

    // --- What must hold after each step ----------------------------------------------------------

    fn check(&mut self) {
        let (balancer, model) = (&self.balancer, &mut self.model);
        assert_eq!(pair(balancer.version()), model.version, "the version");
        assert_eq!(*balancer.config(), *config(&mut self.configs, &model.settings), "the settings");
        let mut events = received(&mut self.events);
        events.retain(|event| {
            // No model of these, but they take turns.
            let Event::Alarm(alarm) = event else { return true };
            let name = alarm.kind.name();
            let turned =
                if alarm.raised { self.alarms.insert(name) } else { self.alarms.remove(name) };
            assert!(turned, "told twice: {alarm}");
            false
        });
        let told: Vec<_> = events.iter().map(told).collect();
        assert_eq!(told, std::mem::take(&mut model.told), "the events");
        self.check_status();
        self.check_targets();
        self.check_drains();
    }

    fn check_status(&self) {
        let (status, model) = (self.balancer.status(), &self.model);
        assert_eq!(pair(status.version), model.version, "the version of the status");
        assert_eq!(status.endpoints.len(), model.members.len(), "the size of the set");
        let shares = model.shares();
        for (endpoint, (number, member)) in status.endpoints.iter().zip(&model.members) {
            assert_eq!(endpoint.id, id(*number));
            let said = member.said.at(model.now);
            let state = match said {
                _ if said.disabled => Availability::Disabled,
                _ if said.drained_until.is_some() => Availability::Draining,
                _ => Availability::Available,
            };
            assert_eq!(endpoint.state, state, "the state of {number}");
            assert_eq!(endpoint.weight, member.weight(), "the weight of {number}");
            let effective = f64::from(member.effective(model.now));
            assert_eq!(endpoint.effective_weight, effective, "the weight {number} is chosen by");
            let (share, expected) = (endpoint.expected_share, shares[number]);
            assert!((share - expected).abs() < 1e-9, "{number}: {share} and not {expected}");
            let counted = Tally {
                picks: endpoint.picks,
                in_flight: endpoint.in_flight,
                successes: endpoint.successes,
                failures: endpoint.failures,
                overloaded: endpoint.overloaded,
            };
            assert_eq!(counted, model.tallies[member.tally], "what was counted of {number}");
        }
    }

    /// A target lives while its endpoint is in the set, and while a request has it.
    fn check_targets(&self) {
        let held = self.held.iter().map(|held| held.lease.target().number);
        let set = self.model.members.values().map(|member| member.target);
        let expected: BTreeSet<_> = held.chain(set).collect();
        assert_eq!(self.registry.lock().live, expected, "the targets");
    }

    /// A drain is over, and its waiter woken, exactly when nothing is in flight.
    fn check_drains(&mut self) {
        let tallies = &self.model.tallies;
        self.drains.retain_mut(|(drain, tally)| {
            let in_flight = tallies[*tally].in_flight;
            assert_eq!(drain.in_flight(), in_flight, "what a drain waits for");
            assert_eq!(drain.is_woken(), in_flight == 0, "who waits for a drain");
            assert_eq!(drain.poll().is_ready(), in_flight == 0, "the end of a drain");
            in_flight > 0
        });
    }

    /// Ends all requests, before the balancer goes or after it.
    fn end(mut self, balancer_first: bool) {
        if !balancer_first {
            while !self.held.is_empty() {
                self.finish(0, End::Drop);
                self.check();
            }
            let status = self.balancer.status();
            assert!(status.endpoints.iter().all(|it| it.in_flight == 0));
        }
        let Self { balancer, mut held, mut drains, registry, .. } = self;
        drop(balancer);
        for held in held.drain(..) {
            assert!(registry.lock().live.contains(&held.lease.target().number));
            held.lease.finish(Outcome::Success);
        }
        assert!(drains.iter_mut().all(|(drain, _)| drain.poll().is_ready()), "drains at the end");
        assert_eq!(registry.lock().live, BTreeSet::new(), "targets outlived everything");
    }
}

/// Settings, read when they are first asked for.
fn config<'a>(known: &'a mut Vec<(Settings, Config)>, settings: &Settings) -> &'a Config {
    let at = known.iter().position(|it| it.0 == *settings).unwrap_or_else(|| {
        known.push((settings.clone(), settings.config()));
        known.len() - 1
    });
    &known[at].1
}

/// Endpoints with new targets, and what they are to the model.
fn offers(
    set: &[(usize, u32)],
    registry: &Arc<Mutex<Registry>>,
) -> (Vec<Offer>, Vec<Endpoint<Target>>) {
    let offer = |&(number, weight): &(usize, u32)| {
        let target = Target::new(registry);
        let what = What::Target(target.number);
        (Offer { number, weight, what }, Endpoint::new(id(number), target).weight(weight))
    };
    set.iter().map(offer).unzip()
}

/// Events that were sent and not yet received.
fn received(events: &mut Events) -> Vec<Event> {
    // Outside tokio's budget, which would make one who polls too often look like silence.
    let next = || match spawn(unconstrained(events.recv())).poll() {
        Poll::Ready(event) => event,
        Poll::Pending => None,
    };
    std::iter::from_fn(next).collect()
}
