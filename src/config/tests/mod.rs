//! What the settings promise, from outside of the types.

mod difference;
mod types;
mod warnings;

#[cfg(feature = "config")]
mod any;
#[cfg(feature = "config")]
mod arbitrary;
#[cfg(feature = "config")]
mod file;
#[cfg(feature = "config")]
mod generated;
#[cfg(feature = "config")]
mod hostile;
#[cfg(feature = "config")]
mod odd;
#[cfg(feature = "config")]
mod places;
#[cfg(feature = "config")]
mod refusals;
#[cfg(feature = "config")]
mod round_trip;
#[cfg(feature = "config")]
mod scale;
#[cfg(feature = "config")]
mod settings;
#[cfg(feature = "config")]
mod settings_page;
#[cfg(feature = "config")]
mod text;
#[cfg(feature = "config")]
mod wrong;
