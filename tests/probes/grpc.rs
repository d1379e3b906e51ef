//! `GrpcProbe`.

use axum::Router;
use evenkeel::{GrpcProbe, GrpcProbeError};
use futures_util::stream::{self, Empty};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::yield_now;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_health::server::health_reporter;

use crate::server::{answering, give_up, refusing, silent};
use crate::{ask, refusal};

fn probe() -> GrpcProbe<fn(&String) -> String> {
    GrpcProbe::new(String::clone)
}

async fn serve(routes: Routes) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = Server::builder().add_routes(routes);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    address
}

/// A health service that answers whatever it is told to.
struct Says(Result<i32, Code>);

#[tonic::async_trait]
impl Health for Says {
    type WatchStream = Empty<Result<HealthCheckResponse, Status>>;

    async fn check(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match self.0 {
            Ok(status) => Ok(Response::new(HealthCheckResponse { status })),
            Err(code) => Err(Status::new(code, "so it is")),
        }
    }

    async fn watch(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(stream::empty()))
    }
}

async fn saying(says: Result<i32, Code>) -> String {
    serve(Routes::new(HealthServer::new(Says(says)))).await
}

#[tokio::test]
async fn a_real_health_service_is_asked_for_the_server_and_for_services() {
    let (reporter, health) = health_reporter();
    reporter.set_service_status("well", ServingStatus::Serving).await;
    reporter.set_service_status("ill", ServingStatus::NotServing).await;
    reporter.set_service_status("unsure", ServingStatus::Unknown).await;
    let target = serve(Routes::new(health)).await;
    ask(&probe(), target.clone()).await.unwrap();
    ask(&probe().service("well"), format!("http://{target}")).await.unwrap();
    for (service, says) in [
        ("ill", "the service `ill` is NOT_SERVING"),
        ("unsure", "the service `unsure` is UNKNOWN"),
        ("nobody", "the service `nobody` is unknown to the health service (NOT_FOUND)"),
    ] {
        let error: GrpcProbeError = refusal(&probe().service(service), target.clone()).await;
        assert_eq!(error.to_string(), says);
    }
    reporter.set_service_status("", ServingStatus::NotServing).await;
    let error: GrpcProbeError = refusal(&probe(), target.clone()).await;
    assert_eq!(error.to_string(), "the server is NOT_SERVING");
    reporter.set_service_status("", ServingStatus::Serving).await;
    ask(&probe(), target).await.unwrap();
}

#[tokio::test]
async fn every_status_but_serving_is_unwell_and_named() {
    for (status, says) in [
        (0, "the server is UNKNOWN"),
        (2, "the server is NOT_SERVING"),
        (3, "the server is SERVICE_UNKNOWN"),
        (77, "the server is in state 77, which has no name"),
        (-1, "the server is in state -1, which has no name"),
    ] {
        let error: GrpcProbeError = refusal(&probe(), saying(Ok(status)).await).await;
        assert_eq!(error.to_string(), says);
        assert!(matches!(error, GrpcProbeError::NotServing { .. }));
    }
    ask(&probe(), saying(Ok(1)).await).await.unwrap();
}

#[tokio::test]
async fn a_server_without_the_health_service_is_well_unless_it_must_have_one() {
    let bare = serve(Routes::default()).await;
    for target in [bare, saying(Err(Code::Unimplemented)).await] {
        ask(&probe(), target.clone()).await.unwrap();
        let error: GrpcProbeError = refusal(&probe().require_implemented(), target).await;
        assert!(matches!(error, GrpcProbeError::Unimplemented));
        assert_eq!(error.to_string(), "the server has no health service (UNIMPLEMENTED)");
    }
}

#[tokio::test]
async fn a_404_of_http_is_taken_for_a_missing_health_service_as_grpc_does() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = listener.local_addr().unwrap().to_string();
    tokio::spawn(async { axum::serve(listener, Router::new()).await });
    ask(&probe(), target.clone()).await.unwrap();
    let error: GrpcProbeError = refusal(&probe().require_implemented(), target).await;
    assert!(matches!(error, GrpcProbeError::Unimplemented));
}

#[tokio::test]
async fn a_call_that_fails_is_unwell_and_its_status_is_kept() {
    for code in [Code::Unavailable, Code::Internal, Code::PermissionDenied, Code::Cancelled] {
        let error: GrpcProbeError = refusal(&probe(), saying(Err(code)).await).await;
        assert!(error.to_string().contains("so it is"), "{error}");
        let status: &Status = evenkeel::find_cause(&error).unwrap();
        assert_eq!(status.code(), code);
    }
}

#[tokio::test]
async fn who_speaks_no_grpc_is_unwell() {
    let (target, _socket) = refusing();
    let error: GrpcProbeError = refusal(&probe(), target.to_string()).await;
    assert!(matches!(error, GrpcProbeError::Unreachable { .. }));
    assert!(error.to_string().contains("Connection refused"), "{error}");

    let (target, _server) = answering("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let error: GrpcProbeError = refusal(&probe(), target).await;
    assert!(error.to_string().starts_with("the check failed: "), "{error}");

    for target in ["", "/x", "https://127.0.0.1:1"] {
        let error: GrpcProbeError = refusal(&probe(), target.to_owned()).await;
        assert!(matches!(error, GrpcProbeError::Address { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_silent_server_is_waited_for_and_nothing_is_left_when_nobody_does() {
    // What every HTTP/2 connection is opened with.
    let ((target, server), asked) = silent(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    let alive = || Handle::current().metrics().num_alive_tasks();
    let before = alive();
    let probe = probe();
    give_up(ask(&probe, target), asked).await;
    // Done only because the connection was closed.
    server.await.unwrap();
    while alive() >= before {
        yield_now().await;
    }
}

#[tokio::test]
async fn a_check_that_is_over_leaves_no_task() {
    let target = saying(Ok(1)).await;
    ask(&probe(), target.clone()).await.unwrap();
    let alive = || Handle::current().metrics().num_alive_tasks();
    for _ in 0..50 {
        ask(&probe(), target.clone()).await.unwrap();
    }
    // The server alone is left; its connections end when it sees that they are closed.
    while alive() > 1 {
        yield_now().await;
    }
}
