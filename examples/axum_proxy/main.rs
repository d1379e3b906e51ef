//! A reverse proxy: an axum app that hands every request to one of its upstreams.
//!
//! One hyper client under a `BalanceLayer`, whose endpoints are addresses. What goes wrong becomes
//! an answer of the proxy's own: 503 with `Retry-After` where no upstream may be used, 504 where
//! one ran out of its time, 502 where one could not be reached. Four upstreams show them all: one
//! is well, one answers 503 for a while, one never answers, and one is not there.
//!
//! ```text
//! cargo run --example axum_proxy --features http
//! ```

mod proxy;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use evenkeel::{Balancer, BoxError, Config, Endpoint, EndpointId};
use http::header::RETRY_AFTER;
use http::{StatusCode, Uri};
use http_body_util::BodyExt;
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

use crate::proxy::{Client, ENDPOINT, proxy};

const SETTINGS: &str = r#"
name = "proxy"

[strategy]
kind = "least_request"
choices = "all"             # so few upstreams can all be compared
failure_penalty = "1s"

[limits]
attempt_timeout = "250ms"   # the upstream's failure; a timeout around the proxy would be nobody's
"#;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    timeout(Duration::from_secs(60), run()).await?
}

async fn run() -> Result<(), BoxError> {
    let ann = async |_whole_body: Bytes| "ann";
    let broken = Arc::new(AtomicBool::new(true));
    let is_broken = Arc::clone(&broken);
    let bob = move || async move {
        let well = !is_broken.load(Ordering::Relaxed);
        if well { Ok("bob") } else { Err(StatusCode::SERVICE_UNAVAILABLE) }
    };
    // Bound and not listening: nobody else can get the port, and who calls it is turned away.
    let dan = TcpSocket::new_v4()?;
    dan.bind(([127, 0, 0, 1], 0).into())?;

    let balancer = Balancer::builder()
        .config(Config::from_toml(SETTINGS)?)
        .endpoint(Endpoint::new("ann", serve(Router::new().fallback(ann)).await?))
        .endpoint(Endpoint::new("bob", serve(Router::new().fallback(bob)).await?))
        .endpoint(Endpoint::new(
            "cal",
            serve(Router::new().fallback(std::future::pending::<()>)).await?,
        ))
        .endpoint(Endpoint::new("dan", format!("http://{}", dan.local_addr()?).parse()?))
        .build()?;
    let [ann, bob, cal, dan] = ["ann", "bob", "cal", "dan"].map(EndpointId::from);

    let client = legacy::Client::builder(TokioExecutor::new()).build_http();
    let address = serve(proxy(balancer.clone(), client.clone())).await?;
    let visitor = Visitor { client, address };

    println!("Sixty requests, while only ann is well:");
    let mut seen = BTreeMap::new();
    for _ in 0..60 {
        let Answer { status, endpoint, .. } = visitor.get().await?;
        *seen.entry((status, endpoint.unwrap_or_default())).or_insert(0) += 1;
    }
    for ((status, endpoint), times) in &seen {
        println!("  {times:>2} x {status} from {endpoint}");
    }
    let times =
        |status, id: &EndpointId| seen.get(&(status, id.to_string())).copied().unwrap_or_default();
    promise("who failed is asked far less", times(StatusCode::OK, &ann) > 30)?;
    promise("a 503 of bob's own is handed on", times(StatusCode::SERVICE_UNAVAILABLE, &bob) > 0)?;
    promise("cal's silence becomes a 504", times(StatusCode::GATEWAY_TIMEOUT, &cal) > 0)?;
    promise("dan's absence becomes a 502", times(StatusCode::BAD_GATEWAY, &dan) > 0)?;

    println!("An operator switches cal and dan off, and bob gets well:");
    balancer.disable(&cal)?;
    balancer.disable(&dan)?;
    broken.store(false, Ordering::Relaxed);
    let mut back = false;
    for _ in 0..400 {
        let answer = visitor.get().await?;
        back = answer.status == StatusCode::OK && answer.endpoint.as_deref() == Some("bob");
        if back {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    promise("bob is given requests again", back)?;

    println!("Bob is drained, and a visitor of ann's breaks off while sending:");
    let span = Duration::from_secs(30);
    balancer.drain_for(&bob, span)?.await;
    let (picks, failures) = counts(&balancer, &ann);
    visitor.break_off().await?;
    while counts(&balancer, &ann).0 == picks {
        sleep(Duration::from_millis(2)).await;
    }
    balancer.drain_for(&ann, span)?.await;
    promise("ann is not blamed for it", counts(&balancer, &ann) == (picks + 1, failures))?;

    println!("Now ann is drained as well:");
    let answer = visitor.get().await?;
    println!("  {}, Retry-After {:?}", answer.status, answer.retry_after);
    promise("now the 503 is the proxy's own", answer.status == StatusCode::SERVICE_UNAVAILABLE)?;
    promise("it names no endpoint", answer.endpoint.is_none())?;
    promise("it says when to come back", matches!(answer.retry_after, Some(10..=30)))?;
    Ok(())
}

/// Requests of an endpoint, and how many of them failed.
fn counts(balancer: &Balancer<Uri>, id: &EndpointId) -> (u64, u64) {
    balancer.status().endpoint(id).map_or((0, 0), |endpoint| (endpoint.picks, endpoint.failures))
}

/// Serves an app on a free port.
async fn serve(app: Router) -> Result<Uri, BoxError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = format!("http://{}", listener.local_addr()?).parse()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

/// Somebody who uses the proxy.
struct Visitor {
    client: Client,
    address: Uri,
}

struct Answer {
    status: StatusCode,
    endpoint: Option<String>,
    retry_after: Option<u64>,
}

impl Visitor {
    async fn get(&self) -> Result<Answer, BoxError> {
        let response = self.client.get(self.address.clone()).await?;
        let header = |name| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let answer = Answer {
            status: response.status(),
            endpoint: header(ENDPOINT),
            retry_after: header(RETRY_AFTER.as_str()).and_then(|text| text.parse().ok()),
        };
        response.into_body().collect().await?;
        Ok(answer)
    }

    /// Announces a hundred bytes, sends a few of them, and is gone.
    async fn break_off(&self) -> Result<(), BoxError> {
        let address = self.address.authority().ok_or("no address")?;
        let mut visit = TcpStream::connect(address.as_str()).await?;
        let sent = b"POST / HTTP/1.1\r\nhost: proxy\r\ncontent-length: 100\r\n\r\nthe first";
        Ok(visit.write_all(sent).await?)
    }
}

fn promise(what: &str, kept: bool) -> Result<(), BoxError> {
    println!("  {} {what}", if kept { "kept:  " } else { "BROKEN:" });
    if kept { Ok(()) } else { Err(format!("broken promise: {what}").into()) }
}
