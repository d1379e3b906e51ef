//! `HttpProbe`: what is sent, and what the head of the answer says.

use axum::Router;
use axum::routing::any;
use evenkeel::{HttpProbe, HttpProbeError};
use http::{Method, StatusCode, Uri};
use tokio::net::TcpListener;
use tokio::runtime::Handle;

use crate::server::{answering, give_up, refusing, silent};
use crate::{ask, refusal};

const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

#[tokio::test]
async fn a_plain_check_asks_for_the_root_and_closes() {
    let (target, server) = answering(FINE).await;
    ask(&HttpProbe::new(String::clone), target.clone()).await.unwrap();
    let request = server.await.unwrap();
    assert!(request.starts_with("GET / HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("\r\nhost: {target}\r\n")), "{request}");
    assert!(request.contains("\r\nconnection: close\r\n"), "{request}");
    let me = concat!("\r\nuser-agent: evenkeel/", env!("CARGO_PKG_VERSION"), "\r\n");
    assert!(request.contains(me), "{request}");
}

#[tokio::test]
async fn method_path_and_headers_are_sent_as_said() {
    let (target, server) = answering(FINE).await;
    let probe = HttpProbe::new(|target: &String| target.parse::<Uri>().unwrap())
        .method(Method::HEAD)
        .path("/healthz?deep=1")
        .and_then(|probe| probe.host("shop.example:8443"))
        .and_then(|probe| probe.header("x-check", "one"))
        .and_then(|probe| probe.header("X-Check", "two"))
        .and_then(|probe| probe.header("user-agent", "mine"))
        .unwrap();
    ask(&probe, format!("http://me:secret@{target}/base/?ignored")).await.unwrap();
    let request = server.await.unwrap();
    assert!(request.starts_with("HEAD /base/healthz?deep=1 HTTP/1.1\r\n"), "{request}");
    for line in ["host: shop.example:8443", "x-check: one", "x-check: two", "user-agent: mine"] {
        assert_eq!(request.matches(&format!("\r\n{line}\r\n")).count(), 1, "{line}: {request}");
    }
    for name in ["\r\nhost:", "\r\nuser-agent:"] {
        assert_eq!(request.matches(name).count(), 1, "{name}: {request}");
    }
    assert!(!request.contains("secret"), "{request}");
}

#[tokio::test]
async fn a_password_in_the_address_is_no_part_of_the_host() {
    let (target, server) = answering(FINE).await;
    ask(&HttpProbe::new(String::clone), format!("http://me:secret@{target}")).await.unwrap();
    let request = server.await.unwrap();
    assert!(request.contains(&format!("\r\nhost: {target}\r\n")), "{request}");
}

#[tokio::test]
async fn every_method_gets_an_answer_or_an_error() {
    for name in ["OPTIONS", "POST", "DELETE", "TRACE", "PURGE", "CONNECT"] {
        let method: Method = name.parse().unwrap();
        let (target, server) = answering(FINE).await;
        ask(&HttpProbe::new(String::clone).method(method), target).await.unwrap();
        let request = server.await.unwrap();
        assert!(request.starts_with(&format!("{name} / ")), "{request}");
    }
    let (target, server) = answering(FINE).await;
    let probe = HttpProbe::new(String::clone).method(Method::OPTIONS).path("*").unwrap();
    ask(&probe, format!("http://{target}/base")).await.unwrap();
    assert!(server.await.unwrap().starts_with("OPTIONS * HTTP/1.1\r\n"));
}

#[tokio::test]
async fn statuses_are_held_to_those_expected() {
    let code = |code: u16| format!("HTTP/1.1 {code} X\r\ncontent-length: 0\r\n\r\n");
    let probe = HttpProbe::new(String::clone);
    for good in [200, 204, 299] {
        ask(&probe, answering(code(good)).await.0).await.unwrap();
    }
    for bad in [199 + 101, 301, 404, 429, 500, 503, 999] {
        let error: HttpProbeError = refusal(&probe, answering(code(bad)).await.0).await;
        assert_eq!(error.to_string(), format!("status {bad}, expected 200..=299"));
    }
    let probe = probe
        .expect_status(204)
        .and_then(|probe| probe.expect_status(StatusCode::UNAUTHORIZED))
        .and_then(|probe| probe.expect_status(500..=502))
        .unwrap();
    for good in [204, 401, 500, 501, 502] {
        ask(&probe, answering(code(good)).await.0).await.unwrap();
    }
    let error: HttpProbeError = refusal(&probe, answering(code(200)).await.0).await;
    assert_eq!(error.to_string(), "status 200, expected 204 or 401 or 500..=502");
    assert!(matches!(error, HttpProbeError::Status { status: StatusCode::OK, .. }));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_an_interim_answer_not_taken() {
    let moved = "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n";
    let error: HttpProbeError =
        refusal(&HttpProbe::new(String::clone), answering(moved).await.0).await;
    assert_eq!(error.to_string(), "status 302, expected 200..=299");
    let hints = format!("HTTP/1.1 103 Early Hints\r\n\r\n{FINE}");
    ask(&HttpProbe::new(String::clone), answering(hints).await.0).await.unwrap();
}

#[tokio::test]
async fn one_probe_serves_many_checks_each_over_its_own_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = listener.local_addr().unwrap().to_string();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let app = Router::new().route(
        "/healthz",
        any(async move |peer: axum::extract::ConnectInfo<std::net::SocketAddr>| {
            tell.send(peer.0.port()).unwrap();
            "fine"
        }),
    );
    let app = app.into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async { axum::serve(listener, app).await });
    let probe =
        HttpProbe::new(String::clone).path("/healthz").unwrap().expect_body("fine").unwrap();
    let mut peers = std::collections::BTreeSet::new();
    for _ in 0..20 {
        ask(&probe, target.clone()).await.unwrap();
        peers.insert(told.recv().await.unwrap());
    }
    assert_eq!(peers.len(), 20);
}

#[tokio::test]
async fn who_refuses_or_talks_nonsense_is_told_apart() {
    let probe = HttpProbe::new(String::clone);
    let (target, _socket) = refusing();
    let error: HttpProbeError = refusal(&probe, target.to_string()).await;
    assert!(matches!(error, HttpProbeError::Unreachable { .. }));
    assert!(error.to_string().starts_with("no connection: "), "{error}");
    assert!(error.to_string().contains("Connection refused"), "{error}");
    for nonsense in
        ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nx: y\r\n", "220 mail ready\r\n\r\n", "\0\0\0\0\0"]
    {
        let error: HttpProbeError = refusal(&probe, answering(nonsense).await.0).await;
        assert!(matches!(error, HttpProbeError::NoAnswer { .. }), "{nonsense}: {error}");
        assert!(error.to_string().starts_with("no answer: "), "{error}");
    }
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(4 << 20));
    let (target, _server) = crate::server::once(async move |mut stream| {
        crate::server::head(&mut stream).await;
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, endless.as_bytes()).await;
    })
    .await;
    let error: HttpProbeError = refusal(&probe, target).await;
    assert!(matches!(error, HttpProbeError::NoAnswer { .. }), "{error}");
}

