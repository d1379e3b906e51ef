//! What the drills share: a shop, its callers, and what protects it.

use std::time::Duration;

use crate::config::Config;
use crate::sim::{
    Action, Applied, Arrivals, Change, Client, Expect, Retries, Scenario, Server, ServiceTime,
};

/// The settings of the runs with the protection on, but for what a drill is about.
///
/// One endpoint of five is given two fifths at most by any change; failures are seen by streaks, by
/// comparison and by active checks.
pub const PROTECTED: &str = r#"
guard.max_share_percent = 40
limits.attempt_timeout = "5s"

[outlier]
interval = "5s"

[outlier.success_rate]
request_volume = 15
minimum_hosts = 3
minimum_failures = 3

[health]
interval = "2s"
fall = 2
"#;

/// What the others had: nothing.
pub(super) const BARE: &str = r#"
outlier = false
panic = false
update = false
limits.attempt_timeout = "5s"
slow_start.min_weight_percent = 100
"#;

/// The endpoints of the shop.
pub(super) const SERVERS: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Requests a second that all of them can serve together.
pub(super) const ALL: f64 = 20.0;

pub(super) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

/// When trouble begins: until then all is well, and guards learn what that is like.
pub(super) const TROUBLE: Duration = minutes(2);

/// This long after the trouble began.
pub(super) fn after(time: Duration) -> Duration {
    TROUBLE + time
}

/// What the drills' own settings come to: they are valid, which a test holds.
pub(super) fn settings(text: &str) -> Config {
    Config::from_toml(text).unwrap_or_default()
}

/// A server of the shop: two workers, which take half a second at random. Of fifty requests in hand
/// it dies, and stays dead until somebody restarts it.
pub(super) fn server(name: &str) -> Server {
    Server::new(name)
        .service(ServiceTime::exponential(Duration::from_millis(500)))
        .workers(2)
        .crash_at(50)
        .cold(2.0, minutes(1))
}

/// Callers who try once more after a second, and are gone after ten.
pub(super) fn callers(arrivals: Arrivals) -> Arrivals {
    arrivals.retries(Retries::times(1).after(seconds(1))).patience(seconds(10))
}

/// Five servers and one client of these settings.
pub(super) fn shop(name: &str, settings: Config, lasting: Duration) -> Scenario {
    Scenario::new(name)
        .servers(SERVERS.map(server))
        .client(Client::new("shop").config(settings))
        .lasting(lasting)
        .trouble_at(TROUBLE)
        .interval(seconds(1))
}

/// The shop as it was: nobody listens to what its balancer says, until somebody notices.
pub(super) fn deaf_shop(name: &str, settings: Config, lasting: Duration) -> Scenario {
    shop(name, settings, lasting).detected_by(["noticed"])
}

/// A change of the settings as the protected make it: watched for half a minute.
pub(super) fn guarded(config: Config) -> Action {
    Action::Apply(Box::new(Applied {
        config,
        guarded_for: Some(seconds(30)),
        by: Some(String::from("an engineer")),
    }))
}

/// The set with these weights, and an address for each id.
pub(super) fn endpoints<'s>(set: impl IntoIterator<Item = (&'s str, &'s str, u32)>) -> String {
    let endpoint = |(id, address, weight)| {
        format!("[[endpoints]]\nid = \"{id}\"\naddress = \"{address}\"\nweight = {weight}\n")
    };
    set.into_iter().map(endpoint).collect()
}

/// The set with these weights.
pub(super) fn weights(weights: [u32; 5]) -> String {
    endpoints(SERVERS.into_iter().zip(weights).map(|(name, weight)| (name, name, weight)))
}

/// Every server that is down is restarted at once.
pub(super) fn restart_all(at: Duration) -> impl Iterator<Item = Change> {
    SERVERS.into_iter().map(move |server| Change::at(at, Action::restart(server)))
}

/// What took the reports hours: detected within ten seconds and over within sixty, with under one
/// percent of the requests failed, and no second server lost.
pub(super) fn target() -> Expect {
    Expect::new()
        .failed_percent_at_most(1.0)
        .detected_within(seconds(10))
        .recovered_within(seconds(60))
        .servers_lost_at_most(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_those_that_are_written() {
        for text in [PROTECTED, BARE, &weights([1, 2, 3, 4, 5])] {
            Config::from_toml(text).unwrap();
        }
        let server = server("a");
        assert!((5.0 * server.capacity() - ALL).abs() < 1e-9);
    }
}
