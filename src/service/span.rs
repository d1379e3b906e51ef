//! The span around a request's time at its endpoint; nothing without the feature `tracing`.

use crate::balancer::Lease;

#[derive(Debug)]
pub(crate) struct Span {
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

impl Span {
    #[cfg(feature = "tracing")]
    pub(crate) fn of<T>(lease: &Lease<T>) -> Self {
        let (balancer, endpoint) = (lease.balancer(), lease.endpoint());
        let span = tracing::info_span!("evenkeel", balancer, %endpoint);
        Self { span }
    }

    #[cfg(not(feature = "tracing"))]
    pub(crate) fn of<T>(_: &Lease<T>) -> Self {
        Self {}
    }

    #[inline]
    pub(crate) fn within<R>(&self, act: impl FnOnce() -> R) -> R {
        #[cfg(feature = "tracing")]
        let _entered = self.span.enter();
        act()
    }
}
