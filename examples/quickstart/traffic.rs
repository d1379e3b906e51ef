//! Callers: a fixed number of them, each sending its next request when its last one is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use evenkeel::{Balance, BoxError, EndpointId, Status};
use http::Request;
use http_body_util::BodyExt;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower::{Service, ServiceExt};

use crate::upstream::Upstream;

pub(crate) const CONCURRENCY: usize = 64;

/// A stretch of the run. A request belongs to the one in which it was sent.
#[derive(Debug)]
pub(crate) struct Phase {
    pub(crate) title: &'static str,
    /// The balancer when the phase began.
    pub(crate) status: Status,
    /// Whether no request of another phase was sent while it lasted.
    pub(crate) counted: bool,
}

impl Phase {
    /// Its number and its title.
    pub(crate) fn titled(&self, at: usize) -> String {
        format!("{} {}", at + 1, self.title)
    }
}

/// One request and what came of it.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) phase: usize,
    /// Who answered, by the answer itself.
    pub(crate) answer: Result<EndpointId, BoxError>,
    pub(crate) took: Duration,
}

/// How far the run has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    pub(crate) phase: usize,
    pub(crate) title: &'static str,
    pub(crate) answered: u64,
}

#[derive(Debug)]
pub(crate) struct Traffic {
    service: Balance<Upstream>,
    progress: watch::Sender<Progress>,
    phases: Vec<Phase>,
    samples: Vec<Sample>,
}

/// Requests that are being sent.
#[derive(Debug)]
pub(crate) struct Wave(JoinSet<Vec<Sample>>);

impl Traffic {
    pub(crate) fn new(service: Balance<Upstream>) -> Self {
        let progress = watch::Sender::default();
        Self { service, progress, phases: Vec::new(), samples: Vec::new() }
    }

    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Begins a phase while requests flow.
    pub(crate) fn enter(&mut self, title: &'static str) {
        let status = self.service.balancer().status();
        self.phases.push(Phase { title, status, counted: false });
        let phase = self.phases.len() - 1;
        self.progress.send_modify(|progress| *progress = Progress { phase, title, ..*progress });
    }

    /// Begins a phase while none flows.
    pub(crate) fn enter_counted(&mut self, title: &'static str) {
        self.enter(title);
        if let Some(phase) = self.phases.last_mut() {
            phase.counted = true;
        }
    }

    /// Sends this many requests, as many at a time as there are callers.
    pub(crate) fn send(&self, requests: u64) -> Wave {
        let unsent = Arc::new(AtomicU64::new(requests));
        let caller = || call(self.service.clone(), Arc::clone(&unsent), self.progress.clone());
        Wave((0..CONCURRENCY).map(|_| caller()).collect())
    }

    /// Waits until this many requests of the run are answered.
    pub(crate) async fn answered(&self, requests: u64) -> Result<(), BoxError> {
        self.progress().wait_for(|progress| progress.answered >= requests).await?;
        Ok(())
    }

    /// Waits until all requests of a wave are answered, and keeps what came of them.
    pub(crate) async fn finish(&mut self, mut wave: Wave) -> Result<(), BoxError> {
        while let Some(samples) = wave.0.join_next().await {
            self.samples.extend(samples?);
        }
        Ok(())
    }

    pub(crate) fn into_parts(self) -> (Vec<Phase>, Vec<Sample>) {
        (self.phases, self.samples)
    }
}

/// One caller.
async fn call(
    mut service: Balance<Upstream>,
    unsent: Arc<AtomicU64>,
    progress: watch::Sender<Progress>,
) -> Vec<Sample> {
    let mut samples = Vec::new();
    let one_less = |left: u64| left.checked_sub(1);
    while unsent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
        let phase = progress.borrow().phase;
        let began = now();
        let answer = ask(&mut service).await;
        let took = now().saturating_duration_since(began);
        samples.push(Sample { phase, answer, took });
        progress.send_modify(|progress| progress.answered += 1);
    }
    samples
}

async fn ask(service: &mut Balance<Upstream>) -> Result<EndpointId, BoxError> {
    let request = Request::get("/").body(String::new())?;
    let answer = service.ready().await?.call(request).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    let text = std::str::from_utf8(&body)?;
    if status.is_success() { Ok(text.into()) } else { Err(format!("{status}: {text}").into()) }
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "latency is measured at the caller")]
    Instant::now()
}
