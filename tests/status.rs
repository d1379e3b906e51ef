//! What a status tells: why, since when, until when, who said so, and what happened last.

#![cfg(all(feature = "config", feature = "testing"))]
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use evenkeel::{
    Availability, Balancer, Cause, Change, Changed, Config, Endpoint, EndpointId, EndpointStatus,
    Event, Key, Outcome, Rule, Subject, UpdateError, probe_fn,
};
use serde_json::Value;
use tokio::time::advance;

use crate::support::received;

const SECOND: Duration = Duration::from_secs(1);

/// Round robin, ejections of exactly a minute after two failures in a row.
const EXACT: &str = "
    [strategy]
    kind = 'round_robin'
    [outlier]
    ejection_jitter_percent = 0
    base_ejection_time = '1m'
    max_ejected_percent = 100
    probe_successes = 2
    [outlier.consecutive_failures]
    threshold = 2
    [panic]
    threshold_percent = 1
    exit_percent = 1
";

fn id(name: &str) -> EndpointId {
    name.into()
}

fn balancer(more: &str, names: &[&str]) -> Balancer<()> {
    let config = Config::from_toml(&format!("{EXACT}{more}")).unwrap();
    let endpoints = names.iter().map(|name| Endpoint::new(*name, ()));
    Balancer::builder().name("shop").config(config).endpoints(endpoints).seed(7).build().unwrap()
}

fn of(balancer: &Balancer<()>, name: &str) -> EndpointStatus {
    balancer.status().endpoint(&id(name)).unwrap().clone()
}

fn text(balancer: &Balancer<()>, name: &str) -> String {
    of(balancer, name).reason.unwrap().text
}

/// Requests of which `bad` fail.
fn send(balancer: &Balancer<()>, requests: usize, bad: &str) {
    for _ in 0..requests {
        let lease = balancer.pick(&Key::none()).unwrap();
        let is_bad = lease.endpoint().as_str() == bad;
        lease.finish(if is_bad { Outcome::failure() } else { Outcome::Success });
    }
}

