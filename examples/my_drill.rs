//! A drill of one's own: what happens to *our* service when one of its servers goes grey?
//!
//! Three servers, the settings that run in production, and the load of a usual morning. In its second
//! minute one server becomes six times as slow and fails one in five of its answers, while its
//! checks go on looking fine. The drill is a test, so that settings which no longer cope with it fail
//! the build:
//!
//! ```text
//! cargo run --example my_drill --features sim
//! cargo test --example my_drill --features sim
//! ```

use std::time::Duration;

use evenkeel::sim::{
    Action, Arrivals, Change, Client, Expect, Fault, Run, Scenario, Server, ServiceTime,
};
use evenkeel::{BoxError, Config};

/// What runs in production; a file, most often: `include_str!("../lb.toml")`.
const SETTINGS: &str = r#"
limits.attempt_timeout = "500ms"

[outlier]
interval = "5s"
[outlier.success_rate]
minimum_hosts = 3
request_volume = 50
[outlier.latency]
"#;

/// Each server works on eight requests at once, and takes 20 ms, or 200 for one in twenty.
fn server(name: &str) -> Server {
    let (fast, slow) = (Duration::from_millis(20), Duration::from_millis(200));
    Server::new(name).service(ServiceTime::bimodal(fast, slow, 5.0)).workers(8)
}

fn grey_server(settings: &str) -> Result<Scenario, BoxError> {
    let users = Arrivals::poisson(200.0).patience(Duration::from_secs(2));
    Ok(Scenario::new("one server goes grey")
        .servers(["ann", "bob", "cal"].map(server))
        .client(Client::new("checkout").copies(2).config(Config::from_toml(settings)?))
        .arrivals(users)
        .change(Change::at(Duration::from_secs(60), Action::fault("bob", Fault::grey(6.0, 20.0))))
        .change(Change::at(Duration::from_secs(120), Action::heal("bob")))
        .lasting(Duration::from_secs(240)))
}

/// What we want to be able to say of it.
fn expected() -> Expect {
    Expect::new()
        .recovered_within(Duration::from_secs(10))
        .failed_percent_at_most(0.5)
        .p99_at_most(Duration::from_millis(500))
}

fn print(run: &Run) {
    println!("{}\n\n  from      ann   bob   cal  failed    p99", run.scenario);
    for ten in run.intervals.chunks(10) {
        let sent = |at: usize| ten.iter().map(|second| second.sent[at]).sum::<u64>() as f64;
        let all = sent(0) + sent(1) + sent(2);
        let [ann, bob, cal] = [0, 1, 2].map(|at| 100.0 * sent(at) / all);
        let failed: u64 = ten.iter().map(|second| second.failures).sum();
        let p99 = ten.iter().map(|second| second.latency.p99).max().unwrap_or_default();
        let from = ten[0].at.as_secs();
        println!("{from:>5} s  {ann:>4.0} %{bob:>4.0} %{cal:>4.0} %{failed:>8}  {p99:>5.0?}");
    }
    println!();
    for happening in run.happenings.iter().filter(|it| it.kind != "recovery") {
        let who = happening.client.as_deref().unwrap_or("");
        println!("{:>6.1} s  {who:<10}  {}", happening.at.as_secs_f64(), happening.text);
    }
}

fn main() -> Result<(), BoxError> {
    let run = grey_server(SETTINGS)?.run()?;
    print(&run);
    run.check(&expected())?;
    println!("\nall as expected");
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn we_outlive_a_grey_server() {
        for seed in 0..3 {
            let run = grey_server(SETTINGS).unwrap().seed(seed).run().unwrap();
            run.check(&expected()).unwrap_or_else(|unmet| panic!("seed {seed}: {unmet}"));
        }
    }

    /// A drill that cannot fail shows nothing. By turns, and with nobody taken out, it does.
    #[test]
    fn we_would_not_by_turns() {
        let by_turns = "outlier = false\nstrategy.kind = 'round_robin'";
        let run = grey_server(by_turns).unwrap().run().unwrap();
        let unmet = run.check(&expected()).unwrap_err();
        assert_eq!(unmet.findings().len(), 2, "{unmet}");
    }
}
