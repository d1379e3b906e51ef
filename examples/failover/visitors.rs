//! Many who ask at once, through one client over all servers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use evenkeel::{BalanceLayer, Balancer, BoxError, ByStatus, PickError, find_cause};
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tower::{Layer, ServiceExt};

/// They ask without a pause, until they are stopped.
pub(crate) struct Visitors {
    stop: watch::Sender<bool>,
    failed: Arc<AtomicU64>,
    tasks: JoinSet<Result<(), BoxError>>,
}

impl Visitors {
    pub(crate) fn start(balancer: &Balancer<Uri>, many: u64) -> Self {
        let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let service = BalanceLayer::new(balancer.clone()).classify(ByStatus).layer(client);
        let (stop, stopped) = watch::channel(false);
        let failed = Arc::<AtomicU64>::default();
        let mut tasks = JoinSet::new();
        for _ in 0..many {
            let (service, stopped, failed) = (service.clone(), stopped.clone(), failed.clone());
            tasks.spawn(async move {
                while !*stopped.borrow() {
                    let request = Request::get("/").body(Empty::new())?;
                    match service.clone().oneshot(request).await {
                        Ok(answer) if answer.status().is_success() => {
                            answer.into_body().collect().await?;
                        }
                        // While everything is drained nothing is sent, so nothing has failed.
                        Err(error) if find_cause::<PickError>(&*error).is_some() => {
                            sleep(Duration::from_millis(5)).await;
                        }
                        _ => {
                            failed.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
                Ok(())
            });
        }
        Self { stop, failed, tasks }
    }

    /// Requests that were sent and not answered well, so far.
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    pub(crate) async fn stop(mut self) -> Result<(), BoxError> {
        self.stop.send_replace(true);
        while let Some(task) = self.tasks.join_next().await {
            task??;
        }
        Ok(())
    }
}