#[tokio::test(start_paused = true)]
async fn an_ejection_says_by_which_rule_and_comes_back_step_by_step() {
    let balancer = balancer("[slow_start]\nwindow = '30s'\n", &["a", "b"]);
    assert_eq!((of(&balancer, "a").reason, of(&balancer, "a").state_for), (None, None));
    send(&balancer, 4, "a");
    let a = of(&balancer, "a");
    let cause = a.reason.as_ref().map(|reason| reason.cause.clone()).unwrap();
    let expected =
        Cause::Ejected { rule: Rule::ConsecutiveFailures, observed: 2.0, threshold: 2.0, times: 1 };
    assert_eq!((a.state, cause), (Availability::Ejected, expected));
    assert_eq!(text(&balancer, "a"), "2 failures in a row");
    assert_eq!((a.state_for, a.state_left), (Some(Duration::ZERO), Some(60 * SECOND)));
    assert!(a.overrides.is_empty(), "nobody has said anything");

    advance(45 * SECOND).await;
    let a = of(&balancer, "a");
    assert_eq!((a.state_for, a.state_left), (Some(45 * SECOND), Some(15 * SECOND)));

    // Nothing was settled: the status says what time will have made of it.
    advance(20 * SECOND).await;
    let a = of(&balancer, "a");
    assert_eq!(a.state, Availability::Probing);
    assert_eq!((a.state_for, a.state_left), (Some(5 * SECOND), None));
    let words = "its ejection is over, and it has to prove itself: 0 of 2 good answers; it was out \
                 for this: 2 failures in a row";
    assert_eq!(text(&balancer, "a"), words);

    send(&balancer, 1, "nobody");
    assert!(text(&balancer, "a").contains("1 of 2"), "{}", text(&balancer, "a"));
    send(&balancer, 2, "nobody");
    let a = of(&balancer, "a");
    assert_eq!((a.state, a.state_left), (Availability::Warming, Some(30 * SECOND)));
    assert_eq!(a.reason.as_ref().unwrap().cause, Cause::Returning);
    assert!(text(&balancer, "a").ends_with("it was out for this: 2 failures in a row"));

    advance(31 * SECOND).await;
    let a = of(&balancer, "a");
    assert_eq!((a.state, a.reason, a.state_left), (Availability::Available, None, None));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_is_the_reason_from_then_on() {
    let balancer = balancer("", &["a", "b"]);
    send(&balancer, 4, "a");
    advance(61 * SECOND).await;
    send(&balancer, 2, "a");
    let a = of(&balancer, "a");
    assert_eq!(a.state, Availability::Ejected);
    assert_eq!(text(&balancer, "a"), "its probe failed, ejected 2 times in a row");
    assert_eq!((a.state_for, a.state_left), (Some(Duration::ZERO), Some(120 * SECOND)));
}

#[tokio::test(start_paused = true)]
async fn what_operators_say_has_their_names_on_it() {
    let balancer = balancer("", &["a", "b", "c", "d", "e"]);
    let mut events = balancer.subscribe();
    let _drain = balancer.by("ann").because("a new disk").drain_for(&id("a"), 90 * SECOND).unwrap();
    balancer.by("bob").set_weight(&id("a"), 5).unwrap();
    balancer.by("cal").because("it lies").disable(&id("b")).unwrap();
    balancer.by("dan").because("to see").eject(&id("c"), 10 * SECOND).unwrap();
    let _drain = balancer.drain(&id("d")).unwrap();
    advance(4 * SECOND).await;

    let a = of(&balancer, "a");
    assert_eq!(text(&balancer, "a"), "drained by ann because a new disk");
    assert_eq!((a.state_for, a.state_left), (Some(4 * SECOND), Some(86 * SECOND)));
    assert_eq!((a.weight, a.given_weight), (5, 1));
    let said: Vec<_> = a.overrides.iter().map(|it| (it.kind, &*it.text, it.ago, it.left)).collect();
    let expected = [
        ("weight", "weight set from 1 to 5 by bob", Some(4 * SECOND), None),
        ("drain", "drained by ann because a new disk", Some(4 * SECOND), Some(86 * SECOND)),
    ];
    assert_eq!(said, expected);
    assert_eq!(text(&balancer, "b"), "switched off by cal because it lies");
    let c = of(&balancer, "c");
    assert_eq!(text(&balancer, "c"), "ejected by dan because to see");
    assert_eq!((c.overrides[0].kind, c.overrides[0].left), ("eject", Some(6 * SECOND)));
    assert_eq!(text(&balancer, "d"), "drained by an operator");
    assert_eq!(of(&balancer, "d").overrides[0].by, None);

    let told: Vec<_> = received(&mut events).iter().map(ToString::to_string).collect();
    assert_eq!(
        told[..4],
        [
            "version 2.1: `a` is draining for a while by ann because a new disk",
            "version 3.1: weight of `a` set from 1 to 5 by bob",
            "version 4.1: `b` disabled by cal because it lies",
            "`c` ejected by dan because to see",
        ]
    );
    let history = balancer.history();
    let who: Vec<_> = history.iter().map(|it| it.by.as_deref()).collect();
    assert_eq!(who, [None, Some("ann"), Some("bob"), Some("cal"), None]);
    assert_eq!(history[1].because.as_deref(), Some("a new disk"));
    let changes = balancer.status().changes;
    let told: Vec<_> = changes.iter().map(|it| (it.by.as_deref(), it.because.as_deref())).collect();
    let cal = (Some("cal"), Some("it lies"));
    assert_eq!(told[..3], [(None, None), cal, (Some("bob"), None)]);

    // Time ends the drain and the ejection; the weight stays bob's.
    advance(90 * SECOND).await;
    let a = of(&balancer, "a");
    assert_eq!((a.state, a.reason), (Availability::Available, None));
    assert_eq!(a.overrides.iter().map(|it| it.kind).collect::<Vec<_>>(), ["weight"]);
    assert!(of(&balancer, "c").overrides.is_empty());
    balancer.by("eve").enable(&id("a")).unwrap();
    assert!(of(&balancer, "a").overrides.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_first_to_say_something_has_said_it() {
    let balancer = balancer("", &["a", "b"]);
    let first = balancer.by("ann").set_weight(&id("a"), 3).unwrap();
    assert_eq!(balancer.by("bob").set_weight(&id("a"), 3).unwrap(), first);
    assert_eq!(of(&balancer, "a").overrides[0].by.as_deref(), Some("ann"));
    balancer.by("bob").set_weight(&id("a"), 4).unwrap();
    assert_eq!(of(&balancer, "a").overrides[0].by.as_deref(), Some("bob"));
}

#[tokio::test(start_paused = true)]
async fn names_and_reasons_are_lines_of_bounded_length() {
    let balancer = balancer("", &["a", "b"]);
    let hostile = format!("ann\r\n\u{1b}[31m{}", "é".repeat(10_000));
    let _drain = balancer.by(&hostile).because(&hostile).drain(&id("a")).unwrap();
    let said = &of(&balancer, "a").overrides[0];
    let (by, because) = (said.by.as_deref().unwrap(), said.because.as_deref().unwrap());
    assert!(by.starts_with("ann") && by.len() <= 128 && because.len() <= 512);
    assert!(!said.text.chars().any(char::is_control), "{}", said.text);
    let _drain = balancer.by("  ").because("").drain(&id("b")).unwrap();
    assert_eq!(text(&balancer, "b"), "drained by an operator");
}

#[tokio::test(start_paused = true)]
async fn a_rollback_brings_back_who_had_said_it_and_has_an_author_of_its_own() {
    let balancer = balancer("", &["a", "b"]);
    let _drain = balancer.by("ann").drain(&id("a")).unwrap();
    balancer.by("bob").because("done").enable(&id("a")).unwrap();
    balancer.by("cal").because("it was not").rollback().unwrap();
    assert_eq!(text(&balancer, "a"), "drained by ann");
    let last = &balancer.status().changes[0];
    assert_eq!(last.text, "rolled back to version 2.1 by cal because it was not");
    assert_eq!((last.by.as_deref(), last.version), (Some("cal"), Some(balancer.version())));
    let served = balancer.history();
    assert_eq!(served.last().unwrap().because.as_deref(), Some("it was not"));
}

#[tokio::test(start_paused = true)]
async fn operators_of_all_and_of_settings_are_named_too() {
    let balancer = balancer("", &["a", "b"]);
    let _drain = balancer.by("ann").because("the end").drain_all().unwrap();
    assert!(balancer.status().draining_all);
    assert_eq!(text(&balancer, "a"), "drained with all others by ann because the end");
    balancer.insert(Endpoint::new("c", ())).unwrap();
    assert_eq!(text(&balancer, "c"), "drained with all others by an operator");
    balancer.by("bob").enable_all().unwrap();
    assert!(!balancer.status().draining_all);
    let config = Config::from_toml("[strategy]\nkind = 'random'").unwrap();
    balancer.by("cal").because("why not").apply(config).unwrap();
    let changes = balancer.status().changes;
    assert_eq!(changes[0].text, "settings changed by cal because why not");
    assert_eq!(changes[1].text, "all is enabled, 3 endpoints by bob");
    assert_eq!(balancer.status().settings, ["strategy.kind: least_request → random"]);
}

#[tokio::test(start_paused = true)]
async fn a_change_says_what_it_made_different_and_whose_share_it_moved() {
    let balancer = balancer("", &["a", "b", "c"]);
    let config = Config::from_toml(&EXACT.replace("'1m'", "'2m'")).unwrap();
    balancer.apply(config).unwrap();
    balancer.by("ann").set_weight(&id("b"), 2).unwrap();
    balancer.insert(Endpoint::new("d", ())).unwrap();
    let changes = balancer.status().changes;
    let texts: Vec<_> = changes.iter().map(|it| it.text.as_str()).collect();
    let [set, weight, settings] = &changes[..] else { unreachable!("{texts:?}") };
    assert_eq!(settings.differences, ["outlier.base_ejection_time: 1m → 2m"]);
    assert!(settings.effect.is_empty() && set.effect.is_empty());
    let moved = weight.effect.iter().map(|it| (it.id.as_str(), it.before, it.after));
    let third = 1.0 / 3.0;
    assert_eq!(
        moved.collect::<Vec<_>>(),
        [("b", third, 0.5), ("a", third, 0.25), ("c", third, 0.25)]
    );
}

#[tokio::test(start_paused = true)]
async fn grounds_outlive_new_sets_and_return_with_who_had_left() {
    let balancer = balancer("", &["a", "b", "c"]);
    let set = |names: &[&str]| names.iter().map(|&it| Endpoint::new(it, ())).collect::<Vec<_>>();
    send(&balancer, 6, "a");
    let heavier = set(&["b", "c"]).into_iter().chain([Endpoint::new("a", ()).weight(9).zone("z")]);
    balancer.replace(heavier).unwrap();
    assert_eq!(text(&balancer, "a"), "2 failures in a row");
    balancer.replace_unchecked(set(&["b", "c"])).unwrap();
    balancer.replace(set(&["a", "b", "c"])).unwrap();
    assert_eq!(of(&balancer, "a").state, Availability::Ejected);
    assert_eq!(text(&balancer, "a"), "2 failures in a row");
    balancer.enable(&id("a")).unwrap();
    assert_eq!(of(&balancer, "a").reason, None, "all is forgiven");
}

#[tokio::test(start_paused = true)]
async fn failed_checks_say_what_came_of_them() {
    let config =
        Config::from_toml("[health]\ninterval = '1s'\nunhealthy_interval = '1s'\nfall = 2\n");
    let probe = probe_fn(|subject: Subject<'_, bool>| {
        let well = *subject.target();
        async move { if well { Ok(()) } else { Err("<no>") } }
    });
    let balancer = Balancer::builder()
        .config(config.unwrap())
        .endpoint(Endpoint::new("a", true))
        .endpoint(Endpoint::new("b", false))
        .probe(probe)
        .build()
        .unwrap();
    let worker = balancer.start();
    for _ in 0..50 {
        advance(SECOND / 10).await;
        tokio::task::yield_now().await;
    }
    let status = balancer.status();
    let b = status.endpoint(&id("b")).unwrap();
    assert_eq!(b.state, Availability::Unhealthy);
    let cause = Cause::ChecksFailed { failures: 2, error: "<no>".to_owned() };
    assert_eq!(b.reason.as_ref().unwrap().cause, cause);
    assert!(b.state_for.is_some_and(|past| past > Duration::ZERO) && b.state_left.is_none());
    let told: Vec<_> = status.happenings.iter().map(|it| (it.kind, it.endpoint.clone())).collect();
    assert_eq!(told, [("unhealthy", Some(id("b")))]);
    drop(worker);
}

#[tokio::test(start_paused = true)]
async fn newcomers_that_wait_or_warm_up_and_those_without_weight_have_a_reason() {
    let more = "[slow_start]\nwindow = '30s'\nnew_endpoints = true\n";
    let balancer = balancer(more, &["a", "b"]);
    balancer.insert(Endpoint::new("c", ())).unwrap();
    assert_eq!(text(&balancer, "c"), "has joined, with a share that grows");
    balancer.insert(Endpoint::new("d", ()).weight(0)).unwrap();
    advance(31 * SECOND).await;
    assert_eq!(text(&balancer, "d"), "its weight is 0");
    balancer.by("ann").set_weight(&id("a"), 0).unwrap();
    assert_eq!(text(&balancer, "a"), "its weight was set to 0 by ann");

    let config = Config::from_toml("[health]\ninitial = 'unhealthy'\n").unwrap();
    let asked = probe_fn(|_: Subject<'_, ()>| async { Ok::<_, &str>(()) });
    let waiting = Balancer::builder()
        .config(config)
        .endpoint(Endpoint::new("a", ()))
        .probe(asked)
        .build()
        .unwrap();
    assert_eq!(of(&waiting, "a").reason.unwrap().cause, Cause::AwaitsChecks);
}

#[tokio::test(start_paused = true)]
async fn failures_are_told_of_the_last_while_and_not_of_ever() {
    let config = "[strategy]\nkind = 'round_robin'\n[outlier]\nconsecutive_failures = false\n";
    let balancer = Balancer::builder()
        .config(Config::from_toml(config).unwrap())
        .endpoint(Endpoint::new("a", ()))
        .endpoint(Endpoint::new("b", ()))
        .build()
        .unwrap();
    let lately = |name: &str| {
        let it = of(&balancer, name);
        (it.recent_answers, it.recent_failures, it.failure_rate)
    };
    assert_eq!(lately("a"), (0, 0, None));
    send(&balancer, 20, "a");
    assert_eq!((lately("a"), lately("b")), ((10, 10, Some(1.0)), (10, 0, Some(0.0))));
    // Three looks of the writer later nothing is left of it but in the counters.
    for _ in 0..3 {
        advance(11 * SECOND).await;
        send(&balancer, 40, "nobody");
    }
    assert_eq!(lately("a"), (40, 0, Some(0.0)));
    assert_eq!(of(&balancer, "a").failures, 10);
    assert_eq!(balancer.status().recent, 11 * SECOND);
    balancer.pick(&Key::none()).unwrap().finish(Outcome::overloaded(None));
    balancer.pick(&Key::none()).unwrap().finish(Outcome::Ignore);
    let both = [lately("a"), lately("b")].map(|(answers, bad, _)| (answers, bad));
    assert!(both.contains(&(41, 1)) && both.contains(&(40, 0)), "{both:?}");
}

#[tokio::test(start_paused = true)]
async fn changes_and_happenings_are_bounded_and_do_not_push_each_other_out() {
    let balancer = balancer("", &["a", "b"]);
    balancer.by("ann").set_weight(&id("b"), 7).unwrap();
    for _ in 0..100 {
        send(&balancer, 16, "a");
        balancer.enable(&id("a")).unwrap();
        advance(SECOND).await;
    }
    let status = balancer.status();
    let kinds: Vec<_> = status.changes.iter().map(|it| it.kind).collect();
    assert_eq!((status.happenings.len(), kinds), (32, vec!["share_raised", "published"]));
    assert!(status.happenings.is_sorted_by_key(|it| it.ago), "the latest comes first");
    assert_eq!(status.changes[0].ago, 100 * SECOND);
    for weight in (10..110).rev() {
        balancer.set_weight(&id("b"), weight).unwrap();
    }
    let status = balancer.status();
    assert_eq!((status.happenings.len(), status.changes.len()), (32, 32));
    assert!(status.changes[0].text.ends_with("to 10"), "{}", status.changes[0].text);
}

#[tokio::test(start_paused = true)]
async fn refusals_are_changes_that_came_to_nothing() {
    let balancer = balancer("", &["a", "b"]);
    let empty = balancer.replace([]);
    assert!(matches!(empty, Err(UpdateError::Empty { .. })));
    let foreign = Config::from_toml("name = 'other'").unwrap();
    assert!(balancer.apply(Change::new(foreign)).is_err());
    let kinds: Vec<_> = balancer.status().changes.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, ["refused", "refused"]);
}

#[tokio::test(start_paused = true)]
async fn the_set_is_as_old_as_the_last_word_of_it() {
    let balancer = balancer("", &["a", "b"]);
    let set = || ["a", "b"].map(|it| Endpoint::new(it, ()));
    advance(40 * SECOND).await;
    assert_eq!((balancer.status().age, balancer.status().set_age), (40 * SECOND, 40 * SECOND));
    let version = balancer.version();
    assert_eq!(balancer.replace(set()).unwrap(), version, "nothing has changed");
    advance(5 * SECOND).await;
    assert_eq!((balancer.status().age, balancer.status().set_age), (45 * SECOND, 5 * SECOND));
    assert!(balancer.replace([]).is_err());
    assert_eq!(balancer.status().set_age, 5 * SECOND, "a set that is refused confirms nothing");
}

#[tokio::test(start_paused = true)]
async fn somebody_who_comes_late_hears_what_happened_and_subscribers_hear_it_once() {
    let balancer = balancer("", &["a", "b"]);
    send(&balancer, 4, "a");
    let mut events = balancer.subscribe();
    assert!(received(&mut events).is_empty());
    assert_eq!(balancer.status().happenings[0].kind, "ejected");
    let _drain = balancer.drain(&id("b")).unwrap();
    let told = received(&mut events);
    let [Event::Published { change: Changed::Draining { by: None, .. }, .. }, ..] = &told[..]
    else {
        unreachable!("{told:?}");
    };
    let published = told.iter().filter(|it| matches!(it, Event::Published { .. }));
    assert_eq!(published.count(), 1);
}

/// The schema is a promise: `EVENKEEL_WRITE=1` writes it anew.
#[tokio::test(start_paused = true)]
async fn the_json_is_as_it_was() {
    let config = Config::from_toml(EXACT).unwrap();
    let balancer = Balancer::builder()
        .name("shop <b>\"&")
        .config(config)
        .endpoint(Endpoint::new("a", ()).zone("z").tier(1).label("rack", "r<7>"))
        .endpoint(Endpoint::new("b", ()).weight(3))
        .endpoint(Endpoint::new("c\n\"</script>", ()))
        .endpoint(Endpoint::new("d", ()))
        .seed(1)
        .build()
        .unwrap();
    let _drain = balancer.by("ann").because("a new disk").drain_for(&id("d"), 90 * SECOND).unwrap();
    for number in 0..20 {
        let lease = balancer.pick(&Key::none()).unwrap();
        advance(Duration::from_millis(3)).await;
        let bad = lease.endpoint().as_str().starts_with('c');
        lease.finish(match number {
            _ if bad => Outcome::failure(),
            7 => Outcome::overloaded(None),
            _ => Outcome::Success,
        });
    }
    advance(2 * SECOND).await;
    let mut json = serde_json::to_value(balancer.status()).unwrap();
    without_wall_clock(&mut json);
    let found = serde_json::to_string_pretty(&json).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/status/status.json");
    if std::env::var_os("EVENKEEL_WRITE").is_some() {
        std::fs::write(path, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(path).unwrap());
}

/// Looks at the form of each `at`, and takes it out.
fn without_wall_clock(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                if key == "at" {
                    let text = value.as_str().expect("a time is text");
                    assert!(text.len() == 24 && text.ends_with('Z'), "{text}");
                    *value = Value::from("AT");
                }
                without_wall_clock(value);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(without_wall_clock),
        _ => {}
    }
}
