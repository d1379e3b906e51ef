//! A page that shows balancers: who gets what, who is in trouble, why, and what was changed last.
//!
//! Real servers on loopback. Of those of the shop one fails every second request, one fails all, one
//! has stopped, and ann drains one for a new disk. Search is well. The page and its JSON are fetched
//! as a browser and a program would.
//!
//! ```text
//! cargo run --example status_page --features http,status
//! ```
//!
//! With `--serve` requests go on and the page stays up until it is interrupted: open what it prints.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use bytes::Bytes;
use evenkeel::{
    BalanceLayer, Balancer, BoxError, ByStatus, Config, Endpoint, StatusPages, TcpProbe,
};
use http::{Request, Uri, header};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::{Layer, ServiceExt};

const SHOP: &str = r#"
name = "shop"

[strategy]
kind = "round_robin"

[health]
interval = "200ms"
unhealthy_interval = "200ms"
timeout = "100ms"
fall = 2

[outlier]
base_ejection_time = "1m"
[outlier.consecutive_failures]
threshold = 5
"#;

type Client = legacy::Client<legacy::connect::HttpConnector, Empty<Bytes>>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    if std::env::args().any(|arg| arg == "--serve") {
        return show(true).await;
    }
    timeout(Duration::from_secs(60), show(false)).await?
}

async fn show(stays: bool) -> Result<(), BoxError> {
    let client: Client = legacy::Client::builder(TokioExecutor::new()).build_http();
    let (shop, search) = (shop().await?, search().await?);
    let _worker = shop.start();
    let mut visitors = JoinSet::new();
    for _ in 0..4 {
        visitors.spawn(visit(shop.clone(), client.clone()));
        visitors.spawn(visit(search.clone(), client.clone()));
    }

    let pages = StatusPages::new().balancer(&shop).balancer(&search).router();
    let address = serve(Router::new().nest("/balancers", pages)).await?;
    let page = format!("{address}balancers");
    println!("{page}");

    sleep(Duration::from_secs(1)).await;
    let _drain = shop.by("ann").because("a new disk").drain(&"web-2".into())?;
    shop.by("ann").because("it is the largest machine").set_weight(&"web-1".into(), 2)?;
    sleep(Duration::from_secs(1)).await;
    if stays {
        return std::future::pending().await;
    }

    let html = fetch(&client, &page, "text/html").await?;
    promise(
        "the page says who drained what and why",
        html.contains("drained by ann because a new"),
    )?;
    promise("and why web-3 was ejected", html.contains("5 failures in a row"))?;
    let all: Value = serde_json::from_str(&fetch(&client, &page, "application/json").await?)?;
    promise("programs find both", all["balancers"].as_array().map(Vec::len) == Some(2))?;
    let one = fetch(&client, &format!("{page}/shop/status.json"), "*/*").await?;
    let one: Value = serde_json::from_str(&one)?;
    let state = |id: &str| {
        let endpoints = one["endpoints"].as_array().into_iter().flatten();
        let found = endpoints.into_iter().find(|endpoint| endpoint["id"] == id);
        found.map_or(Value::Null, |endpoint| endpoint["state"].clone())
    };
    for (id, expected) in [("web-2", "draining"), ("web-3", "ejected"), ("web-4", "unhealthy")] {
        promise(&format!("{id} is {expected}"), state(id) == expected)?;
    }
    let latest = &one["changes"][0];
    println!("  the last change: {}", latest["text"]);
    promise("the last change has its author", latest["by"] == "ann")?;
    drop(search);
    visitors.shutdown().await;
    let all = fetch(&client, &format!("{page}/status.json"), "*/*").await?;
    let all: Value = serde_json::from_str(&all)?;
    promise("the page keeps nobody alive", all["gone"][0] == "search")
}

async fn shop() -> Result<Balancer<Uri>, BoxError> {
    let well = || Router::new().fallback(async || sleep(Duration::from_millis(4)).await);
    let broken = Router::new().fallback(async || StatusCode::INTERNAL_SERVER_ERROR);
    let turn = std::sync::atomic::AtomicU32::new(0);
    let turn = std::sync::Arc::new(turn);
    let flaky = Router::new().fallback(async move || {
        sleep(Duration::from_millis(9)).await;
        match turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 2 {
            0 => StatusCode::OK,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    });
    // Nobody listens there any more.
    let stopped: Uri = {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        format!("http://{}", listener.local_addr()?).parse()?
    };
    let probe = TcpProbe::new(|target: &Uri| {
        target.authority().map(ToString::to_string).unwrap_or_default()
    });
    Ok(Balancer::builder()
        .config(Config::from_toml(SHOP)?)
        .probe(probe)
        .endpoint(Endpoint::new("web-1", serve(well()).await?).zone("eu-1a").label("rack", "r7"))
        .endpoint(Endpoint::new("web-2", serve(well()).await?).zone("eu-1a").label("rack", "r8"))
        .endpoint(Endpoint::new("web-3", serve(broken).await?).zone("eu-1b"))
        .endpoint(Endpoint::new("web-4", stopped).zone("eu-1b"))
        .endpoint(Endpoint::new("web-5", serve(flaky).await?).zone("eu-1b"))
        .endpoint(Endpoint::new("web-6", serve(well()).await?).zone("eu-1c").label("rack", "r2"))
        .build()?)
}

async fn search() -> Result<Balancer<Uri>, BoxError> {
    let well = || Router::new().fallback(async || sleep(Duration::from_millis(2)).await);
    Ok(Balancer::builder()
        .name("search")
        .endpoint(Endpoint::new("index-a", serve(well()).await?).weight(3))
        .endpoint(Endpoint::new("index-b", serve(well()).await?))
        .build()?)
}

/// Asks for ever.
async fn visit(balancer: Balancer<Uri>, client: Client) {
    let service = BalanceLayer::new(balancer).classify(ByStatus).layer(client);
    loop {
        let request = Request::get("/").body(Empty::<Bytes>::new());
        if let Ok(request) = request
            && let Ok(answer) = service.clone().oneshot(request).await
        {
            let _ = answer.into_body().collect().await;
        }
        sleep(Duration::from_millis(2)).await;
    }
}

/// Serves on a free port, and says where.
async fn serve(app: Router) -> Result<Uri, BoxError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = format!("http://{}/", listener.local_addr()?).parse()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

async fn fetch(client: &Client, url: &str, kind: &str) -> Result<String, BoxError> {
    let request = Request::get(url).header(header::ACCEPT, kind).body(Empty::new())?;
    let answer = client.request(request).await?;
    promise(&format!("{url} answers 200"), answer.status() == StatusCode::OK)?;
    Ok(String::from_utf8(answer.into_body().collect().await?.to_bytes().to_vec())?)
}

fn promise(what: &str, kept: bool) -> Result<(), BoxError> {
    println!("  {} {what}", if kept { "kept:  " } else { "BROKEN:" });
    if kept { Ok(()) } else { Err(format!("broken promise: {what}").into()) }
}
