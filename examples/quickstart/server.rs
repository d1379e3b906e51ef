//! A real server that takes its time and counts who comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use evenkeel::BoxError;
use http::uri::Authority;
use tokio::net::TcpListener;

/// A server on a free port of the loopback interface. It answers with its name.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) address: Authority,
    /// How long it thinks about each answer.
    pub(crate) takes: Duration,
    arrived: Arc<AtomicU64>,
}

impl Server {
    pub(crate) async fn start(name: &'static str, takes: Duration) -> Result<Self, BoxError> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?.to_string().parse()?;
        let arrived = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&arrived);
        let answer = move || async move {
            count.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(takes).await;
            name
        };
        let service = Router::new().route("/", get(answer));
        tokio::spawn(async move { axum::serve(listener, service).await });
        Ok(Self { name, address, takes, arrived })
    }

    /// Requests that have reached it.
    pub(crate) fn arrived(&self) -> u64 {
        self.arrived.load(Ordering::Relaxed)
    }
}
