//! What is valid and still hardly meant.

mod audit;
mod ejections;
mod keys;

use self::audit::of_audit;
use self::ejections::{of_outlier, of_panic, of_slow_start};
use self::keys::of_hash;
use crate::config::Config;
use crate::config::alarms::AlarmsConfig;
use crate::config::choices::Choices;
use crate::config::health::HealthConfig;
use crate::config::limits::LimitsConfig;
use crate::config::outlier::OutlierConfig;
use crate::config::range::Spelt;
use crate::config::strategy::StrategyConfig;
use crate::config::tiers::TiersConfig;
use crate::config::update::UpdateConfig;
use crate::endpoint::EndpointSpec;
use crate::error::Problem;

impl Config {
    /// What these settings would do to a set of `endpoints` endpoints that is hardly meant.
    ///
    /// With 0, for a set that is not known yet, only what holds for every set is told. Defaults
    /// are never warned of.
    ///
    /// ```
    /// use evenkeel::config::{Choices, Config, StrategyConfig, StrategyKind};
    ///
    /// let strategy = StrategyConfig::new(StrategyKind::LeastRequest)
    ///     .with_choices(Choices::of(8).unwrap());
    /// let warnings = Config::default().with_strategy(strategy).warnings(3);
    /// assert_eq!(warnings[0].path, "strategy.choices");
    /// ```
    #[must_use]
    pub fn warnings(&self, endpoints: usize) -> Vec<Problem> {
        let mut found = Vec::new();
        if self.name() == Some("") {
            found.push(Problem::warning("name", "is empty; leave it out, or say what it balances"));
        }
        of_strategy(self.strategy(), endpoints, &mut found);
        if let Some(update) = self.update() {
            of_update(update, endpoints, &mut found);
        }
        if let Some(outlier) = self.outlier() {
            of_outlier(outlier, self.panic(), endpoints, &mut found);
            of_patience(outlier, self.limits(), &mut found);
        }
        if let Some(health) = self.health() {
            of_health(health, &mut found);
        }
        if let Some(panic) = self.panic() {
            of_panic(panic, endpoints, &mut found);
        }
        of_slow_start(self.slow_start(), &mut found);
        if let Some(tiers) = self.tiers() {
            of_tiers(tiers, &mut found);
        }
        of_hash(self.hash(), self.strategy().kind(), endpoints, &mut found);
        if let (Some(alarms), Some(update)) = (self.alarms(), self.update()) {
            of_alarms(alarms, update, &mut found);
        }
        if let Some(audit) = self.audit() {
            of_audit(audit, self.strategy().kind(), &mut found);
        }
        if let Some(specs) = self.endpoints() {
            of_endpoints(specs, self.update(), &mut found);
        }
        found
    }
}

fn of_strategy(strategy: &StrategyConfig, endpoints: usize, found: &mut Vec<Problem>) {
    let kind = strategy.kind();
    let default = StrategyConfig::default();
    let unread = [
        ("choices", !kind.reads_choices() && strategy.choices() != default.choices()),
        ("decay", !kind.reads_decay() && strategy.decay() != default.decay()),
        (
            "failure_penalty",
            !kind.reads_failure_penalty()
                && strategy.failure_penalty() != default.failure_penalty(),
        ),
    ];
    for (key, _) in unread.into_iter().filter(|(_, unread)| *unread) {
        let message = format!("kind = \"{kind}\" does not read it, so it has no effect");
        found.push(Problem::warning(format!("strategy.{key}"), message));
    }
    if kind.reads_failure_penalty() && strategy.failure_penalty().is_none() {
        found.push(Problem::warning(
            "strategy.failure_penalty",
            "is off: an endpoint that fails at once looks idle, and so attracts requests",
        ));
    }
    if let Some(choices) = strategy.choices().count()
        && strategy.choices() != Choices::default()
        && kind.reads_choices()
        && (1..=choices).contains(&endpoints)
    {
        let message = format!(
            "{choices} choices among {endpoints} endpoints compare all of them for each pick, as \
             \"all\" does"
        );
        found.push(Problem::warning("strategy.choices", message));
    }
}

