//! A balancer that says itself that something is wrong, by a webhook.
//!
//! Three servers, visitors who ask them without a pause, and a pager: another server, to which each
//! alarm is posted as JSON. Two of the three break, and a source sends a set that nobody can mean;
//! then all is repaired. The pager has heard of each incident twice, when it began and when it was
//! over.
//!
//! ```text
//! cargo run --example alarms --features config,http
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use bytes::Bytes;
use evenkeel::{
    Alarm, BalanceLayer, Balancer, BoxError, ByStatus, Config, Endpoint, Pager, PagerFuture,
};
use http::{Request, Uri};
use http_body_util::Full;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::{Layer, ServiceExt};

/// As short as a demonstration needs; leave all of it out for what is right in production.
const SETTINGS: &str = r#"
name = "shop"

[outlier]
base_ejection_time = "300ms"
max_ejected_percent = 100

[slow_start]
window = "1s"

[alarms]
# Whether the audit sees how the requests shift meanwhile is a matter of moments.
skew = false
panic = "200ms"
update_refused = "200ms"
clear_after = "300ms"
"#;

type Client = legacy::Client<HttpConnector, Full<Bytes>>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    timeout(Duration::from_secs(60), incident()).await?
}

async fn incident() -> Result<(), BoxError> {
    let client = legacy::Client::builder(TokioExecutor::new()).build_http();
    let (url, mut pages) = webhook().await?;
    let servers = [Server::start().await?, Server::start().await?, Server::start().await?];

    let endpoint = |(name, server): (&str, &Server)| Endpoint::new(name, server.uri.clone());
    let set = || ["ann", "bob", "cal"].into_iter().zip(&servers).map(endpoint);
    let balancer = Balancer::builder()
        .config(Config::from_toml(SETTINGS)?)
        .endpoints(set())
        .pager(Webhook { client: client.clone(), url })
        .build()?;
    // Settles when no request does, and calls the pager.
    let _worker = balancer.start();
    let visitors = Visitors::start(&balancer, &client);

    println!("Two of three servers break:");
    servers[..2].iter().for_each(|server| server.is_broken(true));
    heard(&mut pages, r#""alarm":"panic""#, true).await?;
    let [raised] = &balancer.status().alarms[..] else { return Err("one is raised".into()) };
    println!("  the status says: {}", raised.message);

    println!("\nDiscovery fails, too, and says so by an empty list:");
    println!("  {}", balancer.replace([]).err().ok_or("it should not be believed")?);
    heard(&mut pages, r#""alarm":"update_refused""#, true).await?;

    println!("\nThe servers are repaired, and come back by themselves:");
    servers.iter().for_each(|server| server.is_broken(false));
    heard(&mut pages, r#""alarm":"panic""#, false).await?;

    println!("\nDiscovery, too:");
    balancer.replace(set())?;
    heard(&mut pages, r#""alarm":"update_refused""#, false).await?;

    let answers = visitors.answers.load(Ordering::Relaxed);
    println!("\n{answers} requests were answered meanwhile. No alarm is raised any more.");
    if balancer.status().alarms.is_empty() { Ok(()) } else { Err("an alarm is left".into()) }
}

/// Posts each alarm.
struct Webhook {
    client: Client,
    url: Uri,
}

impl Pager for Webhook {
    fn page(&self, alarm: Alarm) -> PagerFuture<'_> {
        Box::pin(async move {
            let body = serde_json::to_vec(&alarm)?;
            let request = Request::post(self.url.clone())
                .header("content-type", "application/json")
                .body(Full::from(body))?;
            let status = self.client.request(request).await?.status();
            // Anything else is tried again, and is an event.
            if status.is_success() { Ok(()) } else { Err(status.to_string().into()) }
        })
    }
}

/// A server that plays the paging service: where it is, and what it was told.
async fn webhook() -> Result<(Uri, mpsc::UnboundedReceiver<String>), BoxError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/alarms", listener.local_addr()?).parse()?;
    let (told, pages) = mpsc::unbounded_channel();
    let app = Router::new().route(
        "/alarms",
        post(async move |body: String| match told.send(body) {
            Ok(()) => StatusCode::NO_CONTENT,
            Err(_) => StatusCode::SERVICE_UNAVAILABLE,
        }),
    );
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok((url, pages))
}

/// Listens until this page comes.
async fn heard(
    pages: &mut mpsc::UnboundedReceiver<String>,
    alarm: &str,
    raised: bool,
) -> Result<(), BoxError> {
    let next = async {
        loop {
            let page = pages.recv().await.ok_or("the webhook is gone")?;
            println!("  the pager hears: {page}");
            if page.contains(alarm) && page.contains(&format!(r#""raised":{raised}"#)) {
                return Ok(());
            }
        }
    };
    let limit = Duration::from_secs(20);
    timeout(limit, next).await.map_err(|_| format!("{alarm} was to come, raised: {raised}"))?
}

/// A server that may break.
struct Server {
    uri: Uri,
    broken: Arc<AtomicBool>,
}

impl Server {
    async fn start() -> Result<Self, BoxError> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let uri = format!("http://{}", listener.local_addr()?).parse()?;
        let broken = Arc::new(AtomicBool::new(false));
        let is_broken = Arc::clone(&broken);
        let app = Router::new().fallback(async move || match is_broken.load(Ordering::Relaxed) {
            true => StatusCode::INTERNAL_SERVER_ERROR,
            false => StatusCode::OK,
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { uri, broken })
    }

    fn is_broken(&self, broken: bool) {
        self.broken.store(broken, Ordering::Relaxed);
    }
}

/// Tasks that ask until they are dropped.
struct Visitors {
    answers: Arc<AtomicU64>,
    _tasks: JoinSet<()>,
}

impl Visitors {
    fn start(balancer: &Balancer<Uri>, client: &Client) -> Self {
        let service = BalanceLayer::new(balancer.clone()).classify(ByStatus).layer(client.clone());
        let answers = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for _ in 0..4 {
            let (service, answers) = (service.clone(), Arc::clone(&answers));
            tasks.spawn(async move {
                loop {
                    let request = Request::new(Full::default());
                    let answer = service.clone().oneshot(request).await;
                    let good = answer.is_ok_and(|answer| answer.status().is_success());
                    answers.fetch_add(good.into(), Ordering::Relaxed);
                    sleep(Duration::from_millis(2)).await;
                }
            });
        }
        Self { answers, _tasks: tasks }
    }
}
