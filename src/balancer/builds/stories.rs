//! Stories of bursts, with every ring and table counted that is built.

use std::time::Duration;

use tokio::time::advance;

use crate::balancer::Balancer;
use crate::config::Config;
use crate::endpoint::Endpoint;
use crate::error::UpdateError;
use crate::rng::Rng;
use crate::snapshot::Snapshot;
use crate::units::{EndpointId, Key};

const KINDS: [&str; 2] = ["ring_hash", "maglev"];

/// Wheels of a size that is built quickly where nothing is optimised.
const SIZES: &str = "hash.table_size = 10007\nhash.max_ring_size = 8192\n";

const PAUSE: Duration = Duration::from_millis(100);

type Numbered = Balancer<usize>;

fn id(number: usize) -> EndpointId {
    EndpointId::from(format!("e{number:04}"))
}

fn balancer(
    kind: &str,
    more: &str,
    endpoints: impl IntoIterator<Item = Endpoint<usize>>,
) -> Numbered {
    let config = Config::from_toml(&format!("strategy.kind = '{kind}'\n{more}"));
    let config = config.expect("the settings are valid");
    let builder = Balancer::builder().config(config).endpoints(endpoints).seed(1);
    builder.build().expect("the description is valid")
}

fn endpoint(number: usize) -> Endpoint<usize> {
    Endpoint::new(id(number), number)
}

fn even(numbers: std::ops::Range<usize>) -> impl Iterator<Item = Endpoint<usize>> {
    numbers.map(endpoint)
}

fn built(balancer: &Numbered) -> usize {
    balancer.core.named.wheels.built()
}

fn lags(balancer: &Numbered) -> bool {
    balancer.core.published.read(Snapshot::lags)
}

fn mapping(balancer: &Numbered) -> Vec<usize> {
    let pick = |i: u64| *balancer.pick(&Key::of(&i)).expect("somebody is there").target();
    (0..2_000).map(pick).collect()
}

/// What a balancer maps that was built of the same set.
fn fresh(kind: &str, more: &str, balancer: &Numbered) -> Vec<usize> {
    let endpoints = balancer.status().endpoints.into_iter();
    let endpoints = endpoints.map(|it| {
        let number = it.id.as_str()[1..].parse().expect("ids are numbers");
        Endpoint::new(it.id, number).weight(it.weight).tier(it.tier)
    });
    mapping(&self::balancer(kind, more, endpoints))
}

/// Changes of weights that use up what may be built at once.
fn exhaust(balancer: &Numbered) {
    for number in 0..8 {
        let before = built(balancer);
        balancer.set_weight(&id(number), 2).expect("it is there");
        assert_eq!((built(balancer), lags(balancer)), (before + 1, false));
    }
}

