//! Changes of the settings.

use crate::balancer::core::{Core, Writer};
use crate::balancer::guard::Claim;
use crate::balancer::merge::{Merged, Tally};
use crate::balancer::paired::{Offer, Paired, by_id};
use crate::balancer::verdict::Judged;
use crate::balancer::{Balancer, now};
use crate::config::Config;
use crate::endpoint::EndpointSpec;
use crate::error::{ApplyError, ConfigError, Problem, UpdateError};
use crate::event::{Author, Changed, Event};
use crate::snapshot::{Draft, Snapshot};
use crate::sync::Arc;
use crate::units::{Nanos, Version};

/// New settings, with who wants them and why.
///
/// ```
/// use evenkeel::{Change, Config};
///
/// let change = Change::new(Config::default()).by("ann").because("back to the defaults");
/// ```
#[derive(Clone, Debug)]
pub struct Change {
    config: Config,
    by: Option<String>,
    because: Option<String>,
}

impl Change {
    /// A change to these settings.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config, by: None, because: None }
    }

    pub(crate) fn of(config: Config, author: &Author) -> Self {
        let (by, because) = author.parts();
        Self { config, by, because }
    }

    /// Says who wants it.
    #[must_use]
    pub fn by(mut self, who: impl Into<String>) -> Self {
        self.by = Some(who.into());
        self
    }

    /// Says why.
    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.because = Some(why.into());
        self
    }
}

impl From<Config> for Change {
    fn from(config: Config) -> Self {
        Self::new(config)
    }
}

impl<T: Send + Sync + 'static> Balancer<T> {
    /// Serves other settings from now on: all of them, or none if one of them cannot be.
    ///
    /// The strategy is exchanged between two picks; requests in flight, counters, estimates and
    /// the place in the round are kept. Settings that carry other endpoints than those served
    /// make these the set, in the same step, as [`replace_specs`](Self::replace_specs) does; where
    /// they carry none, or the same, the set is left alone. Settings equal to those served change
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]: the strategy is not known or panics while it prepares, a target cannot be
    /// made, checks are asked for without a probe, or one of the guards refuses. All is then as it
    /// was.
    pub fn apply(&self, change: impl Into<Change>) -> Result<Version, ConfigError> {
        let refused = |error| match error {
            ApplyError::Refused(error) => error,
            ApplyError::Stale { .. } => Problem::error("", "the settings changed meanwhile").into(),
        };
        self.core.apply(None, change.into()).map_err(refused)
    }

    /// As [`apply`](Self::apply), unless the settings or what operators say have changed since
    /// `seen`: so of two writers who have looked at the same version, the second is told.
    ///
    /// Only the `config` part is compared. Discovery and health do not disturb it.
    ///
    /// # Errors
    ///
    /// [`ApplyError::Stale`] with the version there is now, or [`ApplyError::Refused`].
    pub fn apply_if(
        &self,
        seen: Version,
        change: impl Into<Change>,
    ) -> Result<Version, ApplyError> {
        self.core.apply(Some(seen), change.into())
    }
}

impl<T: Send + Sync + 'static> Core<T> {
    fn apply(&self, seen: Option<Version>, change: Change) -> Result<Version, ApplyError> {
        let now = self.ground.origin.nanos(now());
        self.write(now, |writer, base| {
            let current = base.version;
            if let Some(seen) = seen.filter(|seen| seen.config != current.config) {
                let stale = ApplyError::Stale { seen, current };
                let error = Problem::error("", stale.to_string()).into();
                self.hub.push(Event::ConfigRefused { version: current, error });
                return Err(stale);
            }
            self.apply_or_say_why(writer, base, change, now).map_err(ApplyError::Refused)
        })
    }

    /// Applies a change, and tells subscribers if it is refused.
    pub(crate) fn apply_or_say_why(
        &self,
        writer: &mut Writer<T>,
        base: &Snapshot<T>,
        change: Change,
        now: Nanos,
    ) -> Result<Version, ConfigError> {
        self.apply_to(writer, base, change, now).inspect_err(|error| {
            self.hub.push(Event::ConfigRefused { version: base.version, error: error.clone() });
        })
    }

    pub(crate) fn apply_to(
        &self,
        writer: &mut Writer<T>,
        base: &Snapshot<T>,
        change: Change,
        now: Nanos,
    ) -> Result<Version, ConfigError> {
        let applied = self.try_apply_to(writer, base, change, now);
        match &applied {
            Ok(_) => writer.alarms.facts.config_accepted(),
            Err(error) => writer.alarms.facts.config_refused(error.to_string()),
        }
        applied
    }

    fn try_apply_to(
        &self,
        writer: &mut Writer<T>,
        base: &Snapshot<T>,
        change: Change,
        now: Nanos,
    ) -> Result<Version, ConfigError> {
        let Change { config, by, because } = change;
        if config == *base.config {
            return Ok(base.version);
        }
        self.is_ours(&config, &base.config)?;
        self.checks.can_serve(&config)?;
        let chosen = self.named.choose(&config)?;
        let name = Arc::clone(&chosen.name);
        let (mut draft, mut replaced) = (Draft::of(base), false);
        draft.version = base.version.next_config();
        if let Some(specs) = brought(&config, &base.config) {
            let offers = specs.iter().cloned().map(Offer::of_spec);
            let refused = |error: UpdateError| Problem::error("endpoints", error.to_string());
            let mut offers = by_id(offers).map_err(refused)?;
            let offers = Paired::of(base, &mut offers);
            let (claim, origin) = (Claim::of_set(base, &offers), self.ground.origin);
            writer.guard.check(config.update(), claim, now, origin).map_err(refused)?;
            let merged = self.merge(writer, base, offers, &config, now).map_err(refused)?;
            let Merged { members, tally } = merged;
            if tally != Tally::default() {
                draft.version = draft.version.next_set();
            }
            draft.members = members;
            replaced = true;
        }
        let draft = draft.configured(Arc::new(config), chosen);
        let change = Changed::Configured { by, because };
        let version = self
            .publish(writer, base, draft, vec![change], Judged::ByShares, now)
            .map_err(|refused| refused.for_config(&name))?;
        if replaced {
            writer.guard.believe();
            writer.alarms.facts.set_accepted();
            self.remember(writer, base, now);
        }
        Ok(version)
    }

    /// Refuses settings that bear the name of another balancer.
    pub(crate) fn is_ours(&self, config: &Config, served: &Config) -> Result<(), Problem> {
        let ours = &self.shared.name;
        let foreign = config.name().filter(|&name| *name != **ours);
        match foreign.filter(|_| config.name() != served.name()) {
            Some(name) => {
                let message =
                    format!("these are settings for `{name}`, and this balancer is `{ours}`");
                Err(Problem::error("name", message))
            }
            None => Ok(()),
        }
    }
}

/// The endpoints that `config` makes the set, if it describes others than the served settings do.
pub(crate) fn brought<'c>(config: &'c Config, served: &Config) -> Option<&'c [EndpointSpec]> {
    config.endpoints().filter(|_| config.endpoints() != served.endpoints())
}
