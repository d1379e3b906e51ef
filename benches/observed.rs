//! What a request costs while somebody looks on, as a part of what it costs while nobody does.
//!
//! One balancer, and rounds of requests that take turns: one while nobody looks, one while somebody
//! does. Each case is the median of what a round took beside the one right before it, so that a
//! machine that slows down meanwhile says nothing. `cargo bench --features metrics,tracing --bench
//! observed` prints a table; the last is kept in `benches/results/observed.txt`. It wants two free
//! processors: one for requests, one for whoever looks.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::time::{Duration, Instant};

use evenkeel::{Balancer, Endpoint, Events, Metrics, Worker};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::runtime::Handle;
use tower::{Service, ServiceExt, service_fn};

const ENDPOINTS: [usize; 2] = [10, 1_000];

/// How often whoever looks does: ten thousand times as often as by default.
const OFTEN: Duration = Duration::from_millis(1);

type Answer = Ready<Result<u64, Infallible>>;

/// Whoever looks, for as long as this lives.
#[derive(Default)]
struct Lookers {
    _workers: Vec<Worker>,
    _stuck: Vec<Events>,
}

type Look<T> = fn(&Balancer<T>) -> Lookers;

fn metrics<T: Send + Sync + 'static>(balancer: &Balancer<T>) -> Worker {
    let recorder = PrometheusBuilder::new().build_recorder();
    Metrics::new(balancer).per_endpoint(true).recorder(recorder).every(OFTEN).start()
}

fn cases<T: Send + Sync + 'static>() -> [(&'static str, Look<T>); 4] {
    [
        ("nobody again", |_| Lookers::default()),
        ("a subscriber who never reads", |balancer| Lookers {
            _stuck: vec![balancer.subscribe()],
            ..Lookers::default()
        }),
        ("a log of events", |balancer| Lookers {
            _workers: vec![balancer.log_events()],
            ..Lookers::default()
        }),
        ("all of it, and metrics each millisecond", |balancer| Lookers {
            _workers: vec![balancer.log_events(), metrics(balancer)],
            _stuck: vec![balancer.subscribe()],
        }),
    ]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let once = std::env::args().any(|argument| argument == "--test");
    let (rounds, requests) = if once { (1, 100) } else { (101, 20_000) };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let handle = runtime.handle().clone();
    for n in ENDPOINTS {
        let target = service_fn(|number: u64| -> Answer { ready(Ok(number)) });
        let endpoints = (0..n).map(|at| Endpoint::new(format!("{at:04}"), target));
        let balancer = Balancer::builder().endpoints(endpoints).seed(1).build()?;
        for (name, look) in cases() {
            let (nanos, ratio) = compare(&handle, &balancer, look, rounds, requests);
            println!("{n:>5} endpoints  {nanos:>6.0} ns a request  x {ratio:.3}  {name}");
        }
    }
    Ok(())
}

/// The median time of a request while nobody looks, and how many times as long it takes while
/// somebody does.
fn compare<T>(
    handle: &Handle,
    balancer: &Balancer<T>,
    look: Look<T>,
    rounds: usize,
    requests: u64,
) -> (f64, f64)
where
    T: Service<u64, Response = u64, Error = Infallible, Future = Answer> + Clone,
    T: Send + Sync + 'static,
{
    let (mut alone, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let before = round(handle, balancer, requests);
        let looking = handle.block_on(async { look(balancer) });
        let beside = round(handle, balancer, requests);
        drop(looking);
        alone.push(before);
        ratios.push(beside / before);
    }
    (median(alone), median(ratios))
}

/// Nanoseconds a request.
fn round<T>(handle: &Handle, balancer: &Balancer<T>, requests: u64) -> f64
where
    T: Service<u64, Response = u64, Error = Infallible, Future = Answer> + Clone,
    T: Send + Sync + 'static,
{
    let service = balancer.service();
    handle.block_on(async {
        #[expect(clippy::disallowed_methods, reason = "a bench, whose time this is")]
        let began = Instant::now();
        for number in 0..requests {
            let _ = black_box(service.clone().oneshot(number).await);
        }
        began.elapsed().as_nanos() as f64 / requests as f64
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
