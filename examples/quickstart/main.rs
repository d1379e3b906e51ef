//! Real servers behind one balancer, which is changed while requests flow.
//!
//! Four servers on the loopback interface, of different speeds, get some 24,000 requests, 64 at a time.
//! On the way one of them is drained, a fifth is added, the strategy is exchanged and a weight is
//! set. At the end stand a table and the promises that were checked; the exit code says whether
//! all of them were kept.

mod promises;
mod record;
mod report;
mod screen;
mod server;
mod traffic;
mod upstream;

use std::process::ExitCode;
use std::time::Duration;

use evenkeel::config::{StrategyConfig, StrategyKind};
use evenkeel::{
    Balancer, BoxError, Change, Config, Endpoint, EndpointId, Event, Events, Published,
};
use tokio::time::timeout;

use crate::record::{Drained, Record};
use crate::screen::{follow, grouped, say};
use crate::server::Server;
use crate::traffic::{CONCURRENCY, Traffic};
use crate::upstream::{Client, Upstream};

const SETTINGS: &str = r#"
name = "quickstart"

[strategy]
kind = "least_request"
"#;

fn balance(servers: &[Server], client: &Client) -> Result<Balancer<Upstream>, BoxError> {
    let endpoints = servers
        .iter()
        .map(|server| Endpoint::new(server.name, Upstream::new(client, &server.address)));

    let settings = Config::from_toml(SETTINGS)?;
    let balancer = Balancer::builder().config(settings).endpoints(endpoints).build()?;
    Ok(balancer)
}

/// Requests in each of the three phases that follow one another without a pause.
const FLOWING: u64 = 5_500;

/// Requests in each of the two phases that are counted exactly. Not a multiple of any round.
const COUNTED: u64 = 3_751;

const ALL: u64 = 3 * FLOWING + 2 * COUNTED;

/// Far more than the run needs on a slow machine; whatever hangs is an error.
const LIMIT: Duration = Duration::from_secs(120);

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    let record = timeout(LIMIT, run()).await.map_err(|_| "the run did not come to its end")??;
    say(&report::table(&record));
    let promises = promises::check(&record, ALL, &"e".into());
    promises.iter().for_each(|promise| say(&promise.line()));
    let kept = promises.iter().all(|promise| promise.kept);
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn run() -> Result<Record, BoxError> {
    let (a, b, e) = (EndpointId::from("a"), EndpointId::from("b"), EndpointId::from("e"));
    let client = upstream::client();
    let mut servers = Vec::new();
    for (name, millis) in [("a", 2), ("b", 4), ("c", 8), ("d", 16)] {
        servers.push(Server::start(name, Duration::from_millis(millis)).await?);
    }

    let balancer = balance(&servers, &client)?;
    let heard = tokio::spawn(listen(balancer.subscribe()));
    let mut traffic = Traffic::new(balancer.service());
    let progress = follow(traffic.progress(), ALL);
    say(&format!("{} requests to four servers, {CONCURRENCY} at a time", grouped(ALL)));

    traffic.enter("least_request");
    let wave = traffic.send(3 * FLOWING);
    traffic.answered(FLOWING).await?;

    let drain = balancer.drain(&b)?;
    let in_flight = drain.in_flight();
    drain.await;
    let drained = Drained { server: 1, in_flight, arrived: servers[1].arrived() };
    traffic.enter("b is drained");
    traffic.answered(2 * FLOWING).await?;

    servers.push(Server::start("e", Duration::from_millis(4)).await?);
    balancer.insert(Endpoint::new(e.clone(), Upstream::new(&client, &servers[4].address)))?;
    traffic.enter("e is added");
    traffic.finish(wave).await?;

    let by_turns = StrategyConfig::new(StrategyKind::RoundRobin);
    let settings = Config::clone(&balancer.config()).with_strategy(by_turns);
    balancer.apply(Change::new(settings).by("quickstart").because("turns can be counted"))?;
    traffic.enter_counted("round_robin");
    traffic.finish(traffic.send(COUNTED)).await?;

    balancer.set_weight(&a, 5)?;
    traffic.enter_counted("a weighs 5");
    traffic.finish(traffic.send(COUNTED)).await?;

    progress.abort();
    let status = balancer.status();
    let (phases, samples) = traffic.into_parts();
    drop(balancer);
    let changes = vec![
        Published::Draining { endpoint: b, until: None },
        Published::Inserted { endpoint: e, swapped: false },
        Published::Configured {
            by: Some("quickstart".into()),
            because: Some("turns can be counted".into()),
        },
        Published::Reweighted { endpoint: a, from: 1, to: 5 },
    ];
    let events = heard.await?;
    Ok(Record { servers, phases, samples, status, drained, changes, events })
}

/// Says each event as it comes, until the last handle of the balancer is gone.
async fn listen(mut events: Events) -> Vec<Event> {
    let mut heard = Vec::new();
    while let Some(event) = events.recv().await {
        say(&format!("  {event}"));
        heard.push(event);
    }
    heard
}
