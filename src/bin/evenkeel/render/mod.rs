//! Answers as text for people.

mod drill;
mod problems;
mod report;
mod settings;
mod shares;
mod text;

pub(crate) use self::drill::{drilled, drills, rehearsed};
pub(crate) use self::problems::listed;
pub(crate) use self::report::report;
pub(crate) use self::settings::{all_settings, one_setting};
pub(crate) use self::shares::preview;
pub(crate) use self::text::{failure, safe, short};
