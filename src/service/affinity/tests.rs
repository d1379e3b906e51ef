use std::cell::Cell;

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::sessions::{Roster, Said, Sessions};
use super::token::{Expiry, Signer, Token};
use super::*;
use crate::units::{EndpointId, Key};

const HOUR: u64 = 3_600;
const NOW: u64 = 1_800_000_000;

fn secret(seed: u8) -> Secret {
    Secret::new([seed; 32]).unwrap()
}

fn cookie() -> SessionAffinity {
    SessionAffinity::cookie("shop", secret(1)).unwrap()
}

fn hourly() -> SessionAffinity {
    cookie().max_age(std::time::Duration::from_secs(HOUR)).unwrap()
}

/// Endpoints, and how often somebody has asked for all of them.
struct Set {
    number: u64,
    ids: Vec<EndpointId>,
    asked: Cell<u32>,
}

impl Set {
    fn of(number: u64, ids: &[&str]) -> Self {
        Self { number, ids: ids.iter().map(|&id| id.into()).collect(), asked: Cell::new(0) }
    }
}

impl Roster for Set {
    fn set(&self) -> u64 {
        self.number
    }

    fn endpoints(&self) -> (u64, Vec<EndpointId>) {
        self.asked.set(self.asked.get() + 1);
        (self.number, self.ids.clone())
    }
}

/// The value of the cookie that is issued for `id`.
fn issued(affinity: &SessionAffinity, id: &str, now: u64) -> String {
    let value = set_cookie(affinity, id, now);
    let (pair, _) = value.split_once(';').unwrap();
    pair.strip_prefix("shop=").unwrap().to_owned()
}

fn set_cookie(affinity: &SessionAffinity, id: &str, now: u64) -> String {
    let mut headers = HeaderMap::new();
    Sessions::new(affinity).issue(&mut headers, &id.into(), || now);
    headers[SET_COOKIE].to_str().unwrap().to_owned()
}

fn bringing(cookies: impl AsRef<[u8]>) -> HeaderMap {
    HeaderMap::from_iter([(COOKIE, HeaderValue::from_bytes(cookies.as_ref()).unwrap())])
}

fn read(affinity: &SessionAffinity, cookies: impl AsRef<[u8]>, now: u64) -> Said {
    let set = Set::of(1, &["a", "b"]);
    Sessions::new(affinity).read(&bringing(cookies), &set, || now)
}

fn stays(id: &str) -> Said {
    Said { key: Key::none().preferring(&id.into()), is_due: false }
}

fn renewed(id: &str) -> Said {
    Said { is_due: true, ..stays(id) }
}

#[test]
fn what_is_issued_is_read() {
    for id in ["a", "b"] {
        let token = issued(&cookie(), id, NOW);
        assert_eq!(read(&cookie(), format!("shop={token}"), NOW), stays(id));
        assert_eq!(read(&cookie(), format!("x=1; shop={token}; y=2"), NOW), stays(id));
    }
    let gone = issued(&cookie(), "c", NOW);
    assert_eq!(read(&cookie(), format!("shop={gone}"), NOW), Said::default());
}

/// Fixed for ever: sessions outlive releases, and other programs may read the tokens. Computed
/// apart, from the table in `token`.
#[test]
fn a_token_is_what_it_is_documented_to_be() {
    assert_eq!(
        set_cookie(&cookie(), "a", NOW),
        "shop=6eidSdmfSMyXdb5LRZlqRP__________Z473S68Qkm0kO1kaBwuwxA; Path=/; HttpOnly; Secure; SameSite=Lax"
    );
    assert_eq!(
        issued(&hourly(), "a", NOW),
        "6eidSdmfSMyXdb5LRZlqRAAAAABrSeAQayYRphPp0DH_b3ckKNL-ZA"
    );
}

#[test]
fn attributes_are_as_asked_for() {
    let all = hourly()
        .path("/shop")
        .and_then(|it| it.domain("shop.example"))
        .unwrap()
        .without_http_only()
        .without_secure()
        .same_site(SameSite::Strict);
    let text = set_cookie(&all, "a", NOW);
    let (_, attributes) = text.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/shop; Domain=shop.example; Max-Age=3600; SameSite=Strict");
    let none = set_cookie(&all.same_site(SameSite::None), "a", NOW);
    assert!(none.ends_with("; Secure; SameSite=None"), "{none}");
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |result: Result<SessionAffinity, AffinityError>| result.unwrap_err().to_string();
    for name in ["", "a b", "a;b", "a=b", "ä", "a\r\nb"] {
        let error = refused(SessionAffinity::cookie(name, secret(1)));
        assert!(error.contains(&format!("{name:?}")), "{error}");
    }
    for path in ["", "shop", "/a;b", "/\r\nSet-Cookie: x", "/ä"] {
        assert!(refused(cookie().path(path)).contains("Path"), "{path}");
    }
    for domain in ["", "a b", "a;Path=/", "a\n"] {
        assert!(refused(cookie().domain(domain)).contains("Domain"), "{domain}");
    }
    let brief = cookie().max_age(std::time::Duration::from_millis(999));
    assert!(refused(brief).contains("999ms"));
    let short = Secret::new([0; 31]).unwrap_err();
    assert_eq!(short, AffinityError::ShortSecret { bytes: 31, least: 32 });
}

