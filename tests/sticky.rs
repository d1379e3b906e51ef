//! Sessions that stay with their endpoints, over real servers on the loopback network.

#![cfg(all(feature = "config", feature = "affinity"))]
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::{Future, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::error_handling::HandleErrorLayer;
use bytes::Bytes;
use evenkeel::{
    Availability, BalanceLayer, Balancer, BoxError, ByStatus, Endpoint, EndpointId, Event, Key,
    Secret, SessionAffinity, keys,
};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_test::{assert_pending, assert_ready, task};
use tower::limit::ConcurrencyLimit;
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::support::{config, received};

type Client = legacy::Client<HttpConnector, Body>;
/// What a visitor talks to.
type Site = BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>;

const ROUND: &str = "[strategy]\nkind = 'round_robin'";
const NAMES: [&str; 3] = ["ann", "bob", "cal"];

fn secret(seed: u8) -> Secret {
    Secret::new([seed; 32]).unwrap()
}

fn affinity() -> SessionAffinity {
    SessionAffinity::cookie("shop", secret(1)).unwrap()
}

fn client() -> Client {
    legacy::Client::builder(TokioExecutor::new()).build_http()
}

// --- Servers and visitors ------------------------------------------------------------------------

/// A server that says its name, and counts the visits it remembers in a cookie of its own.
async fn serve(name: &'static str) -> (Uri, JoinHandle<()>) {
    let app = Router::new().fallback(async move || ([(SET_COOKIE, "app=1")], name));
    serve_app(app).await
}

async fn serve_app(app: Router) -> (Uri, JoinHandle<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let serving = axum::serve(listener, app).into_future();
    (uri, tokio::spawn(async { serving.await.unwrap() }))
}

/// Addresses of three servers.
async fn shop(settings: &str) -> Balancer<Uri> {
    let mut builder = Balancer::builder().config(config(settings)).seed(7);
    for name in NAMES {
        builder = builder.endpoint(Endpoint::new(name, serve(name).await.0));
    }
    builder.build().unwrap()
}

/// One client for all of a shop.
fn site(balancer: &Balancer<Uri>, affinity: SessionAffinity) -> Site {
    let layer = BalanceLayer::new(balancer.clone()).classify(ByStatus).follow_body();
    let sticky = layer.sticky(affinity).layer(client());
    BoxCloneSyncService::new(sticky.map_response(|response| response.map(Body::new)))
}

/// Somebody with a browser, which keeps what it is handed.
#[derive(Clone, Default)]
struct Visitor {
    cookie: Option<String>,
}

struct Visit {
    name: String,
    /// Whether a token was handed out.
    is_handed: bool,
}

impl Visitor {
    async fn try_visit(&mut self, site: &Site) -> Result<Visit, BoxError> {
        let mut request = Request::get("/carts/7?shop=1").body(Body::empty())?;
        if let Some(cookie) = &self.cookie {
            let cookies = format!("first=1; {cookie}; last=2");
            request.headers_mut().insert(COOKIE, HeaderValue::from_str(&cookies)?);
        }
        let response = site.clone().oneshot(request).await?;
        assert_eq!(response.status(), StatusCode::OK);
        let set = response.headers().get_all(SET_COOKIE).into_iter();
        let set: Vec<_> = set.map(|value| value.to_str().unwrap().to_owned()).collect();
        assert!(set.iter().any(|value| value == "app=1"), "the server's own cookie is kept");
        let token = set.iter().find(|value| value.starts_with("shop="));
        if let Some((token, _)) = token.and_then(|value| value.split_once(';')) {
            self.cookie = Some(token.to_owned());
        }
        let is_handed = token.is_some();
        let body = response.into_body().collect().await?.to_bytes();
        Ok(Visit { name: String::from_utf8(body.to_vec())?, is_handed })
    }

    async fn visit(&mut self, site: &Site) -> Visit {
        self.try_visit(site).await.unwrap()
    }

    /// A visit that changes nothing of the session.
    async fn stays(&mut self, site: &Site, name: &str) {
        let visit = self.visit(site).await;
        assert_eq!((visit.name.as_str(), visit.is_handed), (name, false));
    }

    /// A visit by which the session moves; says where to.
    async fn moves(&mut self, site: &Site, from: &str) -> String {
        let visit = self.visit(site).await;
        assert!(visit.is_handed && visit.name != from, "{} {}", visit.name, visit.is_handed);
        self.stays(site, &visit.name).await;
        visit.name
    }
}

/// A visitor who has a session with `name`.
async fn visitor_of(site: &Site, name: &str) -> Visitor {
    for _ in 0..100 {
        let mut visitor = Visitor::default();
        if visitor.visit(site).await.name == name {
            return visitor;
        }
    }
    unreachable!("{name} gets no sessions");
}

// --- A session stays -----------------------------------------------------------------------------

#[tokio::test]
async fn each_session_stays_and_sessions_are_spread() {
    let balancer = shop(ROUND).await;
    let site = site(&balancer, affinity());
    let mut sessions = BTreeMap::<_, u32>::new();
    for _ in 0..12 {
        let mut visitor = Visitor::default();
        let first = visitor.visit(&site).await;
        assert!(first.is_handed);
        for _ in 0..5 {
            visitor.stays(&site, &first.name).await;
        }
        *sessions.entry(first.name).or_default() += 1;
    }
    assert_eq!(sessions.into_values().collect::<Vec<_>>(), [4, 4, 4]);
    let status = balancer.status();
    assert!(status.endpoints.iter().all(|it| (it.picks, it.in_flight) == (24, 0)));
}

#[tokio::test]
async fn clients_of_their_own_are_as_sticky_as_one_for_all() {
    let mut builder = Balancer::builder().config(config(ROUND));
    for name in NAMES {
        let address = serve(name).await.0;
        let client = client();
        let upstream = service_fn(move |request: Request<Body>| {
            let directed = evenkeel::Target::direct(&address, request);
            let answer = directed.map(|request| client.request(request));
            async move { Ok::<_, BoxError>(answer?.await?) }
        });
        builder = builder.endpoint(Endpoint::new(name, upstream));
    }
    let balancer = builder.build().unwrap();
    let key = keys::header(HeaderName::from_static("x-user")).or(keys::cookie("first"));
    let sticky = balancer.service().key_from(key).classify(ByStatus).sticky(affinity());
    assert_eq!(sticky.get_ref().balancer().name(), balancer.name());
    let site: Site =
        BoxCloneSyncService::new(sticky.map_response(|response| response.map(Body::new)));
    for name in NAMES {
        let mut visitor = visitor_of(&site, name).await;
        for _ in 0..5 {
            visitor.stays(&site, name).await;
        }
    }
}

#[tokio::test]
async fn processes_with_one_secret_know_each_others_sessions() {
    let addresses: Vec<(&str, Uri)> = {
        let mut addresses = Vec::new();
        for name in NAMES {
            addresses.push((name, serve(name).await.0));
        }
        addresses
    };
    let process = |seed| {
        let endpoints = addresses.iter().map(|(name, uri)| Endpoint::new(*name, uri.clone()));
        let balancer = Balancer::builder().config(config(ROUND)).endpoints(endpoints).seed(seed);
        site(&balancer.build().unwrap(), affinity())
    };
    let (one, two) = (process(1), process(2));
    for name in NAMES {
        let mut visitor = visitor_of(&one, name).await;
        visitor.stays(&two, name).await;
        visitor.stays(&one, name).await;
    }
}

#[tokio::test]
async fn who_forges_a_token_gets_a_new_session() {
    let balancer = shop(ROUND).await;
    let site = site(&balancer, affinity());
    let honest = visitor_of(&site, "bob").await.cookie.unwrap();
    let other = self::site(&balancer, SessionAffinity::cookie("shop", secret(2)).unwrap());
    let foreign = visitor_of(&other, "bob").await.cookie.unwrap();
    let flipped =
        honest.replacen(&honest[10..11], if &honest[10..11] == "A" { "B" } else { "A" }, 1);
    let long = format!("shop={}", "A".repeat(100_000));
    for forged in [foreign, flipped, long, "shop=bob".to_owned(), "shop=".to_owned()] {
        let mut visitor = Visitor { cookie: Some(forged.clone()) };
        assert!(visitor.visit(&site).await.is_handed, "{}", &forged[..forged.len().min(80)]);
    }
    assert!(!honest.contains("bob"));
}

#[tokio::test]
async fn a_header_carries_a_session_too() {
    let balancer = shop(ROUND).await;
    let name = HeaderName::from_static("x-session");
    let layer = BalanceLayer::new(balancer.clone());
    let service = layer.sticky(SessionAffinity::header(name.clone(), secret(1))).layer(client());
    let ask = async |token: Option<HeaderValue>| {
        let mut request = Request::get("/").body(Body::empty()).unwrap();
        request.headers_mut().extend(token.map(|token| (name.clone(), token)));
        let response = service.clone().oneshot(request).await.unwrap();
        let token = response.headers().get(&name).cloned();
        (response.into_body().collect().await.unwrap().to_bytes(), token)
    };
    let (first, token) = ask(None).await;
    for _ in 0..5 {
        assert_eq!(ask(token.clone()).await, (first.clone(), None));
    }
    let broken = HeaderValue::from_bytes(b"\xff\xfe").unwrap();
    assert!(ask(Some(broken)).await.1.is_some());
}

// --- Its endpoint is draining, out, or gone ------------------------------------------------------

#[tokio::test]
async fn a_draining_endpoint_keeps_its_sessions_until_the_drain_is_over() {
    let balancer = shop(ROUND).await;
    let site = site(&balancer, affinity());
    let bob = EndpointId::from("bob");
    let mut visitor = visitor_of(&site, "bob").await;
    let drain = balancer.drain(&bob).unwrap();
    for _ in 0..5 {
        visitor.stays(&site, "bob").await;
        assert_ne!(Visitor::default().visit(&site).await.name, "bob", "no new sessions");
    }
    drain.await;
    assert_eq!(balancer.status().endpoint(&bob).unwrap().in_flight, 0);
    let picks = balancer.status().endpoint(&bob).unwrap().picks;
    let to = visitor.moves(&site, "bob").await;
    balancer.enable(&bob).unwrap();
    for _ in 0..5 {
        visitor.stays(&site, &to).await;
    }
    assert_eq!(balancer.status().endpoint(&bob).unwrap().picks, picks);
}

/// An operator who gives sessions a time, visitors who never pause: nobody sees an error, nobody is
/// sent away before that time, everybody moves once.
#[tokio::test]
async fn sessions_move_once_when_their_time_is_over() {
    let balancer = shop(ROUND).await;
    let site = site(&balancer, affinity());
    let bob = EndpointId::from("bob");
    let mut visitors = Vec::new();
    for _ in 0..6 {
        visitors.push(visitor_of(&site, "bob").await);
    }
    let (ended, is_over) = tokio::sync::watch::channel(false);
    let mut busy = JoinSet::new();
    for mut visitor in visitors {
        let (site, is_over) = (site.clone(), is_over.clone());
        busy.spawn(async move {
            let mut moved = 0;
            while !*is_over.borrow() {
                moved += u32::from(visitor.visit(&site).await.is_handed);
            }
            moved += u32::from(visitor.visit(&site).await.is_handed);
            (moved, visitor.visit(&site).await.name)
        });
    }
    let span = Duration::from_millis(50);
    let began = support::now();
    balancer.drain(&bob).unwrap().after_sessions(span).await;
    assert!(support::now().saturating_duration_since(began) >= span);
    let picks = balancer.status().endpoint(&bob).unwrap().picks;
    ended.send_replace(true);
    while let Some(visitor) = busy.join_next().await {
        let (moved, name) = visitor.unwrap();
        assert!(moved == 1 && name != "bob", "{moved} {name}");
    }
    let status = balancer.status();
    let bob = status.endpoint(&bob).unwrap();
    assert_eq!((bob.picks, bob.in_flight, bob.failures), (picks, 0, 0));
}

#[tokio::test]
async fn a_session_moves_once_from_an_endpoint_that_is_out_and_does_not_go_back() {
    let balancer = shop(ROUND).await;
    let site = site(&balancer, affinity());
    let bob = EndpointId::from("bob");
    let mut visitor = visitor_of(&site, "bob").await;
    let mut away = visitor_of(&site, "bob").await;
    balancer.eject(&bob, Duration::from_secs(3_600)).unwrap();
    let to = visitor.moves(&site, "bob").await;
    balancer.enable(&bob).unwrap();
    visitor.stays(&site, &to).await;
    away.stays(&site, "bob").await;
}

#[tokio::test]
async fn a_session_moves_from_an_endpoint_that_is_switched_off_or_gone() {
    let balancer = shop(ROUND).await;
    let site = site(&balancer, affinity());
    let (bob, cal) = (EndpointId::from("bob"), EndpointId::from("cal"));
    let mut of_bob = visitor_of(&site, "bob").await;
    let mut of_cal = visitor_of(&site, "cal").await;
    balancer.disable(&bob).unwrap();
    of_bob.moves(&site, "bob").await;
    balancer.remove(&cal).unwrap();
    of_cal.moves(&site, "cal").await;
    // One that joins is known to sessions at once.
    balancer.insert(Endpoint::new("dan", serve("dan").await.0)).unwrap();
    visitor_of(&site, "dan").await.stays(&site, "dan").await;
}

#[tokio::test]
async fn a_server_that_dies_loses_its_sessions_once_it_is_ejected() {
    let (uri, dying) = serve("dan").await;
    let balancer = shop(ROUND).await;
    balancer.insert(Endpoint::new("dan", uri)).unwrap();
    let site = site(&balancer, affinity());
    let dan = EndpointId::from("dan");
    let mut visitor = visitor_of(&site, "dan").await;
    let mut events = balancer.subscribe();
    dying.abort();
    let mut failed = 0;
    let moved = loop {
        match visitor.try_visit(&site).await {
            Ok(visit) if visit.name != "dan" => break visit,
            Ok(_) => {}
            Err(_) => failed += 1,
        }
        assert!(failed < 10, "five failures in a row eject it");
    };
    assert!(moved.is_handed);
    assert_eq!(balancer.status().endpoint(&dan).unwrap().state, Availability::Ejected);
    assert!(received(&mut events).iter().any(|event| matches!(event, Event::Ejection(_))));
    visitor.stays(&site, &moved.name).await;
}

#[tokio::test]
async fn with_everybody_draining_only_sessions_are_served() {
    let balancer = shop(ROUND).await;
    let site = site(&balancer, affinity());
    let mut visitor = visitor_of(&site, "bob").await;
    for name in NAMES {
        drop(balancer.drain(&name.into()).unwrap());
    }
    visitor.stays(&site, "bob").await;
    assert!(Visitor::default().try_visit(&site).await.is_err());
    let all = balancer.drain_all().unwrap();
    assert!(visitor.try_visit(&site).await.is_err(), "this process is going away");
    all.await;
}

// --- Behind a server, and without a network ------------------------------------------------------

/// The whole way: browser, proxy, servers, with more than one cookie header and hostile ones.
#[tokio::test]
async fn a_proxy_keeps_sessions_whatever_else_visitors_send() {
    let balancer = shop(ROUND).await;
    let layer = BalanceLayer::new(balancer.clone()).classify(ByStatus);
    let proxy = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(async |error: BoxError| {
            (StatusCode::BAD_GATEWAY, error.to_string())
        }))
        .layer(layer.sticky(affinity()))
        .service(client());
    let (address, _serving) = serve_app(Router::new().fallback_service(proxy)).await;
    let browser = client();
    let ask = async |cookies: &[&[u8]]| {
        let mut request = Request::get(&address).body(Body::empty()).unwrap();
        for cookie in cookies {
            request.headers_mut().append(COOKIE, HeaderValue::from_bytes(cookie).unwrap());
        }
        let response = browser.request(request).await.unwrap();
        let set = response.headers().get_all(SET_COOKIE).into_iter();
        let token = set.filter_map(|value| value.to_str().ok()?.split(';').next());
        let token = token.filter(|pair| pair.starts_with("shop=")).map(str::to_owned).next();
        let status = response.status();
        (status, response.into_body().collect().await.unwrap().to_bytes(), token)
    };
    let (status, name, token) = ask(&[]).await;
    assert_eq!(status, StatusCode::OK);
    let token = token.unwrap();
    let many = "shop=".to_owned() + &"; shop=x".repeat(900);
    let noise: [&[u8]; 4] =
        [b"a=\xff\xfe; shop=\x80\x81", b";;;=;==;shop", b"shop=\"\"", many.as_bytes()];
    let with = [&noise[..], &[token.as_bytes()]].concat();
    for _ in 0..5 {
        assert_eq!(ask(&with).await, (StatusCode::OK, name.clone(), None), "among noise");
    }
    let (status, _, anew) = ask(&noise).await;
    assert!(status == StatusCode::OK && anew.is_some(), "noise alone is a new session");
}