#[tokio::test]
async fn a_silent_server_is_waited_for_and_nothing_is_left_when_nobody_does() {
    let ((target, server), asked) = silent(b"\r\n\r\n").await;
    let alive = || Handle::current().metrics().num_alive_tasks();
    let before = alive();
    let probe = HttpProbe::new(String::clone);
    give_up(ask(&probe, target), asked).await;
    assert_eq!(alive(), before, "only the server's");
    // Done only because the connection was closed.
    server.await.unwrap();
}

#[tokio::test]
async fn what_is_no_plain_address_is_an_error() {
    let probe = HttpProbe::new(String::clone);
    for target in ["", "/healthz", "https://127.0.0.1", "http://:80", "a b"] {
        let error: HttpProbeError = refusal(&probe, target.to_owned()).await;
        assert!(matches!(error, HttpProbeError::Address { .. }), "{target}: {error}");
    }
}

#[test]
fn what_cannot_be_sent_is_refused_where_it_is_said() {
    let probe = || HttpProbe::new(String::clone);
    let refused = |result: Result<_, HttpProbeError>| {
        result.map(|_: HttpProbe<_>| ()).unwrap_err().to_string()
    };
    for path in ["", "healthz", "http://a/healthz", "/a b", "/a#b", "**", "/\r\nx: y", "/\0"] {
        let error = refused(probe().path(path));
        assert!(error.starts_with("the path of the check: `"), "{path}: {error}");
    }
    for host in ["", "a b", "me@a", "a\r\nx: y", "a/b", "http://a"] {
        let error = refused(probe().host(host));
        assert!(error.starts_with("the host of the check: "), "{host}: {error}");
    }
    for (name, value) in
        [("", "x"), ("a b", "x"), ("a\r\n", "x"), ("a", "secret\r\n"), ("a", "secret\0")]
    {
        let error = refused(probe().header(name, value));
        assert!(error.starts_with("the header of the check: "), "{name}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
    for name in ["Content-Length", "transfer-encoding", "connection", "upgrade", "te", "trailer"] {
        let error = refused(probe().header(name, "5"));
        assert!(error.ends_with("belongs to the connection"), "{error}");
    }
    assert_eq!(
        refused(probe().expect_status(0..=99)),
        "the status of the check: none is in 0..=99; they go from 100 to 999"
    );
    assert!(refused(probe().expect_body("")).starts_with("the body of the check: "));
    assert!(refused(probe().expect_body("x".repeat(65_537))).ends_with("not 65537"));
    assert!(probe().expect_body("x".repeat(65_536)).is_ok());
}

#[test]
fn more_headers_than_a_request_can_have_are_refused() {
    let mut probe = HttpProbe::new(String::clone);
    for n in 0..40_000 {
        match probe.header(format!("x-{n}"), "y") {
            Ok(next) => probe = next,
            Err(error) => {
                assert_eq!(error.to_string(), "the header of the check: there are too many");
                return;
            }
        }
    }
    panic!("forty thousand headers were taken");
}

#[test]
fn secrets_are_not_shown() {
    let probe = HttpProbe::new(String::clone).header("authorization", "secret").unwrap();
    let shown = format!("{probe:?}");
    assert!(shown.contains("authorization") && !shown.contains("secret"), "{shown}");
}
