//! What becomes of requests.

use std::time::Duration;

use evenkeel::sim::{
    Action, Answer, Arrivals, Change, Client, Fault, Retries, Scenario, Server, ServiceTime,
    WhenFull,
};

use crate::{millis, seconds, settings, shop};

/// One server that takes a second for each request, and so many requests at once.
fn full(server: Server, requests: usize) -> Scenario {
    Scenario::new("full")
        .server(server.service(ServiceTime::fixed(seconds(1))))
        .client(Client::new("one").config(settings("outlier = false")))
        .arrivals(Arrivals::trace(vec![seconds(1); requests]))
        .traced()
}

fn answers(scenario: &Scenario) -> Vec<Answer> {
    scenario.run().unwrap().trace.iter().map(|request| request.answer).collect()
}

#[test]
fn a_queue_is_served_in_order_and_refuses_what_it_has_no_room_for() {
    let run = full(Server::new("a").queue(2, WhenFull::Overloaded), 5).run().unwrap();
    let took: Vec<_> = run.trace.iter().map(|request| request.took).collect();
    let refused = Duration::from_micros(100);
    assert_eq!(took, [refused, refused, seconds(1), seconds(2), seconds(3)]);
    assert_eq!(run.trace[0].answer, Answer::Overloaded);
    assert_eq!(run.totals.failed_attempts.turned_away, 2);
    assert_eq!(run.servers[0].most_in_hand, 3);
    assert_eq!((run.totals.mean_latency, run.totals.latency.max), (seconds(2), seconds(3)));
}

#[test]
fn workers_work_side_by_side() {
    let run = full(Server::new("a").workers(5), 5).run().unwrap();
    assert!(run.trace.iter().all(|request| request.took == seconds(1)), "{:?}", run.trace);
}

#[test]
fn a_server_crashes_of_its_queue_and_comes_back_cold() {
    let server = Server::new("a").crash_at(4).restart_after(seconds(10)).cold(3.0, seconds(20));
    let late = Arrivals::trace([5, 12, 31].map(seconds));
    let run = full(server, 4).arrivals(late).run().unwrap();
    let trace: Vec<_> = run.trace.iter().map(|it| (it.answer, it.took)).collect();
    let refused = Duration::from_micros(100);
    let crashed = [(Answer::NoConnection, Duration::ZERO); 4];
    // At 12 s it has been up for one of 20 s, and takes 1 + 2 · 19/20 as long.
    let cold = (Answer::Good, millis(2_900));
    let rest = [(Answer::NoConnection, refused), cold, (Answer::Good, seconds(1))];
    assert_eq!(trace, [&crashed[..], &rest[..]].concat());
    assert_eq!((run.servers[0].crashes, run.servers_lost()), (1, 1));
    let kinds: Vec<_> = run.happenings.iter().map(|it| (it.at, &*it.kind)).collect();
    assert_eq!(kinds, [(seconds(1), "crash"), (seconds(11), "restart")]);
}

#[test]
fn faults_fail_as_they_should() {
    let after = |fault: Fault| {
        let scenario = shop("fault", 1, "outlier = false\nlimits.attempt_timeout = '1s'", 50.0);
        let fault = Change::at(Duration::ZERO, Action::fault("s0", fault));
        scenario.change(fault).lasting(seconds(20)).run().unwrap()
    };
    let hole = after(Fault::BlackHole).totals;
    assert_eq!((hole.successes, hole.failed_attempts.timed_out), (0, hole.failures));
    let refused = after(Fault::Refused).totals;
    assert_eq!((refused.successes, refused.failed_attempts.no_connection), (0, refused.failures));
    let fast = after(Fault::fast_failure()).totals;
    assert_eq!((fast.successes, fast.failed_attempts.errors), (0, fast.failures));
    let grey = after(Fault::grey(1.5, 20.0)).totals;
    let failed = grey.failures as f64 / grey.requests as f64;
    assert!((0.15..0.25).contains(&failed), "{grey:?}");
    let (brown, well) = (after(Fault::brown_out(1.9)).totals, after(Fault::brown_out(1.0)).totals);
    assert!(brown.mean_latency > 4 * well.mean_latency, "{brown:?} {well:?}");
    let flapping = after(Fault::Refused.flapping(seconds(1), seconds(1))).totals;
    let failed = flapping.failures as f64 / flapping.requests as f64;
    assert!((0.4..0.6).contains(&failed), "{flapping:?}");
}

