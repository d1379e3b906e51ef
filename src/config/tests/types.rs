//! Defaults are the documented ones, and setters keep the ranges.

use std::time::Duration;

use crate::config::{
    AlarmsConfig, Choices, Config, ConsecutiveFailuresConfig, DecisionsConfig, EverybodySlowConfig,
    FailurePercentageConfig, GuardConfig, HealthConfig, InitialHealth, LatencyConfig,
    OutlierConfig, PanicConfig, SlowStartConfig, StrategyConfig, StrategyKind, SuccessRateConfig,
    SuccessRateMethod, TiersConfig, UpdateConfig, WhenNoneHealthy,
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
    assert_eq!(outlier.interval(), Duration::from_secs(10));
    assert_eq!(outlier.base_ejection_time(), Duration::from_secs(30));
    assert_eq!(outlier.max_ejection_time(), Duration::from_secs(300));
    assert_eq!(outlier.ejection_jitter_percent(), percent(10));
    assert_eq!(outlier.max_ejected_percent(), percent(50));
    assert_eq!((outlier.min_available(), outlier.probe_successes()), (1, 1));
    assert_eq!(outlier.consecutive_failures(), Some(&ConsecutiveFailuresConfig::default()));
    assert_eq!(outlier.consecutive_gateway_failures(), None);
    assert_eq!(outlier.consecutive_local_failures(), None);
    assert_eq!(outlier.success_rate(), None);
    assert_eq!(outlier.failure_percentage(), None);
    assert_eq!(outlier.latency(), None);

    assert_eq!(config.health(), None);

    let panic = config.panic().unwrap();
    assert_eq!((panic.threshold_percent(), panic.exit_percent()), (percent(50), percent(60)));
    assert_eq!(panic.when_none_healthy(), WhenNoneHealthy::ServeAll);

    let slow_start = config.slow_start();
    assert_eq!(slow_start.window(), Duration::from_secs(30));
    assert_eq!((slow_start.aggression(), slow_start.new_endpoints()), (1.0, false));
    assert_eq!(slow_start.min_weight_percent(), percent(10));

    let audit = config.audit().unwrap();
    let times = (audit.interval(), audit.window());
    assert_eq!(times, (Duration::from_secs(1), Duration::from_secs(10)));
    assert_eq!((audit.tolerance_percent(), audit.windows_per_false_alarm()), (20, 1_000_000));
    assert_eq!(audit.concentration_percent(), Some(percent(70)));

    let tiers = config.tiers().unwrap();
    assert_eq!(tiers.overprovisioning_percent(), 140);
    assert_eq!((tiers.zone(), tiers.zone_callers_percent()), (None, None));
}

#[test]
fn defaults_of_checks_are_the_documented_ones() {
    let health = HealthConfig::default();
    assert_eq!(health.interval(), Duration::from_secs(5));
    assert_eq!(health.unhealthy_interval(), Duration::from_secs(1));
    assert_eq!(health.timeout(), Duration::from_secs(1));
    assert_eq!((health.rise(), health.fall(), health.concurrency()), (2, 3, 32));
    assert_eq!(health.jitter_percent(), percent(20));
    assert_eq!(health.initial(), InitialHealth::Healthy);
}

#[test]
fn defaults_of_detectors_are_the_documented_ones() {
    let row = ConsecutiveFailuresConfig::default();
    assert_eq!((row.threshold().get(), row.enforce_percent()), (5, percent(100)));

    let rate = SuccessRateConfig::default();
    assert_eq!((rate.method(), rate.stdev_factor()), (SuccessRateMethod::Robust, 1.9));
    assert_eq!((rate.minimum_hosts(), rate.request_volume()), (5, 100));
    assert_eq!((rate.minimum_gap_percent(), rate.minimum_failures()), (percent(5), 5));
    assert_eq!(rate.enforce_percent(), percent(100));

    let share = FailurePercentageConfig::default();
    assert_eq!((share.threshold(), share.enforce_percent()), (percent(85), percent(100)));
    assert_eq!((share.minimum_hosts(), share.request_volume()), (5, 50));

    let latency = LatencyConfig::default();
    assert_eq!((latency.factor(), latency.quantile()), (3.0, 0.9));
    assert_eq!(latency.minimum_gap(), Duration::from_millis(5));
    assert_eq!((latency.minimum_hosts(), latency.request_volume()), (3, 100));
    assert_eq!(latency.enforce_percent(), percent(100));
}

