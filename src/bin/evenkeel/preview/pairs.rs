//! Which settings of two files are those of one balancer.

use evenkeel::{Config, ConfigFile};

use crate::render;

/// The settings of a balancer in the two files.
pub(super) struct Pair<'c> {
    pub(super) name: Option<&'c str>,
    pub(super) old: Option<&'c Config>,
    pub(super) new: Option<&'c Config>,
}

/// Each balancer of the new file with the one of that name in the old; then those that only the
/// old one has. A file with one balancer at its top level is held against another such file
/// whatever they are called.
pub(super) fn pairs<'c>(new: &'c ConfigFile, old: Option<&'c ConfigFile>) -> Vec<Pair<'c>> {
    if let (Some(one), Some(other)) = (new.single(), old.and_then(ConfigFile::single)) {
        return vec![Pair {
            name: one.name().or_else(|| other.name()),
            old: Some(other),
            new: Some(one),
        }];
    }
    let counterpart = |name: Option<&str>| old.and_then(|old| old.get(name?));
    let of_new =
        new.iter().map(|(name, config)| Pair { name, old: counterpart(name), new: Some(config) });
    let only_old = old.into_iter().flat_map(ConfigFile::iter);
    let only_old = only_old.filter(|(name, _)| name.is_none_or(|name| new.get(name).is_none()));
    let removed = only_old.map(|(name, config)| Pair { name, old: Some(config), new: None });
    of_new.chain(removed).collect()
}

/// That none of the balancers is called `wanted`.
pub(super) fn unknown(wanted: &str, pairs: &[Pair<'_>]) -> String {
    const MOST: usize = 20;
    let shown = |name: &str| format!("`{}`", render::short(name, 40));
    let names = || pairs.iter().filter_map(|pair| pair.name);
    let mut known: Vec<_> = names().take(MOST).map(shown).collect();
    if let Some(more) = names().count().checked_sub(MOST).filter(|more| *more > 0) {
        known.push(format!("and {more} more"));
    }
    let wanted = shown(wanted);
    if known.is_empty() {
        format!("no balancer is called {wanted}; there is one without a name, leave --balancer out")
    } else {
        format!("no balancer is called {wanted}; there are {}", known.join(", "))
    }
}
