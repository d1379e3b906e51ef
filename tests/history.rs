//! Who changed what, and the way back.

#![allow(clippy::unwrap_used)]
#![cfg(feature = "config")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use evenkeel::{
    ApplyError, Availability, Balancer, Change, Config, Endpoint, EndpointId, EndpointSpec, Event,
    Key, RollbackError,
};
use support::received;

fn balancer() -> Balancer<String> {
    let endpoints = ["a", "b", "c", "d"].map(|id| Endpoint::new(id, id.to_owned()));
    Balancer::builder()
        .endpoints(endpoints)
        .make(|spec: &EndpointSpec| match spec.address.as_str() {
            "nowhere" => Err("no route".into()),
            address => Ok(address.to_owned()),
        })
        .build()
        .unwrap()
}

fn settings(kind: &str) -> Config {
    Config::from_toml(&format!("[strategy]\nkind = '{kind}'")).unwrap()
}

fn kind(balancer: &Balancer<String>) -> String {
    balancer.config().strategy().kind().to_string()
}

fn weight(balancer: &Balancer<String>, id: &str) -> u32 {
    balancer.status().endpoint(&id.into()).unwrap().weight
}

#[test]
fn a_revision_says_who_when_why_what_and_with_which_effect() {
    let balancer = balancer();
    let change = Change::new(settings("round_robin")).by("ann").because("to compare");
    let version = balancer.apply(change).unwrap();
    balancer.set_weight(&"a".into(), 3).unwrap();
    let history = balancer.history();
    assert_eq!(history.len(), 3);
    assert_eq!(history[0].change, "built");
    let applied = &history[1];
    assert_eq!(applied.version, version);
    assert_eq!(
        (applied.by.as_deref(), applied.because.as_deref()),
        (Some("ann"), Some("to compare"))
    );
    assert_eq!(applied.differences, ["strategy.kind: least_request → round_robin"]);
    assert!(applied.effect.is_empty());
    let reweighted = &history[2];
    assert_eq!(reweighted.change, "weight of `a` set from 1 to 3");
    let effect: Vec<_> = reweighted.effect.iter().map(|it| (it.id.as_str(), it.after)).collect();
    assert_eq!(effect[0], ("a", 0.5));
    assert!(history.is_sorted_by_key(|revision| (revision.version, revision.at)));
}

#[test]
fn discovery_writes_no_history() {
    let balancer = balancer();
    balancer.insert(Endpoint::new("e", String::new())).unwrap();
    balancer.remove(&"e".into()).unwrap();
    assert_eq!(balancer.history().len(), 1);
    assert_eq!(balancer.rollback(), Err(RollbackError::NothingBefore));
}

#[test]
fn the_history_is_bounded() {
    let balancer = balancer();
    for weight in 1..200 {
        balancer.set_weight(&"a".into(), weight).unwrap();
    }
    assert_eq!(balancer.history().len(), 64);
}

#[test]
fn rolling_back_brings_back_settings_and_words() {
    let balancer = balancer();
    balancer.set_weight(&"a".into(), 5).unwrap();
    balancer.apply(settings("random")).unwrap();
    balancer.disable(&"b".into()).unwrap();
    let before = balancer.version();
    let version = balancer.rollback().unwrap();
    assert!(version > before);
    assert_eq!(balancer.status().endpoint(&"b".into()).unwrap().state, Availability::Available);
    assert_eq!((kind(&balancer), weight(&balancer, "a")), ("random".to_owned(), 5));
}

#[test]
fn rolling_back_twice_goes_back_two() {
    let balancer = balancer();
    balancer.set_weight(&"a".into(), 2).unwrap();
    balancer.set_weight(&"a".into(), 3).unwrap();
    balancer.set_weight(&"a".into(), 4).unwrap();
    for expected in [3, 2, 1] {
        balancer.rollback().unwrap();
        assert_eq!(weight(&balancer, "a"), expected);
    }
    assert_eq!(balancer.rollback(), Err(RollbackError::NothingBefore));
    // A new change starts from here, and going back from it comes here again.
    balancer.set_weight(&"a".into(), 9).unwrap();
    balancer.rollback().unwrap();
    assert_eq!(weight(&balancer, "a"), 1);
    let restores = balancer.history().iter().filter(|revision| revision.restores.is_some()).count();
    assert_eq!(restores, 4);
}

