//! Looking at a balancer without keeping it alive.

use std::fmt;
use std::sync::Weak;

use crate::balancer::core::Core;
use crate::balancer::{Balancer, Status, now};
use crate::sync::Arc;

/// What shows a balancer has of it.
pub(crate) struct Lookout<T>(Weak<Core<T>>);

impl<T: Send + Sync + 'static> Lookout<T> {
    /// What it is doing, while somebody has a handle.
    pub(crate) fn status(&self) -> Option<Status> {
        self.0.upgrade().map(|core| core.status(now()))
    }
}

impl<T: Send + Sync + 'static> Balancer<T> {
    pub(crate) fn lookout(&self) -> Lookout<T> {
        Lookout(Arc::downgrade(&self.core))
    }
}

impl<T> fmt::Debug for Lookout<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lookout").finish()
    }
}
