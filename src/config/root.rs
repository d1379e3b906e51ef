//! The settings as a whole.

use super::alarms::AlarmsConfig;
use super::audit::AuditConfig;
use super::decisions::DecisionsConfig;
use super::guard::GuardConfig;
use super::hash::HashConfig;
use super::health::HealthConfig;
use super::ids::Ids;
use super::limits::LimitsConfig;
use super::outlier::OutlierConfig;
use super::panicking::PanicConfig;
use super::slow_start::SlowStartConfig;
use super::spelling::{Spell, Spelling};
use super::strategy::StrategyConfig;
use super::tiers::TiersConfig;
use super::update::UpdateConfig;
use crate::endpoint::EndpointSpec;
use crate::error::Problem;

/// Everything about a balancer that can be changed while it runs.
///
/// A value of this type is valid: each setter keeps its range, and `Config::from_toml` goes
/// through the same checks. [`warnings`](Self::warnings) tells what is valid and still hardly
/// meant.
///
/// ```
/// use evenkeel::config::{Config, StrategyConfig, StrategyKind};
///
/// let config = Config::default()
///     .with_name("checkout")
///     .with_strategy(StrategyConfig::new(StrategyKind::RoundRobin));
/// assert_eq!(config.name(), Some("checkout"));
/// assert!(config.update().is_some());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    name: Option<String>,
    strategy: StrategyConfig,
    update: Option<UpdateConfig>,
    outlier: Option<OutlierConfig>,
    health: Option<HealthConfig>,
    panic: Option<PanicConfig>,
    slow_start: SlowStartConfig,
    tiers: Option<TiersConfig>,
    hash: HashConfig,
    limits: LimitsConfig,
    guard: GuardConfig,
    alarms: Option<AlarmsConfig>,
    decisions: Option<DecisionsConfig>,
    audit: Option<AuditConfig>,
    endpoints: Option<Vec<EndpointSpec>>,
}

impl Default for Config {
    /// What an empty file says: no name, the default strategy, the update guard, outlier handling,
    /// panic mode, tiers, alarms, records of decisions and the audit on, active checks off, and no
    /// word about the endpoints.
    fn default() -> Self {
        Self {
            name: None,
            strategy: StrategyConfig::default(),
            update: Some(UpdateConfig::default()),
            outlier: Some(OutlierConfig::default()),
            health: None,
            panic: Some(PanicConfig::default()),
            slow_start: SlowStartConfig::default(),
            tiers: Some(TiersConfig::default()),
            hash: HashConfig::default(),
            limits: LimitsConfig::default(),
            guard: GuardConfig::default(),
            alarms: Some(AlarmsConfig::default()),
            decisions: Some(DecisionsConfig::default()),
            audit: Some(AuditConfig::default()),
            endpoints: None,
        }
    }
}

impl Config {
    /// What the balancer is called in events and status; default none.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// `[strategy]`: how an endpoint is chosen.
    #[must_use]
    pub const fn strategy(&self) -> &StrategyConfig {
        &self.strategy
    }

    /// `[update]`: which changes of the set are believed at once; `None` after `update = false`.
    #[must_use]
    pub const fn update(&self) -> Option<&UpdateConfig> {
        self.update.as_ref()
    }

    /// `[outlier]`: what follows from the answers an endpoint gives; `None` after
    /// `outlier = false`. Removed endpoints are then still remembered, `Retry-After` still
    /// honoured, and what operators eject still comes back, as by default.
    #[must_use]
    pub const fn outlier(&self) -> Option<&OutlierConfig> {
        self.outlier.as_ref()
    }

    /// What is remembered of endpoints and how ejections go, which goes on at its defaults when
    /// outlier handling is off.
    pub(crate) fn memory(&self) -> OutlierConfig {
        self.outlier.clone().unwrap_or_default()
    }

    /// `[health]`: when endpoints are asked whether they are well; `None`, the default, never asks.
    #[must_use]
    pub const fn health(&self) -> Option<&HealthConfig> {
        self.health.as_ref()
    }

    /// `[panic]`: when health is not believed any more; `None` after `panic = false`.
    #[must_use]
    pub const fn panic(&self) -> Option<&PanicConfig> {
        self.panic.as_ref()
    }

    /// `[slow_start]`: how the share of an endpoint grows that comes back or joins.
    #[must_use]
    pub const fn slow_start(&self) -> &SlowStartConfig {
        &self.slow_start
    }

    /// `[tiers]`: which endpoints are preferred, and what spills over; `None` after
    /// `tiers = false`.
    #[must_use]
    pub const fn tiers(&self) -> Option<&TiersConfig> {
        self.tiers.as_ref()
    }

    /// `[hash]`: how `ring_hash` and `maglev` map keys to endpoints.
    #[must_use]
    pub const fn hash(&self) -> &HashConfig {
        &self.hash
    }

    /// `[limits]`: how long a request may take.
    #[must_use]
    pub const fn limits(&self) -> &LimitsConfig {
        &self.limits
    }

