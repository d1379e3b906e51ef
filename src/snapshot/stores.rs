//! The wheels of strategies that go by keys, from snapshot to snapshot.

use crate::config::{Config, HashConfig, StrategyKind};
use crate::outlier::Rules;
use crate::snapshot::{Member, Snapshot};
use crate::strategy::Kept;
use crate::tiers::GroupKey;

/// The wheels that the groups of a snapshot go by. Those of groups that nobody is left of are among
/// them: they come back while a request waits.
#[derive(Debug, Default)]
pub(crate) struct Stores(Box<[(GroupKey, Vec<Kept>)]>);

/// What the pickers of a snapshot are prepared by, besides their candidates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Supply<'a> {
    /// The wheels of the snapshot before.
    stores: Option<&'a Stores>,
    /// Whether a wheel that is missing is built, or the one of before serves on where it nearly fits.
    may_build: bool,
}

impl Stores {
    fn of(&self, key: &GroupKey) -> &[Kept] {
        let known = self.0.iter().find(|(known, _)| known == key);
        known.map_or(&[], |(_, wheels)| wheels)
    }

    /// Those that pickers go by now, and those that were `before` of groups that have none, for as long
    /// as somebody belongs there.
    pub(super) fn following<T>(
        used: Vec<(GroupKey, Vec<Kept>)>,
        has_picker: impl Fn(&GroupKey) -> bool,
        before: Option<&Self>,
        members: &[Member<T>],
        rules: &Rules,
    ) -> Self {
        let belongs = |key: &GroupKey| {
            let owners = members.iter().filter(|member| member.weight() > 0);
            let keys = owners.map(|owner| GroupKey::of(&owner.attributes, rules.tiers.as_ref()));
            keys.into_iter().any(|own| own == *key)
        };
        let before = before.map_or(&[][..], |before| &before.0);
        let rest = before.iter().filter(|(key, _)| !has_picker(key) && belongs(key));
        Self(used.into_iter().chain(rest.cloned()).collect())
    }
}

impl<'a> Supply<'a> {
    /// Nothing is there: all is built.
    pub(crate) const NONE: Supply<'static> = Supply { stores: None, may_build: true };

    /// For what follows `base` under these settings.
    pub(crate) fn after<T>(base: &'a Snapshot<T>, coming: &Config, may_build: bool) -> Self {
        // Another strategy, or a wheel of another size, is not what was asked for.
        let sizes = |it: &HashConfig| (it.table_size(), it.min_ring_size(), it.max_ring_size());
        let is_same = base.config.strategy().kind() == coming.strategy().kind()
            && sizes(base.config.hash()) == sizes(coming.hash());
        // Of a strategy of the user's own nobody knows what it makes of a wheel.
        let is_own = matches!(coming.strategy().kind(), StrategyKind::Custom(_));
        let stores = Some(&base.tables.stores).filter(|_| is_same);
        Self { stores, may_build: may_build || is_own }
    }

    /// For the snapshot that is served, thought of in another way.
    pub(crate) fn of<T>(snapshot: &'a Snapshot<T>) -> Self {
        Self { stores: Some(&snapshot.tables.stores), may_build: true }
    }

    pub(super) fn stores(self) -> Option<&'a Stores> {
        self.stores
    }

    pub(super) fn carried(self, key: &GroupKey) -> &'a [Kept] {
        self.stores.map_or(&[], |stores| stores.of(key))
    }

    pub(super) fn may_build(self) -> bool {
        self.may_build
    }
}