#[test]
fn nothing_is_shown_of_secrets() {
    let shown = format!("{:?}", cookie().accept(secret(2)));
    assert!(shown.contains("secrets: 2") && !shown.contains("[1, 1"), "{shown}");
    assert_eq!(format!("{:?}", Signer::new(&secret(1), "shop")), "Signer(..)");
}

#[test]
fn tokens_say_nothing_to_who_has_no_secret() {
    let text = issued(&cookie(), "a", NOW);
    for other in [
        SessionAffinity::cookie("shop", secret(2)).unwrap(),
        SessionAffinity::cookie("Shop", secret(1)).unwrap(),
    ] {
        for name in ["shop", "Shop"] {
            assert_eq!(read(&other, format!("{name}={text}"), NOW), Said::default());
        }
    }
    let [one, two] = ["10.0.0.1:80", "10.0.0.2:80"].map(|id| issued(&cookie(), id, NOW));
    assert_eq!((one.len(), two.len()), (54, 54));
    assert_ne!(one.get(..8), two.get(..8));
}

#[test]
fn secrets_are_exchanged_without_losing_a_session() {
    let text = format!("shop={}", issued(&cookie(), "a", NOW));
    let next = SessionAffinity::cookie("shop", secret(2)).unwrap();
    assert_eq!(read(&next.clone().accept(secret(1)), &text, NOW), renewed("a"));
    assert_eq!(read(&next.clone().accept(secret(3)).accept(secret(1)), &text, NOW), renewed("a"));
    assert_eq!(read(&next, &text, NOW), Said::default());
    // In the first step all read the new one and sign with the old one.
    let anew = format!("shop={}", issued(&next, "b", NOW));
    assert_eq!(read(&cookie().accept(secret(2)), &anew, NOW), renewed("b"));
}

#[test]
fn a_token_is_issued_anew_in_its_second_half_and_ends() {
    let text = format!("shop={}", issued(&hourly(), "a", NOW));
    let at = |after: u64| read(&hourly(), &text, NOW + after);
    assert_eq!(at(0), stays("a"));
    assert_eq!(at(HOUR / 2 - 1), stays("a"));
    assert_eq!(at(HOUR / 2), renewed("a"));
    assert_eq!(at(HOUR - 1), renewed("a"));
    assert_eq!((at(HOUR), at(100 * HOUR)), (Said::default(), Said::default()));
    assert_eq!(read(&hourly(), &text, 0), renewed("a"), "a clock that is far behind");
}

#[test]
fn tokens_follow_a_change_of_the_settings() {
    let endless = format!("shop={}", issued(&cookie(), "a", NOW));
    assert_eq!(read(&hourly(), &endless, NOW), renewed("a"));
    let ends = format!("shop={}", issued(&hourly(), "a", NOW));
    assert_eq!(read(&cookie(), &ends, NOW), renewed("a"));
    assert_eq!(read(&cookie(), &ends, NOW + HOUR), Said::default());
    let day = cookie().max_age(std::time::Duration::from_secs(24 * HOUR)).unwrap();
    let long = format!("shop={}", issued(&day, "a", NOW));
    assert_eq!(read(&hourly(), &long, NOW), renewed("a"));
    let ages = cookie().max_age(std::time::Duration::MAX).unwrap();
    let for_ages = format!("shop={}", issued(&ages, "a", NOW));
    assert_eq!(read(&ages, &for_ages, NOW), stays("a"));
}

#[test]
fn the_first_good_token_counts_and_only_so_many_are_looked_at() {
    let [a, b] = ["a", "b"].map(|id| issued(&cookie(), id, NOW));
    let junk = "A".repeat(54);
    assert_eq!(
        read(&cookie(), format!("shop=x; shop={junk}; shop={b}; shop={a}"), NOW),
        stays("b")
    );
    let many = format!("shop={junk}; ").repeat(4) + &format!("shop={a}");
    assert_eq!(read(&cookie(), many, NOW), Said::default());
    let short = "shop=; shop=1; ".repeat(1_000) + &format!("shop={a}");
    assert_eq!(read(&cookie(), short, NOW), stays("a"));
}

