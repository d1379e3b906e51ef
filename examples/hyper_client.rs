//! Endpoints that are clients: each with its own hyper client, and so with its own pool.
//!
//! Four workers ask without a pause while one of three servers is exchanged for a new one: its
//! endpoint is drained, the server stops, another starts somewhere else, and the endpoint comes
//! back with a client for that one. No request fails.
//!
//! ```text
//! cargo run --example hyper_client --features http
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use evenkeel::{Balancer, BoxError, ByStatus, Endpoint, EndpointId, Target};
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tower::{Service, ServiceExt, service_fn};

type Body = Empty<Bytes>;
type Client = legacy::Client<HttpConnector, Body>;
type Answer = <Client as Service<Request<Body>>>::Response;

/// A client for one server. Clones of it share the pool, and the last of them closes it.
fn upstream(
    address: Uri,
) -> impl Service<Request<Body>, Response = Answer, Error = BoxError, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    let client: Client =
        legacy::Client::builder(TokioExecutor::new()).pool_max_idle_per_host(4).build_http();
    service_fn(move |request| {
        let directed = address.direct(request).map(|request| client.request(request));
        async move { Ok(directed?.await?) }
    })
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    timeout(Duration::from_secs(60), run()).await?
}

async fn run() -> Result<(), BoxError> {
    let (ann, old, cal) = (Server::start().await?, Server::start().await?, Server::start().await?);
    let bob = EndpointId::from("bob");
    let balancer = Balancer::builder()
        .endpoint(Endpoint::new("ann", upstream(ann.address.clone())))
        .endpoint(Endpoint::new(&bob, upstream(old.address.clone())))
        .endpoint(Endpoint::new("cal", upstream(cal.address.clone())))
        .build()?;

    // A drain waits for what is in flight: with bodies followed, that is to the last byte.
    let service = balancer.service().classify(ByStatus).follow_body();
    let (stop, stopped) = watch::channel(false);
    let mut workers = JoinSet::new();
    for _ in 0..4 {
        let (service, stopped) = (service.clone(), stopped.clone());
        workers.spawn(async move {
            let mut answers = 0_u64;
            while !*stopped.borrow() {
                let request = Request::get("/").body(Body::new())?;
                let response = service.clone().oneshot(request).await?;
                if !response.status().is_success() {
                    return Err(format!("answered {}", response.status()).into());
                }
                response.into_body().collect().await?;
                answers += 1;
            }
            Ok::<_, BoxError>(answers)
        });
    }

    println!("Requests flow to three servers.");
    arrivals(&old, 50).await;

    balancer.drain(&bob)?.await;
    let before = old.arrived();
    println!("Bob is drained, after {before} requests.");
    arrivals(&ann, ann.arrived() + 50).await;
    promise("nothing reaches bob any more", old.arrived() == before)?;

    let new = Server::start().await?;
    // The same endpoint with another target: what is known of bob stays, and so does the drain.
    balancer.insert(Endpoint::new(&bob, upstream(new.address.clone())))?;
    timeout(Duration::from_secs(10), old.stop()).await??;
    println!("The old server has stopped, and a new one has its place.");
    arrivals(&cal, cal.arrived() + 50).await;
    promise("bob is still drained", new.arrived() == 0)?;

    balancer.enable(&bob)?;
    arrivals(&new, 50).await;
    println!("Bob is back, and has had {} requests.", new.arrived());

    stop.send_replace(true);
    let mut answers = 0;
    while let Some(worker) = workers.join_next().await {
        answers += worker??;
    }
    let arrived = before + [&ann, &cal, &new].map(Server::arrived).iter().sum::<u64>();
    let status = balancer.status();
    for endpoint in &status.endpoints {
        println!("  {}: {} picks, {} failures", endpoint.id, endpoint.picks, endpoint.failures);
    }
    let failures: u64 = status.endpoints.iter().map(|endpoint| endpoint.failures).sum();
    let in_flight: u64 = status.endpoints.iter().map(|endpoint| endpoint.in_flight).sum();
    promise("no request failed", failures == 0)?;
    promise("each was answered by exactly one server", answers == arrived)?;
    promise("nothing is left in flight", in_flight == 0)
}

/// Waits until a server has had this many requests.
async fn arrivals(server: &Server, many: u64) {
    while server.arrived() < many {
        sleep(Duration::from_millis(2)).await;
    }
}

/// A server on a free port that counts who comes.
struct Server {
    address: Uri,
    arrived: Arc<AtomicU64>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<std::io::Result<()>>,
}

impl Server {
    async fn start() -> Result<Self, BoxError> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = format!("http://{}", listener.local_addr()?).parse()?;
        let arrived = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&arrived);
        let app = Router::new().fallback(async move || {
            count.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(2)).await;
            "hello"
        });
        let (stop, stopped) = oneshot::channel();
        let serving = axum::serve(listener, app).with_graceful_shutdown(async {
            let _ = stopped.await;
        });
        let running = tokio::spawn(async { serving.await });
        Ok(Self { address, arrived, stop, running })
    }

    fn arrived(&self) -> u64 {
        self.arrived.load(Ordering::Relaxed)
    }

    /// Ends when its last connection has.
    async fn stop(self) -> std::io::Result<()> {
        let _ = self.stop.send(());
        self.running.await?
    }
}

fn promise(what: &str, kept: bool) -> Result<(), BoxError> {
    println!("  {} {what}", if kept { "kept:  " } else { "BROKEN:" });
    if kept { Ok(()) } else { Err(format!("broken promise: {what}").into()) }
}
