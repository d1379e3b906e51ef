//! How endpoints fall out: dead, flapping, slow, silent; and callers who go away.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use evenkeel::{Availability, Balancer, BoxError, Decision, Endpoint, Event, Outcome, Rule};
use tokio::time::advance;
use tower::{Service, ServiceExt};

use crate::support::{balancer, config, id, now, pick_only, received, status};
use crate::{SECOND, TICK, sentence, steps, story, told, until};

#[tokio::test(start_paused = true)]
async fn a_dead_endpoint_is_out_for_ever_longer_until_it_lives() {
    let mut story = told(balancer("[strategy]\nkind = 'round_robin'", 4, 7));
    story.fail(1, 4);
    assert_eq!(story.told().len(), 0);
    story.fail(1, 1);
    let began = now();
    let events = story.told();
    let (ends, times) = sentence(&events);
    let [Event::Ejection(ejection)] = events.as_slice() else { unreachable!() };
    assert_eq!((&ejection.endpoint, &ejection.rule), (&id(1), &Rule::ConsecutiveFailures));
    assert_eq!((ejection.observed, ejection.threshold, times), (5.0, 5.0, 1));
    assert!(began + 30 * SECOND <= ends && ends <= began + 33 * SECOND, "base and a tenth");
    let mut ends = ends;
    for failed in 2..=14 {
        advance(until(ends) - TICK).await;
        assert_eq!(story.state(1), Availability::Ejected);
        assert!(story.only(1).is_none() && story.got(1, 40) == 0);
        advance(TICK).await;
        assert_eq!(story.state(1), Availability::Probing);
        story.fail(1, 1);
        let came = story.words();
        assert_eq!(came[0], "`e001` is probed");
        assert_eq!(came[1], format!("`e001` ejected: its probe failed, {failed} times in a row"));
        assert_eq!((came.len(), story.times(1)), (2, failed));
        let time = (30 * failed).min(300);
        let left = story.left(1);
        assert!(time * SECOND <= left && left <= time * SECOND * 11 / 10, "{failed}: {left:?}");
        ends = now() + left;
    }
    story.probe(1, Outcome::Success).await;
    assert_eq!(story.state(1), Availability::Warming);
    advance(30 * SECOND).await;
    story.settle();
    assert_eq!(
        story.words(),
        [
            "`e001` is probed",
            "`e001` has proved itself and takes a growing share",
            "`e001` takes its full share again",
        ]
    );
    // Each good interval makes up for one ejection, an interval without answers for none.
    for _ in 0..3 {
        advance(10 * SECOND).await;
        story.settle();
    }
    assert_eq!(story.times(1), 14);
    for left in (0..14).rev() {
        story.succeed(1, 3);
        advance(10 * SECOND).await;
        story.settle();
        assert_eq!(story.times(1), left);
    }
    assert_eq!(story.words(), [""; 0], "what is made up for is no news");
    story.fail(1, 5);
    let (ends, times) = sentence(&story.told());
    assert_eq!(times, 1);
    assert!(until(ends) <= 33 * SECOND, "forgiven in full");
}

#[tokio::test(start_paused = true)]
async fn overloaded_and_ignored_answers_neither_trip_nor_save() {
    let story = story("", 4);
    story.fail(1, 4);
    story.answer(1, 20, Outcome::overloaded(None));
    story.answer(1, 20, Outcome::Ignore);
    assert_eq!(story.state(1), Availability::Available);
    story.fail(1, 1);
    assert_eq!(story.state(1), Availability::Ejected);
    story.fail(2, 4);
    story.succeed(2, 1);
    story.fail(2, 4);
    assert_eq!(story.state(2), Availability::Available);
}

