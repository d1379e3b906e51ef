//! Cases worked out by hand, and the traps of the peers.

use super::*;
use crate::outlier::detect::{FailurePercentage, Latency, SuccessRate, SuccessRateMethod};
use crate::stats::Histogram;
use crate::units::Percent;

const NOBODY: [usize; 0] = [];

/// So many endpoints of each kind.
fn together(groups: &[(usize, Counts)]) -> Vec<Counts> {
    groups.iter().flat_map(|(count, endpoint)| vec![endpoint.clone(); *count]).collect()
}

fn robust(minimum_hosts: usize) -> SuccessRate {
    SuccessRate { minimum_hosts, ..SuccessRate::default() }
}

fn a50(minimum_hosts: usize) -> SuccessRate {
    SuccessRate { method: SuccessRateMethod::A50, ..robust(minimum_hosts) }
}

/// Groups of endpoints as (how many, good of 1,000), the minimum of hosts, and how many of the
/// first group `Robust` and `A50` find. All other endpoints are found by neither.
type Row<'a> = (&'a str, &'a [(usize, u64)], usize, [usize; 2]);

#[test]
fn success_rates() {
    // A50: the dead part p is found while p < 1 / (1 + 1.9²) = 0.2169.
    let table: &[Row<'_>] = &[
        ("nobody", &[], 0, [0, 0]),
        ("one alone, dead", &[(1, 0)], 0, [0, 0]),
        ("one alone, well", &[(1, 1_000)], 0, [0, 0]),
        // Mean 50, σ 50: 50 − 95 < 0.
        ("one dead of two", &[(1, 0), (1, 1_000)], 2, [1, 0]),
        ("one dead of two, too few hosts", &[(1, 0), (1, 1_000)], 5, [0, 0]),
        ("one dead of three", &[(1, 0), (2, 1_000)], 3, [1, 0]),
        // Mean 75, σ √1875 = 43.3: 75 − 82.3 < 0.
        ("one dead of four", &[(1, 0), (3, 1_000)], 4, [1, 0]),
        ("two dead of four", &[(2, 0), (2, 1_000)], 4, [2, 0]),
        // Mean 80, σ 40: 80 − 76 = 4 > 0.
        ("one dead of five", &[(1, 0), (4, 1_000)], 5, [1, 1]),
        // Mean 77.8, σ 41.6: 77.8 − 79.0 < 0.
        ("two dead of nine", &[(2, 0), (7, 1_000)], 5, [2, 0]),
        ("two dead of ten", &[(2, 0), (8, 1_000)], 5, [2, 2]),
        ("four dead of ten", &[(4, 0), (6, 1_000)], 5, [4, 0]),
        ("half dead", &[(5, 0), (5, 1_000)], 5, [5, 0]),
        // One more than half: the median of a dead one's peers is halfway, 50.
        ("three dead of five", &[(3, 0), (2, 1_000)], 5, [3, 0]),
        // Then the median is dead, and nobody is below.
        ("four dead of five", &[(4, 0), (1, 1_000)], 5, [0, 0]),
        ("six dead of ten", &[(6, 0), (4, 1_000)], 5, [0, 0]),
        ("all dead", &[(10, 0)], 5, [0, 0]),
        ("all fail alike", &[(10, 400)], 5, [0, 0]),
        ("all well", &[(10, 1_000)], 5, [0, 0]),
        // Mean 99.81, σ 0.27: 99.81 − 0.513 = 99.297 > 99.
        ("99.0 % among nine at 99.9 %", &[(1, 990), (9, 999)], 5, [0, 1]),
        // The gap is 5: 95 is not below 95.
        ("on the gap", &[(1, 950), (9, 1_000)], 5, [0, 1]),
        ("below the gap", &[(1, 949), (9, 1_000)], 5, [1, 1]),
        // Nothing is five points below one.
        ("peers as good as dead", &[(1, 0), (9, 10)], 5, [0, 1]),
        // Half of them are no outlier to the mean: 95.5 − 1.9·3.5 = 88.85.
        ("half a set worse", &[(5, 920), (5, 990)], 5, [5, 0]),
        ("half a set a little worse", &[(5, 950), (5, 990)], 5, [0, 0]),
    ];
    for &(name, groups, minimum_hosts, expected) in table {
        let groups: Vec<_> = groups.iter().map(|&(n, good)| (n, Counts::of(good, 1_000))).collect();
        let endpoints = together(&groups);
        for (rule, expected) in [robust(minimum_hosts), a50(minimum_hosts)].iter().zip(expected) {
            let expected: Vec<_> = (0..expected).collect();
            assert_eq!(found(rule, &endpoints), expected, "{name}, {:?}", rule.method);
        }
    }
}

