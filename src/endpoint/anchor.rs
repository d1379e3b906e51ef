//! What a request holds its endpoint by.

use crate::endpoint::{Bound, EndpointCell, Line};
use crate::sync::Arc;

/// Holds an endpoint.
pub(crate) trait Anchored {
    fn line(&self) -> Line;

    /// Shows the endpoint's cell. Always, until the request is counted out.
    fn with_cell<R>(&self, show: impl FnOnce(&Arc<EndpointCell>) -> R) -> Option<R>;
}

/// What a request to a target holds its endpoint by.
pub(crate) trait Anchor<T>: Anchored + Sized {
    /// By `line`, the one that `bound` is counted on. May run code of the user's.
    fn at(line: Line, bound: &Arc<Bound<T>>) -> Self;
}

/// By the target itself, which then lives as long as the request.
impl<T> Anchored for Arc<Bound<T>> {
    #[inline]
    fn line(&self) -> Line {
        self.line
    }

    #[inline]
    fn with_cell<R>(&self, show: impl FnOnce(&Arc<EndpointCell>) -> R) -> Option<R> {
        Some(show(&self.cell))
    }
}

impl<T> Anchor<T> for Arc<Bound<T>> {
    #[inline]
    fn at(_: Line, bound: &Self) -> Self {
        Self::clone(bound)
    }
}

/// By being counted in, beside what it needs of the target. That lives as long as the request.
///
/// With a clone of its own, the target's count is left alone, and so is that of the endpoint's cell. Each
/// would be one more line that is fetched from far where there are many endpoints, and wanders from thread
/// to thread where there are few.
pub(crate) struct Own<T> {
    line: Line,
    target: Kept<T>,
}

/// As wide a tag as all that stands around it: what is put together from smaller parts has to be
/// waited for where it is moved on at once.
#[repr(u64)]
enum Kept<T> {
    Shared { _target: Arc<Bound<T>> },
    Clone(T),
}

impl<T> Own<T> {
    /// With the target itself, which has no clones.
    pub(crate) fn of(bound: &Arc<Bound<T>>) -> Self {
        let target = Kept::Shared { _target: Arc::clone(bound) };
        Self { line: bound.line, target }
    }

    /// The clone, if there is one.
    #[inline]
    pub(crate) fn target(&mut self) -> Option<&mut T> {
        match &mut self.target {
            Kept::Shared { .. } => None,
            Kept::Clone(target) => Some(target),
        }
    }
}

impl<T> Anchored for Own<T> {
    #[inline]
    fn line(&self) -> Line {
        self.line
    }

    #[inline]
    fn with_cell<R>(&self, show: impl FnOnce(&Arc<EndpointCell>) -> R) -> Option<R> {
        self.line.with_cell(show)
    }
}

impl<T: Clone> Anchor<T> for Own<T> {
    #[inline]
    fn at(line: Line, bound: &Arc<Bound<T>>) -> Self {
        Self { line, target: Kept::Clone(bound.target.clone()) }
    }
}
