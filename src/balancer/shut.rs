//! Words of operators about all endpoints at once.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::balancer::core::Core;
use crate::balancer::verdict::Judged;
use crate::balancer::{Balancer, Drain, now};
use crate::error::UpdateError;
use crate::event::{Author, Changed, Event, Recovery};
use crate::snapshot::{Draft, Said, Word};
use crate::sync::Arc;
use crate::units::{EndpointId, Nanos, Version};

impl<T: Send + Sync + 'static> Balancer<T> {
    /// Lets every endpoint finish what it has and gives none of them anything new: for shutting
    /// down. Endpoints that join from now on are draining, too, until
    /// [`enable_all`](Self::enable_all) or a [`rollback`](Self::rollback).
    ///
    /// The returned future is ready when nothing is in flight to any of them, nor to those that
    /// were removed within the last `outlier.remember_removed`;
    /// [`within`](DrainAll::within) gives it a deadline. Requests that are picked for meanwhile are
    /// refused with [`PickError::NoneAvailable`](crate::PickError::NoneAvailable), those of sessions
    /// too.
    ///
    /// ```
    /// # async fn shut_down(balancer: evenkeel::Balancer<u8>) -> Result<(), evenkeel::BoxError> {
    /// use std::time::Duration;
    ///
    /// if let Err(left) = balancer.drain_all()?.within(Duration::from_secs(30)).await {
    ///     eprintln!("{left}"); // 2 requests are still in flight after 30s: 2 to `a`
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`UpdateError::Strategy`] if the strategy panics over the change.
    pub fn drain_all(&self) -> Result<DrainAll, UpdateError> {
        self.core.drain_all(&Author::default())
    }

    /// Takes back all that operators said about any endpoint, as [`enable`](Self::enable) does for
    /// one: drains, switches, weights and ejections, and [`drain_all`](Self::drain_all).
    ///
    /// # Errors
    ///
    /// As [`enable`](Self::enable); all is then as it was.
    pub fn enable_all(&self) -> Result<Version, UpdateError> {
        self.core.enable_all(&Author::default())
    }
}

impl<T: Send + Sync + 'static> Core<T> {
    pub(crate) fn drain_all(&self, author: &Author) -> Result<DrainAll, UpdateError> {
        let now = self.ground.origin.nanos(now());
        self.update(now, |writer, base| {
            let mut cells: Vec<_> =
                base.members.iter().map(|member| Arc::clone(&member.bound.cell)).collect();
            cells.extend(writer.removed.values().map(|removed| Arc::clone(&removed.cell)));
            let mut draft = Draft::of(base);
            let mut is_news = !base.is_closed;
            draft.is_closed = true;
            for member in &mut draft.members {
                let word = Word { author: author.clone(), at: now, of_all: true };
                let said = member.said().clone().draining(Nanos::NEVER, word);
                if said != *member.said() {
                    is_news = true;
                    *member = member.with_said(said);
                }
            }
            if is_news {
                draft.version = draft.version.next_config();
                let ((by, because), endpoints) = (author.parts(), base.members.len());
                let change = Changed::DrainingAll { endpoints, by, because };
                let published = self.publish(writer, base, draft, vec![change], Judged::Not, now);
                published.map_err(|refused| refused.for_update(&base.chosen.name))?;
            }
            Ok(DrainAll { left: cells.into_iter().map(Drain::new).collect() })
        })
    }

    pub(crate) fn enable_all(&self, author: &Author) -> Result<Version, UpdateError> {
        let now = self.ground.origin.nanos(now());
        self.update(now, |writer, base| {
            let mut draft = Draft::of(base);
            draft.is_closed = false;
            let (mut endpoints, mut is_news) = (0, false);
            for member in &mut draft.members {
                let (said, standing) = (Said::default(), member.standing().pardoned());
                if (&said, standing) == (member.said(), member.standing()) {
                    continue;
                }
                endpoints += usize::from(said != *member.said());
                is_news = true;
                if member.standing().phase.differs(standing.phase) {
                    let (endpoint, step) = (member.id().clone(), Recovery::Pardoned);
                    draft.causes.push(Event::Recovery { endpoint, step });
                }
                *member = member.with_said(said).with_standing(standing);
            }
            let is_said = endpoints > 0 || base.is_closed;
            if !is_said && !is_news {
                return Ok(base.version);
            }
            let mut changes = Vec::new();
            if is_said {
                draft.version = draft.version.next_config();
                let (by, because) = author.parts();
                changes.push(Changed::EnabledAll { endpoints, by, because });
            }
            let judged = Judged::Returning { at: None };
            let published = self.publish(writer, base, draft, changes, judged, now);
            published.map_err(|refused| refused.for_update(&base.chosen.name))
        })
    }
}

/// Ready when nothing is in flight to any endpoint.
///
/// From [`Balancer::drain_all`]. It holds neither the balancer nor a target.
///
/// # Cancel safety
///
/// Dropping it stops the waiting and nothing else: all goes on draining.
#[must_use = "the drain has begun; await this to know when it is over"]
pub struct DrainAll {
    /// Those that are not known to be idle.
    left: Vec<Drain>,
}

impl DrainAll {
    /// The requests that are still in flight, by endpoint in the order of the ids; endpoints without
    /// any are left out.
    #[must_use]
    pub fn in_flight(&self) -> Vec<(EndpointId, u64)> {
        let left = self.left.iter().map(|drain| (drain.endpoint().clone(), drain.in_flight()));
        let mut left: Vec<_> = left.filter(|&(_, in_flight)| in_flight > 0).collect();
        left.sort();
        left
    }
}

impl Future for DrainAll {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.left.retain_mut(|drain| Pin::new(drain).poll(cx).is_pending());
        if self.left.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl fmt::Debug for DrainAll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DrainAll").field("in_flight", &self.in_flight()).finish()
    }
}
