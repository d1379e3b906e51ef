//! What an endpoint is besides its identity, its target and its weight.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::endpoint::EndpointSpec;

/// Tier, zone and labels. Most endpoints have none of them, so nothing is kept of those that do
/// not: large sets are copied from snapshot to snapshot, and each pointer that is counted costs.
#[derive(Clone, Default)]
pub(crate) struct Attributes(Option<Arc<Given>>);

/// What was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Given {
    tier: u32,
    zone: Option<Arc<str>>,
    labels: BTreeMap<String, String>,
}

impl Attributes {
    pub(crate) fn of(spec: &EndpointSpec) -> Self {
        let given = Given {
            tier: spec.tier,
            zone: spec.zone.as_deref().map(Arc::from),
            labels: spec.labels.clone(),
        };
        Self((given != Given::default()).then(|| Arc::new(given)))
    }

    #[inline]
    pub(crate) fn tier(&self) -> u32 {
        self.0.as_ref().map_or(0, |given| given.tier)
    }

    #[inline]
    pub(crate) fn zone(&self) -> Option<&Arc<str>> {
        self.0.as_ref()?.zone.as_ref()
    }

    pub(crate) fn label(&self, name: &str) -> Option<&str> {
        self.0.as_ref()?.labels.get(name).map(String::as_str)
    }

    pub(crate) fn labels(&self) -> BTreeMap<String, String> {
        self.0.as_ref().map_or_else(BTreeMap::new, |given| given.labels.clone())
    }

    /// Whether they are the very same, so that nothing need be compared.
    #[inline]
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    pub(crate) fn set_tier(&mut self, tier: u32) {
        if tier != self.tier() {
            self.given().tier = tier;
        }
    }

    pub(crate) fn set_zone(&mut self, zone: &str) {
        self.given().zone = Some(zone.into());
    }

    pub(crate) fn set_label(&mut self, name: String, value: String) {
        self.given().labels.insert(name, value);
    }

    #[cold]
    fn says_the_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(one), Some(other)) => one == other,
            // Said, and said to be what it is anyway.
            (Some(given), None) | (None, Some(given)) => **given == Given::default(),
        }
    }

    fn given(&mut self) -> &mut Given {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

impl PartialEq for Attributes {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.is(other) || self.says_the_same(other)
    }
}

impl Eq for Attributes {}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(given) => given.fmt(f),
            None => Given::default().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_and_taken_back_is_as_if_it_was_never_said() {
        let mut attributes = Attributes::default();
        attributes.set_tier(0);
        assert!(attributes.0.is_none(), "nothing was said");
        attributes.set_tier(3);
        assert_ne!(attributes, Attributes::default());
        attributes.set_tier(0);
        assert_eq!(attributes, Attributes::default());
        assert_eq!(Attributes::default(), attributes);
    }

    #[test]
    fn a_copy_keeps_what_it_was_copied_from() {
        let mut one = Attributes::default();
        one.set_zone("a");
        let mut other = one.clone();
        assert_eq!(one, other);
        other.set_label("rack".into(), "r7".into());
        assert_eq!((one.label("rack"), other.label("rack")), (None, Some("r7")));
        assert_ne!(one, other);
    }
}
