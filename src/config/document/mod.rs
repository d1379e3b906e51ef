//! How a document becomes settings: a small tree of values, read section by section.
//!
//! [`toml`] and [`any`] make the tree, the first with places in the text; [`section`] takes it
//! apart and knows which keys were asked for; [`value`] says what a value must be; [`faults`]
//! gathers what is wrong. What the keys are is told by the sections' own files.

mod any;
mod endpoints;
mod faults;
mod nearest;
mod nesting;
mod node;
mod section;
mod toml;
mod value;

pub(super) use self::endpoints::endpoints;
pub(super) use self::section::Section;
pub(super) use self::value::{choices, count, duration, flag, or_off, percent, text, word};
