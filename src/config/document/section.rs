//! A table while it is read: what was asked of it is known, what is left over is unknown.

use super::faults::Faults;
use super::nearest::{listed, nearest};
use super::node::{Entry, Node, Value, path_of};
use super::value::{ON_ANYWAY, OR_FALSE, Reading, wrong};
use crate::error::Problem;

/// A table of the document.
///
/// The reader of a section asks for each key it knows and names those that are
/// [not available yet](Self::not_yet); whatever is left when it returns is reported as unknown,
/// next to the nearest key it did ask for. So the reader itself is the list of keys.
#[derive(Debug)]
pub(in crate::config) struct Section<'t, 'f> {
    path: String,
    at: Option<usize>,
    entries: &'t [Entry<'t>],
    known: Vec<&'static str>,
    not_yet: &'static [&'static str],
    faults: &'f mut Faults,
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
        section.finish();
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

    /// The value of a `key` that must be there.
    pub(super) fn require<V>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Node<'t>) -> Reading<V>,
    ) -> Result<V, Refused> {
        self.read(key, read)?.ok_or_else(|| {
            self.refuse(key, "is missing, and has no default");
            Refused
        })
    }

    /// Gives the value of `key`, if it is there, to the setter `with`, which may refuse it.
    pub(in crate::config) fn set<C: Clone, V>(
        &mut self,
        config: &mut C,
        key: &'static str,
        read: impl FnOnce(&Node<'t>) -> Reading<V>,
        with: impl FnOnce(C, V) -> Result<C, Problem>,
    ) {
        if let Ok(Some(value)) = self.read(key, read) {
            match with(config.clone(), value) {
                Ok(changed) => *config = changed,
                Err(problem) => self.faults.add(self.place_of(key), problem),
            }
        }
    }

    /// The table under `key`, read by `read`; `None` if it is absent or refused.
    pub(in crate::config) fn part<V>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Section<'t, '_>) -> V,
    ) -> Option<V> {
        let entry = self.take(key)?;
        Section::open(&path_of(&self.path, key), &entry.node, self.faults, read).ok()
    }

    /// As [`part`](Self::part), for a mechanism that is on by default: `Some(None)` means that
    /// `false` switched it off.
    pub(in crate::config) fn part_or_off<V>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Section<'t, '_>) -> V,
    ) -> Option<Option<V>> {
        let entry = self.take(key)?;
        let path = path_of(&self.path, key);
        let message = match &entry.node.value {
            Value::Flag(false) => return Some(None),
            Value::Table(_) => {
                return Section::open(&path, &entry.node, self.faults, read).ok().map(Some);
            }
            Value::Flag(true) => String::from(ON_ANYWAY),
            found => format!("found {found}; a table is needed{OR_FALSE}"),
        };
        self.faults.add(entry.node.at, Problem::error(path, message));
        None
    }

    /// The items of the list under `key`, each with its path.
    pub(super) fn items(&mut self, key: &'static str) -> Option<&'t [Node<'t>]> {
        let entry = self.take(key)?;
        match &entry.node.value {
            Value::List(items) => Some(items),
            _ => {
                let wrong = wrong::<()>(&entry.node, format_args!("a list of tables, [[{key}]],"));
                refuse(self.faults, &path_of(&self.path, key), entry.node.at, wrong);
                None
            }
        }
    }

    /// The tables of a table whose keys are the names of balancers. Paths of problems are then
    /// relative to their balancer.
    pub(in crate::config) fn sections<V>(
        &mut self,
        mut read: impl FnMut(&str, &mut Section<'t, '_>) -> V,
    ) -> Vec<V> {
        let path = std::mem::take(&mut self.path);
        let entries = std::mem::take(&mut self.entries);
        let section = |entry: &'t Entry<'t>| {
            self.faults.of_balancer(path_of(&path, &entry.key), |faults| {
                if entry.key.is_empty() {
                    faults.add(entry.at, Problem::error("", "the name must not be empty"));
                }
                Section::open("", &entry.node, faults, |section| read(&entry.key, section)).ok()
            })
        };
        entries.iter().filter_map(section).collect()
    }

    /// All entries, for a table whose keys are free.
    pub(super) fn each(&mut self, mut read: impl FnMut(&'t str, &Node<'t>) -> Reading<()>) {
        let entries = std::mem::take(&mut self.entries);
        for entry in entries {
            if let Err(message) = read(&entry.key, &entry.node) {
                let path = path_of(&self.path, &entry.key);
                self.faults.add(entry.node.at, Problem::error(path, message));
            }
        }
    }

    /// Keys that this version knows and does not serve.
    pub(in crate::config) fn not_yet(&mut self, keys: &'static [&'static str]) {
        self.not_yet = keys;
    }

    /// Reports a problem with `key`, at its place or, where it is absent, at the table's.
    pub(in crate::config) fn refuse(&mut self, key: &'static str, message: impl Into<String>) {
        let problem = Problem::error(path_of(&self.path, key), message);
        self.faults.add(self.place_of(key), problem);
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

    /// Reports a problem with every key that was not asked for, unless it is a misspelt one.
    pub(in crate::config) fn refuse_others(&mut self, message: &str) {
        for entry in std::mem::take(&mut self.entries) {
            let key: &str = &entry.key;
            if !self.known.contains(&key) {
                let message = match nearest(key, self.known.iter().copied()) {
                    Some(near) => format!("unknown key; did you mean `{near}`?"),
                    None => String::from(message),
                };
                self.faults.add(entry.at, Problem::error(path_of(&self.path, key), message));
            }
        }
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

    pub(super) fn faults(&mut self) -> &mut Faults {
        self.faults
    }

    /// Where the value of `key` stands, or the table where it is absent.
    fn place_of(&self, key: &str) -> Option<usize> {
        self.entry(key).map_or(self.at, |entry| entry.node.at)
    }

    fn take(&mut self, key: &'static str) -> Option<&'t Entry<'t>> {
        self.known.push(key);
        self.entry(key)
    }

    fn entry(&self, key: &str) -> Option<&'t Entry<'t>> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    fn finish(self) {
        for entry in self.entries {
            let key: &str = &entry.key;
            if self.known.contains(&key) {
                continue;
            }
            let known = || self.known.iter().copied();
            let message = if self.not_yet.contains(&key) {
                String::from("is not available yet in this version")
            } else {
                match nearest(key, known().chain(self.not_yet.iter().copied())) {
                    Some(near) if self.not_yet.contains(&near) => {
                        format!("unknown key; the nearest is `{near}`, which is not available yet")
                    }
                    Some(near) => format!("unknown key; did you mean `{near}`?"),
                    None => format!("unknown key; known here are {}", listed(known())),
                }
            };
            let path = path_of(&self.path, key);
            self.faults.add(entry.at, Problem::error(path, message));
        }
    }
}

fn refuse<V>(faults: &mut Faults, path: &str, at: Option<usize>, reading: Reading<V>) -> Refused {
    if let Err(message) = reading {
        faults.add(at, Problem::error(path, message));
    }
    Refused
}
