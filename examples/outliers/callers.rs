//! Callers: one client over all servers, and many who use it at once.

use std::ops::Range;
use std::time::Duration;

use evenkeel::{BalanceLayer, Balancer, BoxError, ByStatus};
use http::{Request, Uri};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::now;

const CALLERS: usize = 48;

/// What each does between two requests.
const PAUSE: Duration = Duration::from_millis(20);

/// They ask until they are stopped.
#[derive(Debug)]
pub(crate) struct Callers {
    stop: watch::Sender<bool>,
    tasks: JoinSet<Result<Vec<Instant>, BoxError>>,
}

/// When requests were sent that failed.
#[derive(Debug)]
pub(crate) struct Asked(Vec<Instant>);

impl Callers {
    pub(crate) fn start(balancer: &Balancer<Uri>) -> Self {
        let service = ServiceBuilder::new()
            .layer(BalanceLayer::new(balancer.clone()).classify(ByStatus))
            .service(Client::builder(TokioExecutor::new()).build_http::<String>());
        let stop = watch::Sender::new(false);
        let mut tasks = JoinSet::new();
        for _ in 0..CALLERS {
            let (mut service, stopped) = (service.clone(), stop.subscribe());
            tasks.spawn(async move {
                let mut failed = Vec::new();
                while !*stopped.borrow() {
                    let request = Request::get("/").body(String::new())?;
                    let began = now();
                    let well = match service.ready().await?.call(request).await {
                        Ok(answer) => {
                            let well = answer.status().is_success();
                            answer.into_body().collect().await.is_ok() && well
                        }
                        Err(_) => false,
                    };
                    failed.extend((!well).then_some(began));
                    sleep(PAUSE).await;
                }
                Ok(failed)
            });
        }
        Self { stop, tasks }
    }

    pub(crate) async fn stop(mut self) -> Result<Asked, BoxError> {
        self.stop.send_replace(true);
        let mut failed = Vec::new();
        while let Some(caller) = self.tasks.join_next().await {
            failed.extend(caller??);
        }
        Ok(Asked(failed))
    }
}

impl Asked {
    /// How many requests failed that were sent in this time.
    pub(crate) fn failed(&self, time: Range<Instant>) -> usize {
        self.0.iter().filter(|began| time.contains(began)).count()
    }
}
