//! Settings that change while checks are made.

use evenkeel::{Availability, Balancer, Endpoint, Guard};
use tokio::time::sleep;

use crate::support::{balancer, builder, config, endpoint, endpoints, id, status};
use crate::ward::{Nature, Ward};
use crate::{EXACT, SECOND, SILENCE, settled, story, unattended};

fn off() -> String {
    EXACT.replace("[health]\njitter_percent = 0\n", "")
}

#[tokio::test(start_paused = true)]
async fn switched_off_while_one_is_asked_everybody_is_well() {
    let mut story = story("", 4).await;
    story.fail(3, 5);
    story.falls(1).await;
    story.falls(3).await;
    story.is(2, Nature::Hangs);
    while story.ward.under_way() == 0 {
        sleep(SECOND / 100).await;
    }
    story.balancer.apply(config(&off())).unwrap();
    assert_eq!(
        story.words(),
        [
            "version 2.1: settings changed",
            "`e001` counts as healthy, for nothing is checked any more",
            "`e003` counts as healthy, for nothing is checked any more",
        ]
    );
    assert_eq!(
        story.states()[1..],
        [Availability::Warming, Availability::Available, Availability::Ejected]
    );
    settled().await;
    let asked = story.ward.all_asked();
    assert_eq!(story.ward.under_way(), 0);
    sleep(20 * SECOND).await;
    assert_eq!(story.ward.all_asked(), asked, "nobody is asked");
    story.balancer.rollback().unwrap();
    assert_eq!(story.state(1), Availability::Warming, "well until it is found sick again");
    story.until(1, Availability::Unhealthy).await;
}

#[tokio::test(start_paused = true)]
async fn switched_off_and_on_again_who_was_away_and_sick_is_well() {
    let mut story = story("", 4).await;
    story.falls(1).await;
    story.balancer.remove(&id(1)).unwrap();
    story.balancer.apply(config(&off())).unwrap();
    story.balancer.insert(endpoint(1)).unwrap();
    assert_eq!(story.state(1), Availability::Warming);
    assert_eq!(story.words()[3..], ["`e001` counts as healthy, for nothing is checked any more"]);
}

#[tokio::test(start_paused = true)]
async fn other_settings_hold_from_the_next_check_on() {
    let story = story("", 2).await;
    sleep(10 * SECOND).await;
    story.balancer.apply(config(&format!("{EXACT}interval = '100ms'\n"))).unwrap();
    let asked = story.ward.asked(0).len();
    sleep(SECOND).await;
    let more = story.ward.asked(0).len() - asked;
    assert!((10..=11).contains(&more), "{more}");
    story.balancer.apply(config(&format!("{EXACT}interval = '1h'\n"))).unwrap();
    settled().await;
    let asked = story.ward.asked(0).len();
    sleep(1_000 * SECOND).await;
    assert_eq!(story.ward.asked(0).len(), asked);
}

#[tokio::test(start_paused = true)]
async fn switched_on_later_it_begins_at_once_and_leaves_those_that_are_there_alone() {
    let ward = Ward::default();
    let balancer = builder(&off(), 3, 7).probe(ward.probe()).build().unwrap();
    let _worker = balancer.start();
    sleep(20 * SECOND).await;
    assert_eq!(ward.all_asked(), 0);
    balancer.apply(config(&format!("{EXACT}initial = 'unhealthy'\n"))).unwrap();
    assert_eq!(status(&balancer, &id(0)).state, Availability::Available);
    sleep(5 * SECOND).await;
    assert!((0..3).all(|number| !ward.asked(number).is_empty()));
    balancer.insert(endpoint(3)).unwrap();
    assert_eq!(status(&balancer, &id(3)).state, Availability::Unhealthy);
}

#[tokio::test(start_paused = true)]
async fn checks_without_a_probe_are_refused_wherever_they_are_asked_for() {
    let words = "health: checks need a probe, and Builder::probe was not called to give one";
    let on = config("[health]");
    let built = Balancer::builder().endpoint(Endpoint::new("a", 0)).config(on.clone()).build();
    assert!(built.unwrap_err().to_string().contains(words));
    let balancer = balancer("", 3, 7);
    let version = balancer.version();
    assert!(balancer.preview(&on).unwrap_err().to_string().contains(words));
    assert!(balancer.apply(on.clone()).unwrap_err().to_string().contains(words));
    assert!(balancer.apply_if(version, on.clone()).unwrap_err().to_string().contains(words));
    let guarded = balancer.apply_guarded(on, Guard::default());
    assert!(guarded.err().unwrap().to_string().contains(words));
    assert_eq!(balancer.version(), version);
    // A probe that nobody asks for is no harm.
    let idle = builder("", 3, 7).probe(Ward::default().probe()).build().unwrap();
    idle.apply(config("[health]")).unwrap();
}