#[test]
fn a50_has_the_numbers_of_the_formula() {
    // 50, 100, 100, 100, 100: mean 90, σ √((1600 + 4·100) / 5) = 20, 90 − 1.9·20 = 52.
    let endpoints = together(&[(1, Counts::of(50, 100)), (4, Counts::of(100, 100))]);
    let suspects = judge(&a50(5), &endpoints);
    assert_eq!(suspects, [Suspect::new(0, 50.0, 52.0).with_severity(0.5)]);
    // 90 − 2·20 = 50: on the threshold is not below it.
    assert_eq!(found(&SuccessRate { stdev_factor: 2.0, ..a50(5) }, &endpoints), NOBODY);
    // Neither the gap nor the number of failures is read.
    let strict = Percent::new(100).unwrap();
    let strict = SuccessRate { minimum_gap: strict, minimum_failures: u64::MAX, ..a50(5) };
    assert_eq!(found(&strict, &endpoints), [0]);
}

#[test]
fn equal_rates_have_no_deviation_whatever_rounding_makes_of_their_sum() {
    let rule = SuccessRate { stdev_factor: 0.0, request_volume: 1, ..a50(0) };
    for good in 0..=101 {
        for n in [3, 5, 6, 7, 10] {
            assert_eq!(
                found(&rule, &together(&[(n, Counts::of(good, 101))])),
                NOBODY,
                "{good}, {n}"
            );
        }
    }
}

#[test]
fn robust_has_the_numbers_of_its_description() {
    // Peers 90, 92, 94, 96, 98: median 94, distances 4 2 0 2 4, their median 2, deviation 2.9652.
    let peers = [90, 92, 94, 96, 98].map(|good| Counts::of(good * 10_000, 1_000_000));
    let threshold = |stdev_factor| {
        let rule = SuccessRate { stdev_factor, ..robust(5) };
        let endpoints = [&peers[..], &[Counts::of(0, 1_000_000)]].concat();
        judge(&rule, &endpoints)[0].threshold()
    };
    // The gap of 5, then the deviations, then half of 94 at most.
    assert_eq!(threshold(1.0), 89.0);
    assert!((threshold(1.9) - (94.0 - 1.9 * 2.9652)).abs() < 1e-9);
    assert!((threshold(4.0) - (94.0 - 4.0 * 2.9652)).abs() < 1e-9);
    assert_eq!([100.0, f64::INFINITY, f64::NAN].map(threshold), [47.0; 3]);
    assert_eq!([0.0, -1.0].map(threshold), [89.0; 2]);
}

#[test]
fn robust_leaves_the_endpoint_out_of_centre_and_spread() {
    let endpoints = |rates: [u64; 5]| rates.map(|good| Counts::of(good * 10_000, 1_000_000));
    let thresholds = |stdev_factor, rates| {
        let rule = SuccessRate { stdev_factor, ..robust(5) };
        let suspects = judge(&rule, &endpoints(rates));
        suspects.iter().map(|it| (it.index(), it.threshold())).collect::<Vec<_>>()
    };
    // Peers of 0: median (92 + 97) / 2 = 94.5, distances 4.5 2.5 2.5 3.5, their median 3.
    let [(0, threshold)] = thresholds(1.9, [0, 90, 92, 97, 98])[..] else { panic!() };
    assert!((threshold - (94.5 - 1.9 * 1.4826 * 3.0)).abs() < 1e-9, "{threshold}");
    // Peers of 0: median (30 + 70) / 2 = 50, distances 25 20 20 50. Peers of 25: the same median,
    // 50 20 20 50. The one in the middle has a centre of its own: peers of 30 have the median
    // (25 + 70) / 2 = 47.5 and the distances 47.5 22.5 22.5 52.5.
    let found = thresholds(0.3, [0, 25, 30, 70, 100]);
    let expected = [(0, 50.0, 22.5), (1, 50.0, 35.0), (2, 47.5, 35.0)];
    assert_eq!(found.len(), expected.len());
    for ((index, threshold), (at, centre, distance)) in found.into_iter().zip(expected) {
        assert_eq!(index, at);
        assert!((threshold - (centre - 0.3 * 1.4826 * distance)).abs() < 1e-9, "{at}: {threshold}");
    }
}