    /// `[guard]`: how much one endpoint may come to receive.
    #[must_use]
    pub const fn guard(&self) -> &GuardConfig {
        &self.guard
    }

    /// `[alarms]`: when somebody should look at the balancer; `None` after `alarms = false`.
    #[must_use]
    pub const fn alarms(&self) -> Option<&AlarmsConfig> {
        self.alarms.as_ref()
    }

    /// `[decisions]`: which picks are recorded; `None` after `decisions = false`.
    #[must_use]
    pub const fn decisions(&self) -> Option<&DecisionsConfig> {
        self.decisions.as_ref()
    }

    /// `[audit]`: when requests count as spread otherwise than intended; `None` after
    /// `audit = false`.
    #[must_use]
    pub const fn audit(&self) -> Option<&AuditConfig> {
        self.audit.as_ref()
    }

    /// `[[endpoints]]`: the set, where the settings carry it; `None`, the default, leaves the set
    /// alone.
    #[must_use]
    pub fn endpoints(&self) -> Option<&[EndpointSpec]> {
        self.endpoints.as_deref()
    }

    /// Sets the [name](Self::name).
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the [strategy](Self::strategy).
    #[must_use]
    pub fn with_strategy(mut self, strategy: StrategyConfig) -> Self {
        self.strategy = strategy;
        self
    }

    /// Sets the [update guard](Self::update); `None` switches it off.
    #[must_use]
    pub fn with_update(mut self, update: Option<UpdateConfig>) -> Self {
        self.update = update;
        self
    }

    /// Sets [outlier handling](Self::outlier); `None` switches it off.
    #[must_use]
    pub fn with_outlier(mut self, outlier: Option<OutlierConfig>) -> Self {
        self.outlier = outlier;
        self
    }

    /// Sets [active checks](Self::health); `None` switches them off.
    #[must_use]
    pub fn with_health(mut self, health: Option<HealthConfig>) -> Self {
        self.health = health;
        self
    }

    /// Sets [panic mode](Self::panic); `None` switches it off.
    #[must_use]
    pub fn with_panic(mut self, panic: Option<PanicConfig>) -> Self {
        self.panic = panic;
        self
    }

    /// Sets [how shares grow](Self::slow_start).
    #[must_use]
    pub fn with_slow_start(mut self, slow_start: SlowStartConfig) -> Self {
        self.slow_start = slow_start;
        self
    }

    /// Sets [which endpoints are preferred](Self::tiers); `None` prefers none.
    #[must_use]
    pub fn with_tiers(mut self, tiers: Option<TiersConfig>) -> Self {
        self.tiers = tiers;
        self
    }

    /// Sets [how keys are mapped](Self::hash).
    #[must_use]
    pub fn with_hash(mut self, hash: HashConfig) -> Self {
        self.hash = hash;
        self
    }

    /// Sets the [limits](Self::limits).
    #[must_use]
    pub fn with_limits(mut self, limits: LimitsConfig) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the [share guard](Self::guard).
    #[must_use]
    pub fn with_guard(mut self, guard: GuardConfig) -> Self {
        self.guard = guard;
        self
    }

    /// Sets [what is an alarm](Self::alarms); `None` switches all of them off.
    #[must_use]
    pub fn with_alarms(mut self, alarms: Option<AlarmsConfig>) -> Self {
        self.alarms = alarms;
        self
    }

    /// Sets [which picks are recorded](Self::decisions); `None` records none.
    #[must_use]
    pub fn with_decisions(mut self, decisions: Option<DecisionsConfig>) -> Self {
        self.decisions = decisions;
        self
    }

    /// Sets [how shares are watched](Self::audit); `None` watches nothing.
    #[must_use]
    pub fn with_audit(mut self, audit: Option<AuditConfig>) -> Self {
        self.audit = audit;
        self
    }

    /// Sets the [endpoints](Self::endpoints); `None` leaves the set alone, an empty list asks for
    /// an empty one.
    ///
    /// # Errors
    ///
    /// If an id is empty, or two endpoints share one.
    pub fn with_endpoints(mut self, endpoints: Option<Vec<EndpointSpec>>) -> Result<Self, Problem> {
        let mut ids = Ids::default();
        for (index, endpoint) in endpoints.iter().flatten().enumerate() {
            ids.admit(index, &endpoint.id).map_err(|bad| bad.problem)?;
        }
        self.endpoints = endpoints;
        Ok(self)
    }
}

impl Spell for Config {
    fn spell(&self) -> Spelling {
        let endpoints = self.endpoints.as_ref().map(|specs| specs.iter().map(Spell::spell));
        Spelling::table([
            ("name", Spelling::or_absent(self.name())),
            ("strategy", self.strategy.spell()),
            ("update", Spelling::or_off(self.update())),
            ("outlier", Spelling::or_off(self.outlier())),
            ("health", Spelling::or_off(self.health())),
            ("panic", Spelling::or_off(self.panic())),
            ("slow_start", self.slow_start.spell()),
            ("tiers", Spelling::or_off(self.tiers())),
            ("hash", self.hash.spell()),
            ("limits", self.limits.spell()),
            ("guard", self.guard.spell()),
            ("alarms", Spelling::or_off(self.alarms())),
            ("decisions", Spelling::or_off(self.decisions())),
            ("audit", Spelling::or_off(self.audit())),
            ("endpoints", endpoints.map_or(Spelling::Absent, |all| Spelling::List(all.collect()))),
        ])
    }
}