#[test]
fn a_header_carries_the_same_token() {
    let name = HeaderName::from_static("x-session");
    let affinity = SessionAffinity::header(name.clone(), secret(1)).without_secure();
    let sessions = Sessions::new(&affinity);
    let mut headers = HeaderMap::new();
    headers.insert(name.clone(), HeaderValue::from_static("the server's own"));
    sessions.issue(&mut headers, &"b".into(), || NOW);
    assert_eq!(headers.get_all(&name).iter().count(), 1);
    assert_eq!(sessions.read(&headers, &Set::of(1, &["a", "b"]), || NOW), stays("b"));
}

#[test]
fn the_table_is_made_when_a_good_token_is_not_found_in_a_set_that_changed() {
    let sessions = Sessions::new(&cookie());
    let token = |id| bringing(format!("shop={}", issued(&cookie(), id, NOW)));
    let (a, b, gone) = (token("a"), token("b"), token("c"));
    let first = Set::of(1, &["a", "c"]);
    let at = |headers: &HeaderMap, set: &Set| sessions.read(headers, set, || NOW);
    assert_eq!(at(&bringing("shop=forged"), &first), Said::default());
    assert_eq!(first.asked.get(), 0, "nobody makes it by guessing");
    assert_eq!(at(&a, &first), stays("a"));
    assert_eq!((at(&b, &first), at(&b, &first)), (Said::default(), Said::default()));
    assert_eq!(first.asked.get(), 1);
    let second = Set::of(2, &["a", "b"]);
    assert_eq!(at(&a, &second), stays("a"));
    assert_eq!(second.asked.get(), 0, "what is known is not looked for");
    assert_eq!(at(&b, &second), stays("b"));
    assert_eq!((at(&gone, &second), at(&gone, &second)), (Said::default(), Said::default()));
    assert_eq!(second.asked.get(), 1);
}

#[test]
fn the_clock_is_asked_only_where_a_token_ends() {
    let asked = || -> u64 { panic!("the clock was read") };
    let sessions = Sessions::new(&cookie());
    let headers = bringing(format!("shop={}", issued(&cookie(), "a", NOW)));
    assert_eq!(sessions.read(&headers, &Set::of(1, &["a"]), asked), stays("a"));
    sessions.issue(&mut HeaderMap::new(), &"a".into(), asked);
}

proptest! {
    #[test]
    fn a_token_survives_its_way(id in ".{0,40}", expiry: u64, name in "[a-z]{1,8}") {
        let (id, expiry) = (EndpointId::from(id), Expiry(expiry));
        let signer = Signer::new(&secret(9), &name);
        let text = signer.issue(&id, expiry);
        let wanted = Token { tag: signer.tag(&id), expiry };
        prop_assert_eq!(signer.read(text.as_bytes()), Some(wanted));
    }

    /// Every change of every bit shows.
    #[test]
    fn a_changed_token_is_none(at in 0_usize..54, to: u8) {
        let signer = Signer::new(&secret(9), "shop");
        let mut text = signer.issue(&"a".into(), Expiry(NOW)).into_bytes();
        prop_assume!(text[at] != to);
        text[at] = to;
        prop_assert_eq!(signer.read(&text), None);
    }

    #[test]
    fn a_token_that_is_cut_or_longer_is_none(length in 0_usize..54, more in "[A-Za-z0-9_-]{1,60}") {
        let signer = Signer::new(&secret(9), "shop");
        let text = signer.issue(&"a".into(), Expiry(NOW));
        prop_assert_eq!(signer.read(&text.as_bytes()[..length]), None);
        prop_assert_eq!(signer.read((text + &more).as_bytes()), None);
    }

    /// Whatever a request brings, it is read, and says nothing unless a true token is in it.
    #[test]
    fn nothing_a_request_brings_is_taken_for_a_token(
        lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..6),
        words in prop::collection::vec("(shop| shop|;|=|; |[A-Za-z0-9_-]{54})", 0..40),
    ) {
        let words = words.concat().into_bytes();
        let values = lines.iter().chain([&words]).filter_map(|it| HeaderValue::from_bytes(it).ok());
        let mut headers: HeaderMap = values.map(|value| (COOKIE, value)).collect();
        let sessions = Sessions::new(&hourly());
        let set = Set::of(1, &["a"]);
        prop_assert_eq!(sessions.read(&headers, &set, || NOW), Said::default());
        let token = format!("shop={}", issued(&hourly(), "a", NOW));
        headers.insert(COOKIE, token.parse().unwrap());
        prop_assert_eq!(sessions.read(&headers, &set, || NOW), stays("a"));
    }
}
