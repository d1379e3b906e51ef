//! The audit finds what is spread otherwise than intended, names the cause, and is silent about
//! everything else.

#![allow(clippy::unwrap_used, clippy::panic)]
#![cfg(feature = "config")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use evenkeel::strategy::{Candidates, PickContext, Picker, Strategy};
use evenkeel::{
    Balancer, Builder, Endpoint, Event, Events, Key, Lease, Outcome, Skew, SkewCause, SkewRule,
};
use support::{Numbered, balancer, builder, config, endpoint, id, received, strategy};
use tower::{Service, ServiceExt};

const SECOND: Duration = Duration::from_secs(1);

/// Settings of these tests: nobody is ejected by chance.
fn quiet(more: &str) -> String {
    format!("outlier.consecutive_failures = false\n{more}")
}

fn skews(events: &mut Events) -> Vec<(bool, Skew)> {
    let skew = |event| match event {
        Event::Skew { on, skew } => Some((on, skew)),
        _ => None,
    };
    received(events).into_iter().filter_map(skew).collect()
}

/// A hundred requests a second, answered at once.
async fn traffic(balancer: &Numbered, requests: usize, key: impl Fn(usize) -> Key) {
    for request in 0..requests {
        if let Ok(lease) = balancer.pick(&key(request)) {
            lease.finish(Outcome::Success);
        }
        tokio::time::advance(SECOND / 100).await;
    }
}

fn no_key(_: usize) -> Key {
    Key::none()
}

/// A key for each request, another one each time.
fn any_key(request: usize) -> Key {
    Key::of(&request)
}

/// The only skew there is, as it begins.
fn only(events: &mut Events) -> Skew {
    let told = skews(events);
    match told.as_slice() {
        [(true, skew)] => skew.clone(),
        _ => panic!("one skew was expected: {told:#?}"),
    }
}

/// Gives the first candidate so many percent of the requests, and says that all get the same.
#[derive(Debug, Clone)]
struct Favours {
    percent: Arc<AtomicU32>,
    /// Whether it is the draw that favours, and the choice goes by load.
    draws: bool,
}

#[derive(Debug)]
struct FavoursPicker {
    of: Favours,
    n: usize,
}

impl Favours {
    fn first(percent: u32, draws: bool) -> Self {
        Self { percent: Arc::new(AtomicU32::new(percent)), draws }
    }
}

impl Strategy for Favours {
    fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker> {
        Box::new(FavoursPicker { of: self.clone(), n: candidates.len() })
    }

    fn looks_at_load(&self) -> bool {
        self.draws
    }
}

impl Picker for FavoursPicker {
    fn pick(&self, cx: &mut PickContext<'_>) -> Option<usize> {
        let percent = u64::from(self.of.percent.load(Ordering::Relaxed));
        let favours = cx.rng().below(100) < percent;
        let other = 1 + cx.rng().below(self.n as u64 - 1) as usize;
        Some(if favours { 0 } else { other })
    }

    fn shares(&self) -> Vec<f64> {
        vec![1.0 / self.n as f64; self.n]
    }

    fn drawn(&self, cx: &mut PickContext<'_>) -> Option<usize> {
        self.pick(cx).filter(|_| self.of.draws)
    }
}

fn favouring(of: Favours, n: usize) -> Builder<usize> {
    let toml = quiet("[strategy]\nkind = 'custom'\ncustom = 'favours'");
    builder(&toml, n, 5).strategy("favours", of)
}

