//! What finding an endpoint by key costs, and making a table.

use evenkeel::config::StrategyKind;
use evenkeel::{Balancer, Endpoint};
use evenkeel_peers::contestant::{RINGS, TABLES};
use evenkeel_peers::options::Options;
use evenkeel_peers::race::Results;
use evenkeel_peers::spread::Spread;
use evenkeel_peers::targets::{Bound, Target};
use evenkeel_peers::{clock, ours};

use crate::races::races;

/// Lookups and picks: who, against whom, at most. Pingora's select has no snapshot, lease or
/// outcome, so the whole pick is held against it as well as the lookup.
const RATIOS: [(&str, &str, f64); 4] = [
    ("lookup:maglev", "maglev", 1.3),
    ("lookup:ring_hash", "hashring", 0.5),
    ("lookup:ring_hash", "pingora:ketama", 0.2),
    ("pick:ring_hash", "pingora:ketama", 0.2),
];

/// The most milliseconds that a change may take which makes another table for so many endpoints.
const TABLE: (usize, f64) = (1_000, 10.0);

/// Endpoints in a table: a lookup is the same with any number, and the crate `maglev` needs a
/// gigabyte to build one of a thousand.
const FEW: [usize; 2] = [10, 100];

pub(crate) fn keys(options: &Options) -> Vec<Target> {
    let few = Options { sizes: FEW.to_vec(), ..options.clone() };
    let mut results = races("Whose a key is by a table, and a pick; ns", TABLES, &few);
    results.extend(races("Whose a key is by a ring, and a pick; ns", RINGS, options));
    let has_pingora = |name: &str| cfg!(feature = "pingora") || !name.starts_with("pingora");
    let ratios = RATIOS.iter().filter(|(_, theirs, _)| has_pingora(theirs));
    let ratio = |&(ours, theirs, bound): &(&str, &str, f64)| {
        let figure = |(n, results): &(usize, Results)| {
            let ratio = results.ratio((ours, *n), (theirs, *n))?;
            // A ring costs what it does where it has many points.
            (theirs == "maglev" || *n == options.largest()).then_some((*n, Some(ratio.middle)))
        };
        let what = format!("key: {ours} / {theirs}");
        Target::new(what, Bound::AtMost(bound), results.iter().filter_map(figure))
    };
    let mut targets: Vec<_> = ratios.map(ratio).collect();
    targets.push(table(options));
    targets
}

/// An endpoint leaves and another one joins, each time another, so that no table is known.
fn table(options: &Options) -> Target {
    let (n, most) = TABLE;
    eprintln!("tables of {n} ..");
    let balancer: Balancer<()> = ours::balancer(StrategyKind::Maglev, n, &());
    let change = |round: usize| {
        let set = (round + 1..round + 1 + n).map(|at| Endpoint::new(ours::id(at), ()));
        let took = clock::time(|| drop(balancer.replace(set)));
        took.as_nanos() as f64
    };
    let spread = Spread::of((0..options.pace.rounds).map(change));
    let figure = spread.map(|spread| spread.middle / 1e6);
    Target::new("key, ms: a change that makes another table", Bound::AtMost(most), [(n, figure)])
}
