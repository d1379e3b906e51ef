//! A table while it is read: what was asked of it is known, what is left over is unknown.

use super::faults::Faults;
use super::key::{Key, Keyed, Read, Wrong};
use super::nearest::{listed, nearest};
use super::node::{Entry, Node, Value, path_of};
use super::value::{ON_ANYWAY, ON_BY_ITS_TABLE, OR_FALSE, Reading, wrong};
use crate::error::Problem;

/// A table of the document.
///
/// Whatever the reader of a section has not asked for when it returns is reported as unknown, next
/// to the nearest key it did ask for.
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

    /// Reads every key of `config` that is there into it.
    pub(in crate::config) fn keys<C: Keyed>(&mut self, mut config: C) -> C {
        for key in C::KEYS {
            match key.read {
                Read::Value(read) => config = self.value(key, read, config),
                Read::Part(read) => read(&mut config, self, key.name),
            }
        }
        self.not_yet = C::NOT_YET;
        config
    }

    fn value<C: Keyed>(
        &mut self,
        key: &Key<C>,
        read: fn(C, &Node<'_>) -> Result<C, Wrong>,
        config: C,
    ) -> C {
        let Some(entry) = self.take(key.name) else {
            if key.is_required {
                self.refuse(key.name, "is missing, and has no default");
            }
            return config;
        };
        read(config.clone(), &entry.node).unwrap_or_else(|wrong| {
            let problem = match wrong {
                Wrong::Value(message) => Problem::error(path_of(&self.path, key.name), message),
                Wrong::Setting(problem) => problem,
            };
            self.faults.add(entry.node.at, problem);
            config
        })
    }

    /// Reads the table under `key`, if it is there, into `part`.
    pub(in crate::config) fn table<P: Keyed>(&mut self, key: &'static str, part: &mut P) {
        if let Some(read) = self.part(key, |section| section.keys(P::blank())) {
            *part = read;
        }
    }

    /// As [`table`](Self::table), for what one might want to switch off and cannot; `why` says so.
    pub(in crate::config) fn always_on<P: Keyed>(
        &mut self,
        key: &'static str,
        part: &mut P,
        why: &str,
    ) {
        match self.entry(key).map(|entry| &entry.node.value) {
            Some(Value::Flag(false)) => {
                self.known.push(key);
                self.refuse(key, format!("found `false`, and {why}"));
            }
            _ => self.table(key, part),
        }
    }

    /// As [`table`](Self::table), for a mechanism that `false` switches off.
    pub(in crate::config) fn mechanism<P: Keyed>(
        &mut self,
        key: &'static str,
        part: &mut Option<P>,
    ) {
        let Some(entry) = self.take(key) else {
            return;
        };
        let path = path_of(&self.path, key);
        let message = match &entry.node.value {
            Value::Flag(false) => {
                *part = None;
                return;
            }
            Value::Table(_) => {
                let read = |section: &mut Section<'t, '_>| section.keys(P::blank());
                if let Ok(read) = Section::open(&path, &entry.node, self.faults, read) {
                    *part = Some(read);
                }
                return;
            }
            Value::Flag(true) if part.is_some() => String::from(ON_ANYWAY),
            Value::Flag(true) => String::from(ON_BY_ITS_TABLE),
            found => format!("found {found}; a table is needed{OR_FALSE}"),
        };
        self.faults.add(entry.node.at, Problem::error(path, message));
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

    /// The tables of the list under `key`, each shown to `check` before its unknown keys are
    /// reported; `None` if the list is absent or none.
    pub(in crate::config) fn tables<P: Keyed>(
        &mut self,
        key: &'static str,
        mut check: impl FnMut(usize, &P, &mut Section<'t, '_>),
    ) -> Option<Vec<P>> {
        let entry = self.take(key)?;
        let path = path_of(&self.path, key);
        let Value::List(items) = &entry.node.value else {
            let wrong = wrong::<P>(&entry.node, format_args!("a list of tables, [[{key}]],"));
            refuse(self.faults, &path, entry.node.at, wrong);
            return None;
        };
        let read = |(index, item)| {
            Section::open(&format!("{path}[{index}]"), item, self.faults, |section| {
                let table = section.keys(P::blank());
                check(index, &table, section);
                table
            })
            .ok()
        };
        Some(items.iter().enumerate().filter_map(read).collect())
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
    pub(in crate::config) fn each(
        &mut self,
        mut read: impl FnMut(&'t str, &Node<'t>) -> Reading<()>,
    ) {
        let entries = std::mem::take(&mut self.entries);
        for entry in entries {
            if let Err(message) = read(&entry.key, &entry.node) {
                let path = path_of(&self.path, &entry.key);
                self.faults.add(entry.node.at, Problem::error(path, message));
            }
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