fn percent(percent: u8) -> Percent {
    Percent::new(percent).unwrap()
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
    let interval = |time| OutlierConfig::default().with_interval(time);
    let ejection = |time| OutlierConfig::default().with_ejection_times(time, day);
    let longest = |time| OutlierConfig::default().with_ejection_times(ms(10), time);
    let window = |time| SlowStartConfig::default().with_window(time);
    let check = |time| HealthConfig::default().with_interval(time);
    let recheck = |time| HealthConfig::default().with_unhealthy_interval(time);
    let answer = |time| HealthConfig::default().with_timeout(time);
    for (least, most, is_ok) in [
        (ms(100), secs(3600), &(|it| decay(it).is_ok()) as &dyn Fn(Duration) -> bool),
        (ms(10), secs(600), &|it| penalty(it).is_ok()),
        (secs(1), day, &|it| confirm(it).is_ok()),
        (secs(1), day, &|it| remember(it).is_ok()),
        (ms(100), secs(3600), &|it| interval(it).is_ok()),
        (ms(10), day, &|it| ejection(it).is_ok()),
        (ms(10), day, &|it| longest(it).is_ok()),
        (ms(100), secs(3600), &|it| window(it).is_ok()),
        (ms(10), secs(3600), &|it| check(it).is_ok()),
        (ms(10), secs(3600), &|it| recheck(it).is_ok()),
        (ms(1), secs(3600), &|it| answer(it).is_ok()),
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
fn alarms_keep_their_ranges() {
    let day = Duration::from_secs(86_400);
    let alarms = AlarmsConfig::default;
    let refused = [
        alarms().with_panic(Some(day + Duration::from_nanos(1))).unwrap_err(),
        alarms().with_set_unchanged(Some(Duration::ZERO)).unwrap_err(),
        alarms().with_page_timeout(Duration::ZERO).unwrap_err(),
        EverybodySlowConfig::default().with_factor(f64::NAN).unwrap_err(),
        EverybodySlowConfig::default().with_request_volume(0).unwrap_err(),
    ];
    let paths = refused.map(|it| it.path);
    assert_eq!(
        paths,
        [
            "alarms.panic",
            "alarms.set_unchanged",
            "alarms.page_timeout",
            "alarms.everybody_slow.factor",
            "alarms.everybody_slow.request_volume",
        ]
    );
    assert!(alarms().with_panic(Some(Duration::ZERO)).is_ok(), "at once");
    assert!(alarms().with_panic(None).is_ok());
}

#[test]
fn records_that_are_not_kept_are_switched_off_and_not_zero() {
    let decisions = DecisionsConfig::default();
    let problem = decisions.clone().with_keep(0).unwrap_err();
    assert_eq!(problem.path, "decisions.keep");
    assert_eq!(problem.message, "0 is out of range; a whole number from 1 to 65536 is needed");
    assert_eq!(decisions.clone().with_every(0).unwrap_err().path, "decisions.every");
    assert!(decisions.clone().with_every(1_000_001).is_err());
    assert!(decisions.with_every(1_000_000).and_then(|it| it.with_keep(1)).is_ok());
}

#[test]
fn a_zone_without_a_name_is_refused() {
    let tiers = TiersConfig::default().with_zone(Some("eu-1a")).unwrap();
    let problem = tiers.clone().with_zone(Some("")).unwrap_err();
    assert_eq!(problem.to_string(), "tiers.zone: the zone must not be empty");
    assert_eq!(tiers.with_zone(None).unwrap(), TiersConfig::default());
}

#[test]
fn setters_keep_numbers_in_their_ranges_and_name_the_key() {
    let (rate, share) = (SuccessRateConfig::default(), FailurePercentageConfig::default());
    let (latency, slow_start) = (LatencyConfig::default(), SlowStartConfig::default());
    let outlier = OutlierConfig::default();
    let (health, tiers) = (HealthConfig::default(), TiersConfig::default());
    let of_rate = "outlier.success_rate.";
    for (refused, path) in [
        (rate.clone().with_stdev_factor(-0.1).err(), of_rate.to_owned() + "stdev_factor"),
        (rate.clone().with_stdev_factor(f64::NAN).err(), of_rate.to_owned() + "stdev_factor"),
        (rate.clone().with_minimum_hosts(1).err(), of_rate.to_owned() + "minimum_hosts"),
        (rate.clone().with_minimum_failures(0).err(), of_rate.to_owned() + "minimum_failures"),
        (rate.with_request_volume(0).err(), of_rate.to_owned() + "request_volume"),
        (
            share.clone().with_threshold(percent(0)).err(),
            "outlier.failure_percentage.threshold".into(),
        ),
        (
            share.clone().with_minimum_hosts(0).err(),
            "outlier.failure_percentage.minimum_hosts".into(),
        ),
        (share.with_request_volume(0).err(), "outlier.failure_percentage.request_volume".into()),
        (latency.clone().with_factor(0.99).err(), "outlier.latency.factor".into()),
        (latency.clone().with_quantile(1.0).err(), "outlier.latency.quantile".into()),
        (
            latency.clone().with_minimum_gap(Duration::MAX).err(),
            "outlier.latency.minimum_gap".into(),
        ),
        (latency.clone().with_minimum_hosts(1).err(), "outlier.latency.minimum_hosts".into()),
        (latency.with_request_volume(0).err(), "outlier.latency.request_volume".into()),
        (outlier.clone().with_probe_successes(0).err(), "outlier.probe_successes".into()),
        (outlier.with_probe_successes(101).err(), "outlier.probe_successes".into()),
        (slow_start.clone().with_aggression(f64::INFINITY).err(), "slow_start.aggression".into()),
        (slow_start.clone().with_aggression(0.0).err(), "slow_start.aggression".into()),
        (
            slow_start.with_min_weight_percent(percent(0)).err(),
            "slow_start.min_weight_percent".into(),
        ),
        (health.clone().with_interval(Duration::ZERO).err(), "health.interval".into()),
        (
            health.clone().with_unhealthy_interval(Duration::ZERO).err(),
            "health.unhealthy_interval".into(),
        ),
        (health.clone().with_timeout(Duration::ZERO).err(), "health.timeout".into()),
        (health.clone().with_rise(0).err(), "health.rise".into()),
        (health.clone().with_rise(101).err(), "health.rise".into()),
        (health.clone().with_fall(0).err(), "health.fall".into()),
        (health.clone().with_fall(101).err(), "health.fall".into()),
        (health.clone().with_concurrency(0).err(), "health.concurrency".into()),
        (health.with_concurrency(1025).err(), "health.concurrency".into()),
        (
            tiers.clone().with_overprovisioning_percent(99).err(),
            "tiers.overprovisioning_percent".into(),
        ),
        (
            tiers.clone().with_overprovisioning_percent(1001).err(),
            "tiers.overprovisioning_percent".into(),
        ),
        (
            tiers.with_zone_callers_percent(Some(percent(0))).err(),
            "tiers.zone_callers_percent".into(),
        ),
    ] {
        let problem = refused.expect(&path);
        assert_eq!(problem.path, path);
        assert!(problem.message.contains(" is out of range; a"), "{problem}");
    }
}

#[test]
fn two_settings_that_exclude_each_other_are_refused_together() {
    let secs = Duration::from_secs;
    let outlier = OutlierConfig::default();
    let times = outlier.clone().with_ejection_times(secs(7), secs(7)).unwrap();
    assert_eq!((times.base_ejection_time(), times.max_ejection_time()), (secs(7), secs(7)));
    assert_eq!(
        outlier.with_ejection_times(secs(7), secs(6)).unwrap_err().to_string(),
        "outlier.max_ejection_time: max_ejection_time (6s) is shorter than base_ejection_time \
         (7s), so the first ejection could not last as long as it should"
    );

    let panic = PanicConfig::default();
    assert!(panic.clone().with_thresholds(percent(100), percent(100)).is_ok());
    let zero = panic.clone().with_thresholds(percent(0), percent(100)).unwrap_err();
    assert_eq!(zero.path, "panic.threshold_percent");
    assert_eq!(
        panic.with_thresholds(percent(2), percent(1)).unwrap_err().to_string(),
        "panic.exit_percent: exit_percent (1) is less than threshold_percent (2), so panic would \
         end where it begins"
    );
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
