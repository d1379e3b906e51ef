//! Trouble that befalls a server, and how many requests it may cost.
//!
//! Under `least_request` a failure counts as a request in flight for the failure penalty. An
//! endpoint is only chosen where another one has no less on its hands, and nobody else fails
//! meanwhile, so the other one has fewer than there are callers. So within one penalty at most as
//! many requests fail as there are callers, and one for each thread that chooses at the same
//! moment, however fast they fail and however many are sent.

use std::time::Duration;

use evenkeel::{BoxError, Config, EndpointId};
use tokio::runtime::Handle;
use tokio::time::sleep;

use crate::screen::say;
use crate::server::{Health, Server};
use crate::traffic::{CONCURRENCY, Traffic, now};

/// Requests to wait for before a trouble begins, and before it ends.
const MORE: u64 = 500;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Trouble {
    pub(crate) title: &'static str,
    pub(crate) server: usize,
    pub(crate) health: Health,
    pub(crate) lasts: Duration,
}

/// A trouble that is over.
#[derive(Debug)]
pub(crate) struct Incident {
    pub(crate) title: &'static str,
    pub(crate) endpoint: EndpointId,
    pub(crate) phase: usize,
    pub(crate) lasted: Duration,
    /// Requests of all callers that ended meanwhile.
    pub(crate) requests: u64,
    /// Requests that may have failed.
    pub(crate) most: u64,
}

/// A phase in which a server has the trouble, is well again, and its failures are forgotten.
pub(crate) async fn befall(
    trouble: Trouble,
    server: &mut Server,
    traffic: &mut Traffic,
    settings: &Config,
) -> Result<Incident, BoxError> {
    let penalty = settings.strategy().failure_penalty().ok_or("failures have to weigh")?;
    let Trouble { title, health, lasts, .. } = trouble;
    let phase = traffic.enter(title);
    traffic.more(MORE).await?; // what was sent before is mostly answered
    let (began, before) = (now(), traffic.answered());
    server.turn(health).await?;
    say(&format!("  {title}"));
    sleep(lasts).await;
    traffic.more(MORE).await?;
    server.turn(Health::Well).await?;
    let lasted = now().saturating_duration_since(began);
    let requests = traffic.answered() - before;
    say(&format!("  {} is well again", server.name));
    sleep(2 * penalty).await;

    let limit = settings.limits().attempt_timeout();
    let held = limit.filter(|_| health == Health::Stuck).unwrap_or_default();
    let most = most(lasted, penalty, held);
    Ok(Incident { title, endpoint: server.name.into(), phase, lasted, requests, most })
}

/// How many requests can fail. Where each is held for a time before it fails, it is in flight for
/// that time and weighs for the penalty after it; and those that wait when it begins are held, too.
fn most(lasted: Duration, penalty: Duration, held: Duration) -> u64 {
    let penalties = (lasted + held).as_nanos().div_ceil((penalty + held).as_nanos());
    (CONCURRENCY + Handle::current().metrics().num_workers()) as u64 * penalties as u64
}
