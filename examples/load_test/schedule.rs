//! What is done to the servers and to the balancer, and when.

use std::fmt::Display;
use std::time::{Duration, Instant};

use evenkeel::{Balancer, BoxError, EndpointStatus};
use http::Uri;
use parking_lot::Mutex;
use tokio::time::sleep_until;

use crate::arguments::Plan;
use crate::faults::Faults;
use crate::fleet::Server;

/// What happened, each with its time since the beginning.
pub(crate) struct Log {
    began: Instant,
    lines: Mutex<Vec<(Duration, String)>>,
}

impl Log {
    pub(crate) fn new(began: Instant) -> Self {
        Self { began, lines: Mutex::default() }
    }

    pub(crate) fn note(&self, words: impl Display) {
        let after = self.began.elapsed();
        let mut lines = self.lines.lock();
        lines.push((after, words.to_string()));
    }

    pub(crate) fn lines(&self) -> Vec<(Duration, String)> {
        self.lines.lock().clone()
    }
}

/// A run, as those who change it see it.
pub(crate) struct Stage<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) began: Instant,
    pub(crate) balancer: &'a Balancer<Uri>,
    pub(crate) faults: &'a Faults,
    pub(crate) log: &'a Log,
}

/// Who is killed, who is stopped, whose weight is set, and who joins.
pub(crate) const KILLED: &str = "b";
pub(crate) const STOPPED: &str = "c";
const HEAVIER: &str = "a";
const JOINS: &str = "e";

impl Stage<'_> {
    /// Plays it to the end, and says what the server that was there for a while has had.
    ///
    /// It is not to be spawned: servers are started here, and live as long as the thread does.
    pub(crate) async fn play(&self, servers: &mut [Server]) -> Result<EndpointStatus, BoxError> {
        let Self { balancer, faults, log, .. } = self;

        self.at(4).await;
        let killed = of(servers, KILLED)?;
        faults.begin(&killed.id);
        log.note(format!("{KILLED} is killed"));
        killed.kill()?;
        self.at(6).await;
        killed.launch().await?;
        faults.end(&killed.id);
        log.note(format!("{KILLED} is started again"));

        self.at(10).await;
        let stopped = of(servers, STOPPED)?;
        faults.begin(&stopped.id);
        log.note(format!("{STOPPED} is stopped"));
        stopped.stop()?;
        self.at(13).await;
        stopped.go_on()?;
        faults.end(&stopped.id);
        log.note(format!("{STOPPED} goes on"));

        self.at(15).await;
        balancer.set_weight(&HEAVIER.into(), 3)?;

        self.at(17).await;
        let joining = Server::start(JOINS).await?;
        let set = servers.iter().chain([&joining]).map(Server::endpoint);
        balancer.replace(set.collect::<Result<Vec<_>, _>>()?)?;

        self.at(19).await;
        balancer.drain(&joining.id)?.await;
        let left = balancer.status().endpoint(&joining.id).cloned();
        balancer.remove(&joining.id)?;
        drop(joining);
        log.note(format!("{JOINS} is switched off"));

        self.at(20).await;
        balancer.enable(&HEAVIER.into())?;

        self.at(24).await;
        left.ok_or_else(|| "who joined was not there".into())
    }

    /// Twenty-fourths of the run.
    async fn at(&self, part: u32) {
        sleep_until((self.began + self.plan.length * part / 24).into()).await;
    }
}

fn of<'a>(servers: &'a mut [Server], name: &str) -> Result<&'a mut Server, BoxError> {
    let found = servers.iter_mut().find(|server| server.id.as_str() == name);
    found.ok_or_else(|| format!("there is no server {name}").into())
}
