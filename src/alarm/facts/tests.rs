use super::*;
use crate::event::{Decision, Rule};

const SECOND: u64 = 1_000_000_000;

fn names(facts: &Facts, config: &AlarmsConfig, seconds: u64) -> Vec<&'static str> {
    facts.seen(config, Nanos(seconds * SECOND)).iter().map(AlarmKind::name).collect()
}

fn kept(endpoint: &str) -> Option<Ejection> {
    let (rule, decision) = (Rule::ConsecutiveFailures, Decision::Cap { most: 1 });
    Some(Ejection::judged(endpoint.into(), rule, 5.0, 5.0, decision))
}

#[test]
fn nothing_is_seen_where_nothing_was_noted() {
    let (facts, config) = (Facts::default(), AlarmsConfig::default());
    assert!(names(&facts, &config, 1_000_000).is_empty());
    assert_eq!(facts.due(Some(&config), Nanos(0)), Nanos::NEVER);
}

#[test]
fn a_verdict_stands_for_two_intervals_and_not_longer_than_the_endpoint() {
    let (mut facts, config) = (Facts::default(), AlarmsConfig::default());
    facts.kept(kept("a"), 10 * SECOND, Nanos(0));
    facts.kept(None, 10 * SECOND, Nanos(5 * SECOND));
    assert_eq!(names(&facts, &config, 19), ["ejection_suppressed"]);
    assert_eq!(facts.due(Some(&config), Nanos(0)), Nanos(20 * SECOND));
    assert!(names(&facts, &config, 20).is_empty());
    facts.keep_suppressed(|id| *id == "b".into());
    assert!(names(&facts, &config, 1).is_empty(), "`a` is gone or out");
}

#[test]
fn a_refusal_stands_until_one_of_its_kind_is_accepted() {
    let (mut facts, config) = (Facts::default(), AlarmsConfig::default());
    facts.set_refused("no".into());
    facts.config_refused("never".into());
    assert_eq!(names(&facts, &config, 1), ["update_refused", "config_refused"]);
    facts.set_accepted();
    assert_eq!(names(&facts, &config, 1), ["config_refused"]);
    facts.config_accepted();
    assert!(names(&facts, &config, 1).is_empty());
}

#[test]
fn a_set_grows_old_where_that_is_asked_for() {
    let mut facts = Facts::default();
    let config = AlarmsConfig::default().with_set_unchanged(Some(Duration::from_mins(1))).unwrap();
    assert_eq!(facts.due(Some(&config), Nanos(0)), Nanos(60 * SECOND));
    assert!(names(&facts, &config, 59).is_empty());
    assert_eq!(names(&facts, &config, 60), ["set_unchanged"]);
    facts.set_is_from(Nanos(70 * SECOND));
    assert!(names(&facts, &config, 129).is_empty());
    assert_eq!(facts.due(Some(&config), Nanos(70 * SECOND)), Nanos(130 * SECOND));
    // A clock that went back.
    assert!(names(&facts, &config, 0).is_empty());
}

#[test]
fn the_largest_share_is_named_and_each_stays_for_as_long_as_it_is_large() {
    let (mut facts, config) = (Facts::default(), AlarmsConfig::default());
    facts.share_raised("a".into(), 0.4, 0.1);
    facts.share_raised("b".into(), 0.5, 0.1);
    facts.share_raised("a".into(), 0.45, 0.1);
    let named = |facts: &Facts| match &facts.seen(&config, Nanos(0))[..] {
        [AlarmKind::ShareRaised { endpoint, share, .. }] => Some((endpoint.to_string(), *share)),
        _ => None,
    };
    assert_eq!(named(&facts), Some(("b".into(), 0.5)));
    facts.keep_shares(|id| (*id == "a".into()).then_some((0.35, 0.2)));
    assert_eq!(named(&facts), Some(("a".into(), 0.35)));
    facts.keep_shares(|_| None);
    assert!(named(&facts).is_none() && !facts.has_shares());
}

#[test]
fn sources_are_bounded() {
    let (mut facts, config) = (Facts::default(), AlarmsConfig::default());
    for number in 0..10 * SOURCES {
        facts.source_failed(&format!("{number:04}"), "gone".into());
    }
    assert_eq!(facts.sources.len(), SOURCES);
    (0..SOURCES).for_each(|number| facts.source_recovered(&format!("{number:04}")));
    assert!(names(&facts, &config, 0).is_empty());
}
