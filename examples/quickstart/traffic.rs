//! Callers: a fixed number of them, each sending its next request when its last one has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use evenkeel::{
    Balance, Balancer, BoxError, EndpointError, EndpointId, NoKey, Outcome, Status, find_cause,
};
use http::Request;
use http::header::SERVER;
use http_body_util::BodyExt;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower::{Service, ServiceExt};

use crate::upstream::{Answer, Error, Upstream};

pub(crate) const CONCURRENCY: usize = 64;

pub(crate) type Judge = fn(Result<&Answer, &Error>) -> Outcome;

/// A stretch of the run. A request belongs to the one in which it was sent.
#[derive(Debug)]
pub(crate) struct Phase {
    pub(crate) title: &'static str,
    /// The balancer when the phase began.
    pub(crate) status: Status,
    /// Whether no request of another phase was sent while it lasted.
    pub(crate) counted: bool,
}

/// One request and what came of it.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) phase: usize,
    /// Who had it: by the answer itself, or by the error.
    pub(crate) endpoint: Option<EndpointId>,
    pub(crate) error: Option<BoxError>,
    pub(crate) began: Instant,
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
    service: Balance<Upstream, NoKey, Judge>,
    progress: watch::Sender<Progress>,
    phases: Vec<Phase>,
    samples: Vec<Sample>,
}

/// Requests that are being sent.
#[derive(Debug)]
pub(crate) struct Wave {
    unsent: Arc<AtomicU64>,
    callers: JoinSet<Vec<Sample>>,
}

impl Traffic {
    pub(crate) fn new(balancer: &Balancer<Upstream>, judge: Judge) -> Self {
        let service = balancer.service().classify(judge);
        let progress = watch::Sender::default();
        Self { service, progress, phases: Vec::new(), samples: Vec::new() }
    }

    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Begins a phase while requests flow, and says which it is.
    pub(crate) fn enter(&mut self, title: &'static str) -> usize {
        let status = self.service.balancer().status();
        self.phases.push(Phase { title, status, counted: false });
        let phase = self.phases.len() - 1;
        self.progress.send_modify(|progress| *progress = Progress { phase, title, ..*progress });
        phase
    }

    /// Begins a phase while none flows.
    pub(crate) fn enter_counted(&mut self, title: &'static str) {
        let phase = self.enter(title);
        self.phases[phase].counted = true;
    }

    /// Sends this many requests, as many at a time as there are callers.
    pub(crate) fn send(&self, requests: u64) -> Wave {
        let unsent = Arc::new(AtomicU64::new(requests));
        let caller = |_| call(self.service.clone(), Arc::clone(&unsent), self.progress.clone());
        let callers = (0..CONCURRENCY).map(caller).collect();
        Wave { unsent, callers }
    }

    /// How many requests have ended.
    pub(crate) fn answered(&self) -> u64 {
        self.progress.borrow().answered
    }

    /// Waits until this many more requests have ended.
    pub(crate) async fn more(&self, requests: u64) -> Result<(), BoxError> {
        let goal = self.answered() + requests;
        self.progress().wait_for(|progress| progress.answered >= goal).await?;
        Ok(())
    }

    /// Waits until all requests of a wave have ended, and keeps what came of them.
    pub(crate) async fn finish(&mut self, mut wave: Wave) -> Result<(), BoxError> {
        while let Some(samples) = wave.callers.join_next().await {
            self.samples.extend(samples?);
        }
        Ok(())
    }

    pub(crate) fn into_parts(self) -> (Vec<Phase>, Vec<Sample>) {
        (self.phases, self.samples)
    }
}

impl Wave {
    /// Sends no more.
    pub(crate) fn stop(&self) {
        self.unsent.store(0, Ordering::Relaxed);
    }
}

/// One caller.
async fn call(
    mut service: Balance<Upstream, NoKey, Judge>,
    unsent: Arc<AtomicU64>,
    progress: watch::Sender<Progress>,
) -> Vec<Sample> {
    let mut samples = Vec::new();
    let one_less = |left: u64| left.checked_sub(1);
    while unsent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
        let phase = progress.borrow().phase;
        let began = now();
        let mut endpoint = None;
        let error = ask(&mut service, &mut endpoint).await.err();
        let took = now().saturating_duration_since(began);
        samples.push(Sample { phase, endpoint, error, began, took });
        progress.send_modify(|progress| progress.answered += 1);
    }
    samples
}

/// Sends one request. Whoever had it is left in `endpoint`.
async fn ask(
    service: &mut Balance<Upstream, NoKey, Judge>,
    endpoint: &mut Option<EndpointId>,
) -> Result<(), BoxError> {
    let request = Request::get("/").body(String::new())?;
    let answer = service.ready().await?.call(request).await.inspect_err(|error| {
        *endpoint = find_cause(&**error).map(|cause: &EndpointError| cause.endpoint().clone());
    })?;
    let (head, body) = answer.into_parts();
    *endpoint = head.headers.get(SERVER).and_then(|name| name.to_str().ok()).map(EndpointId::from);
    body.collect().await?;
    if head.status.is_success() { Ok(()) } else { Err(head.status.to_string().into()) }
}

pub(crate) fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "the caller's own clock")]
    Instant::now()
}
