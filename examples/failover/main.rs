//! Two tiers, two zones and active checks, on real servers that fail one after the other.
//!
//! Three servers are preferred, two of them in the zone of this process; two stand by. Each says at
//! `/health` whether it is well. One after the other the preferred ones say that they are not, and
//! are left by degrees, before a single request fails. One is killed as well. Then all come back,
//! with shares that grow, and at last everything is drained for shutting down.
//!
//! After each step a table holds what each server got against what the balancer says it should.
//!
//! ```text
//! cargo run --example failover --features health-http,http
//! ```

mod server;
mod visitors;

use std::time::Duration;

use evenkeel::{
    Availability, Balancer, BoxError, Config, Endpoint, EndpointStatus, Event, Events, HttpProbe,
    Key, PickError,
};
use http::Uri;
use tokio::time::{Instant, sleep, timeout};

use crate::server::Server;
use crate::visitors::Visitors;

const SETTINGS: &str = r#"
name = "failover"

[strategy]
kind = "round_robin"       # so that shares are exact

[health]                   # ask /health
interval = "100ms"
unhealthy_interval = "50ms"
timeout = "1s"             # the machine may be busy
fall = 2

[tiers]
zone = "east"              # where this process runs

[outlier]
base_ejection_time = "1s"
[outlier.consecutive_failures]
threshold = 3              # the killed one is found by whoever comes first

[slow_start]
window = "1s"
"#;

/// Name, tier and zone.
const SERVERS: [(&str, u32, &str); 5] = [
    ("ann", 0, "east"),
    ("bob", 0, "east"),
    ("cal", 0, "west"),
    ("dan", 1, "east"),
    ("eve", 1, "west"),
];

/// `slow_start.window`.
const WINDOW: Duration = Duration::from_secs(1);

/// How many ask at once.
const VISITORS: u64 = 16;

/// Requests that are compared with what is expected.
const REQUESTS: u64 = 3_000;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    timeout(Duration::from_mins(2), run()).await?
}

async fn run() -> Result<(), BoxError> {
    let mut servers = Vec::new();
    for (name, ..) in SERVERS {
        servers.push(Server::start(name).await?);
    }
    let endpoint = |(server, (name, tier, zone)): (&Server, (&str, u32, &str))| {
        Endpoint::new(name, server.uri.clone()).tier(tier).zone(zone)
    };
    let balancer = Balancer::builder()
        .config(Config::from_toml(SETTINGS)?)
        .endpoints(servers.iter().zip(SERVERS).map(endpoint))
        .probe(HttpProbe::new(|uri: &Uri| uri.clone()).path("/health")?)
        .build()?;
    let mut events = balancer.subscribe();
    let worker = balancer.start(); // makes the checks
    let visitors = Visitors::start(&balancer, VISITORS);

    println!("All are well. The preferred ones of the own zone take everything:");
    let got = compare(&balancer, &servers).await?;
    promise("nothing goes to the other zone, nor to those who stand by", got[2..] == [0, 0, 0])?;

    println!("\nann says that she is sick, though she still answers:");
    servers[0].says(false);
    told(&mut events, "ann", Availability::Unhealthy, &balancer).await?;
    let got = compare(&balancer, &servers).await?;
    promise("she gets nothing, and those who stand by what two of three cannot carry", {
        got[0] == 0 && got[3] + got[4] > 0
    })?;

    println!("\nbob is killed, which requests find before checks do:");
    servers[1].kill().await;
    told(&mut events, "bob", Availability::Unhealthy, &balancer).await?;
    let until_found = visitors.failed();
    compare(&balancer, &servers).await?;
    println!("  {until_found} requests failed");
    // Those on their way to it, and one more of each visitor while it is found.
    promise("only those that met it", until_found <= 2 * VISITORS)?;

    println!("\ncal is sick as well. Those who stand by take over:");
    servers[2].says(false);
    told(&mut events, "cal", Availability::Unhealthy, &balancer).await?;
    let got = compare(&balancer, &servers).await?;
    promise("nothing goes to the preferred ones", got[..3] == [0, 0, 0])?;

    println!("\nThey come back, by shares that grow:");
    servers[0].says(true);
    servers[1].revive()?;
    servers[2].says(true);
    let jump = watch(&balancer).await?;
    compare(&balancer, &servers).await?;
    promise("the load of the first tier grew with their ramps, and never by a jump", jump <= 0.15)?;
    promise(
        "no request failed but those who met the killed one",
        visitors.failed() == until_found,
    )?;

    println!("\nShutting down:");
    let drain = balancer.drain_all()?;
    println!("  {} requests are in flight", drain.in_flight().iter().map(|it| it.1).sum::<u64>());
    let drained = drain.within(Duration::from_secs(5)).await;
    promise("all that was in flight is over in time", drained.is_ok())?;
    let refused = matches!(balancer.pick(&Key::none()), Err(PickError::NoneAvailable { .. }));
    promise("nothing new is taken", refused)?;
    let arrived = servers.iter().map(Server::arrived).sum::<u64>();
    sleep(Duration::from_millis(50)).await;
    promise(
        "nothing arrives any more",
        arrived == servers.iter().map(Server::arrived).sum::<u64>(),
    )?;
    worker.stop().await;
    visitors.stop().await
}

