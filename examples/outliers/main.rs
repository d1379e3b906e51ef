//! Six real servers, four of them in trouble, and what finds which of them after how long.
//!
//! One server refuses connections, one accepts and never answers, one answers 503, one answers
//! well and 300 ms late. At first detection only tells (`dry_run`): the same events,
//! and callers go on failing. Then it is enforced, by a change of the settings while requests
//! flow, and callers see no more errors than there are probes. When the troubles are over, all
//! come back. Turns are taken (`round_robin`), so whatever changes the shares is detection.
//!
//! ```text
//! cargo run --example outliers --features http
//! ```

mod callers;
#[path = "../quickstart/server.rs"]
mod server;
mod table;
mod tale;

use std::time::Duration;

use evenkeel::{Availability, Balancer, BoxError, Change, Config, Endpoint, Event, Recovery, Rule};
use http::Uri;
use tokio::time::{Instant, sleep, timeout};

use crate::callers::Callers;
use crate::server::{Health, Server};
use crate::tale::Tale;

const SETTINGS: &str = r#"
name = "outliers"

[strategy]
kind = "round_robin"

[limits]
attempt_timeout = "600ms"

[outlier]                    # five failures in a row count, as they do by default
dry_run = true
interval = "500ms"
base_ejection_time = "400ms"
max_ejection_time = "800ms"
max_ejected_percent = 70     # four of six

[outlier.latency]
minimum_gap = "150ms"      # answers take 10 ms; the machine may be busy
request_volume = 10

[panic]
threshold_percent = 30       # two of six may have to do

[slow_start]
window = "1s"
"#;

/// Who has which trouble, and what is to find it.
const TROUBLES: [(usize, &str, Health, Rule); 4] = [
    (2, "refuses connections", Health::Dead, Rule::ConsecutiveFailures),
    (3, "never answers", Health::Stuck, Rule::ConsecutiveFailures),
    (4, "answers 503", Health::Failing, Rule::ConsecutiveFailures),
    (5, "is slow", Health::Slow, Rule::Latency),
];

const NAMES: [&str; 6] = ["ann", "bob", "cal", "dan", "eve", "fay"];

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    timeout(Duration::from_mins(2), run()).await?
}

async fn run() -> Result<(), BoxError> {
    let mut servers = Vec::new();
    for name in NAMES {
        servers.push(Server::start(name, Duration::from_millis(10)).await?);
    }
    let mut builder = Balancer::builder().config(Config::from_toml(SETTINGS)?);
    for server in &servers {
        let address: Uri = format!("http://{}", server.address).parse()?;
        builder = builder.endpoint(Endpoint::new(server.name, address));
    }
    let balancer = builder.build()?;
    let worker = balancer.start(); // tells in time what time brings about
    let mut tale = Tale::of(balancer.subscribe());
    let callers = Callers::start(&balancer);
    let live = table::live(balancer.clone());
    sleep(Duration::from_millis(600)).await;

    println!("Four of six have trouble; detection only tells.");
    let began = now();
    for (at, _, health, _) in TROUBLES {
        servers[at].turn(health).await?;
    }
    tale.until_each(&TROUBLES.map(|it| NAMES[it.0]), began, |event| {
        matches!(event, Event::Ejection(_))
    })
    .await?;
    sleep(Duration::from_millis(500)).await;
    let state = |id: &str| balancer.status().endpoint(&id.into()).map(|endpoint| endpoint.state);
    promise(
        "in a dry run nobody is taken out",
        NAMES.iter().all(|id| state(id) == Some(Availability::Available)),
    )?;

    println!("Detection is enforced.");
    let settings = Config::clone(&balancer.config());
    let outlier = settings.outlier().cloned().unwrap_or_default().with_dry_run(false);
    let enforced = now();
    let change = Change::new(settings.with_outlier(Some(outlier)));
    balancer.apply(change.by("the example").because("the dry run blamed nobody wrongly"))?;
    tale.until_each(
        &TROUBLES.map(|it| NAMES[it.0]),
        enforced,
        |event| matches!(event, Event::Ejection(ejection) if ejection.enforced()),
    )
    .await?;
    let all_out = now();
    let arrived: Vec<u64> = servers.iter().map(Server::arrived).collect();
    sleep(Duration::from_secs(2)).await;
    let while_out: Vec<u64> = servers.iter().zip(arrived).map(|(it, n)| it.arrived() - n).collect();

    println!("The troubles are over.");
    for (at, ..) in TROUBLES {
        servers[at].turn(Health::Well).await?;
    }
    let over = now();
    tale.until_last(&TROUBLES.map(|it| NAMES[it.0]), |event| {
        matches!(event, Event::Recovery { step: Recovery::Recovered, .. })
    })
    .await?;
    let whole = now();
    sleep(Duration::from_millis(600)).await;
    live.abort();
    let well = NAMES.iter().all(|id| state(id) == Some(Availability::Available));
    let asked = callers.stop().await?;
    worker.stop().await;
    drop(balancer);
    let heard = tale.finish().await?;

    println!(
        "\nwho   trouble              found by              told   enforced  times out  arrived"
    );
    let mut as_expected = true;
    for (at, trouble, _, rule) in &TROUBLES {
        let found = |since, really| tale::first(&heard, NAMES[*at], since, really);
        let (told, out) = (found(began, false), found(enforced, true));
        as_expected &= [&told, &out].iter().all(|it| it.as_ref().is_some_and(|it| it.0 == *rule));
        let after = |it: Option<(Rule, Duration)>| {
            it.map_or_else(|| "-".into(), |it| format!("{:.2}s", it.1.as_secs_f64()))
        };
        println!(
            "{:4}  {trouble:19}  {:20}  {:5}  {:8}  {:>9}  {:>7}",
            NAMES[*at],
            rule.to_string(),
            after(told),
            after(out),
            tale::times_out(&heard, NAMES[*at]),
            while_out[*at],
        );
    }
    let in_trouble = |id: &str| TROUBLES.iter().any(|it| NAMES[it.0] == id);
    let wrongly = tale::blamed(&heard).filter(|id| !in_trouble(id)).count();
    let probes = tale::failed_probes(&heard);
    let (dry, missed) = (asked.failed(began..enforced), asked.failed(all_out..over));
    println!(
        "\ntold, enforced: this long after the troubles began, and after it was switched on
arrived: requests in the two seconds after all four were out; ann, who is well, had {}\n",
        while_out[0]
    );
    println!("callers: {dry} errors in the dry run, {missed} once all four were out");
    println!("all back {:.2}s after the troubles were over\n", (whole - over).as_secs_f64());
    promise("the same was found in the dry run and enforced", as_expected)?;
    promise("nobody was blamed who was well", wrongly == 0)?;
    promise("callers failed while it was only told", dry > 0)?;
    promise("with all four out nothing failed but probes", missed <= probes)?;
    promise("nothing failed after all were back", asked.failed(whole..now()) == 0)?;
    promise("all are well in the end", well)
}

fn promise(what: &str, kept: bool) -> Result<(), BoxError> {
    if kept {
        println!("ok: {what}");
        Ok(())
    } else {
        Err(format!("not kept: {what}").into())
    }
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "the example's own clock")]
    Instant::now()
}
