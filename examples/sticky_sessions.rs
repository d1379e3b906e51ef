//! Sessions that stay with the server that has their cart.
//!
//! Three servers keep carts in their own memory, behind a proxy that hands each visitor a cookie
//! which carries the endpoint. Twelve visitors fill their carts while one server is drained, is
//! stopped for good only when its sessions have had their time, and comes back. A cart is lost where
//! a session has to move, and only there.
//!
//! ```text
//! cargo run --example sticky_sessions --features affinity
//! ```

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::error_handling::HandleErrorLayer;
use evenkeel::{
    BalanceLayer, Balancer, BoxError, ByStatus, Config, Endpoint, EndpointId, Secret,
    SessionAffinity,
};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::BodyExt;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tower::ServiceBuilder;

const NAMES: [&str; 3] = ["ann", "bob", "cal"];
const SETTINGS: &str = "[strategy]\nkind = 'round_robin'"; // new sessions in turn

type Client = legacy::Client<HttpConnector, Body>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    timeout(Duration::from_secs(60), run()).await?
}

async fn run() -> Result<(), BoxError> {
    let mut builder = Balancer::builder().config(Config::from_toml(SETTINGS)?);
    for name in NAMES {
        builder = builder.endpoint(Endpoint::new(name, serve(carts(name)).await?));
    }
    let balancer = builder.build()?;
    let bob = EndpointId::from("bob");

    // The secret comes from wherever yours are kept, the same for every process of the proxy.
    let secret = Secret::new([42; 32])?;
    let affinity = SessionAffinity::cookie("shop", secret)?
        .max_age(Duration::from_secs(3_600))?
        .without_secure(); // for this shop is reached without TLS
    let client: Client = legacy::Client::builder(TokioExecutor::new()).build_http();
    let proxy = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(async |error: BoxError| {
            (StatusCode::BAD_GATEWAY, error.to_string())
        }))
        .layer(
            BalanceLayer::new(balancer.clone()).classify(ByStatus).follow_body().sticky(affinity),
        )
        .service(client.clone());
    let address = serve(Router::new().fallback_service(proxy)).await?;

    let mut old: Vec<_> = (0..12).map(|number| Visitor::new(number, &client, &address)).collect();
    println!(
        "{:<34} {:>5} {:>5} {:>5} {:>7} {:>6}",
        "visits", "ann", "bob", "cal", "cookies", "lost"
    );
    let opened = visits("twelve open a session", &mut old).await?;
    let again = visits("they come back", &mut old).await?;

    let drain = balancer.drain(&bob)?;
    let kept = visits("bob is draining: the twelve", &mut old).await?;
    let mut new: Vec<_> = (12..18).map(|number| Visitor::new(number, &client, &address)).collect();
    let newcomers = visits("  and six newcomers", &mut new).await?;

    // An hour, say; here it is over when the twelve have come once more.
    let over = drain.after_sessions(Duration::from_secs(1));
    let (during, ()) = tokio::join!(visits("  the twelve, in the time they have", &mut old), over);
    let during = during?;
    let after = visits("bob's drain is over", &mut old).await?;
    let settled = visits("  and from then on", &mut old).await?;

    balancer.enable(&bob)?;
    let back = visits("bob is back: the twelve", &mut old).await?;
    let mut late: Vec<_> = (18..24).map(|number| Visitor::new(number, &client, &address)).collect();
    let latecomers = visits("  and six more newcomers", &mut late).await?;
    for visitor in &mut late {
        visitor.cookie = visitor.cookie.as_deref().map(forged);
    }
    let forgers = visits("  who then forge their cookies", &mut late).await?;
    println!();

    promise("each session was handed one cookie, and no other", opened.cookies == 12)?;
    promise("everybody came back to their cart", again.is(0, 0) && again.to == opened.to)?;
    promise("a drain kept its sessions", kept.is(0, 0) && kept.to == opened.to)?;
    promise("it took no new ones", newcomers.to["bob"] == 0 && newcomers.cookies == 6)?;
    promise("none was cut short", during.is(0, 0) && during.to == opened.to)?;
    let of_bob = opened.to["bob"];
    promise("then they moved, and lost their carts", after.is(of_bob, of_bob))?;
    promise("they moved once", after.to["bob"] == 0 && settled.is(0, 0) && settled.to == after.to)?;
    promise("and stayed when bob was back", back.is(0, 0) && back.to == after.to)?;
    promise("bob gets new sessions", latecomers.to["bob"] == 2)?;
    promise("a forged cookie is no cookie", forgers.cookies == 6)?;
    let failures: u64 = balancer.status().endpoints.iter().map(|it| it.failures).sum();
    promise("no request failed", failures == 0)
}

