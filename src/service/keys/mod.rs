//! What a request's [`Key`](crate::Key) is made of, over HTTP.
//!
//! A strategy of consistent hashing sends requests of one hash to one endpoint. These sources say
//! where the hash comes from: a [`header`], a [`cookie`], the [`path`] or one
//! [segment](path_segment) of it, a parameter of the [`query`], an [`extension`] that an outer
//! layer has left, or a closure ([`by`]). They are given to
//! [`Balance::key_from`](crate::Balance::key_from) or
//! [`BalanceLayer::key_from`](crate::BalanceLayer::key_from).
//!
//! # Several sources
//!
//! There are two ways to put them together, and they can be nested:
//!
//! * [`or`](Source::or): the first that the request has. It is the *terminal* policy of Envoy.
//! * [`and`](Source::and): all that the request has, in this order, make one hash.
//!
//! ```
//! use evenkeel::{Balancer, Endpoint, KeyBy, Key, keys};
//! use http::{HeaderName, Request};
//!
//! // By user where one is known, else by session, else by the cart that is asked for in a shop.
//! let key = keys::header(HeaderName::from_static("x-user"))
//!     .or(keys::cookie("session"))
//!     .or(keys::query("shop").and(keys::path_segment(1)));
//!
//! let by_user = Request::get("/carts/7?shop=4").header("x-user", "ann").body(()).unwrap();
//! assert_eq!(key.key(&by_user), Key::bytes(b"ann"));
//! let by_cart = Request::get("/carts/7?shop=4").body(()).unwrap();
//! assert!(key.key(&by_cart).hash().is_some());
//!
//! # let balancer = Balancer::builder().endpoint(Endpoint::new("a", ())).build()?;
//! let service = balancer.service().key_from(key);
//! # Ok::<(), evenkeel::ConfigError>(())
//! ```
//!
//! # What is hashed
//!
//! The bytes as they were sent, by [`Key::bytes`](crate::Key::bytes), which any program can
//! compute: nothing is decoded, no case is folded. What a request has, but empty, it does not have:
//! or all who send an empty cookie would go to one endpoint.
//!
//! A request that has none of the sources has **no hash**, and its key is
//! [`Key::none`](crate::Key::none). Strategies then choose without one.
//!
//! Whoever can choose the value can choose the endpoint: hash what callers cannot set at will, or
//! bound the load, where that matters. Nothing here allocates.

mod combined;
mod parts;
mod source;

pub use self::combined::{FirstOf, Joint};
pub use self::parts::{Cookie, Extension, Header, Path, PathSegment, Query};
pub use self::source::{Source, by, cookie, extension, header, path, path_segment, query};

#[cfg(test)]
mod tests;