#[cfg(feature = "config")]
mod reading {
    use super::{
        AlarmsConfig, AuditConfig, Config, DecisionsConfig, GuardConfig, HashConfig, HealthConfig,
        LimitsConfig, OutlierConfig, PanicConfig, SlowStartConfig, StrategyConfig, TiersConfig,
        UpdateConfig,
    };
    use crate::config::document::{Key, Keyed, Section, text};
    use crate::config::endpoints::endpoints;
    use crate::config::setting::Range;
    use crate::endpoint::EndpointSpec;

    impl Keyed for Config {
        const KEYS: &'static [Key<Self>] = &[
            Key::new(
                "name",
                Range::Text,
                "What the balancer is called in events and status. Under `[balancer.NAME]` it is \
                 NAME, and need not be said.",
                |it, found| Ok(it.with_name(text(found)?)),
            ),
            Key::table::<StrategyConfig>(
                "strategy",
                "How the endpoint of a request is chosen.",
                |it, section, key| section.table(key, &mut it.strategy),
            ),
            Key::<Self>::table::<UpdateConfig>(
                "update",
                "Which changes of the set of endpoints are believed at once; an empty or much \
                 smaller set is held back until it is confirmed.",
                |it, section, key| section.mechanism(key, &mut it.update),
            )
            .or_off(),
            Key::<Self>::table::<OutlierConfig>(
                "outlier",
                "What follows from the answers that an endpoint gives.",
                |it, section, key| section.mechanism(key, &mut it.outlier),
            )
            .or_off(),
            Key::<Self>::table::<HealthConfig>(
                "health",
                "Active checks: when endpoints are asked whether they are well, and how many \
                 answers decide.",
                |it, section, key| section.mechanism(key, &mut it.health),
            )
            .or_off(),
            Key::<Self>::table::<PanicConfig>(
                "panic",
                "When so few endpoints are left that health is not believed, and all are served.",
                |it, section, key| section.mechanism(key, &mut it.panic),
            )
            .or_off(),
            Key::table::<SlowStartConfig>(
                "slow_start",
                "How the share of an endpoint grows that comes back after an ejection; always on.",
                |it, section, key| {
                    let why = "the ramp after an ejection is always on; a table here shapes it";
                    section.always_on(key, &mut it.slow_start, why);
                },
            ),
            Key::<Self>::table::<TiersConfig>(
                "tiers",
                "How requests are spread over tiers, and within a tier over zones: to the \
                 preferred ones, as far as they can carry it. Switched off, the tiers and zones \
                 of endpoints are only names.",
                |it, section, key| section.mechanism(key, &mut it.tiers),
            )
            .or_off(),
            Key::table::<HashConfig>(
                "hash",
                "How `ring_hash` and `maglev` map keys to endpoints.",
                |it, section, key| section.table(key, &mut it.hash),
            ),
            Key::table::<LimitsConfig>("limits", "Bounds on each request.", |it, section, key| {
                section.table(key, &mut it.limits);
            }),
            Key::table::<GuardConfig>(
                "guard",
                "How much one endpoint may come to receive by a change.",
                |it, section, key| section.table(key, &mut it.guard),
            ),
            Key::<Self>::table::<AlarmsConfig>(
                "alarms",
                "When somebody should look at the balancer. Most rules are a time: how long \
                 something has to last before an alarm is raised, and zero raises it at once.",
                |it, section, key| section.mechanism(key, &mut it.alarms),
            )
            .or_off(),
            Key::<Self>::table::<DecisionsConfig>(
                "decisions",
                "Which picks are recorded, for whoever asks later why they went where they went.",
                |it, section, key| section.mechanism(key, &mut it.decisions),
            )
            .or_off(),
            Key::<Self>::table::<AuditConfig>(
                "audit",
                "How closely who gets what is watched: requests that are spread otherwise than \
                 intended are told by an event, with the cause.",
                |it, section, key| section.mechanism(key, &mut it.audit),
            )
            .or_off(),
            Key::tables::<EndpointSpec>(
                "endpoints",
                "The set of endpoints; without it the settings leave the set alone, and an empty \
                 list asks for an empty set.",
                |it, section, key| it.endpoints = endpoints(section, key),
            ),
        ];

        fn blank() -> Self {
            Self::default()
        }
    }

    impl Config {
        /// What stays at its default after a problem does not matter: the whole is then refused.
        pub(in crate::config) fn read(section: &mut Section<'_, '_>) -> Self {
            let before = section.faults();
            let config = section.keys(Self::default());
            if section.faults() == before {
                for problem in config.contradictions() {
                    section.refuse_at(problem);
                }
            }
            config
        }
    }
}
