//! Where in a text the settings stand, by their paths.

use evenkeel::ConfigFile;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::places::{Place, Places};

/// A text that holds valid settings, and where in it each of them stands.
#[derive(Debug)]
pub(crate) struct Paths<'t> {
    places: Places<'t>,
    tables: Option<Spanned<DeTable<'t>>>,
    several: bool,
}

impl<'t> Paths<'t> {
    /// Of the `text` that `file` was read from: a text that was not read may be nested too deep to
    /// be parsed without bounds.
    pub(crate) fn of(text: &'t str, file: &ConfigFile) -> Self {
        Self {
            places: Places::of(text),
            tables: DeTable::parse(text).ok(),
            several: file.single().is_none(),
        }
    }

    /// Where the setting at `path` of the balancer called `name` stands: its value, or the table
    /// that would hold it, if there is one.
    pub(crate) fn place(&self, name: Option<&str>, path: &str) -> Option<Place> {
        let root = self.tables.as_ref()?.get_ref();
        let (mut at, mut table) = (None, root);
        if self.several {
            let balancers = root.get("balancer")?.get_ref().as_table()?;
            let (header, settings) = balancers.get_key_value(name?)?;
            at = Some(header.span().start);
            table = settings.get_ref().as_table()?;
        }
        let mut parts = path.split('.');
        while let Some((key, index)) = parts.next().map(key_and_index) {
            let Some(mut value) = table.get(key) else { break };
            if let Some(index) = index {
                let Some(item) = value.get_ref().as_array().and_then(|items| items.get(index))
                else {
                    break;
                };
                value = item;
            }
            at = Some(value.span().start);
            match value.get_ref() {
                DeValue::Table(inner) => table = inner,
                _ => break,
            }
        }
        at.map(|at| self.places.at_offset(at))
    }

    /// The path of the same setting from the top of the text.
    pub(crate) fn full(&self, name: Option<&str>, path: &str) -> String {
        match name.filter(|_| self.several) {
            Some(name) if path.is_empty() => format!("balancer.{}", key(name)),
            Some(name) => format!("balancer.{}.{path}", key(name)),
            None => String::from(path),
        }
    }
}

/// A name as a key, the beginning of it if it is long.
fn key(name: &str) -> String {
    const MOST: usize = 48;
    let is_bare = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '-';
    let more = if name.chars().nth(MOST).is_some() { "…" } else { "" };
    let excerpt: String = name.chars().take(MOST).collect();
    match !name.is_empty() && name.chars().all(is_bare) {
        true => format!("{excerpt}{more}"),
        false => format!("\"{}{more}\"", excerpt.escape_debug()),
    }
}

/// `endpoints[2]` is the key `endpoints` and the index 2.
fn key_and_index(part: &str) -> (&str, Option<usize>) {
    match part.strip_suffix(']').and_then(|part| part.split_once('[')) {
        Some((key, index)) => (key, index.parse().ok()),
        None => (part, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands at the place, up to the end of its line.
    fn at(text: &str, name: Option<&str>, path: &str) -> Option<String> {
        let file = ConfigFile::from_toml(text).unwrap();
        let place = Paths::of(text, &file).place(name, path)?;
        Some(text[place.at..].lines().next().unwrap_or_default().to_owned())
    }

    #[test]
    fn a_setting_stands_where_its_value_is_or_would_be() {
        let text = "name = 'x'\n[guard]\nmax_share_percent = 60 # most\n[strategy]\n\
                    [[endpoints]]\nid = 'a'\naddress = ''\n[[endpoints]]\nid = 'b'\n\
                    address = ''\nweight = 7\n";
        let found = |path| at(text, None, path);
        assert_eq!(found("guard.max_share_percent").unwrap(), "60 # most");
        assert_eq!(found("name").unwrap(), "'x'");
        assert_eq!(found("endpoints[1].weight").unwrap(), "7");
        assert_eq!(found("endpoints[0].weight").unwrap(), "[[endpoints]]");
        assert_eq!(found("strategy.choices").unwrap(), "[strategy]");
        assert_eq!(found("update.allow_empty"), None);
        assert_eq!(found("endpoints[9].weight"), None);
        assert_eq!(found(""), None);
    }

    #[test]
    fn of_several_balancers_each_has_places_and_paths_of_its_own() {
        let text = "[balancer.a.strategy]\nchoices = 3\n[balancer.'b.c']\nstrategy.choices = 4\n";
        assert_eq!(at(text, Some("a"), "strategy.choices").unwrap(), "3");
        assert_eq!(at(text, Some("b.c"), "strategy.choices").unwrap(), "4");
        assert_eq!(at(text, Some("b.c"), "guard").unwrap(), "'b.c']");
        assert_eq!(at(text, Some("c"), "strategy"), None);
        let paths = |text| Paths::of(text, &ConfigFile::from_toml(text).unwrap());
        assert_eq!(paths(text).full(Some("a"), "update"), "balancer.a.update");
        assert_eq!(paths(text).full(Some("b.c"), ""), "balancer.\"b.c\"");
        assert_eq!(paths("name = 'a'").full(Some("a"), "update"), "update");
        assert!(paths(text).full(Some(&"x".repeat(100_000)), "update").len() < 100);
    }
}
