//! The parts of a request that keys are made of.

use std::fmt;
use std::marker::PhantomData;

use http::{HeaderName, HeaderValue, Request};

use crate::hash;
use crate::service::{KeyBy, cookies};
use crate::sync::Arc;
use crate::units::Key;

/// See [`header`](crate::keys::header).
#[derive(Clone, Debug)]
pub struct Header {
    pub(super) name: HeaderName,
}

impl<B> KeyBy<Request<B>> for Header {
    fn key(&self, request: &Request<B>) -> Key {
        let values = request.headers().get_all(&self.name);
        Key::none().hashed(hash::listed(values.into_iter().map(HeaderValue::as_bytes)))
    }
}

/// See [`cookie`](crate::keys::cookie).
#[derive(Clone, Debug)]
pub struct Cookie {
    pub(super) name: Arc<str>,
}

impl<B> KeyBy<Request<B>> for Cookie {
    fn key(&self, request: &Request<B>) -> Key {
        first(cookies::values(request.headers(), &self.name))
    }
}

/// See [`path`](crate::keys::path).
#[derive(Clone, Copy, Debug)]
pub struct Path;

impl<B> KeyBy<Request<B>> for Path {
    fn key(&self, request: &Request<B>) -> Key {
        first([request.uri().path().as_bytes()])
    }
}

/// See [`path_segment`](crate::keys::path_segment).
#[derive(Clone, Copy, Debug)]
pub struct PathSegment {
    pub(super) index: usize,
}

impl<B> KeyBy<Request<B>> for PathSegment {
    fn key(&self, request: &Request<B>) -> Key {
        let path = request.uri().path();
        let mut segments = path.strip_prefix('/').unwrap_or(path).split('/');
        first(segments.nth(self.index).map(str::as_bytes))
    }
}

/// See [`query`](crate::keys::query).
#[derive(Clone, Debug)]
pub struct Query {
    pub(super) name: Arc<str>,
}

impl<B> KeyBy<Request<B>> for Query {
    fn key(&self, request: &Request<B>) -> Key {
        let parameters = request.uri().query().unwrap_or_default().split('&');
        let pairs = parameters.filter_map(|parameter| parameter.split_once('='));
        first(pairs.filter(|&(name, _)| name == &*self.name).map(|(_, value)| value.as_bytes()))
    }
}

/// The first of these that is not empty.
fn first<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Key {
    let found = values.into_iter().find(|value| !value.is_empty());
    found.map_or(Key::none(), Key::bytes)
}

/// See [`extension`](crate::keys::extension).
pub struct Extension<E, F> {
    key: F,
    extension: PhantomData<fn(&E)>,
}

impl<E, F> Extension<E, F> {
    pub(super) const fn new(key: F) -> Self {
        Self { key, extension: PhantomData }
    }
}

impl<E, F, B> KeyBy<Request<B>> for Extension<E, F>
where
    E: Send + Sync + 'static,
    F: Fn(&E) -> Key,
{
    fn key(&self, request: &Request<B>) -> Key {
        request.extensions().get().map_or(Key::none(), &self.key)
    }
}

impl<E, F: Clone> Clone for Extension<E, F> {
    fn clone(&self) -> Self {
        Self::new(self.key.clone())
    }
}

impl<E, F: Copy> Copy for Extension<E, F> {}

impl<E, F> fmt::Debug for Extension<E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extension").field("of", &std::any::type_name::<E>()).finish_non_exhaustive()
    }
}
