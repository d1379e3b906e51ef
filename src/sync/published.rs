//! The one cell that everything a pick reads stands behind.

use std::fmt;
use std::ops::Deref;

use arc_swap::ArcSwap;

use crate::sync::Arc;

/// A value that readers see whole, the old one or the new one, and never wait for.
pub(crate) struct Published<S>(ArcSwap<S>);

impl<S> Published<S> {
    pub(crate) fn new(value: S) -> Self {
        Self(ArcSwap::from_pointee(value))
    }

    /// Reads the present value. The guard lives no longer than the closure, which must neither
    /// block nor publish.
    #[inline]
    pub(crate) fn read<R>(&self, take: impl FnOnce(&S) -> R) -> R {
        take(&self.0.load())
    }

    /// As [`read`](Self::read), for the pick: what it gives is built where it will stand, which a
    /// closure does not promise. To be dropped as soon as that stands.
    #[inline]
    pub(crate) fn guard(&self) -> impl Deref<Target = Arc<S>> {
        self.0.load()
    }

    /// The present value, to be looked at for longer. Whoever keeps it keeps all it holds alive.
    pub(crate) fn current(&self) -> Arc<S> {
        self.0.load_full()
    }

    /// Publishes `value` and hands back the one before it, so that the caller decides where it is
    /// dropped.
    pub(crate) fn publish(&self, value: S) -> Arc<S> {
        self.0.swap(Arc::new(value))
    }
}

impl<S> fmt::Debug for Published<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Published").finish_non_exhaustive()
    }
}
