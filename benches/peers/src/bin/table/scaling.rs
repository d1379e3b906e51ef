//! One thread against two.

use evenkeel_peers::contestant::{Contestant, Entrant, PICKS, REQUESTS};
use evenkeel_peers::options::{Options, Pace};
use evenkeel_peers::spread::Spread;
use evenkeel_peers::targets::{Bound, Target};
use evenkeel_peers::text::{Table, or_dash};
use evenkeel_peers::threads::{self, Scaling};

/// With how many endpoints: enough of them, and too few to keep out of each other's way.
const SIZES: [usize; 3] = [10, 1_000, 10_000];

/// The number of endpoints that targets are about.
const MANY: usize = 1_000;

/// What two threads have to be for each strategy, against one.
const BOUNDS: [(&str, Bound); 4] = [
    ("round_robin", Bound::Above(1.0)),
    ("random", Bound::AtLeast(1.4)),
    ("least_request", Bound::Above(1.0)),
    ("peak_ewma", Bound::Above(1.0)),
];

pub(crate) fn threads(options: &Options) -> Vec<Target> {
    if !threads::are_two_cores() {
        eprintln!("one core only: nothing is said about two threads");
        return Vec::new();
    }
    let heads = ["", "n", "near", "slices", "far", "slices", "M/s, one", "M/s, two"];
    let title = format!(
        "Throughput of two threads against one, median of slices of {} ms; near, far: how long a \
         cache line takes from core to core",
        options.threads.slice.as_millis(),
    );
    let mut table = Table::new(title, heads.map(str::to_owned));
    let mut targets = Vec::new();
    let everybody = || PICKS.iter().chain(REQUESTS);
    for n in SIZES {
        for contestant in everybody() {
            let Some(scaling) = scaling(contestant, n, &options.threads) else { continue };
            table.row(row(contestant.name, n, &scaling));
            let bare = contestant.name.strip_prefix("pick:").unwrap_or(contestant.name);
            let bound = BOUNDS.iter().find(|(name, _)| *name == bare && n == MANY);
            if let Some(&(_, bound)) = bound {
                let what = format!("two threads / one: {}", contestant.name);
                targets.push(Target::new(what, bound, [(n, scaling.ratio())]));
            }
        }
    }
    println!("{table}");
    targets
}

/// `None` if it cannot be shared.
fn scaling(contestant: &Contestant, n: usize, pace: &Pace) -> Option<Scaling> {
    let Entrant::Shared(fork) = (contestant.build)(n) else { return None };
    eprintln!("two threads, {}, n = {n} ..", contestant.name);
    threads::scaling(&fork, pace)
}

fn row(name: &str, n: usize, scaling: &Scaling) -> [String; 8] {
    let ratio = |spread| or_dash(spread, |spread: Spread| spread.to_string());
    let millions = |spread: Spread| format!("{:.1}", spread.middle / 1e6);
    let Scaling { one, two, near, far } = scaling;
    [
        name.to_owned(),
        n.to_string(),
        ratio(near.0),
        near.1.to_string(),
        ratio(far.0),
        far.1.to_string(),
        millions(*one),
        millions(*two),
    ]
}