#[tokio::test(start_paused = true)]
async fn newcomers_that_have_to_prove_themselves_wait_for_two_good_answers() {
    let mut story = story("initial = 'unhealthy'\n", 4).await;
    assert_eq!(story.count(Availability::Unhealthy), 4);
    // Nobody has proved himself yet, and somebody has to serve.
    assert!(story.balancer.status().panic);
    assert_eq!(story.got(1, 40), 10);
    sleep(3 * SECOND).await;
    assert_eq!(story.count(Availability::Available), 4, "without a ramp");
    assert!(!story.balancer.status().panic);
    let words = story.words();
    assert_eq!(words.iter().filter(|it| it.contains("passes its checks")).count(), 4);
    assert_eq!(words.len(), 5, "and the end of panic: {words:?}");
    story.is(4, Nature::Sick);
    story.balancer.insert(endpoint(4)).unwrap();
    sleep(60 * SECOND).await;
    assert_eq!(story.words()[1..], ["`e004` unhealthy: 3 failed checks in a row: it says so"]);
    assert_eq!(story.got(4, 50), 0, "it never got anything");
    story.is(4, Nature::Well);
    story.until(4, Availability::Warming).await;
    // One that is back within the time it is remembered for has proved itself.
    story.balancer.remove(&id(0)).unwrap();
    story.balancer.insert(endpoint(0)).unwrap();
    assert_eq!(story.state(0), Availability::Available);
}

#[tokio::test(start_paused = true)]
async fn where_newcomers_warm_up_they_do_so_when_they_are_found_well() {
    let settings = "initial = 'unhealthy'\n[slow_start]\nnew_endpoints = true\n";
    let story = story(settings, 4).await;
    sleep(40 * SECOND).await;
    story.balancer.insert(endpoint(4)).unwrap();
    assert_eq!(story.state(4), Availability::Unhealthy);
    story.until(4, Availability::Warming).await;
    let weight = status(&story.balancer, &id(4)).effective_weight;
    assert!(weight <= 0.11, "{weight}");
}

#[tokio::test(start_paused = true)]
async fn checks_change_no_pick() {
    let picks = |balancer: &Balancer<usize>| {
        (0..200).map(|_| *crate::support::pick(balancer).target()).collect::<Vec<_>>()
    };
    let plain = builder("[strategy]\nkind = 'random'", 5, 7).build().unwrap();
    let ward = Ward::default();
    let checked = builder("[strategy]\nkind = 'random'\n[health]", 5, 7).probe(ward.probe());
    let checked = checked.build().unwrap();
    let _workers = (plain.start(), checked.start());
    sleep(30 * SECOND).await;
    assert!(ward.all_asked() > 20);
    assert_eq!(picks(&plain), picks(&checked));
}

#[tokio::test(start_paused = true)]
async fn a_seed_replays_who_is_asked_when() {
    let mut plays = Vec::new();
    for _ in 0..2 {
        let began = crate::support::now();
        let ward = Ward::default();
        let balancer = builder("[health]", 5, 7).probe(ward.probe()).build().unwrap();
        let worker = balancer.start();
        sleep(60 * SECOND).await;
        worker.stop().await;
        let times = |number| {
            let asked = ward.asked(number).into_iter();
            asked.map(|at| at.saturating_duration_since(began)).collect::<Vec<_>>()
        };
        plays.push((0..5).map(times).collect::<Vec<_>>());
    }
    assert_eq!(plays[0], plays[1]);
    assert!(plays[0][0].len() >= 11);
}

#[tokio::test(start_paused = true)]
async fn without_a_worker_settings_of_checks_only_wait() {
    let mut story = unattended("", 3);
    story.is(0, Nature::Sick);
    sleep(60 * SECOND).await;
    story.got(0, 30);
    assert_eq!((story.ward.all_asked(), story.words()), (0, SILENCE.map(Into::into).into()));
    story.balancer.replace(endpoints(0..3)).unwrap();
    assert_eq!(story.count(Availability::Available), 3);
}
