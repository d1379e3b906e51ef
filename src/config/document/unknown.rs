//! What is said of keys that nobody asked for.

use super::nearest::{listed, nearest};
use super::node::path_of;
use super::section::Section;
use crate::error::Problem;

impl Section<'_, '_> {
    /// Reports a problem with every key that was not asked for, unless it is a misspelt one.
    pub(in crate::config) fn refuse_others(&mut self, message: &str) {
        for entry in std::mem::take(&mut self.entries) {
            let key: &str = &entry.key;
            if !self.known.contains(&key) {
                self.faults.add_with(entry.at, || {
                    let message = match nearest(key, self.known.iter().copied()) {
                        Some(near) => format!("unknown key; did you mean `{near}`?"),
                        None => String::from(message),
                    };
                    Problem::error(path_of(&self.path, key), message)
                });
            }
        }
    }

    /// Reports every key that was not asked for, next to the nearest one that was.
    pub(super) fn refuse_unknown(&mut self) {
        for entry in self.entries {
            let key: &str = &entry.key;
            if !self.known.contains(&key) {
                self.faults.add_with(entry.at, || {
                    let message = unknown(key, &self.known, self.not_yet);
                    Problem::error(path_of(&self.path, key), message)
                });
            }
        }
    }
}

fn unknown(key: &str, known: &[&'static str], not_yet: &[&'static str]) -> String {
    if not_yet.contains(&key) {
        return String::from("is not available yet in this version");
    }
    match nearest(key, known.iter().chain(not_yet).copied()) {
        Some(near) if not_yet.contains(&near) => {
            format!("unknown key; the nearest is `{near}`, which is not available yet")
        }
        Some(near) => format!("unknown key; did you mean `{near}`?"),
        None => format!("unknown key; known here are {}", listed(known.iter().copied())),
    }
}
