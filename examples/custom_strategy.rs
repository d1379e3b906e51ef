//! A strategy of one's own: prefer the leader, else balance.
//!
//! A database of three nodes takes every request at its leader, and copes with it elsewhere while
//! there is none. The strategy is chosen by configuration like any other. Leadership is a label,
//! and moves by sending the endpoint again with another one.
//!
//! ```text
//! cargo run --example custom_strategy --features http
//! ```
//!
//! What every strategy promises is tested below, by `evenkeel::laws`:
//!
//! ```text
//! cargo test --example custom_strategy --features http,testing
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use evenkeel::strategy::{Candidate, Candidates, LeastRequest, PickContext, Picker, Strategy};
use evenkeel::{
    BalanceLayer, Balancer, BoxError, ByStatus, ChosenEndpoint, Config, Endpoint, EndpointId,
};
use http::{Request, Uri};
use http_body_util::BodyExt;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tower::{Layer, ServiceExt};

/// Whoever leads gets everything. Whether a node leads, and since which term, the function says.
///
/// Of several that claim it the latest term counts: so the leadership moves with the one update
/// that names the new leader, and there is no moment with none or two.
#[derive(Debug)]
struct Leader(fn(&Candidate) -> Option<u64>);

#[derive(Debug)]
struct LeaderPicker {
    leader: Option<usize>,
    rest: Box<dyn Picker>,
}

impl Strategy for Leader {
    // Labels are read here, once a change, and not once a request.
    fn build(&self, candidates: &Candidates<'_>) -> Box<dyn Picker> {
        let terms = candidates.iter().enumerate().filter_map(|(at, it)| Some(((self.0)(it)?, at)));
        let leader = terms.max().map(|(_, at)| at);
        Box::new(LeaderPicker { leader, rest: LeastRequest::default().build(candidates) })
    }
}

impl Picker for LeaderPicker {
    // A drained leader is no candidate; one that this request must not go to still is.
    fn pick(&self, cx: &mut PickContext<'_>) -> Option<usize> {
        self.leader.filter(|&leader| !cx.is_excluded(leader)).or_else(|| self.rest.pick(cx))
    }

    fn shares(&self) -> Vec<f64> {
        let mut shares = self.rest.shares();
        if let Some(leader) = self.leader {
            shares.fill(0.0);
            shares[leader] = 1.0;
        }
        shares
    }
}

const SETTINGS: &str = r#"
[strategy]
kind = "custom"
custom = "leader"
"#;

type Client = legacy::Client<HttpConnector, Body>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    timeout(Duration::from_secs(60), run()).await?
}

async fn run() -> Result<(), BoxError> {
    let nodes = [("ann", serve().await?), ("bob", serve().await?), ("cal", serve().await?)];
    let endpoints = nodes.clone().map(|(id, address)| Endpoint::new(id, address));
    let [_, (_, bob), (_, cal)] = nodes;

    let balancer = Balancer::builder()
        .config(Config::from_toml(SETTINGS)?)
        .strategy("leader", Leader(|node| node.label("term")?.parse().ok()))
        .endpoints(endpoints)
        .build()?;
    let client: Client = legacy::Client::builder(TokioExecutor::new()).build_http();
    let send = async || {
        let service = BalanceLayer::new(balancer.clone()).classify(ByStatus).layer(client.clone());
        let mut went = BTreeMap::new();
        for _ in 0..60 {
            let response = service.clone().oneshot(Request::get("/").body(Body::empty())?).await?;
            if let Some(ChosenEndpoint(id)) = response.extensions().get() {
                *went.entry(id.clone()).or_insert(0) += 1;
            }
            response.into_body().collect().await?;
        }
        println!("  {went:?}");
        Ok::<BTreeMap<EndpointId, u32>, BoxError>(went)
    };
    let [b, c] = ["bob", "cal"].map(EndpointId::from);

    println!("Nobody leads:");
    let went = send().await?;
    promise("all three are asked", went.len() == 3)?;

    println!("Bob is elected:");
    balancer.insert(Endpoint::new(&b, bob).label("term", "1"))?;
    promise("bob is asked for everything", send().await? == [(b.clone(), 60)].into())?;

    println!("Cal is elected, and nobody has told bob:");
    balancer.insert(Endpoint::new(&c, cal).label("term", "2"))?;
    promise("cal is asked for everything", send().await? == [(c.clone(), 60)].into())?;

    println!("Cal is drained:");
    balancer.drain(&c)?.await;
    promise("bob has the next best claim", send().await? == [(b.clone(), 60)].into())?;

    println!("Cal is back:");
    balancer.enable(&c)?;
    promise("cal is asked for everything", send().await? == [(c.clone(), 60)].into())
}

/// Serves a node on a free port.
async fn serve() -> Result<Uri, BoxError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = format!("http://{}", listener.local_addr()?).parse()?;
    let app = Router::new().fallback(async || "done");
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

fn promise(what: &str, kept: bool) -> Result<(), BoxError> {
    println!("  {} {what}", if kept { "kept:  " } else { "BROKEN:" });
    if kept { Ok(()) } else { Err(format!("broken promise: {what}").into()) }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use evenkeel::laws::{Laws, Violation};

    use super::Leader;

    #[test]
    fn keeps_the_laws_without_a_leader() -> Result<(), Violation> {
        Laws::of(|| Leader(|_| None)).check()
    }

    // The suite's endpoints have no labels, so something else has to tell who leads.
    #[test]
    fn keeps_the_laws_while_leaders_come_and_go() -> Result<(), Violation> {
        Laws::of(|| Leader(|node| Some(u64::from(node.weight())).filter(|term| term % 2 == 0)))
            .check()
    }
}