#[tokio::test(start_paused = true)]
async fn what_is_spread_as_intended_is_never_told() {
    for seed in 0..3 {
        for kind in ["round_robin", "random", "least_request", "peak_ewma", "ring_hash", "maglev"] {
            let toml = quiet(&strategy(&format!("kind = '{kind}'")));
            let balancer = balancer(&toml, 10, seed);
            balancer.set_weight(&id(3), 4).unwrap();
            let mut events = balancer.subscribe();
            traffic(&balancer, 6_000, any_key).await;
            let told = skews(&mut events);
            assert!(told.is_empty(), "{kind}, seed {seed}: {told:#?}");
            let status = balancer.status();
            let sum: f64 = status.endpoints.iter().filter_map(|it| it.realised_share).sum();
            assert!((sum - 1.0).abs() < 0.01, "{kind}, seed {seed}: {sum}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_favourite_is_found_within_two_thousand_requests_and_forgiven_when_it_is_none() {
    let favours = Favours::first(10, false);
    let balancer = favouring(favours.clone(), 10).build().unwrap();
    let mut events = balancer.subscribe();
    traffic(&balancer, 3_000, no_key).await;
    assert!(skews(&mut events).is_empty());

    favours.percent.store(20, Ordering::Relaxed);
    traffic(&balancer, 2_000, no_key).await;
    let skew = only(&mut events);
    assert_eq!(
        (&skew.endpoint, skew.rule, &skew.cause),
        (&id(0), SkewRule::Share, &SkewCause::Unknown)
    );
    assert_eq!(skew.intended, 0.1);
    assert!((0.15..0.3).contains(&skew.realised), "{skew:?}");
    let status = balancer.status();
    assert_eq!(status.skews.len(), 1);
    assert_eq!(status.skews[0].skew, skew);
    assert!(status.skews[0].age < 20 * SECOND, "{:?}", status.skews[0].age);
    let realised = status.endpoints[0].realised_share.unwrap();
    assert!((0.15..0.3).contains(&realised), "{realised}");

    favours.percent.store(10, Ordering::Relaxed);
    traffic(&balancer, 6_000, no_key).await;
    assert_eq!(skews(&mut events), [(false, skew)]);
    assert!(balancer.status().skews.is_empty());
}

#[tokio::test(start_paused = true)]
async fn where_load_decides_the_draw_is_audited() {
    let balancer = favouring(Favours::first(40, true), 10).build().unwrap();
    let mut events = balancer.subscribe();
    // One pick in sixteen is looked at.
    traffic(&balancer, 12_000, no_key).await;
    let skew = only(&mut events);
    assert_eq!((&skew.endpoint, skew.rule), (&id(0), SkewRule::Draw));
    assert!((0.3..0.5).contains(&skew.realised), "{skew:?}");
}

#[tokio::test(start_paused = true)]
async fn four_of_five_are_out() {
    let toml = quiet(
        "panic = false\noutlier.max_ejected_percent = 100\noutlier.ejection_jitter_percent = 0\n\
         [strategy]\nkind = 'round_robin'",
    );
    let balancer = balancer(&toml, 5, 1);
    let mut events = balancer.subscribe();
    traffic(&balancer, 1_000, no_key).await;
    for number in 1..5 {
        balancer.eject(&id(number), 60 * SECOND).unwrap();
    }
    traffic(&balancer, 2_000, no_key).await;
    let skew = only(&mut events);
    assert_eq!((&skew.endpoint, skew.rule), (&id(0), SkewRule::Concentration));
    assert_eq!(skew.cause, SkewCause::OthersOut { out: 4, of: 5 });
    assert!((skew.intended - 0.7).abs() < 1e-9 && skew.realised > 0.7, "{skew:?}");
    traffic(&balancer, 12_000, no_key).await;
    assert_eq!(skews(&mut events), [(false, skew)]);
}

#[tokio::test(start_paused = true)]
async fn weights_intend_it() {
    let told = |weight, n| async move {
        let balancer = balancer(&quiet(&strategy("kind = 'round_robin'")), n, 1);
        balancer.set_weight(&id(0), weight).unwrap();
        let mut events = balancer.subscribe();
        traffic(&balancer, 2_000, no_key).await;
        skews(&mut events)
    };
    let heavy = told(96, 5).await;
    assert_eq!(heavy.len(), 1, "{heavy:#?}");
    assert_eq!(heavy[0].1.cause, SkewCause::Weights);
    assert!(told(8, 5).await.is_empty(), "two thirds are less than seventy percent");
    assert!(told(96, 2).await.is_empty(), "one leads and one stands by");
    assert!(told(96, 1).await.is_empty(), "there is no other");
}

#[tokio::test(start_paused = true)]
async fn a_hot_key() {
    let balancer = balancer(&quiet(&strategy("kind = 'maglev'")), 5, 1);
    let mut events = balancer.subscribe();
    let key = |request: usize| Key::of(&if request.is_multiple_of(10) { request } else { 7 });
    traffic(&balancer, 4_000, key).await;
    let skew = only(&mut events);
    assert_eq!(skew.rule, SkewRule::Concentration);
    assert_eq!(skew.endpoint, *balancer.pick(&Key::of(&7_usize)).unwrap().endpoint());
    let SkewCause::HotKey { share } = skew.cause else { panic!("{skew:?}") };
    assert!((0.75..=1.0).contains(&share), "{share}");
}

#[tokio::test(start_paused = true)]
async fn few_keys_are_no_skew() {
    for seed in 0..4_usize {
        let balancer = balancer(&quiet(&strategy("kind = 'maglev'")), 5, 1);
        let mut events = balancer.subscribe();
        // A hundred keys, the first of which come up far more often.
        traffic(&balancer, 10_000, |at| Key::of(&(seed, (at * at / 7) % (1 + at % 100)))).await;
        let told = skews(&mut events);
        assert!(told.is_empty(), "{told:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn keys_whose_hashes_are_no_hashes() {
    let balancer = balancer(&quiet(&strategy("kind = 'ring_hash'")), 5, 1);
    let mut events = balancer.subscribe();
    // Whoever numbers his keys instead of hashing them meets a small part of the ring.
    traffic(&balancer, 30_000, |request| Key::from_hash(request as u64)).await;
    let told = skews(&mut events);
    let is = |rule| told.iter().find(|(on, skew)| *on && skew.rule == rule).map(|(_, skew)| skew);
    assert_eq!(is(SkewRule::KeySpace).unwrap().cause, SkewCause::UnevenKeys);
    assert!(is(SkewRule::Concentration).is_some(), "{told:#?}");
}

#[tokio::test(start_paused = true)]
async fn sessions_stay_where_they_are() {
    let balancer = balancer(&quiet(&strategy("kind = 'round_robin'")), 5, 1);
    let mut events = balancer.subscribe();
    let key = |at: usize| {
        if at.is_multiple_of(10) { Key::none() } else { Key::none().preferring(&id(2)) }
    };
    traffic(&balancer, 4_000, key).await;
    let skew = only(&mut events);
    assert_eq!((&skew.endpoint, skew.rule), (&id(2), SkewRule::Concentration));
    let SkewCause::Sessions { share } = skew.cause else { panic!("{skew:?}") };
    assert!((0.7..=1.0).contains(&share), "{share}");
}

#[tokio::test(start_paused = true)]
async fn requests_that_exclude_all_others() {
    for kind in ["round_robin", "least_request"] {
        let balancer = balancer(&quiet(&strategy(&format!("kind = '{kind}'"))), 5, 1);
        let mut events = balancer.subscribe();
        let others = (1..5).fold(Key::none(), |key, number| key.excluding(&id(number)));
        let key = |at: usize| if at.is_multiple_of(20) { Key::none() } else { others.clone() };
        traffic(&balancer, 4_000, key).await;
        let skew = only(&mut events);
        assert_eq!((&skew.endpoint, skew.rule), (&id(0), SkewRule::Concentration), "{kind}");
        let SkewCause::Exclusions { share } = skew.cause else { panic!("{skew:?}") };
        assert!((0.7..=1.0).contains(&share), "{kind}: {share}");
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_after_the_first_hide_nothing_and_raise_nothing() {
    let favours = Favours::first(10, false);
    let balancer = favouring(favours.clone(), 10).build().unwrap();
    let mut events = balancer.subscribe();
    // Each third request avoids an endpoint that the one before has met.
    let key = |at: usize| if at % 3 == 2 { Key::none().excluding(&id(9)) } else { Key::none() };
    traffic(&balancer, 4_000, key).await;
    assert!(skews(&mut events).is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_others_are_slow_and_load_decides() {
    let toml = quiet(&strategy("kind = 'least_request'\nchoices = 'all'"));
    let balancer = balancer(&toml, 5, 1);
    let mut events = balancer.subscribe();
    let mut held: Vec<Lease<usize>> = Vec::new();
    for _ in 0..3_000 {
        let lease = balancer.pick(&Key::none()).unwrap();
        match *lease.endpoint() == id(0) {
            true => lease.finish(Outcome::Success),
            false => held.push(lease),
        }
        tokio::time::advance(SECOND / 100).await;
    }
    let skew = only(&mut events);
    assert_eq!((&skew.endpoint, skew.rule), (&id(0), SkewRule::Concentration));
    assert_eq!(skew.cause, SkewCause::Load);
}

/// Answers at once, unless it is never ready.
#[derive(Clone)]
struct Backend {
    is_ready: bool,
}

impl Service<()> for Backend {
    type Response = ();
    type Error = std::io::Error;
    type Future = std::future::Ready<Result<(), Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        if self.is_ready { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn call(&mut self, (): ()) -> Self::Future {
        std::future::ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn one_is_never_ready() {
    for (kind, rule) in [("round_robin", Some(SkewRule::Share)), ("least_request", None)] {
        let backend = |number| Endpoint::new(id(number), Backend { is_ready: number != 3 });
        let balancer = Balancer::builder()
            .config(config(&quiet(&strategy(&format!("kind = '{kind}'")))))
            .endpoints((0..5).map(backend))
            .seed(1)
            .build()
            .unwrap();
        let mut events = balancer.subscribe();
        for _ in 0..3_000 {
            balancer.service().oneshot(()).await.unwrap();
            tokio::time::advance(SECOND / 100).await;
        }
        let told = skews(&mut events);
        let Some(rule) = rule else {
            assert!(told.is_empty(), "{told:#?}");
            continue;
        };
        let [(true, skew)] = told.as_slice() else { panic!("{told:#?}") };
        assert_eq!((&skew.endpoint, skew.rule, skew.realised), (&id(3), rule, 0.0));
        assert_eq!(skew.cause, SkewCause::NeverReady { endpoint: id(3) });
    }
}

#[tokio::test(start_paused = true)]
async fn shares_that_change_all_the_time_are_followed() {
    for n in [5, 300] {
        for kind in ["round_robin", "random", "maglev"] {
            let hash = if kind == "maglev" { "\n[hash]\ntable_size = 1009" } else { "" };
            let toml =
                format!("update = false\n{}", quiet(&strategy(&format!("kind = '{kind}'{hash}"))));
            let balancer = balancer(&toml, n, 3);
            let mut events = balancer.subscribe();
            for turn in 0..120_u32 {
                let number = turn as usize % 3;
                match turn % 4 {
                    0 => drop(balancer.set_weight(&id(number), 1 + turn % 5)),
                    1 => drop(balancer.remove(&id(number))),
                    2 => drop(balancer.insert(endpoint((turn as usize - 1) % 3))),
                    _ => drop(balancer.disable(&id(number))),
                }
                for request in 0..200_usize {
                    balancer.pick(&any_key(request)).unwrap().finish(Outcome::Success);
                    tokio::time::advance(SECOND / 700).await;
                }
                drop(balancer.enable(&id(number)));
            }
            let told = skews(&mut events);
            assert!(told.is_empty(), "{n} by {kind}: {told:#?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_favourite_in_a_large_set_is_found_while_others_come_and_go() {
    let favours = Favours::first(20, false);
    let balancer = favouring(favours, 300).build().unwrap();
    let mut events = balancer.subscribe();
    for turn in 0..40 {
        traffic(&balancer, 50, no_key).await;
        drop(balancer.set_weight(&id(100 + turn % 5), 2));
        drop(balancer.set_weight(&id(100 + turn % 5), 1));
    }
    let told = skews(&mut events);
    assert!(told.iter().all(|(on, skew)| *on && skew.endpoint == id(0)), "{told:#?}");
    assert!(told.iter().any(|(_, skew)| skew.rule == SkewRule::Share), "{told:#?}");
}

#[tokio::test(start_paused = true)]
async fn probes_and_ramps_are_as_intended() {
    for kind in ["round_robin", "random", "least_request"] {
        let toml = quiet(&format!(
            "outlier.ejection_jitter_percent = 0\n{}",
            strategy(&format!("kind = '{kind}'"))
        ));
        let balancer = balancer(&toml, 10, 9);
        let mut events = balancer.subscribe();
        for round in 0..4 {
            balancer.eject(&id(round), 5 * SECOND).unwrap();
            traffic(&balancer, 6_000, no_key).await;
        }
        let told = skews(&mut events);
        assert!(told.is_empty(), "{kind}: {told:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn tiers_are_as_intended() {
    let toml = quiet(&strategy("kind = 'random'"));
    let set = (0..6).map(|number| endpoint(number).tier(u32::from(number > 0)));
    let balancer =
        Balancer::builder().config(config(&toml)).endpoints(set).seed(2).build().unwrap();
    let mut events = balancer.subscribe();
    traffic(&balancer, 4_000, no_key).await;
    assert!(skews(&mut events).is_empty(), "who is alone in its tier may have all");
}

#[tokio::test(start_paused = true)]
async fn switched_off_it_sees_nothing_and_switched_on_again_it_begins_anew() {
    let favours = Favours::first(60, false);
    let balancer = favouring(favours.clone(), 10).build().unwrap();
    let mut events = balancer.subscribe();
    traffic(&balancer, 1_000, no_key).await;
    let begun = skews(&mut events);
    assert!(begun.iter().all(|(on, _)| *on) && !begun.is_empty(), "{begun:#?}");

    let (on, off) = (balancer.config(), (*balancer.config()).clone().with_audit(None));
    balancer.apply(off).unwrap();
    let over = skews(&mut events);
    assert_eq!(over.len(), begun.len());
    assert!(over.iter().all(|(on, _)| !on));
    traffic(&balancer, 2_000, no_key).await;
    assert!(skews(&mut events).is_empty());
    let status = balancer.status();
    assert!(status.skews.is_empty() && status.endpoints[0].realised_share.is_none());

    favours.percent.store(10, Ordering::Relaxed);
    balancer.apply((*on).clone()).unwrap();
    traffic(&balancer, 3_000, no_key).await;
    assert!(skews(&mut events).is_empty(), "what was done meanwhile is not judged");
}

#[tokio::test(start_paused = true)]
async fn nobody_has_to_come_by_for_a_skew_to_be_found() {
    let balancer = favouring(Favours::first(90, false), 10).build().unwrap();
    let worker = balancer.start();
    let mut events = balancer.subscribe();
    for _ in 0..1_000 {
        balancer.pick(&Key::none()).unwrap().finish(Outcome::Success);
    }
    tokio::time::sleep(2 * SECOND).await;
    assert!(!skews(&mut events).is_empty());
    drop(worker);
}

#[tokio::test(start_paused = true)]
async fn sets_of_none_and_one_are_no_matter() {
    for n in [0, 1] {
        for kind in ["round_robin", "least_request", "maglev"] {
            let balancer = balancer(&quiet(&strategy(&format!("kind = '{kind}'"))), n, 1);
            let mut events = balancer.subscribe();
            traffic(&balancer, 500, any_key).await;
            assert!(skews(&mut events).is_empty());
        }
    }
}