/// A request of a session waits for its own endpoint; one of nobody's goes where somebody is ready.
#[tokio::test(start_paused = true)]
async fn a_session_waits_for_its_endpoint_to_be_ready() {
    let answer = |name: &'static str| {
        service_fn(move |request: Request<Duration>| async move {
            tokio::time::sleep(*request.body()).await;
            Ok::<_, Infallible>(Response::new(name))
        })
    };
    let balancer = Balancer::builder()
        .config(config(ROUND))
        .endpoints(["a", "b"].map(|id| Endpoint::new(id, ConcurrencyLimit::new(answer(id), 1))))
        .build()
        .unwrap();
    let service = balancer.service().sticky(affinity());
    let ask = |cookie: Option<&str>, takes: u64| {
        let mut request = Request::new(Duration::from_secs(takes));
        let cookie = cookie.map(|cookie| (COOKIE, HeaderValue::from_str(cookie).unwrap()));
        request.headers_mut().extend(cookie);
        service.clone().oneshot(request)
    };
    let first = ask(None, 0).await.unwrap();
    let (cookie, _) = first.headers()[SET_COOKIE].to_str().unwrap().split_once(';').unwrap();
    let mut busy = task::spawn(ask(Some(cookie), 10));
    assert_pending!(busy.poll());
    let mut waiting = task::spawn(ask(Some(cookie), 0));
    assert_pending!(waiting.poll());
    for _ in 0..4 {
        let elsewhere = ask(None, 0).await.unwrap();
        assert_ne!(elsewhere.body(), first.body());
    }
    assert_pending!(waiting.poll());
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(assert_ready!(busy.poll()).unwrap().body(), first.body());
    drop(busy);
    let waited = assert_ready!(waiting.poll()).unwrap();
    assert_eq!(waited.body(), first.body());
    assert!(!waited.headers().contains_key(SET_COOKIE));
    assert!(balancer.status().endpoints.iter().all(|it| it.in_flight == 0));
}

