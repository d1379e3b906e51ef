//! Promises over random sweeps.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::outlier::detect::{FailurePercentage, Latency, SuccessRate, SuccessRateMethod};
use crate::units::Percent;

/// An endpoint whose numbers are often those of another, often zero, and sometimes as large as
/// they get.
fn endpoint() -> impl Strategy<Value = Counts> {
    let count = || {
        prop_oneof![
            4 => Just(0_u64),
            6 => (0_u64..8).prop_map(|n| n * 25),
            6 => 0_u64..2_000,
            1 => (0_u64..3).prop_map(|n| u64::MAX - n),
            1 => any::<u64>(),
        ]
    };
    let time = prop_oneof![
        8 => (1_u64..40).prop_map(Duration::from_millis),
        4 => (0_u64..5_000_000).prop_map(Duration::from_micros),
        1 => prop_oneof![Just(Duration::ZERO), Just(Duration::MAX)],
    ];
    let times = prop::collection::vec(time, 0..5);
    (count(), count(), count(), times).prop_map(|(good, failed, overloaded, times)| {
        let mut times: Vec<_> = times.into_iter().cycle().take(120).collect();
        times.sort_unstable();
        Counts { good, failed, overloaded, times }
    })
}

/// Endpoints of which most are nearly alike, as they are in life.
fn endpoints() -> impl Strategy<Value = Vec<Counts>> {
    let usual = (900_u64..=1_000, 0_u64..12, 5_u64..60).prop_map(|(good, failed, millis)| Counts {
        good,
        failed,
        overloaded: 0,
        times: vec![Duration::from_millis(millis); 150],
    });
    prop::collection::vec(prop_oneof![2 => usual, 1 => endpoint()], 0..14)
}

fn volume() -> impl Strategy<Value = u64> {
    prop_oneof![1 => Just(0_u64), 4 => 0_u64..160]
}

fn success_rate() -> impl Strategy<Value = SuccessRate> {
    let method = prop_oneof![Just(SuccessRateMethod::Robust), Just(SuccessRateMethod::A50)];
    (method, 0.0..4.0, 0_usize..6, 0_u8..=30, 0_u64..20, volume()).prop_map(
        |(method, stdev_factor, minimum_hosts, gap, minimum_failures, request_volume)| {
            SuccessRate {
                method,
                stdev_factor,
                minimum_hosts,
                minimum_gap: Percent::new(gap).unwrap(),
                minimum_failures,
                request_volume,
            }
        },
    )
}

fn robust() -> impl Strategy<Value = SuccessRate> {
    success_rate().prop_map(|it| SuccessRate { method: SuccessRateMethod::Robust, ..it })
}

fn failure_percentage() -> impl Strategy<Value = FailurePercentage> {
    (0_u8..=100, 0_usize..6, volume()).prop_map(|(threshold, minimum_hosts, request_volume)| {
        let threshold = Percent::new(threshold).unwrap();
        FailurePercentage { threshold, minimum_hosts, request_volume }
    })
}

fn latency() -> impl Strategy<Value = Latency> {
    (1.0..5.0, 0.0..=1.0, 0_u64..20, 0_usize..6, volume()).prop_map(
        |(factor, quantile, gap, minimum_hosts, request_volume)| {
            let minimum_gap = Duration::from_millis(gap);
            Latency { factor, quantile, minimum_gap, minimum_hosts, request_volume }
        },
    )
}

/// A rule and its volume.
fn rule() -> impl Strategy<Value = (Box<dyn Detector>, u64)> {
    fn boxed<D: Detector>(rule: D, volume: u64) -> (Box<dyn Detector>, u64) {
        (Box::new(rule), volume)
    }
    prop_oneof![
        success_rate().prop_map(|it| boxed(it, it.request_volume)),
        failure_percentage().prop_map(|it| boxed(it, it.request_volume)),
        latency().prop_map(|it| boxed(it, it.request_volume)),
        Just(()).prop_map(|()| boxed(SuccessRate::default(), 100)),
        Just(()).prop_map(|()| boxed(Latency::default(), 100)),
    ]
}

fn requests(endpoint: &Counts) -> f64 {
    endpoint.good as f64 + endpoint.failed as f64 + endpoint.overloaded as f64
}

fn one_of(endpoints: &[Counts], who: Index) -> Option<usize> {
    (!endpoints.is_empty()).then(|| who.index(endpoints.len()))
}

fn rate(endpoint: &Counts) -> f64 {
    100.0 * endpoint.good as f64 / requests(endpoint)
}

