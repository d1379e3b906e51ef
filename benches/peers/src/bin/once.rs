//! Runs one contestant, or changes one endpoint again and again, for whoever counts instructions or
//! looks for where the time goes.
//!
//! ```sh
//! cd benches/peers
//! cargo build --release --bin once
//! target/release/once                                  # says who there is
//! valgrind --tool=callgrind --toggle-collect='*measured*' \
//!   target/release/once least_request 10 100000        # n = 10, a hundred thousand requests
//! callgrind_annotate --inclusive=yes callgrind.out.*
//! perf record target/release/once least_request 10 100000000
//! valgrind --tool=callgrind --toggle-collect='*timed*' \
//!   target/release/once 'least_request replace' 10000 10 # n = 10,000, ten changes of the set
//! ```
//!
//! `--toggle-collect` leaves out building and warming up. Valgrind counts the same instructions each
//! time, give or take the random numbers, however busy the machine is; divide by the number of
//! requests. It has no idea what an atomic on a shared line or a read of the clock costs.

use std::process::ExitCode;

use evenkeel_peers::contestant::{self, Runner};
use evenkeel_peers::publish::{PUBLISHERS, Publisher, Stopwatch};

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let Some((who, n, times)) = read(&args) else {
        eprintln!("usage: once NAME ENDPOINTS TIMES, where NAME is one of");
        contestant::all().for_each(|contestant| eprintln!("  {}", contestant.name));
        PUBLISHERS.iter().for_each(|publisher| eprintln!("  {}", publisher.name));
        return ExitCode::from(2);
    };
    match who {
        Who::Picks(contestant) => {
            let mut runner = (contestant.build)(n).runner();
            runner(1_000);
            measured(&mut runner, times);
        }
        Who::Publishes(publisher) => changes((publisher.build)(n), times),
    }
    ExitCode::SUCCESS
}

enum Who {
    Picks(contestant::Contestant),
    Publishes(Publisher),
}

fn read(args: &[String]) -> Option<(Who, usize, u64)> {
    let [name, n, times] = args else { return None };
    let n = n.parse().ok().filter(|&n| n > 0)?;
    let publisher = PUBLISHERS.iter().find(|publisher| publisher.name == name);
    let who = match contestant::named(name) {
        Some(contestant) => Who::Picks(contestant),
        None => Who::Publishes(*publisher?),
    };
    Some((who, n, times.parse().ok()?))
}

/// Says how long changes took at the least and mostly: the least is least disturbed by whatever
/// else the machine does.
fn changes(mut publish: Stopwatch, times: u64) {
    publish();
    let mut took: Vec<_> = (0..times).map(|_| publish()).collect();
    took.sort_unstable();
    if let (Some(least), Some(middle)) = (took.first(), took.get(took.len() / 2)) {
        println!("{times} changes: least {least:?}, median {middle:?}");
    }
}

/// Has a frame of its own, by which tools find it.
#[inline(never)]
fn measured(runner: &mut Runner, requests: u64) {
    runner(requests);
}