#[tokio::test]
async fn a_preference_of_the_requests_own_goes_before_the_token() {
    let server = |id: &'static str| {
        service_fn(move |_: Request<()>| ready(Ok::<_, Infallible>(Response::new(id))))
    };
    let endpoints = ["a", "b"].map(|id| Endpoint::new(id, server(id)));
    let balancer = Balancer::builder().endpoints(endpoints).build().unwrap();
    let to_b = Key::bytes(b"x").preferring(&"b".into());
    let key = keys::header(HeaderName::from_static("x-user")).or(move |request: &Request<()>| {
        match request.uri().path() {
            "/b" => to_b.clone(),
            _ => Key::none().preferring(&"a".into()),
        }
    });
    let mut service = balancer.service().key_from(key).sticky(affinity());
    let mut ask = async |path: &str, cookie: Option<&str>| {
        let mut request = Request::get(path).body(()).unwrap();
        let cookie = cookie.map(|cookie| (COOKIE, HeaderValue::from_str(cookie).unwrap()));
        request.headers_mut().extend(cookie);
        service.ready().await.unwrap().call(request).await.unwrap()
    };
    let first = ask("/a", None).await;
    assert_eq!(*first.body(), "a");
    let (cookie, _) = first.headers()[SET_COOKIE].to_str().unwrap().split_once(';').unwrap();
    let moved = ask("/b", Some(cookie)).await;
    assert_eq!((*moved.body(), moved.headers().contains_key(SET_COOKIE)), ("b", true));
}

#[test]
fn futures_and_services_cross_threads() {
    fn crosses<T: Send + 'static>(_: &T) {}
    fn is_shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    let server = service_fn(|_: Request<Bytes>| ready(Ok::<_, Infallible>(Response::new(()))));
    let balancer = Balancer::builder().endpoint(Endpoint::new("a", server)).build().unwrap();
    let mut service = balancer.service().sticky(affinity());
    is_shared(&service);
    is_shared(&affinity());
    let future = service.call(Request::new(Bytes::new()));
    crosses(&future);
    let future: &dyn Future<Output = Result<Response<()>, BoxError>> = &future;
    drop(Box::new(future));
    assert!(format!("{service:?} {:?}", affinity()).contains("shop"));
}
