//! The status page and its JSON: every route, whatever endpoints, operators and errors are called.

#![cfg(all(feature = "status", feature = "testing"))]
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Barrier};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use evenkeel::{
    Balancer, Config, Endpoint, EndpointSpec, Key, Outcome, StatusPages, Subject, probe_fn,
};
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::time::advance;
use tower::ServiceExt;

const SECOND: Duration = Duration::from_secs(1);

/// Names that somebody hostile would choose.
const HOSTILE: [&str; 9] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "a\nb\r\nc\0d\u{1b}[31m",
    "\u{202e}gnp.exe\u{2066}",
    "&lt;b&gt;&#60;",
    "</title></style><style>*{display:none}",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "../../etc/passwd?all#x%00",
];

/// What may stand between `<` and `>`, up to the first space.
const TAGS: [&str; 38] = [
    "!DOCTYPE", "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "p",
    "nav", "ul", "ol", "li", "a", "main", "section", "span", "dl", "div", "dt", "dd", "table",
    "thead", "tbody", "tr", "th", "td", "bdi", "svg", "rect", "time", "details", "summary", "code",
    "br",
];

fn balancer(name: &str, endpoints: &[&str]) -> Balancer<()> {
    let endpoints = endpoints.iter().map(|id| Endpoint::new(*id, ()));
    Balancer::builder().name(name).endpoints(endpoints).seed(1).build().unwrap()
}

