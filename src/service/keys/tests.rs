use http::header::{COOKIE, HOST};
use http::{HeaderName, HeaderValue, Request};
use proptest::prelude::*;

use super::*;
use crate::service::KeyBy;
use crate::units::{EndpointId, Key};

fn get(uri: &str) -> Request<()> {
    Request::get(uri).body(()).unwrap()
}

fn with(headers: &[(HeaderName, &[u8])]) -> Request<()> {
    let mut request = get("/");
    for (name, value) in headers {
        request.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
    }
    request
}

fn is(key: &impl KeyBy<Request<()>>, request: &Request<()>, wanted: &[u8]) {
    assert_eq!(key.key(request), Key::bytes(wanted));
}

fn has_none(key: &impl KeyBy<Request<()>>, request: &Request<()>) {
    assert_eq!(key.key(request), Key::none());
}

const USER: HeaderName = HeaderName::from_static("x-user");

#[test]
fn a_header_is_its_values_with_commas() {
    let key = header(USER);
    is(&key, &with(&[(USER, b"ann")]), b"ann");
    is(&key, &with(&[(USER, b"ann"), (HOST, b"x"), (USER, b"bob")]), b"ann,bob");
    is(&key, &with(&[(USER, b"\xff\xfe")]), b"\xff\xfe");
    has_none(&key, &with(&[(USER, b"")]));
    has_none(&key, &with(&[(HOST, b"ann")]));
}

#[test]
fn a_cookie_is_the_first_that_says_something() {
    let key = cookie("id");
    is(&key, &with(&[(COOKIE, b"a=1; id=; id=7; id=8")]), b"7");
    is(&key, &with(&[(COOKIE, b"a=1"), (COOKIE, b"id=\"7\"")]), b"\"7\"");
    has_none(&key, &with(&[(COOKIE, b"a=1; xid=7; id")]));
    has_none(&cookie(""), &with(&[(COOKIE, b"a=1; ; b")]));
}

#[test]
fn a_path_is_taken_whole_or_by_segments() {
    is(&path(), &get("/carts/7?x=1"), b"/carts/7");
    is(&path(), &get("http://shop.example"), b"/");
    is(&path_segment(0), &get("/carts/7"), b"carts");
    is(&path_segment(1), &get("/carts/7%2F8"), b"7%2F8");
    is(&path_segment(1), &get("//carts"), b"carts");
    for uri in ["/carts", "/carts/", "/carts//7", "/"] {
        has_none(&path_segment(1), &get(uri));
    }
    has_none(&path_segment(usize::MAX), &get("/carts/7"));
}

#[test]
fn a_parameter_is_the_first_of_its_name_with_a_value() {
    let key = query("cart");
    is(&key, &get("/?a=1&cart=7"), b"7");
    is(&key, &get("/?cart&cart=&cart=a=b&cart=8"), b"a=b");
    is(&key, &get("/?cart=a%20b+c"), b"a%20b+c");
    for uri in ["/", "/?", "/?cart", "/?cart=", "/?Cart=7", "/?c%61rt=7", "/cart=7"] {
        has_none(&key, &get(uri));
    }
}

#[test]
fn an_extension_is_what_its_closure_says() {
    #[derive(Clone)]
    struct Tenant(u32);
    let key = extension(|tenant: &Tenant| Key::bytes(&tenant.0.to_le_bytes()));
    let mut request = get("/");
    has_none(&key, &request);
    request.extensions_mut().insert(Tenant(7));
    is(&key.clone(), &request, &[7, 0, 0, 0]);
}

#[test]
fn the_first_present_wins() {
    let key = header(USER).or(cookie("id")).or(|_: &Request<()>| Key::bytes(b"last"));
    is(&key, &with(&[(COOKIE, b"id=7"), (USER, b"ann")]), b"ann");
    is(&key, &with(&[(COOKIE, b"id=7"), (USER, b"")]), b"7");
    is(&key, &get("/"), b"last");
    has_none(&header(USER).or(cookie("id")), &get("/"));
}

/// Fixed for ever: programs elsewhere compute the same.
#[test]
fn all_that_are_present_count_in_their_order() {
    let key = query("a").and(query("b")).and(query("c"));
    let golden = |uri| key.key(&get(uri)).hash().unwrap();
    let pair = |a, b| crate::hash::pair(a, b);
    let [one, two, three] = [b"1", b"2", b"3"].map(|it| crate::hash::bytes(it));
    assert_eq!(golden("/?a=1&b=2&c=3"), pair(pair(one, two), three));
    assert_eq!(golden("/?b=2&c=3"), pair(two, three));
    assert_eq!(golden("/?c=3&a=1"), pair(one, three));
    assert_eq!(golden("/?b=2"), two);
    assert_ne!(golden("/?a=1&b=2"), golden("/?a=2&b=1"));
    has_none(&key, &get("/?d=1"));
    assert_eq!(pair(one, two), 0x62C5_D831_F82A_5D7E);
}

#[test]
fn what_keys_ask_for_besides_is_not_lost() {
    let [a, b] = ["a", "b"].map(EndpointId::from);
    let asks = |hash: bool, id: &EndpointId| {
        let key = if hash { Key::bytes(b"x") } else { Key::none() };
        let key = key.excluding(id);
        by(move |_: &Request<()>| key.clone())
    };
    let request = get("/");
    let both = [a.clone(), b.clone()];
    assert_eq!(asks(false, &a).or(asks(true, &b)).key(&request).excluded(), both);
    assert_eq!(asks(true, &a).and(asks(true, &b)).key(&request).excluded(), both);
    let first = asks(true, &a).or(asks(true, &b)).key(&request);
    assert_eq!(first.excluded(), [a], "the second was not asked");
}

proptest! {
    /// Whatever is sent, each source has an answer, and the same one twice.
    #[test]
    fn nothing_that_is_sent_confuses_a_source(
        lines in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..80)), 0..8),
        target in "[ -~]{0,40}",
        name in "[a-c=; ]{0,2}",
        index in 0_usize..4,
    ) {
        let mut request = get("/");
        for (is_cookie, bytes) in lines {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                request.headers_mut().append(if is_cookie { COOKIE } else { USER }, value);
            }
        }
        if let Ok(uri) = target.parse() {
            *request.uri_mut() = uri;
        }
        let key = header(USER)
            .and(cookie(name.as_str()))
            .and(path_segment(index))
            .and(query(name.as_str()).or(path()));
        prop_assert_eq!(key.key(&request), key.key(&request));
    }
}
