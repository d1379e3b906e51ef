//! The seam for whoever calls the pager.

use std::fmt;
use std::sync::Weak;
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::alarm::{Page, Pager, Pages};
use crate::balancer::Balancer;
use crate::balancer::core::Core;
use crate::error::BoxError;
use crate::event::{Alarm, Event};
use crate::sync::{Arc, Mutex};

/// What a balancer has to do with its pager, whoever calls it.
pub(crate) struct Paging {
    pager: Option<Arc<dyn Pager>>,
    pages: Mutex<Pages>,
    changed: Notify,
    /// One worker at a time calls.
    turn: Arc<Semaphore>,
}

impl Paging {
    pub(crate) fn new(pager: Option<Arc<dyn Pager>>) -> Self {
        Self {
            pager,
            pages: Mutex::new(Pages::default()),
            changed: Notify::new(),
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    /// Puts an alarm among those the pager is to be told. Waits for nobody.
    pub(crate) fn push(&self, alarm: &Alarm) {
        if self.pager.is_some() {
            self.pages.lock().push(alarm.clone());
            self.changed.notify_one();
        }
    }

    /// The balancer is gone.
    pub(crate) fn end(&self) {
        self.turn.close();
        self.changed.notify_one();
    }
}

impl fmt::Debug for Paging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paging").field("pages", &self.pages).finish_non_exhaustive()
    }
}

/// Somebody who would call the pager. Keeps no balancer alive.
pub(crate) struct Calling<T> {
    core: Weak<Core<T>>,
    paging: Arc<Paging>,
}

/// All that one call needs.
pub(crate) struct Call {
    pub(crate) pager: Arc<dyn Pager>,
    pub(crate) page: Page,
    pub(crate) limit: Duration,
}

impl<T: Send + Sync + 'static> Balancer<T> {
    /// `None` where there is no pager.
    pub(crate) fn calling(&self) -> Option<Calling<T>> {
        let paging = Arc::clone(&self.core.paging);
        paging.pager.is_some().then(|| Calling { core: Arc::downgrade(&self.core), paging })
    }
}

impl<T: Send + Sync + 'static> Calling<T> {
    /// Ready when nobody else calls, and keeps others from it; `None` once the balancer is gone.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.paging.turn).acquire_owned().await.ok()
    }

    /// The next call, once there is one; `None` once the balancer is gone.
    pub(crate) async fn next(&self) -> Option<Call> {
        loop {
            // Let go at once: whoever waits here keeps no balancer alive.
            let limit = {
                let core = self.core.upgrade()?;
                let config = core.published.read(|served| Arc::clone(&served.config));
                config.alarms().cloned().unwrap_or_default().page_timeout()
            };
            let page = self.paging.pages.lock().next();
            if let Some(page) = page {
                let pager = Arc::clone(self.paging.pager.as_ref()?);
                return Some(Call { pager, page, limit });
            }
            self.paging.changed.notified().await;
        }
    }

    /// Says what came of the call under way.
    pub(crate) fn ended(&self, page: Page, answer: Result<(), BoxError>) {
        let error = match answer {
            Ok(()) => return self.paging.pages.lock().taken(),
            Err(error) => Arc::new(error),
        };
        let given_up = self.paging.pages.lock().failed();
        let Some(core) = self.core.upgrade() else { return };
        let Page { alarm, attempts } = page;
        core.hub.push(Event::PagerFailed { alarm, error, attempts, given_up });
        core.hub.flush();
    }
}

impl<T> fmt::Debug for Calling<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calling").field("paging", &self.paging).finish_non_exhaustive()
    }
}
