//! What an endpoint keeps in memory, and what a request allocates.
//!
//! `cargo run --release --bin memory` in `benches/peers`. Counts with an allocator of its own, so it
//! is a program apart; `table` runs it with `--lines`.

use std::hint::black_box;
use std::process::ExitCode;

use allocation_counter::measure;
use evenkeel::config::StrategyKind::{self, LeastRequest, PeakEwma, Random, RoundRobin};
use evenkeel_peers::footprint::{Footprint, table};
use evenkeel_peers::options::{Options, USAGE};
use evenkeel_peers::{endpoint, ours, p2c};

/// Requests to each endpoint, between the first count and the second.
const REQUESTS: usize = 1_000;
/// Requests whose allocations are counted.
const COUNTED: usize = 100_000;

fn main() -> ExitCode {
    let mut args: Vec<_> = std::env::args().skip(1).collect();
    let lines = args.iter().any(|arg| arg == "--lines");
    args.retain(|arg| arg != "--lines");
    let options = match Options::read(args.into_iter(), &[]) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("memory: {problem}\nusage: memory [--lines] {USAGE}");
            return ExitCode::from(2);
        }
    };
    let footprints: Vec<_> = options.sizes.iter().flat_map(|&n| of(n)).collect();
    if lines {
        footprints.iter().for_each(|footprint| println!("{}", footprint.line()));
    } else {
        println!("{}", table(&footprints));
    }
    ExitCode::SUCCESS
}

fn of(n: usize) -> Vec<Footprint> {
    let ours = [("round_robin", RoundRobin), ("random", Random)];
    let ours = ours.into_iter().chain([("least_request", LeastRequest), ("peak_ewma", PeakEwma)]);
    let mut all: Vec<_> = ours.map(|(name, kind)| of_ours(name, kind, n)).collect();
    all.push(of_tower("tower:constant", n, p2c::by_constant));
    all.push(of_tower("tower:pending", n, p2c::by_pending));
    all.push(of_tower("tower:peak_ewma", n, p2c::by_peak_ewma));
    #[cfg(feature = "pingora")]
    {
        use pingora_load_balancing::selection::{Consistent, RoundRobin};
        all.push(of_pingora::<RoundRobin>("pingora:round_robin", n));
        all.push(of_pingora::<Consistent>("pingora:ketama", n));
    }
    all
}

fn of_ours(name: &str, kind: StrategyKind, n: usize) -> Footprint {
    // The target takes no room, so what is given is the id.
    let given = kept(|| (0..n).map(ours::id).collect::<Vec<_>>());
    let build = || ours::balancer(kind, n, &endpoint::service());
    let send = |balancer: &mut evenkeel::Balancer<_>, requests| {
        let mut service = balancer.service();
        (0..requests).for_each(|_| endpoint::send(&mut service));
    };
    footprint(name, n, given, build, send)
}

fn of_tower<S: p2c::P2c>(name: &str, n: usize, build: fn(usize) -> S) -> Footprint {
    let send = |service: &mut S, requests| {
        (0..requests).for_each(|_| endpoint::send(service));
    };
    // Endpoints are discovered when it is polled for the first time. Its keys are numbers.
    let build = || {
        let mut service = build(n);
        endpoint::send(&mut service);
        assert_eq!(service.endpoints(), n);
        service
    };
    footprint(name, n, (n * size_of::<usize>()) as f64, build, send)
}

#[cfg(feature = "pingora")]
fn of_pingora<S>(name: &str, n: usize) -> Footprint
where
    S: pingora_load_balancing::selection::BackendSelection<
            Iter: pingora_load_balancing::selection::BackendIter,
        > + 'static,
{
    use evenkeel_peers::pingora;
    use pingora_load_balancing::{Backend, LoadBalancer};

    let select = |balancer: &mut LoadBalancer<S>, requests| {
        (0..requests).for_each(|_| drop(black_box(balancer.select(b"key", 256))));
    };
    let given = (n * size_of::<Backend>()) as f64;
    footprint(name, n, given, || pingora::balancer::<S>(n), select)
}

/// `given` is what ids and targets of all endpoints keep.
fn footprint<B>(
    name: &str,
    n: usize,
    given: f64,
    build: impl FnOnce() -> B,
    send: impl Fn(&mut B, usize),
) -> Footprint {
    let mut balancer = None;
    let built = measure(|| balancer = Some(build())).bytes_current as f64;
    let mut balancer = balancer.expect("it was built");
    let used = built + measure(|| send(&mut balancer, REQUESTS * n)).bytes_current as f64;
    let counted = measure(|| send(&mut balancer, COUNTED)).count_total as f64;
    // The next one is not to find what this one would leave for it.
    std::mem::forget(balancer);
    let each = |bytes: f64| bytes / n as f64;
    Footprint {
        name: name.to_owned(),
        n,
        given: each(given),
        built: each(built),
        used: each(used),
        allocations: counted / COUNTED as f64,
    }
}

/// The bytes that something keeps for as long as it is there.
fn kept<T>(make: impl FnOnce() -> T) -> f64 {
    let mut made = None;
    let counted = measure(|| made = Some(make()));
    drop(black_box(made));
    counted.bytes_current as f64
}
