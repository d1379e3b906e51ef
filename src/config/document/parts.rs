//! How a section is read: by its keys, and by the tables and lists below it.

use super::key::{Key, Keyed, Read, Wrong};
use super::node::{Entry, Node, Value, path_of};
use super::section::{Section, refuse};
use super::value::{ON_ANYWAY, ON_BY_ITS_TABLE, OR_FALSE, Reading, wrong};
use crate::error::Problem;

impl<'t> Section<'t, '_> {
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
                self.also_known(key);
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
}
