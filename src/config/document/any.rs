//! Settings from whatever serde format describes itself.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::faults::Faults;
use super::node::{DEEPEST, Entry, Node, Value};
use super::section::Section;
use crate::config::excerpt::Excerpt;
use crate::config::{Config, ConfigFile};

impl<'de> Deserialize<'de> for Config {
    /// From any format that describes itself, by the same rules and with the same problems as
    /// [`from_toml`](Self::from_toml), all of them in the one message. Needs the feature `config`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer, Self::read_alone)
    }
}

impl<'de> Deserialize<'de> for ConfigFile {
    /// From any format that describes itself, by the same rules and with the same problems as
    /// [`from_toml`](Self::from_toml), all of them in the one message.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer, Self::read)
    }
}

fn read<'de, D: Deserializer<'de>, V: Default>(
    deserializer: D,
    read: impl FnOnce(&mut Section<'_, '_>) -> V,
) -> Result<V, D::Error> {
    let root = Reader { depth: 0 }.deserialize(deserializer)?;
    let mut faults = Faults::default();
    let value = Section::open("", &root, &mut faults, read).ok();
    faults.into_result(value, "").map(Option::unwrap_or_default).map_err(D::Error::custom)
}

/// Makes a tree of what it visits.
struct Reader {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Node<'static>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

fn node<E>(value: Value<'static>) -> Result<Node<'static>, E> {
    Ok(Node { at: None, value })
}

impl<'de> Visitor<'de> for Reader {
    type Value = Node<'static>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        node(Value::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        node(Value::Whole(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        node(Value::Whole(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Self::Value, E> {
        node(Value::Whole(value))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Self::Value, E> {
        let number = |_| Value::Number(Cow::Owned(value.to_string()));
        node(i128::try_from(value).map_or_else(number, Value::Whole))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        node(Value::Number(Cow::Owned(format!("{value:?}"))))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        node(Value::Text(Cow::Owned(String::from(value))))
    }

    fn visit_string<E>(self, value: String) -> Result<Self::Value, E> {
        node(Value::Text(Cow::Owned(value)))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        node(Value::Nothing)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        node(Value::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
        self.deserialize(inner)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
        self.deserialize(inner)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        if self.depth == DEEPEST {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
        } else {
            while let Some(item) = seq.next_element_seed(Self { depth: self.depth + 1 })? {
                items.push(item);
            }
        }
        node(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        let mut keys = BTreeSet::new();
        if self.depth == DEEPEST {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        } else {
            while let Some(key) = map.next_key::<String>()? {
                if !keys.insert(key.clone()) {
                    let message = format!("the key \"{}\" is given twice", Excerpt(&key));
                    return Err(A::Error::custom(message));
                }
                let node = map.next_value_seed(Self { depth: self.depth + 1 })?;
                entries.push(Entry { key: Cow::Owned(key), at: None, node });
            }
        }
        node(Value::Table(entries))
    }
}
