//! A change that takes itself back, and one that stays.
//!
//! Three servers need 20 ms for an answer, and eight clients ask them without a pause. Then
//! somebody allows an answer 5 ms, and every request fails. The change was applied with a guard: it
//! notices, takes the change back, and says why. The next change is better, and stays.
//!
//! ```text
//! cargo run --example guarded_rollout --features http
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use evenkeel::{
    BalanceLayer, Balancer, BoxError, ByStatus, Change, Config, Endpoint, Event, Guard,
    RollbackReason, Verdict,
};
use http::{Request, Uri};
use http_body_util::BodyExt;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tower::{Layer, ServiceExt};

const ANSWERS_AFTER: Duration = Duration::from_millis(20);
const CLIENTS: usize = 8;

const BEFORE: &str = r#"
[limits]
attempt_timeout = "2s"
"#;

const TOO_HASTY: &str = r#"
[limits]
attempt_timeout = "5ms"
"#;

const SOUND: &str = r#"
[strategy]
kind = "round_robin"
[limits]
attempt_timeout = "1s"
"#;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    timeout(Duration::from_secs(60), run()).await?
}

async fn run() -> Result<(), BoxError> {
    let mut builder = Balancer::builder().config(Config::from_toml(BEFORE)?);
    for name in ["ann", "bob", "cal"] {
        builder = builder.endpoint(Endpoint::new(name, serve().await?));
    }
    let balancer = builder.build()?;
    let mut events = balancer.subscribe();
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            // Verdicts are told where they are awaited.
            if !matches!(event, Event::Judged { .. }) {
                println!("  event: {event}");
            }
        }
    });
    let answers = Arc::new(Answers::default());
    for _ in 0..CLIENTS {
        tokio::spawn(ask(balancer.clone(), Arc::clone(&answers)));
    }

    println!("All is well:");
    sleep(Duration::from_secs(1)).await;
    let [good, bad] = answers.take();
    promise("requests are answered", good > 50 && bad == 0)?;
    let before = balancer.config();

    println!("Ann allows an answer 5 ms:");
    let hasty = Change::new(Config::from_toml(TOO_HASTY)?).by("ann").because("to fail fast");
    let watched = balancer.apply_guarded(hasty, guard()?)?;
    let in_time = timeout(Duration::from_secs(2), watched).await;
    promise("there is a verdict within two seconds", in_time.is_ok())?;
    let verdict = in_time?;
    println!("  {verdict}");
    let [_, bad] = answers.take();
    let reason = match &verdict {
        Verdict::RolledBack { reason, .. } => Some(reason),
        _ => None,
    };
    let failures =
        matches!(reason, Some(RollbackReason::FailureRate { after, .. }) if *after > 0.5);
    promise("the change is taken back for its failures", failures && bad > 0)?;
    promise("the settings are those from before", balancer.config() == before)?;

    println!("The servers go on:");
    sleep(Duration::from_millis(300)).await;
    answers.take();
    sleep(Duration::from_millis(500)).await;
    let [good, bad] = answers.take();
    promise("requests are answered again", good > 20 && bad == 0)?;

    println!("Bob allows it a second, and lets the servers take turns:");
    let sound = Change::new(Config::from_toml(SOUND)?).by("bob").because("that is enough");
    let verdict = balancer.apply_guarded(sound, guard()?)?.await;
    println!("  {verdict}");
    promise("the change stays", matches!(verdict, Verdict::Accepted { .. }))?;
    promise("it is what is served", *balancer.config() == Config::from_toml(SOUND)?)?;
    let [_, bad] = answers.take();
    promise("no request failed for it", bad == 0)?;

    println!("What history says:");
    for revision in balancer.history() {
        let by = revision.by.as_deref().unwrap_or("nobody");
        println!("  {} by {by}: {}", revision.version, revision.differences.join(", "));
        if let Some(verdict) = revision.verdict {
            println!("      {verdict}");
        }
    }
    Ok(())
}

/// A few seconds instead of a minute, and room for a machine that is busy with other things.
fn guard() -> Result<Guard, BoxError> {
    let guard = Guard::default().with_window(Duration::from_secs(3))?;
    Ok(guard.with_look_every(Duration::from_millis(100))?.with_latency_factor(Some(5.0))?)
}

/// Answers since somebody last looked.
#[derive(Default)]
struct Answers {
    good: AtomicU64,
    bad: AtomicU64,
}

impl Answers {
    fn take(&self) -> [u64; 2] {
        let [good, bad] = [&self.good, &self.bad].map(|count| count.swap(0, Ordering::Relaxed));
        println!("  {good} requests went well, {bad} failed");
        [good, bad]
    }
}

/// Asks without end.
async fn ask(balancer: Balancer<Uri>, answers: Arc<Answers>) -> Result<(), BoxError> {
    type Client = legacy::Client<HttpConnector, Body>;
    let client: Client = legacy::Client::builder(TokioExecutor::new()).build_http();
    let service = BalanceLayer::new(balancer).classify(ByStatus).layer(client);
    loop {
        let request = Request::get("/").body(Body::empty())?;
        let answer = match service.clone().oneshot(request).await {
            Ok(response) => response.into_body().collect().await.is_ok(),
            Err(_) => false,
        };
        let count = if answer { &answers.good } else { &answers.bad };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Serves on a free port.
async fn serve() -> Result<Uri, BoxError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = format!("http://{}", listener.local_addr()?).parse()?;
    let app = Router::new().fallback(async || {
        sleep(ANSWERS_AFTER).await;
        "done"
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

fn promise(what: &str, kept: bool) -> Result<(), BoxError> {
    println!("  {} {what}", if kept { "kept:  " } else { "BROKEN:" });
    if kept { Ok(()) } else { Err(format!("broken promise: {what}").into()) }
}
