//! How long a million simulated requests take on one core.
//!
//! ```text
//! cargo bench --bench simulate --features sim
//! ```

use std::time::{Duration, Instant};

use evenkeel::Config;
use evenkeel::sim::{Arrivals, Client, Retries, Scenario, Server, ServiceTime};

/// Ten servers at four fifths of what they can, with every default on, a worker and active checks.
fn scenario(requests: f64, clients: u32) -> Scenario {
    let ms = Duration::from_millis;
    let server =
        |at| Server::new(format!("s{at}")).service(ServiceTime::exponential(ms(10))).workers(10);
    let settings = "limits.attempt_timeout = '1s'\nhealth = {}\noutlier.latency = {}";
    let settings = Config::from_toml(settings).expect("settings that are valid");
    let per_second = 8_000.0;
    Scenario::new("a million requests")
        .servers((0..10).map(server))
        .client(Client::new("shop").copies(clients).config(settings))
        .arrivals(Arrivals::poisson(per_second).retries(Retries::times(2)))
        .lasting(Duration::from_secs_f64(requests / per_second))
}

#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
fn main() {
    for clients in [1, 50] {
        let began = Instant::now();
        let run = scenario(1e6, clients).run().expect("a scenario that can be run");
        let took = began.elapsed();
        println!(
            "{} requests at {clients} balancers in {:.2} s, {:.0} ns each",
            run.totals.requests,
            took.as_secs_f64(),
            took.as_nanos() as f64 / run.totals.requests as f64
        );
    }
}
