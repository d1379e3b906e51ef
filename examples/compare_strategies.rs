//! Every strategy before the same ten skewed servers, in one table.
//!
//! The servers need from 2 to 20 ms for an answer and serve four requests at a time; what is more
//! waits there. 48 clients ask without a pause, each time for one of two hundred keys, and a tenth of
//! all requests is for one of them. A server that has served a key before knows it, and answers in
//! half the time.
//!
//! ```text
//! cargo run --release --example compare_strategies
//! ```
//!
//! What to look at: the strategies that go by turns or by chance let the slowest server set the pace.
//! Those that look at load or latency leave it to whoever is fast, and send a key everywhere. Those
//! that go by key find nearly every key known, and leave the hot one to a single server unless its
//! load is bounded.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use evenkeel::strategy::Rng;
use evenkeel::{Balancer, BoxError, Config, Endpoint, Key, Outcome};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

const CLIENTS: u64 = 48;
const KEYS: u64 = 200;
const RUN: Duration = Duration::from_millis(1_500);

/// What it is called in the table, and the settings.
const STRATEGIES: [(&str, &str); 9] = [
    ("round_robin", "strategy.kind = 'round_robin'"),
    ("random", "strategy.kind = 'random'"),
    ("least_request", "strategy.kind = 'least_request'"),
    ("least_request of all", "strategy.kind = 'least_request'\nstrategy.choices = 'all'"),
    ("peak_ewma", "strategy.kind = 'peak_ewma'"),
    ("ring_hash", "strategy.kind = 'ring_hash'"),
    ("maglev", "strategy.kind = 'maglev'"),
    ("maglev, bound 200 %", "strategy.kind = 'maglev'\nhash.bounded_load_percent = 200"),
    ("maglev, bound 125 %", "strategy.kind = 'maglev'\nhash.bounded_load_percent = 125"),
];

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    println!("ten servers, {CLIENTS} clients, {KEYS} keys; {} ms each\n", RUN.as_millis());
    println!(
        "{:<22}{:>9}{:>9}{:>9}{:>10}{:>10}{:>10}",
        "strategy", "requests", "p50", "p99", "fastest", "slowest", "known"
    );
    let mut rows = Vec::new();
    for (name, settings) in STRATEGIES {
        let row = timeout(Duration::from_secs(20), compare(settings)).await??;
        println!(
            "{name:<22}{:>9}{:>7}ms{:>7}ms{:>8.1} %{:>8.1} %{:>8.1} %",
            row.requests,
            row.p50.as_millis(),
            row.p99.as_millis(),
            row.fastest,
            row.slowest,
            row.known
        );
        rows.push((name, row));
    }
    println!("\nfastest, slowest: the share of the server of 2 ms, and of that of 20 ms");
    println!("known: requests for a key that their server had served before\n");
    let row = |wanted: &str| rows.iter().find(|(name, _)| *name == wanted).map(|(_, row)| row);
    let (Some(turns), Some(load), Some(keys)) =
        (row("round_robin"), row("least_request"), row("maglev"))
    else {
        return Err("a strategy is missing".into());
    };
    promise(
        "turns give the fastest no more than the slowest",
        turns.fastest < turns.slowest + 2.0,
    )?;
    promise("looking at load serves more than turns do", load.requests > turns.requests)?;
    promise("going by key finds more keys known", keys.known > load.known)
}

/// One row of the table.
struct Row {
    requests: usize,
    p50: Duration,
    p99: Duration,
    /// In percent.
    fastest: f64,
    slowest: f64,
    known: f64,
}

/// A server: four workers, and what they know.
struct Server {
    takes: Duration,
    workers: Semaphore,
    known: Mutex<BTreeSet<u64>>,
}

impl Server {
    fn new(takes: Duration) -> Arc<Self> {
        Arc::new(Self { takes, workers: Semaphore::new(4), known: Mutex::default() })
    }

    /// Says whether the key was known.
    async fn serve(&self, key: u64) -> Result<bool, BoxError> {
        let _worker = self.workers.acquire().await?;
        let known = !self.known.lock().insert(key);
        sleep(if known { self.takes / 2 } else { self.takes }).await;
        Ok(known)
    }
}

/// What became of a request: how long it took, and whether its key was known.
type Answer = (Duration, bool);

async fn compare(settings: &str) -> Result<Row, BoxError> {
    let server = |i: u64| Server::new(Duration::from_millis(2 * (i + 1)));
    let balancer = Balancer::builder()
        .config(Config::from_toml(settings)?)
        .endpoints((0..10).map(|i| Endpoint::new(format!("s{i}"), server(i))))
        .seed(1)
        .build()?;
    let end = now() + RUN;
    let clients: Vec<_> =
        (0..CLIENTS).map(|seed| tokio::spawn(ask(balancer.clone(), seed, end))).collect();
    let mut answers = Vec::new();
    for client in clients {
        answers.extend(client.await??);
    }
    answers.sort_unstable();
    let requests = answers.len();
    if requests == 0 {
        return Err("nobody has answered".into());
    }
    let at = |part: usize| answers[(requests * part / 100).min(requests - 1)].0;
    let status = balancer.status();
    let picks: u64 = status.endpoints.iter().map(|endpoint| endpoint.picks).sum();
    let share = |id: &str| {
        let picks_of = status.endpoint(&id.into()).map_or(0, |endpoint| endpoint.picks);
        100.0 * picks_of as f64 / picks as f64
    };
    let known = answers.iter().filter(|(_, known)| *known).count();
    Ok(Row {
        requests,
        p50: at(50),
        p99: at(99),
        fastest: share("s0"),
        slowest: share("s9"),
        known: 100.0 * known as f64 / requests as f64,
    })
}

/// A client: one request after the other.
async fn ask(
    balancer: Balancer<Arc<Server>>,
    seed: u64,
    end: Instant,
) -> Result<Vec<Answer>, BoxError> {
    let mut rng = Rng::seeded(seed);
    let mut answers = Vec::new();
    while now() < end {
        let key = if rng.below(10) == 0 { 0 } else { rng.below(KEYS) };
        let began = now();
        let lease = balancer.pick(&Key::bytes(&key.to_le_bytes()))?;
        let known = lease.target().serve(key).await?;
        lease.finish(Outcome::Success);
        answers.push((now().saturating_duration_since(began), known));
    }
    Ok(answers)
}

fn promise(what: &str, kept: bool) -> Result<(), BoxError> {
    if kept {
        println!("ok: {what}");
        return Ok(());
    }
    Err(format!("not kept: {what}").into())
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "where latencies are measured, a clock is read")]
    Instant::now()
}
