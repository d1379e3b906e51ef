//! A place for one shared value, which may be empty.

use std::fmt;

use arc_swap::ArcSwapOption;

use crate::sync::Arc;

/// Readers never wait, and what they look at lives until they have looked.
pub(crate) struct Slot<S>(ArcSwapOption<S>);

impl<S> Slot<S> {
    pub(crate) fn empty() -> Self {
        Self(ArcSwapOption::empty())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.load().is_none()
    }

    pub(crate) fn put(&self, value: Arc<S>) {
        self.0.store(Some(value));
    }

    /// Shows what is in it.
    #[inline]
    pub(crate) fn with<R>(&self, show: impl FnOnce(&Arc<S>) -> R) -> Option<R> {
        self.0.load().as_ref().map(show)
    }

    /// Empties it.
    pub(crate) fn take(&self) -> Option<Arc<S>> {
        self.0.swap(None)
    }
}

impl<S> fmt::Debug for Slot<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}