#[test]
fn a_rollback_leaves_the_set_to_discovery_and_asks_no_guard() {
    let balancer = balancer();
    let guarded = Config::from_toml("[guard]\nmax_share_percent = 40").unwrap();
    balancer.set_weight(&"a".into(), 100).unwrap();
    balancer.apply(guarded).unwrap();
    balancer.set_weight(&"a".into(), 1).unwrap();
    balancer.remove(&"b".into()).unwrap();
    balancer.rollback().unwrap();
    assert_eq!(weight(&balancer, "a"), 100);
    assert!(balancer.status().endpoint(&"b".into()).is_none());
}

#[tokio::test(start_paused = true)]
async fn words_whose_time_is_over_are_not_brought_back() {
    let balancer = balancer();
    drop(balancer.drain_for(&"a".into(), Duration::from_secs(5)).unwrap());
    balancer.enable(&"a".into()).unwrap();
    tokio::time::advance(Duration::from_secs(9)).await;
    balancer.rollback().unwrap();
    assert_eq!(balancer.status().endpoint(&"a".into()).unwrap().state, Availability::Available);
}

/// A file with wrong endpoints is taken back with its endpoints, and may be mended and sent again.
#[test]
fn rolling_back_brings_back_the_endpoints_that_the_settings_describe() {
    let described = |ids: &[&str]| {
        let specs = ids.iter().map(|id| EndpointSpec::new(*id, *id)).collect();
        Config::default().with_update(None).with_endpoints(Some(specs)).unwrap()
    };
    let ids = |balancer: &Balancer<String>| -> Vec<EndpointId> {
        balancer.status().endpoints.into_iter().map(|it| it.id).collect()
    };
    let balancer = balancer();
    balancer.apply(described(&["a", "b"])).unwrap();
    let lease = balancer.pick(&Key::none().excluding(&"b".into())).unwrap();
    balancer.disable(&"b".into()).unwrap();
    balancer.apply(described(&["x", "y"])).unwrap();
    let before = balancer.version();
    let version = balancer.rollback().unwrap();
    assert_eq!((version.config, version.set), (before.config + 1, before.set + 1));
    assert_eq!(ids(&balancer), ["a", "b"].map(EndpointId::from));
    assert_eq!(balancer.status().endpoints[0].in_flight, 1, "it is still what it was");
    assert_eq!(balancer.status().endpoints[1].state, Availability::Disabled);
    assert_eq!(balancer.config().endpoints(), described(&["a", "b"]).endpoints());
    drop(lease);
    // Settings that describe the same endpoints leave the set to discovery.
    balancer.enable(&"b".into()).unwrap();
    balancer.remove(&"b".into()).unwrap();
    balancer.rollback().unwrap();
    assert_eq!(ids(&balancer), ["a"].map(EndpointId::from));
}

#[test]
fn a_rollback_to_endpoints_that_cannot_be_made_changes_nothing() {
    let open = Arc::new(AtomicBool::new(true));
    let is_open = Arc::clone(&open);
    let described = |id: &str| {
        let specs = vec![EndpointSpec::new(id, id)];
        Config::default().with_endpoints(Some(specs)).unwrap()
    };
    let make = move |spec: &EndpointSpec| {
        if is_open.load(Ordering::Relaxed) {
            Ok(spec.address.clone())
        } else {
            Err("closed".into())
        }
    };
    let balancer = Balancer::builder().make(make).config(described("a")).build().unwrap();
    balancer.apply(described("x")).unwrap();
    open.store(false, Ordering::Relaxed);
    let before = (balancer.version(), format!("{:?}", balancer.status()), balancer.history().len());
    let mut events = balancer.subscribe();
    let error = balancer.rollback().unwrap_err();
    assert!(matches!(&error, RollbackError::Endpoints { .. }), "{error}");
    assert!(error.to_string().contains("closed"), "{error}");
    match received(&mut events).as_slice() {
        [told @ Event::RollbackFailed { version, error: why }] => {
            assert_eq!((*version, why), (balancer.version(), &error));
            assert_eq!(
                told.to_string(),
                format!("not rolled back, still version {version}: {error}")
            );
        }
        other => panic!("{other:?}"),
    }
    let after = (balancer.version(), format!("{:?}", balancer.status()), balancer.history().len());
    assert_eq!(after, before);
}

