//! A client at work: a balancer of its own, and what it says.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Wake, Waker};

use futures_core::Stream;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::balancer::{Balancer, Events, now};
use crate::endpoint::Endpoint;
use crate::error::{ConfigError, Problem};
use crate::event::{Event, Verdict};
use crate::sim::engine::probe::Vitals;
use crate::sim::span::{Time, time};
use crate::sim::{Client, Happening, ScenarioError, Server, ServerId, span};
use crate::sync::{Arc, AtomicBool, Mutex, Ordering};
use crate::worker::Worker;

pub(super) struct Process<'s> {
    pub(super) spec: &'s Client,
    pub(super) name: Arc<str>,
    pub(super) balancer: Balancer<ServerId>,
    /// Servers that its requests do not reach.
    pub(super) cut_off: Vec<bool>,
    /// It hears of no change of the set.
    pub(super) is_deaf: bool,
    /// The last set that it has not heard of.
    pub(super) missed: Option<u32>,
    _worker: Option<Worker>,
    _listener: JoinHandle<()>,
}

/// What balancers have said since it was read last.
pub(super) struct Heard {
    origin: Instant,
    /// Somebody has something to say, and has not had his turn.
    is_called: AtomicBool,
    said: Mutex<Vec<(Time, Happening)>>,
}

impl Heard {
    pub(super) fn new(origin: Instant) -> Arc<Self> {
        Arc::new(Self { origin, is_called: AtomicBool::new(false), said: Mutex::default() })
    }

    /// Whether somebody waits for his turn to say something; once.
    #[inline]
    pub(super) fn is_called(&self) -> bool {
        self.is_called.load(Ordering::Relaxed) && self.is_called.swap(false, Ordering::Relaxed)
    }

    pub(super) fn take(&self) -> Vec<(Time, Happening)> {
        std::mem::take(&mut *self.said.lock())
    }

    /// Writes down all that one balancer says, as long as it lives.
    async fn listen(self: Arc<Self>, client: Arc<str>, mut events: Events) {
        loop {
            let event = poll_fn(|cx| {
                let call = Call { heard: Arc::clone(&self), listener: cx.waker().clone() };
                let waker = Waker::from(Arc::new(call));
                Pin::new(&mut events).poll_next(&mut Context::from_waker(&waker))
            });
            let Some(event) = event.await else { return };
            self.note(&client, &event);
        }
    }

    fn note(&self, client: &str, event: &Event) {
        let at = time(now().saturating_duration_since(self.origin));
        let happening = Happening {
            at: span::span(at),
            client: Some(client.to_owned()),
            kind: kind(event).to_owned(),
            endpoint: event.endpoint().map(ToString::to_string),
            text: event.to_string(),
        };
        self.said.lock().push((at, happening));
    }
}

/// Wakes a listener, and lets the simulation know: it gives him his turn before time goes on.
struct Call {
    heard: Arc<Heard>,
    listener: Waker,
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.heard.is_called.store(true, Ordering::Relaxed);
        self.listener.wake_by_ref();
    }
}

impl<'s> Process<'s> {
    /// Inside of the simulation's runtime.
    pub(super) fn new(
        spec: &'s Client,
        copy: u32,
        seed: u64,
        servers: &'s [Server],
        (vitals, heard): (&Arc<Vitals>, &Arc<Heard>),
    ) -> Result<Self, ScenarioError> {
        let refused = |error: ConfigError| {
            let problem = |problem: &Problem| {
                let path = format!("clients.{}.config.{}", spec.name, problem.path);
                Problem { path, ..problem.clone() }
            };
            ScenarioError::new(error.problems().iter().map(problem).collect())
        };
        let name = spec.copy_name(copy);
        let names: Vec<String> = servers.iter().map(|server| server.name.clone()).collect();
        let mut builder = Balancer::builder()
            .name(name.clone())
            .seed(seed)
            .config(spec.config.clone())
            .probe(Arc::clone(vitals))
            .make(move |spec| {
                let at = names.iter().position(|name| *name == spec.address);
                let at = at.and_then(|at| u32::try_from(at).ok());
                Ok(at.map_or(ServerId::NOBODY, ServerId))
            });
        if spec.config.endpoints().is_none() {
            let listed = servers.iter().enumerate().filter(|(_, server)| server.listed);
            let listed = listed.map(|(at, server)| endpoint(at, server, server.weight));
            builder = builder.endpoints(listed);
        }
        if let Some(build) = &spec.build {
            builder = build(builder);
        }
        let balancer = builder.build().map_err(refused)?;
        let name: Arc<str> = name.into();
        let listening = Arc::clone(heard).listen(Arc::clone(&name), balancer.subscribe());
        let listener = tokio::spawn(listening);
        Ok(Self {
            spec,
            name,
            cut_off: vec![false; servers.len()],
            is_deaf: false,
            missed: None,
            _worker: spec.worker.then(|| balancer.start()),
            _listener: listener,
            balancer,
        })
    }
}

/// The endpoint that a server is.
pub(super) fn endpoint(at: usize, server: &Server, weight: u32) -> Endpoint<ServerId> {
    let target = ServerId(u32::try_from(at).unwrap_or(u32::MAX));
    let endpoint = Endpoint::new(server.name.as_str(), target).weight(weight).tier(server.tier);
    match &server.zone {
        Some(zone) => endpoint.zone(zone.as_str()),
        None => endpoint,
    }
}

/// What an event is called; a guard that takes a change back is something else than one that lets it
/// be.
fn kind(event: &Event) -> &'static str {
    match event {
        Event::Judged { verdict: Verdict::RolledBack { .. } | Verdict::NotRolledBack { .. } } => {
            "rolled_back"
        }
        event => event.kind(),
    }
}
