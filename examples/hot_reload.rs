//! Settings and endpoints from a file that is edited while requests flow.
//!
//! Four servers, of which the file names two. It is then edited the way people and machines edit
//! files: written in place, renamed over, broken, repaired, made lopsided. After each edit a table
//! says what the file gives everybody and what they got. No request fails.
//!
//! ```text
//! cargo run --example hot_reload --features file,http
//! ```
//!
//! With a path it leaves the editing to you, and goes on until it is interrupted. A file that is not
//! there is written first. Addresses are the names of the servers: ann, bob, cal and dan.
//!
//! ```text
//! cargo run --example hot_reload --features file,http -- lb.toml
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use evenkeel::{
    BalanceLayer, Balancer, BoxError, ByStatus, EndpointSpec, Event, Events, FileSource,
};
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::{Layer, ServiceExt};

const NAMES: [&str; 4] = ["ann", "bob", "cal", "dan"];

/// Requests that are compared with what the file says.
const REQUESTS: u64 = 2_000;

/// The settings of every version of the file; the endpoints differ.
const SETTINGS: &str = r#"
[strategy]
kind = "round_robin"        # so that shares are exact

[guard]
max_share_percent = 80      # whoever edits this file does not send everything to one server
"#;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    match std::env::args_os().nth(1) {
        Some(path) => by_hand(path.into()).await,
        None => timeout(Duration::from_secs(60), by_itself()).await?,
    }
}

/// What the file says: who gets how much.
fn text(weights: &[(&str, u32)]) -> String {
    let endpoint = |(name, weight): &(&str, u32)| {
        format!("\n[[endpoints]]\nid = \"{name}\"\naddress = \"{name}\"\nweight = {weight}\n")
    };
    SETTINGS.to_owned() + &weights.iter().map(endpoint).collect::<String>()
}

async fn by_itself() -> Result<(), BoxError> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("lb.toml");
    fs::write(&path, text(&[("ann", 1), ("bob", 1)]))?;

    let servers = Servers::start().await?;
    let (balancer, source) = balancer(&servers, &path)?;
    let mut events = balancer.subscribe();
    let worker = balancer.follow(source);
    let visitors = Visitors::start(&balancer, 16);

    println!("The file names ann and bob:");
    servers.compare(&[("ann", 1), ("bob", 1)]).await?;

    println!("\nann's weight is set to 3, in place:");
    fs::write(&path, text(&[("ann", 3), ("bob", 1)]))?;
    published(&mut events).await?;
    servers.compare(&[("ann", 3), ("bob", 1)]).await?;

    println!("\ncal is added, by a file that is renamed over this one:");
    rename_over(&path, &text(&[("ann", 3), ("bob", 1), ("cal", 2)]))?;
    published(&mut events).await?;
    servers.compare(&[("ann", 3), ("bob", 1), ("cal", 2)]).await?;

    println!("\nSomebody saves half a sentence:");
    fs::write(&path, format!("{SETTINGS}\n[[endpoints]]\nid = \"ann"))?;
    let failed = told(&mut events, |event| matches!(event, Event::SourceFailed { .. })).await;
    promise("it is told", failed.is_ok())?;
    servers.compare(&[("ann", 3), ("bob", 1), ("cal", 2)]).await?;

    println!("\nIt is repaired, and bob gives way to dan:");
    rename_over(&path, &text(&[("ann", 1), ("cal", 1), ("dan", 2)]))?;
    let well = told(&mut events, |event| matches!(event, Event::SourceRecovered { .. })).await;
    promise("it is told", well.is_ok())?;
    published(&mut events).await?;
    servers.compare(&[("ann", 1), ("cal", 1), ("dan", 2)]).await?;

    println!("\ndan's weight gets two zeros too many:");
    rename_over(&path, &text(&[("ann", 1), ("cal", 1), ("dan", 200)]))?;
    let refused = told(&mut events, |event| matches!(event, Event::ConfigRefused { .. })).await;
    promise("it is told", refused.is_ok())?;
    servers.compare(&[("ann", 1), ("cal", 1), ("dan", 2)]).await?;

    worker.stop().await;
    let (answers, failures) = visitors.stop().await?;
    println!("\n{answers} requests");
    promise("none failed", failures == 0)?;
    let by_file = balancer.history().iter().filter(|it| it.by.is_some()).count();
    promise("the history has the three edits that were taken", by_file == 3)
}

async fn by_hand(path: PathBuf) -> Result<(), BoxError> {
    if !path.exists() {
        fs::write(&path, text(&[("ann", 1), ("bob", 1)]))?;
    }
    let servers = Servers::start().await?;
    let (balancer, source) = balancer(&servers, &path)?;
    let mut events = balancer.subscribe();
    let _worker = balancer.follow(source);
    let _visitors = Visitors::start(&balancer, 16);
    println!("Edit {} while this runs; interrupt it to end.", path.display());
    loop {
        let weights: Vec<_> = balancer.status().endpoints;
        let weights: Vec<_> = weights.iter().map(|it| (it.id.as_str(), it.weight)).collect();
        servers.table(&weights, &servers.count(REQUESTS).await);
        let event = events.recv().await.ok_or("the balancer is gone")?;
        println!("\n{event}");
    }
}

fn balancer(servers: &Servers, path: &Path) -> Result<(Balancer<Uri>, FileSource), BoxError> {
    let source = FileSource::new(path);
    let addresses = servers.addresses.clone();
    let make = move |spec: &EndpointSpec| {
        let address = addresses.get(&*spec.address).cloned();
        address.ok_or_else(|| format!("no server is called {}", spec.address).into())
    };
    // A wrong file fails the start; later ones change nothing.
    let balancer = Balancer::builder().config(source.load()?).make(make).build()?;
    Ok((balancer, source))
}