/// Time must not stand between an operator and the change to be taken back.
#[tokio::test(start_paused = true)]
async fn a_drain_that_ends_by_itself_is_not_what_is_rolled_back() {
    let balancer = balancer();
    drop(balancer.drain_for(&"a".into(), Duration::from_secs(5)).unwrap());
    balancer.apply(settings("random")).unwrap();
    tokio::time::advance(Duration::from_secs(5)).await;
    let restored = balancer.rollback().unwrap();
    assert_eq!(kind(&balancer), "least_request");
    let history = balancer.history();
    let [.., drained, applied, over, back] = history.as_slice() else { panic!("{history:?}") };
    assert_eq!((over.version.config, back.version), (applied.version.config + 1, restored));
    assert_eq!(back.restores, Some(drained.version));
    // Twice goes back two.
    balancer.rollback().unwrap();
    assert_eq!(balancer.history().last().unwrap().restores, Some(history[0].version));
    assert_eq!(balancer.rollback(), Err(RollbackError::NothingBefore));
}

#[test]
fn of_two_writers_the_second_is_told() {
    let balancer = balancer();
    let seen = balancer.version();
    balancer.apply_if(seen, settings("random")).unwrap();
    let mut events = balancer.subscribe();
    let error = balancer.apply_if(seen, settings("round_robin")).unwrap_err();
    assert_eq!(error, ApplyError::Stale { seen, current: balancer.version() });
    match received(&mut events).as_slice() {
        [Event::ConfigRefused { version, error: told }] => {
            assert_eq!(
                (*version, told.problems()[0].message.clone()),
                (balancer.version(), error.to_string())
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(kind(&balancer), "random");
    // Discovery does not disturb a writer; an operator does.
    let seen = balancer.version();
    balancer.insert(Endpoint::new("e", String::new())).unwrap();
    balancer.apply_if(seen, settings("peak_ewma")).unwrap();
    let seen = balancer.version();
    balancer.set_weight(&"a".into(), 2).unwrap();
    assert!(balancer.apply_if(seen, settings("random")).is_err());
}

#[test]
fn settings_that_carry_endpoints_change_both_in_one_step() {
    let balancer = balancer();
    let mut events = balancer.subscribe();
    let described = |addresses: [&str; 3]| {
        let specs = ["a", "b", "x"].into_iter().zip(addresses);
        let specs = specs.map(|(id, address)| EndpointSpec::new(id, address)).collect();
        settings("round_robin").with_endpoints(Some(specs)).unwrap()
    };
    let before = (balancer.version(), format!("{:?}", balancer.status()));
    let error = balancer.apply(described(["1", "nowhere", "3"])).unwrap_err();
    assert!(error.problems()[0].message.contains("`b`"), "{error}");
    assert_eq!((balancer.version(), format!("{:?}", balancer.status())), before);
    let version = balancer.apply(described(["1", "2", "3"])).unwrap();
    assert_eq!((version.config, version.set), (before.0.config + 1, before.0.set + 1));
    assert_eq!(received(&mut events).len(), 2);
    let ids: Vec<EndpointId> = balancer.status().endpoints.into_iter().map(|it| it.id).collect();
    assert_eq!(ids, ["a", "b", "x"].map(EndpointId::from));
    let lease = balancer.pick(&Key::none().excluding(&"a".into()).excluding(&"b".into())).unwrap();
    assert_eq!(lease.target(), "3");
    // Without endpoints in the settings the set is left alone.
    balancer.apply(settings("random")).unwrap();
    assert_eq!(balancer.status().endpoints.len(), 3);
}
