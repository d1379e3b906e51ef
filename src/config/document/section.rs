//! A table while it is read: what was asked of it is known, what is left over is unknown.

use super::faults::Faults;
use super::locate::place_below;
use super::node::{Entry, Node, Value, path_of};
use super::value::{Reading, wrong};
use crate::error::Problem;

/// A table of the document.
///
/// Whatever the reader of a section has not asked for when it returns is reported as unknown, next
/// to the nearest key it did ask for.
#[derive(Debug)]
pub(in crate::config) struct Section<'t, 'f> {
    pub(super) path: String,
    at: Option<usize>,
    pub(super) entries: &'t [Entry<'t>],
    pub(super) known: Vec<&'static str>,
    pub(super) not_yet: &'static [&'static str],
    pub(super) faults: &'f mut Faults,
}

/// It was refused, and the problem has been noted.
#[derive(Debug)]
pub(in crate::config) struct Refused;

impl<'t, 'f> Section<'t, 'f> {
    /// Reads the table `node` with `read` and reports the keys it did not ask for.
    pub(super) fn open<V>(
        path: &str,
        node: &'t Node<'t>,
        faults: &'f mut Faults,
        read: impl FnOnce(&mut Section<'t, '_>) -> V,
    ) -> Result<V, Refused> {
        let Value::Table(entries) = &node.value else {
            return Err(refuse(faults, path, node.at, wrong::<V>(node, "a table")));
        };
        let path = String::from(path);
        let mut section =
            Section { path, at: node.at, entries, known: Vec::new(), not_yet: &[], faults };
        let value = read(&mut section);
        section.refuse_unknown();
        Ok(value)
    }

    /// The value of `key`; `None` if it is absent.
    pub(in crate::config) fn read<V>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Node<'t>) -> Reading<V>,
    ) -> Result<Option<V>, Refused> {
        match self.take(key) {
            None => Ok(None),
            Some(entry) => read(&entry.node).map(Some).map_err(|message| {
                refuse::<V>(self.faults, &path_of(&self.path, key), entry.node.at, Err(message))
            }),
        }
    }

    /// Reports a problem with `key`, at its place or, where it is absent, at the table's.
    pub(in crate::config) fn refuse(&mut self, key: &'static str, message: impl Into<String>) {
        let problem = Problem::error(path_of(&self.path, key), message);
        self.faults.add(self.place_of(key), problem);
    }

    /// Reports a problem between two keys with the first of them that is there.
    pub(in crate::config) fn refuse_pair(&mut self, keys: [&'static str; 2], message: &str) {
        let [first, second] = keys;
        self.refuse(if self.has(first) { first } else { second }, message);
    }

    /// Reports a problem with `key` where the key itself stands; its value is not looked at.
    pub(in crate::config) fn refuse_key(&mut self, key: &'static str, message: &str) {
        let at = self.take(key).and_then(|entry| entry.at);
        self.faults.add(at, Problem::error(path_of(&self.path, key), message));
    }

    /// Reports a problem with the table.
    pub(in crate::config) fn refuse_whole(&mut self, message: &str) {
        self.faults.add(self.at, Problem::error(self.path.clone(), message));
    }

    /// A key that is known, though not asked for.
    pub(in crate::config) fn also_known(&mut self, key: &'static str) {
        self.known.push(key);
    }

    pub(in crate::config) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    pub(in crate::config) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Reports a problem at the path it names, which is below this section, or as near to it as the
    /// document goes.
    pub(in crate::config) fn refuse_at(&mut self, problem: Problem) {
        let at = place_below(self.entries, &problem.path).or(self.at);
        self.faults.add(at, problem);
    }

    /// How many problems there are so far.
    pub(in crate::config) fn faults(&self) -> usize {
        self.faults.len()
    }

    /// Reports a problem with `key` that ends with the place of another.
    pub(in crate::config) fn refuse_beside(
        &mut self,
        key: &'static str,
        earlier: Option<usize>,
        problem: Problem,
    ) {
        self.faults.add_pair(self.place_of(key), earlier, problem);
    }

    /// Where the value of `key` stands, or the table where it is absent.
    pub(in crate::config) fn place_of(&self, key: &str) -> Option<usize> {
        self.entry(key).map_or(self.at, |entry| entry.node.at)
    }

    pub(super) fn take(&mut self, key: &'static str) -> Option<&'t Entry<'t>> {
        self.known.push(key);
        self.entry(key)
    }

    pub(super) fn entry(&self, key: &str) -> Option<&'t Entry<'t>> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

pub(super) fn refuse<V>(
    faults: &mut Faults,
    path: &str,
    at: Option<usize>,
    reading: Reading<V>,
) -> Refused {
    if let Err(message) = reading {
        faults.add(at, Problem::error(path, message));
    }
    Refused
}
