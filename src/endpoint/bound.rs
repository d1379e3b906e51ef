//! A target, and whose it is.

use std::fmt;

use crate::endpoint::{EndpointCell, Line};
use crate::sync::Arc;

/// A target and the cell it is counted on. A new target for an endpoint gets a new binding to
/// the same cell.
pub(crate) struct Bound<T> {
    pub(crate) cell: Arc<EndpointCell>,
    /// The cell's, for this target.
    pub(crate) line: Line,
    pub(crate) target: T,
}

impl<T> Bound<T> {
    pub(crate) fn new(cell: Arc<EndpointCell>, target: T) -> Self {
        Self { line: cell.line.of(cell.targets.next()), cell, target }
    }

    /// Another target for the same endpoint.
    pub(crate) fn retarget(&self, target: T) -> Self {
        Self::new(Arc::clone(&self.cell), target)
    }

    /// It is about to be served: requests may refer to its endpoint by the line.
    pub(crate) fn serve(&self) {
        self.line.keep(&self.cell);
        self.cell.serve(self.line.nth());
    }

    /// Takes the trip that a broken target has left, if there is one.
    pub(crate) fn take_broken(&self) -> bool {
        self.cell.take_broken(self.line.nth())
    }

    /// Says again that the target is broken, for somebody who could not look after it.
    pub(crate) fn still_broken(&self) {
        self.cell.declare_broken(self.line.nth());
    }

    /// Takes the proof that this target has answered well since the last time, if there is one.
    pub(crate) fn take_proof(&self) -> bool {
        self.cell.take_proof(self.line.nth())
    }
}

impl<T> fmt::Debug for Bound<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").field("cell", &self.cell).finish_non_exhaustive()
    }
}