#[test]
fn the_time_of_an_attempt_is_ended_as_the_service_ends_it() {
    let timed = "limits.attempt_timeout = '1500ms'\noutlier = false";
    let mut scenario = full(Server::new("a"), 3);
    scenario.clients[0].config = settings(timed);
    let run = scenario.run().unwrap();
    let ended: Vec<_> = run.trace.iter().map(|it| (it.answer, it.took)).collect();
    let late = (Answer::TimedOut, millis(1_500));
    assert_eq!(ended, [(Answer::Good, seconds(1)), late, late]);
    // It works on them all the same, and the next one waits: unless it notices.
    let next = Arrivals::trace([millis(2_600)]);
    let took = |server: Server| {
        let mut scenario = full(server, 3).arrivals(next.clone());
        scenario.clients[0].config = settings(timed);
        scenario.run().unwrap().trace[3].took
    };
    assert_eq!(took(Server::new("a")), millis(1_500));
    assert_eq!(took(Server::new("a").notices_hang_ups()), seconds(1));
}

#[test]
fn users_who_retry_try_elsewhere_and_lose_patience() {
    let refused = Server::new("a").fault(Fault::Refused).weight(1_000);
    let retries = Retries::times(1).elsewhere();
    let scenario = |retries: Option<Retries>| {
        let mut arrivals = Arrivals::even(20.0);
        arrivals.retries = retries;
        Scenario::new("retries")
            .servers([refused.clone(), Server::new("b")])
            .client(
                Client::new("one").config(settings("outlier = false\nstrategy.kind = 'random'")),
            )
            .arrivals(arrivals)
            .lasting(seconds(10))
    };
    let run = scenario(Some(retries)).run().unwrap();
    assert_eq!(run.totals.failures, 0);
    assert!(run.totals.retries > 150, "{:?}", run.totals);
    assert_eq!(run.totals.attempts, run.servers[0].attempts + run.servers[1].attempts);
    let run = scenario(None).run().unwrap();
    assert!(run.totals.failures > 150, "{:?}", run.totals);

    let mut patient = full(Server::new("a"), 3);
    patient.arrivals[0].patience = Some(millis(1_500));
    assert_eq!(answers(&patient), [Answer::Good, Answer::GivenUp, Answer::GivenUp]);
}

#[test]
fn whoever_has_no_endpoint_is_refused_and_a_closed_loop_goes_on() {
    let think = ServiceTime::fixed(Duration::ZERO);
    let nobody = Scenario::new("nobody").arrivals(Arrivals::closed(2, think)).lasting(seconds(1));
    let run = nobody.run().unwrap();
    assert_eq!(run.totals.refused, run.totals.requests);
    assert!((1_900..=2_002).contains(&run.totals.requests), "{:?}", run.totals);
    // Nor do those who never tire of trying.
    let stubborn = Arrivals::trace([seconds(1)]).retries(Retries::times(u32::MAX));
    let run = Scenario::new("nobody").arrivals(stubborn).lasting(seconds(2)).run().unwrap();
    assert_eq!((run.totals.refused, run.totals.unfinished), (1_000, 1));
}

#[test]
fn closed_loops_never_have_more_than_their_users_under_way() {
    let think = ServiceTime::exponential(millis(20));
    let mut scenario = shop("closed", 2, "", 0.0).lasting(seconds(20));
    scenario = scenario.arrivals(Arrivals::closed(5, think));
    let run = scenario.run().unwrap();
    for interval in &run.intervals {
        assert!(interval.in_hand.iter().sum::<u32>() <= 5, "{interval:?}");
    }
    assert!(run.totals.requests > 2_000, "{:?}", run.totals);
}

#[test]
fn totals_are_the_sums_of_the_intervals() {
    let run = shop("sums", 3, "", 200.0).lasting(millis(10_500)).run().unwrap();
    assert_eq!(run.intervals.len(), 11);
    let sum = |of: fn(&evenkeel::sim::Interval) -> u64| run.intervals.iter().map(of).sum::<u64>();
    assert_eq!(sum(|it| it.requests), run.totals.requests);
    assert_eq!(sum(|it| it.failures), run.totals.failures);
    assert_eq!(sum(|it| it.sent.iter().sum()), run.totals.attempts);
    assert_eq!(run.totals.attempts, run.totals.requests + run.totals.unfinished);
    let shares: f64 = run.intervals[0].shares().iter().sum();
    assert!((shares - 1.0).abs() < 1e-9);
}
