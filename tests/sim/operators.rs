//! Changes, by hand and by discovery, and what of the balancers runs beside requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use evenkeel::sim::{Action, Arrivals, Change, Client, Expect, Fault, Figure, Run, Scenario};

use crate::{millis, seconds, settings, shop};

/// The share of a server in the interval that begins at this second.
fn share(run: &Run, server: usize, second: usize) -> f64 {
    run.intervals[second].shares()[server]
}

#[test]
fn weights_and_drains_take_effect_at_their_time() {
    let run = shop("verbs", 2, "strategy.kind = 'round_robin'", 100.0)
        .changes([
            Change::at(seconds(5), Action::set_weight("s0", 3)),
            Change::at(seconds(10), Action::drain("s0")),
            Change::at(seconds(15), Action::enable("s0")),
        ])
        .lasting(seconds(20))
        .run()
        .unwrap();
    for (second, expected) in [(4, 0.5), (5, 0.75), (10, 0.0), (15, 0.5)] {
        let found = share(&run, 0, second);
        assert!((found - expected).abs() < 0.03, "at {second} s: {found}");
    }
}

#[test]
fn checks_run_in_virtual_time() {
    let run = shop("checks", 3, "outlier = false\nhealth.interval = '1s'", 100.0)
        .changes([
            Change::at(seconds(10), Action::fault("s1", Fault::Refused)),
            Change::at(seconds(30), Action::heal("s1")),
        ])
        .lasting(seconds(60))
        .run()
        .unwrap();
    let found = run.time_to_detection().unwrap();
    // Three bad answers, a second apart, each up to a tenth earlier or later.
    assert!((millis(1_800)..millis(3_400)).contains(&found), "{found:?}");
    assert_eq!(run.detected_by.as_deref(), Some("unhealthy"));
    assert_eq!(share(&run, 1, 20), 0.0);
    assert!(share(&run, 1, 32) > 0.01 && share(&run, 1, 32) < 0.2, "the ramp");
    // Without a worker nobody checks.
    let mut blind = shop("checks", 3, "outlier = false\nhealth.interval = '1s'", 100.0)
        .change(Change::at(seconds(10), Action::fault("s1", Fault::Refused)));
    blind.clients[0].worker = false;
    let run = blind.lasting(seconds(20)).run().unwrap();
    assert!(run.happenings_of("unhealthy").next().is_none());
}

#[test]
fn a_guarded_change_takes_itself_back_and_what_waits_for_that_is_set_off() {
    let hasty = settings("limits.attempt_timeout = '1ms'\noutlier = false");
    let run = shop("guarded", 3, "outlier = false", 200.0)
        .changes([
            Change::at(seconds(30), Action::apply_guarded(hasty, seconds(60))),
            Change::after_event("rolled_back", seconds(5), Action::remark()).note("so it is"),
        ])
        .lasting(seconds(60))
        .run()
        .unwrap();
    let undone = run.happenings_of("rolled_back").next().unwrap();
    assert!(undone.at > seconds(30) && undone.at <= seconds(40), "{undone:?}");
    let remark = run.happenings_of("remark").next().unwrap();
    assert_eq!((remark.at, &*remark.text), (undone.at + seconds(5), "so it is"));
    assert_eq!(run.intervals[59].failures, 0);
}

#[test]
fn every_client_hears_of_a_set_in_its_own_time() {
    let run = shop("discovery", 3, "", 100.0)
        .client(Client::new("late").hears_after(seconds(5)))
        .client(Client::new("deaf"))
        .changes([
            Change::at(seconds(8), Action::deafen()).to("deaf"),
            Change::at(seconds(10), Action::discover_weighted([("s0", 1), ("s1", 7)])),
            Change::at(seconds(20), Action::hear()).to("deaf"),
        ])
        .lasting(seconds(30))
        .run()
        .unwrap();
    let published = run.happenings_of("published");
    let heard: Vec<_> = published.map(|it| (it.client.as_deref().unwrap(), it.at)).collect();
    assert_eq!(heard, [("shop", seconds(10)), ("late", seconds(15)), ("deaf", seconds(20))]);
    assert_eq!(share(&run, 2, 25), 0.0);
    assert!(share(&run, 1, 25) > 0.6);
}

