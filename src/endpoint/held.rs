//! The hold a request has on its endpoint.

use std::fmt;

use crate::classify::Outcome;
use crate::endpoint::{EndpointCell, LoadSettings};
use crate::sync::Arc;
use crate::units::Nanos;

/// A target and the cell it is counted on. A new target for an endpoint gets a new binding to
/// the same cell.
pub(crate) struct Bound<T> {
    pub(crate) cell: Arc<EndpointCell>,
    pub(crate) target: T,
}

/// The endpoint takes nothing new.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed;

/// One request counted on an endpoint, released exactly once however it ends.
///
/// Neither `Clone` nor `Default`: each would be released without having been counted.
pub(crate) struct Held<T> {
    bound: Arc<Bound<T>>,
    began: Nanos,
    settings: LoadSettings,
    open: bool,
}

impl<T> Held<T> {
    #[inline]
    pub(crate) fn begin(
        bound: &Arc<Bound<T>>,
        began: Nanos,
        settings: LoadSettings,
    ) -> Result<Self, Closed> {
        if bound.cell.begin() {
            Ok(Self { bound: Arc::clone(bound), began, settings, open: true })
        } else {
            Err(Closed)
        }
    }

    pub(crate) fn bound(&self) -> &Bound<T> {
        &self.bound
    }

    #[inline]
    pub(crate) fn finish(mut self, outcome: Outcome, now: Nanos) {
        self.open = false;
        if self.bound.cell.finish(outcome, self.began, now, self.settings) {
            self.bound.cell.alert(now);
        }
    }
}

impl<T> Drop for Held<T> {
    #[inline]
    fn drop(&mut self) {
        if self.open {
            self.bound.cell.abandon();
        }
    }
}

impl<T> fmt::Debug for Bound<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").field("cell", &self.cell).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Held<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("endpoint", self.bound.cell.id()).finish_non_exhaustive()
    }
}
