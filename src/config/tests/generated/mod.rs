//! Settings drawn from all there may be.

mod alarms;
mod checks;
mod ejections;

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::option::of;
use proptest::prelude::*;

use self::checks::{health, tiers};
use self::ejections::{outlier, panic, slow_start};
use crate::config::{
    AuditConfig, Choices, Config, DecisionsConfig, GuardConfig, HashConfig, LimitsConfig, Range,
    StrategyConfig, StrategyKind, UpdateConfig, setting,
};
use crate::endpoint::EndpointSpec;
use crate::units::Percent;

/// Any settings that the setters allow.
pub(super) fn config() -> impl Strategy<Value = Config> {
    // Boxed: the trees by which failures are shrunk are too large for the stack of a test.
    let ejections = (of(outlier().boxed()), of(panic().boxed()), slow_start().boxed());
    let checks = (of(health().boxed()), of(tiers().boxed()));
    let sections = (
        strategy().boxed(),
        of(update()).boxed(),
        ejections,
        checks,
        hash().boxed(),
        limits(),
        (guard(), of(decisions()), of(alarms::alarms().boxed()), of(audit().boxed())),
    );
    (of(word()), sections, of(endpoints())).prop_map(|(name, sections, endpoints)| {
        let (strategy, update, ejections, (health, tiers), hash, limits, last) = sections;
        let (outlier, panic, slow_start) = ejections;
        let (guard, decisions, alarms, audit) = last;
        let config = match name {
            Some(name) => Config::default().with_name(name),
            None => Config::default(),
        };
        config
            .with_strategy(strategy)
            .with_update(update)
            .with_outlier(outlier)
            .with_health(health)
            .with_panic(panic)
            .with_slow_start(slow_start)
            .with_tiers(tiers)
            .with_hash(hash)
            .with_limits(limits)
            .with_guard(guard)
            .with_alarms(alarms)
            .with_decisions(decisions)
            .with_audit(audit)
            .with_endpoints(endpoints)
            .unwrap()
    })
}

/// Any duration the setting takes, its ends more often than others.
fn duration(path: &str) -> impl Strategy<Value = Duration> + use<> {
    let Range::Duration(range) = &setting(path).unwrap().range else {
        panic!("{path} is no duration");
    };
    let (least, most) = (range.start().as_nanos(), range.end().as_nanos());
    let of_nanos = |nanos: u128| Duration::from_nanos(u64::try_from(nanos).unwrap());
    prop_oneof![
        Just(*range.start()),
        Just(*range.end()),
        (least..=most).prop_map(of_nanos),
        (least.div_ceil(1_000_000)..=most / 1_000_000).prop_map(move |it| of_nanos(it * 1_000_000)),
        (least.div_ceil(60_000_000_000)..=most / 60_000_000_000)
            .prop_map(move |it| of_nanos(it * 60_000_000_000)),
    ]
}

fn percent(path: &str) -> impl Strategy<Value = Percent> + use<> {
    let Range::Percent(range) = &setting(path).unwrap().range else {
        panic!("{path} is no percentage");
    };
    range.clone().prop_map(|percent| Percent::new(percent).unwrap())
}

/// Any whole number the setting takes, its ends and small ones more often than others.
fn whole(path: &str) -> impl Strategy<Value = u32> + use<> {
    let Range::Whole(range) = &setting(path).unwrap().range else {
        panic!("{path} is no whole number");
    };
    let least = u32::try_from(*range.start()).unwrap();
    let most = u32::try_from(*range.end()).unwrap();
    prop_oneof![Just(least), Just(most), least..=most.min(least + 20), least..=most]
}

/// Any number the setting takes, its ends and short ones more often than others.
fn number(path: &str) -> impl Strategy<Value = f64> + use<> {
    let Range::Number(range) = &setting(path).unwrap().range else {
        panic!("{path} is no number");
    };
    let (least, most) = (*range.start(), *range.end());
    let short = (least..=most).prop_map(|it| (it * 10.0).round() / 10.0);
    let short = short.prop_map(move |it| it.clamp(least, most));
    prop_oneof![Just(least), Just(most), short, least..=most]
}

/// Any text, and what TOML has a meaning for.
fn word() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,8}", any::<String>(), "[\n\r\t\"'\\\\ #=.\\[\\]\u{0}\u{7f}]{0,6}"]
}

