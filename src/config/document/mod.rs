//! How a document becomes settings: a small tree of values, read section by section.
//!
//! [`toml`] and [`any`] make the tree, the first with places in the text; [`section`] takes it
//! apart and knows which keys were asked for, [`parts`] reads them, and [`unknown`] speaks of the
//! others; [`key`] is what a section's own file says of each
//! of its keys; [`value`] says what a value must be; [`faults`]
//! gathers what is wrong, and [`mod@locate`] finds the places of what others find wrong. [`writing`] goes the way back.

mod any;
mod faults;
mod key;
mod locate;
mod nearest;
mod nesting;
mod node;
mod parts;
mod section;
mod toml;
mod unknown;
mod value;
mod writing;

pub(super) use self::key::{Key, Keyed, list};
pub(crate) use self::nearest::nearest;
pub(super) use self::section::Section;
pub use self::toml::locate;
pub(super) use self::value::{
    choices, count, duration, duration_within, flag, number, or_off, percent, text, whole, word,
};
