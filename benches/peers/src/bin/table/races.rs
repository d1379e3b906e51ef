//! What a request and a pick cost, and whether that depends on the number of endpoints.

use evenkeel_peers::contestant::{CLOCKS, Contestant, PICKS, REQUESTS};
use evenkeel_peers::options::Options;
use evenkeel_peers::race::{Race, Results};
use evenkeel_peers::targets::{Bound, Target};
use evenkeel_peers::text::{Table, or_dash};

/// Ratios of requests: who, against whom, at most.
const RATIOS: [(&str, &str, f64); 3] = [
    ("least_request", "tower:pending", 0.45),
    ("least_request", "tower:pending+buffer", 0.18),
    ("peak_ewma", "tower:peak_ewma", PEAK),
];

/// By the clock.
const PEAK: f64 = if cfg!(feature = "tsc") { 0.15 } else { 0.25 };

/// Who may cost hardly more with many endpoints than with few.
const FLAT: [&str; 4] = ["round_robin", "random", "least_request", "peak_ewma"];

/// How many times as much that may be.
const FLAT_BOUND: f64 = 1.3;

/// Few endpoints.
const FEW: usize = 10;

pub(crate) fn request(options: &Options) -> Vec<Target> {
    let title = "One request through tower: ready, call, answer, outcome; ns";
    let results = races(title, REQUESTS, options);
    let ratio = |&(ours, theirs, bound): &(&str, &str, f64)| {
        let figure = |(n, results): &(usize, Results)| {
            (*n, results.ratio((ours, *n), (theirs, *n)).map(|spread| spread.middle))
        };
        let what = format!("request: {ours} / {theirs}");
        Target::new(what, Bound::AtMost(bound), results.iter().map(figure))
    };
    RATIOS.iter().map(ratio).collect()
}

pub(crate) fn pick(options: &Options) -> Vec<Target> {
    races("One pick and its outcome; ns", PICKS, options);
    Vec::new()
}

/// Few and many endpoints in the same rounds.
pub(crate) fn flat(options: &Options) -> Vec<Target> {
    let many = options.largest();
    let flat = |(what, contestants, prefix): (&str, &[Contestant], &str)| {
        let names = FLAT.map(|name| format!("{prefix}{name}"));
        let ours = |contestant: &Contestant| names.iter().any(|name| name == contestant.name);
        let ours: Vec<_> = contestants.iter().copied().filter(ours).collect();
        let results = Race::default().with(&ours, FEW).with(&ours, many).run(&options.pace);
        let target = |contestant: &Contestant| {
            let name = contestant.name;
            let ratio = results.ratio((name, many), (name, FEW)).map(|spread| spread.middle);
            let what = format!("{what}: {name} / itself with {FEW}");
            Target::new(what, Bound::AtMost(FLAT_BOUND), [(many, ratio)])
        };
        ours.iter().map(target).collect::<Vec<_>>()
    };
    [("request", REQUESTS, ""), ("pick", PICKS, "pick:")].into_iter().flat_map(flat).collect()
}

/// A race for each number of endpoints, and a table of them all.
pub(crate) fn races(
    title: &str,
    contestants: &[Contestant],
    options: &Options,
) -> Vec<(usize, Results)> {
    let race = |&n: &usize| {
        eprintln!("{title}, n = {n} ..");
        (n, Race::default().with(contestants, n).with(CLOCKS, n).run(&options.pace))
    };
    let results: Vec<_> = options.sizes.iter().map(race).collect();
    let heads = results.iter().map(|(n, _)| format!("n={n}"));
    let title = format!("{title}, median of {} rounds", options.pace.rounds);
    let mut table = Table::new(title, [String::new()].into_iter().chain(heads));
    let mut widest = 0.0_f64;
    for contestant in contestants.iter().chain(CLOCKS) {
        let mut cell = |(n, results): &(usize, Results)| {
            or_dash(results.nanos(contestant.name, *n), |spread| {
                widest = widest.max((spread.high - spread.low) / spread.middle);
                format!("{:.*}", if spread.middle < 10.0 { 2 } else { 0 }, spread.middle)
            })
        };
        let cells: Vec<_> = results.iter().map(&mut cell).collect();
        table.row([contestant.name.to_owned()].into_iter().chain(cells));
    }
    println!("{table}");
    println!("floor:clock-*: two reads. Quartiles are at most {:.0} % apart.\n", widest * 100.0);
    results
}
