//! Atomics, locks and the cell a snapshot is published through.
//!
//! The only place that names them, so that a model checker can take their place
//! (`--cfg evenkeel_loom`) and `arc-swap` can be exchanged without a change elsewhere.

#[cfg(evenkeel_loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64};
#[cfg(not(evenkeel_loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64};

pub(crate) use crossbeam_utils::CachePadded;
pub(crate) use parking_lot::Mutex;
pub(crate) use std::sync::Arc;
pub(crate) use std::sync::atomic::Ordering;

use arc_swap::ArcSwap;

/// The one cell that everything a pick reads stands behind.
///
/// A reader never waits and never keeps the guard: it takes what it needs inside the closure.
pub(crate) struct Published<S>(ArcSwap<S>);

impl<S> Published<S> {
    pub(crate) fn new(value: S) -> Self {
        Self(ArcSwap::from_pointee(value))
    }

    /// Reads the present value. The closure must not block or publish.
    #[inline]
    pub(crate) fn read<R>(&self, take: impl FnOnce(&S) -> R) -> R {
        take(&self.0.load())
    }

    /// Publishes `value` and hands back the one before it, so that the caller decides where it
    /// is dropped.
    pub(crate) fn publish(&self, value: S) -> Arc<S> {
        self.0.swap(Arc::new(value))
    }
}