/// Waits until an endpoint is in a state, and says what is told meanwhile.
async fn told(
    events: &mut Events,
    name: &str,
    state: Availability,
    balancer: &Balancer<Uri>,
) -> Result<(), BoxError> {
    let is_there = || balancer.status().endpoint(&name.into()).is_some_and(|it| it.state == state);
    while !is_there() {
        let event = timeout(Duration::from_secs(10), events.recv()).await?;
        tell(event.as_ref());
    }
    Ok(())
}

fn tell(event: Option<&Event>) {
    if let Some(event) = event {
        println!("  {event}");
    }
}

/// Holds what the next requests get against what the balancer says, which stays as it is.
async fn compare(balancer: &Balancer<Uri>, servers: &[Server]) -> Result<Vec<u64>, BoxError> {
    sleep(Duration::from_millis(50)).await; // what is on its way arrives
    let before: Vec<_> = servers.iter().map(Server::arrived).collect();
    let since = || servers.iter().zip(&before).map(|(it, before)| it.arrived() - before);
    while since().sum::<u64>() < REQUESTS {
        sleep(Duration::from_millis(2)).await;
    }
    let got: Vec<_> = since().collect();
    let (status, sum) = (balancer.status(), got.iter().sum::<u64>());
    println!("  server  tier  zone  state      expected  requests    share");
    let mut furthest = 0.0_f64;
    for ((got, (name, tier, zone)), endpoint) in got.iter().zip(SERVERS).zip(&status.endpoints) {
        let (expected, share) = (endpoint.expected_share, *got as f64 / sum as f64);
        furthest = furthest.max((expected - share).abs());
        println!(
            "  {name:<6}  {tier:>4}  {zone}  {:<9}  {:>6.1} %  {got:>8}  {:>5.1} %",
            format!("{:?}", endpoint.state),
            100.0 * expected,
            100.0 * share,
        );
    }
    // Four deviations of so many draws between tiers and zones.
    promise("everybody gets what the balancer says, to 4 %", furthest <= 0.04)?;
    Ok(got)
}

/// Looks on until the first tier carries everything again; says by how much its load ever grew
/// more than ramps do in the time between two looks. They grow in steps of a tenth, 1.4 times.
async fn watch(balancer: &Balancer<Uri>) -> Result<f64, BoxError> {
    let (mut last, mut at) = (0.0_f64, now());
    let (mut largest, mut told) = (0.0_f64, Vec::new());
    loop {
        let (status, now) = (balancer.status(), now());
        let load = status.tiers.first().map_or(0.0, |tier| tier.load);
        let grown = 1.4 * now.saturating_duration_since(at).as_secs_f64() / WINDOW.as_secs_f64();
        largest = largest.max(load - last - grown);
        if (load - last).abs() > 1e-9 {
            told.push(format!("{:.0}", 100.0 * load));
        }
        (last, at) = (load, now);
        let back = |it: &EndpointStatus| it.state == Availability::Available;
        if status.endpoints.iter().all(back) {
            println!("  the first tier takes {} %", told.join(", "));
            return Ok(largest);
        }
        sleep(Duration::from_millis(2)).await;
    }
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "the example's own clock")]
    Instant::now()
}

fn promise(what: &str, kept: bool) -> Result<(), BoxError> {
    println!("  {} {what}", if kept { "kept:  " } else { "BROKEN:" });
    if kept { Ok(()) } else { Err(format!("broken promise: {what}").into()) }
}
