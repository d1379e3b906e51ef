//! Settings, parsed and checked once, so that nothing behind them checks again.
//!
//! A value of these types is valid by construction: ranges are kept by the setters, and the
//! reader of files goes through the same setters. Each section is one file, which holds the type,
//! what its keys mean and, with the feature `config`, how they are read. What is asked of one key
//! is asked by its setter, what several keys must have in common by [`Config::contradictions`];
//! what is valid and still hardly meant is told by [`Config::warnings`].
//!
#![doc = include_str!("../../docs/settings.md")]

mod alarms;
mod audit;
mod choices;
mod contradictions;
mod decisions;
mod difference;
mod endpoints;
mod excerpt;
mod guard;
mod hash;
mod health;
mod ids;
mod kind;
mod limits;
mod number;
mod outlier;
mod panicking;
mod range;
mod root;
mod slow_start;
mod spelling;
mod strategy;
mod tiers;
mod update;
mod warnings;

#[cfg(feature = "config")]
mod document;
#[cfg(feature = "config")]
mod file;
#[cfg(feature = "config")]
mod setting;

#[cfg(test)]
mod tests;

pub(crate) use self::range::within;

pub use self::alarms::{AlarmsConfig, EverybodySlowConfig};
pub use self::audit::AuditConfig;
pub use self::choices::Choices;
pub use self::decisions::DecisionsConfig;
#[cfg(feature = "config")]
pub use self::document::locate;
#[cfg(feature = "sim")]
pub(crate) use self::document::nearest;
#[cfg(feature = "config")]
pub use self::file::ConfigFile;
pub use self::guard::GuardConfig;
pub use self::hash::HashConfig;
pub use self::health::{HealthConfig, InitialHealth};
pub use self::kind::StrategyKind;
pub use self::limits::LimitsConfig;
pub use self::outlier::{
    ConsecutiveFailuresConfig, FailurePercentageConfig, LatencyConfig, OutlierConfig,
    SuccessRateConfig, SuccessRateMethod,
};
pub use self::panicking::{PanicConfig, WhenNoneHealthy};
pub use self::root::Config;
#[cfg(feature = "config")]
pub use self::setting::{Range, Setting, nearest_setting, setting, settings};
pub use self::slow_start::SlowStartConfig;
pub use self::strategy::StrategyConfig;
pub use self::tiers::TiersConfig;
pub use self::update::UpdateConfig;