#[test]
fn robust_wants_failures_and_volume() {
    let well = (9, Counts::of(1_000, 1_000));
    let sick = together(&[(1, Counts::of(900, 1_000)), well.clone()]);
    assert_eq!(found(&SuccessRate { minimum_failures: 100, ..robust(5) }, &sick), [0]);
    assert_eq!(found(&SuccessRate { minimum_failures: 101, ..robust(5) }, &sick), NOBODY);
    // A dead one below the volume is not there: nobody judges it, and it does not count as a host.
    let quiet = Counts::of(0, 99);
    assert_eq!(found(&robust(5), &together(&[(1, quiet.clone()), well])), NOBODY);
    let few = together(&[(1, Counts::of(0, 100)), (3, Counts::of(100, 100)), (6, quiet)]);
    assert_eq!(found(&robust(5), &few), NOBODY);
    assert_eq!(found(&robust(4), &few), [0]);
}

#[test]
fn robust_finds_what_its_table_says() {
    // By hand, for peers at 95 % and 100 requests: there are 9·100·2/π = 573 behind the median, so
    // (0.05·573 + 1) / 575 = 5.157 % failures are to be expected, of 1 / (1/100 + 1/573) = 85.1
    // requests. L = ln(10 / 1e-4) = 11.51, L / (3·85.1) = 0.0451,
    // 0.0451 + √(0.0451² + 2·11.51·0.05157·0.9484 / 85.1) = 0.1686: 95 − 16.86 = 78.1.
    let table: &[(u64, [f64; 4])] = &[
        (1_000, [90.5, 95.0, 95.0, 95.0]),
        (980, [84.7, 92.0, 93.0, 93.0]),
        (990, [87.3, 94.0, 94.0, 94.0]),
        (950, [78.1, 86.8, 90.0, 90.0]),
        (800, [54.2, 66.4, 73.0, 75.0]),
        (500, [19.1, 33.4, 41.3, 45.0]),
    ];
    for &(peers, below) in table {
        // The guide and the documentation of the rule say the same.
        let [a, b, c, d] = below;
        let row = format!("| {} % | {a} % | {b} % | {c} % | {d} % |\n", peers as f64 / 10.0);
        let rule = include_str!("../success_rate/mod.rs");
        let guide = include_str!("../../../../docs/outliers.md");
        assert!(rule.contains(&row) && guide.contains(&row), "{row}");
        for (requests, below) in [100, 300, 1_000, 10_000].into_iter().zip(below) {
            let peers = Counts::of(peers * requests / 1_000, requests);
            let endpoints = together(&[(1, Counts::of(0, requests)), (9, peers)]);
            let threshold = judge(&robust(5), &endpoints)[0].threshold();
            assert!((threshold - below).abs() < 0.051, "{requests} requests, {below}: {threshold}");
        }
    }
}

#[test]
fn refusals_are_not_successes() {
    let swamped = Counts { good: 100, overloaded: 900, ..Counts::default() };
    let endpoints = together(&[(1, swamped), (9, Counts::of(1_000, 1_000))]);
    for rule in [robust(5), a50(5)] {
        let suspects = judge(&rule, &endpoints);
        assert_eq!((suspects[0].index(), suspects[0].observed()), (0, 10.0));
    }
    assert_eq!(found(&FailurePercentage::default(), &endpoints), [0]);
}