#[tokio::test(start_paused = true)]
async fn a_flapping_endpoint_is_away_longer_each_time() {
    let mut story = story("", 4);
    let mut away = Vec::new();
    for _ in 0..4 {
        story.fail(1, 5);
        away.push(story.left(1) / 30);
        // It answers the probe, and fails again as soon as it gets more.
        story.probe(1, Outcome::Success).await;
    }
    assert_eq!(away, [SECOND, 2 * SECOND, 3 * SECOND, 4 * SECOND]);
    let told = story.told();
    assert_eq!(told.len(), 4 * 3);
    assert_eq!(told[9].to_string(), "`e001` ejected: 5 failures in a row, 4 times in a row");
    // An hour of good answers, and it begins again.
    for _ in 0..4 {
        story.succeed(1, 1);
        advance(10 * SECOND).await;
        story.settle();
    }
    story.fail(1, 5);
    assert_eq!(story.left(1), 30 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_slow_endpoint_that_answers_correctly_is_out() {
    let settings = "interval = '1s'\n[outlier.latency]\nrequest_volume = 20\n";
    let mut story = story(settings, 4);
    let requests = |number| (0..40).map(|_| pick_only(&story.balancer, &id(number))).collect();
    let leases: Vec<Vec<_>> = (0..4).map(requests).collect();
    let mut leases: Vec<_> = leases.into_iter().map(Some).collect();
    advance(20 * SECOND / 1_000).await;
    for number in [0, 2, 3] {
        leases[number].take().into_iter().flatten().for_each(|it| it.finish(Outcome::Success));
    }
    advance(180 * SECOND / 1_000).await;
    leases[1].take().into_iter().flatten().for_each(|it| it.finish(Outcome::Success));
    assert_eq!(story.state(1), Availability::Available, "it is judged by the sweep");
    advance(SECOND).await;
    story.settle();
    let events = story.told();
    let (ends, times) = sentence(&events);
    assert_eq!((until(ends), times), (30 * SECOND, 1));
    let [Event::Ejection(ejection)] = events.as_slice() else { unreachable!() };
    assert_eq!((&ejection.endpoint, &ejection.rule), (&id(1), &Rule::Latency));
    // Milliseconds, within a bucket of the histogram.
    assert!((150.0..260.0).contains(&ejection.observed), "{ejection}");
    assert!((45.0..90.0).contains(&ejection.threshold), "{ejection}");
}

/// Answers at once, or never.
#[derive(Clone, Copy)]
struct Server {
    answers: bool,
}

impl Service<()> for Server {
    type Response = ();
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<(), Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        let answers = self.answers;
        Box::pin(async move {
            if !answers {
                std::future::pending::<()>().await;
            }
            Ok(())
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_black_hole_is_out_after_the_first_timeouts() {
    for (rows, rule) in [
        ("", Rule::ConsecutiveFailures),
        (
            "consecutive_failures = false\n[outlier.consecutive_local_failures]\n",
            Rule::ConsecutiveLocalFailures,
        ),
    ] {
        let settings = format!("{}{rows}[limits]\nattempt_timeout = '2s'", crate::EXACT);
        let servers = (0..3).map(|at| Endpoint::new(id(at), Server { answers: at != 1 }));
        let balancer: Balancer<Server> =
            Balancer::builder().config(config(&settings)).endpoints(servers).build().unwrap();
        let mut events = balancer.subscribe();
        let mut failed = 0;
        for _ in 0..300 {
            let answer: Result<(), BoxError> = balancer.service().oneshot(()).await;
            failed += usize::from(answer.is_err());
        }
        assert_eq!(failed, 5, "{rule}: no caller meets it any more");
        let told = received(&mut events);
        let [Event::Ejection(ejection)] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((&ejection.endpoint, &ejection.rule), (&id(1), &rule));
        // It is probed by one request for each ejection, and no other fails.
        advance(30 * SECOND).await;
        for _ in 0..300 {
            failed += usize::from(balancer.service().oneshot(()).await.is_err());
        }
        assert_eq!(failed, 6);
        assert_eq!(status(&balancer, &id(1)).ejections, 2);
        assert_eq!(status(&balancer, &id(1)).in_flight, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn callers_who_go_away_judge_nothing() {
    let mut story = story("", 3);
    let leases: Vec<_> = (0..50).map(|_| pick_only(&story.balancer, &id(1))).collect();
    advance(600 * SECOND).await;
    drop(leases);
    for _ in 0..50 {
        drop(pick_only(&story.balancer, &id(1)));
    }
    assert_eq!((story.state(1), story.words()), (Availability::Available, Vec::new()));
    // Nor do those whose own clock runs out around the balancer.
    let servers = (0..3).map(|at| Endpoint::new(id(at), Server { answers: false }));
    let balancer: Balancer<Server> = Balancer::builder().endpoints(servers).build().unwrap();
    let mut events = balancer.subscribe();
    for _ in 0..60 {
        let call = balancer.service().oneshot(());
        assert!(tokio::time::timeout(SECOND, call).await.is_err());
    }
    assert_eq!(received(&mut events).len(), 0);
    assert!(balancer.status().endpoints.iter().all(|it| it.in_flight == 0 && it.failures == 0));
}

#[tokio::test(start_paused = true)]
async fn who_waited_long_enough_and_goes_away_speaks_against_the_endpoint() {
    let mut story = story("abandoned_after = '2s'\n", 3);
    let wait = |n| (0..n).map(|_| pick_only(&story.balancer, &id(1))).collect::<Vec<_>>();
    let (short, long) = (wait(20), wait(5));
    advance(2 * SECOND - TICK).await;
    drop(short);
    assert_eq!(story.state(1), Availability::Available);
    advance(TICK).await;
    drop(long);
    assert_eq!(story.state(1), Availability::Ejected);
    assert_eq!(story.words(), ["`e001` ejected: 5 failures in a row"]);
    // A probe that is given up for that long has failed; one given up sooner says nothing.
    advance(30 * SECOND).await;
    drop(story.only(1).unwrap());
    assert_eq!(steps(&story.told()).len(), 1);
    let probe = story.only(1).unwrap();
    advance(2 * SECOND).await;
    drop(probe);
    assert_eq!(story.words(), ["`e001` ejected: its probe failed, 2 times in a row"]);
}

#[tokio::test(start_paused = true)]
async fn of_those_whom_a_sweep_finds_the_worst_go_first() {
    let settings = "max_ejected_percent = 34\n[outlier.failure_percentage]\nthreshold = 20\n\
                    request_volume = 12\nminimum_hosts = 1\n";
    let mut story = story(settings, 6);
    for (number, bad) in [(0, 1), (2, 2), (3, 3), (5, 1)] {
        for _ in 0..4 {
            story.fail(number, bad);
            story.succeed(number, 4 - bad);
        }
    }
    assert_eq!(story.words(), [""; 0]);
    advance(10 * SECOND).await;
    story.settle();
    assert_eq!(
        story.words(),
        [
            "`e003` ejected: failure percentage 75 %, the limit is 20 %",
            "`e002` ejected: failure percentage 50 %, the limit is 20 %",
            "`e000` not ejected: failure percentage 25 %, the limit is 20 %: at most 2 may be out",
            "`e005` not ejected: failure percentage 25 %, the limit is 20 %: at most 2 may be out",
        ]
    );
    assert_eq!(
        [0, 2, 3, 5].map(|number| story.state(number)),
        [
            Availability::Available,
            Availability::Ejected,
            Availability::Ejected,
            Availability::Available
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn chance_decides_as_often_as_it_is_told_to() {
    let settings = "max_ejected_percent = 100\n[outlier.consecutive_failures]\nenforce_percent = ";
    let mut enforced = Vec::new();
    for percent in [0, 30, 100] {
        let mut out = 0;
        for seed in 0..40 {
            let balancer = balancer(&format!("{}{settings}{percent}", crate::EXACT), 11, seed);
            let mut events = balancer.subscribe();
            for number in 0..10 {
                (0..5).for_each(|_| pick_only(&balancer, &id(number)).finish(Outcome::failure()));
            }
            for event in received(&mut events) {
                match event {
                    Event::Ejection(it) if it.enforced() => out += 1,
                    Event::Ejection(it) => assert_eq!(it.decision, Decision::Chance),
                    // With so many out there is panic, which is another story.
                    Event::Panic { .. } => {}
                    other => panic!("{other}"),
                }
            }
        }
        enforced.push(out);
    }
    // Of 400 tries.
    assert!(enforced[0] == 0 && enforced[2] == 400, "{enforced:?}");
    assert!((80..160).contains(&enforced[1]), "{enforced:?}");
    // What chance let stay is told once per ejection time, and goes on being tried.
    let mut story = story("[outlier.consecutive_failures]\nenforce_percent = 0\n", 3);
    story.fail(1, 500);
    assert_eq!(story.words(), ["`e001` not ejected: 5 failures in a row: left to chance"]);
    advance(30 * SECOND).await;
    story.fail(1, 5);
    // All of these requests exclude the other two, and one of three that has all is told.
    let words = story.words();
    assert_eq!(words.len(), 3, "{words:?}");
    assert!(words[0].starts_with("`e001` receives 100 % of all requests"), "{words:?}");
    assert!(words[0].ends_with("exclude endpoints, as attempts after the first do"), "{words:?}");
    assert_eq!(words[1], format!("alarm: {}", words[0]));
    assert_eq!(words[2], "`e001` not ejected: 5 failures in a row: left to chance");
}
