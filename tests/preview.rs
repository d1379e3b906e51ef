//! What is previewed is what happens, and what gives one endpoint too much does not.

#![allow(clippy::unwrap_used)]
#![cfg(feature = "config")]

mod support;

use evenkeel::{
    Balancer, Config, Endpoint, EndpointId, EndpointSpec, Event, Preview, Severity, UpdateError,
};
use support::received;

const KINDS: [&str; 6] = [
    "kind = 'round_robin'",
    "kind = 'random'",
    "kind = 'least_request'",
    "kind = 'least_request'\nchoices = 'all'",
    "kind = 'peak_ewma'",
    "kind = 'peak_ewma'\nchoices = 5",
];

fn config(strategy: &str, guard: &str) -> Config {
    Config::from_toml(&format!("[strategy]\n{strategy}\n[guard]\n{guard}")).unwrap()
}

fn balancer(config: Config, weights: &[u32]) -> Balancer<usize> {
    let endpoint = |(at, &weight): (usize, &u32)| Endpoint::new(name(at), at).weight(weight);
    let endpoints = weights.iter().enumerate().map(endpoint);
    Balancer::builder().seed(9).config(config).endpoints(endpoints).build().unwrap()
}

fn name(at: usize) -> EndpointId {
    EndpointId::from(format!("e{at:02}"))
}

fn after(preview: &Preview, id: &EndpointId) -> f64 {
    preview.shares.iter().find(|share| share.id == *id).unwrap().after
}

#[test]
fn a_preview_changes_nothing() {
    let balancer = balancer(Config::default(), &[1, 2, 3]);
    let mut events = balancer.subscribe();
    let (version, status) = (balancer.version(), format!("{:?}", balancer.status()));
    balancer.preview(&config(KINDS[0], "max_share_percent = 1")).unwrap();
    balancer.preview_weight(&name(0), 1_000).unwrap();
    balancer.preview_specs([EndpointSpec::new("new", "anywhere")]).unwrap();
    assert!(balancer.preview_weight(&"nobody".into(), 1).is_err());
    assert_eq!((balancer.version(), format!("{:?}", balancer.status())), (version, status));
    assert!(received(&mut events).is_empty());
}

#[test]
fn a_preview_of_weights_and_sets_says_who_comes_and_goes() {
    let balancer = balancer(Config::default(), &[1, 1, 1, 1]);
    let preview = balancer.preview_weight(&name(0), 30).unwrap();
    assert!((after(&preview, &name(0)) - 30.0 / 33.0).abs() < 1e-9);
    let [warning] = preview.warnings.as_slice() else { panic!("{:?}", preview.warnings) };
    assert_eq!(warning.severity, Severity::Warning);
    assert_eq!(warning.message, "`e00` would receive 91 % (before: 25 %, fair: 25 %)");
    let specs = ["e00", "x"].map(|id| EndpointSpec::new(id, "anywhere"));
    let preview = balancer.preview_specs(specs).unwrap();
    let shares: Vec<_> =
        preview.shares.iter().map(|it| (it.id.as_str(), it.before, it.after)).collect();
    assert_eq!(shares[0], ("e00", 0.25, 0.5));
    assert_eq!(shares[4], ("x", 0.0, 0.5));
    assert!(shares[1..4].iter().all(|it| it.2 == 0.0));
}

#[test]
fn a_change_that_gives_one_endpoint_too_much_is_refused() {
    let balancer = balancer(config(KINDS[2], "max_share_percent = 60"), &[1, 1, 1, 1]);
    let before = (balancer.version(), format!("{:?}", balancer.status()));
    let mut events = balancer.subscribe();
    let too_much = |answer: Result<_, UpdateError>| match answer {
        Err(UpdateError::Share { max_share_percent: 60, .. }) => true,
        other => panic!("{other:?}"),
    };
    assert!(too_much(balancer.set_weight(&name(0), 10)));
    assert!(too_much(balancer.insert(Endpoint::new("big", 9).weight(100))));
    let skewed = (0..4).map(|at| Endpoint::new(name(at), at).weight(if at == 0 { 50 } else { 1 }));
    assert!(too_much(balancer.replace(skewed)));
    assert_eq!((balancer.version(), format!("{:?}", balancer.status())), before);
    let refusals = received(&mut events);
    assert_eq!(refusals.len(), 3);
    assert!(refusals.iter().all(|event| matches!(event, Event::UpdateRefused { .. })));
    // What leaves nobody with more than the limit, or with more than before, is fine.
    balancer.set_weight(&name(0), 4).unwrap();
    balancer.set_weight(&name(0), 3).unwrap();
}

