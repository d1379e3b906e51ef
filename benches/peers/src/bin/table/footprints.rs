//! What the program `memory` says.

use std::process::Command;

use evenkeel_peers::footprint::{self, Footprint};
use evenkeel_peers::options::Options;
use evenkeel_peers::targets::{Bound, Target};

/// The most bytes an endpoint may keep beyond its target and id.
const BYTES: f64 = 512.0;

/// Few endpoints carry what the balancer keeps once, so bytes count from this many on.
const MANY: usize = 1_000;

/// Whose memory is bounded, and who may not allocate.
const OURS: [&str; 4] = ["round_robin", "random", "least_request", "peak_ewma"];

pub(crate) fn memory(options: &Options) -> Vec<Target> {
    eprintln!("building and running memory ..");
    let footprints = match run(options) {
        Ok(footprints) => footprints,
        Err(problem) => {
            eprintln!("no figures of memory: {problem}");
            return Vec::new();
        }
    };
    println!("{}", footprint::table(&footprints));
    let of = |name: &'static str| footprints.iter().filter(move |it| it.name == name);
    let bytes = OURS.map(|name| {
        let figures = of(name).filter(|it| it.n >= MANY).map(|it| (it.n, Some(it.beyond())));
        Target::new(format!("bytes an endpoint: {name}"), Bound::AtMost(BYTES), figures)
    });
    let allocations = OURS.map(|name| {
        let figures = of(name).map(|it| (it.n, Some(it.allocations)));
        Target::new(format!("allocations a request: {name}"), Bound::AtMost(0.0), figures)
    });
    bytes.into_iter().chain(allocations).collect()
}

/// The cargo that runs this program builds that one, in the same way.
fn run(options: &Options) -> Result<Vec<Footprint>, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let sizes: Vec<_> = options.sizes.iter().map(usize::to_string).collect();
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--bin", "memory", "--manifest-path"]);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    if cfg!(feature = "pingora") {
        command.args(["--features", "pingora"]);
    }
    command.args(["--", "--lines", "--sizes", &sizes.join(",")]);
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let lines = String::from_utf8_lossy(&output.stdout);
    let read = |line: &str| Footprint::read(line).ok_or(format!("what is {line}?"));
    lines.lines().map(read).collect()
}
