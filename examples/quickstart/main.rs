//! Real servers behind one balancer, which is changed while requests flow.
//!
//! Four servers on the loopback interface, of different speeds, get requests, 64 at a time. One of
//! them answers 503 for a while, one accepts and never answers, one is killed and comes back: each
//! is taken out, probed, and warmed up. Then one is drained, a fifth is added, the strategy is
//! exchanged, one of them turns slow and is found by that, and a weight is set. At the end stand a
//! table and the promises that were checked; the exit code says whether all of them were kept.

mod comebacks;
mod heard;
mod promises;
mod record;
mod report;
mod screen;
mod server;
mod story;
mod traffic;
mod trouble;
mod upstream;

use std::process::ExitCode;
use std::time::Duration;

use evenkeel::{Balancer, BoxError, Config, Endpoint, FailureKind, Outcome};
use tokio::time::timeout;

use crate::screen::say;
use crate::server::Server;
use crate::upstream::{Answer, Client, Error, Upstream};

const SETTINGS: &str = r#"
name = "quickstart"

[strategy]
kind = "least_request"
failure_penalty = "500ms"   # how long a failure counts as a request in flight

[limits]
attempt_timeout = "1s"      # whoever takes longer has failed

[outlier]                   # five failures in a row take an endpoint out, with or without this
interval = "250ms"
base_ejection_time = "300ms"
max_ejection_time = "500ms"

[outlier.latency]           # so does being three times as slow as the others, and by this much
minimum_gap = "150ms"
request_volume = 20

[slow_start]
window = "1s"               # how long the share of one who comes back grows
"#;

fn balance(servers: &[Server], client: &Client) -> Result<Balancer<Upstream>, BoxError> {
    let endpoints = servers
        .iter()
        .map(|server| Endpoint::new(server.name, Upstream::new(client, &server.address)));

    let settings = Config::from_toml(SETTINGS)?;
    let balancer = Balancer::builder().config(settings).endpoints(endpoints).build()?;
    Ok(balancer)
}

/// What a result says about the server it came from; `Balance::classify` takes it. (With the
/// feature `http` there is `ByStatus`, which knows more.)
fn judge(result: Result<&Answer, &Error>) -> Outcome {
    match result {
        Ok(answer) if answer.status().is_server_error() => Outcome::failure(),
        Ok(_) => Outcome::Success,
        Err(_) => Outcome::Failure(FailureKind::Local),
    }
}

/// Far more than the run needs on a slow machine; whatever hangs is an error.
const LIMIT: Duration = Duration::from_mins(3);

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    let record =
        timeout(LIMIT, story::run()).await.map_err(|_| "the run did not come to its end")??;
    say(&report::table(&record));
    let promises = promises::check(&record, &"e".into());
    promises.iter().for_each(|promise| say(&promise.line()));
    let kept = promises.iter().all(|promise| promise.kept);
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
