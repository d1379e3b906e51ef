//! A source of keys, and how to name one.

use http::HeaderName;

use crate::service::KeyBy;
use crate::service::keys::{Cookie, Extension, FirstOf, Header, Joint, Path, PathSegment, Query};
use crate::sync::Arc;
use crate::units::Key;

/// Something that a [`Key`] is made of, or several put together.
///
/// Cloning it is cheap.
#[derive(Clone, Copy, Debug)]
pub struct Source<S>(S);

impl<S> Source<S> {
    /// What this source has; if the request has nothing of it, what `other` has.
    ///
    /// `other` is any [`KeyBy`], a closure too. What the keys ask for besides a hash (exclusions, a
    /// preference) adds up where both were asked.
    #[must_use]
    pub fn or<K>(self, other: K) -> Source<FirstOf<S, K>> {
        Source(FirstOf { first: self.0, then: other })
    }

    /// This source and `other`, in this order, as one.
    ///
    /// If the request has only one of them, it is hashed as if there were no other. Of two hashes
    /// one is made by hashing their sixteen bytes, each the lowest byte first.
    ///
    /// ```
    /// use evenkeel::{Key, KeyBy, keys};
    /// use http::Request;
    ///
    /// let key = keys::query("tenant").and(keys::query("cart"));
    /// let of = |uri: &str| key.key(&Request::get(uri).body(()).unwrap());
    /// assert_ne!(of("/?tenant=1&cart=2"), of("/?tenant=2&cart=1"));
    /// assert_eq!(of("/?cart=2"), Key::bytes(b"2"));
    /// assert_eq!(of("/"), Key::none());
    /// ```
    #[must_use]
    pub fn and<K>(self, other: K) -> Source<Joint<S, K>> {
        Source(Joint { first: self.0, then: other })
    }
}

impl<S: KeyBy<Req>, Req> KeyBy<Req> for Source<S> {
    fn key(&self, request: &Req) -> Key {
        self.0.key(request)
    }
}

/// The value of a header.
///
/// If it was sent several times, the values with commas between them, as gRPC joins them.
///
/// ```
/// use evenkeel::{Key, KeyBy, keys};
/// use http::{Request, header};
///
/// let key = keys::header(header::AUTHORIZATION);
/// let request = Request::get("/").header("authorization", "Bearer 7").body(()).unwrap();
/// assert_eq!(key.key(&request), Key::bytes(b"Bearer 7"));
/// ```
#[must_use]
pub fn header(name: HeaderName) -> Source<Header> {
    Source(Header { name })
}

/// The value of the first cookie of this name that is not empty.
///
/// It is taken as it stands, quotes included. A name that no cookie can have is never found.
#[must_use]
pub fn cookie(name: impl Into<Arc<str>>) -> Source<Cookie> {
    Source(Cookie { name: name.into() })
}

/// The whole path, without the query.
#[must_use]
pub const fn path() -> Source<Path> {
    Source(Path)
}

/// One segment of the path: 0 is the first, so that of `/carts/7` segment 1 is `7`.
#[must_use]
pub const fn path_segment(index: usize) -> Source<PathSegment> {
    Source(PathSegment { index })
}

/// The value of the first parameter of the query that has this name and a value.
///
/// Name and value are taken as they are written: `a%20b` and `a+b` are not the same.
#[must_use]
pub fn query(name: impl Into<Arc<str>>) -> Source<Query> {
    Source(Query { name: name.into() })
}

/// Something an outer layer has left in the request's extensions.
///
/// For what is known of the connection, say. It has [`Key::none`] where there is no such extension.
///
/// ```
/// use std::net::SocketAddr;
///
/// use evenkeel::{Key, KeyBy, keys};
/// use http::Request;
///
/// let key = keys::extension(|peer: &SocketAddr| match peer {
///     SocketAddr::V4(peer) => Key::bytes(&peer.ip().octets()),
///     SocketAddr::V6(peer) => Key::bytes(&peer.ip().octets()),
/// });
/// let peer = SocketAddr::from(([10, 0, 0, 7], 4711));
/// let request = Request::get("/").extension(peer).body(()).unwrap();
/// assert_eq!(key.key(&request), Key::bytes(&[10, 0, 0, 7]));
/// ```
#[must_use]
pub const fn extension<E, F>(key: F) -> Source<Extension<E, F>>
where
    E: Send + Sync + 'static,
    F: Fn(&E) -> Key,
{
    Source(Extension::new(key))
}

/// What a closure, or any other [`KeyBy`], makes of the request.
///
/// ```
/// use evenkeel::{Key, KeyBy, keys};
/// use http::{Method, Request};
///
/// let reads = |request: &Request<()>| match *request.method() {
///     Method::GET => Key::bytes(request.uri().path().as_bytes()),
///     _ => Key::none(),
/// };
/// let key = keys::by(reads).or(keys::cookie("session"));
/// let request = Request::get("/carts").body(()).unwrap();
/// assert_eq!(key.key(&request), Key::bytes(b"/carts"));
/// ```
#[must_use]
pub const fn by<K>(key: K) -> Source<K> {
    Source(key)
}