/// A server that keeps a cart for each visitor, and says its name and how much is in it.
fn carts(name: &'static str) -> Router {
    let carts = Arc::new(Mutex::new(HashMap::<String, u32>::new()));
    Router::new().fallback(async move |headers: HeaderMap| {
        let visitor = headers.get("x-visitor").and_then(|it| it.to_str().ok()).unwrap_or("?");
        let mut carts = carts.lock();
        let cart = carts.entry(visitor.to_owned()).or_default();
        *cart += 1;
        format!("{name} {cart}")
    })
}

/// Serves an app on a free port.
async fn serve(app: Router) -> Result<Uri, BoxError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = format!("http://{}", listener.local_addr()?).parse()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

/// Somebody with a browser, which keeps the cookie it is handed.
struct Visitor {
    number: u32,
    client: Client,
    address: Uri,
    cookie: Option<String>,
    /// What was in the cart when it was last seen.
    cart: u32,
}

/// What came of a visit by each of several visitors.
struct Visits {
    to: BTreeMap<String, u32>,
    /// Cookies that were handed out.
    cookies: u32,
    /// Carts with less in them than there should be.
    lost: u32,
}

impl Visits {
    fn is(&self, cookies: u32, lost: u32) -> bool {
        (self.cookies, self.lost) == (cookies, lost)
    }
}

async fn visits(what: &str, visitors: &mut [Visitor]) -> Result<Visits, BoxError> {
    let to = NAMES.map(|name| (name.to_owned(), 0)).into();
    let mut visits = Visits { to, cookies: 0, lost: 0 };
    for visitor in visitors {
        visitor.visit(&mut visits).await?;
    }
    let [ann, bob, cal] = NAMES.map(|name| visits.to[name]);
    println!("{what:<34} {ann:>5} {bob:>5} {cal:>5} {:>7} {:>6}", visits.cookies, visits.lost);
    Ok(visits)
}

impl Visitor {
    fn new(number: u32, client: &Client, address: &Uri) -> Self {
        let (client, address) = (client.clone(), address.clone());
        Self { number, client, address, cookie: None, cart: 0 }
    }

    async fn visit(&mut self, visits: &mut Visits) -> Result<(), BoxError> {
        let mut request = Request::get(&self.address).header("x-visitor", self.number);
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        let response = self.client.request(request.body(Body::empty())?).await?;
        if let Some(cookie) = response.headers().get(SET_COOKIE) {
            self.cookie = cookie.to_str()?.split(';').next().map(str::to_owned);
            visits.cookies += 1;
        }
        let body = response.into_body().collect().await?.to_bytes();
        let (name, cart) = std::str::from_utf8(&body)?.split_once(' ').ok_or("no cart")?;
        let cart = cart.parse()?;
        visits.lost += u32::from(cart != self.cart + 1);
        self.cart = cart;
        *visits.to.entry(name.to_owned()).or_default() += 1;
        Ok(())
    }
}

/// The same cookie with its first character exchanged.
fn forged(cookie: &str) -> String {
    let (name, value) = cookie.split_once('=').unwrap_or((cookie, ""));
    let first = if value.starts_with('A') { 'B' } else { 'A' };
    let rest: String = value.chars().skip(1).collect();
    format!("{name}={first}{rest}")
}

fn promise(what: &str, kept: bool) -> Result<(), BoxError> {
    println!("  {} {what}", if kept { "kept:  " } else { "BROKEN:" });
    if kept { Ok(()) } else { Err(format!("broken promise: {what}").into()) }
}
