//! Settings into TOML, or into any serde format.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::config::spelling::{Spell, Spelling};
use crate::config::{Config, ConfigFile};

impl Serialize for Config {
    /// Every key that has a value, defaults too, in the form in which it is read: what is off as
    /// `false`, durations as text. What is absent is left out. Needs the feature `config`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.spell().serialize(serializer)
    }
}

impl Serialize for ConfigFile {
    /// As its [`Config`]s, several of them by name under `balancer`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.spell().serialize(serializer)
    }
}

impl Serialize for Spelling {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::Off => serializer.serialize_bool(false),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Whole(number) => serializer.serialize_u64(*number),
            Self::Number(number) => serializer.serialize_f64(number.get()),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Table(entries) => {
                let there = || entries.iter().filter(|(_, value)| *value != Self::Absent);
                let mut table = serializer.serialize_map(Some(there().count()))?;
                there().try_for_each(|(key, value)| table.serialize_entry(key, value))?;
                table.end()
            }
        }
    }
}

impl Config {
    /// These settings as TOML, every key that has a value written out.
    ///
    /// [`from_toml`](Self::from_toml) makes the same settings of it, if it is no longer than
    /// [`MAX_TOML_BYTES`](Self::MAX_TOML_BYTES). What is off stands as `false`; what is absent, as
    /// `limits.attempt_timeout` by default, is left out. Needs the feature `config`.
    ///
    /// ```
    /// use evenkeel::Config;
    ///
    /// let config = Config::from_toml("update = false\nstrategy.decay = '0.5m'")?;
    /// let text = config.to_toml();
    /// assert!(text.starts_with("update = false\nhealth = false\n\n[strategy]\n"));
    /// assert!(text.contains("decay = \"30s\"\n"));
    /// assert_eq!(Config::from_toml(&text)?, config);
    /// # Ok::<(), evenkeel::ConfigError>(())
    /// ```
    #[must_use]
    pub fn to_toml(&self) -> String {
        to_toml(self)
    }
}

impl ConfigFile {
    /// The settings as TOML, as [`Config::to_toml`] writes them, several below `[balancer.NAME]`.
    #[must_use]
    pub fn to_toml(&self) -> String {
        to_toml(self)
    }
}

fn to_toml(settings: &impl Serialize) -> String {
    toml::to_string(settings).expect("tables of flags, numbers and texts have a form in TOML")
}
