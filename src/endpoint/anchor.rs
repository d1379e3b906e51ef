//! What a request holds its endpoint by.

use crate::endpoint::{Bound, EndpointCell};
use crate::sync::Arc;

/// Holds an endpoint.
pub(crate) trait Anchored {
    fn cell(&self) -> &Arc<EndpointCell>;
}

/// What a request to a target holds its endpoint by.
pub(crate) trait Anchor<T>: Anchored + Sized {
    /// By `cell`, the one that `bound` is counted on. May run code of the user's.
    fn at(cell: &Arc<EndpointCell>, bound: &Arc<Bound<T>>) -> Self;
}

/// By the target itself, which then lives as long as the request.
impl<T> Anchored for Arc<Bound<T>> {
    #[inline]
    fn cell(&self) -> &Arc<EndpointCell> {
        &self.cell
    }
}

impl<T> Anchor<T> for Arc<Bound<T>> {
    #[inline]
    fn at(_: &Arc<EndpointCell>, bound: &Self) -> Self {
        Self::clone(bound)
    }
}

/// By the endpoint's counts, beside what it needs of the target. That lives as long as the request.
///
/// With a clone of its own, the target's count is left alone. It would be one more line that is
/// fetched from far where there are many endpoints, and wanders from thread to thread where there are
/// few.
pub(crate) struct Own<T> {
    cell: Arc<EndpointCell>,
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
        Self { cell: Arc::clone(&bound.cell), target }
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
    fn cell(&self) -> &Arc<EndpointCell> {
        &self.cell
    }
}

impl<T: Clone> Anchor<T> for Own<T> {
    #[inline]
    fn at(cell: &Arc<EndpointCell>, bound: &Arc<Bound<T>>) -> Self {
        Self { cell: Arc::clone(cell), target: Kept::Clone(bound.target.clone()) }
    }
}
