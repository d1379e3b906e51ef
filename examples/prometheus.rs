//! A balancer's figures, scraped by Prometheus: `metrics-exporter-prometheus` behind the facade, and an
//! axum route that renders what it holds.
//!
//! Three servers, then a scrape over HTTP. One of them dies and is ejected, the next scrape says so;
//! it is removed, and the one after that shows it gone.
//!
//! ```text
//! cargo run --example prometheus --features config,http,metrics
//! ```

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::routing::get;
use evenkeel::{BalanceLayer, Balancer, BoxError, ByStatus, Config, Endpoint, Metrics};
use http::Uri;
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tower::{Layer, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    timeout(Duration::from_secs(60), run()).await?
}

async fn run() -> Result<(), BoxError> {
    // A service that has metrics of its own has installed a recorder already. All that is told goes
    // to it, and `Metrics` needs to know nothing of it.
    let prometheus = PrometheusBuilder::new().install_recorder()?;

    let (ann, bob, cal) = (serve(hello()).await?, serve(hello()).await?, serve(hello()).await?);
    // In turn, so that whoever fails is asked again; the default strategy would hardly do so.
    let balancer = Balancer::builder()
        .name("checkout")
        .config(Config::from_toml("[strategy]\nkind = 'round_robin'")?)
        .endpoint(Endpoint::new("ann", ann.address.clone()))
        .endpoint(Endpoint::new("bob", bob.address.clone()))
        .endpoint(Endpoint::new("cal", cal.address.clone()))
        .build()?;

    // Ids that are few and stay what they are can be labels.
    let metrics = Metrics::new(&balancer).per_endpoint(true);
    let state = Arc::new(Scraped { metrics: Mutex::new(metrics), prometheus });
    let admin = serve(Router::new().route("/metrics", get(scrape)).with_state(state)).await?;

    let client = legacy::Client::builder(TokioExecutor::new()).build_http();
    let service = BalanceLayer::new(balancer.clone()).classify(ByStatus).layer(client);
    let ask = async |times: usize| {
        let mut failed = 0;
        for _ in 0..times {
            let request = Request::get("/").body(Body::empty())?;
            failed += usize::from(service.clone().oneshot(request).await.is_err());
        }
        Ok::<_, BoxError>(failed)
    };

    ask(60).await?;
    let page = page(&admin).await?;
    page.show("All is well:", &["_picks_total", "_endpoints{", "share_ratio"]);
    promise(
        "every request is counted",
        page.value(r#"picks_total{balancer="checkout"}"#)? == 60.0,
    )?;
    promise("all endpoints take part", page.state("available")? == 3.0)?;

    bob.stop().await;
    let failed = ask(60).await?;
    let page = self::page(&admin).await?;
    page.show("\nbob has died:", &["_ejections_enforced_total", "_outcomes_total", "_endpoints{"]);
    let rule = r#"ejections_enforced_total{balancer="checkout",rule="consecutive_failures"}"#;
    promise("one was ejected, and for this", page.value(rule)? == 1.0)?;
    promise("nobody else was", page.state("ejected")? == 1.0)?;
    let failures =
        r#"endpoint_outcomes_total{balancer="checkout",endpoint="bob",outcome="failure"}"#;
    promise("its failures are those that were seen", page.value(failures)? == failed as f64)?;

    balancer.remove(&"bob".into())?;
    let page = self::page(&admin).await?;
    page.show("\nbob is removed:", &[r#"endpoint="bob""#]);
    let of_bob = |what| format!(r#"endpoint_{what}{{balancer="checkout",endpoint="bob"}}"#);
    promise("its gauges read zero", page.value(&of_bob("weight"))? == 0.0)?;
    promise("its counters stay", page.value(&of_bob("picks_total"))? >= 20.0)?;
    promise("the others take its part", page.state("available")? == 2.0)
}

/// What the route needs.
struct Scraped {
    metrics: Mutex<Metrics>,
    prometheus: PrometheusHandle,
}

/// Figures are read when they are asked for: what is rendered is never older than the scrape.
async fn scrape(State(state): State<Arc<Scraped>>) -> String {
    state.metrics.lock().record();
    state.prometheus.render()
}

/// What a scrape gave.
struct Page(String);

impl Page {
    fn show(&self, title: &str, wanted: &[&str]) {
        println!("{title}");
        let wanted = |line: &&str| wanted.iter().any(|part| line.contains(part));
        let told = |line: &&str| !line.starts_with('#') && !line.ends_with(" 0");
        let mut lines: Vec<_> = self.0.lines().filter(wanted).filter(told).collect();
        lines.sort_unstable();
        lines.iter().for_each(|line| println!("  {line}"));
    }

    /// The value of a series, without the prefix that all have.
    fn value(&self, series: &str) -> Result<f64, BoxError> {
        let start = format!("evenkeel_{series} ");
        let value = self.0.lines().find_map(|line| line.strip_prefix(&start));
        Ok(value.ok_or_else(|| format!("no series {series}"))?.parse()?)
    }

    fn state(&self, state: &str) -> Result<f64, BoxError> {
        self.value(&format!(r#"endpoints{{balancer="checkout",state="{state}"}}"#))
    }
}

async fn page(admin: &Server) -> Result<Page, BoxError> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let answer = client.get(format!("{}metrics", admin.address)).send().await?;
    Ok(Page(answer.error_for_status()?.text().await?))
}

fn hello() -> Router {
    Router::new().fallback(async || "hello")
}

/// A server on a free port.
struct Server {
    address: Uri,
    task: JoinHandle<std::io::Result<()>>,
    close: tokio::sync::oneshot::Sender<()>,
}

async fn serve(app: Router) -> Result<Server, BoxError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = format!("http://{}/", listener.local_addr()?).parse()?;
    let (close, closed) = tokio::sync::oneshot::channel();
    let task = tokio::spawn(async move {
        let closed = async { drop(closed.await) };
        axum::serve(listener, app).with_graceful_shutdown(closed).await
    });
    Ok(Server { address, task, close })
}

impl Server {
    /// Stops it: whoever asks from now on is refused.
    async fn stop(self) {
        let _ = self.close.send(());
        let _ = self.task.await;
    }
}

fn promise(what: &str, kept: bool) -> Result<(), BoxError> {
    println!("  {} {what}", if kept { "kept:  " } else { "BROKEN:" });
    if kept { Ok(()) } else { Err(format!("broken promise: {what}").into()) }
}
