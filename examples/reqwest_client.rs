//! One `reqwest::Client`, many servers: it is a tower service, so a `BalanceLayer` fits over it.
//!
//! Two things are needed: a newtype that writes the chosen address into a request, and a closure
//! that says which answers are the server's failures. One of three servers fails every request, and
//! gets hardly any of them.
//!
//! ```text
//! cargo run --example reqwest_client
//! ```

use std::time::Duration;

use axum::Router;
use axum::http::Uri;
use evenkeel::{BalanceLayer, Balancer, BoxError, Endpoint, Outcome, Target};
use reqwest::{Client, Method, Request, Response, StatusCode, Url};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tower::{Layer, ServiceExt};

/// Where a server is. Requests keep their path and their query.
#[derive(Debug)]
struct Base(Url);

impl Target<Request> for Base {
    fn direct(&self, mut request: Request) -> Result<Request, BoxError> {
        let mut url = self.0.clone();
        url.set_path(request.url().path());
        url.set_query(request.url().query());
        *request.url_mut() = url;
        Ok(request)
    }
}

/// What an answer says about its server. One that refuses a request does its work.
fn classify(result: Result<&Response, &reqwest::Error>) -> Outcome {
    match result.map(Response::status) {
        Ok(StatusCode::TOO_MANY_REQUESTS) => Outcome::overloaded(None),
        Ok(status) if status.is_server_error() => Outcome::failure(),
        Ok(_) => Outcome::Success,
        // A request that could not even be written says nothing about whom it was for.
        Err(error) if error.is_builder() => Outcome::Ignore,
        Err(_) => Outcome::failure(),
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    timeout(Duration::from_secs(60), run()).await?
}

async fn run() -> Result<(), BoxError> {
    let broken = Router::new().fallback(async || StatusCode::INTERNAL_SERVER_ERROR);
    let balancer = Balancer::builder()
        .endpoint(Endpoint::new("ann", serve(echo()).await?))
        .endpoint(Endpoint::new("bob", serve(broken).await?))
        .endpoint(Endpoint::new("cal", serve(echo()).await?))
        .build()?;

    // The servers are on this machine; elsewhere, a proxy of the environment may be wanted.
    let client = Client::builder().no_proxy().build()?;
    let service = BalanceLayer::new(balancer.clone()).classify(classify).layer(client);

    // A request of reqwest's needs a whole URL; only its path and query matter here.
    let url = Url::parse("http://shop.invalid/carts/7?full=1")?;
    let (mut directed, mut errors) = (0, 0);
    for _ in 0..100 {
        let request = Request::new(Method::GET, url.clone());
        let response = service.clone().oneshot(request).await?;
        if response.status().is_server_error() {
            errors += 1;
        } else if response.text().await? == "/carts/7?full=1" {
            directed += 1;
        }
    }

    println!("A hundred requests, one after another:");
    let status = balancer.status();
    for endpoint in &status.endpoints {
        println!("  {}: {} picks, {} failures", endpoint.id, endpoint.picks, endpoint.failures);
    }
    let failures: u64 = status.endpoints.iter().map(|endpoint| endpoint.failures).sum();
    let picks = |id: &str| status.endpoint(&id.into()).map_or(0, |endpoint| endpoint.picks);
    promise("path and query arrived as they were", directed + errors == 100)?;
    promise("every error was counted as its endpoint's", failures == errors)?;
    promise("the failing server was found out", (1..=20).contains(&picks("bob")))?;
    promise("the others share the rest", picks("ann") >= 20 && picks("cal") >= 20)
}

/// A server that says what it was asked for.
fn echo() -> Router {
    Router::new().fallback(async |uri: Uri| uri.to_string())
}

/// Serves an app on a free port.
async fn serve(app: Router) -> Result<Base, BoxError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = Url::parse(&format!("http://{}", listener.local_addr()?))?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(Base(address))
}

fn promise(what: &str, kept: bool) -> Result<(), BoxError> {
    println!("  {} {what}", if kept { "kept:  " } else { "BROKEN:" });
    if kept { Ok(()) } else { Err(format!("broken promise: {what}").into()) }
}
