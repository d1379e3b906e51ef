//! The seam for whoever wakes people.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::error::BoxError;
use crate::event::Alarm;
use crate::sync::Arc;

/// A call of a pager that is under way.
pub type PagerFuture<'a> = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>>;

/// Is told each alarm that is raised or cleared; handed to
/// [`Builder::pager`](crate::Builder::pager).
///
/// Whatever reaches people: a webhook, a chat, the API of a paging service. A closure is made one by
/// [`pager_fn`]. [`AlarmKind::name`](crate::AlarmKind::name) and the balancer's name are the same
/// when an alarm is raised and when it is cleared, which is what paging services ask for.
///
/// # Contract
///
/// Calls are made by whoever runs [`start`](crate::Balancer::start), one after the other, each in a
/// task of its own. A call has `alarms.page_timeout` and is dropped then; it must not block its
/// thread. One that fails, panics or takes too long is an event,
/// [`Event::PagerFailed`](crate::Event::PagerFailed), and is made again a second later, three times
/// in all; other alarms go before. So an alarm may come twice, and one that is cleared before the
/// pager heard of it never comes.
///
/// ```
/// use evenkeel::{Alarm, Pager, PagerFuture};
///
/// struct Stderr;
///
/// impl Pager for Stderr {
///     fn page(&self, alarm: Alarm) -> PagerFuture<'_> {
///         Box::pin(async move {
///             eprintln!("{}: {alarm}", alarm.balancer);
///             Ok(())
///         })
///     }
/// }
/// # let _ = evenkeel::Balancer::<u8>::builder().pager(Stderr);
/// ```
pub trait Pager: Send + Sync + 'static {
    /// Ready with `Ok` once somebody will hear of it.
    fn page(&self, alarm: Alarm) -> PagerFuture<'_>;
}

impl<P: Pager + ?Sized> Pager for Arc<P> {
    fn page(&self, alarm: Alarm) -> PagerFuture<'_> {
        (**self).page(alarm)
    }
}

impl Pager for Box<dyn Pager> {
    fn page(&self, alarm: Alarm) -> PagerFuture<'_> {
        (**self).page(alarm)
    }
}

/// A pager made of a closure that takes the alarm and returns a future.
///
/// ```
/// use evenkeel::{Alarm, Balancer, pager_fn};
///
/// let pager = pager_fn(|alarm: Alarm| async move {
///     println!("{alarm}");
///     Ok::<_, std::io::Error>(())
/// });
/// let builder = Balancer::<u8>::builder().pager(pager);
/// # let _ = builder;
/// ```
pub fn pager_fn<F, A, E>(page: F) -> PagerFn<F>
where
    F: Fn(Alarm) -> A + Send + Sync + 'static,
    A: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<BoxError>,
{
    PagerFn(page)
}

/// See [`pager_fn`].
#[derive(Clone)]
pub struct PagerFn<F>(F);

impl<F, A, E> Pager for PagerFn<F>
where
    F: Fn(Alarm) -> A + Send + Sync + 'static,
    A: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<BoxError>,
{
    fn page(&self, alarm: Alarm) -> PagerFuture<'_> {
        let call = (self.0)(alarm);
        Box::pin(async move { call.await.map_err(Into::into) })
    }
}

impl<F> fmt::Debug for PagerFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PagerFn").finish_non_exhaustive()
    }
}
