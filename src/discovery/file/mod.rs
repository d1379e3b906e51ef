//! A TOML file that is followed.
//!
//! What the system says about the file ([`eyes`]) only says when to look. What counts is what a
//! look sees, and only once it has settled ([`pace`]); what follows from it is decided in
//! [`course`]. These two are told the time and touch no file.

mod course;
mod eyes;
mod follow;
mod pace;
mod places;
mod read;
mod source;

pub use self::source::FileSource;
