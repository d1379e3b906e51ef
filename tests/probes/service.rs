//! `ServiceProbe`.

use std::io;
use std::task::{Context, Poll};

use evenkeel::{Endpoint, Outcome, Probe, ServiceProbe, ServiceProbeError, Subject};
use tokio_test::{assert_pending, assert_ready, task};
use tower::util::BoxCloneSyncService;
use tower::{Service, service_fn};
use tower_test::mock;

use crate::{ask, refusal};

type Boxed = BoxCloneSyncService<u16, u16, io::Error>;

/// Answers with the number it is asked; an error for zero.
fn echo() -> Boxed {
    BoxCloneSyncService::new(service_fn(async |number: u16| match number {
        0 => Err(io::Error::other("zero")),
        number => Ok(number),
    }))
}

#[tokio::test]
async fn a_response_is_well_and_an_error_is_not() {
    ask(&ServiceProbe::new(|_| 7), echo()).await.unwrap();
    let error: ServiceProbeError = refusal(&ServiceProbe::new(|_| 0), echo()).await;
    assert_eq!(error.to_string(), "the service failed: zero");
    assert!(matches!(error, ServiceProbeError::Failed { .. }));
}

#[tokio::test]
async fn the_request_is_made_for_the_endpoint() {
    let endpoint = Endpoint::new("a", echo()).label("code", "42");
    let probe = ServiceProbe::new(|subject: Subject<'_, Boxed>| {
        subject.label("code").unwrap().parse().unwrap()
    });
    let probe = probe.classify(|result: Result<&u16, &io::Error>| match result {
        Ok(42) => Outcome::Success,
        _ => Outcome::failure(),
    });
    probe.probe(Subject::of(&endpoint)).await.unwrap();
    assert!(probe.probe(Subject::of(&endpoint.label("code", "43"))).await.is_err());
}

#[tokio::test]
async fn a_classifier_judges_and_only_success_is_well() {
    let judged =
        |outcome| ServiceProbe::new(|_| 7).classify(move |_: Result<&u16, &io::Error>| outcome);
    ask(&judged(Outcome::Success), echo()).await.unwrap();
    for (outcome, says) in [
        (Outcome::failure(), "a failure (Other)"),
        (Outcome::broken(), "a failure (Broken)"),
        (Outcome::overloaded(None), "overloaded"),
        (Outcome::Ignore, "one to be ignored, which shows nothing"),
    ] {
        let error: ServiceProbeError = refusal(&judged(outcome), echo()).await;
        assert_eq!(error.to_string(), format!("the answer counts as {says}"));
        assert!(matches!(error, ServiceProbeError::Answer { outcome: o } if o == outcome));
    }
    let forgiving =
        ServiceProbe::new(|_| 0).classify(|_: Result<&u16, &io::Error>| Outcome::Success);
    ask(&forgiving, echo()).await.unwrap();
}

#[cfg(feature = "http")]
#[tokio::test]
async fn the_classifiers_of_requests_will_do() {
    use std::future::ready;

    use evenkeel::{ByStatus, FailureKind};
    use http::{Request, Response};

    let server = |status: u16| {
        service_fn(move |_: Request<()>| {
            let response = Response::builder().status(status).body(()).unwrap();
            ready(Ok::<_, io::Error>(response))
        })
    };
    let probe = ServiceProbe::new(|_| Request::new(())).classify(ByStatus);
    ask(&probe, BoxCloneSyncService::new(server(200))).await.unwrap();
    let error: ServiceProbeError = refusal(&probe, BoxCloneSyncService::new(server(503))).await;
    let gateway = Outcome::Failure(FailureKind::Gateway);
    assert!(matches!(error, ServiceProbeError::Answer { outcome } if outcome == gateway));
}

/// Breaks before it is ready.
#[derive(Clone)]
struct Unready;

impl Service<u16> for Unready {
    type Response = u16;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<u16>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::Error::other("gone")))
    }

    fn call(&mut self, _: u16) -> Self::Future {
        unreachable!("it never was ready")
    }
}

#[tokio::test]
async fn one_that_breaks_unready_is_not_called() {
    let error: ServiceProbeError = refusal(&ServiceProbe::new(|_| 7), Unready).await;
    assert_eq!(error.to_string(), "the service broke unready: gone");
    assert!(matches!(error, ServiceProbeError::NotReady { .. }));
}

#[tokio::test]
async fn a_clone_is_called_once_it_is_ready_and_not_before() {
    let (service, mut handle) = mock::pair::<u16, u16>();
    handle.allow(0);
    let endpoint = Endpoint::new("a", service);
    let probe = ServiceProbe::new(|_| 7);
    let mut check = task::spawn(probe.probe(Subject::of(&endpoint)));
    assert_pending!(check.poll());
    assert_pending!(task::spawn(handle.next_request()).poll());
    handle.allow(1);
    assert!(check.is_woken());
    assert_pending!(check.poll());
    let (request, answer) = handle.next_request().await.unwrap();
    assert_eq!(request, 7);
    answer.send_response(8);
    assert_ready!(check.poll()).unwrap();
}