proptest! {
    #[test]
    fn findings_are_numbers_and_name_an_endpoint_once(
        (rule, _) in rule(),
        endpoints in endpoints(),
    ) {
        let suspects = judge(&*rule, &endpoints);
        for (at, suspect) in suspects.iter().enumerate() {
            prop_assert!(suspect.index() < endpoints.len());
            prop_assert!(suspects[..at].iter().all(|it| it.index() != suspect.index()));
            // Infinity became the largest number, if it ever came so far.
            for figure in [suspect.observed(), suspect.threshold()] {
                prop_assert!(figure.abs() < f64::MAX);
            }
            prop_assert!((0.0..=1.0).contains(&suspect.severity()));
        }
    }

    #[test]
    fn the_order_of_the_endpoints_does_not_matter(
        (rule, _) in rule(),
        (endpoints, order) in endpoints().prop_flat_map(|endpoints| {
            let order: Vec<_> = (0..endpoints.len()).collect();
            (Just(endpoints), Just(order).prop_shuffle())
        }),
    ) {
        let figures = |at: usize, it: &Suspect| {
            (at, it.observed().to_bits(), it.threshold().to_bits(), it.severity().to_bits())
        };
        let shuffled: Vec<_> = order.iter().map(|&at| endpoints[at].clone()).collect();
        let mut back: Vec<_> =
            judge(&*rule, &shuffled).iter().map(|it| figures(order[it.index()], it)).collect();
        back.sort_unstable();
        let straight: Vec<_> =
            judge(&*rule, &endpoints).iter().map(|it| figures(it.index(), it)).collect();
        prop_assert_eq!(straight, back);
    }

    #[test]
    fn the_quiet_are_neither_judged_nor_counted(
        (rule, volume) in rule(),
        endpoints in endpoints(),
        quiet in prop::collection::vec((0_u64..=1_000, any::<bool>()), 1..6),
    ) {
        let quiet = quiet.into_iter().map(|(part, well)| {
            let requests = volume.saturating_sub(1) * part / 1_000;
            let times = vec![Duration::from_secs(9); requests as usize];
            if well { Counts::taking(times) } else { Counts::of(0, requests) }
        });
        let with: Vec<_> = endpoints.iter().cloned().chain(quiet).collect();
        prop_assert_eq!(judge(&*rule, &with), judge(&*rule, &endpoints));
    }

    #[test]
    fn more_of_the_same_shows_no_less(
        rule in success_rate(),
        percentage in failure_percentage(),
        endpoints in prop::collection::vec((0_u64..=300, 0_u64..=60), 0..12),
        factor in 1_u64..50,
    ) {
        // All above the volume, so that the same ones are judged.
        let above = endpoints.into_iter().filter(|(good, failed)| good + failed >= 200);
        let (few, many): (Vec<_>, Vec<_>) = above
            .map(|(good, failed)| {
                let (good, requests) = (good, good + failed);
                (Counts::of(good, requests), Counts::of(good * factor, requests * factor))
            })
            .unzip();
        prop_assert_eq!(found(&percentage, &few), found(&percentage, &many));
        let (before, after) = (found(&rule, &few), found(&rule, &many));
        match rule.method {
            SuccessRateMethod::A50 => prop_assert_eq!(before, after),
            SuccessRateMethod::Robust => {
                prop_assert!(before.iter().all(|it| after.contains(it)), "{before:?} {after:?}");
            }
        }
    }

    #[test]
    fn who_is_within_the_gap_of_the_best_is_never_found_whoever_joins(
        rule in robust(),
        endpoints in endpoints(),
        newcomer in endpoint(),
    ) {
        let gap = f64::from(rule.minimum_gap.get());
        let with = [&endpoints[..], &[newcomer]].concat();
        for set in [&endpoints, &with] {
            let judged = set.iter().filter(|it| requests(it) >= rule.request_volume.max(1) as f64);
            let best = judged.map(rate).fold(0.0, f64::max);
            for index in found(&rule, set) {
                prop_assert!(rate(&set[index]) < best - gap, "{index} in {set:?}");
            }
        }
    }

    #[test]
    fn getting_better_never_makes_a_suspect(
        rule in robust(),
        endpoints in endpoints(),
        who in any::<Index>(),
        part in 0.0..=1.0,
    ) {
        let Some(who) = one_of(&endpoints, who) else { return Ok(()) };
        // The last digits of larger numbers are lost on their way to a float.
        if requests(&endpoints[who]) > 1e12 {
            return Ok(());
        }
        let mended = (endpoints[who].failed as f64 * part) as u64;
        let mut better = endpoints.clone();
        better[who].good += mended;
        better[who].failed -= mended;
        if found(&rule, &better).contains(&who) {
            prop_assert!(found(&rule, &endpoints).contains(&who));
        }
    }

    #[test]
    fn up_to_half_may_be_dead_and_all_of_them_are_found(
        dead in 1_usize..12,
        more in 0_usize..12,
        requests in 1_000_u64..100_000,
        rates in prop::collection::vec(900_u64..=1_000, 24),
    ) {
        let well = rates.iter().take(dead + more);
        let endpoints: Vec<_> = (0..dead)
            .map(|_| Counts::of(0, requests))
            .chain(well.map(|rate| Counts::of(requests * rate / 1_000, requests)))
            .collect();
        let rule = SuccessRate { minimum_hosts: 2, ..SuccessRate::default() };
        let suspects = found(&rule, &endpoints);
        prop_assert!((0..dead).all(|it| suspects.contains(&it)), "{suspects:?}");
    }

    #[test]
    fn getting_faster_never_makes_a_suspect(
        rule in latency(),
        endpoints in endpoints(),
        who in any::<Index>(),
        by in 1_u32..10,
    ) {
        let Some(who) = one_of(&endpoints, who) else { return Ok(()) };
        let mut better = endpoints.clone();
        better[who].times.iter_mut().for_each(|it| *it /= by);
        if found(&rule, &better).contains(&who) {
            prop_assert!(found(&rule, &endpoints).contains(&who));
        }
    }

    #[test]
    fn who_is_within_the_factor_or_the_gap_of_the_fastest_is_never_found(
        rule in latency(),
        endpoints in endpoints(),
    ) {
        let at = |it: &Counts| it.times.as_slice().quantile(rule.quantile);
        let judged = endpoints.iter().filter(|it| it.times.len() as u64 >= rule.request_volume);
        let Some(fastest) = judged.filter_map(at).min() else { return Ok(()) };
        // A hair for rounding.
        let bound = (rule.factor * fastest.as_secs_f64())
            .max(fastest.saturating_add(rule.minimum_gap).as_secs_f64())
            * (1.0 - 1e-9);
        for index in found(&rule, &endpoints) {
            let own = at(&endpoints[index]).unwrap().as_secs_f64();
            prop_assert!(own > bound, "{own} {bound}");
        }
    }
}
