//! Prints the tables of the README, and what was set out to be reached beside what is.
//!
//! ```sh
//! cargo run --release --bin table                    # in benches/peers; some minutes
//! cargo run --release --bin table -- request pick    # only these tables, and their targets
//! cargo run --release --bin table -- --quick         # to see that it works; the figures are worthless
//! cargo run --release --features pingora --bin table -- pick keys publish memory
//! cargo run --release --features tsc --bin table -- request
//! ```
//!
//! Sections: request, pick, flat, keys, threads, publish, readers, memory.

mod changes;
mod footprints;
mod keys;
mod races;
mod scaling;

use std::process::ExitCode;

use evenkeel_peers::options::{Options, USAGE};
use evenkeel_peers::targets::{self, Target};

/// A part of the output: its name, and what prints it and says which targets it has measured.
type Section = (&'static str, fn(&Options) -> Vec<Target>);

const SECTIONS: [Section; 8] = [
    ("request", races::request),
    ("pick", races::pick),
    ("flat", races::flat),
    ("keys", keys::keys),
    ("threads", scaling::threads),
    ("publish", changes::publish),
    ("readers", changes::readers),
    ("memory", footprints::memory),
];

fn main() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1), &SECTIONS.map(|(name, _)| name)) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("table: {problem}\nusage: table {USAGE}");
            return ExitCode::from(2);
        }
    };
    if cfg!(debug_assertions) {
        eprintln!("table: built without --release, so the figures mean nothing");
    }
    if cfg!(feature = "pingora") {
        println!(
            "With pingora, whose dependencies switch on tokio's test-util: its clock is slower.\n"
        );
    }
    if cfg!(feature = "tsc") {
        println!("With tsc: requests of evenkeel read the processor's counter.\n");
    }
    let wanted = SECTIONS.iter().filter(|(name, _)| options.wants(name));
    let targets: Vec<_> = wanted.flat_map(|(_, section)| section(&options)).collect();
    if !targets.is_empty() {
        println!("{}", targets::table(&targets));
    }
    ExitCode::SUCCESS
}
