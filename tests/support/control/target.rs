//! Targets that are missed when they are dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenkeel::EndpointSpec;
use parking_lot::Mutex;

use super::settings::NOWHERE;

/// The targets there are, and which description each was made of.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    pub(crate) live: BTreeSet<usize>,
    next: usize,
    pub(crate) made: BTreeMap<String, usize>,
}

/// Something to call, which is missed when it is dropped.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) number: usize,
    registry: Arc<Mutex<Registry>>,
}

impl Target {
    pub(crate) fn new(registry: &Arc<Mutex<Registry>>) -> Self {
        let mut inner = registry.lock();
        let number = inner.next;
        inner.next += 1;
        inner.live.insert(number);
        drop(inner);
        Self { number, registry: Arc::clone(registry) }
    }

    pub(crate) fn make(registry: &Arc<Mutex<Registry>>, spec: &EndpointSpec) -> Option<Self> {
        if spec.address.ends_with(&format!("/{NOWHERE}")) {
            return None;
        }
        let target = Self::new(registry);
        registry.lock().made.insert(spec.address.clone(), target.number);
        Some(target)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        assert!(self.registry.lock().live.remove(&self.number), "a target was dropped twice");
    }
}
