//! What the balancer chooses among: one shared HTTP client, and the address of one server.

use std::task::{Context, Poll};

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Uri};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tower::Service;

pub(crate) type Client = legacy::Client<HttpConnector, String>;
pub(crate) type Answer = <Client as Service<Request<String>>>::Response;
pub(crate) type Error = legacy::Error;

pub(crate) fn client() -> Client {
    legacy::Client::builder(TokioExecutor::new()).build_http()
}

/// Sends requests to one server. Cloning it is cheap, and clones share the connections.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    client: Client,
    address: Authority,
}

impl Upstream {
    pub(crate) fn new(client: &Client, address: &Authority) -> Self {
        Self { client: client.clone(), address: address.clone() }
    }
}

impl Service<Request<String>> for Upstream {
    type Response = Answer;
    type Error = Error;
    type Future = legacy::ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.client.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<String>) -> Self::Future {
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(self.address.clone());
        parts.path_and_query.get_or_insert(PathAndQuery::from_static("/"));
        // Never the default: nothing is missing.
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
        self.client.call(request)
    }
}
