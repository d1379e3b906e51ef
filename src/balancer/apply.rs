//! Changes of the settings.

use crate::balancer::core::{Core, Writer};
use crate::balancer::{Balancer, now};
use crate::config::Config;
use crate::error::{ConfigError, Problem};
use crate::event::{Event, Published};
use crate::snapshot::{Draft, Snapshot};
use crate::sync::Arc;
use crate::units::Version;

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
    /// the place in the round are kept. Settings equal to those served change nothing.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], if the strategy is not known, panics while it prepares, or if the change
    /// carries endpoints: those are not taken from a change yet.
    pub fn apply(&self, change: impl Into<Change>) -> Result<Version, ConfigError> {
        self.core.apply(change.into())
    }
}

impl<T: Send + Sync + 'static> Core<T> {
    fn apply(&self, change: Change) -> Result<Version, ConfigError> {
        let now = self.ground.origin.nanos(now());
        self.write(now, |writer, base| {
            self.apply_to(writer, base, change).inspect_err(|error| {
                let version = base.version;
                self.hub.send(Event::ConfigRefused { version, error: error.clone() });
            })
        })
    }

    fn apply_to(
        &self,
        writer: &mut Writer<T>,
        base: &Snapshot<T>,
        change: Change,
    ) -> Result<Version, ConfigError> {
        let Change { config, by, because } = change;
        if config == *base.config {
            return Ok(base.version);
        }
        if config.endpoints() != base.config.endpoints() {
            let message = "are not taken from a change of the settings yet; use replace_specs";
            return Err(Problem::error("endpoints", message).into());
        }
        let chosen = self.named.choose(config.strategy())?;
        let name = Arc::clone(&chosen.name);
        let mut draft = Draft { config: Arc::new(config), chosen, ..Draft::of(base) };
        draft.version = draft.version.next_config();
        let published = Published::Configured { by, because };
        self.publish(writer, base, draft, Some(published)).map_err(|_| {
            let message = format!("strategy `{name}` panicked while it prepared its picker");
            ConfigError::from(Problem::error("strategy", message))
        })
    }
}
