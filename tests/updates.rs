//! Which changes of the set are believed, what a refusal leaves behind, and how targets are made
//! of descriptions.

#![cfg(feature = "config")]

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak, mpsc};
use std::time::Duration;

use evenkeel::{
    Balancer, Endpoint, EndpointId, EndpointSpec, Event, Key, Outcome, Published, UpdateError,
    Version,
};
use parking_lot::Mutex;
use tokio::time::advance;

use crate::support::{
    Numbered, balancer, config, endpoint, endpoints, id, now, pick, received, sequence, status,
    strategy,
};

const SECOND: Duration = Duration::from_secs(1);
const CONFIRM: Duration = Duration::from_secs(60);

type Answer = Result<Version, UpdateError>;

/// Makes a change that must be refused, and sees that nothing but one event came of it.
fn refused<T: Send + Sync + 'static>(
    balancer: &Balancer<T>,
    change: impl FnOnce(&Balancer<T>) -> Answer,
) -> UpdateError {
    let mut events = balancer.subscribe();
    let before = (balancer.version(), format!("{:?}", balancer.status()));
    let error = change(balancer).expect_err("the change has to be refused");
    assert_eq!((balancer.version(), format!("{:?}", balancer.status())), before, "{error}");
    match received(&mut events).as_slice() {
        [Event::UpdateRefused { version, error: told }] => {
            assert_eq!((*version, told.to_string()), (before.0, error.to_string()));
        }
        other => unreachable!("one refusal, {error}, was told as {other:?}"),
    }
    error
}

/// Makes a change that must be published, and sees that it is one event.
fn published(balancer: &Numbered, change: impl FnOnce(&Numbered) -> Answer) -> Published {
    let mut events = balancer.subscribe();
    let before = balancer.version();
    let version = change(balancer).expect("the change has to be published");
    assert!(version > before && version == balancer.version());
    match received(&mut events).as_slice() {
        [Event::Published { version: told, change }]
        | [Event::Published { version: told, change }, Event::ShareRaised { .. }]
            if *told == version =>
        {
            change.clone()
        }
        other => unreachable!("one change was told as {other:?}"),
    }
}

fn shrinks(error: &UpdateError) -> bool {
    matches!(error, UpdateError::Shrinks { .. })
}