#[tokio::test(start_paused = true)]
async fn four_hundred_changes_of_a_thousand_build_ten_wheels() {
    for (kind, more) in [
        ("ring_hash", ""),
        ("maglev", ""),
        ("maglev", "[slow_start]\nwindow = '10s'\nnew_endpoints = true\n"),
        ("maglev", "[guard]\nmax_share_percent = 5\n"),
    ] {
        let settings = format!("hash.table_size = 2003\n{more}");
        let balancer = balancer(kind, &settings, even(0..1_000));
        let (mut rng, before) = (Rng::seeded(7), built(&balancer));
        for number in 0..200 {
            balancer.insert(endpoint(1_000 + number)).expect("it is new");
            let changed = id(rng.below(1_000) as usize);
            balancer.set_weight(&changed, 1 + rng.below(3) as u32).expect("it is there");
        }
        assert!(lags(&balancer));
        assert!(built(&balancer) <= before + 10, "{kind} {more}: {}", built(&balancer));
        let all = built(&balancer);
        advance(PAUSE).await;
        drop(balancer.pick(&Key::of(&1)));
        assert_eq!((built(&balancer), lags(&balancer)), (all + 1, false), "{kind} {more}");
        advance(Duration::from_secs(60)).await;
        assert!(mapping(&balancer) == fresh(kind, &settings, &balancer), "{kind} {more}");
        assert_eq!(built(&balancer), all + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn one_more_is_built_each_pause_and_a_whole_burst_after_eight() {
    for kind in KINDS {
        let balancer = balancer(kind, SIZES, even(0..100));
        exhaust(&balancer);
        let before = mapping(&balancer);
        balancer.set_weight(&id(50), 2).unwrap();
        assert!(lags(&balancer));
        assert!(mapping(&balancer) == before);
        advance(PAUSE - Duration::from_millis(1)).await;
        assert!(mapping(&balancer) == before);
        advance(Duration::from_millis(1)).await;
        let all = built(&balancer);
        // The change finds what is due and sees to it first; for itself there is nothing left.
        balancer.set_weight(&id(51), 2).unwrap();
        assert_eq!((built(&balancer), lags(&balancer)), (all + 1, true));
        assert!(mapping(&balancer) != before);
        advance(8 * PAUSE + PAUSE).await;
        mapping(&balancer);
        assert!(!lags(&balancer));
        advance(8 * PAUSE).await;
        for number in 60..68 {
            balancer.set_weight(&id(number), 2).unwrap();
            assert!(!lags(&balancer));
            assert!(mapping(&balancer) == fresh(kind, SIZES, &balancer));
        }
        balancer.set_weight(&id(68), 2).unwrap();
        assert!(lags(&balancer));
    }
}

#[tokio::test(start_paused = true)]
async fn picks_build_nothing_while_somebody_settles_for_them() {
    let balancer = balancer("maglev", SIZES, even(0..100));
    exhaust(&balancer);
    let tending = balancer.tend();
    balancer.set_weight(&id(50), 2).unwrap();
    let (before, all) = (mapping(&balancer), built(&balancer));
    advance(PAUSE + Duration::from_millis(99)).await;
    assert!(mapping(&balancer) == before);
    assert_eq!(built(&balancer), all);
    assert!(tending.settle().is_some());
    assert_eq!((built(&balancer), lags(&balancer)), (all + 1, false));
    assert!(mapping(&balancer) == fresh("maglev", SIZES, &balancer));

    // If he does not come, they do in the end.
    exhaust_rest(&balancer);
    let all = built(&balancer);
    advance(2 * PAUSE).await;
    drop(balancer.pick(&Key::of(&1)));
    assert_eq!((built(&balancer), lags(&balancer)), (all + 1, false));
    drop(tending);
}

/// Changes weights until something lags.
fn exhaust_rest(balancer: &Numbered) {
    let mut numbers = 20..40;
    while !lags(balancer) {
        balancer.set_weight(&id(numbers.next().expect("soon")), 2).expect("it is there");
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_at_the_status_says_what_the_next_pick_will_find() {
    let balancer = balancer("maglev", SIZES, even(0..100));
    exhaust(&balancer);
    let weight = |it: &Numbered| it.status().endpoints[50].expected_share;
    let before = weight(&balancer);
    balancer.set_weight(&id(50), 2).unwrap();
    assert_eq!(weight(&balancer), before, "its keys are what they were");
    assert_eq!(balancer.status().endpoints[50].weight, 2);
    let foreseen = balancer.preview_weight(&id(51), 1).unwrap().shares;
    assert!((foreseen[50].before - 2.0 / 109.0).abs() < 1e-3, "{:?}", foreseen[50]);
    assert_eq!(foreseen[50].before_now, before);
    advance(PAUSE).await;
    let all = built(&balancer);
    let due = weight(&balancer);
    assert!((due - 2.0 / 109.0).abs() < 1e-3);
    drop(balancer.pick(&Key::of(&1)));
    assert_eq!(weight(&balancer), due);
    assert_eq!(built(&balancer), all, "what was built to be looked at serves");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_moves_much_is_built_whatever_was_before() {
    for kind in KINDS {
        let balancer = balancer(kind, SIZES, even(0..100));
        exhaust(&balancer);
        // From one to a quarter of all, and away with a third.
        for change in [Some(60), None] {
            match change {
                Some(weight) => balancer.set_weight(&id(99), weight).unwrap(),
                None => balancer.replace(even(0..65)).unwrap(),
            };
            assert!(!lags(&balancer), "{kind}");
            assert!(mapping(&balancer) == fresh(kind, SIZES, &balancer));
        }
        // Nobody who is left carries much more than his part, however many go one by one.
        for number in (20..65).rev() {
            balancer.remove(&id(number)).unwrap();
            let shares = balancer.status().endpoints.into_iter().map(|it| it.expected_share);
            let fair = 1.0 / f64::from(number as u32 + 8);
            let most = shares.skip(8).fold(0.0, f64::max);
            let uneven = if kind == "maglev" { 1.1 } else { 2.5 };
            assert!(most < 4.0 / 3.0 * uneven * fair, "{kind}: {most} of {fair}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_share_guard_judges_what_a_change_comes_to() {
    for kind in KINDS {
        let settings = "[guard]\nmax_share_percent = 12\n[hash]\nmin_ring_size = 65536\n";
        let weighing = |number| endpoint(number).weight(100);
        let balancer = balancer(kind, settings, (0..10).map(weighing));
        for number in 0..8 {
            balancer.set_weight(&id(number), 101).unwrap();
        }
        let before = balancer.status();
        let refused = balancer.set_weight(&id(9), 130);
        assert!(matches!(refused, Err(UpdateError::Share { .. })), "{kind}: {refused:?}");
        assert_eq!(balancer.status().version, before.version);
        balancer.set_weight(&id(9), 105).unwrap();
        let served = balancer.status().endpoints[9].expected_share;
        if kind == "maglev" {
            assert!(lags(&balancer));
            assert_eq!(served, before.endpoints[9].expected_share);
        }
        // From where it is meant to be, not from where it still is.
        let refused = balancer.set_weight(&id(9), 125);
        assert!(matches!(refused, Err(UpdateError::Share { .. })), "{kind}: {refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_history_says_what_was_done_without_another_wheel() {
    let balancer = balancer("maglev", SIZES, even(0..100));
    exhaust(&balancer);
    let all = built(&balancer);
    balancer.set_weight(&id(50), 8).unwrap();
    assert_eq!(built(&balancer), all);
    let effect = balancer.history().pop().expect("it was noted").effect;
    let [share] = &effect[..] else { panic!("{effect:?}") };
    assert_eq!(share.id, id(50));
    assert!((share.before - 1.0 / 108.0).abs() < 1e-9 && (share.after - 8.0 / 115.0).abs() < 1e-9);
    assert_eq!(share.before_now, share.after_now, "for the moment");
}

#[tokio::test(start_paused = true)]
async fn other_sizes_are_served_at_once() {
    for kind in KINDS {
        let balancer = balancer(kind, SIZES, even(0..100));
        exhaust(&balancer);
        balancer.set_weight(&id(50), 2).unwrap();
        assert!(lags(&balancer));
        let config = |more: &str| {
            Config::from_toml(&format!("strategy.kind = '{kind}'\n{more}")).expect("it is valid")
        };
        // Not so a bound, which needs no other wheel.
        balancer.apply(config(&format!("{SIZES}hash.bounded_load_percent = 200\n"))).unwrap();
        assert!(lags(&balancer));
        let other =
            "hash.table_size = 10009\nhash.max_ring_size = 4096\nhash.min_ring_size = 2048\n";
        balancer.apply(config(other)).unwrap();
        assert!(!lags(&balancer));
        assert!(mapping(&balancer) == fresh(kind, other, &balancer));
        balancer.set_weight(&id(51), 2).unwrap();
        assert!(lags(&balancer));
        balancer.apply(Config::default()).unwrap();
        assert!(!lags(&balancer), "no strategy that goes by keys");
        advance(PAUSE).await;
        drop(balancer.pick(&Key::none()));
        balancer.apply(config(other)).unwrap();
        assert!(mapping(&balancer) == fresh(kind, other, &balancer));
    }
}

#[tokio::test(start_paused = true)]
async fn each_tier_has_a_wheel_of_its_own() {
    let tiered = |number: usize| endpoint(number).tier(u32::from(number >= 50));
    for kind in KINDS {
        let free = "panic = false\noutlier.max_ejected_percent = 100\noutlier.min_available = 0\n";
        let settings = format!("{free}{SIZES}");
        let balancer = balancer(kind, &settings, (0..100).map(tiered));
        // Half of the first tier is out, so that both serve.
        for number in 0..25 {
            balancer.eject(&id(10 + number), Duration::from_secs(600)).unwrap();
        }
        exhaust(&balancer);
        let home = mapping(&balancer);
        assert!(home.iter().any(|it| *it < 50) && home.iter().any(|it| *it >= 50));
        let all = built(&balancer);
        balancer.remove(&id(70)).unwrap();
        balancer.insert(tiered(100)).unwrap();
        // The parts of the tiers are about the same, and so is who serves.
        let after = mapping(&balancer);
        let strayed = home.iter().zip(&after).filter(|(home, after)| home != after && **home != 70);
        assert_eq!(strayed.count(), 0, "{kind}");
        assert!(lags(&balancer) && !after.contains(&70) && !after.contains(&100));
        assert_eq!(built(&balancer), all);
        balancer.remove(&id(40)).unwrap();
        balancer.insert(tiered(40)).unwrap();
        advance(PAUSE).await;
        mapping(&balancer);
        assert_eq!((built(&balancer), lags(&balancer)), (all + 1, false), "one has changed");
        for number in 0..25 {
            balancer.enable(&id(10 + number)).unwrap();
        }
        assert!(mapping(&balancer) == fresh(kind, &settings, &balancer));
        assert_eq!(built(&balancer), all + 1);
    }
}

/// More rows than are kept for nobody.
const LARGE: &str = "hash.table_size = 300007\nhash.min_ring_size = 300000\n\
                     hash.max_ring_size = 300000\n";

#[tokio::test(start_paused = true)]
async fn a_tier_of_which_nobody_is_left_comes_back_to_its_wheel() {
    let tiered = |number: usize| endpoint(number).tier(u32::from(number >= 3));
    let free = "panic = false\noutlier.max_ejected_percent = 100\noutlier.min_available = 0\n";
    for kind in KINDS {
        let settings = format!("{free}{LARGE}");
        let balancer = balancer(kind, &settings, (0..6).map(tiered));
        let (home, all) = (mapping(&balancer), built(&balancer));
        let second = Duration::from_secs(1);
        (0..3).for_each(|number| assert!(balancer.eject(&id(number), 20 * second).is_ok()));
        assert!(mapping(&balancer).iter().all(|it| *it >= 3));
        // Changes of other things, and the others, make no difference.
        balancer.set_weight(&id(4), 2).unwrap();
        let bounded =
            format!("strategy.kind = '{kind}'\n{settings}hash.bounded_load_percent = 500\n");
        balancer.apply(Config::from_toml(&bounded).unwrap()).unwrap();
        let all = all + 1;
        assert_eq!(built(&balancer), all);
        (0..3).for_each(|number| assert!(balancer.disable(&id(number)).is_ok()));
        (0..3).for_each(|number| assert!(balancer.enable(&id(number)).is_ok()));
        assert!(mapping(&balancer) == home, "{kind}");
        assert_eq!(built(&balancer), all, "{kind}");

        // Whoever leaves the set leaves no wheel behind.
        (0..3).for_each(|number| assert!(balancer.disable(&id(number)).is_ok()));
        assert_eq!(balancer.core.named.wheels.alive(), 2);
        balancer.replace_unchecked((3..6).map(tiered)).unwrap();
        assert_eq!(balancer.core.named.wheels.alive(), 1);
    }
}

/// What comes of a clock that goes back while keys lag.
#[cfg(feature = "testing")]
#[test]
fn a_clock_that_goes_back_puts_nothing_off_for_long() {
    use crate::balancer::held;

    #[expect(clippy::disallowed_methods, reason = "the story's own clock starts here")]
    let built_at = tokio::time::Instant::now();
    held::set(Some(built_at));
    let balancer = balancer("maglev", SIZES, even(0..100));
    held::set(Some(built_at + Duration::from_secs(3_600)));
    exhaust(&balancer);
    held::set(Some(built_at + Duration::from_secs(60)));
    balancer.set_weight(&id(50), 2).unwrap();
    assert!(lags(&balancer));
    held::set(Some(built_at + Duration::from_secs(60) + PAUSE));
    drop(balancer.pick(&Key::of(&1)));
    assert!(!lags(&balancer));
    held::set(None);
}
