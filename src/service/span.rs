//! The span around a request's time at its endpoint; nothing without the feature `tracing`.

#[cfg(feature = "tracing")]
use std::cell::OnceCell;

#[cfg(feature = "tracing")]
use tracing::info_span;

use crate::balancer::Sending;

#[derive(Debug)]
pub(crate) struct Span {
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

impl Span {
    #[cfg(feature = "tracing")]
    pub(crate) fn of<T>(lease: &Sending<T>) -> Self {
        // Looked up only where somebody is interested: the macro asks for no field otherwise.
        let served = OnceCell::new();
        let served = || served.get_or_init(|| lease.served()).as_ref();
        let span = info_span!(
            "evenkeel",
            balancer = lease.balancer().as_deref(),
            endpoint = %lease.endpoint(),
            attempt = lease.attempt(),
            strategy = served().map(|(_, strategy)| &**strategy),
            version = served().map(|(version, _)| display(version)),
        );
        Self { span }
    }

    #[cfg(not(feature = "tracing"))]
    pub(crate) fn of<T>(_: &Sending<T>) -> Self {
        Self {}
    }

    #[inline]
    pub(crate) fn within<R>(&self, act: impl FnOnce() -> R) -> R {
        #[cfg(feature = "tracing")]
        let _entered = self.span.enter();
        act()
    }
}