fn of_update(update: &UpdateConfig, endpoints: usize, found: &mut Vec<Problem>) {
    let default = UpdateConfig::default();
    let percent = update.max_shrink_percent();
    let guarded = endpoints > 0 && endpoints >= update.min_endpoints();
    let wait = Spelt(update.confirm_after());
    if percent.get() == 100 {
        found.push(Problem::warning(
            "update.max_shrink_percent",
            "at 100 the set may shrink to a single endpoint at once; only an empty list is held \
             back",
        ));
    } else if percent.get() == 0 {
        let message = format!("at 0 no endpoint may go at once: each removal waits {wait}");
        found.push(Problem::warning("update.max_shrink_percent", message));
    } else if guarded && percent.of(endpoints) == 0 {
        let message = format!(
            "{percent} of {endpoints} endpoints is less than one, so each removal waits {wait}"
        );
        found.push(Problem::warning("update.max_shrink_percent", message));
    }
    if endpoints > 0 && !guarded && update.min_endpoints() != default.min_endpoints() {
        let message = format!(
            "there are only {endpoints} endpoints, fewer than {}, so a shrinking set is never \
             held back",
            update.min_endpoints()
        );
        found.push(Problem::warning("update.min_endpoints", message));
    }
}

fn of_alarms(alarms: &AlarmsConfig, update: &UpdateConfig, found: &mut Vec<Problem>) {
    let confirmed = update.confirm_after();
    if let Some(lasts) = alarms.update_refused()
        && lasts <= confirmed
    {
        let (lasts, confirmed) = (Spelt(lasts), Spelt(confirmed));
        // Of the two, the one that was set.
        let (path, compared) =
            if alarms.update_refused() == AlarmsConfig::default().update_refused() {
                (
                    "update.confirm_after",
                    format!("{confirmed} is no less than alarms.update_refused ({lasts})"),
                )
            } else {
                (
                    "alarms.update_refused",
                    format!("{lasts} is no longer than update.confirm_after ({confirmed})"),
                )
            };
        let message = format!(
            "{compared}, so each smaller set that is meant raises an alarm before it is believed"
        );
        found.push(Problem::warning(path, message));
    }
}

fn of_patience(outlier: &OutlierConfig, limits: &LimitsConfig, found: &mut Vec<Problem>) {
    if let (Some(age), Some(timeout)) = (outlier.abandoned_after(), limits.attempt_timeout())
        && age >= timeout
    {
        let message = format!(
            "{} is not shorter than limits.attempt_timeout, {}, which ends the requests of \
             services first; only a lease of `Balancer::pick` can grow so old",
            Spelt(age),
            Spelt(timeout)
        );
        found.push(Problem::warning("outlier.abandoned_after", message));
    }
}

fn of_health(health: &HealthConfig, found: &mut Vec<Problem>) {
    let (timeout, interval) = (health.timeout(), health.interval());
    if timeout > interval {
        let message = format!(
            "{} is longer than health.interval ({}), so the next check of an endpoint that does \
             not answer comes later than asked",
            Spelt(timeout),
            Spelt(interval)
        );
        found.push(Problem::warning("health.timeout", message));
    }
    if health.fall() == 1 {
        found.push(Problem::warning(
            "health.fall",
            "at 1 a single bad answer, if only for a lost packet, takes an endpoint out",
        ));
    }
}

fn of_tiers(tiers: &TiersConfig, found: &mut Vec<Problem>) {
    if tiers.zone().is_none() && tiers.zone_callers_percent().is_some() {
        found.push(Problem::warning(
            "tiers.zone_callers_percent",
            "has no effect without tiers.zone, which says where this process runs",
        ));
    }
}

fn of_endpoints(specs: &[EndpointSpec], update: Option<&UpdateConfig>, found: &mut Vec<Problem>) {
    if specs.is_empty() {
        if update.is_some_and(|update| !update.allow_empty()) {
            found.push(Problem::warning(
                "endpoints",
                "is an empty list, which keeps the endpoints there are; leave it out, or set \
                 update.allow_empty",
            ));
        }
    } else if specs.iter().all(|spec| spec.weight == 0) {
        found.push(Problem::warning(
            "endpoints",
            "all have weight 0, so none of them takes a request",
        ));
    }
}