fn strategy() -> impl Strategy<Value = StrategyConfig> {
    let kind = prop_oneof![
        Just(StrategyKind::RoundRobin),
        Just(StrategyKind::Random),
        Just(StrategyKind::LeastRequest),
        Just(StrategyKind::PeakEwma),
        Just(StrategyKind::RingHash),
        Just(StrategyKind::Maglev),
        word().prop_map(|name| StrategyKind::Custom(name + "!")),
    ];
    let choices =
        prop_oneof![(2_u8..=16).prop_map(|count| Choices::of(count).unwrap()), Just(Choices::ALL)];
    let penalty = of(duration("strategy.failure_penalty"));
    (kind, choices, duration("strategy.decay"), penalty).prop_map(
        |(kind, choices, decay, penalty)| {
            let strategy = StrategyConfig::new(kind).with_choices(choices);
            strategy.with_decay(decay).and_then(|it| it.with_failure_penalty(penalty)).unwrap()
        },
    )
}

fn update() -> impl Strategy<Value = UpdateConfig> {
    let after = duration("update.confirm_after");
    let endpoints = prop_oneof![any::<usize>(), 0_usize..10, Just(usize::MAX)];
    (any::<bool>(), percent("update.max_shrink_percent"), endpoints, after).prop_map(
        |(allow_empty, percent, endpoints, after)| {
            UpdateConfig::default()
                .with_allow_empty(allow_empty)
                .with_max_shrink_percent(percent)
                .with_min_endpoints(endpoints)
                .with_confirm_after(after)
                .unwrap()
        },
    )
}

fn hash() -> impl Strategy<Value = HashConfig> {
    let percent = of(whole("hash.bounded_load_percent"));
    let rows = prop::sample::select(vec![101, 1_009, 65_537, 5_000_011]);
    let points = || whole("hash.min_ring_size");
    (percent, rows, points(), points()).prop_map(|(percent, rows, a, b)| {
        let hash = HashConfig::default().with_bounded_load_percent(percent);
        let hash = hash.and_then(|it| it.with_table_size(rows));
        let hash = hash.and_then(|it| it.with_min_ring_size(a.min(b)));
        hash.and_then(|it| it.with_max_ring_size(a.max(b))).unwrap()
    })
}

fn limits() -> impl Strategy<Value = LimitsConfig> {
    of(duration("limits.attempt_timeout"))
        .prop_map(|timeout| LimitsConfig::default().with_attempt_timeout(timeout).unwrap())
}

fn guard() -> impl Strategy<Value = GuardConfig> {
    of(percent("guard.max_share_percent"))
        .prop_map(|share| GuardConfig::default().with_max_share_percent(share).unwrap())
}

fn decisions() -> impl Strategy<Value = DecisionsConfig> {
    (whole("decisions.every"), whole("decisions.keep")).prop_map(|(every, keep)| {
        DecisionsConfig::default().with_every(every).and_then(|it| it.with_keep(keep)).unwrap()
    })
}

fn audit() -> impl Strategy<Value = AuditConfig> {
    let times = (duration("audit.interval"), duration("audit.window"));
    let counts = (whole("audit.tolerance_percent"), whole("audit.windows_per_false_alarm"));
    (times, counts, of(percent("audit.concentration_percent"))).prop_map(
        |((interval, window), (tolerance, windows), most)| {
            let audit = AuditConfig::default().with_interval(interval);
            let audit = audit.and_then(|it| it.with_window(window));
            let audit = audit.and_then(|it| it.with_tolerance_percent(tolerance));
            let audit = audit.and_then(|it| it.with_windows_per_false_alarm(windows));
            audit.and_then(|it| it.with_concentration_percent(most)).unwrap()
        },
    )
}

fn endpoints() -> impl Strategy<Value = Vec<EndpointSpec>> {
    let number = || prop_oneof![Just(0), Just(1), Just(u32::MAX), any::<u32>()];
    let labels = prop::collection::btree_map(word(), word(), 0..3);
    let rest = (word(), number(), number(), of(word()), labels);
    prop::collection::btree_map(word(), rest, 0..4).prop_map(|all: BTreeMap<_, _>| {
        let spec = |(id, (address, weight, tier, zone, labels)): (String, _)| {
            let mut spec = EndpointSpec::new(id + "!", address).weight(weight).tier(tier);
            spec.zone = zone;
            spec.labels = labels;
            spec
        };
        all.into_iter().map(spec).collect()
    })
}