#[test]
fn weights_of_zero_are_no_way_around_the_guard() {
    let balancer = balancer(config(KINDS[0], "max_share_percent = 60"), &[1, 1, 1]);
    balancer.set_weight(&name(0), 0).unwrap();
    let refused = balancer.set_weight(&name(1), 0).unwrap_err();
    assert!(matches!(refused, UpdateError::Share { .. }), "{refused}");
}

#[test]
fn a_fair_share_is_always_allowed() {
    let balancer = balancer(config(KINDS[0], "max_share_percent = 10"), &[1, 1, 1]);
    balancer.insert(Endpoint::new("d", 3)).unwrap();
    balancer.remove(&"d".into()).unwrap();
    balancer.replace([Endpoint::new("e00", 0)]).unwrap();
}

#[test]
fn an_operator_who_means_it_is_not_refused() {
    let balancer = balancer(config(KINDS[0], "max_share_percent = 30"), &[1, 1, 1, 1]);
    let skewed = (0..4).map(|at| Endpoint::new(name(at), at).weight(if at == 0 { 50 } else { 1 }));
    balancer.replace_unchecked(skewed).unwrap();
    drop(balancer.drain(&name(0)).unwrap());
}

#[test]
fn without_the_setting_it_is_an_event() {
    let balancer = balancer(Config::default(), &[1, 1, 1, 1]);
    let mut events = balancer.subscribe();
    balancer.set_weight(&name(0), 97).unwrap();
    match received(&mut events).as_slice() {
        [Event::Published { .. }, Event::ShareRaised { endpoint, after, before, fair, .. }] => {
            assert_eq!((endpoint, *before, *after, *fair), (&name(0), 0.25, 0.97, 0.25));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn settings_are_refused_for_their_shares_too() {
    let balancer = balancer(Config::default(), &[1, 1, 1]);
    let text = "[guard]\nmax_share_percent = 50\n[[endpoints]]\nid = 'a'\naddress = 'x'\nweight = 9\n\
                [[endpoints]]\nid = 'b'\naddress = 'y'";
    let config = Config::from_toml(text).unwrap();
    let preview = balancer.preview(&config).unwrap();
    let refused = preview.warnings.iter().find(|it| it.severity == Severity::Error).unwrap();
    assert!(refused.message.contains("`a` would receive 90 %"), "{refused}");
    // No factory was given, which is what stops it first.
    let error = balancer.apply(config).unwrap_err();
    assert_eq!(error.problems()[0].path, "endpoints");
}

/// Settings whose endpoints are those of the served settings leave the set alone, and discovery or
/// an operator may have changed it since.
#[test]
fn endpoints_that_are_served_already_are_not_previewed_as_a_new_set() {
    let described = |kind: &str| {
        Config::from_toml(&format!("[strategy]\n{kind}\n[[endpoints]]\nid = 'a'\naddress = 'x'"))
            .unwrap()
    };
    let balancer = Balancer::builder().make(|_| Ok(9)).config(described(KINDS[0])).build().unwrap();
    balancer.insert(Endpoint::new("b", 1).weight(3)).unwrap();
    let preview = balancer.preview(&described(KINDS[1])).unwrap();
    balancer.apply(described(KINDS[1])).unwrap();
    let status = balancer.status();
    let served = status.endpoints.iter().map(|it| (it.id.clone(), it.expected_share));
    let served: Vec<_> = served.collect();
    let previewed: Vec<_> = preview.shares.iter().map(|it| (it.id.clone(), it.after)).collect();
    assert_eq!(served, [("a".into(), 0.25), ("b".into(), 0.75)]);
    assert_eq!(previewed, served);
}

#[test]
fn settings_of_another_balancer_are_refused_by_their_preview_too() {
    let balancer = Balancer::builder().name("checkout").endpoint(Endpoint::new("a", 0)).build();
    let (balancer, foreign) = (balancer.unwrap(), Config::default().with_name("search"));
    let refused = balancer.apply(foreign.clone()).unwrap_err();
    assert_eq!(refused.problems()[0].path, "name");
    assert_eq!(balancer.preview(&foreign).unwrap_err(), refused);
}

/// In words, whatever the shares: they are those that would come of it if it were taken.
#[test]
fn a_set_that_would_not_be_believed_is_said_to_be_refused() {
    let balancer = balancer(Config::default(), &[1; 10]);
    let specs = |n: usize| (0..n).map(|at| EndpointSpec::new(name(at), "anywhere"));
    let refusals = |preview: Preview| {
        let refused = preview.warnings.into_iter().filter(|it| it.severity == Severity::Error);
        refused.map(|it| (it.path, it.message)).collect::<Vec<_>>()
    };
    assert_eq!(refusals(balancer.preview_specs(specs(5)).unwrap()), []);
    for n in [0, 4] {
        let said = refusals(balancer.preview_specs(specs(n)).unwrap());
        let error = balancer.replace(specs(n).map(|it| Endpoint::new(it.id, 0))).unwrap_err();
        assert_eq!(said, [("endpoints".to_owned(), error.to_string())]);
    }
    let described = Config::default().with_endpoints(Some(specs(4).collect())).unwrap();
    let said = refusals(balancer.preview(&described).unwrap());
    assert!(said[0].1.contains("no factory") && said[1].1.contains("4 of 10"), "{said:?}");
    let careless = described.with_update(None);
    assert_eq!(refusals(balancer.preview(&careless).unwrap()).len(), 1);
}

#[test]
fn a_change_after_which_nobody_takes_requests_is_warned_of() {
    let balancer = balancer(Config::default(), &[1, 1]);
    let warned = |preview: Preview| preview.warnings.iter().any(|it| it.message.contains("no end"));
    drop(balancer.drain(&name(0)).unwrap());
    assert!(warned(balancer.preview_weight(&name(1), 0).unwrap()));
    assert!(!warned(balancer.preview_weight(&name(1), 9).unwrap()));
    balancer.set_weight(&name(1), 0).unwrap();
    assert!(!warned(balancer.preview_weight(&name(0), 0).unwrap()), "nobody takes any as it is");
}

/// A set of endpoints of these weights that settings describe, under this guard.
fn described(guard: &str, weights: &[u32]) -> Config {
    let spec = |(at, &weight)| EndpointSpec::new(name(at), "x").weight(weight);
    let specs = weights.iter().enumerate().map(spec).collect();
    config(KINDS[0], guard).with_endpoints(Some(specs)).unwrap()
}

/// Else whoever forgets the section is not held to it by the very change that needs it.
#[test]
fn a_guard_that_is_dropped_or_loosened_still_holds_for_the_change_that_does_so() {
    let build = |guard: &str| {
        let built = Balancer::builder().make(|_| Ok(0)).config(described(guard, &[1, 1, 1]));
        built.build().unwrap()
    };
    let balancer = build("max_share_percent = 50");
    let served = balancer.config();
    let loosened = ["", "max_share_percent = 90"];
    for guard in loosened {
        let skewed = described(guard, &[8, 1, 1]);
        let preview = balancer.preview(&skewed).unwrap();
        let [refusal] = preview.warnings.as_slice() else { panic!("{:?}", preview.warnings) };
        assert_eq!(refusal.severity, Severity::Error);
        let error = balancer.apply(skewed).unwrap_err();
        assert_eq!(error.problems(), std::slice::from_ref(refusal));
        assert_eq!(
            refusal.message,
            "`e00` would receive 80 % (before: 33 %, fair: 33 %), and at most 50 % is allowed by \
             the settings that are served: change the guard first, in a change of its own"
        );
        assert_eq!(balancer.config(), served);
    }
    // What both forbid is forbidden by what comes.
    let error = balancer.apply(described("max_share_percent = 70", &[8, 1, 1])).unwrap_err();
    assert!(error.to_string().ends_with("and at most 70 % is allowed"), "{error}");
    // One after the other they are two decisions.
    for guard in loosened {
        let balancer = build("max_share_percent = 50");
        balancer.apply(described(guard, &[1, 1, 1])).unwrap();
        balancer.apply(described(guard, &[8, 1, 1])).unwrap();
    }
    // A guard that is looser than what is told by itself: it is still told.
    let balancer = build("max_share_percent = 90");
    let mut events = balancer.subscribe();
    assert_eq!(balancer.preview(&described("", &[8, 1, 1])).unwrap().warnings.len(), 1);
    balancer.apply(described("", &[8, 1, 1])).unwrap();
    assert!(matches!(received(&mut events)[..], [_, Event::ShareRaised { .. }]));
}

/// It takes back what an operator said, the weight included, and is judged as if he said it.
#[test]
fn an_enabled_endpoint_may_not_bring_back_a_weight_that_gives_it_too_much() {
    let balancer = balancer(Config::default(), &[97, 1, 1, 1]);
    balancer.set_weight(&name(0), 1).unwrap();
    balancer.apply(config(KINDS[2], "max_share_percent = 60")).unwrap();
    for drained in [false, true] {
        if drained {
            drop(balancer.drain(&name(0)).unwrap());
        }
        let mut events = balancer.subscribe();
        let served = balancer.version();
        let refused = balancer.enable(&name(0)).unwrap_err();
        assert!(matches!(refused, UpdateError::Share { max_share_percent: 60, .. }), "{refused}");
        assert!(matches!(received(&mut events)[..], [Event::UpdateRefused { .. }]));
        assert_eq!(balancer.version(), served);
        assert_eq!(balancer.status().endpoints[0].weight, 1);
    }
    // Without a guard it is told.
    balancer.apply(config(KINDS[2], "")).unwrap();
    let mut events = balancer.subscribe();
    balancer.enable(&name(0)).unwrap();
    assert!(matches!(received(&mut events)[..], [_, Event::ShareRaised { .. }]));
}

/// That it was away is no reason to keep it away, however much the others have to carry by then.
#[test]
fn a_drained_endpoint_comes_back_to_its_own_share_whatever_that_is() {
    for weights in [&[90, 5, 5][..], &[3, 1, 1, 1], &[1, 1]] {
        let balancer = balancer(config(KINDS[0], "max_share_percent = 40"), weights);
        for away in 1..weights.len() {
            drop(balancer.drain(&name(away)).unwrap());
        }
        balancer.disable(&name(0)).unwrap();
        let mut events = balancer.subscribe();
        for back in 0..weights.len() {
            balancer.enable(&name(back)).unwrap();
        }
        let told = received(&mut events);
        assert!(!told.iter().any(|event| matches!(event, Event::UpdateRefused { .. })));
    }
    // Not even where discovery has made much of it meanwhile, but then it is told.
    let balancer = balancer(config(KINDS[0], "max_share_percent = 60"), &[1, 1, 1]);
    drop(balancer.drain(&name(0)).unwrap());
    let heavier = (0..3).map(|at| Endpoint::new(name(at), at).weight(if at == 0 { 8 } else { 1 }));
    balancer.replace(heavier).unwrap();
    let mut events = balancer.subscribe();
    balancer.enable(&name(0)).unwrap();
    let told = received(&mut events);
    let [_, Event::ShareRaised { before: 0.0, after: 0.8, .. }] = told[..] else {
        panic!("{told:?}")
    };
}