#[test]
fn failure_percentages() {
    let rule = FailurePercentage::default();
    let well = Counts::of(100, 100);
    let table: &[(&str, Counts, usize)] = &[
        ("at the threshold", Counts::of(15, 100), 1),
        ("a hair below", Counts::of(1_501, 10_000), 0),
        ("dead", Counts::of(0, 50), 1),
        ("dead and too quiet", Counts::of(0, 49), 0),
        ("well", Counts::of(50, 50), 0),
    ];
    for (name, endpoint, expected) in table {
        let endpoints = together(&[(1, endpoint.clone()), (5, well.clone())]);
        assert_eq!(found(&rule, &endpoints).len(), *expected, "{name}");
        let few = together(&[(1, endpoint.clone()), (3, well.clone())]);
        assert_eq!(found(&rule, &few), NOBODY, "{name}, too few hosts");
    }
    // It looks at each alone, so all may be suspects.
    assert_eq!(found(&rule, &together(&[(5, Counts::of(0, 50))])), [0, 1, 2, 3, 4]);
    let suspect = judge(&rule, &together(&[(5, Counts::of(12, 100))]))[0];
    assert_eq!((suspect.observed(), suspect.threshold(), suspect.severity()), (88.0, 85.0, 0.88));
    let zero = FailurePercentage { threshold: Percent::new(0).unwrap(), ..rule };
    assert_eq!(found(&zero, &together(&[(5, well)])).len(), 5);
    let idle = FailurePercentage { request_volume: 0, minimum_hosts: 0, ..zero };
    assert_eq!(found(&idle, &[Counts::default()]), NOBODY);
    let all = FailurePercentage { threshold: Percent::new(100).unwrap(), ..rule };
    let endpoints = together(&[(1, Counts::of(0, 100)), (4, Counts::of(1, 100_000))]);
    assert_eq!(found(&all, &endpoints), [0]);
}

#[test]
fn latencies() {
    let alike = |millis| Counts::timed(&[(100, millis)]);
    let mixed = |slow| Counts::timed(&[(1_000 - slow, 10.0), (slow, 1_000.0)]);
    let five = |first: Counts, others: Counts| together(&[(1, first), (4, others)]);
    let table: &[(&str, Vec<Counts>, usize)] = &[
        ("nobody", vec![], 0),
        ("one alone", vec![alike(1_000.0)], 0),
        ("too few hosts", vec![alike(1_000.0), alike(10.0)], 0),
        ("one slow of three", vec![alike(31.0), alike(10.0), alike(10.0)], 1),
        // Its peers' median is the mean of 10 and 1,000.
        ("two slow of three", vec![alike(1_000.0), alike(1_000.0), alike(10.0)], 0),
        ("two slow of four", vec![alike(31.0), alike(31.0), alike(10.0), alike(10.0)], 2),
        // The peers' median is 20; that of all would be 30.
        ("one slow, one less so", vec![alike(70.0), alike(30.0), alike(10.0)], 1),
        ("three times, exactly", five(alike(30.0), alike(10.0)), 0),
        ("everyone slow alike", five(alike(9_000.0), alike(9_000.0)), 0),
        ("one fast among slow", five(alike(10.0), alike(9_000.0)), 0),
        ("microseconds", five(alike(0.03), alike(0.01)), 0),
        // Six times, but not 5 ms; then both.
        ("within the gap", five(alike(6.0), alike(1.0)), 0),
        ("beyond the gap", five(alike(6.001), alike(1.0)), 1),
        ("few samples", five(Counts::timed(&[(99, 1_000.0)]), alike(10.0)), 0),
        // By nature a tenth is slow everywhere, here a little more and there a little less. The
        // quantile jumps from 10 to 1,000 ms and means nothing.
        ("bimodal alike", five(mixed(110), mixed(95)), 0),
        // L = ln(5 / 1e-4) = 10.82. Of 1,000 answers more than
        // 0.1 + L/3000 + √((L/3000)² + 2·L·0.09/1000) = 0.1479 have to be above.
        ("bimodal, within chance", five(mixed(147), mixed(95)), 0),
        ("bimodal, more than chance", five(mixed(149), mixed(95)), 1),
        ("no time at all", five(alike(0.0), alike(0.0)), 0),
        ("slow against no time at all", five(alike(5.1), alike(0.0)), 1),
    ];
    for (name, endpoints, expected) in table {
        let expected: Vec<_> = (0..*expected).collect();
        assert_eq!(found(&Latency::default(), endpoints), expected, "{name}");
    }
    let two = Latency { minimum_hosts: 2, ..Latency::default() };
    let suspects = judge(&two, &[alike(60.0), alike(10.0)]);
    // Half of the half of its time that is too much.
    assert_eq!(suspects, [Suspect::new(0, 60.0, 30.0).with_severity(0.25)]);
}

