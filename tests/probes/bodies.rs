//! `HttpProbe::expect_body`: bodies of every length and end.

use evenkeel::{HttpProbe, HttpProbeError};
use tokio::io::AsyncWriteExt;

use crate::server::{answering, head, once, rest};
use crate::{ask, refusal};

/// So much of a body is read.
const MOST: usize = 64 * 1024;

fn probe(text: &str) -> HttpProbe<fn(&String) -> String> {
    HttpProbe::new(String::clone as fn(&String) -> String).expect_body(text).unwrap()
}

/// An answer that says how long its body is.
fn whole(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// An answer in chunks, without the end.
fn chunks<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let chunk = |part: &str| format!("{:x}\r\n{part}\r\n", part.len());
    let parts: String = parts.into_iter().map(chunk).collect();
    format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{parts}")
}

#[tokio::test]
async fn the_text_may_stand_anywhere() {
    for body in ["ready", "all ready now", "ready.", "not yet? ready", "rearready", "\u{fc} ready"]
    {
        ask(&probe("ready"), answering(whole(body)).await.0).await.unwrap();
    }
}

#[tokio::test]
async fn a_right_status_with_a_wrong_body_is_unwell() {
    for body in ["", "r", "READY", "read y", "eady"] {
        let error: HttpProbeError = refusal(&probe("ready"), answering(whole(body)).await.0).await;
        let says = format!("the body of {} bytes does not contain `ready`", body.len());
        assert_eq!(error.to_string(), says);
    }
    let error: HttpProbeError =
        refusal(&probe("ready"), answering("HTTP/1.1 503 X\r\n\r\nready").await.0).await;
    assert_eq!(error.to_string(), "status 503, expected 200..=299");
}

#[tokio::test]
async fn a_body_that_is_no_text_is_searched_all_the_same() {
    let (target, _server) = once(async |mut stream| {
        head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n\xff\xfe\x00ready\xff").await.unwrap();
    })
    .await;
    ask(&probe("ready"), target).await.unwrap();
}

#[tokio::test]
async fn a_text_split_over_chunks_is_found() {
    for parts in
        [&["re", "ady"][..], &["r", "e", "a", "d", "y"], &["xre", "ready"], &["xx", "y", "ready"]]
    {
        let answer = chunks(parts.iter().copied()) + "0\r\n\r\n";
        ask(&probe("ready"), answering(answer).await.0).await.unwrap();
    }
    let answer = chunks(["rea", "xdy"]) + "0\r\nready: ready\r\n\r\n";
    let error: HttpProbeError = refusal(&probe("ready"), answering(answer).await.0).await;
    assert_eq!(error.to_string(), "the body of 6 bytes does not contain `ready`");
}

#[tokio::test]
async fn it_makes_no_difference_what_comes_after_the_text() {
    // Broken off:
    ask(&probe("ready"), answering(chunks(["ready"])).await.0).await.unwrap();
    // Neither more nor an end:
    let (target, server) = once(async |mut stream| {
        head(&mut stream).await;
        stream.write_all(chunks(["ready"]).as_bytes()).await.unwrap();
        rest(&mut stream).await;
    })
    .await;
    ask(&probe("ready"), target).await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn a_server_that_closes_in_mid_answer_is_unwell() {
    for answer in [chunks(["rea"]), "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nrea".into()] {
        let error: HttpProbeError = refusal(&probe("ready"), answering(answer).await.0).await;
        assert!(matches!(error, HttpProbeError::BodyBroken { read: 3, .. }), "{error:?}");
        assert!(error.to_string().starts_with("the body broke off after 3 bytes: "), "{error}");
    }
    // Whoever expects no text does not care for the body.
    let fine = HttpProbe::new(String::clone);
    ask(&fine, answering(chunks(["rea"])).await.0).await.unwrap();
}

#[tokio::test]
async fn a_body_without_end_is_read_to_the_bound_and_no_further() {
    let (target, server) = once(async |mut stream| {
        head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
    })
    .await;
    let error: HttpProbeError = refusal(&probe("ready"), target).await;
    assert!(matches!(error, HttpProbeError::Body { read: MOST, whole: false, .. }), "{error:?}");
    assert_eq!(error.to_string(), "the body does not contain `ready` within 65536 bytes");
    server.await.unwrap();
}

#[tokio::test]
async fn the_bound_is_where_it_is_said_to_be() {
    let before = |length: usize| whole(&("x".repeat(length) + "ready" + &"x".repeat(100)));
    ask(&probe("ready"), answering_to_the_end(before(MOST - 5)).await).await.unwrap();
    let error: HttpProbeError =
        refusal(&probe("ready"), answering_to_the_end(before(MOST - 4)).await).await;
    assert!(matches!(error, HttpProbeError::Body { read: MOST, whole: false, .. }), "{error:?}");
}

/// The address of a server whose client closes before it has read everything.
async fn answering_to_the_end(answer: String) -> String {
    let (address, _server) = once(async move |mut stream| {
        head(&mut stream).await;
        let _ = stream.write_all(answer.as_bytes()).await;
        rest(&mut stream).await;
    })
    .await;
    address
}