async fn ask(router: &Router, method: Method, path: &str, accept: &str) -> Response<Body> {
    let request = Request::builder().method(method).uri(path).header(header::ACCEPT, accept);
    router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

async fn get(router: &Router, path: &str) -> (StatusCode, String) {
    let response = ask(router, Method::GET, path, "text/html").await;
    (response.status(), text(response).await)
}

async fn page(router: &Router, path: &str) -> String {
    let (status, page) = get(router, path).await;
    assert_eq!(status, StatusCode::OK, "{path}: {page}");
    assert_is_sound(&page);
    page
}

async fn json(router: &Router, path: &str) -> Value {
    let (status, text) = get(router, path).await;
    assert_eq!(status, StatusCode::OK, "{path}: {text}");
    serde_json::from_str(&text).unwrap()
}

/// Only elements that the page is made of, well nested, with no attribute that could run anything,
/// and nothing that nobody could see.
fn assert_is_sound(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    let (before, rest) = page.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    let mut open = Vec::new();
    for part in before.split('<').chain(after.split('<').skip(1)).skip(1) {
        let (tag, text) = part.split_once('>').expect("every tag is closed");
        assert!(!text.contains('>') && !text.contains('\u{202e}'), "{text}");
        let name = tag.trim_start_matches('/').split(' ').next().unwrap();
        assert!(TAGS.contains(&name), "<{tag}>");
        assert!(!tag.contains(" on") && !tag.contains(" src") && !tag.contains(" style"), "{tag}");
        let closes = tag.starts_with('/');
        match name {
            "meta" | "!DOCTYPE" => {}
            _ if closes => assert_eq!(open.pop(), Some(name), "closed by <{tag}>"),
            _ => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
    let odd = page.chars().filter(|it| it.is_control() && *it != '\n');
    assert_eq!(odd.count(), 0, "control characters");
}

#[tokio::test(start_paused = true)]
async fn every_route_answers_with_what_it_is_for() {
    let (shop, search) = (balancer("shop", &["a", "b"]), balancer("search", &["x"]));
    let router: Router = StatusPages::new().balancer(&shop).balancer(&search).router();

    let all = page(&router, "/").await;
    assert!(all.contains("All 2 endpoints take their part.") && all.contains("search"));
    assert!(all.contains("href=\"./shop\"") && all.contains("href=\"./status.json\""), "{all}");
    let one = page(&router, "/shop").await;
    assert!(one.contains(">shop<") && !one.contains(">search<"));
    assert!(one.contains("href=\"./\"") && one.contains("href=\"./shop/status.json\""));

    let all = json(&router, "/status.json").await;
    let names: Vec<_> =
        all["balancers"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(
        (names, &all["gone"]),
        (vec!["shop".into(), "search".into()], &Value::Array(vec![]))
    );
    assert!(all["at"].as_str().is_some_and(|at| at.ends_with('Z')));
    let one = json(&router, "/search/status.json").await;
    assert_eq!(one["endpoints"][0]["id"], "x");
    assert_eq!(one["name"], "search");
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_for_json_has_it_from_the_page_too() {
    let shop = balancer("shop", &["a"]);
    let router: Router = StatusPages::new().balancer(&shop).router();
    let kinds = [
        ("application/json", true),
        ("application/json;q=0.9, text/html", true),
        ("text/html, application/json", false),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false),
        ("*/*", false),
        ("", false),
    ];
    for path in ["/", "/shop"] {
        for (accept, wanted) in kinds {
            let response = ask(&router, Method::GET, path, accept).await;
            let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
            assert_eq!(kind.starts_with("application/json"), wanted, "{path} as {accept}: {kind}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_changes_anything_and_every_answer_is_guarded() {
    let shop = balancer("shop", &["a"]);
    let router: Router = StatusPages::new().balancer(&shop).router();
    let (version, paths) = (shop.version(), ["/", "/status.json", "/shop", "/shop/status.json"]);
    let others = [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS];
    for path in paths {
        for method in &others {
            let response = ask(&router, method.clone(), path, "*/*").await;
            assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(response.headers()[header::ALLOW], "GET,HEAD");
        }
        let head = ask(&router, Method::HEAD, path, "*/*").await;
        assert_eq!(head.status(), StatusCode::OK);
        let length = head.headers()[header::CONTENT_LENGTH].clone();
        assert_ne!(length, "0");
        assert_eq!(text(head).await, "", "{path}");
    }
    for path in paths.into_iter().chain(["/nobody"]) {
        let response = ask(&router, Method::GET, path, "*/*").await;
        let headers = response.headers();
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"));
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    }
    assert_eq!(shop.version(), version);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_not_found() {
    let shop = balancer("shop", &["a"]);
    let router: Router = StatusPages::new().balancer(&shop).router();
    for path in
        ["/nobody", "/nobody/status.json", "/shop/else", "/%FF", "/shop/status.json/x", "/a/b/c"]
    {
        assert_eq!(get(&router, path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    let (_, words) = get(&router, "/%3Cb%3E").await;
    assert!(!words.contains("<b>"), "{words}");
    // It has no fallback of its own, so it can stand beside one.
    let both = Router::new().fallback(async || "mine").merge(router);
    assert_eq!(get(&both, "/a/b/c").await.1, "mine");
}

#[tokio::test(start_paused = true)]
async fn it_works_wherever_it_is_nested() {
    let (shop, odd) = (balancer("shop", &["a"]), balancer("a/b?c", &["a"]));
    let pages = || -> Router { StatusPages::new().balancer(&shop).balancer(&odd).router() };
    let router = Router::new().nest("/admin/lb", pages());
    let all = page(&router, "/admin/lb").await;
    for link in ["./lb/shop", "./lb/status.json", "./lb/a%2Fb%3Fc"] {
        assert!(all.contains(&format!("href=\"{link}\"")), "{link} is missing: {all}");
    }
    assert!(page(&router, "/admin/lb/a%2Fb%3Fc").await.contains("href=\"../lb\""));
    assert_eq!(json(&router, "/admin/lb/a%2Fb%3Fc/status.json").await["name"], "a/b?c");
    assert_eq!(json(&router, "/admin/lb/status.json").await["balancers"][0]["name"], "shop");
    // As a service it also takes the path with a slash behind it.
    let service: Router = Router::new().nest_service("/lb", pages());
    assert!(page(&service, "/lb").await.contains("href=\"./lb/shop\""));
    assert!(page(&service, "/lb/").await.contains("href=\"./shop\""));
    assert!(page(&service, "/lb/shop").await.contains("href=\"../lb\""));
    // With a state of the service that it stands in.
    let stated: Router<u8> = Router::new().nest("/lb", StatusPages::new().balancer(&shop).router());
    page(&stated.with_state(3), "/lb/shop").await;
}

#[tokio::test(start_paused = true)]
async fn balancers_of_any_kind_and_of_one_name_have_pages_of_their_own() {
    let (first, second) = (balancer("shop", &["a"]), balancer("shop", &["b"]));
    let other = Balancer::builder().name("").endpoint(Endpoint::new("c", "text")).build().unwrap();
    let router: Router =
        StatusPages::new().balancer(&first).balancer(&second).balancer(&other).router();
    for (path, id) in [("shop", "a"), ("shop~2", "b"), ("~2", "c")] {
        let one = json(&router, &format!("/{path}/status.json")).await;
        assert_eq!(one["endpoints"][0]["id"], id, "{path}");
        page(&router, &format!("/{path}")).await;
    }
    assert!(page(&router, "/").await.contains("href=\"./shop~2\""));
}

#[tokio::test(start_paused = true)]
async fn a_page_keeps_no_balancer_alive_and_says_who_is_gone() {
    let (shop, search) = (balancer("shop", &["a"]), balancer("se<arch", &["x"]));
    let router: Router = StatusPages::new().balancer(&shop).balancer(&search).router();
    let mut events = search.subscribe();
    drop(search);
    assert!(events.recv().await.is_none(), "the last handle is gone");
    assert!(page(&router, "/").await.contains("Gone</h2>"));
    let (status, words) = get(&router, "/se%3Carch").await;
    assert_eq!((status, words.contains("is gone")), (StatusCode::GONE, true));
    assert_eq!(get(&router, "/se%3Carch/status.json").await.0, StatusCode::GONE);
    let all = json(&router, "/status.json").await;
    assert_eq!(
        (&all["gone"][0], all["balancers"].as_array().unwrap().len()),
        (&"se<arch".into(), 1)
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_to_show_is_shown() {
    let router: Router = StatusPages::new().router();
    assert!(page(&router, "/").await.contains("No balancer is shown here."));
    let empty = balancer("empty", &[]);
    let none = Balancer::builder().name("none").endpoint(Endpoint::new("a", ()).weight(0));
    let none = none.build().unwrap();
    let router: Router = StatusPages::new().balancer(&empty).balancer(&none).router();
    let all = page(&router, "/").await;
    assert!(all.contains("It has no endpoints, and refuses every request."));
    assert!(all.contains("None of 1 endpoint gets requests: no weight is above zero."));
    assert!(all.contains("its weight is 0"));
}

#[tokio::test(start_paused = true)]
async fn whatever_comes_from_elsewhere_is_escaped() {
    let long = format!("<i>{}", "€\u{202e}".repeat(5_000));
    for hostile in HOSTILE.into_iter().chain([long.as_str()]) {
        let endpoint = |id: &str| {
            Endpoint::new(id, ()).zone(hostile).label(hostile, hostile).label("k", hostile)
        };
        let config = Config::from_toml("[health]\nfall = 1\ninterval = '1s'\n").unwrap();
        let error = hostile.to_owned();
        let balancer = Balancer::builder()
            .name(hostile)
            .config(config)
            .endpoint(endpoint(hostile))
            .endpoint(endpoint("b"))
            .probe(probe_fn(move |_: Subject<'_, ()>| {
                let error = error.clone();
                async move { Err::<(), _>(error) }
            }))
            .build()
            .unwrap();
        let worker = balancer.start();
        for _ in 0..30 {
            advance(SECOND / 10).await;
            tokio::task::yield_now().await;
        }
        let operator = balancer.by(hostile).because(hostile);
        operator.set_weight(&hostile.into(), 3).unwrap();
        let _drain = operator.drain(&"b".into()).unwrap();
        let router: Router = StatusPages::new().balancer(&balancer).router();
        let all = page(&router, "/").await;
        // The long one stands in links, where every letter of it takes nine.
        assert!(all.len() < 30_000 + 8 * hostile.len(), "{} bytes", all.len());
        assert!(all.contains("unhealthy") && all.contains("failed check"), "{all}");
        let data = json(&router, "/status.json").await;
        let data = &data["balancers"][0];
        assert_eq!(data["name"], hostile);
        let ids: Vec<_> = (0..2).map(|at| data["endpoints"][at]["id"].clone()).collect();
        assert!(ids.contains(&hostile.into()), "{ids:?}");
        let text: String = hostile.bytes().map(|byte| format!("%{byte:02X}")).collect();
        if text.len() < 1_000 {
            page(&router, &format!("/{text}")).await;
        }
        drop(worker);
    }
}

#[tokio::test(start_paused = true)]
async fn every_state_is_said_in_words_with_the_worst_on_top() {
    let config = "
        [strategy]
        kind = 'round_robin'
        [outlier]
        base_ejection_time = '1m'
        ejection_jitter_percent = 0
        max_ejected_percent = 100
        [slow_start]
        new_endpoints = true
        window = '10m'
        [health]
        fall = 1
        interval = '1s'
    ";
    let names = ["a-well", "b-ejected", "c-probing", "d-drained", "e-off", "f-sick", "g-failing"];
    let endpoints = names.map(|name| Endpoint::new(name, name));
    let balancer = Balancer::builder()
        .config(Config::from_toml(config).unwrap())
        .endpoints(endpoints)
        .endpoint(Endpoint::new("h-none", "h").weight(0))
        .probe(probe_fn(|subject: Subject<'_, &str>| {
            let is_sick = subject.target().starts_with('f');
            async move { if is_sick { Err("no") } else { Ok(()) } }
        }))
        .build()
        .unwrap();
    let worker = balancer.start();
    for _ in 0..30 {
        advance(SECOND / 10).await;
        tokio::task::yield_now().await;
    }
    balancer.insert(Endpoint::new("i-joins", "i")).unwrap();
    balancer.eject(&"c-probing".into(), SECOND).unwrap();
    let _drain = balancer.by("ann").drain_for(&"d-drained".into(), 60 * SECOND).unwrap();
    balancer.by("bob").disable(&"e-off".into()).unwrap();
    for number in 0..200 {
        let lease = balancer.pick(&Key::none()).unwrap();
        let failing = lease.endpoint().as_str() == "g-failing" && number % 2 == 0;
        lease.finish(if failing { Outcome::failure() } else { Outcome::Success });
    }
    balancer.by("cal").eject(&"b-ejected".into(), 60 * SECOND).unwrap();
    advance(2 * SECOND).await;
    drop(worker);
    let router: Router = StatusPages::new().balancer(&balancer).router();
    let all = page(&router, "/").await;
    let order = [
        ("f-sick", "unhealthy", "its check failed: no"),
        ("b-ejected", "ejected", "ejected by cal"),
        ("c-probing", "on probation", "it was out for this: ejected by an operator"),
        ("g-failing", "failing", ""),
        ("d-drained", "draining", "drained by ann"),
        ("e-off", "disabled", "switched off by bob"),
        ("i-joins", "warming up", "has joined"),
        ("h-none", "no weight", "its weight is 0"),
        ("a-well", "available", ""),
    ];
    let mut rest = all.split_once("<tbody").unwrap().1.split_once("</tbody>").unwrap().0;
    for (name, word, why) in order {
        let (_, row) = rest.split_once(name).unwrap_or_else(|| unreachable!("{name}: {rest}"));
        let (row, after) = row.split_once("</tr>").unwrap();
        assert!(row.contains(&format!("</span> {word}</span>")), "{name}: {row}");
        assert!(row.contains(why), "{name}: {row}");
        rest = after;
    }
    let verdict = "1 of 9 endpoints well; 1 unhealthy, 1 ejected, 1 on probation, 1 failing, \
                   1 draining, 1 disabled, 1 warming up.";
    assert!(all.contains(verdict), "{all}");
    assert!(all.contains("1 in trouble – Balancers</title>"));
}

#[tokio::test(start_paused = true)]
async fn panic_and_the_end_of_all_come_first() {
    let config = "[outlier]\nmax_ejected_percent = 100\n[panic]\nthreshold_percent = 60\nexit_percent = 90\n";
    let endpoints = ["a", "b"].map(|it| Endpoint::new(it, ()));
    let balancer = Balancer::builder()
        .config(Config::from_toml(config).unwrap())
        .endpoints(endpoints)
        .build()
        .unwrap();
    balancer.eject(&"a".into(), 60 * SECOND).unwrap();
    let router: Router = StatusPages::new().balancer(&balancer).router();
    let all = page(&router, "/").await;
    assert!(all.contains("Panic in tier 0: only 1 of 2 endpoints are well"), "{all}");
    let _drain = balancer.by("ann").drain_all().unwrap();
    let all = page(&router, "/").await;
    assert!(all.contains("All is being drained") && all.contains("None of 2 endpoints"), "{all}");
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_endpoints_are_a_short_page_unless_all_are_asked_for() {
    let endpoints = (0..10_000).map(|number| Endpoint::new(format!("e{number:05}"), ()));
    let balancer = Balancer::builder().name("big").endpoints(endpoints).build().unwrap();
    balancer.eject(&"e07777".into(), SECOND).unwrap();
    let router: Router = StatusPages::new().balancer(&balancer).router();
    let short = page(&router, "/").await;
    assert!(short.len() < 200_000, "{} bytes", short.len());
    assert_eq!(short.matches("<tr ").count(), 101);
    assert!(short.contains("e07777") && short.contains("9,900 endpoints in no more trouble"));
    assert!(short.contains("href=\"?all\""));
    let whole = page(&router, "/?all").await;
    assert_eq!(whole.matches("<tr ").count(), 10_001);
    let data = json(&router, "/big/status.json").await;
    assert_eq!(data["endpoints"].as_array().unwrap().len(), 10_000);
}

#[tokio::test(start_paused = true)]
async fn a_page_is_read_again_if_that_is_asked_for() {
    let shop = balancer("shop", &["a"]);
    let router: Router = StatusPages::new().balancer(&shop).router();
    let again = page(&router, "/?all&refresh=5").await;
    assert!(again.contains("<meta http-equiv=\"refresh\" content=\"5\">"), "{again}");
    assert!(again.contains("href=\"?all\">stop</a>"));
    for odd in ["/", "/?refresh", "/?refresh=0", "/?refresh=5;url=http:x", "/?refresh=99999"] {
        let still = page(&router, odd).await;
        assert!(!still.contains("http-equiv"), "{odd}");
    }
}

/// The writer waits for its owner's code; the page does not wait for the writer.
#[tokio::test]
async fn the_page_waits_for_no_writer() {
    let (begun, over) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let making = (Arc::clone(&begun), Arc::clone(&over));
    let balancer = Balancer::builder()
        .name("shop")
        .endpoint(Endpoint::new("a", 0))
        .make(move |_| {
            making.0.wait();
            making.1.wait();
            Ok(1)
        })
        .build()
        .unwrap();
    let router: Router = StatusPages::new().balancer(&balancer).router();
    let writer = {
        let balancer = balancer.clone();
        std::thread::spawn(move || balancer.insert_spec(EndpointSpec::new("b", "address")))
    };
    begun.wait();
    assert!(page(&router, "/").await.contains("Its one endpoint takes its part."));
    over.wait();
    writer.join().unwrap().unwrap();
    assert!(page(&router, "/").await.contains("All 2 endpoints"));
}
