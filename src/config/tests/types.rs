//! Defaults are the documented ones, and setters keep the ranges.

use std::time::Duration;

use crate::config::{
    Choices, Config, GuardConfig, OutlierConfig, StrategyConfig, StrategyKind, UpdateConfig,
};
use crate::endpoint::EndpointSpec;
use crate::units::Percent;

#[test]
fn defaults_are_the_documented_ones() {
    let config = Config::default();
    assert_eq!(config.name(), None);
    assert_eq!(config.endpoints(), None);

    let strategy = config.strategy();
    assert_eq!(strategy.kind(), &StrategyKind::LeastRequest);
    assert_eq!(strategy.choices().count(), Some(2));
    assert_eq!(strategy.decay(), Duration::from_secs(10));
    assert_eq!(strategy.failure_penalty(), Some(Duration::from_secs(5)));

    let update = config.update().unwrap();
    assert!(!update.allow_empty());
    assert_eq!(update.max_shrink_percent(), Percent::new(50).unwrap());
    assert_eq!(update.min_endpoints(), 4);
    assert_eq!(update.confirm_after(), Duration::from_secs(60));

    let outlier = config.outlier().unwrap();
    assert!(!outlier.dry_run());
    assert_eq!(outlier.remember_removed(), Duration::from_secs(300));
}

#[test]
fn setters_keep_both_ends_of_their_ranges() {
    let (ms, secs) = (Duration::from_millis, Duration::from_secs);
    let nano = Duration::from_nanos(1);
    let day = secs(24 * 3600);

    let strategy = StrategyConfig::default();
    let penalty = |penalty| strategy.clone().with_failure_penalty(Some(penalty));
    let decay = |decay| strategy.clone().with_decay(decay);
    let confirm = |after| UpdateConfig::default().with_confirm_after(after);
    let remember = |time| OutlierConfig::default().with_remember_removed(time);
    for (least, most, is_ok) in [
        (ms(100), secs(3600), &(|it| decay(it).is_ok()) as &dyn Fn(Duration) -> bool),
        (ms(10), secs(600), &|it| penalty(it).is_ok()),
        (secs(1), day, &|it| confirm(it).is_ok()),
        (secs(1), day, &|it| remember(it).is_ok()),
    ] {
        assert!(is_ok(least) && is_ok(most));
        assert!(!is_ok(least - nano) && !is_ok(most + nano));
        assert!(!is_ok(Duration::ZERO) && !is_ok(Duration::MAX));
    }
    assert_eq!(strategy.with_failure_penalty(None).unwrap().failure_penalty(), None);
}

#[test]
fn a_refused_setting_names_its_key_and_the_way_out() {
    let problem = StrategyConfig::default().with_failure_penalty(Some(Duration::ZERO)).unwrap_err();
    assert_eq!(problem.path, "strategy.failure_penalty");
    assert_eq!(
        problem.message,
        "0s is out of range; a duration from 10ms to 10m is needed, or `false` to switch it off"
    );
}

#[test]
fn a_share_of_nothing_is_refused() {
    let problem = GuardConfig::default().with_max_share_percent(Percent::new(0)).unwrap_err();
    assert_eq!(problem.path, "guard.max_share_percent");
    assert_eq!(problem.message, "0 is out of range; a whole number from 1 to 100 is needed");
    assert!(GuardConfig::default().with_max_share_percent(None).is_ok());
}

#[test]
fn choices_are_two_to_sixteen_or_all() {
    let allowed: Vec<_> = (0..=u8::MAX).filter_map(Choices::of).collect();
    assert_eq!(allowed.len(), 15);
    assert_eq!(allowed.first(), Some(&Choices::default()));
    assert_eq!(allowed.last().unwrap().to_string(), "16");
    assert_eq!(Choices::ALL.to_string(), "all");
}

#[test]
fn endpoints_need_ids_of_their_own() {
    let set = |ids: &[&str]| {
        let specs = ids.iter().map(|id| EndpointSpec::new(*id, "x")).collect();
        Config::default().with_endpoints(Some(specs))
    };
    assert_eq!(set(&["a", "b"]).unwrap().endpoints().unwrap().len(), 2);
    assert_eq!(set(&[]).unwrap().endpoints(), Some(&[][..]));
    assert_eq!(set(&["a", ""]).unwrap_err().path, "endpoints[1].id");
    assert_eq!(
        set(&["a", "b", "a"]).unwrap_err().to_string(),
        "endpoints[2].id: \"a\" is already the id of endpoints[0]"
    );
}
