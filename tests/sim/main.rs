//! The simulator: what it promises of itself, and what theory says of what it simulates.

#![allow(clippy::unwrap_used)]

mod course;
mod operators;
mod repeats;
mod texts;
mod theory;

use std::time::Duration;

use evenkeel::Config;
use evenkeel::sim::{Arrivals, Client, Scenario, Server, ServiceTime};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn settings(text: &str) -> Config {
    Config::from_toml(text).unwrap()
}

/// So many servers that take 10 ms at random, with a client of these settings.
fn shop(name: &str, servers: usize, config: &str, per_second: f64) -> Scenario {
    let server = |at| Server::new(format!("s{at}")).service(ServiceTime::exponential(millis(10)));
    Scenario::new(name)
        .servers((0..servers).map(server))
        .client(Client::new("shop").config(settings(config)))
        .arrivals(Arrivals::poisson(per_second))
}
