//! A small gRPC service, written out by hand so that nobody needs `protoc`.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use bytes::Bytes;
use evenkeel::BoxError;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, Iter};
use http::uri::PathAndQuery;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::client::{self, GrpcService};
use tonic::server::{self, NamedService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

/// Asks a server to count: what a generated client does.
pub(crate) async fn count_to<S>(last: u32, client: &mut client::Grpc<S>) -> Result<Vec<u32>, Status>
where
    S: GrpcService<Body>,
    S::ResponseBody: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    client.ready().await.map_err(|error| Status::from_error(error.into()))?;
    let path = PathAndQuery::from_static("/example.Counter/CountTo");
    let codec = ProstCodec::<Limit, Number>::default();
    let request = Request::new(Limit { last });
    let mut answer = client.server_streaming(request, path, codec).await?.into_inner();
    let mut numbers = Vec::new();
    while let Some(Number { number }) = answer.message().await? {
        numbers.push(number);
    }
    Ok(numbers)
}

#[derive(Clone, PartialEq, prost::Message)]
struct Limit {
    #[prost(uint32, tag = "1")]
    last: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Number {
    #[prost(uint32, tag = "1")]
    number: u32,
}

/// A server that counts, or that gives up after one.
#[derive(Clone, Copy)]
pub(crate) enum Counter {
    Well,
    Failing,
}

type Numbers = Iter<std::vec::IntoIter<Result<Number, Status>>>;

impl Counter {
    fn count(self, request: Request<Limit>) -> Ready<Result<Response<Numbers>, Status>> {
        let numbers = (1..=request.into_inner().last).map(|number| Ok(Number { number }));
        let answer = match self {
            Self::Well => numbers.collect(),
            Self::Failing => numbers.take(1).chain([Err(Status::unavailable("tired"))]).collect(),
        };
        ready(Ok(Response::new(stream::iter::<Vec<_>>(answer))))
    }
}

impl NamedService for Counter {
    const NAME: &'static str = "example.Counter";
}

impl Service<http::Request<Body>> for Counter {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let counter = *self;
        Box::pin(async move {
            let method = service_fn(|request| counter.count(request));
            let mut grpc = server::Grpc::new(ProstCodec::<Number, Limit>::default());
            Ok(grpc.server_streaming(method, request).await)
        })
    }
}

/// Serves the counter on a free port.
pub(crate) async fn serve(counter: Counter) -> Result<String, BoxError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = format!("http://{}", listener.local_addr()?);
    let server = Server::builder().add_service(counter);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    Ok(address)
}
