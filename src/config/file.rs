//! Settings of one balancer or of several, as a file holds them.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::root::Config;
use super::spelling::{Spell, Spelling};

/// What a file of settings holds: one balancer, or several by name.
///
/// A text has the settings of one balancer at its top level, or those of any number under
/// `[balancer.NAME]`, never both. Settings under `[balancer.checkout]` have the name `checkout`.
///
/// ```
/// use evenkeel::ConfigFile;
/// use evenkeel::config::StrategyKind;
///
/// let file = ConfigFile::from_toml(
///     r#"
///     [balancer.checkout.strategy]
///     kind = "round_robin"
///
///     [[balancer.search.endpoints]]
///     id = "a"
///     address = "http://10.0.0.1:8080"
///     "#,
/// )?;
/// assert!(file.names().eq(["checkout", "search"]));
/// let checkout = file.get("checkout").unwrap();
/// assert_eq!(checkout.strategy().kind(), &StrategyKind::RoundRobin);
/// assert_eq!(file.single(), None);
///
/// let file = ConfigFile::from_toml("strategy.choices = 3")?;
/// assert_eq!(file.single().unwrap().strategy().choices().count(), Some(3));
/// # Ok::<(), evenkeel::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    held: Held,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Held {
    One(Box<Config>),
    /// Each has a name, and they are in the order of their names.
    Several(Vec<Config>),
}

impl Default for ConfigFile {
    /// What an empty text holds: one balancer, all of it at the defaults.
    fn default() -> Self {
        Self::from(Config::default())
    }
}

impl From<Config> for ConfigFile {
    /// One balancer at the top level.
    fn from(config: Config) -> Self {
        Self { held: Held::One(Box::new(config)) }
    }
}

impl ConfigFile {
    /// The settings at the top level; `None` where the balancers stand under `[balancer.NAME]`,
    /// even if it is only one.
    #[must_use]
    pub fn single(&self) -> Option<&Config> {
        match &self.held {
            Held::One(config) => Some(config),
            Held::Several(_) => None,
        }
    }

    /// The settings of the balancer called `name`: under `[balancer.NAME]`, or at the top level
    /// with `name = "NAME"`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Config> {
        let configs = self.configs();
        let found = configs.binary_search_by(|config| match config.name() {
            Some(own) => own.cmp(name),
            None => Ordering::Less,
        });
        configs.get(found.ok()?)
    }

    /// Every balancer with its name, in the order of the names. Only settings at the top level may
    /// have none.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Option<&str>, &Config)> {
        self.configs().iter().map(|config| (config.name(), config))
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.configs().iter().filter_map(Config::name)
    }

    fn configs(&self) -> &[Config] {
        match &self.held {
            Held::One(config) => std::slice::from_ref(&**config),
            Held::Several(configs) => configs,
        }
    }
}

impl Spell for ConfigFile {
    fn spell(&self) -> Spelling {
        match &self.held {
            Held::One(config) => config.spell(),
            Held::Several(configs) => {
                let named = |config: &Config| {
                    (Cow::Owned(String::from(config.name().unwrap_or_default())), config.spell())
                };
                let several = Spelling::Table(configs.iter().map(named).collect());
                Spelling::table([("balancer", several)])
            }
        }
    }
}

mod reading {
    use super::{Config, ConfigFile, Held};
    use crate::config::document::Section;

    const SEVERAL: &str = "balancer";

    impl Config {
        /// The settings of one balancer, from a text that may hold no others.
        pub(in crate::config) fn read_alone(section: &mut Section<'_, '_>) -> Self {
            if section.has(SEVERAL) {
                section.refuse_key(
                    SEVERAL,
                    "holds several balancers, and the settings of one are read here; read the \
                     text with `ConfigFile`, and take one of them by its name",
                );
            }
            Self::read(section)
        }

        fn read_named(name: &str, section: &mut Section<'_, '_>) -> Self {
            let config = Self::read(section);
            if config.name().is_some_and(|own| own != name) {
                section.refuse("name", "differs from the name in the header; leave it out");
            }
            config.with_name(name)
        }
    }

    impl ConfigFile {
        pub(in crate::config) fn read(section: &mut Section<'_, '_>) -> Self {
            if !section.has(SEVERAL) {
                let config = Config::read(section);
                section.also_known(SEVERAL);
                return Self::from(config);
            }
            let several = section.part(SEVERAL, |named| {
                if named.is_empty() {
                    named.refuse_whole("holds no balancer; name one, as in [balancer.checkout]");
                }
                let mut configs = named.sections(Config::read_named);
                configs.sort_by(|one, other| one.name().cmp(&other.name()));
                configs
            });
            section.refuse_others(
                "stands beside `balancer`; settings stand at the top level for one balancer, or \
                 each under a [balancer.NAME] for several, never both: move it under one of them",
            );
            Self { held: Held::Several(several.unwrap_or_default()) }
        }
    }
}
