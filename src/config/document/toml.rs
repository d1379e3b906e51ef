//! TOML text into settings.

use std::borrow::Cow;

use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue};

use super::faults::Faults;
use super::nesting::{Beyond, MOST_NESTED, MOST_PARTS, beyond};
use super::node::{DEEPEST, Entry, Node, Value};
use super::section::Section;
use crate::config::excerpt::Excerpt;
use crate::config::{Config, ConfigFile};
use crate::error::{ConfigError, Problem};

impl Config {
    /// The longest text that [`from_toml`](Self::from_toml) reads: 4 MiB, some fifty thousand
    /// endpoints.
    ///
    /// While it reads, it takes some fifty times the memory of the text, and never more than 200
    /// times, whatever the text is.
    pub const MAX_TOML_BYTES: usize = 4 * 1024 * 1024;

    /// Reads settings from TOML.
    ///
    /// Every key is optional, and an empty text gives the [default](Self::default). Nothing is
    /// ignored: a key that is unknown, or not available yet, is an error. Durations are text with
    /// a unit (`"250ms"`, `"10s"`). A text with several balancers, under `[balancer.NAME]`, is
    /// for [`ConfigFile`]. Needs the feature `config`, on by default.
    ///
    /// ```
    /// use evenkeel::config::{Config, StrategyKind};
    ///
    /// let config = Config::from_toml(
    ///     r#"
    ///     name = "checkout"
    ///     update = false
    ///
    ///     [strategy]
    ///     kind = "round_robin"
    ///
    ///     [[endpoints]]
    ///     id = "a"
    ///     address = "http://10.0.0.1:8080"
    ///     weight = 3
    ///     "#,
    /// )?;
    /// assert_eq!(config.strategy().kind(), &StrategyKind::RoundRobin);
    /// assert!(config.update().is_none());
    ///
    /// let error = Config::from_toml("[strategy]\nchoices = 1").unwrap_err();
    /// assert_eq!(
    ///     error.problems()[0].to_string(),
    ///     "line 2, column 11: strategy.choices: found the number 1; a whole number from 2 to 16, \
    ///      or \"all\", is needed",
    /// );
    /// # Ok::<(), evenkeel::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// With every problem at once, in the order of the text and each with its place; beyond 10,000
    /// only their number. [Contradictions](Self::contradictions) are told where nothing else is
    /// wrong. A text that is no TOML at all, that is longer than
    /// [`MAX_TOML_BYTES`](Self::MAX_TOML_BYTES), that nests brackets or dotted keys more than
    /// eight deep or that has more than 300,000 of them is one problem by itself.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        read(text, Self::read_alone).map(Option::unwrap_or_default)
    }
}

impl ConfigFile {
    /// Reads the settings of one balancer, or of several, from TOML.
    ///
    /// Everything that [`Config::from_toml`] says holds here too; the paths of problems under
    /// `[balancer.checkout]` are whole, as in `balancer.checkout.strategy.choices`.
    ///
    /// # Errors
    ///
    /// With every problem at once, as [`Config::from_toml`] has them. It is a problem where
    /// settings stand beside `balancer`, and where a `name` differs from the one in the header.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        read(text, Self::read).map(Option::unwrap_or_default)
    }
}

/// Gives each of `problems` that has no position the one of its path in `text`: that of the value
/// or, where the text does not say it, of the table it would stand in.
///
/// [Warnings](Config::warnings), and whatever else is found in settings once they are read, have
/// paths and no positions. For a balancer under `[balancer.checkout]`, put `balancer.checkout.`
/// before the paths. Nothing happens if the text is not one that
/// [`from_toml`](Config::from_toml) could read. Needs the feature `config`.
///
/// ```
/// use evenkeel::Config;
/// use evenkeel::config::locate;
///
/// let text = "[strategy]\nkind = 'random'\nchoices = 3";
/// let mut warnings = Config::from_toml(text)?.warnings(3);
/// locate(text, &mut warnings);
/// assert_eq!(warnings[0].position, Some((3, 11)));
/// # Ok::<(), evenkeel::ConfigError>(())
/// ```
pub fn locate(text: &str, problems: &mut [Problem]) {
    let Ok(text) = admit(text) else {
        return;
    };
    if let Some(document) = parse(text, &mut Faults::default()) {
        let root = Node { at: Some(0), value: table(document.get_ref(), 0) };
        super::locate::locate(&root, text, problems);
    }
}

/// The text that is read, if it is not too long.
fn admit(text: &str) -> Result<&str, Problem> {
    if text.len() > Config::MAX_TOML_BYTES {
        let (found, most) = (text.len(), Config::MAX_TOML_BYTES);
        let message = format!("the text has {found} bytes; at most {most} are read");
        return Err(Problem::error("", message));
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// What `read` makes of the top level; `None` never comes without a problem.
fn read<V>(
    text: &str,
    read: impl FnOnce(&mut Section<'_, '_>) -> V,
) -> Result<Option<V>, ConfigError> {
    let text = admit(text)?;
    let mut faults = Faults::default();
    let value = parse(text, &mut faults).and_then(|document| {
        let root = Node { at: Some(0), value: table(document.get_ref(), 0) };
        Section::open("", &root, &mut faults, read).ok()
    });
    faults.into_result(value, text)
}

/// The document; `None` only where `faults` say why.
fn parse<'t>(text: &'t str, faults: &mut Faults) -> Option<Spanned<DeTable<'t>>> {
    let beyond = beyond(text).map(|beyond| match beyond {
        Beyond::Depth(at) => {
            let what = "brackets or dotted keys are nested";
            (at, format!("{what} more than {MOST_NESTED} deep, or a bracket is not closed"))
        }
        Beyond::Parts(at) => (at, format!("there are more than {MOST_PARTS} brackets and dots")),
    });
    if let Some((at, message)) = beyond {
        faults.add(Some(at), Problem::error("", message));
        return None;
    }
    DeTable::parse(text)
        .map_err(|error| {
            let span = error.span().unwrap_or(text.len()..text.len());
            let mut message = format!("is not valid TOML: {}", error.message());
            if error.message() == "duplicate key" {
                let key = Excerpt(text.get(span.clone()).unwrap_or_default());
                message
                    .push_str(&format!(" `{key}`; it is given before this, leave one of them out"));
            }
            faults.add(Some(span.start), Problem::error("", message));
        })
        .ok()
}

fn node<'t>(spanned: &'t Spanned<DeValue<'_>>, depth: usize) -> Node<'t> {
    let value = match spanned.get_ref() {
        DeValue::String(text) => Value::Text(Cow::Borrowed(text)),
        DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Whole(number),
            Err(_) => Value::Number(Cow::Borrowed(number.as_str())),
        },
        DeValue::Float(number) => Value::Number(Cow::Borrowed(number.as_str())),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(_) => Value::Time,
        DeValue::Array(items) if depth < DEEPEST => {
            Value::List(items.iter().map(|item| node(item, depth + 1)).collect())
        }
        DeValue::Array(_) => Value::List(Vec::new()),
        DeValue::Table(entries) => table(entries, depth),
    };
    Node { at: Some(spanned.span().start), value }
}

fn table<'t>(entries: &'t DeTable<'_>, depth: usize) -> Value<'t> {
    if depth == DEEPEST {
        return Value::Table(Vec::new());
    }
    let entry = |(key, value): (&'t Spanned<Cow<'_, str>>, &'t Spanned<DeValue<'_>>)| Entry {
        key: Cow::Borrowed(key.get_ref()),
        at: Some(key.span().start),
        node: node(value, depth + 1),
    };
    Value::Table(entries.iter().map(entry).collect())
}