#[test]
fn a_latency_is_found_from_as_many_answers_as_its_table_says() {
    // Ten endpoints; more than this percentage of the answers have to be above the threshold.
    // For 100, L = ln(10 / 1e-4) = 11.51: 10 + 3.84 + √(3.84² + 2·11.51·10·90 / 100) = 28.7.
    let table = [(100, 28.7), (200, 22.3), (500, 17.3), (1_000, 15.0), (10_000, 11.5)];
    for (answers, percent) in table {
        let judged = |slow| {
            let slow = Counts::timed(&[(answers - slow, 10.0), (slow, 1_000.0)]);
            let peers = Counts::timed(&[(answers, 10.0)]);
            found(&Latency::default(), &together(&[(1, slow), (9, peers)]))
        };
        let most = (percent * answers as f64 / 100.0) as usize;
        let hair = answers / 1_000;
        assert_eq!(judged(most - hair), NOBODY, "{answers}");
        assert_eq!(judged(most + 1 + hair), [0], "{answers}");
    }
}

#[test]
fn buckets_blur_the_factor_by_as_much_as_the_guide_says() {
    // All answers of an endpoint take the same time, the worst case: a bucket is all that is known
    // of it. Two buckets an octave, from 1 to 1.5 and from 1.5 to 2.
    let of = |nanos: f64| {
        let histogram = Histogram::new();
        (0..100).for_each(|_| histogram.record(nanos as u64));
        histogram.read()
    };
    let id = EndpointId::from("a");
    let judged = |factor: f64, peers: f64| {
        let (slow, peers) = (of(factor * peers), of(peers));
        let observed = [&slow, &peers, &peers].map(|it| Observed::new(&id).with_timings(it));
        !Latency::default().judge(&Sweep::new(&observed)).is_empty()
    };
    for step in 0_i32..70 {
        // From 10 ms over three octaves and a half.
        let peers = 10e6 * (f64::from(step) * 0.05).exp2();
        assert!(!judged(2.6, peers) && judged(4.1, peers), "{peers}");
    }
}

#[test]
fn severity_is_the_same_to_every_rule_by_rates_and_less_for_the_slow() {
    let endpoints = together(&[(1, Counts::of(0, 100)), (9, Counts::of(100, 100))]);
    let rules: [&dyn Detector; 3] = [&robust(5), &a50(5), &FailurePercentage::default()];
    for rule in rules {
        assert_eq!(judge(rule, &endpoints)[0].severity(), 1.0, "{rule:?}");
    }
    let slow = [(1, Counts::timed(&[(100, 1e9)])), (2, Counts::timed(&[(100, 1.0)]))];
    let severity = judge(&Latency::default(), &together(&slow))[0].severity();
    assert!(severity < 0.5 && severity > 0.499, "{severity}");
}

#[test]
fn settings_that_are_no_numbers_find_nobody() {
    let slow = [(1, Counts::timed(&[(100, 60.0)])), (4, Counts::timed(&[(100, 10.0)]))];
    let rule = Latency::default();
    for factor in [f64::NAN, f64::NEG_INFINITY, f64::INFINITY, 0.0] {
        assert_eq!(found(&Latency { factor, ..rule }, &together(&slow)), NOBODY, "{factor}");
    }
    for quantile in [f64::NAN, -0.1, 1.1, f64::INFINITY, 0.0] {
        assert_eq!(found(&Latency { quantile, ..rule }, &together(&slow)), NOBODY, "{quantile}");
    }
    assert_eq!(found(&Latency { quantile: 1.0, ..rule }, &together(&slow)), [0]);
    let dead = together(&[(1, Counts::of(0, 100)), (9, Counts::of(100, 100))]);
    assert_eq!(found(&SuccessRate { stdev_factor: f64::NAN, ..a50(5) }, &dead), NOBODY);
}