// --- Empty sets ----------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn an_empty_set_is_refused_for_ever() {
    for n in [1, 2, 3, 4, 10] {
        let balancer = balancer("", n, 0);
        for _ in 0..3 {
            let error = refused(&balancer, |it| it.replace([]));
            assert!(matches!(error, UpdateError::Empty { current } if current == n), "{error}");
            advance(CONFIRM).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_endpoint_is_not_removed() {
    let balancer = balancer("", 2, 0);
    balancer.remove(&id(0)).unwrap();
    let error = refused(&balancer, |it| it.remove(&id(1)));
    assert!(matches!(error, UpdateError::Empty { current: 1 }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_empty_set_is_taken_where_that_is_allowed() {
    let settings = "[update]\nallow_empty = true\nmax_shrink_percent = 100";
    for n in [1, 3, 10] {
        published(&balancer(settings, n, 0), |it| it.replace([]));
    }
    published(&balancer(settings, 1, 0), |it| it.remove(&id(0)));
}

#[tokio::test(start_paused = true)]
async fn an_empty_set_may_be_sent_to_an_empty_balancer() {
    let balancer = balancer("", 0, 0);
    let version = balancer.version();
    assert_eq!(balancer.replace([]).unwrap(), version);
    published(&balancer, |it| it.replace(endpoints(0..3)));
}

// --- Smaller sets --------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn at_most_half_of_four_or_more_may_go_at_once() {
    for current in 1..=24 {
        for proposed in 1..current {
            let balancer = balancer("", current, 0);
            let answer = balancer.replace(endpoints(0..proposed));
            let too_much = current >= 4 && 2 * (current - proposed) > current;
            match answer {
                Ok(_) => assert!(!too_much, "{current} to {proposed} was taken"),
                Err(error) => assert!(too_much && shrinks(&error), "{current} to {proposed}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn all_may_be_replaced_by_as_many_or_half_as_many_others() {
    published(&balancer("", 10, 0), |it| it.replace(endpoints(10..20)));
    published(&balancer("", 10, 0), |it| it.replace(endpoints(10..15)));
    assert!(shrinks(&refused(&balancer("", 10, 0), |it| it.replace(endpoints(10..14)))));
}

#[tokio::test(start_paused = true)]
async fn a_smaller_set_that_keeps_coming_is_believed() {
    let balancer = balancer("", 10, 0);
    let believed = now() + CONFIRM;
    for wait in [Duration::ZERO, 30 * SECOND, 30 * SECOND - Duration::from_millis(1)] {
        advance(wait).await;
        match refused(&balancer, |it| it.replace(endpoints(0..3))) {
            UpdateError::Shrinks { current: 10, proposed: 3, believed_at, .. } => {
                assert_eq!(believed_at, believed);
            }
            other => unreachable!("{other}"),
        }
    }
    advance(Duration::from_millis(1)).await;
    published(&balancer, |it| it.replace(endpoints(0..3)));
}

#[tokio::test(start_paused = true)]
async fn a_set_that_is_smaller_still_has_its_own_time() {
    let balancer = balancer("", 10, 0);
    refused(&balancer, |it| it.replace(endpoints(0..4)));
    advance(CONFIRM / 2).await;
    refused(&balancer, |it| it.replace(endpoints(0..3)));
    advance(CONFIRM / 2).await;
    refused(&balancer, |it| it.replace(endpoints(0..3)));
    advance(CONFIRM / 2).await;
    published(&balancer, |it| it.replace(endpoints(0..3)));
}

#[tokio::test(start_paused = true)]
async fn a_set_that_is_less_small_is_part_of_the_same_claim() {
    let balancer = balancer("", 10, 0);
    refused(&balancer, |it| it.replace(endpoints(0..3)));
    advance(CONFIRM).await;
    published(&balancer, |it| it.replace(endpoints(0..4)));
}

#[tokio::test(start_paused = true)]
async fn a_good_set_between_starts_the_time_again() {
    let balancer = balancer("", 10, 0);
    refused(&balancer, |it| it.replace(endpoints(0..3)));
    advance(CONFIRM / 2).await;
    balancer.replace(endpoints(0..10)).unwrap();
    advance(CONFIRM / 2).await;
    refused(&balancer, |it| it.replace(endpoints(0..3)));
    advance(CONFIRM).await;
    published(&balancer, |it| it.replace(endpoints(0..3)));
}

#[tokio::test(start_paused = true)]
async fn the_guard_can_be_set_and_switched_off() {
    let strict = "[update]\nmax_shrink_percent = 10\nmin_endpoints = 2\nconfirm_after = '5s'";
    let strict = balancer(strict, 10, 0);
    published(&strict, |it| it.replace(endpoints(0..9)));
    refused(&strict, |it| it.replace(endpoints(0..7)));
    advance(5 * SECOND).await;
    published(&strict, |it| it.replace(endpoints(0..7)));
    let off = balancer("update = false", 10, 0);
    published(&off, |it| it.replace(endpoints(0..1)));
    published(&off, |it| it.replace([]));
}

#[tokio::test(start_paused = true)]
async fn replace_unchecked_takes_every_size() {
    let balancer = balancer("", 10, 0);
    let change = published(&balancer, |it| it.replace_unchecked(endpoints(0..1)));
    let expected = Published::Replaced { added: 0, removed: 9, changed: 0, unchecked: true };
    assert_eq!(change, expected);
    published(&balancer, |it| it.replace_unchecked([]));
}

// --- What is wrong in itself ---------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn two_endpoints_of_one_id_are_refused_everywhere() {
    let twice = || endpoints(0..10).into_iter().chain([endpoint(4).weight(2)]);
    for settings in ["", "update = false"] {
        let balancer = balancer(settings, 10, 0);
        for error in [
            refused(&balancer, |it| it.replace(twice())),
            refused(&balancer, |it| it.replace_unchecked(twice())),
        ] {
            assert!(matches!(&error, UpdateError::Duplicate { id: twice } if *twice == id(4)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_not_known_is_refused() {
    let balancer = balancer("", 4, 0);
    let unknown: [fn(&Numbered) -> Answer; 6] = [
        |it| it.remove(&id(9)),
        |it| it.set_weight(&id(9), 1),
        |it| it.drain(&id(9)).map(|_| it.version()),
        |it| it.drain_for(&id(9), SECOND).map(|_| it.version()),
        |it| it.disable(&id(9)),
        |it| it.enable(&id(9)),
    ];
    for change in unknown {
        let error = refused(&balancer, change);
        assert!(matches!(&error, UpdateError::Unknown { id: found } if *found == id(9)), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_leave_the_picks_as_they_are() {
    for kind in ["kind = 'round_robin'", "kind = 'random'", "kind = 'least_request'"] {
        for seed in 0..5 {
            let (quiet, refusing) =
                (balancer(&strategy(kind), 10, seed), balancer(&strategy(kind), 10, seed));
            for _ in 0..20 {
                refused(&refusing, |it| it.replace([]));
                refused(&refusing, |it| it.replace(endpoints(0..2)));
                refused(&refusing, |it| it.replace([endpoint(1), endpoint(1)]));
                refused(&refusing, |it| it.replace_specs([EndpointSpec::new("a", "b")]));
                assert_eq!(sequence(&quiet, 7), sequence(&refusing, 7), "{kind}, seed {seed}");
            }
        }
    }
}

// --- What is published ---------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn every_change_is_one_event_and_one_step_of_its_version() {
    let balancer = balancer("", 4, 0);
    let sets: [fn(&Numbered) -> Answer; 6] = [
        |it| it.replace(endpoints(0..6)),
        |it| it.replace(endpoints(0..6).into_iter().map(|it| it.weight(3))),
        |it| it.insert(endpoint(7)),
        |it| it.insert(endpoint(7)),
        |it| it.remove(&id(7)),
        |it| it.replace_unchecked(endpoints(0..4)),
    ];
    for change in sets {
        let before = balancer.version();
        published(&balancer, change);
        let after = balancer.version();
        assert_eq!((after.config, after.set), (before.config, before.set + 1));
    }
    let words: [fn(&Numbered) -> Answer; 6] = [
        |it| it.set_weight(&id(0), 5),
        |it| it.disable(&id(1)),
        |it| it.enable(&id(1)),
        |it| it.drain(&id(2)).map(|_| it.version()),
        |it| it.drain_for(&id(3), SECOND).map(|_| it.version()),
        |it| Ok(it.apply(config("[strategy]\nkind = 'random'")).unwrap()),
    ];
    for change in words {
        let before = balancer.version();
        published(&balancer, change);
        let after = balancer.version();
        assert_eq!((after.config, after.set), (before.config + 1, before.set));
    }
    advance(SECOND).await;
    let change = published(&balancer, |it| {
        drop(pick(it));
        Ok(it.version())
    });
    assert_eq!(change, Published::Expired { endpoint: id(3) });
}

#[tokio::test(start_paused = true)]
async fn saying_the_same_again_is_no_change() {
    let balancer = balancer("", 4, 0);
    balancer.set_weight(&id(0), 5).unwrap();
    balancer.disable(&id(1)).unwrap();
    drop(balancer.drain(&id(2)).unwrap());
    let (version, mut events) = (balancer.version(), balancer.subscribe());
    assert_eq!(balancer.set_weight(&id(0), 5).unwrap(), version);
    assert_eq!(balancer.disable(&id(1)).unwrap(), version);
    drop(balancer.drain(&id(2)).unwrap());
    assert_eq!(balancer.enable(&id(3)).unwrap(), version);
    assert_eq!(balancer.replace(endpoints(0..4)).unwrap(), version);
    assert_eq!(balancer.apply(config("")).unwrap(), version);
    assert_eq!(balancer.version(), version);
    assert!(received(&mut events).is_empty());
}

// --- Targets made of descriptions ----------------------------------------------------------------

/// A target remembers the address it was made of.
type Target = Arc<String>;

/// A factory that notes what it made, and can be told to fail.
#[derive(Clone, Debug, Default)]
struct Workshop {
    made: Arc<Mutex<Vec<Weak<String>>>>,
    closed: Arc<AtomicBool>,
}

impl Workshop {
    fn balancer(&self, specs: impl IntoIterator<Item = EndpointSpec>) -> Balancer<Target> {
        let workshop = self.clone();
        let balancer = Balancer::builder()
            .seed(1)
            .make(move |spec| {
                assert!(!spec.address.contains("panic"), "no such place");
                if spec.address.contains("fail") || workshop.closed.load(Ordering::Relaxed) {
                    return Err("closed".into());
                }
                let target = Arc::new(spec.address.clone());
                workshop.made.lock().push(Arc::downgrade(&target));
                Ok(target)
            })
            .build()
            .expect("the description is valid");
        balancer.replace_specs(specs).expect("the first set is believed");
        balancer
    }

    fn close(&self, closed: bool) {
        self.closed.store(closed, Ordering::Relaxed);
    }

    fn made(&self) -> usize {
        self.made.lock().len()
    }

    /// What it made and is still in use, in the order of making.
    fn alive(&self) -> Vec<String> {
        self.made.lock().iter().filter_map(Weak::upgrade).map(|it| it.to_string()).collect()
    }
}

fn spec(name: &str, address: &str) -> EndpointSpec {
    EndpointSpec::new(name, address)
}

fn target_of(balancer: &Balancer<Target>, name: &str) -> String {
    support::pick_only(balancer, &EndpointId::from(name)).target().to_string()
}

#[tokio::test(start_paused = true)]
async fn a_target_is_made_again_for_another_address_only() {
    let workshop = Workshop::default();
    let balancer = workshop.balancer([spec("a", "1"), spec("b", "2")]);
    balancer.replace_specs([spec("a", "1").weight(5).zone("z"), spec("b", "2")]).unwrap();
    assert_eq!(workshop.made(), 2, "attributes do not concern the target");
    balancer.replace_specs([spec("a", "1"), spec("b", "3")]).unwrap();
    assert_eq!(workshop.alive(), ["1", "3"]);
    assert_eq!(target_of(&balancer, "b"), "3");
    balancer.insert_spec(spec("b", "3")).unwrap();
    assert_eq!((workshop.made(), workshop.alive().len()), (4, 2), "an insert swaps it");
}

#[tokio::test(start_paused = true)]
async fn a_factory_that_fails_or_panics_changes_nothing() {
    for address in ["fail", "panic"] {
        let workshop = Workshop::default();
        let balancer = workshop.balancer([spec("a", "1"), spec("b", "2")]);
        let set = || [spec("a", "4"), spec("b", "2").weight(3), spec("c", address), spec("d", "5")];
        let error = refused(&balancer, |it| it.replace_specs(set()));
        assert!(matches!(&error, UpdateError::Make { id, .. } if id.as_str() == "c"), "{error}");
        let error = refused(&balancer, |it| it.insert_spec(spec("a", address)));
        assert!(matches!(&error, UpdateError::Make { id, .. } if id.as_str() == "a"), "{error}");
        assert_eq!(workshop.alive(), ["1", "2"], "what was made in vain is dropped");
        assert_eq!(target_of(&balancer, "a"), "1");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_factory_descriptions_are_refused() {
    let balancer = balancer("", 4, 0);
    for error in [
        refused(&balancer, |it| it.replace_specs((0..4).map(|n| spec(id(n).as_str(), "1")))),
        refused(&balancer, |it| it.insert_spec(spec("a", "1"))),
    ] {
        assert!(matches!(error, UpdateError::NoFactory), "{error}");
    }
}

/// A set that was sent long enough, and is refused for its targets, was sent long enough.
#[tokio::test(start_paused = true)]
async fn a_factory_that_fails_does_not_start_the_time_of_a_smaller_set_again() {
    let workshop = Workshop::default();
    let ten = (0..10).map(|n| spec(id(n).as_str(), "1"));
    let balancer = workshop.balancer(ten);
    let three = || (0..3).map(|n| spec(id(n).as_str(), "2"));
    assert!(shrinks(&refused(&balancer, |it| it.replace_specs(three()))));
    advance(CONFIRM).await;
    workshop.close(true);
    let error = refused(&balancer, |it| it.replace_specs(three()));
    assert!(matches!(error, UpdateError::Make { .. }), "{error}");
    workshop.close(false);
    balancer.replace_specs(three()).unwrap();
}

// --- Targets that break --------------------------------------------------------------------------

fn break_it<T: Send + Sync + 'static>(balancer: &Balancer<T>) {
    pick(balancer).finish(Outcome::broken());
}

#[tokio::test(start_paused = true)]
async fn a_broken_target_is_made_again_at_once_and_the_old_one_dropped() {
    let workshop = Workshop::default();
    let balancer = workshop.balancer([spec("a", "1")]);
    let (other, mut events) = (pick(&balancer), balancer.subscribe());
    break_it(&balancer);
    assert_eq!((workshop.made(), workshop.alive().len()), (2, 2), "one request still has it");
    drop(other);
    assert_eq!(workshop.alive().len(), 1);
    assert!(workshop.made.lock()[0].upgrade().is_none());
    let rebuilt = Published::Rebuilt { endpoint: EndpointId::from("a") };
    let told = received(&mut events);
    assert!(matches!(&told[..], [Event::Published { change, .. }] if *change == rebuilt));
    assert_eq!(status(&balancer, &EndpointId::from("a")).failures, 1);
}

/// They speak of the target they had, which is gone already.
#[tokio::test(start_paused = true)]
async fn stragglers_on_a_broken_target_do_not_break_the_new_one() {
    let workshop = Workshop::default();
    let balancer = workshop.balancer([spec("a", "1")]);
    let leases: Vec<_> = (0..10).map(|_| pick(&balancer)).collect();
    for lease in leases {
        lease.finish(Outcome::broken());
        advance(SECOND).await;
        drop(pick(&balancer));
    }
    assert_eq!(workshop.made(), 2, "one target broke, and was made again once");
}

/// Each pause is from half to the whole of 100 ms, doubled for each attempt, at most 30 s.
fn assert_grows(pauses: &[Duration]) {
    for (attempt, pause) in pauses.iter().enumerate() {
        let longest = (Duration::from_millis(100) * (1 << attempt.min(16))).min(30 * SECOND);
        assert!((longest / 2..=longest).contains(pause), "attempt {attempt}: {pauses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_factory_that_fails_is_asked_again_after_growing_pauses() {
    let workshop = Workshop::default();
    let balancer = workshop.balancer([spec("a", "1")]);
    let mut events = balancer.subscribe();
    workshop.close(true);
    break_it(&balancer);
    let mut pauses = Vec::new();
    for attempt in 1..=12 {
        match &received(&mut events)[..] {
            [Event::RebuildFailed { attempts, retry_at, .. }] => {
                assert_eq!(*attempts, attempt);
                pauses.push(*retry_at - now());
            }
            other => unreachable!("attempt {attempt} was told as {other:?}"),
        }
        advance(pauses[pauses.len() - 1] - Duration::from_nanos(1)).await;
        assert_eq!(*pick(&balancer).target().as_str(), *"1", "the old one stays");
        assert!(received(&mut events).is_empty(), "asked too early");
        advance(Duration::from_nanos(1)).await;
        drop(pick(&balancer));
    }
    assert_grows(&pauses);
    workshop.close(false);
    advance(30 * SECOND).await;
    drop(pick(&balancer));
    assert_eq!((workshop.made(), workshop.alive().len()), (2, 1));
}

/// Breaks the target until `times` new ones were made, and says how long each took.
async fn break_repeatedly(
    balancer: &Balancer<Target>,
    workshop: &Workshop,
    times: usize,
) -> Vec<Duration> {
    let mut waits = Vec::new();
    for _ in 0..times {
        let (made, broken_at) = (workshop.made(), now());
        break_it(balancer);
        while workshop.made() == made {
            advance(Duration::from_millis(1)).await;
            drop(pick(balancer));
        }
        waits.push(now() - broken_at);
    }
    waits
}

#[tokio::test(start_paused = true)]
async fn targets_that_break_one_after_the_other_are_made_with_growing_pauses() {
    let workshop = Workshop::default();
    let balancer = workshop.balancer([spec("a", "1")]);
    let waits = break_repeatedly(&balancer, &workshop, 8).await;
    assert_eq!(waits[0], Duration::ZERO);
    let at_least = |(i, wait): (usize, &Duration)| *wait >= Duration::from_millis(50 << i);
    assert!(waits[1..].iter().enumerate().all(at_least), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_good_answer_ends_the_pauses() {
    let workshop = Workshop::default();
    let balancer = workshop.balancer([spec("a", "1")]);
    break_repeatedly(&balancer, &workshop, 8).await;
    pick(&balancer).finish(Outcome::Success);
    let waits = break_repeatedly(&balancer, &workshop, 1).await;
    assert!(waits[0] <= Duration::from_millis(100), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_broken_target_that_no_factory_made_stays() {
    let workshop = Workshop::default();
    let balancer = workshop.balancer([spec("a", "1")]);
    balancer.insert(Endpoint::new("a", Arc::new("given".to_owned()))).unwrap();
    let mut events = balancer.subscribe();
    break_it(&balancer);
    assert_eq!(target_of(&balancer, "a"), "given");
    assert_eq!(status(&balancer, &EndpointId::from("a")).failures, 1);
    assert!(received(&mut events).is_empty());
}

// --- Targets that call back ----------------------------------------------------------------------

/// Whose end calls the balancer it belonged to, once there is one.
#[derive(Clone)]
struct Caller {
    home: Arc<OnceLock<Balancer<Self>>>,
    dropped: Arc<AtomicUsize>,
}

impl Drop for Caller {
    fn drop(&mut self) {
        if let Some(balancer) = self.home.get() {
            assert!(!balancer.status().endpoints.is_empty());
            drop(balancer.pick(&Key::none()));
            let _ = balancer.remove(&id(99));
            let _ = balancer.set_weight(&id(3), 2);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn a_target_may_call_the_balancer_when_it_is_dropped() {
    type Act = fn(&Balancer<Caller>, &dyn Fn(usize) -> Endpoint<Caller>);
    let acts: [(&str, Act); 7] = [
        ("swapped", |it, new| drop(it.insert(new(0)))),
        ("removed", |it, _| drop(it.remove(&id(1)))),
        ("sent again", |it, new| drop(it.replace((0..4).map(new)))),
        ("sent and refused", |it, new| drop(it.replace([new(0)]))),
        ("sent twice", |it, new| drop(it.replace([new(5), new(5)]))),
        ("removed and released", |it, _| {
            let lease = pick(it);
            drop(it.remove(lease.endpoint()));
            lease.finish(Outcome::Success);
        }),
        ("made again", |it, _| {
            drop(it.replace_specs((0..4).map(|n| spec(id(n).as_str(), "1"))));
            break_it(it);
        }),
    ];
    for (name, act) in acts {
        let (finished, done) = mpsc::channel();
        std::thread::spawn(move || {
            let (home, dropped) = (Arc::default(), Arc::default());
            let pattern = Caller { home, dropped };
            let maker = pattern.clone();
            let new = |n| Endpoint::new(id(n), pattern.clone());
            let balancer = Balancer::builder().endpoints((0..4).map(new));
            let balancer = balancer.make(move |_| Ok(maker.clone())).build().unwrap();
            let _ = pattern.home.set(balancer.clone());
            act(&balancer, &new);
            let _ = finished.send(pattern.dropped.load(Ordering::Relaxed));
        });
        let dropped = done.recv_timeout(Duration::from_secs(20));
        assert!(dropped.is_ok_and(|it| it > 0), "{name}: hangs, panics or drops nothing");
    }
}
