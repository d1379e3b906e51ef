//! The same scenario, the same run.

use evenkeel::sim::{
    Action, Arrivals, Change, Client, Fault, Keys, Retries, Scenario, Server, ServiceTime,
};

use crate::{millis, seconds, settings, shop};

/// A bit of everything: workers, checks, ejections, several clients, retries, a guarded change.
fn lively() -> Scenario {
    let config = "limits.attempt_timeout = '200ms'\nhealth = {}\noutlier.latency = {}";
    let slow = settings("limits.attempt_timeout = '200ms'\nstrategy.kind = 'peak_ewma'");
    shop("lively", 4, config, 100.0)
        .client(Client::new("other").copies(5).config(settings(config)).hears_after(millis(700)))
        .server(Server::new("new").service(ServiceTime::heavy_tailed(millis(5), 2.2)).unlisted())
        .arrivals(
            Arrivals::bursts(50.0, 7)
                .retries(Retries::times(2).after(millis(10)).elsewhere())
                .patience(seconds(1))
                .keys(Keys::even(100).hot(10.0)),
        )
        .arrivals(Arrivals::closed(10, ServiceTime::exponential(millis(100))).to("shop"))
        .changes([
            Change::at(seconds(5), Action::fault("s0", Fault::BlackHole)),
            Change::at(seconds(6), Action::discover(["s0", "s1", "s2", "s3", "new"])),
            Change::at(seconds(8), Action::apply_guarded(slow, seconds(5))).to("other"),
            Change::after_detection(seconds(10), Action::heal("s0")),
        ])
        .lasting(seconds(30))
        .traced()
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_another() {
    let (once, again) = (lively().run().unwrap(), lively().run().unwrap());
    assert!(once == again, "{:?}\n{:?}", once.totals, again.totals);
    assert_eq!(once.trace.len() as u64, once.totals.requests);
    assert!(once.detected_at.is_some(), "{:?}", once.happenings);
    let other = lively().seed(2).run().unwrap();
    assert_ne!(once.trace_hash, other.trace_hash);
}

#[tokio::test]
async fn it_is_the_same_inside_of_a_runtime_and_beside_others() {
    let alone = lively().run().unwrap();
    let beside = std::thread::spawn(|| lively().run().unwrap());
    assert_eq!(lively().run().unwrap().trace_hash, alone.trace_hash);
    assert_eq!(beside.join().unwrap().trace_hash, alone.trace_hash);
}

#[test]
fn one_more_server_changes_nothing_for_those_that_come_before() {
    let run = |servers| {
        let scenario = shop("x", servers, "", 50.0).lasting(seconds(5)).traced();
        scenario.run().unwrap().trace.iter().map(|request| request.at).collect::<Vec<_>>()
    };
    // When requests come depends on their own stream of numbers alone; those that have not ended
    // at the end are not traced.
    let (few, more) = (run(2), run(3));
    let (mut few, mut more) = (few, more);
    few.sort();
    more.sort();
    few.truncate(200);
    more.truncate(200);
    assert_eq!(few, more);
}
