//! Runs one contestant, for whoever counts instructions or looks for where the time goes.
//!
//! ```sh
//! cd benches/peers
//! cargo build --release --bin once
//! target/release/once                                  # says who there is
//! valgrind --tool=callgrind --toggle-collect='*measured*' \
//!   target/release/once least_request 10 100000        # n = 10, a hundred thousand requests
//! callgrind_annotate --inclusive=yes callgrind.out.*
//! perf record target/release/once least_request 10 100000000
//! ```
//!
//! `--toggle-collect` leaves out building and warming up. Valgrind counts the same instructions each
//! time, give or take the random numbers, however busy the machine is; divide by the number of
//! requests. It has no idea what an atomic on a shared line or a read of the clock costs.

use std::process::ExitCode;

use evenkeel_peers::contestant::{self, Runner};

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let Some((name, n, requests)) = read(&args) else {
        eprintln!("usage: once NAME ENDPOINTS REQUESTS, where NAME is one of");
        contestant::all().for_each(|contestant| eprintln!("  {}", contestant.name));
        return ExitCode::from(2);
    };
    let mut runner = (name.build)(n).runner();
    runner(1_000);
    measured(&mut runner, requests);
    ExitCode::SUCCESS
}

fn read(args: &[String]) -> Option<(contestant::Contestant, usize, u64)> {
    let [name, n, requests] = args else { return None };
    let n = n.parse().ok().filter(|&n| n > 0)?;
    Some((contestant::named(name)?, n, requests.parse().ok()?))
}

/// Has a frame of its own, by which tools find it.
#[inline(never)]
fn measured(runner: &mut Runner, requests: u64) {
    runner(requests);
}