fn rename_over(path: &Path, text: &str) -> std::io::Result<()> {
    let next = path.with_extension("next");
    fs::write(&next, text)?;
    fs::rename(next, path)
}

/// Waits for an event, and says what comes before it.
async fn told(events: &mut Events, wanted: fn(&Event) -> bool) -> Result<(), BoxError> {
    loop {
        let event = timeout(Duration::from_secs(10), events.recv()).await?;
        let event = event.ok_or("the balancer is gone")?;
        println!("  {event}");
        if wanted(&event) {
            return Ok(());
        }
    }
}

async fn published(events: &mut Events) -> Result<(), BoxError> {
    told(events, |event| matches!(event, Event::Published { .. })).await
}

/// Servers on free ports that count who comes.
struct Servers {
    addresses: BTreeMap<&'static str, Uri>,
    arrived: Arc<[AtomicU64; NAMES.len()]>,
}

impl Servers {
    async fn start() -> Result<Self, BoxError> {
        let mut addresses = BTreeMap::new();
        let arrived = Arc::new([const { AtomicU64::new(0) }; NAMES.len()]);
        for (at, name) in NAMES.into_iter().enumerate() {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            addresses.insert(name, format!("http://{}", listener.local_addr()?).parse()?);
            let arrived = Arc::clone(&arrived);
            let app = Router::new().fallback(async move || {
                arrived[at].fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_millis(1)).await;
            });
            tokio::spawn(async move { axum::serve(listener, app).await });
        }
        Ok(Self { addresses, arrived })
    }

    fn arrived(&self) -> [u64; NAMES.len()] {
        std::array::from_fn(|at| self.arrived[at].load(Ordering::Relaxed))
    }

    /// Who got how many of the next requests, or of those within some three seconds.
    async fn count(&self, requests: u64) -> [u64; NAMES.len()] {
        // What was on its way when the file was taken arrives first.
        sleep(Duration::from_millis(50)).await;
        let before = self.arrived();
        let since = |now: [u64; NAMES.len()]| std::array::from_fn(|at| now[at] - before[at]);
        for _ in 0..1_500 {
            let counted: [u64; NAMES.len()] = since(self.arrived());
            if counted.iter().sum::<u64>() >= requests {
                return counted;
            }
            sleep(Duration::from_millis(2)).await;
        }
        since(self.arrived())
    }

    /// Holds what the servers get against what the file says.
    async fn compare(&self, weights: &[(&str, u32)]) -> Result<(), BoxError> {
        let counted = self.count(REQUESTS).await;
        let furthest = self.table(weights, &counted);
        promise("everybody gets what the file says, to 2 %", furthest <= 0.02)
    }

    /// Prints a table, and says how far the furthest share is off.
    fn table(&self, weights: &[(&str, u32)], counted: &[u64]) -> f64 {
        let weight = |name: &str| {
            let found = weights.iter().find(|(other, _)| *other == name);
            found.map_or(0, |&(_, weight)| weight)
        };
        let (all, sum): (f64, u64) =
            (NAMES.map(|name| f64::from(weight(name))).iter().sum(), counted.iter().sum());
        println!("  server  weight  expected  requests    share");
        let mut furthest = 0_f64;
        for (name, requests) in NAMES.iter().zip(counted) {
            let (expected, share) =
                (f64::from(weight(name)) / all.max(1.0), *requests as f64 / sum.max(1) as f64);
            furthest = furthest.max((expected - share).abs());
            println!(
                "  {name:<6}  {:>6}  {:>6.1} %  {requests:>8}  {:>5.1} %",
                weight(name),
                100.0 * expected,
                100.0 * share
            );
        }
        furthest
    }
}

/// Tasks that ask without a pause.
struct Visitors {
    stop: watch::Sender<bool>,
    tasks: JoinSet<Result<(u64, u64), BoxError>>,
}

impl Visitors {
    fn start(balancer: &Balancer<Uri>, many: usize) -> Self {
        let client: legacy::Client<_, Empty<Bytes>> =
            legacy::Client::builder(TokioExecutor::new()).build_http();
        let service = BalanceLayer::new(balancer.clone()).classify(ByStatus).layer(client);
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for _ in 0..many {
            let (service, stopped) = (service.clone(), stopped.clone());
            tasks.spawn(async move {
                let (mut answers, mut failures) = (0, 0);
                while !*stopped.borrow() {
                    let request = Request::get("/").body(Empty::new())?;
                    match service.clone().oneshot(request).await {
                        Ok(answer) if answer.status().is_success() => {
                            answer.into_body().collect().await?;
                            answers += 1;
                        }
                        _ => {
                            failures += 1;
                            sleep(Duration::from_millis(10)).await;
                        }
                    }
                }
                Ok((answers, failures))
            });
        }
        Self { stop, tasks }
    }

    /// Answers and failures of all.
    async fn stop(mut self) -> Result<(u64, u64), BoxError> {
        self.stop.send_replace(true);
        let mut sum = (0, 0);
        while let Some(task) = self.tasks.join_next().await {
            let (answers, failures) = task??;
            sum = (sum.0 + answers, sum.1 + failures);
        }
        Ok(sum)
    }
}

fn promise(what: &str, kept: bool) -> Result<(), BoxError> {
    println!("  {} {what}", if kept { "kept:  " } else { "BROKEN:" });
    if kept { Ok(()) } else { Err(format!("broken promise: {what}").into()) }
}
