//! How targets are made of descriptions, and made again when they break.

#![allow(clippy::unwrap_used)]
#![cfg(feature = "config")]

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak, mpsc};
use std::time::Duration;

use evenkeel::{
    Balancer, Changed, Endpoint, EndpointId, EndpointSpec, Event, Key, Outcome, UpdateError,
};
use parking_lot::Mutex;
use tokio::time::advance;

use crate::support::{balancer, id, now, pick, received, refused, shrinks, status};

const SECOND: Duration = Duration::from_secs(1);
const CONFIRM: Duration = Duration::from_secs(60);

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

/// What was said without a description lasts until the description is sent again.
#[tokio::test(start_paused = true)]
async fn the_same_description_undoes_what_was_said_without_one() {
    let workshop = Workshop::default();
    let described = || [spec("a", "1").weight(2).zone("z"), spec("b", "2")];
    let balancer = workshop.balancer(described());
    let before = balancer.version();
    assert_eq!(balancer.replace_specs(described()).unwrap(), before, "nothing has changed");
    let other = |name| Endpoint::new(name, Arc::new("other".to_owned())).weight(7);
    for _ in 0..2 {
        balancer.replace([other("a"), other("b")]).unwrap();
        let a = &balancer.status().endpoints[0];
        assert_eq!((a.weight, a.zone.as_deref()), (7, None));
        balancer.replace_specs(described()).unwrap();
        let a = &balancer.status().endpoints[0];
        assert_eq!((a.weight, a.zone.as_deref()), (2, Some("z")));
    }
    assert_eq!((workshop.made(), target_of(&balancer, "a").as_str()), (2, "1"));
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
    let rebuilt = Changed::Rebuilt { endpoint: EndpointId::from("a") };
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

/// What is refused changes nothing, the time of the next attempt included.
#[tokio::test(start_paused = true)]
async fn a_refused_change_does_not_forget_that_a_target_is_to_be_made_again() {
    let workshop = Workshop::default();
    let balancer = workshop.balancer([spec("a", "1"), spec("b", "2")]);
    balancer.apply(support::config("[guard]\nmax_share_percent = 60")).unwrap();
    workshop.close(true);
    support::pick_only(&balancer, &EndpointId::from("a")).finish(Outcome::broken());
    workshop.close(false);
    let error = refused(&balancer, |it| it.insert_spec(spec("a", "3").weight(1_000)));
    assert!(matches!(error, UpdateError::Share { .. }), "{error}");
    let set = [spec("a", "3").weight(1_000), spec("b", "2")];
    refused(&balancer, |it| it.replace_specs(set.clone()));
    advance(SECOND).await;
    drop(pick(&balancer));
    assert_eq!((workshop.made(), workshop.alive()), (5, vec!["2".to_owned(), "1".to_owned()]));
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

/// One proof of worth is good for one quick return, not for an endless row of them.
#[tokio::test(start_paused = true)]
async fn a_target_that_was_good_once_does_not_excuse_a_factory_that_keeps_failing() {
    let workshop = Workshop::default();
    let balancer = workshop.balancer([spec("a", "1")]);
    pick(&balancer).finish(Outcome::Success);
    let mut events = balancer.subscribe();
    workshop.close(true);
    break_it(&balancer);
    for _ in 0..120 {
        advance(Duration::from_millis(500)).await;
        drop(pick(&balancer));
    }
    let failed: Vec<u32> = received(&mut events)
        .iter()
        .filter_map(|event| match event {
            Event::RebuildFailed { attempts, .. } => Some(*attempts),
            _ => None,
        })
        .collect();
    assert!((5..=12).contains(&failed.len()), "{failed:?}");
    assert!(failed.is_sorted() && failed.last() == Some(&(failed.len() as u32)), "{failed:?}");
}

/// An error whose drop calls the balancer, as an error that cleans up after itself may.
#[tokio::test(start_paused = true)]
async fn events_are_sent_and_dropped_outside_of_the_lock() {
    #[derive(Debug)]
    struct Meddler(OnceLock<Balancer<Target>>);
    impl std::fmt::Display for Meddler {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("no")
        }
    }
    impl std::error::Error for Meddler {}
    impl Drop for Meddler {
        fn drop(&mut self) {
            if let Some(balancer) = self.0.get() {
                let _ = balancer.remove(&"nobody".into());
            }
        }
    }
    let slot: Arc<Mutex<Option<Balancer<Target>>>> = Arc::default();
    let inside = Arc::clone(&slot);
    let balancer = Balancer::builder()
        .make(move |spec: &EndpointSpec| {
            if spec.address != "bad" {
                return Ok(Arc::new(spec.address.clone()));
            }
            let meddler = Meddler(OnceLock::new());
            let _ = meddler.0.set(inside.lock().clone().expect("set before it is used"));
            Err(meddler.into())
        })
        .build()
        .unwrap();
    *slot.lock() = Some(balancer.clone());
    let events = balancer.subscribe();
    let work = std::thread::spawn(move || {
        // More than are kept, so that old ones are dropped while new ones are sent.
        for _ in 0..2_500 {
            let _ = balancer.insert_spec(EndpointSpec::new("a", "bad"));
        }
        slot.lock().take();
        drop(events);
    });
    let (done, waiting) = mpsc::channel();
    std::thread::spawn(move || done.send(work.join().is_ok()));
    assert_eq!(waiting.recv_timeout(Duration::from_secs(60)), Ok(true), "deadlock");
}
