//! Settings, parsed and checked once, so that nothing behind them checks again.
//!
//! A value of these types is valid by construction: ranges are kept by the setters, and the
//! reader of files goes through the same setters. Each section is one file, which holds the type,
//! what its keys mean and, with the feature `config`, how they are read.

mod choices;
mod difference;
mod guard;
mod ids;
mod kind;
mod limits;
mod outlier;
mod range;
mod root;
mod strategy;
mod update;
mod warnings;

#[cfg(feature = "config")]
mod document;
#[cfg(feature = "config")]
mod file;

#[cfg(test)]
mod tests;

pub use self::choices::Choices;
#[cfg(feature = "config")]
pub use self::file::ConfigFile;
pub use self::guard::GuardConfig;
pub use self::kind::StrategyKind;
pub use self::limits::LimitsConfig;
pub use self::outlier::OutlierConfig;
pub use self::root::Config;
pub use self::strategy::StrategyConfig;
pub use self::update::UpdateConfig;