#[test]
fn a_client_that_is_cut_off_ejects_what_others_still_use() {
    let config = "limits.attempt_timeout = '200ms'";
    let run = shop("partition", 4, config, 0.0)
        .client(Client::new("far").config(settings(config)))
        .arrivals(Arrivals::poisson(100.0).to("shop"))
        .arrivals(Arrivals::poisson(100.0).to("far"))
        .changes([
            Change::at(seconds(5), Action::cut_off(["s3"])).to("far"),
            Change::at(seconds(20), Action::reconnect()).to("far"),
        ])
        .lasting(seconds(60))
        .run()
        .unwrap();
    let ejections: Vec<_> = run.happenings_of("ejection").collect();
    assert!(!ejections.is_empty());
    for ejection in ejections {
        assert_eq!(ejection.client.as_deref(), Some("far"), "{ejection:?}");
        assert_eq!(ejection.endpoint.as_deref(), Some("s3"), "{ejection:?}");
    }
    // Half of the requests come from the one that reaches it.
    assert!(share(&run, 3, 15) > 0.08 && share(&run, 3, 15) < 0.2, "{}", share(&run, 3, 15));
}

#[test]
fn settings_may_bring_endpoints_and_an_address_without_a_server_is_nobody() {
    let endpoints = r#"
        outlier = false
        strategy.kind = "round_robin"
        [[endpoints]]
        id = "one"
        address = "s0"
        [[endpoints]]
        id = "two"
        address = "nowhere"
    "#;
    let run = shop("addresses", 2, endpoints, 100.0).lasting(seconds(10)).run().unwrap();
    assert_eq!(run.servers[1].attempts, 0);
    let failed = run.totals.failed_attempts.no_connection as f64 / run.totals.requests as f64;
    assert!((0.45..0.55).contains(&failed), "{:?}", run.totals);
}

#[test]
fn code_of_ones_own_runs_with_every_balancer() {
    let (calls, names) = (Arc::new(AtomicUsize::new(0)), 3);
    let count = Arc::clone(&calls);
    let call = Action::call(move |balancer| {
        assert_eq!(balancer.status().endpoints.len(), 2);
        count.fetch_add(1, Ordering::Relaxed);
    });
    let mut scenario = shop("call", 2, "", 10.0).change(Change::at(seconds(1), call));
    scenario.clients[0].copies = names;
    let run = scenario.lasting(seconds(2)).run().unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 3);
    assert_eq!(run.totals.failures, 0);
}

#[test]
fn a_human_detects_what_no_event_tells() {
    let run = shop("human", 2, "outlier = false\nstrategy.failure_penalty = false", 100.0)
        .changes([
            Change::at(seconds(10), Action::fault("s0", Fault::fast_failure())),
            Change::at(seconds(40), Action::notice()).note("customers call"),
            Change::after_detection(seconds(10), Action::restart("s0")),
            Change::after_detection(seconds(10), Action::heal("s0")),
        ])
        .lasting(seconds(80))
        .run()
        .unwrap();
    assert_eq!(run.time_to_detection(), Some(seconds(30)));
    let over = run.time_to_recovery().unwrap();
    assert!((seconds(39)..=seconds(41)).contains(&over), "{over:?}");
    assert!(run.largest_share().is_some_and(|(share, server)| share > 0.6 && server == "s0"));
    let unmet = run.check(&Expect::new().detected_within(seconds(10)).servers_lost_at_most(0));
    let unmet = unmet.unwrap_err();
    assert_eq!(unmet.findings().len(), 1);
    assert_eq!(unmet.findings()[0].figure, Figure::SecondsToDetection);
    let said = "human:\n  time to detection: 30 s, expected at most 10 s";
    assert_eq!(unmet.to_string(), said);
    run.check(&Expect::new().happens("noticed").failed_percent_at_most(80.0)).unwrap();
}

#[test]
fn what_cannot_be_run_is_refused_all_at_once() {
    let error = Scenario::new("wrong")
        .server(evenkeel::sim::Server::new("a").workers(0))
        .arrivals(Arrivals::poisson(f64::NAN).to("shpo"))
        .client(Client::new("shop"))
        .change(Change::at(seconds(1), Action::heal("b")))
        .lasting(seconds(0))
        .run()
        .unwrap_err();
    let paths: Vec<_> = error.problems().iter().map(|problem| &*problem.path).collect();
    let rate = "arrivals[0].pattern.open.rate[0].per_second";
    let expected = ["lasting", "servers[0].workers", rate, "arrivals[0].client", "changes[0].do"];
    assert_eq!(paths, expected);
    assert!(error.to_string().contains("did you mean `shop`?"), "{error}");
    let mut refused = shop("x", 1, "", 1.0);
    refused.clients[0].config = settings("strategy = { kind = 'custom', custom = 'mine' }");
    let error = refused.run().unwrap_err();
    assert!(error.problems()[0].path.starts_with("clients.shop.config.strategy"), "{error}");
}
